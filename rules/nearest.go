package rules

import (
	"fmt"
	"strings"

	"kdlocks/kd"
)

// mostNear bounds the facts that are looked at for the nearest one, mostExplained the
// comparisons for all that is said of one test.
const mostNear, mostExplained = 20_000, 10 * mostSteps

// nearest says which fact fits a clause best, and what of it does not.
func (w *world) nearest(c *clause, env bindings) string {
	if c.kind == nil {
		return ""
	}
	facts, byKey := w.comparedWith(c, env)
	switch {
	case len(facts) == 0 && byKey:
		return "there is no such " + c.kind.name
	case len(facts) == 0:
		return "there is no " + c.kind.name + " to compare with"
	}
	best, told := w.closest(c, env, facts), ""
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

// comparedWith returns the facts that a clause asks for by their keys, else all.
func (w *world) comparedWith(c *clause, env bindings) (facts []fact, byKey bool) {
	if facts, _, byKey = w.byKey(c, env); !byKey {
		facts = w.factsOf(c.kind)
	}
	return facts[:min(len(facts), mostNear)], byKey
}

// closest returns the one of some facts that misses least; nil if it is not known of
// any that it does not fit.
func (w *world) closest(c *clause, env bindings, facts []fact) *near {
	var best *near
	for _, f := range facts {
		if w.steps -= c.weight; w.steps < 0 {
			break
		}
		if n := w.nearness(c, env, f); n.wrong != nil && (best == nil || n.misses < best.misses) {
			best = n
		}
	}
	return best
}

// misses is what the nearest fact of a clause misses.
func (w *world) misses(c *clause, env bindings) float64 {
	facts, _ := w.comparedWith(c, env)
	if n := w.closest(c, env, facts); n != nil {
		return n.misses
	}
	return float64(len(c.matchers) + 1)
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
