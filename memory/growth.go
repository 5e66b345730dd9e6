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

// Growths compares listings of one machine in their order. Listings of the pool of
// a session, those that were pasted again, and rows whose bytes are unknown are left
// out; a tag that only one listing has is, too.
func Growths(pools []*Pool) []Growth {
	type key struct {
		tag string
		t   Type
	}
	index := make(map[key]int)
	var out []Growth
	var met []*Pool
	for _, p := range pools {
		if p.OfSession == Yes || slices.ContainsFunc(met, p.same) {
			continue
		}
		met = append(met, p)
		seen := make(map[key]bool)
		for i := range p.Rows {
			for _, t := range []Type{NonPaged, Paged} {
				r, k := &p.Rows[i], key{p.Rows[i].Tag, t}
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
	for _, g := range out {
		if len(g.Rows) > 1 {
			kept = append(kept, g)
		}
	}
	return kept
}
