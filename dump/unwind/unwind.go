// Package unwind finds the caller of an x64 function by the unwind data of its
// image: .pdata and .xdata as Microsoft Learn has them in "x64 exception
// handling" and "x64 prolog and epilog". It steps over one frame; what walks a
// stack with it decides where the stack ends.
package unwind

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"kdlocks/dump/image"
)

// Errors that are wrapped by those of Step. Memory that is not there is an
// *image.ReadError instead; what else is wrong with an image wraps
// image.ErrMalformed.
var (
	ErrNoImage   = errors.New("RIP is in no image")
	ErrNotCode   = errors.New("RIP is in no code")
	ErrMalformed = errors.New("malformed unwind data")
	ErrVersion   = errors.New("unknown version of unwind data")
	ErrRegister  = errors.New("register is not known")
	ErrStack     = errors.New("RSP does not rise")
)

// RSP is the number of that register in unwind codes.
const RSP = 4

// kept is the set of registers that a function keeps for its caller:
// RBX, RSP, RBP, RSI, RDI and R12 to R15 ("x64 calling convention").
const kept = 0xf0f8

var names = [16]string{
	"RAX", "RCX", "RDX", "RBX", "RSP", "RBP", "RSI", "RDI",
	"R8", "R9", "R10", "R11", "R12", "R13", "R14", "R15",
}

// Registers are RIP and the integer registers in the order of unwind codes: RAX,
// RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8 to R15. Bit n of Known says that R[n] is
// known; others are zero in what Step returns.
type Registers struct {
	RIP   uint64
	R     [16]uint64
	Known uint16
}

// Frame is what Step learned of the frame it left.
type Frame struct {
	// Function is the entry of the function table. It is zero for a leaf.
	Function image.RuntimeFunction
	// Leaf says that the function table has no entry: the return address is at
	// RSP. A leaf calls nothing, so only the innermost frame can be one.
	Leaf bool
	// MachineFrame says that RIP and RSP were left by an interrupt or exception
	// (UWOP_PUSH_MACHFRAME): RIP is no return address.
	MachineFrame bool
	// Epilog says that RIP was in an epilog, the rest of which was followed.
	Epilog bool
	// NoCode says that the code at RIP, or what a jump there leads to, is not in
	// memory: whether it is an epilog is not known, and it was taken for none.
	NoCode bool
	// Establisher is the base of the fixed allocation of the frame: RSP, or what
	// the frame register says RSP was.
	Establisher uint64
}

// stepper is one Step under way. It is kept for the next so that none is made
// for each frame: its buffers go through interfaces.
type stepper struct {
	mem image.Memory
	im  *image.Image
	r   Registers
	f   Frame

	floor uint64 // RSP when it was last set, not moved; it only rises from there
	got   uint16 // registers that were read from the stack
	plan  *plan  // what is done, nil if nobody asks
	slot  [8]byte
	info  info // of the part of the function RIP is in, then of those chained
	other info // of where a jump goes
}

var steppers = sync.Pool{New: func() any { return new(stepper) }}

// Step unwinds one frame: from the registers in a function of im, whose stack is
// in mem, to those in its caller. Of the registers the function need not keep,
// only those it saved are known afterwards.
//
// A caller's RSP is above that of the function, or the error is ErrStack, except
// after a frame register or a machine frame: these can lead to another stack, or
// in damaged memory anywhere.
func Step(mem image.Memory, im *image.Image, r Registers) (caller Registers, f Frame, err error) {
	return step(mem, im, r, nil)
}

func step(mem image.Memory, im *image.Image, r Registers, p *plan) (caller Registers, f Frame, err error) {
	s := steppers.Get().(*stepper)
	s.mem, s.im, s.r, s.f, s.floor, s.got, s.plan = mem, im, r, Frame{}, r.R[RSP], 0, p
	err = s.step()
	caller, f = s.r, s.f
	s.mem, s.im, s.plan = nil, nil, nil
	steppers.Put(s)
	if err != nil {
		return Registers{}, f, err
	}
	return caller, f, nil
}

func (s *stepper) step() error {
	if s.im == nil {
		return fmt.Errorf("%w: %#x", ErrNoImage, s.r.RIP)
	}
	rva, ok := s.im.Contains(s.r.RIP)
	if !ok {
		return fmt.Errorf("%w: %#x", ErrNoImage, s.r.RIP)
	}
	if err := s.need(RSP); err != nil {
		return err
	}
	s.f.Establisher = s.r.R[RSP]
	function, ok, err := s.im.Function(rva)
	if err != nil {
		return err
	}
	if !ok {
		return s.leaf(rva)
	}
	s.f.Function = function
	part, err := direct(s.im, function)
	if err != nil {
		return err
	}
	if err := s.info.load(s.im, part.UnwindInfo); err != nil {
		return err
	}
	// Before the prolog: that can have a way out of the function in it.
	if done, err := s.epilog(rva); done || err != nil {
		return err
	}
	at := allDone
	if rva >= part.Begin && rva-part.Begin < uint32(s.info.prolog) {
		at = int(rva - part.Begin)
	}
	if err := s.undo(at); err != nil {
		return err
	}
	if s.f.MachineFrame {
		s.forget()
		return nil
	}
	return s.ret(0)
}

// leaf steps out of a function without unwind data.
func (s *stepper) leaf(rva uint32) error {
	if section, ok := s.im.Section(rva); !ok || !section.Executable {
		return fmt.Errorf("%w: %#x", ErrNotCode, s.r.RIP)
	}
	s.f.Leaf = true
	return s.ret(0)
}

// ret does what a return instruction does that frees extra bytes of arguments.
func (s *stepper) ret(extra uint64) error {
	rip, err := s.read(s.r.R[RSP], "return address")
	if err != nil {
		return err
	}
	s.plan.returns(s.r.R[RSP])
	s.r.RIP = rip
	s.r.R[RSP] += 8 + extra
	if s.r.R[RSP] <= s.floor {
		return fmt.Errorf("%w: %#x from %#x", ErrStack, s.r.R[RSP], s.floor)
	}
	s.forget()
	return nil
}

// forget drops the registers a caller cannot count on.
func (s *stepper) forget() {
	s.r.Known = s.r.Known&kept | s.got
	for n := range s.r.R {
		if s.r.Known&(1<<n) == 0 {
			s.r.R[n] = 0
		}
	}
}

// need fails when the register is not known.
func (s *stepper) need(register uint8) error {
	if s.r.Known&(1<<register) == 0 {
		return fmt.Errorf("%w: %s", ErrRegister, names[register])
	}
	return nil
}

// restore reads a register from the stack.
func (s *stepper) restore(register uint8, va uint64) error {
	v, err := s.read(va, names[register])
	if err != nil {
		return err
	}
	s.plan.restores(register, va)
	s.r.R[register] = v
	s.r.Known |= 1 << register
	s.got |= 1 << register
	return nil
}

// move sets RSP to what is not reckoned from RSP.
func (s *stepper) move(rsp uint64) {
	s.r.R[RSP] = rsp
	s.floor = rsp
	s.plan.moved()
}

// read reads a slot of the stack.
func (s *stepper) read(va uint64, what string) (uint64, error) {
	if err := s.mem.ReadVirtual(s.slot[:], va); err != nil {
		return 0, &image.ReadError{What: "stack slot of " + what, VA: va, Err: err}
	}
	return binary.LittleEndian.Uint64(s.slot[:]), nil
}
