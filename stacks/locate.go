package stacks

import (
	"strings"

	"kdlocks/kd"
)

// Slot is where on a stack an address lies.
type Slot struct {
	// Frame is the index of the frame that holds the address, -1 if the frames
	// do not reach it.
	Frame int
	// Setter is the index of the frame whose function the slot belongs to: it
	// is the one that can have put the address to use. -1 if unknown.
	Setter int
	// Param is the number of the parameter that the slot belongs to, counted
	// from 1; 0 for a local.
	Param int
}

// homeSpace is what every x64 caller leaves above the return address for the
// four register parameters of the function it calls (Microsoft, "x64 calling
// convention"). At Child-SP of the caller it belongs to the callee.
const homeSpace = 0x20

// x86Params is how many bytes above ChildEBP+8 are taken for parameters: the
// three that kb prints. More may be, but then a local of the caller would be
// named a parameter.
const x86Params = 12

// Locate finds the frame of segment g that holds address a.
func (s *Stack) Locate(g Segment, a kd.Addr) Slot {
	none := Slot{Frame: -1, Setter: -1}
	k := s.frameBelow(g, a)
	if k < 0 {
		return none
	}
	if s.X86 {
		return s.locateX86(g, k, a)
	}
	d := a - s.Frames[k].ChildSP
	callee := s.physical(k-1, -1)
	if d < homeSpace && callee >= 0 && s.calls(callee) {
		return Slot{Frame: k, Setter: callee, Param: int(d/8) + 1}
	}
	if s.cutAt(k) {
		return none
	}
	return Slot{Frame: k, Setter: k}
}

// calls reports whether frame i was entered by a call, which leaves it a home
// space: a trap handler was not, nor was a routine on the other side of a stack
// switch.
func (s *Stack) calls(i int) bool {
	f := &s.Frames[i]
	return f.Trap == 0 && !strings.Contains(f.Function, "SwitchKernelStack")
}

// cutAt reports whether frame k is the last one printed although it has a
// caller: what lies above its home space may belong to a frame not shown.
func (s *Stack) cutAt(k int) bool {
	return k == len(s.Frames)-1 && s.Frames[k].RetAddr != 0
}

// frameBelow returns the frame of the segment with the largest stack address
// that is not above a.
func (s *Stack) frameBelow(g Segment, a kd.Addr) int {
	k := -1
	for i := max(g.First, 0); i <= g.Last && i < len(s.Frames); i++ {
		f := &s.Frames[i]
		if f.Inline || f.ChildSP > a || !g.Contains(f.ChildSP) {
			continue
		}
		if k < 0 || f.ChildSP >= s.Frames[k].ChildSP {
			k = i
		}
	}
	return k
}

// locateX86 applies the frame-pointer convention of x86 code (Microsoft, "x86
// Architecture" in the debugger's documentation): at ChildEBP lie the saved
// ebp and the return address, from ChildEBP+8 on the parameters of that
// frame's function, and its locals below ChildEBP. So what lies further above
// frame k belongs to the locals of its caller.
func (s *Stack) locateX86(g Segment, k int, a kd.Addr) Slot {
	d := a - s.Frames[k].ChildSP
	if d < 8 {
		return Slot{Frame: k, Setter: -1}
	}
	if d < 8+x86Params {
		return Slot{Frame: k, Setter: k, Param: int(d-8)/4 + 1}
	}
	caller := s.physical(k+1, +1)
	if caller < 0 || caller > g.Last {
		return Slot{Frame: k, Setter: -1}
	}
	return Slot{Frame: caller, Setter: caller}
}

// physical returns the first frame from i on in the given direction that is
// not inline, -1 if there is none.
func (s *Stack) physical(i, step int) int {
	for ; i >= 0 && i < len(s.Frames); i += step {
		if !s.Frames[i].Inline {
			return i
		}
	}
	return -1
}
