package heuristics

import (
	"fmt"
	"strings"

	"kdlocks/kd"
	"kdlocks/waitgraph"
)

// A thread that waits for several objects goes on when one of them lets it, or
// when all do: which of the two the debugger does not print.

// mostAlternatives bounds the alternatives that are spelled out.
const mostAlternatives = 3

// otherWays returns the edges of a node's wait to other gates than one.
func (d *diagnosis) otherWays(node, gate int) []waitgraph.Edge {
	var out []waitgraph.Edge
	if !d.graph.Nodes[node].AnyOf {
		return nil
	}
	for _, i := range d.graph.Out[node] {
		if e := d.graph.Edges[i]; e.To != gate {
			out = append(out, e)
		}
	}
	return out
}

// tellOtherWays says of the threads of a cycle that wait for several objects why
// the others do not let them go on either, "" if none does.
func (d *diagnosis) tellOtherWays(f *Finding, k knot) string {
	var b strings.Builder
	for _, i := range k.cycle {
		wait := d.graph.Edges[i]
		others := d.otherWays(wait.From, wait.To)
		if len(others) == 0 {
			continue
		}
		who := d.thread(d.graph.Nodes[wait.From].Addr)
		fmt.Fprintf(&b, "%s waits for %d objects, of which one may be enough. ", capital(who), len(others)+1)
		for n, e := range others {
			if n == mostAlternatives {
				fmt.Fprintf(&b, "So it is with %d more. ", len(others)-n)
				break
			}
			b.WriteString(d.tellOtherWay(f, e))
		}
	}
	return b.String()
}

// tellOtherWay says why a wait beside the cycle does not end either: who stands in
// its way, and what that one waits for.
func (d *diagnosis) tellOtherWay(f *Finding, wait waitgraph.Edge) string {
	d.seenEdge(f, wait)
	out := d.graph.Out[wait.To]
	if len(out) == 0 {
		return ""
	}
	holds := d.graph.Edges[out[0]]
	d.seenEdge(f, holds)
	hop := d.hop(d.stepOf(wait, holds))
	if next := d.firstHop(f, holds.To); next != "" {
		return fmt.Sprintf("Another is %s, and that one waits for %s. ", hop, next)
	}
	return fmt.Sprintf("Another is %s. ", hop)
}

// firstHop says what the thread of a node waits for, and who stands in its way;
// "" if nothing is drawn.
func (d *diagnosis) firstHop(f *Finding, node int) string {
	for _, i := range d.graph.Out[node] {
		wait := d.graph.Edges[i]
		if out := d.graph.Out[wait.To]; len(out) > 0 {
			d.seenEdge(f, wait)
			return d.hop(d.stepOf(wait, d.graph.Edges[out[0]]))
		}
	}
	return ""
}

// tellAnyOf says of the threads of a chain that wait for several objects that one
// may be enough.
func (d *diagnosis) tellAnyOf(f *Finding) string {
	var b strings.Builder
	told := 0
	for _, s := range f.Chain {
		n := d.graph.Find(s.Thread)
		if s.Thread == 0 || n < 0 || !d.graph.Nodes[n].AnyOf || told == mostAlternatives {
			continue
		}
		told++
		var names []string
		var back kd.Addr
		for _, e := range d.graph.Out[n] {
			at := d.graph.Edges[e].To
			gate := d.graph.Nodes[at]
			names = append(names, d.waitedFor(Step{WaitsFor: gate.Addr, What: gate.What}))
			if who := d.leadsTo(at, n); who != 0 && back == 0 {
				back = who
			}
		}
		fmt.Fprintf(&b, " %s waits for %d objects (%s); whether for any or for all of them is not printed: if one is enough, another may let it go on before the root does", capital(d.thread(s.Thread)), len(names), listed(names))
		if back != 0 {
			fmt.Fprintf(&b, "; if all must come, it is a deadlock, since %s waits for it in turn", d.thread(back))
		}
		b.WriteString(".")
	}
	return b.String()
}

// leadsTo follows the way from a gate, always to the first who stands in it, and
// returns the first thread on it if it comes to a node; else 0.
func (d *diagnosis) leadsTo(gate, node int) kd.Addr {
	const most = 1000
	var first kd.Addr
	at := gate
	for range most {
		if len(d.graph.Out[at]) == 0 {
			break
		}
		at = d.graph.Edges[d.graph.Out[at][0]].To
		if at == node {
			return first
		}
		if n := d.graph.Nodes[at]; n.Kind == waitgraph.Thread && first == 0 {
			first = n.Addr
		}
	}
	return 0
}
