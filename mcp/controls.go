package mcp

import (
	"fmt"
	"unicode/utf16"
	"unicode/utf8"

	"kdlocks/kd"
)

// escapeControls writes the control characters in strings of JSON as escapes, also
// those that JSON allows: what turns text around, or colours a terminal, does so only
// to a reader who decodes it. The JSON stays the same value. Below blank there are none
// but the line ends between values.
func escapeControls(data []byte) []byte {
	at := 0
	var out []byte
	for i := 0; i < len(data); {
		if data[i] < 0x7f {
			i++
			continue
		}
		r, n := utf8.DecodeRune(data[i:])
		if s := string(r); kd.Plain(s) != s {
			out = append(append(out, data[at:i]...), escape(r)...)
			at = i + n
		}
		i += n
	}
	if out == nil {
		return data
	}
	return append(out, data[at:]...)
}

// escape writes a character as JSON escapes it.
func escape(r rune) string {
	if hi, lo := utf16.EncodeRune(r); hi != utf8.RuneError {
		return fmt.Sprintf(`\u%04x\u%04x`, hi, lo)
	}
	return fmt.Sprintf(`\u%04x`, r)
}
