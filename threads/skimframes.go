package threads

import (
	"encoding/binary"
	"math/bits"
)

// stackAddrs reads Child-SP and RetAddr, each 8 digits, a backtick and 8 digits,
// and the blanks behind.
func (p *skim) stackAddrs() (sp, ret digits, ok bool) {
	const width = 36
	if p.i+width > len(p.b) {
		return sp, ret, false
	}
	t := p.b[p.i : p.i+width : p.i+width]
	if t[8] != '`' || t[17] != ' ' {
		return sp, ret, false
	}
	a, b := binary.LittleEndian.Uint64(t), binary.LittleEndian.Uint64(t[9:])
	at := 18
	if t[18] == ' ' {
		return p.spacedAddrs(a, b)
	}
	if t[at+8] != '`' || t[at+17] != ' ' {
		return sp, ret, false
	}
	c, d := binary.LittleEndian.Uint64(t[at:]), binary.LittleEndian.Uint64(t[at+9:])
	if areHex(a)&areHex(b)&areHex(c)&areHex(d)&highs != highs || (a|b|c|d)&highs != 0 {
		return sp, ret, false
	}
	p.i += width
	p.blanks()
	return digits{bits.ReverseBytes64(a), bits.ReverseBytes64(b)}, digits{bits.ReverseBytes64(c), bits.ReverseBytes64(d)}, true
}

// spacedAddrs is stackAddrs with more than one blank between the two; a and b
// are the digits of the first.
func (p *skim) spacedAddrs(a, b uint64) (sp, ret digits, ok bool) {
	at := p.i
	p.i += 18
	p.blanks()
	r := p.i
	if areHex(a)&areHex(b)&highs != highs || (a|b)&highs != 0 || !p.isStackAddr() {
		p.i = at
		return sp, ret, false
	}
	c, d := binary.LittleEndian.Uint64(p.b[r:]), binary.LittleEndian.Uint64(p.b[r+9:])
	return digits{bits.ReverseBytes64(a), bits.ReverseBytes64(b)}, digits{bits.ReverseBytes64(c), bits.ReverseBytes64(d)}, true
}

// isStackAddr moves over what stackAddr reads.
func (p *skim) isStackAddr() bool {
	i := p.i
	if i+18 > len(p.b) || p.b[i+8] != '`' || p.b[i+17] != ' ' {
		return false
	}
	hi, lo := binary.LittleEndian.Uint64(p.b[i:]), binary.LittleEndian.Uint64(p.b[i+9:])
	if areHex(hi)&areHex(lo)&highs != highs || (hi|lo)&highs != 0 {
		return false
	}
	p.i += 18
	p.blanks()
	return true
}

// fourStackAddrs is isStackAddr for four of them with one blank between.
func (p *skim) fourStackAddrs() bool {
	const width = 18
	if p.i+4*width > len(p.b) {
		return false
	}
	t := p.b[p.i : p.i+4*width : p.i+4*width]
	hex, all := uint64(highs), uint64(0)
	for ; len(t) >= width; t = t[width:] {
		if t[8] != '`' || t[17] != ' ' {
			return false
		}
		hi, lo := binary.LittleEndian.Uint64(t), binary.LittleEndian.Uint64(t[9:])
		hex &= areHex(hi) & areHex(lo)
		all |= hi | lo
	}
	if hex != highs || all&highs != 0 {
		return false
	}
	p.i += 4 * width
	p.blanks()
	return true
}

// columns reads the column heads behind Child-SP.
func (p *skim) columns() bool {
	p.blanks()
	return p.takeWord("RetAddr") && p.nextLine()
}

// frames reads the frames, if there are to be any. Where one of the kernel's lies outside the printed
// stack or below the one before it, the thread has more than one stack.
func (p *skim) frames() bool {
	if p.out.Has(NoStack) {
		return true
	}
	limit, base, kernel := digitsOf(p.out.Limit), digitsOf(p.out.Base()), digitsOf(1<<63)
	var ret, last digits
	for n := 0; ; n++ {
		start := p.i
		p.indent()
		if p.i >= len(p.b) || p.b[p.i] == '\n' || p.b[p.i] == '\r' || p.b[p.i] == 'T' || p.b[p.i] == 'P' {
			p.i = start
			return n > 0
		}
		if p.b[p.i] == '(' {
			if n == 0 || !p.inline(ret) {
				return false
			}
			continue
		}
		sp, to, ok := p.stackAddrs()
		if !ok {
			return false
		}
		if !sp.less(kernel) {
			if sp.less(limit) || !sp.less(base) || sp.less(last) {
				p.out.Traits |= Expanded
			}
			last = sp
		}
		if p.take(": ") && !p.args() || !p.site(ret) {
			return false
		}
		ret = to
	}
}

// inline reads the rest of an inline frame, which stands before the one that
// the address from belongs to:
//
//	(Inline Function) --------`--------     nt!ExAcquireResourceExclusiveLite+0xdc
func (p *skim) inline(from digits) bool {
	const none = "--------`-------- "
	if !p.take("(Inline Function) " + none) {
		return false
	}
	p.blanks()
	if p.take(": ") {
		for range 4 {
			if !p.take(none) {
				return false
			}
			p.blanks()
		}
		if !p.take(": ") {
			return false
		}
		p.blanks()
	}
	from.lo = ^from.lo // its site is another than that of the frame
	return p.site(from)
}

// args moves over ": a b c d : ".
func (p *skim) args() bool {
	p.blanks()
	for n := 0; n < 4; n++ {
		if n == 0 && p.fourStackAddrs() {
			break
		}
		if !p.isStackAddr() {
			return false
		}
	}
	if !p.take(": ") {
		return false
	}
	p.blanks()
	return true
}

// site reads a call site, to which the frame before returns with the address
// from.
func (p *skim) site(from digits) bool {
	sites := &p.k.sites
	if k := sites.slot(from); k.len > 0 {
		// Most often it is the one that was met there before.
		end := p.i + int(k.len)
		if end < len(p.b) && p.b[end] == '\n' && string(p.b[p.i:end]) == string(sites.textOf(k)) {
			p.out.Traits |= k.traits
			p.out.Calls = p.out.Calls.Or(k.calls.calls())
			p.i = end + 1
			p.lines++
			return k.calls&bad == 0
		}
	}
	end, next, ok := p.lineEnd(p.i)
	if !ok {
		return false
	}
	text, ok := cutTrap(p.b[p.i:end])
	if !ok {
		return false
	}
	kind := sites.kind(from, text)
	p.out.Traits |= kind.traits
	p.out.Calls = p.out.Calls.Or(kind.calls.calls())
	p.i = next
	p.lines++
	return kind.calls&bad == 0
}

// cutTrap takes " (TrapFrame @ fffff880`07fabc20)" off a call site: it is
// another one on every stack.
func cutTrap(text []byte) ([]byte, bool) {
	const mark = " (TrapFrame @ "
	n := len(text) - len(mark) - 18
	if n <= 0 || text[len(text)-1] != ')' || string(text[n:n+len(mark)]) != mark {
		return text, true
	}
	v := text[n+len(mark):]
	_, ok := hex16(binary.LittleEndian.Uint64(v), binary.LittleEndian.Uint64(v[9:]))
	return text[:n], ok && v[8] == '`'
}
