package snapshot

import (
	"iter"
	"slices"
	"strings"

	"kdlocks/kd"
	"kdlocks/stacks"
	"kdlocks/threads"
)

// Functions returns the functions that frames are in, by module and name: those
// of all threads, the skimmed ones included, and of the blocks of !findstack. If
// they are too many, it returns none and false. Else what is not among them
// stands on no stack; a few may be of other sessions of the same inputs, or stand
// on no stack, either, so that they are nothing to report.
func (s *Snapshot) Functions() (list []threads.Function, all bool) {
	if s.functions == nil {
		s.functions = s.allFunctions()
	}
	return s.functions.Functions()
}

func (s *Snapshot) allFunctions() *threads.FunctionNames {
	out := &threads.FunctionNames{}
	if !s.EachFunction(func(f threads.Function) { out.Add(f.Module + "!" + f.Name + "\n") }) {
		*out = s.restFunctions.Clone() // which are too many already
	}
	return out
}

// EachFunction tells the functions that Functions returns, in no order and some more
// than once. It returns false if they are too many.
func (s *Snapshot) EachFunction(tell func(threads.Function)) (all bool) {
	if len(s.rest) > 0 && !s.restFunctions.Each(tell) {
		return false
	}
	known := make(map[threads.Function]bool)
	add := func(frames []stacks.Frame) {
		for i := range frames {
			f := threads.Function{Module: frames[i].Module, Name: frames[i].Function}
			if !known[f] && (f != (threads.Function{}) || frames[i].Unnamed() != 0) {
				known[f] = true
				tell(f)
			}
		}
	}
	for _, t := range s.Threads {
		add(t.Stack.Frames)
	}
	for _, m := range s.Matches {
		add(m.Frames)
	}
	return true
}

// ThreadsWhere returns every thread that passes, in the order of the input.
// pass is told the functions on its stack and, of one that was skimmed, its
// Brief; nil of any other. Skimmed ones that pass are read whole one by one and
// not kept.
func (s *Snapshot) ThreadsWhere(pass func(threads.Calls, *threads.Brief) bool) iter.Seq[*threads.Thread] {
	return s.walk(
		func(b *threads.Brief) bool { return pass(b.Calls, b) },
		func(t *threads.Thread) bool { return pass(t.Calls(), nil) },
	)
}

// ListsAllThreads reports whether a command that shows every thread of a process
// with its stack was printed to its end, of all processes for 0: what is on none of
// them is nowhere.
func (s *Snapshot) ListsAllThreads(process kd.Addr) bool {
	return slices.ContainsFunc(s.allThreads, func(a threads.AllOf) bool {
		return a.Everything() || a.Process == process && a.Image == "" && a.Frames == ""
	})
}

// ThreadLists returns the commands whose output shows every thread that they ask for,
// with its stack.
func (s *Snapshot) ThreadLists() []threads.AllOf { return s.allThreads }

// ListsAllProcesses reports whether a list of every process was printed to its end: of
// those of a program, or of all for "".
func (s *Snapshot) ListsAllProcesses(image string) bool {
	return slices.ContainsFunc(s.allProcesses, func(a threads.AllOf) bool {
		return a.Everything() || image != "" && strings.EqualFold(a.Image, image)
	})
}

// ListsProcesses reports whether any list of processes was printed to its end; it may
// be empty.
func (s *Snapshot) ListsProcesses() bool { return len(s.allProcesses) > 0 }

// HasStack reports whether the stack of the thread at an address was printed.
func (s *Snapshot) HasStack(a kd.Addr) bool {
	if b := s.Brief(a); b != nil {
		return !b.Has(threads.NoStack)
	}
	t := s.byAddr[a]
	return t != nil && len(t.Stack.Frames) > 0
}
