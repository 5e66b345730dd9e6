package report

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/olekukonko/tablewriter/pkg/twwidth"
)

// Plain makes a piece of the input fit for a terminal: control characters and
// those that reorder text are shown as escapes, so that a log cannot drive the
// terminal it is printed on.
func Plain(s string) string {
	if !strings.ContainsFunc(s, isControl) && utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\t':
			b.WriteByte(' ')
		case isControl(r):
			fmt.Fprintf(&b, "\\x%02x", r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func isControl(r rune) bool {
	return r < 0x20 || r >= 0x7f && r < 0xa0 ||
		r >= 0x200b && r <= 0x200f || r >= 0x2028 && r <= 0x202e || r >= 0x2060 && r <= 0x206f || r == 0xfeff
}

// wrap folds text at blanks into lines of at most width columns, each behind
// its indent. A longer word, such as an address, stays whole. Width 0 folds
// nothing.
func wrap(text, first, indent string, width int) string {
	var b strings.Builder
	line, empty := first, true
	for _, word := range pieces(strings.Fields(Plain(text)), width-cells(indent)) {
		if !empty && width > 0 && cells(line)+1+cells(word) > width {
			b.WriteString(line + "\n")
			line, empty = indent, true
		}
		if !empty {
			line += " "
		}
		line += word
		empty = false
	}
	b.WriteString(strings.TrimRight(line, " ") + "\n")
	return b.String()
}

// pieces breaks words that no line can hold, such as the longest of C++
// symbols. Addresses are never so long.
func pieces(words []string, width int) []string {
	const whole = 24
	if width < whole {
		return words
	}
	var out []string
	for _, w := range words {
		for r := []rune(w); cells(w) > width; r = []rune(w) {
			out = append(out, string(r[:width]))
			w = string(r[width:])
		}
		out = append(out, w)
	}
	return out
}

// cells returns how many columns of a terminal the text takes.
func cells(s string) int { return twwidth.Width(s) }
