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
