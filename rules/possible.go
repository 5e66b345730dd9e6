package rules

// possible reports whether each clause of match may hold by itself, whatever the
// others bind: a rule of which one can't is silent, and costs no search.
func (w *world) possible(r *Rule) bool {
	return w.possibleAll(r.match)
}

func (w *world) possibleAll(list []*clause) bool {
	for _, c := range list {
		if !w.possibleClause(c) {
			return false
		}
	}
	return true
}

func (w *world) possibleClause(c *clause) bool {
	switch {
	case c.any != nil:
		for _, list := range c.any {
			if w.possibleAll(list) {
				return true
			}
		}
		return false
	case c.count != nil || !c.kind.seen(w) || c.kind.listed != nil && !c.kind.listed(w, c):
		return true
	case c.needs != nil && !w.needsSeen(c):
		return false
	case c.walk >= 0 || c.byKey():
		return true
	}
	for _, f := range w.lookup(c, nil) {
		if w.mayBeFact(c, f) {
			return true
		}
	}
	return false
}

// needsSeen reports whether the input has what the clause needs on a stack. A
// thread that was not printed may have it.
func (w *world) needsSeen(c *clause) bool {
	if c.byKey() {
		return true
	}
	_, ok := needed(c.needs, w.seen)
	return ok
}
