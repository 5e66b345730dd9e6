package heuristics

import (
	"fmt"
	"slices"
	"strings"

	"kdlocks/kd"
	"kdlocks/locks"
	"kdlocks/snapshot"
	"kdlocks/threads"
)

// hot is the contention count from which a lock is called contended; the
// count runs since boot, so it proves nothing alone.
const hot = 10_000

var contention = &Check{
	ID:       "contention",
	Title:    "Lock is contended and moves",
	Severity: Low,
	Means: `The contention count of an ERESOURCE is high and its owner runs or is ready: the lock changes hands all the time. That costs time and is no deadlock.
Seen must be: the count, and the owner's state in its THREAD block.`,
	WhenWrong:  `The count is kept since boot: a high one may be old. The owner's state may be the debugger's doing.`,
	Disproof:   "Two captures show the same count.",
	Remedy:     "See what the owner does and how often it takes the lock.",
	Next:       "!locks, twice, some seconds apart",
	References: []string{"Microsoft Learn: !locks (!kdext*.locks)"},
}

func init() {
	register(contention, func(d *diagnosis) []Finding {
		return d.eachOwner(func(r *snapshot.Resource, o *snapshot.Owner) *Finding {
			if r.Contention.N < hot || r.Mode == locks.Unowned || o.Live == threads.No {
				return nil
			}
			if b := d.snap.Brief(o.Thread); b != nil && b.State == threads.Waiting {
				return nil
			}
			t := d.snap.Thread(o.Thread)
			if t == nil {
				return nil
			}
			if why, _ := d.runsForCapture(t); why != "" {
				return nil // said by owner-captured-running
			}
			switch t.State {
			case threads.Running, threads.Ready, threads.Standby, threads.DeferredReady:
				return d.contentionFinding(r, o, t)
			}
			return nil
		})
	})
}

func (d *diagnosis) contentionFinding(r *snapshot.Resource, o *snapshot.Owner, t *threads.Thread) *Finding {
	f := contention.finding(Contention)
	f.Confidence, f.Grade = Likely, ownerGradeOf(r, o)
	f.Threads, f.Resources = []kd.Addr{o.Thread}, []kd.Addr{r.Addr}
	f.Bystanders, f.Blocked = d.behind(o.Thread)
	f.seenLock(r)
	f.seen(o.At, o.Raw, "the owner entry")
	f.seen(t.At, t.Addr, "state of the owner")
	f.Summary = fmt.Sprintf("%s is contended (%d times since boot) and moves: its owner, %s, is %s.", d.lock(r.Addr), r.Contention.N, d.thread(o.Thread), t.State)
	f.Explanation = fmt.Sprintf("%s. An owner that is %s is not held by this lock.", capital(kd.Plural(r.Waiting(), "waiter")+" at the moment of the capture"), t.State)
	f.Explanation += " The count is kept since boot and alone proves nothing: compare it with that of a second capture."
	if i := workplace(t); i >= 0 {
		f.Explanation += fmt.Sprintf(" The owner stands in %s: if it does so in the second capture, too, it takes the lock again and again in a loop.", frame(t, i))
		d.seenFrame(&f, t, i, "what the owner does")
	}
	f.Next = []string{"!locks " + d.addr(r.Addr), "!thread " + d.addr(o.Thread) + " 1f"}
	return &f
}

// workplace returns the first frame of a thread outside the kernel itself, which says
// best what it does; -1 if there is none.
func workplace(t *threads.Thread) int {
	for i := range t.Stack.Frames {
		if f := &t.Stack.Frames[i]; f.Function != "" && f.Module != "" && !slices.Contains(kernelModules, strings.ToLower(f.Module)) {
			return i
		}
	}
	return -1
}
