package waitgraph

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"kdlocks/kd"
	"kdlocks/snapshot"
)

// drawn makes a graph of threads 1..n joined through gates, one for each edge
// "a waits for b". A minus in front of a number makes the thread wait for any
// of its edges.
func drawn(n int, edges ...[2]int) *Graph {
	g := newGraph(&snapshot.Snapshot{})
	for i := 1; i <= n; i++ {
		g.thread(kd.Addr(i))
	}
	for i, e := range edges {
		from := max(e[0], -e[0])
		gate := g.node(Node{Kind: Object, What: Mutant, Addr: kd.Addr(1000 + i)})
		if e[0] < 0 {
			g.Nodes[g.thread(kd.Addr(from))].AnyOf = true
		}
		g.Add(Edge{From: g.thread(kd.Addr(from)), To: gate})
		g.Add(Edge{From: gate, To: g.thread(kd.Addr(e[1]))})
	}
	return g
}

// threadsOf returns the numbers of the threads among nodes, sorted.
func threadsOf(g *Graph, nodes []int) []int {
	var out []int
	for _, n := range nodes {
		if g.Nodes[n].Kind == Thread {
			out = append(out, int(g.Nodes[n].Addr))
		}
	}
	slices.Sort(out)
	return out
}

func components(g *Graph) [][]int {
	var out [][]int
	for _, c := range g.Components(B, g.Stuck(B)) {
		out = append(out, threadsOf(g, c))
	}
	return out
}

func TestComponents(t *testing.T) {
	for _, tc := range []struct {
		name  string
		n     int
		edges [][2]int
		want  [][]int
	}{
		{"empty", 0, nil, nil},
		{"nobody waits", 3, nil, nil},
		{"self", 1, [][2]int{{1, 1}}, [][]int{{1}}},
		{"star", 4, [][2]int{{2, 1}, {3, 1}, {4, 1}}, nil},
		{"chain", 4, [][2]int{{1, 2}, {2, 3}, {3, 4}}, nil},
		{"diamond", 4, [][2]int{{1, 2}, {1, 3}, {2, 4}, {3, 4}}, nil},
		{"two", 2, [][2]int{{1, 2}, {2, 1}}, [][]int{{1, 2}}},
		{"two, with a bystander and a way out", 4, [][2]int{{1, 2}, {2, 1}, {3, 1}, {2, 4}}, [][]int{{1, 2}}},
		{"two separate cycles", 5, [][2]int{{1, 2}, {2, 1}, {3, 4}, {4, 5}, {5, 3}}, [][]int{{1, 2}, {3, 4, 5}}},
		{"two cycles share a thread", 3, [][2]int{{1, 2}, {2, 1}, {2, 3}, {3, 2}}, [][]int{{1, 2, 3}}},
		{"any of two, one goes on", 3, [][2]int{{-1, 2}, {-1, 3}, {2, 1}}, nil},
		{"any of two, both are stuck", 3, [][2]int{{-1, 2}, {-1, 3}, {2, 1}, {3, 1}}, [][]int{{1, 2, 3}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := components(drawn(tc.n, tc.edges...)); !reflect.DeepEqual(got, tc.want) {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}

func TestShortestCycle(t *testing.T) {
	g := drawn(5, [2]int{1, 2}, [2]int{2, 3}, [2]int{3, 4}, [2]int{4, 1}, [2]int{4, 3}, [2]int{5, 1}, [2]int{3, 5})
	c := g.Components(B, g.Stuck(B))
	edges, shortest := g.Cycle(c[0], B)
	var got []int
	for _, e := range edges {
		if n := g.Nodes[g.Edges[e].From]; n.Kind == Thread {
			got = append(got, int(n.Addr))
		}
	}
	if !shortest || !reflect.DeepEqual(got, []int{3, 4}) {
		t.Errorf("cycle %v, shortest %v", got, shortest)
	}
}

func TestGradesLimitComponents(t *testing.T) {
	g := drawn(2, [2]int{1, 2}, [2]int{2, 1})
	g.Edges[0].Grade = C
	if c := g.Components(B, g.Stuck(B)); len(c) != 0 {
		t.Errorf("a C edge closed a cycle of grade B: %v", c)
	}
	if c := g.Components(C, g.Stuck(C)); len(c) != 1 {
		t.Errorf("components %v", c)
	}
}

// TestWeakAlternative: a thread that may go on by a way of which little is known
// is not proven to be stuck.
func TestWeakAlternative(t *testing.T) {
	g := drawn(3, [2]int{-1, 2}, [2]int{-1, 3}, [2]int{2, 1}, [2]int{3, 1})
	g.Edges[2].Grade = C // of thread 1 to the gate of thread 3
	if c := g.Components(B, g.Stuck(B)); len(c) != 0 {
		t.Errorf("a C edge closed a way out by grade B: %v", c)
	}
	if c := g.Components(C, g.Stuck(C)); len(c) != 1 {
		t.Errorf("components %v", c)
	}
}

// TestOpenGates: whoever waits where nobody is known to hold it up is a root, and
// what waits behind it is counted; one that another way may free holds up nobody
// beyond that.
func TestOpenGates(t *testing.T) {
	open := func(g *Graph, thread kd.Addr) *Graph {
		g.Add(Edge{From: g.thread(thread), To: g.node(Node{Kind: Object, What: ProcessObject, Addr: 0x2000})})
		return g
	}
	for _, tc := range []struct {
		name string
		g    *Graph
		want []string
	}{
		{"the owner waits for a process", open(drawn(3, [2]int{1, 3}, [2]int{2, 3}), 3), []string{"0x3 blocks 2"}},
		{"nobody waits behind", open(drawn(1), 1), nil},
		{"for a process or for what another owns", open(drawn(4, [2]int{1, 2}, [2]int{-2, 3}), 2), []string{"0x2 blocks 1"}},
		{"and that one holds up others", open(drawn(4, [2]int{1, 2}, [2]int{-2, 3}, [2]int{4, 3}), 2), []string{"0x2 blocks 1", "0x3 blocks 1"}},
	} {
		var got []string
		for _, r := range tc.g.Roots() {
			got = append(got, fmt.Sprint(tc.g.Nodes[r.Node].Addr, " blocks ", r.Blocked))
		}
		if !reflect.DeepEqual(got, tc.want) {
			t.Errorf("%s: got %q, want %q", tc.name, got, tc.want)
		}
	}
}

func TestRoots(t *testing.T) {
	g := drawn(7, [2]int{1, 2}, [2]int{2, 3}, [2]int{4, 3}, [2]int{5, 6}, [2]int{7, 7})
	var got []string
	for _, r := range g.Roots() {
		var chain []int
		for _, e := range r.Chain {
			if n := g.Nodes[g.Edges[e].From]; n.Kind == Thread {
				chain = append(chain, int(n.Addr))
			}
		}
		got = append(got, fmt.Sprint(g.Nodes[r.Node].Addr, " blocks ", r.Blocked, " chain ", chain))
	}
	want := []string{"0x3 blocks 3 chain [1 2]", "0x6 blocks 1 chain [5]"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// deadByForce finds the threads that can never go on by letting threads go on
// until none can any more.
func deadByForce(n int, edges [][2]int, anyOf map[int]bool) map[int]bool {
	gone := map[int]bool{}
	for changed := true; changed; {
		changed = false
		for i := 1; i <= n; i++ {
			waits, free := 0, 0
			for _, e := range edges {
				if max(e[0], -e[0]) == i {
					waits++
					if gone[e[1]] {
						free++
					}
				}
			}
			if !gone[i] && (waits == free || anyOf[i] && free > 0) {
				gone[i], changed = true, true
			}
		}
	}
	dead := map[int]bool{}
	for i := 1; i <= n; i++ {
		if !gone[i] {
			dead[i] = true
		}
	}
	return dead
}

// reach tells by force whether b can be reached from a among dead threads.
func reachByForce(a, b int, edges [][2]int, dead map[int]bool) bool {
	seen := map[int]bool{}
	todo := []int{a}
	for len(todo) > 0 {
		x := todo[0]
		todo = todo[1:]
		for _, e := range edges {
			if max(e[0], -e[0]) != x || !dead[e[1]] {
				continue
			}
			if e[1] == b {
				return true
			}
			if !seen[e[1]] {
				seen[e[1]] = true
				todo = append(todo, e[1])
			}
		}
	}
	return false
}

// TestAgainstForce compares with a slow reference on random small graphs, most
// of which have no cycle.
func TestAgainstForce(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for round := range 20_000 {
		n := 2 + rng.IntN(6)
		anyOf := map[int]bool{}
		var edges [][2]int
		for range rng.IntN(n + 3) {
			a, b := 1+rng.IntN(n), 1+rng.IntN(n)
			if round%3 > 0 && a <= b {
				continue // acyclic
			}
			edges = append(edges, [2]int{a, b})
			if rng.IntN(5) == 0 {
				anyOf[a] = true
			}
		}
		for i, e := range edges {
			if anyOf[e[0]] {
				edges[i][0] = -e[0]
			}
		}
		g := drawn(n, edges...)
		dead := deadByForce(n, edges, anyOf)
		stuck := g.Stuck(B)
		inCycle := map[int]bool{}
		for _, c := range components(g) {
			for _, th := range c {
				inCycle[th] = true
			}
		}
		for i := 1; i <= n; i++ {
			if stuck[g.thread(kd.Addr(i))] != dead[i] {
				t.Fatalf("%v: thread %d stuck %v, by force %v", edges, i, stuck[g.thread(kd.Addr(i))], dead[i])
			}
			if want := dead[i] && reachByForce(i, i, edges, dead); inCycle[i] != want {
				t.Fatalf("%v: thread %d in a cycle %v, by force %v", edges, i, inCycle[i], want)
			}
		}
	}
}

// chain draws n threads that wait for each other in a row; closed makes it a
// ring.
func chain(n int, closed bool) *Graph {
	edges := make([][2]int, 0, n)
	for i := 1; i < n; i++ {
		edges = append(edges, [2]int{i, i + 1})
	}
	if closed {
		edges = append(edges, [2]int{n, 1})
	}
	return drawn(n, edges...)
}

// TestLongChains: nothing overflows.
func TestLongChains(t *testing.T) {
	const n = 100_000
	if c := components(chain(n, false)); len(c) != 0 {
		t.Errorf("a chain has %d cycles", len(c))
	}
	g := chain(n, true)
	c := g.Components(B, g.Stuck(B))
	if len(c) != 1 {
		t.Fatalf("%d components", len(c))
	}
	if edges, _ := g.Cycle(c[0], B); len(edges) != 2*n {
		t.Errorf("cycle of %d edges", len(edges))
	}
	if r := chain(n, false).Roots(); len(r) != 1 || r[0].Blocked != n-1 {
		t.Errorf("%d roots", len(r))
	}
}

// BenchmarkChain judges the graph of a chain of 100,000 threads.
func BenchmarkChain(b *testing.B) {
	for _, closed := range []bool{false, true} {
		b.Run(map[bool]string{false: "open", true: "ring"}[closed], func(b *testing.B) {
			g := chain(100_000, closed)
			for b.Loop() {
				for _, c := range g.Components(B, g.Stuck(B)) {
					g.Cycle(c, B)
				}
				g.Roots()
			}
		})
	}
}
