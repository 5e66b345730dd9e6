package symbols

import (
	"bytes"
	"errors"
	"io"
	"math"
)

// firstType is the index of the first type in the TPI stream. Those below are
// told by the index itself.
const firstType = 0x1000

// The type records read here (LLVM: CodeView Type Records; cvinfo.h).
const (
	leafModifier   = 0x1001
	leafPointer    = 0x1002
	leafProcedure  = 0x1008
	leafMFunction  = 0x1009
	leafFieldList  = 0x1203
	leafBitField   = 0x1205
	leafArray      = 0x1503
	leafClass      = 0x1504
	leafStructure  = 0x1505
	leafUnion      = 0x1506
	leafEnum       = 0x1507
	leafInterface  = 0x1519
	leafClass2     = 0x1608
	leafStructure2 = 0x1609
	leafUnion2     = 0x160a
	leafInterface2 = 0x160b
)

// forwardRef is the property of a record that tells the name of a type alone.
const forwardRef = 0x80

// readTPI reads the types. A file without any is one without types.
func (t *Table) readTPI(m *msf) error {
	h, err := m.stream(streamTPI, 20)
	if err != nil || len(h) < 20 {
		return err
	}
	header, begin, end, size := le.Uint32(h[4:]), le.Uint32(h[8:]), le.Uint32(h[12:]), le.Uint32(h[16:])
	stream := m.streams[streamTPI].size
	if begin != firstType || end < begin || header < 20 || header > stream {
		return errors.New("PDB: damaged types")
	}
	records := newRecords(m.reader(streamTPI, header+min(size, stream-header)))
	if _, err := io.CopyN(io.Discard, records, int64(header)); err != nil {
		return err
	}
	// The number of types is a hint: one takes 20 bytes and more.
	t.nodes = make([]node, firstType, firstType+min(end-begin, stream/20))
	if err := t.addSimple(); err != nil {
		return err
	}
	for {
		leaf, body, err := records.next()
		if err != nil || body == nil {
			return err
		}
		// What follows refers to types by their number, so that a record that is
		// not understood has its place.
		n, err := t.leaf(leaf, leafBytes{body, false})
		if err != nil {
			return err
		}
		t.nodes = append(t.nodes, n)
	}
}

// leaf reads a type record. One that is too short or not known is no type.
func (t *Table) leaf(leaf uint16, b leafBytes) (n node, err error) {
	properties := uint32(0)
	switch leaf {
	case leafModifier:
		n.kind, n.sub = kindModifier, b.u32()
	case leafPointer:
		n.kind, n.sub = kindPointer, b.u32()
		n.size = b.u32() >> 13 & 0x3f
	case leafProcedure, leafMFunction:
		n.kind = kindFunction
	case leafFieldList:
		return t.fieldList(b)
	case leafBitField:
		sub, width, lowest := b.u32(), b.u8(), b.u8()
		n = bitField(sub, lowest, width)
	case leafArray:
		n.kind, n.sub = kindArray, b.u32()
		b.u32() // the type of the index
		n.size = b.size()
	case leafEnum:
		b.u16()
		properties = uint32(b.u16())
		n.kind, n.sub = kindEnum, b.u32()
		b.u32() // its constants
		n.name, err = t.intern(b.text())
	default:
		return t.record(leaf, b)
	}
	if properties&forwardRef != 0 {
		n.kind = kindForward
	}
	if b.short {
		return node{}, err
	}
	return n, err
}

// record reads a struct, class or union. The kinds with a 2 are those of Visual
// Studio 2019 16.8 and later: their properties are of 32 bits and the number of
// members is behind the types (microsoft-pdb issue 50).
func (t *Table) record(leaf uint16, b leafBytes) (node, error) {
	n := node{kind: kindRecord}
	properties, wide := uint32(0), false
	switch leaf {
	case leafClass, leafStructure, leafUnion, leafInterface:
		b.u16() // number of members
		properties = uint32(b.u16())
	case leafClass2, leafStructure2, leafUnion2, leafInterface2:
		properties, wide = b.u32(), true
	default:
		return node{}, nil
	}
	n.sub = b.u32()
	if leaf != leafUnion && leaf != leafUnion2 {
		b.u32() // what it is derived from
		b.u32() // its table of virtual functions
	}
	if wide {
		b.number()
	}
	n.size = b.size()
	name, err := t.intern(b.text())
	n.name = name
	if properties&forwardRef != 0 {
		n.kind = kindForward
	}
	if b.short {
		return node{}, err
	}
	return n, err
}

// leafBytes reads the parts of a record in their order. short is set once
// something was not there; what is read then is 0.
type leafBytes struct {
	rest  []byte
	short bool
}

// take is the next n bytes, zeros if there are not as many.
func (b *leafBytes) take(n int) []byte {
	if len(b.rest) < n {
		b.rest, b.short = nil, true
		return make([]byte, n)
	}
	part := b.rest[:n]
	b.rest = b.rest[n:]
	return part
}

func (b *leafBytes) u8() uint8   { return b.take(1)[0] }
func (b *leafBytes) u16() uint16 { return le.Uint16(b.take(2)) }
func (b *leafBytes) u32() uint32 { return le.Uint32(b.take(4)) }

// number reads a numeric leaf: a number below 0x8000, or its kind and the number
// behind it. Negative ones, which only constants have, are read as large ones.
func (b *leafBytes) number() uint64 {
	switch n := b.u16(); n {
	default:
		if n < 0x8000 {
			return uint64(n)
		}
		b.short = true
		return 0
	case 0x8000: // LF_CHAR
		return uint64(int8(b.u8()))
	case 0x8001: // LF_SHORT
		return uint64(int16(b.u16()))
	case 0x8002: // LF_USHORT
		return uint64(b.u16())
	case 0x8003: // LF_LONG
		return uint64(int32(b.u32()))
	case 0x8004: // LF_ULONG
		return uint64(b.u32())
	case 0x8009, 0x800a: // LF_QUADWORD, LF_UQUADWORD
		return le.Uint64(b.take(8))
	case 0x8017, 0x8018: // LF_OCTWORD, LF_UOCTWORD
		b.take(16)
		return math.MaxUint64
	}
}

// size reads a number of bytes. One beyond 32 bits is that of a damaged record.
func (b *leafBytes) size() uint32 {
	n := b.number()
	if n > math.MaxUint32 {
		b.short = true
		return 0
	}
	return uint32(n)
}

// text reads a name up to its zero.
func (b *leafBytes) text() []byte {
	n := bytes.IndexByte(b.rest, 0)
	if n < 0 {
		b.rest, b.short = nil, true
		return nil
	}
	return b.take(n + 1)[:n]
}
