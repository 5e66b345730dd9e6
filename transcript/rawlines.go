package transcript

import (
	"bytes"
	"context"
	"unicode/utf8"

	"kdlocks/kd"
)

// RawLine is a line of an input as it stands there, decoded.
type RawLine struct {
	Text string // without its end
	End  string // carriage returns and the line feed; "" where the input, or what is kept of a line at a time, ends
	// Num counts from 1. A line that is longer than a reader takes comes in
	// several pieces; those after the first have the number 0, and no reader sees them.
	Num int32
}

// EachLine gives out the lines of an input as they stand there, and those that the
// repair step makes of them for the readers, which come later, in the order of the
// lines that they begin on. Its errors are those of reading, wrap ErrNotText for an
// input that is no text, or are that of ctx.
func EachLine(ctx context.Context, in Input, raw func(RawLine), repaired func(kd.Line), progress func(done int64)) error {
	t, err := openText(in)
	if err != nil {
		return err
	}
	e := lineGiver{raw: raw, repaired: repaired}
	var buf, read []byte
	for off := t.enc.bom; off < in.Size; {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		end := min(off+t.chunk, in.Size)
		if t.enc.width == 2 && end < in.Size {
			end -= e.halfPair(t, end)
		}
		if buf, err = t.decoded(buf[:0], off, end, &read); err != nil {
			return err
		}
		e.text(buf)
		off = end
		if progress != nil {
			progress(off)
		}
	}
	if len(e.half) > 0 || e.inside {
		e.line(e.half, "")
		e.repair.Flush(true, repaired)
	}
	e.repair.Flush(false, repaired)
	return nil
}

// lineGiver is the state of EachLine.
type lineGiver struct {
	raw      func(RawLine)
	repaired func(kd.Line)
	repair   Repair
	num      int32
	half     []byte // of the line that is open
	inside   bool   // the line that is open was given out in part
}

// halfPair returns 2 if the two code units around a byte of a UTF-16 text are one
// character, else 0.
func (e *lineGiver) halfPair(t *text, at int64) int64 {
	var unit [2]byte
	if _, err := readAt(t.in, unit[:], at-2); err != nil {
		return 0
	}
	high := unit[1]
	if t.enc.name == UTF16BE {
		high = unit[0]
	}
	if high&0xfc == 0xd8 {
		return 2
	}
	return 0
}

func (e *lineGiver) text(text []byte) {
	for len(text) > 0 {
		n := bytes.IndexByte(text, '\n')
		if n < 0 {
			e.half = append(e.half, text...)
			for len(e.half) > longestLine {
				e.piece()
			}
			return
		}
		line := text[:n+1]
		if len(e.half) > 0 {
			e.half = append(e.half, line...)
			line = e.half
		}
		for len(line) > longestLine {
			e.half = append(e.half[:0], line...)
			e.piece()
			line = e.half
		}
		body := bytes.TrimRight(line[:len(line)-1], "\r")
		e.line(body, string(line[len(body):]))
		e.half, text = e.half[:0], text[n+1:]
	}
}

// piece gives out the beginning of a line that is too long, up to a blank if there
// is one near its end.
func (e *lineGiver) piece() {
	n := longestLine
	if i := bytes.LastIndexByte(e.half[longestLine-1024:longestLine], ' '); i >= 0 {
		n = longestLine - 1024 + i
	} else {
		for n > longestLine-utf8.UTFMax && !utf8.RuneStart(e.half[n]) {
			n--
		}
	}
	e.line(e.half[:n], "")
	e.repair.Flush(true, e.repaired) // nothing goes on behind a line that was cut
	e.half = append(e.half[:0], e.half[n:]...)
	e.inside = true
}

// line gives out a line, or a piece of one that has no end yet.
func (e *lineGiver) line(body []byte, end string) {
	s, _ := asText(body, false)
	if e.inside {
		e.raw(RawLine{Text: s, End: end})
		e.inside = end == ""
		return
	}
	e.num++
	e.raw(RawLine{Text: s, End: end, Num: e.num})
	e.repair.Push(s, e.num, e.repaired)
}
