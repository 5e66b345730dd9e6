package heuristics

import (
	"kdlocks/kd"
	"kdlocks/locks"
	"kdlocks/snapshot"
	"kdlocks/threads"
	"kdlocks/waitgraph"
)

func ownerGradeOf(r *snapshot.Resource, o *snapshot.Owner) waitgraph.Grade {
	g := waitgraph.A
	if o.Pointer && o.How != snapshot.ByDebugger {
		g = waitgraph.B
	}
	if r.Reading == locks.Doubtful {
		g = waitgraph.C
	}
	if r.Reading == locks.Hearsay {
		g = waitgraph.D
	}
	return g
}

// behind returns the threads that wait behind one, and their number with those
// that are announced and not listed.
func (d *diagnosis) behind(thread kd.Addr) ([]kd.Addr, int) {
	n := d.graph.Find(thread)
	if n < 0 {
		return nil, 0
	}
	nodes, announced := d.graph.BlockedBy([]int{n})
	var out []kd.Addr
	for _, b := range nodes {
		out = append(out, d.graph.Nodes[b].Addr)
	}
	return out, len(out) + announced
}

// eachRoot collects findings over the threads at which wait chains end, those
// that block most first, up to one more than are kept. A thread that was
// skimmed is read whole only if its Brief may be one.
func (d *diagnosis) eachRoot(may func(*threads.Brief) bool, find func(waitgraph.Root, *threads.Thread, kd.Addr) *Finding) []Finding {
	var out []Finding
	for _, r := range d.roots {
		n := d.graph.Nodes[r.Node]
		if len(out) > d.mostRoots() {
			break
		}
		if n.Kind != waitgraph.Thread {
			continue
		}
		if b := d.snap.Brief(n.Addr); b != nil && !may(b) {
			continue
		}
		if f := find(r, d.snap.Thread(n.Addr), n.Addr); f != nil {
			out = append(out, *f)
		}
	}
	return out
}

// rootFinding starts a finding about the thread at the end of a chain.
func (d *diagnosis) rootFinding(c *Check, kind Kind, r waitgraph.Root, a kd.Addr) *Finding {
	f := c.finding(kind)
	f.Threads = []kd.Addr{a}
	f.Blocked = r.Blocked
	f.Grade = d.chainGrade(r)
	f.Confidence = Likely
	for _, e := range d.graph.In[r.Node] {
		edge := d.graph.Edges[e]
		gate := d.graph.Nodes[edge.From]
		if len(f.Resources) > 0 && f.Resources[len(f.Resources)-1] == gate.Addr {
			continue
		}
		f.Resources = append(f.Resources, gate.Addr)
		if gate.Resource != nil && len(f.Resources) <= 4 {
			f.seenLock(gate.Resource)
		}
		if edge.Owner != nil {
			d.seenOwner(&f, edge.Owner)
		} else {
			f.seen(edge.At, edge.About, ownerWords(gate.What))
		}
	}
	if t := d.snap.Thread(a); t != nil {
		f.seen(t.At, t.Addr, "state of the owner")
	}
	return &f
}

// ownerWords say what the place tells from which the end of a wait is known.
func ownerWords(w waitgraph.What) string {
	switch w {
	case waitgraph.ALPCMessage, waitgraph.LPCMessage:
		return "the thread that must answer"
	case waitgraph.ThreadObject:
		return "the thread that must end"
	case waitgraph.ProcessObject:
		return "a thread of the process that must end"
	}
	return "the owner of the " + string(w)
}

func (d *diagnosis) chainGrade(r waitgraph.Root) waitgraph.Grade {
	g := waitgraph.A
	for _, e := range r.Chain {
		g = max(g, d.graph.Edges[e].Grade)
	}
	return g
}
