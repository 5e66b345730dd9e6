package transcript

import (
	"strings"

	"kdlocks/kd"
)

// class is what a line looks like by its beginning.
type class uint8

const (
	other      class = iota // nothing that begins a line of debugger output
	blankLine               // nothing at all, an elision, a ruler, progress dots
	keyword                 // the words of a known line
	promptLine              //
	frameLine               // frame number or two addresses
	address                 // one address
	symbol                  // module!function
)

// leads are all line beginnings, by their first byte in lower case.
var leads = func() (t [256][]string) {
	add := func(s string) { t[lower(s[0])] = append(t[lower(s[0])], s) }
	for i := range forms {
		if forms[i].lead != "" {
			add(forms[i].lead)
		}
	}
	for _, b := range beginnings {
		add(b)
	}
	return t
}()

// classify tells what a line looks like, with few looks at most lines.
func classify(text string) class {
	if text == "" {
		return blankLine
	}
	c := text[0]
	if isHex(c) {
		if cl := classifyHex(text); cl != other {
			return cl
		}
	}
	for _, l := range leads[lower(c)] {
		if strings.HasPrefix(text, l) && (len(text) == len(l) || !isLetter(text[len(l)]) || !isLetter(l[len(l)-1])) {
			return keyword
		}
	}
	switch c {
	case 'k', 'K', 'l', 'L', '|':
		if _, ok := parsePrompt(text); ok {
			return promptLine
		}
	case '.', '-', '=', '*', '_', '[', '(', '<', 0xe2:
		switch {
		case strings.HasPrefix(text, "(Inline Function)"):
			return frameLine
		case kd.IsElision(text):
			return blankLine
		}
		if isNoise(text) && strings.Trim(text, ".-=*_…[] ") == "" {
			return blankLine
		}
	case '#':
		return keyword
	}
	if isSymbolLine(text) {
		return symbol
	}
	return other
}

func isLetter(c byte) bool { return 'a' <= lower(c) && lower(c) <= 'z' }

// isSymbolLine reports whether the first word is module!function.
func isSymbolLine(text string) bool {
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '!':
			return i > 0
		case ' ', '\t':
			return false
		}
	}
	return false
}

// classifyHex tells lines apart that begin with a hexadecimal digit.
func classifyHex(text string) class {
	n := hexWord(text, 0)
	if n == len(text) {
		if n >= 8 {
			return address
		}
		return other
	}
	switch text[n] {
	case ' ', '\t':
	case '-':
		if n >= 8 {
			return address
		}
		return other
	case ':':
		if n >= 8 {
			return keyword
		}
		if _, ok := parsePrompt(text); ok {
			return promptLine
		}
		return other
	case '.':
		if _, ok := parsePrompt(text); ok {
			return promptLine
		}
		if w, _, _ := strings.Cut(text, " "); len(w) <= 12 && matchValue('r', w) == whole {
			return keyword
		}
		return other
	default:
		return other
	}
	at := n
	for at < len(text) && (text[at] == ' ' || text[at] == '\t') {
		at++
	}
	m := hexWord(text, at)
	switch {
	case isAddressWord(n):
		if isAddressWord(m) && (at+m == len(text) || text[at+m] == ' ') {
			return frameLine
		}
		if strings.HasPrefix(text[at:], "is not a thread object") {
			return keyword
		}
		return address
	case n <= 2 && m > 0 && m <= 2 && beginsLocation(text[at+m:]):
		return keyword
	case n <= 3 && (isAddressWord(m) || strings.HasPrefix(text[at:], "(Inline")):
		return frameLine
	case strings.HasPrefix(text[at:], "total locks"), strings.HasPrefix(text[at:], "thread [stats]:"), strings.HasPrefix(text[at:], "threads [stats]:"):
		return keyword
	case n >= 8:
		return address
	}
	return other
}

// beginsLocation reports whether an address comes next, as behind the flags of a
// stack location of an IRP:
//
//	1 e1 8a6434d8 ac598d40 853220cb-a89682d8 Success Error Cancel pending
func beginsLocation(text string) bool {
	rest, blanks := kd.TrimBlanks(text)
	n := hexWord(rest, 0)
	return blanks > 0 && isAddressWord(n) && n < len(rest) && rest[n] == ' '
}

// isAddressWord reports whether a word of hexadecimal digits is as long as an
// address: 8, 16, or 17 with the backtick.
func isAddressWord(n int) bool { return n == 8 || n == 16 || n == 17 }

func hexWord(s string, from int) int {
	i := from
	for i < len(s) && (isHex(s[i]) || s[i] == '`') {
		i++
	}
	return i - from
}

// observe keeps what the lines behind a line depend on. The list of a resource
// goes on behind the THREAD blocks that !locks -v puts into it.
func (r *Repair) observe(text string, c class) {
	if r.table != noTable || c == keyword {
		r.table = r.nextTable(text, c)
	}
	switch {
	case text == "":
		r.block = false
	case c == promptLine, strings.HasPrefix(text, "KD: Scanning"), strings.HasPrefix(text, "kdlocks-"):
		r.list, r.block = noList, false
	case c == frameLine:
		r.block = r.block || strings.IndexByte(text, '!') > 0
	case c != keyword:
	case strings.HasPrefix(text, "Resource @"):
		r.list, r.block = noList, false
		if w, _ := headWidth(text); w > 0 {
			r.width = w
		}
	case strings.HasPrefix(text, "Threads Waiting"):
		r.list, r.block = waiterList, false
	case strings.HasPrefix(text, "Threads:"):
		r.list, r.block = ownerList, false
	default:
		r.block = true
	}
}
