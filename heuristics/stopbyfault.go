package heuristics

import (
	"fmt"
	"slices"

	"kdlocks/kd"
	"kdlocks/snapshot"
	"kdlocks/threads"
	"kdlocks/waitgraph"
)

var stopByFault = &Check{
	ID:       "stop-by-fault",
	Title:    "The machine stopped for a wrong access to memory, and no thread waits for a lock",
	Severity: Info,
	Means: `The stop code is that of an exception or of an access to wrong memory, and nothing in the input waits for a lock. !analyze prints the lock of the Plug and Play manager with any stop; that it is printed says nothing about it.
Seen must be: the stop code, or nt!KeBugCheckEx on a stack with its arguments.`,
	WhenWrong:  `The lists of locks are not complete, or the fault is a consequence of a lock that was not taken.`,
	Disproof:   "!locks of the whole machine shows a lock that threads wait for.",
	Remedy:     "Look at the stop: its arguments, and the stack of the thread that ran into it.",
	Next:       "!analyze -v",
	References: []string{"Microsoft Learn: Bug check code reference"},
}

func init() {
	register(stopByFault, func(d *diagnosis) []Finding {
		stop := d.stop
		if !d.byFault {
			if stop == nil && slices.ContainsFunc(d.snap.Resources, func(r *snapshot.Resource) bool { return r.HeadUntrusted }) {
				d.gap(kd.Gap{What: "why the machine stopped", Why: kd.NotInInput, Next: "!analyze -v"})
			}
			return nil
		}
		f := stopByFault.finding(NoDeadlock)
		f.Confidence, f.Grade = Likely, waitgraph.A
		about := kd.Addr(stop.code)
		if stop.thread != nil {
			f.Grade = waitgraph.C
			if i := stopFrame(stop.thread); stop.thread.Stack.Frames[i].At == stop.at {
				about = stop.thread.Stack.Frames[i].ChildSP
			}
			d.seenFrame(&f, stop.thread, stopFrame(stop.thread), "the thread that stopped the machine")
		}
		f.seen(stop.at, about, "why the machine stopped")
		f.Summary = fmt.Sprintf("The machine stopped with %s: no lock problem is visible.", stop)
		f.Explanation = "A thread ran into a wrong access to memory or an exception. No thread of the input waits for a lock."
		for _, r := range d.snap.Resources {
			if r.HeadUntrusted {
				f.Resources = append(f.Resources, r.Addr)
				f.seenLock(r)
				f.Explanation += fmt.Sprintf(" What is printed of %s is not trustworthy: the debugger had no type for it.", d.lock(r.Addr))
				break
			}
		}
		f.Next = []string{"!analyze -v"}
		return []Finding{f}
	})
}

// stoppedByFault reports whether the stop code explains the stop without any
// lock, and nothing of the input waits for one.
func (d *diagnosis) stoppedByFault(stop *stopReason) bool {
	if stop == nil || faults[stop.code] == "" || len(d.snap.Resources)+d.snap.ThreadCount() == 0 || len(d.snap.Timeouts) > 0 || len(d.knots)+len(d.roots) > 0 {
		return false
	}
	for _, r := range d.snap.Resources {
		if waited(r) {
			return false
		}
	}
	for _, t := range d.snap.Triage {
		if t.ThreadCount > 0 {
			return false
		}
	}
	for _, t := range d.snap.Threads {
		if waitsForLock(t) {
			return false
		}
	}
	rest := d.snap.Skimmed()
	for i := range rest {
		b := &rest[i]
		if b.State == threads.Waiting && (b.Has(threads.WaitsOnStack|threads.LockWait) || kernelLockReasons[b.WaitReason()]) {
			return false
		}
	}
	return true
}

// kernelLockReasons are wait reasons of threads that wait for a lock of the kernel.
var kernelLockReasons = map[string]bool{"WrResource": true, "WrPushLock": true, "WrMutex": true, "WrFastMutex": true, "WrGuardedMutex": true, "WrRundown": true}

// waitsForLock reports whether a thread waits for a lock of any kind, by its
// wait reason or by its stack.
func waitsForLock(t *threads.Thread) bool {
	if !couldWait(t) {
		return false
	}
	switch t.Waits().For {
	case threads.ForResource, threads.ForPushLock, threads.ForFastMutex, threads.ForGuardedMutex, threads.ForRundown:
		return true
	}
	return kernelLockReasons[t.WaitReason]
}
