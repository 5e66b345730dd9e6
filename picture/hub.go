package picture

// hub places a cycle over a single lock: the threads one above the other, the
// lock as tall as they are, two edges for each thread.
func (d *drawing) hub() {
	p := d.panel
	lock := p.Path[1]
	y := 0
	var threads []box
	for i := 0; i < len(p.Path); i += 2 {
		t := d.put(p.Path[i], 0, y, boxWidth, boxHeight+8)
		if h := portGap + 2*discRadius; t.h < h { // both its edges reach it
			t.y, t.h = t.y-(h-t.h)/2, h
		}
		threads = append(threads, *t)
		y += boxHeight + 8 + 24
	}
	tall := *d.put(lock, boxWidth+wideGap+24, 0, boxWidth, y-24)
	for i, t := range threads {
		mid := t.left().y
		out, in := mid-portGap/2, mid+portGap/2
		if len(threads) > 1 {
			out, in = in, out // so the numbers follow each other downwards
		}
		before := (2*i + len(p.Path) - 1) % len(p.Path) // the place of the lock before the thread
		d.across(p.between(t.node, lock, 2*i+1), point{t.x + t.w, out}, point{tall.x, out})
		d.across(p.between(lock, t.node, before+1), point{tall.x, in}, point{t.x + t.w, in})
	}
	d.groups(tall, false)
}
