package transcript

import (
	"bytes"
	"strings"

	"kdlocks/kd"
	"kdlocks/threads"
)

// fold is what was done to the lines of a THREAD block as a whole: 0 nothing,
// foldQuoted, foldWords, or from leastWidth on the column that lines were cut
// at.
type fold uint8

const (
	// foldQuoted: quoting or comment signs stand in front of each line.
	foldQuoted fold = 1
	// foldWords: lines were broken at a blank. What goes on begins at column 0,
	// where no line of an indented block does.
	foldWords fold = 2
	// leastWidth is the least column that lines are cut at.
	leastWidth fold = 60
)

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
	for line := range bytes.Lines(block) {
		switch n := len(bytes.TrimRight(line, "\r\n")); {
		case n > longest:
			longest, often = n, 1
		case n == longest:
			often++
		}
	}
	// A column is proven by more than one line that reaches it.
	if often > 1 && longest >= int(leastWidth) && longest < 256 {
		out = append(out, fold(longest))
	}
	if lead > 0 {
		out = append(out, foldWords)
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
	lead  int  // blanks in front of the head word
	heads bool // the line before holds the column heads of a stack
	last  int  // bytes of the line before
}

func newUnfolding(block []byte, kind fold) *unfolding {
	return &unfolding{kind: kind, quote: quote(block), lead: len(block) - len(bytes.TrimLeft(block, " "))}
}

// next takes the next line, without its end, and returns what it holds, how
// many bytes stand before that, and whether it goes on with the line before.
func (u *unfolding) next(line []byte) (text []byte, off int, more bool) {
	line = bytes.TrimRight(line, "\r")
	before := u.last
	u.last = len(line)
	switch {
	case u.kind == foldQuoted:
		at := bytes.Index(line, u.quote)
		if at < 0 || len(bytes.Trim(line[:at], " ")) > 0 {
			return line, 0, false
		}
		return line[at+len(u.quote):], at + len(u.quote), false
	case u.kind == foldWords:
		more = len(line) > 0 && line[0] != ' ' && line[0] != '\t' && !bytes.HasPrefix(line, headWord) && !bytes.HasPrefix(line, []byte("PROCESS "))
	default:
		// A whole line may end at the column, too: the next is then indented.
		// Only the column heads have that many blanks inside.
		indented := u.lead > 1 && len(line) > u.lead && len(bytes.TrimLeft(line[:u.lead], " ")) == 0
		more = before == int(u.kind) && (u.heads || !indented) && !(u.lead <= 1 && threads.BeginsBlockLine(line))
		u.heads = bytes.HasPrefix(bytes.TrimLeft(line, " "), []byte("Child-SP"))
	}
	return line, 0, more
}

// unfold appends a block with its lines put together to dst, and to starts the
// bytes of the block at which they begin.
func unfold(dst []byte, starts []int32, block []byte, kind fold) ([]byte, []int32) {
	u := newUnfolding(block, kind)
	for at := 0; at < len(block); {
		n := bytes.IndexByte(block[at:], '\n')
		if n < 0 {
			n = len(block) - at
		}
		text, _, more := u.next(block[at : at+n])
		switch {
		case !more:
			if len(starts) > 0 {
				dst = append(dst, '\n')
			}
			starts = append(starts, int32(at))
		case kind == foldWords:
			dst = append(bytes.TrimRight(dst, " "), ' ')
		}
		dst = append(dst, text...)
		at += n + 1
	}
	return append(dst, '\n'), append(starts, int32(len(block)))
}

// unfoldLines gives out the lines of a block with the places of their pieces.
func unfoldLines(block []byte, first kd.Line, kind fold, emit func(kd.Line)) {
	u := newUnfolding(block, kind)
	var cur *joined
	num := first.Num
	for raw := range bytes.Lines(block) {
		text, off, more := u.next(bytes.TrimSuffix(raw, []byte("\n")))
		if !more {
			cur.give(first.Input, emit)
			cur = &joined{num: num}
		}
		cur.add(text, off, kind == foldWords)
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
