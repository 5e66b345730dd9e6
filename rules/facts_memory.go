package rules

import (
	"iter"
	"strings"

	"kdlocks/kd"
	"kdlocks/memory"
)

// poolFact is what one tag uses, by all listings that have it.
type poolFact struct {
	tag  string
	rows []pooled // of the session itself, in the order of the input
}

// pooled is a row and its listing.
type pooled struct {
	*memory.Row
	pool *memory.Pool
}

// growth is what it takes to see a trend.
const growth = "one listing shows no growth, nor do those of the first hour of a machine; a second one some minutes later does"

var trends = []string{"grows", "steady", "shrinks"}

func init() {
	registerKind(&kind{
		name: "pool", doc: "what a pool tag uses by !poolused or poolmon; the last listing counts",
		ask: "!poolused 2", one: "!poolused 2 %s",
		seen:   func(w *world) bool { return len(w.snap.Memory.Pools) > 0 },
		listed: wholePool,
		all:    allPool,
		at:     placed(func(p *poolFact) kd.Ref { return p.last().At }),
		fields: []*field{
			{name: "tag", typ: Text, list: true, doc: "the tag, letter by letter; blanks at its end may be left out", get: getter(poolTag)},
			usage("np_bytes", Size, "bytes of nonpaged pool", memory.NonPaged, func(u *memory.Usage) memory.Number { return u.Bytes }),
			{name: "np_fell", typ: Size, doc: "bytes of nonpaged pool that it has less than in the listing before, 0 if it has more or there is none", get: getter(poolFell), ask: "!poolused 2"},
			usage("np_allocs", Number, "allocations of nonpaged pool that were not freed", memory.NonPaged, func(u *memory.Usage) memory.Number { return u.Allocs }),
			{name: "np_rank", typ: Number, doc: "its place among the tags by bytes of nonpaged pool, counted from 1", get: getter(poolRank(memory.NonPaged)), ask: "!poolused 2"},
			{name: "np_pct", typ: Percent, doc: "its share of all nonpaged pool in use, by TOTAL, the head of poolmon or !vm", get: getter(poolShare(memory.NonPaged)), ask: "!poolused 2"},
			{name: "np_trend", typ: Enum, words: trends, doc: "what its nonpaged bytes do from the first listing to the last: more than 5 % and 64 KB in one direction, with no more than a tenth of it back in between, or steady", get: getter(poolTrend(memory.NonPaged)), ask: "!poolused 2", lack: growth},
			usage("paged_bytes", Size, "bytes of paged pool", memory.Paged, func(u *memory.Usage) memory.Number { return u.Bytes }),
			usage("paged_allocs", Number, "allocations of paged pool that were not freed", memory.Paged, func(u *memory.Usage) memory.Number { return u.Allocs }),
			{name: "paged_rank", typ: Number, doc: "its place among the tags by bytes of paged pool", get: getter(poolRank(memory.Paged)), ask: "!poolused 4"},
			{name: "paged_pct", typ: Percent, doc: "its share of all paged pool in use, by TOTAL, the head of poolmon or !vm", get: getter(poolShare(memory.Paged)), ask: "!poolused 4"},
			{name: "paged_trend", typ: Enum, words: trends, doc: "what its paged bytes do from the first listing to the last", get: getter(poolTrend(memory.Paged)), ask: "!poolused 4", lack: growth},
			{name: "trend", typ: Enum, words: trends, doc: "grows if either type of pool does, else shrinks, else steady", get: getter(eitherTrend), ask: "!poolused 2", lack: growth},
			{name: "np_per_alloc", typ: Size, doc: "bytes for each allocation of nonpaged pool", get: getter(perAlloc(memory.NonPaged))},
			{name: "paged_per_alloc", typ: Size, doc: "bytes for each allocation of paged pool", get: getter(perAlloc(memory.Paged))},
			{name: "frees", typ: Number, doc: "allocations of either type that were freed, as poolmon and !poolused 1 print them", get: getter(poolFrees), ask: "!poolused 1"},
			{name: "comment", typ: Name, doc: "what pooltag.txt says of it", get: getter(func(_ *world, p *poolFact) Values { return text(Name, p.last().Comment, p.last().At) })},
			{name: "driver", typ: Name, doc: "the driver that pooltag.txt or poolmon names", get: getter(func(_ *world, p *poolFact) Values { return text(Name, p.last().Driver, p.last().At) })},
		},
	})
	registerKind(&kind{
		name: "vm", doc: "the counters of !vm, of the last one that tells of pool or physical memory",
		ask:  "!vm 1",
		seen: func(w *world) bool { return len(w.snap.Memory.VMs) > 0 },
		all: func(w *world) iter.Seq[fact] {
			if v := w.snap.Memory.LastVM(); v != nil {
				return each([]*memory.VM{v})
			}
			return each([]*memory.VM(nil))
		},
		at: placed(func(v *memory.VM) kd.Ref { return v.At }),
		fields: []*field{
			{name: "nonpaged_pct", typ: Percent, doc: "nonpaged pool in use of its maximum, as the counters say: see nonpaged_pages_over_ram", get: getter(nonPagedPercent)},
			{name: "nonpaged_pages", typ: Number, doc: "pages of nonpaged pool in use", get: getter(func(_ *world, v *memory.VM) Values {
				n, ok := v.NonPagedUsage()
				if !ok {
					return unknown
				}
				return number(Number, float64(n), counterAt(v, memory.NonPagedPoolUsage))
			})},
			counter("nonpaged_max", "the most pages of nonpaged pool", memory.NonPagedPoolMax),
			{name: "nonpaged_pages_over_ram", typ: Bool, doc: "true where the usage is larger than physical memory, which cannot be", get: getter(overRAM)},
			counter("paged_pages", "pages of paged pool in use", memory.PagedPoolUsage),
			counter("paged_max", "the most pages of paged pool", memory.PagedPoolMaximum),
			{name: "paged_pct", typ: Percent, doc: "paged pool in use of its maximum", get: getter(func(_ *world, v *memory.VM) Values {
				return percent(v, memory.PagedPoolUsage, memory.PagedPoolMaximum)
			})},
			counter("physical_pages", "pages of physical memory", memory.PhysicalMemory),
			counter("available_pages", "pages that are available", memory.AvailablePages),
			counter("free_ptes", "free system PTEs", memory.FreeSystemPTEs),
			{name: "commit_pct", typ: Percent, doc: "committed pages of the limit", get: getter(func(_ *world, v *memory.VM) Values {
				return percent(v, memory.CommittedPages, memory.CommitLimit)
			})},
			{name: "failed", typ: Number, doc: "pool allocations that have failed; 0 where !vm says nothing of any", get: getter(func(_ *world, v *memory.VM) Values {
				n := v.Failed("pool allocations")
				switch {
				case n.Known():
					return number(Number, float64(n.N), n.At)
				case !behindBanners(v):
					return unknown
				}
				return number(Number, 0, v.At)
			})},
			{name: "banner", typ: Name, list: true, doc: "what stands between asterisks: *Excessive NonPaged Pool Usage*. It is no evidence by itself", get: getter(banners)},
		},
	})
}

func (p *poolFact) last() pooled { return p.rows[len(p.rows)-1] }

// lastOf returns the last row that says something of a type of pool, nil if none
// does.
func (p *poolFact) lastOf(t memory.Type) *pooled {
	for i := len(p.rows) - 1; i >= 0; i-- {
		if p.rows[i].Of(t).Bytes.Known() {
			return &p.rows[i]
		}
	}
	return nil
}

// firstOf returns the first row that says something of a type of pool, nil if none does.
func (p *poolFact) firstOf(t memory.Type) *pooled {
	for i := range p.rows {
		if p.rows[i].Of(t).Bytes.Known() {
			return &p.rows[i]
		}
	}
	return nil
}

// poolTag has the tag as printed and without blanks at its end.
func poolTag(_ *world, p *poolFact) Values {
	out := text(Text, p.tag, p.last().At)
	if short := strings.TrimRight(p.tag, " "); short != p.tag {
		out.List = append(out.List, Value{Type: Text, S: short, At: p.last().At})
	}
	return out
}

func usage(name string, typ Type, doc string, t memory.Type, of func(*memory.Usage) memory.Number) *field {
	ask := "!poolused 2"
	if t == memory.Paged {
		ask = "!poolused 4"
	}
	return &field{name: name, typ: typ, doc: doc, ask: ask, get: getter(func(_ *world, p *poolFact) Values {
		if r := p.lastOf(t); r != nil {
			return amount(typ, of(r.Of(t)))
		}
		return unknown
	})}
}

func amount(typ Type, n memory.Number) Values {
	if !n.Known() {
		return unknown
	}
	return number(typ, float64(n.N), n.At)
}

func poolRank(t memory.Type) func(*world, *poolFact) Values {
	return func(_ *world, p *poolFact) Values {
		r := p.lastOf(t)
		if r == nil {
			return unknown
		}
		n, ok := r.pool.Rank(r.Row, t)
		if !ok {
			return unknown
		}
		return number(Number, float64(n), r.At)
	}
}

func poolShare(t memory.Type) func(*world, *poolFact) Values {
	return func(w *world, p *poolFact) Values {
		r := p.lastOf(t)
		if r == nil {
			return unknown
		}
		share, ok := r.pool.Share(r.Row, t, w.snap.Memory.LastVM())
		if !ok {
			return unknown
		}
		return number(Percent, share, r.At)
	}
}

func perAlloc(t memory.Type) func(*world, *poolFact) Values {
	return func(_ *world, p *poolFact) Values {
		r := p.lastOf(t)
		if r == nil || !r.Of(t).Allocs.Known() || r.Of(t).Allocs.N <= 0 {
			return unknown
		}
		return number(Size, float64(r.Of(t).Bytes.N)/float64(r.Of(t).Allocs.N), r.At)
	}
}

// poolTrend compares the first listing with the last: one alone says nothing.
func poolTrend(t memory.Type) func(*world, *poolFact) Values {
	return func(w *world, p *poolFact) Values {
		last := p.lastOf(t)
		if last == nil {
			return unknown
		}
		g := w.snap.PoolGrowth(p.tag, t)
		if g == nil || g.Listings < 2 {
			if p.firstOf(t).pool == last.pool {
				return unknown
			}
			return text(Enum, "steady", last.At) // one that was pasted twice
		}
		trend, at := trendOf(g), last.At
		if trend == "grows" {
			if _, young := w.snap.Target.JustStarted(); young || g.Apart > 0 && g.Apart < leastApart {
				return unknown // what starts takes pool
			}
			if g.WentBack() { // up and down again
				trend, at = "steady", g.Least.At
			}
		}
		out := text(Enum, trend, at)
		out.List[0].since = g.FirstRow.At
		return out
	}
}

func poolFell(w *world, p *poolFact) Values {
	g := w.snap.PoolGrowth(p.tag, memory.NonPaged)
	if g == nil {
		return unknown
	}
	return number(Size, float64(max(g.Fell, 0)), g.LastRow.At)
}

// leastApart is how far apart, in milliseconds, listings must be to show growth.
const leastApart = 5 * 60_000

// trendOf says what bytes do from listing to listing. What goes up and down again has no
// direction.
func trendOf(g *memory.Growth) string {
	const least = 64 << 10
	switch d := g.Grown(); {
	case d > least && d > g.First.N/20 && g.Falls <= d/10:
		return "grows"
	case -d > least && -d > g.First.N/20 && g.Rises <= -d/10:
		return "shrinks"
	}
	return "steady"
}

func eitherTrend(w *world, p *poolFact) Values {
	np, paged := poolTrend(memory.NonPaged)(w, p), poolTrend(memory.Paged)(w, p)
	for _, word := range []string{"grows", "shrinks", "steady"} {
		for _, v := range append(np.List, paged.List...) {
			if v.S == word {
				return one(v)
			}
		}
	}
	return unknown
}

func poolFrees(_ *world, p *poolFact) Values {
	sum, known := int64(0), false
	for _, t := range []memory.Type{memory.NonPaged, memory.Paged} {
		if r := p.lastOf(t); r != nil && r.Of(t).Life().Freed.Known() {
			sum, known = sum+r.Of(t).Life().Freed.N, true
		}
	}
	if !known {
		return unknown
	}
	return number(Number, float64(sum), p.last().At)
}

// wholePool reports whether no tag is missing that a clause may hold for: a
// listing has every tag, or it is sorted and the clause asks for tags that stand
// above its last one.
func wholePool(w *world, c *clause) bool {
	for _, p := range w.snap.Memory.Pools {
		if p.Whole() || p.OfSession != memory.Yes && (asksAbove(p, memory.NonPaged, c, "np_bytes", "np_rank") || asksAbove(p, memory.Paged, c, "paged_bytes", "paged_rank")) {
			return true
		}
	}
	return false
}

// asksAbove reports whether a clause asks for more bytes than the last tag has
// whose place in a listing is known, or for a place before it.
func asksAbove(p *memory.Pool, t memory.Type, c *clause, bytes, rank string) bool {
	last := 0
	least := int64(0)
	for i, place := range p.Ranks(t) {
		if place > last {
			last, least = place, p.Rows[i].Of(t).Bytes.N
		}
	}
	if last == 0 {
		return false
	}
	for _, m := range c.matchers {
		if !m.constant() || m.negative() {
			continue
		}
		for _, op := range m.ops {
			if m.field.name == bytes && op.above(float64(least)) || m.field.name == rank && op.upTo(float64(last)) {
				return true
			}
		}
	}
	return false
}

// above reports whether only values greater than n fit a comparison with literals.
func (c *comparison) above(n float64) bool {
	for i := range c.operands {
		v := c.operands[i].lit.N
		if v < n || v == n && c.op != "gt" {
			return false
		}
	}
	return c.op == "gt" || c.op == "gte" || c.op == "eq" || c.op == "in"
}

// upTo reports whether only values up to n fit a comparison with literals.
func (c *comparison) upTo(n float64) bool {
	for i := range c.operands {
		v := c.operands[i].lit.N
		if v > n && !(c.op == "lt" && v <= n+1) {
			return false
		}
	}
	return c.op == "lt" || c.op == "lte" || c.op == "eq" || c.op == "in"
}

// allPool joins the rows of one tag. The pool of a session is not that of the
// system, and listings of before the machine was started anew tell of nothing.
func allPool(w *world) iter.Seq[fact] {
	return func(yield func(fact) bool) {
		byTag := make(map[string]*poolFact)
		var order []*poolFact
		for _, p := range w.snap.PoolsOfLastBoot() {
			if p.OfSession == memory.Yes {
				continue
			}
			for i := range p.Rows {
				r := &p.Rows[i]
				f := byTag[r.Tag]
				if f == nil {
					f = &poolFact{tag: r.Tag}
					byTag[r.Tag], order = f, append(order, f)
				}
				f.rows = append(f.rows, pooled{r, p})
			}
		}
		for _, f := range order {
			if !yield(f) {
				return
			}
		}
	}
}

func counterAt(v *memory.VM, name string) kd.Ref {
	if c := v.Counter(name); c != nil {
		return c.At
	}
	return v.At
}

func counter(name, doc, of string) *field {
	return &field{name: name, typ: Number, doc: doc, get: getter(func(_ *world, v *memory.VM) Values {
		if c := v.Counter(of); c != nil && !c.Torn {
			return amount(Number, c.Pages)
		}
		return unknown
	})}
}

func percent(v *memory.VM, part, whole string) Values {
	p, m := v.Counter(part), v.Counter(whole)
	if p == nil || m == nil || p.Torn || m.Torn || !p.Pages.Known() || !m.Pages.Known() || m.Pages.N <= 0 {
		return unknown
	}
	return number(Percent, float64(p.Pages.N)*100/float64(m.Pages.N), p.At)
}

// nonPagedPercent is as printed where it cannot be true: overRAM tells.
func nonPagedPercent(_ *world, v *memory.VM) Values {
	p, ok := v.NonPagedPercent()
	if !ok {
		p, ok = v.PrintedNonPagedPercent()
	}
	if !ok {
		return unknown
	}
	return number(Percent, p, counterAt(v, memory.NonPagedPoolUsage))
}

func overRAM(_ *world, v *memory.VM) Values {
	f := v.NonPagedOverRAM()
	if f == memory.Unknown {
		return unknown
	}
	return boolean(f == memory.Yes, counterAt(v, memory.NonPagedPoolUsage))
}

// behindBanners reports whether a counter was printed that stands behind all lines
// between asterisks.
func behindBanners(v *memory.VM) bool {
	return v.Counter(memory.CommittedPages) != nil || v.Counter(memory.CommitLimit) != nil
}

func banners(_ *world, v *memory.VM) Values {
	out := Values{All: behindBanners(v)}
	for _, b := range v.Banners {
		out.List = append(out.List, Value{Type: Name, S: b.Text, At: b.At})
	}
	return out
}
