package memory

// Growth is what became of the bytes that a tag uses of one type of pool, over the
// listings of one boot of a machine.
type Growth struct {
	Tag  string
	Type Type
	// First and Last are the bytes in the first listing and the last, FirstRow and LastRow
	// where they stand.
	First, Last       Number
	FirstRow, LastRow *Row
	Listings          int // that have the tag
	// Falls is by how many bytes it fell the most from one listing to a later one, Rises by
	// how many it rose.
	Falls, Rises int64
	// Least is the lowest of what listings later than Last show, nil if there is none.
	Least *Row
}

// Grown returns by how many bytes the tag grew, below 0 if it shrank.
func (g *Growth) Grown() int64 { return g.Last.N - g.First.N }

// WentBack reports whether a later listing shows the tag with less, by more than a tenth of
// what it grew.
func (g *Growth) WentBack() bool {
	return g.Least != nil && g.Last.N-g.Least.Of(g.Type).Bytes.N > g.Grown()/10
}
