package kd

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/clipperhouse/displaywidth"
)

// Plain makes a piece of input fit to be shown: control characters and those
// that reorder or hide text are written as escapes, so that a log cannot drive
// the terminal, or mislead the reader, of what shows it. Tabs become blanks.
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

// PlainLines is Plain for each line of a text, such as what several errors say.
func PlainLines(s string) string {
	var b strings.Builder
	for line := range strings.Lines(s) {
		text, cut := strings.CutSuffix(line, "\n")
		b.WriteString(Plain(text))
		if cut {
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// Cells returns how many columns of a terminal, or of a monospaced font, the
// text takes.
func Cells(s string) int {
	n := 0
	for _, r := range s {
		if r >= ' ' && r <= '~' {
			n++
			continue
		}
		n += displaywidth.Rune(r)
	}
	return n
}

func isControl(r rune) bool {
	return r < 0x20 || r >= 0x7f && r < 0xa0 || r == 0x61c ||
		r >= 0x200b && r <= 0x200f || r >= 0x2028 && r <= 0x202e || r >= 0x2060 && r <= 0x206f || r == 0xfeff ||
		r >= 0xfff9 && r <= 0xfffb || r == 0xfffe || r == 0xffff || r >= 0xe0000 && r <= 0xe007f
}
