package transcript

import (
	"bytes"
	"unicode/utf8"
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
	old bool
}

// pieceSize is about how much text is made one string, so that a fact that
// keeps a word of it keeps no more than that in memory.
const pieceSize = 1 << 14

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
	for len(text) > 0 {
		n := min(len(text), pieceSize)
		if i := bytes.IndexByte(text[n:], '\n'); n < len(text) && i >= 0 {
			n += i + 1
		} else if i < 0 || n == len(text) {
			n = bytes.LastIndexByte(text, '\n') + 1
		}
		if n == 0 {
			p.open = true
			p.keep(text)
			return
		}
		p.whole(text[:n], emit)
		text = text[n:]
	}
}

// whole gives out lines that all have their end.
func (p *physical) whole(text []byte, emit func(string, int32)) {
	plain := utf8.Valid(text)
	s := ""
	if plain {
		s = string(text)
	}
	for at := 0; at < len(text); {
		end := at + bytes.IndexByte(text[at:], '\n')
		p.num++
		if cut := end; plain && end-at <= longestLine {
			for cut > at && s[cut-1] == '\r' {
				cut--
			}
			emit(s[at:cut], p.num)
		} else {
			line, old := asText(text[at:end], false)
			p.old = p.old || old
			emit(line, p.num)
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
	line, old := asText(p.half, cut || p.dropped > 0)
	p.old = p.old || old
	p.num++
	emit(line, p.num)
	p.half, p.dropped, p.open = p.half[:0], 0, false
}
