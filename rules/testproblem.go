package rules

import (
	"fmt"
	"strings"
)

// Problems are the mistakes that a failed test shows, each at its place in the
// rule file; nil if the test passed.
func (t *TestResult) Problems() Problems {
	var out Problems
	add := func(at position, text string) {
		out = append(out, &Problem{File: t.Rule.File, Line: at.line, Col: at.col, Rule: t.Rule.ID, Text: "test " + t.Name + ": " + text, Source: t.Rule.line(at.line)})
	}
	test := t.test()
	if t.Err != "" {
		add(test.at, t.Err)
	}
	for _, d := range t.Diffs {
		add(test.place(&d), fmt.Sprintf("%s: want %s, got %s", d.Field, d.Want, d.Got))
	}
	return out
}

// test returns the test of the rule that the result is of.
func (t *TestResult) test() *Test {
	for i := range t.Rule.Tests {
		test := &t.Rule.Tests[i]
		if test.at.line == t.Line && test.Expect == t.Want && (t.Name == test.Name || t.Name == test.Log || test.Name+test.Log == "") {
			return test
		}
	}
	return &Test{at: position{t.Line, 1}}
}

// place is where a test says what a difference is about.
func (t *Test) place(d *Diff) position {
	for _, b := range t.Bind {
		if b.Ref == d.Field && b.at.line == d.Line {
			return b.at
		}
	}
	return t.at
}

// line returns a line of the rule's file, "" if it has no such line.
func (r *Rule) line(n int) string {
	rest := r.text
	for ; n > 1 && rest != ""; n-- {
		_, rest, _ = strings.Cut(rest, "\n")
	}
	line, _, _ := strings.Cut(rest, "\n")
	return strings.TrimRight(line, "\r")
}
