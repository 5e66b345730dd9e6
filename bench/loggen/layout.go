package loggen

// thread is one thread laid out: what it waits for, and its frames.
type thread struct {
	index  int
	does   wait
	system bool // of the System process
	r      rng
	sites  []siteID // innermost first
	sp     []uint64
	jump   int // the first frame on the earlier stack, 0 if there is none
	top    int // the first user-mode frame, len(sites) if there is none

	init, current, base, limit uint64
}

// stackSize is a kernel stack of x64 Windows: six pages, and one more where
// the extended processor state lies above it.
const (
	stackSize   = 0x7000
	stateOnTop  = 0x3f0
	earlierGap  = 0x10000 // an expanded stack's predecessor, from its limit
	deepestPath = 18
)

// layOut fills g.t with thread i. role is what the lock lists say of it, nil
// if nothing.
func (g *generator) layOut(i int, ro *role) {
	t := &g.t
	*t = thread{index: i, system: i < g.system, r: newRNG(g.opt.Seed, ofThread, i), sites: t.sites[:0], sp: t.sp[:0]}
	t.limit = stackLimit(i)
	t.base = t.limit + stackSize
	t.init = t.base - stateOnTop
	if ro != nil {
		t.does = ro.does
	} else {
		t.does = t.draw()
	}
	g.calls(t)
	g.place(t)
}

// draw returns what a thread does that the lock lists do not name.
func (t *thread) draw() wait {
	switch n := t.r.n(1000); {
	case t.index%20_011 == 7 || n == 0:
		return running
	case n < 120:
		return waitIO
	case t.system && n < 600:
		return waitWorker
	case t.system:
		return waitDriver
	case n < 420:
		return waitObject
	case n < 600:
		return waitObjects
	case n < 850:
		return waitQueue
	case n < 920:
		return waitDelay
	}
	return waitReply
}

// calls chooses the functions on the stack.
func (g *generator) calls(t *thread) {
	s := g.sites
	t.sites = append(t.sites, s.waits[t.does]...)
	switch t.does {
	case waitShared:
		t.sites = append(t.sites, s.takeShared...)
	case waitExclusive:
		t.sites = append(t.sites, s.takeExcl...)
	}
	switch t.does {
	case waitIO, waitDriver:
		g.path(t, 1)
	case waitShared, waitExclusive, running:
		g.path(t, 5)
	}
	switch {
	case t.does == waitWorker, t.system && t.does != waitDriver:
		t.sites = append(t.sites, s.workerTail...)
	case t.system:
		t.sites = append(t.sites, s.driverTail...)
	default:
		t.sites = append(t.sites, s.serviceTail...)
	}
	t.top = len(t.sites)
	if !t.system {
		g.userCalls(t)
	}
}

// path adds what lies between a wait and the bottom: the head of a path that
// many threads share, or one of its own.
func (g *generator) path(t *thread, least int) {
	s := g.sites
	n := least + t.r.n(7)
	if t.r.chance(20) {
		n += t.r.n(11)
	}
	n = min(n, deepestPath-len(s.callout))
	from := len(t.sites)
	if t.r.chance(70) {
		p := s.paths[t.r.n(t.r.n(len(s.paths))+1)]
		t.sites = append(t.sites, p[:n]...)
	} else {
		for range n {
			t.sites = append(t.sites, s.pool[t.r.n(len(s.pool))])
		}
	}
	if n > 4 && t.does != running && t.r.chance(6) {
		// The frames behind the callout stand on the earlier stack.
		at := from + n/2
		t.sites = append(t.sites, s.callout...)
		copy(t.sites[at+len(s.callout):], t.sites[at:])
		copy(t.sites[at:], s.callout)
		t.jump = at + 1
	}
}

// userCalls adds the frames behind the system service: one address where the
// debugger had no user-mode symbols.
func (g *generator) userCalls(t *thread) {
	s := g.sites
	if t.r.chance(50) {
		t.sites = append(t.sites, s.bareUser)
		return
	}
	n := 1 + t.r.n(6)
	at := t.r.n(40) * 29 // threads of a kind stand in the same functions
	for k := range n {
		t.sites = append(t.sites, s.user[(at+k*7)%len(s.user)])
	}
	t.sites = append(t.sites, s.userTail...)
}

// place gives the frames their addresses: each as far below its caller as the
// caller's frame is large.
func (g *generator) place(t *thread) {
	if cap(t.sp) < len(t.sites) {
		t.sp = make([]uint64, 64)
	}
	t.sp = t.sp[:len(t.sites)]
	current := t.top
	if t.jump > 0 {
		current = t.jump
		g.stackUp(t, t.jump, t.top, t.limit+earlierGap+stackSize-stateOnTop)
	}
	g.stackUp(t, 0, current, t.init)
	g.stackUp(t, t.top, len(t.sites), 0xa000000000+uint64(t.index)<<16+0xfd80)
	t.current = t.sp[0] - 0x40
	if t.does == running {
		t.current -= 0x200 // of the last switch
	}
}

// stackUp places the frames from..to, the outermost just below end.
func (g *generator) stackUp(t *thread, from, to int, end uint64) {
	sp := end - 0x10
	for i := to - 1; i >= from; i-- {
		sp -= g.sites.all[t.sites[i]].size
		t.sp[i] = sp
	}
}

// slot returns a place on the stack for an owner pointer: in the home space of
// a frame some way outward of the lock request, on the current stack.
func (g *generator) slot(t *thread) uint64 {
	i := len(g.sites.waits[t.does]) + 3
	return t.sp[i] + 0x20
}
