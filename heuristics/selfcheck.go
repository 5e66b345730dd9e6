package heuristics

import (
	"fmt"
	"slices"

	"kdlocks/kd"
	"kdlocks/locks"
	"kdlocks/snapshot"
	"kdlocks/waitgraph"
)

// SelfCheck is a question that the input was asked about itself, and what the
// answer costs.
type SelfCheck struct {
	snapshot.SelfCheck
	// Lowers says which findings rest on what the check casts doubt on.
	Lowers []Lowering
}

// Lowering is what a self-check takes from a finding.
type Lowering struct {
	Finding int // index into the findings
	// Grade and Confidence are what the finding has, those Before what it would
	// have without the check. They are the same where it has them for other
	// reasons as well, and where that cannot be told.
	GradeBefore, Grade           waitgraph.Grade
	ConfidenceBefore, Confidence Confidence
	Why                          string
}

// selfChecks asks the input about itself and says what the findings lost by it.
func (d *diagnosis) selfChecks(fs []Finding) []SelfCheck {
	var out []SelfCheck
	for _, c := range d.snap.Checks() {
		switch c.ID {
		case kd.WaitersAgree:
			d.compareWaiters(&c)
		case kd.ToolsAgree:
			d.compareAwaited(&c)
		case kd.OneRole:
			for _, r := range d.snap.TwoRoles() {
				why := fmt.Sprintf("%s is taken for two things", d.addr(r.Addr))
				c.Touch(snapshot.Touched{Resource: r.Addr, At: r.At, Limit: snapshot.Associated, Why: why})
				c.Touch(snapshot.Touched{Thread: r.Addr, At: r.At, Limit: snapshot.Associated, Why: why})
			}
		}
		out = append(out, SelfCheck{c, d.lowerings(&c, fs)})
	}
	return out
}

// compareWaiters adds the listed waiters that the graph found to do something
// else, or that it took for associations only.
func (d *diagnosis) compareWaiters(c *snapshot.SelfCheck) {
	said := make(map[kd.Ref]kd.Note, len(d.graph.Notes))
	for _, n := range d.graph.Notes {
		said[n.At] = n
	}
	for _, r := range d.snap.Resources {
		for _, list := range [][]locks.Waiter{r.SharedWaiters, r.ExclusiveWaiters} {
			for _, w := range list {
				n, ok := said[w.At]
				if !ok || d.starves(w.Thread) {
					continue
				}
				delete(said, w.At)
				n.Self = c.ID
				c.Fail(n)
				t := snapshot.Touched{Thread: w.Thread, At: w.At, Limit: snapshot.Unused, Why: "a list has it as a waiter, and other output contradicts that"}
				if d.draws(w.Thread, r.Addr) {
					t.Limit, t.Why = snapshot.Associated, "more than one list has it as a waiter"
				}
				c.Touch(t)
			}
		}
	}
}

// starves reports whether a thread passes queued exclusive waiters, which is no
// contradiction.
func (d *diagnosis) starves(a kd.Addr) bool {
	if b := d.snap.Brief(a); b != nil && b.WaitsPlainly() {
		return false
	}
	t := d.snap.Thread(a)
	return t != nil && t.FindFrame("ExAcquireSharedStarveExclusive") >= 0
}

// draws reports whether the graph lets a thread wait for a lock.
func (d *diagnosis) draws(thread, lock kd.Addr) bool {
	n := d.graph.Find(thread)
	return n >= 0 && slices.ContainsFunc(d.graph.Out[n], func(e int) bool {
		return d.graph.Nodes[d.graph.Edges[e].To].Addr == lock
	})
}

// compareAwaited adds the waits that an extension shows and !locks does not.
func (d *diagnosis) compareAwaited(c *snapshot.SelfCheck) {
	awaited := make(map[kd.Ref]bool)
	for _, t := range d.snap.Threads {
		if w := t.Stack.Awaited; w != nil {
			awaited[w.At] = true
		}
	}
	for _, n := range d.graph.Notes {
		if awaited[n.At] {
			n.Self = c.ID
			c.Fail(n)
		}
	}
}

// lowerings says what a self-check takes from the findings that rest on what it
// touches. The detectors are asked once more about a snapshot without the
// doubts of the check, so that the answer is that of the judgement itself.
func (d *diagnosis) lowerings(c *snapshot.SelfCheck, fs []Finding) []Lowering {
	touched := make(map[kd.Addr]string, 2*len(c.Touched))
	for _, t := range c.Touched {
		touched[t.Resource], touched[t.Thread] = t.Why, t.Why
	}
	delete(touched, 0)
	var out []Lowering
	var before map[string]*Finding
	for i := range fs {
		f := &fs[i]
		why, rests := restsOn(f, touched)
		if c.ID == kd.OneMoment && !rests && d.lives(f) {
			why, rests = "its locks were printed one after the other while the machine ran", true
		}
		if !rests {
			continue
		}
		if before == nil {
			before = d.findingsWithout(c.ID)
		}
		l := Lowering{Finding: i, GradeBefore: f.Grade, Grade: f.Grade, ConfidenceBefore: f.Confidence, Confidence: f.Confidence, Why: why}
		if b := before[identity(f)]; b != nil {
			l.GradeBefore, l.ConfidenceBefore = b.Grade, b.Confidence
		}
		if c.ID == kd.WaitersAgree && len(f.Cycle) > 0 && f.Grade == waitgraph.D {
			l.GradeBefore = d.gradeByOwners(f, touched)
			l.ConfidenceBefore = confidenceOf(l.GradeBefore)
		}
		out = append(out, l)
	}
	return out
}

// restsOn reports whether a finding is about one of some addresses, and why
// that one is in doubt.
func restsOn(f *Finding, touched map[kd.Addr]string) (why string, rests bool) {
	if len(touched) == 0 {
		return "", false
	}
	for _, list := range [][]kd.Addr{f.Resources, f.Threads} {
		for _, a := range list {
			if why, ok := touched[a]; ok {
				return why, true
			}
		}
	}
	for _, steps := range [][]Step{f.Cycle, f.Chain} {
		for _, s := range steps {
			if why, ok := touched[s.WaitsFor]; ok {
				return why, true
			}
		}
	}
	return "", false
}

// lives reports whether tellLive weakened a finding.
func (d *diagnosis) lives(f *Finding) bool {
	return f.Kind == Deadlock && d.ofMoments(f)
}

// findingsWithout returns what the detectors find without the doubts of a
// self-check, by identity; none if those cannot be lifted.
func (d *diagnosis) findingsWithout(id kd.SelfCheck) map[string]*Finding {
	out := make(map[string]*Finding)
	s := d.snap.Without(id)
	if s == nil {
		return out
	}
	fs := diagnose(s).detect()
	for i := range fs {
		out[identity(&fs[i])] = &fs[i]
	}
	return out
}

// identity is what a finding is about, whatever the order it is told in.
func identity(f *Finding) string {
	ts, rs := slices.Sorted(slices.Values(f.Threads)), slices.Sorted(slices.Values(f.Resources))
	return fmt.Sprint(f.Check.ID, ts, rs)
}

// gradeByOwners is the grade of a cycle if the waits of some threads had been
// believed: all else that weakens such a wait weakens the edge from its lock to
// the owner as well.
func (d *diagnosis) gradeByOwners(f *Finding, believed map[kd.Addr]string) waitgraph.Grade {
	grade := waitgraph.A
	for _, s := range f.Cycle {
		t := d.snap.Thread(s.Thread)
		if believed[s.Thread] == "" || t != nil && (t.Conflict != "" || t.Unread()) {
			grade = max(grade, s.Grade)
			continue
		}
		grade = max(grade, d.ownGrade(s))
	}
	return grade
}

// ownGrade returns the grade of the edge from what a hop's thread waits for to
// the one that stands in its way, that of the hop if there is none.
func (d *diagnosis) ownGrade(s Step) waitgraph.Grade {
	waiter, holder := d.graph.Find(s.Thread), d.graph.Find(s.HeldBy)
	if waiter < 0 || holder < 0 {
		return s.Grade
	}
	for _, i := range d.graph.Out[waiter] {
		wait := d.graph.Edges[i]
		if d.graph.Nodes[wait.To].Addr != s.WaitsFor || wait.At.Doubt != kd.Sure {
			continue
		}
		for _, j := range d.graph.Out[wait.To] {
			if d.graph.Edges[j].To == holder {
				return d.graph.Edges[j].Grade
			}
		}
	}
	return s.Grade
}
