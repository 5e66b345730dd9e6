package lzma

// finder finds what of the bytes before repeats, by trees of the positions that
// begin with the same bytes.
type finder struct {
	b     []byte
	heads []int32 // the latest position of a hash of four bytes, counted from 1
	two   []int32 // of two bytes
	three []int32 // of a hash of three
	sons  []int32 // two for each position: what is less and what is more than it
	at    int
	found []repeat
}

// repeat is a match: how long, and how far back, counted from 0.
type repeat struct{ n, dist int }

const (
	hashBits = 18
	// mostSteps bounds how many positions are compared with each.
	mostSteps = 512
)

func newFinder(b []byte) *finder {
	return &finder{b: b, heads: make([]int32, 1<<hashBits), two: make([]int32, 1<<16), three: make([]int32, 1<<16), sons: make([]int32, 2*len(b)+2)}
}

// next returns the repeats of the next position: each longer and farther away than
// the one before.
func (f *finder) next() []repeat {
	f.found = f.found[:0]
	at := f.at
	f.at++
	rest := f.b[at:]
	limit := min(len(rest), maxLen)
	if limit < 4 {
		return f.found
	}
	best := 1
	try := func(head *int32) {
		if p := int(*head) - 1; p >= 0 {
			if n := common(f.b[p:], rest, limit); n > best {
				best = n
				f.found = append(f.found, repeat{n, at - p - 1})
			}
		}
		*head = int32(at + 1)
	}
	try(&f.two[int(rest[0])|int(rest[1])<<8])
	try(&f.three[(uint32(rest[0])|uint32(rest[1])<<8|uint32(rest[2])<<16)*2654435761>>16])
	h := (uint32(rest[0]) | uint32(rest[1])<<8 | uint32(rest[2])<<16 | uint32(rest[3])<<24) * 2654435761 >> (32 - hashBits)
	p := int(f.heads[h]) - 1
	f.heads[h] = int32(at + 1)
	f.descend(at, p, limit, best)
	return f.found
}

// descend walks down the tree from a position, and makes another the new root.
func (f *finder) descend(at, p, limit, best int) {
	less, more := 2*at, 2*at+1 // where what is less and more goes next
	lessLen, moreLen := 0, 0
	rest := f.b[at:]
	for steps := mostSteps; ; steps-- {
		if p < 0 || steps == 0 {
			f.sons[less], f.sons[more] = 0, 0
			return
		}
		n := min(lessLen, moreLen)
		n += common(f.b[p+n:], rest[n:], limit-n)
		if n > best {
			best = n
			f.found = append(f.found, repeat{n, at - p - 1})
		}
		switch {
		case n == limit: // as good as the same
			f.sons[less], f.sons[more] = f.sons[2*p], f.sons[2*p+1]
			return
		case f.b[p+n] < rest[n]:
			f.sons[less] = int32(p + 1)
			less, lessLen = 2*p+1, n
			p = int(f.sons[less]) - 1
		default:
			f.sons[more] = int32(p + 1)
			more, moreLen = 2*p, n
			p = int(f.sons[more]) - 1
		}
	}
}

func common(a, b []byte, limit int) int {
	n := 0
	for n < limit && a[n] == b[n] {
		n++
	}
	return n
}
