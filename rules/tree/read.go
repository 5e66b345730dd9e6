package tree

import "encoding/binary"

// Bounds of what is read: a file that a person wrote is far below.
const (
	mostNumber = 1 << 24
	mostDepth  = 4000 // which is deeper than what is parsed
)

// Reader reads what Append wrote. The zero value is ready to use. The nodes of a text are
// good until the next one is read.
type Reader struct {
	place
	b     string
	depth int
	bad   bool
	nodes arena[Node]
	lists arena[*Node]
}

// Read returns the nodes of a text, or the mistake for which it has none; neither where
// the bytes are not those of the text. Nodes keep pieces of both.
func (r *Reader) Read(b, text string) (*Node, *Mistake) {
	r.b, r.bad, r.depth, r.place = b, false, 0, start(text)
	r.nodes.reset()
	r.lists.reset()
	if b != "" && b[0] == 0 {
		r.b = b[1:]
		if m := (&Mistake{r.number(), r.number(), r.counted()}); !r.bad {
			return nil, m
		}
		return nil, nil
	}
	if n := r.node(false); !r.bad {
		return n, nil
	}
	return nil, nil
}

// arena hands out values that are all taken back at once.
type arena[T any] struct {
	slabs      [][]T
	slab, used int
}

// slabSize is how many values an arena makes at once.
const slabSize = 512

func (a *arena[T]) reset() { a.slab, a.used = 0, 0 }

// take returns zero values.
func (a *arena[T]) take(n int) []T {
	if n > slabSize {
		return make([]T, n)
	}
	if a.used+n > slabSize {
		a.slab, a.used = a.slab+1, 0
	}
	if a.slab == len(a.slabs) {
		a.slabs = append(a.slabs, make([]T, slabSize))
	}
	out := a.slabs[a.slab][a.used : a.used+n : a.used+n]
	a.used += n
	clear(out)
	return out
}

func (r *Reader) number() int {
	n, width := Uvarint(r.b)
	if width <= 0 || n > mostNumber {
		r.bad = true
		return 0
	}
	r.b = r.b[width:]
	return int(n)
}

// counted returns a text behind its length.
func (r *Reader) counted() string {
	n := r.number()
	if n > len(r.b) {
		r.bad = true
		return ""
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

// skip goes on in the text, if it is as long.
func (r *Reader) skip(n int) {
	if n < 0 || n > len(r.text)-r.at {
		r.bad = true
		return
	}
	r.advance(n)
}

// value returns the text of a scalar.
func (r *Reader) value(style Style, flow bool) string {
	quote, n := 0, 0
	switch code := r.number(); {
	case r.bad:
		return ""
	case code == valueFollows:
		return r.counted()
	case code == valueGuessed:
		quote, n = r.place.value(style, flow)
	default:
		n = code - valueLengths
		if style&(DoubleQuoted|SingleQuoted) != 0 {
			quote = 1
		}
	}
	from := r.at + quote
	if n < 0 {
		r.bad = true
	} else {
		r.skip(quote + n)
	}
	if r.bad {
		return ""
	}
	return r.text[from : from+n]
}

func (r *Reader) node(flow bool) *Node {
	if r.bad || len(r.b) < 2 || r.depth > mostDepth {
		r.bad = true
		return &Node{}
	}
	n := &r.nodes.take(1)[0]
	n.Kind, n.Style = Kind(r.b[0]&(1<<tagBits-1)), Style(r.b[1])&^anchored
	tag, named := int(r.b[0]>>tagBits), Style(r.b[1])&anchored != 0
	if n.Kind < Mapping || n.Kind > Alias || tag > len(nodeTags) {
		r.bad = true
		return n
	}
	r.b = r.b[2:]
	if tag < len(nodeTags) {
		n.Tag = nodeTags[tag]
	} else {
		n.Tag = r.counted()
	}
	if named {
		n.Anchor = r.counted()
	}
	r.distance(n)
	if n.Kind == Scalar || n.Kind == Alias {
		n.Value = r.value(n.Style, flow)
		return n
	}
	r.content(n)
	return n
}

// distance goes to a node.
func (r *Reader) distance(n *Node) {
	if d := r.number(); d != distanceNamed {
		r.skip(d - distanceBytes)
		n.Line, n.Column = r.line, r.column
		return
	}
	n.Line, n.Column = r.number(), r.number()
}

// content reads what is in a node.
func (r *Reader) content(n *Node) {
	children := r.number()
	if children > len(r.b) {
		r.bad = true
		return
	}
	if children > 0 {
		n.Content = r.lists.take(children)
	}
	r.depth++
	for i := range n.Content {
		n.Content[i] = r.node(n.Style&Flow != 0)
	}
	r.depth--
}

// Uvarint is binary.Uvarint for a string, of which nodes keep pieces.
func Uvarint(s string) (n uint64, width int) {
	for i := 0; i < len(s) && i < binary.MaxVarintLen64; i++ {
		n |= uint64(s[i]&0x7f) << (7 * i)
		if s[i] < 0x80 {
			return n, i + 1
		}
	}
	return 0, 0
}
