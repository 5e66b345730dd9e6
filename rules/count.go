package rules

// mostCounted bounds the numbers that are tried one by one where some facts are
// unknown.
const mostCounted = 1000

// counted compares how many facts a clause holds for.
func (w *world) counted(c *clause, env bindings) clauseState {
	yes, maybe := 0, 0
	const anyNumber = 1 << 30
	out := clauseState{c: c, unlisted: true}
	for _, m := range w.matches(c, env) {
		out.tells = out.tells || m.tells
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
	for n := yes + 1; n <= yes+min(maybe, mostCounted); n++ {
		if holds(n) != out.truth {
			out.truth = Unknown
		}
	}
	if holds(yes+maybe) != out.truth || w.spent {
		out.truth = Unknown
	}
	if out.truth == Unknown && len(out.missing) == 0 {
		out.missing = []Missing{{What: "what the number is compared with"}}
	}
	if out.truth != Unknown {
		out.missing = nil
	}
	return out
}
