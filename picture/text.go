package picture

import (
	"fmt"
	"io"
	"strings"

	"kdlocks/kd"
)

// WriteText prints the picture in words: what is drawn, in the order in which
// it is to be read.
func WriteText(w io.Writer, p *Picture) error {
	_, err := io.WriteString(w, Text(p))
	return err
}

// Text returns what WriteText prints.
func Text(p *Picture) string {
	var parts []string
	if head := strings.Join(append(fold(p.Title, 100, 2), fold(p.Summary, 100, 20)...), "\n"); head != "" {
		parts = append(parts, head+"\n")
	}
	for i := range p.Panels {
		parts = append(parts, p.Panels[i].text())
	}
	if p.More != "" {
		parts = append(parts, strings.Join(fold(p.More, 100, 20), "\n")+"\n")
	}
	return strings.Join(parts, "\n")
}

// row is a line of a panel in words: a number, what the edge says, the node.
type row struct{ number, words, name, grade, remark string }

func (p *Panel) text() string {
	var rows []row
	seen := make(map[int]bool)
	for i, n := range p.Path {
		if i == 0 {
			rows = append(rows, p.row(-1, n))
		} else {
			rows = append(rows, p.row(p.between(p.Path[i-1], n, i), n))
		}
		if !seen[n] {
			rows = append(rows, p.side(n)...)
		}
		seen[n] = true
	}
	if p.Closed && len(p.Path) > 1 {
		first, last := p.Path[0], p.Path[len(p.Path)-1]
		r := p.row(p.between(last, first, len(p.Edges)), first)
		r.remark = "closes the cycle"
		rows = append(rows, r)
	}
	for _, n := range p.loose() {
		rows = append(rows, row{name: p.Nodes[n].said()})
	}
	return p.heading() + inColumns(rows)
}

// row tells of a node of the path and the edge that leads to it.
func (p *Panel) row(edge, node int) row {
	n := &p.Nodes[node]
	r := row{name: n.said()}
	if edge >= 0 {
		e := &p.Edges[edge]
		r.words, r.grade = e.Kind.String(), e.Grade
		if e.Order > 0 {
			r.number = fmt.Sprint(e.Order)
		}
	}
	if n.Root {
		r.remark = "the root"
	}
	return r
}

// side tells of the nodes that lead to one of the path.
func (p *Panel) side(node int) []row {
	var rows []row
	nodes, edges := p.into(node)
	for i, n := range nodes {
		e := &p.Edges[edges[i]]
		r := row{name: "  " + p.Nodes[n].said()}
		switch e.Kind {
		case OwnedBy, EndedBy, MaybeEndedBy:
			r.name, r.grade = "  owns "+p.Nodes[n].said(), e.Grade
		case PointsInto:
			r.name, r.grade = "  "+p.Nodes[n].said()+" has a stale owner pointer into it", e.Grade
		}
		rows = append(rows, r)
		for _, below := range p.side(n) {
			below.name = "  " + below.name
			rows = append(rows, below)
		}
	}
	return rows
}

// said is a node with its details.
func (n *Node) said() string {
	s := n.name()
	if len(n.Details) > 0 {
		s += ": " + strings.Join(n.Details, ", ")
	}
	return shorten(s, 160)
}

// inColumns sets the rows in columns.
func inColumns(rows []row) string {
	number, words := 0, 0
	for _, r := range rows {
		number, words = max(number, kd.Cells(r.number)), max(words, kd.Cells(r.words))
	}
	var b strings.Builder
	for _, r := range rows {
		line := "  " + strings.Repeat(" ", number-kd.Cells(r.number)) + r.number + " " + r.words + strings.Repeat(" ", words-kd.Cells(r.words)) + " " + r.name
		if r.grade != "" {
			line += " (" + shorten(r.grade, 2) + ")"
		}
		if r.remark != "" {
			line += " <- " + r.remark
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	return b.String()
}
