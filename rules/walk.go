package rules

import "kdlocks/threads"

// callees are the threads that clauses about threads may hold for: all of them
// are looked for in one walk over the threads.
type callees struct {
	facts [][]fact
}

// walk finds the threads of all clauses that do not ask for threads by address.
func (w *world) walk(cs []*clause) {
	w.callees = &callees{facts: make([][]fact, len(cs))}
	if len(cs) == 0 {
		return
	}
	for t := range w.snap.AllThreads() {
		for i, c := range cs {
			if w.mayBe(c, t) {
				w.callees.facts[i] = append(w.callees.facts[i], t)
			}
		}
	}
}

// number gives the clauses of some rules that are looked for on all threads their
// numbers, and returns them.
func walks(rules []*Rule) []*clause {
	var cs []*clause
	for _, r := range rules {
		for _, list := range [][]*clause{{r.applies}, r.match, r.boost, r.exclude} {
			cs = walked(cs, list)
		}
	}
	for i, c := range cs {
		c.walk = i
	}
	return cs
}

func walked(cs, list []*clause) []*clause {
	for _, c := range list {
		if c == nil {
			continue
		}
		for _, inner := range c.any {
			cs = walked(cs, inner)
		}
		if c.kind != nil && c.kind.name == "thread" && !c.byAddress() {
			cs = append(cs, c)
		}
	}
	return cs
}

// byAddress reports whether a clause asks for facts by their key.
func (c *clause) byAddress() bool {
	for _, m := range c.matchers {
		if m.field.name != c.kind.key {
			continue
		}
		for _, op := range m.ops {
			if op.op == "eq" || op.op == "in" || op.op == "has" {
				return true
			}
		}
	}
	return false
}

// mayBe reports whether a thread fits what a clause says without bindings.
func (w *world) mayBe(c *clause, t *threads.Thread) bool {
	for _, m := range c.matchers {
		if m.constant() && m.test(w, nil, t).truth == False {
			return false
		}
	}
	return true
}
