package threads

import (
	"strings"

	"kdlocks/stacks"
)

// SectionWait returns the frame of the routine in which a thread waits for a
// critical section, nil if its stack shows none. The section is the routine's first
// argument: on x86 the column of arguments shows it, on x64 what that shows is often
// stale.
func (t *Thread) SectionWait() *stacks.Frame {
	i := t.FindFrame("WaitOnCriticalSection", "WaitForCriticalSection")
	if i < 0 || t.User && !t.inSystemCall(i) {
		return nil
	}
	return &t.Stack.Frames[i]
}

// inSystemCall reports whether all that a thread called in frame i is ntdll, so
// that it is asked of the kernel and goes on nowhere else.
func (t *Thread) inSystemCall(i int) bool {
	for _, f := range t.Stack.Frames[:i] {
		if !strings.EqualFold(f.Module, "ntdll") {
			return false
		}
	}
	return i > 0
}
