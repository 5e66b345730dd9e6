package kd

// Doubt says how sure it is that the pieces of a line that was put together
// from several belong together. A larger Doubt is weaker.
type Doubt uint8

// The doubts about a seam.
const (
	// Sure: the text itself proves the seam, or nothing but blanks lies there.
	Sure Doubt = iota
	// Likely: a number or name was put together to exactly the width or form
	// that it must have, and its halves fit nothing else.
	Likely
	// Guessed: the pieces fit together, and the text proves no more.
	Guessed
)

// Origin says where the bytes of a repaired line stood. The source that its
// pieces count in is the lines of the input from Line.Num on, as they stand
// there, joined by one line feed each.
type Origin struct {
	Pieces []Piece
	// Starts are the bytes of the source at which the lines after the first
	// begin; nil for a line that stands on one.
	Starts []int32
}

// Piece is a run of a line's bytes that stood together. It ends where the next
// begins. A piece whose source has another length stands for something else,
// such as an entity, and its bytes cannot be told apart.
type Piece struct {
	At    int32 // byte of Line.Text where it begins
	From  int32 // byte of the source where it begins
	Len   int32 // bytes of the source
	Doubt Doubt // about the seam before it
}

// place returns where n bytes of the text from byte start stood, as bytes of
// the source, and the doubt about the seams that they touch.
func (o *Origin) place(size, start, n int32) (from, to int32, d Doubt) {
	first := o.find(start)
	from = o.source(first, size, start, false)
	to = from
	if n > 0 {
		last := o.find(start + n - 1)
		to = o.source(last, size, start+n-1, true)
	}
	for i := first; i < len(o.Pieces) && o.Pieces[i].At <= start+n; i++ {
		if o.Pieces[i].At >= start {
			d = max(d, o.Pieces[i].Doubt)
		}
	}
	return from, max(from, to), d
}

// find returns the index of the piece that holds a byte.
func (o *Origin) find(at int32) int {
	lo, hi := 0, len(o.Pieces)-1
	for lo < hi {
		mid := (lo + hi + 1) / 2
		if o.Pieces[mid].At <= at {
			lo = mid
		} else {
			hi = mid - 1
		}
	}
	return lo
}

// source returns the byte of the source where byte at of piece i stood, or the
// byte behind it.
func (o *Origin) source(i int, size, at int32, behind bool) int32 {
	p := o.Pieces[i]
	end := size
	if i+1 < len(o.Pieces) {
		end = o.Pieces[i+1].At
	}
	switch {
	case end-p.At == p.Len && behind:
		return p.From + at - p.At + 1
	case end-p.At == p.Len:
		return p.From + at - p.At
	case behind:
		return p.From + p.Len
	}
	return p.From
}

// line returns which line of the source holds a byte, counted from 0, and
// where it begins.
func (o *Origin) line(at int32) (n, start int32) {
	for _, s := range o.Starts {
		if s > at {
			break
		}
		n, start = n+1, s
	}
	return n, start
}

// originRef is Line.Ref for a line with an Origin.
func (l Line) originRef(start, n int) Ref {
	from, to, doubt := l.Origin.place(int32(len(l.Text)), int32(start), int32(n))
	first, begins := l.Origin.line(from)
	last := first
	if to > from {
		last, _ = l.Origin.line(to - 1)
	}
	return Ref{Input: l.Input, Line: l.Num + first, Col: from - begins + 1, Len: to - from, More: uint16(min(last-first, 1<<16-1)), Doubt: doubt}
}

// From returns the line without its first n bytes.
func (l Line) From(n int) Line {
	if l.Origin == nil {
		l.Text, l.Off = l.Text[n:], l.Off+int32(n)
		return l
	}
	o := Origin{Starts: l.Origin.Starts}
	first := l.Origin.find(int32(n))
	for i, p := range l.Origin.Pieces[first:] {
		if i == 0 {
			end := int32(len(l.Text))
			if first+1 < len(l.Origin.Pieces) {
				end = l.Origin.Pieces[first+1].At
			}
			if cut := int32(n) - p.At; end-p.At == p.Len {
				p.From, p.Len = p.From+cut, p.Len-cut
			}
			p.At = int32(n)
		}
		p.At -= int32(n)
		o.Pieces = append(o.Pieces, p)
	}
	l.Text, l.Origin = l.Text[n:], &o
	return l
}

// Last returns the number of the last line of the input that the line stands
// on.
func (l Line) Last() int32 {
	if l.Origin == nil {
		return l.Num
	}
	return l.Num + int32(len(l.Origin.Starts))
}
