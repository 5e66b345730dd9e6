package dump

import "fmt"

// Thread is an ETHREAD.
type Thread struct {
	VA              uint64
	PID, TID        uint64
	Process         uint64 // that it belongs to
	Attached        uint64 // that it is attached to, 0 if none
	Teb, Win32      uint64
	State           State
	Reason          uint8 // KWAIT_REASON
	UserMode        bool  // it waits so
	Alertable       bool
	Timed           bool // a timer ends the wait
	Suspended       uint8
	Resident        bool // its kernel stack is in memory
	Priority        int8
	BasePriority    int8
	Decrement       int8
	NextProcessor   uint32
	ContextSwitches uint32
	WaitTime        uint32 // tick count at which it began to wait
	Kernel, User    uint32 // ticks
	Start, Entry    uint64 // StartAddress, Win32StartAddress

	Init, Current, Base, Limit uint64 // its kernel stack

	Objects []WaitObject
	IRPs    []uint64

	unread  bool // its ETHREAD could not be read
	running *processor
	timer   uint64 // address of its timer
}

// State is a KTHREAD_STATE.
type State uint8

// The states, as Microsoft's symbols number them.
const (
	Initialized State = iota
	Ready
	Running
	Standby
	Terminated
	Waiting
	Transition
	DeferredReady
	GateWait // not in use since Windows 8
	WaitingForInSwap
	mostState = 9
)

// stateNames are the words of !thread.
var stateNames = [...]string{"INITIALIZED", "READY", "RUNNING", "STANDBY", "TERMINATED", "WAIT", "TRANSITION", "DEFERREDREADY", "GATEWAIT", "WAIT"}

func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return fmt.Sprintf("%d", uint8(s))
}

// waitReasons are the names of KWAIT_REASON in Microsoft's symbols.
var waitReasons = [...]string{
	"Executive", "FreePage", "PageIn", "PoolAllocation", "DelayExecution", "Suspended", "UserRequest", "WrExecutive", "WrFreePage", "WrPageIn",
	"WrPoolAllocation", "WrDelayExecution", "WrSuspended", "WrUserRequest", "WrEventPair", "WrQueue", "WrLpcReceive", "WrLpcReply", "WrVirtualMemory", "WrPageOut",
	"WrRendezvous", "WrKeyedEvent", "WrTerminated", "WrProcessInSwap", "WrCpuRateControl", "WrCalloutStack", "WrKernel", "WrResource", "WrPushLock", "WrMutex",
	"WrQuantumEnd", "WrDispatchInt", "WrPreempted", "WrYieldExecution", "WrFastMutex", "WrGuardedMutex", "WrRundown", "WrAlertByThreadId", "WrDeferredPreempt", "WrPhysicalFault",
}

// waitResource is the KWAIT_REASON of who waits for an ERESOURCE.
const waitResource = 27

func reasonName(r uint8) string {
	if int(r) < len(waitReasons) {
		return waitReasons[r]
	}
	return "Unknown"
}

// threadExtent is how much of an ETHREAD is read.
func (l *layout) threadExtent() int {
	ids := make([]fieldID, 0, fieldCount)
	for id := ethreadCid; id <= kthreadQueue; id++ {
		ids = append(ids, id)
	}
	return l.extent(ids...)
}

// readThread reads an ETHREAD and what it waits for.
func (d *Dump) readThread(va uint64) (*Thread, error) {
	if d.threadBuf == nil {
		d.threadBuf = make([]byte, d.layout.threadExtent())
	}
	r, err := d.readRecord(d.threadBuf, va)
	if err != nil {
		return nil, err
	}
	t := threadOf(r)
	if t.waits() {
		d.readWait(t, r)
	}
	t.IRPs = d.readIRPs(va + d.layout.at(ethreadIrpList))
	return t, nil
}

// threadOf reads what stands in the ETHREAD itself.
func threadOf(r record) *Thread {
	l := r.l
	t := &Thread{
		VA: r.va, PID: le.Uint64(r.at(ethreadCid, 0, 8)), TID: le.Uint64(r.at(ethreadCid, 8, 8)), Process: r.u64(kthreadProcess),
		Teb: r.u64(kthreadTeb), Win32: r.u64(kthreadWin32Thread), State: State(r.u8(kthreadState)), Reason: r.u8(kthreadWaitReason),
		UserMode: r.u8(kthreadWaitMode) != 0, Alertable: r.bit(kthreadAlertable), Timed: r.bit(kthreadTimerActive),
		Suspended: r.u8(kthreadSuspendCount), Resident: !l.has(kthreadKernelStackResident) || r.bit(kthreadKernelStackResident),
		Priority: int8(r.u8(kthreadPriority)), BasePriority: int8(r.u8(kthreadBasePriority)), Decrement: int8(r.u8(kthreadPriorityDecrement)),
		NextProcessor: r.u32(kthreadNextProcessor), ContextSwitches: r.u32(kthreadContextSwitches), WaitTime: r.u32(kthreadWaitTime),
		Kernel: r.u32(kthreadKernelTime), User: r.u32(kthreadUserTime), Start: r.u64(ethreadStartAddress), Entry: r.u64(ethreadWin32StartAddress),
		Init: r.u64(kthreadInitialStack), Current: r.u64(kthreadKernelStack),
		Base: r.u64(kthreadStackBase), Limit: r.u64(kthreadStackLimit), timer: r.va + l.at(kthreadTimer),
	}
	if p := le.Uint64(r.at(kthreadApcState, l.at(apcStateProcess), 8)); p != t.Process {
		t.Attached = p
	}
	return t
}

// waits reports whether wait blocks of the thread are in use.
func (t *Thread) waits() bool {
	return t.State == Waiting || t.State == GateWait || t.State == WaitingForInSwap
}

// mostIRPs bounds the list of one thread, mostAllIRPs those of all.
const (
	mostIRPs    = 1000
	mostAllIRPs = 1 << 17
)

// readIRPs lists the IRPs that a thread has sent; what cannot be read ends it.
func (d *Dump) readIRPs(head uint64) []uint64 {
	if !d.layout.has(ethreadIrpList) || d.irps >= mostAllIRPs {
		return nil
	}
	var out []uint64
	first, err := d.mem.u64(head)
	if err != nil || first == head || first == 0 {
		return nil
	}
	d.mem.walkList(head, func(entry uint64) error {
		if len(out) >= mostIRPs {
			return errLimit(mostIRPs)
		}
		out = append(out, entry-d.layout.at(irpThreadListEntry))
		return nil
	})
	if d.irps += len(out); d.irps >= mostAllIRPs {
		d.note("more than %d IRPs of threads are not listed", mostAllIRPs)
	}
	return out
}
