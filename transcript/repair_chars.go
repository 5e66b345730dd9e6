package transcript

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"kdlocks/kd"
)

// suspects reports whether a line holds a character that publishing software
// puts in the place of another, or markup. Most lines hold none, so this looks
// at nothing twice.
func suspects(s string) bool {
	for i := 0; i < len(s); i++ {
		if mangledByte[s[i]] && (s[i] != '[' || boardCode(s, i) > 0) {
			return true
		}
	}
	return false
}

// mangledByte marks the bytes that begin what charRepair replaces. '<', '*' and
// '[' also stand in sound lines.
var mangledByte = func() (t [256]bool) {
	for c := 0x80; c < 256; c++ {
		t[c] = true
	}
	for _, c := range "&<*['" {
		t[c] = true
	}
	return t
}()

// charRepair rewrites one line and keeps where its bytes stood.
type charRepair struct {
	in     string
	at     int // byte of in that comes next
	out    []byte
	pieces []kd.Piece
	block  []kd.Piece // that pieces are parts of
	done   int        // bytes of in that are in out
	fixes  kinds
	open   int   // asterisks that opened the type that is not closed yet
	later  []row // behind the line
}

// line returns the repaired text and its pieces, with an empty one at the end;
// nil if nothing changed. Breaks that stood as markup are line feeds in the
// text.
func (c *charRepair) line(in string) (string, []kd.Piece) {
	c.in, c.at, c.done, c.out = in, 0, 0, c.out[:0]
	if cap(c.block)-len(c.block) < 16 {
		c.block = make([]kd.Piece, 0, 1024)
	}
	c.pieces = c.block[len(c.block):]
	c.fixes = 0
	for c.at < len(in) {
		b := in[c.at]
		if !mangledByte[b] {
			c.at++
			continue
		}
		n, put, kind := 0, "", kinds(0)
		switch {
		case b >= 0x80:
			n, put = c.typographic()
			kind = fixedTypography
		case b == '&':
			if n, put = escapedTag(in, c.at); n == 0 {
				n, put = entity(in[c.at:])
			}
			kind = fixedMarkup
		case b == '<':
			n, put = tag(in, c.at)
			kind = fixedMarkup
		case b == '\'':
			if c.betweenHalves(1) {
				n, put, kind = 1, "`", fixedTypography
			}
		case b == '*' && c.escaped():
			kind = fixedMarkup
			c.at--
			n, put = 2, "*"
		case b == '[':
			n = boardCode(in, c.at)
			kind = fixedMarkup
		case b == '*':
			if n = c.emphasis(); n == 0 {
				c.at += asterisks(in[c.at:])
				continue
			}
			kind = fixedMarkup
		}
		if n == 0 {
			c.at++
			continue
		}
		c.fixes |= kind
		c.put(n, put)
	}
	if c.done == 0 {
		return in, nil
	}
	c.keep(len(in))
	c.pieces = append(c.pieces, kd.Piece{At: int32(len(c.out)), From: int32(len(in))})
	if n := len(c.block) + len(c.pieces); n <= cap(c.block) {
		c.block = c.block[:n]
	} else { // they moved out of the block
		c.block = c.pieces
	}
	return string(c.out), c.pieces[:len(c.pieces):len(c.pieces)]
}

// escaped reports whether the asterisk that comes next has the backslash of Markdown's
// source: that of an owner mark, <\*>, or one that a word begins with, \*\*\* 3 pool.
func (c *charRepair) escaped() bool {
	before, ok := strings.CutSuffix(c.in[:c.at], `\`)
	if !ok || c.at-1 < c.done {
		return false
	}
	rest := c.in[c.at+1:]
	return strings.HasPrefix(rest, ">") || strings.HasPrefix(rest, "&gt;") || before == "" || strings.HasSuffix(before, " ") || strings.HasSuffix(before, `\*`)
}

// put replaces the next n bytes.
func (c *charRepair) put(n int, with string) {
	c.keep(c.at)
	if with != "" {
		c.pieces = append(c.pieces, kd.Piece{At: int32(len(c.out)), From: int32(c.at), Len: int32(n)})
		c.out = append(c.out, with...)
	}
	c.at += n
	c.done = c.at
}

// keep takes over the bytes before to as they are.
func (c *charRepair) keep(to int) {
	if to == c.done {
		return
	}
	c.pieces = append(c.pieces, kd.Piece{At: int32(len(c.out)), From: int32(c.done), Len: int32(to - c.done)})
	c.out = append(c.out, c.in[c.done:to]...)
	c.done = to
}

// typographic replaces the characters that blog software, word processors and
// mail programs make of plain ones.
func (c *charRepair) typographic() (n int, put string) {
	r, n := utf8.DecodeRuneInString(c.in[c.at:])
	switch {
	case r == 0x00a0 || r >= 0x2000 && r <= 0x200a || r == 0x202f || r == 0x3000:
		return n, " "
	case r == 0x00ad || r >= 0x200b && r <= 0x200f || r == 0x2060 || r == 0xfeff:
		return n, ""
	case r == 0x00d7:
		next := c.in[c.at+n:]
		if c.at > 0 && c.in[c.at-1] == '0' && next != "" && isHex(next[0]) {
			return n, "x"
		}
	case r == 0x2010 || r == 0x2011 || r == 0x2212:
		return n, "-"
	case r == 0x2013 || r == 0x2014:
		// Two of them in a row stand for two hyphens each: --------.
		if strings.HasPrefix(c.in[c.at+n:], string(r)) || strings.HasSuffix(c.in[:c.at], string(r)) {
			return n, "--"
		}
		return n, "-"
	case r == 0x2018, r == 0x201c && c.betweenHalves(n):
		return n, "`"
	case r == 0x2019 || r == 0x201d || r == 0x00b4 || r == 0x02cb || r == 0x2032 || r == 0x2035:
		if c.betweenHalves(n) {
			return n, "`"
		}
		if r == 0x2019 {
			return n, "'"
		}
		if r == 0x201d {
			return n, `"`
		}
	case r == 0x201c:
		return n, `"`
	case r == 0x2026:
		return n, "..."
	}
	return 0, ""
}

// betweenHalves reports whether the n bytes that come next stand between the
// two halves of an address.
func (c *charRepair) betweenHalves(n int) bool {
	return hexRun(c.in, c.at-8, c.at) && hexRun(c.in, c.at+n, c.at+n+8) &&
		!hexRun(c.in, c.at-9, c.at) && !hexRun(c.in, c.at+n, c.at+n+9)
}

func hexRun(s string, from, to int) bool {
	if from < 0 || to > len(s) {
		return false
	}
	for ; from < to; from++ {
		if !isHex(s[from]) {
			return false
		}
	}
	return true
}

// entities are the named ones that stand for characters of debugger output.
var entities = map[string]string{
	"gt": ">", "lt": "<", "amp": "&", "quot": `"`, "apos": "'", "nbsp": " ", "grave": "`", "lsquo": "`", "rsquo": "'",
	"ldquo": `"`, "rdquo": `"`, "hellip": "...", "ndash": "-", "mdash": "-", "minus": "-", "times": "x", "ast": "*",
	"lowbar": "_", "excl": "!", "plus": "+", "colon": ":", "lpar": "(", "rpar": ")", "lbrack": "[", "rbrack": "]",
	"commat": "@", "num": "#", "shy": "", "tab": "\t", "Tab": "\t", "bsol": `\`,
}

// entity reads an HTML entity, also one whose ampersand was itself made one.
func entity(s string) (n int, put string) {
	skip := 1
	for strings.HasPrefix(s[skip:], "amp;") {
		skip += 4
	}
	end := strings.IndexByte(s[skip:min(len(s), skip+9)], ';')
	if end <= 0 {
		if skip > 1 {
			return skip, "&"
		}
		return 0, ""
	}
	name := s[skip : skip+end]
	put, ok := entities[name]
	if name[0] == '#' {
		put, ok = numbered(name[1:])
	}
	switch {
	case ok:
		return skip + end + 1, put
	case skip > 1:
		return skip, "&"
	}
	return 0, ""
}

func numbered(s string) (string, bool) {
	base := 10
	if s != "" && (s[0] == 'x' || s[0] == 'X') {
		s, base = s[1:], 16
	}
	n, err := strconv.ParseUint(s, base, 21)
	if err != nil {
		return "", false
	}
	switch {
	case n == 0xa0:
		return " ", true
	case n == 0x2018:
		return "`", true
	case n == 0x2019:
		return "'", true
	case n == 0x2026:
		return "...", true
	case n == 0xd7:
		return "x", true
	case n == '\t' || n >= 0x20 && n < 0x7f:
		return string(rune(n)), true
	}
	return "", false
}

// breaking are the elements of a page that begin or end a line; inline ones do
// not.
var (
	breaking = map[string]bool{"br": true, "p": true, "div": true, "li": true, "ul": true, "ol": true, "pre": true, "tr": true, "table": true, "tbody": true, "blockquote": true, "h1": true, "h2": true, "h3": true, "h4": true, "body": true, "html": true}
	inlining = map[string]bool{"code": true, "span": true, "font": true, "b": true, "i": true, "u": true, "a": true, "s": true, "em": true, "strong": true, "tt": true, "td": true, "th": true, "kbd": true, "samp": true, "mark": true, "sub": true, "sup": true, "small": true, "big": true, "wbr": true}
)

// tag reads an HTML tag. Names of types in C++ symbols look like some: those
// stand right behind an identifier.
func tag(s string, at int) (n int, put string) {
	name := s[at+1:]
	closing := strings.HasPrefix(name, "/")
	name = strings.TrimPrefix(name, "/")
	i := 0
	for i < len(name) && i < 12 && ('a' <= lower(name[i]) && lower(name[i]) <= 'z' || i > 0 && '0' <= name[i] && name[i] <= '9') {
		i++
	}
	if i == 0 || i == len(name) {
		return 0, ""
	}
	word := strings.ToLower(name[:i])
	breaks := breaking[word]
	if !breaks && !inlining[word] {
		return 0, ""
	}
	end := strings.IndexByte(name[:min(len(name), 512)], '>')
	if end < 0 || name[i] != '>' && name[i] != ' ' && name[i] != '/' {
		return 0, ""
	}
	if !closing && word != "br" && at > 0 && isIdentifier(s[at-1]) {
		return 0, ""
	}
	n = end + 2
	if closing {
		n++
	}
	if breaks {
		return n, "\n"
	}
	return n, ""
}

// escapedTag reads an HTML tag whose signs were made entities: &lt;br&gt;.
func escapedTag(s string, at int) (n int, put string) {
	n, put = entity(s[at:])
	if put != "<" {
		return 0, ""
	}
	var buf [512 + 8]byte
	decoded := buf[:0]
	if at > 0 {
		decoded = append(decoded, s[at-1])
	}
	begin, end := len(decoded), at+n
	decoded = append(decoded, '<')
	for decoded[len(decoded)-1] != '>' {
		if end == len(s) || s[end] == '<' || len(decoded) > 512 || len(decoded) == begin+2 && !mayBeginTag(decoded[begin+1]) {
			return 0, ""
		}
		m, sign := 0, ""
		if s[end] == '&' {
			m, sign = entity(s[end:])
		}
		switch {
		case sign == "<":
			return 0, ""
		case m > 0:
			decoded, end = append(decoded, sign...), end+m
		default:
			decoded, end = append(decoded, s[end]), end+1
		}
	}
	if n, put = tag(string(decoded), begin); n != len(decoded)-begin {
		return 0, ""
	}
	return end - at, put
}

func mayBeginTag(c byte) bool { return c == '/' || isLetter(c) }

func isIdentifier(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= lower(c) && lower(c) <= 'z' || c == '_' || c == ':'
}
