package snapshot

import "fmt"

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
			s.note(r.SharedWaiterCount.At, fmt.Sprintf("resource %s: %d shared waiters are announced, %d are listed", s.bare(r.Addr), r.SharedWaiterCount.N, len(r.SharedWaiters)))
		}
		if exclusive > 0 {
			s.note(r.ExclusiveWaiterCount.At, fmt.Sprintf("resource %s: %d exclusive waiters are announced, %d are listed", s.bare(r.Addr), r.ExclusiveWaiterCount.N, len(r.ExclusiveWaiters)))
		}
	}
	if s.Held.Known() && held < s.Held.N {
		s.note(s.Held.At, fmt.Sprintf("%d locks are said to be held, %d are listed", s.Held.N, held))
	}
	for _, t := range s.Threads {
		if t.NotResident && len(t.Stack.Frames) == 0 {
			s.note(t.At, fmt.Sprintf("thread %s: its kernel stack is not resident", s.bare(t.Addr)))
		}
	}
}
