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
	ForWake     // by another thread, without an object
	ForHandle   // an entry of a handle table
	ForIOLock   // of the I/O manager: a synchronous file object, a device
	ForOplock   // until another opener gives up its oplock
	ForMessage  // the next one of an LPC or ALPC client
	ForWorkItem // that it queued itself
	ForCriticalSection
	ForSRWLock
)

var waitForWords = [...]string{
	"something that the input does not show", "an ERESOURCE", "a pushlock", "a fast mutex", "a guarded mutex",
	"the last reference to an object (rundown protection)", "the reply of an LPC or ALPC server",
	"the reply of a minifilter's service", "a callback into user mode", "a page to be read",
	"a page to be written", "an IRP to complete", "the next work item", "free memory", "the graphics processor",
	"its own resumption", "the threads in its callbacks to leave", "a spin lock",
	"another thread to wake it", "a locked entry of a handle table", "a lock of the I/O manager",
	"another opener to give up its oplock", "the next message of an LPC or ALPC client",
	"a work item that it queued", "a critical section", "a slim reader/writer lock",
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
	// Inner is set for routines that others of the table wait in: if the frame
	// behind it, plumbing aside, is such a one, that tells more.
	Inner bool
	// Direct is set for routines that call drivers and other parts of the
	// kernel, which wait for reasons of their own: they tell something only if
	// they asked for the wait themselves.
	Direct bool
	// Seen says in which versions of Windows, and in what log; where there is
	// none, where the routine is documented.
	Seen string
	// trait is set in the Brief of a thread with such a frame. Waits that are
	// common on a healthy machine have none.
	trait Traits
}

// WaitFunctions is the table, the more special names before those that they
// contain. The logs are in testdata/waits, with their sources in INDEX.yaml.
var WaitFunctions = []WaitFunction{
	{Name: "ExpWaitForResource", For: ForResource, trait: WaitsOnStack,
		Seen: "Windows NT 4 x86 (testdata/corpus/003-mslearn-resource-timeout-nt4.log), Windows 10 19041 x64 (testdata/waits/resource.log)"},
	{Name: "AcquirePushLockShared", For: ForPushLock, Shared: true, trait: LockWait,
		Seen: "Windows 11 22621 x64 (testdata/waits/pushlock-shared.log)"},
	{Name: "AcquirePushLock", For: ForPushLock, trait: LockWait,
		Seen: "Windows 11 22621 x64 (testdata/waits/pushlock-exclusive.log)"},
	{Name: "AcquireFastMutexContended", For: ForFastMutex, Inner: true, trait: LockWait,
		Seen: "Windows 11 22621 x64 (testdata/waits/fast-mutex.log), where fast and guarded mutexes wait in it"},
	{Name: "AcquireFastMutex", For: ForFastMutex, trait: LockWait,
		Seen: "Windows 11 22621 x64 (testdata/waits/fast-mutex.log)"},
	{Name: "AcquireGuardedMutex", For: ForGuardedMutex, trait: LockWait,
		Seen: "Windows 11 x64 (testdata/waits/guarded-mutex.log)"},
	{Name: "WaitForRundownProtectionRelease", For: ForRundown, Inner: true, trait: LockWait,
		Seen: "Windows 10 x64 (testdata/waits/rundown-filter.log), Windows Vista SP1 x86 (testdata/corpus/076-osr-minifilter-unload-rundown-noaddr.log)"},
	{Name: "FltpObjectRundownWait", For: ForRundown, trait: LockWait,
		Seen: "Windows Vista SP1 x86 (testdata/waits/rundown-object.log)"},
	{Name: "ExTimedWaitForUnblockPushLock", For: ForWake, Inner: true, trait: LockWait,
		Seen: "Windows 10 19041 x64 (testdata/waits/unregister-registry-callback.log)"},
	{Name: "BlockOnAddressPushLock", For: ForWake, Inner: true, trait: LockWait,
		Seen: "Windows 10 19041 x64 (testdata/waits/unregister-registry-callback.log)"},
	{Name: "IoReleaseRemoveLockAndWait", For: ForCallers, trait: LockWait,
		Seen: "no log; documented for Windows 2000 and later (Microsoft Learn, https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-ioreleaseremovelockandwait)"},
	{Name: "CmUnRegisterCallback", For: ForCallers, trait: LockWait,
		Seen: "Windows 10 19041 x64 (testdata/waits/unregister-registry-callback.log)"},
	{Name: "BlockOnLockedHandleEntry", For: ForHandle,
		Seen: "Windows 10 x86 (testdata/waits/locked-handle-entry.log)"},
	{Name: "FltSendMessage", For: ForFilterReply, trait: AsksUserMode,
		Seen: "no log; documented for Windows XP SP2 and later (Microsoft Learn, https://learn.microsoft.com/windows-hardware/drivers/ddi/fltkernel/nf-fltkernel-fltsendmessage)"},
	{Name: "AlpcpReceiveSynchronousReply", For: ForReply, trait: AsksUserMode,
		Seen: "Windows Server 2008 x64 (testdata/corpus/057-vostokov-42f-alpc-x64-vista.log)"},
	{Name: "AlpcpSignalAndWait", For: ForReply, Inner: true, trait: AsksUserMode,
		Seen: "Windows Server 2008 x64 (testdata/corpus/057-vostokov-42f-alpc-x64-vista.log)"},
	{Name: "RequestWaitReplyPort", For: ForReply, trait: AsksUserMode,
		Seen: "Windows Server 2003 x86 (testdata/waits/lpc-reply.log)"},
	{Name: "AlpcpReceiveMessagePort", For: ForMessage,
		Seen: "Windows 11 22621 x64 (testdata/waits/alpc-server.log)"},
	{Name: "ReplyWaitReceivePort", For: ForMessage,
		Seen: "Windows Server 2003 x86 (testdata/waits/lpc-server.log)"},
	{Name: "KeUserModeCallback", For: ForUserMode, trait: AsksUserMode,
		Seen: "Windows XP x86 (testdata/waits/user-mode-callback.log)"},
	{Name: "MiWaitForInPageComplete", For: ForPageIn, trait: IOWait,
		Seen: "Windows 11 Insider 25941 x64 (testdata/waits/page-in.log), where the page was read and is being checked"},
	{Name: "MiWaitForCollidedFaultComplete", For: ForPageIn, trait: IOWait,
		Seen: "Windows 10 x64 (testdata/waits/page-in-collided.log)"},
	{Name: "IoSynchronousPageWrite", For: ForPageOut, trait: IOWait,
		Seen: "Windows 7 or 8 x64 (testdata/waits/page-out.log)"},
	{Name: "CcCanIWrite", For: ForPageOut, trait: IOWait,
		Seen: "Windows 11 x64 (testdata/waits/write-throttled.log)"},
	{Name: "NonCachedIo", For: ForIO, Direct: true, trait: IOWait,
		Seen: "Windows 10 18362 x64 (testdata/waits/ntfs-non-cached.log)"},
	{Name: "IopSynchronousServiceTail", For: ForIO, Direct: true, trait: IOWait,
		Seen: "Windows 7 x64 (testdata/waits/synchronous-request.log)"},
	{Name: "IopCancelAlertedRequest", For: ForIO, trait: IOWait,
		Seen: "Windows Vista x86 (testdata/waits/cancelled-request-x86.log), Windows 8 x64 (testdata/waits/cancelled-request.log)"},
	{Name: "IopAcquireFileObjectLock", For: ForIOLock,
		Seen: "Windows 7 x64 (testdata/waits/file-object-lock.log)"},
	{Name: "IopWaitForLockAlertable", For: ForIOLock,
		Seen: "Windows 10 x64 (testdata/waits/mount-lock.log)"},
	{Name: "WaitForOplockCompletionEvent", For: ForOplock,
		Seen: "Windows 11 x64 (testdata/waits/oplock.log)"},
	{Name: "IopLoadDriverImage", For: ForWorkItem, Direct: true,
		Seen: "Windows 10 or later x64 (testdata/waits/load-driver.log)"},
	{Name: "KeRemoveQueue", For: ForWork, trait: QueueWait,
		Seen: "Windows XP x86 (testdata/corpus/002-mslearn-locks-v.log), Windows 10 19041 x64 (testdata/waits/queue.log)"},
	{Name: "KeRemovePriQueue", For: ForWork, trait: QueueWait,
		Seen: "Windows 10 x64 (testdata/waits/worker-queue.log)"},
	{Name: "VidSchiWaitForSchedulerEvents", For: ForWork,
		Seen: "Windows 7 x64 (testdata/waits/gpu-scheduler-idle.log): the scheduler's own thread without work"},
	{Name: "VidSchWait", For: ForGPU, trait: Special,
		Seen: "Windows 7 x64 (testdata/waits/gpu-completion.log)"},
	{Name: "VidSchiRequestSchedulerStatus", For: ForGPU, trait: Special,
		Seen: "Windows 7 x64 (testdata/waits/gpu-suspend.log)"},
	{Name: "KiSuspendThread", For: ForResume, Direct: true, trait: Special,
		Seen: "Windows 7 x64 (testdata/waits/suspended.log)"},
	{Name: "KiSchedulerApc", For: ForResume, Direct: true, trait: Special,
		Seen: "Windows 10 or later x64 (testdata/waits/suspended-scheduler-apc.log)"},
	{Name: "KxWaitForSpinLockAndAcquire", For: ForSpinLock, trait: Special,
		Seen: "Windows 10 19041 x64 (testdata/waits/spin-lock.log)"},
	{Name: "KxWaitForLockOwnerShip", For: ForSpinLock, trait: Special,
		Seen: "Windows 10 or 11 x64 (testdata/waits/queued-spin-lock.log)"},
	{Name: "NtWaitForAlertByThreadId", For: ForWake, Inner: true,
		Seen: "Windows 10 x64 (testdata/waits/critical-section-address.log), Windows 11 x64 (testdata/waits/critical-section.log)"},
	{Name: "RtlpWaitOnAddress", For: ForWake, Inner: true,
		Seen: "Windows 10 x64 (testdata/waits/critical-section-address.log)"},
	{Name: "RtlpWaitOnCriticalSection", For: ForCriticalSection,
		Seen: "Windows 8.1 x64 (testdata/waits/critical-section-event.log), Windows 10 x64 (testdata/waits/critical-section-address.log), Windows 11 x64 (testdata/waits/critical-section.log)"},
	{Name: "RtlpWaitForCriticalSection", For: ForCriticalSection,
		Seen: "Windows NT 4 x86 (testdata/waits/critical-section-nt4.log)"},
	{Name: "AcquireSRWLockShared", For: ForSRWLock, Shared: true,
		Seen: "Windows 11 x64 (testdata/waits/srw-lock-shared.log)"},
	{Name: "AcquireSRWLock", For: ForSRWLock,
		Seen: "Windows 11 x64 (testdata/waits/srw-lock.log)"},
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
// the inside that the table knows, unless a module outside Windows asked the
// kernel for the wait before it was reached. For says nothing of a thread that
// runs.
func (t *Thread) Waits() Wait {
	if k := &t.waits; len(t.Stack.Frames) == 0 || k.frames != len(t.Stack.Frames) || k.first != &t.Stack.Frames[0] {
		*k = keptWait{wait: t.findWait(), frames: len(t.Stack.Frames)}
		if k.frames > 0 {
			k.first = &t.Stack.Frames[0]
		}
	}
	return t.waits.wait
}

// keptWait is what Waits found in some frames: it is asked again and again.
type keptWait struct {
	wait   Wait
	frames int
	first  *stacks.Frame
}

func (t *Thread) findWait() Wait {
	found := Wait{Frame: -1}
	if t.Interrupted() > 0 {
		if at, _ := t.Spins(); at >= 0 {
			return Wait{Frame: at, For: ForSpinLock}
		}
		return found
	}
	direct, user := true, false
	own := false // a driver of Windows waits for reasons of its own
	for i := range t.Stack.Frames {
		f := &t.Stack.Frames[i]
		if IsPlumbing(f.Function) {
			user = user || IsSystemCall(f.Function)
			continue
		}
		w := WaitFunctionOf(f.Function)
		if f.Inline && w == nil {
			continue
		}
		if !stacks.OfWindows(f.Module) || w != nil && w.Direct && !direct {
			w = nil
		}
		direct = false
		switch {
		case w != nil:
			found = Wait{Frame: i, For: w.For, Function: w}
			if !w.Inner {
				return found
			}
		case found.Function != nil:
			return found
		case !user && !t.User && !stacks.OfWindows(f.Module):
			if own {
				return found
			}
			return Wait{Frame: i, Driver: f.Module}
		}
		own = own || !stacks.OnBehalf(f.Module)
	}
	return found
}

// IsSystemCall reports whether a function is what user mode enters the kernel
// by: the frames behind it are those of a program.
func IsSystemCall(function string) bool {
	name := strings.TrimLeft(function, "_")
	return strings.HasPrefix(name, "KiSystemService") || strings.HasPrefix(name, "KiFastCallEntry")
}

// doNotWait are parts of names that contain one of the table and are of
// routines that only try, or take something out of a queue without a wait.
var doNotWait = [...]string{"TryAcquire", "TryToAcquire", "KeRemoveQueueApc", "KeRemoveQueueDpc"}

// WaitFunctionOf returns the entry of the table that a function's name
// contains, nil if there is none.
func WaitFunctionOf(function string) *WaitFunction {
	if function == "" {
		return nil
	}
	for i := range WaitFunctions {
		if !containsFold(function, WaitFunctions[i].Name) {
			continue
		}
		for _, d := range doNotWait {
			if containsFold(function, d) {
				return nil
			}
		}
		return &WaitFunctions[i]
	}
	return nil
}

// IsPlumbing reports whether a function is a part of how every wait ends or
// every system call begins, so that it tells nothing of a stack.
func IsPlumbing(function string) bool {
	name := strings.TrimLeft(function, "_")
	for _, p := range [...]string{
		"KiSwapContext", "KiSwapThread", "KiCommitThreadWait", "SwapContext", "KeWaitForSingleObject", "KeWaitForMultipleObjects", "KeWaitForGate",
		"KiSystemService", "KiFastCallEntry", "KiStartSystemThread", "KiThreadStartup", "PspSystemThreadStartup", "KiStartUserThread",
		"PspUserThreadStartup", "RtlUserThreadStart", "BaseThreadInitThunk", "KiUserApcDispatch",
	} {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return false
}

// IsThreadStart reports whether a function is one that threads begin in, or the
// loop of the system's worker threads: at the outer end of a stack it tells
// nothing.
func IsThreadStart(function string) bool {
	name := strings.TrimLeft(function, "_")
	for _, p := range [...]string{"ExpWorkerThread", "KxStartSystemThread", "KiStartContextThread"} {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return IsPlumbing(function)
}
