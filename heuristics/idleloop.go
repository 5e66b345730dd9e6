package heuristics

import (
	"strings"

	"kdlocks/stacks"
	"kdlocks/threads"
)

// memoryLoops are routines of the memory manager in which system threads of its
// own stand while there is nothing to do; their wait reason is then one of those
// for memory, WrFreePage or WrVirtualMemory, on a machine with plenty of it. The
// names are those of the public symbols of nt.
var memoryLoops = [...]string{
	"MmZeroPageThread", "MiZeroPageThread", "MiZeroLocalPages", "MiZeroNodePages", "MiModifiedPageWriter", "MiMappedPageWriter",
	"MiDereferenceSegmentThread", "KeBalanceSetManager", "KeSwapProcessOrStack", "Phase1Initialization",
}

// idlesInLoop reports whether a system thread waits in the loop that it runs
// from its start on, and in no routine that the loop has called: it waits for
// work. Without a stack, its start address or the priority of the thread that
// zeroes pages, which no other has, says so.
func idlesInLoop(t *threads.Thread) bool {
	own, started, known := 0, false, true
	for i := range t.Stack.Frames {
		f := &t.Stack.Frames[i]
		switch {
		case f.Inline:
		case startsThread(f.Function):
			started = true
		case threads.IsPlumbing(f.Function):
		case f.Function == "" || !stacks.OfWindows(f.Module):
			return false
		default:
			own++
			known = known && isMemoryLoop(f.Function)
		}
	}
	if own == 0 {
		return t.Priority == 0 || isMemoryLoop(functionOf(t.StartAddress))
	}
	return known || own == 1 && started
}

func isMemoryLoop(function string) bool {
	for _, name := range memoryLoops {
		if strings.HasPrefix(function, name) {
			return true
		}
	}
	return false
}

// startsThread reports whether a function is one that every system thread begins
// in.
func startsThread(function string) bool {
	return strings.HasPrefix(function, "PspSystemThreadStartup") || strings.HasSuffix(function, "StartSystemThread") // Ki or Kx
}

// functionOf returns the function in a symbol: nt!MiZeroPageThread is
// MiZeroPageThread.
func functionOf(symbol string) string {
	_, function, _ := strings.Cut(symbol, "!")
	return function
}

// suspendedAtStart reports whether a thread was created suspended and has run
// nothing yet: between the wait and the first routine of the thread stands only
// the delivery of the APC that suspends it.
func suspendedAtStart(t *threads.Thread) bool {
	started, suspended := false, false
	for i := range t.Stack.Frames {
		name := strings.TrimLeft(t.Stack.Frames[i].Function, "_")
		switch {
		case strings.HasPrefix(name, "KiSuspendThread"), strings.HasPrefix(name, "KiSchedulerApc"):
			suspended = true
		case strings.HasPrefix(name, "KiDeliverApc"), strings.HasPrefix(name, "KiApcInterrupt"), strings.HasPrefix(name, "KiCheckForKernelApcDelivery"):
		case strings.HasPrefix(name, "KiSystemService"), strings.HasPrefix(name, "KiFastCallEntry"), !threads.IsPlumbing(name) && !startsThread(name):
			return false
		case startsThread(name), strings.HasPrefix(name, "PspUserThreadStartup"), strings.HasPrefix(name, "KiStartUserThread"), strings.HasPrefix(name, "KiThreadStartup"):
			started = true
		}
	}
	return started && suspended
}

// asksForMessage reports whether a thread of a minifilter's service waits for
// the filter's next message: FilterGetMessage (Microsoft Learn) in user mode,
// or the routine of the filter manager behind it.
func asksForMessage(t *threads.Thread) bool {
	return couldWait(t) && t.WaitMode == "UserMode" && t.FindFrame("FilterGetMessage", "FltpGetMessage", "FltGetMessage") >= 0
}
