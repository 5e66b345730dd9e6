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
	switch {
	case l.Text == "NonPaged", l.Text == "Paged":
		t := Paged
		if l.Text == "NonPaged" {
			t = NonPaged
		}
		if len(r.pool.above) < 2 {
			r.pool.above = append(r.pool.above, t)
		}
		r.seen(l)
		return true
	case r.pool.half != NoType && strings.HasPrefix(l.Text, "Allocs "): // the heads of the other half were broken off
		r.strangeHeads(l)
		return false
	case r.pool.strange:
		return false
	case len(r.pool.Rows) == 0 && onlyHeads(l.Text):
		r.seen(l)
		return true
	case len(l.Text) > 5 && strings.HasPrefix(l.Text, "TOTAL") && (l.Text[5] == ' ' || l.Text[5] == '\t'):
		return r.total(l)
	}
	unclear := r.pool.heads == nil && !r.columnsOf(l.Text)
	if r.tornEnd(l) {
		return true
	}
	var row Row
	last, ok := r.readRow(l, &row)
	if !ok {
		return r.tornRow(l) || r.driverGoesOn(l)
	}
	lost := unclear || r.pool.halfRow(&row)
	if r.seen(l); row.Tag == "" || lost {
		what := "where the tag ends"
		if lost {
			what = "which columns the numbers are of"
		}
		r.unclearRow(l, what)
		return true
	}
	r.pool.uncut(l, &row)
	r.usedRow(l, row, last)
	return true
}

// unclearRow counts a row that is not used.
func (r *Reader) unclearRow(l kd.Line, what string) {
	r.pool.Unread++
	r.gap()
	r.note(l.All(), "!poolused: it is not clear %s in %q: the row is not used", what, kd.Clip(l.Text))
}

// usedRow keeps a row whose numbers were read.
func (r *Reader) usedRow(l kd.Line, row Row, last ending) {
	switch last {
	case runsOn:
		r.pool.doubtful = append(r.pool.doubtful, len(r.pool.Rows))
	case cutOff:
		r.pool.cutOff = append(r.pool.cutOff, len(r.pool.Rows))
	}
	r.pool.glued = r.pool.glued || last == gluedOn
	_, behind, _ := strings.Cut(l.Text, "Binary:")
	together := runTogether(row.Comment) || runTogether(behind)
	if together {
		r.pool.Unread++
		r.note(l.All(), "!poolused: several rows were run together: only the first, of tag %q, is read", row.Tag)
	}
	if r.pool.unread(&row) {
		r.note(l.All(), "!poolused: a number of tag %q cannot be read: it is unknown", row.Tag)
	}
	r.tooFew(&row)
	if r.add(row); together {
		r.gap()
	}
}

// driverGoesOn takes what a narrow window broke off the name of a driver: one word at the
// beginning of the line below a long row.
func (r *Reader) driverGoesOn(l kd.Line) bool {
	const long = 60
	n := len(r.pool.Rows)
	if n == 0 || l.Off > 0 || strings.ContainsAny(l.Text, " \t:") {
		return false
	}
	row := &r.pool.Rows[n-1]
	if row.Driver == "" || strings.Contains(row.Driver, ".sys") || l.Num != row.At.EndLine()+1 || row.At.Len < long {
		return false
	}
	row.Driver += l.Text
	r.seen(l)
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

// unread reports whether a number that every row has is unknown in this one.
func (p *poolReader) unread(row *Row) bool {
	of := func(t Type) bool {
		u := row.Of(t)
		return p.half != NoType && p.half != t || u.Allocs.Known() && u.Bytes.Known()
	}
	return !of(NonPaged) || !of(Paged)
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
	if next, _, ok := r.numbers(&w, &row, nil, 0); !ok || next < len(r.pool.columns()) || w.rest() != "" {
		return false
	}
	r.pool.uncut(l, &row)
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
		if !short.NonPaged.overFreed() {
			*row = short
		}
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
// has bytes, and nothing has none; no more is freed than was made.
func (r *Row) plausible() bool {
	for _, u := range []*Usage{&r.NonPaged, &r.Paged} {
		if u.overFreed() {
			return false
		}
		if u.Allocs.Known() && u.Bytes.Known() && ((u.Allocs.N == 0) != (u.Bytes.N == 0) || u.Bytes.N < u.Allocs.N) {
			return false
		}
	}
	return true
}

// overFreed reports whether more was freed than made.
func (u *Usage) overFreed() bool {
	life := u.Life()
	return life.Freed.N > life.Made.N && life.Made.Known() && life.Made.N < mayWrap
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
	next, end, ok := r.numbers(&w, row, widths, 0)
	if !ok || next < len(r.pool.columns()) {
		return 0, false
	}
	row.Tag, row.At = Tag(strings.Clone(l.Text[:tag])), l.All()
	row.remark(w.rest())
	return end, true
}

// remark reads what stands behind the numbers of a row.
func (row *Row) remark(text string) {
	row.Comment = strings.Clone(text)
	if comment, driver, ok := strings.Cut(row.Comment, "Binary:"); ok {
		row.Comment, _ = kd.TrimBlanks(strings.TrimRight(comment, " ,"))
		if row.Driver, _ = kd.TrimBlanks(driver); runTogether(driver) {
			row.Driver, _, _ = strings.Cut(row.Driver, " ")
		}
	}
}

// numbers reads the numbers of a row, from the one at next on, and returns which was not
// there, all of them if all were. At most one of them may be unreadable; it is left
// unknown.
func (r *Reader) numbers(w *words, row *Row, widths []int, next int) (int, ending, bool) {
	heads := r.pool.columns()
	bad := 0
	for i, head := range heads {
		if i < next {
			continue
		}
		half := &row.NonPaged
		if r.pool.half == Paged || r.pool.half == NoType && i >= len(heads)/2 {
			half = &row.Paged
		}
		into := half.column(head, heads[1] == "Frees")
		if w.rest() == "" {
			return i, cleanEnd, true
		}
		if i == len(heads)-1 {
			width := 0
			if widths != nil {
				width = widths[i]
			}
			n, end, ok := w.last(width)
			*into = n
			return len(heads), end, ok
		}
		w.blanks()
		start := w.pos
		n, ok := w.number(false)
		if next, _ := utf8.DecodeRuneInString(w.Text[w.pos:]); ok && (w.pos == len(w.Text) || next == ' ' || next == '\t' || next == '\u00a0') {
			*into = n
			continue
		}
		// A word that begins as a number: part of it is mangled.
		w.pos = start
		text, _ := w.word()
		if bad++; bad > 1 || plainDigits(text) == 0 {
			return i, cleanEnd, false
		}
	}
	return len(heads), cleanEnd, true
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
	switch name := strings.TrimSuffix(strings.ToLower(words[0]), ".exe"); {
	case name == "umdh" && len(words) > 1 && (isSwitch(words[1]) || strings.Contains(words[1], ".")):
	case name != "poolmon" || slices.ContainsFunc(words[1:], func(w string) bool { return !isSwitch(w) }):
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
