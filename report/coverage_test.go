package report

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// manySections is an input of n commands of two lines each, of which the second
// is not understood where unclear says so.
func manySections(n int, command func(int) string, unclear func(int) bool) Input {
	in := Input{Name: "x.log", Lines: 2 * n}
	for i := range n {
		c := Coverage{Claimed: 2}
		if unclear(i) {
			c = Coverage{Claimed: 1, NotUnderstood: 1}
		}
		in.Sections = append(in.Sections, Section{Command: command(i), Line: 2*i + 1, EndLine: 2*i + 2, Coverage: c})
		in.LinesUnderstood += c.understood()
	}
	in.unclear = func(first, last int) List[Line] {
		return List[Line]{func(yield func(Line) bool) {
			for l := first; l <= last; l++ {
				if l%2 == 0 && unclear(l/2-1) && !yield(Line{Line: l, Text: fmt.Sprintf("odd line %d", l)}) {
					return
				}
			}
		}}
	}
	return in
}

func TestCoverageStaysUsable(t *testing.T) {
	always, never := func(int) bool { return true }, func(int) bool { return false }
	thread := func(i int) string { return fmt.Sprintf("!thread %x", i) }
	tests := map[string]struct {
		in            []Input
		want, wantNot []string
		most          int // lines
	}{
		"few commands have a row each": {
			in:   []Input{manySections(3, func(int) string { return "!thread 1" }, always)},
			want: []string{"│ 1-2 ", "│ 3-4 ", "│ 5-6 ", "4 | odd line 4"}, wantNot: []string{"times", "more"}, most: 24,
		},
		"commands of one name share a row": {
			in:      []Input{manySections(5000, thread, func(i int) bool { return i >= 4990 })},
			want:    []string{"!thread (5000 times) │ 1-10000 │ 9990 ", "│ 10 ", "9982 | odd line 9982", "9990 | odd line 9990", "and 5 more"},
			wantNot: []string{"9992 |"}, most: 20,
		},
		"names beyond the rows: the worst stay": {
			in:   []Input{manySections(500, func(i int) string { return fmt.Sprintf("!x%d", i) }, func(i int) bool { return i == 499 })},
			want: []string{"│ !x499 ", "and 460 more commands", "1000 | odd line 1000"}, most: 60,
		},
		"many inputs: the worst stay": {
			in:   append(repeat(50, manySections(1, thread, never)), manySections(1, thread, always)),
			want: []string{"and 31 more inputs, in which 0 lines", "2 | odd line 2"}, most: 160,
		},
		"quotes are bounded in all": {
			in:   repeat(20, manySections(40, thread, always)),
			want: []string{"and 700 more lines not understood of other commands"}, most: 1520,
		},
	}
	for name, tc := range tests {
		for _, format := range []string{"table", "markdown"} {
			for i := range tc.in {
				tc.in[i].NotUnderstood = tc.in[i].unclear(1, tc.in[i].Lines)
			}
			var b bytes.Buffer
			if err := WriterFor(format)(&b, &Report{Inputs: tc.in}, Style{Coverage: true}); err != nil {
				t.Fatal(err)
			}
			got := b.String()
			if n := strings.Count(got, "\n"); n > tc.most+20 {
				t.Errorf("%s, %s: %d lines", name, format, n)
			}
			if format == "markdown" {
				continue
			}
			for _, w := range tc.want {
				if !strings.Contains(got, w) {
					t.Errorf("%s: no %q in\n%s", name, w, got)
				}
			}
			for _, w := range tc.wantNot {
				if strings.Contains(got, w) {
					t.Errorf("%s: %q in\n%s", name, w, got)
				}
			}
		}
	}
}

func repeat(n int, in Input) []Input {
	out := make([]Input, n)
	for i := range out {
		out[i] = in
	}
	return out
}

// TestLongLinesAreClipped: a line may be a MiB.
func TestLongLinesAreClipped(t *testing.T) {
	in := Input{Name: "x", Lines: 1, Outside: Coverage{NotUnderstood: 1}}
	in.unclear = func(int, int) List[Line] { return ListOf(Line{Line: 1, Text: strings.Repeat("é ", 1<<19)}) }
	var b bytes.Buffer
	if err := WriteText(&b, &Report{Inputs: []Input{in}}, Style{Coverage: true}); err != nil {
		t.Fatal(err)
	}
	if b.Len() > 4096 || !strings.Contains(b.String(), "…") {
		t.Errorf("%d bytes", b.Len())
	}
}
