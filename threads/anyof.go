package threads

import "math/bits"

// AnyOf asks a set of functions for any of many combinations at once.
type AnyOf struct {
	// byBit has each combination once, at one bit of lo or, behind those, of hi;
	// lead has the bits with any.
	byBit [128][]Calls
	lead  Calls
	every bool // a combination is empty
}

// NewAnyOf returns one for the combinations, each the union of functions that
// are wanted together.
func NewAnyOf(combinations []Calls) *AnyOf {
	a := &AnyOf{}
	for _, c := range combinations {
		at := -1 // where the fewest are so far
		for lo, hi := c.lo, c.hi; lo|hi != 0; {
			if bit := nextBit(&lo, &hi); at < 0 || len(a.byBit[bit]) < len(a.byBit[at]) {
				at = bit
			}
		}
		switch {
		case at < 0:
			a.every = true
			continue
		case at < 64:
			a.lead.lo |= 1 << at
		default:
			a.lead.hi |= 1 << (at - 64)
		}
		a.byBit[at] = append(a.byBit[at], c)
	}
	return a
}

// In reports whether all of any of the combinations can be in the set: false is
// certain.
func (a *AnyOf) In(c Calls) bool {
	for lo, hi := c.lo&a.lead.lo, c.hi&a.lead.hi; lo|hi != 0; {
		for _, o := range a.byBit[nextBit(&lo, &hi)] {
			if c.Has(o) {
				return true
			}
		}
	}
	return a.every
}

// nextBit takes the lowest bit out of two words that are not both 0 and returns
// its number, those of hi from 64 on.
func nextBit(lo, hi *uint64) int {
	if *lo != 0 {
		n := bits.TrailingZeros64(*lo)
		*lo &= *lo - 1
		return n
	}
	n := bits.TrailingZeros64(*hi)
	*hi &= *hi - 1
	return 64 + n
}
