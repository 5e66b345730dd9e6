package transcript

import (
	"strings"

	"kdlocks/kd"
)

// splitMarks begin lines that are told from all else by their first words,
// wherever they stand.
var splitMarks = []string{
	"Resource @ ", "KD: Scanning for held locks", "PNP_TRIAGE:", "PNP_TRIAGE_DATA:", "THREAD ", "PROCESS ", "Contention Count =",
	"NumberOfSharedWaiters =", "NumberOfExclusiveWaiters =", "Threads Waiting On Exclusive Access:", "Threads: ",
	"**** DUMP OF ALL RESOURCE OBJECTS ****", "Owning Process ", "Wait Start TickCount", "Context Switch Count",
	"Child-SP ", "ChildEBP ", "Not impersonating", "IRP List:", "Priority ", "Stack Init ", "STACK_TEXT:",
	"LOCK_ADDRESS:", "Lock address ", "Thread Count ", "Thread address:", "Thread wait ",
	"kdlocks-section ", "kdlocks-collect v",
}

// breakUp cuts the rows in which several lines were run together. Rows without
// such lines stay where they are.
func (r *Repair) breakUp(rows []row) []row {
	for i := range rows {
		if r.severalLines(rows[i].text) {
			return r.breakRows(rows, i)
		}
	}
	return rows
}

// severalLines is a quick look whether a row may hold several lines.
func (r *Repair) severalLines(text string) bool {
	if len(text) < 24 {
		return strings.IndexByte(text, '\n') >= 0
	}
	last := text[len(text)-1]
	switch c := text[0]; {
	case isHex(c) && (c < 'A' || c > 'F'):
		if at := strings.IndexByte(text, '!'); at >= 0 { // a frame has one call site
			return strings.IndexByte(text[at+1:], '!') >= 0 || last != ']' && strings.IndexByte(text, '@') >= 0 ||
				strings.IndexByte(text, '>') >= 0 || strings.IndexByte(text, '\n') >= 0 || at > 0 && text[at-1] == ' '
		}
		return len(text) > 100 || strings.ContainsAny(text, ">l@T\n")
	case c == 'C' && (text[1] == 'h' || len(text) < 90 && strings.HasPrefix(text, "Context")),
		c == 'T' && strings.HasSuffix(text, "lertable"), c == 'K' && last == '.':
		return strings.IndexByte(text, '\n') >= 0
	default:
		return len(text) > lineLimit(text) || strings.IndexByte(text, '\n') >= 0
	}
}

// lineLimit is the length that few single lines have which begin as a text
// does.
func lineLimit(text string) int {
	switch text[0] {
	case 'O', 'W', 'S', 'A', 'B':
		return 90
	case 'D':
		return 60
	case 'P':
		if text[1] != 'N' {
			return 100
		}
	case 'N':
		return 32
	case 'U':
		return 40
	case 'R':
		return 42
	}
	return 24
}

func (r *Repair) breakRows(rows []row, from int) []row {
	list, width, block, table := r.list, r.width, r.block, r.table
	r.split, r.seen = append(r.split[:0], rows[:from]...), 0
	for i := from; i < len(rows); i++ {
		if r.severalLines(rows[i].text) {
			r.breakRow(rows[i])
		} else {
			r.split = append(r.split, rows[i])
		}
	}
	r.list, r.width, r.block, r.table = list, width, block, table
	return r.split
}

// catchUp observes the rows before the one that is looked at, so that an
// address is known as an item of a list.
func (r *Repair) catchUp() {
	for ; r.seen < len(r.split); r.seen++ {
		w := &r.split[r.seen]
		r.observe(w.text, classify(w.text))
	}
}

// breakRow adds the lines that a row holds. Only lines of up to mostJoined
// bytes are looked for, so that a row of any length costs no more than its
// bytes.
func (r *Repair) breakRow(w row) {
	for before := len(r.split); ; {
		at, size := r.nextCut(w.text)
		if at < 0 && w.text == "" && len(r.split) > before { // nothing behind the last break
			last := &r.split[len(r.split)-1]
			last.cut, last.extra = w.cut, w.extra
			return
		}
		if at < 0 {
			r.split = append(r.split, w)
			return
		}
		if size == 0 {
			w.fixes |= fixedSplit
		}
		head := w
		head.text, _ = kd.TrimBlanks(w.text[:at])
		head.cut, head.extra = false, 0
		if head.text != "" {
			r.split = append(r.split, head)
		}
		w.fixes &= fixedSplit
		w.front(at + size)
	}
}

// nextCut returns where a text is to be cut, -1 for nowhere, and how many bytes
// stand for the end of the line there.
func (r *Repair) nextCut(text string) (at, size int) {
	window := text[:min(len(text), mostJoined)]
	if at = strings.IndexByte(window, '\n'); at >= 0 {
		return at, 1
	}
	if at = r.nextLine(window); at > 0 {
		return at, 0
	}
	if at = r.nextBehindRemark(window); at > 0 {
		return at, 0
	}
	return strings.IndexByte(text, '\n'), 1
}

// nextLine returns where in a text another line begins behind a whole one, -1
// if none does.
func (r *Repair) nextLine(text string) int {
	best := r.nextMarked(text)
	for _, at := range [...]int{r.nextFrame(text), r.nextItem(text), r.nextTotals(text), r.nextPrompt(text)} {
		if at > 0 && (best < 0 || at < best) {
			best = at
		}
	}
	return best
}

// nextMarked finds the line that one of the marks begins.
func (r *Repair) nextMarked(text string) int {
	best := -1
	for _, m := range splitMarks {
		for from := 1; from < len(text); {
			at := strings.Index(text[from:], m)
			if at < 0 || best > 0 && from+at >= best {
				break
			}
			at += from
			if r.wholeBefore(text[:at]) && r.beginsLine(text[at:]) {
				best = at
				break
			}
			from = at + len(m)
		}
	}
	return best
}

// wholeBefore reports whether a text is a whole line.
func (r *Repair) wholeBefore(s string) bool {
	s, _ = kd.TrimBlanks(s)
	if s == "" || len(s) > mostJoined {
		return false
	}
	switch {
	case kd.HasPrefixFold(s, "Threads:"):
		return listFit(s, ownerList, 0) == whole
	case isHex(s[0]):
		r.catchUp()
	case len(s) > len(waitersHead) && kd.HasPrefixFold(s, waitersHead):
		r.catchUp()
		return listFit(s[len(waitersHead):], waiterList, r.width) == whole
	}
	return r.shape(s) == whole || scanning(s) || wholePrompt(s) || kd.HasPrefixFold(s, "Not impersonating") ||
		kd.HasPrefixFold(s, "UserTime ") || kd.HasPrefixFold(s, "KernelTime ") || kd.HasPrefixFold(s, "Owning Process") && r.shape(s) >= open
}

// waitersHead stands before the exclusive waiters, which may go on behind it
// where a line break was lost.
const waitersHead = "Threads Waiting On Exclusive Access:"

// scanning reports whether a text is the line of progress dots.
func scanning(s string) bool {
	rest, ok := strings.CutPrefix(s, "KD: Scanning for held locks")
	return ok && strings.Trim(rest, ". ") == ""
}

// beginsLine reports whether what stands behind a cut is a line of its kind and
// not a mention of one.
func (r *Repair) beginsLine(s string) bool {
	switch {
	case strings.HasPrefix(s, "THREAD "), strings.HasPrefix(s, "PROCESS "):
		c := kd.Cursor{Text: s}
		c.Word()
		_, ok := kd.ParseFullAddr(c.Peek())
		return ok
	case strings.HasPrefix(s, "Threads: "):
		return beginsWithEntry(s)
	case strings.HasPrefix(s, "Resource @ "):
		c := kd.Cursor{Text: s}
		c.Take("Resource @")
		w := c.Peek()
		_, ok := kd.ParseFullAddr(w)
		return ok || strings.Contains(w, "!")
	case strings.HasPrefix(s, "Lock address "), strings.HasPrefix(s, "Thread Count "), strings.HasPrefix(s, "Thread wait "):
		c := kd.Cursor{Text: s}
		return c.Take("Lock address : ") || c.Take("Thread Count : ") || c.Take("Thread wait : ")
	}
	return true
}

// beginsWithEntry reports whether an address stands first in an owner list.
func beginsWithEntry(s string) bool {
	c := kd.Cursor{Text: s}
	c.Take("Threads:")
	addr, _, _ := strings.Cut(c.Peek(), "-")
	return len(addr) >= 8 && partOfAddress(addr)
}

// nextFrame finds a frame behind another: two addresses, or a number and two
// addresses, behind a whole call site.
func (r *Repair) nextFrame(text string) int {
	bang := strings.IndexByte(text, '!')
	if bang < 0 || classify(text) != frameLine {
		return -1
	}
	c := kd.Cursor{Text: text, Pos: bang}
	c.Word()
	for {
		w, at := c.Word()
		if w == "" {
			return -1
		}
		if classify(text[at:]) == frameLine && frameFit(text[:at]) == whole && kd.AddrDigits(w) > 0 {
			return at
		}
	}
}

// nextItem finds the item of an owner list that follows the mark of another
// without a blank.
func (r *Repair) nextItem(text string) int {
	if !kd.HasPrefixFold(text, "Threads:") && classify(text) != address {
		return -1
	}
	from := 0
	for {
		at := strings.Index(text[from:], "<*>")
		if at < 0 {
			return -1
		}
		at += from + len("<*>")
		n := hexWord(text, at)
		if at < len(text) && isAddressWord(n) && at+n < len(text) && text[at+n] == '-' {
			return at
		}
		from = at
	}
}

// nextTotals finds the closing line behind another.
func (r *Repair) nextTotals(text string) int {
	at := strings.Index(text, " total locks")
	if at < 0 {
		return -1
	}
	begin := at
	for begin > 0 && '0' <= text[begin-1] && text[begin-1] <= '9' {
		begin--
	}
	if begin == at || begin == 0 || !scanning(text[:begin]) && !r.wholeBefore(text[:begin]) {
		return -1
	}
	return begin
}

// nextPrompt finds the prompt of a kernel debugger behind another line.
func (r *Repair) nextPrompt(text string) int {
	at := strings.Index(text, "kd>")
	if at < 0 {
		return -1
	}
	begin := at
	if n := strings.LastIndexByte(text[:at], ':'); n > 0 && strings.Trim(text[n:at], ": ") == "" {
		for begin = n; begin > 0 && '0' <= text[begin-1] && text[begin-1] <= '9'; begin-- {
		}
		if begin == n { // the colon ends the line before
			begin = at
		}
	}
	if begin > 0 && r.wholeBefore(text[:begin]) {
		return begin
	}
	if begin == at && at > 1 && text[at-1] == 'l' && r.wholeBefore(text[:at-1]) {
		return at - 1
	}
	return -1
}

// printing are commands that a line of their output may stand behind.
var printing = map[string]bool{"!locks": true, "!thread": true, "!process": true, "!stacks": true, "k": true, "kb": true, "kv": true}

// wholePrompt reports whether a text is a prompt with a command that prints, of
// which nothing is open: its arguments are numbers and switches.
func wholePrompt(text string) bool {
	if strings.IndexByte(text, '>') < 0 {
		return false
	}
	p, ok := parsePrompt(text)
	if !ok || p.user || !printing[commandWord(p.command)] {
		return false
	}
	c := kd.Cursor{Text: p.command}
	for c.Word(); c.Peek() != ""; {
		if w, _ := c.Word(); kd.AddrDigits(w) == 0 && (len(w) != 2 || w[0] != '-') {
			return false
		}
	}
	return true
}
