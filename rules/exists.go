package rules

import "slices"

// single asks one clause that binds for nobody else.
func (e *evaluation) single(c *clause, env bindings) clauseState {
	if c.any != nil {
		return e.anyOf(c, env)
	}
	if c.count != nil {
		return e.w.counted(c, env)
	}
	out := clauseState{c: c, truth: False}
	for _, m := range e.w.matches(c, env) {
		if m.truth == True {
			return m.clauseState
		}
		if out.truth == False {
			out = m.clauseState
		}
	}
	return out
}

// anyOf asks the lists of an "any" or "all" outside of match.
func (e *evaluation) anyOf(c *clause, env bindings) clauseState {
	out := clauseState{c: c, truth: False}
	for _, list := range c.any {
		if st := e.exists(c, list, clauseState{c: c, truth: True, env: env}); st.truth == True || out.truth == False {
			out = st
		}
		if out.truth == True {
			break
		}
	}
	return out
}

// exists asks whether there are facts that fit all clauses of a list, the later
// ones those that the earlier ones bound. So far is what was found for those
// before.
func (e *evaluation) exists(c *clause, list []*clause, sofar clauseState) clauseState {
	if len(list) == 0 {
		return sofar
	}
	found := []match(nil)
	if list[0].count != nil {
		if st := e.w.counted(list[0], sofar.env); st.truth != False {
			found = []match{{clauseState: st}}
		}
	} else {
		found = e.w.matches(list[0], sofar.env)
	}
	out := clauseState{c: c, truth: False}
	for _, m := range found {
		if e.w.spent {
			break
		}
		st := e.exists(c, list[1:], clauseState{
			c: c, truth: sofar.truth.and(m.truth), env: e.bind(sofar.env, list[0], m.fact),
			places: append(slices.Clip(sofar.places), m.places...), missing: append(slices.Clip(sofar.missing), m.missing...),
		})
		if st.truth == True {
			return st
		}
		if out.truth == False {
			out = st
		}
	}
	return out
}
