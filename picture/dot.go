package picture

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"kdlocks/kd"
)

// WriteDOT prints a picture in the language of Graphviz, a cluster for each
// panel.
func WriteDOT(w io.Writer, p *Picture) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "digraph kdlocks {\n  graph [label=%s, labelloc=t, labeljust=l, fontname=\"sans-serif\", rankdir=LR, nodesep=0.4, ranksep=0.9];\n", quote(label(p)))
	b.WriteString("  node [fontname=\"monospace\", fontsize=11];\n  edge [fontname=\"sans-serif\", fontsize=10, color=\"#57606a\"];\n")
	for i := range p.Panels {
		p.Panels[i].dot(&b, i+1)
	}
	b.WriteString("}\n")
	_, err := w.Write(b.Bytes())
	return err
}

func label(p *Picture) string {
	var lines []string
	for _, s := range []string{p.Title, p.Summary, p.More} {
		lines = append(lines, fold(s, 110, 6)...)
	}
	return strings.Join(lines, "\n") + "\n"
}

// quote makes a string of DOT. A line end within it becomes the escape that
// ends a line to the left. Graphviz reads entities, so ampersands are one.
func quote(s string) string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		lines[i] = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "&", "&amp;").Replace(kd.Plain(l))
	}
	return `"` + strings.Join(lines, `\l`) + `"`
}

var dotShapes = [...]string{
	Thread: `shape=box, style="rounded,filled", fillcolor="#eef6ff"`,
	Lock:   `shape=octagon, style=filled, fillcolor="#fff6dd"`,
	Object: `shape=parallelogram, style=filled, fillcolor="#f3eefc"`,
	Group:  `shape=box3d, style=filled, fillcolor="#f0f2f5"`,
	Nobody: `shape=box, style="rounded,dashed"`,
	Elided: `shape=plaintext`,
}

func (p *Panel) dot(b *bytes.Buffer, number int) {
	fmt.Fprintf(b, "  subgraph cluster_%d {\n    label=%s;\n    color=\"#d0d7de\";\n", number, quote(p.heading()))
	red := p.onCycle()
	for i := range p.Nodes {
		n := &p.Nodes[i]
		extra := ""
		if red[i] {
			extra += `, color="#cf222e", penwidth=3`
		}
		words := n.lines()
		for j := range words {
			words[j] = shorten(words[j], 60)
		}
		if n.Root {
			extra += `, peripheries=2`
			words = append([]string{"ROOT"}, words...)
		}
		fmt.Fprintf(b, "    p%dn%d [label=%s, tooltip=%s, %s%s];\n", number, i, quote(strings.Join(words, "\n")+"\n"), quote(shorten(n.title(), 2000)), dotShapes[min(n.Shape, Elided)], extra)
	}
	for i := range p.Edges {
		e := &p.Edges[i]
		words, extra := e.words(), ""
		if e.Order > 0 {
			words, extra = fmt.Sprintf("%d. %s", e.Order, words), `, color="#cf222e", fontcolor="#cf222e", penwidth=3`
		}
		fmt.Fprintf(b, "    p%dn%d -> p%dn%d [label=%s, style=%s, arrowhead=%s%s];\n", number, e.From, number, e.To, quote(words), e.stroke(), heads[min(e.Kind, MaybeEndedBy)], extra)
	}
	b.WriteString("  }\n")
}

var heads = [...]string{WaitsFor: "normal", OwnedBy: "empty", EndedBy: "empty", QueuedBehind: "diamond", PointsInto: "odot", MaybeEndedBy: "empty"}

// heading is the findings of a panel, a line each.
func (p *Panel) heading() string {
	var b strings.Builder
	for _, h := range p.Heads {
		fmt.Fprintf(&b, "[%d] %s\n", h.Number, h.line())
	}
	return b.String()
}
