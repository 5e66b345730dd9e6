package heuristics

import (
	"fmt"

	"kdlocks/kd"
	"kdlocks/snapshot"
	"kdlocks/threads"
	"kdlocks/waitgraph"
)

var pnpManagerLock = &Check{
	ID:       "pnp-lock",
	Title:    "Lock of the Plug and Play manager is owned",
	Severity: High,
	Means: `The Plug and Play manager holds its locks while it sends query, remove and start requests to drivers, and while it starts and unloads them. The thread that owns the lock is then the victim of the driver it called into: look at the driver above the Plug and Play manager's routines on that stack.
Seen must be: the symbol of the lock, or the routine that takes it on the stack of a thread that waits for it. Stop 0x9F with 4 as its first argument names the thread that holds the lock in its third.`,
	WhenWrong:  `Nobody waits for the lock and the machine stopped for another reason: then the owner was just at work. The driver nearest to the wait may wait for another device's driver, whose IRP tells more.`,
	Disproof:   "A second capture shows another owner; or the driver on the owner's stack has been left.",
	Remedy:     "See what the driver waits for in its query, remove, start or unload routine, and for which IRP.",
	Next:       "!thread <owner> 1f",
	References: []string{"Microsoft Learn: Bug check 0x9F: DRIVER_POWER_STATE_FAILURE", "Microsoft Learn: Bug check 0xCA: PNP_DETECTED_FATAL_ERROR", "openzfsonwindows/openzfs issue 562: stop 0x9F, 4, in the unload routine of a driver"},
}

// pnpRoutines are routines of the Plug and Play manager from which it calls
// drivers, by public symbols in stacks that were posted (openzfsonwindows
// issue 196, microsoft/Windows-driver-samples issue 1413).
var pnpRoutines = []string{
	"IopSynchronousCall", "PnpAsynchronousCall", "IopUnloadDriver", "IopLoadDriver", "PnpCallDriver", "PnpCallAddDevice",
	"PnpRemoveLockedDeviceNode", "PnpProcessQueryRemoveAndEject", "PnpProcessTargetDeviceEvent", "PnpNotifyDriver",
	"PnpDeviceEventWorker", "PnpDeviceActionWorker", "PipDeviceActionWorker", "PpProfileQuery",
}

func init() {
	register(pnpManagerLock, func(d *diagnosis) []Finding {
		var out []Finding
		stop := d.stop
		for _, r := range d.ofFamily(pnpLock) {
			if len(out) > MostFindings {
				break
			}
			if len(r.Resolved) > 0 && !r.HeadUntrusted {
				out = append(out, d.pnpLockFinding(r, stop))
			}
		}
		return out
	})
}

func (d *diagnosis) pnpLockFinding(r *snapshot.Resource, stop *stopReason) Finding {
	role := d.roleOf(r.Addr)
	f := d.roleFinding(pnpManagerLock, BlockedChain, r, role)
	f.Explanation = d.roleText(r.Addr, role)
	what := d.ownerDoes(&f)
	if s, why := d.pnpCalled(&f); s != nil {
		f.Suspect = s
		what += "; " + why
	}
	f.Summary = fmt.Sprintf("%s behind %s: %s.", capital(waits(r.Waiting(), "thread")), d.lockAs(r.Addr, role), what)
	if waited(r) {
		return f
	}
	f.Kind, f.Severity = NoDeadlock, Info
	f.Summary = fmt.Sprintf("%s is owned and nobody waits for it: %s.", capital(d.lockAs(r.Addr, role)), what)
	if stop != nil && len(f.Threads) > 0 {
		d.tellStop(&f, r, stop)
	}
	return f
}

// tellStop says what the stop of the machine has to do with the owner of a lock
// that nobody waits for.
func (d *diagnosis) tellStop(f *Finding, r *snapshot.Resource, stop *stopReason) {
	owner := f.Threads[0]
	f.seen(stop.at, kd.Addr(stop.code), "why the machine stopped")
	switch {
	case d.stoppedIt(owner):
		f.Summary = fmt.Sprintf("%s is owned by the thread that stopped the machine, %s, with stop %s; nobody waits for it.", capital(d.lock(r.Addr)), d.thread(owner), stop)
	case stop.code == pnpDetectedFatalError && (stop.thread == nil || stop.thread.Addr == 0):
		f.Grade = max(f.Grade, waitgraph.C)
		f.Summary = fmt.Sprintf("%s is owned by %s, most likely the thread that stopped the machine with stop %s; nobody waits for it.", capital(d.lock(r.Addr)), d.thread(owner), stop)
		f.Explanation += " The Plug and Play manager stops the machine with this code itself, while it works under its lock; the stack that was printed does not say whose it is."
	default:
		f.Explanation += fmt.Sprintf(" The machine stopped with %s: see whether the owner has to do with it.", stop)
		return
	}
	f.Explanation += " That is no lock problem: the stop code says what went wrong."
	f.Next = []string{"!analyze -v", "!thread " + d.addr(owner) + " 1f"}
}

// stoppedIt reports whether a thread's stack shows that it stopped the machine.
func (d *diagnosis) stoppedIt(a kd.Addr) bool {
	if b := d.snap.Brief(a); b != nil && b.State == threads.Waiting {
		return false
	}
	t := d.snap.Thread(a)
	return t != nil && stopFrame(t) >= 0
}

// pnpCalled finds the driver that the first owner of the lock called into.
func (d *diagnosis) pnpCalled(f *Finding) (*Suspect, string) {
	if len(f.Threads) == 0 {
		return nil, ""
	}
	t := d.snap.Thread(f.Threads[0])
	if t == nil {
		return nil, ""
	}
	i := t.FindFrame(pnpRoutines...)
	if i < 0 {
		return nil, ""
	}
	at := insideOf(t, i)
	if at < 0 {
		return nil, ""
	}
	f.Grade = max(f.Grade, waitgraph.C)
	d.seenFrame(f, t, i, "the Plug and Play manager calls a driver")
	d.seenFrame(f, t, at, "the driver that it is in")
	m := t.Stack.Frames[at].Module
	f.Next = append(f.Next, "lmvm "+m)
	return &Suspect{Module: m, Reason: fmt.Sprintf("the Plug and Play manager (%s) called into it: %s", frame(t, i), frame(t, at))},
		fmt.Sprintf("it has called into %s (%s)", m, t.Stack.Frames[at].Name())
}
