package heuristics

import (
	"fmt"

	"kdlocks/kd"
	"kdlocks/waitgraph"
)

// doubtRoles takes every edge for an association that touches an address which
// the input takes for two things: one of them is wrong.
func (d *diagnosis) doubtRoles(g *waitgraph.Graph) {
	two := d.twoRoles()
	if len(two) == 0 {
		return
	}
	for i := range g.Edges {
		e := &g.Edges[i]
		if two[g.Nodes[e.From].Addr] || two[g.Nodes[e.To].Addr] {
			e.Grade = waitgraph.D
		}
	}
}

func (d *diagnosis) twoRoles() map[kd.Addr]bool {
	two := make(map[kd.Addr]bool)
	for _, r := range d.snap.TwoRoles() {
		two[r.Addr] = true
	}
	return two
}

// lowerRoles weakens the findings about such an address that rest on more than
// edges, and asks what it is.
func (d *diagnosis) lowerRoles(fs []Finding) {
	two := d.twoRoles()
	if len(two) == 0 {
		return
	}
	for i := range fs {
		f := &fs[i]
		for _, list := range [][]kd.Addr{f.Resources, f.Threads} {
			for _, a := range list {
				if two[a] {
					d.lowerRole(f, a)
				}
			}
		}
	}
}

func (d *diagnosis) lowerRole(f *Finding, a kd.Addr) {
	what := "what " + d.addr(a) + " is, which the input takes for two things"
	next := "!pool " + d.addr(a)
	d.gap(kd.Gap{What: what, Why: kd.Ambiguous, Next: next, Decides: true})
	if f.Grade == waitgraph.D && f.Kind != OrphanedLock {
		return
	}
	f.Grade, f.Confidence = waitgraph.D, Possible
	switch f.Kind {
	case Deadlock:
		f.Kind, f.Severity = SuspectedDeadlock, High
		f.Summary = "Suspected, not proven: " + f.Summary
	case OrphanedLock:
		f.Kind = Undecided
		f.Summary = fmt.Sprintf("Undecided: the input takes %s for two things; run %s. If it is what this rests on: %s", d.addr(a), next, f.Summary)
	}
}
