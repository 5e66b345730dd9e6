package rules

import (
	"maps"
	"slices"

	"kdlocks/heuristics"
	"kdlocks/kd"
)

// mostSteps bounds the facts that are compared for one rule, mostStepsOfAll those
// for all rules of a set.
const mostSteps, mostStepsOfAll = 100_000, 2_000_000

// leastSteps are left for each rule, whatever others took.
const leastSteps = 2000

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
	w.alive = alive
	w.walkFor(slices.DeleteFunc(walkedOf(alive, roleMatch), func(c *clause) bool { return c.keyed && !w.unseen(c.byKey()) }))
	w.later = walkedOf(alive, roleBoost, roleExclude)
	var out []Result
	for _, r := range alive {
		if res := w.judge(r, j); res.Outcome != NoMatch {
			out = append(out, res)
		}
	}
	kd.SortStable(out, byWeight)
	return out
}

// judge asks one rule. Of several solutions the one is told that no later moment takes
// back.
func (w *world) judge(r *Rule, j *heuristics.Judgement) Result {
	w.allowed = max(min(mostSteps, w.allSteps), leastSteps)
	w.steps, w.spent = w.allowed, false
	defer func(before int) { w.allSteps -= before - max(w.steps, 0) }(w.steps)
	e := evaluation{w: w, rule: r}
	list := r.match
	if r.applies != nil {
		list = append([]*clause{r.applies}, r.match...)
	}
	e.search(list, bindings{}, nil)
	out := e.result()
	for ended := out.takeBack(j); ended && len(e.others) > 0; {
		e.nextBest()
		next := e.result()
		if ended = next.takeBack(j); !ended {
			return next
		}
	}
	return out
}

// nextBest drops the best solution for the next one.
func (e *evaluation) nextBest() {
	k := 0
	for i := range e.others {
		if better(&e.others[i], &e.others[k]) {
			k = i
		}
	}
	best := e.others[k]
	e.best, e.others, e.more = &best, slices.Delete(slices.Clone(e.others), k, k+1), e.more-1
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
	// tells is set where something holds that is not so on most machines. unlisted is
	// where no fact of the input fits, and there may be others, or where it is compared
	// with such a one.
	tells, unlisted bool
	// faint is set where it is unknown for frames that were not printed, and nothing
	// tells that they are there.
	faint bool
	// env is set for an "all": what its clauses bound.
	env bindings
	// fact is the one that the clause holds for, or may hold for; nil where the
	// input does not hold it.
	fact fact
}

const mostCandidates = 10_000

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
	if open, tells := openOf(states); open && !tells {
		if !onlyUnlisted(states) { // of which any input has some
			e.keepOpen(s) // nothing of the issue was seen: nobody asks what excludes it
		}
		return
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
	if open, _ := openOf(states); open {
		e.keepOpen(s)
		return
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
	if ceiling := e.rule.ceiling; ceiling != "" && confidence.rank() > ceiling.rank() {
		confidence = ceiling
	}
	s.outcome = Outcome(confidence)
	e.keep(s)
}

// openOf reports whether a clause of a solution is unknown, and whether one holds
// that tells of the issue.
func openOf(states []clauseState) (open, tells bool) {
	for i := range states {
		open = open || states[i].truth == Unknown
		tells = tells || states[i].tells
	}
	return open, tells
}

// isFaint reports whether a clause is unknown for frames of which nothing tells.
func isFaint(states []clauseState) bool {
	return slices.ContainsFunc(states, func(s clauseState) bool { return s.truth == Unknown && s.faint })
}

// onlyUnlisted reports whether nothing is unknown but whether there are facts or frames
// that were not printed.
func onlyUnlisted(states []clauseState) bool {
	return !slices.ContainsFunc(states, func(s clauseState) bool { return s.truth == Unknown && !s.unlisted && !s.faint })
}

// keepOpen keeps the solution that a fact is missing for: one that tells of the
// issue, then one of which most was seen.
func (e *evaluation) keepOpen(s solution) {
	if e.open == nil {
		e.open = &s
		return
	}
	switch old, now := tellsOf(e.open), tellsOf(&s); {
	case now && !old, now == old && seen(s.states) > seen(e.open.states):
		e.open = &s
	}
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
