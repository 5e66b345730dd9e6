package report

import (
	"fmt"
	"strings"

	"kdlocks/compare"
	"kdlocks/rules"
)

// ComparedIssue is a known issue that a rule recognised in one capture at least.
type ComparedIssue struct {
	ID       string `json:"id"`
	Title    string `json:"title"`
	Severity string `json:"severity"`
	Outcome  string `json:"outcome"` // the surest of all captures
	// Captures are those that the rule has something of, with its clauses.
	Captures   []IssueCapture `json:"captures"`
	Remedy     string         `json:"remedy"`
	References []string       `json:"references,omitempty"`
}

// IssueCapture is what a rule says of one capture.
type IssueCapture struct {
	Capture int       `json:"capture"`
	Rule    RuleMatch `json:"rule"`
}

// issues gathers what rules say of the captures, in the order of their weight in
// the first capture that they hold in.
func (b *comparer) issues(c *compare.Comparison, found map[*compare.Capture][]rules.Result) []ComparedIssue {
	var out []ComparedIssue
	at := make(map[string]int)
	for _, k := range c.Captures {
		for i := range found[k] {
			res := &found[k][i]
			if _, known := at[res.Rule.ID]; !known && res.Outcome.Fired() && res.Rule.Suppressed == nil {
				at[res.Rule.ID] = len(out)
				out = append(out, ComparedIssue{ID: res.Rule.ID, Title: res.Rule.Title, Severity: res.Rule.Severity})
			}
		}
	}
	for _, k := range c.Captures {
		for i := range found[k] {
			res := &found[k][i]
			if n, known := at[res.Rule.ID]; known {
				out[n].add(b.numbers[k], b.of(k).ruleMatch(res), res)
			}
		}
	}
	return out
}

// add tells of the issue in one capture. What helps is told for the surest.
func (i *ComparedIssue) add(capture int, m RuleMatch, res *rules.Result) {
	i.Captures = append(i.Captures, IssueCapture{capture, m})
	if res.Outcome.Fired() && (i.Outcome == "" || rules.Outcome(i.Outcome).Surer(res.Outcome)) {
		i.Outcome, i.Remedy, i.References = string(res.Outcome), res.Remedy, m.References
	}
}

// issueLines name the known issues of a comparison, each in a line.
func (c *Comparison) issueLines() []string {
	var out []string
	for i := range c.KnownIssues {
		issue := &c.KnownIssues[i]
		m := &issue.Captures[0].Rule
		var in []string
		for _, k := range issue.Captures {
			if rules.Outcome(k.Rule.Outcome).Fired() {
				in = append(in, fmt.Sprint(k.Capture))
			}
		}
		where := "capture " + in[0]
		if len(in) > 1 {
			where = "captures " + strings.Join(in, ", ")
		}
		line := fmt.Sprintf("%s (%s, %s): %s", typeWords[m.Type], issue.Outcome, where, strings.TrimSuffix(issue.Title, "."))
		if ref := m.reference(); ref != "" {
			line += " (" + ref + ")"
		}
		out = append(out, line+": "+firstSentence(issue.Remedy))
	}
	return firstOf(out, mostIssues)
}
