package unwind

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"testing"

	"kdlocks/dump/image"
)

var errNotThere = errors.New("not in the dump")

// memory is pages of a target.
type memory map[uint64]*[0x1000]byte

func (m memory) ReadVirtual(p []byte, va uint64) error {
	for len(p) > 0 {
		page, ok := m[va>>12]
		if !ok {
			return fmt.Errorf("%#x: %w", va, errNotThere)
		}
		n := copy(p, page[va&0xfff:])
		p, va = p[n:], va+uint64(n)
	}
	return nil
}

func (m memory) write(va uint64, b ...byte) {
	for len(b) > 0 {
		if m[va>>12] == nil {
			m[va>>12] = new([0x1000]byte)
		}
		n := copy(m[va>>12][va&0xfff:], b)
		b, va = b[n:], va+uint64(n)
	}
}

func (m memory) put(va, v uint64) { m.write(va, binary.LittleEndian.AppendUint64(nil, v)...) }

func (m memory) get(va uint64) uint64 {
	var b [8]byte
	if err := m.ReadVirtual(b[:], va); err != nil {
		panic(err)
	}
	return binary.LittleEndian.Uint64(b[:])
}

// The image of the tests: one page of headers, code, the function table and the
// unwind data.
const (
	base     = 0xfffff80000000000
	codeRVA  = 0x1000
	tableRVA = 0x9000
	dataRVA  = 0xa000
	size     = 0x10000
)

// target is an image being built in memory, and a stack.
type target struct {
	memory
	functions []image.RuntimeFunction
	data      uint32 // where unwind data goes next
}

func newTarget() *target {
	t := &target{memory: memory{}, data: dataRVA}
	t.write(base+codeRVA, bytes.Repeat([]byte{0x90}, tableRVA-codeRVA)...)
	t.write(base+tableRVA, make([]byte, size-tableRVA)...)
	return t
}

// info adds unwind data and returns its RVA. Codes are as they are stored.
func (t *target) info(version, flags, prolog, frame, frameOffset byte, codes []uint16, chain *image.RuntimeFunction) uint32 {
	b := []byte{version | flags<<3, prolog, byte(len(codes)), frame | frameOffset<<4}
	for _, c := range codes {
		b = binary.LittleEndian.AppendUint16(b, c)
	}
	if len(codes)%2 != 0 {
		b = append(b, 0, 0)
	}
	if chain != nil {
		b = appendFunction(b, *chain)
	}
	rva := t.data
	t.write(base+uint64(rva), b...)
	t.data += uint32(len(b)+3) &^ 3
	return rva
}

func appendFunction(b []byte, f image.RuntimeFunction) []byte {
	b = binary.LittleEndian.AppendUint32(b, f.Begin)
	b = binary.LittleEndian.AppendUint32(b, f.End)
	return binary.LittleEndian.AppendUint32(b, f.UnwindInfo)
}

// function adds an entry to the function table, by rising Begin.
func (t *target) function(begin, end, info uint32) image.RuntimeFunction {
	f := image.RuntimeFunction{Begin: begin, End: end, UnwindInfo: info}
	t.functions = append(t.functions, f)
	return f
}

// open writes the headers and the function table.
func (t *target) open(tb testing.TB) *image.Image {
	tb.Helper()
	h := make([]byte, 0x1000)
	copy(h, "MZ")
	h[0x3c] = 0x80
	pe := h[0x80:]
	copy(pe, "PE\x00\x00")
	le := binary.LittleEndian
	le.PutUint16(pe[4:], image.MachineAMD64)
	le.PutUint16(pe[6:], 2)
	le.PutUint16(pe[20:], 240)
	optional := pe[24:]
	le.PutUint16(optional, 0x20b)
	le.PutUint32(optional[108:], 16)
	le.PutUint32(optional[112+3*8:], tableRVA)
	le.PutUint32(optional[112+3*8+4:], uint32(12*len(t.functions)))
	for k, s := range []struct{ rva, size, flags uint32 }{{codeRVA, tableRVA - codeRVA, 0x60000020}, {tableRVA, size - tableRVA, 0x40000040}} {
		section := optional[240+40*k:]
		le.PutUint32(section[8:], s.size)
		le.PutUint32(section[12:], s.rva)
		le.PutUint32(section[36:], s.flags)
	}
	t.write(base, h...)
	var table []byte
	for _, f := range t.functions {
		table = appendFunction(table, f)
	}
	t.write(base+tableRVA, table...)
	im, err := image.Open(t, base, size)
	if err != nil {
		tb.Fatal(err)
	}
	return im
}

// slot makes an unwind code.
func slot(offset int, op, arg uint8) uint16 {
	return uint16(offset) | uint16(op)<<8 | uint16(arg)<<12
}
