package waitgraph

import (
	"fmt"
	"slices"

	"kdlocks/kd"
)

// Root is where a wait chain ends: a thread that owns and that nothing drawn
// holds up, or an owner that no thread could be named for.
type Root struct {
	Node int
	// Blocked counts the threads that cannot go on before it does, those that
	// are announced by a count and not listed included.
	Blocked int
	// Chain is the edges from the thread that waits the furthest away to the
	// root, in the order of waiting.
	Chain []int
}

// Roots returns the roots, those that block most threads first, then in the
// order of the input.
func (g *Graph) Roots() []Root {
	reach := reach{g: g, memo: make(map[int]Root)}
	var out []Root
	for i := range g.Nodes {
		if g.isGate(i) || len(g.In[i]) == 0 || g.held(i) {
			continue
		}
		r := reach.of(i)
		r.Node = i
		if r.Blocked > 0 {
			out = append(out, r)
		}
	}
	if reach.cut {
		g.Notes = append(g.Notes, kd.Note{Text: fmt.Sprintf("the wait-for graph is too entangled to count every blocked thread exactly: after %d steps only direct waiters are counted", mostReach)})
	}
	kd.SortStable(out, func(a, b Root) int { return b.Blocked - a.Blocked })
	return out
}

// waits reports whether a node has an edge that is no guess.
func (g *Graph) waits(i int) bool {
	for _, e := range g.Out[i] {
		if !g.Edges[e].Guess {
			return true
		}
	}
	return false
}

// held reports whether somebody drawn holds a node up. Of a gate of which nobody
// is known to open it, as of a process none of whose threads is blocked, nothing
// drawn says that its waiters stay.
func (g *Graph) held(i int) bool {
	held := false
	for _, e := range g.Out[i] {
		edge := g.Edges[e]
		switch {
		case edge.Guess:
		case !g.isGate(edge.To) || g.waits(edge.To):
			held = true
		case g.Nodes[i].AnyOf:
			return false
		}
	}
	return held
}

// Open returns the gates at which a node waits and of which nobody is known to
// open them.
func (g *Graph) Open(i int) []int {
	var out []int
	for _, e := range g.Out[i] {
		if edge := g.Edges[e]; !edge.Guess && g.isGate(edge.To) && !g.waits(edge.To) {
			out = append(out, edge.To)
		}
	}
	return out
}

func (g *Graph) isGate(i int) bool {
	k := g.Nodes[i].Kind
	return k == Exclusive || k == Shared || k == Object
}

// mostReach bounds the work of counting blocked threads over all roots.
const mostReach = 5_000_000

// reach walks backwards from roots. Roots behind one and the same gate share
// their result.
type reach struct {
	g     *Graph
	memo  map[int]Root // by the only gate of a root
	steps int
	cut   bool
}

func (r *reach) of(root int) Root {
	in := r.g.In[root]
	if len(in) != 1 {
		return r.walk(root)
	}
	gate := r.g.Edges[in[0]].From
	known, ok := r.memo[gate]
	if !ok {
		known = r.walk(root)
		r.memo[gate] = known
	}
	if n := len(known.Chain); n > 0 && r.g.Edges[known.Chain[n-1]].To != root {
		known.Chain = append(slices.Clone(known.Chain[:n-1]), in[0])
	}
	return known
}

func (r *reach) walk(root int) Root {
	far, blocked := r.back([]int{root})
	out := Root{Blocked: blocked.count}
	for n := far; n != root; {
		e := blocked.via[n]
		out.Chain = append(out.Chain, e)
		n = r.g.Edges[e].To
	}
	return out
}

// blockedSet is what a backward walk met.
type blockedSet struct {
	count   int
	threads []int
	via     map[int]int // node -> edge that leads on towards the start
}

// back walks backwards from the given nodes and returns the last thread it
// met, which is one that waits the furthest away.
func (r *reach) back(start []int) (far int, set blockedSet) {
	set.via = make(map[int]int)
	seen := make(map[int]bool, len(start))
	queue := slices.Clone(start)
	for _, n := range start {
		seen[n] = true
	}
	far = start[0]
	for depth := 0; len(queue) > 0; depth++ {
		n := queue[0]
		queue = queue[1:]
		if r.steps > mostReach && depth > 2*len(start) {
			r.cut = true
			break
		}
		set.count += r.g.Nodes[n].Announced
		for _, e := range r.g.In[n] {
			r.steps++
			if r.g.Edges[e].Guess {
				continue
			}
			from := r.g.Edges[e].From
			if seen[from] || !r.g.isGate(from) && !r.g.held(from) {
				continue // the latter goes on when another alternative does
			}
			seen[from], set.via[from] = true, e
			if r.g.Nodes[from].Kind == Thread {
				set.count++
				set.threads = append(set.threads, from)
				far = from
			}
			queue = append(queue, from)
		}
	}
	return far, set
}

// BlockedBy returns the threads outside the given nodes that cannot go on
// before they do, and how many more are announced and not listed.
func (g *Graph) BlockedBy(nodes []int) (threads []int, announced int) {
	r := reach{g: g}
	_, set := r.back(nodes)
	return set.threads, set.count - len(set.threads)
}
