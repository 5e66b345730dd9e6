package compare

import (
	"context"
	"fmt"
	"slices"

	"kdlocks/heuristics"
	"kdlocks/kd"
)

// Comparison is all that is said of some captures.
type Comparison struct {
	// Captures are those that were compared, in the order of time; Refused
	// those that were not. All that has an entry for each capture goes by their
	// order.
	Captures []*Capture
	Refused  []Refusal
	Order    By
	// Reordered is set when the captures were not given in that order.
	Reordered bool
	// SpanMS is the time from the first to the last, -1 if it is not known.
	SpanMS  int64
	Verdict heuristics.Verdict
	// Undecided is set when a fact is missing that the verdict hangs on.
	Undecided bool
	Hangs     []*Hang
	Roots     []*Root
	Locks     []*Lock
	Tally     Tally
	Notes     []string
	Next      []string
}

// Tally counts the threads of the first and the last capture by what became of
// them.
type Tally struct {
	Still, Rearmed, Moved, Replaced, NotKnown int
	// OnlyFirst and OnlyLast are printed in one of the two only.
	OnlyFirst, OnlyLast int
}

// Thread is one thread of the first capture, the last, or both.
type Thread struct {
	Addr   kd.Addr
	Motion Motion // "" if only one of the two shows it
	Why    string
	// First and Last are its facts, nil where it was not printed.
	First, Last *Facts
}

// Facts of a thread in one capture, -1 and "" where not printed.
type Facts struct {
	State, Reason, CID, Image  string
	Switches, WaitStart, Ticks int64
	WaitMS                     int64
	At                         kd.Ref
}

// comparison is a Comparison in the making.
type comparison struct {
	Comparison
	byAddr map[kd.Addr]*Lock
}

// mostCaptures bounds the captures that are compared: the first and the last
// half of them are.
const mostCaptures = 64

// Run compares captures. Those that are of another machine or boot than most,
// or of the same moment as one before, are refused; with fewer than two left
// nothing is compared and the verdict is undecided. The only error is ctx's.
func Run(ctx context.Context, captures []*Capture) (*Comparison, error) {
	c := &comparison{}
	c.SpanMS = -1
	if n := len(captures); n > mostCaptures {
		c.note("%d captures: the first and the last %d are compared", n, mostCaptures/2)
		captures = slices.Concat(captures[:mostCaptures/2], captures[n-mostCaptures/2:])
	}
	for _, k := range captures {
		k.load()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	if !c.choose(captures) {
		c.nothing()
		return &c.Comparison, nil
	}
	c.SpanMS = max(between(c.Captures[0], c.Captures[len(c.Captures)-1]), -1)
	for _, step := range []func(){c.findLocks, c.findHangs, c.findRoots, c.tally, c.conclude} {
		step()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	return &c.Comparison, nil
}

func (c *comparison) note(format string, args ...any) {
	c.Notes = append(c.Notes, fmt.Sprintf(format, args...))
}

// choose takes the largest group of captures that are of one boot, and reports
// whether there are two or more of different moments.
func (c *comparison) choose(captures []*Capture) bool {
	groups, reasons := boots(captures)
	if len(groups) == 0 {
		return false
	}
	largest := slices.MaxFunc(groups, func(a, b []*Capture) int { return len(a) - len(b) })
	for _, k := range captures {
		if !slices.Contains(largest, k) {
			c.Refused = append(c.Refused, c.refusal(k, largest, reasons))
		}
	}
	return c.putInOrder(largest)
}

// boots puts captures that may be of one boot together; reasons say why one is
// not of a group before its own.
func boots(captures []*Capture) (groups [][]*Capture, reasons map[*Capture]Refusal) {
	reasons = make(map[*Capture]Refusal)
next:
	for _, k := range captures {
		for i, g := range groups {
			if r := fits(k, g); r.Why != "" {
				reasons[k] = r
				continue
			}
			groups[i] = append(g, k)
			continue next
		}
		groups = append(groups, []*Capture{k})
	}
	return groups, reasons
}

// fits says why a capture is not of the boot of some others, with an empty Why
// if it may be. The objects of the last of them that shows any are enough to look
// at.
func fits(k *Capture, group []*Capture) Refusal {
	for _, have := range group {
		if why := otherHeader(have, k); why != "" {
			return Refusal{k, have, why}
		}
	}
	last := group[len(group)-1]
	for _, have := range slices.Backward(group) {
		if !have.empty() {
			last = have
			break
		}
	}
	return Refusal{k, last, otherObjects(last, k)}
}

// refusal says why a capture is not of a group.
func (c *comparison) refusal(k *Capture, group []*Capture, reasons map[*Capture]Refusal) Refusal {
	if r, ok := reasons[k]; ok && slices.Contains(group, r.With) {
		return r
	}
	for _, have := range group {
		if why := otherBoot(have, k); why != "" {
			return Refusal{k, have, why}
		}
	}
	return Refusal{k, group[0], "a capture that it belongs to is of another boot"}
}

// putInOrder refuses captures of one boot that are of the moment of another, and
// sorts the rest.
func (c *comparison) putInOrder(group []*Capture) bool {
	for _, k := range group {
		twin := slices.IndexFunc(c.Captures, func(have *Capture) bool { return sameMoment(have, k) != "" })
		if twin >= 0 {
			with := c.Captures[twin]
			c.Refused = append(c.Refused, Refusal{k, with, sameMoment(with, k)})
			continue
		}
		c.Captures = append(c.Captures, k)
	}
	given := slices.Clone(c.Captures)
	c.Order = inTime(c.Captures)
	c.Reordered = !slices.Equal(given, c.Captures)
	for i, k := range c.Captures {
		k.index = i
	}
	if len(c.Captures) < 2 {
		return false
	}
	if c.Reordered {
		c.note("the captures were not given in the order of time: by %s, %s comes first", c.Order, c.Captures[0].Name)
	}
	if c.Order == AsGiven {
		c.note("nothing printed tells which capture is the earlier one: they are taken in the order given")
	}
	c.doubtTimes()
	return true
}

// doubtTimes notes what the captures leave open about time and boot.
func (c *comparison) doubtTimes() {
	for i := 1; i < len(c.Captures); i++ {
		a, b := c.Captures[i-1], c.Captures[i]
		if a.UptimeMS >= 0 && a.UptimeMS == b.UptimeMS || a.UptimeMS < 0 && b.UptimeMS < 0 && a.TimeMS >= 0 && a.TimeMS == b.TimeMS {
			c.note("the headers of %s and %s tell the same time, but what they list differs: they are taken for two moments", a.Name, b.Name)
		}
		if off := clockStep(a, b); off > 0 {
			c.note("the clock of the machine was set between %s and %s: session time less uptime differs by %s; kernel base, uptime, ticks, CIDs and context switches tell one boot", a.Name, b.Name, Span(off))
		}
		for _, k := range []*Capture{a, b} {
			if k.empty() && (k == b || i == 1) {
				c.note("%s shows neither a lock nor a thread: that it is of this boot rests on its header", k.Name)
			}
		}
		s, t := &a.Snap.Target, &b.Snap.Target
		if a.Given != b.Given && (s.KernelBase == 0 || t.KernelBase == 0) && (a.UptimeMS < 0 || b.UptimeMS < 0) {
			c.note("no header tells that %s and %s are of one boot: that rests on the objects at the same addresses", a.Name, b.Name)
		}
	}
}

// apart says how much time lies between the first and the last capture.
func (c *comparison) apart() string {
	if c.SpanMS < 0 {
		return ""
	}
	return " within " + Span(c.SpanMS)
}

// tally counts the threads by their motion.
func (c *comparison) tally() {
	t := &c.Tally
	for th := range c.Threads() {
		switch th.Motion {
		case Still:
			t.Still++
		case Rearmed:
			t.Rearmed++
		case Moved:
			t.Moved++
		case Replaced:
			t.Replaced++
		case NotKnown:
			t.NotKnown++
		default:
			if th.Last == nil {
				t.OnlyFirst++
			} else {
				t.OnlyLast++
			}
		}
	}
}

// Threads walks the threads of the first capture and the last, in the order of
// the last, then those that only the first shows.
func (c *Comparison) Threads() func(func(Thread) bool) {
	return func(yield func(Thread) bool) {
		if len(c.Captures) == 0 {
			return
		}
		a, b := c.Captures[0], c.Captures[len(c.Captures)-1]
		span := spanOf(a, b)
		for _, addr := range b.order {
			th := Thread{Addr: addr, Last: b.threads[addr].facts()}
			if t := a.threads[addr]; t != nil {
				th.First = t.facts()
				th.Motion, th.Why = motionOf(addr, a, b, span)
			}
			if !yield(th) {
				return
			}
		}
		for _, addr := range a.order {
			if b.threads[addr] == nil && !yield(Thread{Addr: addr, First: a.threads[addr].facts()}) {
				return
			}
		}
	}
}

func motionOf(addr kd.Addr, a, b *Capture, spanMS int64) (Motion, string) {
	return motion(a.threads[addr], b.threads[addr], lockWait(addr, a, b), spanMS)
}

// lockWait reports whether a thread is seen to wait for an ERESOURCE: only such
// waits are begun anew. A thread that waits for anything else and has run was
// woken.
func lockWait(addr kd.Addr, a, b *Capture) bool {
	t, w := a.threads[addr], a.waits[addr].lock
	return w != 0 && w == b.waits[addr].lock || t != nil && (t.reason == "WrResource" || t.inWait)
}

// MotionOf says what a thread did from the first capture to the last.
func (c *Comparison) MotionOf(addr kd.Addr) (Motion, string) {
	a, b := c.Captures[0], c.Captures[len(c.Captures)-1]
	return motionOf(addr, a, b, spanOf(a, b))
}

func (t *thread) facts() *Facts {
	return &Facts{
		State: t.state.String(), Reason: t.reason, CID: t.cid.String(), Image: t.image,
		Switches: t.switches, WaitStart: t.waitStart, Ticks: t.ticks, WaitMS: t.waitMS, At: t.at,
	}
}

// Who names a thread of a capture: address, image and CID.
func (c *Capture) Who(a kd.Addr) string {
	s := "thread " + c.addr(a)
	t := c.threads[a]
	switch {
	case t == nil || t.image == "" && !t.cid.Known:
		return s
	case t.image == "" || !t.cid.Known:
		return s + " (" + t.image + t.cid.String() + ")"
	}
	return s + " (" + t.image + ", " + t.cid.String() + ")"
}
