package waitgraph

// Stuck returns the nodes that can never go on by what is drawn with edges of
// at most the given grade: those in a cycle and those that wait for one. A
// node goes on when all that it waits for does; one that waits for several
// objects goes on when any of them does, and may when one is known by weaker
// edges only.
func (g *Graph) Stuck(limit Grade) []bool {
	left := make([]int, len(g.Nodes)) // edges that still hold the node
	stuck := make([]bool, len(g.Nodes))
	var free []int
	for i := range g.Nodes {
		weaker := 0
		for _, e := range g.Out[i] {
			if g.Edges[e].Grade <= limit {
				left[i]++
			} else {
				weaker++
			}
		}
		stuck[i] = left[i] > 0 && !(weaker > 0 && g.Nodes[i].AnyOf)
		if !stuck[i] {
			free = append(free, i)
		}
	}
	for len(free) > 0 {
		i := free[len(free)-1]
		free = free[:len(free)-1]
		for _, e := range g.In[i] {
			edge := g.Edges[e]
			if edge.Grade > limit || !stuck[edge.From] {
				continue
			}
			left[edge.From]--
			if left[edge.From] == 0 || g.Nodes[edge.From].AnyOf {
				stuck[edge.From] = false
				free = append(free, edge.From)
			}
		}
	}
	return stuck
}
