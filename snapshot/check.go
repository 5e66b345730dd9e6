package snapshot

import (
	"fmt"

	"kdlocks/kd"
	"kdlocks/locks"
	"kdlocks/threads"
)

// HeldUnlisted returns how many locks a closing line of !locks counts as held
// beyond those that were read, and how many it counts.
func (s *Snapshot) HeldUnlisted() (unlisted, held int) { return s.heldUnlisted, s.heldCounted }

// Unread returns the number of locks in a closing line of !locks that stands
// behind no resource and does not say how many are held; not known if there is
// none. A listing that counts no lock at all has failed.
func (s *Snapshot) Unread() locks.Printed { return s.unread }

// countUnread compares the closing lines with the resources before them: one
// about all locks with all that were read, since what it lacks may have been
// asked for alone, and one about a single lock with its own.
func (s *Snapshot) countUnread(l locks.Listing) {
	listed := 0
	for _, r := range s.Resources {
		if r.Mode != locks.Unowned {
			listed++
		}
	}
	blocks, held := make(map[int]int), make(map[int]int)
	for _, r := range l.Resources {
		blocks[r.Round]++
		if r.Mode != locks.Unowned {
			held[r.Round]++
		}
	}
	whole := false // a listing of all locks says how many are held
	for _, round := range l.Rounds {
		known := round.Held.Known() && round.Total.N > 0
		whole = whole || round.Full && known
		n := held[round.Index]
		if round.Full {
			n = listed
		}
		if known && round.Held.N-n > s.heldUnlisted {
			s.heldUnlisted, s.heldCounted = round.Held.N-n, round.Held.N
		}
	}
	for _, round := range l.Rounds {
		silent := round.Total.Known() && (round.Total.N == 0 || !round.Held.Known())
		if silent && blocks[round.Index] == 0 && !(whole && round.Full) {
			s.unread = round.Total
		}
	}
}

// check compares what was printed with what was listed and notes what does
// not add up.
func (s *Snapshot) check() {
	held := 0
	for _, r := range s.Resources {
		if len(r.Owners) > 0 || r.Mode == locks.Exclusive || r.Mode == locks.Shared {
			held++
		}
		if n := r.UnlistedOwners(); n > 0 {
			s.note(kd.CountsFit, r.SharedOwners.At, fmt.Sprintf("resource %s: announced: %s, listed: %d", s.bare(r.Addr), kd.Plural(r.SharedOwners.N, "owning thread"), len(r.Owners)))
		}
		shared, exclusive := r.Unlisted()
		if shared > 0 {
			s.note(kd.CountsFit, r.SharedWaiterCount.At, fmt.Sprintf("resource %s: announced: %s, listed: %d", s.bare(r.Addr), kd.Plural(r.SharedWaiterCount.N, "shared waiter"), len(r.SharedWaiters)))
		}
		if exclusive > 0 {
			s.note(kd.CountsFit, r.ExclusiveWaiterCount.At, fmt.Sprintf("resource %s: announced: %s, listed: %d", s.bare(r.Addr), kd.Plural(r.ExclusiveWaiterCount.N, "exclusive waiter"), len(r.ExclusiveWaiters)))
		}
	}
	if s.Held.Known() && held < s.Held.N {
		s.note(kd.CountsFit, s.Held.At, fmt.Sprintf("said to be held: %s, listed: %d", kd.Plural(s.Held.N, "lock"), held))
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
	for i := range s.rest {
		b := &s.rest[i]
		if b.Has(threads.NotResident) && b.Has(threads.NoStack) {
			see(b.Addr, b.At())
		}
	}
	switch {
	case n == 1:
		s.note(kd.ThreadsRead, first, fmt.Sprintf("thread %s: its kernel stack is not resident", s.bare(addr)))
	case n > 1:
		s.note(kd.ThreadsRead, first, fmt.Sprintf("thread %s: its kernel stack is not resident, nor are those of %s more", s.bare(addr), kd.Plural(n-1, "thread")))
	}
}
