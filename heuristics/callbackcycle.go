package heuristics

import (
	"fmt"
	"slices"
	"strings"

	"kdlocks/kd"
	"kdlocks/threads"
	"kdlocks/waitgraph"
)

// heldInside returns a thread that is inside a callback of the driver which t
// takes down, and waits behind t: neither can go on. at is the frame of the
// routine that called the callback.
func (d *diagnosis) heldInside(t *threads.Thread, w leavingWait) (in *threads.Thread, at int) {
	if t.Addr == 0 || len(w.is.dispatchers) == 0 || t.Timed() && !w.is.asksAgain {
		return nil, -1
	}
	behind, _ := d.behind(t.Addr)
	for _, a := range behind[:min(len(behind), d.most(mostAsked))] {
		b := d.snap.Thread(a)
		if b == nil || b.Conflict != "" {
			continue
		}
		for i := nearest(b, 0); i >= 0; i = nearest(b, i+1) {
			if !strings.EqualFold(b.Stack.Frames[i].Module, t.Stack.Frames[w.caller].Module) {
				continue
			}
			if at := dispatcherOf(b, i, w.is.dispatchers); at >= 0 {
				return b, at
			}
			break
		}
	}
	return nil, -1
}

// closedByCallback tells of a cycle that closes over a callback: t waits until in
// has left it, and in waits for what t owns.
func (d *diagnosis) closedByCallback(f *Finding, t *threads.Thread, w leavingWait, in *threads.Thread, at int) {
	driver := driverName(t.Stack.Frames[w.caller].Module)
	f.Kind, f.Severity, f.Confidence, f.Grade = Deadlock, Critical, VeryLikely, waitgraph.C
	f.Blocked--
	f.Bystanders = slices.DeleteFunc(slices.Clone(f.Bystanders), func(a kd.Addr) bool { return a == in.Addr })
	d.seenFrame(f, in, at-1, "the callback of "+driver+" that it is in")
	d.seenFrame(f, in, at, "the routine that calls callbacks")
	f.seen(in.At, in.Addr, "the thread inside the callback, which waits behind the first")
	text := fmt.Sprintf("%s waits in %s until everybody has left %s, and %s is inside %s and waits behind the first.",
		d.thread(t.Addr), t.Stack.Frames[w.routine].Name(), w.is.thing, d.thread(in.Addr), w.is.what)
	f.Summary = "Deadlock, very likely: " + text
	way, grade := d.straightWay(f, in.Addr, t.Addr)
	f.Threads = append(f.Threads, in.Addr)
	if way != nil {
		f.Cycle = append(d.steps(way), Step{Thread: t.Addr, What: waitgraph.Callbacks, Grade: waitgraph.C, HeldBy: in.Addr})
		f.Threads = nil
	}
	for _, s := range f.Cycle {
		f.Threads = append(f.Threads, s.Thread)
		if s.What == waitgraph.ERESOURCE {
			f.Resources = append(f.Resources, s.WaitsFor)
		}
	}
	if grade == waitgraph.D || !exact(t, w.routine) || !exact(in, at) || !exact(in, at-1) {
		f.Kind, f.Severity, f.Confidence, f.Grade = SuspectedDeadlock, High, Possible, waitgraph.D
		f.Summary = "Suspected deadlock, not proven: " + text
	}
	f.Explanation += fmt.Sprintf(" %s stands in %s, called by %s, so that callback is running; and it waits, as the chain shows, behind %s. Neither can go on before the other.", capital(d.thread(in.Addr)), frame(in, at-1), frame(in, at), d.thread(t.Addr))
	f.Remedy = "To get the machine going it must be restarted. For the driver's developer: take nothing down while a lock is held that a callback may ask for."
	f.Disproof = "A second capture shows one of the two going on, or the callback is of another registration of the driver than the one taken down."
	f.Next = []string{"!thread " + d.addr(in.Addr) + " 1f", "lmvm " + driver}
}

// straightWay follows what one thread waits for to another one that must go on
// first, as long as there is no choice, and returns the weakest grade on the
// way: D, and no way, if it does not lead there.
func (d *diagnosis) straightWay(f *Finding, from, to kd.Addr) (way []int, grade waitgraph.Grade) {
	const most = 64
	at, end := d.graph.Find(from), d.graph.Find(to)
	for range most {
		i := d.onlyWay(at, end)
		if i < 0 {
			break
		}
		e := d.graph.Edges[i]
		d.seenEdge(f, e)
		way = append(way, i)
		grade, at = max(grade, e.Grade), e.To
	}
	if at != end {
		return nil, waitgraph.D
	}
	return way, grade
}

// onlyWay returns the edge that leads on from a node, -1 if there is a choice or
// none: a thread that waits for one of several may go on by another. A lock with
// several owners is left when all have let go, so the one in question is enough.
func (d *diagnosis) onlyWay(at, end int) int {
	out := d.graph.Out[at]
	if at == end || len(out) == 0 {
		return -1
	}
	way := out[0]
	if len(out) > 1 {
		i := slices.IndexFunc(out, func(e int) bool { return d.graph.Edges[e].To == end })
		if d.graph.Nodes[at].Kind == waitgraph.Thread || i < 0 {
			return -1
		}
		way = out[i]
	}
	if d.graph.Edges[way].Guess {
		return -1
	}
	return way
}
