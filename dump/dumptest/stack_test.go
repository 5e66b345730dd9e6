package dumptest

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// unwinder undoes frames from what is in memory, by Microsoft's description of
// x64 exception handling.
type unwinder struct {
	t    *testing.T
	m    *Machine
	regs [16]uint64
	xmm  [16][2]uint64
	rip  uint64
}

func (u *unwinder) module() *Module {
	for _, mod := range u.m.modules {
		if u.rip >= mod.Base && u.rip-mod.Base < uint64(mod.Size) {
			return mod
		}
	}
	return nil
}

// lookup finds the RUNTIME_FUNCTION of the RVA in the exception directory.
func (u *unwinder) lookup(mod *Module, rva uint32) (entry uint64, found bool) {
	pe := uint64(binary.LittleEndian.Uint32(u.m.Peek(mod.Base+0x3C, 4)))
	dir := mod.Base + pe + 24 + 112 + 3*8
	table, size := uint64(u.m.peek32(dir)), uint64(u.m.peek32(dir+4))
	last := uint32(0)
	for at := mod.Base + table; at < mod.Base+table+size; at += 12 {
		begin, end := u.m.peek32(at), u.m.peek32(at+4)
		if begin < last || end <= begin {
			u.t.Fatalf("entry %#x: %#x to %#x after %#x", at, begin, end, last)
		}
		last = end
		if rva >= begin && rva < end {
			entry, found = at, true
		}
	}
	return entry, found
}

// step undoes one frame, and says whether it was entered by a machine frame.
func (u *unwinder) step() (machine bool) {
	mod := u.module()
	if mod == nil {
		u.t.Fatalf("%#x is in no module", u.rip)
	}
	rva := uint32(u.rip - mod.Base)
	entry, found := u.lookup(mod, rva)
	for found {
		for u.m.peek32(entry+8)&1 == 1 {
			entry = mod.Base + uint64(u.m.peek32(entry+8)&^1)
		}
		info := mod.Base + uint64(u.m.peek32(entry+8))
		head := u.m.Peek(info, 4)
		offset := rva - u.m.peek32(entry)
		if rva >= u.m.peek32(entry+4) || rva < u.m.peek32(entry) {
			offset = 0x1000 // the prolog of another part has run
		}
		machine = u.codes(info, head, offset)
		if found = head[0]>>3&4 != 0; found {
			entry = info + 4 + uint64(head[2]+1)&^1*2
		}
	}
	if !machine {
		u.rip = u.m.Peek64(u.regs[RSP])
		u.regs[RSP] += 8
	}
	return machine
}

func (u *unwinder) codes(info uint64, head []byte, offset uint32) (machine bool) {
	code := u.m.Peek(info+4, int(head[2])*2)
	u16 := func(i int) uint64 { return uint64(binary.LittleEndian.Uint16(code[2*i:])) }
	frame := u.regs[RSP]
	if reg := head[3] & 15; reg != 0 && offset >= uint32(head[1]) {
		frame = u.regs[reg] - uint64(head[3]>>4)*16
	}
	far := func(i int) uint64 { return u16(i) | u16(i+1)<<16 }
	for i := 0; i < int(head[2]); {
		at, op, inf := uint32(code[2*i]), code[2*i+1]&15, uint64(code[2*i+1]>>4)
		slots := map[byte]int{0: 1, 1: 2 + int(inf), 2: 1, 3: 1, 4: 2, 5: 3, 6: 2, 8: 2, 9: 3, 10: 1}[op]
		if slots == 0 {
			u.t.Fatalf("unwind code %d", op)
		}
		if op != 6 && at <= offset {
			switch op {
			case 0:
				u.regs[inf] = u.m.Peek64(u.regs[RSP])
				u.regs[RSP] += 8
			case 1:
				n := u16(i+1) * 8
				if inf == 1 {
					n = far(i + 1)
				}
				u.regs[RSP] += n
			case 2:
				u.regs[RSP] += inf*8 + 8
			case 3:
				u.regs[RSP] = u.regs[head[3]&15] - uint64(head[3]>>4)*16
			case 4:
				u.regs[inf] = u.m.Peek64(frame + u16(i+1)*8)
			case 5:
				u.regs[inf] = u.m.Peek64(frame + far(i+1))
			case 8, 9:
				at := frame + u16(i+1)*16
				if op == 9 {
					at = frame + far(i+1)
				}
				u.xmm[inf] = [2]uint64{u.m.Peek64(at), u.m.Peek64(at + 8)}
			case 10:
				at := u.regs[RSP] + inf*8
				u.rip, u.regs[RSP], machine = u.m.Peek64(at), u.m.Peek64(at+24), true
			}
		}
		i += slots
	}
	return machine
}

// checkStack unwinds a thread and compares each frame with the truth.
func checkStack(t *testing.T, m *Machine, th *Thread) {
	t.Helper()
	u := &unwinder{t: t, m: m, regs: th.context.Regs, xmm: th.context.XMM, rip: th.context.Rip}
	if len(th.Frames) == 0 {
		if th.Spec.State != Terminated {
			t.Error("no stack")
		}
		return
	}
	if th.Spec.State != Running {
		sp := m.Peek64(th.VA + m.off("KTHREAD.KernelStack"))
		if sp != th.Segments[0].Kernel {
			t.Fatalf("KernelStack %#x, want %#x", sp, th.Segments[0].Kernel)
		}
		u.regs = [16]uint64{RSP: sp + 0x40, RBP: m.Peek64(sp + 0x30)}
		u.rip = m.Peek64(sp + 0x38)
	}
	for i, want := range th.Frames {
		mod := u.module()
		if mod == nil || u.rip != want.IP || u.regs[RSP] != want.SP || mod.Spec.Name != want.Module ||
			u.rip != mod.Symbol(want.Function)+uint64(want.Offset) || u.rip != mod.Base+uint64(want.RVA) {
			t.Fatalf("frame %d: %#x, stack %#x; want %+v", i, u.rip, u.regs[RSP], want)
		}
		if seg := th.Segments[want.Segment]; want.SP < seg.Limit || want.SP >= seg.Base {
			t.Errorf("frame %d: stack %#x is not in segment %d", i, want.SP, want.Segment)
		}
		if machine := u.step(); machine != (want.UserReturn || want.Interrupt || want.Function == "KySwitchKernelStackCallout") {
			t.Errorf("frame %d of %s: machine frame %t", i, want.Function, machine)
		}
		if u.rip != want.Return {
			t.Fatalf("frame %d of %s returns to %#x, want %#x", i, want.Function, u.rip, want.Return)
		}
	}
}

// TestStacksOfScenarios unwinds every thread of every scenario of every build.
func TestStacksOfScenarios(t *testing.T) {
	for _, build := range Builds() {
		for name, make := range Scenarios() {
			s, err := make(Options{Build: build, Processors: 2})
			if err != nil {
				t.Fatal(err)
			}
			for _, th := range append(s.Threads, s.Machine.idle.threads...) {
				t.Run(fmt.Sprintf("%s/%s/%x", build, name, th.Spec.ID), func(t *testing.T) {
					checkStack(t, s.Machine, th)
				})
			}
		}
	}
}

// FuzzStacks unwinds chains of any functions.
func FuzzStacks(f *testing.F) {
	f.Add([]byte{0, 0x90, 5, 0xFF, 9, 0, 20, 3})
	f.Fuzz(func(t *testing.T, data []byte) {
		m, odd := newOdd(t, Options{})
		var callable []Frame
		for mod, functions := range map[*Module][]Function{odd: oddities(), m.nt: kernelFunctions()} {
			for _, fn := range functions {
				if !fn.Leaf && (len(fn.Prolog) == 0 || fn.Prolog[0].code != opMachFrame) {
					callable = append(callable, Frame{Module: mod, Function: fn.Name})
				}
			}
		}
		slices.SortFunc(callable, func(a, b Frame) int { return strings.Compare(a.Function, b.Function) })
		chain, used := []Frame{{Function: "KiSystemServiceCopyEnd"}}, uint32(0)
		for ; len(data) >= 2; data = data[2:] {
			fr := callable[int(data[0])%len(callable)]
			fn := fr.Module.find(fr.Function)
			fr.Offset = fn.prolog.size() + uint32(data[1])%(fn.Size-fn.prolog.size()-5) + 5
			if fr.Function == "Dynamic" {
				fr.Alloca = uint32(data[1]) &^ 15
			}
			if used += 0x200; fr.Function == "Huge" {
				used += 0x2000
			}
			if used > 0x5000 {
				break
			}
			chain = append(chain, fr)
			if data[1]&7 == 3 {
				chain = append(chain, Frame{Function: "KiPageFault"})
			}
		}
		th := m.System().AddThread(ThreadSpec{ID: 8, State: Waiting, Stack: chain})
		if err := m.Err(); err != nil {
			t.Fatal(err)
		}
		checkStack(t, m, th)
	})
}

// oddities are functions with every kind of unwind information.
func oddities() []Function {
	return []Function{
		{Name: "Far", Size: 0x400, Prolog: []Op{AllocFar(0x88), SaveFar(RBX, 0x60), SaveXMMFar(6, 0x40), SaveXMM(15, 0x50)}},
		{Name: "Huge", Size: 0x400, Prolog: []Op{Push(R12), Alloc(0x2000), Save(RSI, 0x1FF8)}},
		{Name: "Version2", Size: 0x300, Prolog: pushes(3, 0x40), Epilogs: &Epilogs{Size: 8, AtEnd: true, From: []uint16{0x123}}},
		{Name: "Version2Odd", Size: 0x300, Prolog: pushes(1, 0x20), Epilogs: &Epilogs{Size: 5, AtEnd: true}},
		{Name: "Chained", Size: 0x400, Prolog: pushes(3, 0x60),
			Tail: &Tail{At: 0x80, Prolog: []Op{Save(R14, 0x40), Save(R15, 0x48)}}},
		{Name: "Indirect", Size: 0x200, Prolog: pushes(3, 0x40), Tail: &Tail{At: 0x100, Indirect: true}},
		{Name: "Dynamic", Size: 0x200, Handler: true, Prolog: []Op{Push(RBP), Push(RBX), Alloc(0x48), SetFrame(RBP, 0x30)}},
		{Name: "ChainedFrame", Size: 0x400, Prolog: []Op{Push(RBP), Alloc(0x50), SetFrame(RBP, 0x20)},
			Tail: &Tail{At: 0x60, Prolog: []Op{Save(RDI, 0x40)}}},
		{Name: "Leaf", Size: 0x20, Leaf: true},
	}
}

func newOdd(t *testing.T, o Options) (*Machine, *Module) {
	t.Helper()
	m, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return m, m.AddModule(ModuleSpec{Name: "odd.sys", Functions: oddities()})
}

// TestOddStacks unwinds chains through every kind of unwind information, an
// interrupt in a leaf and one in a prolog, and both kinds of stack switch.
func TestOddStacks(t *testing.T) {
	system := Frame{Function: "KiSystemServiceCopyEnd", Offset: 0x25}
	for _, build := range Builds() {
		m, odd := newOdd(t, Options{Build: build, Processors: 6})
		f := func(name string, off uint32) Frame { return Frame{Module: odd, Function: name, Offset: off} }
		dynamic := Frame{Module: odd, Function: "Dynamic", Alloca: 0x1230 &^ 15, Values: map[uint32]uint64{0x20: 7}}
		chains := map[string][]Frame{
			"codes":     {system, f("Far", 0), f("Huge", 0), f("Version2", 0), f("Version2Odd", 0), dynamic, f("ChainedFrame", 0x300)},
			"chained":   {system, f("Chained", 0x200), f("Chained", 0x70), f("Indirect", 0x180), f("Indirect", 0x80), f("ChainedFrame", 0x50)},
			"interrupt": {system, f("Chained", 0), f("Leaf", 0), {Function: "KiPageFault", Offset: 0x260}, {Function: "MmAccessFault"}},
			"prolog":    {system, f("Chained", 2), {Function: "KiInterruptDispatch", Offset: 0xC0}},
			"pointer switch": {system, dynamic, {Function: "KeExpandKernelStackAndCalloutEx"},
				{Function: "KxSwitchKernelStackCallout", NewSegment: true}, dynamic},
			"frame switch": {system, dynamic, {Function: "KiSwitchKernelStackContinue"},
				{Function: "KySwitchKernelStackCallout", NewSegment: true}, f("Huge", 0),
				{Function: "KiSwitchKernelStackContinue"}, {Function: "KySwitchKernelStackCallout", NewSegment: true}, f("Far", 0)},
		}
		p, processor := m.AddProcess(ProcessSpec{ID: 0x44, Name: "odd.exe"}), -1
		for name, chain := range chains {
			processor++
			for _, state := range []ThreadState{Waiting, Running} {
				th := p.AddThread(ThreadSpec{ID: 0x48, State: state, Stack: chain, Processor: processor})
				if err := m.Err(); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				t.Run(fmt.Sprintf("%s/%s/%d", build, name, state), func(t *testing.T) {
					checkStack(t, m, th)
					checkSegments(t, m, th)
				})
			}
		}
	}
}

// checkSegments follows the stack control structures from the current segment
// to the first, by the offsets that 6.1, 6.3 and later builds have.
func checkSegments(t *testing.T, m *Machine, th *Thread) {
	t.Helper()
	previous := uint64(0x10)
	if m.layout.release() == 7601 {
		previous = 0x28
	}
	initial := m.Peek64(th.VA + 0x28)
	for i, seg := range th.Segments {
		if initial != seg.Initial {
			t.Fatalf("segment %d: %#x, want %#x", i, initial, seg.Initial)
		}
		at := initial + previous
		got := Segment{Base: m.Peek64(at), Limit: m.Peek64(at + 8), Kernel: m.Peek64(at + 16), Initial: m.Peek64(at + 24)}
		want := Segment{}
		if i+1 < len(th.Segments) {
			want = th.Segments[i+1]
		}
		if got != want {
			t.Errorf("before segment %d is %#x, want %#x", i, got, want)
		}
		initial = got.Initial
	}
}

// TestRegisters: what a callee saved comes back.
func TestRegisters(t *testing.T) {
	m, odd := newOdd(t, Options{})
	th := m.System().AddThread(ThreadSpec{ID: 4, State: Waiting, Stack: []Frame{
		{Function: "KiStartSystemThread"},
		{Module: odd, Function: "Chained", Regs: map[Reg]uint64{RBX: 0xB0B, RBP: 0xB1B, R14: 0xE14}},
		{Module: odd, Function: "Far"},
		{Function: "KiSwapThread"},
	}})
	u := &unwinder{t: t, m: m, regs: [16]uint64{RSP: th.Frames[0].SP}, rip: th.Frames[0].IP}
	for u.rip != th.Frames[2].IP {
		u.step()
	}
	// XMM6 was saved by Far, which then gave it this value.
	if want := [2]uint64{0x5A00_0002_0006, ^uint64(0x5A00_0002_0006)}; u.xmm[6] != want {
		t.Errorf("XMM6 %#x, want %#x", u.xmm[6], want)
	}
	u.step()
	if u.regs[RBX] != 0xB0B || u.regs[R14] != 0xE14 {
		t.Errorf("RBX %#x, R14 %#x", u.regs[RBX], u.regs[R14])
	}
}

// TestTrapFrame: the frame of a system call ends where the stack begins.
func TestTrapFrame(t *testing.T) {
	for _, build := range Builds() {
		m, odd := newOdd(t, Options{Build: build})
		p := m.AddProcess(ProcessSpec{ID: 0x44, Name: "trap.exe"})
		th := p.AddThread(ThreadSpec{ID: 0x48, State: Waiting, Stack: []Frame{
			{Function: "KiSystemServiceCopyEnd"}, {Module: odd, Function: "Far"}, {Function: "KiPageFault"}, {Function: "MmAccessFault"},
		}})
		frame := m.Peek64(m.Field(th.VA, "KTHREAD.TrapFrame"))
		if frame != th.Segments[0].Initial-0x190 || m.Peek64(frame+0x168) != userRip || m.Peek64(frame+0x180) != userRsp || m.peek32(frame+0x170) != 0x33 {
			t.Errorf("%s: trap frame at %#x, the stack begins at %#x", build, frame, th.Segments[0].Initial)
		}
		// The one of the page fault lies below, and names Far.
		fault, far := th.Frames[2], th.Frames[3]
		if at := fault.SP; fault.Function != "KiPageFault" || m.Peek64(at+0x168) != far.IP || m.Peek64(at+0x180) != far.SP || m.peek32(at+0x170) != 0x10 {
			t.Errorf("%s: page fault frame at %#x", build, at)
		}
	}
}

// TestCallSites: a return address comes after a call of the callee.
func TestCallSites(t *testing.T) {
	s, err := Cycle(Options{}, 2)
	if err != nil {
		t.Fatal(err)
	}
	m, frames := s.Machine, s.Threads[0].Frames
	for i := 1; i < len(frames); i++ {
		at := frames[i].IP - 5
		target := frames[i].IP + uint64(int32(m.peek32(at+1)))
		if callee := frames[i-1].IP - uint64(frames[i-1].Offset); m.Peek(at, 1)[0] != 0xE8 || target != callee {
			t.Errorf("%s calls %#x, want %s at %#x", frames[i].Function, target, frames[i-1].Function, callee)
		}
	}
}

// TestUnwindInfo compares the bytes with what compilers write for such prologs.
func TestUnwindInfo(t *testing.T) {
	for _, c := range []struct {
		name string
		ops  []Op
		want []byte
	}{
		{"push rbx; sub rsp, 20h", []Op{Push(RBX), Alloc(0x20)}, []byte{1, 5, 2, 0, 5, 0x32, 1, 0x30}},
		{"sub rsp, 28h", []Op{Alloc(0x28)}, []byte{1, 4, 1, 0, 4, 0x42, 0, 0}},
		{"sub rsp, 138h", []Op{Alloc(0x138)}, []byte{1, 7, 2, 0, 7, 0x01, 0x27, 0}},
		{"push r12; lea rbp", []Op{Push(R12), SetFrame(RBP, 0x80)}, []byte{1, 7, 2, 0x85, 7, 0x03, 2, 0xC0}},
	} {
		if got := unwindInfo(newProlog(c.ops), 0, nil); !slices.Equal(got, c.want) {
			t.Errorf("%s: % x, want % x", c.name, got, c.want)
		}
	}
	got := unwindInfo(newProlog(nil), 0, &Epilogs{Size: 7, AtEnd: true, From: []uint16{0x123}})
	if want := []byte{2, 0, 2, 0, 7, 0x16, 0x23, 0x16}; !slices.Equal(got, want) {
		t.Errorf("version 2: % x, want % x", got, want)
	}
}
