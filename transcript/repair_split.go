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
			return strings.IndexByte(text[at+1:], '!') >= 0 || last != ']' && strings.IndexByte(text[at:], '@') >= 0 || strings.IndexByte(text, '\n') >= 0 || strings.IndexByte(text[:at], '>') >= 0
		}
		return len(text) > 100 || strings.IndexByte(text, '>') >= 0 || strings.IndexByte(text, 'l') >= 0 || strings.IndexByte(text, '\n') >= 0
	case c == 'C' && (text[1] == 'h' || len(text) < 90 && strings.HasPrefix(text, "Context")),
		c == 'T' && strings.HasSuffix(text, "lertable"), c == 'K' && last == '.':
		return strings.IndexByte(text, '\n') >= 0
	default:
		return len(text) > lineLimit(c) || strings.IndexByte(text, '\n') >= 0
	}
}

// lineLimit is the length that few single lines have which begin with a byte.
func lineLimit(c byte) int {
	switch c {
	case 'O', 'W', 'S', 'A', 'B':
		return 90
	case 'D':
		return 60
	case 'P':
		return 100
	case 'N':
		return 32
	case 'U':
		return 40
	case 'R':
		return 56
	}
	return 24
}

func (r *Repair) breakRows(rows []row, from int) []row {
	out := append(r.split[:0], rows[:from]...)
	list, width := r.list, r.width
	for i := from; i < len(rows); i++ {
		w := rows[i]
		if r.severalLines(w.text) {
			out = r.breakRow(out, w)
		} else {
			out = append(out, w)
		}
	}
	r.list, r.width = list, width
	r.split = out
	return out
}

// breakRow appends the lines that a row holds. Only lines of up to mostJoined
// bytes are looked for, so that a row of any length costs no more than its
// bytes.
func (r *Repair) breakRow(out []row, w row) []row {
	before := len(out)
	for {
		at, size := r.nextCut(w.text)
		if at < 0 && w.text == "" && len(out) > before { // nothing behind the last break
			out[len(out)-1].cut, out[len(out)-1].extra = w.cut, w.extra
			return out
		}
		if at < 0 {
			return append(out, w)
		}
		if size == 0 {
			w.fixes |= fixedSplit
		}
		head := w
		head.text, _ = kd.TrimBlanks(w.text[:at])
		head.cut, head.extra = false, 0
		if head.text != "" {
			out = append(out, head)
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

func (r *Repair) wholeBefore(s string) bool {
	s, _ = kd.TrimBlanks(s)
	if s == "" || len(s) > mostJoined {
		return false
	}
	if kd.HasPrefixFold(s, "Threads:") {
		return listFit(s, ownerList, 0) == whole
	}
	return r.shape(s) == whole || scanning(s) || kd.HasPrefixFold(s, "Not impersonating") ||
		kd.HasPrefixFold(s, "UserTime ") || kd.HasPrefixFold(s, "KernelTime ") || kd.HasPrefixFold(s, "Owning Process") && r.shape(s) >= open
}

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
	case strings.HasPrefix(s, "Resource @ "):
		c := kd.Cursor{Text: s}
		c.Take("Resource @")
		w := c.Peek()
		_, ok := kd.ParseFullAddr(w)
		return ok || strings.Contains(w, "!")
	}
	return true
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

// nextPrompt finds the prompt that the last line of an output was not ended
// before.
func (r *Repair) nextPrompt(text string) int {
	at := promptBehind(text)
	if at <= 0 || !r.wholeBefore(text[:at]) {
		return -1
	}
	return at
}

// remarkSigns are what authors put before their notes.
var remarkSigns = []string{"<<", "<--", "<==", "//", "; "}

// remark takes an author's note off a line that is whole without it.
func (r *Repair) remark(w *row) {
	if w.class == blankLine || w.class == other || w.class == promptLine {
		return
	}
	if strings.IndexByte(w.text, '<') < 0 && strings.IndexByte(w.text, '/') < 0 && strings.IndexByte(w.text, ';') < 0 {
		return
	}
	for _, s := range remarkSigns {
		at := strings.Index(w.text, " "+s)
		if at <= 0 {
			continue
		}
		before, _ := kd.TrimBlanks(w.text[:at])
		if before != "" && !strings.HasSuffix(before, "operator") && r.shape(before) == whole {
			if kd.SaysLeftOut(w.text[at:]) && (strings.HasPrefix(w.text, "Threads:") || r.list == ownerList && w.class == address) {
				return // the list lacks owners, which its reader must see
			}
			w.text = before
			w.fixes |= fixedRemark
			return
		}
	}
}
