package loggen

import (
	"errors"
	"io"
)

// Plant is the truth that a log holds.
type Plant uint8

const (
	// OwnerPointer is a thread that waits for an ERESOURCE which it owns
	// itself through an owner pointer on its own stack.
	OwnerPointer Plant = iota
	// Cycle is two threads that each own what the other waits for.
	Cycle
	// Nothing is a log of contention without a deadlock.
	Nothing
)

// Args says whether the stacks have the column "Args to Child".
type Args uint8

const (
	// MixedArgs gives the column to every other process.
	MixedArgs Args = iota
	WithArgs
	WithoutArgs
)

// Options say what to write. The same options give the same bytes.
type Options struct {
	Seed uint64
	// Threads is the exact number of threads; 0 leaves it to Bytes.
	Threads int
	// Bytes is the size to reach: the text ends with the first THREAD block
	// behind it.
	Bytes int64
	Args  Args
	Plant Plant
}

// Stats say what was written.
type Stats struct {
	Bytes, Lines, Blank           int64 // Lines counts blank ones, too
	Threads, Processes, Resources int
	// Deadlocked are the threads of the planted deadlock, and Blocked how many
	// others wait behind them.
	Deadlocked []uint64
	Blocked    int
}

// minThreads is room for a planted deadlock and some threads beside it.
const minThreads = 16

// meanThread is about the size of a THREAD block in bytes, by Args.
var meanThread = [...]int64{MixedArgs: 2280, WithArgs: 2850, WithoutArgs: 1750}

// Write writes a log. Its memory grows with the number of lock owners and
// waiters only, a tenth of the threads and at most some ten thousand. Errors
// are those of w, and of options that ask for nothing.
func Write(w io.Writer, opt Options) (Stats, error) {
	n := opt.Threads
	if n == 0 {
		if opt.Bytes <= 0 {
			return Stats{}, errors.New("loggen: neither Threads nor Bytes is set")
		}
		n = int(opt.Bytes / meanThread[opt.Args] * 8 / 10)
	}
	n = max(n, minThreads)
	g := &generator{opt: opt, out: out{w: w}, sites: newSites(opt.Seed), system: max(8, n/10)}
	g.plan(n)
	g.header()
	g.locks()
	g.processes(n)
	g.out.flush()
	g.stats.Bytes, g.stats.Lines, g.stats.Blank = g.out.written, g.out.lines, g.out.blanks
	return g.stats, g.out.err
}

// generator holds what is common to all threads; a thread's own facts follow
// from its number.
type generator struct {
	opt    Options
	out    out
	stats  Stats
	sites  *sites
	system int // the first so many threads are those of the System process
	held   []resource
	roles  []role // in the order of their threads
	t      thread // scratch
}

// rng is splitmix64 (Steele, Lea and Flood, "Fast splittable pseudorandom
// number generators", 2014).
type rng uint64

func (r *rng) next() uint64 {
	*r += 0x9e3779b97f4a7c15
	z := uint64(*r)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// n returns a number below n.
func (r *rng) n(n int) int { return int((r.next() >> 33) % uint64(n)) }

// chance is true in so many of 100 cases.
func (r *rng) chance(percent int) bool { return r.n(100) < percent }

// subject keeps the random numbers of threads, processes and lists apart.
type subject uint64

const (
	ofThread subject = iota + 1
	ofProcess
	ofLocks
	ofSites
)

func newRNG(seed uint64, s subject, i int) rng {
	r := rng(seed*0x2545f4914f6cdd1d + uint64(s)<<56 + uint64(i))
	r.next()
	return r
}

// scatter is a permutation of the numbers below 1<<26: objects of one kind do
// not lie in the order in which they are printed.
func scatter(i int) uint64 { return uint64(i) * 0x9e3779b1 & (1<<26 - 1) }

func threadAddr(i int) uint64   { return 0xffffcb0000000080 + scatter(i)*0x800 }
func stackLimit(i int) uint64   { return 0xffff900000000000 + scatter(i)*0x20000 }
func resourceAddr(i int) uint64 { return 0xffffcb8200000000 + scatter(i)&0xffffff*0x90 }
func processAddr(i int) uint64  { return 0xffffcb8a00000080 + scatter(i)&0xffffff*0xb80 }

// pool returns an address of some other object in non-paged pool.
func pool(r *rng) uint64 { return 0xffffcba000000000 + r.next()>>30&^0xf }
