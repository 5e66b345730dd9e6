package waitgraph

// mostSteps bounds the search for the shortest cycle of a component; past it
// the shortest one found so far is taken.
const mostSteps = 2_000_000

// Cycle returns the edges of a shortest cycle of a component over edges of at
// most the given grade. It starts at the first thread of the cycle in the
// order of the input. shortest is false when the search was cut off.
func (g *Graph) Cycle(component []int, limit Grade) (edges []int, shortest bool) {
	in := make(map[int]bool, len(component))
	for _, n := range component {
		in[n] = true
	}
	b := bfs{g: g, limit: limit, in: in}
	steps := 0
	for _, n := range component {
		if g.Nodes[n].Kind != Thread {
			continue
		}
		if steps > mostSteps && edges != nil {
			return edges, false
		}
		found, cost := b.back(n, len(edges))
		steps += cost
		if found != nil && (edges == nil || len(found) < len(edges)) {
			edges = found
		}
		if len(edges) == 2 {
			break
		}
	}
	return g.rotate(edges), true
}

// bfs searches the shortest way from a node back to itself.
type bfs struct {
	g     *Graph
	limit Grade
	in    map[int]bool
}

// back returns the edges of a shortest cycle through start that is shorter
// than most edges (0: of any length), nil if there is none, and how many edges
// it looked at.
func (b bfs) back(start, most int) ([]int, int) {
	from := map[int]int{} // node -> edge that reached it
	queue := []int{start}
	depth := map[int]int{start: 0}
	cost := 0
	for len(queue) > 0 {
		n := queue[0]
		queue = queue[1:]
		if most > 0 && depth[n]+1 >= most {
			break
		}
		for _, e := range b.g.Out[n] {
			cost++
			edge := b.g.Edges[e]
			if edge.Grade > b.limit || !b.in[edge.To] {
				continue
			}
			if edge.To == start {
				return b.walk(from, start, e), cost
			}
			if _, seen := depth[edge.To]; !seen {
				depth[edge.To], from[edge.To] = depth[n]+1, e
				queue = append(queue, edge.To)
			}
		}
	}
	return nil, cost
}

// walk follows the edges back from the closing one.
func (b bfs) walk(from map[int]int, start, last int) []int {
	out := []int{last}
	for n := b.g.Edges[last].From; n != start; n = b.g.Edges[from[n]].From {
		out = append(out, from[n])
	}
	for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
		out[i], out[j] = out[j], out[i]
	}
	return out
}

// rotate makes the cycle start at its thread with the lowest index.
func (g *Graph) rotate(edges []int) []int {
	at := -1
	for i, e := range edges {
		n := g.Edges[e].From
		if g.Nodes[n].Kind == Thread && (at < 0 || n < g.Edges[edges[at]].From) {
			at = i
		}
	}
	if at <= 0 {
		return edges
	}
	return append(append([]int{}, edges[at:]...), edges[:at]...)
}
