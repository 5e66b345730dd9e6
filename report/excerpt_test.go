package report

import (
	"fmt"
	"strings"
	"testing"
)

// logOf is an input of n lines that say their number.
func logOf(n int) *Input {
	return &Input{Name: "x.log", Lines: n, line: func(i int) string { return fmt.Sprintf("line %d", i) }}
}

func at(line, column, length int, text, why string) Evidence {
	return Evidence{Input: "x.log", Line: line, Column: column, Length: length, Text: text, Why: why}
}

// shownAs writes excerpts as text, marks in brackets.
func shownAs(xs []excerpt) string {
	var b strings.Builder
	for i, x := range xs {
		if i > 0 {
			b.WriteString("--\n")
		}
		for _, l := range x.Lines {
			fmt.Fprintf(&b, "%d ", l.Number)
			for _, p := range l.Pieces {
				if p.Marked {
					b.WriteString("[" + p.Text + "]")
				} else {
					b.WriteString(p.Text)
				}
			}
			if len(l.Whys) > 0 {
				b.WriteString(" ^ " + strings.Join(l.Whys, ", "))
			}
			b.WriteString("\n")
		}
	}
	return b.String()
}

func TestExcerpts(t *testing.T) {
	long := strings.Repeat("é", 1000) + "MARK" + strings.Repeat("é", 1000)
	for name, tc := range map[string]struct {
		lines int
		es    []Evidence
		want  string
	}{
		"in the middle":        {9, []Evidence{at(5, 6, 1, "line 5", "five")}, "3 line 3\n4 line 4\n5 line [5] ^ five\n6 line 6\n7 line 7\n"},
		"at both ends":         {2, []Evidence{at(1, 1, 6, "line 1", "one"), at(2, 1, 4, "line 2", "two")}, "1 [line 1] ^ one\n2 [line] 2 ^ two\n"},
		"far apart":            {90, []Evidence{at(3, 1, 1, "line 3", "a"), at(50, 1, 1, "line 50", "b")}, "1 line 1\n2 line 2\n3 [l]ine 3 ^ a\n4 line 4\n5 line 5\n--\n48 line 48\n49 line 49\n50 [l]ine 50 ^ b\n51 line 51\n52 line 52\n"},
		"twice in a line":      {1, []Evidence{at(1, 1, 2, "line 1", "a"), at(1, 6, 1, "line 1", "b"), at(1, 2, 2, "line 1", "a")}, "1 [lin]e [1] ^ a, b\n"},
		"over a line end":      {9, []Evidence{{Input: "x.log", Line: 4, EndLine: 5, Column: 6, Length: 4, Text: "line 4\nline 5", Why: "w"}}, "2 line 2\n3 line 3\n4 line [4] ^ w\n5 [li]ne 5\n6 line 6\n7 line 7\n"},
		"outside of its line":  {1, []Evidence{at(1, 99, 5, "line 1", "w")}, "1 line 1 ^ w\n"},
		"in a long line":       {1, []Evidence{at(1, 1001, 4, long, "w")}, "1  … " + strings.Repeat("é", 80) + "[MARK]" + strings.Repeat("é", 316) + " … ^ w\n"},
		"twice in a long line": {1, []Evidence{at(1, 1, 4, long, "a"), at(1, 1001, 4, long, "b")}, "1 [éééé]" + strings.Repeat("é", 80) + " … " + strings.Repeat("é", 80) + "[MARK]" + strings.Repeat("é", 80) + " … ^ a, b\n"},
		"with no input":        {0, []Evidence{at(7, 1, 4, "text", "w")}, "7 [text] ^ w\n"},
	} {
		in := logOf(tc.lines)
		q := &quoting{inputs: map[string]*Input{"x.log": in}}
		xs, left := q.excerpts(tc.es)
		if got := shownAs(xs); got != tc.want || left != 0 {
			t.Errorf("%s: %d left\n%s", name, left, got)
		}
	}
}

// TestExcerptsAreBounded: in lines and in what is read of the input.
func TestExcerptsAreBounded(t *testing.T) {
	var es []Evidence
	for i := range 20_000 {
		es = append(es, at(10*i+5, 1, 1, "x", "w"))
	}
	q := &quoting{inputs: map[string]*Input{"x.log": logOf(1 << 20)}}
	xs, left := q.excerpts(es)
	if q.lines > mostExcerptLines+2*around+1 || len(xs)+left != len(es) || left == 0 {
		t.Errorf("%d lines, %d excerpts, %d left", q.lines, len(xs), left)
	}
	huge := &Input{Name: "x.log", Lines: 1 << 20, line: func(int) string { return strings.Repeat("x", 5<<20) }}
	q = &quoting{inputs: map[string]*Input{"x.log": huge}}
	if _, left := q.excerpts(es); q.bytes > 2*mostExcerptBytes || left == 0 {
		t.Errorf("%d bytes were read, %d left", q.bytes, left)
	}
}

// TestLongEvidenceLeavesTheStoryVisible: one line may list very many waiters.
func TestLongEvidenceLeavesTheStoryVisible(t *testing.T) {
	e := at(1, 10, 16, "Threads: "+strings.Repeat("ffffaa3e1a9df7c0-01 ", 800), "the owner entry")
	r := &Report{Findings: []Finding{{ID: "x", Evidence: []Evidence{e}}}}
	for _, format := range []string{"table", "markdown"} {
		var b strings.Builder
		if err := WriterFor(format)(&b, r, Style{Width: 100}); err != nil {
			t.Fatal(err)
		}
		if n := b.Len(); n > 1200 || !strings.Contains(b.String(), "Threads: ffffaa3e1a9df7c0-01") {
			t.Errorf("%s: %d bytes:\n%s", format, n, b.String())
		}
	}
}
