package rules

import "strings"

// template is a text with fields of bindings in it: "Tag {P.tag} holds {P.np_bytes} bytes".
type template struct {
	parts []templatePart
	at    position
}

type templatePart struct {
	text string
	ref  *reference // in place of text
}

// mostInText bounds the values of a list that a text names.
const mostInText = 8

// fill puts the values of bindings in.
func (t *template) fill(w *world, env bindings) string {
	if t == nil {
		return ""
	}
	var b strings.Builder
	for _, p := range t.parts {
		if p.ref == nil {
			b.WriteString(p.text)
			continue
		}
		b.WriteString(p.ref.inText(w, env))
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// commands fills in a debugger command. One that names a list is typed for each
// of its first values; what is not known cannot be typed.
func (t *template) commands(w *world, env bindings) []string {
	out := []string{""}
	for _, p := range t.parts {
		words := []string{p.text}
		if p.ref != nil {
			words = nil
			for _, v := range p.ref.values(w, env).List[:min(len(p.ref.values(w, env).List), mostMissing)] {
				words = append(words, v.String())
			}
		}
		var longer []string
		for _, begin := range out {
			for _, word := range words {
				longer = append(longer, begin+word)
			}
		}
		out = longer[:min(len(longer), mostMissing)]
	}
	return out
}

// inText prints what a reference stands for; "(unknown)" where the input does
// not hold it.
func (r *reference) inText(w *world, env bindings) string {
	values := r.values(w, env)
	var words []string
	for i, v := range values.List {
		if i == mostInText {
			words = append(words, "...")
			break
		}
		words = append(words, v.String())
	}
	switch {
	case words == nil && values.All:
		return "none"
	case words == nil:
		return "unknown"
	}
	return strings.Join(words, ", ")
}

// raw returns the text as it stands in the rule.
func (t *template) raw() string {
	if t == nil {
		return ""
	}
	var b strings.Builder
	for _, p := range t.parts {
		if p.ref != nil {
			b.WriteString("{" + p.ref.String() + "}")
			continue
		}
		b.WriteString(p.text)
	}
	return b.String()
}
