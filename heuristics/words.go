package heuristics

import (
	"fmt"
	"slices"
	"strings"

	"kdlocks/kd"
	"kdlocks/snapshot"
	"kdlocks/stacks"
	"kdlocks/threads"
)

// addr prints an address as the debugger would for the target.
func (d *diagnosis) addr(a kd.Addr) string { return a.Bare(d.snap.Target.Arch) }

// thread names a thread: address, image and CID as far as they are known.
func (d *diagnosis) thread(a kd.Addr) string {
	s := "thread " + d.addr(a)
	t := d.snap.Thread(a)
	if t == nil {
		return s
	}
	if t.User {
		s = "thread with TEB " + d.addr(a)
	}
	var more []string
	if t.Process.Image != "" {
		more = append(more, t.Process.Image)
	}
	if t.CID.Known {
		more = append(more, t.CID.String())
	}
	if len(more) == 0 {
		return s
	}
	return s + " (" + strings.Join(more, ", ") + ")"
}

// lock names a resource, with its symbol if one was printed.
func (d *diagnosis) lock(a kd.Addr) string {
	r := d.snap.Resource(a)
	if r == nil {
		return d.addr(a)
	}
	if r.Symbol != "" {
		return fmt.Sprintf("ERESOURCE %s (%s)", d.addr(a), r.Symbol)
	}
	return "ERESOURCE " + d.addr(a)
}

// frame names frame i of a thread's stack, and says where its module follows from
// lm alone.
func frame(t *threads.Thread, i int) string {
	if i < 0 || i >= len(t.Stack.Frames) {
		return ""
	}
	f := &t.Stack.Frames[i]
	if f.Derived {
		return fmt.Sprintf("%s (frame %d, %s by the range that lm shows)", f.Name(), i, f.Symbol)
	}
	return fmt.Sprintf("%s (frame %d)", f.Name(), i)
}

// span prints milliseconds as seconds.
func span(ms int64) string { return fmt.Sprintf("%d.%03d s", ms/1000, ms%1000) }

// slot says where on the stack an owner pointer lies and whose it is.
func slot(t *threads.Thread, o *snapshot.Owner) string {
	s := o.Slot
	if s.Frame < 0 {
		return "No printed frame reaches it."
	}
	in := frame(t, s.Frame)
	sp := t.Stack.Frames[s.Frame].ChildSP
	switch {
	case s.Setter < 0:
		return fmt.Sprintf("It lies in %s.", in)
	case s.Param > 0 && t.Stack.X86:
		return fmt.Sprintf("It is the place of parameter %d of %s, 0x%x above its ChildEBP.", s.Param, in, uint64(o.P()-sp))
	case s.Param > 0:
		return fmt.Sprintf("It lies in %s, %s: there an x64 caller leaves home space for the parameters of the function it calls, so it is the home slot of the %s parameter of %s.",
			in, above(o.P()-sp), ordinal(s.Param), frame(t, s.Setter))
	}
	return fmt.Sprintf("It lies among the locals of %s.", in)
}

func above(d kd.Addr) string {
	if d == 0 {
		return "exactly at its Child-SP"
	}
	return fmt.Sprintf("0x%x above its Child-SP", uint64(d))
}

func ordinal(n int) string {
	if n >= 1 && n <= 4 {
		return [...]string{"first", "second", "third", "fourth"}[n-1]
	}
	return fmt.Sprintf("%dth", n)
}

// access is the word for what a waiter asks.
func access(shared bool) string {
	if shared {
		return "shared"
	}
	return "exclusive"
}

// acquire returns the frame of the routine that asks for the lock, and its
// caller, -1 if the stack does not show one.
func acquire(t *threads.Thread) (routine, caller int) {
	if t == nil {
		return -1, -1
	}
	wait := t.FindFrame("ExpWaitForResource")
	routine = -1
	for i := max(wait, 0); i < len(t.Stack.Frames); i++ {
		name := t.Stack.Frames[i].Function
		if isAcquire(name) {
			routine = i
			continue
		}
		if routine >= 0 {
			return routine, i
		}
		if wait < 0 && i > 12 {
			break
		}
	}
	return routine, -1
}

// isAcquire reports whether a function is one of the kernel's routines that
// take an ERESOURCE.
func isAcquire(name string) bool {
	name = strings.TrimLeft(name, "_")
	return strings.HasPrefix(name, "ExAcquire") || strings.HasPrefix(name, "ExpAcquire") ||
		strings.HasPrefix(name, "ExEnterCriticalRegionAndAcquire") || strings.HasPrefix(name, "ExpCommitWaitForResource")
}

// nearest returns the first frame from index from outward that belongs to no
// part of Windows, -1 if there is none.
func nearest(t *threads.Thread, from int) int {
	if t == nil || from < 0 {
		return -1
	}
	for i := from; i < len(t.Stack.Frames); i++ {
		f := t.Stack.Frames[i]
		if f.Module != "" && !stacks.OfWindows(f.Module) && (f.Bare || f.ChildSP.IsKernel(archOf(t.Stack))) {
			return i
		}
	}
	return -1
}

// withoutSymbols returns the module of Windows that asked for a thread's wait and
// of which the routine was printed without its name, "" if the name is there.
func withoutSymbols(t *threads.Thread) string {
	asked := t.Waits().Frame
	for i := range t.Stack.Frames {
		f := &t.Stack.Frames[i]
		if f.Function != "" && (i <= asked || threads.IsPlumbing(f.Function)) {
			continue
		}
		if f.Function == "" && f.Module != "" && stacks.OfWindows(f.Module) {
			return f.Module
		}
		break
	}
	return ""
}

// reload is the command that loads the symbols of a module of Windows and prints
// a stack again. It wants the name of the image, but for the kernel itself
// (Microsoft Learn: .reload).
func (d *diagnosis) reload(module string, t *threads.Thread) string {
	image := strings.ToLower(module)
	switch {
	case slices.Contains(kernelModules, image):
		image = "nt"
	case image == "hal":
		image = "hal.dll"
	case !strings.Contains(image, "."):
		image += ".sys"
	}
	if t.Addr == 0 {
		return ".reload /f " + image
	}
	return ".reload /f " + image + "; !thread " + d.addr(t.Addr) + " 1f"
}

func archOf(s stacks.Stack) kd.Arch {
	if s.X86 {
		return kd.X86
	}
	return kd.X64
}
