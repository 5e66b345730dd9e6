package heuristics

import (
	"fmt"
	"slices"

	"kdlocks/kd"
	"kdlocks/locks"
	"kdlocks/snapshot"
)

var win32kUserLock = &Check{
	ID:       "win32k-user-lock",
	Title:    "Threads wait for the win32k user lock",
	Severity: Info,
	Means: `Nearly every GUI thread takes the user lock of win32k (EnterCrit, EnterSharedCrit), so that whatever stops its owner makes all of them wait. The lock is where they pile up, never why: the cause is what its owner waits for.
Seen must be: the symbol of the lock, or win32k's routine on the stack of a thread that waits for it.`,
	WhenWrong:  `It says nothing about a cause. A high contention count is usual for this lock. Its pool tag, User, would tell it, too, and is not read: where no waiter has a stack and no symbol was printed, the lock is not recognised.`,
	Disproof:   "The lock's waiters ask for it in other routines than those of win32k.",
	Remedy:     "Follow the owner: a callback into user mode, the graphics kernel, another session.",
	Next:       "!thread <owner> 1f",
	References: []string{"Microsoft Learn: !locks (!kdext*.locks)", "DebugPrivilege/InsightEngineering, Debugging Tips & Tricks: WinDE"},
}

func init() {
	register(win32kUserLock, func(d *diagnosis) []Finding {
		var out []Finding
		for _, r := range d.ofFamily(win32kLock) {
			if !waited(r) || len(out) > MostFindings {
				continue
			}
			role := d.roleOf(r.Addr)
			f := d.roleFinding(win32kUserLock, Context, r, role)
			f.Summary = fmt.Sprintf("%s for %s: where GUI threads pile up, not why; %s.", waits(r.Waiting(), "thread"), d.lockAs(r.Addr, role), d.ownerDoes(&f))
			f.Explanation = d.roleText(r.Addr, role)
			out = append(out, f)
		}
		d.gapOfWaiters()
		return out
	})
}

// gapOfWaiters asks for the stack of a waiter where one would tell what a lock
// is: of the lock with most waiters that is as contended as the user lock is, if
// neither a symbol nor the stack of a waiter names it.
func (d *diagnosis) gapOfWaiters() {
	for _, r := range d.waitedMost {
		if r.Contention.N < hot || r.Symbol != "" || d.roleOf(r.Addr) != nil {
			continue
		}
		if first := d.waiterWithoutStack(r); first != 0 {
			d.gap(kd.Gap{What: "what lock " + d.lock(r.Addr) + " is, which the stacks of its waiters tell", Why: kd.NotInInput, Next: "!thread " + d.addr(first) + " 1f"})
		}
		return
	}
}

// waiterWithoutStack returns the first listed waiter of a resource, 0 if there is
// none or one of the first few has a stack.
func (d *diagnosis) waiterWithoutStack(r *snapshot.Resource) kd.Addr {
	const most = 32
	listed := slices.DeleteFunc(slices.Concat(r.ExclusiveWaiters, r.SharedWaiters), locks.Waiter.Marker)
	for _, w := range listed[:min(len(listed), most)] {
		if t := d.snap.Thread(w.Thread); t != nil && len(t.Stack.Frames) > 0 {
			return 0
		}
	}
	if len(listed) == 0 {
		return 0
	}
	return listed[0].Thread
}
