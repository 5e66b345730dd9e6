package dump

import "slices"

// Segment is a part of a kernel stack that a thread went on from when its stack was
// expanded (Microsoft Learn: KeExpandKernelStackAndCallout).
type Segment struct {
	Limit, Base uint64
	Current     uint64 // the stack pointer where it was left, 0 if it is not known
	// Inferred is set when the bounds are those of the pages that frames stand on.
	Inferred bool
}

func (g Segment) contains(va uint64) bool { return g.Limit <= va && va < g.Base }

// mostSegments bounds the segments of one stack.
const mostSegments = 16

// segments returns the earlier segments of a stack, the last one first: those that the
// kernel keeps at the beginning of each, and where it keeps none, those that frames lie on.
func (d *Dump) segments(t *Thread, frames []Frame) []Segment {
	out := d.keptSegments(t)
	for i := range out {
		out[i].leftAt(frames)
	}
	// What of a segment is in use is not known without: an owner pointer there proves nothing.
	out = slices.DeleteFunc(out, func(g Segment) bool { return g.Current == 0 })
	current := Segment{Limit: t.Limit, Base: t.Base}
	inside := false // the frame before was in a segment that is known
	for i := 0; i < len(frames); i++ {
		sp := frames[i].SP
		if frames[i].Scanned || !kernelAddress(sp) {
			break
		}
		known := current.contains(sp)
		for _, g := range out {
			known = known || g.contains(sp)
		}
		if !known && inside && len(out) < mostSegments {
			out = append(out, inferred(frames[i:], current))
			known = true
		}
		inside = known
	}
	return out
}

// leftAt gives a segment of which the kernel does not say where it was left the stack
// pointer of the first frame on it.
func (g *Segment) leftAt(frames []Frame) {
	for _, f := range frames {
		if g.Current == 0 && g.contains(f.SP) && !f.Scanned {
			g.Current = f.SP
		}
	}
}

// inferred makes a segment of the frames that lie one above the other.
func inferred(frames []Frame, current Segment) Segment {
	lo := frames[0].SP
	hi := lo
	for _, f := range frames[1:] {
		if f.SP < hi || f.SP-lo > mostStack || current.contains(f.SP) || f.Scanned {
			break
		}
		hi = f.SP
	}
	return Segment{Limit: lo &^ (pageSize - 1), Base: hi&^(pageSize-1) + pageSize, Current: lo, Inferred: true}
}

// keptSegments follows KSTACK_CONTROL (KERNEL_STACK_CONTROL before Windows 8), which
// lies where a stack begins.
func (d *Dump) keptSegments(t *Thread) []Segment {
	l := d.layout
	at := l.at(stackControlPrevious)
	if !l.has(stackControlPrevious) {
		at = l.at(oldStackControlPrevious)
	}
	if at == 0 {
		return nil
	}
	var out []Segment
	base, init := t.Base, t.Init
	b := make([]byte, l.at(segmentInitialStack)+8) // what is behind it may be no stack
	for len(out) < mostSegments {
		own, err := d.mem.u64(init)
		if err != nil || own != base {
			return out
		}
		r, err := d.readRecord(b, init+at)
		if err != nil {
			return out
		}
		g := Segment{Base: r.u64(segmentStackBase), Limit: r.u64(segmentStackLimit), Current: r.u64(segmentKernelStack)}
		if !kernelAddress(g.Limit) || g.Limit >= g.Base || g.Base-g.Limit > mostStack || g.Base%pageSize != 0 || g.Limit%pageSize != 0 {
			return out
		}
		if !g.contains(g.Current) {
			g.Current = 0
		}
		for _, known := range out {
			if known.Base == g.Base {
				return out
			}
		}
		base = g.Base
		out = append(out, g)
		if init = r.u64(segmentInitialStack); init <= g.Limit || init > g.Base {
			return out
		}
	}
	return out
}
