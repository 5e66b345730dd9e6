package compare

import (
	"cmp"
	"fmt"
	"slices"

	"kdlocks/kd"
	"kdlocks/locks"
	"kdlocks/snapshot"
)

// State says what became of a lock.
type State string

// The states of a lock, those that matter most first.
const (
	// Stuck: same owner, same waiters, and no more.
	Stuck State = "frozen"
	// Growing: same owner, all who waited still wait, and more.
	Growing State = "growing"
	// Moving: it has changed hands.
	Moving State = "moving"
	// Held: an owner is the same, and nothing tells whether it let go between.
	Held State = "held"
	// Freed: it was owned, and is not.
	Freed State = "freed"
	// New: only a later capture shows it owned, and an earlier one that it was
	// not.
	New State = "new"
	// Reused: its contention count has fallen: another lock is at its address.
	Reused State = "another lock"
	// Unclear: what would tell was not printed.
	Unclear State = "cannot tell"
)

// states in the order of reports.
var states = []State{Stuck, Growing, Moving, Held, Freed, New, Reused, Unclear}

// Lock is one ERESOURCE in all captures.
type Lock struct {
	Addr   kd.Addr
	Symbol string
	State  State
	Why    string
	// Seen has an entry for each capture: the block, nil if there is none.
	Seen []*snapshot.Resource
	// Waiting counts the threads that wait, for each capture; -1 if it does not
	// tell.
	Waiting []int
	// Same, New and Gone are the listed waiters of the last capture that shows
	// the lock against the first.
	Same, New, Gone []kd.Addr
	// Rise is what was added to the contention count from the first capture
	// that shows it to the last, -1 if it is not known; SpanMS the time between
	// those.
	Rise, SpanMS int64
	// Waited is set when a thread waits for it in any capture.
	Waited bool

	// moves has an entry for each capture: by what it is seen to have changed hands
	// since the one before that shows it, "" if it is not.
	moves []string
}

// PerSecond returns the contentions a second, and whether that is known.
func (l *Lock) PerSecond() (float64, bool) {
	if l.Rise < 0 || l.SpanMS <= 0 {
		return 0, false
	}
	return float64(l.Rise) * 1000 / float64(l.SpanMS), true
}

// findLocks compares every lock that any capture shows.
func (c *comparison) findLocks() {
	seen := make(map[kd.Addr]*Lock)
	c.byAddr = seen
	for i, in := range c.Captures {
		for _, r := range in.Snap.Resources {
			l := seen[r.Addr]
			if l == nil {
				l = &Lock{Addr: r.Addr, Seen: make([]*snapshot.Resource, len(c.Captures)), Waiting: make([]int, len(c.Captures)), Rise: -1, SpanMS: -1, moves: make([]string, len(c.Captures))}
				seen[r.Addr] = l
				c.Locks = append(c.Locks, l)
			}
			l.Seen[i] = r
			l.Symbol = cmp.Or(l.Symbol, r.Symbol)
			l.Waited = l.Waited || r.Waiting() > 0
		}
	}
	for _, l := range c.Locks {
		c.compareLock(l)
	}
	kd.SortStable(c.Locks, func(a, b *Lock) int {
		return cmp.Or(compareBool(b.Waited, a.Waited), cmp.Compare(slices.Index(states, a.State), slices.Index(states, b.State)),
			cmp.Compare(slices.Max(b.Waiting), slices.Max(a.Waiting)), cmp.Compare(b.Rise, a.Rise))
	})
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// free reports whether a capture shows that nobody owns a lock.
func free(r *snapshot.Resource, in *Capture) bool {
	if r == nil {
		return in.Snap.Whole
	}
	return r.Free()
}

// compareLock goes through the captures in their order. What it was between two
// of them that show it makes its state; the later pair counts where they agree
// as far as it was stuck.
func (c *comparison) compareLock(l *Lock) {
	first, last := -1, -1
	began, freed := false, false
	for i, in := range c.Captures {
		r := l.Seen[i]
		switch {
		case free(r, in):
			l.Waiting[i] = 0
			freed = first >= 0
			began = began || first < 0
			continue
		case r == nil:
			l.Waiting[i] = -1
			continue
		}
		l.Waiting[i] = r.Waiting()
		if first < 0 {
			first = i
		}
		if last >= 0 {
			state, why := Moving, "it was free in between"
			if !freed {
				state, why = c.pair(l, last, i)
			}
			l.worsen(state, why)
			if state == Moving || state == Reused {
				l.moves[i] = why
			}
		}
		last, freed = i, false
	}
	l.sum(c, first, last)
	switch {
	case freed && l.State != Reused:
		l.State, l.Why = Freed, "it was owned and is free"
		if l.Seen[len(l.Seen)-1] == nil {
			l.Why = "it was owned, and the list of all held locks lacks it"
		}
	case l.State == "" && began:
		l.State, l.Why = New, "it was free before"
	case l.State == "":
		l.State, l.Why = Unclear, "only one capture shows it, and no other has a whole list of the held locks"
	case l.Seen[len(l.Seen)-1] == nil && l.State != Moving && l.State != Reused:
		l.State, l.Why = Unclear, "the last capture does not show it; before that: "+l.Why
	}
}

// worsen keeps the state that says most of what happened.
func (l *Lock) worsen(s State, why string) {
	order := []State{"", Stuck, Growing, Held, Unclear, Moving, Reused}
	if slices.Index(order, s) > slices.Index(order, l.State) {
		l.State, l.Why = s, why
	}
}

// sum compares the first with the last capture that shows the lock.
func (l *Lock) sum(c *comparison, first, last int) {
	if first < 0 || first == last || l.State == Reused {
		return
	}
	a, b := l.Seen[first], l.Seen[last]
	l.Same, l.New, l.Gone = waiters(a, b)
	l.SpanMS = spanOf(c.Captures[first], c.Captures[last])
	m, known1 := contended(a)
	n, known2 := contended(b)
	if known1 && known2 && n >= m {
		l.Rise = int64(n - m)
	}
}

// contended returns the contention count, and whether it is known: !locks
// leaves the line out where it is zero.
func contended(r *snapshot.Resource) (int, bool) {
	if r.Contention.Known() {
		return r.Contention.N, true
	}
	return 0, !r.Contention.Unread && r.Extension == "" && r.Mode != locks.ModeUnknown && r.Believed() && r.Swallowed&locks.ContentionLine == 0
}

// waiters returns the listed waiters that are in both blocks, in the later one
// only, and in the earlier one only.
func waiters(a, b *snapshot.Resource) (same, added, gone []kd.Addr) {
	later := make(map[kd.Addr]bool)
	each(b, func(w kd.Addr) { later[w] = true })
	before := make(map[kd.Addr]bool)
	each(a, func(w kd.Addr) {
		if !later[w] && !before[w] {
			gone = append(gone, w)
		}
		before[w] = true
	})
	each(b, func(w kd.Addr) {
		switch {
		case !later[w]: // listed twice
			return
		case before[w]:
			same = append(same, w)
		default:
			added = append(added, w)
		}
		later[w] = false
	})
	return same, added, gone
}

func each(r *snapshot.Resource, f func(kd.Addr)) {
	for _, list := range [][]locks.Waiter{r.SharedWaiters, r.ExclusiveWaiters} {
		for _, w := range list {
			if !w.Marker() {
				f(w.Thread)
			}
		}
	}
}

// pair compares a lock in two captures that both show it owned.
func (c *comparison) pair(l *Lock, i, j int) (State, string) {
	a, b, from, to := l.Seen[i], l.Seen[j], c.Captures[i], c.Captures[j]
	if !a.Believed() || !b.Believed() {
		return Unclear, "a block of it cannot be trusted"
	}
	if a.Extension != b.Extension {
		return Unclear, "its blocks are of different commands"
	}
	m, known1 := contended(a)
	n, known2 := contended(b)
	counted := known1 && known2
	if counted && n < m {
		return Reused, fmt.Sprintf("its contention count fell from %d to %d", m, n)
	}
	kept, came, left := c.owners(a, b, from, to)
	_, added, gone := waiters(a, b)
	switch {
	case len(a.Owners) == 0 || len(b.Owners) == 0:
		return Unclear, "its owners were not listed"
	case a.Extension != "" && came+left+len(added)+len(gone) > 0:
		return Unclear, "only " + a.Extension + " prints it, which has named wrong owners and waiters"
	case kept == 0 && !toldApart(a, b):
		return Unclear, "its marks contradict its counts: who owns it and who waits is not sure"
	}
	if kept == 0 {
		return Moving, "it has another owner"
	}
	if came > 0 || left > 0 {
		return Held, fmt.Sprintf("%s in both%s%s", kd.Plural(kept, "owner"), some(came, " came"), some(left, " left"))
	}
	return c.sameOwner(l, i, j, n-m, counted)
}

// toldApart reports whether owners and waiters are told apart for sure, or the
// owners of a are not named by b at all.
func toldApart(a, b *snapshot.Resource) bool {
	if a.Reading == locks.Sound && b.Reading == locks.Sound {
		return true
	}
	for i := range a.Resolved {
		if o := &a.Resolved[i]; names(b, o.Raw) || o.Thread != 0 && names(b, o.Thread) {
			return false
		}
	}
	return true
}

func some(n int, what string) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(", %d%s", n, what)
}

// owners counts the owner entries that are in both, came, and left. One whose
// address another thread has meanwhile is another.
func (c *comparison) owners(a, b *snapshot.Resource, from, to *Capture) (kept, came, left int) {
	before := make(map[kd.Addr]int, len(a.Resolved))
	for i := range a.Resolved {
		before[a.Resolved[i].Raw] = i
	}
	for i := range b.Resolved {
		o := &b.Resolved[i]
		k, ok := before[o.Raw]
		if ok {
			delete(before, o.Raw)
		}
		if ok && !replaced(cmp.Or(o.Thread, a.Resolved[k].Thread), from, to) {
			kept++
		} else {
			came++
		}
	}
	return kept, came, len(a.Resolved) - kept
}

func replaced(thread kd.Addr, from, to *Capture) bool {
	m, _ := motion(from.threads[thread], to.threads[thread], true, spanOf(from, to))
	return m == Replaced
}

// sameOwner tells a lock that was not passed on from one that came back to its
// owner. Who was queued gets the lock when it is released, and has to wait once
// more to be queued again, which its contention count shows, or the thread's own
// context switches.
func (c *comparison) sameOwner(l *Lock, i, j, rose int, counted bool) (State, string) {
	a, b := l.Seen[i], l.Seen[j]
	sameOnes, addedOnes, goneOnes := waiters(a, b)
	same, added, gone := len(sameOnes), len(addedOnes), len(goneOnes)
	shared, exclusive := b.Unlisted()
	was1, was2 := a.Unlisted()
	unlisted := shared+exclusive+was1+was2 > 0
	still, moved := c.queued(a, b, c.Captures[i], c.Captures[j])
	requeued := counted && rose > added && !unlisted
	switch {
	case same+added+gone == 0 && unlisted:
		return Unclear, "its waiters were not listed"
	case same+gone == 0 && !unlisted:
		return Held, "same owner, and nobody waited"
	case gone > 0 && unlisted:
		return Unclear, "same owner, but not all waiters were listed"
	case gone > 0:
		return Moving, fmt.Sprintf("same owner again: %s got it in between", kd.Plural(gone, "waiter"))
	case moved > 0 && (requeued || !counted && still == 0):
		return Moving, fmt.Sprintf("same owner again: %s ran in between", kd.Plural(moved, "waiter"))
	case still == 0 && requeued:
		return Moving, fmt.Sprintf("same owner again: %s more than new waiters", kd.Plural(rose-added, "contention"))
	case !counted && still == 0 || !counted && moved > 0:
		return Held, "same owner, and nothing tells whether it let go in between"
	case added > 0 || b.Waiting() > a.Waiting():
		return Growing, fmt.Sprintf("same owner, the same waiters and %d more", max(added, b.Waiting()-a.Waiting()))
	}
	if counted && rose == 0 {
		return Stuck, "same owner, same waiters, same contention count"
	}
	return Stuck, "same owner, same waiters"
}

// queued counts the threads that wait in both and have not run, but for waits
// that are begun anew, and those that have.
func (c *comparison) queued(a, b *snapshot.Resource, from, to *Capture) (still, moved int) {
	before := make(map[kd.Addr]bool)
	each(a, func(w kd.Addr) { before[w] = true })
	span := spanOf(from, to)
	each(b, func(w kd.Addr) {
		if !before[w] {
			return
		}
		switch m, _ := motion(from.threads[w], to.threads[w], true, span); m {
		case Still, Rearmed:
			still++
		case Moved, Replaced:
			moved++
		}
	})
	return still, moved
}
