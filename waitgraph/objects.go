package waitgraph

import (
	"slices"

	"kdlocks/kd"
	"kdlocks/objects"
	"kdlocks/threads"
)

// claim is a thread's wait for an object of which it is known what ends it.
type claim struct {
	gate  Node
	grade Grade // of the wait
	at    kd.Ref
	about kd.Addr
	// owner must give the object back, or is the thread that must end. When
	// it is 0, all threads of process must end.
	owner   kd.Addr
	owned   Grade   // of what is said of the owner
	ownedAt kd.Ref  // where that is said; unknown: at at
	said    kd.Addr // an address in the text at ownedAt
	process kd.Addr
}

// indirect are the waits that are drawn only where they matter: for a thread
// or process to end, for a reply. On a healthy machine many threads wait so.
type indirect struct {
	g *Graph
	// from holds the claims by the thread that waits, by their targets: to a
	// thread, or to a process.
	from, to, toProcess map[kd.Addr][]*ending
	members             map[kd.Addr][]kd.Addr // threads by process
	joined              map[int]bool          // nodes of threads that are joined to their process
	todo                []kd.Addr             // threads to look at again
}

// ending is one thread's wait for others to end.
type ending struct {
	thread kd.Addr
	anyOf  bool
	claims []claim
	drawn  bool
}

// addObjects draws the waits for other objects than ERESOURCEs.
func (g *Graph) addObjects() {
	in := indirect{
		g: g, from: make(map[kd.Addr][]*ending), to: make(map[kd.Addr][]*ending),
		toProcess: make(map[kd.Addr][]*ending), members: make(map[kd.Addr][]kd.Addr), joined: make(map[int]bool),
	}
	// Skimmed threads that were asked for are no Briefs any more, which settle could
	// recall.
	for _, t := range slices.Concat(g.Snap.Threads, g.Snap.Named) {
		if t.Addr == 0 {
			continue
		}
		if t.Process.Addr != 0 {
			in.members[t.Process.Addr] = append(in.members[t.Process.Addr], t.Addr)
		}
		in.take(t)
	}
	for i := range g.Nodes {
		if n := &g.Nodes[i]; n.Kind == Thread {
			in.todo = append(in.todo, n.Addr)
		}
	}
	in.drawRings()
	in.settle()
	g.addGuesses(in.members)
}

// drawRings draws the waits of threads that can wait for each other to end: what
// is left when those are taken away, again and again, of which no target waits
// for another thread to end.
func (in *indirect) drawRings() {
	live := make(map[kd.Addr]int) // targets left of a thread
	var free []kd.Addr
	for a, es := range in.from {
		for _, c := range es[0].claims {
			if c.owner != 0 && in.from[c.owner] != nil {
				live[a]++
			}
		}
		if live[a] == 0 {
			free = append(free, a)
		}
	}
	for len(free) > 0 {
		a := free[len(free)-1]
		free = free[:len(free)-1]
		for _, e := range in.to[a] {
			if live[e.thread]--; live[e.thread] == 0 {
				free = append(free, e.thread)
			}
		}
	}
	for _, t := range in.g.Snap.Threads {
		if live[t.Addr] > 0 {
			in.drawAll(in.from[t.Addr])
		}
	}
}

// take draws a thread's waits for what others own, and keeps those for others
// to end.
func (in *indirect) take(t *threads.Thread) {
	claims := in.g.claimsOf(t)
	if len(claims) == 0 {
		return
	}
	e := &ending{thread: t.Addr, anyOf: len(claims) > 1, claims: claims}
	for _, c := range claims {
		switch c.gate.What {
		case ThreadObject, ProcessObject, ALPCMessage, LPCMessage:
		default:
			in.draw(e)
			return
		}
	}
	in.from[t.Addr] = append(in.from[t.Addr], e)
	for _, c := range claims {
		if c.process != 0 {
			in.toProcess[c.process] = append(in.toProcess[c.process], e)
		} else {
			in.to[c.owner] = append(in.to[c.owner], e)
		}
	}
}

// settle draws the waits of threads that others wait for, and those for threads
// that wait themselves, until there are no more.
func (in *indirect) settle() {
	for len(in.todo) > 0 {
		a := in.todo[len(in.todo)-1]
		in.todo = in.todo[:len(in.todo)-1]
		i := in.g.Find(a)
		if i < 0 {
			continue
		}
		if len(in.g.In[i]) > 0 {
			in.recall(a)
			in.drawAll(in.from[a])
		}
		if len(in.g.Out[i]) == 0 {
			continue
		}
		in.drawAll(in.to[a])
		in.endsWith(a)
	}
}

// endsWith draws the waits for a thread's process.
func (in *indirect) endsWith(thread kd.Addr) {
	if len(in.toProcess) == 0 {
		return
	}
	t := in.g.Snap.Thread(thread)
	if t == nil {
		return
	}
	if waits, ok := in.toProcess[t.Process.Addr]; ok {
		in.toProcess[t.Process.Addr] = nil
		in.drawAll(waits)
		in.member(t.Process.Addr, t.Addr)
	}
}

// recall takes the waits of a thread that was skimmed.
func (in *indirect) recall(a kd.Addr) {
	if b := in.g.Snap.Brief(a); b != nil && b.WaitsIndirectly() && in.from[a] == nil {
		if t := in.g.Snap.Thread(a); t != nil {
			in.take(t)
		}
	}
}

func (in *indirect) drawAll(es []*ending) {
	for _, e := range es {
		in.draw(e)
	}
}

// draw adds the edges of a thread's wait.
func (in *indirect) draw(e *ending) {
	if e.drawn {
		return
	}
	e.drawn = true
	g := in.g
	from := g.thread(e.thread)
	g.Nodes[from].AnyOf = e.anyOf
	for _, c := range e.claims {
		gate := g.node(c.gate)
		g.Add(Edge{From: from, To: gate, Grade: c.grade, At: c.at, About: c.about})
		switch {
		case len(g.Out[gate]) > 0:
		case c.process != 0:
			for _, m := range in.members[c.process] {
				if i := g.Find(m); i >= 0 && len(g.Out[i]) > 0 {
					in.member(c.process, m)
				}
			}
		default:
			owned, about := c.at, c.about
			if c.ownedAt.Known() {
				owned, about = c.ownedAt, c.said
			}
			g.Add(Edge{From: gate, To: g.thread(c.owner), Grade: max(c.owned, g.unread(c.owner)), At: owned, About: about})
			in.todo = append(in.todo, c.owner)
		}
	}
	in.todo = append(in.todo, e.thread)
}

// member joins the gate of a process to one of its threads, once: a process
// ends with the last of its threads.
func (in *indirect) member(process, thread kd.Addr) {
	g := in.g
	gate, to := g.node(Node{Kind: Object, What: ProcessObject, Addr: process}), g.thread(thread)
	if in.joined[to] {
		return // a thread belongs to one process
	}
	in.joined[to] = true
	t := g.Snap.Thread(thread)
	if t.WaitMode == "UserMode" {
		return // such a wait ends when the process is asked to end
	}
	g.Add(Edge{From: gate, To: to, Grade: B, At: t.At, About: thread})
	in.todo = append(in.todo, thread)
}

// claimsOf returns what a thread waits for, nothing if anybody may end the wait
// or it ends by itself, or if the end of the input may have cut its list.
func (g *Graph) claimsOf(t *threads.Thread) []claim {
	if t.State != threads.Waiting && !t.User || t.WaitListOpen || t.Timed() {
		return nil
	}
	grade := gradeOf(t.At.Doubt)
	if t.Conflict != "" {
		grade = D
	}
	if c, ok := g.fastMutex(t, grade); ok {
		return []claim{c}
	}
	if c, ok := g.reply(t, grade); ok {
		return []claim{c}
	}
	if c, ok := g.criticalSection(t, grade); ok {
		return []claim{c}
	}
	out := make([]claim, 0, len(t.WaitObjects))
	for _, o := range t.WaitObjects {
		c := claim{gate: Node{Kind: Object, Addr: o.Addr}, grade: grade, at: o.At, about: o.Addr, owner: o.Owner}
		switch {
		case o.Owner == t.Addr:
			return nil // a legal recursion
		case o.Owner != 0:
			c.gate.What = Mutant
			if o.ByMex {
				c.owned = C
			}
		case o.Kind == "Thread" && o.Addr != t.Addr:
			c.gate.What, c.owner = ThreadObject, o.Addr
		case o.Kind == "ProcessObject" && o.Addr != t.Process.Addr:
			c.gate.What, c.process = ProcessObject, o.Addr
		default:
			return nil // an object that anybody may signal
		}
		out = append(out, c)
	}
	return out
}

// Where the event of a FAST_MUTEX lies in it, by its public declaration in
// wdm.h (Windows Driver Kit): Count, Owner, Contention, Event; and the gate of a
// KGUARDED_MUTEX by Microsoft's public symbols: Count, Owner, Contention, Gate.
const (
	fastMutexEvent64 = 0x18
	fastMutexEvent32 = 0xc
)

// fastMutex returns the wait for a fast or guarded mutex whose owner dt or mex
// printed out of the mutex itself. What such a thread waits for is the event or
// gate in the mutex.
func (g *Graph) fastMutex(t *threads.Thread, grade Grade) (claim, bool) {
	if c, ok := g.shownMutex(t, grade); ok {
		return c, true
	}
	w := t.Stack.Awaited
	if w == nil || w.Lock != 0 || w.Owner == 0 || !hasMutexReason(t) {
		return claim{}, false
	}
	c := claim{gate: Node{Kind: Object, What: mutexKind(t), Of: w.Owner}, grade: grade, at: w.At, about: w.Owner, owner: w.Owner}
	if a := FastMutexOf(t); a != 0 {
		c.gate.Addr, c.gate.Of = a, 0
	}
	return c, true
}

// shownMutex returns the wait for a mutex that dt showed with an owner. Where mex
// names another one, the two are of two moments.
func (g *Graph) shownMutex(t *threads.Thread, grade Grade) (claim, bool) {
	m := g.ShownMutex(t)
	if m == nil {
		return claim{}, false
	}
	owner := m.Owner.Addr
	switch {
	case owner == 0:
		return claim{}, false
	case m.Free == objects.Yes:
		g.note(m.Owner.At, "thread %s waits for mutex %s, which dt shows with owner %s and with a count that says that nobody holds it: no edge is drawn", g.bare(t.Addr), g.bare(m.Addr), g.bare(owner))
		return claim{}, false
	case !g.isThread(owner):
		g.note(m.Owner.At, "thread %s waits for mutex %s, which dt shows with owner %s: that is no address of a thread, so no edge is drawn", g.bare(t.Addr), g.bare(m.Addr), g.bare(owner))
		return claim{}, false
	}
	o := t.WaitObjects[0]
	c := claim{
		gate: Node{Kind: Object, What: mutexKind(t), Addr: m.Addr}, grade: max(grade, B, gradeOf(m.At.Doubt)), at: o.At, about: o.Addr,
		owner: owner, owned: gradeOf(m.Owner.At.Doubt), ownedAt: m.Owner.At, said: owner,
	}
	if m.Guarded {
		c.gate.What = GuardedMutex
	}
	if w := t.Stack.Awaited; m.Conflict != "" || w != nil && w.Lock == 0 && w.Owner != 0 && w.Owner != owner {
		c.owned = D
	}
	return c, true
}

// ShownMutex returns the mutex that dt showed and a thread waits for, nil if there
// is none.
func (g *Graph) ShownMutex(t *threads.Thread) *objects.Mutex {
	if len(g.Snap.Objects.Mutexes) == 0 || !hasMutexReason(t) && !isMutexWait(t.Waits().For) {
		return nil
	}
	if a := FastMutexOf(t); a != 0 {
		return g.Snap.Mutex(a)
	}
	return nil
}

// isThread reports whether the value of an Owner field can be a thread: one that
// the input shows, or an address that is aligned as those of threads are, which
// come from pool (Microsoft Learn, ExAllocatePool2: blocks are 16-byte aligned on
// 64-bit systems and 8-byte aligned on 32-bit ones). Others carry flags.
func (g *Graph) isThread(a kd.Addr) bool {
	if g.Snap.Brief(a) != nil || g.Snap.Thread(a) != nil {
		return true
	}
	alignment := kd.Addr(8)
	if g.Snap.Target.Arch.Is64() {
		alignment = 16
	}
	return a%alignment == 0 && a.IsKernel(g.Snap.Target.Arch)
}

func hasMutexReason(t *threads.Thread) bool {
	return t.WaitReason == "WrFastMutex" || t.WaitReason == "WrGuardedMutex"
}

func isMutexWait(w threads.WaitFor) bool {
	return w == threads.ForFastMutex || w == threads.ForGuardedMutex
}

// mutexKind says for which of the two a thread waits that waits for one.
func mutexKind(t *threads.Thread) What {
	if t.WaitReason == "WrGuardedMutex" || t.WaitReason != "WrFastMutex" && t.Waits().For == threads.ForGuardedMutex {
		return GuardedMutex
	}
	return FastMutex
}

// FastMutexOf returns the address of the fast or guarded mutex of which a thread,
// known to wait for one, waits for the event or gate; 0 if that was not printed.
func FastMutexOf(t *threads.Thread) kd.Addr {
	if len(t.WaitObjects) != 1 || t.WaitObjects[0].Kind != "SynchronizationEvent" && t.WaitObjects[0].Kind != "Gate" {
		return 0
	}
	at := kd.Addr(fastMutexEvent64)
	if t.Stack.X86 || t.WaitObjects[0].Addr>>32 == 0 {
		at = fastMutexEvent32
	}
	return t.WaitObjects[0].Addr - at
}
