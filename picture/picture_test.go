package picture

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"kdlocks/kd"
)

// cycle is a panel of n threads and locks, one behind the other, of which each
// lock has a number of waiters.
func cycle(n, waiters int) Panel {
	p := Panel{Heads: []Head{{Number: 1, ID: "deadlock-cycle", Words: []string{"critical", "certain"}}}, Closed: true}
	for i := range n {
		p.Nodes = append(p.Nodes,
			Node{Shape: Thread, Kind: "thread", Address: fmt.Sprintf("ffffaa3e1a9df%03x", i), Details: []string{"0004.0638 System", "waiting, WrResource"}},
			Node{Shape: Lock, Kind: "ERESOURCE", Address: fmt.Sprintf("ffffaa3e5a9df%03x", i)})
		p.Path = append(p.Path, 2*i, 2*i+1)
		p.Edges = append(p.Edges,
			Edge{From: 2 * i, To: 2*i + 1, Grade: "A", Order: 2*i + 1},
			Edge{From: 2*i + 1, To: (2*i + 2) % (2 * n), Kind: OwnedBy, Grade: "A", Order: 2*i + 2})
	}
	return p.waited(waiters)
}

// chainOf is a chain of n threads and locks down to a root that owns some more.
func chainOf(n, waiters, more int) Panel {
	p := cycle(n, 0)
	p.Closed = false
	root := len(p.Nodes)
	p.Nodes = append(p.Nodes, Node{Shape: Thread, Kind: "thread", Address: "ffffaa3e1a9dffff", Root: true})
	p.Path = append(p.Path, root)
	for i := range p.Edges {
		p.Edges[i].Order = 0
	}
	if n > 0 {
		p.Edges[len(p.Edges)-1].To = root
	}
	for i := range more {
		p.Nodes = append(p.Nodes, Node{Shape: Lock, Kind: "mutant", Address: fmt.Sprintf("ffffaa3e7a9df%03x", i)})
		p.Edges = append(p.Edges, Edge{From: len(p.Nodes) - 1, To: root, Kind: OwnedBy, Grade: "C"})
	}
	return p.waited(waiters)
}

// waited adds waiters beside each lock and some behind all.
func (p Panel) waited(waiters int) Panel {
	if waiters == 0 {
		return p
	}
	for i := range p.Nodes {
		if p.Nodes[i].Shape == Lock {
			p.Nodes = append(p.Nodes, Node{Shape: Group, Kind: fmt.Sprintf("+ %d threads", waiters), Count: waiters})
			p.Edges = append(p.Edges, Edge{From: len(p.Nodes) - 1, To: i})
			if waiters == 3 {
				p.Nodes = append(p.Nodes, Node{Shape: Group, Kind: "+ 1 thread", Details: []string{"announced, not listed"}, Count: 1})
				p.Edges = append(p.Edges, Edge{From: len(p.Nodes) - 1, To: i})
			}
		}
	}
	p.Nodes = append(p.Nodes, Node{Shape: Group, Kind: "+ 7 threads", Details: []string{"wait behind these"}, Count: 7})
	return p
}

// oneLock is a cycle of n threads over one lock.
func hubOf(n int) Panel {
	p := cycle(n, 0)
	q := Panel{Heads: p.Heads, Closed: true, Nodes: []Node{p.Nodes[1]}}
	for i := range n {
		q.Nodes = append(q.Nodes, p.Nodes[2*i])
		q.Path = append(q.Path, i+1, 0)
		q.Edges = append(q.Edges, Edge{From: i + 1, To: 0, Grade: "B", Order: 2*i + 1}, Edge{From: 0, To: (i+1)%n + 1, Kind: QueuedBehind, Grade: "D", Order: 2*i + 2})
	}
	return q.waited(3)
}

func elided(n int) Panel {
	p := cycle(n, 2)
	p.Nodes[2] = Node{Shape: Elided, Kind: "… 97 more hops …", Count: 97}
	p.Path = append(p.Path[:3:3], p.Path[4:]...)
	var edges []Edge
	for _, e := range p.Edges {
		switch {
		case e.From == 2:
		case e.From == 3 && e.Order > 0:
			edges = append(edges, Edge{From: 2, To: e.To, Kind: OwnedBy, Grade: "A", Order: e.Order})
		case e.From != 3 && e.To != 3:
			edges = append(edges, e)
		}
	}
	p.Edges = edges
	return p
}

func panels() map[string]Panel {
	out := map[string]Panel{
		"nothing but a root": chainOf(0, 0, 0), "a root and its locks": chainOf(0, 3, 4), "chain": chainOf(1, 800, 0),
		"long chain": chainOf(12, 3, 3), "left out": elided(5), "left out, even": elided(6),
	}
	for _, n := range []int{2, 3, 4, 5, 12, 13} {
		out[fmt.Sprint("ring of ", n)] = cycle(n, n%4)
	}
	for _, n := range []int{1, 2, 3, 9} {
		out[fmt.Sprint("hub of ", n)] = hubOf(n)
	}
	hub := hubOf(5)
	hub.Nodes[3] = Node{Shape: Elided, Kind: "… 97 more hops …", Count: 97}
	out["left out of a hub"] = hub
	return out
}

// TestLayout: every node stands in one place alone, every edge is drawn from
// its one node to the other, and all is within the drawing.
func TestLayout(t *testing.T) {
	for name, p := range panels() {
		d := layOut(&p)
		placed := map[int]box{}
		for i, b := range d.boxes {
			if _, twice := placed[b.node]; twice && p.Nodes[b.node].Address != "" {
				t.Errorf("%s: node %d stands in two places", name, b.node)
			}
			placed[b.node] = b
			if b.x < 0 || b.y < 0 || b.x+b.w > d.width || b.y+b.h > d.height {
				t.Errorf("%s: box %+v is not within %d by %d", name, b, d.width, d.height)
			}
			for _, o := range d.boxes[:i] {
				if b.x < o.x+o.w && o.x < b.x+b.w && b.y < o.y+o.h && o.y < b.y+b.h {
					t.Errorf("%s: boxes %+v and %+v overlap", name, b, o)
				}
			}
		}
		if len(placed) != nodesDrawn(&p) {
			t.Errorf("%s: %d nodes are placed of %d", name, len(placed), nodesDrawn(&p))
		}
		drawn := map[int]int{}
		for _, w := range d.wires {
			drawn[w.edge]++
			e := p.Edges[w.edge]
			if from := placed[e.From]; !from.touches(w.way[0]) {
				t.Errorf("%s: edge %+v does not leave %+v at %+v", name, e, from, w.way[0])
			}
			if to := placed[e.To]; !to.touches(w.way[len(w.way)-1]) {
				t.Errorf("%s: edge %+v does not reach %+v at %+v", name, e, to, w.way)
			}
		}
		for i, e := range p.Edges {
			if _, ok := placed[e.From]; ok && drawn[i] != 1 {
				t.Errorf("%s: edge %d %+v is drawn %d times", name, i, e, drawn[i])
			}
		}
	}
}

// nodesDrawn leaves out what the test took off the path.
func nodesDrawn(p *Panel) int {
	n := len(p.Nodes)
	on := map[int]bool{}
	for _, i := range p.Path {
		on[i] = true
	}
	for i := range p.Nodes {
		if p.Nodes[i].Shape == Lock && !on[i] {
			if _, edges := p.into(p.Path[len(p.Path)-1]); len(edges) == 0 {
				n--
			}
		}
	}
	return n
}

func (b box) touches(p point) bool {
	onX, onY := p.x >= b.x && p.x <= b.x+b.w, p.y >= b.y && p.y <= b.y+b.h
	return onX && (p.y == b.y || p.y == b.y+b.h) || onY && (p.x == b.x || p.x == b.x+b.w)
}

// wellFormed fails unless the text is XML of one root element.
func wellFormed(t *testing.T, name, text string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(text))
	for {
		_, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
}

func svg(t *testing.T, p *Picture) string {
	t.Helper()
	var b bytes.Buffer
	if err := WriteSVG(&b, p); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestSVGIsWellFormedAndAlone(t *testing.T) {
	for name, p := range panels() {
		pic := &Picture{Title: "DEADLOCK (certain)", Summary: "Deadlock.", Panels: []Panel{p}}
		text := svg(t, pic)
		wellFormed(t, name, text)
		for _, bad := range []string{"<script", "href", "url(", " id=", "@import", "<image", "NaN"} {
			if strings.Contains(text, bad) {
				t.Errorf("%s: the SVG has %q", name, bad)
			}
		}
		if text != svg(t, pic) {
			t.Errorf("%s: drawn twice, it differs", name)
		}
		var panel bytes.Buffer
		if err := WritePanel(&panel, &p); err != nil {
			t.Fatal(err)
		}
		wellFormed(t, name, panel.String())
	}
}

// TestCycleIsNumberedInOrder: in the picture and in its words.
func TestCycleIsNumberedInOrder(t *testing.T) {
	p := cycle(3, 0)
	text := svg(t, &Picture{Panels: []Panel{p}})
	for i := 1; i <= 6; i++ {
		if !strings.Contains(text, fmt.Sprintf(`text-anchor="middle">%d</text>`, i)) {
			t.Errorf("edge %d has no number", i)
		}
	}
	want := `[1] deadlock-cycle (critical, certain)
              thread ffffaa3e1a9df000: 0004.0638 System, waiting, WrResource
  1 waits for ERESOURCE ffffaa3e5a9df000 (A)
  2 owned by  thread ffffaa3e1a9df001: 0004.0638 System, waiting, WrResource (A)
  3 waits for ERESOURCE ffffaa3e5a9df001 (A)
  4 owned by  thread ffffaa3e1a9df002: 0004.0638 System, waiting, WrResource (A)
  5 waits for ERESOURCE ffffaa3e5a9df002 (A)
  6 owned by  thread ffffaa3e1a9df000: 0004.0638 System, waiting, WrResource (A) <- closes the cycle
`
	if got := Text(&Picture{Panels: []Panel{p}}); got != want {
		t.Errorf("in words:\n%s", got)
	}
}

// TestWordsTellOfEveryNode: what cannot be seen can be read.
func TestWordsTellOfEveryNode(t *testing.T) {
	for name, p := range panels() {
		on := map[int]bool{}
		for _, e := range p.Edges {
			on[e.From], on[e.To] = true, true
		}
		words := Text(&Picture{Panels: []Panel{p}})
		for i, n := range p.Nodes {
			if on[i] && !strings.Contains(words, n.name()) {
				t.Errorf("%s: nothing is said of %s in\n%s", name, n.name(), words)
			}
		}
	}
}

// TestGradesAndKindsAreLinesAndHeads: colour tells nothing alone.
func TestGradesAndKindsAreLinesAndHeads(t *testing.T) {
	p := chainOf(2, 0, 2)
	p.Edges[0].Grade, p.Edges[1].Kind, p.Edges[1].Grade, p.Edges[2].Grade = "D", QueuedBehind, "C", "B"
	text := svg(t, &Picture{Panels: []Panel{p}})
	for _, want := range []string{"kdp-dotted", "kdp-dashed", "kdp-solid", "waits for (D)", "queued behind (C)", "waits for (B)", "owned by (A)", ">ROOT<", "grade C: ", "grade D: ", "grade A or B: "} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q", want)
		}
	}
	var dot bytes.Buffer
	if err := WriteDOT(&dot, &Picture{Panels: []Panel{p}}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"style=dotted", "style=dashed, arrowhead=diamond", "arrowhead=empty", "shape=octagon", "ROOT"} {
		if !strings.Contains(dot.String(), want) {
			t.Errorf("DOT has no %q", want)
		}
	}
}

// evil holds what breaks out of quotes, elements and lines.
const evil = "x\"><script>alert(1)</script>\\N\\\" ]]> &amp; \x1b[2J\r\n\u202eRTL\u0000\ufffe '--> {{.}} \u05e9\u05dc\u05d5\u05dd"

func TestHostileNames(t *testing.T) {
	long := strings.Repeat("nt!AVeryLongSymbol", 5000)
	n := func(s Shape) Node {
		return Node{Shape: s, Kind: evil, Address: evil, Details: []string{evil, long}, Full: evil + long, Root: true}
	}
	p := Panel{
		Heads: []Head{{1, evil, []string{evil, long}}}, Summary: evil + long, Path: []int{0, 1, 2},
		Nodes: []Node{n(Thread), n(Lock), n(Nobody), n(Group), n(Object), n(Elided)},
		Edges: []Edge{{0, 1, WaitsFor, evil, 0}, {1, 2, OwnedBy, "A", 0}, {From: 3, To: 1}},
	}
	pic := &Picture{Title: evil, Summary: evil + long, Panels: []Panel{p}, More: evil}
	text := svg(t, pic)
	wellFormed(t, "hostile", text)
	var dot, words bytes.Buffer
	if err := errors.Join(WriteDOT(&dot, pic), WriteText(&words, pic)); err != nil {
		t.Fatal(err)
	}
	for name, out := range map[string]string{"svg": text, "dot": dot.String(), "text": words.String()} {
		if strings.ContainsAny(out, "\x00\x1b\r\u202e\ufffe") {
			t.Errorf("%s: a control character came through", name)
		}
		if name == "svg" && strings.Contains(out, "<script") {
			t.Errorf("%s: a tag came through", name)
		}
	}
	if len(words.String()) > 20_000 || dot.Len() > 60_000 {
		t.Errorf("words take %d bytes, DOT %d", words.Len(), dot.Len())
	}
	if err := quotesClose(dot.String()); err != nil {
		t.Errorf("DOT: %v", err)
	}
}

// quotesClose checks that every line of DOT closes the strings it opens, and
// that nothing but what we write stands outside of them.
func quotesClose(dot string) error {
	for line := range strings.SplitSeq(dot, "\n") {
		in, escaped, outside := false, false, strings.Builder{}
		for _, r := range line {
			switch {
			case escaped:
				escaped = false
			case in && r == '\\':
				escaped = true
			case r == '"':
				in = !in
			case !in:
				outside.WriteRune(r)
			}
		}
		if in {
			return fmt.Errorf("a string is open at the end of %.80q", line)
		}
		if strings.ContainsAny(outside.String(), "<\\&'`$") {
			return fmt.Errorf("input stands outside of strings: %.80q", outside.String())
		}
	}
	return nil
}

func TestShorten(t *testing.T) {
	for _, tc := range []struct {
		in    string
		width int
		want  string
	}{
		{"fffffa80169538a0", 28, "fffffa80169538a0"},
		{"nt!ExAcquireResourceExclusiveLite", 21, "nt!ExAcqui…lusiveLite"},
		{"ab\x1bcd", 28, `ab\x1bcd`},
		{strings.Repeat("漢", 40), 11, "漢漢漢…漢漢"},
	} {
		if got := shorten(tc.in, tc.width); got != tc.want || kd.Cells(got) > tc.width {
			t.Errorf("shorten(%q, %d) = %q, %d wide, want %q", tc.in, tc.width, got, kd.Cells(got), tc.want)
		}
	}
	for _, w := range []int{8, 20, 28} {
		if got := shorten(strings.Repeat("x", 1<<20), w); kd.Cells(got) != w || !strings.Contains(got, "…") {
			t.Errorf("width %d: %q", w, got)
		}
	}
}

func TestFold(t *testing.T) {
	text := strings.Repeat("word ", 100) + strings.Repeat("x", 300)
	lines := fold(text, 40, 4)
	if len(lines) != 4 || !strings.HasSuffix(lines[3], "…") {
		t.Errorf("%q", lines)
	}
	for _, l := range lines {
		if kd.Cells(l) > 40 {
			t.Errorf("%q is too wide", l)
		}
	}
	if got := fold("", 40, 4); got != nil {
		t.Errorf("%q", got)
	}
}
