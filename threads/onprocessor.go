package threads

import (
	"strings"

	"kdlocks/stacks"
)

// interrupting are parts of the names of routines in which a processor is that
// was torn out of what it did: the stop of the machine, a non-maskable or clock
// interrupt, another processor that freezes it, the debugger (Microsoft Learn:
// KeBugCheckEx, Bug Check 0x80, Bug Check 0x133; the stacks of
// testdata/cases/runs-*.txtar).
var interrupting = [...]string{
	"KeBugCheck", "KiBugCheck", "WheaReportHwError", "BugCheckSystem", "PopIrpWatchdog",
	"NmiInterrupt", "HandleNMI", "ProcessNMI", "NmiCallback",
	"KeAccumulateTicks", "KeUpdateRunTime", "KeUpdateSystemTime", "KeClockInterruptNotify", "ClockInterrupt", "KiUpdateRunTime",
	"KiInterruptDispatch", "KiInterruptSubDispatch", "KiFreezeTargetExecution", "KeFreezeExecution", "KiIpiInterrupt",
	"DbgBreakPoint", "RtlpBreakWithStatusInstruction", "KeEnterKernelDebugger",
}

// spinWaits are the routines in which a processor spins for a spin lock that
// somebody else owns, spinAsks parts of the names of those that ask for one:
// some of them spin in themselves.
var (
	spinWaits = [...]string{"KxWaitForSpinLockAndAcquire", "KxWaitForLockOwnerShip"}
	spinAsks  = [...]string{"AcquireSpinLock", "AcquireQueuedSpinLock", "AcquireInStackQueuedSpinLock"}
)

// traps are parts of the names of routines between a fault and the stop that it
// made.
var traps = [...]string{"KiPageFault", "MiSystemFault", "MmAccessFault", "KiExceptionDispatch", "KiGeneralProtectionFault", "KiTrap", "KiDispatchException", "KiRaiseException", "KiFastFailDispatch", "KiDoubleFault"}

// mostInterrupting bounds the frames in which an interrupt is looked for.
const mostInterrupting = 16

// Interrupted returns how many frames at the inner end of the stack are of what
// tore the processor out of what it did, 0 if none is. A page fault or a trap
// further out is a part of what the thread did; a thread that breaks into the
// debugger out of its own wait still waits.
func (t *Thread) Interrupted() int {
	n := 0
	for i := range t.Stack.Frames {
		f := &t.Stack.Frames[i]
		if i == mostInterrupting || !stacks.OfWindows(f.Module) || IsPlumbing(f.Function) {
			break
		}
		if w := WaitFunctionOf(f.Function); w != nil && w.For != ForSpinLock {
			return 0
		}
		if isPart(f.Function, interrupting[:]) || n == i && i > 0 && isPart(f.Function, traps[:]) {
			n = i + 1
		}
	}
	return n
}

// OnProcessor reports whether the thread ran when it was looked at, by its state
// or, where none was printed, by its stack.
func (t *Thread) OnProcessor() bool {
	return t.State == Running || t.State == StateUnknown && (t.Interrupted() > 0 || t.spinsInside())
}

// spinsInside reports whether the innermost frame spins.
func (t *Thread) spinsInside() bool {
	for i := range t.Stack.Frames {
		if f := &t.Stack.Frames[i]; !f.Inline {
			return stacks.OfWindows(f.Module) && isPart(f.Function, spinWaits[:])
		}
	}
	return false
}

// Spins returns the frame in which a thread on a processor asks for a spin lock,
// -1 if it does something else: one of the first frames of Windows that are not
// of an interrupt. owned is set where it certainly spins, because somebody else
// owns the lock; whoever asks may just be given it.
func (t *Thread) Spins() (frame int, owned bool) {
	for i := t.Interrupted(); i < len(t.Stack.Frames); i++ {
		f := &t.Stack.Frames[i]
		if !stacks.OfWindows(f.Module) {
			break
		}
		if owned = isPart(f.Function, spinWaits[:]); owned || isPart(f.Function, spinAsks[:]) && !isPart(f.Function, doNotWait[:]) {
			return i, owned
		}
	}
	return -1, false
}

func isPart(function string, words []string) bool {
	for _, w := range words {
		if strings.Contains(function, w) {
			return true
		}
	}
	return false
}
