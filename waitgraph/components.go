package waitgraph

import (
	"cmp"
	"slices"

	"kdlocks/kd"
)

// Components returns the strongly connected components of the stuck nodes in
// which something waits for itself, over edges of at most the given grade.
// Nodes of a component are in ascending order, components by their first
// node. It is Tarjan's algorithm with a stack of its own, so that a chain of
// any length fits.
func (g *Graph) Components(limit Grade, stuck []bool) [][]int {
	n := len(g.Nodes)
	t := tarjan{g: g, limit: limit, stuck: stuck, order: make([]int, n), low: make([]int, n), on: make([]bool, n)}
	for i := range g.Nodes {
		if stuck[i] && t.order[i] == 0 {
			t.visit(i)
		}
	}
	kd.SortStable(t.found, func(a, b []int) int { return a[0] - b[0] })
	return t.found
}

type tarjan struct {
	g     *Graph
	limit Grade
	stuck []bool
	clock int
	order []int // time of discovery from 1, 0 if not seen
	low   []int
	on    []bool // on path
	path  []int
	calls []call
	found [][]int
}

// call is a suspended visit: the node and the position in its edges.
type call struct{ node, next int }

func (t *tarjan) visit(root int) {
	t.enter(root)
	for len(t.calls) > 0 {
		c := &t.calls[len(t.calls)-1]
		if c.next < len(t.g.Out[c.node]) {
			e := t.g.Edges[t.g.Out[c.node][c.next]]
			c.next++
			if e.Grade > t.limit || !t.stuck[e.To] {
				continue
			}
			switch {
			case t.order[e.To] == 0:
				t.enter(e.To)
			case t.on[e.To]:
				t.low[c.node] = min(t.low[c.node], t.order[e.To])
			}
			continue
		}
		t.leave(c.node)
	}
}

func (t *tarjan) enter(i int) {
	t.clock++
	t.order[i], t.low[i], t.on[i] = t.clock, t.clock, true
	t.path = append(t.path, i)
	t.calls = append(t.calls, call{node: i})
}

func (t *tarjan) leave(i int) {
	t.calls = t.calls[:len(t.calls)-1]
	if len(t.calls) > 0 {
		up := t.calls[len(t.calls)-1].node
		t.low[up] = min(t.low[up], t.low[i])
	}
	if t.low[i] != t.order[i] {
		return
	}
	at := len(t.path) - 1
	for t.path[at] != i {
		at--
	}
	for _, j := range t.path[at:] {
		t.on[j] = false
	}
	// Gates stand between threads, so a component of one node is no cycle.
	if members := slices.Clone(t.path[at:]); len(members) > 1 {
		kd.SortStable(members, cmp.Compare[int])
		t.found = append(t.found, members)
	}
	t.path = t.path[:at]
}
