package dump

import (
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
	"sort"
)

const (
	pageSize  = 0x1000
	pageShift = 12
)

// maxPFN bounds page frame numbers: x64 has 52 bits of physical addresses.
const maxPFN = 1 << (52 - pageShift)

// span is a run of physical pages that lie in the file one behind the other.
type span struct {
	pfn, count uint64
	off        int64 // in the file
}

// frames finds physical pages in the file.
type frames interface {
	// find returns the offset of a page in the file, and whether it is there.
	find(pfn uint64) (int64, bool)
	// pages counts those that the file should hold.
	pages() uint64
}

// runs are frames in sorted spans.
type runs struct {
	spans []span
	total uint64
}

func (r *runs) pages() uint64 { return r.total }

func (r *runs) find(pfn uint64) (int64, bool) {
	i := sort.Search(len(r.spans), func(i int) bool { return r.spans[i].pfn > pfn }) - 1
	if i < 0 || pfn-r.spans[i].pfn >= r.spans[i].count {
		return 0, false
	}
	return r.spans[i].off + int64(pfn-r.spans[i].pfn)<<pageShift, true
}

// newRuns lays spans out in the file from an offset on, in the order given, and sorts
// them. Spans that no physical memory can have end it.
func newRuns(spans []span, off int64) (*runs, error) {
	r := &runs{}
	for _, s := range spans {
		if s.count == 0 {
			continue
		}
		if s.pfn >= maxPFN || s.count > maxPFN-s.pfn || s.count > uint64(math.MaxInt64-off)>>pageShift {
			return r.sorted(), fmt.Errorf("a run of 0x%x pages from page 0x%x on is no physical memory", s.count, s.pfn)
		}
		s.off = off
		off += int64(s.count) << pageShift
		r.spans = append(r.spans, s)
		r.total += s.count
	}
	return r.sorted(), nil
}

func (r *runs) sorted() *runs {
	sort.SliceStable(r.spans, func(i, j int) bool { return r.spans[i].pfn < r.spans[j].pfn })
	return r
}

// bitmap are frames whose bit is set in the bitmap of the file, in the order of their
// numbers. It keeps how many bits are set before each block, not the bits.
type bitmap struct {
	r      io.ReaderAt
	at     int64  // of the bits in the file
	bits   uint64 // how many there are
	first  int64  // offset of the first page
	before []uint64
	total  uint64

	block  int // which one is in words, -1 if none
	words  [blockBits / 64]uint64
	buffer [blockBits / 8]byte
}

const (
	blockBits = 1 << 15
	// mostBits bounds a bitmap: 32 TB of physical memory.
	mostBits = 1 << 33
)

func newBitmap(r io.ReaderAt, at int64, n uint64, first, size int64) (*bitmap, error) {
	b := &bitmap{r: r, at: at, bits: n, first: first, block: -1}
	var err error
	if room := uint64(max(0, min(size, first)-at)); n > mostBits || n > room*8 {
		b.bits = min(mostBits, room*8)
		err = fmt.Errorf("its bitmap is said to have %d bits, and there is room for %d", n, b.bits)
	}
	for i := 0; uint64(i)*blockBits < b.bits; i++ {
		b.before = append(b.before, b.total)
		if loadErr := b.load(i); loadErr != nil {
			return b, loadErr
		}
		for _, w := range b.words {
			b.total += uint64(bits.OnesCount64(w))
		}
	}
	return b, err
}

// load reads a block of bits. Bits beyond the last are not set.
func (b *bitmap) load(i int) error {
	if i == b.block {
		return nil
	}
	b.block = -1
	left := b.bits - uint64(i)*blockBits
	n := int((min(left, blockBits) + 7) / 8)
	clear(b.buffer[:])
	if got, err := b.r.ReadAt(b.buffer[:n], b.at+int64(i)*int64(len(b.buffer))); got < n {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return fmt.Errorf("its bitmap at offset 0x%x: %w", b.at, err)
	}
	for w := range b.words {
		b.words[w] = le.Uint64(b.buffer[8*w:])
	}
	if left < blockBits {
		b.words[left/64] &= 1<<(left%64) - 1
		clear(b.words[left/64+1:])
	}
	b.block = i
	return nil
}

func (b *bitmap) pages() uint64 { return b.total }

func (b *bitmap) find(pfn uint64) (int64, bool) {
	i := int(pfn / blockBits)
	if pfn >= b.bits || i >= len(b.before) || b.load(i) != nil {
		return 0, false
	}
	in := pfn % blockBits
	if b.words[in/64]>>(in%64)&1 == 0 {
		return 0, false
	}
	n := b.before[i]
	for _, w := range b.words[:in/64] {
		n += uint64(bits.OnesCount64(w))
	}
	n += uint64(bits.OnesCount64(b.words[in/64] & (1<<(in%64) - 1)))
	if n > uint64(math.MaxInt64-b.first)>>pageShift {
		return 0, false
	}
	return b.first + int64(n)<<pageShift, true
}

// errNoPages says that a dump of this type has no physical memory.
var errNoPages = errors.New("no physical memory is in it")

// findFrames tells by what lies behind the header where the pages are. A result beside an
// error holds the pages up to where the file is wrong.
func findFrames(r io.ReaderAt, size int64, h *Header) (frames, error) {
	if h.Bits == 32 {
		return findFrames32(h)
	}
	head := make([]byte, 0x38)
	n, _ := r.ReadAt(head, headerSize64)
	if n == len(head) && string(head[4:8]) == "DUMP" {
		switch string(head[:4]) {
		case "SDMP", "FDMP":
			first, count := le.Uint64(head[0x20:]), le.Uint64(head[0x28:])
			if first < headerSize64 || first > uint64(size) {
				return nil, fmt.Errorf("its first page is said to be at offset 0x%x, and it has %d bytes", first, size)
			}
			b, err := newBitmap(r, headerSize64+0x38, le.Uint64(head[0x30:]), int64(first), size)
			if err == nil && b.total != count {
				err = fmt.Errorf("its bitmap has 0x%x pages, and 0x%x are announced", b.total, count)
			}
			return b, err
		}
	}
	if n == len(head) && string(head[4:8]) == "RDMP" {
		return rangeRuns(r, size, h)
	}
	switch {
	case h.Type == Triage || h.Type == HeaderOnly:
		return nil, errNoPages
	case h.Type == Full:
		if len(h.runs) == 0 {
			return nil, errors.New("its header names no physical memory")
		}
		return newRuns(h.runs, headerSize64)
	}
	return nil, fmt.Errorf("a %s, and nothing behind its header is known of that", h.Type)
}

// mostRanges bounds the ranges of physical memory of a dump.
const mostRanges = 1 << 20

// rangeRuns reads the ranges of a dump that the debugger wrote (RDMP).
func rangeRuns(r io.ReaderAt, size int64, h *Header) (frames, error) {
	head := make([]byte, 0x30)
	if n, _ := r.ReadAt(head, headerSize64); n < len(head) {
		return nil, errors.New("it ends within its list of ranges")
	}
	metadata, first := le.Uint64(head[0x10:]), le.Uint64(head[0x18:])
	if first < headerSize64+0x20 || first > uint64(size) || metadata-0x20 != first-headerSize64-0x40 {
		return nil, fmt.Errorf("its first page is said to be at offset 0x%x, behind 0x%x bytes of ranges", first, metadata)
	}
	at, left := uint64(headerSize64+0x30), (first-headerSize64-0x30)/16
	most, total := uint64(math.MaxUint64), uint64(0)
	if h.Type == RangeFull {
		left, most = min(left, uint64(le.Uint32(head[0x20:]))), le.Uint64(head[0x28:])
	}
	if left > mostRanges {
		return nil, fmt.Errorf("it has %d ranges of physical memory", left)
	}
	b := make([]byte, left*16)
	if n, _ := r.ReadAt(b, int64(at)); n < len(b) {
		return nil, errors.New("it ends within its list of ranges")
	}
	var spans []span
	for ; len(b) > 0 && total < most; b = b[16:] {
		s := span{pfn: le.Uint64(b), count: le.Uint64(b[8:])}
		if s.pfn == 0 && h.Type != RangeFull {
			break
		}
		spans, total = append(spans, s), total+s.count
	}
	return newRuns(spans, int64(first))
}

// findFrames32 is findFrames for 32-bit Windows, of which complete dumps alone are known.
func findFrames32(h *Header) (frames, error) {
	switch {
	case h.Type == Triage || h.Type == HeaderOnly:
		return nil, errNoPages
	case h.Type != Full || len(h.runs) == 0:
		return nil, fmt.Errorf("a %s of 32-bit Windows: of those, complete ones alone are read", h.Type)
	}
	return newRuns(h.runs, headerSize32)
}
