package dump

import (
	"strings"
	"unicode"
	"unicode/utf16"
)

// utf16Text decodes UTF-16 up to a zero, and replaces what no name holds: characters that
// would change how a line is read.
func utf16Text(b []byte) string {
	var u []uint16
	for ; len(b) >= 2; b = b[2:] {
		c := le.Uint16(b)
		if c == 0 {
			break
		}
		u = append(u, c)
	}
	return harmless(string(utf16.Decode(u)))
}

// ansiText takes bytes up to a zero; what is not ASCII becomes a question mark.
func ansiText(b []byte) string {
	var s strings.Builder
	for _, c := range b {
		if c == 0 {
			break
		}
		if c >= 0x80 {
			c = '?'
		}
		s.WriteByte(c)
	}
	return harmless(s.String())
}

func harmless(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r <= 0x9f || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) {
			return '?'
		}
		return r
	}, s)
}
