package rules

import (
	_ "embed"
	"encoding/binary"
	"hash/crc32"

	"kdlocks/rules/tree"
)

// parsed are the YAML nodes of the built-in packs: to parse those anew takes most
// of the time that a small log takes. A file that has changed since is parsed. Each
// file is its checksum, the number of bytes that follow, and its nodes.
//
//go:embed parsed.bin
var parsed string

// checksumBytes are those before what is kept of a file.
const checksumBytes = 4

// kept lists what parsed.bin has of a source by the checksums of the files.
func (src Source) kept() map[uint32]string {
	if !src.Builtin {
		return nil
	}
	out := make(map[uint32]string)
	for b := parsed; len(b) > checksumBytes; {
		sum := binary.LittleEndian.Uint32([]byte(b[:checksumBytes]))
		n, width := tree.Uvarint(b[checksumBytes:])
		from := checksumBytes + width
		if width <= 0 || n > uint64(len(b)-from) {
			break
		}
		out[sum] = b[from : from+int(n)]
		b = b[from+int(n):]
	}
	return out
}

// AppendKept adds a file to what parsed.bin has.
func AppendKept(out, data []byte, root *tree.Node) []byte {
	nodes := tree.Append(nil, string(data), root, nil)
	out = binary.LittleEndian.AppendUint32(out, crc32.ChecksumIEEE(data))
	out = binary.AppendUvarint(out, uint64(len(nodes)))
	return append(out, nodes...)
}

// nodeReader reads nodes that are kept.
type nodeReader struct {
	tree.Reader
	data []byte
}

// of finds the nodes of a file by its checksum, nil if they are not kept.
func (r *nodeReader) of(kept map[uint32]string, text string) *tree.Node {
	if kept == nil {
		return nil
	}
	r.data = append(r.data[:0], text...)
	nodes, ok := kept[crc32.ChecksumIEEE(r.data)]
	if !ok {
		return nil
	}
	root, _ := r.Read(nodes, text)
	return root
}
