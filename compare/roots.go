package compare

import (
	"cmp"
	"fmt"
	"slices"

	"kdlocks/heuristics"
	"kdlocks/kd"
	"kdlocks/threads"
)

// RootState says what became of the thread at the end of wait chains.
type RootState string

// The states of a root, those that matter most first.
const (
	// Hung: it blocks others in the first capture and the last and has not run.
	Hung RootState = "hung"
	// Holding: it runs, and has kept a lock all the time.
	Holding RootState = "holding"
	// RootUnclear: it blocks others in both, and nothing tells whether it ran.
	RootUnclear RootState = "cannot tell"
	// Going: it blocks others in both and has run: other work each time.
	Going RootState = "moving"
	// RootNew: only the last captures show it.
	RootNew RootState = "new"
	// Gone: it no longer blocks others.
	Gone RootState = "gone"
)

var rootStates = []RootState{Hung, Holding, RootUnclear, Going, RootNew, Gone}

// Root is a thread that others wait for and that waits for no thread itself.
type Root struct {
	Thread kd.Addr
	State  RootState
	Why    string
	// Finding is the most telling of the last capture that has it as a root,
	// From that capture.
	Finding *heuristics.Finding
	From    *Capture
	// Blocked are the threads behind it, for each capture; -1 where it is no
	// root, or not shown.
	Blocked []int
	Next    []string
	Places  []Place
}

// findRoots follows the roots of all captures.
func (c *comparison) findRoots() {
	seen := make(map[kd.Addr]*Root)
	for i, in := range c.Captures {
		for j := range in.Findings {
			f := &in.Findings[j]
			if !rootKind(f) || len(f.Threads) == 0 || f.Blocked == 0 {
				continue
			}
			a := f.Threads[0]
			r := seen[a]
			if r == nil {
				r = &Root{Thread: a, Blocked: slices.Repeat([]int{-1}, len(c.Captures))}
				seen[a] = r
				c.Roots = append(c.Roots, r)
			}
			r.Blocked[i] = max(r.Blocked[i], f.Blocked)
			if r.From != in || r.Finding.Check.ID == chainID {
				r.Finding, r.From = f, in
			}
		}
	}
	stuck := c.stuckBehind()
	for _, r := range c.Roots {
		c.followRoot(r, stuck)
	}
	kd.SortStable(c.Roots, func(a, b *Root) int {
		return cmp.Or(cmp.Compare(slices.Index(rootStates, a.State), slices.Index(rootStates, b.State)), cmp.Compare(slices.Max(b.Blocked), slices.Max(a.Blocked)))
	})
}

// chainID is the detector that finds every root; the others understand some.
// What a worker that waits for work owns may be another's to release.
const (
	chainID      = "blocked-chain"
	idleWorkerID = "owner-idle-worker"
	missingID    = "owner-missing"
)

// rootKind reports whether the first thread of a finding is a root, and not one
// that only seems to own a lock.
func rootKind(f *heuristics.Finding) bool {
	switch f.Kind {
	case heuristics.BlockedChain, heuristics.Contention:
		return true
	}
	return f.Check.ID == missingID
}

// stuckBehind finds a lock that did not move for each thread that owns one in
// the last capture.
func (c *comparison) stuckBehind() map[kd.Addr]*Lock {
	out := make(map[kd.Addr]*Lock)
	for _, l := range c.Locks {
		r := l.Seen[len(l.Seen)-1]
		if r == nil || l.State != Stuck && l.State != Growing {
			continue
		}
		for i := range r.Resolved {
			if t := r.Resolved[i].Thread; t != 0 && out[t] == nil {
				out[t] = l
			}
		}
	}
	return out
}

func (c *comparison) followRoot(r *Root, stuck map[kd.Addr]*Lock) {
	first := slices.IndexFunc(r.Blocked, func(n int) bool { return n >= 0 })
	last := len(c.Captures) - 1
	name := r.From.addr(r.Thread)
	for i, in := range c.Captures {
		if t := in.threads[r.Thread]; t != nil && (i == first || i == last) {
			r.Places = append(r.Places, Place{in, t.at, r.Thread, "the thread"})
		}
	}
	switch {
	case r.Blocked[last] < 0:
		r.State, r.Why = c.notAtEnd(r)
		if r.State == RootUnclear {
			r.Next = []string{"!locks", "!thread " + name}
		}
		return
	case first == last:
		r.State, r.Why = RootNew, "no earlier capture has it as a root"
		return
	}
	a, b := c.Captures[first], c.Captures[last]
	m, why := motion(a.threads[r.Thread], b.threads[r.Thread], false, spanOf(a, b))
	switch lock := stuck[r.Thread]; {
	case m == Still:
		r.State, r.Why = Hung, why
	case m == Moved && lock != nil:
		r.State, r.Why = Holding, fmt.Sprintf("it runs (%s), but has not let go of lock %s: %s", why, b.addr(lock.Addr), lock.Why)
	case m == Moved:
		r.State, r.Why = Going, why
	case m == Replaced:
		r.State, r.Why = RootNew, why
	default:
		r.State, r.Why, r.Next = RootUnclear, why, []string{"!thread " + name}
		if lock != nil {
			r.Why += fmt.Sprintf("; lock %s has not moved: %s", b.addr(lock.Addr), lock.Why)
		}
	}
}

// notAtEnd says what became of a root that the last capture has not.
func (c *comparison) notAtEnd(r *Root) (RootState, string) {
	in := c.Captures[len(c.Captures)-1]
	t := in.threads[r.Thread]
	w := in.waits[r.Thread]
	switch {
	case in.fatal[r.Thread]:
		return Gone, "it is part of a deadlock now"
	case w.lock != 0 && in.holders[r.Thread] != nil:
		return Gone, "it waits itself now, for lock " + in.addr(w.lock)
	case in.holders[r.Thread] != nil:
		return RootUnclear, "it still owns lock " + in.addr(in.holders[r.Thread].Addr) + ", and the last capture does not show it as the root"
	case in.Snap.Whole:
		return Gone, "it owns no lock that is waited for"
	case t != nil && t.state == threads.Terminated:
		return Gone, "it has terminated"
	}
	return RootUnclear, "the last capture does not show what it owns"
}
