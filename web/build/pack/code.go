package pack

import "encoding/binary"

// Instructions that are looked at.
const (
	opBlock       = 0x02
	opLoop        = 0x03
	opIf          = 0x04
	opElse        = 0x05
	opEnd         = 0x0b
	opBr          = 0x0c
	opBrIf        = 0x0d
	opBrTable     = 0x0e
	opReturn      = 0x0f
	opCall        = 0x10
	opLocalGet    = 0x20
	opLocalSet    = 0x21
	opLocalTee    = 0x22
	opGlobalGet   = 0x23
	opGlobalSet   = 0x24
	opI64Store    = 0x37
	opI32Const    = 0x41
	opI64Const    = 0x42
	opI32Add      = 0x6a
	opI32Sub      = 0x6b
	opI32WrapI64  = 0xa7
	opI64Add      = 0x7c
	opI64ExtendU  = 0xad
	opNop         = 0x01
	opUnreachable = 0x00

	voidType = -0x40
)

// instruction is one instruction of a function.
type instruction struct {
	op byte
	// value is the number behind the opcode: the type of a block, a label, the index
	// of a function or variable, the offset of an access, a constant.
	value int64
	// align is that of an access to memory.
	align uint64
	// rest is whatever else stands behind the opcode, as it is written.
	rest []byte
	// table are the labels of a br_table, the default last.
	table []uint64
}

// function is the body of a function.
type function struct {
	locals []byte // the declarations, as they are written
	code   []instruction
}

// readCode reads the functions of a code section.
func readCode(body []byte) ([]function, error) {
	r := reader{b: body}
	out := make([]function, 0, 1<<13)
	for n := r.uint(); n > 0 && r.err == nil; n-- {
		f := reader{b: r.bytes(r.uint())}
		out = append(out, f.function())
		if r.err == nil {
			r.err = f.err
		}
	}
	return out, r.err
}

func (r *reader) function() function {
	start := r.b
	for n := r.uint(); n > 0 && r.err == nil; n-- {
		r.uint()
		r.byte()
	}
	f := function{locals: start[:len(start)-len(r.b)]}
	for len(r.b) > 0 && r.err == nil {
		f.code = append(f.code, r.instruction())
	}
	return f
}

func (r *reader) instruction() instruction {
	i := instruction{op: r.byte()}
	switch op := i.op; {
	case op == opBlock || op == opLoop || op == opIf:
		i.value = r.int()
	case op == opBr || op == opBrIf || op == opCall || op >= opLocalGet && op <= opGlobalSet:
		i.value = int64(r.uint())
	case op == opI32Const || op == opI64Const:
		i.value = r.int()
	case op >= 0x28 && op <= 0x3e: // loads and stores
		i.align = r.uint()
		i.value = int64(r.uint())
	case op == opBrTable:
		for n := r.uint() + 1; n > 0 && r.err == nil; n-- {
			i.table = append(i.table, r.uint())
		}
	case op == 0x11: // call_indirect
		i.rest = r.bytes(2)
	case op == 0x3f || op == 0x40: // memory.size, memory.grow
		i.rest = r.bytes(1)
	case op == 0x43: // f32.const
		i.rest = r.bytes(4)
	case op == 0x44: // f64.const
		i.rest = r.bytes(8)
	case op == 0xfc:
		switch sub := r.byte(); {
		case sub < 8:
			i.rest = []byte{sub}
		case sub == 10: // memory.copy
			i.rest = append([]byte{sub}, r.bytes(2)...)
		case sub == 11: // memory.fill
			i.rest = append([]byte{sub}, r.bytes(1)...)
		default:
			r.fail("unknown instruction fc %02x", sub)
		}
	case op <= 0x0f || op == 0x1a || op == 0x1b || op >= 0x45 && op <= 0xc4:
	default:
		r.fail("unknown instruction %02x", op)
	}
	return i
}

func writeCode(fs []function) []byte {
	out := binary.AppendUvarint(nil, uint64(len(fs)))
	var b []byte
	for i := range fs {
		b = append(b[:0], fs[i].locals...)
		for k := range fs[i].code {
			b = fs[i].code[k].append(b)
		}
		out = binary.AppendUvarint(out, uint64(len(b)))
		out = append(out, b...)
	}
	return out
}

func (i *instruction) append(out []byte) []byte {
	out = append(out, i.op)
	switch op := i.op; {
	case op == opBlock || op == opLoop || op == opIf || op == opI32Const || op == opI64Const:
		return appendInt(out, i.value)
	case op == opBr || op == opBrIf || op == opCall || op >= opLocalGet && op <= opGlobalSet:
		return binary.AppendUvarint(out, uint64(i.value))
	case op >= 0x28 && op <= 0x3e:
		return binary.AppendUvarint(binary.AppendUvarint(out, i.align), uint64(i.value))
	case op == opBrTable:
		out = binary.AppendUvarint(out, uint64(len(i.table)-1))
		for _, l := range i.table {
			out = binary.AppendUvarint(out, l)
		}
		return out
	}
	return append(out, i.rest...)
}
