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
	// Listings counts those that have the tag, Moments those among them that do not show
	// the same as the one before, Steps those that show at least a twentieth more than
	// the step before, the first one among them. Rising says that the last step is not
	// longer ago than the steps are apart.
	Listings, Moments, Steps int
	Rising                   bool
	// Apart is how long after the first listing the last one was printed, in
	// milliseconds of uptime, 0 if nothing tells.
	Apart int64
	// Falls is by how many bytes it fell the most from one listing to a later one, Rises by
	// how many it rose, Fell by how many from the last listing but one to the last.
	Falls, Rises, Fell int64
	// Top are the most bytes of all listings up to the last, Most those of it and later
	// ones of the boot.
	Top, Most int64
	// Later is what became of it up to the last listing of the boot that has it, Least the
	// lowest of all later ones; both nil if there is none. Restarted says that the machine
	// was started anew before the last of all listings.
	Later     *Growth
	Least     *Row
	Restarted bool
}

// Grown returns by how many bytes the tag grew, below 0 if it shrank.
func (g *Growth) Grown() int64 { return g.Last.N - g.First.N }

// WentBack reports whether a later listing shows the tag with less, by more than a tenth of
// what it grew in all.
func (g *Growth) WentBack() bool {
	return g.Least != nil && g.Last.N-g.Least.Of(g.Type).Bytes.N > (max(g.Top, g.Most)-g.First.N)/10
}
