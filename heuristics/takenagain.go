package heuristics

import (
	"fmt"
	"strings"

	"kdlocks/kd"
	"kdlocks/stacks"
	"kdlocks/threads"
	"kdlocks/waitgraph"
)

// takenAgain is a routine of a driver that asks for a lock which cannot be taken
// twice, while an earlier call of the same routine is on the same stack with
// Windows in between: the driver was entered again from inside itself.
type takenAgain struct {
	kind         threads.WaitFor
	wait         int // the frame that waits for the lock
	inner, outer int // the two frames of the routine
}

// asksAgain finds such a routine. Recursion inside the driver alone is not
// meant: that is how trees are walked, with a lock of each node.
func asksAgain(t *threads.Thread) (takenAgain, bool) {
	kind, w := ownerless(t), t.Waits()
	if kind == threads.ForUnknown || w.For != kind || w.Function.Shared || t.Timed() || isYoung(t) {
		return takenAgain{}, false
	}
	i := nearest(t, w.Frame)
	if i < 0 || !askedBy(t, w.Frame, i) || !exact(t, i) {
		return takenAgain{}, false
	}
	f, through := &t.Stack.Frames[i], false
	for k := i + 1; k < len(t.Stack.Frames); k++ {
		g := &t.Stack.Frames[k]
		through = through || stacks.OfWindows(g.Module)
		if g.Function == f.Function && strings.EqualFold(g.Module, f.Module) {
			return takenAgain{kind, w.Frame, i, k}, through && exact(t, k)
		}
	}
	return takenAgain{}, false
}

// askedBy reports whether nothing but the routines of the lock stand between a
// wait and a frame.
func askedBy(t *threads.Thread, wait, frame int) bool {
	for _, f := range t.Stack.Frames[wait+1 : frame] {
		if !f.Inline && !strings.Contains(f.Function, "Acquire") {
			return false
		}
	}
	return true
}

// suspectedTakenAgain are threads that may wait for a lock that they took before:
// a suspicion, for which lock the outer call took is on no stack. Where dt shows
// the owner, that decides.
func (d *diagnosis) suspectedTakenAgain() []Finding {
	var out []Finding
	again := d.printedAgain()
	d.eachThread(func(b *threads.Brief) bool { return b.State == threads.Waiting && b.Has(threads.LockWait) }, func(t *threads.Thread) bool {
		if a, ok := asksAgain(t); ok && !d.waitsForListed(t) && !d.ownerShown(t) && !again(t) {
			out = append(out, d.takenAgainFinding(t, a))
		}
		return len(out) <= MostFindings
	})
	return out
}

func (d *diagnosis) takenAgainFinding(t *threads.Thread, a takenAgain) Finding {
	f := selfDeadlockNonRecursive.finding(SuspectedDeadlock)
	f.Severity, f.Confidence, f.Grade = High, Possible, waitgraph.C
	if t.Addr != 0 {
		f.Threads = []kd.Addr{t.Addr}
		f.Bystanders, f.Blocked = d.behind(t.Addr)
		f.seen(t.At, t.Addr, "the thread that waits")
	}
	d.seenFrame(&f, t, a.wait, "what it waits in")
	d.seenFrame(&f, t, a.inner, "the routine that asks for the lock")
	d.seenFrame(&f, t, a.outer, "an earlier call of the same routine")
	driver, routine := driverName(t.Stack.Frames[a.inner].Module), t.Stack.Frames[a.inner].Name()
	f.Suspect = &Suspect{Module: driver, Reason: fmt.Sprintf("it asks for the lock inside an earlier call of the same routine: %s", frame(t, a.inner))}
	f.Summary = fmt.Sprintf("Suspected, not proven: %s waits for %s that it may have taken itself: %s asks for it inside an earlier call of the same routine.", d.whose(t), a.kind, t.Stack.Frames[a.inner].Module+"!"+t.Stack.Frames[a.inner].Function)
	f.Explanation = fmt.Sprintf("%s called out of %s and was entered again through Windows before it had returned: the inner call is %s. If the outer call holds the lock for which the inner one waits, the thread waits for itself; such a lock cannot be taken twice. Which lock the outer call took, and whether it has given it back, is on no stack.%s",
		frame(t, a.outer), driver, frame(t, a.inner), ticksOf(t))
	f.Disproof = fmt.Sprintf("Each call of %s takes another lock or the outer one has given it back: then another thread holds it, and a second capture may show this one going on.", routine)
	f.Remedy = "Look for another thread that holds the lock. Where there is none, the driver must not call out of this routine with the lock held."
	f.Next = d.askOwner(t)
	return f
}
