package threads

import (
	"strings"

	"kdlocks/stacks"
)

// WaitFor says what ends a wait.
type WaitFor uint8

// What threads wait for.
const (
	ForUnknown WaitFor = iota
	ForResource
	ForPushLock
	ForFastMutex
	ForGuardedMutex
	ForRundown     // until the last reference to an object is given back
	ForReply       // of an LPC or ALPC server
	ForFilterReply // of the service of a minifilter
	ForUserMode    // a callback into user mode
	ForPageIn
	ForPageOut
	ForIO   // the completion of an IRP
	ForWork // the next work item
	ForMemory
	ForGPU
	ForResume   // of a suspended thread
	ForCallers  // until nobody is in a callback any more
	ForSpinLock // on a processor
)

var waitForWords = [...]string{
	"something that the input does not show", "an ERESOURCE", "a pushlock", "a fast mutex", "a guarded mutex",
	"the last reference to an object (rundown protection)", "the reply of an LPC or ALPC server",
	"the reply of a minifilter's service", "a callback into user mode", "a page to be read",
	"a page to be written", "an IRP to complete", "the next work item", "free memory", "the graphics processor",
	"its own resumption", "the threads in its callbacks to leave", "a spin lock",
}

// String says what is waited for in words.
func (w WaitFor) String() string { return waitForWords[w] }

// WaitFunction is a routine in which threads wait, by its public symbol, and
// what a thread that stands in it waits for.
type WaitFunction struct {
	// Name is contained in the function's name, in either case: names carry
	// prefixes for calling conventions, and the kernel keeps versions of one
	// routine side by side.
	Name string
	For  WaitFor
	// Shared is set for routines that ask for shared access.
	Shared bool
	// Seen says in which versions of Windows, and in what log.
	Seen string
	// trait is set in the Brief of a thread with such a frame.
	trait Traits
}

// WaitFunctions is the table, the more special names before those that they
// contain.
var WaitFunctions = []WaitFunction{
	{Name: "ExpWaitForResource", For: ForResource, trait: WaitsOnStack, Seen: "NT 4 to Windows 11 (testdata/corpus 003, 022, 025, 045)"},
	{Name: "AcquirePushLockShared", For: ForPushLock, Shared: true, trait: LockWait, Seen: "Windows 11 (testdata/corpus 027)"},
	{Name: "AcquirePushLock", For: ForPushLock, trait: LockWait, Seen: "Windows 11 (testdata/corpus 027)"},
	{Name: "ExBlockPushLock", For: ForPushLock, trait: LockWait},
	{Name: "AcquireFastMutex", For: ForFastMutex, trait: LockWait},
	{Name: "AcquireGuardedMutex", For: ForGuardedMutex, trait: LockWait},
	{Name: "KeWaitForGate", For: ForGuardedMutex, trait: LockWait},
	{Name: "WaitForRundownProtectionRelease", For: ForRundown, trait: LockWait, Seen: "Windows Vista SP1 (testdata/corpus 076)"},
	{Name: "FltpObjectRundownWait", For: ForRundown, trait: LockWait, Seen: "Windows Vista SP1 (testdata/corpus 076)"},
	{Name: "BlockOnAddressPushLock", For: ForCallers, trait: LockWait},
	{Name: "ExTimedWaitForUnblockPushLock", For: ForCallers, trait: LockWait},
	{Name: "FltSendMessage", For: ForFilterReply, trait: AsksUserMode},
	{Name: "AlpcpReceiveSynchronousReply", For: ForReply, trait: AsksUserMode, Seen: "Windows Server 2008 (testdata/corpus 057)"},
	{Name: "AlpcpSignalAndWait", For: ForReply, trait: AsksUserMode, Seen: "Windows Server 2008 (testdata/corpus 057)"},
	{Name: "RequestWaitReplyPort", For: ForReply, trait: AsksUserMode},
	{Name: "KeUserModeCallback", For: ForUserMode, trait: AsksUserMode},
	{Name: "MiWaitForInPageComplete", For: ForPageIn, trait: IOWait},
	{Name: "IoPageRead", For: ForPageIn, trait: IOWait},
	{Name: "IoSynchronousPageRead", For: ForPageIn, trait: IOWait},
	{Name: "IoSynchronousPageWrite", For: ForPageOut, trait: IOWait},
	{Name: "IoSynchronousPage", For: ForPageOut, trait: IOWait},
	{Name: "NonCachedIo", For: ForIO, trait: IOWait, Seen: "Windows 10 (testdata/corpus 042)"},
	{Name: "IopSynchronousServiceTail", For: ForIO, trait: IOWait, Seen: "Windows 10 (testdata/corpus 020, 042)"},
	{Name: "IopSynchronousApiServiceTail", For: ForIO, trait: IOWait},
	{Name: "WaitForIrp", For: ForIO, trait: IOWait},
	{Name: "CancelThreadIo", For: ForIO, trait: IOWait},
	{Name: "IopCancelAlertedRequest", For: ForIO, trait: IOWait},
	{Name: "KeRemoveQueue", For: ForWork, trait: QueueWait, Seen: "Windows 2000 to Windows 10 (testdata/corpus 002, 006, 039)"},
	{Name: "KeRemovePriQueue", For: ForWork, trait: QueueWait, Seen: "Windows 8.1 to Windows 11"},
	{Name: "MiWaitForFreePage", For: ForMemory, trait: Special},
	{Name: "VidSchWait", For: ForGPU, trait: Special},
	{Name: "VidSchiWait", For: ForGPU, trait: Special},
	{Name: "KiSuspendThread", For: ForResume, trait: Special},
	{Name: "KiSchedulerApc", For: ForResume, trait: Special},
	{Name: "KxWaitForSpinLockAndAcquire", For: ForSpinLock, trait: Special},
	{Name: "KxWaitForLockOwnerShip", For: ForSpinLock, trait: Special},
	{Name: "ExpWaitForSpinLock", For: ForSpinLock, trait: Special},
}

// Words returns the names of the functions that set a trait in a Brief.
func Words(trait Traits) []string {
	var out []string
	for _, f := range WaitFunctions {
		if f.trait == trait {
			out = append(out, f.Name)
		}
	}
	return out
}

// Wait is where on its stack a thread waits, and for what.
type Wait struct {
	Frame int // -1 if no frame tells
	For   WaitFor
	// Function is the entry of the table, nil if a driver waits by itself.
	Function *WaitFunction
	// Driver is the module outside Windows that asked the kernel to wait, "" if
	// a part of Windows did.
	Driver string
}

// Waits reads from the stack what the thread waits for: the first routine from
// the inside that the table knows, unless a module outside Windows asked for
// the wait before it was reached. For says nothing of a thread that runs.
func (t *Thread) Waits() Wait {
	for i := range t.Stack.Frames {
		f := &t.Stack.Frames[i]
		if w := WaitFunctionOf(f.Function); w != nil && stacks.OfWindows(f.Module) {
			return Wait{Frame: i, For: w.For, Function: w}
		}
		if !stacks.OfWindows(f.Module) {
			return Wait{Frame: i, Driver: f.Module}
		}
	}
	return Wait{Frame: -1}
}

// WaitFunctionOf returns the entry of the table that a function's name
// contains, nil if there is none.
func WaitFunctionOf(function string) *WaitFunction {
	if function == "" {
		return nil
	}
	for i := range WaitFunctions {
		if containsFold(function, WaitFunctions[i].Name) {
			return &WaitFunctions[i]
		}
	}
	return nil
}

// IsPlumbing reports whether a function is a part of how every wait ends or
// every system call begins, so that it tells nothing of a stack.
func IsPlumbing(function string) bool {
	name := strings.TrimLeft(function, "_")
	for _, p := range [...]string{
		"KiSwapContext", "KiSwapThread", "KiCommitThreadWait", "SwapContext", "KeWaitForSingleObject", "KeWaitForMultipleObjects",
		"KiSystemService", "KiFastCallEntry", "KiStartSystemThread", "KiThreadStartup", "PspSystemThreadStartup", "KiStartUserThread",
		"PspUserThreadStartup", "RtlUserThreadStart", "BaseThreadInitThunk", "KiUserApcDispatch",
	} {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return false
}
