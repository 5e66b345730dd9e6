package dumptest

import "encoding/binary"

// Context is the registers of a processor.
type Context struct {
	Regs [16]uint64 // by Reg
	XMM  [16][2]uint64
	Rip  uint64
}

// contextAll is CONTEXT_ALL of winnt.h for x64.
const contextAll = 0x10_001F

// Segment selectors of the x64 kernel and of 64-bit user mode.
const (
	csKernel = 0x10
	ssKernel = 0x18
	csUser   = 0x33
	ssUser   = 0x2B
)

var contextRegs = [16]string{"Rax", "Rcx", "Rdx", "Rbx", "Rsp", "Rbp", "Rsi", "Rdi",
	"R8", "R9", "R10", "R11", "R12", "R13", "R14", "R15"}

// bytes is the CONTEXT structure.
func (c *Context) bytes(m *Machine) []byte {
	b := make([]byte, m.sizeOf("CONTEXT"))
	at := func(f string) []byte { return b[m.off("CONTEXT."+f):] }
	le := binary.LittleEndian
	le.PutUint32(at("ContextFlags"), contextAll)
	le.PutUint32(at("MxCsr"), 0x1F80)
	le.PutUint16(at("SegCs"), csKernel)
	le.PutUint16(at("SegSs"), ssKernel)
	le.PutUint32(at("EFlags"), 0x246)
	for i, name := range contextRegs {
		le.PutUint64(at(name), c.Regs[i])
	}
	le.PutUint64(at("Rip"), c.Rip)
	for i, x := range c.XMM {
		le.PutUint64(at("Xmm0")[16*i:], x[0])
		le.PutUint64(at("Xmm0")[16*i+8:], x[1])
	}
	return b
}

// processor is a KPRCB, which lies in a KPCR.
type processor struct {
	prcb    uint64
	idle    *Thread
	current *Thread
}

func (m *Machine) addProcessor(n int) {
	pcr := m.allocAligned(m.sizeOf("KPCR"), pageSize)
	p := &processor{prcb: pcr + m.off("KPCR.Prcb")}
	m.processors = append(m.processors, p)
	m.Poke64(pcr+m.off("KPCR.Self"), pcr)
	m.Poke64(pcr+m.off("KPCR.CurrentPrcb"), p.prcb)
	at := func(f string) uint64 { return p.prcb + m.off("KPRCB."+f) }
	m.Poke32(at("Number"), uint32(n))
	m.Poke32(at("MHz"), 2400)
	m.poke8(at("CpuType"), 6)
	m.Poke(at("VendorString"), []byte("GenuineIntel\x00"))
	state := at("ProcessorState")
	special := state + m.off("KPROCESSOR_STATE.SpecialRegisters")
	m.Poke64(special+m.off("KSPECIAL_REGISTERS.Cr0"), 0x8005_0033)
	m.Poke64(special+m.off("KSPECIAL_REGISTERS.Cr3"), m.kernel.cr3())
	m.Poke64(special+m.off("KSPECIAL_REGISTERS.Cr4"), 0x37_0678)
	m.Poke64(at("Context"), state+m.off("KPROCESSOR_STATE.ContextFrame"))
	m.Poke64(m.nt.Symbol("KiProcessorBlock")+8*uint64(n), p.prcb)

	p.idle = m.idle.AddThread(ThreadSpec{
		State: Running, Processor: n, Priority: 0, System: true,
		StartAddress: m.nt.Symbol("KiIdleLoop"),
		Stack:        []Frame{{Function: "KiIdleLoop", Offset: 0x5A}},
	})
	m.Poke64(at("IdleThread"), p.idle.VA)
}

// run makes a thread the current one of its processor.
func (m *Machine) run(t *Thread) {
	n := t.Spec.Processor
	if n < 0 || n >= len(m.processors) {
		m.fail("thread %x.%x runs on processor %d", t.Process.Spec.ID, t.Spec.ID, n)
		return
	}
	p := m.processors[n]
	switch {
	case p.current == nil:
	case p.current == p.idle:
		p.idle.yield()
	default:
		m.fail("processor %d already runs thread %#x", n, p.current.VA)
	}
	p.current = t
	m.Poke64(p.prcb+m.off("KPRCB.CurrentThread"), t.VA)
	frame := p.prcb + m.off("KPRCB.ProcessorState") + m.off("KPROCESSOR_STATE.ContextFrame")
	m.Poke(frame, t.context.bytes(m))
}

// yield switches a running thread out: it is ready, on a new stack.
func (t *Thread) yield() {
	m := t.m
	t.Spec.State, t.Frames, t.Segments = Ready, nil, nil
	m.poke8(t.VA+m.off("KTHREAD.State"), uint8(Ready))
	m.poke8(t.VA+m.off("KTHREAD.Running"), 0)
	t.layStack(t.Spec.Stack)
}

// SetCrash makes a running thread the one whose registers the dump's header
// holds. Without it that is the one that runs on processor 0.
func (m *Machine) SetCrash(t *Thread) {
	if t.Spec.State != Running {
		m.fail("the thread of the bug check does not run")
	}
	m.crash = t
}

// crashed is the thread of the header's CONTEXT.
func (m *Machine) crashed() *Thread {
	if m.crash != nil {
		return m.crash
	}
	return m.processors[0].current
}
