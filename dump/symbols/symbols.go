// Package symbols reads what a symbol file tells of one image, the kernel or a
// driver: where its names lie and how its types are laid out. It reads
// Volatility 3 ISF files, as JSON or as JSON in xz, and Microsoft PDB files of
// the MSF 7.0 format.
//
// Sources of the formats: LLVM's pages on the PDB file format
// (llvm.org/docs/PDB), cvinfo.h of github.com/microsoft/microsoft-pdb, the ISF
// schemas and pdbconv.py of github.com/volatilityfoundation/volatility3, and
// the .xz file format 1.1.0 (tukaani.org/xz).
package symbols

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
)

// ErrFormat is returned for files that are no symbol files of a kind known here.
var ErrFormat = errors.New("neither a PDB (MSF 7.0) nor an ISF (JSON, or JSON in xz)")

// ID tells which build of an image a symbol file belongs to. The RSDS record in
// the debug directory of the image holds the same GUID and age.
type ID struct {
	// Name is that of the PDB, as ntkrnlmp.pdb. A PDB does not hold its own name:
	// it is "" for these.
	Name string
	// GUID is written as 32 upper-case hexadecimal digits, as symbol servers do.
	GUID string
	Age  uint32
}

// Table is what a symbol file tells of one image. It does not change once it is
// read: several goroutines may ask it.
type Table struct {
	id   ID
	text []*strings.Builder // the bytes of all names, in chunks
	symbols
	types
}

// Read reads a symbol file of size bytes. It tells by the content of which kind
// the file is. A file that is damaged as a whole is an error; single records
// that cannot be read are left out.
func Read(r io.ReaderAt, size int64) (*Table, error) {
	head := make([]byte, 64)
	n, err := r.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return nil, err
	}
	head = head[:n]
	t := &Table{}
	switch {
	case bytes.HasPrefix(head, []byte(msfMagic)):
		err = t.readPDB(r, size)
	case bytes.HasPrefix(head, []byte(xzMagic)):
		err = t.readISF(newXZ(io.NewSectionReader(r, 0, size)))
	case bytes.HasPrefix(bytes.TrimLeft(head, " \t\r\n"), []byte("{")):
		err = t.readISF(io.NewSectionReader(r, 0, size))
	default:
		return nil, ErrFormat
	}
	if err != nil {
		return nil, err
	}
	t.sortSymbols()
	t.sortTypes()
	return t, nil
}

// ID tells to which image t belongs.
func (t *Table) ID() ID { return t.id }

// span is a name in the text of a Table: the number of its chunk and where it
// lies there.
type span struct {
	at uint32
	n  uint16
}

var le = binary.LittleEndian

const (
	// chunk is the size of a chunk of text, which holds the longest name. Chunks
	// do not grow: nothing is copied while a file is read.
	chunk = 1 << 18
	// maxText is how many bytes of names a Table holds at most.
	maxText = 1 << 30
)

// errText is returned for names in such number or length as no image has.
var errText = errors.New("too many bytes of names")

// intern puts a name into the text of t.
func (t *Table) intern(name []byte) (span, error) {
	if len(name) > 0xffff {
		return span{}, errText
	}
	last := len(t.text) - 1
	if last < 0 || t.text[last].Len() > chunk-len(name) {
		if last++; last == maxText/chunk {
			return span{}, errText
		}
		t.text = append(t.text, &strings.Builder{})
		t.text[last].Grow(chunk)
	}
	s := span{uint32(last)*chunk + uint32(t.text[last].Len()), uint16(len(name))}
	t.text[last].Write(name)
	return s, nil
}

// name is the name at s.
func (t *Table) name(s span) string {
	if s.n == 0 {
		return ""
	}
	at := s.at % chunk
	return t.text[s.at/chunk].String()[at : at+uint32(s.n)]
}

// formatGUID writes a GUID as symbol servers do. g has 16 bytes, as they lie in
// the file: the first three parts are little-endian numbers.
func formatGUID(g []byte) string {
	return fmt.Sprintf("%08X%04X%04X%X", le.Uint32(g), le.Uint16(g[4:]), le.Uint16(g[6:]), g[8:16])
}
