package pack

// The Go compiler writes a function as a loop around nested blocks, of which each
// ends where one of its basic blocks begins:
//
//	loop
//	  block block block
//	    local.get 0  br_table 0 0 1 2 ...
//	  end (basic block 0) end (basic block 1) end ...
//
// Every jump sets local 0 to a number and goes back to the loop, whose table finds
// the block by it. Forward, where most jumps go, the block that ends there is still
// open: a branch out of it leads there at once.

// frame is what is known of how a function jumps.
type frame struct {
	traits int      // keepsStack, unwinds
	blocks int      // blocks within the loop
	start  int      // the first instruction behind the table
	table  []uint64 // of each number the block that ends where it leads to
}

// frameOf recognises the form above.
func frameOf(code []instruction) (f frame, ok bool) {
	i := 0
	is := func(op byte, value int64) bool {
		if i < len(code) && code[i].is(op, value) {
			i++
			return true
		}
		return false
	}
	if is(opGlobalGet, 0) {
		f.traits |= keepsStack
		if !is(opLocalSet, 1) {
			return f, false
		}
	}
	if is(opBlock, voidType) {
		f.traits |= unwinds
	}
	if !is(opLoop, voidType) {
		return f, false
	}
	for is(opBlock, voidType) {
		f.blocks++
	}
	if f.blocks == 0 || !is(opLocalGet, 0) || i >= len(code) || code[i].op != opBrTable {
		return f, false
	}
	f.table, f.start = code[i].table, i+1
	for _, b := range f.table {
		if b >= uint64(f.blocks) {
			return f, false
		}
	}
	return f, true
}

// shortenJumps rewrites the jumps of a function that lead forward.
func shortenJumps(code []instruction) []instruction {
	f, ok := frameOf(code)
	if !ok {
		return code
	}
	out := append([]instruction(nil), code[:f.start]...)
	open, nested := f.blocks, 0 // blocks of the loop not yet ended, and others around an instruction
	for i := f.start; i < len(code); i++ {
		switch c := code[i]; {
		case c.op == opBlock || c.op == opLoop || c.op == opIf:
			nested++
		case c.op == opEnd && nested > 0:
			nested--
		case c.op == opEnd:
			open--
		case c.op == opI32Const && f.jumps(code[i:], open+nested):
			// The table counts blocks from the innermost, the first one that ends.
			if outer := f.blocks - int(f.table[c.value]); outer <= open {
				out = append(out, instruction{op: opBr, value: int64(nested + open - outer)})
				i += 2
				continue
			}
		}
		out = append(out, code[i])
	}
	return out
}

// jumps reports whether code begins with a jump by way of the loop, from within
// some blocks.
func (f *frame) jumps(code []instruction, within int) bool {
	return len(code) >= 3 && code[1].op == opLocalSet && code[1].value == 0 && code[2].op == opBr &&
		code[2].value == int64(within) && code[0].value >= 0 && code[0].value < int64(len(f.table))
}

// branchIf writes "if; br n+1; end" as "br_if n".
func branchIf(code []instruction) []instruction {
	out := code[:0:0]
	for i := 0; i < len(code); i++ {
		if i+2 < len(code) && code[i].op == opIf && code[i+1].op == opBr && code[i+1].value > 0 && code[i+2].op == opEnd {
			out = append(out, instruction{op: opBrIf, value: code[i+1].value - 1})
			i += 2
			continue
		}
		out = append(out, code[i])
	}
	return out
}
