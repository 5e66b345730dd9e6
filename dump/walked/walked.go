// Package walked carries what was read of a crash dump from the program that read it to
// one that judges it: the page has them apart, and loads the first for dumps alone.
package walked

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"sort"

	"kdlocks/kd"
)

// About is what a dump says of itself, and what could be read of it.
type About struct {
	Type, Machine string
	Build         int
	Layout        string // versions of the kernel with the layout in use, "" if none is known
	Symbols       string // the symbol file of the kernel, "" if it is not told
	SymbolsRead   bool   // it was given
	Pages         int64  // of 4 KiB that the dump should hold
	Modules       int
}

// Dump is a dump that was read. Its listing is a text beside it.
type Dump struct {
	About  About
	Gaps   []kd.Gap
	Notes  []string
	Places Places
}

// Place says which address of the target the lines of the listing from one on are about,
// 0 for none, and where in the file of the dump that is, in bytes, 0 for nowhere.
type Place struct {
	Line   int32
	VA     uint64
	Offset int64
}

// Places are in the order of their lines, which count from 1.
type Places []Place

// Of returns the place of a line.
func (p Places) Of(line int32) (va uint64, offset int64) {
	i := sort.Search(len(p), func(i int) bool { return p[i].Line > line }) - 1
	if i < 0 {
		return 0, 0
	}
	return p[i].VA, p[i].Offset
}

// MarshalBinary writes places as differences.
func (p Places) MarshalBinary() ([]byte, error) {
	var out []byte
	var last Place
	for _, x := range p {
		out = binary.AppendVarint(out, int64(x.Line-last.Line))
		out = binary.AppendVarint(out, int64(x.VA-last.VA))
		out = binary.AppendVarint(out, x.Offset-last.Offset)
		last = x
	}
	return out, nil
}

// UnmarshalBinary reads what MarshalBinary wrote.
func (p *Places) UnmarshalBinary(data []byte) error {
	*p = nil
	var last Place
	for len(data) > 0 {
		var v [3]int64
		for i := range v {
			n := 0
			if v[i], n = binary.Varint(data); n <= 0 {
				return errPlaces
			}
			data = data[n:]
		}
		if v[0] < 0 || v[0] > int64(math.MaxInt32-last.Line) {
			return errPlaces
		}
		last = Place{last.Line + int32(v[0]), last.VA + uint64(v[1]), last.Offset + v[2]}
		*p = append(*p, last)
	}
	return nil
}

var errPlaces = errors.New("the places of lines do not fit")

// magic begins what Write writes. No debugger's output does.
const magic = "KDWALKED"

const headSize = len(magic) + 4

// head is what stands before the listing, as JSON behind its length.
type head struct {
	About  About
	Gaps   []kd.Gap
	Notes  []string
	Places []byte
}

// Write writes a dump and its listing.
func Write(w io.Writer, d *Dump, listing io.WriterTo) error {
	places, err := d.Places.MarshalBinary()
	if err != nil {
		return err
	}
	data, err := json.Marshal(head{d.About, d.Gaps, d.Notes, places})
	if err != nil {
		return err
	}
	first := binary.LittleEndian.AppendUint32([]byte(magic), uint32(len(data)))
	if _, err := w.Write(append(first, data...)); err != nil {
		return err
	}
	_, err = listing.WriteTo(w)
	return err
}

// Is reports whether data begins as what Write writes.
func Is(data []byte) bool { return len(data) >= len(magic) && string(data[:len(magic)]) == magic }

// Read reads what Write wrote; the listing is behind the first bytes, of which it returns
// how many they are.
func Read(r io.ReaderAt, size int64) (*Dump, int64, error) {
	var first [headSize]byte
	if _, err := r.ReadAt(first[:], 0); err != nil || !Is(first[:]) {
		return nil, 0, errors.New("it is no dump that was read")
	}
	n := int64(binary.LittleEndian.Uint32(first[len(magic):]))
	if n > size-int64(headSize) {
		return nil, 0, fmt.Errorf("its head of %d bytes is cut", n)
	}
	data := make([]byte, n)
	if k, err := r.ReadAt(data, int64(headSize)); int64(k) < n {
		return nil, 0, err
	}
	var h head
	if err := json.Unmarshal(data, &h); err != nil {
		return nil, 0, err
	}
	d := &Dump{About: h.About, Gaps: h.Gaps, Notes: h.Notes}
	if err := d.Places.UnmarshalBinary(h.Places); err != nil {
		return nil, 0, err
	}
	return d, int64(headSize) + n, nil
}
