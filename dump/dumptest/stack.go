package dumptest

import (
	"encoding/binary"
	"slices"
)

// Frame is one call of a stack's chain.
type Frame struct {
	Module   *Module // the kernel if nil
	Function string
	// Offset of the instruction pointer in the function: where its callee
	// returns to, or where it was interrupted. Half the function's size if 0.
	// If it lies in the prolog, only the steps before it have run; such a
	// prolog must not save registers before its stack is allocated.
	Offset uint32
	// Alloca is stack that the function took at run time, a multiple of 16; it
	// needs a frame pointer.
	Alloca uint32
	// Values are put on the stack, by their offset from the frame's SP.
	Values map[uint32]uint64
	// Regs are what the function has put into registers; those that it saved
	// and that are not named here get values of their own.
	Regs map[Reg]uint64
	// NewSegment makes the function switch to another kernel stack: by moving
	// RSP and keeping its frame pointer, or, if it has a machine frame, by a
	// machine frame at the start of the new stack.
	NewSegment bool
}

// Segment is one stack of a thread: addresses.
type Segment struct {
	Base, Limit, Initial uint64
	// Kernel is the stack pointer: where the thread left the segment.
	Kernel uint64
}

// Sizes of a thread's first stack and of one that it expanded to, in pages.
const (
	stackPages    = 6
	expandedPages = 18
)

// staleStack is how far KTHREAD.KernelStack of a running thread is off: it is
// where the thread was switched out the last time.
const staleStack = 0x180

// userRip and userRsp are the user-mode registers of a thread that entered the
// kernel by a system call.
const (
	userRip = 0x7FFB_4C2D_D4E4
	userRsp = 0x0000_004B_1C8F_F5C8
)

// newStack maps a stack with a page that is not mapped below it.
func (m *Machine) newStack(pages uint64) Segment {
	limit := m.stacks.next + pageSize
	m.stacks.next = limit + pages*pageSize
	for va := limit; va < m.stacks.next; va += pageSize {
		m.kernel.mapPage(va, pageSize)
	}
	return Segment{Base: m.stacks.next, Limit: limit, Initial: m.stacks.next - m.control}
}

// controlSize is the size of the structure at a stack's InitialStack.
func (m *Machine) controlSize() uint64 {
	if m.layout.has("KSTACK_CONTROL") {
		return m.sizeOf("KSTACK_CONTROL")
	}
	return m.sizeOf("KERNEL_STACK_CONTROL")
}

// stacker lays out one stack from its base downwards.
type stacker struct {
	t       *Thread
	m       *Machine
	context Context // as the chain has it so far; Rip is 0 before the first call
	user    bool    // the next machine frame is that of user mode
	index   uint64  // of the frame, for the values of registers
	current Segment
	earlier []Segment // the first stack first
	frames  []TruthFrame
}

// layStack lays out the thread's stack and fills the stack fields of KTHREAD,
// or the context of its processor.
func (t *Thread) layStack(chain []Frame) {
	m := t.m
	s := &stacker{t: t, m: m, current: m.newStack(stackPages)}
	s.context.Regs[RSP] = s.current.Initial
	s.control(s.current, Segment{}, false)
	for _, f := range chain {
		s.enter(f)
	}
	if t.Spec.State != Running {
		s.switchOut(chain[len(chain)-1])
	}
	t.context = s.context
	s.current.Kernel = s.context.Regs[RSP]
	t.kernelStack = s.current.Kernel
	at := func(f string) uint64 { return t.VA + m.off("KTHREAD."+f) }
	m.Poke64(at("InitialStack"), s.current.Initial)
	m.Poke64(at("StackBase"), s.current.Base)
	m.Poke64(at("StackLimit"), s.current.Limit)
	m.Poke64(at("KernelStack"), s.current.Kernel-uint64(bit(t.Spec.State == Running))*staleStack)
	m.Poke64(at("TrapFrame"), t.trapFrame)
	m.pokeBits(t.VA, "KTHREAD.CalloutActive", uint32(bit(len(s.earlier) > 0)))
	t.keep(s)
}

// keep records the segments and frames, the innermost first, and swaps out the
// stack of a thread that is not resident.
func (t *Thread) keep(s *stacker) {
	t.Segments = append(t.Segments, s.current)
	for i := len(s.earlier) - 1; i >= 0; i-- {
		t.Segments = append(t.Segments, s.earlier[i])
	}
	for i := len(s.frames) - 1; i >= 0; i-- {
		f := s.frames[i]
		f.Segment = len(s.earlier) - f.Segment
		t.Frames = append(t.Frames, f)
	}
	if t.Spec.NotResident {
		for _, seg := range t.Segments {
			s.m.SetPages(seg.Limit, seg.Base-seg.Limit, PagedOut)
		}
	}
}

func (s *stacker) push(v uint64) {
	s.context.Regs[RSP] -= 8
	s.store(s.context.Regs[RSP], v)
}

func (s *stacker) store(va, v uint64) {
	holds := func(seg Segment) bool { return va >= seg.Limit && va < seg.Base }
	if holds(s.current) || slices.ContainsFunc(s.earlier, holds) {
		s.m.Poke64(va, v)
		return
	}
	s.m.fail("thread %x.%x: the stack does not hold %#x", s.t.Process.Spec.ID, s.t.Spec.ID, va)
}

// enter calls the frame's function from the one before it.
func (s *stacker) enter(fr Frame) {
	mod := fr.Module
	if mod == nil {
		mod = s.m.nt
	}
	f := mod.find(fr.Function)
	if fr.Offset == 0 {
		fr.Offset = f.Size / 2
	}
	if fr.Offset > f.Size {
		s.m.fail("%s+%#x is outside the function", f.Name, fr.Offset)
		return
	}
	if fr.Offset < f.prolog.size() && f.prolog.savesEarly() {
		s.m.fail("%s+%#x is in a prolog that saves before it allocates", f.Name, fr.Offset)
	}
	machine := len(f.prolog.ops) > 0 && f.prolog.ops[0].code == opMachFrame
	caller := s.context.Rip
	if machine {
		s.user = caller == 0
		s.pushMachineFrame(f.prolog.ops[0].reg != 0, fr.NewSegment)
	} else {
		s.callSite(caller, mod.Base+uint64(f.rva))
		s.push(caller)
	}
	home := s.context.Regs[RSP]
	s.run(f.prolog, fr.Offset, home)
	if f.Tail != nil && !f.Tail.Indirect && fr.Offset >= f.Tail.At {
		s.run(f.tail, fr.Offset-f.Tail.At, s.context.Regs[RSP])
	}
	s.body(fr, f, machine)
	s.context.Rip = mod.Base + uint64(f.rva) + uint64(fr.Offset)
	if caller == 0 && machine {
		caller = userRip
	}
	s.frames = append(s.frames, TruthFrame{
		Module: mod.Spec.Name, Function: f.Name, Offset: fr.Offset, RVA: f.rva + fr.Offset,
		IP: s.context.Rip, SP: s.context.Regs[RSP], Return: caller, Segment: len(s.earlier),
		UserReturn: machine && s.user, Interrupt: machine && !s.user && !fr.NewSegment,
	})
	s.index++
}

// body is what the function does after its prolog: it may switch stacks, takes
// more stack, and changes what it has saved.
func (s *stacker) body(fr Frame, f *function, machine bool) {
	regs := &s.context.Regs
	_, framed := f.prolog.frame()
	if fr.NewSegment && !machine {
		if !framed {
			s.m.fail("%s switches stacks without a frame pointer", f.Name)
		}
		s.expand()
		regs[RSP] -= 0x20 // room for the callee's register parameters
	}
	if fr.Alloca > 0 && !framed {
		s.m.fail("%s takes stack at run time without a frame pointer", f.Name)
	}
	regs[RSP] -= uint64(fr.Alloca)
	for off, v := range fr.Values {
		s.store(regs[RSP]+uint64(off), v)
	}
	if fr.Offset >= f.prolog.size() {
		s.change(f.prolog)
	}
	if f.Tail != nil && fr.Offset >= f.Tail.At+f.tail.size() {
		s.change(f.tail)
	}
	for r, v := range fr.Regs {
		regs[r&15] = v
	}
}

// run runs the steps of a prolog that end at or before the offset. home is RSP
// at the function's entry.
func (s *stacker) run(p prolog, offset uint32, home uint64) {
	regs, base := &s.context.Regs, home
	for _, o := range p.ops {
		switch o.code {
		case opPush:
			base -= 8
		case opAllocLarge:
			base -= uint64(o.n)
		}
	}
	for i, o := range p.ops {
		if p.ends[i] > offset {
			return
		}
		at := base + uint64(o.n)
		switch o.code {
		case opPush:
			s.push(regs[o.reg&15])
		case opAllocLarge:
			regs[RSP] -= uint64(o.n)
		case opSetFrame:
			regs[o.reg&15] = regs[RSP] + uint64(o.n)
		case opSave:
			s.store(at, regs[o.reg&15])
		case opSaveXMM:
			s.store(at, s.context.XMM[o.reg&15][0])
			s.store(at+8, s.context.XMM[o.reg&15][1])
		}
	}
}

// change gives the registers that a prolog saved values of this frame's own.
func (s *stacker) change(p prolog) {
	frame, framed := p.frame()
	for _, o := range p.ops {
		mark := 0x5A00_0000_0000 | s.index<<16 | uint64(o.reg)
		switch {
		case o.code == opSaveXMM:
			s.context.XMM[o.reg&15] = [2]uint64{mark, ^mark}
		case (o.code == opPush || o.code == opSave) && !(framed && o.reg == frame.reg):
			s.context.Regs[o.reg&15] = mark
		}
	}
}

// pushMachineFrame pushes what the processor pushes when it enters the kernel
// or is interrupted: from user mode, from the function before, or from the
// segment before.
func (s *stacker) pushMachineFrame(errorCode, newSegment bool) {
	rip, rsp, cs, ss := s.context.Rip, s.context.Regs[RSP], uint64(csKernel), uint64(ssKernel)
	if s.user {
		rip, rsp, cs, ss = userRip, userRsp, csUser, ssUser
	}
	if newSegment {
		s.expand()
	}
	s.context.Regs[RSP] &^= 15
	for _, v := range []uint64{ss, rsp, 0x246, cs, rip} {
		s.push(v)
	}
	at := s.context.Regs[RSP]
	if errorCode {
		s.push(0)
	}
	if !newSegment && s.user {
		s.t.trapFrame = at - s.m.off("KTRAP_FRAME.Rip")
	}
}

// callSite puts a call instruction before a return address, if the image has
// room for one there.
func (s *stacker) callSite(ret, target uint64) {
	const length = 5
	if ret == 0 || s.m.kernel.frame(ret-length) == 0 {
		return
	}
	b := binary.LittleEndian.AppendUint32([]byte{0xE8}, uint32(target-ret))
	s.m.Poke(ret-length, b)
}

// expand goes on on a new stack, which names the one before it.
func (s *stacker) expand() {
	s.current.Kernel = s.context.Regs[RSP]
	previous := s.current
	s.earlier = append(s.earlier, previous)
	s.current = s.m.newStack(expandedPages)
	s.context.Regs[RSP] = s.current.Initial
	s.control(s.current, previous, true)
}

// control fills the structure at a stack's InitialStack.
func (s *stacker) control(seg, previous Segment, expanded bool) {
	m := s.m
	fill := func(va uint64, g Segment) {
		at := func(f string) uint64 { return va + m.off("KERNEL_STACK_SEGMENT."+f) }
		m.Poke64(at("StackBase"), g.Base)
		m.Poke64(at("StackLimit"), g.Limit)
		m.Poke64(at("KernelStack"), g.Kernel)
		m.Poke64(at("InitialStack"), g.Initial)
	}
	if m.layout.has("KERNEL_STACK_CONTROL") {
		fill(seg.Initial+m.off("KERNEL_STACK_CONTROL.Current"), seg)
		fill(seg.Initial+m.off("KERNEL_STACK_CONTROL.Previous"), previous)
		return
	}
	m.Poke64(seg.Initial+m.off("KSTACK_CONTROL.StackBase"), seg.Base)
	m.Poke64(seg.Initial+m.off("KSTACK_CONTROL.ActualLimit"), seg.Limit|uint64(bit(expanded)))
	fill(seg.Initial+m.off("KSTACK_CONTROL.Previous"), previous)
}

// switchOut ends the chain of a thread that does not run: in KiSwapContext, with
// a KSWITCH_FRAME below it. The frame's classic layout, from open descriptions
// of the x64 kernel, is five home slots, ApcBypass, RBP and the return address
// at 0x38.
func (s *stacker) switchOut(last Frame) {
	if last.Function != "KiSwapContext" {
		s.enter(Frame{Function: "KiSwapContext", Offset: 0xC0})
	}
	const size, apcBypass, rbp, ret = 0x40, 0x28, 0x30, 0x38
	regs := &s.context.Regs
	s.callSite(s.context.Rip, s.m.nt.Base+uint64(s.m.nt.find("KiSwapThread").rva))
	regs[RSP] -= size
	s.store(regs[RSP]+apcBypass, 1)
	s.store(regs[RSP]+rbp, regs[RBP])
	s.store(regs[RSP]+ret, s.context.Rip)
}

// SP is the stack pointer of the innermost frame of that function.
func (t *Thread) SP(function string) uint64 {
	for _, f := range t.Frames {
		if f.Function == function {
			return f.SP
		}
	}
	t.m.fail("thread %x.%x has no frame of %s", t.Process.Spec.ID, t.Spec.ID, function)
	return 0
}
