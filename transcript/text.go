package transcript

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"
)

// longestLine is what is kept of a line, in bytes of decoded text.
const longestLine = 1 << 20

// chunking says how an input is cut into chunks. No report depends on it.
type chunking struct {
	// chunk is how many bytes of an input are read at a time; it is even.
	chunk int64
	// window is how much decoded text behind a chunk the place to cut it is
	// looked for in, at most the text of a chunk, and ahead how many bytes are
	// read for that at first.
	window, ahead int64
	// mostLines is how many lines of an input are read at most, and some more that
	// are in the same chunk: each costs a byte for its fate.
	mostLines int32
	// noSkim leaves all THREAD blocks to the readers.
	noSkim bool
}

// cutting is the chunking in use; tests set others.
var cutting = chunking{chunk: 1 << 19, window: 1 << 17, ahead: 1 << 13, mostLines: 1 << 29}

// text is an input as lines, decoded. Nothing of it stays in memory but where
// its lines are and the last few pieces that were asked for.
type text struct {
	in  Input
	enc encoding
	chunking
	// marks are places where lines begin, in their order.
	marks []lineMark
	lines int32 // read so far
	// wide are the lines that facts were read on and that are not all ASCII.
	wide  map[int32]bool
	cache []piece
	next  int // the piece of cache to be replaced next
}

// lineMark is the beginning of a line.
type lineMark struct {
	off  int64 // bytes of the input
	line int32 // counted from 1
}

// piece is some decoded lines.
type piece struct {
	mark   int // index into marks
	text   []byte
	starts []int32 // of its lines, in bytes of text
}

// openText finds the encoding of an input.
func openText(in Input) (*text, error) {
	head := make([]byte, min(in.Size, 1<<16))
	n, err := readAt(in, head, 0)
	if err != nil && n == 0 {
		return &text{in: in, chunking: cutting}, err
	}
	enc, err := sniff(head[:n])
	if errors.Is(err, ErrNotText) && hasSuffixFold(in.Name, ".blg") {
		err = fmt.Errorf("%w: a binary log of performance counters: relog FILE.blg -f csv -o FILE.csv makes text of it", ErrNotText)
	}
	return &text{in: in, enc: enc, chunking: cutting}, err
}

// readAt fills buf from offset off, and is content with less at the end of the
// input.
func readAt(in Input, buf []byte, off int64) (int, error) {
	if rest := in.Size - off; int64(len(buf)) > rest {
		buf = buf[:max(rest, 0)]
	}
	if len(buf) == 0 {
		return 0, nil
	}
	n, err := in.Data.ReadAt(buf, off)
	switch {
	case n == len(buf):
		return n, nil
	case errors.Is(err, io.EOF):
		return n, fmt.Errorf("it ends at byte %d: it had %d bytes when it was opened", off+int64(n), in.Size)
	}
	return n, err
}

// decoded reads the bytes from off to end and decodes them behind dst.
func (t *text) decoded(dst []byte, off, end int64, raw *[]byte) ([]byte, error) {
	if t.enc.width == 1 && !t.enc.cr {
		n := len(dst)
		dst = slices.Grow(dst, int(end-off))[:n+int(end-off)]
		m, err := readAt(t.in, dst[n:], off)
		return dst[:n+m], err
	}
	*raw = slices.Grow((*raw)[:0], int(end-off))[:end-off]
	m, err := readAt(t.in, *raw, off)
	return t.enc.decode(dst, (*raw)[:m]), err
}

// markStep is how far marks stand apart at least, in bytes of the input.
const markStep = 1 << 14

// mark notes where a line begins, if the last mark is not near.
func (t *text) mark(off int64, line int32) {
	if n := len(t.marks); n == 0 || t.marks[n-1].line < line && off-t.marks[n-1].off >= markStep {
		t.marks = append(t.marks, lineMark{off, line})
	}
}

// Plain reports whether a line is all ASCII, as far as is known.
func (t *text) Plain(n int32) bool { return !t.wide[n] }

// notePlain keeps in mind that a line is not all ASCII, if so.
func (t *text) notePlain(line string, n int32) {
	if !isASCII(line) {
		if t.wide == nil {
			t.wide = make(map[int32]bool)
		}
		t.wide[n] = true
	}
}

// isASCII reports whether all bytes are below 0x80.
func isASCII[T string | []byte](s T) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// Line returns a line, counted from 1, with its blanks and without its end; ""
// if there is none. Of very long lines it returns the beginning.
func (t *text) Line(n int32) string {
	if n < 1 || n > t.lines {
		return ""
	}
	m := sort.Search(len(t.marks), func(i int) bool { return t.marks[i].line > n }) - 1
	if m < 0 {
		return ""
	}
	p := t.piece(m)
	i := int(n - t.marks[m].line)
	if i >= len(p.starts) {
		return ""
	}
	line := p.text[p.starts[i]:]
	end := bytes.IndexByte(line, '\n')
	if end >= 0 {
		line = line[:end]
	}
	s, _ := asText(line, end < 0)
	return s
}

// mostCached is the number of pieces that are kept decoded.
const mostCached = 8

// piece returns the text from a mark to the next.
func (t *text) piece(m int) *piece {
	for i := range t.cache {
		if t.cache[i].mark == m {
			return &t.cache[i]
		}
	}
	end := t.in.Size
	if m+1 < len(t.marks) {
		end = t.marks[m+1].off
	}
	// Behind a line of this size there is nothing more that is kept of it.
	end = min(end, t.marks[m].off+int64(t.enc.width)*(longestLine+4*markStep))
	if len(t.cache) < mostCached {
		t.cache = append(t.cache, piece{})
	}
	p := &t.cache[t.next%len(t.cache)]
	t.next++
	var raw []byte
	p.mark, p.starts = m, append(p.starts[:0], 0)
	p.text, _ = t.decoded(p.text[:0], t.marks[m].off, end, &raw)
	for at := 0; ; {
		n := bytes.IndexByte(p.text[at:], '\n')
		if n < 0 {
			return p
		}
		at += n + 1
		p.starts = append(p.starts, int32(at))
	}
}

func hasSuffixFold(s, suffix string) bool {
	return len(s) >= len(suffix) && strings.EqualFold(s[len(s)-len(suffix):], suffix)
}
