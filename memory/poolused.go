package memory

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"kdlocks/kd"
)

// typedPool is what a command asked for.
type typedPool struct {
	command  string
	poolused bool
	sort     Sort
	filter   string
	limit    int
	session  bool
}

// readPoolused reads a command (Microsoft's documentation of !poolused; /t is in
// the ntdebugging blog, "NonPagedPool Depletion"):
//
//	!poolused [/tN] [Flags [TagString]]
func readPoolused(command string) typedPool {
	t := typedPool{command: command, poolused: true, sort: ByTag}
	words := strings.Fields(command)[1:]
	if len(words) > 0 && strings.HasPrefix(words[0], "/t") {
		n, err := strconv.ParseUint(words[0][len("/t"):], 10, 31)
		if words = words[1:]; err == nil {
			t.limit = int(n)
		}
	}
	if len(words) == 0 {
		return t
	}
	flags, err := strconv.ParseUint(strings.TrimPrefix(strings.ToLower(words[0]), "0x"), 16, 32)
	if err != nil {
		t.sort = SortUnknown
		return t
	}
	switch flags & 6 {
	case 2:
		t.sort = ByNonPaged
	case 4:
		t.sort = ByPaged
	case 6:
		t.sort = SortUnknown
	}
	t.session = flags&8 != 0
	if len(words) > 1 && strings.Trim(words[1], "*") != "" {
		t.filter = strings.Join(words[1:], " ")
	}
	return t
}

func (t *typedPool) apply(p *Pool) {
	p.Command, p.Sort, p.Filter, p.Limit = t.command, t.sort, t.filter, t.limit
	p.Filtered, p.OfSession = flag(t.filter != ""), flag(t.session)
}

// poolusedHead reads the lines above the heads of columns:
//
//	Sorting by NonPaged Pool Consumed
//	Pool Used:
func (r *Reader) poolusedHead(l kd.Line) bool {
	c := kd.Cursor{Text: l.Text}
	switch {
	case c.Take("Sorting by"):
		sort := SortUnknown
		switch {
		case c.Take("Tag") && c.Peek() == "":
			sort = ByTag
		case c.Take("NonPaged Pool Consumed"):
			sort = ByNonPaged
		case c.Take("Paged Pool Consumed"):
			sort = ByPaged
		default:
			return false
		}
		if r.open == poolBlock && r.pool.SortAt.Known() {
			r.newPool(Poolused, l)
		}
		r.poolOf(Poolused, l)
		r.pool.Sort, r.pool.SortAt = sort, l.All()
		return true
	case c.Take("Pool Used:") && c.Peek() == "":
		r.poolOf(Poolused, l)
		return true
	}
	return false
}

// headlessRow reads the first row of a listing of which nothing but the command
// stands above it.
func (r *Reader) headlessRow(l kd.Line) bool {
	var row Row
	if _, ok := r.readRow(l, &row); !ok {
		return false
	}
	r.newPool(Poolused, l)
	return r.poolusedLine(l)
}

// poolusedLine reads a row, or what else stands among them.
func (r *Reader) poolusedLine(l kd.Line) bool {
	c := kd.Cursor{Text: l.Text}
	switch {
	case c.Take("NonPaged Paged") && c.Peek() == "":
		r.seen(l)
		return true
	case len(l.Text) > 5 && strings.HasPrefix(l.Text, "TOTAL") && (l.Text[5] == ' ' || l.Text[5] == '\t'):
		return r.total(l)
	}
	var row Row
	last, ok := r.readRow(l, &row)
	if !ok {
		return false
	}
	if r.seen(l); row.Tag == "" {
		r.pool.Unread++
		r.gap()
		r.note(l.All(), "!poolused: it is not clear where the tag ends in %q: the row is not used", kd.Clip(l.Text))
		return true
	}
	switch last {
	case runsOn:
		r.pool.doubtful = append(r.pool.doubtful, len(r.pool.Rows))
	case cutOff:
		r.pool.cutOff = append(r.pool.cutOff, len(r.pool.Rows))
	}
	r.pool.glued = r.pool.glued || last == gluedOn
	together := runTogether(row.Comment)
	if together {
		r.pool.Unread++
		r.note(l.All(), "!poolused: several rows were run together: only the first, of tag %q, is read", row.Tag)
	}
	if row.unread() > 0 {
		r.note(l.All(), "!poolused: a number of tag %q cannot be read: it is unknown", row.Tag)
	}
	r.tooFew(&row)
	if r.add(row); together {
		r.gap()
	}
	return true
}

// runTogether reports whether the numbers of another row stand in a comment.
func runTogether(comment string) bool {
	n := 0
	for w := range strings.FieldsSeq(comment) {
		if plainDigits(w) < len(w) {
			n = 0
		} else if n++; n == len(plainHeads) {
			return true
		}
	}
	return false
}

// unread counts the numbers that every row has and that are unknown in this one.
func (r *Row) unread() int {
	n := 0
	for _, x := range []Number{r.NonPaged.Allocs, r.NonPaged.Bytes, r.Paged.Allocs, r.Paged.Bytes} {
		if !x.Known() {
			n++
		}
	}
	return n
}

// leastBlock is what a block of pool has at least, in bytes: its header on 32 bits
// (Microsoft Learn: !pool, whose blocks there are multiples of 8).
const leastBlock = 8

// tooFew takes back bytes that are too few for the allocations beside them: their last
// digits are missing.
func (r *Reader) tooFew(row *Row) {
	for _, u := range []*Usage{&row.NonPaged, &row.Paged} {
		if u.Allocs.Known() && u.Bytes.Known() && u.Allocs.N > u.Bytes.N/leastBlock {
			r.note(u.Bytes.At, "!poolused: tag %q cannot have %d allocations in %d bytes: the bytes are unknown", row.Tag, u.Allocs.N, u.Bytes.N)
			u.Bytes = Number{}
		}
	}
}

func (r *Reader) total(l kd.Line) bool {
	row := Row{At: l.All()}
	w := words{l, len("TOTAL")}
	if _, ok := r.numbers(&w, &row, nil); !ok || w.rest() != "" {
		return false
	}
	if r.seen(l); !r.pool.Total.At.Known() {
		r.pool.Total = row
	}
	return true
}

// readRow reads a row. Its Tag is "" where it cannot be told from the first
// number: both have blanks in them where the columns are lost.
//
//	AGP         1      344         2      384UNKNOWN pooltag 'AGP ', please update pooltag.txt
//	IoWI   5769999    646239888          0            0	Io work items , Binary: nt!io
//	None 246479 50827424 0 0 call to ExAllocatePool
func (r *Reader) readRow(l kd.Line, row *Row) (ending, bool) {
	four := cutTag(l.Text)
	aligned := r.pool.widths != nil && l.Origin == nil || r.pool.heads == nil && strings.Contains(l.Text, "   ")
	if four > 0 && aligned {
		if end, ok := r.rowFrom(l, four, r.pool.widths, row); ok {
			return end, true
		}
	}
	c := kd.Cursor{Text: l.Text}
	word, _ := c.Word()
	short := Row{}
	shortEnd, ok := ending(0), false
	if utf8.RuneCountInString(word) <= tagChars {
		shortEnd, ok = r.rowFrom(l, len(word), nil, &short)
	}
	if four <= 0 || !strings.Contains(strings.TrimRight(l.Text[:four], " "), " ") {
		*row = short
		return shortEnd, ok
	}
	long := Row{}
	longEnd, also := r.rowFrom(l, four, nil, &long)
	switch {
	case !also:
		*row = short
		return shortEnd, ok
	case !ok || long.plausible() && !short.plausible():
		*row = long
		return longEnd, true
	case short.plausible() && !long.plausible():
		*row = short
		return shortEnd, true
	}
	return 0, true
}

// cutTag returns how many bytes the first four characters of a row have, 0 if no
// blank stands behind them.
func cutTag(text string) int {
	at := 0
	for range tagChars {
		_, n := utf8.DecodeRuneInString(text[at:])
		at += n
	}
	if at >= len(text) || text[at] != ' ' && text[at] != '\t' {
		return 0
	}
	return at
}

// plausible reports whether the numbers of a row go together: what is allocated
// has bytes, and nothing has none.
func (r *Row) plausible() bool {
	for _, u := range []*Usage{&r.NonPaged, &r.Paged} {
		if u.Allocs.Known() && u.Bytes.Known() && ((u.Allocs.N == 0) != (u.Bytes.N == 0) || u.Bytes.N < u.Allocs.N) {
			return false
		}
	}
	return true
}

// ending says what stands behind the last number of a row.
type ending uint8

const (
	cleanEnd ending = iota
	gluedOn         // a comment begins right there
	runsOn          // it may: what is taken for a digit of the number may be one of the comment
	cutOff          // it does where the column ends, within digits
)

// rowFrom reads a row whose tag has some bytes.
func (r *Reader) rowFrom(l kd.Line, tag int, widths []int, row *Row) (ending, bool) {
	w := words{l, tag}
	end, ok := r.numbers(&w, row, widths)
	if !ok {
		return 0, false
	}
	row.Tag, row.At = Tag(l.Text[:tag]), l.All()
	row.Comment = strings.Clone(w.rest())
	if comment, driver, ok := strings.Cut(row.Comment, "Binary:"); ok {
		row.Comment, _ = kd.TrimBlanks(strings.TrimRight(comment, " ,"))
		row.Driver, _ = kd.TrimBlanks(driver)
	}
	row.Tag = strings.Clone(row.Tag)
	return end, true
}

// plainHeads are the columns where no line says which there are.
var plainHeads = []string{"Allocs", "Used", "Allocs", "Used"}

// numbers reads the numbers of a row. At most one of them may be unreadable; it
// is left unknown.
func (r *Reader) numbers(w *words, row *Row, widths []int) (ending, bool) {
	heads := r.pool.heads
	if heads == nil {
		heads = plainHeads
	}
	bad, end := 0, cleanEnd
	for i, head := range heads {
		half := &row.NonPaged
		if i >= len(heads)/2 {
			half = &row.Paged
		}
		into := half.column(head, len(heads) == 8)
		if i == len(heads)-1 {
			width := 0
			if widths != nil {
				width = widths[i]
			}
			n, e, ok := w.last(width)
			if *into, end = n, e; !ok {
				return 0, false
			}
			break
		}
		w.blanks()
		start := w.pos
		n, ok := w.number(false)
		if next, _ := utf8.DecodeRuneInString(w.Text[w.pos:]); ok && (next == ' ' || next == '\t' || next == '\u00a0') {
			*into = n
			continue
		}
		// A word that begins as a number: part of it is mangled.
		w.pos = start
		text, _ := w.word()
		if bad++; bad > 1 || plainDigits(text) == 0 {
			return 0, false
		}
	}
	return end, true
}

// column returns the number that stands in the column of a name.
func (u *Usage) column(head string, verbose bool) *Number {
	switch {
	case head == "Used":
		return &u.Bytes
	case head == "Diff", head == "Allocs" && !verbose:
		return &u.Allocs
	}
	if u.life == nil {
		u.life = &Life{}
	}
	if head == "Frees" {
		return &u.life.Freed
	}
	return &u.life.Made
}

// last reads the last number of a row, to whose end older debuggers glue the
// comment: of "01394 OHCI" it is 0, and the comment begins with digits. width is
// that of its column from the end of the number before, 0 if that is lost. Digits that a tab
// or the end of the line follows are all of the number: no comment stands there.
func (w *words) last(width int) (Number, ending, bool) {
	before := w.pos
	w.blanks()
	start := w.pos
	size := digits(w.Text[start:])
	if size == 0 {
		return Number{}, 0, false
	}
	if w.Text[start] == '0' {
		size = 1
	}
	sure, within := w.Text[start] == '0', false
	alone := start+size == len(w.Text) || w.Text[start+size] == '\t'
	if room := before + width - start; width > 0 && room > 0 && !alone && (room == size || room < size && start-before > 1) {
		size, sure, within = room, true, room < size // it ends where its column does
	}
	v, ok := count(w.Text[start : start+size])
	if !ok {
		w.word()
		return Number{}, cleanEnd, true
	}
	w.pos = start + size
	n := Number{v, w.Ref(start, size)}
	switch {
	case w.pos == len(w.Text) && w.Cut: // digits may be missing
		return Number{}, cleanEnd, true
	case w.pos == len(w.Text), w.Text[w.pos] == '\t':
		return n, cleanEnd, true
	case within:
		return n, cutOff, true
	case w.Text[w.pos] != ' ':
		return n, gluedOn, true
	case sure:
		return n, cleanEnd, true
	}
	return n, runsOn, true
}

// settleGlued takes back the numbers that may end with the first digits of a
// comment, where comments are glued to numbers, and those that were cut where their
// column ends, where no other comment is.
func (r *Reader) settleGlued() {
	p := &r.pool
	doubtful := p.cutOff
	if p.glued {
		doubtful = p.doubtful
	}
	for _, i := range doubtful {
		if i < len(p.Rows) && p.Rows[i].Comment != "" {
			at := p.Rows[i].At
			p.Rows[i].Paged.Bytes = Number{}
			r.note(at, "!poolused: it is not clear where the last number of tag %q ends and its comment begins: the number is unknown", p.Rows[i].Tag)
		}
	}
}

// isSwitch reports whether a word of a console command is a switch: "/b", "-b".
func isSwitch(w string) bool { return len(w) > 1 && (w[0] == '/' || w[0] == '-') }

// console reads a prompt of a console that poolmon was typed at (Microsoft's
// documentation of the tool: /b sorts by bytes, /i shows the tags of a pattern, /x
// hides them, /s is the pool of a session):
//
//	C:\tools>poolmon /iNtF? /g
func (r *Reader) console(l kd.Line) bool {
	_, command, ok := strings.Cut(l.Text, ">")
	return ok && r.consoleCommand(command, l)
}

// bareConsole reads a command without the prompt that it was typed at.
func (r *Reader) bareConsole(l kd.Line) bool {
	words := strings.Fields(l.Text)
	if words[0] != "poolmon" && words[0] != "poolmon.exe" || slices.ContainsFunc(words[1:], func(w string) bool { return !isSwitch(w) }) {
		return false
	}
	return r.consoleCommand(l.Text, l)
}

func (r *Reader) consoleCommand(command string, l kd.Line) bool {
	words := strings.Fields(command)
	if len(words) == 0 {
		return false
	}
	name := words[0][strings.LastIndexAny(words[0], `\`)+1:]
	if t, ok := readHeapTool(name, words, l); ok {
		r.Break()
		r.typedHeap = &t
		return true
	}
	if !strings.EqualFold(name, "poolmon") && !strings.EqualFold(name, "poolmon.exe") {
		return false
	}
	r.Break()
	t := typedPool{command: strings.Join(words, " ")}
	var patterns []string
	for _, w := range words[1:] {
		if !isSwitch(w) {
			continue
		}
		switch w[1] | 0x20 {
		case 'b':
			t.sort = ByBytes
		case 'i', 'x':
			patterns = append(patterns, w)
		case 's':
			t.session = true
		}
	}
	slices.Sort(patterns)
	t.filter = strings.Join(patterns, " ")
	r.typedPool = t
	return true
}
