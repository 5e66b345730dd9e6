package dumptest

import (
	"encoding/binary"
	"fmt"
	"io"
)

// DumpType is the type of a dump: DUMP_HEADER64.DumpType.
type DumpType uint32

const (
	Full          DumpType = 1   // pages in the order of the runs
	Triage        DumpType = 4   // one thread, no page tables
	FullBitmap    DumpType = 5   // FDMP, every page of the machine
	KernelBitmap  DumpType = 6   // SDMP, the pages that are in use
	KernelRange   DumpType = 8   // RDMP, the pages that are in use
	KernelRangeA  DumpType = 9   // the same, of .dump /ka
	CompleteRange DumpType = 0xA // RDMP, every page of the machine
)

// DumpTypes lists the types that have page tables.
func DumpTypes() []DumpType {
	return []DumpType{Full, FullBitmap, KernelBitmap, KernelRange, KernelRangeA, CompleteRange}
}

// Sizes and places of DUMP_HEADER64 (kdmp-parser-rs, after the windows-rs
// declaration).
const (
	headerSize     = 0x2000
	offRuns        = 0x88
	maxRuns        = 42
	offContext     = 0x348
	offException   = 0xF00
	offDumpType    = 0xF98
	offRequired    = 0xFA0
	offSystemTime  = 0xFA8
	offComment     = 0xFB0
	commentSize    = 128
	offUptime      = 0x1030
	machineAMD64   = 0x8664
	machineARM64   = 0xAA64
	machineI386    = 0x14C
	exceptionBreak = 0x8000_0003
)

// patternHeader is n bytes of the pattern "PAGE", which fields that nobody
// filled keep.
func patternHeader(n int) []byte {
	h := make([]byte, n)
	for i := range h {
		h[i] = "PAGE"[i%4]
	}
	return h
}

// header is DUMP_HEADER64.
func (m *Machine) header(typ DumpType, size int64) ([]byte, error) {
	h := patternHeader(headerSize)
	le := binary.LittleEndian
	copy(h[4:], "DU64")
	le.PutUint32(h[8:], 0xF)
	le.PutUint32(h[0xC:], uint32(m.layout.release()))
	le.PutUint64(h[0x10:], m.kernel.cr3())
	le.PutUint64(h[0x18:], 0xFFFF_FA80_0000_0000) // PfnDataBase
	le.PutUint64(h[0x20:], m.nt.Symbol("PsLoadedModuleList"))
	le.PutUint64(h[0x28:], m.nt.Symbol("PsActiveProcessHead"))
	le.PutUint32(h[0x30:], machineAMD64)
	le.PutUint32(h[0x34:], uint32(len(m.processors)))
	bug := m.options.Bugcheck
	le.PutUint32(h[0x38:], bug.Code)
	for i, p := range bug.Parameters {
		le.PutUint64(h[0x40+8*i:], p)
	}
	le.PutUint64(h[0x80:], m.nt.Symbol("KdDebuggerDataBlock"))
	if typ != Triage {
		if err := m.putRuns(h[offRuns:offContext]); err != nil {
			return nil, err
		}
	}
	copy(h[offContext:], m.crashed().context.bytes(m))
	m.putException(h[offException:])
	le.PutUint32(h[offDumpType:], uint32(typ))
	le.PutUint64(h[offRequired:], uint64(size))
	le.PutUint64(h[offSystemTime:], m.options.SystemTime)
	le.PutUint64(h[offUptime:], m.options.Uptime)
	if c := m.options.Comment; c != "" {
		clear(h[offComment : offComment+commentSize])
		copy(h[offComment:offComment+commentSize-1], c)
	}
	le.PutUint32(h[0x1038:], 0) // MiniDumpFields
	le.PutUint32(h[0x1040:], 1) // ProductType: workstation
	le.PutUint32(h[0x1044:], 0x110)
	le.PutUint32(h[0x1048:], 0) // WriterStatus
	if m.PatchHeader != nil {
		m.PatchHeader(h)
	}
	return h, nil
}

func (m *Machine) putRuns(b []byte) error {
	if len(m.phys.runs) > maxRuns {
		return fmt.Errorf("dumptest: %d runs", len(m.phys.runs))
	}
	le := binary.LittleEndian
	le.PutUint32(b, uint32(len(m.phys.runs)))
	le.PutUint64(b[8:], m.phys.total)
	for i, r := range m.phys.runs {
		le.PutUint64(b[0x10+16*i:], r.base)
		le.PutUint64(b[0x18+16*i:], r.pages)
	}
	return nil
}

// putException fills EXCEPTION_RECORD64.
func (m *Machine) putException(b []byte) {
	le, bug := binary.LittleEndian, m.options.Bugcheck
	clear(b[:0x98])
	code, address := bug.ExceptionCode, bug.ExceptionAddress
	if code == 0 {
		code = exceptionBreak
	}
	if address == 0 {
		address = m.crashed().context.Rip
	}
	le.PutUint32(b, code)
	le.PutUint64(b[0x10:], address)
}

// WriteHeader32 writes a dump of a 32-bit system that has only its header:
// DUMP_HEADER32 (volatility3's crash symbols). pae says PaeEnabled.
func WriteHeader32(w io.WriterAt, pae bool) (int64, error) {
	h := patternHeader(pageSize)
	le := binary.LittleEndian
	copy(h[4:], "DUMP")
	for off, v := range map[int]uint32{
		0x08: 0xF, 0x0C: 7601, 0x10: 0x18_5000, 0x14: 0x8320_0000, 0x18: 0x8294_2850, 0x1C: 0x8293_AF18,
		0x20: machineI386, 0x24: 1, 0x28: 0xE2, 0x2C: 0, 0x30: 0, 0x34: 0, 0x38: 0,
		0x60: 0x8292_9C28, 0x64: 1, 0x68: 0x9E, 0x6C: 1, 0x70: 0x9E,
		0xF88: uint32(Full), 0xFA0: pageSize,
	} {
		le.PutUint32(h[off:], v)
	}
	h[0x5C] = bit(pae)
	n, err := w.WriteAt(h, 0)
	return int64(n), err
}

// WriteHeaderARM64 writes a dump of an ARM64 system that has only its header:
// DUMP_HEADER64 with that machine.
func WriteHeaderARM64(w io.WriterAt) (int64, error) {
	h := patternHeader(headerSize)
	le := binary.LittleEndian
	copy(h[4:], "DU64")
	le.PutUint32(h[8:], 0xF)
	le.PutUint32(h[0xC:], 22000)
	le.PutUint32(h[0x30:], machineARM64)
	le.PutUint32(h[0x34:], 8)
	le.PutUint32(h[0x38:], 0xD1)
	le.PutUint32(h[offRuns:], 1)
	le.PutUint64(h[offRuns+8:], 0x100)
	le.PutUint64(h[offRuns+0x10:], 0x80000)
	le.PutUint64(h[offRuns+0x18:], 0x100)
	le.PutUint32(h[offDumpType:], uint32(KernelBitmap))
	n, err := w.WriteAt(h, 0)
	return int64(n), err
}
