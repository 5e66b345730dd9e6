package rules

import (
	"cmp"
	"strings"
	"unicode/utf8"

	"kdlocks/modules"
	"kdlocks/rules/tree"
)

// Format is the first line of a rule file.
const Format = "kdlocks.rules/v1"

// Engine is the version of this rule engine: a rule with a min_engine above it is
// not loaded, and that is said.
const Engine = "1.0"

var ruleKeys = []string{"id", "title", "class", "type", "severity", "confidence", "status", "inferred", "applies", "match", "boost", "exclude", "explain", "remedy", "disproof", "ask", "references", "tests", "min_engine", "supersedes"}

// file reads the rules of a file.
func (d *decoder) rules(root *tree.Node) []*Rule {
	if d.misfiled(root, "overrides", OverridesFormat) {
		return nil
	}
	top, ok := d.mapping(root, "a rule file", []string{"format", "rules"})
	if !ok || !d.required(root, top, "the file", 0, "rules") {
		return nil
	}
	e := top.at("rules")
	items := d.list(e.value, "rules")
	if e.value.Kind == tree.Sequence && len(items) == 0 {
		d.failAt(e.value, "the list of rules is empty")
	}
	if len(items) > mostRules {
		d.failAt(items[mostRules], "a file has at most %d rules", mostRules)
		items = items[:mostRules]
	}
	var out []*Rule
	for i, n := range items {
		d.rule = idOf(n)
		r := d.ruleOf(n)
		if r == nil {
			continue
		}
		r.text, r.end = d.text, endOf(n, next(items, i))
		out = append(out, r)
	}
	d.rule = ""
	return out
}

// format returns what a file says its format is; "" and a mistake if that is none
// of ours.
func (d *decoder) format(root *tree.Node) string {
	if root.Kind != tree.Mapping {
		d.failAt(root, "a file begins with \"format: %s\" and has the key rules behind it, and this is %s", Format, kindOf(root))
		return ""
	}
	near := ""
	for i := 0; i+1 < len(root.Content); i += 2 {
		k, v := root.Content[i], root.Content[i+1]
		switch {
		case k.Value == "format" && v.Kind == tree.Scalar && (v.Value == Format || v.Value == OverridesFormat):
			return v.Value
		case k.Value == "format":
			d.failAt(v, "the format is %s or %s: %q", Format, OverridesFormat, tree.Clip(v.Value))
			return ""
		case near == "" && didYouMean(k.Value, []string{"format"}) != "":
			near = k.Value
			d.failAt(k, "a file has no key %q%s", k.Value, didYouMean(k.Value, []string{"format"}))
		}
	}
	if near == "" {
		d.failAt(root, "the file says no format; its first line is \"format: %s\" or \"format: %s\"", Format, OverridesFormat)
	}
	return ""
}

// misfiled reports a mistake where a file has the key that those of another format
// have.
func (d *decoder) misfiled(root *tree.Node, key, format string) bool {
	for i := 0; i+1 < len(root.Content); i += 2 {
		if k := root.Content[i]; k.Value == key {
			d.failAt(k, "%s stand in a file of their own, whose first line is \"format: %s\"", key, format)
			return true
		}
	}
	return false
}

func next(items []*tree.Node, i int) *tree.Node {
	if i+1 < len(items) {
		return items[i+1]
	}
	return nil
}

// endOf returns the line behind a rule, 0 for the end of the file.
func endOf(n, next *tree.Node) int {
	if next == nil {
		return 0
	}
	return max(next.Line, n.Line+1)
}

// idOf returns the id of a rule for messages, "" if it has none.
func idOf(n *tree.Node) string {
	if n.Kind != tree.Mapping {
		return ""
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == "id" && n.Content[i+1].Kind == tree.Scalar {
			return tree.Clip(n.Content[i+1].Value)
		}
	}
	return ""
}

// ruleOf reads one rule; nil if it needs a newer engine, or is no rule at all.
func (d *decoder) ruleOf(n *tree.Node) *Rule {
	if newer := d.minEngine(n); newer {
		return nil
	}
	before := len(d.problems)
	m, ok := d.mapping(n, "a rule", ruleKeys)
	if !ok {
		return nil
	}
	keys := []string{"id", "title", "class", "severity", "confidence", "match", "explain", "remedy", "references"}
	if !d.draft {
		keys = append(keys, "tests")
	}
	if !d.required(n, m, "a rule", before, keys...) {
		return nil
	}
	r := &Rule{File: d.file, Line: n.Line, Type: KnownIssue, Status: "experimental"}
	d.head(r, m)
	scope := newScope()
	if e, ok := m.get("applies"); ok {
		r.applies = d.applies(e.value)
	}
	r.match = d.clauses(e(m, "match"), roleMatch, scope)
	if e, ok := m.get("match"); ok && e.value.Kind == tree.Sequence && len(e.value.Content) == 0 {
		d.failAt(e.value, "match is empty: the rule would hold for every log")
	}
	if e, ok := m.get("boost"); ok {
		r.boost = d.clauses(e.value, roleBoost, scope)
	}
	if e, ok := m.get("exclude"); ok {
		r.exclude = d.clauses(e.value, roleExclude, scope)
	}
	d.words(r, m, scope)
	d.tests(r, m, scope)
	if len(d.problems) == before {
		d.check(r, m)
	}
	return r
}

// e returns the value of a key, nil if it is missing.
func e(m entries, key string) *tree.Node { return m.at(key).value }

// required reports mistakes for keys that are missing. Where there was a mistake
// in the keys already, a missing one may be meant by it.
func (d *decoder) required(n *tree.Node, m entries, what string, before int, keys ...string) bool {
	var missing []string
	for _, k := range keys {
		if _, ok := m.get(k); !ok {
			missing = append(missing, k)
		}
	}
	if missing == nil {
		return true
	}
	if len(d.problems) == before {
		d.failAt(n, "%s has no %s", what, strings.Join(missing, ", no "))
	}
	return false
}

// minEngine reports whether a rule needs a newer engine; its other keys are then
// not looked at.
func (d *decoder) minEngine(n *tree.Node) bool {
	if n.Kind != tree.Mapping {
		return false
	}
	have, _ := parseVersion(Engine)
	if want, ok := parseVersion(d.floor); ok && above(want, have) {
		d.isNewer(n, at(n), d.floor)
		return true
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value != "min_engine" {
			continue
		}
		v := n.Content[i+1]
		if _, ok := d.scalar(v, "min_engine"); !ok {
			return true
		}
		want, ok := parseVersion(v.Value)
		if !ok {
			d.failAt(v, "min_engine is a version such as %s: %q", Engine, tree.Clip(v.Value))
			return true
		}
		if above(want, have) {
			d.isNewer(n, at(v), v.Value)
			return true
		}
	}
	return false
}

// isNewer notes a rule that is not read.
func (d *decoder) isNewer(n *tree.Node, at position, engine string) {
	d.newer = append(d.newer, newer{idOf(n), engine, d.problem(at, "the rule needs engine %s, and this is %s: it is not loaded, and nothing of it was checked", tree.Clip(engine), Engine)})
}

// above reports whether a version is known to be greater than another.
func above(v, o modules.Version) bool {
	order, _ := v.Compare(o)
	return order > 0
}

// head reads the keys that say what the rule is.
func (d *decoder) head(r *Rule, m entries) {
	r.ID, _ = d.scalar(e(m, "id"), "id")
	r.idAt = at(e(m, "id"))
	if r.ID != "" && (!isRuleID(r.ID) || len(r.ID) > 80) {
		d.failAt(e(m, "id"), "an id is at most 80 small letters and digits with single hyphens between: %q", tree.Clip(r.ID))
	}
	r.Title, _ = d.scalar(e(m, "title"), "title")
	r.Class = d.word(e(m, "class"), "class", classes)
	r.Severity = d.word(e(m, "severity"), "severity", severities)
	r.Confidence = Confidence(d.word(e(m, "confidence"), "confidence", confidences))
	if e, ok := m.get("type"); ok {
		r.Type = d.word(e.value, "type", types)
	}
	if e, ok := m.get("status"); ok {
		r.Status = d.word(e.value, "status", statuses)
	}
	if e, ok := m.get("inferred"); ok {
		r.Inferred = d.boolean(e.value, "inferred")
	}
	if e, ok := m.get("min_engine"); ok {
		r.MinEngine = e.value.Value
	}
	if e, ok := m.get("supersedes"); ok {
		for _, n := range d.list(e.value, "supersedes") {
			if id, ok := d.scalar(n, "an id"); ok && id == r.ID {
				d.failAt(n, "a rule does not supersede itself")
			} else if ok {
				r.Supersedes = append(r.Supersedes, id)
				d.later = append(d.later, wanted{id, at(n), r.ID})
			}
		}
	}
	for _, n := range d.list(e(m, "references"), "references") {
		r.References = append(r.References, d.reference(n))
	}
	if n := e(m, "references"); n.Kind == tree.Sequence && len(n.Content) == 0 {
		d.failAt(n, "a rule names at least one source")
	}
}

func (d *decoder) reference(n *tree.Node) Reference {
	m, ok := d.mapping(n, "a reference", []string{"kb", "url", "text"})
	if !ok {
		return Reference{}
	}
	get := func(key string) string {
		if e, ok := m.get(key); ok {
			s, _ := d.scalar(e.value, key)
			return s
		}
		return ""
	}
	out := Reference{KB: strings.TrimPrefix(strings.TrimPrefix(get("kb"), "KB"), "Q"), URL: get("url"), Text: get("text")}
	if out.KB != "" && !isKB(out.KB) {
		d.failAt(e(m, "kb"), "kb is the number of an article, such as \"2608658\": %q", tree.Clip(get("kb")))
	}
	if out == (Reference{}) && len(m) == 0 && len(n.Content) == 0 {
		d.failAt(n, "a reference has a kb, a url or a text")
	}
	return out
}

// words reads the templates.
func (d *decoder) words(r *Rule, m entries, scope *scope) {
	r.Explain = d.template(e(m, "explain"), "explain", scope)
	r.Remedy = d.template(e(m, "remedy"), "remedy", scope)
	if e, ok := m.get("disproof"); ok {
		r.Disproof = d.template(e.value, "disproof", scope)
	}
	if e, ok := m.get("ask"); ok {
		r.Ask = d.templates(e.value, "ask", scope)
	}
}

// templates reads one template or a list of them.
func (d *decoder) templates(n *tree.Node, what string, scope *scope) []*template {
	if n.Kind == tree.Scalar {
		return []*template{d.template(n, what, scope)}
	}
	var out []*template
	for _, item := range d.list(n, what) {
		out = append(out, d.template(item, what, scope))
	}
	return out
}

// template reads a text with {NAME.field} in it.
func (d *decoder) template(n *tree.Node, what string, scope *scope) *template {
	s, ok := d.scalar(n, what)
	if !ok {
		return nil
	}
	out := &template{at: at(n)}
	for !d.full() {
		from, end := referenceInBraces(s)
		if from < 0 {
			break
		}
		piece := s[from:end]
		ref, why := scope.resolve(piece[1 : len(piece)-1])
		if ref != nil && (ref.field.typ == Stack || ref.field.typ == Range) {
			d.fail(d.within(n, piece), "%s is %s, which no text can hold; {%s.frame} names the frames of a thread", ref, an(ref.field.typ.String()), ref.name)
		}
		if ref != nil {
			out.parts = append(out.parts, templatePart{text: s[:from]}, templatePart{ref: ref})
		}
		if why != "" {
			d.fail(d.within(n, piece), "%s", why)
		}
		d.nearlyBraces(n, s[:from], scope)
		s = s[end:]
	}
	d.nearlyBraces(n, s, scope)
	out.parts = append(out.parts, templatePart{text: s})
	return out
}

// nearlyBraces finds what was meant as a reference of a text: a name that is
// bound, in braces.
func (d *decoder) nearlyBraces(n *tree.Node, s string, scope *scope) {
	for _, near := range nearReferences(s) {
		if d.full() {
			return
		}
		name := near.name
		if _, ok := scope.kind(name); !ok {
			upper := strings.ToUpper(name[:1]) + name[1:]
			if k, _ := scope.kind(upper); k == nil || near.field == "" {
				continue
			}
			name = upper
		}
		field := cmp.Or(near.field, ".field")
		d.fail(d.within(n, near.text), "a reference in a text is written {NAME.field}; did you mean %q?", "{"+name+strings.ToLower(field)+"}")
	}
}

// within returns where a piece of a value stands, where the value begins if it is
// not found on its lines.
func (d *decoder) within(n *tree.Node, piece string) position {
	for line := n.Line; line <= min(n.Line+40, len(d.lines())); line++ {
		text := d.lines()[line-1]
		from := 0
		if line == n.Line {
			from = tree.ByteOf(text, n.Column)
		}
		if i := strings.Index(text[from:], piece); i >= 0 {
			return position{line, utf8.RuneCountInString(text[:from+i]) + 1}
		}
		if n.Style&(tree.Literal|tree.Folded) == 0 && line > n.Line+4 {
			break
		}
	}
	return at(n)
}
