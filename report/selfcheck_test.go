package report

import (
	"bytes"
	"strings"
	"testing"
)

// TestSelfChecksStayShort: however much an input contradicts itself in, the
// text forms show some of it and say how much they leave out.
func TestSelfChecksStayShort(t *testing.T) {
	r := &Report{Inputs: []Input{{Name: "in"}}}
	place := func(line int) Note { return Note{At: &At{Input: "in", Line: line}, Text: "it does not fit"} }
	for i := range 50 {
		c := SelfCheck{ID: "counts-fit-lists", Session: i + 1, Title: "Counts agree with what is listed", Result: "failed", Count: 9}
		for j := range 9 {
			c.Places = append(c.Places, place(10*i+j+1))
			c.Lowers = append(c.Lowers, Lowering{Finding: j + 1, ID: "deadlock-cycle", FromGrade: "A", ToGrade: "C", Why: "of that"})
		}
		r.SelfCheck = append(r.SelfCheck, c)
		r.SelfCheck = append(r.SelfCheck, SelfCheck{ID: "tools-agree", Session: i + 1, Result: "not-checkable", Why: "one tool"}, SelfCheck{ID: "one-role", Session: i + 1, Result: "passed", Compared: 1})
	}
	r.Notes = []Note{place(1), place(500)}
	for _, format := range []string{"table", "markdown"} {
		var b bytes.Buffer
		if err := WriterFor(format)(&b, r, Style{}); err != nil {
			t.Fatal(err)
		}
		text := b.String()
		for _, want := range []string{"50 passed, 50 did not", "and 30 more that did not", "and 6 more", "and 3 more findings", "tools-agree (one tool)", "500"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s lacks %q:\n%s", format, want, text)
			}
		}
		if n := strings.Count(text, "in:1: it does not fit"); n != 1 {
			t.Errorf("%s tells a note %d times", format, n)
		}
		if n := strings.Count(text, "one tool"); n != 1 {
			t.Errorf("%s says %d times what could not be checked", format, n)
		}
	}
}
