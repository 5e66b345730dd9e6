package rules

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"kdlocks/rules/tree"
)

// position is a place in a rule file, counted from 1; the column counts
// characters.
type position struct{ line, col int }

// Problem is one mistake in a rule file.
type Problem struct {
	File      string
	Line, Col int
	Rule      string // the id of the rule, "" outside of rules or before its id is known
	Text      string
	Source    string // the line as it stands in the file
	// Notes are lines below that explain it.
	Notes []string
}

// Error prints "file:line:col: rule ID: what is wrong", the line, a caret below the
// place, and the notes.
func (p *Problem) Error() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", p.Line, p.Col)
	}
	b.WriteString(": ")
	if p.Rule != "" {
		b.WriteString("rule " + tree.Printable(p.Rule) + ": ")
	}
	b.WriteString(p.Text)
	if p.Source != "" {
		line, col := shown(p.Source, p.Col)
		fmt.Fprintf(&b, "\n    %s\n    %s^", line, strings.Repeat(" ", col-1))
	}
	for _, note := range p.Notes {
		b.WriteString("\n  " + note)
	}
	return b.String()
}

// widest bounds the characters of a source line that are shown.
const widest = 100

// shown cuts a long line to what stands around a column, and makes its tabs
// blanks.
func shown(line string, col int) (string, int) {
	col = min(max(col, 1), utf8.RuneCountInString(line)+1)
	from := max(0, col-1-widest/2)
	if utf8.RuneCountInString(line) <= widest {
		from = 0
	}
	cut := line[tree.ByteOf(line, from+1):]
	cut = tree.Printable(cut[:tree.ByteOf(cut, widest+1)])
	if from > 0 {
		return "..." + cut, col - from + 3
	}
	return cut, col - from
}

// Problems are the mistakes of a pack, in the order of files and lines.
type Problems []*Problem

// Error prints all of them, one below the other.
func (ps Problems) Error() string {
	var lines []string
	for _, p := range ps {
		lines = append(lines, p.Error())
	}
	return strings.Join(lines, "\n")
}

// ProblemsOf returns the mistakes that an error is made of, nil if it is another
// error.
func ProblemsOf(err error) Problems {
	var ps Problems
	if errors.As(err, &ps) {
		return ps
	}
	return nil
}

// mostProblems bounds the mistakes that are told of one file.
const mostProblems = 50

// otherWords are what other rule languages call a key.
var otherWords = map[string]string{"amd64": "x64", "x86_64": "x64", "i386": "x86", "aarch64": "arm64", "and": "all", "or": "any", "not": "exclude", "unless": "exclude", "if": "match", "name": "title", "description": "explain", "fix": "remedy", "before": "lt", "after": "gt", "min": "gte", "max": "lte", "contains": "glob", "like": "glob", "regex": "glob"}

// didYouMean returns "; did you mean "x"?" for the word of a list that is nearest,
// "" if none is near.
func didYouMean(word string, list []string) string {
	if other := otherWords[strings.ToLower(word)]; other != "" && slices.Contains(list, other) {
		return fmt.Sprintf("; did you mean %q?", other)
	}
	best, dist := "", 0
	for _, w := range list {
		d := distance(strings.ToLower(word), strings.ToLower(w))
		if best == "" || d < dist {
			best, dist = w, d
		}
	}
	n := utf8.RuneCountInString(word)
	swapped := len(word) == 2 && len(best) == 2 && word[0] == best[1] && word[1] == best[0]
	if best == "" || n < 3 && !swapped || dist > max(1, n/3) {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", best)
}

// distance counts the letters that must be put in, taken out, replaced or swapped
// with their neighbour to make one word of the other.
func distance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return 64
	}
	rows := [3][]int{make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)}
	for j := range rows[1] {
		rows[1][j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, prev, cur := rows[0], rows[1], rows[2]
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], before[j-2]+1)
			}
		}
		rows[0], rows[1], rows[2] = prev, cur, before
	}
	return rows[1][len(b)]
}

// oneOf lists words as people write a choice, a very long list cut.
func oneOf(words []string) string {
	const most = 40
	if len(words) > most {
		return strings.Join(words[:most], ", ") + ", ..."
	}
	return strings.Join(slices.Clone(words), ", ")
}

// an puts the article before a word.
func an(word string) string {
	if strings.ContainsRune("aeiou", rune(word[0])) {
		return "an " + word
	}
	return "a " + word
}
