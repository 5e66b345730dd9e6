package heuristics

import (
	"fmt"
	"slices"

	"kdlocks/kd"
	"kdlocks/locks"
	"kdlocks/snapshot"
	"kdlocks/threads"
	"kdlocks/waitgraph"
)

// diagnosis is what the detectors work on: a snapshot, its graph, and what
// was worked out of it once for all.
type diagnosis struct {
	snap  *snapshot.Snapshot
	graph *waitgraph.Graph
	knots []knot
	roots []waitgraph.Root
	gaps  []kd.Gap
	notes []kd.Note
	// sorted are the findings about roots whose wait is understood; chains is
	// what was drawn of the way to a root.
	sorted map[*Check][]Finding
	chains map[kd.Addr]*drawnChain

	gapAt map[string]int                         // index into gaps by what is missing
	owned map[kd.Addr]*snapshot.Resource         // the first resource with waiters that a thread owns
	entry map[*snapshot.Owner]*snapshot.Resource // the resource of an owner entry

	roles      map[kd.Addr]*toldRole // what locks are, nil if nothing tells
	waitedMost []*snapshot.Resource  // nil before ofFamily was asked

	stop    *stopReason // why the machine stopped, nil if nothing tells
	byFault bool        // that explains the stop, and no thread waits for a lock

	storage []*threads.Thread // that wait in the storage stack, nil before inStorage was asked
}

// knot is a component of the graph in which threads wait for each other.
type knot struct {
	nodes []int
	cycle []int // edges
	limit waitgraph.Grade
	grade waitgraph.Grade // of the weakest edge of the cycle
}

func diagnose(s *snapshot.Snapshot) *diagnosis {
	d := &diagnosis{snap: s, graph: waitgraph.Build(s), gapAt: make(map[string]int), chains: make(map[kd.Addr]*drawnChain)}
	d.indexOwners()
	d.doubtRoles(d.graph)
	d.findKnots()
	d.findRoots()
	d.stop = d.stopped()
	d.byFault = d.stoppedByFault(d.stop)
	for _, g := range s.Gaps {
		d.gap(g)
	}
	d.findGaps()
	d.gapsOfMemory()
	d.notes = append(d.notes, d.graph.Notes...)
	return d
}

// findKnots looks for components over strong edges first, so that a weak edge
// never hides or waters down what is proven without it.
func (d *diagnosis) findKnots() {
	taken := make(map[int]bool)
	for _, limit := range []waitgraph.Grade{waitgraph.B, waitgraph.C, waitgraph.D} {
		stuck := d.graph.Stuck(limit)
		for _, nodes := range d.graph.Components(limit, stuck) {
			if overlaps(nodes, taken) {
				continue
			}
			cycle, shortest := d.graph.Cycle(nodes, limit)
			if len(cycle) == 0 {
				continue
			}
			if !shortest {
				d.notes = append(d.notes, kd.Note{Text: "a cycle was found in a very large component: it may not be its shortest one"})
			}
			k := knot{nodes: nodes, cycle: cycle, limit: limit}
			for _, e := range cycle {
				k.grade = max(k.grade, d.graph.Edges[e].Grade)
				if d.graph.Nodes[d.graph.Edges[e].From].AnyOf && limit > waitgraph.B {
					k.grade = limit // what its other ways rest on counts, too
				}
			}
			d.knots = append(d.knots, k)
			for _, n := range nodes {
				taken[n] = true
			}
		}
	}
}

// findRoots keeps the roots that hold up somebody who is not in a deadlock
// anyway.
func (d *diagnosis) findRoots() {
	stuck := d.graph.Stuck(waitgraph.C)
	for _, r := range d.graph.Roots() {
		for _, e := range d.graph.In[r.Node] {
			if !stuck[d.graph.Edges[e].From] {
				d.roots = append(d.roots, r)
				break
			}
		}
	}
}

func overlaps(nodes []int, taken map[int]bool) bool {
	for _, n := range nodes {
		if taken[n] {
			return true
		}
	}
	return false
}

// A very large listing keeps most threads skimmed; to read one whole costs some
// twenty microseconds. There the detectors read fewer of them.
const (
	largeListing = 50_000 // threads
	largeShare   = 8
)

// most returns the bound n on what is read whole for a detector, a share of it
// in a very large listing.
func (d *diagnosis) most(n int) int {
	if d.snap.ThreadCount() > largeListing {
		return n / largeShare
	}
	return n
}

// mostRoots is how many roots are told, those that block most: fewer in a very
// large listing, where nobody reads the rest.
func (d *diagnosis) mostRoots() int {
	if d.snap.ThreadCount() > largeListing {
		return 64
	}
	return MostFindings
}

// kept is how many of a detector's findings are kept.
func (d *diagnosis) kept(found []Finding) int {
	if len(found) > 0 && found[0].Kind == BlockedChain {
		return d.mostRoots()
	}
	return MostFindings
}

// waited reports whether any thread waits for the resource, by list or count.
func waited(r *snapshot.Resource) bool { return r.Waiting() > 0 }

// gap records what is missing, once.
func (d *diagnosis) gap(g kd.Gap) {
	if i, ok := d.gapAt[g.What]; ok {
		d.gaps[i].Decides = d.gaps[i].Decides || g.Decides
		return
	}
	d.gapAt[g.What] = len(d.gaps)
	d.gaps = append(d.gaps, g)
}

func (d *diagnosis) indexOwners() {
	d.owned = make(map[kd.Addr]*snapshot.Resource)
	d.entry = make(map[*snapshot.Owner]*snapshot.Resource)
	for _, r := range d.snap.Resources {
		for i := range r.Resolved {
			o := &r.Resolved[i]
			d.entry[o] = r
			if o.Thread != 0 && d.owned[o.Thread] == nil && waited(r) {
				d.owned[o.Thread] = r
			}
		}
	}
}

// findGaps lists what would be needed to judge locks that have waiters and
// that no detector speaks about.
func (d *diagnosis) findGaps() {
	for _, r := range d.snap.Resources {
		switch {
		case r.HeadUntrusted:
			d.gap(kd.Gap{What: "the state of " + d.lock(r.Addr), Why: kd.Unreadable, Next: ".reload /f nt; !locks " + d.addr(r.Addr), Decides: !d.byFault})
		case r.Reading == locks.Irreconcilable && (waited(r) || len(r.Entries) > 1):
			d.gap(kd.Gap{What: "who owns " + d.lock(r.Addr) + " and who waits for it", Why: kd.Ambiguous, Next: "!locks -v " + d.addr(r.Addr), Decides: true})
		case r.Mode == locks.ModeUnknown && r.Extension == "" && !r.SharedOwners.Unread && r.Reading != locks.Irreconcilable:
			d.gap(kd.Gap{What: "how " + d.lock(r.Addr) + " is held", Why: kd.CutShort, Next: "!locks -v " + d.addr(r.Addr), Decides: true})
		case len(r.Owners) == 0 && (waited(r) || r.SharedOwners.N > 0 || r.Mode == locks.Exclusive) && r.Reading != locks.Irreconcilable:
			d.gap(kd.Gap{What: "the owner of " + d.lock(r.Addr), Why: kd.CutShort, Next: "!locks -v " + d.addr(r.Addr), Decides: true})
		}
		if r.Mode == locks.Shared && r.Reading != locks.Irreconcilable && locks.Threads(r.SharedWaiters) > 0 && len(r.ExclusiveWaiters) == 0 && r.ExclusiveWaiterCount.N == 0 && !r.ExclusiveWaiterCount.Unread {
			d.gap(kd.Gap{What: "why threads wait shared for " + d.lock(r.Addr) + ", which is owned shared and has no exclusive waiter", Why: kd.Ambiguous, Next: "!locks -v " + d.addr(r.Addr), Decides: true})
		}
		if r.Swallowed&^locks.ContentionLine != 0 {
			d.gap(kd.Gap{What: "what an author's remark may hide of " + d.lock(r.Addr), Why: kd.Unreadable, Next: "!locks -v " + d.addr(r.Addr), Decides: !waited(r)})
		}
		d.gapsOfElsewhere(r)
		d.gapsOfCounts(r)
		if n := len(r.SharedWaiters) + len(r.ExclusiveWaiters); n > 0 && !waited(r) {
			d.gap(kd.Gap{What: "who waits for " + d.lock(r.Addr) + " (its waiter list holds no thread)", Why: kd.Ambiguous, Next: "!locks -v " + d.addr(r.Addr), Decides: true})
		}
		d.gapsOfUnlisted(r)
	}
	if d.snap.HasLocks && len(d.snap.Resources) == 0 && !d.snap.Total.Known() {
		g := kd.Gap{What: "the list of held locks", Why: kd.CutShort, Next: "!locks", Decides: true}
		if d.snap.Target.WrongSymbols.Known() {
			g.Why, g.Next = kd.Unreadable, loadSymbols+"; !locks"
		}
		d.gap(g)
	}
	for _, t := range d.snap.Timeouts {
		if d.snap.Resource(t.Addr) == nil {
			d.gap(kd.Gap{What: "the resource that timed out, " + d.addr(t.Addr), Why: kd.NotInInput, Next: "!locks " + d.addr(t.Addr), Decides: true})
		}
	}
	d.gapsOfThreads()
	d.gapsOfWaits()
}

// gapsOfUnlisted asks for the waiters that a count announces and no list names.
// One that only a stack names, by an argument that may be stale, is asked for by
// its name.
func (d *diagnosis) gapsOfUnlisted(r *snapshot.Resource) {
	if r.Reading == locks.Irreconcilable {
		return
	}
	left, next := d.graph.Unlisted(r), "!locks -v "+d.addr(r.Addr)
	if n := r.UnlistedOwners(); n > 0 && waited(r) {
		d.gap(kd.Gap{What: kd.Plural(n, "owner") + " of " + d.lock(r.Addr), Why: kd.CutShort, Next: next})
	}
	if n := left.Announced(); n > 0 {
		d.gap(kd.Gap{What: kd.Plural(n, "waiter") + " of " + d.lock(r.Addr), Why: kd.CutShort, Next: next})
	}
	if n := len(left.Guessed); n > 0 {
		who := d.thread(left.Guessed[0])
		if n > 1 {
			who += fmt.Sprintf(" or one of %d more", n-1)
		}
		d.gap(kd.Gap{What: fmt.Sprintf("whether %s waits for %s: an argument on its stack says so, which may be stale, and no list", who, d.lock(r.Addr)), Why: kd.CutShort, Next: next})
	}
}

// gapsOfCounts asks for the counts whose number could not be read. Where no
// waiter of the kind is listed either, it is open whether anybody waits; and
// what stands in the place of a contention count may be of a count of waiters.
func (d *diagnosis) gapsOfCounts(r *snapshot.Resource) {
	for _, c := range []struct {
		what    string
		count   locks.Printed
		decides bool
	}{
		{"how many threads own ", r.SharedOwners, true},
		{"how many threads wait shared for ", r.SharedWaiterCount, locks.Threads(r.SharedWaiters) == 0},
		{"how many threads wait exclusively for ", r.ExclusiveWaiterCount, locks.Threads(r.ExclusiveWaiters) == 0},
		{"the contention count of ", r.Contention, !waited(r)},
	} {
		if c.count.Unread {
			d.gap(kd.Gap{What: c.what + d.lock(r.Addr), Why: kd.Unreadable, Next: "!locks -v " + d.addr(r.Addr), Decides: c.decides})
		}
	}
}

// gapsOfWaits asks who completes what threads wait for, where no lock tells a
// better story: replies, and the IRPs of threads that wait in kernel mode.
func (d *diagnosis) gapsOfWaits() {
	const most = 3
	n := 0
	for _, t := range d.snap.Threads {
		if d.snap.HasLocks || n == most {
			return
		}
		if t.State != threads.Waiting || waitsForResource(t) || t.Reply == nil && (len(t.IRPs) == 0 || t.WaitMode == "UserMode") {
			continue
		}
		next := d.nextForWait(rootIO.check, t)
		if len(next) == 0 {
			continue
		}
		n++
		d.gap(kd.Gap{What: "what ends the wait of " + d.thread(t.Addr), Why: kd.NotInInput, Next: next[0]})
	}
}

// gapsOfThreads names threads that wait for a resource which no list shows.
func (d *diagnosis) gapsOfThreads() {
	const most = 8
	waiting := d.waitUnlisted()
	for _, t := range waiting[:min(len(waiting), most)] {
		d.gapOfThread(t)
	}
	if n := len(waiting) - most + d.snap.WaitingUnlisted(); n > 0 {
		d.gap(kd.Gap{What: "the resources that " + kd.Plural(n, "more thread") + " wait for", Why: kd.NotInInput, Next: "!locks", Decides: true})
	}
}

// waitUnlisted returns the threads that wait for a resource and stand in no
// list. A stack without a header is most likely that of a listed waiter.
func (d *diagnosis) waitUnlisted() []*threads.Thread {
	var out []*threads.Thread
	for _, t := range d.snap.Threads {
		if !waitsForResource(t) || t.Addr == 0 && d.snap.HasLocks || t.Addr != 0 && d.waitsForListed(t) {
			continue
		}
		out = append(out, t)
	}
	return out
}

func (d *diagnosis) gapOfThread(t *threads.Thread) {
	who := "a thread without a header"
	if t.Addr != 0 {
		who = d.thread(t.Addr)
	}
	if r := d.listing(t.Addr); r != nil {
		d.gap(kd.Gap{What: "why " + who + " is listed as a waiter of " + d.lock(r.Addr) + ", which it would be granted", Why: kd.Ambiguous, Next: "!locks -v " + d.addr(r.Addr), Decides: true})
		return
	}
	d.gap(kd.Gap{What: "the resource that " + who + " waits for" + d.notOwn(t), Why: kd.NotInInput, Next: d.askResource(t), Decides: true})
}

// askResource asks for the resource that a thread waits for.
func (d *diagnosis) askResource(t *threads.Thread) string {
	if r := d.owned[t.Addr]; r != nil && d.foreignOwner(r, t.Addr) && d.snap.ResourceFields(r.Addr) == nil {
		return d.compareWait(r)
	}
	if r := d.listing(t.Addr); r != nil {
		return "!locks -v " + d.addr(r.Addr)
	}
	if d.snap.Whole {
		return "!locks -v"
	}
	return "!locks"
}

// notOwn says that dt shows that a thread does not wait for the resource that it
// owns through an owner pointer, "" if that is open.
func (d *diagnosis) notOwn(t *threads.Thread) string {
	if r := d.owned[t.Addr]; t.Addr != 0 && r != nil && d.foreignOwner(r, t.Addr) && d.waitsElsewhere(r, t) {
		return " (by dt not " + d.lock(r.Addr) + ")"
	}
	return ""
}

// waitsElsewhere reports whether dt shows that what a thread waits for is neither
// the semaphore nor the event of a resource. Where dt shows no such objects, as in
// Windows 10, a waiter that is not the first matches neither: that tells nothing.
func (d *diagnosis) waitsElsewhere(r *snapshot.Resource, t *threads.Thread) bool {
	f := d.snap.ResourceFields(r.Addr)
	if f == nil || f.Conflict != "" || !f.Objects || !f.Shared.Known() || !f.Exclusive.Known() || len(t.WaitObjects) != 1 {
		return false
	}
	a := t.WaitObjects[0].Addr
	return a != f.Shared.Addr && a != f.Exclusive.Addr
}

// listing returns the first resource that lists a thread as a waiter, nil if
// none does.
func (d *diagnosis) listing(thread kd.Addr) *snapshot.Resource {
	for _, r := range d.snap.Resources {
		for _, list := range [][]locks.Waiter{r.SharedWaiters, r.ExclusiveWaiters} {
			if thread != 0 && r.Reading != locks.Irreconcilable && slices.ContainsFunc(list, func(w locks.Waiter) bool { return w.Thread == thread }) {
				return r
			}
		}
	}
	return nil
}

// foreignOwner reports whether the thread owns the resource without being
// recognised as its owner: only then can it wait for what it owns.
func (d *diagnosis) foreignOwner(r *snapshot.Resource, thread kd.Addr) bool {
	for i := range r.Resolved {
		if o := &r.Resolved[i]; o.Thread == thread && o.Foreign() {
			return true
		}
	}
	return false
}

// compareWait is the command that shows whether a thread's wait object is one
// of the resource's own: its SharedWaiters semaphore or ExclusiveWaiters event
// (both are fields of the public type nt!_ERESOURCE).
func (d *diagnosis) compareWait(r *snapshot.Resource) string {
	return "dt nt!_ERESOURCE " + d.addr(r.Addr) + " SharedWaiters ExclusiveWaiters"
}
