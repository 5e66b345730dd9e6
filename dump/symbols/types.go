package symbols

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
)

// types are the types of a Table. A type is known by its index in nodes; index 0
// is that of no type. Those of a PDB keep the index they have there.
type types struct {
	nodes     []node
	fields    []field
	typeNames []uint32 // definitions, by name
}

type kind uint8

const (
	kindNone     kind = iota // unknown
	kindBase                 // a number or void
	kindEnum                 // size is 0 where sub tells it
	kindRecord               // struct, class or union
	kindFields               // a field list of a PDB
	kindForward              // a type told by its name alone
	kindModifier             // const or volatile sub
	kindPointer              // to sub; size is 0 where first is a type as large
	kindArray                // of sub; size is 0 where n counts the elements
	kindBits                 // a bit field inside of sub
	kindFunction
)

// node is a type. Records and field lists have the fields from first to
// first+n, and those of the field list sub.
type node struct {
	name          span
	size          uint32
	sub, first, n uint32
	kind          kind
	bit, bits     uint8
}

// bitField is the type of a bit field. One without bits, or with bits that no
// number has, is no type.
func bitField(sub uint32, bit, bits uint8) node {
	if bits == 0 || int(bit)+int(bits) > 64 {
		return node{}
	}
	return node{kind: kindBits, sub: sub, bit: bit, bits: bits}
}

// field is a member of a record. One without a name is an anonymous record or a
// base class, whose fields belong to the record.
type field struct {
	name   span
	offset uint32
	typ    uint32
}

// Field is where a field lies inside of a type.
type Field struct {
	Offset uint32 // in bytes, from the start of the outermost type
	// Size is that of the field in bytes, and for a bit field that of the number
	// it is cut from; 0 if it is not known.
	Size uint32
	// Bits is the width of a bit field, whose lowest bit is Bit. It is 0 for
	// other fields.
	Bit, Bits uint8
	// Type is written as "_KTHREAD", "_KEVENT*" or "_KWAIT_BLOCK[4]", without
	// const and volatile. Numbers have the names Volatility gives them, as
	// "unsigned long". It is "?" if it is not known.
	Type string
}

const (
	// maxDepth is how deep types may stand inside of each other.
	maxDepth = 32
	// maxSteps is how many fields are looked at for one answer.
	maxSteps = 1 << 20
)

// sortTypes makes the types of t ready to be asked for.
func (t *Table) sortTypes() {
	for i, n := range t.nodes {
		switch n.kind {
		case kindBase, kindEnum, kindRecord:
			if n.name.n != 0 && !unnamed(t.name(n.name)) {
				t.typeNames = append(t.typeNames, uint32(i))
			}
		}
	}
	slices.SortFunc(t.typeNames, func(a, b uint32) int {
		return cmp.Or(strings.Compare(t.name(t.nodes[a].name), t.name(t.nodes[b].name)), cmp.Compare(a, b))
	})
}

// unnamed tells names that compilers give to records without one. They do not
// tell them apart.
func unnamed(name string) bool {
	return name == "<unnamed-tag>" || name == "<anonymous-tag>" || name == "__unnamed"
}

// byTypeName is the first definition with this name, 0 if there is none.
func (t *Table) byTypeName(name string) uint32 {
	i, ok := slices.BinarySearchFunc(t.typeNames, name, func(id uint32, name string) int {
		return strings.Compare(t.name(t.nodes[id].name), name)
	})
	if !ok {
		return 0
	}
	return t.typeNames[i]
}

// node is the type at id. An id outside of the table is that of no type.
func (t *Table) node(id uint32) node {
	if uint64(id) >= uint64(len(t.nodes)) {
		return node{}
	}
	return t.nodes[id]
}

// resolve follows modifiers and names to the definition.
func (t *Table) resolve(id uint32) node {
	for range maxDepth {
		n := t.node(id)
		switch n.kind {
		case kindModifier:
			id = n.sub
		case kindForward:
			id = t.byTypeName(t.name(n.name))
		default:
			return n
		}
	}
	return node{}
}

// Size is the size of a type in bytes, 0 if only its name is known. Of several
// definitions of one name it is that of the first.
func (t *Table) Size(typ string) (uint32, bool) {
	id := t.byTypeName(typ)
	if id == 0 {
		return 0, false
	}
	return t.sizeOf(id, maxDepth), true
}

func (t *Table) sizeOf(id uint32, depth int) uint32 {
	n := t.resolve(id)
	if n.size != 0 || depth == 0 {
		return n.size
	}
	switch n.kind {
	case kindEnum, kindBits:
		return t.sizeOf(n.sub, depth-1)
	case kindPointer:
		return t.sizeOf(n.first, depth-1)
	case kindArray:
		if size := uint64(n.n) * uint64(t.sizeOf(n.sub, depth-1)); size <= math.MaxUint32 {
			return uint32(size)
		}
	}
	return 0
}

// Field tells where a field lies inside of a type. The path may lead through
// nested records, as "Tcb.Header.SignalState"; fields of anonymous records and
// of base classes are asked for as if they were the record's own. It does not
// lead through pointers and arrays.
func (t *Table) Field(typ, path string) (Field, bool) {
	id, at, steps := t.byTypeName(typ), uint64(0), maxSteps
	for more := true; more; {
		var name string
		name, path, more = strings.Cut(path, ".")
		f, off, ok := t.member(id, name, maxDepth, &steps)
		if at += off; !ok || at > math.MaxUint32 {
			return Field{}, false
		}
		id = f.typ
	}
	n := t.resolve(id)
	return Field{Offset: uint32(at), Size: t.sizeOf(id, maxDepth), Bit: n.bit, Bits: n.bits, Type: t.typeName(id)}, true
}

// member finds a field of a record, and its offset from the start of the record.
func (t *Table) member(id uint32, name string, depth int, steps *int) (field, uint64, bool) {
	n := t.resolve(id)
	if n.kind != kindRecord || name == "" || depth == 0 {
		return field{}, 0, false
	}
	for {
		for _, f := range t.fields[n.first : n.first+n.n] {
			if *steps--; *steps < 0 {
				return field{}, 0, false
			}
			if f.name.n == 0 {
				if inner, off, ok := t.member(f.typ, name, depth-1, steps); ok {
					return inner, uint64(f.offset) + off, true
				}
			} else if t.name(f.name) == name {
				return f, uint64(f.offset), true
			}
		}
		n = t.node(n.sub)
		if *steps--; n.kind != kindFields || *steps < 0 {
			return field{}, 0, false
		}
	}
}

// typeName writes a type as C does, arrays and pointers behind it.
func (t *Table) typeName(id uint32) string {
	suffix, dims := "", ""
	for range maxDepth {
		n := t.node(id)
		if n.kind != kindArray {
			suffix, dims = dims+suffix, ""
		}
		switch n.kind {
		case kindModifier, kindBits:
		case kindPointer:
			suffix = "*" + suffix
		case kindArray:
			dims += "[" + strconv.FormatUint(uint64(t.count(n)), 10) + "]"
		case kindFunction:
			return "function" + suffix
		case kindBase, kindEnum, kindRecord, kindForward:
			return cmp.Or(t.name(n.name), "?") + suffix
		default:
			return "?" + suffix
		}
		id = n.sub
	}
	return "?"
}

// count is how many elements an array has.
func (t *Table) count(array node) uint32 {
	if array.size == 0 {
		return array.n
	}
	if size := t.sizeOf(array.sub, maxDepth); size != 0 {
		return array.size / size
	}
	return 0
}
