package report

import (
	"fmt"
	"io"
	"strings"

	"kdlocks/heuristics"
	"kdlocks/rules"
)

// checkDoc is the documentation of a detector as JSON.
type checkDoc struct {
	ID         string   `json:"id"`
	Title      string   `json:"title"`
	Severity   string   `json:"severity"`
	Means      string   `json:"means"`
	WhenWrong  string   `json:"when_wrong"`
	Disproof   string   `json:"disproof"`
	Remedy     string   `json:"remedy"`
	Next       string   `json:"next_command"`
	References []string `json:"references,omitempty"`
}

func docOf(c *heuristics.Check) checkDoc {
	return checkDoc{ID: c.ID, Title: c.Title, Severity: string(c.Severity), Means: c.Means, WhenWrong: c.WhenWrong, Disproof: c.Disproof, Remedy: c.Remedy, Next: c.Next, References: c.References}
}

// WriteChecks lists detectors.
func WriteChecks(w io.Writer, cs []*heuristics.Check, format string, s Style) error {
	t := &table{columns: []column{{head: "ID"}, {head: "Severity"}, {head: "Title", prose: true}}}
	docs := make([]checkDoc, len(cs))
	for i, c := range cs {
		t.add(c.ID, string(c.Severity), c.Title)
		docs[i] = docOf(c)
	}
	return writeTable(w, t, docs, format, s)
}

// WriteExplainedJSON writes the documentation of detectors and then of rules as a list.
func WriteExplainedJSON(w io.Writer, cs []*heuristics.Check, rs []*rules.Rule) error {
	var all []any
	for _, c := range cs {
		all = append(all, docOf(c))
	}
	for _, r := range rs {
		all = append(all, ruleDocOf(r))
	}
	return JSON(w, all)
}

// WriteExplained lists detectors and then rules.
func WriteExplained(w io.Writer, cs []*heuristics.Check, rs []*rules.Rule, format string, s Style) error {
	if format == "json" {
		return WriteExplainedJSON(w, cs, rs)
	}
	if err := WriteChecks(w, cs, format, s); err != nil || len(rs) == 0 {
		return err
	}
	if _, err := io.WriteString(w, "\n"); err != nil {
		return err
	}
	return WriteRules(w, rs, format, s)
}

// WriteCheck prints the documentation of a detector.
func WriteCheck(w io.Writer, c *heuristics.Check, format string, s Style) error {
	switch format {
	case "markdown":
		return CheckMarkdown(w, c)
	case "json":
		return JSON(w, docOf(c))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s)\n%s\n", c.ID, c.Severity, c.Title)
	for _, part := range c.Parts() {
		fmt.Fprintf(&b, "\n%s\n", part.Head)
		for _, para := range strings.Split(part.Text, "\n") {
			b.WriteString(wrap(para, "  ", "  ", s.prose()))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// CheckMarkdown prints the documentation of a detector as the page that
// docs/checks holds.
func CheckMarkdown(w io.Writer, c *heuristics.Check) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n%s\n\nSeverity: %s\n", c.ID, escape(c.Title), c.Severity)
	for _, part := range c.Parts() {
		fmt.Fprintf(&b, "\n## %s\n", part.Head)
		for _, para := range strings.Split(part.Text, "\n") {
			fmt.Fprintf(&b, "\n%s\n", escape(para))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
