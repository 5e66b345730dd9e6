package stacks

import (
	"strings"

	"kdlocks/kd"
)

// Segment is one contiguous kernel stack of a thread. A thread has more than
// one when KeExpandKernelStackAndCallout (Microsoft's documentation of the
// routine) made it go on on a new one; the printed range then covers the
// current segment alone.
type Segment struct {
	Limit kd.Addr // lowest address, inclusive
	Base  kd.Addr // end, exclusive
	// SP is the segment's stack pointer: what lies below has returned. 0 if
	// unknown.
	SP kd.Addr
	// Inferred is set when the bounds follow from the frames: the pages they
	// stand on, since a page never belongs to two stacks.
	Inferred bool
	// First and Last are the indexes of its outermost frames in Stack.Frames,
	// -1 without frames.
	First, Last int
	// At is where an earlier segment was printed.
	At kd.Ref
}

// Contains reports whether the address lies in the segment.
func (g Segment) Contains(a kd.Addr) bool { return g.Limit <= a && a < g.Base }

// Page is the size of a page on x86, x64 and ARM64, in bytes.
const Page kd.Addr = 0x1000

func pageFloor(a kd.Addr) kd.Addr { return a &^ (Page - 1) }
func pageCeil(a kd.Addr) kd.Addr  { return pageFloor(a + Page - 1) }

// Split finds the segments that the frames run over.
func (s *Stack) Split(arch kd.Arch) {
	s.Segments = s.Segments[:0]
	cur, ok := s.currentBounds()
	runs := s.runs(arch, cur, ok)
	if !ok {
		if len(runs) == 0 {
			return
		}
		cur, runs = s.inferred(runs[0]), runs[1:]
	} else {
		cur.First, cur.Last = -1, -1
		runs = takeFrames(&cur, runs, s.Frames)
	}
	if s.Current != 0 && cur.Contains(s.Current) {
		cur.SP = s.Current
	}
	s.Segments = append(s.Segments, cur)
	for _, g := range s.Earlier {
		g.First, g.Last = -1, -1
		runs = takeFrames(&g, runs, s.Frames)
		s.Segments = append(s.Segments, g)
	}
	for _, r := range runs {
		if r.switched {
			s.Segments = append(s.Segments, s.inferred(r))
		}
	}
}

// currentBounds returns the current segment from the printed numbers:
// Base/Limit, or the pages between Init and Current where only those are
// printed (NT 4, Windows 2000).
func (s *Stack) currentBounds() (Segment, bool) {
	if s.Limit != 0 && s.Limit < s.Base {
		return Segment{Limit: s.Limit, Base: s.Base}, true
	}
	const largest = 1 << 20 // no kernel stack segment is near a megabyte
	if s.Current != 0 && s.Current < s.Init && s.Init-s.Current < largest {
		return Segment{Limit: pageFloor(s.Current), Base: pageCeil(s.Init), Inferred: true}, true
	}
	return Segment{}, false
}

// run is a range of frames whose stack addresses rise without a jump.
type run struct {
	first, last int
	lo, hi      kd.Addr
	switched    bool // entered through a stack switch
}

// runs cuts the kernel frames where the stack pointer leaves or enters the
// current segment, falls, or jumps at a stack switch.
func (s *Stack) runs(arch kd.Arch, cur Segment, known bool) []run {
	var out []run
	prev := -1
	for i, f := range s.Frames {
		if f.Inline || f.ChildSP == 0 || !f.ChildSP.IsKernel(arch) {
			continue
		}
		switch {
		case prev < 0:
			out = append(out, run{first: i, lo: f.ChildSP})
		case s.breaks(prev, i, cur, known):
			out = append(out, run{first: i, lo: f.ChildSP, switched: s.isSwitch(prev) || s.isSwitch(i)})
		}
		r := &out[len(out)-1]
		r.last, r.hi = i, f.ChildSP
		prev = i
	}
	return out
}

// breaks reports whether frame i stands on another stack than frame prev.
func (s *Stack) breaks(prev, i int, cur Segment, known bool) bool {
	a, b := s.Frames[prev].ChildSP, s.Frames[i].ChildSP
	if known && cur.Contains(a) != cur.Contains(b) {
		return true
	}
	if known && cur.Contains(a) {
		return false
	}
	const jump = 0x10000
	return b < a || s.isSwitch(prev) && b-a > jump || s.isSwitch(i) && b-a > jump
}

// isSwitch reports whether the frame belongs to the routines that change to
// an expanded stack. DPC and interrupt stacks are changed to by others
// (KxSwapStacksAndRetireDpcList), and never hold a thread's earlier frames.
func (s *Stack) isSwitch(i int) bool {
	name := s.Frames[i].Function
	return strings.Contains(name, "SwitchKernelStack") || strings.Contains(name, "ExpandKernelStack")
}

// takeFrames gives a segment with known bounds its frames and returns the other runs.
func takeFrames(cur *Segment, runs []run, frames []Frame) []run {
	var rest []run
	for _, r := range runs {
		if !cur.Contains(frames[r.first].ChildSP) {
			rest = append(rest, r)
			continue
		}
		if cur.First < 0 {
			cur.First, cur.SP = r.first, r.lo
		}
		cur.Last = r.last
	}
	return rest
}

func (s *Stack) inferred(r run) Segment {
	return Segment{
		Limit: pageFloor(r.lo), Base: pageCeil(r.hi + 1), SP: r.lo,
		Inferred: true, First: r.first, Last: r.last,
	}
}
