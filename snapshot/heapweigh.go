package snapshot

// HeapWeight says how far the growth of a back trace tells of a leak.
type HeapWeight uint8

const (
	HeapNothing HeapWeight = iota
	HeapPossible
	HeapLikely
)

func (w HeapWeight) String() string {
	return [...]string{"nothing", "possible", "likely"}[w]
}

// What counts as growth: a page, in more than one allocation. What is small tells
// nothing in heaps that hold a thousand times as much; what is large is worth a
// suspicion by itself, if it is a hundredth of the heaps, too. A day is what caches
// of IIS keep their data for (KB253706).
const (
	LeastHeapGrowth = 4096
	leastAllocs     = 2
	SmallHeapGrowth = 64 << 10
	largeHeapGrowth = 1 << 20
	HeapDay         = 24 * 60 // minutes
)

// Weigh says how far the growth of a back trace tells of a leak.
func (g *HeapGrowth) Weigh(t *HeapTrace) HeapWeight {
	n := t.Bytes.Delta.N
	allocs, known := allocsGrown(t)
	switch {
	case t.Nameless(), g.MostlyBare(), n < LeastHeapGrowth, known && allocs < leastAllocs, t.Slowed:
		return HeapNothing
	case g.Total.Known() && g.Total.N <= 0 && (g.Steps < 2 || t.Grew < g.Steps):
		return HeapNothing
	case n < SmallHeapGrowth && n < g.Held/1000:
		return HeapNothing
	case g.Minutes < HeapDay, t.Grew < g.Steps, t.Doubted, g.AssumedOrder, g.BasisAssumed, !g.SameRun(), n < largeHeapGrowth, n < g.Held/100:
		return HeapPossible
	}
	return HeapLikely
}

// SameRun reports whether frames show that both logs are of one run of the process.
// The IDs of back traces hold only within one.
func (g *HeapGrowth) SameRun() bool { return g.From == nil || g.SameFrames+g.ByFrames > 0 }

// MostlyBare reports whether no back trace was saved of most of what grew: those
// that have one do not tell who took it.
func (g *HeapGrowth) MostlyBare() bool { return g.Bare >= LeastHeapGrowth && g.Bare > g.increase/2 }

// allocsGrown returns by how many allocations a back trace grew, at most as many as
// there are where only that is printed.
func allocsGrown(t *HeapTrace) (n int64, known bool) {
	switch a := t.Allocs; {
	case a.Delta.Known():
		return a.Delta.N, true
	case a.After.Known():
		return a.After.N, true
	}
	return 0, false
}

// weigh adds up what the heaps hold and what grew in them.
func (g *HeapGrowth) weigh() {
	g.increase = g.Increase()
	for i := range g.Grown {
		if t := &g.Grown[i]; t.Nameless() {
			g.Bare += t.Bytes.Delta.N
		}
	}
	if g.To == nil {
		return
	}
	for i := range g.To.Traces {
		g.Held += min(g.To.Traces[i].Bytes.N, 1<<62-g.Held)
	}
}
