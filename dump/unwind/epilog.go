package unwind

import (
	"encoding/binary"

	"kdlocks/dump/image"
)

// maxEpilog is longer than any epilog: an add of 7 bytes, 8 pops of 2, a jump of 7.
const maxEpilog = 48

// epilog is the rest of an epilog: RSP is moved, or set by the frame register,
// registers are popped, and the function is left.
type epilog struct {
	lea   bool // RSP is the frame register and move
	move  int64
	pops  [16]uint8
	count int
	bare  bool   // there is nothing but the return or jump
	extra uint64 // bytes that the return frees
	jump  bool   // to an address that is in the code,
	to    int64  // this far from where the code begins
}

// epilog follows the epilog that rva is in and reports whether it is in one. An
// epilog is told by its instructions: the only ones allowed are add rsp,constant
// or lea rsp,constant[frame register], then pops, then a return or a jump
// ("x64 prolog and epilog").
func (s *stepper) epilog(rva uint32) (bool, error) {
	var buf [maxEpilog]byte
	code, whole := s.code(buf[:], rva)
	c := instructions{code: code}
	e, ok := c.epilog(s.info.frame)
	if !ok || c.cut {
		s.f.NoCode = c.cut && !whole
		return false, nil
	}
	if e.jump && !s.leaves(e, int64(rva)+e.to) {
		return false, nil
	}
	s.f.Epilog = true
	if e.lea {
		if err := s.need(s.info.frame); err != nil {
			return true, err
		}
		s.move(s.r.R[s.info.frame] + uint64(e.move))
	} else {
		s.r.R[RSP] += uint64(e.move)
	}
	for _, register := range e.pops[:e.count] {
		s.r.R[RSP] += 8
		if err := s.restore(register, s.r.R[RSP]-8); err != nil {
			return true, err
		}
	}
	return true, s.ret(e.extra)
}

// code reads the code at rva up to the end of its function or of buf; whole is
// whether no more of it is missing.
func (s *stepper) code(buf []byte, rva uint32) (code []byte, whole bool) {
	end := min(s.f.Function.End, s.im.Size)
	buf = buf[:min(uint32(len(buf)), end-rva)]
	if s.im.Read(buf, rva, "code") == nil {
		return buf, true
	}
	const page = 0x1000
	buf = buf[:min(uint32(len(buf)), page-rva%page)]
	if s.im.Read(buf, rva, "code") == nil {
		return buf, false
	}
	return nil, false
}

// leaves reports whether a jump to the RVA given leaves the function. A jump to
// another part of it, which is chained to the same first part, does not; nor does
// one inside of a part, but to the begin of the first, which is a call of itself.
func (s *stepper) leaves(e epilog, to int64) bool {
	f := s.f.Function
	if to >= int64(f.Begin) && to < int64(f.End) {
		return to == int64(f.Begin) && f.UnwindInfo&1 == 0 && s.info.flags&flagChain == 0
	}
	if !e.bare || to < 0 || to >= int64(s.im.Size) {
		return true
	}
	target, ok, err := s.im.Function(uint32(to))
	if err == nil && !ok {
		return true // a leaf
	}
	own, err1 := s.first(f)
	its, err2 := s.first(target)
	if err != nil || err1 != nil || err2 != nil {
		s.f.NoCode = true
		return false
	}
	return own != its
}

// first returns the begin of the first part of a function.
func (s *stepper) first(f image.RuntimeFunction) (uint32, error) {
	s.other.flags, s.other.chain = flagChain, f
	for range maxChain {
		next, err := s.other.next(s.im)
		if err != nil || s.other.flags&flagChain == 0 {
			return next.Begin, err
		}
	}
	return 0, ErrMalformed
}

// instructions are read from code; cut is set when they went on beyond it.
type instructions struct {
	code []byte
	pos  int
	cut  bool
}

// at returns the byte k after pos.
func (c *instructions) at(k int) byte {
	if c.pos+k >= len(c.code) {
		c.cut = true
		return 0
	}
	return c.code[c.pos+k]
}

func (c *instructions) int8(k int) int64 { return int64(int8(c.at(k))) }

func (c *instructions) int32(k int) int64 {
	return int64(int32(binary.LittleEndian.Uint32([]byte{c.at(k), c.at(k + 1), c.at(k + 2), c.at(k + 3)})))
}

// epilog reads an epilog from its first instruction or any other.
func (c *instructions) epilog(frame uint8) (e epilog, ok bool) {
	c.trim(&e, frame)
	for {
		rex, k := byte(0), 0
		if b := c.at(0); b&0xf0 == 0x40 {
			rex, k = b, 1
		}
		op := c.at(k)
		if op&0xf8 != 0x58 { // pop
			e.bare = c.pos == 0
			return e, c.leave(&e, rex, k)
		}
		register := op&7 | rex&1<<3
		if register == RSP || e.count == len(e.pops) {
			return e, false
		}
		e.pops[e.count] = register
		e.count++
		c.pos += k + 1
	}
}

// trim reads the add or lea that an epilog begins with. Both have a prefix
// REX.W; the register of lea is the frame register.
func (c *instructions) trim(e *epilog, frame uint8) {
	rex := c.at(0)
	if rex&0xfe != 0x48 {
		return
	}
	op := c.at(1)
	switch {
	case op == 0x83 && rex == 0x48 && c.at(2) == 0xc4: // add rsp,imm8
		e.move = c.int8(3)
		c.pos += 4
	case op == 0x81 && rex == 0x48 && c.at(2) == 0xc4: // add rsp,imm32
		e.move = c.int32(3)
		c.pos += 7
	case op == 0x8d && frame != 0:
		mode, to, from := c.at(2)>>6, c.at(2)>>3&7, c.at(2)&7
		if to != RSP || from == RSP || from|rex&1<<3 != frame || mode != 1 && mode != 2 {
			return
		}
		e.lea = true
		if mode == 1 {
			e.move = c.int8(3)
			c.pos += 4
		} else {
			e.move = c.int32(3)
			c.pos += 7
		}
	}
}

// leave reads the instruction that leaves the function, after k bytes of prefix.
func (c *instructions) leave(e *epilog, rex byte, k int) bool {
	switch c.at(k) {
	case 0xc3: // ret
		return true
	case 0xc2: // ret imm16
		e.extra = uint64(c.at(k+1)) | uint64(c.at(k+2))<<8
		return true
	case 0xf2, 0xf3: // bnd ret, rep ret
		return c.at(k+1) == 0xc3
	case 0xeb: // jmp rel8
		e.jump = true
		e.to = int64(c.pos+k+2) + c.int8(k+1)
		return true
	case 0xe9: // jmp rel32
		e.jump = true
		e.to = int64(c.pos+k+5) + c.int32(k+1)
		return true
	case 0xff: // jmp r/m64
		// Compilers mark those that leave a function with REX.W, so that they are
		// told from the jumps of a switch (LLVM, "Win64 wants indirect jumps
		// leaving the function to have a REX_W prefix"); calls of imports by
		// jmp [rip+disp32] have it or not.
		mode, op, from := c.at(k+1)>>6, c.at(k+1)>>3&7, c.at(k+1)&7
		return op == 4 && (rex&8 != 0 || mode == 0 && from == 5)
	}
	return false
}
