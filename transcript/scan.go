package transcript

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"kdlocks/kd"
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
	broken *kd.Panicked // the worker is gone
	// functions are those that the scanner met for the first time.
	functions string

	buf, raw []byte // to be used again
}

// block is a THREAD or PROCESS block in the text of a chunk.
type block struct {
	start, end int // bytes of text; end is the line of the next head
	unfolded   unfolded
	threads.Skimmed
}

// scanner cuts an input into chunks. Where they are cut depends on the input
// alone, so that several can work side by side.
type scanner struct {
	t    *text
	skim threads.Skimmer

	flat []byte // a block with its lines put together
	rows []flatLine
}

// chunks returns the number of chunks of an input.
func (t *text) chunks() int64 { return (t.in.Size + t.chunk - 1) / t.chunk }

// scan reads the chunk number k into c, whose buffers it uses again.
func (s *scanner) scan(k int64, c *chunk) {
	first, next := max(k*s.t.chunk, s.t.enc.bom), min((k+1)*s.t.chunk, s.t.in.Size)
	for _, ahead := range []int64{s.t.ahead, s.t.window * int64(s.t.enc.width)} {
		end := min(next+ahead, s.t.in.Size)
		s.read(c, k > 0, first, end)
		if s.cut(c, k > 0, next-c.off, end-c.off) {
			break
		}
	}
	s.findBlocks(c)
	c.functions = s.skim.Learned()
	c.place()
}

// read decodes the bytes from first to end. In UTF-16 the second half of a
// character at first belongs to what comes before.
func (s *scanner) read(c *chunk, before bool, first, end int64) {
	c.off = first
	back := before && s.t.enc.width == 2
	if back {
		c.off -= 2
	}
	c.buf, c.err = s.t.decoded(c.buf[:0], c.off, end, &c.raw)
	c.view = c.buf
	if back {
		_, size := utf8.DecodeRune(c.buf)
		c.off += s.t.enc.rawLen(c.buf[:size])
		c.view = c.buf[size:]
	}
	c.enc, c.plain = s.t.enc, int64(len(c.view)*s.t.enc.width) == end-c.off
}

// cut finds where the chunk begins and ends in its view, which holds size bytes
// of the input, own of them its own. It reports false if the end may come out
// otherwise when more is read.
func (s *scanner) cut(c *chunk, before bool, own, size int64) bool {
	begin, end := 0, len(c.view)
	c.begins = true
	if before {
		begin, c.begins, _ = s.boundary(c.view)
	}
	sure := true
	if own < size {
		at := c.textAt(own)
		n, _, atHead := s.boundary(c.view[at:])
		end = at + n
		sure = atHead || len(c.view)-at >= int(s.t.window) || c.off+size >= s.t.in.Size
	}
	c.off += c.rawLen(c.view[:begin])
	c.text, c.view = c.view[begin:max(begin, end)], c.view[begin:]
	return sure
}

// mostFolded bounds a block that is put together, in bytes.
const mostFolded = 1 << 16

// folded skims the block between two head lines if its lines, put together,
// are of the plain layout.
func (s *scanner) folded(c *chunk, start, head, next int) {
	if next-start > mostFolded {
		return
	}
	text := c.view[start:next]
	if bytes.IndexByte(text, '&') >= 0 {
		return // entities are for the repair step
	}
	for _, kind := range folds(text, head-start) {
		s.flat, s.rows = unfold(s.flat[:0], s.rows[:0], text, kind)
		s.flat = append(s.flat, headWord...)
		at := bytes.Index(s.flat, headWord)
		b, ok := s.skim.Block(s.flat[at:])
		if !ok {
			continue
		}
		n := int(b.Lines) + b.Blanks
		size := int(s.rows[n].start)
		if start+size > len(c.text) {
			return // the chunk may end within a block
		}
		b.Fold, b.Lines = uint8(kind), int32(bytes.Count(text[:size], []byte{'\n'})-b.Blanks)
		c.blocks = append(c.blocks, block{start: start, end: start + size, unfolded: countUnfolded(s.rows[:n], kind), Skimmed: b})
		s.foldedProcesses(c, start, s.rows[n:], s.flat[at+b.Next:], kind)
		return
	}
}

// foldedProcesses skims the PROCESS blocks behind a folded THREAD block: flat
// is their text put together, and rows are where its lines stand, from start on.
func (s *scanner) foldedProcesses(c *chunk, start int, rows []flatLine, flat []byte, kind fold) {
	for bytes.HasPrefix(flat, []byte(threads.ProcessWord)) {
		b, ok := s.skim.Process(flat)
		n := int(b.Lines) + b.Blanks
		// Where lines were joined, that of the image may be lost in another.
		if !ok || b.Head.Image == "" || b.Next > b.End || n >= len(rows) {
			return
		}
		from, to := start+int(rows[0].start), start+int(rows[n].start)
		if to > len(c.text) || c.text[from] != threads.ProcessWord[0] {
			return
		}
		b.Lines = int32(bytes.Count(c.text[from:to], []byte{'\n'}) - b.Blanks)
		c.blocks = append(c.blocks, block{start: from, end: to, unfolded: countUnfolded(rows[:n], kind), Skimmed: b})
		rows, flat = rows[n:], flat[b.Next:]
	}
}

// rawLen returns how many bytes of the input a part of the view took.
func (c *chunk) rawLen(text []byte) int64 {
	if c.plain {
		return int64(len(text) * c.enc.width)
	}
	return c.enc.rawLen(text)
}

// textAt returns the byte of the view that comes n bytes of input behind its
// beginning.
func (c *chunk) textAt(n int64) int {
	if c.plain || c.enc.width == 1 {
		return min(int(n)/c.enc.width, len(c.view))
	}
	at := 0
	for done := int64(0); done < n && at < len(c.view); {
		_, size := utf8.DecodeRune(c.view[at:])
		done += c.enc.rawLen(c.view[at : at+size])
		at += size
	}
	return at
}

// boundary returns where to cut a text: at the first head line of a THREAD
// block, or else behind the first line end; with no line end near, at once and
// in the middle of a line.
func (s *scanner) boundary(text []byte) (at int, begins, head bool) {
	text = text[:min(len(text), int(s.t.window))]
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

// findBlocks skims the THREAD blocks of a chunk, and PROCESS blocks behind them.
func (s *scanner) findBlocks(c *chunk) {
	c.blocks = c.blocks[:0]
	if s.t.noSkim {
		return
	}
	start, head := nextHead(c.view, 0)
	if !c.begins && start == 0 {
		start, head = nextHead(c.view, len(headWord))
	}
	for start >= 0 && start < len(c.text) {
		var b threads.Skimmed
		ok := len(bytes.Trim(c.view[start:head], " ")) == 0 // else it is quoted
		if ok {
			b, ok = s.skim.Block(c.view[head:])
		}
		if !ok || head+b.End > len(c.text) { // the chunk may end within a block
			next, nextWord := nextHead(c.view, head+len(headWord))
			if next >= 0 && !ok {
				s.folded(c, start, head, next)
			}
			start, head = next, nextWord
			continue
		}
		c.blocks = append(c.blocks, block{start: start, end: head + b.End, Skimmed: b})
		start, head = s.processes(c, head+b.End, head+b.Next)
	}
}

// processes skims the PROCESS blocks that come next, and returns the beginning
// of the next line that begins a THREAD block, and the word there.
func (s *scanner) processes(c *chunk, start, head int) (int, int) {
	for !bytes.HasPrefix(c.view[head:], headWord) {
		b, ok := s.skim.Process(c.view[head:])
		if !ok || head > start || head+b.End > len(c.text) {
			return nextHead(c.view, head)
		}
		c.blocks = append(c.blocks, block{start: start, end: head + b.End, Skimmed: b})
		start, head = head+b.End, head+b.Next
	}
	return start, head
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
