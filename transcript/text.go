package transcript

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"sort"
)

const (
	// chunkSize is how many bytes of an input are read at a time.
	chunkSize = 1 << 20
	// windowSize is how much decoded text behind a chunk the place to cut it is
	// looked for in, and aheadSize how many bytes are read for that at first.
	windowSize = 1 << 17
	aheadSize  = 1 << 15
	// longestLine is what is kept of a line, in bytes of decoded text.
	longestLine = 1 << 20
)

// text is an input as lines, decoded. Nothing of it stays in memory but where
// its lines are and the last few pieces that were asked for.
type text struct {
	in  Input
	enc encoding
	// marks are places where lines begin, in their order.
	marks []lineMark
	lines int32 // read so far
	cache []piece
}

// lineMark is the beginning of a line.
type lineMark struct {
	off  int64 // bytes of the input
	line int32 // counted from 1
}

// piece is some decoded lines.
type piece struct {
	mark  int // index into marks
	lines []string
}

// openText finds the encoding of an input.
func openText(in Input) (*text, error) {
	head := make([]byte, min(in.Size, 1<<16))
	n, err := readAt(in, head, 0)
	if err != nil && n == 0 {
		return &text{in: in}, err
	}
	enc, err := sniff(head[:n])
	return &text{in: in, enc: enc}, err
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

// mark notes where a line begins.
func (t *text) mark(off int64, line int32) {
	if n := len(t.marks); n == 0 || t.marks[n-1].line < line {
		t.marks = append(t.marks, lineMark{off, line})
	}
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
	lines := t.piece(m)
	if i := int(n - t.marks[m].line); i < len(lines) {
		return lines[i]
	}
	return ""
}

// mostCached is the number of pieces that are kept decoded.
const mostCached = 4

// piece returns the lines from a mark to the next.
func (t *text) piece(m int) []string {
	for i, p := range t.cache {
		if p.mark == m {
			copy(t.cache[1:i+1], t.cache[:i])
			t.cache[0] = p
			return p.lines
		}
	}
	end := t.in.Size
	if m+1 < len(t.marks) {
		end = t.marks[m+1].off
	}
	// More than this is one very long line.
	end = min(end, t.marks[m].off+3*chunkSize)
	var raw []byte
	b, _ := t.decoded(nil, t.marks[m].off, end, &raw)
	p := piece{m, splitLines(b)}
	t.cache = append([]piece{p}, t.cache[:min(len(t.cache), mostCached-1)]...)
	return p.lines
}

// splitLines cuts decoded text into lines. An end of line at the very end
// starts no further line.
func splitLines(b []byte) []string {
	var out []string
	for len(b) > 0 {
		line, rest, whole := bytes.Cut(b, []byte{'\n'})
		s, _ := asText(line, !whole)
		out = append(out, s)
		b = rest
	}
	return out
}
