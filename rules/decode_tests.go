package rules

import (
	"slices"
	"strings"

	"kdlocks/rules/tree"
)

// tests reads the tests of a rule: at least one that it holds for and one that it
// must not hold for.
func (d *decoder) tests(r *Rule, m entries, scope *scope) {
	if _, ok := m.get("tests"); !ok && d.draft {
		return
	}
	before := len(d.problems)
	all := scope.withBoosts(r)
	for _, n := range d.list(e(m, "tests"), "tests") {
		if t, ok := d.test(n, all); ok {
			r.Tests = append(r.Tests, t)
		}
	}
	if len(d.problems) > before || d.draft {
		return
	}
	hit := slices.ContainsFunc(r.Tests, func(t Test) bool { return t.Expect.Fired() })
	miss := slices.ContainsFunc(r.Tests, func(t Test) bool { return !t.Expect.Fired() })
	switch {
	case !hit && !miss:
		d.failAt(e(m, "tests"), "a rule has at least one test that expects a hit and one that expects none")
	case !hit:
		d.failAt(e(m, "tests"), "no test expects possible, likely or confirmed: nothing shows that the rule ever holds")
	case !miss:
		d.failAt(e(m, "tests"), "no test expects no-match, excluded or could-not-check: nothing shows that the rule can be silent")
	}
}

// withBoosts is the scope with the names that boosts and excludes bind, which
// tests may ask for.
func (s *scope) withBoosts(r *Rule) *scope {
	out := s.inner()
	for _, list := range [][]*clause{r.match, r.boost, r.exclude} {
		for _, c := range list {
			out.addNames(c)
		}
	}
	return out
}

func (s *scope) addNames(c *clause) {
	if c.as != "" {
		s.kinds[c.as] = c.kind
	}
	for _, list := range c.any {
		for _, inner := range list {
			s.addNames(inner)
		}
	}
}

func (d *decoder) test(n *tree.Node, scope *scope) (Test, bool) {
	before := len(d.problems)
	m, ok := d.mapping(n, "a test", []string{"name", "log", "input", "expect", "bind"})
	if !ok || !d.required(n, m, "a test", before, "expect") {
		return Test{}, false
	}
	t := Test{at: at(n), Expect: Outcome(d.word(e(m, "expect"), "expect", outcomes))}
	_, hasLog := m.get("log")
	_, hasInput := m.get("input")
	switch {
	case hasLog && hasInput:
		d.failAt(e(m, "input"), "a test has a log or an input, and this one has both")
	case !hasLog && !hasInput && len(d.problems) == before:
		d.failAt(n, "a test has a log (a file) or an input (the text itself)")
	case hasLog:
		t.Log, _ = d.scalar(e(m, "log"), "log")
		if strings.Contains(t.Log, "..") || strings.HasPrefix(t.Log, "/") || strings.ContainsAny(t.Log, `\:`) {
			d.failAt(e(m, "log"), "a log lies in the pack's testdata or beside the rule file, named without .. and with /: %q", tree.Clip(t.Log))
		}
	case hasInput:
		t.Input, _ = d.scalar(e(m, "input"), "input")
	}
	if entry, ok := m.get("name"); ok {
		t.Name, _ = d.scalar(entry.value, "name")
	}
	if entry, ok := m.get("bind"); ok {
		t.Bind = d.expectedBindings(entry.value, scope)
		if t.Expect == NoMatch {
			d.failAt(entry.key, "where a rule does not match, nothing is bound: a test that expects no-match has no bind")
		}
	}
	return t, len(d.problems) == before
}

func (d *decoder) expectedBindings(n *tree.Node, scope *scope) []ExpectedBinding {
	if n.Kind != tree.Mapping {
		d.failAt(n, "bind is a mapping of NAME.field to values, and this is %s", kindOf(n))
		return nil
	}
	var out []ExpectedBinding
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if slices.ContainsFunc(out, func(b ExpectedBinding) bool { return b.Ref == k.Value }) {
			d.failAt(k, "%s stands twice in bind", k.Value)
			continue
		}
		if !isReference(k.Value) {
			d.failAt(k, "bind has keys of the form NAME.field: %q", tree.Clip(k.Value))
			continue
		}
		ref := d.resolve(k, k.Value, scope)
		if ref == nil {
			continue
		}
		if _, ok := d.scalar(v, k.Value); !ok {
			continue
		}
		want, why := literal(ref.field.typ, v.Value, ref.field.words)
		if why != "" {
			d.failAt(v, "%s %s", k.Value, why)
			continue
		}
		out = append(out, ExpectedBinding{Ref: k.Value, Want: v.Value, ref: ref, want: want, at: at(v)})
	}
	return out
}
