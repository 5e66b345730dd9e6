package unwind

import (
	"math/rand/v2"
	"slices"
	"testing"

	"kdlocks/dump/image"
)

// machine executes what prologs mean, forward, on the stack of a target.
type machine struct {
	t   *target
	rnd *rand.Rand
	r   Registers
	// caller is what Step must come back to.
	caller Registers
	// remembered counts steps that a Cache remembers.
	remembered int
}

const (
	stackTop  = 0xffffc00000100000
	callerRIP = 0xfffff80012345678
)

func newMachine(seed uint64) *machine {
	m := &machine{t: newTarget(), rnd: rand.New(rand.NewPCG(seed, 0))}
	m.t.write(stackTop-0x3000, make([]byte, 0x4000)...)
	m.r.Known = 0xffff
	for n := range m.r.R {
		m.r.R[n] = m.rnd.Uint64()
	}
	m.r.R[RSP] = stackTop - uint64(m.rnd.IntN(64))*16
	return m
}

func (m *machine) push(v uint64) {
	m.r.R[RSP] -= 8
	m.t.put(m.r.R[RSP], v)
}

// call enters a function at the RVA given.
func (m *machine) call(rva uint32) {
	m.caller = m.r
	m.caller.RIP = callerRIP
	m.push(callerRIP)
	m.r.RIP = base + uint64(rva)
}

// trap enters one by an interrupt, with an error code or none.
func (m *machine) trap(rva uint32, code bool) {
	m.caller = m.r
	m.caller.RIP = callerRIP
	rsp := m.r.R[RSP]
	for _, v := range []uint64{0x18, rsp, 0x246, 0x10, callerRIP} {
		m.push(v)
	}
	if code {
		m.push(0xbad)
	}
	m.r.RIP = base + uint64(rva)
}

// instruction is what one of a prolog does, how long it is and its unwind code;
// late says that the code is told of as if it were done at the end of the
// allocation, as compilers do for what they save above the frame.
type instruction struct {
	do     func()
	length int
	codes  func(offset int) []uint16
	late   bool
}

var nonvolatile = []uint8{3, 5, 6, 7, 12, 13, 14, 15}

// function is a random function: its prolog and its unwind data.
type function struct {
	prolog             []instruction
	frame, frameOffset uint8
	base               uint64 // RSP after the fixed allocation
	free               []uint8
	fixed, saveAt      uint64 // how large that is, and how much of it is used
}

// prolog makes up a random prolog for the machine, which has called it.
func (m *machine) prolog(machineFrame, withCode bool) *function {
	f := &function{free: slices.Clone(nonvolatile)}
	m.rnd.Shuffle(len(f.free), func(a, b int) { f.free[a], f.free[b] = f.free[b], f.free[a] })
	f.base = m.r.R[RSP]
	var home *instruction
	if machineFrame {
		arg := uint8(0)
		if withCode {
			arg = 1
		}
		f.prolog = append(f.prolog, instruction{do: func() {}, codes: func(int) []uint16 { return []uint16{slot(0, opPushMachframe, arg)} }})
	} else if m.rnd.IntN(2) == 0 {
		home = m.saveHome(f)
	}
	for range m.rnd.IntN(5) {
		f.add(m.pushes(f.take()))
		f.base -= 8
	}
	if m.rnd.IntN(2) == 0 {
		f.frame, f.frameOffset = f.take(), uint8(m.rnd.IntN(16))
		f.add(m.pushes(f.frame))
		f.base -= 8
	}
	for range m.rnd.IntN(3) {
		n := uint64(m.rnd.IntN(40)+1) * 8
		f.fixed += n
		f.add(m.allocates(n))
	}
	f.base -= f.fixed
	if home != nil {
		m.homeCode(f, home)
	}
	if f.frame != 0 {
		f.add(m.setsFrame(f))
	}
	for f.saveAt+16 <= f.fixed && m.rnd.IntN(3) > 0 && len(f.free) > 1 {
		f.add(m.saves(f))
	}
	return f
}

func (f *function) take() uint8 {
	r := f.free[0]
	f.free = f.free[1:]
	return r
}

func (f *function) add(i instruction) { f.prolog = append(f.prolog, i) }

func (m *machine) length() int { return 1 + m.rnd.IntN(7) }

func (m *machine) pushes(register uint8) instruction {
	return instruction{func() {
		m.push(m.r.R[register])
		m.r.R[register] = m.rnd.Uint64()
	}, m.length(), func(at int) []uint16 { return []uint16{slot(at, opPushNonvol, register)} }, false}
}

func (m *machine) allocates(n uint64) instruction {
	kind := m.rnd.IntN(3)
	return instruction{func() { m.r.R[RSP] -= n }, m.length(), func(at int) []uint16 {
		switch {
		case kind == 0 && n <= 128:
			return []uint16{slot(at, opAllocSmall, uint8(n/8-1))}
		case kind == 1:
			return []uint16{slot(at, opAllocLarge, 1), uint16(n), uint16(n >> 16)}
		}
		return []uint16{slot(at, opAllocLarge, 0), uint16(n / 8)}
	}, false}
}

func (m *machine) setsFrame(f *function) instruction {
	return instruction{func() {
		m.r.R[f.frame] = m.r.R[RSP] + 16*uint64(f.frameOffset)
	}, m.length(), func(at int) []uint16 { return []uint16{slot(at, opSetFPReg, 0)} }, false}
}

// saves stores a register in the fixed allocation.
func (m *machine) saves(f *function) instruction {
	at, far := f.saveAt, m.rnd.IntN(2) == 0
	f.saveAt += 16
	if m.rnd.IntN(3) == 0 {
		return instruction{func() {}, m.length(), func(offset int) []uint16 {
			if far {
				return []uint16{slot(offset, opSaveXMMFar, 6), uint16(at), uint16(at >> 16)}
			}
			return []uint16{slot(offset, opSaveXMM, 6), uint16(at / 16)}
		}, false}
	}
	register := f.take()
	return instruction{func() {
		m.t.put(f.base+at, m.r.R[register])
		m.r.R[register] = m.rnd.Uint64()
	}, m.length(), func(offset int) []uint16 { return saveCode(offset, register, at, far) }, false}
}

func saveCode(offset int, register uint8, at uint64, far bool) []uint16 {
	if far {
		return []uint16{slot(offset, opSaveNonvolFar, register), uint16(at), uint16(at >> 16)}
	}
	return []uint16{slot(offset, opSaveNonvol, register), uint16(at / 8)}
}

// saveHome stores a register where the caller left room for arguments, before
// all else. The register is not touched in the prolog.
func (m *machine) saveHome(f *function) *instruction {
	register, at := f.take(), m.r.R[RSP]+8
	return &instruction{func() {
		m.t.put(at, m.r.R[register])
	}, m.length(), func(offset int) []uint16 { return saveCode(offset, register, at-f.base, false) }, true}
}

// homeCode puts the instruction first and its code at the end of the prolog so
// far.
func (m *machine) homeCode(f *function, home *instruction) {
	f.prolog = append([]instruction{*home}, f.prolog...)
	last := home.codes
	f.prolog[0].codes = func(int) []uint16 { return nil }
	f.add(instruction{func() {}, 1, last, false})
}

// encode returns the codes, the last first, and the length of the prolog.
func (f *function) encode() (codes []uint16, length int) {
	for _, i := range f.prolog {
		length += i.length
		codes = append(i.codes(length), codes...)
	}
	return codes, length
}

// check steps and compares with the caller.
func (m *machine) check(t *testing.T, im *image.Image, where string, volatile bool) Frame {
	t.Helper()
	got, f, err := Step(m.t, im, m.r)
	if err != nil {
		t.Fatalf("%s: %v", where, err)
	}
	m.checkCache(t, im, where, got, f)
	if got.RIP != m.caller.RIP {
		t.Fatalf("%s: RIP %#x, want %#x", where, got.RIP, m.caller.RIP)
	}
	for n := range got.R {
		known := kept&(1<<n) != 0
		if want := m.caller.R[n]; known && got.R[n] != want {
			t.Fatalf("%s: %s %#x, want %#x", where, names[n], got.R[n], want)
		}
		if got.Known&(1<<n) != 0 != known {
			t.Fatalf("%s: %s known is not %t", where, names[n], known)
		}
		if !known && got.R[n] != 0 && !volatile {
			t.Fatalf("%s: %s is %#x and not known", where, names[n], got.R[n])
		}
	}
	return f
}

// elsewhere is a stack that lies so many bytes higher.
type elsewhere struct {
	image.Memory
	up uint64
}

func (e elsewhere) ReadVirtual(p []byte, va uint64) error { return e.Memory.ReadVirtual(p, va-e.up) }

// checkCache steps with what was remembered of the frame, on its own stack and on another,
// and compares with the step without memory.
func (m *machine) checkCache(t *testing.T, im *image.Image, where string, want Registers, f Frame) {
	t.Helper()
	var c Cache
	if _, _, err := c.Step(m.t, im, m.r); err != nil {
		t.Fatalf("%s: %v", where, err)
	}
	if c.plans[m.r.RIP] != nil {
		m.remembered++
	}
	for _, up := range []uint64{0, 0x123450} {
		r := m.r
		if !f.MachineFrame || up == 0 {
			r.R[RSP] += up
			want, f := want, f
			for n := range r.R { // the frame register
				if c.plans[m.r.RIP] != nil && uint8(n) == c.plans[m.r.RIP].base && n != RSP {
					r.R[n] += up
					if want.Known&(1<<n) != 0 && c.plans[m.r.RIP].kept&(1<<n) == 0 {
						want.R[n] += up
					}
				}
			}
			if c.plans[m.r.RIP] == nil && up != 0 {
				continue
			}
			want.R[RSP] += up
			f.Establisher += up
			got, gf, err := c.Step(elsewhere{m.t, up}, im, r)
			if err != nil || got != want || gf != f {
				t.Fatalf("%s: %#x higher: %+v %+v %v, want %+v %+v", where, up, got, gf, err, want, f)
			}
		}
	}
}

// run executes the prolog and checks at every instruction, at rva of the image.
func (m *machine) run(t *testing.T, im *image.Image, f *function, rva uint32, name string) {
	t.Helper()
	m.check(t, im, name+" at its begin", false)
	for k, i := range f.prolog {
		i.do()
		m.r.RIP += uint64(i.length)
		where := name + " after instruction " + string(rune('0'+k))
		if got := m.check(t, im, where, false); k == len(f.prolog)-1 && got.Establisher != f.base {
			t.Fatalf("%s: establisher %#x, want %#x", where, got.Establisher, f.base)
		}
	}
	m.body(f)
	m.check(t, im, name+" in its body", false)
}

// body changes what a body may change.
func (m *machine) body(f *function) {
	m.r.RIP += uint64(m.rnd.IntN(8))
	for _, n := range []int{0, 1, 2, 8, 9, 10, 11} {
		m.r.R[n] = m.rnd.Uint64()
	}
	if f.frame != 0 {
		m.r.R[RSP] -= uint64(m.rnd.IntN(32)) * 16
	}
}

// TestProlog undoes random prologs from everywhere in them.
func TestProlog(t *testing.T) {
	remembered := 0
	t.Cleanup(func() {
		if remembered < 5000 {
			t.Errorf("%d steps were remembered", remembered)
		}
	})
	for seed := range uint64(3000) {
		m := newMachine(seed)
		defer func() { remembered += m.remembered }()
		trap, code := seed%4 == 0, seed%8 == 0
		if trap {
			m.trap(codeRVA, code)
		} else {
			m.call(codeRVA)
		}
		f := m.prolog(trap, code)
		codes, length := f.encode()
		if length > 255 {
			t.Fatal("prolog too long for the test")
		}
		info := m.t.info(1+uint8(seed%2), 0, uint8(length), f.frame, f.frameOffset, codes, nil)
		m.t.function(codeRVA, codeRVA+0x200, info)
		im := m.t.open(t)
		m.run(t, im, f, codeRVA, "function")
		_, frame, _ := Step(m.t, im, m.r)
		if frame.MachineFrame != trap || frame.Leaf || frame.Epilog || frame.NoCode {
			t.Fatalf("seed %d: %+v", seed, frame)
		}
	}
}

// TestChain goes on from the body of a random function into parts chained to it,
// which save more registers, and into one that shares its unwind data.
func TestChain(t *testing.T) {
	for seed := range uint64(2000) {
		m := newMachine(seed)
		m.call(codeRVA)
		f := m.prolog(false, false)
		codes, length := f.encode()
		first := m.t.function(codeRVA, codeRVA+0x200, m.t.info(1, 0, uint8(length), f.frame, f.frameOffset, codes, nil))

		part, parts := first, []*function{f}
		for k := range uint32(1 + m.rnd.IntN(3)) {
			p := &function{frame: f.frame, frameOffset: f.frameOffset, base: f.base, free: f.free, fixed: f.fixed, saveAt: f.saveAt}
			if len(p.free) > 1 && p.saveAt+16 <= p.fixed {
				p.add(m.saves(p))
			}
			f.free, f.saveAt = p.free, p.saveAt
			codes, length := p.encode()
			begin := codeRVA + 0x400*(k+1)
			info := m.t.info(1, flagChain, uint8(length), f.frame, f.frameOffset, codes, &part)
			part = m.t.function(begin, begin+0x200, info)
			parts = append(parts, p)
		}
		shared := m.t.function(codeRVA+0x3000, codeRVA+0x3100, (tableRVA+12*uint32(len(parts)-1))|1)
		im := m.t.open(t)
		for k, p := range parts {
			m.r.RIP = base + uint64(codeRVA+0x400*uint32(k))
			m.run(t, im, p, 0, "part")
		}
		m.r.RIP = base + uint64(shared.Begin)
		if got := m.check(t, im, "shared part", false); got.Function != shared {
			t.Fatalf("function %+v, want %+v", got.Function, shared)
		}
	}
}
