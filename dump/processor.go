package dump

import (
	"fmt"

	"kdlocks/dump/unwind"
	"kdlocks/kd"
)

// processor is a KPRCB: what a processor runs.
type processor struct {
	number        int
	current, idle uint64 // ETHREADs
	registers     unwind.Registers
	hasRegisters  bool
}

// mostProcessors is what Windows Server takes (Microsoft Learn: Windows Server limits).
const mostProcessors = 2048

// Offsets of CONTEXT on x64 (winnt.h). Integer registers lie in the order of their
// numbers, from Rax on.
const (
	contextRax = 0x78
	contextRip = 0xf8
)

// readContext reads the registers of a CONTEXT, and whether it holds any.
func readContext(b []byte) (r unwind.Registers, ok bool) {
	if len(b) < contextRip+8 {
		return r, false
	}
	for i := range r.R {
		r.R[i] = le.Uint64(b[contextRax+8*i:])
	}
	r.RIP, r.Known = le.Uint64(b[contextRip:]), 1<<16-1
	return r, r.RIP != 0 && r.RIP != unfilled64 && r.R[rsp] != 0 && canonical(r.RIP) && canonical(r.R[rsp])
}

// readProcessors reads the control block of each processor, and joins those that run a
// thread to it.
func (d *Dump) readProcessors(f *Facts) {
	defer d.crashContext(f)
	if d.kdbg.processorBlock == 0 {
		return
	}
	n := d.Header.Processors
	if n > mostProcessors {
		d.note("the header counts %d processors", n)
		n = mostProcessors
	}
	for i := range int(n) {
		p, err := d.readProcessor(i, f)
		if err != nil {
			d.gap(fmt.Sprintf("what processor %d runs: %v", i, err), kd.NotInDump, "!running -it", false)
			continue
		}
		f.processors = append(f.processors, p)
		t := f.thread[p.current]
		if t == nil {
			continue
		}
		if t.State == Running {
			t.running = p
		} else if p.current != p.idle {
			d.note("thread 0x%x runs on processor %d, and its state is %s", t.VA, i, t.State)
		}
	}
}

func (d *Dump) readProcessor(i int, f *Facts) (*processor, error) {
	va, err := d.mem.u64(d.kdbg.processorBlock + 8*uint64(i))
	if err != nil {
		return nil, err
	}
	l := d.layout
	var head [0x40]byte
	b, err := d.readRecord(head[:], va)
	if err != nil {
		return nil, err
	}
	p := &processor{number: i, current: b.u64(prcbCurrentThread), idle: b.u64(prcbIdleThread)}
	context := make([]byte, contextRip+8)
	for _, at := range d.contexts(va, l) {
		if d.mem.ReadVirtual(context, at) != nil {
			continue
		}
		r, ok := readContext(context)
		if ok && !p.hasRegisters {
			p.registers, p.hasRegisters = r, true
		}
		if ok && d.runs(f.thread[p.current], r) {
			p.registers = r
			break
		}
	}
	return p, nil
}

// runs reports whether registers are those of a thread in code of the kernel or a driver.
func (d *Dump) runs(t *Thread, r unwind.Registers) bool {
	return t != nil && t.Limit <= r.R[rsp] && r.R[rsp] < t.Base && d.module(r.RIP) != nil
}

// laterContextFrame is where KPROCESSOR_STATE has its CONTEXT from 17763 on, behind special
// registers that have grown (layouts.tsv).
const laterContextFrame = 0xf0

// contexts are where the registers of a processor may be.
func (d *Dump) contexts(prcb uint64, l *layout) []uint64 {
	var out []uint64
	if l.has(prcbProcessorState) && l.has(processorStateContextFrame) {
		state := prcb + l.at(prcbProcessorState)
		out = append(out, state+l.at(processorStateContextFrame), state+laterContextFrame)
	}
	if l.has(prcbContext) {
		if at, err := d.mem.u64(prcb + l.at(prcbContext)); err == nil && kernelAddress(at) {
			out = append(out, at)
		}
	}
	return out
}

// crashContext gives the registers of the header to the thread on whose stack they are.
func (d *Dump) crashContext(f *Facts) {
	r, ok := readContext(d.Header.context)
	if !ok {
		return
	}
	for _, p := range f.processors {
		if t := f.thread[p.current]; t != nil && t.Limit <= r.R[rsp] && r.R[rsp] < t.Base {
			p.registers, p.hasRegisters = r, true
			return
		}
	}
	for _, p := range f.Processes {
		for _, t := range p.Threads {
			if t.State == Running && t.running == nil && t.Limit <= r.R[rsp] && r.R[rsp] < t.Base {
				t.running = &processor{number: int(t.NextProcessor), current: t.VA, registers: r, hasRegisters: true}
				return
			}
		}
	}
}
