package threads

import (
	"cmp"
	"slices"
)

// Function is a function that a frame is in, Module and Name as printed. Name
// is "" where the debugger named the module alone.
type Function struct{ Module, Name string }

// Calls returns the set of a frame of the function.
func (f Function) Calls() Calls { return CallOf(f.Module, f.Name) }

// Functions gathers functions. It is bounded by the text of different ones; the
// zero value is empty.
type Functions struct {
	list  []Function // some more than once
	bytes int        // of list
	cut   bool
}

// mostFunctionBytes bounds the names that are kept: some tens of thousands,
// more than a machine has on its stacks.
const mostFunctionBytes = 4 << 20

// Add adds functions that may be known already. One without a module and a name
// is none.
func (s *Functions) Add(fs ...Function) {
	for _, f := range fs {
		if s.cut || f == (Function{}) {
			continue
		}
		s.list, s.bytes = append(s.list, f), s.bytes+f.size()
		if s.bytes > 2*mostFunctionBytes {
			s.compact()
		}
	}
}

// size is about what a function takes, in bytes.
func (f Function) size() int { return len(f.Module) + len(f.Name) + 32 }

// compact sorts the list and leaves one of each. Beyond the bound, which does
// not depend on what was added more than once, nothing is kept.
func (s *Functions) compact() {
	slices.SortFunc(s.list, func(a, b Function) int {
		return cmp.Or(cmp.Compare(a.Module, b.Module), cmp.Compare(a.Name, b.Name))
	})
	s.list, s.bytes = slices.Compact(s.list), 0
	for _, f := range s.list {
		s.bytes += f.size()
	}
	if s.bytes > mostFunctionBytes {
		s.list, s.bytes, s.cut = nil, 0, true
	}
}

// Copy returns functions to which others can be added.
func (s *Functions) Copy() Functions {
	out := *s
	out.list = slices.Clone(s.list)
	return out
}

// Sorted returns the functions by module and name, and whether they are all
// that were added; if they were too many, it returns none.
func (s *Functions) Sorted() (list []Function, all bool) {
	s.compact()
	return slices.Clip(s.list), !s.cut
}
