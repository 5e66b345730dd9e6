package tree

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// MostBytes is how large a rule file may be: what a person writes is far below.
const MostBytes = 1 << 20

// PlainText makes text with plain line ends of a file's bytes: UTF-8 with or
// without a mark, or UTF-16 with one. Where it is no text, it says why, and at
// which byte of the text that it returns.
func PlainText(data []byte) (text string, why string, from int) {
	switch {
	case bytes.HasPrefix(data, []byte("\xef\xbb\xbf")):
		data = data[3:]
	case bytes.HasPrefix(data, []byte("\xff\xfe")):
		data = fromUTF16(data[2:], binary.LittleEndian)
	case bytes.HasPrefix(data, []byte("\xfe\xff")):
		data = fromUTF16(data[2:], binary.BigEndian)
	}
	text = lineEnds.Replace(string(data))
	for i, r := range text {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(text[i:], "\ufffd"):
			return text, fmt.Sprintf("the byte 0x%02x is not UTF-8; save the file as UTF-8", text[i]), i
		case Unprintable(r):
			return text, fmt.Sprintf("the file holds the control character U+%04X; rule files are text", r), i
		}
	}
	return text, "", 0
}

// Unprintable reports whether a letter drives a terminal, or turns the direction
// of text so that it reads unlike what it says.
func Unprintable(r rune) bool {
	return unicode.IsControl(r) && r != '\n' && r != '\t' || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
}

// Printable makes one line of a text, without what must not reach a terminal.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case Unprintable(r):
			return utf8.RuneError
		}
		return r
	}, s)
}

// lineEnds makes plain ones of all that YAML takes for an end of a line.
var lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u0085", "\n", "\u2028", "\n", "\u2029", "\n")

func fromUTF16(data []byte, order binary.ByteOrder) []byte {
	units := make([]uint16, len(data)/2)
	for i := range units {
		units[i] = order.Uint16(data[2*i:])
	}
	return []byte(string(utf16.Decode(units)))
}

// ByteOf returns the byte at which a column of a line begins.
func ByteOf(line string, col int) int {
	for i := range line {
		if col--; col < 1 {
			return i
		}
	}
	return len(line)
}

// Indent is how many blanks a line begins with.
func Indent(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }

// InText moves a place behind the end of a text to its last line, one before it to its
// first.
func InText(lines []string, line, column int) (int, int) {
	last := len(lines)
	for last > 1 && strings.TrimSpace(lines[last-1]) == "" {
		last--
	}
	if line > last {
		return last, utf8.RuneCountInString(lines[last-1]) + 1
	}
	return max(line, 1), max(column, 1)
}

// Clip cuts a text for a message.
func Clip(s string) string {
	const most = 60
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "..."
	}
	return s
}
