package transcript

import (
	"slices"
	"strings"

	"kdlocks/kd"
	"kdlocks/memory"
	"kdlocks/modules"
)

// What stands in front of each line of a paste: quoting, line numbers, times.
// Numbers also begin frames, prompts and lists, so they are taken off only
// where a run of lines counts them up; marks of a comment only where lines
// beside each other carry them.

// shortRun is the least number of lines that prove a layout.
const shortRun = 3

// unprefix takes the prefixes off the rows of a batch.
func (r *Repair) unprefix(rows []row) {
	for range 3 { // a number may stand before the quoting or behind it
		n := r.comments(rows) + r.numbers(rows) + r.times(rows) + r.bullets(rows)
		if n == 0 {
			return
		}
		for i := range rows {
			r.unquote(&rows[i])
		}
	}
}

// unquote takes the quoting of mails off a row. The marker of a call stack
// window, followed by a tab, and that of the current stack location of an IRP
// stay.
func (r *Repair) unquote(w *row) {
	for strings.HasPrefix(w.text, ">") && !isStackMarker(w.text) && !strings.HasPrefix(w.text, ">[") {
		w.front(1)
		w.fixes |= fixedQuoting
	}
}

// isStackMarker reports whether a text that begins with > is the marked frame
// of a call stack window: a tab follows, and nothing that a kernel debugger
// begins a line with.
func isStackMarker(text string) bool {
	behind, ok := strings.CutPrefix(text, ">\t")
	if !ok {
		return false
	}
	behind, _ = kd.TrimBlanks(behind)
	return classify(behind) == symbol || !begunForm(behind)
}

// commentMarks are put in front of pastes in source code and mails.
var commentMarks = []struct {
	mark string
	run  int // lines beside each other that must carry it
}{{"//", 2}, {"|", shortRun}, {":", shortRun}, {";", shortRun}, {"#", shortRun}}

func (r *Repair) comments(rows []row) int {
	done := 0
	for i := 0; i < len(rows); i++ {
		t := rows[i].text
		if t == "" || !commentByte[t[0]] {
			continue
		}
		for _, m := range commentMarks {
			if !strings.HasPrefix(t, m.mark) {
				continue
			}
			end := i
			for end < len(rows) && strings.HasPrefix(rows[end].text, m.mark) {
				end++
			}
			if (end-i >= m.run || i == 0 && r.comment == m.mark) && !ownComments(rows[i:end], m.mark) {
				r.comment = m.mark
				for j := i; j < end; j++ {
					rows[j].front(len(m.mark))
					rows[j].fixes |= fixedQuoting
					done++
				}
			}
			i = end - 1
			break
		}
	}
	if len(rows) > 0 && rows[len(rows)-1].fixes&fixedQuoting == 0 {
		r.comment = ""
	}
	return done
}

// ownComments reports whether a tool put the marks there: umdh writes the head of its
// output as comments.
func ownComments(rows []row, mark string) bool {
	return mark == "//" && slices.ContainsFunc(rows, func(w row) bool {
		text, _ := kd.TrimBlanks(w.text[len(mark):])
		return memory.HeapComment(text)
	})
}

var commentByte = [256]bool{'/': true, '|': true, ':': true, ';': true, '#': true}

// bulletSigns begin the items of a list, each with a blank behind.
var bulletSigns = []string{"-", "*", "\u2022", "\u00b7", "\u25aa", "\u25cf", "\u25e6"}

// bulletByte marks their first bytes.
var bulletByte = [256]bool{'-': true, '*': true, 0xc2: true, 0xe2: true}

// bulletOf returns the bullet that a text begins with, "" if it has none. The
// lines of a box of asterisks, as around the title of !analyze, have one at
// their end, too.
func bulletOf(text string) string {
	if text == "" || !bulletByte[text[0]] {
		return ""
	}
	for _, b := range bulletSigns {
		rest, ok := strings.CutPrefix(text, b)
		if ok && (rest == "" || rest[0] == ' ' || rest[0] == '\t') && (b != "*" || !strings.HasSuffix(rest, "*")) {
			return b
		}
	}
	return ""
}

// bullets takes off the bullets of a paste that was made a list.
func (r *Repair) bullets(rows []row) int {
	done := 0
	for i := 0; i < len(rows); {
		b := bulletOf(rows[i].text)
		if b == "" {
			i++
			continue
		}
		n, proven := bulletRun(rows[i:], b)
		if proven || i == 0 && r.bullet == b {
			r.bullet = b
			for j := range rows[i : i+n] {
				if w := &rows[i+j]; bulletOf(w.text) == b {
					w.front(len(b))
					w.fixes |= fixedBullets
					done++
				}
			}
		}
		i += n
	}
	if len(rows) > 0 && rows[len(rows)-1].fixes&fixedBullets == 0 {
		r.bullet = ""
	}
	return done
}

// bulletRun returns how many rows the list takes that begins with the first,
// and whether it is a paste: a third of its items are lines of a known form or
// begin one. Between items may stand pieces of wrapped ones.
func bulletRun(rows []row, b string) (n int, proven bool) {
	const mostBetween = 4
	items, known, between := 0, 0, 0
	for j := range rows {
		text := rows[j].text
		if text == "" {
			continue
		}
		if bulletOf(text) != b {
			if between++; between > mostBetween {
				break
			}
			continue
		}
		between, n = 0, j+1
		rest := behindPrefix(text[len(b):])
		if rest == "" { // a blank line of the paste
			continue
		}
		items++
		if begunForm(rest) {
			known++
		}
	}
	return n, known >= shortRun && known*3 >= items
}

// behindPrefix returns a text without the quoting, the line number and the
// bullet that may stand in front of it.
func behindPrefix(text string) string {
	text, _ = kd.TrimBlanks(text)
	if n, ok := (&row{text: text}).number(); ok && !n.prompt {
		if rest, _ := kd.TrimBlanks(text[n.size:]); n.close != ' ' || strings.HasPrefix(rest, ">") {
			text = rest
		}
	}
	for strings.HasPrefix(text, ">") {
		text, _ = kd.TrimBlanks(text[1:])
	}
	text, _ = kd.TrimBlanks(text[len(bulletOf(text)):]) // of a list in a list
	return text
}

// begunForm reports whether a text is a line of a known form, or begins one.
func begunForm(text string) bool {
	known := false
	switch classify(text) {
	case promptLine:
		return true
	case keyword:
		known = fitForms(text) != noFit || listFit(text, noList, 0) != noFit || slices.ContainsFunc(beginnings, func(b string) bool { return strings.HasPrefix(text, b) })
	case frameLine:
		known = frameFit(text) != noFit
	case address:
		known = fitForms(text) != noFit || listFit(text, ownerList, 0) != noFit || listFit(text, waiterList, 0) != noFit
	case symbol:
		known = siteFit(text) != noFit
	}
	return known || readable(text)
}

// readable reports whether a text alone is a line of which no form is kept here, as its
// reader takes it: of memory, of modules, or of a stop code.
func readable(text string) bool {
	if text == "" {
		return false
	}
	if memory.Known(text) || modules.Known(text) || isArgument(text) {
		return true
	}
	_, _, title := stopCodeTitle(text)
	return title
}

// lineNumber is a number in front of a line and what closes it.
type lineNumber struct {
	value int
	size  int  // bytes up to the text behind it
	close byte // ':', '|', '.', ')', or a blank
	// prompt is set when it may be the processor's number in a prompt.
	prompt bool
}

// numberOf reads a decimal line number: "12: ", "12| ", "0012 ". A number
// without a sign behind it must be padded, so that a frame number is none.
func numberOf(s string) (lineNumber, bool) {
	n, v := 0, 0
	for n < len(s) && n < 8 && '0' <= s[n] && s[n] <= '9' {
		v = v*10 + int(s[n]-'0')
		n++
	}
	if n == 0 || n == 8 {
		return lineNumber{}, false
	}
	if n == len(s) {
		return lineNumber{v, n, 0, false}, true
	}
	c := s[n]
	switch c {
	case ':', '|', ')':
		if n+1 < len(s) && s[n+1] >= '0' && s[n+1] <= '9' && c == ':' { // a time
			return lineNumber{}, false
		}
		rest, _ := kd.TrimBlanks(s[n+1:])
		return lineNumber{v, n + 1, c, strings.HasPrefix(rest, "kd") || strings.HasPrefix(rest, "lkd")}, true
	case ' ', '\t':
		return lineNumber{v, n + 1, ' ', false}, true
	case '.':
		if n+1 == len(s) || s[n+1] == ' ' {
			return lineNumber{v, n + 1, c, false}, true
		}
	}
	return lineNumber{}, false
}

// numbers takes off line numbers that count up.
func (r *Repair) numbers(rows []row) int {
	done := 0
	for i := 0; i < len(rows); {
		first, ok := rows[i].number()
		goesOn := ok && r.number.close == first.close && first.value == r.number.value+1
		if !ok || first.close == 0 || first.prompt && !goesOn {
			i++
			continue
		}
		end, count, known := numberedRun(rows, i, first)
		if count >= shortRun && (first.close != ' ' || known >= 2 || padded(rows[i].text) || rows[i].stacksRow(first)) || goesOn {
			for j := i; j < end; j++ {
				if n, ok := rows[j].number(); ok && (n.close == first.close || n.close == 0) {
					rows[j].front(n.size)
					rows[j].fixes |= fixedNumbers
					n.close = first.close
					r.number = n
					done++
				}
			}
		}
		i = max(end, i+1)
	}
	return done
}

// padded reports whether a text begins with a number of four digits and more
// that zeros fill up: frame numbers are not.
func padded(s string) bool { return s[0] == '0' && digitPattern(s, "0000") > 0 }

// stacksRow reports whether a row of !stacks stands behind a number: no list of
// frames begins so.
func (w *row) stacksRow(n lineNumber) bool {
	rest, _ := kd.TrimBlanks(w.text[n.size:])
	return rest != "" && classify(rest) == keyword && matchValue('r', strings.Fields(rest)[0]) == whole
}

func (w *row) number() (lineNumber, bool) {
	if w.text == "" || w.text[0] < '0' || w.text[0] > '9' {
		return lineNumber{}, false
	}
	return numberOf(w.text)
}

// numberedRun returns where the run of counted lines that begins at row i
// ends, how many lines are counted in it, and how many of them begin like
// debugger output that no frame is. Between two of them may stand pieces of a
// wrapped line.
func numberedRun(rows []row, i int, at lineNumber) (end, count, known int) {
	const mostBetween = 12
	end = i
	for j := i; j < len(rows) && j-end <= mostBetween; j++ {
		n, ok := rows[j].number()
		switch {
		case !ok || n.close != at.close && n.close != 0:
			continue
		case n.value != at.value+count:
			if n.close == ' ' && at.close == ' ' {
				continue // a frame number, or an address in pieces
			}
			return end, count, known
		}
		rest, _ := kd.TrimBlanks(rows[j].text[n.size:])
		for strings.HasPrefix(rest, ">") { // quoting may stand behind the number
			rest, _ = kd.TrimBlanks(rest[1:])
		}
		if rest != "" && classify(rest) == keyword {
			known++
		}
		count++
		end = j + 1
	}
	return end, count, known
}

// times takes off times in front of lines.
func (r *Repair) times(rows []row) int {
	done := 0
	for i := 0; i < len(rows); i++ {
		n := rows[i].time()
		if n == 0 {
			continue
		}
		end, count := i, 0
		for j := i; j < len(rows) && j-end <= 4; j++ {
			if rows[j].time() > 0 {
				end, count = j+1, count+1
			}
		}
		if count >= shortRun || r.timed && i <= 1 {
			r.timed = true
			for j := i; j < end; j++ {
				if n := rows[j].time(); n > 0 {
					rows[j].front(n)
					rows[j].fixes |= fixedTimes
					done++
				}
			}
		}
		i = end - 1
	}
	return done
}

func (w *row) time() int {
	if w.text == "" || w.text[0] != '[' && w.text[0] != '(' && (w.text[0] < '0' || w.text[0] > '9') {
		return 0
	}
	return timeSize(w.text)
}

// timeSize returns the size of a time of day at the beginning of a text, with
// its date and brackets and the blank behind it; 0 if there is none:
//
//	[12:34:56.789]   2024-01-02 12:34:56   2024-01-02T12:34:56Z   12:34:56,789:
func timeSize(s string) int {
	i := 0
	bracket := byte(0)
	if s[0] == '[' || s[0] == '(' {
		bracket = map[byte]byte{'[': ']', '(': ')'}[s[0]]
		i++
	}
	if n := digitPattern(s[i:], "0000-00-00"); n > 0 {
		i += n
	} else if n := digitPattern(s[i:], "00/00/0000"); n > 0 {
		i += n
	}
	if i > 1 && i < len(s) && (s[i] == ' ' || s[i] == 'T') {
		i++
	}
	n := digitPattern(s[i:], "00:00:00")
	if n == 0 {
		return 0
	}
	i += n
	if i < len(s) && (s[i] == '.' || s[i] == ',') {
		i++
		for i < len(s) && '0' <= s[i] && s[i] <= '9' {
			i++
		}
	}
	if i < len(s) && s[i] == 'Z' {
		i++
	}
	if bracket != 0 {
		if i >= len(s) || s[i] != bracket {
			return 0
		}
		i++
	}
	if i < len(s) && s[i] == ':' {
		i++
	}
	if i < len(s) && s[i] != ' ' && s[i] != '\t' {
		return 0
	}
	return i
}

// digitPattern returns the length of pattern if s begins with its signs and
// any digits for its zeros, else 0.
func digitPattern(s, pattern string) int {
	if len(s) < len(pattern) {
		return 0
	}
	for i := range len(pattern) {
		if c := s[i]; pattern[i] == '0' && (c < '0' || c > '9') || pattern[i] != '0' && c != pattern[i] {
			return 0
		}
	}
	return len(pattern)
}
