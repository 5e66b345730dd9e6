package lzma

// coder writes bits of known probability.
type coder struct {
	out       []byte
	low       uint64
	rng       uint32
	cache     byte
	cacheSize int
}

func newCoder() *coder { return &coder{rng: 0xffffffff, cacheSize: 1} }

func (c *coder) bit(p *prob, bit int) {
	bound := c.rng >> probBits * uint32(*p)
	if bit == 0 {
		c.rng = bound
		*p += (1<<probBits - *p) >> moveBits
	} else {
		c.low += uint64(bound)
		c.rng -= bound
		*p -= *p >> moveBits
	}
	for c.rng < 1<<24 {
		c.rng <<= 8
		c.shift()
	}
}

// shift writes the highest byte once no carry can change it.
func (c *coder) shift() {
	if c.low < 0xff000000 || c.low > 0xffffffff {
		b := c.cache
		for ; c.cacheSize > 0; c.cacheSize-- {
			c.out = append(c.out, b+byte(c.low>>32))
			b = 0xff
		}
		c.cache = byte(c.low >> 24)
	}
	c.cacheSize++
	c.low = c.low & 0x00ffffff << 8
}

// direct writes bits of which none is more likely.
func (c *coder) direct(v, n int) {
	for n--; n >= 0; n-- {
		c.rng >>= 1
		if v>>n&1 != 0 {
			c.low += uint64(c.rng)
		}
		for c.rng < 1<<24 {
			c.rng <<= 8
			c.shift()
		}
	}
}

func (c *coder) flush() []byte {
	for range 5 {
		c.shift()
	}
	return c.out
}

// tree writes a number of some bits, the highest first.
func (c *coder) tree(p []prob, bits, v int) {
	at := 1
	for i := bits - 1; i >= 0; i-- {
		bit := v >> i & 1
		c.bit(&p[at], bit)
		at = at<<1 | bit
	}
}

// reverse writes a number of some bits, the lowest first.
func (c *coder) reverse(p []prob, bits, v int) {
	at := 1
	for i := range bits {
		bit := v >> i & 1
		c.bit(&p[at], bit)
		at = at<<1 | bit
	}
}

func (c *coder) length(l *lengths, n, posState int) {
	switch n -= minLen; {
	case n < lowLens:
		c.bit(&l.choice, 0)
		c.tree(l.low[posState][:], 3, n)
	case n < 2*lowLens:
		c.bit(&l.choice, 1)
		c.bit(&l.choice2, 0)
		c.tree(l.mid[posState][:], 3, n-lowLens)
	default:
		c.bit(&l.choice, 1)
		c.bit(&l.choice2, 1)
		c.tree(l.high[:], 8, n-2*lowLens)
	}
}

// literal writes a byte; behind a match, by the byte that the match would go on with.
func (c *coder) literal(p []prob, b, matched byte, behindMatch bool) {
	at, offset := 1, 0x100
	if !behindMatch {
		offset = 0
	}
	m := int(matched)
	for i := 7; i >= 0; i-- {
		bit := int(b) >> i & 1
		m <<= 1
		matchBit := m & offset
		c.bit(&p[offset+matchBit+at], bit)
		at = at<<1 | bit
		offset &= ^(m ^ -bit)
	}
}

func (c *coder) distance(m *model, dist, n int) {
	slot := slotOf(dist)
	c.tree(m.slot[lenState(n)][:], 6, slot)
	if slot < fullFrom {
		return
	}
	footer := slot>>1 - 1
	base := (2 | slot&1) << footer
	rest := dist - base
	if slot < modelTo {
		c.reverseAt(m.special[:], base-slot, footer, rest)
		return
	}
	c.direct(rest>>alignBits, footer-alignBits)
	c.reverse(m.align[:], alignBits, rest&(1<<alignBits-1))
}

// reverseAt is reverse for a tree whose first node is behind an offset.
func (c *coder) reverseAt(p []prob, offset, bits, v int) {
	at := 1
	for i := range bits {
		bit := v >> i & 1
		c.bit(&p[offset+at], bit)
		at = at<<1 | bit
	}
}
