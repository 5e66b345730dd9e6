package inspect_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"kdlocks/inspect"
	"kdlocks/report"
	"kdlocks/rules"
)

// replay is a log that follows a public document, or part of it, and what must be said:
// the conclusion of the document, or what keeps it from being drawn.
type replay struct {
	name string
	log  []string // inputs
	// kind and says are of the verdict; never is what it must not say.
	kind  string
	says  []string
	never string
	// seen are beginnings of lines that must be evidence, each with the number that the
	// line has.
	seen []string
	// article is what some finding or known issue refers to, known the known issue and
	// its confidence, because why a known issue is excluded.
	article, known, because string
	// asks are all commands to type next, in their order.
	asks []string
	// open are commands that known issues which could not be checked ask for.
	open []string
}

// documentRules are the packs that kdlocks ships with.
func documentRules(t *testing.T) *rules.Set {
	t.Helper()
	set, err := rules.Load([]rules.Source{rules.Builtin()}, "2026-11-22")
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// replayAll analyses each log and compares what is said.
func replayAll(t *testing.T, set *rules.Set, replays []replay) {
	t.Helper()
	for _, c := range replays {
		var in []inspect.Input
		for i, text := range c.log {
			in = append(in, inspect.Bytes(string(rune('a'+i))+".log", []byte(text)))
		}
		c.hold(t, withRules(t, set, in...))
	}
}

// hold compares a report with what must be said.
func (c *replay) hold(t *testing.T, r *report.Report) {
	t.Helper()
	if r.Verdict.Kind != c.kind {
		t.Errorf("%s: %s: %s", c.name, r.Verdict.Kind, r.Verdict.Summary)
	}
	for _, s := range c.says {
		if !strings.Contains(r.Verdict.Summary, s) {
			t.Errorf("%s: the verdict does not say %q: %s", c.name, s, r.Verdict.Summary)
		}
	}
	if c.never != "" && strings.Contains(r.Verdict.Summary, c.never) {
		t.Errorf("%s: the verdict says %q: %s", c.name, c.never, r.Verdict.Summary)
	}
	if got := r.NextCommands(); !slices.Equal(got, c.asks) {
		t.Errorf("%s: asks for %q, want %q", c.name, got, c.asks)
	}
	for _, line := range c.seen {
		c.evident(t, r, line)
	}
	c.issues(t, r)
}

// evident holds that a line is quoted as evidence, by the number that it has.
func (c *replay) evident(t *testing.T, r *report.Report, line string) {
	t.Helper()
	for _, f := range r.Findings {
		for _, e := range f.Evidence {
			lines := strings.Split(c.log[int(e.Input[0]-'a')], "\n")
			if e.Line > len(lines) {
				t.Errorf("%s: evidence at line %d of %d", c.name, e.Line, len(lines))
			} else if strings.HasPrefix(strings.TrimSpace(lines[e.Line-1]), line) {
				return
			}
		}
	}
	t.Errorf("%s: no evidence is %q", c.name, line)
}

// issues compares what is said of known issues and articles.
func (c *replay) issues(t *testing.T, r *report.Report) {
	t.Helper()
	refers, known := c.article == "", c.known == ""
	for _, f := range r.Findings {
		refers = refers || slices.ContainsFunc(f.References, func(s string) bool { return strings.Contains(s, c.article) })
		known = known || f.ID+" "+f.Confidence == c.known
	}
	if !refers || !known {
		t.Errorf("%s: refers to %s: %v; %s: %v", c.name, c.article, refers, c.known, known)
	}
	excluded := c.because == ""
	for _, x := range r.Rules.Excluded {
		excluded = excluded || strings.Contains(x.Because, c.because)
	}
	if !excluded {
		t.Errorf("%s: nothing is excluded because %q: %+v", c.name, c.because, r.Rules.Excluded)
	}
	var open []string
	for _, x := range r.Rules.CouldNotCheck {
		for _, next := range x.NextCommands {
			if !slices.Contains(open, next) {
				open = append(open, next)
			}
		}
	}
	for _, want := range c.open {
		if !slices.Contains(open, want) {
			t.Errorf("%s: known issues that could not be checked ask for %q, want %q", c.name, open, want)
		}
	}
}

// readText reads a file of test data.
func readText(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// steps cuts a log into its commands and their output: "!vm", "dps", ...
func steps(text, prompt string) map[string]string {
	out := make(map[string]string)
	for _, s := range strings.Split(text, prompt)[1:] {
		name, _, _ := strings.Cut(strings.TrimSpace(s), " ")
		name, _, _ = strings.Cut(name, "\n")
		out[name] = prompt + s
	}
	return out
}

// join puts steps together, each with something in front of it.
func join(of map[string]string, between string, names ...string) string {
	var b strings.Builder
	for _, n := range names {
		b.WriteString(between + of[n])
	}
	return b.String()
}

// asInput is a log as an input.
func asInput(text string) inspect.Input { return inspect.Bytes("a.log", []byte(text)) }
