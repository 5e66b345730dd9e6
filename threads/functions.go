package threads

import (
	"slices"
	"strings"
)

// Function is a function that a frame is in, Module and Name as printed. Name
// is "" where the debugger named the module alone, and both are where it printed an
// address of the kernel's half.
type Function struct{ Module, Name string }

// Calls returns the set of a frame of the function.
func (f Function) Calls() Calls { return CallOf(f.Module, f.Name) }

// FunctionNames gathers names of functions as a Skimmer tells them. It is
// bounded by the text of different ones; the zero value is empty.
type FunctionNames struct {
	lists []string // lines of module!function, some more than once
	bytes int
	cut   bool
}

// mostFunctionNames bounds the names that are kept, in bytes: more than a
// hundred thousand, more than a machine has on its stacks.
const mostFunctionNames = 4 << 20

// Add adds lines of module!function, which may be known already.
func (s *FunctionNames) Add(lines string) {
	if lines == "" || s.cut {
		return
	}
	s.lists, s.bytes = append(s.lists, lines), s.bytes+len(lines)
	if s.bytes > 2*mostFunctionNames {
		s.compact()
	}
}

// Clone returns a copy to which others can be added.
func (s *FunctionNames) Clone() FunctionNames {
	out := *s
	out.lists = slices.Clone(s.lists)
	return out
}

// compact leaves one of each name, sorted. Beyond the bound, which does not
// depend on how often a name was added, nothing is kept.
func (s *FunctionNames) compact() []string {
	var names []string
	for _, list := range s.lists {
		names = append(names, strings.Split(strings.TrimSuffix(list, "\n"), "\n")...)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	all := strings.Join(names, "\n")
	s.lists, s.bytes = []string{all}, len(all)
	if s.bytes > mostFunctionNames {
		s.lists, s.bytes, s.cut = nil, 0, true
		return nil
	}
	return names
}

// Functions returns the functions by module and name, and whether they are all
// that were added; if they were too many, it returns none.
func (s *FunctionNames) Functions() (list []Function, all bool) {
	if len(s.lists) == 0 {
		return nil, !s.cut
	}
	names := s.compact()
	list = make([]Function, len(names))
	for i, name := range names {
		list[i].Module, list[i].Name, _ = strings.Cut(name, "!")
	}
	return list, !s.cut
}

// Each tells the functions that were added, in no order and some more than once. It
// returns false if they were too many.
func (s *FunctionNames) Each(tell func(Function)) (all bool) {
	if s.cut {
		return false
	}
	for _, list := range s.lists {
		for line := range strings.SplitSeq(list, "\n") {
			if module, name, ok := strings.Cut(line, "!"); ok {
				tell(Function{module, name})
			}
		}
	}
	return true
}
