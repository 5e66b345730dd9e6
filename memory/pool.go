package memory

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"kdlocks/kd"
)

// Pool is one output of !poolused or poolmon: what each tag uses.
type Pool struct {
	Tool    Tool
	Command string // as typed, "" if nothing tells
	// Sort is what the rows are sorted by, as the output or the command tells.
	Sort   Sort
	SortAt kd.Ref
	// Filter is the pattern of tags that was asked for. Filtered is Unknown where
	// nothing tells the command.
	Filter   string
	Filtered Flag
	// Limit is the number of rows that was asked for, 0 if all were.
	Limit int
	// OfSession is Yes for the pool of a session, which is not that of the system;
	// SessionID is which, if it was printed.
	OfSession Flag
	SessionID Number
	Rows      []Row
	// Total is the TOTAL line of !poolused.
	Total Row
	// Elided is where an author left rows out, unknown if nothing tells. Dropped
	// counts rows beyond the limit on what is kept, Unread those that could not be
	// read.
	Elided          kd.Ref
	Dropped, Unread int
	// Gap is the index of the first row behind any line that was not read, or that
	// stands for others; len(Rows) if there is none.
	Gap int
	// Machine is what poolmon prints of the machine above its rows, in Kb, but for
	// page faults: "Memory", "Avail", "PageFlts", "InRam Krnl", "InRam P", "Commit",
	// "Limit", "Peak", "Pool N", "Pool P".
	Machine []Gauge
	// Uptime is how long the machine had run, in milliseconds, as the session tells that
	// lists it, 0 if it does not.
	Uptime  int64
	At      kd.Ref
	EndLine int32
}

// Gauge is a name and a number in the head of poolmon.
type Gauge struct {
	Name string
	Number
}

// Tool is what printed a Pool.
type Tool uint8

// The tools that print pools.
const (
	Poolused Tool = iota
	Poolmon
)

// String returns the name of the tool.
func (t Tool) String() string { return [...]string{"!poolused", "poolmon"}[t] }

// Sort is an order of rows.
type Sort uint8

// The orders of rows.
const (
	SortUnknown Sort = iota
	ByTag
	ByNonPaged // bytes of nonpaged pool, most first
	ByPaged    // bytes of paged pool, most first
	ByBytes    // bytes of either, most first
)

// String returns the name of the order, "unknown" if there is none.
func (s Sort) String() string { return [...]string{"unknown", "tag", "nonpaged", "paged", "bytes"}[s] }

// Type is a type of pool.
type Type uint8

// The types of pool.
const (
	NoType Type = iota
	NonPaged
	Paged
)

// String returns the name of the type, "" for NoType.
func (t Type) String() string { return [...]string{"", "nonpaged", "paged"}[t] }

// Row is what one tag uses. A row of !poolused has both types of pool; one of
// poolmon has one, and the other is unknown.
type Row struct {
	// Tag has four characters: as printed, with blanks for those that are missing
	// at its end. Case counts.
	Tag      string
	Type     Type   // of poolmon
	TypeWord string // as printed: "Nonp"
	NonPaged Usage
	Paged    Usage
	// Comment is what pooltag.txt says of the tag, or of its absence there;
	// Driver the file that it names: "i8042prt.sys", "nt!mm".
	Comment string
	Driver  string
	At      kd.Ref
}

// Usage is what a tag uses of one type of pool.
type Usage struct {
	// Allocs are the allocations that were not freed: Allocs of !poolused, Diff of
	// poolmon and of !poolused 1. Bytes are what they take.
	Allocs, Bytes Number
	// life is nil where none of it was printed: as in most listings.
	life *Life
}

// Life is what became of the allocations of a tag.
type Life struct {
	// Made and Freed are all allocations since the machine started, and all that
	// were freed: Allocs and Frees of poolmon and of !poolused 1.
	Made, Freed Number
	// MadeSince, FreedSince and BytesSince are the changes since the last look of
	// poolmon; PerAlloc is what it prints as bytes for each allocation.
	MadeSince, FreedSince, BytesSince, PerAlloc Number
}

// Life returns what became of the allocations, all unknown if it was not
// printed.
func (u *Usage) Life() Life {
	if u.life == nil {
		return Life{}
	}
	return *u.life
}

// Of returns what the row says of a type of pool.
func (r *Row) Of(t Type) *Usage {
	if t == Paged {
		return &r.Paged
	}
	return &r.NonPaged
}

// Described reports whether the tag is in pooltag.txt, as far as the comment
// tells.
func (r *Row) Described() Flag {
	if r.Comment == "" {
		return Unknown
	}
	return flag(!strings.HasPrefix(r.Comment, "UNKNOWN pooltag"))
}

// Tag returns a tag as rows have it: blanks at its end are what is missing of
// four characters.
func Tag(s string) string {
	if n := utf8.RuneCountInString(s); n < tagChars {
		return s + strings.Repeat(" ", tagChars-n)
	}
	return s
}

// tagChars is how many characters a tag has.
const tagChars = 4

// Find returns the row of a tag that says something of a type of pool; nil if
// there is none. A tag that is not listed uses nothing only if Whole says so.
func (p *Pool) Find(tag string, t Type) *Row {
	tag = Tag(tag)
	for i := range p.Rows {
		u := p.Rows[i].Of(t)
		if p.Rows[i].Tag == tag && (u.Allocs.Known() || u.Bytes.Known()) {
			return &p.Rows[i]
		}
	}
	return nil
}

// Cut reports whether rows are missing: Yes if the command asked for some only,
// an author left some out, or some were not read; No if all are there; else
// Unknown.
func (p *Pool) Cut() Flag {
	switch {
	case p.Filter != "" || p.Limit > 0 || p.Elided.Known() || p.Dropped+p.Unread > 0:
		return Yes
	case p.Whole():
		return No
	}
	return Unknown
}

// Whole reports whether every tag is listed: the rows add up to the TOTAL, which
// !poolused prints of all tags.
func (p *Pool) Whole() bool {
	if p.mayBeFiltered() || p.Elided.Known() || p.Dropped+p.Unread > 0 {
		return false
	}
	for _, t := range []Type{NonPaged, Paged} {
		for _, f := range []func(*Usage) Number{(*Usage).bytes, (*Usage).allocs} {
			total := f(p.Total.Of(t))
			sum, ok := p.sum(t, f)
			if !total.Known() || !ok || sum != total.N {
				return false
			}
		}
	}
	return true
}

func (u *Usage) bytes() Number  { return u.Bytes }
func (u *Usage) allocs() Number { return u.Allocs }

// sum adds up a number of all rows, if all are known.
func (p *Pool) sum(t Type, f func(*Usage) Number) (int64, bool) {
	sum := int64(0)
	for i := range p.Rows {
		n := f(p.Rows[i].Of(t))
		if !n.Known() || n.N < 0 || sum > 1<<62-min(n.N, 1<<62) {
			return 0, false
		}
		sum += n.N
	}
	return sum, true
}

// Rank returns the place of a row among the tags by the bytes that they use of a
// type of pool, counted from 1. It is unknown where rows that use more may be
// missing. Ranks tells those of all rows at once.
func (p *Pool) Rank(row *Row, t Type) (rank int, ok bool) {
	i := slices.IndexFunc(p.Rows, func(r Row) bool { return r.At == row.At })
	if i < 0 {
		return 0, false
	}
	rank = p.Ranks(t)[i]
	return rank, rank > 0
}

// Ranks returns the Rank of each row, 0 where it is unknown.
func (p *Pool) Ranks(t Type) []int {
	out := make([]int, len(p.Rows))
	if p.mayBeFiltered() {
		return out
	}
	bytes := func(i int) Number { return p.Rows[i].Of(t).Bytes }
	if p.sortedBy(t) {
		last := int64(math.MaxInt64)
		for i := range p.Gap {
			n := bytes(i)
			if n.Known() && n.N > last {
				break
			}
			if n.Known() {
				out[i], last = i+1, n.N
			}
		}
		return out
	}
	if !p.Whole() {
		return out
	}
	order := make([]int, len(p.Rows))
	for i := range order {
		order[i] = i
	}
	kd.SortStable(order, func(a, b int) int { return cmp.Compare(bytes(b).N, bytes(a).N) })
	for place, i := range order {
		out[i] = place + 1
		if place > 0 && bytes(i).N == bytes(order[place-1]).N {
			out[i] = out[order[place-1]]
		}
	}
	return out
}

// mayBeFiltered reports whether a pattern of tags was asked for, or may have been:
// where nothing tells, tags that do not begin with one character say no.
func (p *Pool) mayBeFiltered() bool {
	if p.Filtered != Unknown {
		return p.Filtered == Yes
	}
	for i := range p.Rows {
		if p.Rows[i].Tag[0] != p.Rows[0].Tag[0] {
			return false
		}
	}
	return true
}

func (p *Pool) sortedBy(t Type) bool {
	return t == NonPaged && p.Sort == ByNonPaged || t == Paged && p.Sort == ByPaged
}

// Grown returns by how many bytes a tag uses more of a type of pool in a later
// listing than in one before, less than 0 if it shrank. It is unknown unless both
// tell of the tag, and neither is of a session's pool while the other is not.
// Where the one before is Whole and lacks the tag, it was 0.
func Grown(before, after *Pool, tag string, t Type) (bytes int64, ok bool) {
	if (before.OfSession == Yes) != (after.OfSession == Yes) || before.SessionID.N != after.SessionID.N {
		return 0, false
	}
	is := after.Find(tag, t)
	if is == nil || !is.Of(t).Bytes.Known() {
		return 0, false
	}
	was := before.Find(tag, t)
	switch {
	case was == nil && before.Whole():
		return is.Of(t).Bytes.N, true
	case was == nil || !was.Of(t).Bytes.Known():
		return 0, false
	}
	return is.Of(t).Bytes.N - was.Of(t).Bytes.N, true
}

// Gauge returns a number of the head of poolmon by its name.
func (p *Pool) Gauge(name string) Number {
	for _, g := range p.Machine {
		if g.Name == name {
			return g.Number
		}
	}
	return Number{}
}
