package redact

import (
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
	"slices"
)

// region is a part of the address space whose addresses stay in it. Its bounds are
// such that an address keeps its number of digits, and its half.
type region struct {
	from, to uint64
	// bucket is the unit in which addresses are near each other, as a power of two:
	// what lies in one bucket, or in buckets side by side, moves by the same distance,
	// so that stacks and modules keep their inside. No stack or module of the
	// debuggee has a hole as large without an address in it.
	bucket uint
}

// regions are in the order of their addresses. What lies outside is no address, or
// the same on all machines: small numbers, and what 64-bit Windows keeps at the very end.
var regions = [...]region{
	{0x8001_0000, 0xffff_0000, 24}, // the kernel's half of 32 bits
	{0x1_0000_0000, 0x10_0000_0000, 30},
	{0x10_0000_0000, 0x100_0000_0000, 30},
	{0x100_0000_0000, 0x1000_0000_0000, 30},
	{0x1000_0000_0000, 0x8000_0000_0000, 30},
	{0xe000_0000_0000_0000, 0xe000_1000_0000_0000, 30}, // of Itanium
	{0xffff_8000_0000_0000, 0xffff_ffff_8000_0000, 30},
}

// narrow is the index of the region of 32-bit addresses.
const narrow = 0

// sharedData is the page that Windows keeps at one place on all 64-bit machines.
const sharedData = 0xffff_f780_0000_0000

// regionOf returns the index of the region of an address, -1 if it has none.
func regionOf(v uint64) int {
	for i := range regions {
		if v >= regions[i].from && v < regions[i].to {
			if v>>12 == sharedData>>12 {
				return -1
			}
			return i
		}
	}
	return -1
}

// run is a piece of the address space that moves as a whole.
type run struct {
	from, to uint64 // of addresses; to is the first behind it
	moved    uint64 // where from comes to lie
}

// space knows where addresses were seen, and where they are moved to.
type space struct {
	seen [len(regions)]map[uint64]struct{} // buckets
	runs [len(regions)][]run
	back [len(regions)][]run // the same runs by where they were moved to
}

// see learns of an address of a region.
func (s *space) see(i int, v uint64) {
	b := v >> regions[i].bucket
	if _, ok := s.seen[i][b]; ok {
		return
	}
	if s.seen[i] == nil {
		s.seen[i] = map[uint64]struct{}{}
	}
	s.seen[i][b] = struct{}{}
}

// move decides where all go. The order of runs stays, and so do the low 12 bits.
func (s *space) move(key []byte, with32 bool) {
	for i := range regions {
		if i == narrow && !with32 {
			continue
		}
		s.runs[i] = spread(regions[i], s.buckets(i), newStream(key, "addresses", string(rune('0'+i))))
		s.back[i] = make([]run, len(s.runs[i]))
		for k, r := range s.runs[i] {
			s.back[i][k] = run{r.moved, r.moved + (r.to - r.from), r.from}
		}
	}
}

func (s *space) buckets(i int) []uint64 {
	out := make([]uint64, 0, len(s.seen[i]))
	for b := range s.seen[i] {
		out = append(out, b)
	}
	slices.Sort(out)
	return out
}

// spread makes runs of sorted buckets and shares the free space of the region out
// among them at random, in pages. Between two runs a bucket stays free.
func spread(r region, buckets []uint64, random *stream) []run {
	var runs []run
	used := uint64(0)
	for i, b := range buckets {
		from, to := max(b<<r.bucket, r.from), min((b+1)<<r.bucket, r.to)
		used += to - from
		if i > 0 && buckets[i-1]+1 == b {
			runs[len(runs)-1].to = to
			continue
		}
		runs = append(runs, run{from: from, to: to})
	}
	if len(runs) == 0 {
		return nil
	}
	apart := uint64(len(runs)-1) << r.bucket
	free := (r.to - r.from - used - apart) >> 12
	at := make([]uint64, len(runs))
	for i := range at {
		at[i] = random.below(free + 1)
	}
	slices.Sort(at)
	next := r.from
	for i := range runs {
		runs[i].moved = next + at[i]<<12
		next += runs[i].to - runs[i].from + 1<<r.bucket
	}
	return runs
}

// place returns where an address of region i lies in runs. What was not seen but
// lies right beside a run, as the end of a range may, moves with it.
func place(runs []run, i int, v uint64) (uint64, bool) {
	n, found := slices.BinarySearchFunc(runs, v, func(r run, v uint64) int {
		switch {
		case v < r.from:
			return 1
		case v >= r.to:
			return -1
		}
		return 0
	})
	if found {
		return runs[n].moved + (v - runs[n].from), true
	}
	near := uint64(1) << (regions[i].bucket - 2)
	if n > 0 && v-runs[n-1].to < near {
		return runs[n-1].moved + (v - runs[n-1].from), true
	}
	if n < len(runs) && runs[n].from-v <= near {
		return runs[n].moved - (runs[n].from - v), true
	}
	return v, false
}

// stream is a source of numbers that depend on nothing but a key and a name.
type stream struct {
	seed  [sha256.Size]byte
	block [sha256.Size]byte
	n     uint32
	left  []byte
}

func newStream(key []byte, names ...string) *stream {
	h := sha256.New()
	h.Write(key)
	for _, n := range names {
		h.Write([]byte{0})
		h.Write([]byte(n))
	}
	s := &stream{}
	h.Sum(s.seed[:0])
	s.block, s.left = s.seed, s.block[:]
	return s
}

func (s *stream) byte() byte {
	if len(s.left) == 0 {
		s.n++
		s.block = sha256.Sum256(binary.LittleEndian.AppendUint32(s.seed[:], s.n))
		s.left = s.block[:]
	}
	b := s.left[0]
	s.left = s.left[1:]
	return b
}

// below returns a number from 0 to n-1.
func (s *stream) below(n uint64) uint64 {
	var v uint64
	for range 8 {
		v = v<<8 | uint64(s.byte())
	}
	hi, _ := bits.Mul64(v, n)
	return hi
}
