package heuristics

import (
	"slices"

	"kdlocks/kd"
	"kdlocks/locks"
	"kdlocks/snapshot"
	"kdlocks/waitgraph"
)

// SettleMoments takes deadlocks back that a later moment of the same session
// refutes: a thread that is deadlocked never stops waiting. Only a whole listing
// refutes, one that lacks something does not.
func SettleMoments(js []Judgement) {
	for i := range js {
		last := lastMoment(js, i)
		if last == nil || !last.Snap.Whole {
			continue
		}
		changed := false
		for k := range js[i].Findings {
			if f := &js[i].Findings[k]; f.Kind == Deadlock && refuted(last.Snap, f) {
				f.Kind, f.Severity, f.Confidence = NoDeadlock, Info, Likely
				f.Summary = "No deadlock: a later moment in the input shows that the wait has ended. At this one: " + f.Summary
				f.Explanation += " But the last whole list of locks in the input does not show all of these waits any more, and a deadlock does not end by itself."
				changed = true
			}
		}
		if changed {
			js[i].settle()
		}
	}
}

// lastMoment returns the last moment of the session of a judgement, nil if that
// is the judgement itself or the session shows one moment only.
func lastMoment(js []Judgement, i int) *Judgement {
	at := js[i].Snap.Target.Moment
	if at == 0 {
		return nil
	}
	last := i
	for k := i + 1; k < len(js) && js[k].Snap.Target.Moment == at+k-i; k++ {
		last = k
	}
	if last == i {
		return nil
	}
	return &js[last]
}

// refuted reports whether a whole list of locks does not show all waits of a
// cycle.
func refuted(s *snapshot.Snapshot, f *Finding) bool {
	for _, step := range f.Cycle {
		if step.Thread == 0 || step.WaitsFor == 0 || step.What != waitgraph.ERESOURCE {
			continue
		}
		r := s.Resource(step.WaitsFor)
		if r == nil {
			return true
		}
		shared, exclusive := r.Unlisted()
		if r.Reading == locks.Sound && !r.Open && shared+exclusive == 0 && !waitsFor(r, step.Thread) {
			return true
		}
	}
	return false
}

func waitsFor(r *snapshot.Resource, thread kd.Addr) bool {
	is := func(w locks.Waiter) bool { return w.Thread == thread }
	return slices.ContainsFunc(r.SharedWaiters, is) || slices.ContainsFunc(r.ExclusiveWaiters, is)
}

// settle gives the verdict again after findings were taken back.
func (j *Judgement) settle() {
	slices.SortStableFunc(j.Findings, weigh)
	switch f := j.Findings[0]; {
	case rank(f.Kind) < rank(NoDeadlock):
		j.Verdict = Verdict{f.Kind, f.Confidence, f.Summary + more(*j)}
	case j.Undecided:
		j.Verdict = Verdict{Undecided, Certain, f.Summary}
	default:
		j.Verdict = Verdict{NoDeadlock, f.Confidence, f.Summary}
	}
}
