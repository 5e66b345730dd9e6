package unwind

import (
	"encoding/binary"
	"fmt"

	"kdlocks/dump/image"
)

// flagChain is UNW_FLAG_CHAININFO.
const flagChain = 4

// info is an UNWIND_INFO.
type info struct {
	version, flags uint8
	prolog         uint8 // length of the prolog, in bytes
	count          uint8 // slots of codes
	frame          uint8 // frame register, 0 for none
	frameOffset    uint64
	slots          [2 * 256]byte
	chain          image.RuntimeFunction // when flags has flagChain
}

// load reads the UNWIND_INFO at rva. Versions 1 and 2 are known; version 3 is
// of another shape ("x64 unwind information v3").
func (u *info) load(im *image.Image, rva uint32) error {
	if rva%4 != 0 {
		return fmt.Errorf("%w: at RVA %#x, which is not aligned", ErrMalformed, rva)
	}
	var head [4]byte
	if err := im.Read(head[:], rva, "unwind info"); err != nil {
		return err
	}
	u.version, u.flags = head[0]&7, head[0]>>3
	if u.version != 1 && u.version != 2 {
		return fmt.Errorf("%w: %d at RVA %#x", ErrVersion, u.version, rva)
	}
	u.prolog, u.count = head[1], head[2]
	u.frame, u.frameOffset = head[3]&15, uint64(head[3]>>4)*16
	if err := im.Read(u.slots[:2*int(u.count)], rva+4, "unwind codes"); err != nil {
		return err
	}
	if u.flags&flagChain == 0 {
		return nil
	}
	slots := (uint32(u.count) + 1) &^ 1 // the array has an even length
	chain, err := im.RuntimeFunction(rva + 4 + 2*slots)
	u.chain = chain
	return err
}

// code is an UNWIND_CODE and how many slots it takes.
type code struct {
	offset uint8 // of the end of its instruction, from the begin of the function
	op     uint8
	arg    uint8
	slots  uint8
	value  uint64 // of the slots after the first, as they are
}

// The operations of unwind codes.
const (
	opPushNonvol    = 0
	opAllocLarge    = 1
	opAllocSmall    = 2
	opSetFPReg      = 3
	opSaveNonvol    = 4
	opSaveNonvolFar = 5
	opEpilog        = 6
	opSaveXMM       = 8
	opSaveXMMFar    = 9
	opPushMachframe = 10
)

// code reads the code in slot n, which is below count.
func (u *info) code(n int) (code, error) {
	slot := u.slots[2*n : 2*int(u.count)]
	c := code{offset: slot[0], op: slot[1] & 15, arg: slot[1] >> 4, slots: 1}
	switch c.op {
	case opPushNonvol, opAllocSmall, opSetFPReg, opPushMachframe:
	case opAllocLarge:
		c.slots = 2 + min(c.arg, 1)
	case opSaveNonvol, opSaveXMM:
		c.slots = 2
	case opSaveNonvolFar, opSaveXMMFar:
		c.slots = 3
	case opEpilog:
		// Microsoft has no text about these. LLVM writes one slot for their
		// length and one for each epilog but the last, made even by an empty
		// one; Wine reads pairs.
		c.slots = 2
	}
	bad := c.op == 7 || c.op > opPushMachframe || c.op == opEpilog && u.version == 1
	if bad || 2*int(c.slots) > len(slot) {
		return c, fmt.Errorf("%w: code %d of %d slots in slot %d of %d", ErrMalformed, c.op, c.slots, n, u.count)
	}
	switch c.slots {
	case 2:
		c.value = uint64(binary.LittleEndian.Uint16(slot[2:]))
	case 3:
		c.value = uint64(binary.LittleEndian.Uint32(slot[2:]))
	}
	return c, nil
}
