package compare

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"kdlocks/heuristics"
	"kdlocks/kd"
	"kdlocks/snapshot"
	"kdlocks/waitgraph"
)

// Fate says what became of a finding from capture to capture.
type Fate string

// The fates of a finding.
const (
	// Frozen: it stands in two moments and in the last.
	Frozen Fate = "frozen"
	// Formed: it stands in the last capture, and the one before refutes it.
	Formed Fate = "formed"
	// OnlyLast: it stands in the last capture, and no other shows what it
	// rests on.
	OnlyLast Fate = "only in the last"
	// Contradicted: it stands in two moments and in the last, but a lock of it
	// changed hands in between.
	Contradicted Fate = "contradicted"
	// Unconfirmed: it stood, and the last capture does not show what it rests
	// on; or it is of a machine that ran while it was printed, and a lock changed
	// hands.
	Unconfirmed Fate = "not confirmed"
	// Dissolved: it stood, and a later capture refutes it.
	Dissolved Fate = "dissolved"
)

// Hang is a deadlock, suspected deadlock or orphaned lock of any of the
// captures, followed through all.
type Hang struct {
	Fate Fate
	// Finding is the strongest of those that say the same, the latest of equals;
	// From is its capture.
	Finding *heuristics.Finding
	From    *Capture
	// Kind and Confidence are the judgement over all captures.
	Kind       heuristics.Kind
	Severity   heuristics.Severity
	Confidence heuristics.Confidence
	// Answers are those of all captures, in their order; Blocked the threads
	// behind it, -1 where it was not found.
	Answers []Answer
	Blocked []int
	// Summary is that of Finding, as it reads with the confidence of a hang that
	// stands.
	Summary string
	Why     string
	Next    []string
	Places  []Place

	atEnd *heuristics.Finding // of the last capture, nil if it has none
}

// Answer is what one capture says of a Hang.
type Answer struct {
	Stands Stands
	Why    string
	// Found is set when its own detectors found it.
	Found bool
}

// Stand reports whether the hang is there at the end.
func (h *Hang) Stand() bool {
	return slices.Contains([]Fate{Frozen, Formed, OnlyLast, Contradicted}, h.Fate)
}

// mostHangs bounds the findings that are followed.
const mostHangs = 500

// findHangs follows the findings of all captures, those of the last one first.
func (c *comparison) findHangs() {
	seen := make(map[string]*Hang)
	for i := len(c.Captures) - 1; i >= 0; i-- {
		from := c.Captures[i]
		for j := range from.Findings {
			f := &from.Findings[j]
			if f.Kind != heuristics.Deadlock && f.Kind != heuristics.OrphanedLock && f.Kind != heuristics.SuspectedDeadlock {
				continue
			}
			k := hangKey(f)
			if h := seen[k]; h != nil {
				h.Blocked[i] = f.Blocked
				h.Answers[i].Found = true
				if stronger(f, h.Finding) {
					h.Finding, h.From = f, from
				}
				continue
			}
			if len(c.Hangs) == mostHangs {
				c.note("more than %d deadlocks and orphaned locks: the rest is not followed", mostHangs)
				return
			}
			h := &Hang{Finding: f, From: from, Answers: make([]Answer, len(c.Captures)), Blocked: make([]int, len(c.Captures))}
			for n := range h.Blocked {
				h.Blocked[n] = -1
			}
			h.Blocked[i], h.Answers[i].Found = f.Blocked, true
			if i == len(c.Captures)-1 {
				h.atEnd = f
			}
			seen[k] = h
			c.Hangs = append(c.Hangs, h)
		}
	}
	for _, h := range c.Hangs {
		c.follow(h)
	}
	kd.SortStable(c.Hangs, func(a, b *Hang) int {
		return cmp.Or(cmp.Compare(weight(a), weight(b)), cmp.Compare(slices.Max(b.Blocked), slices.Max(a.Blocked)))
	})
}

// kinds are those of hangs, the weightiest first.
var kinds = []heuristics.Kind{heuristics.Deadlock, heuristics.OrphanedLock, heuristics.SuspectedDeadlock}

// stronger reports whether a finding has better evidence than one that says the
// same.
func stronger(f, than *heuristics.Finding) bool {
	return cmp.Or(cmp.Compare(slices.Index(kinds, f.Kind), slices.Index(kinds, than.Kind)), cmp.Compare(f.Grade, than.Grade)) < 0
}

// weight orders hangs: what stands at the end, deadlocks first, then what is
// open, then what dissolved.
func weight(h *Hang) int {
	fates := []Fate{Frozen, Formed, OnlyLast, Contradicted, Unconfirmed, Dissolved}
	w := slices.Index(fates, h.Fate)
	if h.Stand() {
		return slices.Index(kinds, h.Finding.Kind)*len(fates) + w
	}
	return len(kinds)*len(fates)*(1+w) + slices.Index(kinds, h.Finding.Kind)
}

// hangKey is the same for findings that say the same.
func hangKey(f *heuristics.Finding) string {
	var keys []string
	for _, s := range hops(f) {
		keys = append(keys, fmt.Sprintf("%x/%x/%x", uint64(s.Thread), uint64(s.WaitsFor), uint64(s.HeldBy)))
	}
	slices.Sort(keys)
	return f.Check.ID + " " + strings.Join(keys, " ")
}

// hops are what a finding rests on: its cycle, or that a thread owns a lock.
func hops(f *heuristics.Finding) []heuristics.Step {
	if len(f.Cycle) > 0 {
		return f.Cycle
	}
	if len(f.Threads) > 0 && len(f.Resources) > 0 {
		return []heuristics.Step{{WaitsFor: f.Resources[0], What: waitgraph.ERESOURCE, HeldBy: f.Threads[0]}}
	}
	return nil
}

// follow asks every capture for what a finding rests on. What the last one finds
// by itself stands there, whatever it says of an earlier one.
func (c *comparison) follow(h *Hang) {
	seen := c.askAll(h)
	if last := len(c.Captures) - 1; h.atEnd != nil && h.Answers[last].Stands == No {
		h.Finding, h.From, h.Places, h.Next = h.atEnd, c.Captures[last], nil, nil
		seen = c.askAll(h)
	}
	h.Fate = fate(h.Answers)
	h.Kind, h.Severity, h.Confidence = h.Finding.Kind, h.Finding.Severity, h.Finding.Confidence
	c.judge(h, seen)
	if h.Summary = h.Finding.Summary; h.Stand() {
		h.Summary = h.Finding.Worded(h.Confidence)
	}
}

// doubts are what takes certainty from a hang that was seen twice.
type doubts struct {
	ran      bool // a thread ran more often than its wait explains
	weak     bool // one capture has only threads that did not move
	rearming bool // a thread was caught between two waits
	opposed  bool // lists refute it, threads prove it
	fell     bool // a context switch count contradicts the rest
}

func (c *comparison) askAll(h *Hang) doubts {
	var d doubts
	steps := hops(h.Finding)
	for i, in := range c.Captures {
		a := &h.Answers[i]
		if in == h.From {
			a.Stands, a.Why = Yes, ""
			c.show(h, in, steps)
			continue
		}
		var l look
		l, d.weak = c.ask(h, steps, in, d.weak)
		if a.Found && l.stands == NotShown {
			l.stands, l.why, l.next = Yes, "by itself it gives the same", ""
		}
		a.Stands, a.Why = l.stands, l.why
		d.ran, d.rearming = d.ran || l.ran && l.stands == Yes, d.rearming || l.rearming && l.stands == Yes
		d.opposed, d.fell = d.opposed || l.contradicts && l.stands == NotShown, d.fell || l.fell && l.stands == Yes
		h.Places = append(h.Places, l.places...)
		if l.next != "" {
			h.Next = append(h.Next, l.next)
		}
	}
	return d
}

// ask looks for all hops in a capture. The first that is refuted decides, then
// the first that is not shown.
func (c *comparison) ask(h *Hang, steps []heuristics.Step, in *Capture, weak bool) (look, bool) {
	all := look{stands: Yes, why: "same owners, same waiters"}
	byThreads := false
	if len(steps) == 0 {
		all = look{}.notShown("", "the finding names no wait")
	}
	for _, s := range steps {
		l := stands(s, h.From, in)
		if h.Finding.Kind == heuristics.OrphanedLock && l.stands != No {
			l = l.alive(s, h.From, in)
		}
		all.ran, all.rearming, byThreads = all.ran || l.ran, all.rearming || l.rearming, byThreads || l.byThreads
		all.contradicts, all.fell = all.contradicts || l.contradicts, all.fell || l.fell
		if l.stands == No || l.stands == NotShown && all.stands == Yes {
			all.stands, all.why, all.next = l.stands, l.why, l.next
		}
		if len(all.places) < mostPlaces {
			all.places = append(all.places, l.places...)
		}
		if l.stands == No {
			all.places = l.places
			break
		}
	}
	switch {
	case all.stands != Yes:
		return all, weak
	case byThreads:
		all.why = "the lists do not show it, but its threads have not left their waits"
		return all, true
	case len(h.Finding.Cycle) > 0 && slices.ContainsFunc(h.Finding.Threads, func(a kd.Addr) bool { return !in.fatal[a] }):
		return look{places: all.places}.notShown("!locks", "its lists show the same, but by themselves give no deadlock there"), weak
	}
	return all, weak
}

// mostPlaces bounds the places that one capture adds to one finding.
const mostPlaces = 200

// show adds the finding's own evidence.
func (c *comparison) show(h *Hang, from *Capture, steps []heuristics.Step) {
	for i, e := range h.Finding.Evidence {
		if i == mostPlaces {
			break
		}
		h.Places = append(h.Places, Place{from, e.At, e.Addr, e.Why})
	}
}

// fate reads the answers of the captures in their order.
func fate(answers []Answer) Fate {
	yes, lastNo, firstYes := 0, -1, -1
	for i, a := range answers {
		switch a.Stands {
		case Yes:
			yes++
			if firstYes < 0 {
				firstYes = i
			}
		case No:
			lastNo = i
		}
	}
	last := answers[len(answers)-1].Stands
	switch {
	case last == Yes && lastNo > firstYes: // it came, went, and is there again
		return Formed
	case last == Yes && yes > 1:
		return Frozen
	case last == Yes && lastNo >= 0:
		return Formed
	case last == Yes:
		return OnlyLast
	case lastNo > firstYes:
		return Dissolved
	}
	return Unconfirmed
}

// judge gives a hang its kind and confidence over all captures.
func (c *comparison) judge(h *Hang, d doubts) {
	switch h.Fate {
	case Frozen:
		h.Why = fmt.Sprintf("The same threads wait for the same locks, which have the same owners, in %d of %d captures%s, the last among them.", h.count(Yes), len(c.Captures), c.apart())
		if c.contradicts(h, d) {
			break
		}
		proven := h.Finding.Grade <= waitgraph.B && h.Kind != heuristics.SuspectedDeadlock && !h.weakOwner()
		switch {
		case d.ran:
			h.Why += " But a thread of it has run meanwhile more often than its wait explains: see the contention counts and print it once more."
			h.Confidence = weaker(h.Confidence)
		case d.fell:
			h.Why += " But the context switch count of a thread of it fell in between, though its CID is the same: a count is wrong, or another thread has its address and its number."
			h.Confidence = weaker(h.Confidence)
		case d.rearming:
			h.Why += " A thread of it was caught as it began its wait anew."
			h.Confidence = weaker(h.Confidence)
		case d.opposed:
			h.Why += " But one capture contradicts the others: its lists refute it, its threads have not left their waits."
			h.Confidence = weaker(h.Confidence)
		case d.weak:
			h.Why += " One capture lacks the lists; there its threads have not left their waits."
		case proven:
			h.Confidence = heuristics.Certain
		case h.weakOwner():
			h.Why += " Who owns the lock is no surer than in one capture: it follows from bounds of a stack that were not printed."
		}
	case Formed:
		h.Why = "The capture before does not show it: " + h.lastWhy(No) + ". It formed in between."
	case OnlyLast:
		h.Why = "Only the last capture shows it: of the others, " + h.lastWhy(NotShown) + "."
		if d.opposed {
			h.Confidence = weaker(h.Confidence)
		}
	case Unconfirmed:
		h.Why = "The last capture does not tell whether it still stands: " + h.lastWhy(NotShown) + "."
		h.Confidence = weaker(h.Confidence)
	case Dissolved:
		h.Why = "A later capture refutes it: " + h.lastWhy(No) + ". What looked so was a moment of a system that moves."
		if h.Kind == heuristics.OrphanedLock {
			h.Why = "A later capture refutes it: " + h.lastWhy(No) + "."
		}
		h.Kind, h.Severity, h.Confidence = heuristics.NoDeadlock, heuristics.Info, heuristics.VeryLikely
	}
	if !h.Stand() && h.Fate != Unconfirmed {
		h.Next = nil
	}
	slices.Sort(h.Next)
	h.Next = slices.Compact(h.Next)
}

// contradicts gives a hang that looks frozen another fate where a lock of it
// changed hands in between: then it did not stand all the time. What a machine
// shows that runs while it is printed may be a moment only, each time.
func (c *comparison) contradicts(h *Hang, d doubts) bool {
	why, still := c.changedHands(h)
	live := c.Captures[len(c.Captures)-1].Snap.Target.LiveAt.Known()
	switch {
	case why == "" && (still || !d.ran || !live):
		return false
	case why == "":
		why = "a thread of it has run meanwhile more often than its wait explains"
	}
	h.Fate, h.Confidence = Contradicted, weaker(h.Confidence)
	h.Next = append(h.Next, "!locks")
	h.Why += " But that contradicts what happened in between: " + why + "."
	if live {
		h.Fate = Unconfirmed
		h.Confidence = heuristics.Possible
		h.Why += " The machine ran while it was printed: it may have looked so for a moment, each time."
		return true
	}
	h.Why += " It has formed anew since, or what was printed is wrong: print it once more."
	return true
}

// changedHands says by what a lock of a hang is seen to have changed hands
// between the captures that show it, "" if none is; still when each is seen not
// to have.
func (c *comparison) changedHands(h *Hang) (why string, still bool) {
	first := slices.IndexFunc(h.Answers, func(a Answer) bool { return a.Stands == Yes })
	still = true
	for _, s := range hops(h.Finding) {
		l := c.byAddr[s.WaitsFor]
		if s.What != waitgraph.ERESOURCE || l == nil {
			still = false
			continue
		}
		still = still && (l.State == Stuck || l.State == Growing)
		shown := false
		for i := first; i < len(l.moves); i++ {
			if shown && l.moves[i] != "" {
				return fmt.Sprintf("lock %s moves (%s)", c.Captures[i].addr(l.Addr), l.moves[i]), false
			}
			shown = shown || l.Seen[i] != nil
		}
	}
	return "", still
}

func weaker(c heuristics.Confidence) heuristics.Confidence {
	if c == heuristics.Certain {
		return heuristics.VeryLikely
	}
	return c
}

// lastWhy is the reason of the last capture with an answer.
func (h *Hang) lastWhy(s Stands) string {
	for i := len(h.Answers) - 1; i >= 0; i-- {
		if h.Answers[i].Stands == s {
			return h.Answers[i].Why
		}
	}
	return ""
}

// weakOwner reports whether an owner of the cycle was found through bounds of a
// stack that were not printed: seen twice, that is no surer.
func (h *Hang) weakOwner() bool {
	for _, s := range hops(h.Finding) {
		r := h.From.Snap.Resource(s.WaitsFor)
		if r == nil {
			continue
		}
		if slices.ContainsFunc(r.Resolved, func(o snapshot.Owner) bool { return o.Thread == s.HeldBy && o.Weak() }) {
			return true
		}
	}
	return false
}
