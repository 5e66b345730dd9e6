package dump

import (
	"errors"
	"fmt"
	"math/bits"
)

// kdbg is the KDDEBUGGER_DATA64 of a dump: where lists of the kernel begin, and some
// sizes and offsets, by which a layout is known. What a shorter one does not hold is zero.
// Offsets as the two triage dumps that docs/dumps.md names have them.
type kdbg struct {
	at                                      uint64
	kernel                                  uint64 // KernBase
	modules, processes, resources           uint64 // PsLoadedModuleList, PsActiveProcessHead, ExpSystemResourcesList
	timeIncrement, processorBlock, unloaded uint64 // KeTimeIncrement, KiProcessorBlock, MmUnloadedDrivers
	sizes                                   kdbgSizes
}

// kdbgSizes are what a layout must agree with.
type kdbgSizes struct {
	kernelStack, initialStack, apcProcess, state, eprocess, dtb, prcb, currentThread, ethread uint16
}

const (
	kdbgTag      = 0x4742444b // "KDBG"
	kdbgTagAt    = 0x10
	kdbgLeast    = 0x100 // what holds the lists
	kdbgMost     = 0x1000
	kdbgSizesEnd = 0x2c2
)

// readKDBG reads the block at an address. Decode, when not nil, turns an encoded one
// into a plain one.
func readKDBG(m *memory, at uint64, decode func([]byte)) (*kdbg, error) {
	var head [0x20]byte
	if !kernelAddress(at) {
		return nil, errors.New("the header does not say where KDDEBUGGER_DATA64 is")
	}
	if err := m.ReadVirtual(head[:], at); err != nil {
		return nil, fmt.Errorf("KDDEBUGGER_DATA64: %w", err)
	}
	plain := le.Uint32(head[kdbgTagAt:]) == kdbgTag
	if !plain && decode == nil {
		return nil, fmt.Errorf("KDDEBUGGER_DATA64 at 0x%x is encoded, or not there", at)
	}
	if !plain {
		decode(head[:])
	}
	size := le.Uint32(head[0x14:])
	if le.Uint32(head[kdbgTagAt:]) != kdbgTag || size < kdbgLeast || size > kdbgMost {
		return nil, fmt.Errorf("KDDEBUGGER_DATA64 at 0x%x is encoded in another way, or not there", at)
	}
	b := make([]byte, (size+7)&^7)
	if err := m.ReadVirtual(b[:size], at); err != nil {
		return nil, fmt.Errorf("KDDEBUGGER_DATA64: %w", err)
	}
	if !plain {
		decode(b)
	}
	return parseKDBG(b, at), nil
}

func parseKDBG(b []byte, at uint64) *kdbg {
	u64 := func(off int) uint64 {
		if off+8 > len(b) {
			return 0
		}
		return le.Uint64(b[off:])
	}
	k := &kdbg{
		at: at, kernel: u64(0x18), modules: u64(0x48), processes: u64(0x50), resources: u64(0x60),
		timeIncrement: u64(0x78), processorBlock: u64(0x218), unloaded: u64(0x220),
	}
	if len(b) >= kdbgSizesEnd {
		u16 := func(off int) uint16 { return le.Uint16(b[off:]) }
		k.sizes = kdbgSizes{
			kernelStack: u16(0x29c), initialStack: u16(0x29e), apcProcess: u16(0x2a0), state: u16(0x2a2), eprocess: u16(0x2a8),
			dtb: u16(0x2ae), prcb: u16(0x2b0), currentThread: u16(0x2b4), ethread: u16(0x2c0),
		}
	}
	return k
}

// decoder undoes what Windows does to the block while no debugger is attached (MemProcFS
// and QEMU's elf2dmp document it). The address is that of KdpDataBlockEncoded.
func decoder(never, always, encoded uint64) func([]byte) {
	return func(b []byte) {
		for ; len(b) >= 8; b = b[8:] {
			v := bits.RotateLeft64(le.Uint64(b)^never, int(never&0x3f)) ^ encoded
			le.PutUint64(b, bits.ReverseBytes64(v)^always)
		}
	}
}

// told reports whether the block tells sizes of processes and threads.
func (s *kdbgSizes) told() bool { return s.eprocess != 0 && s.ethread != 0 }

// agrees reports whether a layout has the sizes and offsets that the block tells; those
// that it does not tell agree with any.
func (s *kdbgSizes) agrees(l *layout) bool {
	for _, c := range []struct {
		told uint16
		id   fieldID
	}{
		{s.kernelStack, kthreadKernelStack}, {s.initialStack, kthreadInitialStack}, {s.state, kthreadState}, {s.eprocess, eprocessSize},
		{s.dtb, kprocessDirectoryTableBase}, {s.currentThread, prcbCurrentThread}, {s.ethread, ethreadSize},
	} {
		if c.told != 0 && uint64(c.told) != l.at(c.id) {
			return false
		}
	}
	return s.apcProcess == 0 || uint64(s.apcProcess) == l.at(kthreadApcState)+l.at(apcStateProcess)
}
