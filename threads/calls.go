package threads

// Calls is a set of the functions on a stack, small enough to be kept of every
// thread. It may seem to hold what it does not; it never lacks what was added.
type Calls struct{ lo, hi uint64 }

// CallOf returns the set of one frame: its module, in whatever case, and its
// function, as printed and without an offset. With no function it is what all
// frames of the module have in common; with no module either, those that the
// debugger printed as a bare address.
func CallOf(module, function string) Calls { return callBitsOf(module, function).calls() }

// Has reports whether all of o can be in the set: false is certain.
func (c Calls) Has(o Calls) bool { return c.lo&o.lo == o.lo && c.hi&o.hi == o.hi }

// Or returns the union of two sets.
func (c Calls) Or(o Calls) Calls { return Calls{c.lo | o.lo, c.hi | o.hi} }

// Calls returns the set of all frames of the thread.
func (t *Thread) Calls() Calls {
	var c Calls
	for i := range t.Stack.Frames {
		f := &t.Stack.Frames[i]
		if c = c.Or(CallOf(f.Module, f.Function)); f.Derived {
			c = c.Or(CallOf("", ""))
		}
	}
	return c
}

// callBits are the numbers of the bits of Calls that a frame has, 6 bits each:
// two for its module, one in lo and one in hi, and two for its function. They take
// less room than the bits.
type callBits uint32

func (b callBits) calls() Calls {
	return Calls{1<<(b&63) | 1<<(b>>6&63), 1<<(b>>12&63) | 1<<(b>>18&63)}
}

func callBitsOf[T string | []byte](module, function T) callBits {
	// FNV-1a.
	const basis, prime = 0xcbf29ce484222325, 0x100000001b3
	h := uint64(basis)
	for i := 0; i < len(module); i++ {
		c := module[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		h = (h ^ uint64(c)) * prime
	}
	m := mixed(h)
	f := m
	if len(function) > 0 {
		h = (h ^ '!') * prime
		for i := 0; i < len(function); i++ {
			h = (h ^ uint64(function[i])) * prime
		}
		f = mixed(h)
	}
	return callBits(m&63 | f&63<<6 | m>>6&63<<12 | f>>6&63<<18)
}

// mixed spreads the bits of a hash over its low ones.
func mixed(h uint64) uint64 { return h * 0x9e3779b97f4a7c15 >> 40 }
