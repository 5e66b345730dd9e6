package rules

import (
	"cmp"
	"slices"
	"strings"
)

// disproof says what would show that the issue is another one.
func (r *Rule) disproof(w *world, env bindings) string {
	if r.Disproof != nil {
		return r.Disproof.fill(w, env)
	}
	var outs []string
	for _, c := range r.exclude {
		outs = append(outs, c.turnsOut(w, env))
	}
	switch {
	case outs != nil:
		return "It turns out that " + strings.Join(outs, ", or that ") + "."
	case r.Type == Pattern:
		return "A later log shows that these waits end by themselves, or that they are for something that the rule does not look at."
	case slices.ContainsFunc(r.References, func(f Reference) bool { return f.KB != "" || f.URL != "" }):
		return "What the article describes of the machine or the software does not fit this one, or the issue comes back with the fix in place."
	}
	return "What is known of the issue does not fit this machine or its software, or the issue comes back with the remedy in place."
}

// unfilled stands in a text for a value that is known once its clause holds.
const unfilled = "..."

// turnsOut is what a clause of exclude says if it holds: with what is bound already,
// and where that is not all, with the clause itself.
func (c *clause) turnsOut(w *world, env bindings) string {
	var b strings.Builder
	open := false
	for _, p := range c.because.parts {
		switch {
		case p.ref == nil:
			b.WriteString(p.text)
		case len(p.ref.values(w, env).List) == 0:
			b.WriteString(unfilled)
			open = true
		default:
			b.WriteString(p.ref.inText(w, env))
		}
	}
	out := strings.Join(strings.Fields(b.String()), " ")
	if !open {
		return strings.TrimSuffix(out, ".")
	}
	switch begin, ends := strings.CutSuffix(out, " "+unfilled); {
	case !ends:
		out = strings.TrimSuffix(out, ".")
	case strings.HasSuffix(begin, ":") || strings.HasSuffix(begin, ","):
		out = strings.TrimRight(begin, ":,")
	}
	return out + " (" + c.filled(w, env) + ")"
}

// filled is the text of the clause with the values of what is bound.
func (c *clause) filled(w *world, env bindings) string {
	values := make(map[string]string)
	for _, m := range c.matchers {
		for i := range m.ops {
			for k := range m.ops[i].operands {
				if ref := m.ops[i].operands[k].ref; ref != nil && len(ref.values(w, env).List) > 0 {
					values[ref.String()] = ref.inText(w, env)
				}
			}
		}
	}
	return replaceReferences(c.text, func(s string) string { return cmp.Or(values[s], s) })
}
