package picture

// Sizes in units of the SVG, about a screen pixel each.
const (
	boxWidth, boxHeight = 232, 86
	groupWidth          = 212
	wideGap             = 136 // between boxes side by side, with words on the edge
	narrowGap           = 52
	rowGap              = 56
	looseHeight         = 58
	elidedHeight        = 30
	portGap             = 38 // between the edges of a box that is drawn tall
	discRadius          = 10 // behind the number of an edge
)

// point is a place in a drawing: x to the right, y down.
type point struct{ x, y int }

// box is a node with its place.
type box struct {
	node       int
	x, y, w, h int
}

func (b *box) left() point   { return point{b.x, b.y + b.h/2} }
func (b *box) right() point  { return point{b.x + b.w, b.y + b.h/2} }
func (b *box) top() point    { return point{b.x + b.w/2, b.y} }
func (b *box) bottom() point { return point{b.x + b.w/2, b.y + b.h} }

// wire is an edge with its way, the last point at the head of the arrow.
type wire struct {
	edge int
	way  []point
	// at is where the number of the edge stands, and text where its words do.
	at, text point
	align    align
}

// align says to which side of its point a text extends.
type align uint8

const (
	middle align = iota
	start
	end
)

// drawing is a panel laid out.
type drawing struct {
	panel         *Panel
	boxes         []box
	wires         []wire
	width, height int
}

// layOut places the nodes of a panel.
func layOut(p *Panel) *drawing {
	d := &drawing{panel: p}
	switch {
	case p.Closed && d.oneLock():
		d.hub()
	case p.Closed:
		d.ring()
	default:
		d.chain()
	}
	d.looseBoxes()
	d.shift()
	return d
}

// oneLock reports whether all threads of a cycle wait for the same node.
func (d *drawing) oneLock() bool {
	p := d.panel
	for i, n := range p.Path {
		if i%2 == 1 && (n != p.Path[1] || p.Nodes[n].Shape == Elided) {
			return false
		}
	}
	return len(p.Path) > 1
}

func (d *drawing) put(node, x, y, w, h int) *box {
	if d.panel.Nodes[node].Shape == Elided {
		y, h = y+(h-elidedHeight)/2, elidedHeight
	}
	d.boxes = append(d.boxes, box{node, x, y, w, h})
	return &d.boxes[len(d.boxes)-1]
}

// across draws an edge between two boxes side by side, along a line that both
// have.
func (d *drawing) across(edge int, from, to point) {
	if edge < 0 {
		return
	}
	above := 7
	if d.panel.Edges[edge].Order > 0 {
		above = discRadius + 5
	}
	mid := (from.x + to.x) / 2
	d.wires = append(d.wires, wire{edge: edge, way: []point{from, to}, at: point{mid, from.y}, text: point{mid, from.y - above}})
}

// down draws an edge between two boxes one above the other; the words stand
// on the given side.
func (d *drawing) down(edge int, from, to point, side align) {
	at := point{from.x, (from.y + to.y) / 2}
	x := at.x + 16
	if side == end {
		x = at.x - 16
	}
	d.wires = append(d.wires, wire{edge: edge, way: []point{from, to}, at: at, text: point{x, at.y + 4}, align: side})
}

// groups places what leads to a box beside it, and draws the edges.
func (d *drawing) groups(b box, toTheLeft bool) {
	nodes, edges := d.panel.into(b.node)
	const height, gap = looseHeight, 18
	y := b.y + (b.h-len(nodes)*(height+gap)+gap)/2
	for i, n := range nodes {
		x := b.x + b.w + narrowGap
		if toTheLeft {
			x = b.x - narrowGap - groupWidth
		}
		g := *d.put(n, x, y+i*(height+gap), groupWidth, height)
		from, to := g.left(), b.right()
		if toTheLeft {
			from, to = g.right(), b.left()
		}
		to.y = min(max(from.y, b.y+8), b.y+b.h-8)
		d.wires = append(d.wires, wire{edge: edges[i], way: []point{from, to}, at: from, text: from})
	}
}

// looseBoxes places what has no edge in rows below the rest.
func (d *drawing) looseBoxes() {
	left, _, right, bottom := d.bounds()
	x, y := left, bottom+28
	for _, n := range d.panel.loose() {
		if x > left && x+boxWidth > max(right, left+3*boxWidth) {
			x, y = left, y+looseHeight+16
		}
		d.put(n, x, y, boxWidth, looseHeight)
		x += boxWidth + 24
	}
}

func (d *drawing) bounds() (left, top, right, bottom int) {
	for i, b := range d.boxes {
		if i == 0 {
			left, top, right, bottom = b.x, b.y, b.x+b.w, b.y+b.h
		}
		left, top, right, bottom = min(left, b.x), min(top, b.y), max(right, b.x+b.w), max(bottom, b.y+b.h)
	}
	return left, top, right, bottom
}

// shift moves the drawing to the origin and measures it.
func (d *drawing) shift() {
	left, top, right, bottom := d.bounds()
	for i := range d.boxes {
		d.boxes[i].x -= left
		d.boxes[i].y -= top
	}
	for i := range d.wires {
		w := &d.wires[i]
		for _, p := range []*point{&w.at, &w.text} {
			p.x, p.y = p.x-left, p.y-top
		}
		for j := range w.way {
			w.way[j].x -= left
			w.way[j].y -= top
		}
	}
	d.width, d.height = right-left, bottom-top
}
