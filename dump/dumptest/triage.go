package dumptest

import (
	"encoding/binary"
	"io"
)

// triage lays out a triage dump: DUMP_HEADER64, TRIAGE_DUMP64 at 0x2000, and
// what its offsets point to. The fields' places are those of real triage dumps.
type triage struct {
	m *Machine
	b []byte
}

// Fields of TRIAGE_DUMP64, from the file's start.
const (
	triageSizeOfDump    = headerSize + 0x04
	triageValid         = headerSize + 0x08
	triageContext       = headerSize + 0x0C
	triageException     = headerSize + 0x10
	triageUnloaded      = headerSize + 0x18
	triagePrcb          = headerSize + 0x1C
	triageProcess       = headerSize + 0x20
	triageThread        = headerSize + 0x24
	triageStack         = headerSize + 0x28
	triageStackSize     = headerSize + 0x2C
	triageDrivers       = headerSize + 0x30
	triageDriverCount   = headerSize + 0x34
	triageStrings       = headerSize + 0x38
	triageStringsSize   = headerSize + 0x3C
	triageTopOfStack    = headerSize + 0x48
	triageDebugger      = headerSize + 0x70
	triageDebuggerSize  = headerSize + 0x74
	triageDataBlocks    = headerSize + 0x78
	triageDataBlockSize = headerSize + 0x7C // their number
	triageEnd           = headerSize + 0x80
)

func (t *triage) put32(off int, v uint32) { binary.LittleEndian.PutUint32(t.b[off:], v) }
func (t *triage) put64(off int, v uint64) { binary.LittleEndian.PutUint64(t.b[off:], v) }

// add appends bytes, aligned to 16, and gives their offset.
func (t *triage) add(p []byte) int {
	t.b = append(t.b, make([]byte, -len(t.b)&15)...)
	off := len(t.b)
	t.b = append(t.b, p...)
	return off
}

// addAt appends bytes and puts their offset into the field.
func (t *triage) addAt(field int, p []byte) int {
	off := t.add(p)
	t.put32(field, uint32(off))
	return off
}

// writeTriage writes what is known of the thread of the bug check: its KPRCB,
// process, stack, the drivers, and some blocks of memory.
func (m *Machine) writeTriage(w io.WriterAt) (int64, error) {
	h, err := m.header(Triage, 0)
	if err != nil {
		return 0, err
	}
	crash := m.crashed()
	t := &triage{m: m, b: append(h, make([]byte, triageEnd-headerSize)...)}
	t.put32(triageContext, offContext)
	t.put32(triageException, offException)
	t.put32(headerSize, 0) // ServicePackBuild
	t.addAt(triagePrcb, m.Peek(m.processors[crash.Spec.Processor].prcb, int(m.sizeOf("KPRCB"))))
	t.addAt(triageProcess, m.Peek(crash.Process.VA, int(m.sizeOf("EPROCESS"))))
	t.addAt(triageThread, m.Peek(crash.VA, int(m.sizeOf("ETHREAD"))))
	t.stack(crash)
	t.drivers()
	t.unloaded()
	kdbg := m.kdbg()
	t.addAt(triageDebugger, kdbg)
	t.put32(triageDebuggerSize, uint32(len(kdbg)))
	t.blocks(crash)
	t.addAt(triageValid, []byte("TRGD"))
	t.put32(triageSizeOfDump, uint32(len(t.b)))
	t.put64(offRequired, uint64(len(t.b)))
	_, err = w.WriteAt(t.b, 0)
	return int64(len(t.b)), err
}

// stack is the thread's stack from its pointer up.
func (t *triage) stack(crash *Thread) {
	if len(crash.Segments) == 0 {
		return
	}
	seg := crash.Segments[0]
	t.addAt(triageStack, t.m.Peek(seg.Kernel, int(seg.Base-seg.Kernel)))
	t.put32(triageStackSize, uint32(seg.Base-seg.Kernel))
	t.put64(triageTopOfStack, seg.Kernel)
}

// drivers is the list of modules: the offset of the name, and from 8 on the
// head of a KLDR_DATA_TABLE_ENTRY.
func (t *triage) drivers() {
	const stride, head = 0x90, 8
	m := t.m
	list := t.addAt(triageDrivers, make([]byte, stride*len(m.modules)))
	t.put32(triageDriverCount, uint32(len(m.modules)))
	pool := t.addAt(triageStrings, nil)
	for i, mod := range m.modules {
		at := list + stride*i
		m.fillLoaderEntry(func(f string, v uint64, bytes int) {
			off := at + head + int(m.off("KLDR_DATA_TABLE_ENTRY."+f))
			if off+bytes > at+stride {
				return // beyond the head
			}
			if bytes == 8 {
				t.put64(off, v)
			} else {
				t.put32(off, uint32(v))
			}
		}, mod)
		name := utf16Bytes(mod.Spec.Name)
		text := binary.LittleEndian.AppendUint32(nil, uint32(len(name)/2))
		t.put32(at, uint32(t.add(append(append(text, name...), 0, 0))))
	}
	t.put32(triageStringsSize, uint32(len(t.b)-pool))
}

// unloaded is the number of unloaded drivers and their entries: a
// UNICODE_STRING, up to 12 characters of the name, start and end.
func (t *triage) unloaded() {
	const stride, nameAt, nameSize = 0x38, 0x10, 24
	list := t.addAt(triageUnloaded, make([]byte, 8+stride*len(t.m.unloaded)))
	t.put64(list, uint64(len(t.m.unloaded)))
	for i, d := range t.m.unloaded {
		at := list + 8 + stride*i
		n := copy(t.b[at+nameAt:at+nameAt+nameSize], utf16Bytes(d.Name))
		binary.LittleEndian.PutUint16(t.b[at:], uint16(n))
		binary.LittleEndian.PutUint16(t.b[at+2:], nameSize)
		t.put64(at+0x28, d.Start)
		t.put64(at+0x30, d.End)
	}
}

// blocks is the data blocks: 256 bytes around the instruction and the page of
// shared data.
func (t *triage) blocks(crash *Thread) {
	type block struct {
		va   uint64
		size int
	}
	blocks := []block{{crash.context.Rip&^0xFF - 0x80, 0x100}, {sharedDataVA, 0x400}}
	list := t.addAt(triageDataBlocks, make([]byte, 16*len(blocks)))
	t.put32(triageDataBlockSize, uint32(len(blocks)))
	for i, bl := range blocks {
		at := list + 16*i
		t.put64(at, bl.va)
		off := t.add(t.m.Peek(bl.va, bl.size))
		t.put32(at+8, uint32(off))
		t.put32(at+12, uint32(bl.size))
	}
}
