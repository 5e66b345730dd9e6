package rules

import (
	"regexp"
	"slices"

	"go.yaml.in/yaml/v4"
)

// scope holds the names that clauses have bound so far.
type scope struct {
	kinds map[string]*kind
	// later are names that clauses further on bind: to refer to them is a cycle.
	later map[string]bool
	// broken is set where a clause could not be read: its name may be meant.
	broken bool
}

func newScope() *scope { return &scope{kinds: make(map[string]*kind), later: make(map[string]bool)} }

// inner returns a scope whose new names end with it.
func (s *scope) inner() *scope {
	out := newScope()
	for n, k := range s.kinds {
		out.kinds[n] = k
	}
	out.broken = s.broken
	return out
}

func (s *scope) names() []string {
	var out []string
	for n := range s.kinds {
		out = append(out, n)
	}
	slices.Sort(out)
	return out
}

var (
	bindingName = regexp.MustCompile(`^[A-Z][A-Za-z0-9_]*$`)
	referenceOf = regexp.MustCompile(`^([A-Z][A-Za-z0-9_]*)\.([a-z][a-z0-9_]*)$`)
)

// isReference reports whether a text has the form of NAME.field.
func isReference(s string) bool { return referenceOf.MatchString(s) }

// resolve finds what a reference means; nil and a mistake if nothing.
func (d *decoder) resolve(at position, s string, scope *scope) *reference {
	m := referenceOf.FindStringSubmatch(s)
	name, fieldName := m[1], m[2]
	k, ok := scope.kinds[name]
	switch {
	case !ok && scope.later[name]:
		d.fail(at, "%s refers to %s, which is bound by this clause or a later one: clauses can refer to earlier ones only", s, name)
		return nil
	case !ok && scope.broken:
		return nil
	case !ok:
		d.fail(at, "nothing is bound to %s%s", name, orBound(name, scope.names()))
		return nil
	case k == nil:
		return nil // the clause that binds it has a mistake of its own
	}
	f := k.field(fieldName)
	if f == nil {
		d.fail(at, "%s is a %s, and that has no field %q%s", name, k.name, fieldName, orKeys(fieldName, k.fieldNames()))
		return nil
	}
	return &reference{name: name, field: f, at: at}
}

func orBound(name string, names []string) string {
	if hint := didYouMean(name, names); hint != "" {
		return hint
	}
	if len(names) == 0 {
		return ": no clause of match binds a name with \"as\""
	}
	return "; bound are " + oneOf(names)
}

// bindLater notes the names that a list of clauses binds, before they are read.
func (s *scope) bindLater(items []*yaml.Node) {
	for _, n := range items {
		for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == "as" {
				s.later[n.Content[i+1].Value] = true
			}
		}
	}
}
