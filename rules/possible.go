package rules

import (
	"slices"

	"kdlocks/locks"
)

// possible reports whether each clause of match may hold by itself, whatever the
// others bind: a rule of which one can't is silent, and costs no search.
func (w *world) possible(r *Rule) bool {
	return w.allClauses(r.match, w.cheaply) && w.allClauses(r.match, w.anyFits)
}

// allClauses reports whether a test holds for all clauses, of an "any" for those of
// one of its lists.
func (w *world) allClauses(list []*clause, test func(*clause) bool) bool {
	for _, c := range list {
		ok := false
		for _, inner := range c.any {
			ok = ok || w.allClauses(inner, test)
		}
		if c.any == nil {
			ok = test(c)
		}
		if !ok {
			return false
		}
	}
	return true
}

// cheaply tells without looking at any fact: by what the stacks of the input have.
func (w *world) cheaply(c *clause) bool {
	return c.count != nil || !c.kind.seen(w) || c.needs == nil || w.needsSeen(c)
}

// anyFits reports whether any fact fits what a clause says without bindings.
func (w *world) anyFits(c *clause) bool {
	switch {
	case c.count != nil, !c.kind.seen(w), c.kind.listed != nil && !c.kind.listed(w, c), c.walk >= 0, c.byKey() != nil:
		return true
	}
	all := w.factsOf(c.kind)
	lists, ok := w.shortest(c, nil)
	if !ok {
		return slices.ContainsFunc(all, func(f fact) bool { return w.mayBeFact(c, f) })
	}
	for _, numbers := range lists {
		for _, n := range numbers {
			if w.mayBeFact(c, all[n]) {
				return true
			}
		}
	}
	return false
}

// needsSeen reports whether the input may have what the clause needs on a stack: a
// thread that is asked for by its address and was not printed may have it.
func (w *world) needsSeen(c *clause) bool {
	if c.byKey() == nil && !w.snap.ListsAllThreads(0) {
		return true
	}
	if c.byKey() != nil && !(w.allPrinted() && c.asksForListed()) {
		return true
	}
	_, ok := w.needed(c.needs)
	return ok
}

// asksForListed reports whether the clause asks for threads that locks and findings
// name, and for no others.
func (c *clause) asksForListed() bool {
	for _, m := range c.matchers {
		if m.field.name != c.kind.key {
			continue
		}
		for _, op := range m.ops {
			for _, o := range op.operands {
				if o.ref == nil || !listsThreads[o.ref.kind] {
					return false
				}
			}
		}
	}
	return true
}

// listsThreads are the kinds of facts whose threads allPrinted looks at.
var listsThreads = map[string]bool{"lock": true, "owner": true, "waiter": true, "finding": true}

// allPrinted reports whether the stacks of all threads were printed that locks and
// findings name.
func (w *world) allPrinted() bool {
	if w.printed == Unknown {
		w.printed = truth(w.lacksNone())
	}
	return w.printed == True
}

func (w *world) lacksNone() bool {
	for _, r := range w.snap.Resources {
		for i := range r.Resolved {
			if !w.snap.HasStack(r.Resolved[i].Thread) {
				return false
			}
		}
		for _, list := range [][]locks.Waiter{r.SharedWaiters, r.ExclusiveWaiters} {
			for _, q := range list {
				if !q.Marker() && !w.snap.HasStack(q.Thread) {
					return false
				}
			}
		}
		if s, e := r.Unlisted(); s+e+r.UnlistedOwners() > 0 {
			return false
		}
	}
	for i := range w.findings {
		for _, a := range w.findings[i].Threads {
			if !w.snap.HasStack(a) {
				return false
			}
		}
	}
	return true
}
