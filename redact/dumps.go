package redact

import (
	"strings"

	"kdlocks/kd"
)

// saysText reports whether a number of 16 digits that is no address consists of letters: an
// argument or a register may hold a part of a name.
func saysText(digits string) bool {
	if len(digits) == 17 && digits[8] == '`' {
		digits = digits[:8] + digits[9:]
	}
	return len(digits) == 16 && spells(digits) && digits[:4] != "0000" && digits[:4] != "ffff"
}

// spells reports whether the bytes of a number are letters and digits in ASCII, or in
// UTF-16.
func spells(digits string) bool {
	readable, zero := 0, 0
	for i := 0; i+1 < len(digits); i += 2 {
		c := byte(hexValue(digits[i])<<4 | hexValue(digits[i+1]))
		switch {
		case isLetter(c) || isDigit(c):
			readable++
		case c == 0 && i%4 == 0:
			zero++
		case c < ' ' || c > '~':
			return false
		}
	}
	return readable == len(digits)/4 && zero == readable || readable > len(digits)*3/8 && zero == 0
}

// mostPairs is how many bytes or characters of a dump of memory are one token at most.
const mostPairs = 64

// bytesLen returns the length of the bytes that db prints, as pairs of digits with a blank
// or a hyphen between, and of the characters behind them; 0 if s does not begin with eight of them.
func bytesLen(s string) int {
	n := 0
	for n < mostPairs && 3*n+2 <= len(s) && hexLen(s[3*n:3*n+2]) == 2 {
		n++
		if at := 3*n - 1; at >= len(s) || s[at] != ' ' && s[at] != '-' {
			break
		}
	}
	if n < 8 || 3*n-1 < len(s) && isWordByte(s[3*n-1]) {
		return 0
	}
	end := 3*n - 1
	if strings.HasPrefix(s[end:], "  ") {
		end = min(len(s), end+2+n)
	}
	for end < len(s) && s[end]&0xc0 == 0x80 {
		end++
	}
	return end
}

// spacedLen returns the length of single letters with a point behind each, as UTF-16 looks like beside
// a memory dump; 0 if s does not begin with three of them.
func spacedLen(s string) int {
	n := 0
	for n < mostPairs && 2*n < len(s) && (isLetter(s[2*n]) || isDigit(s[2*n])) {
		n++
		if at := 2*n - 1; at >= len(s) || s[at] != '.' {
			break
		}
	}
	if n < 3 || 2*n-1 < len(s) && isWordByte(s[2*n-1]) {
		return 0
	}
	return 2*n - 1
}

// isMemoryRow reports whether a line is memory as a search prints it: an address, four
// words, which may be text, and their sixteen characters.
func isMemoryRow(s string) bool {
	c := kd.Cursor{Text: s}
	w, _ := c.Word()
	if _, ok := kd.ParseFullAddr(w); !ok {
		return false
	}
	for range 4 {
		if w, _ := c.Word(); len(w) != 8 || hexLen(w) != 8 {
			return false
		}
	}
	rest, _ := c.Rest()
	return rest != "" && len(rest) <= 16 && strings.IndexByte(rest, '!') < 0
}
