package heuristics

import (
	"fmt"

	"kdlocks/kd"
	"kdlocks/waitgraph"
)

var selfDeadlockUpgrade = &Check{
	ID:       "self-deadlock-upgrade",
	Title:    "Thread owns a resource shared and waits for it exclusively",
	Severity: Critical,
	Means: `A thread is among the shared owners of an ERESOURCE and in its list of exclusive waiters. Exclusive access needs all shared owners to leave, the thread itself included, and it cannot leave while it waits.
Seen must be: the thread's address in both lists of the same block.`,
	WhenWrong:  `The entry in the owner list is a shared waiter that the debugger marked <*>. The count -02 is recursion and not a second thread. ExConvertExclusiveToShared is the opposite, and legal.`,
	Disproof:   "The thread is in only one of the two lists when !locks -v prints the resource again.",
	Remedy:     "Update the driver that asks. For its developer: release the shared access before asking for exclusive access; an ERESOURCE cannot be upgraded.",
	Next:       "!locks -v <resource>",
	References: []string{"Microsoft Learn: ExAcquireResourceExclusiveLite routine"},
}

func init() {
	register(selfDeadlockUpgrade, func(d *diagnosis) []Finding {
		return d.upgrades(upgradeSelf)
	})
}

var sharedOwnersUpgrade = &Check{
	ID:       "deadlock-shared-owners-upgrade",
	Title:    "Several shared owners of a resource wait for it exclusively",
	Severity: Critical,
	Means: `Two or more threads own an ERESOURCE shared and all wait for exclusive access to it. Each waits for the others and for itself.
Seen must be: each thread's address among the owners and among the exclusive waiters of the same block.`,
	WhenWrong:  `Entries of the owner list are shared waiters that the debugger marked <*>.`,
	Disproof:   "Not more than one of the threads is in both lists when !locks -v prints the resource again.",
	Remedy:     "Update the driver that asks. For its developer: release the shared access before asking for exclusive access; an ERESOURCE cannot be upgraded.",
	Next:       "!locks -v <resource>",
	References: []string{"Microsoft Learn: ExAcquireResourceExclusiveLite routine"},
}

func init() {
	register(sharedOwnersUpgrade, func(d *diagnosis) []Finding {
		return d.upgrades(upgradeShared)
	})
}

func (d *diagnosis) upgrades(want pattern) []Finding {
	var out []Finding
	for _, k := range d.knots {
		if len(out) > MostFindings {
			break
		}
		p, o := d.shape(k)
		if p != want {
			continue
		}
		c := selfDeadlockUpgrade
		if want == upgradeShared {
			c = sharedOwnersUpgrade
		}
		f := d.knotFinding(c, k)
		r := d.entry[o]
		if want == upgradeShared {
			d.takeUpgraders(&f, r.Addr)
		}
		f.Suspect = d.suspectOf(f.Threads)
		f.Next = append(d.nextForThreads(f.Threads), "!locks -v "+d.addr(r.Addr))
		f.Summary = d.upgradeSummary(f, r.Addr)
		f.Explanation = fmt.Sprintf("%s is owned shared by %s. Of these owners, %s in the list \"Threads Waiting On Exclusive Access\" of the same resource. Exclusive access is granted when the last shared owner has left; an owner that waits for it never leaves.",
			capital(d.lock(r.Addr)), kd.Plural(len(r.Owners), "thread"), stands(len(f.Threads)))
		out = append(out, f)
	}
	return out
}

func stands(n int) string {
	if n == 1 {
		return "1 also stands"
	}
	return fmt.Sprintf("%d also stand", n)
}

// takeUpgraders makes the finding about all owners that ask for exclusive
// access.
func (d *diagnosis) takeUpgraders(f *Finding, lock kd.Addr) {
	f.Threads = d.upgraders(lock)
	in := make(map[kd.Addr]bool)
	f.Cycle = f.Cycle[:0]
	for i, t := range f.Threads {
		in[t] = true
		f.Cycle = append(f.Cycle, Step{Thread: t, WaitsFor: lock, What: waitgraph.ERESOURCE, Grade: f.Grade, HeldBy: f.Threads[(i+1)%len(f.Threads)]})
		n := d.graph.Find(t)
		for _, e := range d.graph.Out[n] {
			d.seenEdge(f, d.graph.Edges[e])
		}
	}
	r := d.snap.Resource(lock)
	for i := range r.Resolved {
		if in[r.Resolved[i].Thread] {
			d.seenOwner(f, &r.Resolved[i])
		}
	}
	f.Others = without(f.Others, in)
	f.Bystanders = without(f.Bystanders, in)
	f.Blocked = max(0, f.Blocked-(len(f.Threads)-1))
}

func without(list []kd.Addr, in map[kd.Addr]bool) []kd.Addr {
	var out []kd.Addr
	for _, a := range list {
		if !in[a] {
			out = append(out, a)
		}
	}
	return out
}

func (d *diagnosis) upgradeSummary(f Finding, lock kd.Addr) string {
	var s string
	sure := map[Confidence]string{Certain: ": a deadlock", VeryLikely: ": very likely a deadlock"}[f.Confidence]
	if sure == "" {
		sure = ": suspected, not proven"
	}
	if len(f.Threads) == 1 {
		s = fmt.Sprintf("%s deadlocked on itself: it owns %s shared and waits for exclusive access to it.", d.has(f), d.lock(lock))
	} else {
		s = fmt.Sprintf("%s of %s wait for exclusive access to it and none can leave%s.", kd.Plural(len(f.Threads), "shared owner"), d.lock(lock), sure)
	}
	if f.Blocked > 0 {
		s += fmt.Sprintf(" %s behind.", waits(f.Blocked, "other thread"))
	}
	return s
}
