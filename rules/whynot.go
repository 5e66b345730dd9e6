package rules

import (
	"fmt"
	"slices"
	"strings"

	"kdlocks/heuristics"
)

// Attempt is how far a rule came that does not hold: the clauses up to the first
// that nothing fits.
type Attempt struct {
	Clauses []ClauseResult
	// Nearest says of the fact that fits the last clause best what of it does not.
	Nearest string
}

// WhyNot reads the log of a failed test again and says why the rule is silent
// there; nil if it is not, or if the log cannot be read.
func (s *Set) WhyNot(t *TestResult, read Reader) *Attempt {
	test := t.test()
	data := []byte(test.Input)
	if test.Log != "" {
		var err error
		if data, err = t.Rule.ReadLog(test.Log); err != nil {
			return nil
		}
	}
	judged, _ := read(t.Name, data)
	var best *Attempt
	for _, j := range judged {
		if a := s.attempt(t.Rule, j); a != nil && (best == nil || len(a.Clauses) > len(best.Clauses)) {
			best = a
		}
	}
	return best
}

// attempt looks for the clause that a rule fails at.
func (s *Set) attempt(r *Rule, j *heuristics.Judgement) *Attempt {
	w := newWorld(j, s.plan)
	w.steps = mostSteps
	e := evaluation{w: w, rule: r}
	if r.applies != nil {
		if st := e.single(r.applies, bindings{}); st.truth == False {
			return &Attempt{Clauses: []ClauseResult{w.told(&st)}, Nearest: w.nearest(r.applies, bindings{})}
		}
	}
	d := descent{evaluation: e}
	d.descend(r.match, bindings{}, nil)
	if d.holds || d.at == nil {
		return nil
	}
	out := &Attempt{Nearest: w.nearest(d.at, d.env)}
	for i := range d.states {
		out.Clauses = append(out.Clauses, w.told(&d.states[i]))
	}
	out.Clauses = append(out.Clauses, w.told(&clauseState{c: d.at, truth: False}))
	return out
}

// descent is a search that keeps where it came furthest.
type descent struct {
	evaluation
	at     *clause // that nothing fits
	env    bindings
	states []clauseState
	holds  bool
	tried  int
}

func (d *descent) descend(list []*clause, env bindings, states []clauseState) {
	if d.tried++; d.holds || d.w.spent || d.tried > mostCandidates {
		return
	}
	if len(list) == 0 {
		d.holds = true
		return
	}
	c, rest := list[0], list[1:]
	switch {
	case c.any != nil:
		for _, inner := range c.any {
			d.descend(append(slices.Clip(inner), rest...), env, append(slices.Clip(states), clauseState{c: c, truth: Unknown}))
		}
		return
	case c.count != nil:
		if st := d.w.counted(c, env); st.truth != False {
			d.descend(rest, d.bind(env, c, st.fact), append(slices.Clip(states), st))
			return
		}
	default:
		found := d.w.matches(c, env)
		for _, m := range found {
			d.descend(rest, d.bind(env, c, m.fact), append(slices.Clip(states), m.clauseState))
		}
		if len(found) > 0 {
			return
		}
	}
	if d.at == nil || len(states) > len(d.states) {
		d.at, d.env, d.states = c, env, states
	}
}

// mostNear bounds the facts that are looked at for the nearest one.
const mostNear = 20_000

// nearest says which fact fits a clause best, and what of it does not.
func (w *world) nearest(c *clause, env bindings) string {
	if c.kind == nil {
		return ""
	}
	facts, _, ok := w.byKey(c, env)
	if !ok {
		facts = w.factsOf(c.kind)
	}
	if len(facts) == 0 {
		return "there is no " + c.kind.name + " to compare with"
	}
	var best fact
	var wrong []*matcher
	for _, f := range facts[:min(len(facts), mostNear)] {
		var bad []*matcher
		for _, m := range c.matchers {
			if m.test(w, env, f).truth == False {
				bad = append(bad, m)
			}
		}
		if best == nil || len(bad) < len(wrong) {
			best, wrong = f, bad
		}
	}
	if c.count != nil {
		return fmt.Sprintf("%d of %d fit", len(w.matches(c, env)), len(facts))
	}
	var parts []string
	for _, m := range wrong {
		parts = append(parts, m.unlike(w, best))
	}
	return "nearest is " + strings.TrimSpace(c.kind.name+" "+bound{c.kind, best}.name(w)) + ": " + strings.Join(parts, "; ")
}

// unlike says what a fact has in a field that does not fit.
func (m *matcher) unlike(w *world, f fact) string {
	values := m.field.get(w, f)
	if m.stack != nil {
		return m.stack.unlike(values)
	}
	var words []string
	for i, v := range values.List {
		if i == mostInText {
			words = append(words, "...")
			break
		}
		words = append(words, v.String())
	}
	if words == nil {
		words = []string{"none"}
	}
	return m.field.name + " is " + strings.Join(words, ", ")
}

// unlike says how much of a pattern a stack has.
func (p *stackPattern) unlike(values Values) string {
	if len(values.List) == 0 {
		return "stack is not known"
	}
	frames := values.List[0].Frames
	for _, none := range p.none {
		for i := range frames {
			if fitsAny([]framePattern{none}, callOf(&frames[i])) == True {
				return fmt.Sprintf("stack has %s in frame %d, which none forbids", frames[i].Name(), i)
			}
		}
	}
	for n := len(p.seq) - 1; n > 0; n-- {
		part := *p
		part.seq = p.seq[:n]
		if t, at := part.match(frames); t != False && len(at) > 0 {
			return fmt.Sprintf("stack has the first %d of seq, up to frame %d (%s), and no %s behind that", n, at[len(at)-1], frames[at[len(at)-1]].Name(), p.seq[n][0])
		}
	}
	return fmt.Sprintf("stack has no %s", p.seq[0][0])
}

func (p framePattern) String() string { return p.module + "!" + p.function }
