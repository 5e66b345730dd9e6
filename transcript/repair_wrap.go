package transcript

import (
	"strings"
	"unicode/utf8"

	"kdlocks/kd"
)

// A window, a mail program or a console breaks long lines: at the last blank
// before its width, or at exactly its width, also inside a number. Pieces are
// joined only where the line before is the beginning of a known one, or what
// follows can begin none, and the two together are a whole one.

// mostPieces and mostJoined bound one line.
const (
	mostPieces = 32
	mostJoined = 4096
)

// shape returns how much of a known line a text is.
func (r *Repair) shape(text string) fit {
	if r.table != noTable {
		if got := r.table.fit(text); got != noFit {
			return got
		}
	}
	if r.list == noList || r.block {
		if isHex(text[0]) && classifyHex(text) == frameLine {
			return frameFit(text)
		}
	}
	best := fitForms(text)
	if best == whole {
		return whole
	}
	if c := text[0]; isHex(c) || c == '(' {
		if best = max(best, frameFit(text)); best == whole {
			return whole
		}
	}
	list := r.list
	if r.block {
		list = noList
	}
	if best = max(best, listFit(text, list, r.width)); best == whole {
		return whole
	}
	if strings.IndexByte(text, '!') > 0 && isSymbolLine(text) {
		best = max(best, siteFit(text))
	}
	return best
}

// seam is how two pieces are put together.
type seam struct {
	blank bool
	fit   fit // of what comes out
	doubt kd.Doubt
}

// emit gives out the line that begins at row i and returns of how many rows it
// was made.
func (r *Repair) emit(rows []row, i int, emit func(kd.Line)) int {
	w := &rows[i]
	n := 1
	if i+1 < len(rows) && r.mayGoOn(w, &rows[i+1]) {
		var l kd.Line
		if l, n = r.join(rows[i:]); n > 1 {
			r.observe(l.Text, classify(l.Text))
			emit(l)
			r.emitExtra(&rows[i+n-1], emit)
			return n
		}
	}
	r.remark(w)
	if w.class == blankLine && w.text != "" && !r.dots && kd.IsElision(w.text) {
		w.fixes |= sawElision
	}
	if w.text != "" {
		r.dots = r.dots && (w.class == blankLine || isNoise(w.text)) || beforeDots(w)
	}
	if w.fixes != 0 {
		r.count(w.fixes, w.num)
	}
	r.observe(w.text, w.class)
	emit(r.line(w))
	r.emitExtra(w, emit)
	return 1
}

// emitExtra gives out the blank line that was taken out behind a row.
func (r *Repair) emitExtra(w *row, emit func(kd.Line)) {
	if w.extra > 0 {
		emit(r.extraLine(w.num + 1))
	}
}

// mayGoOn is a quick look whether a row may be continued by the next.
func (r *Repair) mayGoOn(a, b *row) bool {
	switch {
	case a.class == blankLine || a.class == promptLine || b.class == blankLine || b.class == promptLine:
		return false
	case a.class == other:
		return r.table != noTable
	case b.class == other || r.isFull(a):
		return true
	}
	last := a.text[len(a.text)-1]
	switch a.class {
	case frameLine:
		return b.class != keyword && (r.table == mexFrames || strings.IndexByte(a.text, '!') < 0 && strings.IndexByte(a.text, '+') < 0)
	case address:
		return (b.class == address || b.class == frameLine) && (isHex(last) || last == '-' || strings.HasSuffix(a.text, "Owning Thread:"))
	case keyword:
		if b.class == keyword {
			return kd.HasPrefixFold(b.text, "Image:") || kd.HasPrefixFold(b.text, "BasePriority") || b.text[0] == '#' || last == ':' && a.text[0] == 'T' || strings.HasPrefix(a.text, "Process ")
		}
		if b.class != symbol && (strings.HasSuffix(a.text, "lertable") || strings.HasSuffix(a.text, "Site")) {
			return false
		}
		return b.class == symbol || b.class == frameLine || isHex(last) || last == '-' || last == ':' && a.text[0] != 'I' || last == 'd' || last == 't' || last == '@'
	}
	return false
}

// isFull reports whether a row reaches the column at which the text breaks
// lines.
func (r *Repair) isFull(w *row) bool {
	return r.column > 0 && len(w.raw) >= r.column && w.columns(r.marked) == r.column
}

// columns returns how many characters the line has with its markup, or without,
// as a page shows it.
func (w *row) columns(marked bool) int {
	n := utf8.RuneCountInString(w.raw)
	if !marked {
		n -= w.shrunk
	}
	return n
}

// join puts the first row together with those that continue it. It returns how
// many rows the line is made of, 1 if none continues it.
func (r *Repair) join(rows []row) (kd.Line, int) {
	text := rows[0].text
	if len(text) > mostJoined {
		return kd.Line{}, 1
	}
	at := r.shape(text)
	if at == noFit {
		return kd.Line{}, 1
	}
	var seams [mostPieces]seam
	best, bestText := 1, ""
	for n := 1; n < len(rows) && n < mostPieces && len(text) < mostJoined; n++ {
		b := &rows[n]
		s, ok := r.seam(text, at, &rows[n-1], b)
		if !ok {
			break
		}
		seams[n-1] = s
		if s.blank {
			text += " " + b.text
		} else {
			text += b.text
		}
		// What is still a beginning may have been cut by the paste, but digits
		// behind a remark may be what is left of an entry.
		if s.fit >= open || at == cut && !inRemark(text) && (rows[0].class == keyword || rows[0].class == frameLine && b.class == other) {
			best, bestText = n+1, text
		}
		at = s.fit
	}
	if best == 1 {
		return kd.Line{}, 1
	}
	return r.joined(rows[:best], seams[:best-1], bestText), best
}

// seam decides whether a text is continued by a row, and how.
func (r *Repair) seam(text string, at fit, last, b *row) (seam, bool) {
	if b.class == blankLine || b.class == promptLine || len(b.text) > mostJoined {
		return seam{}, false
	}
	full := r.isFull(last)
	if at >= open && !full && b.class != other && b.class != keyword {
		return seam{}, false
	}
	s := r.bestSeam(text, b.text, full && !blankAtSeam(last, b))
	if s.fit == noFit || !allowed(text, at, s.fit, full, b) {
		return seam{}, false
	}
	if !s.blank && isWord(text[len(text)-1]) && isWord(b.text[0]) && !full {
		s.doubt = kd.Guessed
		if at == cut && s.fit >= open {
			s.doubt = kd.Likely
		}
	}
	return s, true
}

// bestSeam puts two texts together with a blank or without, whichever fits
// better; where both fit alike, tight decides.
func (r *Repair) bestSeam(a, b string, tight bool) seam {
	first, second := seam{blank: true}, seam{}
	if tight {
		first, second = second, first
	}
	for _, s := range [...]*seam{&first, &second} {
		if s.blank {
			s.fit = r.shape(a + " " + b)
		} else {
			s.fit = r.shape(a + b)
		}
		if s.fit == whole {
			return *s
		}
	}
	if second.fit > first.fit {
		return second
	}
	return first
}

// allowed holds the rules for a seam that fits.
func allowed(text string, at, joined fit, full bool, b *row) bool {
	if inRemark(text) && beginsEntry(b.text) {
		return at == cut && joined != open // a remark ends its line: the next holds entries
	}
	switch {
	case at == cut && b.class == keyword:
		return joined == whole
	case at == cut && b.class == frameLine && !full:
		return !couldBeNextFrame(text, b.text)
	case at == cut:
		return true
	case isTail(b.text), strings.Contains(b.text, "Thread: ") && classify(text) == frameLine: // what !mex.t says of a lock
		return true
	case b.class == other:
		return joined == whole && (full || !isHexTail(text, b.text)) || full && joined == open
	case b.class == keyword:
		return kd.HasPrefixFold(b.text, "Image:") && kd.HasPrefixFold(text, "Owning Process") || kd.HasPrefixFold(b.text, "BasePriority") && joined == whole
	}
	return full && joined >= open && b.class != frameLine
}

// isHexTail reports whether a line of few digits would go on an offset: alone
// it may be a word, so only the end of a long line is taken for cut.
func isHexTail(text, b string) bool {
	return partOfAddress(b) && (len(text) < 32 || len(b) > 3)
}

// couldBeNextFrame reports whether a frame without a call site may be one that
// was cut off, and the next line the frame above it and not its arguments: it
// begins with a stack address a little higher, and goes on as a frame does.
func couldBeNextFrame(text, b string) bool {
	c, d := kd.Cursor{Text: text}, kd.Cursor{Text: b}
	w, _ := c.Word()
	if len(w) <= 3 {
		w, _ = c.Word()
	}
	v, _ := d.Word()
	if len(v) <= 3 {
		return true
	}
	low, ok1 := kd.ParseFullAddr(w)
	high, ok2 := kd.ParseFullAddr(v)
	if !ok1 || !ok2 || high <= low || high-low >= 0x10000 {
		return false
	}
	if kd.AddrDigits(v) == 8 {
		return true
	}
	d.Word()
	third, _ := d.Word()
	return third == ":" && kd.AddrDigits(d.Peek()) > 0 || strings.IndexByte(third, '!') > 0
}

// isTail reports whether a text begins as no line does, but as the rest of one
// may.
func isTail(s string) bool {
	switch s[0] {
	case '+':
		return strings.HasPrefix(s, "+0x")
	case '<':
		return strings.HasPrefix(s, "<*>")
	case '-':
		return len(s) > 2 && isHex(s[1]) && isHex(s[2])
	case '[':
		return strings.Contains(s, " @ ") || strings.IndexByte(s, ']') < 0 && strings.ContainsAny(s, `\/`)
	case '(':
		return strings.HasPrefix(s, "(FPO:") || strings.HasPrefix(s, "(TrapFrame") || strings.HasPrefix(s, "(CONV:")
	case '*':
		return strings.HasPrefix(s, "*** Actual") || strings.HasPrefix(s, "*** Unknown owner") || strings.HasPrefix(s, "*** Invalid thread")
	}
	return false
}

// blankAtSeam reports whether the input has blanks where two rows meet.
func blankAtSeam(a, b *row) bool {
	last := a.raw[len(a.raw)-1]
	return last == ' ' || last == '\t' || b.raw[0] == ' ' || b.raw[0] == '\t'
}

func isWord(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= lower(c) && lower(c) <= 'z' || c == '`' || c == '_'
}

// joined makes the line of several rows.
func (r *Repair) joined(rows []row, seams []seam, text string) kd.Line {
	need := 0
	for i := range rows {
		need += 2 + len(rows[i].edits)
	}
	o := r.origin()
	o.Pieces, o.Starts = r.room(need), make([]int32, 0, int(rows[len(rows)-1].num-rows[0].num))
	at, from := int32(0), int32(0)
	fixes := rows[0].fixes
	doubt := kd.Sure
	for i := range rows {
		w := &rows[i]
		if i > 0 {
			fixes |= w.fixes
			if w.num != rows[i-1].num {
				from += int32(len(rows[i-1].raw)) + 1
				o.Starts = append(o.Starts, from)
				if extra := rows[i-1].extra; extra > 0 {
					from += extra
					o.Starts = append(o.Starts, from)
				}
			}
			s := seams[i-1]
			doubt = max(doubt, s.doubt)
			if s.blank {
				last := o.Pieces[len(o.Pieces)-1]
				gap := last.From + last.Len
				if w.num != rows[i-1].num {
					gap = from - 1 // the end of the line
				}
				o.Pieces = append(o.Pieces, kd.Piece{At: at, From: gap, Len: 1})
				at++
			}
			first := len(o.Pieces)
			o.Pieces = w.appendPieces(o.Pieces, at, from)
			o.Pieces[first].Doubt = s.doubt
		} else {
			o.Pieces = w.appendPieces(o.Pieces, at, from)
		}
		at += int32(len(w.text))
	}
	r.pieces = r.pieces[:len(r.pieces)+len(o.Pieces)]
	r.count(fixes|[...]kinds{fixedJoin, fixedLikelyJoin, fixedGuessedJoin}[doubt], rows[0].num)
	return kd.Line{Text: text, Input: r.input, Num: rows[0].num, Origin: o, Cut: rows[len(rows)-1].cut}
}

// findColumn looks whether the text proves a column at which lines were broken,
// as a page shows them or with their markup.
func (r *Repair) findColumn(rows []row, loose int) {
	shown, marked, marks := 0, 0, false
	for i := range rows {
		w := &rows[i]
		marks = marks || w.shrunk > 0
		if w.class != other && w.class != blankLine && len(w.raw) > shown {
			shown = max(shown, w.columns(false))
			marked = max(marked, w.columns(true))
		}
	}
	most := shown
	if r.marked {
		most = marked
	}
	if most > r.column {
		r.column, r.marked = 0, false
	}
	if r.column > 0 || loose == 0 {
		return
	}
	const proof = 2
	found := r.broken(rows, shown, false)
	if found >= proof {
		r.column = shown
	}
	if marks && r.broken(rows, marked, true) >= max(proof, found+1) {
		r.column, r.marked = marked, true
	}
}

// broken counts the lines of exactly a length that no known line is beyond
// which are the beginning of a line that the next one continues.
func (r *Repair) broken(rows []row, column int, marked bool) int {
	if column < 40 || column > 250 {
		return 0
	}
	found := 0
	list, width, block, table := r.list, r.width, r.block, r.table
	for i := 0; i+1 < len(rows); i++ {
		a, b := &rows[i], &rows[i+1]
		if len(a.raw) >= column && a.columns(marked) == column && r.mayGoOn(a, b) && b.class != keyword {
			at := r.shape(a.text)
			if at >= open && b.class != other {
				continue
			}
			together := r.shape(a.text + b.text)
			if at == cut && together > noFit || at >= open && together == whole {
				found++
			}
		}
		r.observe(a.text, a.class)
	}
	r.list, r.width, r.block, r.table = list, width, block, table
	return found
}
