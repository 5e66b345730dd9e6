package heuristics

import (
	"fmt"

	"kdlocks/kd"
	"kdlocks/threads"
)

// stopReason is why the machine stopped: what the debugger printed, or the first
// argument of nt!KeBugCheckEx on a stack. thread is the one that stopped it,
// nil if its stack was not printed.
type stopReason struct {
	code   uint32
	at     kd.Ref
	thread *threads.Thread
}

// Stop codes that say what the locks have to do with the stop (Microsoft Learn:
// Bug check code reference).
const (
	driverPowerStateFailure = 0x9f
	pnpDetectedFatalError   = 0xca
)

// faults are stop codes of a wrong access to memory or an exception: the thread
// that stopped the machine ran into it, and no lock made it.
var faults = map[uint32]string{
	0x0a: "IRQL_NOT_LESS_OR_EQUAL", 0x1e: "KMODE_EXCEPTION_NOT_HANDLED", 0x3b: "SYSTEM_SERVICE_EXCEPTION",
	0x50: "PAGE_FAULT_IN_NONPAGED_AREA", 0x7e: "SYSTEM_THREAD_EXCEPTION_NOT_HANDLED", 0x7f: "UNEXPECTED_KERNEL_MODE_TRAP",
	0x8e: "KERNEL_MODE_EXCEPTION_NOT_HANDLED", 0xd1: "DRIVER_IRQL_NOT_LESS_OR_EQUAL",
}

// stopped looks for why the machine stopped, nil if nothing tells.
func (d *diagnosis) stopped() *stopReason {
	var s *stopReason
	if b := d.snap.Target.Bugcheck; b != nil {
		s = &stopReason{code: b.Code, at: b.At}
	}
	for _, t := range d.snap.Threads {
		i := stopFrame(t)
		if i < 0 {
			continue
		}
		f := &t.Stack.Frames[i]
		if s == nil && len(f.Args) > 0 && f.Args[0] > 0 && f.Args[0] <= 0xffffffff {
			s = &stopReason{code: uint32(f.Args[0]), at: f.At}
		}
		if s != nil && s.thread == nil {
			s.thread = t
		}
	}
	return s
}

// stack returns the thread that stopped the machine, nil if its stack was not
// printed.
func (s *stopReason) stack() *threads.Thread {
	if s == nil {
		return nil
	}
	return s.thread
}

// stopFrame returns the frame in which a thread stopped the machine, -1 if it
// did not.
func stopFrame(t *threads.Thread) int {
	const near = 4
	for i := 0; i < min(near, len(t.Stack.Frames)); i++ {
		switch t.Stack.Frames[i].Function {
		case "KeBugCheckEx", "KeBugCheck2", "KeBugCheck":
			return i
		}
	}
	return -1
}

// String names the stop code as engineers do.
func (s *stopReason) String() string {
	if name := faults[s.code]; name != "" {
		return fmt.Sprintf("0x%X, %s", s.code, name)
	}
	switch s.code {
	case driverPowerStateFailure:
		return "0x9F, DRIVER_POWER_STATE_FAILURE"
	case pnpDetectedFatalError:
		return "0xCA, PNP_DETECTED_FATAL_ERROR"
	}
	return fmt.Sprintf("0x%X", s.code)
}
