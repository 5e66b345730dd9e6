package rules

import (
	"slices"

	"kdlocks/kd"
)

// match is a fact that a clause holds for, or may hold for. Its fact is nil where
// the input does not hold it.
type match struct {
	clauseState
	// open is set where it stands for any number of facts that may exist.
	open bool
}

// mostDerived bounds the facts that are kept which may fit because what they are compared
// with is not known: one tells as much as another.
const mostDerived = 16

// matches returns the facts that a clause holds for and then those it may hold
// for.
func (w *world) matches(c *clause, env bindings) []match {
	var yes, maybe []match
	facts, gap := w.candidates(c, env)
	for _, f := range facts {
		if w.steps -= c.weight; w.steps < 0 {
			w.spent = true
			break
		}
		m := w.try(c, env, f)
		switch m.truth {
		case True:
			yes = append(yes, m)
		case Unknown:
			maybe = append(maybe, m)
		}
		if len(maybe) >= mostDerived && c.count == nil && m.unlisted {
			break
		}
	}
	// Of a fact that fits, nobody guesses that it is another one that was not printed.
	if gap.missing != nil && !(gap.unlisted && len(yes) > 0 && c.count == nil) {
		maybe = append(maybe, match{clauseState: clauseState{c: c, truth: Unknown, missing: gap.missing, unlisted: gap.unlisted}, open: gap.open})
	}
	return append(yes, maybe...)
}

// gap is what of the facts that a clause may hold for is missing.
type gap struct {
	missing []Missing
	// open is set where it may be any number of facts, unlisted where the input has
	// facts of the kind and does not say that they are all.
	open, unlisted bool
}

// candidates returns the facts that a clause may hold for, and what of them is
// missing.
func (w *world) candidates(c *clause, env bindings) ([]fact, gap) {
	if facts, g, ok := w.byKey(c, env); ok {
		return facts, g
	}
	if !c.kind.seen(w) {
		return nil, gap{missing: []Missing{{What: w.kindMissing(c.kind), Command: w.command(c, env, c.kind.ask, nil)}}, open: true}
	}
	if c.walk < 0 {
		return w.lookup(c, env), w.unlisted(c, env)
	}
	if addrs, ok := w.ledTo(c); ok {
		w.walkFor(w.together(c))
		return w.callees.facts[c.walk], w.unprinted(c, env, addrs)
	}
	g := w.unlisted(c, env)
	w.walkFor(w.together(c))
	if w.callees.short[c.walk] {
		g = gap{missing: []Missing{{What: "there are more threads that may fit than rules look at", Command: c.findThreads()}}, open: true}
	}
	return w.callees.facts[c.walk], g
}

// byKey returns the facts of a clause that asks for their keys.
func (w *world) byKey(c *clause, env bindings) (facts []fact, g gap, ok bool) {
	op := c.byKey()
	if op == nil || c.kind.hidden != nil && !c.kind.hidden(c, nil) || c.keyed && c.walk >= 0 && w.unseen(op) && op.unbound(env) {
		return nil, gap{}, false
	}
	facts, g = w.ofKeys(c, op, env)
	return facts, g, true
}

// unbound reports whether the comparison is with facts alone that the input does not
// hold.
func (c *comparison) unbound(env bindings) bool {
	return !slices.ContainsFunc(c.operands, func(o operand) bool { return o.ref == nil || env[o.ref.name].fact != nil })
}

// unseen reports whether the input has no facts of the kinds that the comparison is
// with.
func (w *world) unseen(c *comparison) bool {
	return !slices.ContainsFunc(c.operands, func(o operand) bool { return o.ref == nil || kindNamed(o.ref.kind).seen(w) })
}

// namesKeys reports whether the comparison gives the keys of facts.
func (c *comparison) namesKeys() bool {
	for i := range c.operands {
		if c.operands[i].glob != "" {
			return false
		}
	}
	return c.op == "eq" || c.op == "in" || c.op == "has"
}

func (w *world) ofKeys(c *clause, op *comparison, env bindings) (facts []fact, g gap) {
	seen := make(map[string]bool)
	for i := range op.operands {
		o := &op.operands[i]
		values := one(o.lit)
		if o.ref != nil {
			values = o.ref.values(w, env)
		}
		if !values.All {
			g.open = true
			// What a name stands for may be unknown because its facts are not listed.
			g.unlisted = o.ref != nil && env[o.ref.name].fact == nil
			g.missing = append(g.missing, w.missingFor(o, env))
		}
		for _, v := range values.List {
			if seen[v.key()] {
				continue
			}
			seen[v.key()] = true
			if c.keyed && w.briefRulesOut(c, v.A) {
				continue
			}
			if f := c.kind.find(w, v); f != nil {
				facts = append(facts, f)
				continue
			}
			if c.kind.absent != nil && c.kind.absent(w, v) {
				continue
			}
			if g.unlisted = false; len(g.missing) < mostMissing {
				g.missing = append(g.missing, Missing{What: c.kind.name + " " + v.String(), Command: w.command(c, env, c.kind.one, &v)})
			}
		}
	}
	return facts, g
}

// try compares one fact with all matchers of a clause.
func (w *world) try(c *clause, env bindings, f fact) match {
	if c.kind.hidden != nil && c.kind.hidden(c, f) {
		return match{clauseState: clauseState{c: c, truth: False}}
	}
	out := match{clauseState: clauseState{c: c, truth: True, fact: f}}
	telling, derived := 0, true
	for _, m := range c.matchers {
		v := m.test(w, env, f)
		if out.truth = out.truth.and(v.truth); out.truth == False {
			return match{clauseState: clauseState{c: c, truth: False}}
		}
		if v.truth == Unknown {
			out.faint = out.faint || v.faint
			o := m.unknownOperand(w, env, f)
			derived = derived && o != nil && env[o.ref.name].fact == nil
			out.missing = append(out.missing, w.missingOf(c, env, m, f, &v))
		}
		telling += m.tells(&v)
		out.places = append(out.places, v.at...)
	}
	out.tells = telling >= tellsMuch || telling > 0 && out.truth == True
	out.unlisted = out.truth == Unknown && derived
	if len(out.places) == 0 {
		out.places = []Evidence{{At: c.kind.at(f), Addr: addrOf(c.kind, f), Why: c.kind.name}}
	}
	return out
}

func addrOf(k *kind, f fact) kd.Addr {
	if k.addr == nil {
		return 0
	}
	return k.addr(f)
}
