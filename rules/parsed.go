package rules

import (
	_ "embed"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// parsed are the YAML nodes of the built-in packs: to parse those anew takes most
// of the time that a small log takes. A file that has changed since is parsed.
//
//go:embed parsed.bin
var parsed string

// EncodeParsed makes the bytes of parsed.bin for files in their order. Each is the
// checksum of the file, the number of bytes that follow, and its nodes. A node has its
// kind and tag, its style, how far it is behind the one before, and how many others are
// in it or what of the text is its value.
func EncodeParsed(files [][]byte) ([]byte, error) {
	var out []byte
	for _, data := range files {
		var doc yaml.Node
		if err := yaml.Load(data, &doc); err != nil {
			return nil, err
		}
		w := nodeWriter{place: start(string(data))}
		if err := w.node(doc.Content[0], false); err != nil {
			return nil, err
		}
		out = binary.LittleEndian.AppendUint32(out, crc32.ChecksumIEEE(data))
		out = binary.AppendUvarint(out, uint64(len(w.out)))
		out = append(out, w.out...)
	}
	return out, nil
}

// place is a place in the text of a file.
type place struct {
	text         string
	at           int // in bytes
	line, column int // as YAML counts them
}

func start(text string) place { return place{text, 0, 1, 1} }

// advance goes some bytes on.
func (p *place) advance(n int) {
	piece := p.text[p.at : p.at+n]
	p.at += n
	if lines := strings.Count(piece, "\n"); lines > 0 {
		p.line, p.column = p.line+lines, 1
		piece = piece[strings.LastIndexByte(piece, '\n')+1:]
	}
	p.column += utf8.RuneCountInString(piece)
}

// value guesses where the text of a scalar is that begins here: how many bytes the
// quote before it has, and how many it has itself.
func (p *place) value(style yaml.Style, flow bool) (quote, n int) {
	rest := p.text[p.at:]
	switch {
	case style&yaml.DoubleQuotedStyle != 0:
		return 1, strings.IndexByte(rest[min(1, len(rest)):], '"')
	case style&yaml.SingleQuotedStyle != 0:
		return 1, strings.IndexByte(rest[min(1, len(rest)):], '\'')
	}
	for i := range len(rest) {
		switch c := rest[i]; {
		case c == '\n', flow && strings.IndexByte(",]}", c) >= 0, c == ':' && (i+1 == len(rest) || rest[i+1] <= ' '):
			return 0, i
		}
	}
	return 0, len(rest)
}

// What is written of a value: that it is as guessed, that it follows, or how long it is
// and valueLengths more.
const (
	valueGuessed = iota
	valueFollows
	valueLengths
)

// tagBits are the bits of a kind behind which the tag stands.
const tagBits = 5

var nodeTags = []string{"!!map", "!!seq", "!!str", "!!int", "!!bool", "!!null", "!!float"}

type nodeWriter struct {
	place
	out []byte
}

// node writes a node; flow tells whether it is within brackets.
func (w *nodeWriter) node(n *yaml.Node, flow bool) error {
	from := w.at
	for w.line != n.Line || w.column != n.Column {
		if w.at == len(w.text) {
			return fmt.Errorf("line %d, column %d is not behind the node before", n.Line, n.Column)
		}
		_, size := utf8.DecodeRuneInString(w.text[w.at:])
		w.advance(size)
	}
	tag := slices.Index(nodeTags, n.Tag)
	if tag < 0 || n.Kind >= 1<<tagBits {
		return fmt.Errorf("line %d: a node of kind %d with tag %s", n.Line, n.Kind, n.Tag)
	}
	w.out = append(w.out, byte(n.Kind)|byte(tag)<<tagBits, byte(n.Style))
	w.number(w.at - from)
	if n.Kind == yaml.ScalarNode {
		w.value(n, flow)
		return nil
	}
	w.number(len(n.Content))
	for _, c := range n.Content {
		if err := w.node(c, n.Style&yaml.FlowStyle != 0); err != nil {
			return err
		}
	}
	return nil
}

func (w *nodeWriter) number(n int) { w.out = binary.AppendUvarint(w.out, uint64(n)) }

func (w *nodeWriter) value(n *yaml.Node, flow bool) {
	quote, guess := w.place.value(n.Style, flow)
	switch {
	case !strings.HasPrefix(w.text[w.at+quote:], n.Value):
		w.number(valueFollows)
		w.number(len(n.Value))
		w.out = append(w.out, n.Value...)
		return
	case len(n.Value) == guess:
		w.number(valueGuessed)
	default:
		w.number(valueLengths + len(n.Value))
	}
	w.advance(quote + len(n.Value))
}

// parsedBefore finds the nodes of a file by its checksum, nil if they are not kept.
func (r *nodeReader) parsedBefore(kept map[uint32]string, data string) *yaml.Node {
	if kept == nil {
		return nil
	}
	r.data = append(r.data[:0], data...)
	nodes, ok := kept[crc32.ChecksumIEEE(r.data)]
	if !ok {
		return nil
	}
	return r.file(nodes, data)
}

// checksumBytes are those before what is kept of a file.
const checksumBytes = 4

// keptNodes lists what parsed.bin has by the checksums of the files.
func keptNodes() map[uint32]string {
	out := make(map[uint32]string)
	for b := parsed; len(b) > checksumBytes; {
		sum := binary.LittleEndian.Uint32([]byte(b[:checksumBytes]))
		n, width := uvarint(b[checksumBytes:])
		from := checksumBytes + width
		if width <= 0 || n > uint64(len(b)-from) {
			break
		}
		out[sum] = b[from : from+int(n)]
		b = b[from+int(n):]
	}
	return out
}

// nodeReader reads what nodeWriter wrote. The nodes of a file are good until the
// next one is read.
type nodeReader struct {
	place
	b     string
	bad   bool
	nodes arena[yaml.Node]
	lists arena[*yaml.Node]
	data  []byte
}

// file returns the root of a file, nil if the bytes are none.
func (r *nodeReader) file(b, text string) *yaml.Node {
	r.b, r.bad, r.place = b, false, start(text)
	r.nodes.reset()
	r.lists.reset()
	if n := r.node(false); !r.bad {
		return n
	}
	return nil
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

func (r *nodeReader) number() int {
	n, width := uvarint(r.b)
	if width <= 0 || n > mostBytes {
		r.bad = true
		return 0
	}
	r.b = r.b[width:]
	return int(n)
}

// skip goes on in the text, if it is as long.
func (r *nodeReader) skip(n int) {
	if n < 0 || n > len(r.text)-r.at {
		r.bad = true
		return
	}
	r.advance(n)
}

// value returns the text of a scalar.
func (r *nodeReader) value(style yaml.Style, flow bool) string {
	quote, n := r.place.value(style, flow)
	switch code := r.number(); code {
	case valueGuessed:
	case valueFollows:
		n = min(r.number(), len(r.b))
		out := r.b[:n]
		r.b = r.b[n:]
		return out
	default:
		n = code - valueLengths
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

func (r *nodeReader) node(flow bool) *yaml.Node {
	if r.bad || len(r.b) < 2 {
		r.bad = true
		return &yaml.Node{}
	}
	n := &r.nodes.take(1)[0]
	n.Kind, n.Tag = yaml.Kind(r.b[0]&(1<<tagBits-1)), nodeTags[int(r.b[0]>>tagBits)%len(nodeTags)]
	n.Style = yaml.Style(r.b[1])
	r.b = r.b[2:]
	r.skip(r.number())
	n.Line, n.Column = r.line, r.column
	if n.Kind == yaml.ScalarNode {
		n.Value = r.value(n.Style, flow)
		return n
	}
	children := r.number()
	if children > len(r.b) {
		r.bad = true
		return n
	}
	if children > 0 {
		n.Content = r.lists.take(children)
	}
	for i := range n.Content {
		n.Content[i] = r.node(n.Style&yaml.FlowStyle != 0)
	}
	return n
}

// uvarint is binary.Uvarint for a string, of which the nodes keep pieces.
func uvarint(s string) (n uint64, width int) {
	for i := 0; i < len(s) && i < binary.MaxVarintLen64; i++ {
		n |= uint64(s[i]&0x7f) << (7 * i)
		if s[i] < 0x80 {
			return n, i + 1
		}
	}
	return 0, 0
}
