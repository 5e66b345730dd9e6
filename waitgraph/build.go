package waitgraph

import (
	"fmt"
	"strings"

	"kdlocks/kd"
	"kdlocks/locks"
	"kdlocks/snapshot"
	"kdlocks/threads"
)

// Build draws the graph of a snapshot.
//
// The rules for ERESOURCEs are those of Microsoft's documentation of the
// ExAcquireResource routines: exclusive access waits for all owners, shared
// access for an exclusive owner or an exclusive waiter queued before it; an
// owner under its own thread address is granted shared access again, and
// exclusive access if it owns exclusively. An owner pointer hides that
// identity.
func Build(s *snapshot.Snapshot) *Graph {
	g := newGraph(s)
	g.countListings()
	stackWaits := g.waitsOnStacks()
	for _, r := range s.Resources {
		if r.Reading != locks.Irreconcilable {
			g.addResource(r, stackWaits[r.Addr])
		}
	}
	g.addObjects()
	return g
}

// wait is one thread's claim to a resource.
type wait struct {
	thread kd.Addr
	at     kd.Ref
	about  kd.Addr // what the text at at shows
	grade  Grade
}

func (g *Graph) addResource(r *snapshot.Resource, onStacks stackWaits) {
	shared, exclusive := listed(r.SharedWaiters), listed(r.ExclusiveWaiters)
	shared, exclusive, missing := g.addUnlisted(r, shared, exclusive, onStacks)
	missingShared, missingExclusive := missing.shared, missing.exclusive
	shared, exclusive = g.stillWaiting(r, shared), g.stillWaiting(r, exclusive)
	shared = g.onlyOnce(r, shared, exclusive)
	if len(exclusive)+missingExclusive > 0 {
		g.addExclusive(r, exclusive, missingExclusive)
	}
	if len(shared)+missingShared > 0 {
		g.addShared(r, shared, exclusive, missingShared, missingExclusive)
	}
}

// onlyOnce returns the shared waiters that are not exclusive ones, too: a
// thread waits once. What is left of such a thread is an association only.
func (g *Graph) onlyOnce(r *snapshot.Resource, shared, exclusive []wait) []wait {
	at := make(map[kd.Addr]int, len(exclusive))
	for i, w := range exclusive {
		at[w.thread] = i
	}
	out := shared[:0]
	for _, w := range shared {
		i, both := at[w.thread]
		if !both {
			out = append(out, w)
			continue
		}
		exclusive[i].grade = D
		g.note(w.at, "thread %s is listed as a shared and as an exclusive waiter of resource %s: the shared entry is left out", g.bare(w.thread), g.bare(r.Addr))
	}
	return out
}

// listed returns the waiters of a list that are threads.
func listed(ws []locks.Waiter) []wait {
	out := make([]wait, 0, len(ws))
	for _, w := range ws {
		if w.Marker() {
			continue
		}
		claim := wait{thread: w.Thread, about: w.Thread, at: w.At}
		if w.AtBreak {
			claim.grade = D
		}
		out = append(out, claim)
	}
	return out
}

// stillWaiting leaves out threads whose own THREAD block says that they wait
// for no resource: the two were then printed at different moments, or one of
// them is wrong. A thread in the lists of two resources, or one whose blocks
// contradict each other, is kept as an association only.
func (g *Graph) stillWaiting(r *snapshot.Resource, ws []wait) []wait {
	out := ws[:0]
	for _, w := range ws {
		t := g.waiter(w.thread)
		if why := otherWait(t); why != "" {
			g.note(w.at, "thread %s is listed as a waiter of resource %s, but its %s (line %d) says %s: no edge is drawn", g.bare(w.thread), g.bare(r.Addr), block(t), t.At.Line, why)
			continue
		}
		if t != nil && t.State != threads.Waiting && t.State != threads.StateUnknown {
			w.grade = max(w.grade, C) // begun anew at this moment, by its stack
		}
		if n := g.listings[w.thread]; n > 1 {
			g.note(w.at, "thread %s stands in the waiter lists of %d resources: it can wait for one only", g.bare(w.thread), n)
			w.grade = D
		}
		if t != nil && (t.Conflict != "" || t.Unread()) {
			w.grade = D
		}
		out = append(out, w)
	}
	return out
}

// block names what a thread was printed as.
func block(t *threads.Thread) string {
	if t.Header {
		return "THREAD block"
	}
	return "row"
}

// waiter returns what is known of a listed waiter, nil if it says no more than
// the list.
func (g *Graph) waiter(a kd.Addr) *threads.Thread {
	if b := g.Snap.Brief(a); b != nil && b.WaitsPlainly() {
		return nil
	}
	return g.Snap.Thread(a)
}

// Elsewhere says what a thread does that cannot wait for a resource by its own
// block, "" if it can.
func (g *Graph) Elsewhere(thread kd.Addr) string { return otherWait(g.waiter(thread)) }

// otherWait says what a thread does if it is not waiting for a resource, ""
// if its block agrees with such a wait or is not known.
func otherWait(t *threads.Thread) string {
	if t == nil || CanWaitForResource(t) {
		return ""
	}
	return stateOf(t)
}

// countListings counts for each thread the resources that list it as a waiter.
func (g *Graph) countListings() {
	g.listings = make(map[kd.Addr]int)
	for _, r := range g.Snap.Resources {
		if r.Reading == locks.Irreconcilable {
			continue
		}
		seen := make(map[kd.Addr]bool)
		for _, list := range [][]locks.Waiter{r.SharedWaiters, r.ExclusiveWaiters} {
			for _, w := range list {
				if !seen[w.Thread] {
					seen[w.Thread] = true
					g.listings[w.Thread]++
				}
			}
		}
	}
}

// CanWaitForResource reports whether a thread's state agrees with a wait for
// an ERESOURCE: in kernel mode, with the reason WrResource, or Executive and
// Unknown as older kernels have it, for a semaphore or an event that is not
// someone else's kind of object.
func CanWaitForResource(t *threads.Thread) bool {
	switch t.State {
	case threads.StateUnknown:
		return true
	case threads.Waiting:
	case threads.Terminated:
		return false
	default:
		// Waits for an ERESOURCE are begun anew every few seconds; at that
		// moment the thread is ready or runs inside the wait routine.
		return t.FindFrame("ExpWaitForResource") >= 0
	}
	switch t.WaitReason {
	case "WrResource":
		return t.WaitMode != "UserMode" && !waitsForOther(t)
	case "", "Executive", "WrExecutive", "Unknown":
		return t.WaitMode != "UserMode" && !waitsForOther(t) && !waitsInDriver(t)
	}
	return false
}

// waitsForOther reports whether an object waited for is of a kind that no
// ERESOURCE has.
func waitsForOther(t *threads.Thread) bool {
	for _, w := range t.WaitObjects {
		switch w.Kind {
		case "Mutant", "Thread", "ProcessObject", "QueueObject":
			return true
		}
	}
	return false
}

// waitsInDriver reports whether a stack shows a wait that a driver asked for
// itself: the routine behind the kernel's wait belongs to another module.
func waitsInDriver(t *threads.Thread) bool {
	i := t.FindFrame("KeWaitForSingleObject", "KeWaitForMultipleObjects", "KeDelayExecutionThread")
	if i < 0 || t.FindFrame("WaitForResource") >= 0 {
		return false
	}
	for _, f := range t.Stack.Frames[i+1:] {
		if !f.Inline {
			return f.Function != "" && !strings.EqualFold(f.Module, t.Stack.Frames[i].Module)
		}
	}
	return false
}

func stateOf(t *threads.Thread) string {
	if t.State == threads.Waiting && t.WaitReason != "" {
		return fmt.Sprintf("waiting (%s) %s", t.WaitReason, t.WaitMode)
	}
	return t.State.String()
}

func (g *Graph) bare(a kd.Addr) string { return a.Bare(g.Snap.Target.Arch) }

func (g *Graph) note(at kd.Ref, format string, args ...any) {
	g.Notes = append(g.Notes, kd.Note{At: at, Text: fmt.Sprintf(format, args...)})
}

// doubt weakens a grade to C where the resource's lists had to be reconciled,
// and to D where other output contradicts them, an extension's summary is all
// there is, or its head line had to be pieced together.
func doubt(r *snapshot.Resource, gr Grade) Grade {
	gr = max(gr, gradeOf(r.At.Doubt))
	if r.Conflict != "" || r.Reading == locks.Hearsay {
		return D
	}
	if r.Reading == locks.Doubtful {
		return max(gr, C)
	}
	return gr
}

func (g *Graph) addExclusive(r *snapshot.Resource, ws []wait, missing int) {
	gate := g.node(Node{Kind: Exclusive, Addr: r.Addr, Resource: r, Announced: missing})
	for _, w := range ws {
		if r.Mode == locks.Exclusive && ownsAsItself(r, w.thread) {
			g.noteRecursion(r, w)
			continue
		}
		g.Add(Edge{From: g.thread(w.thread), To: gate, Grade: doubt(r, w.grade), At: w.at, About: w.about})
	}
	g.addOwners(r, gate)
}

func (g *Graph) addShared(r *snapshot.Resource, ws, exclusive []wait, missing, missingExclusive int) {
	gate := g.node(Node{Kind: Shared, Addr: r.Addr, Resource: r, Announced: missing})
	for _, w := range ws {
		t := g.waiter(w.thread)
		waitsBehind := t != nil && t.FindFrame("ExAcquireSharedWaitForExclusive") >= 0
		passes := t != nil && t.FindFrame("ExAcquireSharedStarveExclusive") >= 0
		switch {
		case ownsAsItself(r, w.thread) && !(r.Mode == locks.Shared && waitsBehind):
			g.noteRecursion(r, w)
			continue
		case r.Mode == locks.Shared && passes:
			g.note(w.at, "thread %s waits shared for resource %s with ExAcquireSharedStarveExclusive, which passes queued exclusive waiters: no edge is drawn", g.bare(w.thread), g.bare(r.Addr))
			continue
		}
		g.Add(Edge{From: g.thread(w.thread), To: gate, Grade: doubt(r, w.grade), At: w.at, About: w.about})
	}
	switch {
	case r.Mode == locks.Exclusive:
		g.addOwners(r, gate)
	case len(exclusive) > 0:
		first := exclusive[0]
		g.Add(Edge{From: gate, To: g.thread(first.thread), Grade: doubt(r, first.grade), At: first.at, About: first.about})
	case missingExclusive > 0:
		nobody := g.node(Node{Kind: Nobody, Addr: 0, Resource: r})
		g.Add(Edge{From: gate, To: nobody, Grade: A, At: r.At, About: r.Addr})
		// Whoever it is waits for the owners.
		behind := g.node(Node{Kind: Exclusive, Addr: r.Addr, Resource: r})
		g.Add(Edge{From: nobody, To: behind, Grade: C, At: r.At, About: r.Addr})
	case len(ws) > 0 && locks.Threads(r.ExclusiveWaiters) > 0:
		g.note(r.At, "resource %s is owned shared and has shared waiters; those listed as exclusive waiters, behind which they could queue, are all printed as doing something else", g.bare(r.Addr))
	case len(ws) > 0 && !r.ExclusiveWaiterCount.Unread:
		g.note(r.At, "resource %s is owned shared and has shared waiters, but no exclusive waiter that they could queue behind", g.bare(r.Addr))
	}
}

func (g *Graph) noteRecursion(r *snapshot.Resource, w wait) {
	g.note(w.at, "thread %s owns resource %s and is listed as its waiter: the kernel grants such a request at once, so no edge is drawn", g.bare(w.thread), g.bare(r.Addr))
}

// ownsAsItself reports whether the thread owns the resource under its own
// address, so that the kernel recognises it.
func ownsAsItself(r *snapshot.Resource, thread kd.Addr) bool {
	for i := range r.Resolved {
		if o := &r.Resolved[i]; o.Thread == thread && !o.Foreign() {
			return true
		}
	}
	return false
}

// addOwners joins a gate to every owner.
func (g *Graph) addOwners(r *snapshot.Resource, gate int) {
	for i := range r.Resolved {
		o := &r.Resolved[i]
		if o.Thread == 0 || o.Live == threads.No {
			to := g.node(Node{Kind: Nobody, Addr: o.Raw, Resource: r, Owner: o})
			g.Add(Edge{From: gate, To: to, Grade: A, At: o.At, About: o.Raw, Owner: o})
			continue
		}
		grade := doubt(r, ownerGrade(o))
		if o.Pointer {
			if t := g.Snap.Thread(o.Thread); t != nil {
				grade = max(grade, gradeOf(t.Stack.RangeAt.Doubt), gradeOf(t.At.Doubt))
			}
		}
		g.Add(Edge{From: gate, To: g.thread(o.Thread), Grade: max(grade, g.unread(o.Thread)), At: o.At, About: o.Raw, Owner: o})
	}
}

// unread weakens a grade to D where the state of a thread was printed and
// could not be read: it may run.
func (g *Graph) unread(a kd.Addr) Grade {
	if g.Snap.Brief(a) != nil {
		return A // a block with such a state is not skimmed
	}
	if t := g.Snap.Thread(a); t != nil && t.Unread() {
		return D
	}
	return A
}

func ownerGrade(o *snapshot.Owner) Grade {
	switch {
	case o.Pointer && o.Live == threads.Unknown:
		return D
	case o.Weak():
		return B
	case o.How == snapshot.ByThread, o.How == snapshot.ByDebugger, o.Actual != 0:
		return A
	}
	return B
}
