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
Seen must be: READY, STANDBY or DEFERREDREADY in its THREAD block. With five seconds or more since it became ready it is starved, and threads of higher priority that can run say by whom; with few ticks it is normal life.`,
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
			if why, _ := d.runsForCapture(t); why != "" {
				return nil // said by owner-captured-running
			}
			f := d.rootFinding(c, BlockedChain, r, a)
			f.Summary = fmt.Sprintf("%s behind %s, which %s.", capital(waits(r.Blocked, "thread")), d.thread(a), what)
			f.Explanation = fmt.Sprintf("The owner itself (line %d) is printed as %s.", t.At.Line, t.State)
			f.Explanation += ticksOf(t)
			d.drawChain(f, r)
			f.Next = []string{"!thread " + d.addr(a)}
			if f.Suspect = suspectOnProcessor(t); f.Suspect != nil {
				d.seenFrame(f, t, onTop(t, t.Interrupted()), "what it ran")
			}
			if c == ownerReady {
				d.tellReady(f, t)
			}
			return f
		}
		return nil
	})
}

// starvedMS is how long a thread must be ready for it to count as starved: more
// than the balance set manager needs to boost it, which looks every second for
// threads that were ready for about four (Windows Internals, 7th edition, part
// 1, chapter 4).
const starvedMS = 5000

// tellReady says whether an owner that is ready is starved, and by whom.
func (d *diagnosis) tellReady(f *Finding, t *threads.Thread) {
	f.Next = append(f.Next, ownerReady.Next, "!running -it")
	switch {
	case t.WaitMS < 0:
		f.Explanation += " For how long it has been ready is not in the input: with few ticks that is normal life."
		return
	case t.WaitMS < starvedMS:
		f.Severity = Low
		f.Explanation += " That is normal life: a thread that is about to run."
		return
	}
	f.Summary = fmt.Sprintf("%s behind %s, which has been ready for %s and does not get a processor: starved, most likely.", capital(waits(f.Blocked, "thread")), d.thread(t.Addr), span(t.WaitMS))
	f.Explanation += " A thread that is ready for so long is starved, or its processor does not schedule."
	over := d.runsBefore(t)
	if len(over) == 0 {
		f.Explanation += " What runs in its place is not in the input."
		return
	}
	f.Severity = High
	o := over[0]
	f.seen(o.At, o.Addr, "it goes before the owner")
	f.Summary += fmt.Sprintf(" %s goes before it (%s, priority %d against %d).", capital(d.thread(o.Addr)), o.State, o.Priority, t.Priority)
	f.Explanation += fmt.Sprintf(" %s of higher priority can run: priority inversion, if they do not let go.", kd.Plural(len(over), "thread"))
}

// runsBefore returns threads of higher priority than a ready one that run, or
// are ready, too, on its processor where that is known.
func (d *diagnosis) runsBefore(t *threads.Thread) []*threads.Thread {
	if t.Priority < 0 {
		return nil
	}
	var out []*threads.Thread
	see := func(o *threads.Thread) {
		here := o.Processor < 0 || t.Processor < 0 || o.Processor == t.Processor
		if (o.State == threads.Running || o.State == threads.Ready) && o.Priority > t.Priority && here {
			out = append(out, o)
		}
	}
	for _, o := range d.snap.Threads {
		see(o)
	}
	rest := d.snap.Skimmed()
	read := 0
	for i := range rest {
		if b := &rest[i]; b.State == threads.Running && read < mostProcessors {
			read++
			if o := d.snap.Thread(b.Addr); o != nil {
				see(o)
			}
		}
	}
	return out
}

// mostProcessors bounds the running threads of a long listing that are read: no
// machine has more processors (Microsoft Learn: Processor Groups).
const mostProcessors = 2048

func ticksOf(t *threads.Thread) string {
	switch {
	case t.WaitMS < 0:
		return ""
	case t.State == threads.Waiting:
		return fmt.Sprintf(" This wait began %s before the capture.", span(t.WaitMS))
	}
	return fmt.Sprintf(" It was last queued or switched %s before the capture.", span(t.WaitMS))
}
