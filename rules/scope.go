package rules

import (
	"fmt"
	"slices"
	"strings"

	"kdlocks/rules/tree"
)

// scope holds the names that clauses have bound so far.
type scope struct {
	// outer is the one that this is in, nil if there is none.
	outer *scope
	kinds map[string]*kind
	// later are names that clauses further on bind: to refer to them is a cycle.
	later map[string]bool
	// elsewhere says of names that others cannot refer to who binds them.
	elsewhere map[string]string
	// broken is set where a clause could not be read: its name may be meant.
	broken bool
}

func newScope() *scope {
	return &scope{kinds: make(map[string]*kind), later: make(map[string]bool), elsewhere: make(map[string]string)}
}

// inner returns a scope whose new names end with it.
func (s *scope) inner() *scope {
	out := newScope()
	out.outer, out.broken = s, s.broken
	return out
}

// kind returns the kind of fact that a name is bound to, nil if that is not known;
// false if the name is not bound.
func (s *scope) kind(name string) (*kind, bool) {
	for ; s != nil; s = s.outer {
		if k, ok := s.kinds[name]; ok {
			return k, true
		}
	}
	return nil, false
}

// where says who binds a name that cannot be referred to, "" if nobody does.
func (s *scope) where(name string) string {
	for ; s != nil; s = s.outer {
		if where := s.elsewhere[name]; where != "" {
			return where
		}
	}
	return ""
}

func (s *scope) names() []string {
	var out []string
	for ; s != nil; s = s.outer {
		for n := range s.kinds {
			out = add(out, n)
		}
	}
	slices.Sort(out)
	return out
}

// isFile reports whether a text of the form of a reference is the name of a file:
// nothing is bound to what stands before its ending.
func (s *scope) isFile(text string) bool {
	name, ending, _ := strings.Cut(text, ".")
	_, bound := s.kind(name)
	return !bound && !s.later[name] && (ending == "exe" || ending == "sys" || ending == "dll")
}

// resolve finds what a reference means; nil and why if nothing. Where the clause
// that binds it has a mistake of its own, it is nil and "".
func (s *scope) resolve(ref string) (*reference, string) {
	name, fieldName := referenceAt(ref)
	k, ok := s.kind(name)
	switch {
	case !ok && s.later[name]:
		return nil, fmt.Sprintf("%s refers to %s, which is bound by this clause or a later one: clauses can refer to earlier ones only", tree.Clip(ref), tree.Clip(name))
	case !ok && s.where(name) != "":
		return nil, fmt.Sprintf("%s is bound in %s, and known there alone", tree.Clip(name), s.where(name))
	case !ok && s.broken:
		return nil, ""
	case !ok:
		return nil, fmt.Sprintf("nothing is bound to %s%s", tree.Clip(name), orBound(name, s.names()))
	case k == nil:
		return nil, ""
	}
	f := k.field(fieldName)
	if f == nil {
		return nil, fmt.Sprintf("%s is %s, and that has no field %q%s", name, an(k.name), tree.Clip(fieldName), orKeys(fieldName, k.fieldNames()))
	}
	return &reference{name: name, kind: k.name, field: f}, ""
}

// resolve finds what a reference that a node is means; nil if it has a mistake.
func (d *decoder) resolve(n *tree.Node, ref string, scope *scope) *reference {
	out, why := scope.resolve(ref)
	if why != "" {
		d.failAt(n, "%s", why)
	}
	return out
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

// bindBroken notes that what a clause binds has a mistake of its own.
func (s *scope) bindBroken(n *tree.Node) {
	s.broken = true
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == "as" {
			delete(s.later, n.Content[i+1].Value)
			s.kinds[n.Content[i+1].Value] = nil
		}
	}
}

// bindLater notes the names that a list of clauses binds, before they are read.
func (s *scope) bindLater(items []*tree.Node) {
	for _, n := range items {
		for i := 0; n.Kind == tree.Mapping && i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == "as" {
				s.later[n.Content[i+1].Value] = true
			}
		}
	}
}
