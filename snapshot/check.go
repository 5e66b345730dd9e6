package snapshot

import (
	"fmt"

	"kdlocks/kd"
	"kdlocks/locks"
	"kdlocks/threads"
)

// HeldUnlisted returns how many locks the closing line of !locks counts as held
// beyond those that were read.
func (s *Snapshot) HeldUnlisted() int {
	listed := 0
	for _, r := range s.Resources {
		if r.Mode != locks.Unowned {
			listed++
		}
	}
	return max(0, s.Held.N-listed)
}

// check compares what was printed with what was listed and notes what does
// not add up.
func (s *Snapshot) check() {
	held := 0
	for _, r := range s.Resources {
		if len(r.Owners) > 0 {
			held++
		}
		shared, exclusive := r.Unlisted()
		if shared > 0 {
			s.note(r.SharedWaiterCount.At, fmt.Sprintf("resource %s: announced: %s, listed: %d", s.bare(r.Addr), kd.Plural(r.SharedWaiterCount.N, "shared waiter"), len(r.SharedWaiters)))
		}
		if exclusive > 0 {
			s.note(r.ExclusiveWaiterCount.At, fmt.Sprintf("resource %s: announced: %s, listed: %d", s.bare(r.Addr), kd.Plural(r.ExclusiveWaiterCount.N, "exclusive waiter"), len(r.ExclusiveWaiters)))
		}
	}
	if s.Held.Known() && held < s.Held.N {
		s.note(s.Held.At, fmt.Sprintf("said to be held: %s, listed: %d", kd.Plural(s.Held.N, "lock"), held))
	}
	s.checkResident()
}

// checkResident tells of the threads whose stack could not be printed.
func (s *Snapshot) checkResident() {
	n, first, addr := 0, kd.Ref{}, kd.Addr(0)
	see := func(a kd.Addr, at kd.Ref) {
		if n++; n == 1 || at.Before(first) {
			first, addr = at, a
		}
	}
	for _, t := range s.Threads {
		if t.NotResident && len(t.Stack.Frames) == 0 {
			see(t.Addr, t.At)
		}
	}
	for _, b := range s.rest {
		if b.Has(threads.NotResident) && b.Has(threads.NoStack) {
			see(b.Addr, b.At())
		}
	}
	switch {
	case n == 1:
		s.note(first, fmt.Sprintf("thread %s: its kernel stack is not resident", s.bare(addr)))
	case n > 1:
		s.note(first, fmt.Sprintf("thread %s: its kernel stack is not resident, nor are those of %s more", s.bare(addr), kd.Plural(n-1, "thread")))
	}
}
