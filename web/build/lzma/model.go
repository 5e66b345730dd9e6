// Package lzma compresses with the method of the .lzma format. Packages that are
// well kept write it for speed: their output is a third larger than what the method
// gives. This one takes its time, and writes a stream that all of them read.
package lzma

// Sizes of the format.
const (
	states      = 12
	lenStates   = 4  // classes of lengths that distances are coded by
	slots       = 64 // classes of distances
	alignBits   = 4
	fullFrom    = 4  // slots from which on there are bits behind the slot
	modelTo     = 14 // slots from which on most of those bits are not modelled
	fullCount   = 1 << (modelTo / 2)
	minLen      = 2
	maxLen      = 273
	lowLens     = 8
	highLens    = 256
	probBits    = 11
	probStart   = 1 << (probBits - 1)
	moveBits    = 5
	literalSize = 0x300
)

type prob = uint16

// lengths is the model of the lengths of matches.
type lengths struct {
	choice, choice2 prob
	low, mid        [16][lowLens]prob
	high            [highLens]prob
}

// model is all that is learnt while bytes are coded.
type model struct {
	lc, pb    uint
	match     [states][16]prob
	rep       [states]prob
	rep0      [states]prob
	rep1      [states]prob
	rep2      [states]prob
	rep0Long  [states][16]prob
	slot      [lenStates][slots]prob
	special   [fullCount]prob
	align     [1 << alignBits]prob
	matchLen  lengths
	repLen    lengths
	literal   []prob
	state     int
	distances [4]int // of the last matches, the latest first, counted from 0
}

func newModel(lc, pb uint) *model {
	m := &model{lc: lc, pb: pb, literal: make([]prob, literalSize<<lc)}
	for _, p := range [][]prob{m.rep[:], m.rep0[:], m.rep1[:], m.rep2[:], m.special[:], m.align[:], m.literal} {
		start(p)
	}
	for i := range states {
		start(m.match[i][:])
		start(m.rep0Long[i][:])
	}
	for i := range lenStates {
		start(m.slot[i][:])
	}
	for _, l := range []*lengths{&m.matchLen, &m.repLen} {
		l.choice, l.choice2 = probStart, probStart
		start(l.high[:])
		for i := range 16 {
			start(l.low[i][:])
			start(l.mid[i][:])
		}
	}
	return m
}

func start(p []prob) {
	for i := range p {
		p[i] = probStart
	}
}

// literalAt returns the model of a byte behind another.
func (m *model) literalAt(before byte) []prob {
	at := int(before) >> (8 - m.lc) * literalSize
	return m.literal[at : at+literalSize]
}

// The state after a byte, a match, a match at one of the last distances, and a
// single byte at the last one.
func afterLiteral(s int) int {
	switch {
	case s < 4:
		return 0
	case s < 10:
		return s - 3
	}
	return s - 6
}

func after(s, early, late int) int {
	if s < 7 {
		return early
	}
	return late
}

func afterMatch(s int) int    { return after(s, 7, 10) }
func afterRep(s int) int      { return after(s, 8, 11) }
func afterShortRep(s int) int { return after(s, 9, 11) }

// slotOf returns the class of a distance: its two highest bits, and how many follow.
func slotOf(dist int) int {
	if dist < 4 {
		return dist
	}
	n := 31
	for dist>>n == 0 {
		n--
	}
	return n<<1 | dist>>(n-1)&1
}

func lenState(n int) int { return min(n-minLen, lenStates-1) }
