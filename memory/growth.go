package memory

import "slices"

// Growth is what became of the bytes that a tag uses of one type of pool, over
// several listings of one machine.
type Growth struct {
	Tag  string
	Type Type
	// Rows are what the listings have of the tag, in their order; Rows[0] is that of
	// the first.
	Rows []*Row
	// First and Last are the bytes of the first and the last of them.
	First, Last Number
}

// Grown returns by how many bytes the tag grew, below 0 if it shrank.
func (g *Growth) Grown() int64 { return g.Last.N - g.First.N }

// Falls returns by how many bytes it fell the most from one listing to a later
// one.
func (g *Growth) Falls() int64 {
	top, most := int64(0), int64(0)
	for _, r := range g.Rows {
		n := r.Of(g.Type).Bytes.N
		top = max(top, n)
		most = max(most, top-n)
	}
	return most
}

// same reports whether another listing has the same numbers: it was pasted twice, since
// no machine prints the same again.
func (p *Pool) same(o *Pool) bool {
	return slices.EqualFunc(p.Rows, o.Rows, func(a, b Row) bool {
		return a.Tag == b.Tag && a.NonPaged.Bytes.N == b.NonPaged.Bytes.N && a.Paged.Bytes.N == b.Paged.Bytes.N && a.NonPaged.Allocs.N == b.NonPaged.Allocs.N && a.Paged.Allocs.N == b.Paged.Allocs.N
	})
}

// tagOf is a tag in one type of pool.
type tagOf struct {
	tag string
	t   Type
}

// Growths compares listings of one machine in their order. Listings of the pool of
// a session, those that were pasted again, and rows whose bytes are unknown are left
// out; a tag that only one listing has is, too. Nothing is compared over a restart: of
// a tag that several boots have, the boot in which it grew most is returned.
func Growths(pools []*Pool) []Growth {
	index, made := make(map[tagOf]int), make(map[tagOf]int64)
	var out []Growth
	var met []*Pool
	for _, p := range pools {
		if p.OfSession == Yes || slices.ContainsFunc(met, p.same) {
			continue
		}
		met = append(met, p)
		if p.restarted(made) {
			clear(index)
			clear(made)
		}
		p.count(made)
		seen := make(map[tagOf]bool)
		for i := range p.Rows {
			for _, t := range []Type{NonPaged, Paged} {
				r, k := &p.Rows[i], tagOf{p.Rows[i].Tag, t}
				n := r.Of(t).Bytes
				if !n.Known() || seen[k] {
					continue
				}
				seen[k] = true
				j, ok := index[k]
				if !ok {
					j = len(out)
					index[k] = j
					out = append(out, Growth{Tag: r.Tag, Type: t, First: n})
				}
				out[j].Rows, out[j].Last = append(out[j].Rows, r), n
			}
		}
	}
	kept := out[:0]
	clear(index)
	for _, g := range out {
		k := tagOf{g.Tag, g.Type}
		switch i, ok := index[k]; {
		case len(g.Rows) < 2:
		case !ok:
			index[k] = len(kept)
			kept = append(kept, g)
		case g.Grown() > kept[i].Grown():
			kept[i] = g
		}
	}
	return kept
}

// SinceRestart returns those of some listings, in their order, that are of the last boot, as
// far as they tell.
func SinceRestart(pools []*Pool) []*Pool {
	made := make(map[tagOf]int64)
	from := 0
	for i, p := range pools {
		if p.OfSession == Yes {
			continue
		}
		if p.restarted(made) {
			clear(made)
			from = i
		}
		p.count(made)
	}
	return pools[from:]
}

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
