package pack

import (
	"encoding/binary"

	"fmt"
)

// Tokens are the code of a module, written so that what the compiler repeats is the
// same bytes each time: numbers that follow from what stands before are left out,
// and what always comes together is one token. unpack.js makes code of them again.
//
// A token is an opcode with its numbers as in the module, except that an access to
// memory has no alignment and half its offset, and except for these.
const (
	tokGet    = 0xc5 // local.get of one of the first getLocals
	getLocals = 22
	tokSet    = 0xdb // local.set of one of the first setLocals
	setLocals = 16
	// tokCall is a call behind which the function can be resumed, and the end of the
	// block there; it has the index of the function. Before the index of tokCallAt
	// stands where the function is resumed, counted from its current block.
	tokCall   = 0xf0
	tokCallAt = 0xf1
	tokBack   = 0xf2 // a jump back, by how many blocks
	tokReturn = 0xf3 // takes as many bytes off the stack and returns
	tokUnwind = 0xf4 // br_if out of the function
	// tokFrame begins a function as jumps.go tells, with the number of its blocks, the
	// size of its table and of each block how many entries lead there. Added to it are
	// keepsStack and unwinds.
	tokFrame   = 0xf8
	keepsStack = 1 // the stack pointer is kept in a local
	unwinds    = 2 // there is a block around the loop
)

// firstFunction is the number that the linker gives the first function, in the upper
// bits of the places in it.
const firstFunction = 0x1000

// alignments are those of loads and stores, from 0x28 on.
var alignments = []uint64{2, 3, 2, 3, 0, 0, 1, 1, 0, 0, 1, 1, 2, 2, 2, 3, 2, 3, 0, 1, 0, 1, 2}

// writeTokens returns the tokens of functions.
func writeTokens(fs []function) ([]byte, error) {
	w := tokens{out: binary.AppendUvarint(nil, uint64(len(fs)))}
	for i := range fs {
		w.out = append(w.out, fs[i].locals...)
		if err := w.function(i, fs[i].code); err != nil {
			return nil, fmt.Errorf("function %d: %w", i, err)
		}
	}
	return w.out, nil
}

type tokens struct {
	out          []byte
	index        int
	framed       bool
	frame        frame
	first        []int // of each block the first entry of the table that leads there
	open, nested int
}

func (w *tokens) uint(v uint64) { w.out = binary.AppendUvarint(w.out, v) }

func (w *tokens) function(index int, code []instruction) error {
	*w = tokens{out: w.out, index: index}
	if f, ok := frameOf(code); ok && w.begin(f) {
		code = code[f.start:]
	}
	for len(code) > 0 {
		n, err := w.token(code)
		if err != nil {
			return err
		}
		code = code[n:]
	}
	return nil
}

// begin writes the frame of a function unless its table is not in order.
func (w *tokens) begin(f frame) bool {
	runs := make([]uint64, f.blocks)
	first := make([]int, f.blocks)
	for i, b := range f.table {
		if i == 0 && b != 0 || i > 0 && b != f.table[i-1] && b != f.table[i-1]+1 {
			return false
		}
		if runs[b] == 0 {
			first[b] = i
		}
		runs[b]++
	}
	if f.table[len(f.table)-1] != uint64(f.blocks-1) {
		return false
	}
	w.framed, w.frame, w.first, w.open = true, f, first, f.blocks
	w.out = append(w.out, byte(tokFrame+f.traits))
	w.uint(uint64(f.blocks))
	w.uint(uint64(len(f.table)))
	for _, r := range runs[:len(runs)-1] {
		w.uint(r - 1)
	}
	return true
}

// block is the number of the block that the next instruction is in.
func (w *tokens) block() int { return w.frame.blocks - w.open - 1 }

// token writes the first instructions of some, and returns how many.
func (w *tokens) token(code []instruction) (int, error) {
	c := &code[0]
	if n, frame := popped(code); frame && len(code) >= 7 && code[5].is(opI32Const, 0) && code[6].op == opReturn {
		w.out = append(w.out, tokReturn)
		w.uint(uint64(n))
		return 7, nil
	}
	if w.framed {
		if n := w.call(code); n > 0 {
			return n, nil
		}
		if w.frame.jumps(code, w.open+w.nested) {
			if to := int(w.frame.table[c.value]); w.first[to] == int(c.value) && to <= w.block() {
				w.out = append(w.out, tokBack)
				w.uint(uint64(w.block() - to))
				return 3, nil
			}
		}
		if w.frame.traits&unwinds != 0 && c.is(opBrIf, int64(w.open+w.nested+1)) {
			w.out = append(w.out, tokUnwind)
			return 1, nil
		}
	}
	switch {
	case c.op == opBlock || c.op == opLoop || c.op == opIf:
		w.nested++
	case c.op == opEnd && w.nested > 0:
		w.nested--
	case c.op == opEnd:
		w.open--
	}
	return 1, w.plain(c)
}

// plain writes a single instruction.
func (w *tokens) plain(c *instruction) error {
	switch {
	case c.op == opLocalGet && c.value < getLocals:
		w.out = append(w.out, tokGet+byte(c.value))
	case c.op == opLocalSet && c.value < setLocals:
		w.out = append(w.out, tokSet+byte(c.value))
	case c.op >= 0x28 && c.op <= 0x3e:
		if c.align != alignments[c.op-0x28] || c.value >= 1<<32 || c.value&7 != 0 && c.value >= 1<<31 {
			return fmt.Errorf("an access to memory as the linker writes none: %02x with alignment %d and offset %d", c.op, c.align, c.value)
		}
		w.out = append(w.out, c.op)
		if c.value&7 == 0 {
			w.uint(uint64(c.value >> 2))
		} else {
			w.uint(uint64(c.value)<<1 | 1)
		}
	default:
		w.out = c.append(w.out)
	}
	return nil
}

// call writes a call with all that the compiler has around it, and returns how many
// instructions that are, 0 if there is none.
func (w *tokens) call(code []instruction) int {
	if w.frame.traits&unwinds == 0 || len(code) < 13 {
		return 0
	}
	for i, want := range []instruction{
		{op: opLocalGet, value: 1}, {op: opI32Const, value: 8}, {op: opI32Sub}, {op: opLocalTee, value: 1}, {op: opGlobalSet},
		{op: opLocalGet, value: 1}, {op: opI64Const, value: code[6].value}, {op: opI64Store}, {op: opI32Const},
		{op: opCall, value: code[9].value}, {op: opGlobalGet}, {op: opLocalSet, value: 1}, {op: opBrIf, value: int64(w.open + w.nested + 1)},
	} {
		if !code[i].is(want.op, want.value) {
			return 0
		}
	}
	at := code[6].value - int64(firstFunction+w.index)<<16
	if at < 0 || at >= 1<<16 {
		return 0
	}
	next := w.block() + 1
	if w.nested == 0 && next < len(w.first) && int(at) == w.first[next] && len(code) > 13 && code[13].op == opEnd {
		w.out = append(w.out, tokCall)
		w.uint(uint64(code[9].value))
		w.open--
		return 14
	}
	w.out = append(w.out, tokCallAt)
	w.out = appendInt(w.out, at-int64(w.first[max(w.block(), 0)]))
	w.uint(uint64(code[9].value))
	return 13
}
