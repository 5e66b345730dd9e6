package rules

import "math"

// counted compares how many facts a clause holds for.
func (w *world) counted(c *clause, env bindings) clauseState {
	yes, maybe := 0, 0
	const anyNumber = 1 << 30
	out := clauseState{c: c, unlisted: true}
	tell := 0
	for _, m := range w.matches(c, env) {
		if m.tells {
			tell++
		}
		out.faint = out.faint || m.truth == Unknown && m.faint
		out.unlisted = out.unlisted && (m.truth == True || m.unlisted)
		switch {
		case m.truth == True:
			if yes++; yes == 1 {
				out.fact = m.fact
			}
			if places := m.places; len(out.places) < mostPlaces {
				if yes > 1 {
					places = places[:1]
				}
				out.places = append(out.places, places...)
			}
		default:
			if maybe++; m.open {
				maybe += anyNumber
			}
			if len(out.missing) < mostMissing {
				out.missing = append(out.missing, m.missing...)
			}
		}
	}
	holds := func(n int) Truth {
		t := True
		for i := range c.count.ops {
			t = t.and(c.count.ops[i].test(w, env, Value{Type: Number, N: float64(n)}))
		}
		return t
	}
	out.truth = holds(yes)
	for _, n := range c.turns(w, env, yes, yes+maybe) {
		if holds(n) != out.truth {
			out.truth = Unknown
		}
	}
	if holds(yes+maybe) != out.truth || w.spent {
		out.truth = Unknown
	}
	out.tells = tell > 0 && (out.truth == True || 2*tell >= c.leastCount())
	if out.truth == Unknown && len(out.missing) == 0 {
		out.missing = []Missing{{What: "what the number is compared with"}}
	}
	if out.truth != Unknown {
		out.missing = nil
	}
	return out
}

// leastCount is the least number that the clause asks for in figures.
func (c *clause) leastCount() int {
	least := 1
	for i := range c.count.ops {
		op := &c.count.ops[i]
		for k := range op.operands {
			o := &op.operands[k]
			if n := int(o.lit.N); o.ref == nil && (op.op == "gte" || op.op == "gt" || op.op == "eq") {
				least = max(least, n)
			}
		}
	}
	return least
}

// countsNone reports whether the clause holds where there is no such fact alone.
func (c *clause) countsNone() bool {
	if c.count == nil {
		return false
	}
	for i := range c.count.ops {
		op := &c.count.ops[i]
		for k := range op.operands {
			o := &op.operands[k]
			if o.ref == nil && (o.lit.N == 0 && (op.op == "eq" || op.op == "lte") || o.lit.N == 1 && op.op == "lt") {
				return true
			}
		}
	}
	return false
}

// turns returns numbers between two others among which are all at which the comparisons
// of the count can turn out otherwise.
func (c *clause) turns(w *world, env bindings, from, to int) []int {
	var out []int
	for i := range c.count.ops {
		op := &c.count.ops[i]
		for k := range op.operands {
			o := &op.operands[k]
			values := one(o.lit)
			if o.ref != nil {
				values = o.ref.values(w, env)
			}
			for _, v := range values.List {
				near := math.Abs(v.N) * op.pct / 100
				for _, turn := range []float64{v.N - near, v.N + near} {
					for n := int(turn) - 1; n <= int(turn)+1; n++ {
						if from < n && n < to {
							out = append(out, n)
						}
					}
				}
			}
		}
	}
	return out
}
