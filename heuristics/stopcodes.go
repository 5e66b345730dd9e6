package heuristics

import (
	"fmt"
	"slices"
	"strconv"

	"kdlocks/kd"
)

// role says what an argument of a stop code names.
type role uint8

const (
	aThread role = iota
	aResource
	aLock // of a kind that the argument does not tell
	anIRP
	aProcessor // its PRCB
	aQueue     // of work items
	ticks      // of the clock, 64 a second on most machines
	seconds
	aCount
)

// argument is what Microsoft's page says of one argument.
type argument struct {
	index int // counted from 0
	is    role
	what  string // "the thread that holds the PnP lock"
}

// stopCode is a stop code, or one sort of it, whose arguments name something
// that bears on locks.
type stopCode struct {
	code uint32
	// sorts are the values of the first argument that the entry is about, nil
	// for all.
	sorts []kd.Addr
	name  string
	says  string // what it means, as a sentence
	args  []argument
	// stalled is set when a processor stopped doing its work: locks are then
	// most likely victims.
	stalled bool
	// queue is set when a queue of work items made no progress.
	queue bool
	// holder is the index of the thread that holds what the machine waited for,
	// -1 if none is named.
	holder int
	next   string // the command that says more, "" if the arguments tell it
	page   string // of Microsoft Learn
}

// stopCodes is the table, after the page of each code.
var stopCodes = []stopCode{
	{
		code: 0x133, sorts: []kd.Addr{0}, name: "DPC_WATCHDOG_VIOLATION", stalled: true, holder: -1,
		says: "A single DPC or ISR ran longer than it may.",
		args: []argument{{1, ticks, "the time that it ran in ticks"}, {2, ticks, "the time that it may run in ticks"}},
		page: "Bug Check 0x133 DPC_WATCHDOG_VIOLATION",
	},
	{
		code: 0x133, name: "DPC_WATCHDOG_VIOLATION", stalled: true, holder: -1,
		says: "A processor spent too long at DISPATCH_LEVEL or above, all in all; the code at fault may be gone from its stack.",
		args: []argument{{1, ticks, "the watchdog period in ticks"}},
		page: "Bug Check 0x133 DPC_WATCHDOG_VIOLATION",
	},
	{
		code: 0x101, name: "CLOCK_WATCHDOG_TIMEOUT", stalled: true, holder: -1,
		says: "A processor did not take its clock interrupt in time: it hangs or is deadlocked on a spin lock.",
		args: []argument{{0, ticks, "the time-out in clock ticks"}, {2, aProcessor, "the PRCB of the processor that does not respond"}},
		page: "Bug Check 0x101 CLOCK_WATCHDOG_TIMEOUT",
	},
	{
		code: 0x9f, sorts: []kd.Addr{3}, name: "DRIVER_POWER_STATE_FAILURE", holder: -1,
		says: "A device object has held back a power IRP for too long.",
		args: []argument{{3, anIRP, "the blocked power IRP"}},
		page: "Bug Check 0x9F DRIVER_POWER_STATE_FAILURE",
	},
	{
		code: 0x9f, sorts: []kd.Addr{4}, name: "DRIVER_POWER_STATE_FAILURE", holder: 2,
		says: "A power transition waited too long for the PnP subsystem.",
		args: []argument{{1, seconds, "the time-out"}, {2, aThread, "the thread that holds the PnP lock"}},
		page: "Bug Check 0x9F DRIVER_POWER_STATE_FAILURE",
	},
	{
		code: 0x1cc, name: "EXRESOURCE_TIMEOUT_LIVEDUMP", holder: -1,
		says: "A wait for an ERESOURCE took longer than the configured time-out: a deadlock or heavy contention.",
		args: []argument{{0, aResource, "the ERESOURCE that timed out"}, {1, aThread, "the thread that detected it"}, {2, aCount, "the contention count"}, {3, seconds, "the time-out"}},
		page: "Bug Check 0x1CC EXRESOURCE_TIMEOUT_LIVEDUMP",
	},
	{
		code: 0x1c5, name: "IO_THREADPOOL_DEADLOCK_LIVEDUMP", queue: true, holder: -1,
		says: "A pool of kernel worker threads is deadlocked.",
		args: []argument{{1, aQueue, "the EX_WORK_QUEUE"}},
		page: "Bug Check 0x1C5 IO_THREADPOOL_DEADLOCK_LIVEDUMP",
	},
	{
		code: 0x1f5, name: "APPLICATION_HANG_KERNEL_LIVEDUMP", holder: -1,
		says: "A program that hung was to be ended and could not be: most likely one of its threads hangs in kernel mode.",
		page: "Bug Check 0x1F5 APPLICATION_HANG_KERNEL_LIVEDUMP",
	},
	{
		code: 0x1a1, name: "WIN32K_CALLOUT_WATCHDOG_LIVEDUMP", holder: 0,
		says: "A callout to Win32k did not return in time.",
		args: []argument{{0, aThread, "the thread that keeps it from returning"}},
		page: "Bug Check 0x1A1 WIN32K_CALLOUT_WATCHDOG_LIVEDUMP",
	},
	{
		code: 0xc4, sorts: []kd.Addr{0x1000}, name: "DRIVER_VERIFIER_DETECTED_VIOLATION", holder: -1, next: "!deadlock",
		says: "Driver Verifier saw a thread ask again for a lock that it owns and that cannot be taken twice.",
		args: []argument{{1, aLock, "the lock"}},
		page: "Bug Check 0xC4 DRIVER_VERIFIER_DETECTED_VIOLATION",
	},
	{
		code: 0xc4, sorts: []kd.Addr{0x1001}, name: "DRIVER_VERIFIER_DETECTED_VIOLATION", holder: -1, next: "!deadlock",
		says: "Driver Verifier saw locks taken in an order that can deadlock; whether threads wait for each other now is another question.",
		args: []argument{{1, aLock, "the lock that closes the order"}},
		page: "Bug Check 0xC4 DRIVER_VERIFIER_DETECTED_VIOLATION",
	},
	{
		code: 0xe3, name: "RESOURCE_NOT_OWNED", holder: -1,
		says: "A thread gave back an ERESOURCE that it did not own.",
		args: []argument{{0, aResource, "the ERESOURCE given back"}, {1, aThread, "the thread that gave it back"}},
		page: "Bug Check 0xE3 RESOURCE_NOT_OWNED",
	},
	{
		code: 0x13c, name: "INVALID_IO_BOOST_STATE", holder: -1,
		says: "A thread ended with an I/O boost left, as it has while it owns a lock that others wait for.",
		args: []argument{{0, aThread, "the thread that ended"}},
		page: "Bug Check 0x13C INVALID_IO_BOOST_STATE",
	},
	{
		code: 0x153, name: "KERNEL_LOCK_ENTRY_LEAKED_ON_THREAD_TERMINATION", holder: -1,
		says: "A thread ended before it had given back all its locks.",
		args: []argument{{0, aThread, "the thread that ended"}},
		page: "Bug Check 0x153 KERNEL_LOCK_ENTRY_LEAKED_ON_THREAD_TERMINATION",
	},
	{
		code: 0x162, name: "KERNEL_AUTO_BOOST_INVALID_LOCK_RELEASE", holder: -1,
		says: "A lock was given back by a thread that did not own it.",
		args: []argument{{0, aThread, "the thread that gave it back"}, {1, aLock, "the lock"}},
		page: "Bug Check 0x162 KERNEL_AUTO_BOOST_INVALID_LOCK_RELEASE",
	},
	{
		code: 0x20, name: "KERNEL_APC_PENDING_DURING_EXIT", holder: -1,
		says: "A thread ended with APCs disabled: it entered a critical region, or took a mutex, and never left.",
		page: "Bug Check 0x20 KERNEL_APC_PENDING_DURING_EXIT",
	},
	{
		code: 0x39, name: "SYSTEM_EXIT_OWNED_MUTEX", holder: -1,
		says: "A work item returned to its worker thread while it owned a mutex: nobody will give it back.",
		page: "Bug Check 0x39 SYSTEM_EXIT_OWNED_MUTEX",
	},
}

// stopCode returns the entry of the table for the target's stop code, nil if
// there is none.
func (d *diagnosis) stopCode() *stopCode {
	bc := d.snap.Target.Bugcheck
	if bc == nil {
		return nil
	}
	for i := range stopCodes {
		s := &stopCodes[i]
		if s.code != bc.Code {
			continue
		}
		if sort, _, ok := bc.Arg(0); s.sorts == nil || ok && slices.Contains(s.sorts, sort) {
			return s
		}
	}
	return nil
}

// watchdog returns the stop code if it says that a processor stalled.
func (d *diagnosis) watchdog() *stopCode {
	if s := d.stopCode(); s != nil && s.stalled {
		return s
	}
	return nil
}

// stopName is the stop code in words: "stop code 0x133 (DPC_WATCHDOG_VIOLATION)".
func (d *diagnosis) stopName() string {
	return fmt.Sprintf("stop code 0x%X (%s)", d.snap.Target.Bugcheck.Code, d.stopCode().name)
}

// saysOf is what the stop code says with its arguments.
func (d *diagnosis) saysOf(s *stopCode) string {
	text := s.says
	for _, a := range s.args {
		if v, _, ok := d.snap.Target.Bugcheck.Arg(a.index); ok && v != 0 {
			text += fmt.Sprintf(" Argument %d, %s, is %s.", a.index+1, a.what, d.argument(a, v))
		}
	}
	return text
}

func (d *diagnosis) argument(a argument, v kd.Addr) string {
	switch a.is {
	case aThread:
		return d.thread(v)
	case aResource:
		return d.lock(v)
	case ticks:
		return fmt.Sprintf("0x%x (%s with 64 a second)", uint64(v), span(ofTicks(v)))
	case seconds:
		return fmt.Sprintf("%d s", uint64(v))
	case aCount:
		return strconv.FormatUint(uint64(v), 10)
	case aProcessor:
		for _, p := range d.snap.Processors {
			if p.Prcb == v && p.CPU >= 0 {
				return fmt.Sprintf("%s, processor %d", d.addr(v), p.CPU)
			}
		}
	}
	return d.addr(v)
}

// ofTicks is a count of clock ticks in milliseconds.
func ofTicks(v kd.Addr) int64 { return int64(min(v, 1<<40)) * 1000 / 64 }

// period returns how long the stop code says that the stall lasted, in
// milliseconds, 0 if it does not.
func (d *diagnosis) period(s *stopCode) int64 {
	for _, a := range s.args {
		if v, _, ok := d.snap.Target.Bugcheck.Arg(a.index); ok && a.is == ticks {
			return ofTicks(v)
		}
	}
	return 0
}

// seenArgs adds the arguments of the stop code to the evidence.
func (d *diagnosis) seenArgs(f *Finding, s *stopCode) {
	for _, a := range s.args {
		if v, at, ok := d.snap.Target.Bugcheck.Arg(a.index); ok && v != 0 {
			f.seen(at, v, "the stop code: "+a.what)
		}
	}
}
