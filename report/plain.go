package report

import (
	"strings"

	"kdlocks/kd"
)

// Plain makes a piece of the input fit for a terminal, as kd.Plain does.
func Plain(s string) string { return kd.Plain(s) }

// wrap folds text at blanks into lines of at most width columns, each behind
// its indent. A longer word, such as an address, stays whole. Width 0 folds
// nothing.
func wrap(text, first, indent string, width int) string {
	var b strings.Builder
	line, empty := first, true
	for _, word := range pieces(strings.Fields(Plain(text)), width-kd.Cells(indent)) {
		if !empty && width > 0 && kd.Cells(line)+1+kd.Cells(word) > width {
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
		for r := []rune(w); kd.Cells(w) > width; r = []rune(w) {
			out = append(out, string(r[:width]))
			w = string(r[width:])
		}
		out = append(out, w)
	}
	return out
}
