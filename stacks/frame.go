package stacks

import (
	"fmt"

	"kdlocks/kd"
)

// Frame is one line of a stack. Module, Function and Offset are as printed;
// each may be missing.
type Frame struct {
	// ChildSP is Child-SP on 64-bit targets and ChildEBP on x86. Inline and
	// Bare frames have none.
	ChildSP kd.Addr
	RetAddr kd.Addr
	Args    []kd.Addr // "Args to Child": 4 on x64 (home space, often stale), 3 on x86

	Module   string
	Function string
	// Offset is the displacement behind Function, or behind Module without
	// one; -1 if none was printed.
	Offset int64
	// Symbol is the call site as printed, without what follows it.
	Symbol string
	Source string  // "path @ line", or "Line n" in a Visual Studio call stack
	Trap   kd.Addr // TrapFrame address, else 0
	Inline bool
	// Bare is set when no stack address was printed; RetAddr is then 0 unless
	// it was.
	Bare bool
	// Derived is set when the debugger printed an address alone, which is in Symbol:
	// Module and Offset then follow from the ranges of modules.
	Derived bool
	// Cut is set when the paste ends in the frame: it has no call site, and
	// RetAddr may be 0 because it is cut, too.
	Cut bool

	At kd.Ref

	open bool // its typed arguments go on on the next line
}

// Name returns module!function, or what the debugger printed in its place, with
// the module that an address was found in.
func (f Frame) Name() string {
	if f.Derived {
		return fmt.Sprintf("%s+0x%x", f.Module, f.Offset)
	}
	if f.Function == "" {
		return f.Symbol
	}
	if f.Module == "" {
		return f.Function
	}
	return f.Module + "!" + f.Function
}

// Unnamed returns the address that the debugger printed in place of the frame's
// module and function, if it is in the kernel's half; 0 otherwise.
func (f *Frame) Unnamed() kd.Addr {
	if f.Module != "" || f.Function != "" {
		return 0
	}
	a, ok := kd.ParseAddr(f.Symbol)
	if !ok || !a.IsKernel(kd.X86) {
		return 0
	}
	return a
}

// Stack is the frames of one thread, innermost first, with what bounds them.
type Stack struct {
	// Init, Current, Base and Limit are as !thread prints them; 0 if not
	// printed. Limit is the lowest address of the stack and belongs to it,
	// Base is its end and does not.
	Init, Current, Base, Limit kd.Addr
	InitAt                     kd.Ref // "Stack Init ... Current ..."
	RangeAt                    kd.Ref // "Base ... Limit ..."

	// Earlier are the segments that the stack went on from, the last one first, where
	// what read a dump printed them.
	Earlier []Segment

	Frames []Frame
	// Elided is how many frames stand before the place where an author last left some
	// out, 0 if none did.
	Elided   int
	HeaderAt kd.Ref // the column heads
	X86      bool   // frames are addressed by ChildEBP
	// Awaited is the lock that an extension says the thread asks for, nil if
	// none does.
	Awaited *Awaited
	// Segments are the contiguous kernel stacks the frames run over, the
	// current one first. Call Split to fill them.
	Segments []Segment
}

// MapAddrs replaces every address of the stack by f of it.
func (s *Stack) MapAddrs(f func(kd.Addr) kd.Addr) {
	s.Init, s.Current, s.Base, s.Limit = f(s.Init), f(s.Current), f(s.Base), f(s.Limit)
	for i := range s.Earlier {
		g := &s.Earlier[i]
		g.Limit, g.Base, g.SP = f(g.Limit), f(g.Base), f(g.SP)
	}
	if w := s.Awaited; w != nil {
		folded := *w
		folded.Lock, folded.Owner = f(w.Lock), f(w.Owner)
		s.Awaited = &folded
	}
	MapFrames(s.Frames, f)
}

// MapFrames replaces every address of the frames by f of it.
func MapFrames(frames []Frame, f func(kd.Addr) kd.Addr) {
	for i := range frames {
		fr := &frames[i]
		fr.ChildSP, fr.RetAddr, fr.Trap = f(fr.ChildSP), f(fr.RetAddr), f(fr.Trap)
		for j := range fr.Args {
			fr.Args[j] = f(fr.Args[j])
		}
	}
}
