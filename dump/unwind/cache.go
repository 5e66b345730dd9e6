package unwind

import (
	"encoding/binary"

	"kdlocks/dump/image"
)

// Cache remembers what unwinding a frame came to: in the body of a function it is the same
// each time, and the threads of a machine wait in few places. The images must stay as they
// are. It is not safe for concurrent use.
type Cache struct {
	plans map[uint64]*plan // by RIP; nil for what is not remembered
	block [mostBlock]byte
}

// mostPlans bounds a cache, and mostBlock the frames that it remembers, in bytes.
const (
	mostPlans = 1 << 16
	mostBlock = 1 << 10
)

// Step does what the function Step does.
func (c *Cache) Step(mem image.Memory, im *image.Image, r Registers) (Registers, Frame, error) {
	p, met := c.plans[r.RIP]
	if p != nil {
		if caller, ok := c.follow(p, mem, r); ok {
			return caller, p.frame, nil
		}
	}
	if met || len(c.plans) >= mostPlans {
		return Step(mem, im, r)
	}
	p = &plan{entry: r}
	caller, f, err := step(mem, im, r, p)
	if err != nil {
		return caller, f, err // what is missing for one thread may be there for another
	}
	if c.plans == nil {
		c.plans = make(map[uint64]*plan)
	}
	c.plans[r.RIP] = p.done(f)
	return caller, f, nil
}

// plan is where a frame keeps the registers of its caller: all at distances from one
// register, RSP or the frame register.
type plan struct {
	entry  Registers // of the frame it was made from
	base   uint8     // RSP or the frame register
	offset uint64    // of the establisher from the base
	frame  Frame     // what Step says of it, without Establisher
	slots  []savedAt
	ret    uint64 // distance of the return address from the base
	begin  uint64 // of the first byte that is read
	end    uint64 // of the last
	kept   uint16 // registers that are read
	// stray is set when something lies at a distance from both.
	stray bool
	reset bool // RSP was set by the frame register
}

type savedAt struct {
	register uint8
	at       uint64 // distance from the base
}

// framed is told that the frame register counts.
func (p *plan) framed(register uint8) {
	if p != nil {
		p.stray = p.stray || p.base != 0 && p.base != register || len(p.slots) > 0
		p.base = register
	}
}

// moved is told that RSP was set.
func (p *plan) moved() {
	if p != nil {
		p.stray = p.stray || p.base == 0 || p.reset
		p.reset = true
	}
}

func (p *plan) restores(register uint8, va uint64) {
	if p != nil {
		p.stray = p.stray || p.base != 0 && !p.reset
		p.slots = append(p.slots, savedAt{register, va})
		p.kept |= 1 << register
	}
}

func (p *plan) returns(va uint64) {
	if p != nil {
		p.ret = va
	}
}

// done makes a plan of what was recorded, nil where the frame is none of a body: its
// instructions decide, or a processor left it, or it is larger than a block.
func (p *plan) done(f Frame) *plan {
	if p.stray || p.base != 0 && !p.reset || f.Leaf || f.MachineFrame || f.Epilog {
		return nil
	}
	if p.base == 0 {
		p.base = RSP
	}
	base := p.entry.R[p.base]
	p.offset = f.Establisher - base
	p.begin, p.end = p.ret, p.ret+8
	for _, s := range p.slots {
		if int64(s.at-p.begin) < 0 {
			p.begin = s.at
		}
		if int64(s.at+8-p.end) > 0 { // in the home space of the parameters
			p.end = s.at + 8
		}
	}
	if p.end-p.begin > mostBlock {
		return nil
	}
	for i := range p.slots {
		p.slots[i].at -= base
	}
	p.ret, p.begin, p.end = p.ret-base, p.begin-base, p.end-base
	p.frame, p.entry = f, Registers{}
	return p
}

// follow reads the registers of the caller by a plan, and reports whether that could be
// done.
func (c *Cache) follow(p *plan, mem image.Memory, r Registers) (Registers, bool) {
	const rspKnown = 1 << RSP
	if r.Known&rspKnown == 0 || r.Known&(1<<p.base) == 0 {
		return r, false
	}
	base := r.R[p.base]
	block := c.block[:p.end-p.begin]
	if mem.ReadVirtual(block, base+p.begin) != nil {
		return r, false
	}
	word := func(at uint64) uint64 { return binary.LittleEndian.Uint64(block[at-p.begin:]) }
	for _, s := range p.slots {
		r.R[s.register] = word(s.at)
	}
	r.RIP = word(p.ret)
	floor := r.R[RSP]
	r.R[RSP] = base + p.ret + 8
	if p.base == RSP && r.R[RSP] <= floor {
		return r, false
	}
	r.Known = r.Known&kept | p.kept
	for n := range r.R {
		if r.Known&(1<<n) == 0 {
			r.R[n] = 0
		}
	}
	p.frame.Establisher = base + p.offset
	return r, true
}
