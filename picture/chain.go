package picture

// chain places each thread of a path beside what it waits for, one below the
// other down to the root, and what else the root owns beside the root.
func (d *drawing) chain() {
	p := d.panel
	y := 0
	var above *box // what leads to the next thread
	for i := 0; i < len(p.Path); {
		n := p.Path[i]
		h := boxHeight
		if p.Nodes[n].Shape == Elided {
			h = elidedHeight
		}
		b := *d.put(n, 0, y, boxWidth, h)
		if above != nil {
			d.lead(p.between(above.node, n, 0), *above, b)
		}
		i, above = i+1, &b
		if p.Nodes[n].Shape != Elided && i < len(p.Path) {
			lock := *d.put(p.Path[i], boxWidth+wideGap, y, boxWidth, boxHeight)
			if e := p.between(n, p.Path[i], 0); e >= 0 {
				d.across(e, b.right(), lock.left())
			}
			d.groups(lock, false)
			i, above = i+1, &lock
		}
		y += h + rowGap
	}
	if above != nil {
		d.alsoOwned(*above)
	}
}

// lead draws the edge from a box to the one that begins the next row.
func (d *drawing) lead(edge int, from, to box) {
	switch {
	case edge < 0:
	case from.x == to.x:
		d.down(edge, from.bottom(), to.top(), start)
	default:
		a, b := from.bottom(), to.top()
		turn := a.y + rowGap*2/5
		d.wires = append(d.wires, wire{
			edge: edge, way: []point{a, {a.x, turn}, {b.x, turn}, b},
			at: point{(a.x + b.x) / 2, turn}, text: point{(a.x + b.x) / 2, turn + 16},
		})
	}
}

// alsoOwned places the locks that lead to the root beside it.
func (d *drawing) alsoOwned(root box) {
	locks, edges := d.panel.into(root.node)
	step := boxHeight + 20
	for _, n := range locks {
		if waiters, _ := d.panel.into(n); len(waiters) > 1 {
			step = boxHeight + rowGap
		}
	}
	for i, n := range locks {
		b := *d.put(n, root.x+root.w+wideGap, root.y+i*step, boxWidth, boxHeight)
		from, to := b.left(), root.right()
		w := wire{edge: edges[i], way: []point{from, to}, at: point{(from.x + to.x) / 2, from.y}, text: point{(from.x + to.x) / 2, from.y - 7}}
		if i > 0 {
			trunk := to.x + 22
			w.way = []point{from, {trunk, from.y}, {trunk, to.y}, to}
			w.text.x += 10
		}
		d.wires = append(d.wires, w)
		d.groups(b, false)
	}
}
