package transcript

import (
	"strings"

	"kdlocks/kd"
)

// emphasis returns how many asterisks that come next open or close bold or
// italic type in Markdown; 0 if they do not.
func (c *charRepair) emphasis() int {
	n := asterisks(c.in[c.at:])
	rest := c.in[c.at+n:]
	switch {
	case n > 3:
		return 0
	case c.open == n:
		if n != 2 && (rest != "" || c.at > 0 && !closesType(c.in[:c.at])) {
			return 0
		}
		c.open = 0
		return n
	case c.open > 0 || !c.opensType(n, rest):
		return 0
	}
	c.open = n
	return n
}

// opensType reports whether n asterisks before rest open a type that is closed
// on the line or on one of its further pieces. Bold type may begin and end
// anywhere beside a word; one or three asterisks must be the first and the last
// of a line.
func (c *charRepair) opensType(n int, rest string) bool {
	if rest == "" || rest[0] == ' ' || rest[0] == '>' {
		return false
	}
	front := c.at == 0 || strings.IndexByte(" \t>/|;\xa0", c.in[c.at-1]) >= 0 && isPrefix(string(c.out)) && isPrefix(c.in[c.done:c.at])
	if n != 2 {
		return front && (endsType(rest, n) || c.closedLater(n))
	}
	if at := findAsterisks(rest, n); at >= 0 {
		return at > 0 && rest[at-1] != ' '
	}
	behind := c.at == 0 || strings.IndexByte("> (=:", c.in[c.at-1]) >= 0
	return (front || behind && isWord(rest[0])) && c.closedLater(n)
}

// isPrefix reports whether a text may be what stands in front of a line: blanks,
// quoting, a bullet, a line number, a time.
func isPrefix(s string) bool {
	const most = 256
	return len(s) < most && strings.Trim(s, "> \t0123456789:;,.|()[]/-#*\u2022") == ""
}

// mostTyped is on how many further lines a type may end.
const mostTyped = 8

// closedLater reports whether one of the next lines, before a blank one, closes
// what n asterisks opened. It must do so with the first such asterisks.
func (c *charRepair) closedLater(n int) bool {
	for i := range c.later[:min(len(c.later), mostTyped)] {
		text := c.later[i].text
		if strings.Trim(text, "> ") == "" || len(text) > mostJoined {
			return false
		}
		switch {
		case len(text) == n && asterisks(text) == n: // the mark alone did not fit
			return true
		case n != 2 && endsType(text, n):
			return true
		case n != 2:
			continue
		}
		if at := findAsterisks(text, n); at >= 0 {
			return closesType(text[:at])
		}
	}
	return false
}

// findAsterisks returns where n asterisks stand side by side and no more, -1 if
// they do nowhere.
func findAsterisks(s string, n int) int {
	for at := 0; ; {
		next := strings.IndexByte(s[at:], '*')
		if next < 0 {
			return -1
		}
		at += next
		size := asterisks(s[at:])
		if size == n {
			return at
		}
		at += size
	}
}

// opensLate returns which of the last rows is the first that may open a type
// that a row to come closes; all rows if there is none.
func opensLate(rows []row) int {
	for i := max(0, len(rows)-mostTyped); i < len(rows); i++ {
		text := rows[i].text
		for at := strings.IndexByte(text, '*'); at >= 0 && at < len(text); {
			n := asterisks(text[at:])
			if n <= 3 && at+n < len(text) && text[at+n] != ' ' && text[at+n] != '>' {
				return i
			}
			at += n
			next := strings.IndexByte(text[at:], '*')
			if next < 0 {
				break
			}
			at += next
		}
	}
	return len(rows)
}

// endsType reports whether a line ends with n asterisks that close a type.
func endsType(text string, n int) bool {
	before := strings.TrimRight(text, "*")
	return len(text)-len(before) == n && closesType(before)
}

// closesType reports whether what stands before asterisks lets them close a
// type: neither a blank nor the angle of an owner mark.
func closesType(before string) bool {
	return before != "" && strings.IndexByte(" \t<", before[len(before)-1]) < 0
}

// asterisks counts those that a text begins with.
func asterisks(s string) int {
	n := 0
	for n < len(s) && s[n] == '*' {
		n++
	}
	return n
}

// closesTypes reports whether marks that stand alone on a line close a type, so
// that they belong to the line before.
func closesTypes(marks string) bool {
	switch name := strings.TrimLeft(marks, "[</"); {
	case marks[0] == '*':
		return true
	case len(marks)-len(name) != 2:
		return false
	default:
		for _, block := range []string{"code", "quote", "pre", "div", "p", "li", "br"} {
			if kd.HasPrefixFold(name, block) {
				return false
			}
		}
		return true
	}
}

// boardCodes are the names of the marks of bulletin boards: [b], [/b],
// [color=red].
var boardCodes = []string{"b", "i", "u", "s", "code", "quote", "pre", "font", "color", "colour", "size", "highlight", "indent", "center", "spoiler", "noparse", "tt", "mono"}

// boardCode returns the size of the mark of a bulletin board at a byte of a
// line, 0 if there is none. One that opens does not stand right behind a name.
func boardCode(s string, at int) int {
	const most = 64
	rest := s[at+1:]
	closing := strings.HasPrefix(rest, "/")
	if closing {
		rest = rest[1:]
	}
	if rest == "" || !boardByte[rest[0]] || !closing && at > 0 && isIdentifier(s[at-1]) {
		return 0
	}
	end := strings.IndexByte(rest[:min(len(rest), most)], ']')
	if end < 0 {
		return 0
	}
	name, _, valued := strings.Cut(rest[:end], "=")
	if valued && (closing || strings.IndexByte(rest[:end], '@') >= 0) {
		return 0
	}
	for _, c := range boardCodes {
		if len(c) == len(name) && kd.HasPrefixFold(name, c) {
			return len(s) - len(rest) - at + end + 1
		}
	}
	return 0
}

// boardByte marks the first bytes of their names.
var boardByte = func() (t [256]bool) {
	for _, c := range boardCodes {
		t[c[0]], t[c[0]&^0x20] = true, true
	}
	return t
}()
