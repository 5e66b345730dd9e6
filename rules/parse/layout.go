package parse

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"kdlocks/kd"
	"kdlocks/rules/tree"
)

// layout finds where the lines of a file that is no YAML go wrong. The parser
// stumbles where a mistake first matters, which is often lines behind it: behind
// a quote that is not closed, at the next quote. What layout knows of YAML is how
// people lay it out; it is asked only about files that the parser refused.
type layout struct {
	lines []string
	// levels are the columns, counted from 0, of the mappings and lists that are open.
	levels []level
	// at is the line that is read, counted from 0.
	at int
	// open is set where the line before ended with a key or a dash, so that its
	// value may stand deeper.
	open bool
	// text is set where the value of the line before may go on deeper; bare is what
	// that begins with if it has no key, and where.
	text             bool
	bare             string
	bareLine, bareAt int
	begun            bool // a document has begun
	bad              *tree.Mistake
}

// level is a mapping or a list: its column, its first line, and how many lines
// stand at the column.
type level struct {
	col  int
	list bool
	line int
	n    int
}

// Misplaced returns the first mistake in the layout of some lines, nil if it sees none.
func Misplaced(lines []string) *tree.Mistake {
	l := layout{lines: lines, open: true}
	for l.at = 0; l.at < len(lines) && l.bad == nil; l.at++ {
		l.line(lines[l.at])
	}
	return l.bad
}

// fail notes a mistake at a byte of the line that is read.
func (l *layout) fail(i int, format string, args ...any) { l.failAt(l.at, i, format, args...) }

func (l *layout) failAt(line, i int, format string, args ...any) {
	if l.bad == nil {
		l.bad = &tree.Mistake{Line: line + 1, Column: utf8.RuneCountInString(l.lines[line][:i]) + 1, Text: fmt.Sprintf(format, args...)}
	}
}

var (
	layoutKey = expression(`^("[^"]*"|'[^']*'|[A-Za-z_<][^\s:#,\[\]{}"']*) *:(\s|$)`)
	wordColon = expression(`^[a-z_]+:\S`)
)

// expression returns what compiles a regular expression when it is first asked:
// every command would wait for it at its start.
func expression(text string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) })
}

// otherBlank returns the first character of a text if it is white space that YAML does
// not take for a blank, such as a no-break space; else 0.
func otherBlank(s string) rune {
	if r, _ := utf8.DecodeRuneInString(s); r >= utf8.RuneSelf && unicode.IsSpace(r) {
		return r
	}
	return 0
}

// line reads one line that begins outside of quotes, brackets and block texts.
func (l *layout) line(s string) {
	rest := strings.TrimLeft(s, " ")
	indent := len(s) - len(rest)
	switch {
	case strings.TrimSpace(s) == "" || rest[0] == '#':
		return
	case rest[0] == '\t':
		l.fail(indent, "the line is indented with a tab: YAML is indented with blanks")
		return
	case otherBlank(rest) != 0:
		l.fail(indent, "the line is indented with the character U+%04X, which looks like a blank: YAML is indented with blanks", otherBlank(rest))
		return
	case indent == 0 && (s == "---" || strings.HasPrefix(s, "--- ")):
		if l.begun {
			l.fail(0, "a file holds one document, and --- begins another: put its rules below those before, or into a file of their own")
		}
		return
	}
	l.begun = true
	if l.text && indent > l.top().col {
		l.continued(rest, indent)
		return
	}
	if l.place(rest, indent) {
		l.content(rest, indent)
	}
}

func (l *layout) top() level {
	if len(l.levels) == 0 {
		return level{col: -1}
	}
	return l.levels[len(l.levels)-1]
}

// continued looks at a line that goes on with a text.
func (l *layout) continued(rest string, indent int) {
	switch {
	case !layoutKey().MatchString(rest):
	case l.bare != "" && l.bareAt == indent:
		l.at-- // whose text has no key
		l.keyless(l.bare, l.bareAt)
	case l.firstIsOdd(l.top(), indent):
	default:
		l.fail(indent, "the line is indented deeper than line %d, which has its value already", l.at)
	}
}

// place closes the levels that a line ends, and reports whether it stands at one
// of those that are open or may open one.
func (l *layout) place(rest string, indent int) bool {
	dash := isDash(rest)
	closed := false
	var last level
	for len(l.levels) > 0 && (l.top().col > indent || l.top().col == indent && l.top().list && !dash && l.keyLevelBelow(indent)) {
		last, l.levels, closed = l.top(), l.levels[:len(l.levels)-1], true
	}
	t := l.top()
	if !closed {
		last = t
	}
	switch {
	case t.col == indent && t.list && !dash:
		l.fail(indent, "an item of the list at line %d begins with \"- \"; without a dash the line belongs to nothing", t.line+1)
	case t.col == indent && dash && !t.list && !(l.open && !closed):
		l.fail(indent, "the line begins with \"- \", and stands among keys: is it indented as its list is?")
	case t.col < indent && dash && !t.list && !closed && l.bare != "":
		l.failAt(l.bareLine, l.bareAt, "the lines below are items of a list, and begin with \"- \": this one does not")
	case t.col < indent && (closed || !l.open) && l.firstIsOdd(last, indent):
	case t.col < indent && (closed || !l.open) && len(l.levels) > 0:
		l.fail(indent, "the line is indented by %s, and what is around it by %s", kd.Plural(indent, "blank"), l.around(indent))
	default:
		if t.col == indent {
			l.levels[len(l.levels)-1].n++
		}
		return true
	}
	return false
}

// firstIsOdd reports a mistake where the line that a level was begun with is the
// one that is indented unlike all others, and not the line below it.
func (l *layout) firstIsOdd(first level, indent int) bool {
	if first.n != 1 || first.line >= l.at {
		return false
	}
	col, alike, other, odd := tree.Indent(l.lines[first.line]), 0, 0, 0
	for _, s := range l.lines {
		switch in := tree.Indent(s); {
		case strings.TrimSpace(s) == "":
		case in == col:
			alike++
		case in == indent:
			other++
		case in%2 == 1:
			odd++
		}
	}
	begins := indent == 0 && col == first.col
	below := col == first.col && other > 1
	alone := col%2 == 1 && odd == 0 && indent%2 == 0
	if col == 0 || !begins && (alike != 1 || !alone && !below) {
		return false
	}
	l.failAt(first.line, col, "the line is indented by %s, and what is below it by %d", kd.Plural(col, "blank"), indent)
	return true
}

// keyLevelBelow reports whether the keys that a list belongs to stand at the same
// column as its dashes.
func (l *layout) keyLevelBelow(col int) bool {
	n := len(l.levels)
	return n > 1 && l.levels[n-2].col == col && !l.levels[n-2].list
}

// around says the indentations next to one.
func (l *layout) around(indent int) string {
	less := max(l.top().col, 0)
	for i := l.at - 1; i >= 0; i-- {
		text := strings.TrimLeft(l.lines[i], " ")
		col := len(l.lines[i]) - len(text)
		if text == "" || text[0] == '#' || col <= less {
			continue
		}
		if col > indent {
			return fmt.Sprintf("%d or %d", less, l.nearest(i, indent))
		}
		break
	}
	return fmt.Sprint(less)
}

// nearest is the least indentation above some that a line had before.
func (l *layout) nearest(from, indent int) int {
	best := -1
	for i := from; i >= 0; i-- {
		text := strings.TrimLeft(l.lines[i], " ")
		col := len(l.lines[i]) - len(text)
		if text == "" || text[0] == '#' {
			continue
		}
		if col <= indent {
			break
		}
		if best < 0 || col < best {
			best = col
		}
	}
	return best
}

func isDash(s string) bool { return s == "-" || strings.HasPrefix(s, "- ") }

// content reads what stands at a column: dashes, a key, a value.
func (l *layout) content(rest string, col int) {
	l.open, l.text, l.bare = false, false, ""
	for isDash(rest) {
		if t := l.top(); t.col != col || !t.list {
			l.levels = append(l.levels, level{col, true, l.at, 1})
		}
		text := strings.TrimLeft(rest[1:], " ")
		col += len(rest) - len(text)
		rest = text
	}
	if rest == "" || rest[0] == '#' {
		l.open = true
		return
	}
	key := layoutKey().FindString(rest)
	t := l.top()
	switch {
	case key != "":
		if t.col != col {
			l.levels = append(l.levels, level{col, false, l.at, 1})
		}
		text := strings.TrimLeft(rest[len(key):], " \t")
		l.value(text, col+len(rest)-len(text))
	case rest[0] == '?' || rest[0] == '%' && col == 0:
		l.at = len(l.lines) // what follows is beyond what people write here
	case t.col == col && !t.list, len(l.levels) == 0:
		l.keyless(rest, col)
	default:
		l.bare, l.bareLine, l.bareAt = rest, l.at, col
		l.value(rest, col)
	}
}

// keyless tells of a line among keys that has none.
func (l *layout) keyless(rest string, col int) {
	switch word, _, _ := strings.Cut(rest, " "); {
	case wordColon().MatchString(rest):
		l.fail(col, "behind the colon of a key there is a blank: %q", tree.Clip(word))
	case strings.ContainsRune("\"'", rune(rest[0])) && closing(rest, 1, rest[0]) < 0:
		l.fail(col, "the quote is not closed")
	case strings.ContainsRune("{[\"'", rune(rest[0])):
		l.fail(col, "the line stands among keys, and has none")
	default:
		l.fail(col, "a key is missing its colon: %q", tree.Clip(word))
	}
}

// value reads a value that begins in the line that is read.
func (l *layout) value(s string, i int) {
	if s == "" || s[0] == '#' {
		l.open = true
		return
	}
	switch s[0] {
	case '|', '>':
		l.block()
	case '"', '\'':
		l.rest(l.quoted(i), "the text goes on behind its closing quote: write a quote within double quotes as \\\"")
	case '{', '[':
		l.rest(l.flow(i), "the text goes on behind its closing bracket: a text that begins with { or [ is put in quotes")
	case '@', '`', '%':
		l.fail(i, "a text that begins with %c is put in quotes", s[0])
	case '&', '*', '!':
	default:
		l.plain(s, i)
	}
}

// plain reads a text without quotes.
func (l *layout) plain(s string, i int) {
	l.text = true
	s, _, _ = strings.Cut(s, " #")
	if k := strings.Index(s+" ", ": "); k >= 0 {
		l.fail(i+k, "a text with a colon and a blank in it is put in quotes")
	}
}

// block skips the lines of a text behind | or >.
func (l *layout) block() {
	for ; l.at+1 < len(l.lines); l.at++ {
		next := l.lines[l.at+1]
		text := strings.TrimLeft(next, " ")
		if text != "" && len(next)-len(text) <= l.top().col {
			return
		}
	}
}

// rest looks at what stands behind the end of a value in quotes or brackets;
// otherwise is the mistake where it is a text.
func (l *layout) rest(i int, otherwise string) {
	if l.bad != nil || i < 0 {
		return
	}
	line := l.lines[l.at]
	text := strings.TrimLeft(line[i:], " \t")
	i = len(line) - len(text)
	switch {
	case text == "" || text[0] == '#' || text[0] == ':':
	case text[0] == '}' || text[0] == ']':
		l.fail(i, "the %c closes nothing: no bracket is open", text[0])
	default:
		l.fail(i, "%s", otherwise)
	}
}

// quoted reads a text in quotes that begins at a byte of the line, and returns
// the byte behind it; -1 if it is not closed.
func (l *layout) quoted(i int) int {
	first, from, quote := l.at, i, l.lines[l.at][i]
	for i++; ; i = 0 {
		if end := closing(l.lines[l.at], i, quote); end >= 0 {
			return end + 1
		}
		if !l.within() {
			l.failAt(first, from, "the quote is not closed")
			return -1
		}
	}
}

// closing returns the byte that closes a quote, -1 if none does.
func closing(s string, i int, quote byte) int {
	for ; i < len(s); i++ {
		switch {
		case s[i] == '\\' && quote == '"':
			i++
		case s[i] == quote && quote == '\'' && i+1 < len(s) && s[i+1] == quote:
			i++
		case s[i] == quote:
			return i
		}
	}
	return -1
}

// within goes to the next line of a value in quotes or brackets; false if the
// next line belongs to something else.
func (l *layout) within() bool {
	if l.at+1 >= len(l.lines) {
		return false
	}
	next := l.lines[l.at+1]
	text := strings.TrimLeft(next, " ")
	if text != "" && text[0] != '}' && text[0] != ']' && len(next)-len(text) <= l.top().col {
		return false
	}
	l.at++
	return true
}

// bracket is one that is open.
type bracket struct {
	line, i int
	char    byte
}

// flow reads a value in brackets that begins at a byte of the line, and returns
// the byte behind it; -1 if something is wrong with it.
func (l *layout) flow(i int) int {
	var open []bracket
	fresh := true // a value may begin
	for {
		line := l.lines[l.at]
		if i >= len(line) || line[i] == '#' && (i == 0 || line[i-1] == ' ') {
			if !l.within() {
				b := open[len(open)-1]
				l.failAt(b.line, b.i, "the %c is not closed", b.char)
				return -1
			}
			i, fresh = 0, true
			continue
		}
		switch c := line[i]; {
		case (c == '{' || c == '['):
			open, fresh = append(open, bracket{l.at, i, c}), true
		case c == '}' || c == ']':
			b := open[len(open)-1]
			if b.char+2 != c {
				l.fail(i, "the %c does not close the %c of column %d", c, b.char, utf8.RuneCountInString(l.lines[b.line][:b.i])+1)
				return -1
			}
			if open = open[:len(open)-1]; len(open) == 0 {
				return i + 1
			}
			fresh = false
		case (c == '"' || c == '\'') && fresh:
			if i = l.quoted(i); i < 0 || !l.behindQuote(i) {
				return -1
			}
			fresh = false
			continue
		case c == ',' || c == ':':
			fresh = true
		case c != ' ':
			fresh = false
		}
		i++
	}
}

// behindQuote looks at what follows a text in quotes within brackets.
func (l *layout) behindQuote(i int) bool {
	line := l.lines[l.at]
	text := strings.TrimLeft(line[i:], " \t")
	i = len(line) - len(text)
	switch {
	case text == "" || strings.ContainsRune(",:}]#", rune(text[0])):
		return true
	case text[0] == '"' || text[0] == '\'':
		l.fail(i, "between two values there is a comma")
	case text[0] == ')':
		l.fail(i, "a list is closed with ] and a mapping with }, not with )")
	default:
		l.fail(i, "the text goes on behind its closing quote: write a quote within double quotes as \\\"")
	}
	return false
}
