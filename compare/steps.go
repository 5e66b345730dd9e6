package compare

import (
	"fmt"

	"kdlocks/heuristics"
	"kdlocks/kd"
	"kdlocks/locks"
	"kdlocks/snapshot"
	"kdlocks/threads"
	"kdlocks/waitgraph"
)

// Stands says whether a hop of a cycle is in a capture.
type Stands string

// The answers; NotShown when what would tell was not printed.
const (
	Yes      Stands = "yes"
	No       Stands = "no"
	NotShown Stands = "not shown"
)

// stepKey tells hops apart.
type stepKey struct{ thread, waitsFor, heldBy kd.Addr }

func keyOf(s heuristics.Step) stepKey { return stepKey{s.Thread, s.WaitsFor, s.HeldBy} }

// Place is where a capture shows a fact: what stands there contains Addr.
type Place struct {
	Capture *Capture
	At      kd.Ref
	Addr    kd.Addr
	Why     string
}

// look is the answer of one capture about one hop.
type look struct {
	stands Stands
	why    string
	next   string
	places []Place
	// ran is set when a thread of the hop has run more than its wait explains;
	// byThreads when no list shows the hop, only threads that have not moved.
	// rearming is set when a thread of it was caught between two waits.
	ran, byThreads, rearming bool
	// contradicts is set when lists and threads say the opposite, fell when the
	// context switch count of a thread of the hop did.
	contradicts, fell bool
}

func (l *look) see(c *Capture, at kd.Ref, a kd.Addr, why string) {
	if at.Known() {
		l.places = append(l.places, Place{c, at, a, why})
	}
}

func (l look) no(format string, args ...any) look {
	l.stands, l.why = No, fmt.Sprintf(format, args...)
	return l
}

func (l look) notShown(next, format string, args ...any) look {
	l.stands, l.next, l.why = NotShown, next, fmt.Sprintf(format, args...)
	return l
}

// stands looks for a hop that one capture shows in another. Lists cannot refute
// what its own threads prove: who has not left its wait has neither got a lock
// nor released one.
func stands(s heuristics.Step, from, in *Capture) look {
	l := lookUp(s, from, in)
	if l.stands != No || s.Thread == 0 || !staysAsleep(s.Thread, from, in) || !staysAsleep(s.HeldBy, from, in) {
		return l
	}
	l.contradicts = true
	return l.notShown("!locks", "the captures contradict each other: %s, but neither thread %s nor thread %s has left its wait (same context switches, same wait)", l.why, in.addr(s.Thread), in.addr(s.HeldBy))
}

func staysAsleep(a kd.Addr, from, in *Capture) bool {
	first, last := inOrder(from, in, from.threads[a], in.threads[a])
	return asleep(first, last)
}

// lookUp is stands, by what was printed of the threads, then of the lock.
func lookUp(s heuristics.Step, from, in *Capture) look {
	l := look{}
	span := spanOf(from, in)
	for _, a := range []kd.Addr{s.Thread, s.HeldBy} {
		if t, u := from.threads[a], in.threads[a]; t != nil && u != nil {
			first, last := inOrder(from, in, t, u)
			m, why := motion(first, last, awaitsLock(a, s, from, in), span)
			l.fell = l.fell || fell(first, last)
			if m == Replaced && s.Thread == 0 {
				return l.reused(s, from, in)
			}
			if m == Replaced {
				l.see(in, u.at, a, "another thread")
				return l.no("thread %s: %s", in.addr(a), why)
			}
			l.ran = l.ran || m == Moved
		}
	}
	if u := in.threads[s.Thread]; u != nil && u.state != threads.StateUnknown {
		l.see(in, u.at, s.Thread, "state of the waiting thread")
		if u.state != threads.Waiting && !u.conflict {
			return l.awake(s, from, in, u)
		}
		if t := in.Snap.Thread(s.Thread); s.What == waitgraph.ERESOURCE && t != nil && !u.conflict && t.WaitMode == "UserMode" && !waitgraph.CanWaitForResource(t) {
			return l.no("thread %s waits for something else (%s, UserMode)", in.addr(s.Thread), t.WaitReason)
		}
	}
	if s.What == waitgraph.ERESOURCE {
		return l.resource(s, from, in)
	}
	return l.other(s, from, in)
}

// awaitsLock reports whether a thread of a hop waits for an ERESOURCE, as far as
// the capture of the hop shows.
func awaitsLock(a kd.Addr, s heuristics.Step, from, in *Capture) bool {
	if a == s.Thread && s.What == waitgraph.Callbacks {
		return true // some of the routines ask again and again
	}
	return a == s.Thread && s.What == waitgraph.ERESOURCE || from.waits[a].lock != 0 || lockWait(a, from, in)
}

// ranFar reports whether a thread ran more often than a wait for an ERESOURCE is
// begun anew.
func ranFar(a kd.Addr, from, in *Capture) bool {
	first, last := inOrder(from, in, from.threads[a], in.threads[a])
	return first != nil && last != nil && first.switches >= 0 && last.switches-first.switches > rearms(spanOf(from, in))
}

// alive refutes that the owner of a lock is no more: the same thread is printed,
// and has not terminated.
func (l look) alive(s heuristics.Step, from, in *Capture) look {
	t, u := from.threads[s.HeldBy], in.threads[s.HeldBy]
	if u == nil || u.conflict || u.state == threads.StateUnknown || u.state == threads.Terminated {
		return l
	}
	first, last := inOrder(from, in, t, u)
	if m, _ := motion(first, last, false, -1); m == Replaced || first != nil && last != nil && fell(first, last) {
		return l
	}
	l.see(in, u.at, s.HeldBy, "the owner")
	return l.no("thread %s, which owns lock %s, has not terminated: it is %s", in.addr(s.HeldBy), in.addr(s.WaitsFor), u.state)
}

// awake is the answer where the thread of a hop does not wait. Waits for an
// ERESOURCE are begun anew every few seconds: the thread is then ready or runs,
// in the routine that waits, and stays in the list. Where its stack does not show
// that, a thread that is listed and has hardly run may be at that moment, or
// about to leave.
func (l look) awake(s heuristics.Step, from, in *Capture, u *thread) look {
	name := in.addr(s.Thread)
	gone := u.state == threads.Terminated || u.state == threads.Initialized
	if s.What != waitgraph.ERESOURCE || gone || u.elsewhere && ranFar(s.Thread, from, in) {
		return l.no("thread %s is %s", name, u.state)
	}
	l.rearming = true
	if l = l.resource(s, from, in); l.stands != Yes || u.inWait {
		return l
	}
	return l.notShown("!thread "+name, "thread %s is %s, and nothing shows whether its wait for lock %s goes on, as one that is begun anew", name, u.state, in.addr(s.WaitsFor))
}

// waitsForCallbacks reports whether a stack shows that its thread waits until
// others have left what it takes down.
func waitsForCallbacks(t *threads.Thread) bool {
	w := t.Waits().For
	return w == threads.ForCallers || w == threads.ForRundown
}

// reused looks for a lock that a dead thread owns whose address another thread
// has meanwhile: the entry may be of either.
func (l look) reused(s heuristics.Step, from, in *Capture) look {
	if l = l.resource(s, from, in); l.stands != Yes {
		return l
	}
	return l.notShown("!locks -v "+in.addr(s.WaitsFor), "another thread is at the address %s that owns lock %s", in.addr(s.HeldBy), in.addr(s.WaitsFor))
}

// inOrder returns two of something in the order of their captures.
func inOrder[T any](a, b *Capture, x, y T) (T, T) {
	if a.index > b.index {
		return y, x
	}
	return x, y
}

func spanOf(a, b *Capture) int64 {
	a, b = inOrder(a, b, a, b)
	return max(between(a, b), -1)
}

// addr prints an address as the debugger of the capture does.
func (c *Capture) addr(a kd.Addr) string { return a.Bare(c.Snap.Target.Arch) }

// resource looks for a wait for an ERESOURCE and for its owner.
func (l look) resource(s heuristics.Step, from, in *Capture) look {
	lock := in.addr(s.WaitsFor)
	r := in.Snap.Resource(s.WaitsFor)
	switch {
	case r == nil && in.Snap.Whole:
		return l.no("lock %s is free: the list of all held locks lacks it", lock)
	case r == nil:
		return l.unmoved(s, from, in)
	case !r.Believed():
		return l.notShown("!locks -v "+lock, "the block of lock %s cannot be trusted", lock)
	}
	l.see(in, r.At, r.Addr, "the lock")
	if r.Mode == locks.Unowned {
		return l.no("lock %s is free", lock)
	}
	if s.Queued {
		if w := in.waits[s.HeldBy]; w.lock != s.WaitsFor && s.HeldBy != 0 {
			return l.missingWaiter(r, s.HeldBy, lock, in)
		}
	} else if o := ownerAs(r, from.Snap.Resource(s.WaitsFor), s.HeldBy); o == nil {
		if !refutes(r, s.HeldBy) {
			return l.notShown("!locks -v "+lock, "lock %s has other owners there, by a list that cannot refute", lock)
		}
		for i := range r.Resolved[:min(len(r.Resolved), mostOwners)] {
			l.see(in, r.Resolved[i].At, r.Resolved[i].Raw, "an owner entry")
		}
		return l.no("lock %s is owned by %s", lock, in.ownersOf(r))
	} else {
		l.see(in, o.At, o.Raw, "the owner entry")
	}
	if s.Thread == 0 {
		l.stands = Yes
		return l
	}
	w := in.waits[s.Thread]
	if w.lock != s.WaitsFor {
		return l.missingWaiter(r, s.Thread, lock, in)
	}
	l.see(in, w.at, s.Thread, "it waits for the lock")
	l.stands, l.why = Yes, "same owner, same waiter"
	return l
}

// missingWaiter is the answer where a thread is not in the lists of a lock.
func (l look) missingWaiter(r *snapshot.Resource, a kd.Addr, lock string, in *Capture) look {
	if shared, exclusive := r.Unlisted(); shared+exclusive > 0 {
		return l.notShown("!locks -v "+lock, "more waiters of lock %s are announced than listed", lock)
	}
	if queuedFor(r, a) {
		return l.notShown("!locks -v "+lock, "thread %s stands in the lists of several locks", in.addr(a))
	}
	if !refutes(r, a) {
		return l.notShown("!locks -v "+lock, "lock %s has other waiters there, by a list that cannot refute", lock)
	}
	if w := in.waits[a]; w.lock != 0 {
		return l.no("thread %s waits for lock %s, not %s", in.addr(a), in.addr(w.lock), lock)
	}
	return l.no("thread %s no longer waits for lock %s", in.addr(a), lock)
}

// refutes reports whether the lists of a lock, which do not have a thread in the
// role that another capture shows, prove that it has left it: extensions have
// left out waiters and named wrong owners, and where the marks contradict the
// counts a thread that is named at all may be in any role.
func refutes(r *snapshot.Resource, thread kd.Addr) bool {
	if r.Extension != "" {
		return false
	}
	return r.Reading == locks.Sound || !names(r, thread)
}

// names reports whether a thread stands in any list of a lock.
func names(r *snapshot.Resource, thread kd.Addr) bool {
	for i := range r.Resolved {
		if r.Resolved[i].Thread == thread || r.Resolved[i].Raw == thread {
			return true
		}
	}
	return queuedFor(r, thread)
}

func queuedFor(r *snapshot.Resource, thread kd.Addr) bool {
	found := false
	each(r, func(w kd.Addr) { found = found || w == thread })
	return found
}

// ownerAs returns the owner entry that stands for the thread: by its thread, or
// with the same value as where the thread was found out; nil if there is none.
func ownerAs(r, before *snapshot.Resource, thread kd.Addr) *snapshot.Owner {
	raw := make(map[kd.Addr]bool)
	if before != nil {
		for i := range before.Resolved {
			if o := &before.Resolved[i]; o.Thread == thread {
				raw[o.Raw] = true
			}
		}
	}
	for i := range r.Resolved {
		o := &r.Resolved[i]
		if thread != 0 && o.Thread == thread || raw[o.Raw] && (o.Thread == 0 || o.Thread == thread) {
			return o
		}
	}
	return nil
}

// mostOwners bounds the owners of a lock that are named.
const mostOwners = 3

// ownersOf names the owners of a lock.
func (c *Capture) ownersOf(r *snapshot.Resource) string {
	text := ""
	for i := range r.Resolved {
		if i == mostOwners {
			return fmt.Sprintf("%s and %d more", text, len(r.Resolved)-mostOwners)
		}
		if i > 0 {
			text += ", "
		}
		text += c.addr(r.Resolved[i].Raw)
	}
	if text == "" {
		return "nobody that is listed"
	}
	return text
}

// unmoved is the answer of a capture without the lists: a thread that has not
// left its wait has not got the lock, and releases none.
func (l look) unmoved(s heuristics.Step, from, in *Capture) look {
	lock := "!locks " + in.addr(s.WaitsFor)
	if !in.Snap.HasLocks {
		lock = "!locks"
	}
	for _, a := range []kd.Addr{s.Thread, s.HeldBy} {
		t, u := from.threads[a], in.threads[a]
		if t == nil || u == nil {
			return l.notShown(lock, "neither the lock %s nor all threads are printed there", in.addr(s.WaitsFor))
		}
		first, last := inOrder(from, in, t, u)
		m, why := motion(first, last, from.waits[a].lock != 0, spanOf(from, in))
		if m != Still && m != Rearmed {
			return l.notShown(lock, "lock %s is not printed there, and of thread %s: %s", in.addr(s.WaitsFor), in.addr(a), why)
		}
		l.see(in, u.at, a, "the thread has not left its wait")
		l.why = why
	}
	l.stands, l.byThreads = Yes, true
	return l
}

// other looks for a wait for something else than an ERESOURCE: by what the
// detectors found there, by the objects that the thread waits for, and by the
// thread that has not moved.
func (l look) other(s heuristics.Step, from, in *Capture) look {
	t, u := from.threads[s.Thread], in.threads[s.Thread]
	if in.steps[keyOf(s)] {
		l.stands, l.why = Yes, "same wait"
		return l
	}
	name := in.addr(s.Thread)
	if u == nil {
		return l.notShown("!thread "+name, "thread %s is not printed there", name)
	}
	if v := in.Snap.Thread(s.Thread); s.What == waitgraph.Callbacks && v != nil && len(v.Stack.Frames) > 0 && !waitsForCallbacks(v) {
		return l.no("thread %s waits for something else", name)
	}
	for _, o := range u.objects {
		if o.addr != s.WaitsFor {
			continue
		}
		l.see(in, o.at, o.addr, "it waits for the object")
		switch {
		case o.owner != 0 && o.owner != s.HeldBy:
			return l.no("%s %s is owned by thread %s", s.What, in.addr(s.WaitsFor), in.addr(o.owner))
		case o.owner == s.HeldBy:
			l.stands, l.why = Yes, "same owner, same waiter"
			return l
		}
		return l.notShown("!thread "+name, "the owner of %s %s is not printed there", s.What, in.addr(s.WaitsFor))
	}
	if t != nil {
		first, last := inOrder(from, in, t, u)
		m, why := motion(first, last, s.What == waitgraph.Callbacks, spanOf(from, in))
		switch {
		case m == Still:
			l.stands, l.why, l.byThreads = Yes, why, true
			return l
		case hasObject(t, s.WaitsFor) && !u.open && len(u.objects) > 0:
			return l.no("thread %s waits for something else", name)
		}
		return l.notShown("!thread "+name, "what thread %s waits for is not printed there: %s", name, why)
	}
	return l.notShown("!thread "+name, "what thread %s waits for is not printed there", name)
}

func hasObject(t *thread, a kd.Addr) bool {
	for _, o := range t.objects {
		if o.addr == a {
			return true
		}
	}
	return false
}
