package heuristics

import (
	"fmt"
	"slices"
	"strings"

	"kdlocks/kd"
	"kdlocks/locks"
	"kdlocks/snapshot"
	"kdlocks/threads"
	"kdlocks/waitgraph"
)

// pattern is the form of a knot.
type pattern uint8

const (
	plainCycle pattern = iota
	ownerPointerSelf
	upgradeSelf
	upgradeShared
	nonRecursiveSelf
)

// shape tells the form of a knot and the owner entry it turns on, nil for a
// plain cycle.
func (d *diagnosis) shape(k knot) (pattern, *snapshot.Owner) {
	var own *snapshot.Owner
	first := d.graph.Nodes[d.graph.Edges[k.cycle[0]].To]
	lock := first.Addr
	switch first.What {
	case waitgraph.FastMutex, waitgraph.GuardedMutex, waitgraph.PushLock:
		if len(k.cycle) == 2 {
			return nonRecursiveSelf, nil
		}
	}
	for _, e := range k.cycle {
		edge := d.graph.Edges[e]
		if gate := d.graph.Nodes[edge.To]; gate.Kind != waitgraph.Thread && (gate.Addr != lock || gate.Kind == waitgraph.Object) {
			return plainCycle, nil
		}
		if edge.Owner != nil && (own == nil || edge.Owner.Foreign()) {
			own = edge.Owner
		}
	}
	switch {
	case own == nil:
		return plainCycle, nil
	case d.throughQueue(k) && own.Foreign(), len(k.cycle) == 2 && (own.Pointer || own.Foreign() && d.entry[own].Mode == locks.Exclusive):
		return ownerPointerSelf, own
	case len(k.cycle) == 2 && len(d.upgraders(lock)) > 1:
		return upgradeShared, own
	case len(k.cycle) == 2:
		return upgradeSelf, own
	}
	return plainCycle, nil
}

// throughQueue reports whether the cycle is one thread that waits shared
// behind an exclusive waiter of the resource it owns itself.
func (d *diagnosis) throughQueue(k knot) bool {
	if len(k.cycle) != 4 {
		return false
	}
	for _, e := range k.cycle {
		if d.graph.Nodes[d.graph.Edges[e].To].Kind == waitgraph.Shared {
			return true
		}
	}
	return false
}

// upgraders returns the threads that own the resource shared and wait for it
// exclusively, in the order of the waiter list.
func (d *diagnosis) upgraders(lock kd.Addr) []kd.Addr {
	r := d.snap.Resource(lock)
	if r == nil || r.Mode != locks.Shared {
		return nil
	}
	owners := make(map[kd.Addr]bool, len(r.Resolved))
	for i := range r.Resolved {
		if o := &r.Resolved[i]; o.Live != threads.No {
			owners[o.Thread] = true
		}
	}
	var out []kd.Addr
	for _, w := range r.ExclusiveWaiters {
		if owners[w.Thread] && d.waitsExclusively(w.Thread, lock) {
			out = append(out, w.Thread)
			owners[w.Thread] = false
		}
	}
	return out
}

// waitsExclusively reports whether the graph draws the wait, by better evidence
// than association.
func (d *diagnosis) waitsExclusively(thread, lock kd.Addr) bool {
	n := d.graph.Find(thread)
	if n < 0 {
		return false
	}
	for _, i := range d.graph.Out[n] {
		e := d.graph.Edges[i]
		if g := d.graph.Nodes[e.To]; g.Kind == waitgraph.Exclusive && g.Addr == lock && e.Grade < waitgraph.D {
			return true
		}
	}
	return false
}

// knotFinding fills what all findings about knots share.
func (d *diagnosis) knotFinding(c *Check, k knot) Finding {
	f := c.finding(Deadlock)
	f.Grade, f.Confidence = k.grade, confidenceOf(k.grade)
	if k.grade == waitgraph.D || d.guesses(k) {
		f.Kind, f.Severity = SuspectedDeadlock, High
		f.Remedy = "Print the lists and the threads again, from one moment: they decide."
	}
	if d.guesses(k) && k.grade < waitgraph.D {
		f.Confidence = Likely
	}
	f.Cycle = d.steps(k.cycle)
	lockSeen := make(map[kd.Addr]bool)
	for _, s := range f.Cycle {
		if s.Thread != 0 { // else a waiter that is announced and not listed
			f.Threads = append(f.Threads, s.Thread)
		}
		if !lockSeen[s.WaitsFor] {
			lockSeen[s.WaitsFor] = true
			f.Resources = append(f.Resources, s.WaitsFor)
		}
	}
	d.gapsOfStates(f.Threads)
	for _, e := range k.cycle {
		d.seenEdge(&f, d.graph.Edges[e])
	}
	for _, e := range k.cycle {
		if o := d.graph.Edges[e].Owner; o != nil && o.Weak() && f.Confidence == Certain {
			f.Confidence = VeryLikely
		}
	}
	if f.Confidence == Certain && d.alertable(f.Cycle) != nil {
		f.Confidence = VeryLikely
	}
	d.countBlocked(&f, k)
	return f
}

// guesses reports whether it is not known of a step of the cycle who must end
// its wait.
func (d *diagnosis) guesses(k knot) bool {
	return slices.ContainsFunc(k.cycle, func(e int) bool { return d.graph.Edges[e].Guess })
}

// gapsOfStates asks for the threads whose state was printed and could not be
// read: one that runs waits for nothing.
func (d *diagnosis) gapsOfStates(ts []kd.Addr) {
	for _, a := range ts {
		if t := d.snap.Thread(a); t != nil && t.Unread() {
			d.gap(kd.Gap{What: "the state of " + d.thread(a), Why: kd.Unreadable, Next: "!thread " + d.addr(a), Decides: true})
		}
	}
}

// steps turns the edges of a cycle or chain into hops from thread to thread.
func (d *diagnosis) steps(edges []int) []Step {
	var out []Step
	for i := 0; i+1 < len(edges); i += 2 {
		out = append(out, d.stepOf(d.graph.Edges[edges[i]], d.graph.Edges[edges[i+1]]))
	}
	return out
}

// stepOf makes a hop of a thread's wait at a gate and of what stands in its way
// there.
func (d *diagnosis) stepOf(wait, own waitgraph.Edge) Step {
	gate := d.graph.Nodes[wait.To]
	s := Step{Thread: d.graph.Nodes[wait.From].Addr, WaitsFor: gate.Addr, What: gate.What, Grade: max(wait.Grade, own.Grade)}
	if d.graph.Nodes[own.To].Kind == waitgraph.Thread {
		s.HeldBy = d.graph.Nodes[own.To].Addr
	}
	s.Queued = gate.Kind == waitgraph.Shared && own.Owner == nil
	s.Guess = wait.Guess || own.Guess
	return s
}

func (d *diagnosis) seenEdge(f *Finding, e waitgraph.Edge) {
	if d.graph.Nodes[e.From].Kind == waitgraph.Thread {
		if r := d.graph.Nodes[e.To].Resource; r != nil {
			f.seenLock(r)
		}
		d.seenWait(f, e)
		return
	}
	if e.Owner != nil {
		d.seenOwner(f, e.Owner)
		return
	}
	if m := d.snap.Mutex(d.graph.Nodes[e.From].Addr); m != nil && m.Owner.At == e.At {
		f.seen(m.At, m.Addr, "the mutex that dt was asked for")
		f.seen(e.At, e.About, "its owner")
		return
	}
	f.seen(e.At, e.About, "it stands in the way")
}

// countBlocked fills the threads that wait behind a cycle without being on it.
func (d *diagnosis) countBlocked(f *Finding, k knot) {
	var onCycle []int
	for _, e := range k.cycle {
		onCycle = append(onCycle, d.graph.Edges[e].From)
	}
	inKnot := make(map[int]bool)
	for _, n := range k.nodes {
		inKnot[n] = true
	}
	behind, announced := d.graph.BlockedBy(onCycle)
	for _, n := range behind {
		if inKnot[n] {
			f.Others = append(f.Others, d.graph.Nodes[n].Addr)
		} else {
			f.Bystanders = append(f.Bystanders, d.graph.Nodes[n].Addr)
		}
	}
	f.Blocked = len(behind) + announced
}

// suspectOf names the module that stands nearest to the acquire on the stacks
// of the given threads, if they agree or only one has a stack.
func (d *diagnosis) suspectOf(ts []kd.Addr) *Suspect {
	var module string
	var where []string
	var frames []Evidence
	stacksSeen := 0
	for _, a := range ts {
		t := d.snap.Thread(a)
		routine, _ := acquire(t)
		if routine < 0 {
			continue
		}
		stacksSeen++
		i := nearest(t, routine)
		if i < 0 {
			continue
		}
		m := t.Stack.Frames[i].Module
		if module != "" && !strings.EqualFold(m, module) {
			return nil
		}
		module = m
		if fr := t.Stack.Frames[i]; !fr.Inline && !fr.Bare {
			frames = append(frames, Evidence{At: fr.At, Addr: fr.ChildSP, Why: "the suspect stands here"})
		}
		where = append(where, fmt.Sprintf("%s of thread %s", frame(t, i), d.addr(a)))
	}
	if len(where) == 0 || len(where) < stacksSeen {
		return nil
	}
	return &Suspect{Module: module, Reason: fmt.Sprintf("nearest module outside Windows to the lock request: %s", strings.Join(where, "; ")), frames: frames}
}

// nextForThreads asks for the threads whose stacks are not in the input.
func (d *diagnosis) nextForThreads(ts []kd.Addr) []string {
	const most = 8
	var out []string
	for _, a := range ts {
		if t := d.snap.Thread(a); (t == nil || len(t.Stack.Frames) == 0) && len(out) < most {
			out = append(out, "!thread "+d.addr(a))
		}
	}
	return out
}
