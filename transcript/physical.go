package transcript

import (
	"bytes"
	"fmt"

	"kdlocks/kd"
)

// physical cuts the text of an input into lines, over the ends of chunks.
type physical struct {
	num  int32 // the last line that was given out, counted from 1
	half []byte
	// dropped counts the bytes of half that were not kept, and open is set
	// while half waits for its line end.
	dropped int64
	open    bool
	// old is set when a line was no UTF-8.
	old  bool
	text *text
	// long are the first lines of which the beginning alone is kept, and longs
	// counts all.
	long  []longLine
	longs int
}

// longLine is a line that is longer than longestLine.
type longLine struct {
	num  int32
	size int64 // bytes of decoded text
}

// mostLong bounds how many such lines are named.
const mostLong = 8

// tooLong keeps in mind that a line was not read whole.
func (p *physical) tooLong(size int64) {
	if p.longs++; p.longs <= mostLong {
		p.long = append(p.long, longLine{p.num, size})
	}
}

// notes tells the lines that were not read whole.
func (p *physical) notes(input int32) []kd.Note {
	var out []kd.Note
	for _, l := range p.long {
		text := fmt.Sprintf("line %d has %d bytes: only the first MiB was read", l.num, l.size)
		out = append(out, kd.Note{At: kd.Ref{Input: input, Line: l.num, Col: 1}, Text: text})
	}
	if n := p.longs - len(p.long); n > 0 {
		out[len(out)-1].Text += fmt.Sprintf("; so it is with %s behind it", kd.Plural(n, "line"))
	}
	return out
}

// split gives out the lines of a text that begins with the beginning of a line,
// or goes on with the one that is open. A line that the text does not end
// stays open.
func (p *physical) split(text []byte, emit func(line string, num int32)) {
	if p.open {
		n := bytes.IndexByte(text, '\n')
		if n < 0 {
			p.keep(text)
			return
		}
		p.keep(text[:n])
		p.end(false, emit)
		text = text[n+1:]
	}
	n := bytes.LastIndexByte(text, '\n') + 1
	p.whole(text[:n], emit)
	if n < len(text) {
		p.open = true
		p.keep(text[n:])
	}
}

// whole gives out lines that all have their end.
func (p *physical) whole(text []byte, emit func(string, int32)) {
	s := string(text)
	plain := isASCII(s)
	for at := 0; at < len(text); {
		end := at + bytes.IndexByte(text[at:], '\n')
		p.num++
		if cut := end; plain && end-at <= longestLine {
			for cut > at && s[cut-1] == '\r' {
				cut--
			}
			emit(s[at:cut], p.num)
		} else {
			if end-at > longestLine {
				p.tooLong(int64(end - at))
			}
			p.emit(text[at:end], false, emit)
		}
		at = end + 1
	}
}

// keep adds to the line that is open.
func (p *physical) keep(text []byte) {
	n := min(len(text), longestLine-len(p.half))
	p.half = append(p.half, text[:n]...)
	p.dropped += int64(len(text) - n)
}

// end gives out the line that is open; cut is set when the input ends in it.
func (p *physical) end(cut bool, emit func(string, int32)) {
	if !p.open {
		return
	}
	p.num++
	if p.dropped > 0 {
		p.tooLong(int64(len(p.half)) + p.dropped)
	}
	p.emit(p.half, cut || p.dropped > 0, emit)
	p.half, p.dropped, p.open = p.half[:0], 0, false
}

// emit gives out a line that is long or not all ASCII.
func (p *physical) emit(text []byte, cut bool, emit func(string, int32)) {
	line, old := asText(text, cut)
	p.old = p.old || old
	p.text.notePlain(line, p.num)
	emit(line, p.num)
}
