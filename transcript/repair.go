package transcript

import (
	"fmt"
	"math/bits"
	"strings"
	"unicode/utf8"

	"kdlocks/kd"
)

// Repair turns the lines of a mangled text into the lines that the debugger
// printed, and keeps for each byte where it stood. A line of a sound text comes
// out as it went in, without blanks around it. Lines come out late by at most
// one batch.
//
// It never guesses what is missing: it takes off what stands in front of every
// line, replaces characters by the ones they were made of, cuts a line where
// another begins inside it behind a whole one, and joins lines where the pieces
// are none and the whole is one.
type Repair struct {
	input   int32
	printed bool // nothing is to be repaired
	rows    []row
	ready   int // rows that wait since the last batch
	kept    [repairKinds]repairCount
	chars   charRepair

	comment string     // the comment mark in front of the last line
	bullet  string     // the bullet of a list that stood in front of the last line
	number  lineNumber // the last line number that was taken off
	timed   bool
	// blankDue is the number of the line that must be blank where every second
	// is; 0 elsewhere.
	blankDue int32
	// column is where the text proves that lines were broken, 0 if it does not;
	// marked is set if markup counts.
	column int
	marked bool
	list   list
	block  bool // a THREAD block stands in the list
	table  table
	dots   bool // progress dots may follow: the line before prints them, or was one
	width  int  // digits of the address in the last head line of a resource
	split  []row
	seen   int // rows of split that were observed while it is made

	// counters is set behind the head of a counter log; counterLine is the last line of
	// one, if hasCounter is set, until the next one comes.
	counters, hasCounter bool
	counterLine          row

	origins []kd.Origin
	pieces  []kd.Piece
}

// batchRows is how many lines are looked at together, mostKept how many of
// them may have to wait for what comes next.
const (
	batchRows = 512
	mostKept  = 192
)

// kinds is a set of what was repaired.
type kinds uint16

const (
	fixedQuoting kinds = 1 << iota
	fixedNumbers
	fixedBullets
	fixedTimes
	fixedTypography
	fixedMarkup
	fixedRemark
	fixedDoubled
	sawElision
	fixedSplit
	fixedJoin
	fixedLikelyJoin
	fixedGuessedJoin
	repairKinds = iota
)

// repairTexts are the notes for the kinds, with the number of lines and the
// first.
var repairTexts = [repairKinds]string{
	"quoting or comment signs in front of %s taken off",
	"line numbers in front of %s taken off",
	"bullets of a list in front of %s taken off",
	"times in front of %s taken off",
	"typographic characters in %s read as the plain ones that a debugger prints",
	"markup in %s taken out",
	"an author's remark behind %s left out",
	"the blank line behind %s taken out, as behind all lines around",
	"an author's elision on %s: what stood there is missing, and lists around may lack entries",
	"%s held several lines that were run together",
	"%s put together again from the pieces that a narrow window made",
	"%s put together again inside a number or name; edges that rest on it have grade C at best",
	"%s put together again by their form alone; edges that rest on it have grade D",
}

type repairCount struct {
	lines int
	first int32
}

// row is a line on its way.
type row struct {
	raw   string // as it stands in the input
	text  string
	num   int32
	off   int32      // bytes of raw before text, while edits is nil
	base  int32      // bytes that were taken off the front of an edited text
	edits []kd.Piece // of the edited text, with an empty one at its end; nil if text is a part of raw
	// shrunk is how many characters fewer the line has without its markup.
	shrunk int
	extra  int32 // bytes of the blank line that was taken out behind it, with its end
	fixes  kinds
	class  class
	cut    bool
	// hollow is set if nothing stood on the line but marks that close a type.
	hollow bool
}

// front takes n bytes and the blanks behind them off the front.
func (w *row) front(n int) {
	t, blanks := kd.TrimBlanks(w.text[n:])
	w.text = t
	if w.edits == nil {
		w.off += int32(n + blanks)
	} else {
		w.base += int32(n + blanks)
		for len(w.edits) > 2 && w.edits[1].At <= w.base {
			w.edits = w.edits[1:]
		}
	}
}

// Push takes the next line of the input, without its end.
func (r *Repair) Push(raw string, num int32, emit func(kd.Line)) {
	text, off := kd.TrimBlanks(raw)
	if r.printed {
		emit(kd.Line{Text: text, Input: r.input, Num: num, Off: int32(off)})
		return
	}
	r.endCounters(false, emit)
	if r.counterRow(text) {
		r.pushCounters(raw, num, emit)
		return
	}
	r.rows = append(r.rows, row{raw: raw, text: text, num: num, off: int32(off)})
	if len(r.rows) >= batchRows {
		r.batch(false, emit)
	}
}

// Flush gives out what is left. ends is true if the last line has no end of
// line: it may be cut.
func (r *Repair) Flush(ends bool, emit func(kd.Line)) {
	r.endCounters(ends, emit)
	if n := len(r.rows); n > 0 {
		r.rows[n-1].cut = ends
		r.batch(true, emit)
	}
}

// Notes returns what was repaired, one note for each kind.
func (r *Repair) Notes() []kd.Note {
	var out []kd.Note
	for i, k := range r.kept {
		if k.lines > 0 {
			text := fmt.Sprintf("mangled text: "+repairTexts[i], kd.Plural(k.lines, "line"))
			out = append(out, kd.Note{At: kd.Ref{Input: r.input, Line: k.first, Col: 1}, Text: text})
		}
	}
	return out
}

func (r *Repair) count(k kinds, num int32) {
	for k != 0 {
		i := bits.TrailingZeros16(uint16(k))
		k &^= 1 << i
		if c := &r.kept[i]; c.lines == 0 {
			c.first = num
		}
		r.kept[i].lines++
	}
}

// unfolded counts the lines of a block that was put together elsewhere.
func (r *Repair) unfolded(u unfolded, first int32) {
	k := fixedJoin
	switch {
	case u.lines == 0:
		return
	case u.kind == foldQuoted:
		k = fixedQuoting
	}
	c := &r.kept[bits.TrailingZeros16(uint16(k))]
	if c.lines == 0 {
		c.first = first + int32(u.first)
	}
	c.lines += u.lines
}

// batch repairs the rows that came together. Unless the input ends, those
// behind the last line that must begin anew wait for the next batch.
func (r *Repair) batch(last bool, emit func(kd.Line)) {
	var held [mostTyped]row
	n := len(r.rows)
	if !last {
		n -= copy(held[:], r.rows[opensLate(r.rows):])
	}
	late := held[:len(r.rows)-n]
	r.characters(r.rows[r.ready:n])
	r.unprefix(r.rows[r.ready:n])
	rows := r.breakUp(r.undouble(r.rows[:n], emit))
	loose := 0
	for i := range rows {
		if rows[i].class = classify(rows[i].text); rows[i].class == other {
			loose++
		}
	}
	r.findColumn(rows, loose)
	end := len(rows)
	if !last {
		end = safeEnd(rows)
	}
	for i := 0; i < end; {
		i += r.emit(rows[:end], i, emit)
	}
	var saved [mostKept]row
	r.ready = copy(saved[:], rows[end:])
	clear(r.rows)
	r.rows = append(append(r.rows[:0], saved[:r.ready]...), late...)
}

// safeEnd returns where a batch may end: before a line that begins anew.
func safeEnd(rows []row) int {
	for i := len(rows) - 1; i > max(0, len(rows)-mostKept); i-- {
		switch rows[i].class {
		case blankLine, keyword, promptLine:
			return i
		}
	}
	return len(rows)
}

// characters repairs the characters of the rows and takes the quoting off.
func (r *Repair) characters(rows []row) {
	r.chars.open = 0
	for i := range rows {
		w := &rows[i]
		if suspects(w.text) {
			r.chars.later = rows[i+1:]
			r.rowCharacters(w)
		}
		if w.text == "" {
			r.chars.open = 0
			continue
		}
		switch w.text[0] {
		case '>':
			r.unquote(w)
		case '`', '~':
			fence(w)
		}
	}
}

func (r *Repair) rowCharacters(w *row) {
	text, edits := r.chars.line(w.text)
	if edits == nil {
		return
	}
	for j := range edits {
		edits[j].From += w.off
	}
	if r.chars.fixes&fixedMarkup != 0 {
		w.shrunk = utf8.RuneCountInString(w.text) - utf8.RuneCountInString(text)
	}
	w.hollow = text == "" && closesTypes(w.text)
	w.text, w.edits, w.base = text, edits, 0
	w.fixes |= r.chars.fixes
	w.front(0)
}

// fence takes off the signs around a block of code in Markdown.
func fence(w *row) {
	rest := strings.TrimLeft(w.text, "`~")
	n := len(w.text) - len(rest)
	switch {
	case n >= 3 && !strings.ContainsAny(rest, " !@:-"):
		w.front(len(w.text)) // with the name of a language
	case n >= 3:
		w.front(n)
	case n == 1 && w.text[0] == '`' && strings.HasSuffix(rest, "`") && len(rest) > 1:
		w.front(1)
		w.text, _ = kd.TrimBlanks(w.text[:len(w.text)-1])
	default:
		return
	}
	w.fixes |= fixedMarkup
}

// line makes the line of a row that stands alone.
func (r *Repair) line(w *row) kd.Line {
	l := kd.Line{Text: w.text, Input: r.input, Num: w.num, Off: w.off, Cut: w.cut}
	if w.edits != nil && w.text != "" {
		l.Origin = r.origin()
		l.Origin.Pieces = w.appendPieces(r.room(len(w.edits)), 0, 0)
		r.pieces = r.pieces[:len(r.pieces)+len(l.Origin.Pieces)]
	}
	return l
}

// origin and room hand out parts of blocks, so that a mangled line costs no
// allocations of its own. Room is followed by taking what was used of it.
func (r *Repair) origin() *kd.Origin {
	if len(r.origins) == 0 {
		r.origins = make([]kd.Origin, 128)
	}
	o := &r.origins[0]
	r.origins = r.origins[1:]
	return o
}

func (r *Repair) room(n int) []kd.Piece {
	if cap(r.pieces)-len(r.pieces) < n {
		r.pieces = make([]kd.Piece, 0, max(n, 1024))
	}
	at := len(r.pieces)
	return r.pieces[at:at:min(at+n, cap(r.pieces))]
}

// appendPieces adds the pieces of a row's text, which begins at byte at of the
// whole and whose raw line begins at byte from of the source.
func (w *row) appendPieces(to []kd.Piece, at, from int32) []kd.Piece {
	if w.edits == nil {
		return append(to, kd.Piece{At: at, From: from + w.off, Len: int32(len(w.text))})
	}
	begin, end := w.base, w.base+int32(len(w.text))
	for i, p := range w.edits[:len(w.edits)-1] {
		next := w.edits[i+1].At
		size := next - p.At
		if p.At >= end {
			break
		}
		if next <= begin {
			continue
		}
		if size == p.Len { // a piece that stands for itself may be clipped
			front, back := max(0, begin-p.At), max(0, next-end)
			p.At, p.From, p.Len = p.At+front, p.From+front, p.Len-front-back
		}
		p.At = at + max(p.At, begin) - begin
		p.From += from
		to = append(to, p)
	}
	return to
}
