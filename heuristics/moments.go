package heuristics

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"kdlocks/kd"
	"kdlocks/snapshot"
)

// Refutation is what a later moment of the same machine and boot shows against a
// finding: a thread that is deadlocked never stops waiting.
type Refutation struct {
	Finding int // index into the findings of the judgement
	// Session is the number of the later moment among those of the input, counted
	// from 1.
	Session int
	// Why says what is different there, Basis by what it is seen to be the same
	// boot, later; both without a full stop.
	Why, Basis string
	Evidence   []Evidence // of the later moment
}

// Moment is one of those that an input shows of a machine.
type Moment struct {
	// Session is its number among those of the input, counted from 1.
	Session int
	Snap    *snapshot.Snapshot
}

// Accuses reports whether a finding says that threads wait for ever: a later
// moment of the same boot can refute that.
func (f *Finding) Accuses() bool {
	return f.Kind == OrphanedLock || len(f.Cycle) > 0 && (f.Kind == Deadlock || f.Kind == SuspectedDeadlock)
}

// TakeBack makes findings that a later moment refutes what they are, and gives
// the verdict again.
func (j *Judgement) TakeBack(rs []Refutation) {
	if len(rs) == 0 {
		return
	}
	taken := make(map[int]bool, len(rs))
	for _, r := range rs {
		taken[r.Finding] = true
		j.Findings[r.Finding].takeBack(r)
	}
	for i := range j.SelfChecks {
		c := &j.SelfChecks[i]
		c.Lowers = slices.DeleteFunc(c.Lowers, func(l Lowering) bool { return taken[l.Finding] })
	}
	j.sort()
	j.settle()
}

func (f *Finding) takeBack(r Refutation) {
	what := "deadlock"
	if f.Kind == OrphanedLock {
		what = "orphaned lock"
	}
	f.Kind, f.Severity, f.Confidence, f.Past = NoDeadlock, Info, Likely, r.Session
	f.Summary = fmt.Sprintf("No %s: a later moment in the input (session %d) shows that it has ended: %s. At this one: %s", what, r.Session, r.Why, f.Summary)
	f.Explanation += fmt.Sprintf(" But that is past. Session %d shows it otherwise: %s. That it is the same machine, later, follows from this: %s. A deadlock or orphaned lock does not end by itself.", r.Session, r.Why, r.Basis)
	f.Disproof = fmt.Sprintf("Session %d is of another machine or boot, or was printed before this one.", r.Session)
	f.Remedy, f.Next = "None: it went by itself.", []string{"!locks"}
	f.Evidence = append(f.Evidence, r.Evidence...)
}

// sort orders the findings again, and keeps what the self-checks say of each.
func (j *Judgement) sort() {
	order := make([]int, len(j.Findings))
	for i := range order {
		order[i] = i
	}
	kd.SortStable(order, func(a, b int) int { return weigh(j.Findings[a], j.Findings[b]) })
	sorted, at := make([]Finding, len(order)), make([]int, len(order))
	for i, old := range order {
		sorted[i], at[old] = j.Findings[old], i
	}
	j.Findings = sorted
	for i := range j.SelfChecks {
		lowers := j.SelfChecks[i].Lowers
		for k := range lowers {
			lowers[k].Finding = at[lowers[k].Finding]
		}
		kd.SortStable(lowers, func(a, b Lowering) int { return cmp.Compare(a.Finding, b.Finding) })
	}
}

// settle gives the verdict again after findings were taken back.
func (j *Judgement) settle() {
	switch f := j.Findings[0]; {
	case rank(f.Kind) < rank(Undecided):
		j.Verdict = Verdict{f.Kind, f.Confidence, f.Summary + more(*j)}
	case f.Kind == Undecided:
		j.Verdict = Verdict{Undecided, Certain, f.Summary}
	case j.Undecided:
		j.Verdict = Verdict{Undecided, Certain, "Undecided: " + j.missing()}
	default:
		j.Verdict = Verdict{f.Kind, f.Confidence, f.Summary}
	}
}

// missing names the first missing fact that a verdict hangs on, and says what was
// taken back.
func (j *Judgement) missing() string {
	text := "a fact is missing."
	if i := slices.IndexFunc(j.Gaps, func(g kd.Gap) bool { return g.Decides }); i >= 0 {
		g := j.Gaps[i]
		text = fmt.Sprintf("%s is missing (%s); run %s.", g.What, g.Why, g.Next)
	}
	if i := slices.IndexFunc(j.Findings, func(f Finding) bool { return f.Kind == NoDeadlock }); i >= 0 {
		text += " " + j.Findings[i].Summary
	}
	return text
}

// Worded returns the summary of a deadlock as it reads with another confidence.
func (f *Finding) Worded(c Confidence) string {
	sure, likely := []string{"Deadlock:", " has deadlocked"}, []string{"Deadlock, very likely:", " has very likely deadlocked"}
	switch {
	case f.Kind != Deadlock:
		return f.Summary
	case c == Certain:
		sure, likely = likely, sure
	case c != VeryLikely:
		return f.Summary
	}
	text := f.Summary
	for i := range sure {
		text = strings.Replace(text, sure[i], likely[i], 1)
	}
	return text
}
