package heuristics

import (
	"fmt"
	"slices"
	"strings"

	"kdlocks/kd"
	"kdlocks/stacks"
	"kdlocks/threads"
)

// suspectOfWait names the module outside Windows that stands nearest to the
// wait of a thread: it asked for the wait, or for what waits. Modules further
// out are on every such stack.
func suspectOfWait(t *threads.Thread) *Suspect {
	if t.OnProcessor() {
		return suspectOnProcessor(t)
	}
	i := nearest(t, 0)
	if i < 0 {
		return nil
	}
	s := &Suspect{Module: driverName(t.Stack.Frames[i].Module), Reason: fmt.Sprintf("nearest module outside Windows to the wait: %s", frame(t, i))}
	if t.Waits().Driver != "" && withoutSymbols(t) == "" {
		s.Reason = fmt.Sprintf("it asked for the wait itself: %s", frame(t, i))
	}
	return s
}

// suspectOnProcessor names the module outside Windows that ran when the
// processor was interrupted, or that asked for the spin lock; nil where nothing
// says that the thread was met at its fault: some thread always runs.
func suspectOnProcessor(t *threads.Thread) *Suspect {
	from := t.Interrupted()
	spins, _ := t.Spins()
	if from == 0 && spins < 0 {
		return nil
	}
	i := onTop(t, from)
	if i < 0 {
		return nil
	}
	s := &Suspect{Module: driverName(t.Stack.Frames[i].Module), Reason: fmt.Sprintf("nearest module outside Windows to where the processor was stopped: %s", frame(t, i))}
	if spins >= 0 {
		s.Reason = fmt.Sprintf("nearest module outside Windows to the spin lock: %s", frame(t, i))
	}
	return s
}

// suspectImage adds to a suspect what lm and !lmi show of its image: which version
// of a driver it is decides whether a fix is installed. Then that need not be
// asked for.
func (d *diagnosis) suspectImage(f *Finding) {
	m := d.snap.Module(f.Suspect.Module)
	if m == nil {
		return
	}
	s := *f.Suspect // findings share it
	switch {
	case m.Unloaded:
		s.Reason += "; it is unloaded"
	case m.FileVersion.Known():
		s.Reason += "; its file version is " + m.FileVersion.String()
		f.seen(m.FileVersionAt, 0, "the version of "+s.Module)
	case m.TimeWord.Known() && !m.Repro && !strings.HasPrefix(m.Timestamp, "*"): // not an invalid one
		s.Reason += "; its image is of " + m.Timestamp
	}
	f.Suspect = &s
	if m.Base != 0 {
		f.seen(m.At, m.Base, "the image of "+s.Module)
	}
	if m.FileVersion.Known() || m.Detailed {
		f.Next = slices.DeleteFunc(slices.Clone(f.Next), func(c string) bool { return c == d.detailsOf(s.Module, m.Base) })
	}
}

// onTop returns the first frame of a module outside Windows, up to a system call:
// what made the call only asked for what runs. -1 if there is none.
func onTop(t *threads.Thread, from int) int {
	for i := from; i < len(t.Stack.Frames); i++ {
		switch f := &t.Stack.Frames[i]; {
		case threads.IsSystemCall(f.Function):
			return -1
		case !stacks.OfWindows(f.Module):
			return i
		}
	}
	return -1
}

// detailsOf is the command that prints the details of a module: by its name where that
// is a plain one, as patterns of lm need, else by its address.
func (d *diagnosis) detailsOf(name string, base kd.Addr) string {
	plain := func(c rune) bool {
		return c == '_' || c == '.' || '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
	}
	if base == 0 || strings.TrimFunc(name, plain) == "" {
		return "lmvm " + name
	}
	return "lmv a " + d.addr(base)
}

// driverName is the name of a module as lm knows it: <Unloaded_Test.sys> is
// Test.
func driverName(module string) string {
	if name, ok := strings.CutPrefix(module, unloaded); ok {
		module, _, _ = strings.Cut(name, ">")
	}
	return strings.TrimSuffix(strings.TrimSuffix(module, ".sys"), ".dll")
}
