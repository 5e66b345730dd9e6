package heuristics

import (
	"fmt"

	"kdlocks/locks"
	"kdlocks/snapshot"
	"kdlocks/threads"
	"kdlocks/waitgraph"
)

// suspectedOwnerPointers are owners through a pointer on their own stack that
// wait for some resource which no list names, while this one has a waiter that
// is announced and not listed: an association, not a proof.
func (d *diagnosis) suspectedOwnerPointers() []Finding {
	var out []Finding
	for _, r := range d.snap.Resources {
		if r.Reading == locks.Irreconcilable {
			continue
		}
		shared, exclusive := r.Unlisted()
		for i := range r.Resolved {
			o := &r.Resolved[i]
			if !o.Pointer || o.Live != threads.Yes {
				continue
			}
			t := d.snap.Thread(o.Thread)
			if t == nil || !waitsForResource(t) || d.waitsForListed(t) || d.waitsElsewhere(r, t) {
				continue
			}
			if exclusive > 0 || shared > 0 && r.Mode == locks.Exclusive {
				out = append(out, d.suspectedOwnerPointer(r, o, t))
			}
		}
	}
	return out
}

func (d *diagnosis) waitsForListed(t *threads.Thread) bool {
	i := d.graph.Find(t.Addr)
	return i >= 0 && len(d.graph.Out[i]) > 0
}

func (d *diagnosis) suspectedOwnerPointer(r *snapshot.Resource, o *snapshot.Owner, t *threads.Thread) Finding {
	f := selfDeadlockOwnerPointer.finding(SuspectedDeadlock)
	f.Severity, f.Confidence, f.Grade = High, Possible, waitgraph.D
	f.Threads = append(f.Threads, t.Addr)
	f.Resources = append(f.Resources, r.Addr)
	f.seenLock(r)
	d.seenOwner(&f, o)
	routine, caller := acquire(t)
	d.seenFrame(&f, t, routine, "it waits for some resource here")
	d.seenFrame(&f, t, caller, "its caller")
	f.Blocked = max(0, r.Waiting()-1)
	f.Suspect = d.ownerPointerSuspect(t, o)
	f.Summary = fmt.Sprintf("Suspected, not proven: %s owns %s through an owner pointer on its own stack and waits for a resource; a waiter of this one is announced and not listed.", d.thread(t.Addr), d.lock(r.Addr))
	f.Explanation = fmt.Sprintf("The owner %s is an owner pointer. %s %s The thread waits for an ERESOURCE, but it is in no waiter list of the input, so which one is not known. It may be this very resource: %d waiters are announced and %d are listed.",
		d.addr(o.Raw), d.whereIsPointer(o), slot(t, o), r.SharedWaiterCount.N+r.ExclusiveWaiterCount.N, len(r.SharedWaiters)+len(r.ExclusiveWaiters))
	f.Remedy = "Type the next commands: they decide."
	f.Disproof = "The thread's wait object is neither SharedWaiters nor ExclusiveWaiters of this resource, and the whole waiter list does not name it."
	f.Next = []string{"!locks -v " + d.addr(r.Addr)}
	if d.snap.ResourceFields(r.Addr) == nil {
		f.Next = append(f.Next, d.compareWait(r))
	} else {
		f.Explanation += " What dt shows of the resource does not name the thread and does not rule it out: it is not the first in the chain of waiters, or does not wait for this resource."
	}
	return f
}
