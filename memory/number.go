package memory

import (
	"math"
	"strings"

	"kdlocks/kd"
)

// words walks a line word by word and number by number.
type words struct {
	kd.Line
	pos int
}

// blanks moves over blanks and returns how many bytes they were.
func (w *words) blanks() int {
	_, n := kd.TrimBlanks(w.Text[w.pos:])
	w.pos += n
	return n
}

// take moves over s, with or without blanks before it, and reports whether it
// came next.
func (w *words) take(s string) bool {
	was := w.pos
	w.blanks()
	if strings.HasPrefix(w.Text[w.pos:], s) {
		w.pos += len(s)
		return true
	}
	w.pos = was
	return false
}

// word moves over the next word and returns it and where it begins.
func (w *words) word() (string, int) {
	c := kd.Cursor{Text: w.Text, Pos: w.pos}
	s, at := c.Word()
	w.pos = c.Pos
	return s, at
}

// rest returns what is left of the line.
func (w *words) rest() string {
	s, _ := kd.TrimBlanks(w.Text[w.pos:])
	return s
}

// number moves over a decimal number, with a minus sign if signed, and whatever
// is glued to its end. It does not move if none comes next.
func (w *words) number(signed bool) (Number, bool) {
	was := w.pos
	w.blanks()
	start := w.pos
	minus := signed && strings.HasPrefix(w.Text[start:], "-")
	if minus {
		w.pos++
	}
	end := w.pos + digits(w.Text[w.pos:])
	n, ok := count(w.Text[w.pos:end])
	if !ok {
		w.pos = was
		return Number{}, false
	}
	w.pos = end
	if minus {
		n = -n
	}
	return Number{n, w.Ref(start, end-start)}, true
}

// digits returns how many bytes at the front of s are a decimal number, with or
// without marks between each three digits.
func digits(s string) int {
	n := plainDigits(s)
	if n == 0 || n > 3 || n == len(s) || s[n] != ',' && s[n] != '.' {
		return n
	}
	mark := s[n]
	for end := n; ; n = end {
		if end == len(s) || s[end] != mark || plainDigits(s[end+1:]) != 3 {
			return n
		}
		end += 4
	}
}

func plainDigits(s string) int {
	n := 0
	for n < len(s) && '0' <= s[n] && s[n] <= '9' {
		n++
	}
	return n
}

// count returns the value of what digits found; false for what no debugger
// prints as a count: a zero in front, or more than 63 bits.
func count(s string) (int64, bool) {
	if s == "" || s[0] == '0' && s != "0" {
		return 0, false
	}
	v := int64(0)
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			continue
		}
		d := int64(s[i] - '0')
		if v > (math.MaxInt64-d)/10 {
			return 0, false
		}
		v = v*10 + d
	}
	return v, true
}
