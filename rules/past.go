package rules

import (
	"fmt"
	"slices"

	"kdlocks/heuristics"
	"kdlocks/kd"
	"kdlocks/objects"
	"kdlocks/snapshot"
	"kdlocks/threads"
)

// takeBack excludes a rule for what a later moment of the input shows otherwise: what
// it recognised is past. It reports whether it did.
func (r *Result) takeBack(j *heuristics.Judgement) bool {
	if !r.Outcome.Fired() {
		return false
	}
	for i := range j.Findings {
		f := &j.Findings[i]
		if f.Past != 0 && slices.ContainsFunc(slices.Concat(f.Threads, f.Resources), func(a kd.Addr) bool {
			return slices.Contains(r.Threads, a) || slices.Contains(r.Locks, a)
		}) {
			r.end(f.Past, "")
			return true
		}
	}
	if j.Later == nil || !r.canEnd() {
		return false
	}
	for _, m := range j.Later() {
		if why := r.endedIn(m.Snap); why != "" {
			r.end(m.Session, ": "+why)
			return true
		}
	}
	return false
}

func (r *Result) end(session int, why string) {
	r.Outcome, r.Because = Excluded, fmt.Sprintf("session %d of the input, later, shows that it has ended%s", session, why)
}

// canEnd reports whether a rule rests on facts that a later list can show otherwise.
func (r *Result) canEnd() bool {
	return slices.ContainsFunc(r.matched, func(st clauseState) bool {
		_, section := st.fact.(sectionFact)
		return section || len(r.locksOf(&st)) > 0 || st.c.ofCounters()
	})
}

// endedIn says what a later moment shows otherwise, "" if nothing.
func (r *Result) endedIn(later *snapshot.Snapshot) string {
	for i := range r.matched {
		st := &r.matched[i]
		for _, a := range r.locksOf(st) {
			if how := changed(r.w.snap.Resource(a), later.Resource(a), later.Whole); how != "" {
				return "lock " + a.Bare(r.w.snap.Target.Arch) + " " + how + " there"
			}
		}
		if f, ok := st.fact.(sectionFact); ok && sectionChanged(f, later.CriticalSection(f.Addr, f.Process.Addr)) {
			return "critical section " + f.Addr.Bare(r.w.snap.Target.Arch) + " is free or has another owner there"
		}
		if st.c.ofCounters() && !mayHold(st.c, later) {
			return st.c.text + " does not hold there"
		}
	}
	return ""
}

// changed says what became of an owned lock of which a later moment has q, nil if it
// does not list it; "" where it may be as it was.
func changed(now, q *snapshot.Resource, whole bool) string {
	switch {
	case q == nil && whole, q != nil && q.Free():
		return "is free"
	case q == nil || now == nil || !now.Believed() || !q.Believed():
		return ""
	}
	was, known := ownersOf(now)
	is, all := ownersOf(q)
	if known && all && !slices.ContainsFunc(is, func(a kd.Addr) bool { return slices.Contains(was, a) }) {
		return "has another owner"
	}
	return ""
}

// sectionChanged reports whether a later print of a critical section shows it free, or
// owned by another thread.
func sectionChanged(now, q *objects.CriticalSection) bool {
	if q == nil || q.Conflict != "" || now.Conflict != "" {
		return false
	}
	return now.Locked == objects.Yes && q.Locked == objects.No || now.Owner.Known() && q.Owner.Known() && now.Owner.N != 0 && now.Owner.N != q.Owner.N
}

// ownersOf returns the threads that own a lock, and whether all are known.
func ownersOf(q *snapshot.Resource) (out []kd.Addr, all bool) {
	for i := range q.Resolved {
		if q.Resolved[i].Thread == 0 {
			return nil, false
		}
		out = append(out, q.Resolved[i].Thread)
	}
	return out, len(out) > 0
}

// locksOf returns the owned locks with waiters that the fact of a clause stands for.
func (r *Result) locksOf(st *clauseState) []kd.Addr {
	var all []kd.Addr
	switch f := st.fact.(type) {
	case lockFact:
		all = []kd.Addr{f.Addr}
	case *ownerFact:
		all = []kd.Addr{f.lock.Addr}
	case *waiterFact:
		all = []kd.Addr{f.lock.Addr}
	case findingFact:
		all = f.Resources
	case *threads.Thread:
		r.w.lockThreads()
		for _, v := range slices.Concat(r.w.waited[f.Addr], r.w.owned[f.Addr]) {
			all = append(all, v.A)
		}
	}
	return slices.DeleteFunc(slices.Clone(all), func(a kd.Addr) bool {
		q := r.w.snap.Resource(a)
		return q == nil || q.Waiting() == 0 || len(q.Owners) == 0
	})
}

// ofCounters reports whether a clause asks for what a list of all pools, of memory or of
// work queues says, and for nothing of other clauses: no fact of another moment is
// taken for the same one.
func (c *clause) ofCounters() bool {
	if c.kind == nil || c.count != nil || !slices.Contains([]string{"pool", "vm", "queue"}, c.kind.name) {
		return false
	}
	return !slices.ContainsFunc(c.matchers, func(m *matcher) bool { return !m.constant() })
}

// mayHold reports whether a clause may hold at a moment, as far as that was printed.
func mayHold(c *clause, later *snapshot.Snapshot) bool {
	w := newWorld(&heuristics.Judgement{Snap: later}, &plan{})
	w.steps = mostSteps
	return !c.kind.seen(w) || len(w.matches(c, bindings{})) > 0
}
