package report

import "fmt"

// The objects of SARIF that graphs are made of.
type (
	sarifGraph struct {
		Description sarifMessage `json:"description"`
		Nodes       []sarifNode  `json:"nodes"`
		Edges       []sarifEdge  `json:"edges"`
	}
	sarifNode struct {
		ID         string            `json:"id"`
		Label      sarifMessage      `json:"label"`
		Location   *sarifLocation    `json:"location,omitempty"`
		Properties map[string]string `json:"properties,omitempty"`
	}
	sarifEdge struct {
		ID         string            `json:"id"`
		Label      sarifMessage      `json:"label"`
		Source     string            `json:"sourceNodeId"`
		Target     string            `json:"targetNodeId"`
		Properties map[string]string `json:"properties,omitempty"`
	}
	sarifTraversal struct {
		Graph       int                  `json:"resultGraphIndex"`
		Description sarifMessage         `json:"description"`
		Edges       []sarifEdgeTraversal `json:"edgeTraversals"`
	}
	sarifEdgeTraversal struct {
		Edge    string       `json:"edgeId"`
		Message sarifMessage `json:"message"`
	}
)

// mostGraphHops bounds the hops of a graph: a viewer draws no more.
const mostGraphHops = 1000

// graph adds a cycle or chain to a result: threads and locks are its nodes, and
// the traversal walks it from thread to lock to thread.
func (l *sarifLog) graph(out *sarifResult, f *Finding, steps []Step, what string) {
	if len(steps) == 0 {
		return
	}
	g := grapher{log: l, f: f, steps: steps, closed: what == "cycle", label: make(map[string]string), at: evidenceAt(f)}
	g.graph.Description.Text = fmt.Sprintf("The %s of who waits for what, held by whom", what)
	if len(steps) > mostGraphHops {
		g.graph.Description.Text += fmt.Sprintf(": the first %d of %d hops", mostGraphHops, len(steps))
		g.steps, g.closed = steps[:mostGraphHops], false
	}
	for i := range g.steps {
		g.step(i)
	}
	g.walk.Graph, g.walk.Description.Text = len(out.Graphs), "Along the "+what
	out.Graphs, out.Traversals = append(out.Graphs, g.graph), append(out.Traversals, g.walk)
}

// grapher makes the graph of one cycle or chain.
type grapher struct {
	log    *sarifLog
	f      *Finding
	steps  []Step
	closed bool
	label  map[string]string // of each node, by its id
	at     map[string]*Evidence
	graph  sarifGraph
	walk   sarifTraversal
}

// evidenceAt finds the first evidence about each address.
func evidenceAt(f *Finding) map[string]*Evidence {
	at := make(map[string]*Evidence)
	for i := range f.Evidence {
		if e := &f.Evidence[i]; at[e.Address] == nil {
			at[e.Address] = e
		}
	}
	return at
}

// step draws one hop.
func (g *grapher) step(i int) {
	s := &g.steps[i]
	lock := s.Kind + " " + s.WaitsFor
	g.node(lock, g.log.lock(s), s.WaitsFor, s.Kind)
	g.edge(g.waiter(i), lock, "waits for", s)
	how := "is held by"
	if s.Queued {
		how = "is waited for before it by"
	}
	if s.Guess {
		how = "is perhaps to be ended by"
	}
	g.edge(lock, g.holder(i), how, s)
}

// waiter is the node of the thread of step i; one that is announced and not
// listed has a node of its own.
func (g *grapher) waiter(i int) string {
	if a := g.steps[i].Thread; a != "" {
		return g.thread(a)
	}
	id := fmt.Sprintf("waiter %d", i+1)
	g.node(id, "a waiter that is announced and not listed", "", "thread")
	return id
}

// holder is the node of whoever stands in the way of step i.
func (g *grapher) holder(i int) string {
	if a := g.steps[i].HeldBy; a != "" {
		return g.thread(a)
	}
	next := i + 1
	if g.closed {
		next %= len(g.steps)
	}
	if next < len(g.steps) && g.steps[next].Thread == "" {
		return g.waiter(next)
	}
	id := fmt.Sprintf("holder %d", i+1)
	g.node(id, "somebody who is not named", "", "thread")
	return id
}

func (g *grapher) thread(address string) string {
	id := "thread " + address
	g.node(id, "thread "+g.log.thread(g.f.Session, address), address, "thread")
	return id
}

func (g *grapher) node(id, label, address, kind string) {
	if g.label[id] != "" {
		return
	}
	g.label[id] = label
	n := sarifNode{ID: id, Label: sarifMessage{Text: label}, Properties: map[string]string{"kind": kind}}
	if e := g.at[address]; e != nil {
		at := g.log.evidence(e)
		n.Location = &at
	}
	if address != "" {
		n.Properties["address"] = address
	}
	g.graph.Nodes = append(g.graph.Nodes, n)
}

func (g *grapher) edge(from, to, how string, s *Step) {
	id := fmt.Sprintf("e%d", len(g.graph.Edges)+1)
	label := sarifMessage{Text: how}
	g.graph.Edges = append(g.graph.Edges, sarifEdge{ID: id, Label: label, Source: from, Target: to, Properties: map[string]string{"grade": s.Grade}})
	g.walk.Edges = append(g.walk.Edges, sarifEdgeTraversal{Edge: id, Message: sarifMessage{Text: fmt.Sprintf("%s %s %s", g.label[from], how, g.label[to])}})
}
