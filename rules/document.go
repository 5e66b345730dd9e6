package rules

import "fmt"

// ClauseText is a clause as it stands in its rule.
type ClauseText struct {
	Role string // match, boost, exclude or applies
	Name string // that it binds, "" for none
	Text string
	Line int // in the rule's file
	// Effect is the confidence that a boost gives, or why an exclude is one.
	Effect string
	Ask    []string
}

// Words are the texts of a rule as they stand in it, with {NAME.field} for values.
type Words struct {
	Explain, Remedy, Disproof string
	Ask                       []string
}

// ClauseTexts returns the clauses of a rule in the order in which they are asked.
func (r *Rule) ClauseTexts() []ClauseText {
	var out []ClauseText
	if r.applies != nil {
		out = append(out, r.applies.words())
	}
	for _, list := range [][]*clause{r.match, r.boost, r.exclude} {
		for _, c := range list {
			out = append(out, c.words())
		}
	}
	return out
}

func (c *clause) words() ClauseText {
	out := ClauseText{Role: roleNames[c.role], Name: c.as, Text: c.text, Line: c.at.line}
	switch c.role {
	case roleBoost:
		out.Effect = string(c.to)
	case roleExclude:
		out.Effect = c.because.raw()
	}
	out.Ask = raws(c.ask)
	return out
}

// Words returns the texts of the rule. Where it has no disproof of its own, what
// excludes it stands for one.
func (r *Rule) Words() Words {
	out := Words{Explain: r.Explain.raw(), Remedy: r.Remedy.raw(), Disproof: r.Disproof.raw(), Ask: raws(r.Ask)}
	if r.Disproof == nil {
		out.Disproof = r.disproof(nil, nil)
	}
	return out
}

func raws(ts []*template) []string {
	var out []string
	for _, t := range ts {
		out = append(out, t.raw())
	}
	return out
}

// Label is what a test is called, the one of a number counted from 0 without a
// name or a log.
func (t *Test) Label(i int) string {
	switch {
	case t.Name != "":
		return t.Name
	case t.Log != "":
		return t.Log
	}
	return fmt.Sprintf("test %d", i+1)
}

// Surer reports whether another outcome of a rule that holds is surer than o.
func (o Outcome) Surer(other Outcome) bool {
	return Confidence(other).rank() > Confidence(o).rank()
}
