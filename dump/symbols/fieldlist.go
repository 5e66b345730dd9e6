package symbols

// The members of a field list (LLVM: CodeView Type Records; cvinfo.h).
const (
	memberBClass     = 0x1400
	memberVBClass    = 0x1401
	memberIVBClass   = 0x1402
	memberIndex      = 0x1404
	memberVFuncTab   = 0x1409
	memberVFuncOff   = 0x140c
	memberEnumerate  = 0x1502
	memberField      = 0x150d
	memberStatic     = 0x150e
	memberMethod     = 0x150f
	memberNestType   = 0x1510
	memberOneMethod  = 0x1511
	memberNestTypeEx = 0x1512
	memberBInterface = 0x151a
)

// memberPad is the first of the bytes between members: each tells in its low
// four bits how many there are, itself included.
const memberPad = 0xf0

// fieldList reads the fields of a record. A member of an unknown kind has no
// known length: it and those behind it are left out.
func (t *Table) fieldList(b leafBytes) (node, error) {
	n := node{kind: kindFields, first: uint32(len(t.fields))}
	for len(b.rest) > 0 {
		if pad := b.rest[0]; pad >= memberPad {
			b.take(max(1, int(pad&0xf)))
			continue
		}
		f, name, ok := b.listMember(&n)
		if b.short {
			break
		}
		if !ok {
			continue
		}
		var err error
		if f.name, err = t.intern(name); err != nil {
			return node{}, err
		}
		t.fields = append(t.fields, f)
	}
	n.n = uint32(len(t.fields)) - n.first
	return n, nil
}

// listMember reads a member of the field list n, and reports whether it is a
// field. A base class is one without a name.
func (b *leafBytes) listMember(n *node) (f field, name []byte, ok bool) {
	kind, attributes := b.u16(), b.u16()
	switch kind {
	case memberField:
		f.typ, f.offset = b.u32(), b.size()
		return f, b.text(), true
	case memberBClass, memberBInterface:
		f.typ, f.offset = b.u32(), b.size()
		return f, nil, true
	case memberIndex: // the rest is in another list
		n.sub = b.u32()
	case memberVBClass, memberIVBClass:
		b.take(8)
		b.number()
		b.number()
	case memberVFuncTab:
		b.take(4)
	case memberVFuncOff:
		b.take(8)
	case memberEnumerate:
		b.number()
		b.text()
	case memberStatic, memberMethod, memberNestType, memberNestTypeEx:
		b.take(4)
		b.text()
	case memberOneMethod:
		b.take(4)
		if virtual := attributes >> 2 & 7; virtual == 4 || virtual == 6 { // introduced here
			b.take(4)
		}
		b.text()
	default:
		b.short = true
	}
	return field{}, nil, false
}
