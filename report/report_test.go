package report

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"kdlocks/kd"
)

func TestPlain(t *testing.T) {
	for _, tc := range []struct{ in, want string }{
		{"nt!KiSwapContext", "nt!KiSwapContext"},
		{"\x1b]0;evil\x07", `\x1b]0;evil\x07`},
		{"a\rb\tc", `a\x0db c`},
		{"\u202eevil", `\x202eevil`},
		{"caf\u00e9 \u2026", "caf\u00e9 \u2026"},
		{"\x9b31m", "\ufffd31m"},
	} {
		if got := Plain(tc.in); got != tc.want {
			t.Errorf("Plain(%q) = %q, want %q", tc.in, got, tc.want)
		}
	}
}

func TestWrap(t *testing.T) {
	got := wrap("thread fffffa80169538a0 waits for fffffa8011efede8 and more", "  - ", "    ", 30)
	for line := range strings.SplitSeq(strings.TrimSuffix(got, "\n"), "\n") {
		if kd.Cells(line) > 30 {
			t.Errorf("%q is wider than 30", line)
		}
	}
	if !strings.Contains(got, "fffffa80169538a0") || !strings.Contains(got, "fffffa8011efede8") {
		t.Errorf("an address was cut: %q", got)
	}
}

// sample is a table with all that a log can do to it.
func sample() *table {
	t := &table{columns: []column{{head: "ERESOURCE"}, {head: "Owner"}, {head: "Symbol", prose: true}, {head: "Line", spare: true}}}
	t.add("fffffa8011efede8", "fffff88007fab7f3 = fffffa80169538a0", "nt!AVeryLongSymbolNameThatDoesNotFitAnywhere", "3")
	t.add("fffffa8011efede9", "fffffa80169538a1", "evil\x1b[31m\rname | <b>", "4")
	return t
}

// TestTableKeepsItsPromises: never wider than the terminal, addresses whole,
// no control character.
func TestTableKeepsItsPromises(t *testing.T) {
	for _, width := range []int{0, 40, 60, 80, 90, 100, 120, 200} {
		var b bytes.Buffer
		if err := sample().write(&b, width); err != nil {
			t.Fatal(err)
		}
		out := b.String()
		for line := range strings.SplitSeq(out, "\n") {
			if width > 0 && kd.Cells(line) > width {
				t.Errorf("width %d: %q has %d columns", width, line, kd.Cells(line))
			}
		}
		for _, addr := range []string{"fffffa8011efede8", "fffff88007fab7f3", "fffffa80169538a0", "fffffa8011efede9"} {
			if !strings.Contains(out, addr) {
				t.Errorf("width %d: %s is not whole in\n%s", width, addr, out)
			}
		}
		if strings.ContainsAny(out, "\x1b\r") {
			t.Errorf("width %d: a control character came through", width)
		}
	}
}

func TestTableDropsSpareColumnsFirst(t *testing.T) {
	var b bytes.Buffer
	if err := sample().write(&b, 90); err != nil {
		t.Fatal(err)
	}
	if out := b.String(); strings.Contains(out, "Line") || !strings.Contains(out, "Symbol") || !strings.Contains(out, "│") {
		t.Errorf("at 90 columns:\n%s", out)
	}
}

func TestTableIsCapped(t *testing.T) {
	tb := &table{columns: []column{{head: "A"}}}
	for range mostRows + 5 {
		tb.add("x")
	}
	var b bytes.Buffer
	if err := tb.write(&b, 80); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "... and 5 more") {
		t.Error("what was left out is not said")
	}
}

func TestMarkdownIsEscaped(t *testing.T) {
	var b bytes.Buffer
	if err := sample().markdown(&b); err != nil {
		t.Fatal(err)
	}
	if out := b.String(); strings.Contains(out, "<b>") || strings.Contains(out, "name | ") || strings.Contains(out, "\x1b") {
		t.Errorf("not escaped:\n%s", out)
	}
	if got := fenced("a\n```\nb"); !strings.HasPrefix(got, "````\n") {
		t.Errorf("a fence that its content closes: %q", got)
	}
	if got := code("a`b"); got != "`` a`b ``" {
		t.Errorf("code = %q", got)
	}
}

// TestHostileNamesStayOnTheirLine: the names of files and images come from
// outside and go to the terminal.
func TestHostileNamesStayOnTheirLine(t *testing.T) {
	r := &Report{
		Verdict:   Verdict{Kind: "no-deadlock", Confidence: "likely", Summary: "fine\x1b[2J"},
		Inputs:    []Input{{Name: "evil\x1b]0;x\x07.log", Lines: 2, LinesUnderstood: 1, Sections: []Section{{Command: "!x\x1b", Line: 1, EndLine: 2, Coverage: Coverage{Claimed: 1, NotUnderstood: 1}}}, unclear: func(int, int) List[Line] { return ListOf(Line{Line: 2, Text: "\x1b[1A\r"}) }}},
		Notes:     []Note{{At: &At{Input: "evil\x1b.log", Line: 1}, Text: "note\x9b"}},
		Gaps:      []Gap{{What: "x\x1b", Why: "y", NextCommand: "z\x1b"}},
		NotSeen:   []string{"\x1b"},
		Findings:  []Finding{{ID: "x", Summary: "s\x1b", Explanation: "e\x1b", NextCommands: []string{"n\x1b"}, Evidence: []Evidence{{Input: "i\x1b", Text: "t\x1b", Why: "w\x1b"}}, Suspect: &Suspect{Module: "m\x1b", Reason: "r\x1b"}}},
		SelfCheck: []SelfCheck{{ID: "one-role", Title: "T\x1b", Result: "failed", Places: []Note{{At: &At{Input: "evil\x1b.log", Line: 1}, Text: "p\x1b"}}, Lowers: []Lowering{{Finding: 1, ID: "x", Why: "w\x1b"}}}, {ID: "text-whole", Result: "not-checkable", Why: "y\x1b"}},
		Resources: ListOf(Resource{Address: "0x1", Symbol: "s\x1b"}),
		Threads:   ListOf(Thread{Address: "0x2", Process: &Process{Image: "p\x1b"}, Frames: []Frame{{Symbol: "f\x1b"}}}),
	}
	r.Findings[0].Threads = []string{"0x2"}
	r.lookup = func(int, string) *Thread {
		return &Thread{Address: "0x2", Process: &Process{Image: "p\x1b"}, Frames: []Frame{{Symbol: "f\x1b"}}}
	}
	for _, format := range []string{"dot", "svg", "html"} {
		var b bytes.Buffer
		if err := WriterFor(format)(&b, r, Style{}); err != nil {
			t.Fatal(err)
		}
		if i := strings.IndexAny(b.String(), "\x1b\r\x07"); i >= 0 {
			t.Errorf("%s: a control character came through: %q", format, b.String()[max(0, i-20):i+5])
		}
	}
	for _, format := range []string{"table", "markdown"} {
		var b bytes.Buffer
		for _, err := range []error{
			WriterFor(format)(&b, r, Style{Width: 80, Coverage: true}),
			WriteLocks(&b, r, r.Resources.Slice(), format, Style{Width: 80}),
			WriteThreads(&b, r, r.Threads, format, Style{Width: 80}),
			WriteStacks(&b, r, r.Threads, format, Style{Width: 80}),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		if i := strings.IndexAny(b.String(), "\x1b\r\x07"); i >= 0 {
			t.Errorf("%s: a control character came through: %q", format, b.String()[max(0, i-20):i+5])
		}
	}
}

// TestFormatsHaveWriters: what the help lists can be written.
func TestFormatsHaveWriters(t *testing.T) {
	for _, f := range Formats() {
		if WriterFor(f) == nil {
			t.Errorf("%s has no writer", f)
		}
	}
	for _, f := range ComparisonFormats() {
		if ComparisonWriterFor(f) == nil {
			t.Errorf("comparisons have no writer for %s", f)
		}
	}
	if !slices.IsSorted(Formats()) || WriterFor("x") != nil || ComparisonWriterFor("dot") != nil {
		t.Error("a format without a name, or not in order")
	}
}
