package report

import (
	"fmt"
	"io"
	"strings"

	"kdlocks/kd"
	"kdlocks/rules"
)

// ruleDoc is the documentation of a rule as JSON.
type ruleDoc struct {
	ID         string      `json:"id"`
	Title      string      `json:"title"`
	Severity   string      `json:"severity"`
	Confidence string      `json:"confidence"`
	Status     string      `json:"status"`
	Class      string      `json:"class"`
	Inferred   bool        `json:"inferred,omitempty"`
	Pack       string      `json:"pack"`
	Version    string      `json:"pack_version,omitempty"`
	File       string      `json:"file"`
	Line       int         `json:"line"`
	State      string      `json:"state,omitempty"` // what an override made of it
	Explain    string      `json:"explain"`
	Remedy     string      `json:"remedy"`
	Disproof   string      `json:"disproof"`
	Clauses    []clauseDoc `json:"clauses"`
	Ask        []string    `json:"ask,omitempty"`
	References []string    `json:"references"`
	Supersedes []string    `json:"supersedes,omitempty"`
	MinEngine  string      `json:"min_engine,omitempty"`
	Tests      []testDoc   `json:"tests"`
}

type clauseDoc struct {
	Role    string   `json:"role"`
	Name    string   `json:"as,omitempty"`
	Text    string   `json:"text"`
	Line    int      `json:"line"`
	To      string   `json:"to,omitempty"`
	Because string   `json:"because,omitempty"`
	Ask     []string `json:"ask,omitempty"`
}

type testDoc struct {
	Name   string `json:"name"`
	Expect string `json:"expect"`
}

func ruleDocOf(r *rules.Rule) ruleDoc {
	words := r.Words()
	out := ruleDoc{
		ID: r.ID, Title: r.Title, Severity: r.Severity, Confidence: string(r.Confidence), Status: r.Status, Class: r.Class, Inferred: r.Inferred,
		Pack: r.Pack.Name, Version: r.Pack.Version, File: r.File, Line: r.Line, State: stateOf(r), Explain: words.Explain, Remedy: words.Remedy,
		Disproof: words.Disproof, Ask: words.Ask, Supersedes: r.Supersedes, MinEngine: r.MinEngine,
	}
	for _, c := range r.ClauseTexts() {
		doc := clauseDoc{Role: c.Role, Name: c.Name, Text: c.Text, Line: c.Line, Ask: c.Ask}
		switch c.Role {
		case "boost":
			doc.To = c.Effect
		case "exclude":
			doc.Because = c.Effect
		}
		out.Clauses = append(out.Clauses, doc)
	}
	for _, ref := range r.References {
		out.References = append(out.References, ref.String())
	}
	for i := range r.Tests {
		out.Tests = append(out.Tests, testDoc{r.Tests[i].Label(i), string(r.Tests[i].Expect)})
	}
	return out
}

// stateOf says what an override made of a rule, "" if none did.
func stateOf(r *rules.Rule) string {
	if s := r.Suppressed; s != nil {
		return fmt.Sprintf("suppressed until %s by %s: %s", s.Until, s.By, s.Reason)
	}
	return r.Changed
}

// WriteRules lists rules.
func WriteRules(w io.Writer, rs []*rules.Rule, format string, s Style) error {
	if format == "json" {
		return WriteRulesJSON(w, rs)
	}
	t := &table{columns: []column{{head: "ID"}, {head: "Severity"}, {head: "Confidence"}, {head: "Status"}, {head: "Class", spare: true}, {head: "Pack", spare: true}, {head: "Title", prose: true}}}
	for _, r := range rs {
		status := r.Status
		if state, _, _ := strings.Cut(ruleDocOf(r).State, " "); state != "" {
			status += ", " + strings.TrimSuffix(state, ":")
		}
		t.add(r.ID, r.Severity, string(r.Confidence), status, r.Class, r.Pack.Name, r.Title)
	}
	return writeTable(w, t, nil, format, s)
}

// WriteRulesJSON writes the documentation of rules as a list.
func WriteRulesJSON(w io.Writer, rs []*rules.Rule) error {
	docs := make([]ruleDoc, len(rs))
	for i, r := range rs {
		docs[i] = ruleDocOf(r)
	}
	return JSON(w, docs)
}

// rulePart is one part of a rule's documentation: running text, or lines.
type rulePart struct {
	head, text string
	lines      []string
}

// parts are the documentation in the order to read it.
func (d *ruleDoc) parts() []rulePart {
	byRole := make(map[string][]string)
	for _, c := range d.Clauses {
		line := c.Text
		if c.Name != "" {
			line = c.Name + ": " + line
		}
		if c.To != "" {
			line += " (makes it " + c.To + ")"
		}
		if c.Because != "" {
			line += " (because " + c.Because + ")"
		}
		byRole[c.Role] = append(byRole[c.Role], line)
	}
	confidence := "All of this together makes it " + d.Confidence + "."
	if d.Inferred {
		confidence += " The signature was read out of an article's words and never seen in a log."
	}
	out := []rulePart{{head: "What it means", text: d.Explain}}
	out = append(out,
		rulePart{head: "Applies to", lines: byRole["applies"]},
		rulePart{head: "What must hold", text: confidence, lines: byRole["match"]},
		rulePart{head: "What makes it surer", lines: byRole["boost"]},
		rulePart{head: "What excludes it", lines: byRole["exclude"]},
		rulePart{head: "What would disprove it", text: d.Disproof},
		rulePart{head: "What to do", text: d.Remedy},
		rulePart{head: "Type next", lines: d.Ask},
		rulePart{head: "References", lines: d.References},
		rulePart{head: "Tests", lines: d.testLines()},
		rulePart{head: "Supersedes", lines: d.Supersedes},
		rulePart{head: "Where it stands", text: d.where()},
		rulePart{head: "What an override changed", text: d.State},
	)
	return out
}

func (d *ruleDoc) testLines() []string {
	var out []string
	for _, t := range d.Tests {
		out = append(out, t.Name+": "+t.Expect)
	}
	return out
}

func (d *ruleDoc) where() string {
	return fmt.Sprintf("%s:%d, pack %s", d.File, d.Line, strings.TrimSpace(d.Pack+" "+d.Version))
}

// WriteRule prints the documentation of a rule.
func WriteRule(w io.Writer, r *rules.Rule, format string, s Style) error {
	d := ruleDocOf(r)
	switch format {
	case "json":
		return JSON(w, d)
	case "markdown":
		return d.markdown(w)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s, %s, %s, %s)\n%s\n", Plain(d.ID), d.Severity, d.Confidence, d.Class, d.Status, Plain(d.Title))
	for _, p := range d.parts() {
		if p.text == "" && p.lines == nil {
			continue
		}
		fmt.Fprintf(&b, "\n%s\n", p.head)
		if p.text != "" {
			b.WriteString(wrap(p.text, "  ", "  ", s.prose()))
		}
		for _, l := range p.lines {
			b.WriteString(wrap(l, "  - ", "    ", s.prose()))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (d *ruleDoc) markdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n%s\n\nSeverity %s, %s, %s, %s\n", escape(d.ID), escape(d.Title), d.Severity, d.Confidence, d.Class, d.Status)
	for _, p := range d.parts() {
		if p.text == "" && p.lines == nil {
			continue
		}
		fmt.Fprintf(&b, "\n## %s\n", p.head)
		if p.text != "" {
			fmt.Fprintf(&b, "\n%s\n", escape(p.text))
		}
		for i, l := range p.lines {
			if i == 0 {
				b.WriteString("\n")
			}
			fmt.Fprintf(&b, "- %s\n", escape(l))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// WriteRuleSource prints the lines of a rule as they stand in its file.
func WriteRuleSource(w io.Writer, r *rules.Rule) error {
	for line := range strings.SplitSeq(strings.TrimRight(r.Source(), "\n"), "\n") {
		if _, err := fmt.Fprintln(w, kd.Plain(line)); err != nil {
			return err
		}
	}
	return nil
}
