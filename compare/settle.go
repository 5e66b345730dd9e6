package compare

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"kdlocks/heuristics"
	"kdlocks/kd"
	"kdlocks/snapshot"
	"kdlocks/threads"
)

// Settle takes back the deadlocks and orphaned locks of sessions of one input
// that a later moment of the same boot refutes. It refutes only where the input
// tells that it is the same machine, and that it is later: lists that differ may as
// well be of two dumps. The only error is ctx's.
func Settle(ctx context.Context, js []heuristics.Judgement) error {
	if len(js) < 2 {
		return nil
	}
	lookAhead(js)
	if !slices.ContainsFunc(js, accuses) {
		return nil
	}
	s := settler{js: js, number: make(map[*Capture]int), refuted: make(map[int][]heuristics.Refutation)}
	captures := s.relevant()
	people := named(captures)
	for _, k := range captures {
		k.loadNamed(people)
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	groups, _ := boots(captures)
	for _, g := range groups {
		s.boot(g)
	}
	s.noteStrangers(captures)
	for i, rs := range s.refuted {
		js[i].TakeBack(rs)
	}
	return ctx.Err()
}

// relevant returns the captures of deadlocks and of what may be of the same boot, as
// far as the headers tell: of all others no thread need be read.
func (s *settler) relevant() []*Capture {
	all := make([]*Capture, len(s.js))
	for i := range s.js {
		all[i] = &Capture{Judgement: s.js[i], Name: fmt.Sprintf("session %d", i+1)}
		s.number[all[i]] = i
	}
	if n := len(all); n > mostCaptures {
		s.js[0].Notes = append(s.js[0].Notes, kd.Note{Text: fmt.Sprintf("%d sessions: whether a later one refutes a deadlock is asked of the first and the last %d", n, mostCaptures/2)})
		all = slices.Concat(all[:mostCaptures/2], all[n-mostCaptures/2:])
	}
	for _, k := range all {
		k.loadClock()
	}
	var out []*Capture
	for _, k := range all {
		if slices.ContainsFunc(all, func(o *Capture) bool {
			return o != k && (accuses(k.Judgement) || accuses(o.Judgement)) && otherHeader(k, o) == ""
		}) {
			out = append(out, k)
		}
	}
	return out
}

// mostNamed bounds the threads of lists that are read to tell whether captures are
// of one boot.
const mostNamed = 1000

// named returns the threads of the findings of some captures, and of those that
// their lists name the first ones, in the order of their addresses: nothing is
// asked of any other.
func named(captures []*Capture) []kd.Addr {
	set := make(map[kd.Addr]bool)
	for _, k := range captures {
		for i := range k.Findings {
			if f := &k.Findings[i]; f.Accuses() {
				for _, s := range hops(f) {
					set[s.Thread], set[s.HeldBy] = true, true
				}
			}
		}
	}
	most := len(set) + mostNamed
	add := func(a kd.Addr) {
		if len(set) < most {
			set[a] = true
		}
	}
	for _, k := range captures {
		for _, r := range k.Snap.Resources {
			for i := range r.Resolved {
				add(r.Resolved[i].Thread)
			}
			each(r, add)
		}
	}
	delete(set, 0)
	return slices.Sorted(maps.Keys(set))
}

func accuses(j heuristics.Judgement) bool {
	return slices.ContainsFunc(j.Findings, func(f heuristics.Finding) bool { return f.Accuses() })
}

// settler is what Settle goes by.
type settler struct {
	js      []heuristics.Judgement
	number  map[*Capture]int // index into js
	refuted map[int][]heuristics.Refutation
}

// boot asks the captures of one boot for what the earlier ones found.
func (s *settler) boot(group []*Capture) {
	var c comparison
	if !c.putInOrder(group) {
		return
	}
	for _, r := range c.Refused { // of the same moment as one that was not
		r.Capture.index = r.With.index
	}
	for _, from := range group {
		for i := range from.Findings {
			if f := &from.Findings[i]; f.Accuses() {
				s.ask(&c, from, i)
			}
		}
	}
}

// ask looks for the first later moment that refutes a finding.
func (s *settler) ask(c *comparison, from *Capture, finding int) {
	for _, in := range c.Captures[from.index+1:] {
		basis := c.later(from, in)
		if basis == "" {
			continue
		}
		l := taken(&from.Findings[finding], from, in)
		if l.stands != No {
			continue
		}
		r := heuristics.Refutation{Finding: finding, Session: s.number[in] + 1, Why: l.why, Basis: basis}
		for _, p := range l.places {
			r.Evidence = append(r.Evidence, heuristics.Evidence{At: p.At, Addr: p.Addr, Why: "later: " + p.Why})
		}
		s.refuted[s.number[from]] = append(s.refuted[s.number[from]], r)
		return
	}
}

// taken returns the answer about the first hop of a finding that another
// capture refutes. A hop that its own capture does not show as it is told here
// cannot be looked for in another.
func taken(f *heuristics.Finding, from, in *Capture) look {
	for _, step := range hops(f) {
		l := stands(step, from, in)
		if f.Kind == heuristics.OrphanedLock && l.stands != No {
			l = l.alive(step, from, in)
		}
		if l.stands == No && stands(step, from, from).stands == Yes {
			return l
		}
	}
	return look{stands: NotShown}
}

// later says by what a capture is seen to be a later moment of the same boot, ""
// where nothing tells. Nothing speaks against one boot, as captures of one group
// go; this asks for what speaks for it.
func (c *comparison) later(a, b *Capture) string {
	if c.Order == AsGiven && !sameInput(a, b) {
		return ""
	}
	t := &b.Snap.Target
	switch {
	case sameRun(a, b) && t.LetGoAt.Known():
		return fmt.Sprintf("the machine was let go or broken into in between (line %d)", t.LetGoAt.Line)
	case sameRun(a, b):
		return "the debugger runs on the machine itself (lkd>), which goes on while it prints"
	case sameHeader(a, b) && (a.UptimeMS != b.UptimeMS || t.LiveAt.Known()):
		return "the kernel is at the same address and was started at the same time"
	case sharesObjects(a, b) && !(sameStop(&a.Snap.Target, t) && t.Repeated):
		return "threads and locks are at the same addresses"
	}
	return ""
}

// sharesObjects reports whether two captures show two objects or more at the
// same addresses: one may be chance.
func sharesObjects(a, b *Capture) bool {
	n := 0
	for _, r := range a.Snap.Resources {
		if q := b.Snap.Resource(r.Addr); q != nil && r.Symbol+q.Symbol == "" {
			n++
		}
	}
	known := b.people()
	for addr := range a.people() {
		if known[addr] && !otherThread(a.threads[addr], b.threads[addr]) {
			n++
		}
	}
	return n >= 2
}

// people are the threads that a capture names: printed, owners and waiters. The
// idle threads of processors are where every machine of the build has them.
func (c *Capture) people() map[kd.Addr]bool {
	out := make(map[kd.Addr]bool, len(c.threads))
	for a, t := range c.threads {
		if !t.cid.Known || t.cid != (threads.CID{Known: true}) {
			out[a] = true
		}
	}
	for a := range c.waits {
		out[a] = true
	}
	for _, r := range c.Snap.Resources {
		for i := range r.Resolved {
			if t := r.Resolved[i].Thread; t != 0 {
				out[t] = true
			}
		}
	}
	return out
}

func otherThread(a, b *thread) bool { return a != nil && b != nil && !sameThread(a, b) }

// noteStrangers tells of lists that were printed below a deadlock without the
// machine having been let go, and have nothing in common with it: they refute
// nothing.
func (s *settler) noteStrangers(captures []*Capture) {
	for n, a := range captures {
		if !accuses(a.Judgement) {
			continue
		}
		for _, b := range captures[n+1:] {
			if at := b.First(); sameStop(&a.Snap.Target, &b.Snap.Target) && at.Known() && otherObjects(a, b) != "" {
				i := s.number[a]
				s.js[i].Notes = append(s.js[i].Notes, kd.Note{At: at, Text: fmt.Sprintf("session %d lists other locks than session %d, but nothing tells that the machine ran in between, and no address is in both: it may be of another dump or machine, and refutes nothing", s.number[b]+1, i+1)})
				break
			}
		}
	}
}

// sameStop reports whether two captures are moments of one session of a machine
// that stood still.
func sameStop(a, b *snapshot.Target) bool {
	return a.Moment > 0 && b.Moment > 0 && a.Attached == b.Attached && a.LetGoAt == b.LetGoAt && !a.LiveAt.Known()
}
