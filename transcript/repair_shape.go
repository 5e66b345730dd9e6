package transcript

import (
	"strings"

	"kdlocks/kd"
)

// frameFit returns how much of a stack frame a text is:
//
//	0a ffffbbb9`66523220 fffff83b`01f02273 nt!FsRtlAcquireFileForCcFlushEx+0x27f
//	fffff880`07fab3e0 fffff800`0228da52 : a b c d : nt!KiSwapContext+0x7a
//	8b487190 8a615901 850a5f88 00000000 00000000 nt!KeWaitForSingleObject+0x492
//	05 (Inline Function) --------`--------     nt!X+0x19 [path @ 1080]
//
// A frame that has begun to list arguments must list all of them: three on x86,
// four between colons.
func frameFit(text string) fit {
	c := kd.Cursor{Text: text}
	w, _ := c.Word()
	if len(w) <= 3 && kd.AddrDigits(w) > 0 {
		w, _ = c.Word()
	}
	if w == "(Inline" {
		return inlineFit(&c)
	}
	digits, tick := kd.AddrDigits(w), strings.IndexByte(w, '`')
	if digits == 16 && tick < 0 && !strings.Contains(text, "!") || digits == 8 && tick >= 0 || digits != 8 && digits != 16 {
		return cutIf(c.Peek() == "" && tick == 8 && partOfAddress(w))
	}
	ret, at := c.Word()
	if ret == "" {
		return cutIf(at > 0)
	}
	if n := kd.AddrDigits(ret); n != digits {
		return cutIf(c.Peek() == "" && partOfAddress(ret) && ret != ":")
	}
	if c.Peek() == ":" {
		c.Word()
		return argsFit(&c)
	}
	args := 0
	for args < 3 {
		w := c.Peek()
		if n := kd.AddrDigits(w); n != 8 || strings.HasPrefix(w, "0x") {
			break
		}
		c.Word()
		args++
	}
	rest, _ := c.Rest()
	switch {
	case rest == "":
		return cut
	case args > 0 && args < 3:
		return cutIf(partOfAddress(rest))
	case args == 0 && digits == 8 && partOfAddress(rest):
		return cut
	}
	return siteFit(rest)
}

// argsFit matches what follows the first colon of a frame.
func argsFit(c *kd.Cursor) fit {
	for n := 0; ; n++ {
		w, _ := c.Word()
		switch {
		case w == "":
			return cut
		case w == ":":
			if n != 4 {
				return noFit
			}
			rest, _ := c.Rest()
			return siteFit(rest)
		case n == 0 && strings.IndexByte(w, '!') > 0: // no arguments at all
			rest := c.Text[strings.Index(c.Text, ": ")+2:]
			rest, _ = kd.TrimBlanks(rest)
			return siteFit(rest)
		case kd.AddrDigits(w) == 16 || w == "--------`--------":
		case c.Peek() == "" && (partOfAddress(w) || strings.Trim(w, "-`") == ""):
			return cut
		default:
			return noFit
		}
	}
}

func inlineFit(c *kd.Cursor) fit {
	w, _ := c.Word()
	if w != "Function)" {
		return cutIf(strings.HasPrefix("Function)", w) && c.Peek() == "")
	}
	for strings.HasPrefix(c.Peek(), "-") || c.Peek() == ":" {
		c.Word()
	}
	rest, _ := c.Rest()
	return siteFit(rest)
}

// siteFit returns how much of a call site a text is, with what the debugger
// hangs on it.
func siteFit(s string) fit {
	if s == "" {
		return cut
	}
	symbol, tail := s, ""
	for _, mark := range [...]string{" (", " [", "\t"} {
		if at := strings.Index(symbol, mark); at >= 0 && !insideName(symbol, at) {
			tail = s[at:]
			symbol = symbol[:at]
		}
	}
	symbol, _ = kd.TrimBlanks(symbol)
	symbol = strings.ReplaceAll(symbol, "**", "")
	got := symbolFit(symbol)
	if got == noFit || tail == "" {
		return got
	}
	return min(got, tailFit(tail))
}

// insideName reports whether a blank belongs to the name of a function:
// operator new, `anonymous namespace', typed arguments.
func insideName(s string, at int) bool {
	s = s[:at]
	return strings.HasSuffix(s, "operator") || strings.Count(s, "`") > strings.Count(s, "'") && !hasAddress(s)
}

// symbolFit matches module!function+0x12 and what may stand in its place.
func symbolFit(s string) fit {
	if s == "" {
		return cut
	}
	if n := kd.AddrDigits(s); n > 0 {
		if strings.HasPrefix(s, "0x") && (n < 8 || n == 8 || n == 16) {
			return whole
		}
		return cutIf(strings.HasPrefix(s, "0x"))
	}
	bang := strings.IndexByte(s, '!')
	name, offset, has := cutOffset(s)
	switch {
	case strings.HasSuffix(s, "!"), strings.HasSuffix(s, "+"), strings.HasSuffix(s, "+0x"), strings.HasSuffix(s, "+0"):
		return cutIf(plainName(s[:len(s)-1]))
	case has && kd.AddrDigits("0x"+offset) == 0:
		return noFit
	case !plainName(name), strings.Contains(name, "+0x"): // the next frame may be an offset alone
		return noFit
	case bang < 0 && !has:
		return cut
	}
	return whole
}

// cutOffset cuts "+0x1a" from a symbol and returns its digits.
func cutOffset(s string) (name, digits string, ok bool) {
	at := strings.LastIndex(s, "+0x")
	if at < 0 {
		return s, "", false
	}
	return s[:at], s[at+3:], true
}

// plainName reports whether a symbol has a module and no blanks but those that
// functions may have.
func plainName(s string) bool {
	if s == "" || s == "+" {
		return true
	}
	module, function, _ := strings.Cut(s, "!")
	if strings.HasPrefix(module, "<Unloaded_") {
		module = strings.Trim(module, "<>")
	}
	for i := 0; i < len(module); i++ {
		c := module[i]
		if !isHex(c) && !('g' <= c && c <= 'z' || 'G' <= c && c <= 'Z') && strings.IndexByte("_-.$@", c) < 0 {
			return false
		}
	}
	return module != "" && plainFunction(function)
}

// plainFunction reports whether a name has blanks only where functions may:
// behind operator, and inside quotes, angles and parentheses.
func plainFunction(s string) bool {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '`', '<', '(':
			depth++
		case '\'', '>', ')':
			depth--
		case ' ', '\t':
			if depth <= 0 && !strings.HasSuffix(s[:i], "operator") {
				return false
			}
		}
	}
	return !hasAddress(s)
}

// hasAddress reports whether a text holds the two halves of an address.
func hasAddress(s string) bool {
	at := strings.IndexByte(s, '`')
	return at >= 8 && hexRun(s, at-8, at) && hexRun(s, at+1, at+9)
}

// tailFit matches what stands behind a symbol: remarks in parentheses and the
// source line in brackets, all closed.
func tailFit(s string) fit {
	for {
		s, _ = kd.TrimBlanks(s)
		if s == "" {
			return whole
		}
		closing := byte(0)
		switch s[0] {
		case '(':
			closing = ')'
		case '[':
			closing = ']'
		case '\t':
			return whole
		default:
			return wholeIf(s == "C/C++/ASM" || s == "C/C++" || s == "C") // Visual Studio's column of languages
		}
		at := strings.IndexByte(s, closing)
		if closing == ')' && !isRemarkStart(s) {
			return noFit
		}
		if at < 0 {
			return cut
		}
		if closing == ']' && !strings.Contains(s[:at], "@ ") {
			return noFit
		}
		s = s[at+1:]
	}
}

// isRemarkStart reports whether a text begins as the debugger's remarks behind
// a call site do, or is the beginning of such a one.
func isRemarkStart(s string) bool {
	for _, m := range [...]string{"(FPO:", "(CONV:", "(TrapFrame @", "(Inline Function @"} {
		if strings.HasPrefix(s, m) || strings.HasPrefix(m, s) {
			return true
		}
	}
	return false
}

// list is the list of a resource that lines may go on with.
type list uint8

const (
	noList list = iota
	ownerList
	waiterList
)

// listFit returns how much of a line of list items a text is. An item of the
// wrong width is a part of one.
func listFit(text string, l list, width int) fit {
	c := kd.Cursor{Text: text}
	if c.Take("Threads:") {
		l = ownerList
	}
	if l == noList {
		return noFit
	}
	for n := 0; ; n++ {
		w, at := c.Word()
		switch {
		case w == "":
			return whole
		case strings.HasPrefix(w, "//") || strings.HasPrefix(w, "<<"):
			return open
		case l == ownerList && w == "***":
			return remarkFit(text[at:], width)
		case l == ownerList && w == "<*>" && n > 0:
			continue
		}
		last := c.Peek() == ""
		got := itemFit(w, l, width)
		if got == cut && last {
			return cut
		}
		if got != whole {
			return noFit
		}
	}
}

// itemFit matches ADDR-NN, ADDR-NN<*>, or ADDR alone in a list of waiters.
func itemFit(w string, l list, width int) fit {
	addr, count, counted := strings.Cut(w, "-")
	n := kd.AddrDigits(addr)
	if strings.IndexByte(addr, '`') >= 0 {
		return noFit // lists have none
	}
	full := n == width || width == 0 && (n == 8 || n == 16)
	switch {
	case !full:
		return cutIf(!counted && partOfAddress(addr) && len(addr) < 17)
	case !counted:
		if l == waiterList {
			return whole
		}
		return cut
	}
	digits := strings.TrimSuffix(count, "<*>")
	switch {
	case len(digits) >= 2 && kd.AddrDigits(digits) > 0:
		return whole
	case len(digits) < 2 && digits == count && (digits == "" || isHex(digits[0])):
		return cut
	case strings.HasSuffix(count, "<") || strings.HasSuffix(count, "<*"):
		digits = count[:strings.IndexByte(count, '<')]
		return cutIf(len(digits) >= 2 && kd.AddrDigits(digits) > 0)
	}
	return noFit
}

// remarks are what the debugger says of an owner that is no thread.
var remarks = compileForms([]string{"*** Actual Thread %a", "*** Unknown owner, possibly FileSystem", "*** Invalid thread"})

func remarkFit(text string, width int) fit {
	best := open // another remark, up to the end of its line
	for i := range remarks {
		got := remarks[i].fit(text)
		if got == whole && i == 0 && width > 0 {
			c := kd.Cursor{Text: text[len("*** Actual Thread"):]}
			if n := kd.AddrDigits(c.Peek()); n < width {
				got = cut
			}
		}
		if got == whole || got == cut {
			return got
		}
	}
	switch {
	case text == "***":
		return cut
	case strings.HasPrefix(text, "*** Actual Thread"), strings.HasPrefix(text, "*** Unknown owner,"), strings.HasPrefix(text, "*** Invalid thread"):
		return noFit // nothing stands behind these
	}
	return best
}

// inRemark reports whether a line of an owner list has come to a remark.
func inRemark(text string) bool {
	return strings.Contains(text, " *** ") || strings.HasSuffix(text, " ***")
}

// beginsEntry reports whether a text begins with an entry of a list or with a
// part of one.
func beginsEntry(text string) bool {
	c := kd.Cursor{Text: text}
	w, _ := c.Word()
	digits, _, _ := strings.Cut(w, "-")
	return digits == "" || w[0] == '<' || partOfAddress(digits)
}
