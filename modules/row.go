package modules

import (
	"strings"

	"kdlocks/kd"
)

// readRow reads the range of a module and what stands behind the range of a module.
//
//	fffff880`033bc000 fffff880`033cb000   man      T (no symbols)
//	fb8b7000 fb8c8500   sr           (deferred)
//	fbe08000 fbe0ba80   serenum      e:\mysymbols\SereEnum.pdb\...
//	804d7000 806cd280   nt       ntkrpamp.exe Wed Aug 04 01:59:54 2004 (41107F1A)
//	01000000 0100d000   notepad  C:\WINDOWS\system32\notepad.exe
//	80010000 80012320   Aha154x   (load from Aha154x.sys deferred)
//	80100000 801b7b40   NT        (ntoskrnl.exe, \\ntstress\symbols\exe\ntoskrnl.DBG)
//
// The last two are of debuggers for Windows NT 4 (Microsoft Learn: Manually Walking a
// Stack). sure is set if the line is that of a module wherever it stands.
func readRow(l kd.Line, unloaded bool) (m *Module, sure bool) {
	c := kd.Cursor{Text: l.Text}
	base, at := c.Word()
	end, _ := c.Word()
	digits := kd.AddrDigits(base)
	if digits != 8 && digits != 16 || kd.AddrDigits(end) != digits || strings.HasPrefix(base, "0x") {
		return nil, false
	}
	rest, from := c.Rest()
	if !maybeModule(rest) {
		return nil, false
	}
	m = &Module{Unloaded: unloaded, At: l.Ref(at, len(base))}
	m.Base, _ = kd.ParseAddr(base)
	m.End, _ = kd.ParseAddr(end)
	if m.End < m.Base {
		return nil, false
	}
	if unloaded {
		return m, m.unloadedName(l, rest, from)
	}
	sure, ok := m.rest(l, rest, from)
	if !ok {
		return nil, false
	}
	return m, sure
}

// maybeModule keeps frames and dumps of memory out: there a third address or a
// symbol stands behind the two. A name that looks like an address has the status of
// its symbols behind it.
func maybeModule(rest string) bool {
	name, tail, _ := strings.Cut(rest, " ")
	if kd.AddrDigits(name) >= 8 {
		if _, status, _ := statusIn(tail); status == "" {
			return false
		}
	}
	return name != "" && len(name) <= mostName && strings.IndexByte(name, '!') < 0 && !strings.Contains(name, "+0x") &&
		name[0] != ':' && name[0] != '(' && !strings.HasPrefix(rest, "[")
}

// mostMarks bounds the signs between name and status, and mostStatus that, in
// bytes.
const mostMarks, mostStatus = 16, 80

// mostName bounds the name of a file, in bytes: paths of Windows have 260
// characters.
const mostName = 512

func (m *Module) unloadedName(l kd.Line, rest string, from int) bool {
	name := rest
	if at := stampAt(rest); at > 0 {
		name = rest[:at]
		m.stamp(l, rest[at:], from+at)
	}
	name, _ = kd.TrimBlanks(name)
	m.Image = keep(name)
	for w := range strings.FieldsSeq(name) {
		if n := kd.AddrDigits(w); n == 8 || n == 16 {
			return false // several were run together
		}
	}
	return name != "" && len(name) <= mostName && (strings.IndexByte(name, ' ') < 0 || strings.IndexByte(name, '.') > 0)
}

// rest reads the columns behind the range of a loaded module.
func (m *Module) rest(l kd.Line, rest string, from int) (sure, ok bool) {
	c := kd.Cursor{Text: rest}
	name, _ := c.Word()
	m.Name = keep(name)
	for len(m.SymbolMarks) < mostMarks && isMarks(c.Peek()) {
		w, _ := c.Word()
		m.SymbolMarks += keep(w)
	}
	tail, at := c.Rest()
	tail, _ = kd.TrimBlanks(tail)
	if open, status, after := statusIn(tail); status != "" {
		m.SymbolStatus = keep(status)
		m.file(tail[:open])
		if s := stampAt(after); s >= 0 {
			m.stamp(l, after[s:], from+at+len(tail)-len(after)+s)
		} else {
			m.SymbolFile = keep(after)
		}
		return true, true
	}
	if m.oldStatus(tail) {
		return true, true
	}
	if m.cutStatus(tail) {
		return false, true
	}
	if s := stampAt(tail); s >= 0 {
		m.file(tail[:s])
		m.stamp(l, tail[s:], from+at+s)
		return m.TimeWord.Known() || m.Repro, true
	}
	switch {
	case tail == "":
	case strings.Contains(strings.ToLower(tail), ".pdb"):
		m.SymbolFile = keep(tail)
	case strings.IndexByte(tail, '\\') >= 0, strings.IndexByte(tail, '.') > 0 && strings.IndexByte(tail, ' ') < 0:
		m.file(tail)
	default:
		return false, strings.IndexByte(tail, ' ') < 0
	}
	return false, true
}

// oldStatus reads what debuggers for Windows NT 4 say of the symbols.
func (m *Module) oldStatus(tail string) bool {
	inner, ok := strings.CutSuffix(strings.TrimPrefix(tail, "("), ")")
	if !ok || tail[0] != '(' {
		return false
	}
	if file, ok := strings.CutPrefix(inner, "load from "); ok {
		if file, ok = strings.CutSuffix(file, " deferred"); ok {
			m.SymbolStatus = "deferred"
			m.file(file)
		}
		return ok
	}
	file, symbols, ok := strings.Cut(inner, ", ")
	if !ok || len(symbols) < 4 || !strings.EqualFold(symbols[len(symbols)-4:], ".dbg") {
		return false
	}
	m.SymbolFile = keep(symbols)
	m.file(file)
	return true
}

// cutStatus keeps the beginning of a status that a narrow window broke.
func (m *Module) cutStatus(tail string) bool {
	open := strings.LastIndexByte(tail, '(')
	if open < 0 || len(tail)-open > mostStatus || strings.IndexByte(tail[open:], ')') >= 0 {
		return false
	}
	switch words := tail[open+1:]; words {
	case "no", "pdb", "export", "private", "private pdb", "coff", "codeview", "source", "no symbolic":
		m.statusBegun = words
		m.file(tail[:open])
		return true
	}
	return false
}

// file keeps the name of a file, with its folder if there is one.
func (m *Module) file(name string) {
	name, _ = kd.TrimBlanks(name)
	if strings.IndexByte(name, '\\') >= 0 {
		m.Path = keep(name)
	}
	m.Image = keep(FileOf(name))
}

// isMarks reports whether a word is of the signs between name and symbol status.
func isMarks(w string) bool { return w != "" && len(w) <= 6 && strings.Trim(w, "*#MCPT") == "" }

// statusIn finds the status of symbols in a text: where it opens, its words, and
// what stands behind it.
func statusIn(s string) (open int, status, after string) {
	for from := 0; ; {
		n := strings.IndexByte(s[from:], '(')
		if n < 0 {
			return 0, "", ""
		}
		open = from + n
		end := strings.IndexByte(s[open:min(open+mostStatus, len(s))], ')')
		if end < 0 {
			from = open + 1
			continue
		}
		if words := s[open+1 : open+end]; isStatus(words) {
			after, _ = kd.TrimBlanks(s[open+end+1:])
			return open, words, after
		}
		from = open + 1
	}
}

// isStatus reports whether words tell what symbols of a module were found.
func isStatus(words string) bool {
	words, _, _ = strings.Cut(words, ":")
	return words == "deferred" || words == "no symbolic information" || len(words) <= 32 && strings.HasSuffix(words, "symbols")
}

// days are the first words of a time as the debugger prints it.
var days = map[string]bool{"Sun": true, "Mon": true, "Tue": true, "Wed": true, "Thu": true, "Fri": true, "Sat": true}

// stampAt returns where a timestamp begins in a text, -1 if none does.
func stampAt(s string) int {
	c := kd.Cursor{Text: s}
	for {
		w, at := c.Word()
		switch {
		case w == "":
			return -1
		case days[w] && len(s)-at >= len("Wed Aug 04 01:59:54 2004"), w == "Timestamp:", w == "unavailable" || w == "*****":
			return at
		case kd.AddrDigits(w) == 8 && strings.HasPrefix(c.Peek(), "(This"):
			return at
		}
	}
}

// stamp reads a timestamp, which stands at byte at of the line.
//
//	Thu Dec 06 10:40:45 2018 (5C087E1D)
//	08294233 (This is a reproducible build file hash, not a timestamp)
//	unavailable (FFFFFFFE)
//	3c76c346 Fri Feb 22 14:16:38 2002
func (m *Module) stamp(l kd.Line, s string, at int) {
	if body, ok := strings.CutPrefix(s, "Timestamp:"); ok {
		body, blanks := kd.TrimBlanks(body)
		s, at = body, at+len("Timestamp:")+blanks
	}
	first, behind, _ := strings.Cut(s, " ")
	behind, _ = kd.TrimBlanks(behind)
	day, _, _ := strings.Cut(behind, " ")
	word, wordAt := "", 0
	m.Timestamp = keep(s)
	switch {
	case strings.HasPrefix(behind, "(This is a"):
		m.Repro, word, wordAt = true, first, at
		m.Timestamp = keep(first)
	case strings.HasSuffix(s, ")") && strings.LastIndexByte(s, '(') >= 0:
		open := strings.LastIndexByte(s, '(')
		word, wordAt = s[open+1:len(s)-1], at+open+1
		text, _ := kd.TrimBlanks(s[:open])
		m.Timestamp = keep(text)
	case kd.AddrDigits(first) > 0 && len(first) <= 8 && days[day]:
		word, wordAt = first, at
		m.Timestamp = keep(behind)
	}
	n, ok := kd.ParseAddr(word)
	if ok && n != 0 && n < 0xfffffffe && !strings.HasPrefix(m.Timestamp, "unavailable") {
		m.TimeWord = Number{uint64(n), l.Ref(wordAt, len(word))}
	}
}

// keep copies a text, so that the line is not held in memory for it.
func keep(s string) string {
	s, _ = kd.TrimBlanks(s)
	return strings.Clone(clip(s))
}
