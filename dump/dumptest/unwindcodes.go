package dumptest

import (
	"encoding/binary"
	"fmt"
)

// Reg is a general register by the number that unwind codes give it.
type Reg uint8

const (
	RAX Reg = iota
	RCX
	RDX
	RBX
	RSP
	RBP
	RSI
	RDI
	R8
	R9
	R10
	R11
	R12
	R13
	R14
	R15
)

// Operations of UNWIND_CODE (learn.microsoft.com, x64 exception handling; 6 is
// that of version 2, as LLVM writes it).
const (
	opPush       = 0
	opAllocLarge = 1
	opAllocSmall = 2
	opSetFrame   = 3
	opSave       = 4
	opSaveFar    = 5
	opEpilog     = 6
	opSaveXMM    = 8
	opSaveXMMFar = 9
	opMachFrame  = 10
)

const (
	flagHandler = 1
	flagChained = 4
)

// Op is one step of a prolog, in the order in which the processor runs them.
type Op struct {
	code uint8
	reg  uint8  // register, or 1 for an error code of a machine frame
	n    uint32 // bytes: size or offset
	far  bool   // the 32-bit form, even if a shorter one would do
}

// Push saves a nonvolatile register by pushing it.
func Push(r Reg) Op { return Op{code: opPush, reg: uint8(r)} }

// Alloc makes room for n bytes of locals, n a multiple of 8.
func Alloc(n uint32) Op { return Op{code: opAllocLarge, n: n} }

// AllocFar is Alloc in its 32-bit form.
func AllocFar(n uint32) Op { return Op{code: opAllocLarge, n: n, far: true} }

// SetFrame makes r the frame pointer: RSP + off, off a multiple of 16 below 256.
func SetFrame(r Reg, off uint32) Op { return Op{code: opSetFrame, reg: uint8(r), n: off} }

// Save stores a nonvolatile register at RSP + off, RSP as it is after the
// prolog.
func Save(r Reg, off uint32) Op { return Op{code: opSave, reg: uint8(r), n: off} }

// SaveFar is Save in its 32-bit form.
func SaveFar(r Reg, off uint32) Op { return Op{code: opSave, reg: uint8(r), n: off, far: true} }

// SaveXMM stores the 128-bit register XMMn at RSP + off, a multiple of 16.
func SaveXMM(n uint8, off uint32) Op { return Op{code: opSaveXMM, reg: n, n: off} }

// SaveXMMFar is SaveXMM in its 32-bit form.
func SaveXMMFar(n uint8, off uint32) Op { return Op{code: opSaveXMM, reg: n, n: off, far: true} }

// MachineFrame says that the processor pushed SS, RSP, RFLAGS, CS and RIP, and
// an error code after them, before the first instruction: there is no return
// address.
func MachineFrame(errorCode bool) Op {
	op := Op{code: opMachFrame}
	if errorCode {
		op.reg = 1
	}
	return op
}

// length is the size of the step's instruction in bytes.
func (o Op) length() uint32 {
	switch o.code {
	case opPush:
		if Reg(o.reg) >= R8 {
			return 2
		}
		return 1
	case opAllocLarge:
		if o.n < 0x80 {
			return 4
		}
		return 7
	case opSetFrame:
		return 5
	case opSave, opSaveXMM:
		return 9
	}
	return 0
}

// encode is the step's UNWIND_CODE slots; at is the offset of the end of its
// instruction.
func (o Op) encode(at uint8) []byte {
	slot := func(code, info uint8) []byte { return []byte{at, code | info<<4} }
	wide := func(b []byte, v uint32) []byte { return binary.LittleEndian.AppendUint32(b, v) }
	short := func(b []byte, v uint32) []byte { return binary.LittleEndian.AppendUint16(b, uint16(v)) }
	switch o.code {
	case opAllocLarge:
		switch {
		case o.far || o.n > 0xFFFF*8:
			return wide(slot(opAllocLarge, 1), o.n)
		case o.n <= 128:
			return slot(opAllocSmall, uint8(o.n/8-1))
		}
		return short(slot(opAllocLarge, 0), o.n/8)
	case opSetFrame:
		return slot(opSetFrame, 0)
	case opSave:
		if o.far || o.n > 0xFFFF*8 {
			return wide(slot(opSaveFar, o.reg), o.n)
		}
		return short(slot(opSave, o.reg), o.n/8)
	case opSaveXMM:
		if o.far || o.n > 0xFFFF*16 {
			return wide(slot(opSaveXMMFar, o.reg), o.n)
		}
		return short(slot(opSaveXMM, o.reg), o.n/16)
	}
	return slot(o.code, o.reg)
}

// prolog is the steps with the offsets where their instructions end.
type prolog struct {
	ops  []Op
	ends []uint32
}

func newProlog(ops []Op) prolog {
	p := prolog{ops: ops}
	var at uint32
	for _, o := range ops {
		at += o.length()
		p.ends = append(p.ends, at)
	}
	return p
}

func (p prolog) size() uint32 {
	if len(p.ends) == 0 {
		return 0
	}
	return p.ends[len(p.ends)-1]
}

// check says what of a prolog cannot be encoded.
func (p prolog) check() error {
	framed := false
	for i, o := range p.ops {
		switch {
		case o.code == opMachFrame && i > 0:
			return fmt.Errorf("a machine frame after other steps")
		case o.code == opAllocLarge && (o.n == 0 || o.n%8 != 0), o.code == opSave && o.n%8 != 0,
			o.code == opSaveXMM && o.n%16 != 0, o.code == opSetFrame && (o.n%16 != 0 || o.n > 240):
			return fmt.Errorf("step %d: %#x is not a multiple or too much", i, o.n)
		case framed && (o.code == opPush || o.code == opAllocLarge):
			return fmt.Errorf("the stack moves after the frame pointer was set")
		}
		framed = framed || o.code == opSetFrame
	}
	if p.size() > 255 {
		return fmt.Errorf("prolog of %d bytes", p.size())
	}
	return nil
}

// savesEarly says whether a register is saved before the stack is allocated.
// Until then its offset is not one from RSP.
func (p prolog) savesEarly() bool {
	saved := false
	for _, o := range p.ops {
		switch o.code {
		case opSave, opSaveXMM:
			saved = true
		case opPush, opAllocLarge:
			if saved {
				return true
			}
		}
	}
	return false
}

// frame is the step that sets the frame pointer.
func (p prolog) frame() (Op, bool) {
	for _, o := range p.ops {
		if o.code == opSetFrame {
			return o, true
		}
	}
	return Op{}, false
}

// Epilogs are the epilogs of a function whose unwind information is of
// version 2: their common size, whether one ends the function, and how far
// before the function's end the others begin.
type Epilogs struct {
	Size  uint8
	AtEnd bool
	From  []uint16
}

// encode is the epilog codes, an even number of slots.
func (e *Epilogs) encode() []byte {
	first := []byte{e.Size, opEpilog}
	if e.AtEnd {
		first[1] |= 1 << 4
	}
	for _, d := range e.From {
		first = append(first, uint8(d), opEpilog|uint8(d>>8)<<4)
	}
	if len(first)%4 != 0 {
		first = append(first, 0, opEpilog)
	}
	return first
}

// unwindInfo is UNWIND_INFO without what follows the codes. The codes are those
// of the prolog's steps in reverse order, and their number is made even.
func unwindInfo(p prolog, flags uint8, epilogs *Epilogs) []byte {
	version, codes := uint8(1), []byte(nil)
	if epilogs != nil {
		version, codes = 2, epilogs.encode()
	}
	for i := len(p.ops) - 1; i >= 0; i-- {
		codes = append(codes, p.ops[i].encode(uint8(p.ends[i]))...)
	}
	info := []byte{version | flags<<3, uint8(p.size()), uint8(len(codes) / 2), 0}
	if f, ok := p.frame(); ok {
		info[3] = f.reg | uint8(f.n/16)<<4
	}
	info = append(info, codes...)
	if len(codes)%4 != 0 {
		info = append(info, 0, 0)
	}
	return info
}
