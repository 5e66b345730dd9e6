package rules

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"kdlocks/heuristics"
	"kdlocks/kd"
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
	// open is what holds as far as the input goes.
	open  *solution
	tried int
}

// attemptOf looks for the clause that a rule fails at.
func attemptOf(r *Rule, j *heuristics.Judgement) *attempt {
	set := copyOf([]*Rule{r})
	w := newWorld(j, set.plan)
	w.steps = mostExplained
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
	if a.at == nil || moreHolds(states, a.states) {
		a.at, a.env, a.states = c, maps.Clone(env), states
	}
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

// mostNear bounds the facts that are looked at for the nearest one, mostExplained the
// comparisons for all that is said of one test.
const mostNear, mostExplained = 20_000, 10 * mostSteps

// nearest says which fact fits a clause best, and what of it does not.
func (w *world) nearest(c *clause, env bindings) string {
	if c.kind == nil {
		return ""
	}
	facts, _, byKey := w.byKey(c, env)
	if !byKey {
		facts = w.factsOf(c.kind)
	}
	switch {
	case len(facts) == 0 && byKey:
		return "there is no such " + c.kind.name
	case len(facts) == 0:
		return "there is no " + c.kind.name + " to compare with"
	}
	var best *near
	for _, f := range facts[:min(len(facts), mostNear)] {
		if w.steps -= c.weight; w.steps < 0 {
			w.spent = true
			break
		}
		if n := w.nearness(c, env, f); n.wrong != nil && (best == nil || n.misses < best.misses) {
			best = n
		}
	}
	told := ""
	if best != nil {
		var parts []string
		for _, m := range best.wrong {
			parts = append(parts, m.unlike(w, env, best.fact))
		}
		told = "nearest is " + strings.TrimSpace(c.kind.name+" "+bound{c.kind, best.fact}.name(w)) + ": " + strings.Join(parts, "; ")
	}
	if c.count == nil {
		return told
	}
	fit := 0
	for _, m := range w.matches(c, env) {
		if m.truth == True {
			fit++
		}
	}
	verb := "fit"
	if fit == 1 {
		verb = "fits"
	}
	counted := fmt.Sprintf("%d of %s %s", fit, kd.Plural(len(facts), c.kind.name), verb)
	if told == "" || fit > 0 {
		return counted
	}
	return counted + "; " + told
}

// near is how far a fact is from fitting a clause.
type near struct {
	fact  fact
	wrong []*matcher
	// misses counts the fields that do not fit; a stack that has the beginning of a
	// pattern misses less than one that has nothing of it.
	misses float64
}

func (w *world) nearness(c *clause, env bindings, f fact) *near {
	n := &near{fact: f}
	if c.kind.hidden != nil && c.kind.hidden(c, f) {
		n.misses = float64(len(c.matchers) + 1)
	}
	for _, m := range c.matchers {
		if m.test(w, env, f).truth != False {
			continue
		}
		n.wrong = append(n.wrong, m)
		n.misses++
		if m.stack != nil {
			n.misses -= m.stack.bind(w, env).share(m.field.get(w, f))
		}
	}
	return n
}

// unlike says what a fact has in a field that does not fit.
func (m *matcher) unlike(w *world, env bindings, f fact) string {
	values := m.field.get(w, f)
	if m.stack != nil {
		return m.stack.bind(w, env).unlike(values)
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
	out := m.field.name + " is " + strings.Join(words, ", ")
	if m.constant() {
		return out // the clause says what with
	}
	return out + m.against(w, env)
}

// against says what the references of a comparison stand for.
func (m *matcher) against(w *world, env bindings) string {
	var parts []string
	for _, c := range m.ops {
		for i := range c.operands {
			if ref := c.operands[i].ref; ref != nil {
				parts = add(parts, ref.String()+" is "+ref.inText(w, env))
			}
		}
	}
	return ", and " + strings.Join(parts, ", ")
}
