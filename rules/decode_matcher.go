package rules

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"kdlocks/rules/tree"
)

// matcher reads what a field is compared with; nil if it has mistakes.
func (d *decoder) matcher(n *tree.Node, f *field, scope *scope) *matcher {
	m := &matcher{field: f, at: at(n)}
	before := len(d.problems)
	switch {
	case f.typ == Stack:
		m.stack = d.stack(n, scope)
	case n.Kind == tree.Sequence:
		d.comparison(m, "in", n, scope)
	case n.Kind == tree.Mapping:
		d.comparisons(m, n, scope)
	case f.typ == Range:
		d.failAt(n, "%s is an address range: write {holds: NAME.field}", f.name)
	default:
		d.comparison(m, "eq", n, scope)
	}
	if len(d.problems) > before {
		return nil
	}
	return m
}

// comparisons reads {gte: 1, lt: 5}.
func (d *decoder) comparisons(m *matcher, n *tree.Node, scope *scope) {
	if d.sign(n) {
		return
	}
	ops, ok := d.mappingOf(n, "the comparison of "+m.field.name, "operator", operatorNames)
	if !ok {
		return
	}
	if len(n.Content) == 0 {
		d.failAt(n, "the comparison of %s is empty; %s can have %s", m.field.name, m.field.name, oneOf(operatorsFor(m.field)))
	}
	for _, entry := range ops {
		name := entry.key.Value
		if names := operatorsFor(m.field); !slices.Contains(names, name) {
			d.failAt(entry.key, "%s is %s and cannot be compared by %s; it can by %s", m.field.name, an(d.typeOf(m.field)), name, oneOf(names))
			continue
		}
		d.comparison(m, name, entry.value, scope)
	}
	d.empty(m)
}

// signs are how other languages write the operators.
var signs = map[string]string{">=": "gte", ">": "gt", "<=": "lte", "<": "lt", "==": "eq", "=": "eq", "!=": "ne", "<>": "ne", "contains": "has", "like": "glob", "regex": "glob", "matches": "glob", "not": "ne"}

// sign reports a mistake where an operator is written as in other languages.
func (d *decoder) sign(n *tree.Node) bool {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if op := signs[n.Content[i].Value]; op != "" {
			d.failAt(n.Content[i], "the operator %s is written %s", n.Content[i].Value, op)
			return true
		}
	}
	return false
}

func (d *decoder) typeOf(f *field) string {
	if f.list {
		return "list of values of type " + f.typ.String()
	}
	return f.typ.String()
}

// comparison reads one operator with its operands.
func (d *decoder) comparison(m *matcher, op string, n *tree.Node, scope *scope) {
	c := comparison{op: op}
	switch {
	case op == "near":
		if !d.near(&c, m.field, n, scope) {
			return
		}
	case operatorNamed(op).list && n.Kind == tree.Sequence:
		if len(n.Content) == 0 {
			d.failAt(n, "the list for %s is empty: nothing is in it", m.field.name)
		}
		for _, item := range n.Content {
			d.operand(&c, m.field, item, scope)
		}
	case op == "in" && !isReference(n.Value):
		d.failAt(n, "in takes a list or a reference NAME.field")
	case n.Kind == tree.Sequence:
		d.failAt(n, "%s takes one value, and this is a list; %s", op, listInstead(op, m.field))
	default:
		d.operand(&c, m.field, n, scope)
	}
	m.ops = append(m.ops, c)
}

// listInstead says how a list is asked for.
func listInstead(op string, f *field) string {
	switch {
	case op == "ne" && f.typ == Enum:
		return "write those that it may be, as in [" + strings.Join(f.words[:min(2, len(f.words))], ", ") + "]"
	case op == "ne":
		return "a clause of exclude can have one"
	}
	return "in takes one"
}

// operand reads a literal, a pattern or a reference.
func (d *decoder) operand(c *comparison, f *field, n *tree.Node, scope *scope) {
	s, ok := d.scalar(n, f.name)
	if !ok {
		return
	}
	quoted := n.Style&(tree.DoubleQuoted|tree.SingleQuoted) != 0
	if !quoted && isReference(s) && !scope.isFile(s) {
		if ref := d.resolve(n, s, scope); ref != nil {
			d.comparable(n, f, c.op, ref)
			c.operands = append(c.operands, operand{ref: ref})
		}
		return
	}
	if c.op == "glob" || f.typ == Name && isGlob(s) && c.op != "holds" {
		if why := badGlob(s); why != "" {
			d.failAt(n, "%s: %s: %q", f.name, why, tree.Clip(s))
		}
		if f.typ != Text {
			s = strings.ToLower(s)
		}
		c.operands = append(c.operands, operand{glob: s})
		return
	}
	typ := f.typ
	if typ == Range {
		typ = Address
	}
	if typ == Text {
		s = n.Value // blanks count
	}
	v, why := literal(typ, s, f.words)
	if why == "" && (typ == Name || typ == Text) {
		why = notInUse(f, s)
	}
	if why != "" && quoted && isReference(s) {
		why += "; a reference stands without quotes"
	}
	if k, _ := scope.kind(s); why != "" && k != nil {
		why += fmt.Sprintf("; %s is a fact: name its field, as in %s.%s", s, s, k.fields[0].name)
	}
	if why != "" {
		d.failAt(n, "%s %s", f.name, why)
		return
	}
	c.operands = append(c.operands, operand{lit: v})
}

// comparable checks that a field can be compared with one that a reference names.
func (d *decoder) comparable(n *tree.Node, f *field, op string, ref *reference) {
	want, have := f.typ, ref.field.typ
	same := want == have || want.numeric() && have.numeric() || isWords(want) && isWords(have)
	if op == "holds" {
		same = have == Address
	}
	if !same {
		d.failAt(n, "%s is %s and %s is %s: they cannot be compared", f.name, an(want.String()), ref, an(have.String()))
	}
}

func isWords(t Type) bool { return t == Name || t == Text || t == Enum }

// near reads {ref: P.np_allocs, pct: 5}.
func (d *decoder) near(c *comparison, f *field, n *tree.Node, scope *scope) bool {
	m, ok := d.mapping(n, "near", []string{"ref", "pct"})
	if !ok || !d.required(n, m, "near", len(d.problems), "ref", "pct") {
		return false
	}
	v, why := literal(Percent, e(m, "pct").Value, nil)
	if why != "" {
		d.failAt(e(m, "pct"), "pct %s", why)
		return false
	}
	c.pct = v.N
	d.operand(c, f, e(m, "ref"), scope)
	return true
}

// empty reports a mistake where two comparisons leave no value.
func (d *decoder) empty(m *matcher) {
	for i := range m.ops {
		for k := range m.ops {
			if a, b := &m.ops[i], &m.ops[k]; i != k && (a.opposes(b) || a.tooHigh(b, m.field) || a.without(b)) {
				d.fail(m.at, "no value of %s is both %s and %s: the clause can never hold", m.field.name, a.short(), b.short())
				return
			}
		}
	}
}

// tooHigh reports whether one comparison is a lower bound and the other an upper one
// below it. Of several values of a list each may keep to another bound.
func (c *comparison) tooHigh(o *comparison, f *field) bool {
	if !c.bounds("gt", "gte") || !o.bounds("lt", "lte") || !f.typ.ordered() || f.list {
		return false
	}
	n := c.operands[0].lit.compare(o.operands[0].lit)
	return n > 0 || n == 0 && (c.op == "gt" || o.op == "lt")
}

// without reports whether a comparison names the values, and the other holds for none
// of them.
func (c *comparison) without(o *comparison) bool {
	if !c.literal("eq", "in", "has") || !o.literal("eq", "in", "has", "ne", "gt", "gte", "lt", "lte", "glob") {
		return false
	}
	for i := range c.operands {
		if c.operands[i].glob != "" || o.test(nil, nil, c.operands[i].lit) != False {
			return false
		}
	}
	return true
}

// literal reports whether a comparison is one of some, without a reference.
func (c *comparison) literal(ops ...string) bool {
	return slices.Contains(ops, c.op) && len(c.operands) > 0 && !slices.ContainsFunc(c.operands, func(o operand) bool { return o.ref != nil })
}

// opposites are pairs of operators that never hold both for the same reference.
var opposites = map[string][]string{"eq": {"ne", "gt", "lt"}, "has": {"ne"}, "gt": {"lt", "lte"}, "gte": {"lt"}}

// opposes reports whether two comparisons with the same reference exclude each other.
func (c *comparison) opposes(o *comparison) bool {
	if !slices.Contains(opposites[c.op], o.op) || len(c.operands) != 1 || len(o.operands) != 1 {
		return false
	}
	a, b := c.operands[0].ref, o.operands[0].ref
	return a != nil && b != nil && a.String() == b.String()
}

// bounds reports whether a comparison is one of some with a literal.
func (c *comparison) bounds(ops ...string) bool {
	return slices.Contains(ops, c.op) && len(c.operands) == 1 && c.operands[0].ref == nil
}

// short prints a comparison.
func (c *comparison) short() string {
	var words []string
	for i := range c.operands {
		words = append(words, cmp.Or(c.operands[i].glob, c.operands[i].refName()))
	}
	return c.op + " " + strings.Join(words, ", ")
}

// stack reads a pattern of frames: {seq: [...], within: N, top: true, none: [...]},
// a list of frames, or one frame.
func (d *decoder) stack(n *tree.Node, scope *scope) *stackPattern {
	p := &stackPattern{}
	switch n.Kind {
	case tree.Sequence:
		p.seq = d.frameSeq(n, scope)
		return p
	case tree.Scalar:
		p.seq = [][]framePattern{d.frames(n, scope)}
		return p
	}
	m, ok := d.mapping(n, "stack", []string{"seq", "within", "top", "none"})
	if !ok {
		return p
	}
	if e, ok := m.get("seq"); ok {
		p.seq = d.frameSeq(e.value, scope)
	}
	if e, ok := m.get("none"); ok {
		for _, item := range d.list(e.value, "none") {
			p.none = append(p.none, d.frames(item, scope)...)
		}
		if e.value.Kind == tree.Sequence && len(e.value.Content) == 0 {
			d.failAt(e.value, "the list of frames is empty: none forbids nothing")
		}
		d.contradicts(p, e.value)
	}
	if e, ok := m.get("top"); ok {
		p.top = d.boolean(e.value, "top")
	}
	if e, ok := m.get("within"); ok {
		d.window(p, e.value)
	}
	if _, ok := m.get("seq"); !ok && (p.top || p.within > 0) {
		d.failAt(n, "top and within are about seq, and there is none")
	}
	if len(n.Content) == 0 {
		d.failAt(n, "stack is empty: it has seq, within, top, none")
	}
	return p
}

// contradicts reports a mistake where none forbids what seq asks for.
func (d *decoder) contradicts(p *stackPattern, none *tree.Node) {
	for _, alternatives := range p.seq {
		if len(alternatives) == 0 || slices.ContainsFunc(alternatives, func(f framePattern) bool { return !slices.Contains(p.none, f) }) {
			continue
		}
		d.failAt(none, "none forbids %s!%s, which seq asks for: the clause can never hold", alternatives[0].module, alternatives[0].function)
		return
	}
}

// window reads within.
func (d *decoder) window(p *stackPattern, n *tree.Node) {
	v, err := strconv.Atoi(n.Value)
	if err != nil || v < 1 || v > 10_000 {
		d.failAt(n, "within is how many frames in a row may hold seq, a number from 1: %q", tree.Clip(n.Value))
		return
	}
	if p.within = v; v < len(p.seq) {
		d.failAt(n, "seq has %d frames, and %d in a row never hold them", len(p.seq), v)
	}
}

// mostFrames bounds the frames of a pattern.
const mostFrames = 64

func (d *decoder) frameSeq(n *tree.Node, scope *scope) [][]framePattern {
	items := d.list(n, "seq")
	if n.Kind == tree.Sequence && (len(items) == 0 || len(items) > mostFrames) {
		d.failAt(n, "seq has 1 to %d frames, and this has %d", mostFrames, len(items))
		return nil
	}
	var out [][]framePattern
	for _, item := range items {
		out = append(out, d.frames(item, scope))
	}
	return out
}

// frames reads one frame, or a list of which one must stand there.
func (d *decoder) frames(n *tree.Node, scope *scope) []framePattern {
	items := []*tree.Node{n}
	if n.Kind == tree.Sequence {
		if items = n.Content; len(items) == 0 {
			d.failAt(n, "the list of frames is empty: one of them must stand there")
		}
	}
	var out []framePattern
	for _, item := range items {
		s, ok := d.scalar(item, "a frame")
		if !ok {
			continue
		}
		p, why := d.frame(s, scope)
		if why != "" {
			d.failAt(item, "%s: %q", why, tree.Clip(s))
			continue
		}
		out = append(out, p)
	}
	return out
}

// frame reads module!function, {NAME.field}!function and third-party!function.
func (d *decoder) frame(s string, scope *scope) (framePattern, string) {
	ref, rest, ok := strings.Cut(strings.TrimPrefix(s, "{"), "}")
	if !ok || !strings.HasPrefix(s, "{") || !isReference(ref) {
		return parseFrame(s)
	}
	r, why := scope.resolve(ref)
	switch {
	case why != "":
		return framePattern{}, why
	case r == nil:
		return framePattern{}, ""
	case r.field.typ != Name:
		return framePattern{}, r.String() + " is no name of a module"
	}
	p, why := parseFrame("*" + rest)
	p.ref = r
	return p, why
}
