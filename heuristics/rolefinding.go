package heuristics

import (
	"fmt"

	"kdlocks/kd"
	"kdlocks/snapshot"
	"kdlocks/threads"
	"kdlocks/waitgraph"
)

// roleFinding starts a finding about a lock of which it is known what it is.
func (d *diagnosis) roleFinding(c *Check, kind Kind, r *snapshot.Resource, role *toldRole) Finding {
	const most = 8
	f := c.finding(kind)
	f.Resources, f.Confidence = []kd.Addr{r.Addr}, Likely
	if kind != Context { // else those that it explains count who is blocked
		f.Blocked = r.Waiting()
	}
	f.seenLock(r)
	if role.thread != nil {
		f.Grade = waitgraph.C
		d.seenFrame(&f, role.thread, role.frame, "it tells what lock this is")
	}
	for i := range r.Resolved {
		o := &r.Resolved[i]
		if o.Thread == 0 || o.Live == threads.No || len(f.Threads) == most {
			continue
		}
		f.Threads = append(f.Threads, o.Thread)
		f.Grade = max(f.Grade, ownerGradeOf(r, o))
		d.seenOwner(&f, o)
		if t := d.snap.Thread(o.Thread); t != nil {
			f.seen(t.At, t.Addr, "state of the owner")
		}
		f.Next = append(f.Next, "!thread "+d.addr(o.Thread)+" 1f")
	}
	if len(f.Next) == 0 {
		f.Next = []string{"!locks -v " + d.addr(r.Addr)}
	}
	return f
}

// endOf follows the wait of a thread from owner to owner to the one that waits
// for nothing drawn; round is set when it comes back to where it was.
func (d *diagnosis) endOf(thread kd.Addr) (end kd.Addr, round bool) {
	const most = 10_000
	seen := make(map[int]bool)
	n := d.graph.Find(thread)
	end = thread
	for range most {
		if n < 0 || len(d.graph.Out[n]) == 0 {
			break
		}
		if seen[n] {
			return end, true
		}
		seen[n] = true
		n = d.graph.Edges[d.graph.Out[n][0]].To
		if d.graph.Nodes[n].Kind == waitgraph.Thread {
			end = d.graph.Nodes[n].Addr
		}
	}
	return end, false
}

// ownerDoes says what the first owner of a finding does, or where its own wait
// ends.
func (d *diagnosis) ownerDoes(f *Finding) string {
	if len(f.Threads) == 0 {
		return "who owns it is not in the input"
	}
	owner := f.Threads[0]
	end, round := d.endOf(owner)
	switch {
	case round:
		return fmt.Sprintf("its owner, %s, waits in a cycle", d.thread(owner))
	case end == owner:
		return fmt.Sprintf("its owner is %s: %s", d.thread(owner), d.understood(owner))
	}
	return fmt.Sprintf("its owner, %s, waits, too: the chain ends at %s: %s", d.thread(owner), d.thread(end), d.understood(end))
}

// understood says what a thread does, as the finding about it as a root would.
func (d *diagnosis) understood(a kd.Addr) string {
	t := d.snap.Thread(a)
	if t == nil || !t.Printed() || isIdleWorker(t) {
		return d.rootState(t)
	}
	for _, s := range rootSorts {
		if why, _ := s.why(t); why != "" {
			return why
		}
	}
	return d.rootState(t)
}

// insideOf returns the frame of the module outside Windows that stands nearest to
// the wait of a thread and was called from frame i, -1 if there is none.
func insideOf(t *threads.Thread, i int) int {
	if at := nearest(t, 0); at >= 0 && at < i {
		return at
	}
	return -1
}

// lockAs names a lock with what it is.
func (d *diagnosis) lockAs(a kd.Addr, r *toldRole) string { return d.lock(a) + ", " + r.name }
