package picture

// Picture is what is drawn: one panel for each knot or chain of threads.
type Picture struct {
	// Title is the verdict in a few words, Summary in a sentence.
	Title, Summary string
	Panels         []Panel
	// More says what was not drawn, "" if all was.
	More string
}

// Panel is one cycle, or one root with the threads that wait for it.
type Panel struct {
	// Heads name the findings that the panel shows, the weightiest first.
	Heads   []Head
	Summary string
	Nodes   []Node
	Edges   []Edge
	// Path holds the indexes of the nodes along the cycle or the chain: thread,
	// lock, thread, lock, ..., and as the last of a chain its root. A node that
	// is not on the path has one edge to a node that is or leads there, or none.
	Path []int
	// Closed is set for a cycle: the last node of Path leads to the first.
	Closed bool
}

// Head names a finding.
type Head struct {
	Number int // in the report, counted from 1
	ID     string
	// Words tell severity, confidence, grade and session.
	Words []string
}

// Shape is what a node is drawn as.
type Shape uint8

// The shapes.
const (
	Thread Shape = iota
	Lock         // something that is owned: ERESOURCE, mutant, pushlock, ...
	Object       // something else that is waited for: an IRP, a message, a thread's end, ...
	Group        // threads collapsed to their number
	Nobody       // an owner or a waiter that could not be named
	Elided       // a piece of the path that was left out
)

// Node is one box.
type Node struct {
	Shape Shape
	// Kind says in a word or two what it is, Address where: as the debugger
	// prints it, "" where it has none.
	Kind, Address string
	// Details are short lines below the address.
	Details []string
	// Full is the whole of what the box may have to shorten.
	Full string
	// Root marks what the others wait for in the end.
	Root bool
	// Count is how many threads a Group or a thread beside the path stands for,
	// and how many hops an Elided.
	Count int
}

// Kind says what an edge means.
type Kind uint8

// The kinds of edges.
const (
	WaitsFor Kind = iota
	OwnedBy
	EndedBy      // as OwnedBy, of what is no lock
	QueuedBehind // not owned, but asked for before
	PointsInto   // a stale owner pointer, which proves no owner
	MaybeEndedBy // it is not known who must end the wait
)

var kinds = [...]string{WaitsFor: "waits for", OwnedBy: "owned by", EndedBy: "ended by", QueuedBehind: "queued behind", PointsInto: "points into", MaybeEndedBy: "perhaps ended by"}

// String returns the words on the edge.
func (k Kind) String() string { return kinds[min(k, MaybeEndedBy)] }

// Edge says that one node cannot go on before another does.
type Edge struct {
	From, To int // indexes of nodes
	Kind     Kind
	// Grade is the letter of the evidence, "" where none is given.
	Grade string
	// Order is the place of the edge in its cycle, counted from 1, 0 elsewhere.
	Order int
}

// words are what is written on the edge.
func (e *Edge) words() string {
	if e.Grade == "" {
		return e.Kind.String()
	}
	return e.Kind.String() + " (" + shorten(e.Grade, 2) + ")"
}

// stroke is how the line of an edge is drawn, in the words of SVG classes and
// of DOT.
func (e *Edge) stroke() string {
	switch {
	case e.Kind == MaybeEndedBy, e.Grade == "D":
		return "dotted"
	case e.Grade == "C":
		return "dashed"
	}
	return "solid"
}

// onCycle returns which nodes the cycle goes through.
func (p *Panel) onCycle() []bool {
	on := make([]bool, len(p.Nodes))
	if p.Closed {
		for _, n := range p.Path {
			on[n] = true
		}
	}
	return on
}

// loose returns the nodes without any edge that are not on the path.
func (p *Panel) loose() []int {
	held := make([]bool, len(p.Nodes))
	for _, n := range p.Path {
		held[n] = true
	}
	for _, e := range p.Edges {
		held[e.From], held[e.To] = true, true
	}
	var out []int
	for n := range p.Nodes {
		if !held[n] {
			out = append(out, n)
		}
	}
	return out
}

// into returns the nodes off the path that lead to a node, with their edges.
func (p *Panel) into(node int) (nodes, edges []int) {
	on := make(map[int]bool, len(p.Path))
	for _, n := range p.Path {
		on[n] = true
	}
	for i, e := range p.Edges {
		if e.To == node && !on[e.From] {
			nodes, edges = append(nodes, e.From), append(edges, i)
		}
	}
	return nodes, edges
}

// between returns the edge from one node to another, -1 if there is none. Of
// several the one with the given order is taken.
func (p *Panel) between(from, to, order int) int {
	found := -1
	for i, e := range p.Edges {
		if e.From == from && e.To == to && (found < 0 || e.Order == order) {
			found = i
		}
	}
	return found
}
