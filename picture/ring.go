package picture

// ring places a cycle clockwise in two columns: from the top left to the
// right, down, and up again on the left.
func (d *drawing) ring() {
	path := d.panel.Path
	rows := (len(path) + 1) / 2
	boxes := make([]box, len(path))
	for i, n := range path {
		x, y := boxWidth+wideGap, (i-1)*(boxHeight+rowGap)
		switch {
		case i == 0:
			x, y = 0, 0
		case i > rows:
			x, y = 0, (rows-1-(i-rows-1))*(boxHeight+rowGap)
		}
		boxes[i] = *d.put(n, x, y, boxWidth, boxHeight)
	}
	for i := range path {
		next := (i + 1) % len(path)
		d.side(d.panel.between(path[i], path[next], d.order(i)), boxes[i], boxes[next])
	}
	for _, b := range boxes {
		if d.panel.Nodes[b.node].Shape == Lock || d.panel.Nodes[b.node].Shape == Object {
			d.groups(b, b.x == 0)
		}
	}
}

// order returns the number of the edge that leaves the node at a place of the
// path, 0 where it is not known.
func (d *drawing) order(i int) int {
	path := d.panel.Path
	for _, e := range d.panel.Edges {
		if e.From == path[i] && e.To == path[(i+1)%len(path)] && e.Order > i {
			return e.Order
		}
	}
	return 0
}

// side draws the edge between neighbours of a ring.
func (d *drawing) side(edge int, from, to box) {
	switch {
	case edge < 0:
	case from.x < to.x:
		d.across(edge, from.right(), to.left())
	case from.x > to.x:
		d.across(edge, from.left(), to.right())
	case from.y < to.y:
		d.down(edge, from.bottom(), to.top(), end)
	default:
		d.down(edge, from.top(), to.bottom(), start)
	}
}
