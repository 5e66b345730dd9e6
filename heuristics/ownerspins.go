package heuristics

import (
	"fmt"
	"slices"

	"kdlocks/kd"
	"kdlocks/threads"
	"kdlocks/waitgraph"
)

var ownerSpins = &Check{
	ID:       "owner-spins",
	Title:    "A thread that runs spins for a spin lock",
	Severity: Info,
	Means: `The thread is on a processor and asks for a spin lock again and again. Spin locks are held for microseconds; who spins for longer waits for a processor that never gives the lock back. The lists of ERESOURCEs cannot explain that: spin locks are in none of them. Locks that the thread owns have waiters because it cannot go on.
Seen must be: the state RUNNING, and the routine that spins on its stack. That it lasts is told by the stop code 0x133 or 0x101, or by the time since the thread was last switched in.`,
	WhenWrong: `One capture is a photograph: a thread may be met at the moment at which it spins. Without the stop code, and with a short time, it is a hint only. With 0x101 the one that spins is often a victim of the processor that does not respond.`,
	Disproof:  "A second capture shows the thread elsewhere; !qlocks and the lock's own field show it free.",
	Remedy:    "Find who owns the spin lock: !qlocks for queued ones, else what the other processors run (!running -it) and who wrote the lock last. A driver that takes a spin lock twice on one processor waits for itself.",
	Next:      "!qlocks",
	References: []string{
		"Microsoft Learn: !qlocks", "Microsoft Learn: Introduction to Spin Locks",
		"DebugPrivilege/InsightEngineering, Spinlock: a thread that has spun for 5 minutes",
	},
}

func init() {
	register(ownerSpins, func(d *diagnosis) []Finding {
		var out []Finding
		again := d.printedAgain()
		d.eachThread(func(b *threads.Brief) bool { return b.State == threads.Running && b.Has(threads.Special) }, func(t *threads.Thread) bool {
			if spins(t) && !again(t) {
				out = append(out, d.spinFinding(t))
			}
			return len(out) <= MostFindings
		})
		return out
	})
}

// spins reports whether a thread is on a processor and spins, or was interrupted
// where it asked for a spin lock.
func spins(t *threads.Thread) bool {
	at, owned := t.Spins()
	return t.OnProcessor() && at >= 0 && (owned || t.Interrupted() > 0)
}

func (d *diagnosis) spinFinding(t *threads.Thread) Finding {
	f := ownerSpins.finding(NoDeadlock)
	f.Confidence, f.Grade = Possible, waitgraph.C
	if t.Addr != 0 {
		f.Threads = []kd.Addr{t.Addr}
		f.Bystanders, f.Blocked = d.behind(t.Addr)
	}
	f.seen(t.At, t.Addr, "it runs")
	at, owned := t.Spins()
	d.seenFrame(&f, t, at, "it spins for a spin lock")
	where := "a processor"
	if t.Processor >= 0 {
		where = fmt.Sprintf("processor %d", t.Processor)
	}
	f.Summary = fmt.Sprintf("%s runs on %s and spins for a spin lock (%s): no list of ERESOURCEs can say who owns that.", capital(d.whose(t)), where, t.Stack.Frames[at].Name())
	f.Explanation = fmt.Sprintf("It stands in %s.", frame(t, at)) + ticksOf(t)
	if f.Blocked > 0 {
		f.Kind, f.Severity = BlockedChain, Medium
		f.Explanation += fmt.Sprintf(" %s behind it for a lock that it owns.", capital(waits(f.Blocked, "thread")))
	}
	f.Suspect = suspectOnProcessor(t)
	s := d.watchdog()
	if s != nil || owned && t.WaitMS > rearmed {
		f.Kind, f.Severity, f.Confidence = Stall, High, Likely
	}
	if s != nil {
		f.seen(d.snap.Target.Bugcheck.At, kd.Addr(d.snap.Target.Bugcheck.Code), "the stop code")
		f.Explanation += " The machine stopped with " + d.stopName() + ". " + d.saysOf(s)
	}
	f.Explanation += d.whoOwnsQueued(&f, t.Processor)
	f.Next = []string{"!qlocks", "!running -it"}
	return f
}

// whoOwnsQueued says which queued spin lock a processor waits for and who owns
// it, as !qlocks shows it.
func (d *diagnosis) whoOwnsQueued(f *Finding, cpu int) string {
	if cpu < 0 {
		return ""
	}
	for _, q := range d.snap.QueuedLocks {
		if !slices.Contains(q.Waiters, cpu) || q.Owner < 0 {
			continue
		}
		text := fmt.Sprintf(" !qlocks shows processor %d waiting for %s, which processor %d owns", cpu, q.Name, q.Owner)
		for _, p := range d.snap.Processors {
			if p.CPU == q.Owner && p.Current != 0 {
				text += "; there runs " + d.thread(p.Current)
				f.seen(p.At, p.Current, "it runs on the processor that owns the spin lock")
			}
		}
		return text + "."
	}
	return ""
}
