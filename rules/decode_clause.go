package rules

import (
	"slices"
	"strings"
	"sync"

	"kdlocks/rules/tree"
)

// clauses reads a list of clauses.
func (d *decoder) clauses(n *tree.Node, r role, scope *scope) []*clause {
	items := d.list(n, roleNames[r])
	if n.Kind != tree.Sequence {
		scope.broken = true
	}
	if r == roleMatch {
		scope.bindLater(items)
	}
	var out []*clause
	for _, item := range items {
		if c := d.clause(item, r, scope); c != nil {
			out = append(out, c)
		}
	}
	return out
}

// keys lists the keys that a clause may have beside the name of its kind.
func (r role) keys() []string {
	switch r {
	case roleBoost:
		return []string{"as", "any", "all", "count", "ask", "to"}
	case roleExclude:
		return []string{"as", "any", "all", "count", "ask", "because"}
	}
	return []string{"as", "any", "count", "ask"}
}

// clauseKeys are all keys of a clause.
func (r role) clauseKeys() []string {
	keysOnce.Do(func() {
		for _, role := range []role{roleMatch, roleBoost, roleExclude, roleApplies} {
			allKeys[role] = append(role.keys(), kindNames()...)
		}
	})
	return allKeys[r]
}

var (
	keysOnce sync.Once
	allKeys  [len(roleNames)][]string
)

// clause reads one clause; nil if it has mistakes.
func (d *decoder) clause(n *tree.Node, r role, scope *scope) *clause {
	before := len(d.problems)
	if r != roleMatch {
		scope.bindLater([]*tree.Node{n})
	}
	if d.beside(n) || d.ofOtherRole(n, r) {
		scope.bindBroken(n)
		return nil
	}
	m, ok := d.mapping(n, "a clause of "+roleNames[r], r.clauseKeys())
	if !ok {
		scope.broken = true
		return nil
	}
	c := &clause{role: r, at: at(n), walk: -1}
	d.kindOf(n, c, m, before)
	d.name(c, m, scope)
	if e, ok := m.get("any"); ok {
		d.any(c, e.value, scope)
	}
	if e, ok := m.get("all"); ok {
		d.all(c, e.value, scope)
	}
	if c.kind != nil && e(m, c.kind.name) != nil { // which is missing where there were too many mistakes
		c.matchers = d.matchers(e(m, c.kind.name), c.kind, scope)
		c.text = d.textOf(c.kind.name, e(m, c.kind.name))
	}
	if e, ok := m.get("count"); ok {
		if c.any != nil {
			d.failAt(e.key, "count is how many facts a clause holds for, and \"any\" has none: count within its lists")
		}
		c.count = d.matcher(e.value, &field{name: "count", typ: Number}, scope)
		c.text += ", count " + flow(e.value)
	}
	if e, ok := m.get("ask"); ok {
		c.ask = d.templates(e.value, "ask", scope)
		c.unasked = len(c.ask) == 0
		for _, list := range c.any {
			for _, inner := range list {
				if inner != nil {
					inner.unasked = inner.unasked || c.unasked
				}
			}
		}
	}
	d.effect(n, c, m, scope, before)
	d.bind(c, m, scope)
	if len(d.problems) > before {
		scope.broken = true
		return nil
	}
	return c
}

// beside reports a mistake where the fields of a fact stand beside its kind.
func (d *decoder) beside(n *tree.Node) bool {
	var k *kind
	for i := 0; n.Kind == tree.Mapping && i+1 < len(n.Content); i += 2 {
		key, v := n.Content[i], n.Content[i+1]
		switch {
		case k != nil && k.field(key.Value) != nil:
			d.failAt(key, "%s is a field of %s: it is indented deeper than %s", key.Value, k.name, k.name)
			return true
		case v.Tag == "!!null":
			k = kindNamed(key.Value)
		}
	}
	return false
}

// ofOtherRole reports a mistake where a clause has a key that those of other lists
// have.
func (d *decoder) ofOtherRole(n *tree.Node, r role) bool {
	for i := 0; n.Kind == tree.Mapping && i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		for _, other := range []role{roleBoost, roleExclude} {
			if slices.Contains(other.keys(), key.Value) && !slices.Contains(r.keys(), key.Value) {
				d.failAt(key, "%q is for clauses of %s, and this is one of %s", key.Value, roleNames[other], roleNames[r])
				return true
			}
		}
	}
	return false
}

// kindOf finds the one kind of a clause.
func (d *decoder) kindOf(n *tree.Node, c *clause, m entries, before int) {
	var found []string
	for i := 0; i+1 < len(n.Content); i += 2 {
		if k := kindNamed(n.Content[i].Value); k != nil {
			found = append(found, k.name)
			if len(found) == 1 {
				c.kind = k
			}
		}
	}
	_, isAny := m.get("any")
	_, isAll := m.get("all")
	isAny = isAny || isAll
	switch {
	case len(found) > 1:
		d.failAt(m.at(found[1]).key, "a clause asks for one kind of fact, and this one for %s: make a clause of each", strings.Join(found, " and "))
	case isAny && len(found) == 1:
		d.failAt(m.at("any").key, "a clause has \"any\" or a kind of fact, and this one has both")
	case len(found) == 0 && !isAny && len(d.problems) == before:
		d.failAt(n, "the clause names no kind of fact; there are %s", strings.Join(kindNames(), ", "))
	}
}

// name checks the name that a clause binds.
func (d *decoder) name(c *clause, m entries, scope *scope) {
	e, ok := m.get("as")
	if !ok {
		return
	}
	s, ok := d.scalar(e.value, "as")
	switch _, twice := scope.kind(s); {
	case !ok:
	case !isBinding(s) || len(s) > 40:
		d.failAt(e.value, "a name begins with a capital letter and has letters, digits and _ behind it, such as L or Owner: %q", tree.Clip(s))
	case twice:
		d.failAt(e.value, "%s is bound by an earlier clause; names are bound once", s)
	case c.kind == nil:
		if _, isAny := m.get("any"); isAny {
			d.failAt(e.value, "\"any\" binds no name: give the clauses within it one")
		}
	default:
		c.as = s
	}
}

// bind makes the name of a clause known to later ones. Names of boost and exclude
// are for their own texts alone.
func (d *decoder) bind(c *clause, m entries, scope *scope) {
	e, ok := m.get("as")
	if !ok || e.value.Kind != tree.Scalar {
		return
	}
	name := e.value.Value
	delete(scope.later, name)
	switch _, twice := scope.kind(name); {
	case twice:
	case c.role == roleMatch:
		scope.kinds[name] = c.kind
	default:
		scope.elsewhere[name] = "a clause of " + roleNames[c.role]
	}
}

// any reads the lists of an "any".
func (d *decoder) any(c *clause, n *tree.Node, scope *scope) {
	lists := d.list(n, "any")
	if n.Kind == tree.Sequence && len(lists) < 2 {
		d.failAt(n, "any is a list of two or more lists of clauses")
	}
	for _, item := range lists {
		if item.Kind == tree.Mapping { // one clause needs no list of its own
			item = &tree.Node{Kind: tree.Sequence, Content: []*tree.Node{item}, Line: item.Line, Column: item.Column}
		}
		if item.Kind == tree.Sequence && len(item.Content) == 0 {
			d.failAt(item, "a list of clauses in any is empty: it would always hold")
		}
		inner := scope.inner()
		c.any = append(c.any, d.anyList(item, c.role, inner))
		for name := range inner.kinds {
			if _, outer := scope.kind(name); !outer {
				scope.elsewhere[name] = "a list of any"
			}
		}
	}
	c.text = "any of " + flow(n)
}

// all reads the list of an "all".
func (d *decoder) all(c *clause, n *tree.Node, scope *scope) {
	if n.Kind == tree.Sequence && len(n.Content) < 2 {
		d.failAt(n, "all is a list of two or more clauses that must hold together")
	}
	c.scope = scope.inner()
	c.any = [][]*clause{d.anyList(n, c.role, c.scope)}
	c.text = "all of " + flow(n)
}

// anyList reads one of the lists: its clauses have no effect of their own.
func (d *decoder) anyList(item *tree.Node, r role, inner *scope) []*clause {
	var out []*clause
	inner.bindLater(item.Content)
	for _, n := range d.list(item, "a list of clauses in any") {
		for i := 0; n.Kind == tree.Mapping && i+1 < len(n.Content); i += 2 {
			if k := n.Content[i]; k.Value == "any" || k.Value == "all" {
				d.failAt(k, "%s within any or all is not part of the format", k.Value)
				return nil
			}
		}
		cl := d.clause(n, roleMatch, inner)
		if cl != nil {
			cl.role, cl.inner = r, true
			out = append(out, cl)
		}
	}
	return out
}

// effect reads what a boost or an exclude does.
func (d *decoder) effect(n *tree.Node, c *clause, m entries, scope *scope, before int) {
	inner := scope.inner()
	if c.scope != nil {
		inner = c.scope
	}
	if c.as != "" {
		inner.kinds[c.as] = c.kind
	}
	switch c.role {
	case roleBoost:
		if e, ok := m.get("to"); ok {
			c.to = Confidence(d.word(e.value, "to", confidences))
		} else if len(d.problems) == before {
			d.failAt(n, "a clause of boost says \"to\" what confidence it raises the rule")
		}
	case roleExclude:
		if e, ok := m.get("because"); ok {
			c.because = d.template(e.value, "because", inner)
		} else if len(d.problems) == before {
			d.failAt(n, "a clause of exclude says \"because\" of what the rule is out")
		}
	}
}

// matchers reads the fields of a clause.
func (d *decoder) matchers(n *tree.Node, k *kind, scope *scope) []*matcher {
	m, ok := d.mappingOf(n, k.name, "field", k.fieldNames())
	if !ok {
		return nil
	}
	var out []*matcher
	for _, entry := range m {
		if mt := d.matcher(entry.value, k.field(entry.key.Value), scope); mt != nil {
			out = append(out, mt)
		}
	}
	return out
}

// applies reads "applies": fields of the target.
func (d *decoder) applies(n *tree.Node) *clause {
	k := kindNamed("target")
	return &clause{role: roleApplies, kind: k, matchers: d.matchers(n, k, newScope()), text: d.textOf("target", n), at: at(n), walk: -1, weight: 1}
}

// textOf prints a clause in one line.
func (d *decoder) textOf(name string, n *tree.Node) string {
	s := flow(n)
	if s == "{}" {
		return name
	}
	return name + " " + s
}

// flow prints a node in YAML's flow style.
func flow(n *tree.Node) string {
	var b strings.Builder
	writeFlow(&b, n)
	return b.String()
}

func writeFlow(b *strings.Builder, n *tree.Node) {
	quote := ""
	switch {
	case n.Kind == tree.Mapping:
		b.WriteByte('{')
		for i := 0; i+1 < len(n.Content); i += 2 {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(n.Content[i].Value)
			b.WriteString(": ")
			writeFlow(b, n.Content[i+1])
		}
		b.WriteByte('}')
		return
	case n.Kind == tree.Sequence:
		b.WriteByte('[')
		for i, c := range n.Content {
			if i > 0 {
				b.WriteString(", ")
			}
			writeFlow(b, c)
		}
		b.WriteByte(']')
		return
	case n.Style&(tree.DoubleQuoted|tree.SingleQuoted) != 0:
		quote = `"`
	}
	b.WriteString(quote)
	b.WriteString(n.Value)
	b.WriteString(quote)
}
