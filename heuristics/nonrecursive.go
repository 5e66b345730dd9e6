package heuristics

import (
	"fmt"

	"kdlocks/waitgraph"
)

var selfDeadlockNonRecursive = &Check{
	ID:       "self-deadlock-non-recursive",
	Title:    "Thread waits for a lock that it owns and that cannot be taken twice",
	Severity: Critical,
	Means: `A fast mutex, guarded mutex or pushlock does not ask who its owner is: a thread that takes one again waits for itself. (An ERESOURCE and a mutant let their owner in again.)
Seen must be: the owner that was printed out of the lock, and the same thread waiting for it. Where the owner is not printed, a thread is suspected that waits in a routine of a driver while an earlier call of the same routine, entered again through Windows, is on its stack.`,
	WhenWrong:  `The owner was read while the lock changed hands. The list and the thread are of two moments. Of a suspected one: the two calls take two locks, or the outer one had given it back.`,
	Disproof:   "The lock's Owner field names another thread, or a second capture shows the thread going on.",
	Remedy:     "Only a restart frees the thread. For the driver's developer: the routine that takes the lock is reached again, on the same thread, while it is held; the stack shows by which way.",
	Next:       "dt nt!_FAST_MUTEX <lock>",
	References: []string{"Microsoft Learn: ExAcquireFastMutex", "Microsoft Learn: Fast Mutexes and Guarded Mutexes", "DebugPrivilege/InsightEngineering, Kernel Forensics: fast mutex acquired recursively"},
}

func init() {
	register(selfDeadlockNonRecursive, func(d *diagnosis) []Finding {
		var out []Finding
		for _, k := range d.knots {
			if len(out) > MostFindings {
				break
			}
			if p, _ := d.shape(k); p == nonRecursiveSelf {
				out = append(out, d.nonRecursiveFinding(k))
			}
		}
		return append(out, d.suspectedTakenAgain()...)
	})
}

func (d *diagnosis) nonRecursiveFinding(k knot) Finding {
	f := d.knotFinding(selfDeadlockNonRecursive, k)
	step := f.Cycle[0]
	t := d.snap.Thread(step.Thread)
	f.Suspect = d.suspectOf(f.Threads)
	lock := d.waitedFor(step)
	f.Summary = fmt.Sprintf("%s deadlocked on itself: it waits for %s, which it owns already and which cannot be taken twice.", d.has(f), lock)
	if f.Blocked > 0 {
		f.Summary += fmt.Sprintf(" %s behind it.", waits(f.Blocked, "other thread"))
	}
	if f.Suspect != nil {
		f.Summary += fmt.Sprintf(" Suspect: %s.", f.Suspect.Module)
	}
	f.Explanation = fmt.Sprintf("%s waits for %s, and the owner that was printed out of the lock is the same thread. Such a lock does not let its owner in again.", capital(d.thread(step.Thread)), lock)
	if again := reentered(t); again != nil {
		d.seenFrame(&f, t, again.inner, "the inner call into "+again.module)
		d.seenFrame(&f, t, again.outer, "the outer call into "+again.module)
		f.Explanation += " " + again.text(t)
	}
	if step.WaitsFor != 0 && step.What == waitgraph.FastMutex && d.snap.Mutex(step.WaitsFor) == nil {
		f.Next = append(f.Next, "dt nt!_FAST_MUTEX "+d.addr(step.WaitsFor))
	}
	f.Next = append(f.Next, d.nextForThreads(f.Threads)...)
	return f
}
