package redact

import (
	"context"
	"slices"

	"kdlocks/kd"
	"kdlocks/transcript"
)

// line is a line of an input on its way out.
type line struct {
	transcript.RawLine
	out  []byte // what to print in its place; nil if it is unchanged
	seen []span // what a reader sees of it
}

type span struct{ from, to int32 }

// page walks an input line by line as its readers see it, put together where it was
// wrapped and without quoting, and then what stands beside.
type page struct {
	each    visit
	waiting []line // with numbers that follow one another
	size    int    // bytes of them
	last    int32  // the number of the last line that a reader got
	give    func(*line)

	progress func(done int64) // nil to tell nobody
}

// visit is told a text, the number of the line that a reader has of it, 0 if none
// has, and how to replace what stands there.
type visit func(s string, num int32, put func(at int, to string))

func newPage(each visit, progress func(done int64)) *page {
	return &page{each: each, progress: progress}
}

// read gives out the lines of an input, in their order, if give is not nil.
func (p *page) read(ctx context.Context, in transcript.Input, give func(*line)) error {
	p.give = give
	err := transcript.EachLine(ctx, in, p.raw, p.repaired, p.progress)
	p.finish(len(p.waiting))
	return err
}

// raw takes a line as it stands there, or a further piece of one that is too long
// for readers.
func (p *page) raw(l transcript.RawLine) {
	if l.Num == 0 {
		p.finish(len(p.waiting))
		p.waiting = append(p.waiting, line{RawLine: l})
		p.finish(1)
		return
	}
	if len(p.waiting) >= mostWaiting || p.size > mostSize {
		p.finish(max(0, p.index(p.last)))
	}
	p.waiting = append(p.waiting, line{RawLine: l})
	p.size += len(l.Text)
}

// mostWaiting and mostSize are how many lines and bytes may wait before those that readers
// are through with are given out.
const mostWaiting, mostSize = 2048, 4 << 20

// repaired takes a line as readers see it.
func (p *page) repaired(l kd.Line) {
	i := p.index(l.Num)
	if i < 0 {
		return
	}
	p.last = l.Num
	if l.Origin == nil {
		w := &p.waiting[i]
		w.seen = append(w.seen, span{l.Off, l.Off + int32(len(l.Text))})
		p.each(l.Text, l.Num, func(at int, to string) { w.put(int(l.Off)+at, to) })
		return
	}
	p.cover(i, l)
	p.each(l.Text, l.Num, func(at int, to string) { p.putPieces(i, l, at, to) })
}

// index returns where a line waits, -1 if it does not.
func (p *page) index(num int32) int {
	if len(p.waiting) == 0 || num < p.waiting[0].Num || int(num-p.waiting[0].Num) >= len(p.waiting) {
		return -1
	}
	return int(num - p.waiting[0].Num)
}

// source returns the line and the byte of it of a byte of the source of an Origin.
func (p *page) source(i int, o *kd.Origin, from int32) (*line, int32) {
	n, start := 0, int32(0)
	for _, s := range o.Starts {
		if s > from {
			break
		}
		n, start = n+1, s
	}
	if i+n >= len(p.waiting) {
		return nil, 0
	}
	return &p.waiting[i+n], from - start
}

// cover notes what a reader sees.
func (p *page) cover(i int, l kd.Line) {
	for _, piece := range l.Origin.Pieces {
		if w, at := p.source(i, l.Origin, piece.From); w != nil {
			w.seen = append(w.seen, span{at, min(at+piece.Len, int32(len(w.Text)))})
		}
	}
}

// putPieces puts a text into the places that its bytes have in the input.
func (p *page) putPieces(i int, l kd.Line, at int, to string) {
	pieces := l.Origin.Pieces
	for k, piece := range pieces {
		end := int32(len(l.Text))
		if k+1 < len(pieces) {
			end = pieces[k+1].At
		}
		from, till := max(piece.At, int32(at)), min(end, int32(at+len(to)))
		if from >= till {
			continue
		}
		part := to[from-int32(at) : till-int32(at)]
		w, byteAt := p.source(i, l.Origin, piece.From)
		switch {
		case w == nil:
		case end-piece.At == piece.Len:
			w.putChanged(int(byteAt+from-piece.At), l.Text[from:till], part)
		case part != l.Text[from:till]: // it stands for something else: an entity
			w.blot(byteAt, piece.Len)
		}
	}
}

// put replaces as many bytes as to has.
func (l *line) put(at int, to string) {
	if at < 0 || at+len(to) > len(l.Text) {
		return
	}
	if l.out == nil {
		l.out = []byte(l.Text)
	}
	copy(l.out[at:], to)
}

// putChanged replaces the bytes in which to differs from was: others may stand
// otherwise in the input.
func (l *line) putChanged(at int, was, to string) {
	for i := range len(to) {
		if was[i] != to[i] {
			l.put(at+i, to[i:i+1])
		}
	}
}

// blot makes the letters and digits of a place unreadable.
func (l *line) blot(at, n int32) {
	for i := at; i < at+n && int(i) < len(l.Text); i++ {
		if isLetter(l.Text[i]) || isDigit(l.Text[i]) {
			l.put(int(i), "x")
		}
	}
}

// finish gives out the first n lines.
func (p *page) finish(n int) {
	for i := range n {
		w := &p.waiting[i]
		p.beside(w)
		p.size -= len(w.Text)
		if p.give != nil {
			p.give(w)
		}
	}
	p.waiting = slices.Delete(p.waiting, 0, n)
}

// beside treats what no reader sees of a line: authors' notes, quoting.
func (p *page) beside(w *line) {
	if len(w.seen) == 1 && w.seen[0].from == 0 && int(w.seen[0].to) == len(w.Text) {
		return
	}
	kd.SortStable(w.seen, func(a, b span) int { return int(a.from) - int(b.from) })
	at := int32(0)
	for _, s := range append(w.seen, span{int32(len(w.Text)), int32(len(w.Text))}) {
		if s.from > at {
			p.each(w.Text[at:s.from], 0, func(k int, to string) { w.put(int(at)+k, to) })
		}
		at = max(at, s.to)
	}
}
