package waitgraph

import (
	"kdlocks/kd"
	"kdlocks/snapshot"
	"kdlocks/threads"
)

// Grade says what an edge rests on. A larger Grade is weaker.
type Grade uint8

// The grades of evidence.
const (
	// A is printed by the debugger as the state of an object.
	A Grade = iota
	// B follows from printed numbers by arithmetic.
	B
	// C is read from a symbolised stack, or from a list whose marks had to be
	// reconciled.
	C
	// D is an association only.
	D
)

// String returns the letter.
func (g Grade) String() string { return string("ABCD"[min(g, D)]) }

// Kind is what a node stands for.
type Kind uint8

// The kinds of nodes.
const (
	Thread    Kind = iota
	Exclusive      // access to an ERESOURCE that needs all owners to leave
	Shared         // shared access to an ERESOURCE
	Object         // anything else that is waited for: What says which
	// Nobody stands for an owner that no thread could be named for, or a
	// waiter that is announced and not listed.
	Nobody
)

// Node is a thread, a gate, or an owner without a thread.
type Node struct {
	Kind     Kind
	What     What               // of a gate: what it belongs to
	Addr     kd.Addr            // of the thread, the ERESOURCE, the object; the raw value of an owner
	Resource *snapshot.Resource // of a gate or an owner entry
	Owner    *snapshot.Owner    // of Nobody; nil for a waiter that is not listed
	// Of tells objects apart whose address was not printed: their owner. Of critical
	// sections, which may lie at one address in several processes, it is the process.
	Of kd.Addr
	// AnyOf is set for a thread that waits for several objects: one of them
	// may be enough to let it go on.
	AnyOf bool
	// Announced counts waiters of a gate that are not listed.
	Announced int
}

// Edge says that From cannot go on before To does.
type Edge struct {
	From, To int
	Grade    Grade
	At       kd.Ref
	About    kd.Addr         // an address that the text at At contains
	Owner    *snapshot.Owner // the entry, for an edge from a gate to an owner
	// Guess is set for an edge that is there to close a cycle only: it is not
	// known that To is the one, so no chain leads over it.
	Guess bool
}

// Graph is a wait-for graph. Out and In hold indexes into Edges.
type Graph struct {
	Snap  *snapshot.Snapshot
	Nodes []Node
	Edges []Edge
	Out   [][]int
	In    [][]int
	Notes []kd.Note

	index    map[key]int
	listings map[kd.Addr]int      // resources that list a thread as a waiter
	unlisted map[kd.Addr]Unlisted // by resource, of which stacks name waiters
	byID     map[processThread]kd.Addr
	idle     map[kd.Addr]bool // processes with an idle thread among the skimmed ones, nil before they were looked for
}

type key struct {
	kind Kind
	what What
	addr kd.Addr
	res  kd.Addr // of Nobody, and Of
}

func newGraph(s *snapshot.Snapshot) *Graph {
	return &Graph{Snap: s, index: make(map[key]int), unlisted: make(map[kd.Addr]Unlisted)}
}

// node returns the index of a node, adding it if it is new.
func (g *Graph) node(n Node) int {
	if n.Kind == Exclusive || n.Kind == Shared {
		n.What = ERESOURCE
	}
	k := key{kind: n.Kind, what: n.What, addr: n.Addr, res: n.Of}
	if n.Kind == Nobody && n.Resource != nil {
		k.res = n.Resource.Addr
	}
	i, ok := g.index[k]
	if !ok {
		i = len(g.Nodes)
		g.index[k] = i
		g.Nodes = append(g.Nodes, n)
		g.Out = append(g.Out, nil)
		g.In = append(g.In, nil)
	}
	return i
}

// Find returns the index of a thread's node, -1 if it neither waits nor owns.
func (g *Graph) Find(thread kd.Addr) int {
	if i, ok := g.index[key{kind: Thread, addr: thread}]; ok {
		return i
	}
	return -1
}

// Add draws an edge. A place that was put together from pieces weakens it: to C
// where the number has the width that it must have, since a number pieced
// together is read and not printed; to D where nothing but their fit joins the
// pieces.
func (g *Graph) Add(e Edge) {
	e.Grade = max(e.Grade, gradeOf(e.At.Doubt))
	g.Out[e.From] = append(g.Out[e.From], len(g.Edges))
	g.In[e.To] = append(g.In[e.To], len(g.Edges))
	g.Edges = append(g.Edges, e)
}

func gradeOf(d kd.Doubt) Grade {
	switch d {
	case kd.Sure:
		return A
	case kd.Likely:
		return C
	}
	return D
}

func (g *Graph) thread(a kd.Addr) int { return g.node(Node{Kind: Thread, Addr: a}) }

// ThreadOf returns what is known of the thread of a node, nil if nothing.
func (g *Graph) ThreadOf(i int) *threads.Thread {
	if g.Nodes[i].Kind != Thread {
		return nil
	}
	return g.Snap.Thread(g.Nodes[i].Addr)
}
