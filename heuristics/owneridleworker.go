package heuristics

import (
	"fmt"

	"kdlocks/kd"
	"kdlocks/snapshot"
	"kdlocks/threads"
)

var ownerIdleWorker = &Check{
	ID:       "owner-idle-worker",
	Title:    "Lock is owned by a system worker thread that is idle",
	Severity: Info,
	Means: `The owner is a system worker that waits for its next work item (WrQueue, KeRemoveQueue under ExpWorkerThread). Either the owner is a label and the lock is released by an I/O completion, or a work item returned without releasing. On a healthy machine such owners exist; with waiters it deserves a look.
Seen must be: the thread's wait reason, or the queue routine directly under the worker routine on its stack.`,
	WhenWrong:  `The lock was handed over on purpose and the completion is on its way.`,
	Disproof:   "A second capture shows the lock released.",
	Remedy:     "Find the IRP or file object that the lock belongs to, and what it waits for.",
	Next:       "!irpfind",
	References: []string{"Microsoft Learn: !locks (!kdext*.locks), sample of !locks -v"},
}

func init() {
	register(ownerIdleWorker, func(d *diagnosis) []Finding {
		return d.eachOwner(func(r *snapshot.Resource, o *snapshot.Owner) *Finding {
			if b := d.snap.Brief(o.Thread); b != nil && !b.Has(threads.QueueWait) {
				return nil
			}
			t := d.snap.Thread(o.Thread)
			if t == nil || o.Live == threads.No || !isIdleWorker(t) {
				return nil
			}
			return d.idleWorkerFinding(r, o, t)
		})
	})
}

func (d *diagnosis) idleWorkerFinding(r *snapshot.Resource, o *snapshot.Owner, t *threads.Thread) *Finding {
	f := ownerIdleWorker.finding(NoDeadlock)
	f.Confidence, f.Grade = Likely, ownerGradeOf(r, o)
	f.Threads, f.Resources = []kd.Addr{o.Thread}, []kd.Addr{r.Addr}
	f.Bystanders, f.Blocked = d.behind(o.Thread)
	f.seenLock(r)
	d.seenOwner(&f, o)
	f.seen(t.At, t.Addr, "the owner waits for work")
	d.seenFrame(&f, t, t.FindFrame("KeRemoveQueue", "KeRemovePriQueue"), "it waits in its queue")
	f.Summary = fmt.Sprintf("%s is owned by %s, an idle system worker; nobody waits for it.", d.lock(r.Addr), d.thread(o.Thread))
	f.Explanation = "A worker that waits for its next work item cannot release the lock by itself: the owner is a label for something that completes elsewhere, or the lock was leaked."
	if waited(r) {
		f.Kind, f.Severity = BlockedChain, High
		f.Summary = fmt.Sprintf("%s behind %s, an idle system worker that owns %s: handed over or leaked.", capital(waits(r.Waiting(), "thread")), d.thread(o.Thread), d.lock(r.Addr))
	}
	f.Next = []string{"!thread " + d.addr(o.Thread), "!irpfind"}
	return &f
}
