package threads

import (
	"slices"

	"kdlocks/kd"
)

// Brief is what is kept of a thread of a very large listing until somebody
// asks for the rest: enough to know whether the rest can matter. There are
// hundreds of thousands: each byte more costs time and memory.
type Brief struct {
	Addr kd.Addr
	// Limit is the lowest address of the current kernel stack, which has so many
	// bytes. Unless the block has the trait Expanded, all kernel frames lie in it,
	// rising.
	Limit     kd.Addr
	StackSize uint32

	Len     int32 // of the block in the input as it is stored, in bytes
	Off     int64 // where it begins there
	Calls   Calls // of all frames
	Line    int32 // the THREAD line, counted from 1
	Process int32 // the number of its process, as the one who skims counts them; -1 if none
	Input   int16 // index of the input, counted from 0
	Traits  Traits
	Fold    uint8 // what was done to its lines as a whole, as the one who skims counts it
	State   State
	Reason  uint8 // index into waitReasons
}

// Base returns the end of the current kernel stack, exclusive.
func (b *Brief) Base() kd.Addr { return b.Limit + kd.Addr(b.StackSize) }

// Traits say what kinds of facts a block holds.
type Traits uint16

// The traits that decide whether a block must be read whole.
const (
	UserWait     Traits = 1 << iota // WaitMode is UserMode
	HasIRP                          // "IRP List:"
	HasReply                        // waits for the reply to an ALPC or LPC message
	HasOwner                        // a wait object with its owner: a mutant
	WaitsOnStack                    // a frame of ExpWaitForResource
	OtherObject                     // a wait object of a kind that no ERESOURCE has
	Special                         // a frame of RareRoutines or of a rare one of WaitFunctions
	Expanded                        // frames on more than one stack
	QueueWait                       // a frame of QueueWaits
	IOWait                          // a frame of IOWaits
	AsksUserMode                    // a frame of UserModeWaits
	NotResident                     // "Kernel stack not resident."
	NoStack                         // no frames
	LockWait                        // a frame that waits for another lock than an ERESOURCE
	Worker                          // started at ExpWorkerThread
	EndWait                         // a wait object that is a thread or a process
)

// Names of routines that say what a thread waits for, as FindFrame takes them.
var (
	// QueueWaits wait for work.
	QueueWaits = Words(QueueWait)
	// IOWaits wait for I/O.
	IOWaits = Words(IOWait)
	// UserModeWaits wait for what user mode does.
	UserModeWaits = Words(AsksUserMode)
	// RareRoutines are worth a look wherever they stand: they change how a wait is
	// granted, write modified pages, wait for cancelled I/O, or for others to leave.
	RareRoutines = []string{
		"ExAcquireSharedWaitForExclusive", "ExAcquireSharedStarveExclusive",
		"MiMappedPageWriter", "MiModifiedPageWriter",
		"CancelThreadIo", "IopCancelAlertedRequest", "IopCleanupProcessResources", "IoReleaseRemoveLockAndWait",
		"WaitForRundownProtectionRelease", "FltpObjectRundownWait", "BlockOnAddressPushLock", "ExTimedWaitForUnblockPushLock",
	}
)

// routines are the traits of a stack with such a routine.
var routines = []struct {
	words  []string
	traits Traits
}{
	{[]string{"ExpWaitForResource"}, WaitsOnStack},
	{RareRoutines, Special},
	{QueueWaits, QueueWait},
	{IOWaits, IOWait},
	{UserModeWaits, AsksUserMode},
	{Words(LockWait), LockWait},
	{Words(Special), Special},
	{[]string{"ExpWorkerThread"}, Worker},
}

// Has reports whether the block has any of the traits.
func (b *Brief) Has(t Traits) bool { return b.Traits&t != 0 }

// WaitReason returns the words of the THREAD line, "" if it has none.
func (b *Brief) WaitReason() string { return waitReasons[b.Reason] }

// waitReasons are the names of KWAIT_REASON (wdm.h, Windows Driver Kit); a
// block with another one is read whole.
var waitReasons = []string{
	"", "Executive", "FreePage", "PageIn", "PoolAllocation", "DelayExecution", "Suspended", "UserRequest",
	"WrExecutive", "WrFreePage", "WrPageIn", "WrPoolAllocation", "WrDelayExecution", "WrSuspended", "WrUserRequest",
	"WrSpare0", "WrQueue", "WrLpcReceive", "WrLpcReply", "WrVirtualMemory", "WrPageOut", "WrRendezvous",
	"WrKeyedEvent", "WrTerminated", "WrProcessInSwap", "WrCpuRateControl", "WrCalloutStack", "WrKernel", "WrResource",
	"WrPushLock", "WrMutex", "WrQuantumEnd", "WrDispatchInt", "WrPreempted", "WrYieldExecution", "WrFastMutex",
	"WrGuardedMutex", "WrRundown", "WrAlertByThreadId", "WrDeferredPreempt", "WrPhysicalFault", "WrIoRing",
	"WrMdlCache", "WrRcu",
}

// WaitReasons returns the names of KWAIT_REASON, and what debuggers print for a value
// that they have no name for.
func WaitReasons() []string { return append(slices.Clone(waitReasons[1:]), "WrEventPair", "Unknown") }

var reasonIndex = func() map[string]uint8 {
	m := make(map[string]uint8, len(waitReasons))
	for i, r := range waitReasons {
		m[r] = uint8(i)
	}
	return m
}()

// WaitsPlainly reports whether all that is said of the thread agrees with a wait
// for an ERESOURCE and nothing is special about it, so that its place in a list
// of waiters tells as much as the whole block.
func (b *Brief) WaitsPlainly() bool {
	return b.State == Waiting && b.WaitReason() == "WrResource" && b.Traits&^(WaitsOnStack|HasIRP|Expanded|IOWait|AsksUserMode|Worker) == 0
}

// WaitsIndirectly reports whether the wait ends by what another thread does,
// without a list of waiters that shows it.
func (b *Brief) WaitsIndirectly() bool {
	return b.State == Waiting && b.Has(EndWait|HasReply|LockWait)
}

// Fits reports whether a block that was read whole is the one that was
// skimmed.
func (b *Brief) Fits(t *Thread) bool {
	return t.Addr == b.Addr && t.State == b.State && t.Stack.Base == b.Base() && t.Stack.Limit == b.Limit
}

// At returns the place of the THREAD line.
func (b *Brief) At() kd.Ref { return kd.Ref{Input: int32(b.Input), Line: b.Line, Col: 1} }

// Skim takes a block that was skimmed, in the place of its lines. It reports
// false if the lines must be read themselves, because what came before them
// says something about the thread.
func (r *Reader) Skim(b *Brief) bool {
	if !r.skims() {
		return false
	}
	r.closeBlock()
	r.gap, r.blank, r.part = false, true, propPart // as behind a stack
	r.out.Skimmed = append(r.out.Skimmed, *b)
	if b.WaitsIndirectly() {
		r.out.Indirect++
	}
	return true
}

// skims reports whether nothing is open that says something about a block to
// come.
func (r *Reader) skims() bool {
	return !r.value.set && !r.titled && !r.dead && !r.table.open && !r.queue.open
}

// Reserve makes room for about n more skimmed threads. Room that make gives is
// not written to before it is used; slices.Grow would clear it in one piece.
func (r *Reader) Reserve(n int) {
	old := r.out.Skimmed
	r.out.Skimmed = append(make([]Brief, 0, len(old)+n), old...)
}

// Process returns the PROCESS block that threads to come belong to, nil if
// there is none.
func (r *Reader) Process() *Process { return r.proc }

// Within tells the Reader which process the threads to come belong to.
func (r *Reader) Within(p Process) { r.proc = &p }
