package rules

import (
	"crypto/sha256"
	_ "embed"
	"encoding/binary"

	"go.yaml.in/yaml/v4"
)

// parsed are the YAML nodes of the built-in packs: to parse those anew takes most
// of the time that a small log takes. A file that has changed since is parsed.
//
//go:embed parsed.bin
var parsed string

// EncodeParsed makes the bytes of parsed.bin for files in their order. Each is a
// hash of the file, the number of bytes that follow, and its nodes.
func EncodeParsed(files [][]byte) ([]byte, error) {
	var out []byte
	for _, data := range files {
		text, _, _ := plainText(data)
		var doc yaml.Node
		if err := yaml.Load([]byte(text), &doc); err != nil {
			return nil, err
		}
		hash := sha256.Sum256(data)
		nodes := appendNode(nil, doc.Content[0])
		out = append(out, hash[:]...)
		out = binary.AppendUvarint(out, uint64(len(nodes)))
		out = append(out, nodes...)
	}
	return out, nil
}

func appendNode(out []byte, n *yaml.Node) []byte {
	out = append(out, byte(n.Kind), byte(n.Style))
	for _, v := range []int{n.Line, n.Column, len(n.Content)} {
		out = binary.AppendUvarint(out, uint64(v))
	}
	for _, s := range []string{n.Tag, n.Value} {
		out = binary.AppendUvarint(out, uint64(len(s)))
		out = append(out, s...)
	}
	for _, c := range n.Content {
		out = appendNode(out, c)
	}
	return out
}

// parsedBefore finds the nodes of a file by its hash, nil if they are not kept.
func (r *nodeReader) parsedBefore(kept map[[sha256.Size]byte]string, data string) *yaml.Node {
	if kept == nil {
		return nil
	}
	r.data = append(r.data[:0], data...)
	nodes, ok := kept[sha256.Sum256(r.data)]
	if !ok {
		return nil
	}
	return r.file(nodes)
}

// keptNodes lists what parsed.bin has by the hashes of the files.
func keptNodes() map[[sha256.Size]byte]string {
	out := make(map[[sha256.Size]byte]string)
	for b := parsed; len(b) > sha256.Size; {
		hash := [sha256.Size]byte([]byte(b[:sha256.Size]))
		n, width := uvarint(b[sha256.Size:])
		from := sha256.Size + width
		if width <= 0 || n > uint64(len(b)-from) {
			break
		}
		out[hash] = b[from : from+int(n)]
		b = b[from+int(n):]
	}
	return out
}

// nodeReader reads what appendNode wrote. The nodes of a file are good until the
// next one is read.
type nodeReader struct {
	b     string
	bad   bool
	nodes arena[yaml.Node]
	lists arena[*yaml.Node]
	data  []byte
}

// file returns the root of a file, nil if the bytes are none.
func (r *nodeReader) file(b string) *yaml.Node {
	r.b, r.bad = b, false
	r.nodes.reset()
	r.lists.reset()
	if n := r.node(); !r.bad {
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

func (r *nodeReader) text() string {
	n := r.number()
	if n > len(r.b) {
		r.bad = true
		return ""
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *nodeReader) node() *yaml.Node {
	if r.bad || len(r.b) < 2 {
		r.bad = true
		return &yaml.Node{}
	}
	n := &r.nodes.take(1)[0]
	n.Kind, n.Style = yaml.Kind(r.b[0]), yaml.Style(r.b[1])
	r.b = r.b[2:]
	n.Line, n.Column = r.number(), r.number()
	children := r.number()
	n.Tag, n.Value = r.text(), r.text()
	if children > len(r.b) {
		r.bad = true
		return n
	}
	if children > 0 {
		n.Content = r.lists.take(children)
	}
	for i := range n.Content {
		n.Content[i] = r.node()
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
