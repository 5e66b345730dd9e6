package dumptest

// kernelImage is ntoskrnl.exe with the functions that the scenarios' stacks go
// through, and the variables that KDDEBUGGER_DATA64 names. The names and the
// kinds of prologs are those of real kernels; sizes, offsets and addresses are
// this package's own, though the PDB identity is the build's, by which a reader
// may choose a layout.
func (m *Machine) kernelImage() ModuleSpec {
	spec := m.options.KernelImage
	spec.Name, spec.PDB = "ntoskrnl.exe", "ntkrnlmp.pdb"
	if spec.PDBID == "" {
		spec.PDBID = m.layout.pdb
	}
	if spec.Path == "" {
		spec.Path = `\SystemRoot\system32\ntoskrnl.exe`
	}
	spec.Functions = append(kernelFunctions(), m.options.KernelFunctions...)
	spec.Data = append(kernelData(), m.options.KernelData...)
	return spec
}

func kernelData() []Data {
	return []Data{
		{Name: "PsLoadedModuleList", Size: 16, Exported: true},
		{Name: "PsActiveProcessHead", Size: 16},
		{Name: "ExpSystemResourcesList", Size: 16},
		{Name: "PsInitialSystemProcess", Size: 8, Exported: true},
		{Name: "PsIdleProcess", Size: 8},
		{Name: "PspCidTable", Size: 8},
		{Name: "KeTimeIncrement", Size: 4},
		{Name: "KeMaximumIncrement", Size: 4},
		{Name: "KeNumberProcessors", Size: 4, Exported: true},
		{Name: "KiBugCheckData", Size: 40},
		{Name: "KiProcessorBlock", Size: 64 * 8},
		{Name: "MmUnloadedDrivers", Size: 8},
		{Name: "MmLastUnloadedDriver", Size: 4},
		{Name: "KiWaitNever", Size: 8},
		{Name: "KiWaitAlways", Size: 8},
		{Name: "KdpDataBlockEncoded", Size: 1},
		{Name: "KdDebuggerDataBlock", Size: 0x380},
		{Name: "SpareResource", Size: 0x68},
	}
}

// pushes is a prolog that pushes so many of the nonvolatile registers and
// allocates n bytes; together they keep the stack aligned when n is a multiple
// of 16 and the count odd, or n is 8 more and the count even.
func pushes(count int, n uint32) []Op {
	var ops []Op
	for _, r := range []Reg{RBX, RBP, RSI, RDI, R12, R13, R14, R15}[:count] {
		ops = append(ops, Push(r))
	}
	return append(ops, Alloc(n))
}

func kernelFunctions() []Function {
	return []Function{
		{Name: "KeQueryTimeIncrement", Exported: true, Size: 0x20, Leaf: true},
		{Name: "KiIdleLoop", Prolog: []Op{Alloc(0x28)}},
		{Name: "KiStartSystemThread", Size: 0x80, Prolog: []Op{Alloc(0x28)}},
		{Name: "PspSystemThreadStartup", Prolog: []Op{Save(RBX, 0x60), Push(RDI), Alloc(0x50)}},
		{Name: "ExpWorkerThread", Size: 0x300, Prolog: pushes(7, 0x70)},
		{Name: "KiSwapContext", Prolog: swapContextProlog()},
		{Name: "KiSwapThread", Size: 0x600, Prolog: pushes(3, 0x80)},
		{Name: "KiCommitThreadWait", Size: 0x400, Prolog: pushes(5, 0x80)},
		{Name: "KeWaitForSingleObject", Exported: true, Size: 0x500, Prolog: pushes(7, 0xA0)},
		{Name: "KeWaitForMultipleObjects", Exported: true, Size: 0x700, Prolog: pushes(8, 0x98)},
		{Name: "KeDelayExecutionThread", Exported: true, Size: 0x200, Prolog: pushes(3, 0x60)},
		{Name: "KeRemoveQueueEx", Exported: true, Size: 0x500, Prolog: pushes(7, 0x80)},
		{Name: "ExpWaitForResource", Size: 0x300, Prolog: pushes(5, 0x100)},
		{Name: "ExAcquireResourceExclusiveLite", Exported: true, Size: 0x300, Prolog: pushes(7, 0x50)},
		{Name: "ExAcquireResourceSharedLite", Exported: true, Size: 0x300, Prolog: pushes(7, 0x60)},
		{Name: "NtWaitForSingleObject", Prolog: pushes(3, 0x40)},
		{Name: "KiSystemServiceCopyEnd", Handler: true,
			Prolog: []Op{MachineFrame(false), Alloc(8), Push(RBP), Alloc(0x158), SetFrame(RBP, 0x80)}},
		{Name: "KiPageFault", Size: 0x400, Handler: true,
			Prolog: []Op{MachineFrame(true), Push(RBP), Alloc(0x158), SetFrame(RBP, 0x80)}},
		{Name: "KiInterruptDispatch", Size: 0x200,
			Prolog: []Op{MachineFrame(false), Alloc(8), Push(RBP), Alloc(0x158), SetFrame(RBP, 0x80)}},
		{Name: "MmAccessFault", Size: 0x600, Prolog: pushes(8, 0xA8)},
		{Name: "KeExpandKernelStackAndCalloutEx", Exported: true, Prolog: pushes(1, 0x30)},
		{Name: "KeExpandKernelStackAndCalloutInternal", Prolog: pushes(5, 0x60)},
		{Name: "KiSwitchKernelStackContinue", Size: 0x40, Prolog: pushes(4, 0x28)},
		{Name: "KySwitchKernelStackCallout", Size: 0x60, Prolog: []Op{MachineFrame(false), Alloc(0x28)}},
		{Name: "KxSwitchKernelStackCallout", Size: 0x60, Prolog: []Op{Push(RBP), Alloc(0x30), SetFrame(RBP, 0x20)}},
		{Name: "KeBugCheckEx", Exported: true, Prolog: []Op{Alloc(0x28)}},
	}
}

// swapContextProlog saves what KEXCEPTION_FRAME of the public symbols holds:
// all nonvolatile registers but RBP, which the switch frame has.
func swapContextProlog() []Op {
	ops := []Op{Alloc(0x138)}
	for n := range uint8(10) {
		ops = append(ops, SaveXMM(6+n, 0x30+16*uint32(n)))
	}
	for i, r := range []Reg{RBX, RDI, RSI, R12, R13, R14, R15} {
		ops = append(ops, Save(r, 0x100+8*uint32(i)))
	}
	return ops
}
