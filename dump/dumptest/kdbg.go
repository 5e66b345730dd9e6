package dumptest

import (
	"encoding/binary"
	"math/bits"
)

// kdbgAddresses are the fields of KDDEBUGGER_DATA64 (wdbgexts.h) that hold
// addresses of the kernel's variables.
var kdbgAddresses = map[uint64]string{
	0x48: "PsLoadedModuleList", 0x50: "PsActiveProcessHead", 0x58: "PspCidTable",
	0x60: "ExpSystemResourcesList", 0x78: "KeTimeIncrement", 0x88: "KiBugCheckData",
	0x218: "KiProcessorBlock", 0x220: "MmUnloadedDrivers", 0x228: "MmLastUnloadedDriver",
}

// kdbgOffsets are the 16-bit fields that hold offsets and
// sizes of the kernel's types.
var kdbgOffsets = map[uint64]string{
	0x298: "KTHREAD.NextProcessor", 0x29A: "KTHREAD.Teb", 0x29C: "KTHREAD.KernelStack",
	0x29E: "KTHREAD.InitialStack", 0x2A2: "KTHREAD.State", 0x2A8: "EPROCESS",
	0x2AA: "EPROCESS.Peb", 0x2AC: "EPROCESS.InheritedFromUniqueProcessId",
	0x2AE: "KPROCESS.DirectoryTableBase", 0x2B0: "KPRCB", 0x2B2: "KPRCB.DpcRoutineActive",
	0x2B4: "KPRCB.CurrentThread", 0x2B6: "KPRCB.MHz", 0x2B8: "KPRCB.CpuType",
	0x2BA: "KPRCB.VendorString", 0x2BC: "KPRCB.ProcessorState", 0x2BE: "KPRCB.Number",
	0x2C0: "ETHREAD", 0x2E0: "KPCR", 0x2E2: "KPCR.Self", 0x2E4: "KPCR.CurrentPrcb",
	0x2E6: "KPCR.Prcb", 0x2F2: "KPROCESSOR_STATE.SpecialRegisters",
}

// kdbgLater are the fields beyond 0x338, which the block of 6.1 has only the
// first of; the ones at 0x340 to 0x34C are 32 bits wide.
var kdbgLater = map[uint64]string{
	0x338: "KPRCB.Context", 0x340: "KTHREAD.StackLimit", 0x344: "KTHREAD.StackBase",
	0x34C: "ETHREAD.IrpList", 0x350: "KPRCB.IdleThread", 0x35C: "KTHREAD.WaitReason",
}

// kdbgSize is the size of the block: 0x380 as real dumps of 19041 and 22000 have
// it; the smaller ones are where the fields that a release knows end.
func kdbgSize(release int) uint64 {
	switch {
	case release < 9600:
		return 0x340
	case release < 14393:
		return 0x360
	case release < 17763:
		return 0x368
	}
	return 0x380
}

// kdbg is the block in plain form.
func (m *Machine) kdbg() []byte {
	size := kdbgSize(m.layout.release())
	b := make([]byte, size)
	le, block := binary.LittleEndian, m.nt.Symbol("KdDebuggerDataBlock")
	le.PutUint64(b[0:], block)
	le.PutUint64(b[8:], block)
	copy(b[0x10:], "KDBG")
	le.PutUint32(b[0x14:], uint32(size))
	le.PutUint64(b[0x18:], m.nt.Base)
	for off, name := range kdbgAddresses {
		le.PutUint64(b[off:], m.nt.Symbol(name))
	}
	for off, key := range kdbgOffsets {
		le.PutUint16(b[off:], uint16(m.off(key)))
	}
	// Offset of ApcState.Process, of the two fields at once.
	le.PutUint16(b[0x2A0:], uint16(m.off("KTHREAD.ApcState")+m.off("KAPC_STATE.Process")))
	for off, key := range kdbgLater {
		if off+4 <= size {
			le.PutUint16(b[off:], uint16(m.off(key)))
		}
	}
	if size > 0x360 {
		le.PutUint64(b[0x360:], pteBase)
	}
	return b
}

func (m *Machine) writeKDBG() {
	b := m.kdbg()
	never, always := uint64(0x0B44_9C2E_61D7_3A15), uint64(0x52F1_0E93_A86C_D70B)
	m.Poke64(m.nt.Symbol("KiWaitNever"), never)
	m.Poke64(m.nt.Symbol("KiWaitAlways"), always)
	m.Poke32(m.nt.Symbol("KeTimeIncrement"), tickLength)
	m.Poke32(m.nt.Symbol("KeMaximumIncrement"), tickLength)
	m.Poke32(m.nt.Symbol("KeNumberProcessors"), uint32(m.options.Processors))
	if m.options.EncodeKDBG {
		m.poke8(m.nt.Symbol("KdpDataBlockEncoded"), 1)
		encodeKDBG(b, never, always, m.nt.Symbol("KdpDataBlockEncoded"))
	}
	m.Poke(m.nt.Symbol("KdDebuggerDataBlock"), b)
}

// encodeKDBG is the reverse of the decoding that QEMU's elf2dmp and MemProcFS
// describe: value = bswap(rol(x ^ never, never & 63) ^ encoded) ^ always.
func encodeKDBG(b []byte, never, always, encoded uint64) {
	for i := 0; i+8 <= len(b); i += 8 {
		v := binary.LittleEndian.Uint64(b[i:])
		v = bits.ReverseBytes64(v^always) ^ encoded
		v = bits.RotateLeft64(v, -int(never&63)) ^ never
		binary.LittleEndian.PutUint64(b[i:], v)
	}
}
