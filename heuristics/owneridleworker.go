package heuristics

import (
	"fmt"
	"strings"

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

// mostIdle bounds the locks of idle workers that are counted, and the workers
// that are read whole for it. A finding names the first nameIdle of them.
const mostIdle, nameIdle = 1000, 3

func init() {
	register(ownerIdleWorker, func(d *diagnosis) []Finding {
		var alone []idleOwner
		more := false
		out := d.eachOwner(func(r *snapshot.Resource, o *snapshot.Owner) *Finding {
			if !waited(r) && len(alone) == mostIdle {
				more = true
				return nil
			}
			t := d.idleWorker(o)
			switch {
			case t == nil:
				return nil
			case waited(r):
				return d.idleWorkerFinding(r, o, t)
			}
			alone = append(alone, idleOwner{r, o, t})
			return nil
		})
		if len(alone) == 1 {
			out = append(out, *d.idleWorkerFinding(alone[0].lock, alone[0].owner, alone[0].thread))
		}
		if len(alone) > 1 {
			out = append(out, d.idleWorkersFinding(alone, more))
		}
		return out
	})
}

// idleOwner is a lock that nobody waits for and its owner, an idle worker.
type idleOwner struct {
	lock   *snapshot.Resource
	owner  *snapshot.Owner
	thread *threads.Thread
}

// idleWorker returns the thread of an owner that is an idle system worker, nil
// of any other.
func (d *diagnosis) idleWorker(o *snapshot.Owner) *threads.Thread {
	if b := d.snap.Brief(o.Thread); b != nil && !b.Has(threads.QueueWait) {
		return nil
	}
	t := d.snap.Thread(o.Thread)
	if t == nil || o.Live == threads.No || !isIdleWorker(t) {
		return nil
	}
	return t
}

// idleWorkersFinding tells of several locks that nobody waits for at once.
func (d *diagnosis) idleWorkersFinding(alone []idleOwner, more bool) Finding {
	f := ownerIdleWorker.finding(NoDeadlock)
	f.Confidence = Likely
	var named []string
	workers, locks := make(map[kd.Addr]bool), make(map[kd.Addr]bool)
	for i, a := range alone {
		f.Grade = max(f.Grade, ownerGradeOf(a.lock, a.owner))
		if !locks[a.lock.Addr] {
			f.Resources = append(f.Resources, a.lock.Addr)
			locks[a.lock.Addr] = true
		}
		if !workers[a.owner.Thread] {
			f.Threads = append(f.Threads, a.owner.Thread)
			workers[a.owner.Thread] = true
		}
		if i < nameIdle {
			named = append(named, d.lock(a.lock.Addr)+" by "+d.thread(a.owner.Thread))
			f.seenLock(a.lock)
			d.seenOwner(&f, a.owner)
			f.seen(a.thread.At, a.thread.Addr, "the owner waits for work")
			d.seenFrame(&f, a.thread, a.thread.FindFrame("KeRemoveQueue", "KeRemovePriQueue"), "it waits in its queue")
		}
	}
	if left := len(alone) - nameIdle; left > 0 {
		named = append(named, kd.Plural(left, "more owner entry"))
	}
	count := kd.Plural(len(locks), "lock")
	if more {
		count = "at least " + count
	}
	f.Summary = fmt.Sprintf("Idle system workers (%d) own %s that nobody waits for: %s.", len(workers), count, strings.Join(named, ", "))
	f.Explanation = "A worker that waits for its next work item cannot release a lock by itself: the owners are labels for something that completes elsewhere, or the locks were leaked."
	f.Next = []string{"!thread " + d.addr(f.Threads[0]), "!irpfind"}
	return f
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
