package rules

import (
	"kdlocks/kd"
	"kdlocks/stacks"
	"kdlocks/threads"
)

// lacksFrames reports whether frames of a thread are missing: its stack was not
// printed to its end, or an author left something out.
func lacksFrames(t *threads.Thread) bool {
	frames := t.Stack.Frames
	return t.Elided || isCut(frames) || t.Stack.Elided > 0 && (t.Stack.Elided < len(frames) || !stacks.IsOutermost(frames[len(frames)-1].Function))
}

// isCut reports whether a stack was not printed to its end: its last frame returns
// to another one, or it is the one call site of a row.
func isCut(frames []stacks.Frame) bool {
	if len(frames) == 0 {
		return false
	}
	last := &frames[len(frames)-1]
	a, bare := kd.ParseAddr(last.Symbol)
	switch {
	case last.Cut:
		return true
	case stacks.IsOutermost(last.Function), bare && !a.IsKernel(kd.X86):
		return false
	case last.Bare && !last.Inline:
		return true
	}
	return last.RetAddr != 0 && (last.RetAddr.IsKernel(kd.X86) || !last.ChildSP.IsKernel(kd.X86))
}
