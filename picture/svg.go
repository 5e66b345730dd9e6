package picture

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"strings"

	"kdlocks/kd"
)

// WriteSVG draws a picture as one SVG element without scripts, references or
// ids, so that it can stand alone and several can stand in one page. Its
// colours follow the reader's light or dark scheme, and are light on paper. The
// text twin is its description.
func WriteSVG(w io.Writer, p *Picture) error {
	c := &canvas{}
	c.picture(p)
	_, err := w.Write(c.Bytes())
	return err
}

// WritePanel draws one panel alone, without a legend, as WriteSVG does. A page
// can so break between panels.
func WritePanel(w io.Writer, p *Panel) error {
	c, body := &canvas{}, &canvas{}
	d := layOut(p)
	width := max(leastWidth, d.width+2*panelPad+2*edgePad)
	height := body.panel(d, edgePad, edgePad, width) - panelGap + edgePad
	label := "Wait-for graph"
	if len(p.Heads) > 0 {
		label += " of " + p.Heads[0].line()
	}
	c.element(label, p.text(), width, height, body)
	_, err := w.Write(c.Bytes())
	return err
}

// WriteLegend draws the legend of a picture alone.
func WriteLegend(w io.Writer, p *Picture) error {
	c, body := &canvas{}, &canvas{}
	width := leastWidth + 200
	height := body.legend(p, edgePad, edgePad, width)
	c.element("Legend of the pictures", "", width, height, body)
	_, err := w.Write(c.Bytes())
	return err
}

// Room around and between the parts.
const (
	margin      = 20
	edgePad     = 1 // around a panel that stands alone
	panelGap    = 20
	panelPad    = 24
	headHeight  = 20
	leastWidth  = 780
	textCell    = 7.3 // width of a character of running text, with room to spare
	boxCell     = 7.2 // of one in a box
	legendCell  = 7.0
	mostSummary = 4 // lines
)

// canvas collects SVG.
type canvas struct{ bytes.Buffer }

func (c *canvas) printf(format string, args ...any) { fmt.Fprintf(&c.Buffer, format, args...) }

// escape makes any text harmless in XML, also in attributes.
func escape(s string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(kd.Plain(s))) // a Buffer takes all
	return b.String()
}

func (c *canvas) picture(p *Picture) {
	drawings := make([]*drawing, len(p.Panels))
	width := leastWidth
	for i := range p.Panels {
		drawings[i] = layOut(&p.Panels[i])
		width = max(width, drawings[i].width+2*panelPad+2*margin)
	}
	body := &canvas{}
	y := body.title(p, width)
	for _, d := range drawings {
		y = body.panel(d, margin, y, width)
	}
	if p.More != "" {
		y = body.sentence("kdp-more", p.More, y, width, 2)
	}
	y = body.legend(p, margin, y, width)
	label := "Wait-for graph"
	if p.Title != "" {
		label += ": " + p.Title
	}
	c.element(label, Text(p), width, y, body)
}

// element writes the SVG element around a body, with its name and description.
func (c *canvas) element(label, words string, width, height int, body *canvas) {
	c.printf(`<svg xmlns="http://www.w3.org/2000/svg" class="kdp" role="img" aria-label="%s" width="%d" height="%d" viewBox="0 0 %d %d">`+"\n", escape(label), width, height, width, height)
	c.printf("<title>%s</title>\n<desc>%s</desc>\n<style>%s</style>\n", escape(label), escapeLines(words), style)
	c.printf(`<rect class="kdp-page" width="%d" height="%d"/>`+"\n", width, height)
	c.Write(body.Bytes())
	c.printf("</svg>\n")
}

// escapeLines is escape that keeps line ends.
func escapeLines(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = escape(lines[i])
	}
	return strings.Join(lines, "\n")
}

// title writes the verdict and returns where the next part begins.
func (c *canvas) title(p *Picture, width int) int {
	y := margin
	if p.Title != "" {
		c.text("kdp-title", margin, y+16, start, shorten(p.Title, cellsIn(width-2*margin, 11)))
		y += 30
	}
	if p.Summary != "" {
		y = c.sentence("kdp-prose", p.Summary, y, width, mostSummary)
	}
	return y
}

// cellsIn is how many characters of a width fit.
func cellsIn(width int, cell float64) int { return int(float64(width) / cell) }

// sentence writes folded text and returns where the next part begins.
func (c *canvas) sentence(class, text string, y, width, most int) int {
	for _, l := range fold(text, cellsIn(width-2*margin, textCell), most) {
		c.text(class, margin, y+13, start, l)
		y += 18
	}
	return y + 12
}

var anchors = [...]string{start: "start", middle: "middle", end: "end"}

func (c *canvas) text(class string, x, y int, a align, s string) {
	c.printf(`<text class="%s" x="%d" y="%d" text-anchor="%s">%s</text>`+"\n", class, x, y, anchors[a], escape(s))
}

// panel draws one panel with some room at its sides, and returns where the next
// part begins.
func (c *canvas) panel(d *drawing, side, y, width int) int {
	p := d.panel
	top := y
	inner := &canvas{}
	y += 12
	for i, h := range p.Heads {
		class := "kdp-head"
		if i > 0 {
			class = "kdp-prose"
		}
		inner.text(class, side+panelPad, y+15, start, shorten(fmt.Sprintf("[%d] %s", h.Number, h.line()), cellsIn(width-2*side-2*panelPad, 8.6)))
		y += headHeight
	}
	for _, l := range fold(p.Summary, cellsIn(width-2*side-2*panelPad, textCell), mostSummary) {
		inner.text("kdp-prose", side+panelPad, y+15, start, l)
		y += 18
	}
	y += 26
	inner.printf(`<g transform="translate(%d,%d)">`+"\n", (width-d.width)/2, y)
	red := p.onCycle()
	for i := range d.boxes {
		inner.box(p, &d.boxes[i], red[d.boxes[i].node])
	}
	for i := range d.wires {
		inner.wire(p, &d.wires[i])
	}
	for i := range d.wires {
		inner.words(p, &d.wires[i])
	}
	inner.printf("</g>\n")
	y += d.height + panelPad
	c.printf("<g>\n"+`<rect class="kdp-panel" x="%d" y="%d" width="%d" height="%d" rx="6"/>`+"\n", side, top, width-2*side, y-top)
	c.Write(inner.Bytes())
	c.printf("</g>\n")
	return y + panelGap
}

// box draws a node.
func (c *canvas) box(p *Panel, b *box, red bool) {
	n := &p.Nodes[b.node]
	class := "kdp-" + shapes[n.Shape]
	if red {
		class += " kdp-red"
	}
	if n.Root {
		class += " kdp-root"
	}
	c.printf(`<g class="kdp-node %s">`+"\n"+`<title>%s</title>`+"\n", class, escape(n.title()))
	if n.Root {
		c.printf(`<rect class="kdp-ring" x="%d" y="%d" width="%d" height="%d" rx="20"/>`+"\n", b.x-5, b.y-5, b.w+10, b.h+10)
	}
	c.outline(n.Shape, b.x, b.y, b.w, b.h)
	c.inside(n, b)
	if n.Root {
		c.printf(`<rect class="kdp-badge" x="%d" y="%d" width="46" height="18" rx="9"/>`+"\n", b.x+16, b.y-14)
		c.text("kdp-badgetext", b.x+39, b.y-1, middle, "ROOT")
	}
	c.printf("</g>\n")
}

var shapes = [...]string{Thread: "thread", Lock: "lock", Object: "object", Group: "group", Nobody: "nobody", Elided: "elided"}

// outline draws the shape of a box.
func (c *canvas) outline(s Shape, x, y, w, h int) {
	rect := func(x, y, w, h, r int) {
		c.printf(`<rect class="kdp-shape" x="%d" y="%d" width="%d" height="%d" rx="%d"/>`+"\n", x, y, w, h, r)
	}
	switch cut := min(12, h/3); s {
	case Lock:
		c.polygon("kdp-shape", point{x + cut, y}, point{x + w - cut, y}, point{x + w, y + cut}, point{x + w, y + h - cut}, point{x + w - cut, y + h}, point{x + cut, y + h}, point{x, y + h - cut}, point{x, y + cut})
	case Object:
		c.polygon("kdp-shape", point{x + cut, y}, point{x + w, y}, point{x + w - cut, y + h}, point{x, y + h})
	case Group:
		for _, o := range []int{8, 4, 0} {
			rect(x+o, y-o, w-8, h, 4)
		}
	case Elided:
		rect(x, y, w, h, h/2)
	default:
		rect(x, y, w, h, min(16, h/2))
	}
}

func (c *canvas) polygon(class string, ps ...point) {
	var b strings.Builder
	for i, p := range ps {
		if i > 0 {
			b.WriteByte(' ')
		}
		fmt.Fprintf(&b, "%d,%d", p.x, p.y)
	}
	c.printf(`<polygon class="%s" points="%s"/>`+"\n", class, b.String())
}

// inside writes the lines of a box, around its middle.
func (c *canvas) inside(n *Node, b *box) {
	const height = 16
	lines := n.lines()
	if most := max(1, (b.h-4)/height); len(lines) > most {
		lines = lines[:most]
	}
	w := b.w
	if n.Shape == Group {
		w -= 8
	}
	y := b.y + (b.h-len(lines)*height)/2 + 12
	for i, l := range lines {
		class := "kdp-detail"
		switch {
		case n.Shape == Elided:
			class = "kdp-more"
		case i == 0:
			class = "kdp-kind"
		case i == 1 && n.Address != "":
			class = "kdp-address"
		}
		c.text(class, b.x+w/2, y+i*height, middle, shorten(l, cellsIn(w-16, boxCell)))
	}
}

// wire draws the line of an edge and its head.
func (c *canvas) wire(p *Panel, w *wire) {
	e := &p.Edges[w.edge]
	class := "kdp-" + e.stroke()
	if e.Order > 0 {
		class += " kdp-red"
	}
	c.printf(`<g class="kdp-edge %s">`+"\n"+`<title>%s</title>`+"\n", class, escape(p.edgeTitle(e)))
	c.arrow(e.Kind, w.way)
	c.printf("</g>\n")
}

// arrow draws a line through some points with the head of a kind.
func (c *canvas) arrow(k Kind, way []point) {
	tip, before := way[len(way)-1], way[len(way)-2]
	dx, dy := float64(tip.x-before.x), float64(tip.y-before.y)
	length := max(math.Hypot(dx, dy), 1)
	dx, dy = dx/length, dy/length
	const long, half = 12, 6
	at := func(back, side float64) string {
		return fmt.Sprintf("%.1f,%.1f", float64(tip.x)-dx*back-dy*side, float64(tip.y)-dy*back+dx*side)
	}
	var line strings.Builder
	for _, p := range way[:len(way)-1] {
		fmt.Fprintf(&line, "%d,%d ", p.x, p.y)
	}
	c.printf(`<polyline class="kdp-line" points="%s%s"/>`+"\n", line.String(), at(long-1, 0))
	class, head := "kdp-head-full", []string{at(0, 0), at(long, half), at(long, -half)}
	switch k {
	case OwnedBy, EndedBy, MaybeEndedBy, PointsInto:
		class = "kdp-head-open"
	case QueuedBehind:
		head = []string{at(0, 0), at(long/2, half), at(long, 0), at(long/2, -half)}
	}
	c.printf(`<polygon class="%s" points="%s"/>`+"\n", class, strings.Join(head, " "))
}

// words writes what an edge means and its number. Those of the waiters beside
// a path have no grade and go without.
func (c *canvas) words(p *Panel, w *wire) {
	e := &p.Edges[w.edge]
	if e.Grade == "" && e.Order == 0 {
		return
	}
	c.text("kdp-say", w.text.x, w.text.y, w.align, e.words())
	if e.Order > 0 {
		c.disc(w.at, e.Order)
	}
}

func (c *canvas) disc(at point, number int) {
	c.printf(`<circle class="kdp-disc" cx="%d" cy="%d" r="%d"/>`+"\n", at.x, at.y, discRadius)
	class := "kdp-number"
	switch {
	case number > 99:
		class += " kdp-small"
	case number > 9:
		class += " kdp-less"
	}
	c.text(class, at.x, at.y+4, middle, fmt.Sprint(number))
}
