package rules

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"kdlocks/rules/tree"
)

// OverridesFormat is what a file of overrides says its format is.
const OverridesFormat = "kdlocks.overrides/v1"

// override changes one rule.
type override struct {
	d  *decoder
	at position
	id string
	// One of these is set.
	disable  bool
	patch    entries
	suppress *Suppression

	// action says what it does, to tell of two that do the same.
	action string
	reason string
}

// overrides reads a file of overrides.
func (d *decoder) overrides(root *tree.Node) []override {
	if d.misfiled(root, "rules", Format) {
		return nil
	}
	top, ok := d.mapping(root, "a file of overrides", []string{"format", "overrides"})
	if !ok || !d.required(root, top, "a file of overrides", len(d.problems), "overrides") {
		return nil
	}
	var out []override
	for _, n := range d.list(e(top, "overrides"), "overrides") {
		if o, ok := d.override(n); ok {
			out = append(out, o)
		}
	}
	return out
}

func (d *decoder) override(n *tree.Node) (override, bool) {
	before := len(d.problems)
	m, ok := d.mapping(n, "an override", []string{"id", "disable", "patch", "suppress", "reason"})
	if !ok || !d.required(n, m, "an override", before, "id") {
		return override{}, false
	}
	o := override{d: d, at: at(e(m, "id"))}
	o.id, _ = d.scalar(e(m, "id"), "id")
	if r, ok := m.get("reason"); ok {
		o.reason, _ = d.scalar(r.value, "reason")
	}
	what := 0
	if v, ok := m.get("disable"); ok {
		what++
		o.action = "disabled"
		o.disable = d.boolean(v.value, "disable")
		if _, ok := m.get("reason"); !ok {
			d.failAt(v.key, "an override that disables a rule says its reason")
		} else if !o.disable && len(d.problems) == before {
			d.failAt(v.value, "disable is true; a rule that is not disabled needs no override")
		}
	}
	if v, ok := m.get("patch"); ok {
		what++
		o.action = "patched"
		o.patch, ok = d.mapping(v.value, "patch", []string{"title", "severity", "confidence", "status", "remedy"})
		if ok && len(v.value.Content) == 0 {
			d.failAt(v.value, "patch is empty: it changes nothing")
		}
	}
	if v, ok := m.get("suppress"); ok {
		what++
		o.action = "suppressed"
		o.suppress = d.suppression(v.value)
	}
	if what != 1 && len(d.problems) == before {
		d.failAt(n, "an override has one of disable, patch and suppress, and this one has %s", [...]string{"none of them", "", "two of them", "all of them"}[what])
	}
	return o, len(d.problems) == before
}

// isDate reports whether a text is a day of the calendar.
func isDate(s string) bool {
	if !likeDate(s) {
		return false
	}
	year, _ := strconv.Atoi(s[:4])
	switch s[5:] {
	case "02-30", "02-31", "04-31", "06-31", "09-31", "11-31":
		return false
	case "02-29":
		return year%4 == 0 && (year%100 != 0 || year%400 == 0)
	}
	return true
}

func (d *decoder) suppression(n *tree.Node) *Suppression {
	m, ok := d.mapping(n, "suppress", []string{"reason", "by", "until"})
	if !ok || !d.required(n, m, "suppress", len(d.problems), "reason", "by", "until") {
		return nil
	}
	out := &Suppression{}
	out.Reason, _ = d.scalar(e(m, "reason"), "reason")
	out.By, _ = d.scalar(e(m, "by"), "by")
	out.Until, _ = d.scalar(e(m, "until"), "until")
	if out.Until != "" && !isDate(out.Until) {
		d.failAt(e(m, "until"), "until is a date such as 2027-01-31: %q", tree.Clip(out.Until))
	}
	return out
}

// override applies one.
//
// Overrides of one rule that stand in several files are applied in the order of the
// sources: of two that say the same thing the later one counts, and a rule that one
// of them disables is off, whatever the others say.
func (l *loader) override(o *override) {
	o.d.problems, o.d.rule = nil, ""
	defer func() { l.problems = append(l.problems, o.d.problems...) }()
	r := l.where[o.id]
	switch {
	case r == nil && l.elsewhere(o.id):
		if !l.newer[o.id] {
			l.set.Notes = append(l.set.Notes, fmt.Sprintf("the override at %s:%d changes nothing: rule %s is not among those that are asked", o.d.file, o.at.line, o.id))
		}
		return
	case r == nil:
		o.d.fail(o.at, "the override names no rule: %q%s", tree.Clip(o.id), didYouMean(o.id, l.set.IDs()))
		return
	case l.contradicts(r, o):
		return
	}
	l.overridden[r] = append(l.overridden[r], o)
	switch {
	case o.disable:
		if r.changed("disabled: " + o.reason); !slices.Contains(l.set.Disabled, r) {
			l.set.Disabled = append(l.set.Disabled, r)
			l.set.Rules = without(l.set.Rules, r)
		}
	case o.suppress != nil && l.today != "" && o.suppress.Until < l.today:
		l.set.Notes = append(l.set.Notes, "the suppression of rule "+r.ID+" ended on "+o.suppress.Until+": its findings are shown again")
	case o.suppress != nil:
		r.Suppressed = o.suppress
	case o.patch != nil:
		o.d.patch(r, o.patch, o.reason)
	}
}

// contradicts reports a mistake where an earlier override of the same file makes this
// one useless.
func (l *loader) contradicts(r *Rule, o *override) bool {
	for _, before := range l.overridden[r] {
		switch {
		case before.d != o.d:
		case before.action == o.action:
			o.d.fail(o.at, "the rule is %s by an earlier override already", o.action)
			return true
		case before.disable || o.disable:
			o.d.fail(o.at, "the rule is %s here and %s at line %d: one that is disabled says nothing that could be changed", o.action, before.action, before.at.line)
			return true
		}
	}
	return false
}

// changed adds what an override did to the rule.
func (r *Rule) changed(what string) {
	if r.Changed != "" {
		r.Changed += "; "
	}
	r.Changed += what
}

func without(list []*Rule, r *Rule) []*Rule {
	var out []*Rule
	for _, have := range list {
		if have != r {
			out = append(out, have)
		}
	}
	return out
}

// patch puts other values in place of single ones: lists are never joined.
func (d *decoder) patch(r *Rule, m entries, reason string) {
	d.rule = r.ID
	if n := e(m, "title"); n != nil {
		r.Title, _ = d.scalar(n, "title")
	}
	if n := e(m, "severity"); n != nil {
		r.Severity = d.word(n, "severity", severities)
	}
	if n := e(m, "status"); n != nil {
		r.Status = d.word(n, "status", statuses)
	}
	if n := e(m, "confidence"); n != nil {
		patched := Confidence(d.word(n, "confidence", confidences))
		if patched.rank() < r.Confidence.rank() || len(r.boost) > 0 {
			r.ceiling = patched // no boost raises it again
		}
		r.Confidence = patched
		if r.Inferred && r.Confidence != Possible {
			d.failAt(n, "an inferred signature was never seen in a log: its rule is possible, and not %s", r.Confidence)
		}
	}
	if n := e(m, "remedy"); n != nil {
		r.Remedy = d.template(n, "remedy", r.scope())
	}
	what := "patched: " + strings.Join(m.keys(), ", ")
	if reason != "" {
		what += " (" + reason + ")"
	}
	r.changed(what)
}

// scope returns the names that match binds, which the rule's texts can refer to.
func (r *Rule) scope() *scope {
	out := newScope()
	for _, c := range r.match {
		if c.as != "" {
			out.kinds[c.as] = c.kind
		}
	}
	return out
}
