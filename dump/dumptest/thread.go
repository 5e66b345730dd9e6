package dumptest

// ThreadState is KTHREAD.State (KTHREAD_STATE of the public symbols).
type ThreadState uint8

const (
	Initialized ThreadState = iota
	Ready
	Running
	Standby
	Terminated
	Waiting
	InTransition
	DeferredReady
)

// WaitReason is KTHREAD.WaitReason (KWAIT_REASON of the public symbols).
type WaitReason uint8

// The wait reasons that matter for locks.
const (
	Executive      WaitReason = 0
	DelayExecution WaitReason = 4
	Suspended      WaitReason = 5
	UserRequest    WaitReason = 6
	WrQueue        WaitReason = 15
	WrResource     WaitReason = 27
	WrPushLock     WaitReason = 28
	WrMutex        WaitReason = 29
	WrFastMutex    WaitReason = 34
)

// ThreadSpec declares a thread.
type ThreadSpec struct {
	ID         uint64
	State      ThreadState
	WaitReason WaitReason
	UserWait   bool // WaitMode is UserMode
	Alertable  bool
	WaitIrql   uint8
	WaitTicks  uint32 // ticks since the wait began

	Priority, BasePriority   int8
	ContextSwitches          uint32
	KernelTicks, UserTicks   uint32
	StartAddress, Win32Start uint64
	Teb                      uint64   // a user address; one is made if 0, but for system threads
	AttachedTo               *Process // ApcState.Process, if not the thread's own
	System                   bool     // a system thread
	Processor                int      // where it runs

	// NotResident swaps the kernel stack out.
	NotResident bool
	// Stack is the call chain, outermost first; none leaves the thread without
	// a stack. A thread that does not run ends in KiSwapContext, which is added.
	Stack []Frame
}

// Thread is a thread of the machine.
type Thread struct {
	Spec    ThreadSpec
	Process *Process
	VA      uint64 // ETHREAD
	// Frames are those of its stack, innermost first, as [Machine.Truth] has
	// them.
	Frames   []TruthFrame
	Segments []Segment // of its stack, the current one first
	IRPs     []uint64

	m                      *Machine
	context                Context
	waits                  []*Object
	timeout                bool
	waitAll                bool
	kernelStack, trapFrame uint64
}

// AddThread makes a thread and links it into its process.
func (p *Process) AddThread(spec ThreadSpec) *Thread {
	m := p.m
	if spec.Teb == 0 && p.Spec.ID > kernelOnly && !spec.System {
		spec.Teb = 0x30_0000 + spec.ID<<13
	}
	t := &Thread{Spec: spec, Process: p, m: m, VA: m.object(m.sizeOf("ETHREAD"))}
	p.threads = append(p.threads, t)
	t.fillExecutive()
	t.fillKernel()
	m.listAppend(p.VA+m.off("EPROCESS.ThreadListHead"), t.VA+m.off("ETHREAD.ThreadListEntry"))
	m.listAppend(p.VA+m.off("KPROCESS.ThreadListHead"), t.VA+m.off("KTHREAD.ThreadListEntry"))
	m.Poke32(p.VA+m.off("EPROCESS.ActiveThreads"), uint32(len(p.threads)))
	if len(spec.Stack) > 0 {
		t.layStack(spec.Stack)
	}
	if spec.State == Running {
		m.run(t)
	}
	return t
}

// fillExecutive fills what ETHREAD adds to KTHREAD.
func (t *Thread) fillExecutive() {
	m := t.m
	at := func(f string) uint64 { return t.VA + m.off("ETHREAD."+f) }
	m.Poke64(at("Cid"), t.Process.Spec.ID)
	m.Poke64(at("Cid")+8, t.Spec.ID)
	m.Poke64(at("StartAddress"), t.Spec.StartAddress)
	m.Poke64(at("Win32StartAddress"), t.Spec.Win32Start)
	m.Poke64(at("CreateTime"), m.options.SystemTime-m.options.Uptime)
	m.initList(at("IrpList"))
	if m.layout.has("ETHREAD.OwnerEntryListHead") {
		m.initList(at("OwnerEntryListHead"))
	}
	if t.Spec.State == Terminated {
		m.pokeBits(t.VA, "ETHREAD.Terminated", 1)
		m.Poke64(at("ExitTime"), m.options.SystemTime)
	}
}

// fillKernel fills KTHREAD but for the stack and the waits.
func (t *Thread) fillKernel() {
	m, s := t.m, &t.Spec
	at := func(f string) uint64 { return t.VA + m.off("KTHREAD."+f) }
	signal := uint32(0)
	if s.State == Terminated {
		signal = 1
	}
	m.dispatcherHeader(t.VA, ThreadObject, signal)
	m.Poke64(at("Process"), t.Process.VA)
	attached := t.Process
	if s.AttachedTo != nil {
		attached = s.AttachedTo
	}
	apc := at("ApcState")
	m.initList(apc + m.off("KAPC_STATE.ApcListHead"))
	m.initList(apc + m.off("KAPC_STATE.ApcListHead") + 16)
	m.Poke64(apc+m.off("KAPC_STATE.Process"), attached.VA)
	m.initList(at("MutantListHead"))
	m.Poke64(at("Teb"), s.Teb)
	m.poke8(at("State"), uint8(s.State))
	m.poke8(at("WaitReason"), uint8(s.WaitReason))
	m.poke8(at("WaitIrql"), s.WaitIrql)
	m.poke8(at("WaitMode"), bit(s.UserWait))
	m.poke8(at("PreviousMode"), bit(!s.System))
	m.poke8(at("Running"), bit(s.State == Running))
	m.poke8(at("Priority"), uint8(s.Priority))
	m.poke8(at("BasePriority"), uint8(s.BasePriority))
	m.Poke32(at("WaitTime"), uint32(m.Ticks())-s.WaitTicks)
	m.Poke32(at("ContextSwitches"), s.ContextSwitches)
	m.Poke32(at("KernelTime"), s.KernelTicks)
	m.Poke32(at("UserTime"), s.UserTicks)
	m.Poke32(at("NextProcessor"), uint32(s.Processor))
	m.pokeBits(t.VA, "KTHREAD.Alertable", uint32(bit(s.Alertable)))
	m.pokeBits(t.VA, "KTHREAD.SystemThread", uint32(bit(s.System)))
	m.pokeBits(t.VA, "KTHREAD.KernelStackResident", uint32(bit(!s.NotResident)))
	m.Poke64(at("WaitBlockList"), at("WaitBlock"))
	m.dispatcherHeader(at("Timer"), TimerNotification, 0)
}

func bit(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}

// AddIRP gives the thread an IRP with that many stack locations and returns its
// address.
func (t *Thread) AddIRP(locations uint8) uint64 {
	m := t.m
	const locationSize, typeIRP = 0x48, 6 // IO_STACK_LOCATION, IO_TYPE_IRP
	size := m.sizeOf("IRP") + locationSize*uint64(locations)
	irp := m.Alloc(size)
	at := func(f string) uint64 { return irp + m.off("IRP."+f) }
	m.poke16(at("Type"), typeIRP)
	m.poke16(at("Size"), uint16(size))
	m.poke8(at("StackCount"), locations)
	m.poke8(at("CurrentLocation"), locations)
	m.listAppend(t.VA+m.off("ETHREAD.IrpList"), at("ThreadListEntry"))
	t.IRPs = append(t.IRPs, irp)
	return irp
}

// Object is the thread as something to wait for.
func (t *Thread) Object() *Object { return &Object{VA: t.VA, Type: ThreadObject, m: t.m} }

// Object is the process as something to wait for.
func (p *Process) Object() *Object { return &Object{VA: p.VA, Type: ProcessObject, m: p.m} }
