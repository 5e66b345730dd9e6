package compare

import (
	"fmt"
	"slices"
	"strings"

	"kdlocks/heuristics"
	"kdlocks/kd"
	"kdlocks/snapshot"
	"kdlocks/threads"
)

// nothing is the verdict where no two captures could be compared.
func (c *comparison) nothing() {
	why := "only one capture was given"
	if len(c.Refused) > 0 {
		r := c.Refused[0]
		why = fmt.Sprintf("%s cannot be compared with %s: %s", r.Capture.Name, r.With.Name, r.Why)
	}
	c.Undecided = true
	c.Next = []string{"vertarget", "!locks", "!process 0 1f"}
	c.Verdict = heuristics.Verdict{Kind: heuristics.Undecided, Confidence: heuristics.Certain, Summary: "Nothing was compared: " + why + "."}
}

// conclude gives the verdict in its order: what stands at the end, what cannot
// be told, roots that hang, contention that moves.
func (c *comparison) conclude() {
	last := c.Captures[len(c.Captures)-1]
	for _, h := range c.Hangs {
		c.Next = append(c.Next, h.Next...)
	}
	for _, r := range c.Roots {
		c.Next = append(c.Next, r.Next...)
	}
	defer c.tidyNext()
	if len(c.Hangs) > 0 && c.Hangs[0].Stand() {
		c.standing(c.Hangs[0])
		return
	}
	open := slices.IndexFunc(c.Hangs, func(h *Hang) bool { return h.Fate == Unconfirmed })
	switch {
	case open >= 0:
		h := c.Hangs[open]
		c.undecided(fmt.Sprintf("Not confirmed: %s says: %s %s", h.From.Name, sentence(h.Finding.Summary), h.Why))
	case !last.Snap.HasLocks && len(last.Snap.Resources) == 0:
		c.Next = append(c.Next, "!locks")
		c.undecided(fmt.Sprintf("Undecided: the last capture, %s, holds no output of !locks, so that nothing tells what is still owned.", last.Name))
	case c.hungRoot():
	case c.openLocks(last):
	default:
		c.moves()
	}
	if d := c.dissolved(); d != "" {
		c.Verdict.Summary += " " + d
	}
}

func (c *comparison) tidyNext() {
	const most = 12
	seen := make(map[string]bool)
	c.Next = slices.DeleteFunc(c.Next, func(s string) bool {
		dup := seen[s]
		seen[s] = true
		return dup
	})
	c.Next = c.Next[:min(len(c.Next), most)]
}

func (c *comparison) undecided(text string) {
	c.Undecided = true
	c.Verdict = heuristics.Verdict{Kind: heuristics.Undecided, Confidence: heuristics.Certain, Summary: text}
}

// standing is the verdict where a hang is there at the end.
func (c *comparison) standing(h *Hang) {
	c.Verdict.Kind, c.Verdict.Confidence = h.Kind, h.Confidence
	text := ""
	switch h.Fate {
	case Frozen:
		text = fmt.Sprintf("Frozen in %d captures%s: ", h.count(Yes), c.apart())
	case Formed:
		text = "Formed between the captures: "
	case Contradicted:
		text = fmt.Sprintf("Shown by %d captures%s, but its locks moved in between: ", h.count(Yes), c.apart())
	case OnlyLast:
		text = "Shown by the last capture only: "
	}
	text += sentence(h.Summary)
	if first, last := h.blocked(); first >= 0 && last != first {
		text += fmt.Sprintf(" The threads behind it went from %d to %d.", first, last)
	}
	more := 0
	for _, o := range c.Hangs[1:] {
		if o.Stand() && o.Kind == h.Kind {
			more++
		}
	}
	if more > 0 {
		text += fmt.Sprintf(" (%s of this kind: see the findings.)", kd.Plural(more, "more finding"))
	}
	// What the last capture leaves open by itself may be about locks that move.
	last := c.Captures[len(c.Captures)-1]
	c.Undecided = last.Undecided && (unread(last.Snap) || c.ownerless(last) != nil) || slices.ContainsFunc(c.Hangs, func(h *Hang) bool { return h.Fate == Unconfirmed })
	c.Verdict.Summary = text
}

func (h *Hang) count(s Stands) int {
	n := 0
	for _, a := range h.Answers {
		if a.Stands == s {
			n++
		}
	}
	return n
}

// blocked returns how many threads the first capture that found the hang and
// the last one count behind it; -1 if only one did.
func (h *Hang) blocked() (first, last int) {
	first = slices.IndexFunc(h.Blocked, func(n int) bool { return n >= 0 })
	last = len(h.Blocked) - 1
	if first < 0 || first == last || h.Blocked[last] < 0 {
		return -1, -1
	}
	return h.Blocked[first], h.Blocked[last]
}

// sentence ends a text with a full stop.
func sentence(s string) string {
	if strings.HasSuffix(s, ".") || strings.HasSuffix(s, ")") {
		return s
	}
	return s + "."
}

// hungRoot is the verdict where a root has not moved.
func (c *comparison) hungRoot() bool {
	if len(c.Roots) == 0 || c.Roots[0].State != Hung && c.Roots[0].State != Holding {
		return false
	}
	r := c.Roots[0]
	who, n := r.From.Who(r.Thread), r.Blocked[len(r.Blocked)-1]
	c.Verdict.Kind, c.Verdict.Confidence = heuristics.BlockedChain, c.ageConfidence(r)
	if r.State == Holding {
		if c.Verdict.Confidence == heuristics.VeryLikely {
			c.Verdict.Confidence = heuristics.Likely
		}
		c.Verdict.Summary = fmt.Sprintf("No deadlock, but a root that does not let go: %s, behind which %s, runs and holds on to what they wait for%s.", who, waits(n), c.apart())
	} else {
		c.Verdict.Summary = fmt.Sprintf("No deadlock, but a hung root: %s, behind which %s, has not run%s.", who, waits(n), c.apart())
	}
	c.Verdict.Summary += " " + sentence(r.Finding.Summary)
	last := c.Captures[len(c.Captures)-1]
	if l := c.ownerless(last); last.Undecided && l != nil {
		c.Undecided = true
		c.Next = append(c.Next, c.askOwners(l, last)...)
		c.Verdict.Summary += fmt.Sprintf(" Not decided: nothing shows what the owner of lock %s does.", last.addr(l.Addr))
	}
	return true
}

// ownerless returns a lock with waiters that has not been seen to move and that
// somebody owns whom the last capture does not show or not surely name, nil if
// there is none.
func (c *comparison) ownerless(last *Capture) *Lock {
	for _, l := range c.Locks {
		r := l.Seen[len(l.Seen)-1]
		if r == nil || r.Waiting() == 0 || l.State == Moving {
			continue
		}
		hidden := func(o snapshot.Owner) bool {
			return o.Thread == 0 || o.Live == threads.No || last.threads[o.Thread] == nil && last.waits[o.Thread].lock == 0
		}
		if slices.ContainsFunc(r.Resolved, hidden) {
			return l
		}
	}
	return nil
}

// ageConfidence says how sure a root that has not run is one that hangs: by how
// long that is, from capture to capture or by its own wait. A worker that waits
// for work may not be the one to release what it owns.
func (c *comparison) ageConfidence(r *Root) heuristics.Confidence {
	age := c.SpanMS
	if t := c.Captures[len(c.Captures)-1].threads[r.Thread]; t != nil {
		age = max(age, t.waitMS)
	}
	switch {
	case age >= 0 && age < 10_000:
		return heuristics.Possible
	case age < minuteMS, r.Finding.Check.ID == idleWorkerID:
		return heuristics.Likely
	}
	return heuristics.VeryLikely
}

func waits(n int) string {
	if n == 1 {
		return "1 thread waits"
	}
	return fmt.Sprintf("%d threads wait", n)
}

// openLocks is the verdict where a lock with waiters has not moved, or may not
// have, and the one who holds it is not known.
func (c *comparison) openLocks(last *Capture) bool {
	var stuck *Lock
	for _, l := range c.Locks {
		if l.Waiting[len(l.Waiting)-1] == 0 || ownersQueue(l, last) {
			continue
		}
		switch l.State {
		case Stuck, Growing:
			c.Next = append(c.Next, c.askOwners(l, last)...)
			if stuck == nil {
				stuck = l
			}
		case Held, New, Unclear:
			if last.Undecided && stuck == nil {
				stuck = l
			}
		}
	}
	if stuck == nil {
		return false
	}
	switch lock := last.addr(stuck.Addr); stuck.State {
	case Stuck, Growing:
		c.undecided(fmt.Sprintf("Undecided: lock %s does not move (%s), and what holds it up cannot be told from the captures.", lock, stuck.Why))
	default:
		c.undecided(fmt.Sprintf("Undecided: whether lock %s moves cannot be told (%s). %s", lock, stuck.Why, last.Verdict.Summary))
		c.Next = append(c.Next, c.askOwners(stuck, last)...)
	}
	return true
}

// ownersQueue reports whether every owner of a lock waits for another: what
// holds it up is there.
func ownersQueue(l *Lock, last *Capture) bool {
	r := l.Seen[len(l.Seen)-1]
	if r == nil || len(r.Resolved) == 0 {
		return false
	}
	return !slices.ContainsFunc(r.Resolved, func(o snapshot.Owner) bool { return o.Thread == 0 || last.waits[o.Thread].lock == 0 })
}

// askOwners are the commands that show who holds a lock.
func (c *comparison) askOwners(l *Lock, last *Capture) []string {
	const most = 4
	var out []string
	r := l.Seen[len(l.Seen)-1]
	if r == nil {
		return []string{"!locks " + last.addr(l.Addr)}
	}
	for i := range r.Resolved {
		if i == most {
			break
		}
		out = append(out, "!thread "+last.addr(r.Resolved[i].Raw))
	}
	return out
}

// moves is the verdict where nothing stands still.
func (c *comparison) moves() {
	var hot *Lock
	moving, passed, freed := 0, 0, 0
	for _, l := range c.Locks {
		switch {
		case !l.Waited:
		case l.State == Moving && l.Waiting[len(l.Waiting)-1] == 0:
			passed++
		case l.State == Moving:
			moving++
			if hot == nil || l.Rise > hot.Rise {
				hot = l
			}
		case l.State == Freed:
			freed++
		}
	}
	last := c.Captures[len(c.Captures)-1]
	switch {
	case last.Undecided && unread(last.Snap):
		c.undecided("Undecided as the last capture is: " + last.Verdict.Summary)
	case hot != nil:
		name := "ERESOURCE " + last.addr(hot.Addr)
		if hot.Symbol != "" {
			name += " (" + hot.Symbol + ")"
		}
		text := fmt.Sprintf("No deadlock: contention that moves. %s changes hands", name)
		if n, ok := hot.PerSecond(); hot.Rise > 0 && ok {
			text += fmt.Sprintf(" (%s more, %.1f a second)", kd.Plural(int(hot.Rise), "contention"), n)
		} else if hot.Rise > 0 {
			text += fmt.Sprintf(" (%s more)", kd.Plural(int(hot.Rise), "contention"))
		} else {
			text += " (" + hot.Why + ")"
		}
		if moving > 1 {
			text += fmt.Sprintf(", and %d more with waiters do", moving-1)
		}
		c.Verdict = heuristics.Verdict{Kind: heuristics.Contention, Confidence: heuristics.VeryLikely, Summary: text + "."}
	case last.Undecided:
		c.undecided("Undecided as the last capture is: " + last.Verdict.Summary)
	default:
		text := fmt.Sprintf("No deadlock among the %s of the last capture", kd.Plural(len(last.Snap.Resources), "lock"))
		if passed > 0 {
			text += fmt.Sprintf("; %s changed hands and nobody waits any more", kd.Plural(passed, "lock"))
		}
		if freed > 0 {
			text += fmt.Sprintf("; %s with waiters freed since", kd.Plural(freed, "lock"))
		}
		c.Verdict = heuristics.Verdict{Kind: heuristics.NoDeadlock, Confidence: heuristics.Likely, Summary: text + "."}
	}
}

// unread reports whether locks are counted that were not read.
func unread(s *snapshot.Snapshot) bool {
	n, _ := s.HeldUnlisted()
	u := s.Unread()
	return n > 0 || u.Known() || s.Held.Unread
}

// dissolved tells of hangs that a later capture refutes.
func (c *comparison) dissolved() string {
	n, name := 0, ""
	for _, h := range c.Hangs {
		if h.Fate == Dissolved {
			n++
			name = h.From.Name
		}
	}
	switch n {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf("What %s by itself shows as a deadlock or orphaned lock has dissolved: it was a moment of a system that moves.", name)
	}
	return fmt.Sprintf("%d findings of deadlocks or orphaned locks have dissolved.", n)
}
