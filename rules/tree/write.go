package tree

import (
	"encoding/binary"
	"slices"
	"strings"
	"unicode/utf8"
)

// A node has its kind, its tag and its style in two bytes, then how far in the text it is
// behind the one before, and how many others are in it or what of the text is its value.
// A mistake is a zero, its line, its column and its text.
const (
	// tagBits are the bits of a kind behind which the tag stands.
	tagBits = 4
	// anchored is a bit beside those of a style: a name follows.
	anchored Style = 1 << 7
)

// nodeTags are the tags that have a number. Another one follows as a text.
var nodeTags = []string{"!!map", "!!seq", "!!str", "!!int", "!!bool", "!!null", "!!float"}

// How far a node is behind the one before: its line and column follow, or a number of bytes
// and distanceBytes more.
const (
	distanceNamed = iota
	distanceBytes
)

// What is written of a value: that it is as guessed, that it follows, or how long it is
// and valueLengths more.
const (
	valueGuessed = iota
	valueFollows
	valueLengths
)

// Append writes the nodes of a text, or the mistake for which it has none.
func Append(out []byte, text string, root *Node, mistake *Mistake) []byte {
	w := writer{place: start(text), out: out}
	if mistake != nil {
		w.out = append(w.out, 0)
		w.number(mistake.Line)
		w.number(mistake.Column)
		w.text(mistake.Text)
		return w.out
	}
	w.node(root, false)
	return w.out
}

type writer struct {
	place
	out []byte
	// lost is set once a node is not where its line and column are in the text: from
	// there on none is looked for.
	lost bool
}

func (w *writer) number(n int) { w.out = binary.AppendUvarint(w.out, uint64(n)) }

func (w *writer) text(s string) {
	w.number(len(s))
	w.out = append(w.out, s...)
}

// node writes a node; flow tells whether it is within brackets.
func (w *writer) node(n *Node, flow bool) {
	tag, style := slices.Index(nodeTags, n.Tag), n.Style
	if tag < 0 {
		tag = len(nodeTags)
	}
	if n.Anchor != "" {
		style |= anchored
	}
	w.out = append(w.out, byte(n.Kind)|byte(tag)<<tagBits, byte(style))
	if tag == len(nodeTags) {
		w.text(n.Tag)
	}
	if n.Anchor != "" {
		w.text(n.Anchor)
	}
	w.distance(n)
	if n.Kind == Scalar || n.Kind == Alias {
		w.value(n, flow)
		return
	}
	w.number(len(n.Content))
	for _, c := range n.Content {
		w.node(c, n.Style&Flow != 0)
	}
}

// distance goes to a node.
func (w *writer) distance(n *Node) {
	to := w.place
	for !w.lost && (to.line != n.Line || to.column != n.Column) {
		if to.at == len(to.text) || to.line > n.Line || to.line == n.Line && to.column > n.Column {
			w.lost = true
			break
		}
		_, size := utf8.DecodeRuneInString(to.text[to.at:])
		to.advance(size)
	}
	if w.lost {
		w.number(distanceNamed)
		w.number(n.Line)
		w.number(n.Column)
		return
	}
	w.number(to.at - w.at + distanceBytes)
	w.place = to
}

func (w *writer) value(n *Node, flow bool) {
	if w.lost {
		w.number(valueFollows)
		w.text(n.Value)
		return
	}
	quote, guess := w.place.value(n.Style, flow)
	rest := w.place.text[w.at:]
	switch {
	case quote > len(rest) || !strings.HasPrefix(rest[quote:], n.Value):
		w.number(valueFollows)
		w.text(n.Value)
		return
	case len(n.Value) == guess:
		w.number(valueGuessed)
	default:
		w.number(valueLengths + len(n.Value))
	}
	w.advance(quote + len(n.Value))
}
