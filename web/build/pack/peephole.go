package pack

// The compiler computes addresses on 64 bits, of which the machine takes 32, and
// adds what an access could add by itself. What is rewritten here gives the same bits.

// simplify shortens a function without a change to its control flow.
func simplify(code []instruction) []instruction {
	out := make([]instruction, 0, len(code))
	for i := 0; i < len(code); i++ {
		switch n := len(out); {
		case code[i].op == opNop:
			continue
		case code[i].op == opI32WrapI64 && n > 0 && out[n-1].op == opI64ExtendU:
			out = out[:n-1]
			continue
		case code[i].op == opI32WrapI64 && n > 1 && out[n-1].op == opI64Add && out[n-2].op == opI64Const:
			// The sum of the lower halves is the lower half of the sum.
			add := int64(int32(out[n-2].value))
			if n > 2 && out[n-3].op == opI64ExtendU {
				out = out[:n-3]
			} else {
				out[n-2] = instruction{op: opI32WrapI64}
				out = out[:n-1]
			}
			out = append(out, instruction{op: opI32Const, value: add}, instruction{op: opI32Add})
			continue
		}
		out = append(out, code[i])
	}
	return foldOffsets(joinReturns(out))
}

// joinReturns takes a frame off the stack together with the return address behind it.
func joinReturns(code []instruction) []instruction {
	out := code[:0]
	for i := 0; i < len(code); i++ {
		if n, ok := popped(code[i:]); ok {
			if m, ok := popped(code[i+5:]); ok && n+m < 1<<31 {
				code[i+6].value = n + m
				i += 4
				continue
			}
		}
		out = append(out, code[i])
	}
	return out
}

// popped recognises "SP += n".
func popped(code []instruction) (n int64, ok bool) {
	ok = len(code) >= 5 && code[0].is(opLocalGet, 1) && code[1].op == opI32Const && code[2].op == opI32Add &&
		code[3].is(opLocalTee, 1) && code[4].is(opGlobalSet, 0)
	if ok {
		n = code[1].value
	}
	return n, ok
}

func (i *instruction) is(op byte, value int64) bool { return i.op == op && i.value == value }

// firstAddress is that of the first byte that Go uses; below are no data.
const firstAddress = 4096

// foldOffsets lets loads and stores add the constants that were added to their
// address before. An access does not begin at zero again behind 4 GiB, as a sum of
// 32 bits does: where the constant is a table and the index negative, that matters.
// It cannot where the constant is less than every address.
func foldOffsets(code []instruction) []instruction {
	var operands []int // where what is on the stack was pushed, as far as it is known
	pop := func(n int) (last int) {
		last = -1
		for ; n > 0; n-- {
			last = -1
			if k := len(operands); k > 0 {
				last, operands = operands[k-1], operands[:k-1]
			}
		}
		return last
	}
	for i := range code {
		c := &code[i]
		pops, pushes, known := stackEffect(c.op)
		if !known {
			operands = operands[:0]
			continue
		}
		address := pop(pops)
		if pushes {
			operands = append(operands, i)
		}
		if c.op < 0x28 || c.op > 0x3e || address < 1 {
			continue
		}
		add := &code[address-1]
		if code[address].op == opI32Add && add.op == opI32Const && add.value >= 0 && add.value <= firstAddress {
			c.value += add.value
			code[address].op, add.op = opNop, opNop
		}
	}
	out := code[:0]
	for _, c := range code {
		if c.op != opNop {
			out = append(out, c)
		}
	}
	return out
}

// stackEffect says what an instruction takes from the stack and whether it puts a
// value there; it is not known of calls and of what changes the control flow.
func stackEffect(op byte) (pops int, pushes, known bool) {
	switch {
	case op == opNop:
		return 0, false, true
	case op == 0x1a, op == opLocalSet, op == opGlobalSet:
		return 1, false, true
	case op == 0x1b: // select
		return 3, true, true
	case op == opLocalGet, op == opGlobalGet, op >= opI32Const && op <= 0x44:
		return 0, true, true
	case op == opLocalTee, op >= 0x28 && op <= 0x35: // loads
		return 1, true, true
	case op >= 0x36 && op <= 0x3e: // stores
		return 2, false, true
	case op == 0x45, op == 0x50, op >= 0x67 && op <= 0x69, op >= 0x79 && op <= 0x7b, op >= 0x8b && op <= 0x91, op >= 0x99 && op <= 0x9f, op >= 0xa7 && op <= 0xc4:
		return 1, true, true
	case op >= 0x46 && op <= 0xa6:
		return 2, true, true
	}
	return 0, false, false
}
