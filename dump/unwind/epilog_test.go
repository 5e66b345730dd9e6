package unwind

import (
	"errors"
	"testing"

	"kdlocks/dump/image"
)

// frameOf lays out a frame that pushed RBX, R12 and RBP and allocated 0x28 bytes,
// with RBP set 0x20 above the allocation when framed, and enters its body.
func frameOf(t *target, framed bool, fill ...byte) (caller, body Registers) {
	codes := []uint16{
		slot(9, opAllocSmall, 0x28/8-1), slot(5, opPushNonvol, 5), slot(4, opPushNonvol, 12), slot(2, opPushNonvol, 3),
	}
	register, offset := byte(0), byte(0)
	if framed {
		codes = append([]uint16{slot(14, opSetFPReg, 0)}, codes...)
		register, offset = 5, 2
	}
	t.function(codeRVA, codeRVA+0x100, t.info(1, 0, 14, register, offset, codes, nil))
	t.write(base+codeRVA+0x40, fill...)
	t.write(stackTop-0x1000, make([]byte, 0x2000)...)

	caller = Registers{RIP: callerRIP, Known: 0xffff}
	for n := range caller.R {
		caller.R[n] = 0x1111 * uint64(n)
	}
	caller.R[RSP] = stackTop
	body = caller
	rsp := uint64(stackTop)
	for _, v := range []uint64{callerRIP, caller.R[3], caller.R[12], caller.R[5]} {
		rsp -= 8
		t.put(rsp, v)
	}
	body.R[RSP] = rsp - 0x28
	body.R[3], body.R[12], body.R[5] = 1, 2, 3
	if framed {
		body.R[5] = body.R[RSP] + 0x20
	}
	body.RIP = base + codeRVA + 0x40
	return caller, body
}

// pops is what follows the first instruction of the epilogs below, and how far
// each of its instructions moves RIP and RSP.
var pops = []byte{0x5d, 0x41, 0x5c, 0x5b}

// execute runs the first n instructions of an epilog whose first has the length
// given on the registers.
func execute(t *target, r Registers, first, n int) Registers {
	if n > 0 {
		r.RIP += uint64(first)
		r.R[RSP] = stackTop - 32
	}
	for k, register := range []int{5, 12, 3} {
		if n > k+1 {
			r.R[register] = t.get(r.R[RSP])
			r.R[RSP] += 8
			r.RIP += []uint64{1, 2, 1}[k]
		}
	}
	return r
}

func TestEpilog(t *testing.T) {
	add8, add32 := []byte{0x48, 0x83, 0xc4, 0x28}, []byte{0x48, 0x81, 0xc4, 0x28, 0, 0, 0}
	// RBP is 8 below the pushes.
	lea8, lea32 := []byte{0x48, 0x8d, 0x65, 8}, []byte{0x48, 0x8d, 0xa5, 8, 0, 0, 0}
	for _, c := range []struct {
		name   string
		framed bool
		first  []byte
		last   []byte
		extra  uint64
	}{
		{"add8", false, add8, []byte{0xc3}, 0},
		{"add32", false, add32, []byte{0xc3}, 0},
		{"lea8", true, lea8, []byte{0xc3}, 0},
		{"lea32", true, lea32, []byte{0xc3}, 0},
		{"rep ret", false, add8, []byte{0xf3, 0xc3}, 0},
		{"bnd ret", false, add8, []byte{0xf2, 0xc3}, 0},
		{"ret n", false, add8, []byte{0xc2, 0x10, 0}, 0x10},
		{"jmp rel32", false, add8, []byte{0xe9, 0, 0x10, 0, 0}, 0},
		{"jmp rel8 back to the begin", false, add8, []byte{0xeb, 0x100 - 0x4a}, 0},
		{"jmp import", false, add8, []byte{0xff, 0x25, 1, 2, 3, 4}, 0},
		{"jmp import, REX.W", false, add8, []byte{0x48, 0xff, 0x25, 1, 2, 3, 4}, 0},
		{"jmp register", false, add8, []byte{0x48, 0xff, 0xe0}, 0},
	} {
		for n := range 5 {
			tg := newTarget()
			code := append(append(append([]byte(nil), c.first...), pops...), c.last...)
			caller, body := frameOf(tg, c.framed, code...)
			caller.R[RSP] += c.extra
			r := execute(tg, body, len(c.first), n)
			m := machine{t: tg, r: r, caller: caller}
			if f := m.check(t, tg.open(t), c.name, true); !f.Epilog {
				t.Errorf("%s, instruction %d: no epilog", c.name, n)
			}
		}
	}
}

// TestEpilogFromAbove has the frame register above what was pushed, as GCC sets
// it.
func TestEpilogFromAbove(t *testing.T) {
	tg := newTarget()
	caller, body := frameOf(tg, true, append([]byte{0x48, 0x8d, 0x65, 0xe0}, append(pops, 0xc3)...)...)
	body.R[5] = stackTop
	m := machine{t: tg, r: body, caller: caller}
	if f := m.check(t, tg.open(t), "lea rsp,[rbp-20h]", true); !f.Epilog {
		t.Error("no epilog")
	}
}

// TestNoEpilog has code that looks like an epilog and is none: the frame stands.
func TestNoEpilog(t *testing.T) {
	for _, c := range []struct {
		name   string
		framed bool
		code   []byte
	}{
		{"add and more", false, []byte{0x48, 0x83, 0xc4, 0x08, 0x90, 0xc3}},
		{"add eax", false, []byte{0x83, 0xc4, 0x28, 0xc3}},
		{"lea of another register", true, []byte{0x48, 0x8d, 0x63, 8, 0xc3}},
		{"lea without a frame register", false, []byte{0x48, 0x8d, 0x65, 8, 0xc3}},
		{"lea of RSP", true, []byte{0x48, 0x8d, 0x64, 0x24, 8, 0xc3}},
		{"pop rsp", false, []byte{0x5c, 0xc3}},
		{"jmp inside", false, []byte{0xeb, 0x10}},
		{"jmp inside after a pop", false, []byte{0x5b, 0xe9, 0x10, 0, 0, 0}},
		{"jmp of a switch", false, []byte{0xff, 0xe0}},
		{"jmp of a table", false, []byte{0xff, 0x24, 0xc5, 0, 0, 0, 0}},
		{"call", false, []byte{0xff, 0x15, 0, 0, 0, 0}},
		{"pops without an end", false, []byte{0x5b, 0x5b, 0x5b, 0x5b, 0x5b, 0x5b, 0x5b, 0x5b, 0x5b, 0x5b, 0x5b, 0x5b, 0x5b, 0x5b, 0x5b, 0x5b, 0x5b, 0xc3}},
	} {
		tg := newTarget()
		caller, body := frameOf(tg, c.framed, c.code...)
		m := machine{t: tg, r: body, caller: caller}
		if f := m.check(t, tg.open(t), c.name, false); f.Epilog || f.NoCode {
			t.Errorf("%s: %+v", c.name, f)
		}
	}
}

// TestJump has a jump at RIP and nothing else: to a part of the same function the
// frame stands, to any other it is gone.
func TestJump(t *testing.T) {
	const there = codeRVA + 0x1000
	jump := []byte{0xe9, 0xbb, 0x0f, 0, 0} // from codeRVA+0x40
	for _, c := range []struct {
		name   string
		target func(tg *target)
		epilog bool
		noCode bool
	}{
		{"a leaf", func(*target) {}, true, false},
		{"another function", func(tg *target) {
			tg.function(there, there+0x10, tg.info(1, 0, 0, 0, 0, nil, nil))
		}, true, false},
		{"a chained part", func(tg *target) {
			tg.function(there, there+0x10, tg.info(1, flagChain, 0, 0, 0, nil, &tg.functions[0]))
		}, false, false},
		{"a part of a part", func(tg *target) {
			part := tg.function(there-0x10, there, tg.info(1, flagChain, 0, 0, 0, nil, &tg.functions[0]))
			tg.function(there, there+0x10, tg.info(1, flagChain, 0, 0, 0, nil, &part))
		}, false, false},
		{"a part that shares", func(tg *target) { tg.function(there, there+0x10, tableRVA|1) }, false, false},
		{"a part whose info is gone", func(tg *target) {
			tg.function(there, there+0x10, dataRVA+0x1000)
			delete(tg.memory, (base+dataRVA+0x1000)>>12)
		}, false, true},
	} {
		tg := newTarget()
		caller, body := frameOf(tg, false, jump...)
		if c.epilog {
			body = execute(tg, body, 0, 4)
			body.RIP = base + codeRVA + 0x40
		}
		c.target(tg)
		m := machine{t: tg, r: body, caller: caller}
		f := m.check(t, tg.open(t), c.name, c.epilog)
		if f.Epilog != c.epilog || f.NoCode != c.noCode {
			t.Errorf("%s: %+v", c.name, f)
		}
	}
}

// TestLoop has a jump to the begin of what RIP is in: of a function it calls it
// again, of a part it goes on in the frame.
func TestLoop(t *testing.T) {
	const begin = codeRVA + 0x1000
	for _, c := range []struct {
		name   string
		info   func(tg *target) uint32
		epilog bool
	}{
		{"a function", func(tg *target) uint32 { return tg.functions[0].UnwindInfo }, true},
		{"a part that shares", func(*target) uint32 { return tableRVA | 1 }, false},
		{"a chained part", func(tg *target) uint32 {
			return tg.info(1, flagChain, 0, 0, 0, nil, &tg.functions[0])
		}, false},
	} {
		tg := newTarget()
		caller, body := frameOf(tg, false)
		tg.function(begin, begin+0x40, c.info(tg))
		tg.write(base+begin+0x20, 0xeb, 0x100-0x22)
		if c.epilog {
			body = execute(tg, body, 0, 4)
		}
		body.RIP = base + begin + 0x20
		m := machine{t: tg, r: body, caller: caller}
		if f := m.check(t, tg.open(t), c.name, c.epilog); f.Epilog != c.epilog {
			t.Errorf("%s: %+v", c.name, f)
		}
	}
}

// TestEpilogInProlog has a way out of the function before its prolog ends.
func TestEpilogInProlog(t *testing.T) {
	tg := newTarget()
	caller, body := frameOf(tg, false)
	tg.functions[0].UnwindInfo = tg.info(1, 0, 14, 0, 0, []uint16{slot(14, opSaveNonvol, 6), 4, slot(4, opAllocSmall, 3), slot(2, opPushNonvol, 3)}, nil)
	tg.write(base+codeRVA+5, 0x5b, 0xc3)
	body.R = caller.R
	body.R[RSP] -= 16
	body.RIP = base + codeRVA + 5
	tg.put(body.R[RSP], caller.R[3])
	m := machine{t: tg, r: body, caller: caller}
	if f := m.check(t, tg.open(t), "pop rbx; ret in a prolog", true); !f.Epilog {
		t.Error("no epilog")
	}
}

// TestNoCode has the page of RIP, or the next, not in memory.
func TestNoCode(t *testing.T) {
	tg := newTarget()
	caller, body := frameOf(tg, false)
	delete(tg.memory, (base+codeRVA)>>12)
	m := machine{t: tg, r: body, caller: caller}
	if f := m.check(t, tg.open(t), "no code", false); !f.NoCode || f.Epilog {
		t.Errorf("no page: %+v", f)
	}
	for _, c := range []struct {
		code         []byte
		epilog, none bool
	}{
		{[]byte{0x48, 0x83, 0xc4}, false, true}, // cut in its middle
		{[]byte{0x90, 0x90, 0x90}, false, false},
		{[]byte{0x5b, 0xc3}, true, false},
	} {
		tg := newTarget()
		_, body := frameOf(tg, false)
		tg.functions[0].End = codeRVA + 0x2000
		body.RIP = base + codeRVA + 0x1000 - uint64(len(c.code))
		tg.write(body.RIP, c.code...)
		delete(tg.memory, (base+codeRVA+0x1000)>>12)
		_, f, err := Step(tg, tg.open(t), body)
		if err != nil || f.Epilog != c.epilog || f.NoCode != c.none {
			t.Errorf("% x before a missing page: %+v, %v", c.code, f, err)
		}
	}
}

// TestEpilogErrors follows epilogs that cannot be followed.
func TestEpilogErrors(t *testing.T) {
	tg := newTarget()
	_, body := frameOf(tg, true, 0x48, 0x8d, 0x65, 8, 0xc3)
	body.Known &^= 1 << 5
	if _, _, err := Step(tg, tg.open(t), body); !errors.Is(err, ErrRegister) {
		t.Errorf("frame register unknown: %v", err)
	}
	tg = newTarget()
	_, body = frameOf(tg, false, 0x48, 0x83, 0xc4, 0x80, 0xc3) // add rsp,-80h
	if _, f, err := Step(tg, tg.open(t), body); !errors.Is(err, ErrStack) || !f.Epilog {
		t.Errorf("falling RSP: %+v, %v", f, err)
	}
	tg = newTarget()
	_, body = frameOf(tg, false, 0x5b, 0xc3)
	body.R[RSP] = 0xdead000
	var missing *image.ReadError
	if _, _, err := Step(tg, tg.open(t), body); !errors.As(err, &missing) || missing.VA != 0xdead000 {
		t.Errorf("no stack: %v", err)
	}
}
