package heuristics

import (
	"fmt"

	"kdlocks/kd"
	"kdlocks/locks"
	"kdlocks/snapshot"
	"kdlocks/threads"
	"kdlocks/waitgraph"
)

var ownerUnresolved = &Check{
	ID:       "owner-unresolved",
	Title:    "Owner of a lock with waiters cannot be named",
	Severity: High,
	Means: `The owner entry of an ERESOURCE with waiters is no thread address, and no stack in the input, or more than one, holds the address. It is an owner pointer (ExSetResourceOwnerPointer), or a thread that is gone or unreadable. Whether this is a deadlock is open.
Seen must be: the owner entry, and waiters by list or count.`,
	WhenWrong:  `The stack that holds it was not pasted, or its Base and Limit are missing. The thread's stack was expanded and the pointer lies in an earlier segment that no frame shows.`,
	Disproof:   "!thread on the value names a thread.",
	Remedy:     "Type the next commands.",
	Next:       "!thread <owner value> e",
	References: []string{"Microsoft Learn: ExSetResourceOwnerPointer routine", "Microsoft Learn: !thread"},
}

func init() {
	register(ownerUnresolved, func(d *diagnosis) []Finding {
		return d.eachOwner(func(r *snapshot.Resource, o *snapshot.Owner) *Finding {
			if o.Thread != 0 || !waited(r) {
				return nil
			}
			return d.unresolvedFinding(r, o)
		})
	})
}

var ownerStalePointer = &Check{
	ID:       "owner-stale-pointer",
	Title:    "Owner pointer lies in a part of a stack that has returned",
	Severity: High,
	Means: `The owner pointer of an ERESOURCE with waiters lies on the stack of a thread, but below its stack pointer: the frame that held it has returned. The owner was leaked, or the stack was used again since. It is not held by what this thread does now.
Seen must be: the owner entry, the stack range and the stack pointer (Current, or the innermost Child-SP).`,
	WhenWrong:  `The pointer was set by a thread whose stack this memory was before. The printed Current is old because the thread runs.`,
	Disproof:   "A later capture shows the resource released, or !thread on the value names another thread.",
	Remedy:     "Search the drivers that set owner pointers for a path that returns without releasing.",
	Next:       "!thread <owner value> e",
	References: []string{"Microsoft Learn: ExSetResourceOwnerPointer routine"},
}

func init() {
	register(ownerStalePointer, func(d *diagnosis) []Finding {
		return d.eachOwner(func(r *snapshot.Resource, o *snapshot.Owner) *Finding {
			if o.Live != threads.No || !waited(r) {
				return nil
			}
			return d.staleFinding(r, o)
		})
	})
}

// eachOwner collects findings over the owners of resources whose lists can be
// trusted, up to one more than are kept.
func (d *diagnosis) eachOwner(find func(*snapshot.Resource, *snapshot.Owner) *Finding) []Finding {
	var out []Finding
	for _, r := range d.snap.Resources {
		if r.Reading == locks.Irreconcilable {
			continue
		}
		for i := range r.Resolved {
			if len(out) > MostFindings {
				return out
			}
			if f := find(r, &r.Resolved[i]); f != nil {
				out = append(out, *f)
			}
		}
	}
	return out
}

// waiters lists the threads in a resource's waiter lists.
func waiters(r *snapshot.Resource) []kd.Addr {
	var out []kd.Addr
	for _, list := range [][]locks.Waiter{r.SharedWaiters, r.ExclusiveWaiters} {
		for _, w := range list {
			if !w.Marker() {
				out = append(out, w.Thread)
			}
		}
	}
	return out
}

func (d *diagnosis) unresolvedFinding(r *snapshot.Resource, o *snapshot.Owner) *Finding {
	f := ownerUnresolved.finding(Undecided)
	f.Confidence, f.Grade = Certain, waitgraph.A
	f.Resources = []kd.Addr{r.Addr}
	f.Bystanders, f.Blocked = waiters(r), r.Waiting()
	f.seenLock(r)
	d.seenOwner(&f, o)
	f.Next = askAgain(d, o)
	f.Summary = fmt.Sprintf("Undecided: the owner %s of %s, which %s for, cannot be named: %s.", d.addr(o.Raw), d.lock(r.Addr), waits(r.Waiting(), "thread"), o.Why)
	f.Explanation = fmt.Sprintf("The owner entry reads %s%s. It is no thread that the input shows; %s.", d.addr(o.Raw), remarkOf(o), o.Why)
	if o.Raw.Tagged() {
		f.Explanation += " Its low bits are set, so it is most likely an address that a driver handed to ExSetResourceOwnerPointer, often one on some thread's kernel stack. If that thread is one of the waiters, it has deadlocked on itself; the input does not show it."
	}
	d.gap(kd.Gap{What: "the owner of " + d.lock(r.Addr), Why: o.Gap, Next: f.Next[0], Decides: true})
	return &f
}

// askAgain returns the commands that find out what an owner value is: !thread
// on the value, unless the debugger has been asked that already.
func askAgain(d *diagnosis, o *snapshot.Owner) []string {
	thread, pool := fmt.Sprintf("!thread %s e", d.addr(o.Raw)), "!pool "+d.addr(o.P())
	if o.Said.Known() {
		return []string{pool, fmt.Sprintf("!thread %s 1f", d.addr(o.Raw))}
	}
	return []string{thread, pool}
}

func remarkOf(o *snapshot.Owner) string {
	if o.Remark == "" {
		return ""
	}
	return fmt.Sprintf(" (*** %s)", o.Remark)
}

func (d *diagnosis) staleFinding(r *snapshot.Resource, o *snapshot.Owner) *Finding {
	f := ownerStalePointer.finding(Undecided)
	f.Confidence, f.Grade = Likely, waitgraph.B
	f.Threads, f.Resources = []kd.Addr{o.Thread}, []kd.Addr{r.Addr}
	f.Bystanders, f.Blocked = waiters(r), r.Waiting()
	f.seenLock(r)
	d.seenOwner(&f, o)
	t := d.snap.Thread(o.Thread)
	f.seen(t.Stack.InitAt, t.Stack.Current, "the stack pointer of that thread")
	f.Summary = fmt.Sprintf("Not a proven deadlock: the owner of %s points into a part of the stack of %s that has returned; the owner was leaked or is stale.", d.lock(r.Addr), d.thread(o.Thread))
	f.Explanation = d.whereIsPointer(o) + " It lies below the stack pointer of that thread, so the frame that held it is gone and this thread cannot be said to hold the resource now."
	for _, w := range f.Bystanders {
		if w == o.Thread {
			f.Kind, f.Confidence, f.Grade = SuspectedDeadlock, Possible, waitgraph.D
			f.Explanation += " The same thread waits for the resource: if nobody else releases it, it waits for its own leak."
		}
	}
	f.Next = []string{fmt.Sprintf("!thread %s e", d.addr(o.Raw)), "!locks -v " + d.addr(r.Addr)}
	if o.Said.Known() {
		f.Next = []string{"!locks -v " + d.addr(r.Addr), fmt.Sprintf("!thread %s 1f", d.addr(o.Raw))}
	}
	d.gap(kd.Gap{What: "who holds " + d.lock(r.Addr) + " now", Why: kd.NotInInput, Next: f.Next[0], Decides: true})
	return &f
}
