package rules

import (
	"regexp"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Format is the first line of a rule file.
const Format = "kdlocks.rules/v1"

// Engine is the version of this rule engine: a rule with a min_engine above it is
// not loaded, and that is said.
const Engine = "1.0"

var ruleKeys = []string{"id", "title", "class", "severity", "confidence", "status", "inferred", "applies", "match", "boost", "exclude", "explain", "remedy", "disproof", "ask", "references", "tests", "min_engine", "supersedes"}

var ruleID = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// file reads the rules of a file.
func (d *decoder) rules(root *yaml.Node) []*Rule {
	top, ok := d.mapping(root, "a rule file", []string{"format", "rules"})
	if !ok {
		return nil
	}
	d.format(root, top, Format)
	e, ok := top["rules"]
	if !ok {
		if len(d.problems) == 0 {
			d.failAt(root, "the file has no rules")
		}
		return nil
	}
	items := d.list(e.value, "rules")
	if e.value.Kind == yaml.SequenceNode && len(items) == 0 {
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
		r.source = d.sourceOf(n, next(items, i))
		out = append(out, r)
	}
	d.rule = ""
	return out
}

// format checks the key format.
func (d *decoder) format(root *yaml.Node, top map[string]entry, want string) {
	e, ok := top["format"]
	if !ok {
		d.failAt(root, "the file says no format; its first line must be \"format: %s\"", want)
		return
	}
	if e.value.Value != want {
		d.failAt(e.value, "format %q is not known; this is %s", clip(e.value.Value), want)
	}
}

func next(items []*yaml.Node, i int) *yaml.Node {
	if i+1 < len(items) {
		return items[i+1]
	}
	return nil
}

// sourceOf returns the lines of a rule.
func (d *decoder) sourceOf(n, next *yaml.Node) string {
	end := len(d.lines)
	if next != nil {
		end = min(end, max(next.Line-1, n.Line))
	}
	return strings.TrimRight(strings.Join(d.lines[n.Line-1:end], "\n"), " \n\t\r") + "\n"
}

// idOf returns the id of a rule for messages, "" if it has none.
func idOf(n *yaml.Node) string {
	if n.Kind != yaml.MappingNode {
		return ""
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == "id" && n.Content[i+1].Kind == yaml.ScalarNode {
			return clip(n.Content[i+1].Value)
		}
	}
	return ""
}

// ruleOf reads one rule; nil if it needs a newer engine, or is no rule at all.
func (d *decoder) ruleOf(n *yaml.Node) *Rule {
	if newer := d.minEngine(n); newer {
		return nil
	}
	before := len(d.problems)
	m, ok := d.mapping(n, "a rule", ruleKeys)
	if !ok {
		return nil
	}
	if !d.required(n, m, "a rule", before, "id", "title", "class", "severity", "confidence", "match", "explain", "remedy", "references", "tests") {
		return nil
	}
	r := &Rule{File: d.file, Line: n.Line, Status: "experimental"}
	d.head(r, m)
	scope := newScope()
	if e, ok := m["applies"]; ok {
		r.applies = d.applies(e.value)
	}
	r.match = d.clauses(e(m, "match"), roleMatch, scope)
	if e, ok := m["match"]; ok && e.value.Kind == yaml.SequenceNode && len(e.value.Content) == 0 {
		d.failAt(e.value, "match is empty: the rule would hold for every log")
	}
	if e, ok := m["boost"]; ok {
		r.boost = d.clauses(e.value, roleBoost, scope)
	}
	if e, ok := m["exclude"]; ok {
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
func e(m map[string]entry, key string) *yaml.Node { return m[key].value }

// required reports mistakes for keys that are missing. Where there was a mistake
// in the keys already, a missing one may be meant by it.
func (d *decoder) required(n *yaml.Node, m map[string]entry, what string, before int, keys ...string) bool {
	var missing []string
	for _, k := range keys {
		if _, ok := m[k]; !ok {
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
func (d *decoder) minEngine(n *yaml.Node) bool {
	if n.Kind != yaml.MappingNode {
		return false
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value != "min_engine" {
			continue
		}
		v := n.Content[i+1]
		want, ok := parseVersion(v.Value)
		if !ok {
			d.failAt(v, "min_engine is a version such as %s: %q", Engine, clip(v.Value))
			return true
		}
		have, _ := parseVersion(Engine)
		if order, _ := want.Compare(have); order > 0 {
			d.newer = append(d.newer, idOf(n)+" (needs engine "+v.Value+", this is "+Engine+")")
			return true
		}
	}
	return false
}

// head reads the keys that say what the rule is.
func (d *decoder) head(r *Rule, m map[string]entry) {
	r.ID, _ = d.scalar(e(m, "id"), "id")
	r.idAt = at(e(m, "id"))
	if r.ID != "" && (!ruleID.MatchString(r.ID) || len(r.ID) > 80) {
		d.failAt(e(m, "id"), "an id is at most 80 small letters and digits with single hyphens between: %q", clip(r.ID))
	}
	r.Title, _ = d.scalar(e(m, "title"), "title")
	r.Class = d.word(e(m, "class"), "class", classes)
	r.Severity = d.word(e(m, "severity"), "severity", severities)
	r.Confidence = Confidence(d.word(e(m, "confidence"), "confidence", confidences))
	if e, ok := m["status"]; ok {
		r.Status = d.word(e.value, "status", statuses)
	}
	if e, ok := m["inferred"]; ok {
		r.Inferred = d.boolean(e.value, "inferred")
	}
	if e, ok := m["min_engine"]; ok {
		r.MinEngine = e.value.Value
	}
	if e, ok := m["supersedes"]; ok {
		for _, n := range d.list(e.value, "supersedes") {
			if id, ok := d.scalar(n, "an id"); ok {
				r.Supersedes = append(r.Supersedes, id)
				d.later = append(d.later, wanted{id, at(n), r.ID})
			}
		}
	}
	for _, n := range d.list(e(m, "references"), "references") {
		r.References = append(r.References, d.reference(n))
	}
	if n := e(m, "references"); n.Kind == yaml.SequenceNode && len(n.Content) == 0 {
		d.failAt(n, "a rule names at least one source")
	}
}

var kbNumber = regexp.MustCompile(`^[0-9]{5,8}$`)

func (d *decoder) reference(n *yaml.Node) Reference {
	m, ok := d.mapping(n, "a reference", []string{"kb", "url", "text"})
	if !ok {
		return Reference{}
	}
	get := func(key string) string {
		if e, ok := m[key]; ok {
			s, _ := d.scalar(e.value, key)
			return s
		}
		return ""
	}
	out := Reference{KB: strings.TrimPrefix(strings.TrimPrefix(get("kb"), "KB"), "Q"), URL: get("url"), Text: get("text")}
	if out.KB != "" && !kbNumber.MatchString(out.KB) {
		d.failAt(e(m, "kb"), "kb is the number of an article: %q", clip(out.KB))
	}
	if out == (Reference{}) && len(m) == 0 && len(n.Content) == 0 {
		d.failAt(n, "a reference has a kb, a url or a text")
	}
	return out
}

// words reads the templates.
func (d *decoder) words(r *Rule, m map[string]entry, scope *scope) {
	r.Explain = d.template(e(m, "explain"), "explain", scope)
	r.Remedy = d.template(e(m, "remedy"), "remedy", scope)
	if e, ok := m["disproof"]; ok {
		r.Disproof = d.template(e.value, "disproof", scope)
	}
	if e, ok := m["ask"]; ok {
		r.Ask = d.templates(e.value, "ask", scope)
	}
}

// templates reads one template or a list of them.
func (d *decoder) templates(n *yaml.Node, what string, scope *scope) []*template {
	if n.Kind == yaml.ScalarNode {
		return []*template{d.template(n, what, scope)}
	}
	var out []*template
	for _, item := range d.list(n, what) {
		out = append(out, d.template(item, what, scope))
	}
	return out
}

// template reads a text with {NAME.field} in it.
func (d *decoder) template(n *yaml.Node, what string, scope *scope) *template {
	s, ok := d.scalar(n, what)
	if !ok {
		return nil
	}
	out := &template{at: at(n)}
	for {
		before, rest, found := strings.Cut(s, "{")
		name, after, closed := strings.Cut(rest, "}")
		if !found || !closed {
			out.parts = append(out.parts, templatePart{text: s})
			return out
		}
		if !isReference(name) {
			out.parts = append(out.parts, templatePart{text: before + "{" + name + "}"})
			s = after
			continue
		}
		out.parts = append(out.parts, templatePart{text: before})
		if ref := d.resolve(d.within(n, "{"+name+"}"), name, scope); ref != nil {
			out.parts = append(out.parts, templatePart{ref: ref})
		}
		s = after
	}
}

// within returns where a piece of a value stands, where the value begins if it is
// not found on its lines.
func (d *decoder) within(n *yaml.Node, piece string) position {
	for line := n.Line; line <= min(n.Line+40, len(d.lines)); line++ {
		text := d.lines[line-1]
		from := 0
		if line == n.Line {
			from = len(string([]rune(text)[:min(n.Column-1, len([]rune(text)))]))
		}
		if i := strings.Index(text[from:], piece); i >= 0 {
			return position{line, len([]rune(text[:from+i])) + 1}
		}
		if n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) == 0 && line > n.Line+4 {
			break
		}
	}
	return at(n)
}
