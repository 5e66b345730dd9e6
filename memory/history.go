package memory

import (
	"sort"
	"strconv"
)

// History is what listings of pool of one machine show, in their order. Listings of the pool
// of a session, those that were pasted again, and rows whose bytes are unknown are left
// out. Nothing is compared over a restart, nor with what was listed while the machine
// started.
type History struct {
	boots  []int // of each listing, counted from 0
	points map[tagOf][]*point
	// whole are, of each boot, the listings so far that have every tag: one that they
	// do not have used nothing.
	whole map[int][]wholeListing
}

// wholeListing is one that has every tag.
type wholeListing struct {
	*Pool
	index int
}

// point is what one listing shows of a tag, and what the others of its run show.
type point struct {
	row     *Row
	usage   *Usage
	pool    *Pool
	listing int
	first   int // which point is the first of the run
	end     int // which is the last

	top, bottom, falls, rises int64
	moments, steps            int
	step                      *point // the last step
	same                      bool   // of the moment of that
	most                      int64  // of this one and those behind it
	least                     *Row   // of those behind it, nil if there is none
}

// tagOf is a tag in one type of pool.
type tagOf struct {
	tag string
	t   Type
}

// LeastUptime is how long, in milliseconds, a machine must have run to tell a leak from
// what starts. It is judgement.
const LeastUptime = 60 * 60_000

func (p *Pool) young() bool { return p.Uptime > 0 && p.Uptime < LeastUptime }

// NewHistory reads listings.
func NewHistory(pools []*Pool) *History {
	h := &History{points: make(map[tagOf][]*point), whole: make(map[int][]wholeListing)}
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
		if p.Whole() {
			h.whole[boot] = append(h.whole[boot], wholeListing{p, i})
		}
	}
	for k, list := range h.points {
		h.lookBack(k, list)
	}
	return h
}

// add adds what a listing shows, of each tag by its first row.
func (h *History) add(p *Pool, listing int) {
	for i := range p.Rows {
		for _, t := range []Type{NonPaged, Paged} {
			r, k := &p.Rows[i], tagOf{p.Rows[i].Tag, t}
			list := h.points[k]
			if !r.Of(t).Bytes.Known() || len(list) > 0 && list[len(list)-1].listing == listing {
				continue
			}
			if r.Of(t).Bytes.N > 0 {
				list = h.extend(list, h.without(k, list, p, listing))
			}
			h.points[k] = h.extend(list, newPoint(r, t, p, listing))
		}
	}
}

func newPoint(r *Row, t Type, p *Pool, listing int) *point {
	n := r.Of(t).Bytes.N
	x := &point{row: r, usage: r.Of(t), pool: p, listing: listing, top: n, bottom: n, moments: 1, steps: 1}
	x.step = x
	return x
}

// extend adds a point, if there is one.
func (h *History) extend(list []*point, x *point) []*point {
	if x == nil {
		return list
	}
	x.first = len(list)
	if n := len(list); n > 0 && h.boots[list[n-1].listing] == h.boots[x.listing] && (x.pool.young() || !list[n-1].pool.young()) {
		x.follow(list[n-1])
	}
	return append(list, x)
}

// without is a point of a listing that has every tag but one, between the last point and
// another listing; nil if there is none.
func (h *History) without(k tagOf, list []*point, p *Pool, listing int) *point {
	last, of := -1, p
	if n := len(list); n > 0 && h.boots[list[n-1].listing] == h.boots[listing] {
		last, of = list[n-1].listing, list[n-1].pool
	}
	for _, w := range behind(h.whole[h.boots[listing]], last) {
		if w.young() == p.young() && !w.sameMoment(p) && !w.sameMoment(of) {
			return newPoint(w.nothing(k), k.t, w.Pool, w.index)
		}
	}
	return nil
}

// behind returns the listings from another one on.
func behind(whole []wholeListing, listing int) []wholeListing {
	return whole[sort.Search(len(whole), func(i int) bool { return whole[i].index > listing }):]
}

// sameMoment reports whether listings may be of one moment: who looks for growth lists the
// same again.
func (p *Pool) sameMoment(q *Pool) bool { return p.Uptime == q.Uptime && p.Sort != q.Sort }

// nothing is the row of a tag that a listing does not have.
func (p *Pool) nothing(k tagOf) *Row {
	r := &Row{Tag: k.tag, At: p.At}
	r.Of(k.t).Bytes.At, r.Of(k.t).Allocs.At = p.At, p.At
	return r
}

// follow compares a point with the one before.
func (x *point) follow(last *point) {
	n := x.usage.Bytes.N
	x.first, x.top, x.bottom = last.first, max(last.top, n), min(last.bottom, n)
	x.falls, x.rises = max(last.falls, x.top-n), max(last.rises, n-x.bottom)
	x.moments, x.steps, x.step = last.moments, last.steps, last.step
	// Two listings of one moment show the same, as !poolused 2 and 4 do.
	same := n == last.usage.Bytes.N && x.usage.Allocs.N == last.usage.Allocs.N && x.pool.Uptime == last.pool.Uptime
	if x.same = last.same && same; !same {
		x.moments++
	}
	const leastStep = 64 << 10
	if from := x.step.usage.Bytes.N; n-from > max(leastStep, from/20) {
		x.steps, x.step, x.same = x.steps+1, x, true
	}
}

// stillRises reports whether the last step is no longer ago than the steps are apart: what
// filled up shows the same for longer.
func (x *point) stillRises(first *point) bool {
	from, step, to := first.pool.Uptime, x.step.pool.Uptime, x.pool.Uptime
	return x.same || x.steps > 1 && from > 0 && to-step <= (step-from)/int64(x.steps-1)
}

// lookBack finds what the points behind each show.
func (h *History) lookBack(k tagOf, list []*point) {
	for i := len(list) - 1; i >= 0; i-- {
		x := list[i]
		x.most, x.end = x.usage.Bytes.N, i
		if i+1 < len(list) && list[i+1].first <= i {
			next := list[i+1]
			x.end, x.least, x.most = next.end, next.row, max(x.most, next.most)
			if next.least != nil && next.least.Of(k.t).Bytes.N < next.usage.Bytes.N {
				x.least = next.least
			}
			continue
		}
		for _, w := range behind(h.whole[h.boots[x.listing]], x.listing) {
			if !w.sameMoment(x.pool) && (i+1 == len(list) || list[i+1].listing > w.index) {
				x.least = w.nothing(k)
			}
		}
	}
}

// fingerprint tells listings with other numbers, or of other moments, apart: no machine
// prints the same again.
func (p *Pool) fingerprint() string {
	b := strconv.AppendInt(nil, p.Uptime, 10)
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
func before(list []*point, listing int) int {
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

// growth is that up to a point, within its run.
func (h *History) growth(k tagOf, i int) *Growth {
	list := h.points[k]
	x := list[i]
	first := list[x.first]
	g := &Growth{Tag: k.tag, Type: k.t, FirstRow: first.row, LastRow: x.row, First: first.usage.Bytes, Last: x.usage.Bytes,
		Listings: i - x.first + 1, Moments: x.moments, Steps: x.steps, Rising: x.stillRises(first), Falls: x.falls, Rises: x.rises,
		Top: x.top, Most: x.most, Least: x.least, Restarted: h.boots[x.listing] != h.boots[len(h.boots)-1]}
	if i > x.first {
		g.Fell = list[i-1].usage.Bytes.N - g.Last.N
	}
	if x.end > i {
		g.Later = h.growth(k, x.end)
	}
	if from, to := first.pool.Uptime, x.pool.Uptime; from > 0 && to > from {
		g.Apart = to - from
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
