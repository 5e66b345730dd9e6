package heuristics

import (
	"fmt"
	"slices"

	"kdlocks/kd"
	"kdlocks/threads"
	"kdlocks/waitgraph"
)

var ownerRunning = &Check{
	ID:       "owner-running",
	Title:    "Owner of a lock with waiters is running",
	Severity: Medium,
	Means: `The thread at the end of the wait chain runs on a processor: it holds the lock for long or takes it again and again, but this lock does not hold it.
Seen must be: the state RUNNING in its THREAD block.`,
	WhenWrong:  `The thread that triggered the dump, or that the debugger broke in on, always reads RUNNING. It may spin on something else.`,
	Disproof:   "A second capture shows the thread waiting.",
	Remedy:     "Look at what it does: its stack, its KernelTime against the uptime, !dpcs.",
	Next:       "!thread <owner>",
	References: []string{"Microsoft Learn: !thread", "Microsoft Learn: !running"},
}

func init() {
	register(ownerRunning, func(d *diagnosis) []Finding {
		return d.ownersInState(ownerRunning, "runs on a processor: this lock does not hold it", threads.Running)
	})
}

var ownerReady = &Check{
	ID:       "owner-ready",
	Title:    "Owner of a lock with waiters is ready and does not get a processor",
	Severity: Medium,
	Means: `The thread at the end of the wait chain could run and is not running: processor starvation or priority inversion, if it lasts.
Seen must be: READY, STANDBY or DEFERREDREADY in its THREAD block. With many ticks since it became ready it is starved; with few it is normal life.`,
	WhenWrong:  `One capture with few ticks is a photograph of a thread about to run.`,
	Disproof:   "A second capture shows it running, or the lock released.",
	Remedy:     "Look for threads of higher priority that run all the time: !ready, !running -it.",
	Next:       "!ready",
	References: []string{"Microsoft Learn: !ready"},
}

func init() {
	register(ownerReady, func(d *diagnosis) []Finding {
		return d.ownersInState(ownerReady, "is ready to run and waits for a processor", threads.Ready, threads.Standby, threads.DeferredReady)
	})
}

func (d *diagnosis) ownersInState(c *Check, what string, want ...threads.State) []Finding {
	may := func(b *threads.Brief) bool { return slices.Contains(want, b.State) }
	return d.eachRoot(may, func(r waitgraph.Root, t *threads.Thread, a kd.Addr) *Finding {
		if t == nil || !t.Printed() {
			return nil
		}
		for _, s := range want {
			if t.State != s {
				continue
			}
			f := d.rootFinding(c, BlockedChain, r, a)
			f.Summary = fmt.Sprintf("%s behind %s, which %s.", capital(waits(r.Blocked, "thread")), d.thread(a), what)
			f.Explanation = fmt.Sprintf("The owner itself (line %d) is printed as %s.", t.At.Line, t.State)
			f.Explanation += ticksOf(t)
			d.drawChain(f, r)
			f.Next = []string{"!thread " + d.addr(a)}
			if c == ownerReady {
				f.Next = append(f.Next, c.Next)
			}
			return f
		}
		return nil
	})
}

func ticksOf(t *threads.Thread) string {
	switch {
	case t.WaitMS < 0:
		return ""
	case t.State == threads.Waiting:
		return fmt.Sprintf(" This wait began %s before the capture.", span(t.WaitMS))
	}
	return fmt.Sprintf(" It was last queued or switched %s before the capture.", span(t.WaitMS))
}
