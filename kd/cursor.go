package kd

import (
	"fmt"
	"strings"
)

// Cursor walks the words of a line without allocating.
type Cursor struct {
	Text string
	Pos  int // byte of Text, counted from 0
}

// blank returns the number of bytes of the blank at position i, 0 if there is
// none. The non-breaking blank of pasted web pages counts as one.
func blank(s string, i int) int {
	switch c := s[i]; {
	case c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f':
		return 1
	case c == 0xc2 && i+1 < len(s) && s[i+1] == 0xa0:
		return 2
	}
	return 0
}

// TrimBlanks returns s without blanks at either end and the number of bytes
// cut from its front.
func TrimBlanks(s string) (string, int) {
	front := 0
	for front < len(s) {
		n := blank(s, front)
		if n == 0 {
			break
		}
		front += n
	}
	end := len(s)
	for end > front {
		switch {
		case blank(s, end-1) == 1:
			end--
		case end-2 >= front && blank(s, end-2) == 2:
			end -= 2
		default:
			return s[front:end], front
		}
	}
	return s[front:end], front
}

// skip moves over blanks.
func (c *Cursor) skip() {
	for c.Pos < len(c.Text) {
		n := blank(c.Text, c.Pos)
		if n == 0 {
			return
		}
		c.Pos += n
	}
}

// Word returns the next word and the byte where it starts, "" at the end.
func (c *Cursor) Word() (string, int) {
	c.skip()
	start, i := c.Pos, c.Pos
	for i < len(c.Text) && (c.Text[i] > ' ' && c.Text[i] != 0xc2 || blank(c.Text, i) == 0) {
		i++
	}
	c.Pos = i
	return c.Text[start:i], start
}

// Peek returns the next word without moving.
func (c *Cursor) Peek() string {
	saved := c.Pos
	w, _ := c.Word()
	c.Pos = saved
	return w
}

// Rest returns what is left of the line from the next word on, and where that
// starts.
func (c *Cursor) Rest() (string, int) {
	c.skip()
	return c.Text[c.Pos:], c.Pos
}

// Take moves over the words of phrase if they come next, whatever blanks
// stand between them, and reports whether they did. Case is ignored.
func (c *Cursor) Take(phrase string) bool {
	saved := c.Pos
	c.skip()
	rest := c.Text[c.Pos:]
	if rest == "" || (rest[0]^phrase[0])&^0x20 != 0 {
		c.Pos = saved
		return phrase == ""
	}
	if n := len(phrase); len(rest) >= n && rest[:n] == phrase && (len(rest) == n || rest[n] == ' ') {
		c.Pos += n
		return true
	}
	want := Cursor{Text: phrase}
	for {
		w, _ := want.Word()
		if w == "" {
			return true
		}
		if got, _ := c.Word(); !strings.EqualFold(got, w) {
			c.Pos = saved
			return false
		}
	}
}

// HasPrefixFold reports whether s starts with prefix, in either case.
func HasPrefixFold(s, prefix string) bool {
	if s == "" || prefix == "" || (s[0]^prefix[0])&^0x20 != 0 {
		return prefix == ""
	}
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// Clip keeps a quoted piece of input short.
func Clip(s string) string {
	const most = 60
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}

// Plural returns "1 thread" or "n threads".
func Plural(n int, noun string) string {
	switch {
	case n == 1:
		return "1 " + noun
	case strings.HasSuffix(noun, "y"):
		return fmt.Sprintf("%d %sies", n, strings.TrimSuffix(noun, "y"))
	}
	if strings.HasSuffix(noun, "s") {
		return fmt.Sprintf("%d %ses", n, noun)
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
