package rules

import (
	"slices"
	"strings"
)

// Set is the rules that are asked: those of some packs, changed by overrides. It
// does not change once it is loaded, so that several may ask it at once.
type Set struct {
	Packs []*Pack
	// Rules are in the order of packs, files and lines, disabled ones left out.
	Rules []*Rule
	// Disabled are the rules that an override turned off.
	Disabled []*Rule
	// Notes are about rules that need a newer engine and about suppressions that
	// have expired.
	Notes []string
	// NotLoaded says of each rule that needs a newer engine where it stands.
	NotLoaded Problems

	plan *plan
}

// Lookup returns the rule with an id, nil if there is none.
func (s *Set) Lookup(id string) *Rule {
	if s == nil {
		return nil
	}
	for _, r := range s.Rules {
		if r.ID == id {
			return r
		}
	}
	return nil
}

// All returns the rules that are asked, and then those that an override turned off.
func (s *Set) All() []*Rule { return slices.Concat(s.Rules, s.Disabled) }

// Named finds a rule by its id, also one that an override turned off; nil if there
// is none.
func (s *Set) Named(id string) *Rule {
	for _, r := range s.All() {
		if r.ID == id {
			return r
		}
	}
	return nil
}

// IDs returns the ids of all rules.
func (s *Set) IDs() []string {
	var out []string
	for _, r := range s.Rules {
		out = append(out, r.ID)
	}
	return out
}

// Nearest returns a hint at the rule whose id is like a word, "" if none is.
func (s *Set) Nearest(word string, others []string) string {
	return strings.TrimPrefix(didYouMean(word, append(s.IDs(), others...)), "; ")
}

// Of returns the set of the rules of one pack, which tests run with.
func (s *Set) Of(p *Pack) *Set {
	out := &Set{Packs: []*Pack{p}}
	for _, r := range s.Rules {
		if r.Pack == p {
			out.Rules = append(out.Rules, r)
		}
	}
	out.plan = s.plan
	return out
}

// copyOf returns a set of copies of some rules, which is prepared for them alone:
// what it costs to ask it does not depend on how many others there are.
func copyOf(rules []*Rule) *Set {
	out := &Set{}
	for _, r := range rules {
		c := *r
		if r.applies != nil {
			c.applies = r.applies.copy()
		}
		c.match, c.boost, c.exclude = copies(r.match), copies(r.boost), copies(r.exclude)
		out.Rules = append(out.Rules, &c)
	}
	out.plan = newPlan(out.Rules)
	return out
}

func copies(list []*clause) []*clause {
	out := make([]*clause, len(list))
	for i, c := range list {
		out[i] = c.copy()
	}
	return out
}

// copy returns a copy of a clause as it was read, without what a plan has noted in it.
func (c *clause) copy() *clause {
	out := &clause{
		role: c.role, as: c.as, kind: c.kind, matchers: slices.Clone(c.matchers), count: c.count, inner: c.inner, scope: c.scope,
		ask: c.ask, unasked: c.unasked, to: c.to, because: c.because, text: c.text, at: c.at, walk: -1, weight: 1,
	}
	for _, list := range c.any {
		out.any = append(out.any, copies(list))
	}
	return out
}
