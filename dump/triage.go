package dump

import (
	"fmt"
	"strings"

	"kdlocks/kd"
)

// triage is what a small dump holds: one thread, its process, one stack, and the names of
// modules. Offsets as the two public dumps that docs/dumps.md names have them.
type triage struct {
	thread   *Thread
	process  *Process
	unloaded []Unloaded
}

// Offsets in TRIAGE_DUMP64, which lies behind the header.
const (
	tdUnloaded    = 0x18
	tdPrcb        = 0x1c
	tdProcess     = 0x20
	tdThread      = 0x24
	tdDrivers     = 0x30
	tdDriverCount = 0x34
	tdDebugger    = 0x70
	tdSize        = 0x80
)

// Entries of the lists of modules.
const (
	triageDriver    = 0x90 // bytes of one
	triageLoader    = 0x8  // where the loader's entry begins in it
	triageUnloaded  = 0x38
	mostUnloaded    = 1000
	triageStart     = 0x28
	triageEnd       = 0x30
	triageNameBytes = 24
)

// readTriage reads a small dump.
func (d *Dump) readTriage() {
	d.triage = &triage{}
	d.gap("the list of locks (a small dump has one thread and no locks)", kd.NotInDump, "", true)
	d.note("a small (triage) dump holds one thread, one stack and the list of drivers: what holds up a machine cannot be seen in it; a kernel or complete dump has the lists of locks and threads")
	if d.Header.Bits != 64 {
		d.gap("drivers and thread of a small dump of 32-bit Windows: they are not read", kd.Unreadable, "lm", false)
		return
	}
	b := make([]byte, tdSize)
	if n, _ := d.r.ReadAt(b, headerSize64); n < len(b) {
		d.gap("drivers and thread: the dump ends before they are told", kd.CutShort, "lm", false)
		return
	}
	u32 := func(at int) uint32 { return le.Uint32(b[at:]) }
	d.triageKDBG(u32(tdDebugger))
	d.triageDrivers(u32(tdDrivers), u32(tdDriverCount))
	d.triageUnloaded(u32(tdUnloaded))
	d.triageThread(u32(tdThread), u32(tdProcess), u32(tdPrcb))
}

// part reads n bytes of the file.
func (d *Dump) part(at uint32, n int) ([]byte, error) {
	if at == 0 || int64(at)+int64(n) > d.size {
		return nil, fmt.Errorf("0x%x bytes at offset 0x%x of %d are not in it", n, at, d.size)
	}
	b := make([]byte, n)
	if got, err := d.r.ReadAt(b, int64(at)); got < n {
		return nil, err
	}
	return b, nil
}

func (d *Dump) triageDrivers(at, n uint32) {
	if n > mostModules {
		d.gap(fmt.Sprintf("drivers: %d are announced", n), kd.Unreadable, "lm", false)
		return
	}
	for i := range n {
		b, err := d.part(at+i*triageDriver, triageDriver)
		if err != nil {
			d.gap(fmt.Sprintf("%d of %d drivers: %v", n-i, n, err), kd.CutShort, "lm", false)
			return
		}
		e := b[triageLoader:]
		m := &Module{Base: le.Uint64(e[klDllBase:]), Size: le.Uint32(e[klSizeOfImage:]), CheckSum: le.Uint32(e[klCheckSum:]), at: uint64(at + i*triageDriver)}
		m.Path = d.triageName(le.Uint32(b))
		m.File = m.Path[strings.LastIndexByte(m.Path, '\\')+1:]
		m.Name = debuggerName(m.File)
		if d.isKernel(m) {
			m.Name, d.nt = "nt", m
		}
		if m.Base+uint64(m.Size) < m.Base {
			continue
		}
		d.modules = append(d.modules, m)
	}
	d.sortModules()
}

// triageName reads a name: a count of characters, then UTF-16.
func (d *Dump) triageName(at uint32) string {
	b, err := d.part(at, 4)
	if err != nil {
		return ""
	}
	if b, err = d.part(at+4, 2*int(min(le.Uint32(b), mostName))); err != nil {
		return ""
	}
	return utf16Text(b)
}

func (d *Dump) triageUnloaded(at uint32) {
	b, err := d.part(at, 8)
	if err != nil {
		return
	}
	n := le.Uint64(b)
	if n > mostUnloaded {
		d.gap(fmt.Sprintf("unloaded drivers: %d are announced", n), kd.Unreadable, "lm", false)
		return
	}
	for i := range uint32(n) {
		b, err := d.part(at+8+i*triageUnloaded, triageUnloaded)
		if err != nil {
			return
		}
		name := b[16 : 16+triageNameBytes]
		if size := int(le.Uint16(b)); size < len(name) {
			name = name[:size]
		}
		d.triage.unloaded = append(d.triage.unloaded, Unloaded{Name: utf16Text(name), Start: le.Uint64(b[triageStart:]), End: le.Uint64(b[triageEnd:])})
	}
}

func (d *Dump) triageKDBG(at uint32) {
	b, err := d.part(at, kdbgSizesEnd+6)
	if err != nil || le.Uint32(b[kdbgTagAt:]) != kdbgTag {
		return
	}
	d.kdbg = parseKDBG(b, d.Header.Debugger)
}

// triageThread reads the thread, its process and its processor. What their layout is
// follows from the sizes in KDDEBUGGER_DATA64.
func (d *Dump) triageThread(thread, process, prcb uint32) {
	if d.kdbg == nil {
		d.gap("the thread of the dump: KDDEBUGGER_DATA64 is not in it", kd.NotInDump, "!thread", false)
		return
	}
	if d.Header.Machine == AMD64 {
		for _, l := range layoutsOf(d.Header.Build) {
			if d.kdbg.sizes.agrees(l) && d.triageThreadBy(l, thread, process, prcb) {
				return
			}
		}
	}
	what := "the thread of the dump"
	if d.triageStack(thread, prcb) {
		what += ", but for its address and stack"
	}
	d.gap(fmt.Sprintf("%s: %v for build %d of %s", what, errNoLayout, d.Header.Build, d.Header.Machine), kd.NotInInput, "!thread", false)
}

// Limit and base of the stack lie at the same offsets in the KTHREAD of every build from
// 10240 to 29648, of x64 and of ARM64 (System Informer's kphdyn.xml).
const (
	kthreadLimitAt = 0x30
	kthreadBaseAt  = 0x38
	kthreadLeast   = 0x100
	firstSuchBuild = 10240
)

// triageStack reads the address and the stack of the thread alone, whose offsets
// KDDEBUGGER_DATA64 tells, and reports whether they fit each other.
func (d *Dump) triageStack(thread, prcb uint32) bool {
	tb, err1 := d.part(thread, kthreadLeast)
	cb, err2 := d.part(prcb, 0x40)
	s := &d.kdbg.sizes
	if err1 != nil || err2 != nil || d.Header.Build < firstSuchBuild || s.currentThread > 0x38 {
		return false
	}
	if int(s.initialStack)+8 > len(tb) || int(s.kernelStack)+8 > len(tb) {
		return false
	}
	t := &Thread{
		VA: le.Uint64(cb[s.currentThread:]), Init: le.Uint64(tb[s.initialStack:]), Current: le.Uint64(tb[s.kernelStack:]),
		Limit: le.Uint64(tb[kthreadLimitAt:]), Base: le.Uint64(tb[kthreadBaseAt:]), unread: true,
	}
	if t.Limit >= t.Base || t.Base-t.Limit > mostStack || t.Init < t.Limit || t.Init > t.Base || t.Current < t.Limit || t.Current >= t.Base {
		return false
	}
	d.triage.thread = t
	return true
}

func (d *Dump) triageThreadBy(l *layout, thread, process, prcb uint32) bool {
	tb, err1 := d.part(thread, l.threadExtent())
	pb, err2 := d.part(process, l.extent(eprocessUniqueProcessId, eprocessImageFileName, eprocessPeb, eprocessInheritedFromUniqueProcessId, kprocessDirectoryTableBase))
	cb, err3 := d.part(prcb, 0x40)
	if err1 != nil || err2 != nil || err3 != nil {
		return false
	}
	p := record{l, 0, pb}
	t := threadOf(record{l, record{l, 0, cb}.u64(prcbCurrentThread), tb})
	if t.PID != p.u64(eprocessUniqueProcessId) || t.State > mostState || t.Limit >= t.Base || t.Base-t.Limit > mostStack {
		return false
	}
	d.layout = l
	d.triage.process = processOf(p, t.Process)
	d.triage.thread = t
	return true
}
