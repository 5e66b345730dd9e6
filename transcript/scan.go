package transcript

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"kdlocks/threads"
)

// chunk is a part of an input: whole lines, but where a line is longer than
// fits, and the THREAD blocks in them that were skimmed.
type chunk struct {
	off    int64  // where it begins, in bytes of the input
	text   []byte // decoded
	view   []byte // text and some of what follows
	begins bool   // it begins with the beginning of a line
	enc    encoding
	plain  bool // all of it is ASCII
	blocks []block
	err    error

	buf, raw []byte // to be used again
}

// block is a THREAD block in the text of a chunk.
type block struct {
	start, end int // bytes of text; end is the line of the next head
	threads.Skimmed
}

// scanner cuts an input into chunks. Where they are cut depends on the input
// alone, so that several can work side by side.
type scanner struct {
	t    *text
	skim threads.Skimmer

	flat   []byte // a block with its lines put together
	starts []int32
}

// chunks returns the number of chunks of an input.
func (t *text) chunks() int64 { return (t.in.Size + chunkSize - 1) / chunkSize }

// scan reads the chunk number k into c, whose buffers it uses again.
func (s *scanner) scan(k int64, c *chunk) {
	first, next := max(k*chunkSize, s.t.enc.bom), min((k+1)*chunkSize, s.t.in.Size)
	for _, ahead := range []int64{aheadSize, windowSize * int64(s.t.enc.width)} {
		end := min(next+ahead, s.t.in.Size)
		c.buf, c.err = s.t.decoded(c.buf[:0], first, end, &c.raw)
		c.enc, c.plain = s.t.enc, int64(len(c.buf))*int64(s.t.enc.width) == end-first
		if s.cut(k, c, next-first, end-first) {
			break
		}
	}
	s.findBlocks(c)
	c.place()
}

// cut finds where the chunk begins and ends in buf, which holds size bytes of
// the input, own of them its own. It reports false if the end may come out
// otherwise when more is read.
func (s *scanner) cut(k int64, c *chunk, own, size int64) bool {
	begin, end := 0, len(c.buf)
	c.begins = true
	if k > 0 {
		begin, c.begins, _ = boundary(c.buf)
	}
	sure := true
	if own < size {
		at := c.textAt(own)
		n, _, atHead := boundary(c.buf[at:])
		end = at + n
		sure = atHead || len(c.buf)-at >= windowSize || s.t.enc.bom+k*chunkSize+size >= s.t.in.Size
	}
	c.off = max(k*chunkSize, s.t.enc.bom) + c.rawLen(c.buf[:begin])
	c.text, c.view = c.buf[begin:max(begin, end)], c.buf[begin:]
	return sure
}

// mostFolded bounds a block that is put together, in bytes.
const mostFolded = 1 << 16

// folded skims the block between two head lines if its lines, put together,
// are of the plain layout.
func (s *scanner) folded(c *chunk, start, head, next int) {
	if next-start > mostFolded || next > len(c.text) && start >= len(c.text) {
		return
	}
	text := c.view[start:next]
	if bytes.IndexByte(text, '&') >= 0 {
		return // entities are for the repair step
	}
	for _, kind := range folds(text, head-start) {
		s.flat, s.starts = unfold(s.flat[:0], s.starts[:0], text, kind)
		s.flat = append(s.flat, headWord...)
		at := bytes.Index(s.flat, headWord)
		b, ok := s.skim.Block(s.flat[at:])
		if !ok {
			continue
		}
		size := int(s.starts[int(b.Lines)+b.Blanks])
		b.Fold, b.Lines = uint8(kind), int32(bytes.Count(text[:size], []byte{'\n'})-b.Blanks)
		c.blocks = append(c.blocks, block{start: start, end: start + size, Skimmed: b})
		return
	}
}

// rawLen returns how many bytes of the input a part of buf took.
func (c *chunk) rawLen(text []byte) int64 {
	if c.plain {
		return int64(len(text) * c.enc.width)
	}
	return c.enc.rawLen(text)
}

// textAt returns the byte of buf that comes n bytes of input behind its
// beginning.
func (c *chunk) textAt(n int64) int {
	if c.plain || c.enc.width == 1 {
		return min(int(n)/c.enc.width, len(c.buf))
	}
	at := 0
	for done := int64(0); done < n && at < len(c.buf); {
		_, size := utf8.DecodeRune(c.buf[at:])
		done += c.enc.rawLen(c.buf[at : at+size])
		at += size
	}
	return at
}

// boundary returns where to cut a text: at the first head line of a THREAD
// block, or else behind the first line end; with no line end near, at once and
// in the middle of a line.
func boundary(text []byte) (at int, begins, head bool) {
	text = text[:min(len(text), windowSize)]
	at = bytes.IndexByte(text, '\n') + 1
	if at == 0 {
		return 0, false, false
	}
	if start, _ := nextHead(text, at); start >= 0 {
		return start, true, true
	}
	return at, true, false
}

var headWord = []byte(threads.HeadWord)

// nextHead finds the next line that begins a THREAD block, and the word there;
// -1 if there is none.
func nextHead(text []byte, from int) (start, head int) {
	for {
		n := bytes.Index(text[from:], headWord)
		if n < 0 {
			return -1, -1
		}
		head = from + n
		start = head
		for start > 0 && strings.IndexByte(quoteSigns, text[start-1]) >= 0 {
			start--
		}
		if start == 0 || text[start-1] == '\n' {
			return start, head
		}
		from = head + len(headWord)
	}
}

// findBlocks skims the THREAD blocks of a chunk.
func (s *scanner) findBlocks(c *chunk) {
	c.blocks = c.blocks[:0]
	start, head := nextHead(c.view, 0)
	if !c.begins && start == 0 {
		start, head = nextHead(c.view, len(headWord))
	}
	for start >= 0 && start < len(c.text) {
		b, ok := s.skim.Block(c.view[head:])
		if !ok {
			next, nextWord := nextHead(c.view, head+len(headWord))
			if next >= 0 {
				s.folded(c, start, head, next)
			}
			start, head = next, nextWord
			continue
		}
		end := head + b.End
		c.blocks = append(c.blocks, block{start: start, end: end, Skimmed: b})
		start, head = end, head+b.Next
		if !bytes.HasPrefix(c.view[head:], headWord) {
			start, head = nextHead(c.view, head)
		}
	}
}

// place says where in the input the blocks are.
func (c *chunk) place() {
	at, off := 0, c.off
	for i := range c.blocks {
		b := &c.blocks[i]
		b.Off = off + c.rawLen(c.text[at:b.start])
		size := c.rawLen(c.text[b.start:b.end])
		b.Len = int32(size)
		at, off = b.end, b.Off+size
	}
}
