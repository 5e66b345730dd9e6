package modules

import (
	"slices"
	"strings"

	"kdlocks/kd"
)

// Known reports whether a text alone has the form of a line of the output of lm or !lmi.
func Known(text string) bool {
	if text == "" {
		return false
	}
	l := kd.Line{Text: text, Num: 1}
	if _, sure := readRow(l, false); sure {
		return true
	}
	if m, _ := readRow(l, true); m != nil && strings.HasSuffix(strings.ToLower(m.Image), ".sys") && strings.IndexByte(m.Image, ' ') < 0 {
		return true // of an unloaded one
	}
	c := kd.Cursor{Text: text}
	if kind, at := detailOf(text); kind != 0 && at < len(text) || c.Take("start end module name") || text == "Unloaded modules:" {
		return true
	}
	for _, words := range [][]string{lmiKept, lmiWords} {
		if slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(text, w) }) {
			return true
		}
	}
	return false
}

// lmiKept are the words in front of the values of !lmi that are kept.
var lmiKept = []string{"Loaded Module Info: [", "Module:", "Base Address:", "Image Name:", "Time Stamp:", "Size:", "CheckSum:", "Symbol Type:"}
