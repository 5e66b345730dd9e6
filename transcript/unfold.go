package transcript

import (
	"bytes"
	"strings"

	"kdlocks/kd"
	"kdlocks/threads"
)

// fold is what was done to the lines of a THREAD block as a whole: 0 nothing,
// foldQuoted, or lines were cut at the column from leastWidth to mostWidth that
// it is; more than that by foldWords if they were broken at blanks only.
type fold uint8

const (
	// foldQuoted: quoting or comment signs stand in front of each line.
	foldQuoted fold = 1
	// foldWords: lines were broken at a blank. What goes on begins at column 0,
	// where no line of an indented block does.
	foldWords fold = 100

	leastWidth, mostWidth = 60, 155
)

// words reports whether lines were broken at blanks only.
func (f fold) words() bool { return f > mostWidth }

// width is the column that no line reaches beyond.
func (f fold) width() int {
	if f.words() {
		f -= foldWords
	}
	return int(f)
}

// quoteSigns stand in front of quoted lines.
const quoteSigns = " >/"

// folds returns what may have been done to a block, whose head word comes after
// lead bytes of its first line.
func folds(block []byte, lead int) []fold {
	front := bytes.Trim(block[:lead], " ")
	if len(front) > 0 {
		return []fold{foldQuoted}
	}
	var out []fold
	longest, often := 0, 0
	last, short := 0, mostWidth // the line before, and the shortest before one at column 0
	for at := 0; at < len(block); {
		line, size := firstLine(block[at:])
		if last > 0 && len(line) > 0 && line[0] != ' ' {
			short = min(short, last)
		}
		switch last = len(line); {
		case last > longest:
			longest, often = last, 1
		case last == longest:
			often++
		}
		at += size
	}
	if longest < leastWidth || longest > mostWidth {
		return nil
	}
	// A column is proven by more than one line that reaches it. In an indented
	// block, what is at column 0 was cut off there.
	if often > 1 && (lead == 0 || short >= longest) {
		out = append(out, fold(longest))
	}
	if lead > 0 {
		out = append(out, fold(longest)+foldWords)
	}
	return out
}

// quote returns the signs in front of the lines of a block.
func quote(block []byte) []byte {
	n := 0
	for n < len(block) && strings.IndexByte(quoteSigns, block[n]) >= 0 {
		n++
	}
	return bytes.Trim(block[:n], " ")
}

// unfolding walks the lines of a block and puts together again what was folded.
type unfolding struct {
	kind  fold
	quote []byte
	lead  int    // blanks in front of the head word
	heads bool   // the line before holds the column heads of a stack
	last  int    // bytes of the line before
	colon bool   // the line before ends with one
	whole []byte // the last line that went on with none
}

func newUnfolding(block []byte, kind fold) *unfolding {
	return &unfolding{kind: kind, quote: quote(block), lead: indentation(block)}
}

// next takes the next line, as firstLine returns it, and returns what it holds, how
// many bytes stand before that, and whether it goes on with the line before.
func (u *unfolding) next(line []byte) (text []byte, off int, more bool) {
	before := u.last
	text, off, more = u.goesOn(line, before)
	if u.last = len(line); u.last > 0 {
		u.colon = line[u.last-1] == ':'
	}
	if !more {
		u.whole = text
	}
	return text, off, more
}

// padding is how many blanks debuggers print behind "Image:".
const padding = 9

// goesOn does the work of next.
func (u *unfolding) goesOn(line []byte, before int) (text []byte, off int, more bool) {
	switch {
	case u.kind == foldQuoted:
		at := bytes.Index(line, u.quote)
		if at < 0 || len(bytes.Trim(line[:at], " ")) > 0 {
			return line, 0, false
		}
		return line[at+len(u.quote):], at + len(u.quote), false
	case u.kind.words():
		more = len(line) > 0 && line[0] != ' ' && line[0] != '\t' && u.brokenBefore(line, before)
	default:
		// A whole line may end at the column, too: the next is then indented.
		// Only the column heads have that many blanks inside.
		inner := indentation(line)
		indented := u.lead > 1 && inner >= u.lead && len(line) > u.lead
		more = before == u.kind.width() && (u.heads || !indented) && !beginsAnew(line)
		u.heads = bytes.HasPrefix(line[inner:], []byte("Child-SP"))
	}
	return line, 0, more
}

// firstLine returns the first line of a text without its end, and its size with
// it, in bytes.
func firstLine(text []byte) (line []byte, size int) {
	n := bytes.IndexByte(text, '\n')
	if size = n + 1; n < 0 {
		n, size = len(text), len(text)
	}
	for n > 0 && text[n-1] == '\r' {
		n--
	}
	return text[:n], size
}

// indentation counts the blanks that a line begins with.
func indentation(line []byte) int {
	for i, c := range line {
		if c != ' ' {
			return i
		}
	}
	return len(line)
}

// flatLine is where a line that was put together begins in its block, in bytes,
// and how many lines it stands on.
type flatLine struct{ start, lines int32 }

// beginsAnew reports whether a line begins as a whole one does.
func beginsAnew(line []byte) bool {
	if threads.BeginsBlockLine(line) {
		return true
	}
	if len(line) == 0 || isHex(line[0]) || line[0] == ' ' || bytes.IndexByte(line[:min(len(line), 40)], '!') > 0 {
		return false
	}
	switch classify(string(line)) {
	case keyword, promptLine, blankLine:
		return true
	}
	return false
}

// brokenBefore reports whether a line goes on with the one before, of so many
// bytes.
func (u *unfolding) brokenBefore(line []byte, before int) bool {
	whole := u.whole[indentation(u.whole):]
	switch {
	case bytes.IndexByte(whole, '`') >= 0 && bytes.IndexByte(whole, '!') < 0:
		return true // a frame that lacks its call site
	case bytes.HasPrefix(whole, []byte("Child-SP ")):
		return bytes.HasPrefix(line, []byte(": Call Site")) || bytes.HasPrefix(line, []byte("Call Site"))
	case beginsAnew(line):
		return false
	}
	if bytes.IndexByte(whole, '`') >= 0 || bytes.HasPrefix(whole, headWord) {
		return true // a frame or head line is known by its form
	}
	// Any other was too long with the next word, and a line that ends at the
	// very column may have been cut inside a word.
	word := bytes.IndexByte(line, ' ')
	if word < 0 {
		word = len(line)
	}
	blanks := 1
	if u.colon {
		blanks = padding
	}
	return before < u.kind.width() && before+blanks+word > u.kind.width()
}

// unfold appends a block with its lines put together to dst, and where they
// stand to rows, with the end of the block as the last.
func unfold(dst []byte, rows []flatLine, block []byte, kind fold) ([]byte, []flatLine) {
	u := newUnfolding(block, kind)
	for at := 0; at < len(block); {
		line, size := firstLine(block[at:])
		text, _, more := u.next(line)
		switch {
		case !more || len(rows) == 0:
			if len(rows) > 0 {
				dst = append(dst, '\n')
			}
			rows = append(rows, flatLine{start: int32(at)})
		case kind.words():
			dst = append(bytes.TrimRight(dst, " "), ' ')
		}
		dst = append(dst, text...)
		rows[len(rows)-1].lines++
		at += size
	}
	return append(dst, '\n'), append(rows, flatLine{start: int32(len(block))})
}

// unfolded is what was done to a block: to how many lines, and which comes
// first, counted from 0.
type unfolded struct {
	kind         fold
	lines, first int
}

func countUnfolded(rows []flatLine, kind fold) unfolded {
	u, at := unfolded{kind: kind}, 0
	for _, row := range rows {
		if kind == foldQuoted || row.lines > 1 {
			if u.lines == 0 {
				u.first = at
			}
			u.lines++
		}
		at += int(row.lines)
	}
	return u
}

// unfoldLines gives out the lines of a block with the places of their pieces.
func unfoldLines(block []byte, first kd.Line, kind fold, emit func(kd.Line)) {
	u := newUnfolding(block, kind)
	var cur *joined
	num := first.Num
	for len(block) > 0 {
		line, size := firstLine(block)
		block = block[size:]
		text, off, more := u.next(line)
		if !more {
			cur.give(first.Input, emit)
			cur = &joined{num: num}
		}
		cur.add(text, off, kind.words())
		num++
	}
	cur.give(first.Input, emit)
}

// joined is a line that is being put together.
type joined struct {
	text   []byte
	num    int32
	pieces []kd.Piece
	starts []int32 // of the lines after the first, in bytes of the source
	size   int32   // of the source so far
}

// add puts a line, of which off bytes were taken off, behind what there is.
func (j *joined) add(text []byte, off int, blank bool) {
	if len(j.pieces) > 0 {
		if blank {
			j.text = bytes.TrimRight(j.text, " ")
			j.pieces = append(j.pieces, kd.Piece{At: int32(len(j.text)), From: j.size, Len: 1})
			j.text = append(j.text, ' ')
		}
		j.size++
		j.starts = append(j.starts, j.size)
	}
	j.pieces = append(j.pieces, kd.Piece{At: int32(len(j.text)), From: j.size + int32(off), Len: int32(len(text))})
	j.text = append(j.text, text...)
	j.size += int32(off + len(text))
}

// give gives the line out without the blanks around it.
func (j *joined) give(input int32, emit func(kd.Line)) {
	if j == nil {
		return
	}
	text, off := kd.TrimBlanks(string(j.text))
	l := kd.Line{Text: text, Input: input, Num: j.num, Off: j.pieces[0].From + int32(off)}
	if len(j.starts) > 0 {
		for i := range j.pieces {
			j.pieces[i].At = max(0, j.pieces[i].At-int32(off))
		}
		j.pieces[0].From += int32(off)
		j.pieces[0].Len -= int32(off)
		l.Origin = &kd.Origin{Pieces: j.pieces, Starts: j.starts}
	}
	emit(l)
}
