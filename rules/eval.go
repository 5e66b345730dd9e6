package rules

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"kdlocks/heuristics"
)

// mostSteps bounds the facts that are compared for one rule, mostStepsOfAll those
// for all rules of a set.
const mostSteps, mostStepsOfAll = 100_000, 2_000_000

// Judge asks all rules of a set about a judged snapshot. The results of rules
// that hold come first, the weightiest of them first; rules that are not about
// anything in the input are left out.
func (s *Set) Judge(j *heuristics.Judgement) []Result {
	return superseded(s.JudgeEach(j))
}

// JudgeEach is Judge with the results of rules that others supersede.
func (s *Set) JudgeEach(j *heuristics.Judgement) []Result {
	w := newWorld(j, s.plan)
	var alive []*Rule
	for _, r := range s.Rules {
		if w.possible(r) {
			alive = append(alive, r)
		}
	}
	w.walkFor(walkedOf(alive, roleMatch))
	w.later = walkedOf(alive, roleBoost, roleExclude)
	var out []Result
	for _, r := range alive {
		if res := w.judge(r); res.Outcome != NoMatch {
			out = append(out, res)
		}
	}
	slices.SortStableFunc(out, byWeight)
	return out
}

// judge asks one rule.
func (w *world) judge(r *Rule) Result {
	w.steps, w.spent = min(mostSteps, w.allSteps), false
	defer func(before int) { w.allSteps -= before - max(w.steps, 0) }(w.steps)
	e := evaluation{w: w, rule: r}
	list := r.match
	if r.applies != nil {
		list = append([]*clause{r.applies}, r.match...)
	}
	e.search(list, bindings{}, nil)
	return e.result()
}

// evaluation is the search for the facts that a rule holds for.
type evaluation struct {
	w    *world
	rule *Rule

	best     *solution
	excluded *solution
	open     *solution // one that a fact is missing for
	others   []solution
	more     int
}

// solution binds a fact to each clause.
type solution struct {
	env      bindings
	states   []clauseState
	outcome  Outcome
	boosts   int
	excludes []clauseState
	boosted  []clauseState
}

// clauseState is what became of a clause for some bindings.
type clauseState struct {
	c       *clause
	truth   Truth
	places  []Evidence
	missing []Missing
	// env is set for an "all": what its clauses bound.
	env bindings
	// fact is the one that the clause holds for, or may hold for; nil where the
	// input does not hold it.
	fact fact
}

const mostCandidates = 256

// search binds the clauses of a list one after the other.
func (e *evaluation) search(list []*clause, env bindings, states []clauseState) {
	if len(list) == 0 {
		e.consider(env, states)
		return
	}
	c, rest := list[0], list[1:]
	if c.any != nil {
		e.searchAny(c, rest, env, states)
		return
	}
	if c.count != nil {
		if state := e.w.counted(c, env); state.truth != False {
			e.search(rest, e.bind(env, c, state.fact), append(slices.Clip(states), state))
		}
		return
	}
	for _, m := range e.w.matches(c, env) {
		if m.truth == Unknown && e.best != nil {
			return
		}
		if e.w.spent || e.more >= mostCandidates {
			return
		}
		e.search(rest, e.bind(env, c, m.fact), append(slices.Clip(states), m.clauseState))
	}
}

// searchAny tries each of the lists of an "any".
func (e *evaluation) searchAny(c *clause, rest []*clause, env bindings, states []clauseState) {
	head := clauseState{c: c, truth: True}
	for _, list := range c.any {
		deeper := append(slices.Clip(states), head)
		e.search(append(slices.Clip(list), rest...), env, deeper)
	}
}

func (e *evaluation) bind(env bindings, c *clause, f fact) bindings {
	if c.as == "" {
		return env
	}
	out := maps.Clone(env)
	out[c.as] = bound{c.kind, f}
	return out
}

// consider weighs a solution against the best one so far.
func (e *evaluation) consider(env bindings, states []clauseState) {
	s := solution{env: env, states: states}
	for _, st := range states {
		if st.truth == Unknown {
			if e.open == nil || seen(s.states) > seen(e.open.states) {
				e.open = &s
			}
			return
		}
	}
	for _, c := range e.rule.exclude {
		st := e.single(c, env)
		s.excludes = append(s.excludes, st)
		if st.truth == True {
			if e.excluded == nil {
				e.excluded = &s
			}
			return
		}
	}
	confidence := e.rule.Confidence
	for _, c := range e.rule.boost {
		st := e.single(c, env)
		s.boosted = append(s.boosted, st)
		if st.truth == True {
			s.boosts++
			if c.to.rank() > confidence.rank() {
				confidence = c.to
			}
		}
	}
	s.outcome = Outcome(confidence)
	e.keep(s)
}

func seen(states []clauseState) int {
	n := 0
	for _, s := range states {
		if s.truth == True {
			n++
		}
	}
	return n
}

// mostOthers bounds the further candidates that a result names.
const mostOthers = 8

// keep keeps the better of two solutions for the result and names the other.
func (e *evaluation) keep(s solution) {
	if e.best == nil {
		e.best = &s
		return
	}
	loser := s
	if better(&s, e.best) {
		loser, e.best = *e.best, &s
	}
	if e.more++; len(e.others) < mostOthers {
		e.others = append(e.others, loser)
	}
}

func better(a, b *solution) bool {
	if x, y := Confidence(a.outcome).rank(), Confidence(b.outcome).rank(); x != y {
		return x > y
	}
	return a.boosts > b.boosts
}

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

// result makes the Result of what was found.
func (e *evaluation) result() Result {
	out := Result{Rule: e.rule, Outcome: NoMatch, w: e.w}
	s := e.best
	switch {
	case s != nil:
		out.Outcome = s.outcome
	case e.excluded != nil:
		s, out.Outcome = e.excluded, Excluded
	case e.open != nil:
		s, out.Outcome = e.open, CouldNotCheck
	default:
		return out
	}
	out.env, out.bound = s.env, append(slices.Clip(s.boosted), s.excludes...)
	headsOfAny(s.states)
	for _, list := range [][]clauseState{s.states, s.boosted, s.excludes} {
		for i := range list {
			out.Clauses = append(out.Clauses, e.w.told(&list[i]))
		}
	}
	if out.Outcome == Excluded {
		out.Because = s.excludes[len(s.excludes)-1].because(e.w, s.env)
	}
	e.fill(&out, s)
	return out
}

// headsOfAny gives each "any" the truth of the clauses below it.
func headsOfAny(states []clauseState) {
	head := -1
	for i := range states {
		switch {
		case states[i].c.any != nil:
			head = i
		case !states[i].c.inner:
			head = -1
		case head >= 0:
			states[head].truth = states[head].truth.and(states[i].truth)
		}
	}
}

// fill puts the words of a result in.
func (e *evaluation) fill(out *Result, s *solution) {
	r := e.rule
	out.Explanation, out.Remedy, out.Disproof = r.Explain.fill(e.w, s.env), r.Remedy.fill(e.w, s.env), r.disproof(e.w, s.env)
	for _, name := range slices.Sorted(maps.Keys(s.env)) {
		b := s.env[name]
		if b.fact == nil {
			continue
		}
		out.Bound = append(out.Bound, Binding{Name: name, Kind: b.kind.name, Fact: b.name(e.w), At: b.kind.at(b.fact)})
		if b.kind.addr == nil || b.kind.addr(b.fact) == 0 {
			continue
		}
		switch b.kind.name {
		case "thread":
			out.Threads = append(out.Threads, b.kind.addr(b.fact))
		case "lock":
			out.Locks = append(out.Locks, b.kind.addr(b.fact))
		}
	}
	same := map[string]bool{s.facts(): true}
	for i := range e.others {
		if key := e.others[i].facts(); !same[key] {
			same[key] = true
			out.Candidates = append(out.Candidates, e.others[i].name(e.w))
		}
	}
	out.MoreCandidates = e.more - len(e.others)
	for _, c := range out.Clauses {
		for _, m := range c.Missing {
			out.Ask = add(out.Ask, m.Command)
		}
	}
	for _, a := range r.Ask {
		for _, command := range a.commands(e.w, s.env) {
			out.Ask = add(out.Ask, command)
		}
	}
}

func add(list []string, s string) []string {
	if s == "" || slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// because fills the template of an exclude with the fact that it was found for.
func (st *clauseState) because(w *world, env bindings) string {
	if st.env != nil {
		return st.c.because.fill(w, st.env)
	}
	if st.c.as == "" || st.fact == nil {
		return st.c.because.fill(w, env)
	}
	inner := maps.Clone(env)
	inner[st.c.as] = bound{st.c.kind, st.fact}
	return st.c.because.fill(w, inner)
}

// name says what a name is bound to: an address, a name, else where it was read.
func (b bound) name(w *world) string {
	for _, f := range b.kind.fields[:min(2, len(b.kind.fields))] {
		if v := f.get(w, b.fact); len(v.List) > 0 {
			return v.List[0].String()
		}
	}
	return ""
}

// name says what was bound in a solution: "L fffffa8011efede8, T fffffa80169538a0 (likely)".
func (s *solution) name(w *world) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(s.env)) {
		if b := s.env[name]; b.fact != nil {
			parts = append(parts, name+" "+b.name(w))
		}
	}
	return strings.Join(parts, ", ") + " (" + string(s.outcome) + ")"
}

// facts tells what was bound, under whatever names: two solutions that differ in
// names alone are one.
func (s *solution) facts() string {
	var parts []string
	for _, b := range s.env {
		parts = append(parts, fmt.Sprintf("%T %p", b.fact, b.fact))
	}
	slices.Sort(parts)
	return strings.Join(parts, " ")
}

// byWeight orders results: those that hold, by severity, confidence and the number
// of their clauses that hold, then those that are excluded, then the open ones.
func byWeight(a, b Result) int {
	return cmp.Or(
		cmp.Compare(b.Outcome.weight(), a.Outcome.weight()),
		cmp.Compare(slices.Index(severities, a.Rule.Severity), slices.Index(severities, b.Rule.Severity)),
		cmp.Compare(b.holding(), a.holding()),
		strings.Compare(a.Rule.ID, b.Rule.ID),
	)
}

func (o Outcome) weight() int { return len(outcomes) - slices.Index(outcomes, string(o)) }

// holding counts the clauses of a result that hold.
func (r *Result) holding() int {
	n := 0
	for _, c := range r.Clauses {
		if c.Truth == True {
			n++
		}
	}
	return n
}

// superseded takes away results of rules that another one which holds as surely
// says it supersedes.
func superseded(rs []Result) []Result {
	gone := make(map[string]bool)
	for _, r := range rs {
		if r.Outcome.Fired() {
			for _, id := range r.Rule.Supersedes {
				gone[id] = true
			}
		}
	}
	return slices.DeleteFunc(rs, func(r Result) bool { return gone[r.Rule.ID] })
}
