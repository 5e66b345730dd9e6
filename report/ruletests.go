package report

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"

	"kdlocks/kd"
	"kdlocks/rules"
)

// RuleTest is what became of one test of a rule.
type RuleTest struct {
	Pack    string           `json:"pack"`
	Rule    string           `json:"rule"`
	Test    string           `json:"test"`
	File    string           `json:"file"`
	Line    int              `json:"line"`
	Column  int              `json:"column,omitempty"` // of a mistake that keeps the rule from being loaded
	Passed  bool             `json:"passed"`
	Want    string           `json:"want"`
	Got     string           `json:"got"`
	Error   string           `json:"error,omitempty"`
	Diffs   []RuleDiff       `json:"differences,omitempty"`
	Clauses []RuleTestClause `json:"clauses,omitempty"`
	// Note says what the clauses make of the rule where they do not show it.
	Note string `json:"note,omitempty"`

	notLoaded bool
}

// RuleDiff is a field that is not as the test expects it.
type RuleDiff struct {
	Field string `json:"field"`
	Want  string `json:"want"`
	Got   string `json:"got"`
	Line  int    `json:"line"`
}

// RuleTestClause is a clause and what became of it in a test.
type RuleTestClause struct {
	Role    string        `json:"role"`
	Text    string        `json:"text"`
	Line    int           `json:"line"`
	Truth   string        `json:"truth"`
	At      []int         `json:"log_lines,omitempty"`
	Missing []RuleMissing `json:"missing,omitempty"`
	// Nearest says of a false clause what of the fact that fits it best does not fit.
	Nearest string `json:"nearest,omitempty"`

	inner bool // of a list of any or all
}

// NewRuleTest makes a RuleTest.
func NewRuleTest(t *rules.TestResult) RuleTest {
	out := RuleTest{
		Pack: t.Rule.Pack.Name, Rule: t.Rule.ID, Test: t.Name, File: t.Rule.File, Line: t.Line, Passed: !t.Failed(),
		Want: string(t.Want), Got: string(t.Got), Error: t.Err, Note: t.Note,
	}
	for _, d := range t.Diffs {
		out.Diffs = append(out.Diffs, RuleDiff(d))
	}
	for _, c := range t.Clauses {
		tc := RuleTestClause{Role: c.Role, Text: c.Text, Line: c.Line, Truth: c.Truth.String(), Nearest: c.Nearest, inner: c.Depth > 0}
		for _, e := range c.Evidence {
			tc.At = append(tc.At, int(e.At.Line))
		}
		for _, m := range c.Missing {
			tc.Missing = append(tc.Missing, RuleMissing{What: m.What, NextCommand: m.Command})
		}
		out.Clauses = append(out.Clauses, tc)
	}
	return out
}

// RulesThatDoNotLoad are what stands in the place of tests for each mistake that keeps
// rules from being loaded, so that a CI system that reads the tests sees them.
func RulesThatDoNotLoad(err error) []RuleTest {
	ps := rules.ProblemsOf(err)
	if ps == nil {
		ps = rules.Problems{{Text: err.Error()}}
	}
	var out []RuleTest
	for _, p := range ps {
		out = append(out, RuleTest{Rule: p.Rule, Test: "load", File: p.File, Line: p.Line, Column: p.Col, Error: p.Text, notLoaded: true})
	}
	return out
}

// RuleTestFormats are the formats of WriteRuleTests.
func RuleTestFormats() []string { return []string{"json", "junit", "table"} }

// WriteRuleTests prints the tests that failed with all their differences, and how
// many there are; as JSON or JUnit all tests.
func WriteRuleTests(w io.Writer, tests []RuleTest, format string, s Style) error {
	switch format {
	case "json":
		if tests == nil {
			tests = []RuleTest{}
		}
		return JSON(w, tests)
	case "junit":
		return writeJUnit(w, tests)
	}
	p := &page{names: names{r: &Report{}}, s: s}
	failed, notLoaded := 0, 0
	perRule := make(map[string]bool)
	for i := range tests {
		if tests[i].notLoaded {
			notLoaded++
			p.ruleTest(&tests[i])
			continue
		}
		perRule[tests[i].Rule] = true
		if !tests[i].Passed {
			failed++
		}
		if !tests[i].Passed || tests[i].explained() {
			p.ruleTest(&tests[i])
		}
	}
	ran, more := len(tests)-notLoaded, ""
	if notLoaded > 0 {
		more = ", " + kd.Plural(notLoaded, "rule") + " not loaded"
	}
	fmt.Fprintf(p, "%s of %s: %d passed, %d failed%s\n", kd.Plural(ran, "test"), kd.Plural(len(perRule), "rule"), ran-failed, failed, more)
	_, err := w.Write(p.Bytes())
	return err
}

// explained reports whether the test says what became of the clauses.
func (t *RuleTest) explained() bool { return len(t.Clauses) > 0 || t.Note != "" }

// TestMistakes are what failed of tests, each with what became of its clauses.
func TestMistakes(results []rules.TestResult, s Style) rules.Problems {
	var out rules.Problems
	for i := range results {
		if found := results[i].Problems(); found != nil {
			found[len(found)-1].Notes = RuleTestLines(&results[i], s)
			out = append(out, found...)
		}
	}
	return out
}

// RuleTestLines says what became of the clauses in a test, as WriteRuleTests does.
func RuleTestLines(t *rules.TestResult, s Style) []string {
	rt := NewRuleTest(t)
	if !rt.explained() {
		return nil
	}
	p := &page{names: names{r: &Report{}}, s: s}
	p.ruleTestClauses(&rt)
	return strings.Split(strings.TrimRight(p.String(), "\n"), "\n")
}

// ruleTest prints a test.
func (p *page) ruleTest(t *RuleTest) {
	verdict := p.paint("1;31", "FAIL")
	if t.Passed {
		verdict = p.paint("1;32", "PASS")
	}
	if t.Rule != "" {
		fmt.Fprintf(p, "%s %s: %s\n", verdict, Plain(t.Rule), Plain(t.Test))
	} else {
		fmt.Fprintf(p, "%s %s\n", verdict, Plain(t.Test))
	}
	if t.File != "" {
		fmt.Fprintf(p, "  %s:%d\n", Plain(t.File), t.Line)
	}
	if t.Error != "" {
		p.fold("  ! ", t.Error)
	}
	for _, d := range t.Diffs {
		fmt.Fprintf(p, "  %s\n", Plain(d.Field))
		p.fold("    want  ", d.Want)
		p.fold("    got   ", d.Got)
	}
	p.ruleTestClauses(t)
	p.WriteString("\n")
}

// ruleTestClauses prints what became of the clauses.
func (p *page) ruleTestClauses(t *RuleTest) {
	if len(t.Clauses) > 0 {
		fmt.Fprintf(p, "  %s\n", p.bold("Clauses"))
	}
	for _, c := range t.Clauses {
		head, below := fmt.Sprintf("    %-8s", c.Truth), "            "
		if c.inner {
			head, below = "  "+head, "  "+below
		}
		p.fold(head, fmt.Sprintf("%s, line %d: %s", c.Role, c.Line, c.Text))
		if len(c.At) > 0 {
			p.fold(below, "at "+logLines(c.At)+" of the log")
		}
		for _, m := range c.Missing {
			p.fold(below, m.line())
		}
		if c.Nearest != "" {
			p.fold(below, c.Nearest)
		}
	}
	if t.Note != "" {
		p.fold("  ", t.Note)
	}
}

// line says what is missing and what supplies it.
func (m *RuleMissing) line() string {
	if m.NextCommand == "" {
		return "not in the log: " + m.What
	}
	return "not in the log: " + m.What + "; type: " + m.NextCommand
}

// logLines names lines of a log, each once.
func logLines(at []int) string {
	const most = 8
	at = slices.Clone(at)
	kd.SortStable(at, cmp.Compare[int])
	at = slices.Compact(at)
	var parts []string
	for i, n := range at {
		if i == most {
			parts = append(parts, "...")
			break
		}
		parts = append(parts, fmt.Sprint(n))
	}
	if len(at) == 1 {
		return "line " + parts[0]
	}
	return "lines " + strings.Join(parts, ", ")
}

// The elements of JUnit's XML as CI systems read them.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Errors   int         `xml:"errors,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Name      string        `xml:"name,attr"`
		ClassName string        `xml:"classname,attr"`
		File      string        `xml:"file,attr"`
		Line      int           `xml:"line,attr"`
		Failure   *junitMessage `xml:"failure"`
		Error     *junitMessage `xml:"error"`
	}
	junitMessage struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",cdata"`
	}
)

// writeJUnit prints one suite for each pack and one case for each test.
func writeJUnit(w io.Writer, tests []RuleTest) error {
	all := junitSuites{Name: "kdlocks rules"}
	at := make(map[string]int)
	for i := range tests {
		t := &tests[i]
		suite := cmp.Or(t.Pack, t.File, "rules")
		n, ok := at[suite]
		if !ok {
			n = len(all.Suites)
			at[suite] = n
			all.Suites = append(all.Suites, junitSuite{Name: Plain(suite)})
		}
		s := &all.Suites[n]
		c := junitCase{Name: Plain(t.Test), ClassName: Plain(t.Rule), File: Plain(t.File), Line: t.Line}
		switch {
		case t.notLoaded:
			c.Error = t.junit(t.Error, "load")
			s.Errors++
			all.Errors++
		case t.Error != "":
			c.Error = t.junit(t.Error, "log")
			s.Errors++
			all.Errors++
		case !t.Passed:
			c.Failure = t.junit(t.differences(), "difference")
			s.Failures++
			all.Failures++
		}
		s.Tests++
		all.Tests++
		s.Cases = append(s.Cases, c)
	}
	text, err := xml.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s%s\n", xml.Header, text)
	return err
}

func (t *RuleTest) differences() string {
	var parts []string
	for _, d := range t.Diffs {
		parts = append(parts, fmt.Sprintf("%s: want %s, got %s", d.Field, d.Want, d.Got))
	}
	return strings.Join(parts, "; ")
}

// junit makes the message of a failed test; its text is that of the table form.
func (t *RuleTest) junit(message, kind string) *junitMessage {
	p := &page{names: names{r: &Report{}}}
	p.ruleTest(t)
	return &junitMessage{Message: Plain(message), Type: kind, Text: "\n" + strings.TrimRight(p.String(), "\n") + "\n"}
}

// RuleProblem is a mistake in a rule file as JSON.
type RuleProblem struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
	Rule   string `json:"rule"`
	Text   string `json:"text"`
	// Notes are what became of the clauses where a test failed.
	Notes []string `json:"notes,omitempty"`
}

// RuleProblems returns mistakes in rule files as they are told to programs.
func RuleProblems(ps rules.Problems) []RuleProblem {
	out := []RuleProblem{}
	for _, p := range ps {
		out = append(out, RuleProblem{p.File, p.Line, p.Col, p.Rule, p.Text, p.Notes})
	}
	return out
}

// WriteProblems prints mistakes in rule files as a list for editors.
func WriteProblems(w io.Writer, ps rules.Problems) error { return JSON(w, RuleProblems(ps)) }
