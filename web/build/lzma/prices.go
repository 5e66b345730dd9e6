package lzma

import "math"

// What a bit costs, in sixteenths of a bit, by the upper bits of its probability.
var bitPrice = func() (t [1 << (probBits - 4)]uint32) {
	for i := range t {
		t[i] = uint32(math.Round(-16 * math.Log2((float64(i)+0.5)/float64(len(t)))))
	}
	return t
}()

func price(p prob, bit int) uint32 {
	if bit != 0 {
		p = 1<<probBits - p
	}
	return bitPrice[min(p, 1<<probBits-1)>>4]
}

func treePrice(p []prob, bits, v int) (sum uint32) {
	at := 1
	for i := bits - 1; i >= 0; i-- {
		bit := v >> i & 1
		sum += price(p[at], bit)
		at = at<<1 | bit
	}
	return sum
}

func reversePrice(p []prob, offset, bits, v int) (sum uint32) {
	at := 1
	for i := range bits {
		bit := v >> i & 1
		sum += price(p[offset+at], bit)
		at = at<<1 | bit
	}
	return sum
}

// prices are what lengths and distances cost, as the model is now.
type prices struct {
	match, rep [16][maxLen + 1]uint32
	slot       [lenStates][slots]uint32
	near       [lenStates][fullCount]uint32
	align      [1 << alignBits]uint32
}

func (t *prices) update(m *model) {
	for ps := range 1 << m.pb {
		lengthPrices(&m.matchLen, ps, &t.match[ps])
		lengthPrices(&m.repLen, ps, &t.rep[ps])
	}
	for ls := range lenStates {
		for s := range slots {
			t.slot[ls][s] = treePrice(m.slot[ls][:], 6, s)
			if s >= modelTo {
				t.slot[ls][s] += uint32(s>>1-1-alignBits) * 16
			}
		}
		for d := range fullCount {
			slot := slotOf(d)
			t.near[ls][d] = t.slot[ls][slot]
			if slot >= fullFrom {
				footer := slot>>1 - 1
				base := (2 | slot&1) << footer
				t.near[ls][d] += reversePrice(m.special[:], base-slot, footer, d-base)
			}
		}
	}
	for a := range t.align {
		t.align[a] = reversePrice(m.align[:], 0, alignBits, a)
	}
}

func lengthPrices(l *lengths, posState int, out *[maxLen + 1]uint32) {
	for n := minLen; n <= maxLen; n++ {
		switch k := n - minLen; {
		case k < lowLens:
			out[n] = price(l.choice, 0) + treePrice(l.low[posState][:], 3, k)
		case k < 2*lowLens:
			out[n] = price(l.choice, 1) + price(l.choice2, 0) + treePrice(l.mid[posState][:], 3, k-lowLens)
		default:
			out[n] = price(l.choice, 1) + price(l.choice2, 1) + treePrice(l.high[:], 8, k-2*lowLens)
		}
	}
}

func (t *prices) distance(dist, n int) uint32 {
	if dist < fullCount {
		return t.near[lenState(n)][dist]
	}
	return t.slot[lenState(n)][slotOf(dist)] + t.align[dist&(1<<alignBits-1)]
}

func literalPrice(p []prob, b, matched byte, behindMatch bool) (sum uint32) {
	at, offset := 1, 0x100
	if !behindMatch {
		offset = 0
	}
	m := int(matched)
	for i := 7; i >= 0; i-- {
		bit := int(b) >> i & 1
		m <<= 1
		matchBit := m & offset
		sum += price(p[offset+matchBit+at], bit)
		at = at<<1 | bit
		offset &= ^(m ^ -bit)
	}
	return sum
}
