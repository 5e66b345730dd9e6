package snapshot

import (
	"fmt"

	"kdlocks/kd"
	"kdlocks/locks"
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
	for _, t := range s.Threads {
		if t.NotResident && len(t.Stack.Frames) == 0 {
			s.note(t.At, fmt.Sprintf("thread %s: its kernel stack is not resident", s.bare(t.Addr)))
		}
	}
}
