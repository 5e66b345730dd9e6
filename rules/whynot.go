package rules

import (
	"maps"
	"slices"

	"kdlocks/heuristics"
)

// explain says what became of each clause: those of the result, else those up to
// the first that nothing fits.
func (t *TestResult) explain(best *Result, judged []*heuristics.Judgement) {
	if best != nil {
		t.Clauses, t.Note = best.reasons(), best.note()
		return
	}
	var far *attempt
	for _, j := range judged {
		if a := attemptOf(t.Rule, j); far == nil || a.further(far) {
			far = a
		}
	}
	if far != nil {
		t.Clauses, t.Note = far.clauses(), far.note()
	}
}

// note says what the report makes of a rule that could not be checked.
func (r *Result) note() string {
	switch {
	case r.Outcome != CouldNotCheck:
		return ""
	case r.Has():
		return "the report lists the rule as one that could not be checked"
	}
	return "the report counts the rule among those that ask for output: nothing that holds tells of its issue"
}

// reasons are the clauses of the result, the false ones with what does not fit.
func (r *Result) reasons() []ClauseResult {
	if len(r.Clauses) != len(r.matched)+len(r.bound) {
		return r.Clauses // too many facts were compared
	}
	r.w.steps, r.w.spent = mostExplained, false
	var out []ClauseResult
	for i := range r.matched {
		out = append(out, r.w.told(&r.matched[i]))
		if r.matched[i].otherwise() {
			out[i].Nearest = r.w.nearest(r.matched[i].c, r.env)
		}
	}
	for i := range r.bound {
		out = append(out, r.w.reason(r.Rule, &r.bound[i], r.env)...)
	}
	return out
}

// otherwise reports whether no fact of the input fits the clause, and one that was not
// printed may.
func (st *clauseState) otherwise() bool {
	return st.truth == Unknown && st.unlisted && st.fact == nil && st.c.any == nil
}

// reason is what became of a clause, with what of the nearest fact does not fit where
// it is false, and for each list of an "any" or "all" how far that holds.
func (w *world) reason(r *Rule, st *clauseState, env bindings) []ClauseResult {
	head := w.told(st)
	switch {
	case st.truth != False:
		return []ClauseResult{head}
	case st.c.any == nil:
		head.Nearest = w.nearest(st.c, env)
		return []ClauseResult{head}
	}
	return append([]ClauseResult{head}, w.insides(r, st.c, env)...)
}

// insides says of each list of an "any" or "all" up to which clause it holds.
func (w *world) insides(r *Rule, c *clause, env bindings) []ClauseResult {
	var out []ClauseResult
	for _, list := range c.any {
		a := &attempt{evaluation: evaluation{w: w, rule: r}}
		a.descend(list, env, nil)
		out = append(out, a.clauses()...)
	}
	return out
}

// attempt is a search for the clause that a list of clauses fails at. It keeps where
// it came furthest.
type attempt struct {
	evaluation
	at     *clause // that nothing fits
	env    bindings
	states []clauseState
	// misses is what the nearest fact misses, once it was looked at; less than 0 before.
	misses float64
	// open is what holds as far as the input goes.
	open  *solution
	tried int
}

// attemptOf looks for the clause that a rule fails at.
func attemptOf(r *Rule, j *heuristics.Judgement) *attempt {
	set := copyOf([]*Rule{r})
	w := newWorld(j, set.plan)
	w.steps, w.alone = mostExplained, true
	a := &attempt{evaluation: evaluation{w: w, rule: set.Rules[0]}}
	list := a.rule.match
	if a.rule.applies != nil {
		list = append([]*clause{a.rule.applies}, list...)
	}
	a.descend(list, bindings{}, nil)
	return a
}

func (a *attempt) descend(list []*clause, env bindings, states []clauseState) {
	if a.tried++; a.open != nil || a.w.spent || a.tried > mostCandidates {
		return
	}
	if len(list) == 0 {
		a.open = &solution{env: env, states: states}
		return
	}
	c, rest := list[0], list[1:]
	switch {
	case c.any != nil:
		for _, inner := range c.any {
			a.descend(append(slices.Clip(inner), rest...), env, append(slices.Clip(states), clauseState{c: c, truth: True}))
		}
		return
	case c.count != nil:
		if st := a.w.counted(c, env); st.truth != False {
			a.descend(rest, a.bind(env, c, st.fact), append(slices.Clip(states), st))
			return
		}
	default:
		found := a.w.matches(c, env)
		for _, m := range found {
			a.descend(rest, a.bind(env, c, m.fact), append(slices.Clip(states), m.clauseState))
		}
		if len(found) > 0 {
			return
		}
	}
	a.fails(c, env, states)
}

// fails keeps the clause that nothing fits if the search came further than before, or
// as far and the nearest fact misses less.
func (a *attempt) fails(c *clause, env bindings, states []clauseState) {
	misses := -1.0
	switch {
	case a.at == nil || moreHolds(states, a.states):
	case c != a.at || moreHolds(a.states, states) || a.w.steps < mostExplained/2:
		return
	default:
		if a.misses < 0 {
			a.misses = a.w.misses(a.at, a.env)
		}
		if misses = a.w.misses(c, env); misses >= a.misses {
			return
		}
	}
	a.at, a.env, a.states, a.misses = c, maps.Clone(env), states, misses
}

// moreHolds reports whether a search came further than another: more clauses hold, or
// as many and fewer are unknown.
func moreHolds(a, b []clauseState) bool {
	if x, y := seen(a), seen(b); x != y {
		return x > y
	}
	return len(a) < len(b)
}

// further reports whether an attempt came further than that of another session.
func (a *attempt) further(than *attempt) bool {
	if (a.open != nil) != (than.open != nil) {
		return a.open != nil
	}
	return moreHolds(a.states, than.states)
}

// clauses are those up to the one that nothing fits.
func (a *attempt) clauses() []ClauseResult {
	if a.open != nil {
		headsOfAny(a.open.states)
		return a.told(a.open.states)
	}
	if a.at == nil {
		return nil
	}
	states := slices.Clone(a.states)
	if head := a.failedAny(); head >= 0 {
		any := clauseState{c: states[head].c, truth: False}
		headsOfAny(states[:head])
		return append(a.told(states[:head]), a.w.reason(a.rule, &any, a.env)...)
	}
	headsOfAny(states)
	return append(a.told(states), a.w.reason(a.rule, &clauseState{c: a.at, truth: False}, a.env)...)
}

func (a *attempt) told(states []clauseState) []ClauseResult {
	var out []ClauseResult
	for i := range states {
		out = append(out, a.w.told(&states[i]))
		if states[i].otherwise() {
			out[i].Nearest = a.w.nearest(states[i].c, a.env)
		}
	}
	return out
}

// failedAny returns the place of the "any" whose lists all fail, -1 if the clause
// that nothing fits is none of a list.
func (a *attempt) failedAny() int {
	for i := len(a.states) - 1; i >= 0 && a.at.inner; i-- {
		if a.states[i].c.any != nil {
			return i
		}
	}
	return -1
}

// note says why a rule is silent of which no clause is false.
func (a *attempt) note() string {
	switch {
	case a.open != nil:
		return "no clause is false, but nothing that holds tells of the issue: the log may lack facts of these kinds, as any log does"
	case a.w.spent || a.tried > mostCandidates:
		return "more facts fit than are looked at for one rule: there may be others that came further"
	}
	return ""
}
