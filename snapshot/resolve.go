package snapshot

import (
	"fmt"
	"slices"

	"kdlocks/kd"
	"kdlocks/locks"
	"kdlocks/stacks"
	"kdlocks/threads"
)

// How says by what an owner entry was resolved.
type How string

// The ways to resolve an owner entry.
const (
	// ByThread: the value is a thread's address.
	ByThread How = "thread"
	// ByTaggedThread: a thread's address with low bits set.
	ByTaggedThread How = "tagged-thread"
	// ByDebugger: !thread found the value on the thread's stack.
	ByDebugger How = "debugger"
	// ByStack: the value lies in the printed stack range of one thread.
	ByStack How = "stack"
	// BySegment: the value lies in a stack segment whose bounds are inferred.
	BySegment How = "stack-segment"
	// Unresolved: no thread can be named.
	Unresolved How = "unresolved"
)

// Owner is an owner entry and the thread behind it.
type Owner struct {
	*locks.OwnerEntry
	How    How
	Thread kd.Addr // 0 if unresolved
	// Pointer is set when the value is (taken for) an owner pointer and not a
	// thread's identity: the kernel then does not recognise the owner when it
	// asks for the resource again.
	Pointer bool
	// Live is No when the pointer lies below the segment's stack pointer: the
	// frame that held it has returned.
	Live threads.Tri
	// Slot is the place on the thread's stack; Slot.Frame is -1 if unknown.
	Slot    stacks.Slot
	Segment int // index into the thread's stack segments, -1 if unknown
	// Inferred is set when the bounds of that segment were not printed.
	Inferred bool
	// Said is where the debugger interpreted the value.
	Said kd.Ref
	// Why says what stands in the way of an unresolved or doubtful owner.
	Why string
	// Gap is the kind of what stands in the way, as the report counts it.
	Gap kd.Why
}

// P returns the value without its low bits.
func (o Owner) P() kd.Addr { return o.Raw.Untagged() }

// Foreign reports whether the kernel does not recognise the thread as the owner
// when it asks again: it compares the owner with the thread's bare address, and
// a driver has put something else there with ExSetResourceOwnerPointer[Ex].
func (o Owner) Foreign() bool { return o.Pointer || o.How == ByTaggedThread }

// Weak reports whether the thread or the liveness rests on bounds of a stack
// segment that were not printed. The bounds of an earlier segment never are:
// there the debugger's own word for the thread is enough.
func (o Owner) Weak() bool {
	if !o.Pointer {
		return false
	}
	return o.Segment < 0 || o.Inferred && !(o.How == ByDebugger && o.Segment > 0)
}

// stackIndex finds the segments that an address lies in.
type stackIndex struct {
	spans []span // sorted by limit
	// widest is the largest span, which bounds the search to the left.
	widest kd.Addr
}

type span struct {
	limit, base kd.Addr
	thread      *threads.Thread
	segment     int
}

func (s *Snapshot) indexStacks() stackIndex {
	var x stackIndex
	for _, t := range s.Threads {
		if t.Addr == 0 {
			continue
		}
		for i, g := range t.Stack.Segments {
			if g.Limit < g.Base {
				x.spans = append(x.spans, span{g.Limit, g.Base, t, i})
				x.widest = max(x.widest, g.Base-g.Limit)
			}
		}
	}
	slices.SortStableFunc(x.spans, func(a, b span) int {
		switch {
		case a.limit < b.limit:
			return -1
		case a.limit > b.limit:
			return 1
		}
		return 0
	})
	return x
}

// find returns the segments that hold the address; more than one is possible
// when bounds are inferred or sessions are mixed.
func (x stackIndex) find(a kd.Addr) []span {
	i, _ := slices.BinarySearchFunc(x.spans, a, func(sp span, a kd.Addr) int {
		if sp.limit <= a {
			return -1
		}
		return 1
	})
	var out []span
	for i--; i >= 0 && len(out) < 8; i-- {
		sp := x.spans[i]
		if a-sp.limit >= x.widest {
			break
		}
		if a < sp.base {
			out = append(out, sp)
		}
	}
	return out
}

// OnStack returns the thread that has an address on its stack, above its stack
// pointer; nil if no thread has, or several may.
func (s *Snapshot) OnStack(a kd.Addr) *threads.Thread {
	found := s.stacks.find(a)
	if len(found) != 1 {
		return nil
	}
	o := Owner{Slot: stacks.Slot{Frame: -1, Setter: -1}}
	s.placeAt(&o, found[0], a)
	if o.Live != threads.Yes {
		return nil
	}
	return found[0].thread
}

func (s *Snapshot) resolveOwners() {
	s.said = s.saidByDebugger()
	s.waiters = s.waitersOf(func(*Resource) bool { return true })
	for _, r := range s.Resources {
		r.Resolved = make([]Owner, len(r.Owners))
		for i := range r.Owners {
			r.Resolved[i] = s.resolve(&r.Owners[i])
			if o := &r.Resolved[i]; o.Pointer && o.Thread != 0 {
				if s.pointedAt == nil {
					s.pointedAt = make(map[kd.Addr]bool)
				}
				s.pointedAt[o.Thread] = true
			}
		}
	}
}

// waitersOf returns the threads in the waiter lists of some resources.
func (s *Snapshot) waitersOf(which func(*Resource) bool) map[kd.Addr]bool {
	all := make(map[kd.Addr]bool)
	for _, r := range s.Resources {
		if !which(r) {
			continue
		}
		for _, list := range [][]locks.Waiter{r.SharedWaiters, r.ExclusiveWaiters} {
			for _, w := range list {
				all[w.Thread] = true
			}
		}
	}
	return all
}

func (s *Snapshot) saidByDebugger() map[kd.Addr]threads.Interpretation {
	said := make(map[kd.Addr]threads.Interpretation, len(s.interpretations))
	for _, p := range s.interpretations {
		if _, ok := said[p.Value.Untagged()]; !ok || p.Thread != 0 {
			said[p.Value.Untagged()] = p
		}
	}
	return said
}

func (s *Snapshot) resolve(e *locks.OwnerEntry) Owner {
	o := Owner{OwnerEntry: e, How: Unresolved, Slot: stacks.Slot{Frame: -1, Setter: -1}, Segment: -1}
	switch {
	case e.Actual != 0:
		o.How, o.Thread = ByTaggedThread, e.Actual
		return o
	case s.printed(e.Raw):
		o.How, o.Thread = ByThread, e.Raw
		return o
	case !e.Raw.Tagged() && (e.Remark == "" || s.waiters[e.Raw]):
		o.How, o.Thread = ByThread, e.Raw
		return o
	case e.Raw.Tagged() && s.isThread(o.P()):
		o.How, o.Thread = ByTaggedThread, o.P()
		return o
	}
	o.Pointer = true
	s.resolvePointer(&o, s.said[o.P()])
	return o
}

// isThread reports whether the input shows a thread at the address, be it only
// in a waiter list.
func (s *Snapshot) isThread(a kd.Addr) bool {
	return s.printed(a) || s.waiters[a]
}

// printed reports whether a THREAD line of the address was read.
func (s *Snapshot) printed(a kd.Addr) bool {
	t := s.byAddr[a]
	return t != nil && t.Header || s.Brief(a) != nil
}

// resolvePointer looks for the one stack that holds the owner pointer. What
// the debugger itself said comes first, unless the printed range contradicts
// it.
func (s *Snapshot) resolvePointer(o *Owner, said threads.Interpretation) {
	spans := s.stacks.find(o.P())
	if said.Thread != 0 {
		s.resolveSaid(o, said, spans)
		return
	}
	if said.At.Known() {
		o.Said = said.At
	}
	owner, other := oneThread(spans)
	switch {
	case owner == nil && said.At.Known():
		o.Why, o.Gap = "the debugger found no thread for it either", kd.NotInInput
	case owner == nil:
		o.Why, o.Gap = "no stack in the input holds it", kd.NotInInput
	case other != nil:
		o.Why = fmt.Sprintf("the stacks of threads %s and %s both hold it", s.bare(owner.thread.Addr), s.bare(other.thread.Addr))
		o.Gap = kd.Ambiguous
	default:
		o.How = ByStack
		if owner.thread.Stack.Segments[owner.segment].Inferred {
			o.How = BySegment
		}
		s.place(o, *owner)
	}
}

// resolveSaid takes the debugger's word for the thread.
func (s *Snapshot) resolveSaid(o *Owner, said threads.Interpretation, spans []span) {
	t := s.byAddr[said.Thread]
	o.Said = said.At
	for _, sp := range spans {
		if sp.thread == t {
			o.How, o.Live = ByDebugger, threads.Unknown
			s.place(o, sp)
			return
		}
	}
	if t != nil && t.Stack.Limit != 0 {
		o.Why = fmt.Sprintf("the debugger took it for a value on the stack of thread %s, but it lies outside the printed stack range", s.bare(t.Addr))
		o.Gap = kd.Ambiguous
		return
	}
	o.How, o.Thread = ByDebugger, said.Thread
	o.Why, o.Gap = "the stack range of the thread was not printed", kd.NotInInput
}

// oneThread returns the first span, and one of another thread if there is any.
func oneThread(spans []span) (owner, other *span) {
	for i := range spans {
		switch {
		case owner == nil:
			owner = &spans[i]
		case spans[i].thread != owner.thread:
			return owner, &spans[i]
		}
	}
	return owner, nil
}

// place finds segment, liveness and frame of the pointer on its thread's
// stack.
func (s *Snapshot) place(o *Owner, sp span) { s.placeAt(o, sp, o.P()) }

func (s *Snapshot) placeAt(o *Owner, sp span, p kd.Addr) {
	g := sp.thread.Stack.Segments[sp.segment]
	o.Thread, o.Segment, o.Inferred = sp.thread.Addr, sp.segment, g.Inferred
	bottom := g.SP
	if sp.thread.State == threads.Running {
		// The printed Current is where the thread last stopped running.
		bottom = 0
		if g.First >= 0 {
			bottom = sp.thread.Stack.Frames[g.First].ChildSP
		}
	}
	switch {
	case bottom == 0:
		o.Live, o.Why, o.Gap = threads.Unknown, "the stack pointer of the thread is not known", kd.NotInInput
		return
	case p < bottom:
		o.Live = threads.No
		return
	}
	o.Live = threads.Yes
	o.Slot = sp.thread.Stack.Locate(g, p)
}

// Said returns what the debugger said of a value on some stack, its low bits
// ignored.
func (s *Snapshot) Said(p kd.Addr) (threads.Interpretation, bool) {
	i, ok := s.said[p.Untagged()]
	return i, ok
}
