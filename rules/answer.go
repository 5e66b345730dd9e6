package rules

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// result makes the Result of what was found.
func (e *evaluation) result() Result {
	out := Result{Rule: e.rule, Outcome: NoMatch, w: e.w}
	s := e.best
	switch {
	case s != nil:
		out.Outcome = s.outcome
	case e.open != nil && (e.excluded == nil || tellsOf(e.open)):
		s, out.Outcome = e.open, CouldNotCheck
	case e.excluded != nil:
		s, out.Outcome = e.excluded, Excluded
	case e.w.spent:
		return e.exhausted()
	default:
		return out
	}
	out.env, out.matched, out.bound = s.env, s.states, append(slices.Clip(s.boosted), s.excludes...)
	headsOfAny(s.states)
	for _, list := range [][]clauseState{s.states, s.boosted, s.excludes} {
		for i := range list {
			out.Clauses = append(out.Clauses, e.w.told(&list[i]))
		}
	}
	if out.Outcome == Excluded {
		out.Because = s.excludes[len(s.excludes)-1].because(e.w, s.env)
	}
	out.faint = out.Outcome == CouldNotCheck && isFaint(s.states)
	e.fill(&out, s)
	return out
}

func tellsOf(s *solution) bool {
	_, tells := openOf(s.states)
	return tells && !isFaint(s.states)
}

// exhausted is the result of a rule that more facts would have to be compared for
// than are compared for one, or are left of those for all.
func (e *evaluation) exhausted() Result {
	c := e.rule.match[0]
	what := "more facts fit than are compared for one rule (" + strconv.Itoa(mostSteps) + ")"
	if e.w.allowed < mostSteps {
		what = "the rules before it took nearly all comparisons that are made for one log (" + strconv.Itoa(mostStepsOfAll) + "): ask it alone, with --no-builtin-rules"
	}
	return Result{Rule: e.rule, Outcome: CouldNotCheck, w: e.w, Clauses: []ClauseResult{{
		Role: roleNames[roleMatch], Name: c.as, Text: c.text, Line: c.at.line, Truth: Unknown, Telling: true,
		Missing: []Missing{{What: what}},
	}}}
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
	if out.Outcome != CouldNotCheck || out.Has() { // else it is only counted
		out.Explanation, out.Remedy, out.Disproof = r.Explain.fill(e.w, s.env), r.Remedy.fill(e.w, s.env), r.disproof(e.w, s.env)
	}
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
	var same map[string]bool
	if len(e.others) > 0 {
		same = map[string]bool{s.facts(): true}
	}
	for i := range e.others {
		if key := e.others[i].facts(); !same[key] {
			same[key] = true
			out.Candidates = append(out.Candidates, e.others[i].name(e.w, s.env))
		}
	}
	out.MoreCandidates = e.more - len(e.others)
	for _, c := range out.Clauses {
		if out.Outcome == OutConfirmed || c.To != "" && out.Outcome.Fired() && !out.Outcome.Surer(Outcome(c.To)) {
			continue // nothing of it makes the rule surer
		}
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
	if b.kind.key == "" && b.kind.addr != nil && b.kind.addr(b.fact) != 0 {
		return bare(b.kind.addr(b.fact))
	}
	for _, f := range b.kind.fields[:min(2, len(b.kind.fields))] {
		if v := f.get(w, b.fact); len(v.List) > 0 {
			return v.List[0].String()
		}
	}
	return ""
}

// name says what was bound in a solution otherwise than in the best one:
// "L fffffa8011efede8, T fffffa80169538a0 (likely)".
func (s *solution) name(w *world, best bindings) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(s.env)) {
		if b := s.env[name]; b.fact != nil && b.fact != best[name].fact {
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

// told makes the result of a clause.
func (w *world) told(st *clauseState) ClauseResult {
	out := ClauseResult{Role: roleNames[st.c.role], Text: st.c.text, Line: st.c.at.line, Truth: st.truth, To: st.c.to, Missing: st.missing, Telling: st.tells, Name: st.c.as}
	if st.c.unasked {
		out.Missing = nil
		for _, m := range st.missing {
			out.Missing = append(out.Missing, Missing{What: m.What})
		}
	}
	if st.c.inner {
		out.Depth = 1
	}
	for _, p := range st.places {
		out.addEvidence(p)
	}
	return out
}

// addEvidence adds a place, or to a place that is told already what else it shows.
func (c *ClauseResult) addEvidence(e Evidence) {
	i := slices.IndexFunc(c.Evidence, func(have Evidence) bool { return have.At == e.At })
	switch {
	case !e.At.Known():
	case i < 0:
		c.Evidence = append(c.Evidence, e)
	case !strings.Contains(c.Evidence[i].Why, e.Why):
		c.Evidence[i].Why += ", " + e.Why
	}
}
