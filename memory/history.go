package memory

import (
	"sort"
	"strconv"
)

// History is what listings of pool of one machine show, in their order. Listings of the pool
// of a session, those that were pasted again, and rows whose bytes are unknown are left
// out. Nothing is compared over a restart.
type History struct {
	boots  []int // of each listing, counted from 0
	points map[tagOf][]point
}

// point is what one listing shows of a tag, and what the others of its boot show.
type point struct {
	row     *Row
	bytes   int64
	listing int
	first   int // which point is the first of the boot
	least   int // which is the lowest of the later ones, -1 if there is none

	top, bottom, falls, rises int64
}

// tagOf is a tag in one type of pool.
type tagOf struct {
	tag string
	t   Type
}

// NewHistory reads listings.
func NewHistory(pools []*Pool) *History {
	h := &History{points: make(map[tagOf][]point)}
	made, met := make(map[tagOf]int64), make(map[string]bool)
	boot, ram := 0, Number{}
	for i, p := range pools {
		sum := p.fingerprint()
		if p.OfSession == Yes || met[sum] {
			h.boots = append(h.boots, boot)
			continue
		}
		met[sum] = true
		kb := p.Gauge("Memory")
		if p.restarted(made) || ram.Known() && kb.Known() && ram.N != kb.N {
			clear(made)
			boot++
		}
		if kb.Known() {
			ram = kb
		}
		p.count(made)
		h.boots = append(h.boots, boot)
		h.add(p, i)
	}
	for _, list := range h.points {
		lookBack(list)
	}
	return h
}

// add adds what a listing shows, of each tag by its first row.
func (h *History) add(p *Pool, listing int) {
	for i := range p.Rows {
		for _, t := range []Type{NonPaged, Paged} {
			r, k := &p.Rows[i], tagOf{p.Rows[i].Tag, t}
			n := r.Of(t).Bytes
			list := h.points[k]
			if !n.Known() || len(list) > 0 && list[len(list)-1].listing == listing {
				continue
			}
			x := point{row: r, bytes: n.N, listing: listing, first: len(list), least: -1, top: n.N, bottom: n.N}
			if len(list) > 0 {
				if last := list[len(list)-1]; h.boots[last.listing] == h.boots[listing] {
					x.first, x.top, x.bottom = last.first, max(last.top, n.N), min(last.bottom, n.N)
					x.falls, x.rises = max(last.falls, x.top-n.N), max(last.rises, n.N-x.bottom)
				}
			}
			h.points[k] = append(list, x)
		}
	}
}

// lookBack finds the lowest point behind each.
func lookBack(list []point) {
	for i := len(list) - 2; i >= 0; i-- {
		next := &list[i+1]
		if next.first > i {
			continue // of another boot
		}
		if list[i].least = i + 1; next.least >= 0 && list[next.least].bytes < next.bytes {
			list[i].least = next.least
		}
	}
}

// fingerprint tells listings with other numbers apart: no machine prints the same again.
func (p *Pool) fingerprint() string {
	var b []byte
	for i := range p.Rows {
		r := &p.Rows[i]
		b = append(b, r.Tag...)
		for _, n := range []Number{r.NonPaged.Bytes, r.Paged.Bytes, r.NonPaged.Allocs, r.Paged.Allocs} {
			b = strconv.AppendInt(append(b, ' '), n.N, 10)
		}
	}
	return string(b)
}

// Growths compares some of the listings, those from one on to before another, with all that
// stand before them. Of a tag that several boots have, the boot in which it grew most is
// returned; one that only one listing has is left out.
func (h *History) Growths(pools []*Pool, from, to int) []*Growth {
	var out []*Growth
	seen := make(map[tagOf]bool)
	for _, p := range pools {
		for i := range p.Rows {
			for _, t := range []Type{NonPaged, Paged} {
				k := tagOf{p.Rows[i].Tag, t}
				if seen[k] {
					continue
				}
				seen[k] = true
				if g := h.most(k, from, to); g != nil {
					out = append(out, g)
				}
			}
		}
	}
	return out
}

// before returns how many points stand before a listing.
func before(list []point, listing int) int {
	return sort.Search(len(list), func(i int) bool { return list[i].listing >= listing })
}

// most returns the growth of the boot in which a tag grew most, nil if there is none.
func (h *History) most(k tagOf, from, to int) (best *Growth) {
	list := h.points[k]
	for i := before(list, to) - 1; i >= 0 && list[i].listing >= from; i = list[i].first - 1 {
		if g := h.growth(k, i); g.Listings > 1 && (best == nil || g.Grown() >= best.Grown()) {
			best = g
		}
	}
	return best
}

// growth is that up to a point, within its boot.
func (h *History) growth(k tagOf, i int) *Growth {
	list := h.points[k]
	x := &list[i]
	g := &Growth{Tag: k.tag, Type: k.t, FirstRow: list[x.first].row, LastRow: x.row, Listings: i - x.first + 1, Falls: x.falls, Rises: x.rises}
	g.First, g.Last = g.FirstRow.Of(k.t).Bytes, g.LastRow.Of(k.t).Bytes
	if x.least >= 0 {
		g.Least = list[x.least].row
	}
	return g
}

// Of returns what became of a tag in the last boot up to before a listing; nil if none
// from another one on has it.
func (h *History) Of(tag string, t Type, from, to int) *Growth {
	k := tagOf{tag, t}
	i := before(h.points[k], to) - 1
	if i < 0 || h.points[k][i].listing < from || !h.SameBoot(h.points[k][i].listing, to-1) {
		return nil
	}
	return h.growth(k, i)
}

// SameBoot reports whether nothing tells that two listings are of different boots.
func (h *History) SameBoot(a, b int) bool { return h.boots[a] == h.boots[b] }

// mayWrap is from where on a count of 32 bits, as a pool tag has them
// (SYSTEM_POOLTAG), is taken to have begun anew when it is found lower.
const mayWrap = 1 << 31

// restarted reports whether a listing is of another boot, or machine, than what was
// made before it: allocations are counted since the machine was started, and never
// fewer. One count among others that rise may be mangled.
func (p *Pool) restarted(made map[tagOf]int64) bool {
	fell, rose := 0, 0
	p.eachMade(func(k tagOf, n int64) {
		switch before, ok := made[k]; {
		case !ok || before >= mayWrap:
		case n < before:
			fell++
		case n > before:
			rose++
		}
	})
	return fell > 1 || fell > rose
}

// count keeps the allocations of each tag.
func (p *Pool) count(made map[tagOf]int64) {
	p.eachMade(func(k tagOf, n int64) { made[k] = n })
}

// eachMade tells how many allocations each tag made, where that was printed.
func (p *Pool) eachMade(tell func(k tagOf, n int64)) {
	for i := range p.Rows {
		for _, t := range []Type{NonPaged, Paged} {
			if n := p.Rows[i].Of(t).Life().Made; n.Known() {
				tell(tagOf{p.Rows[i].Tag, t}, n.N)
			}
		}
	}
}
