package report

import (
	"slices"
	"strings"
)

// typed are the commands whose output is in the input, as far as they print the
// same when they are typed again: of locks, threads and stacks a second look
// tells what moved.
func typed(sources []Source) map[string]bool {
	out := make(map[string]bool)
	for _, s := range sources {
		for _, c := range s.Sections {
			name, _, _ := strings.Cut(c.Command, " ")
			switch name {
			case "!locks", "!thread", "!stacks", "":
			default:
				out[bareCommand(c.Command)] = true
			}
		}
	}
	return out
}

// bareCommand is a command without what may be written in more than one way.
func bareCommand(c string) string {
	c = strings.NewReplacer("`", "", "0x", "").Replace(strings.ToLower(c))
	return strings.Join(strings.Fields(c), " ")
}

// notTyped leaves out commands whose output is in the input already: rules ask for what
// they lack, and a second look at what was printed is a matter of detectors.
func notTyped(next []string, typed map[string]bool) []string {
	have := make(map[string]bool)
	for c := range typed {
		have[broad(c)] = true
	}
	return slices.DeleteFunc(slices.Clone(next), func(c string) bool { return have[broad(bareCommand(c))] })
}

// broad is a command without what only bounds its output: how many tags !poolused is to
// print (/t2), and that !vm is to leave out processes.
func broad(bare string) string {
	words := strings.Fields(bare)
	switch {
	case len(words) > 0 && words[0] == "!poolused":
		words = slices.DeleteFunc(words, func(w string) bool { return w[0] == '/' })
	case bare == "!vm 1":
		return "!vm"
	}
	return strings.Join(words, " ")
}

// untyped leaves out commands whose output is in the input already, unless
// nothing else is to be typed.
func untyped(next []string, typed map[string]bool) []string {
	left := slices.DeleteFunc(slices.Clone(next), func(c string) bool { return typed[bareCommand(c)] })
	if len(left) == 0 {
		return next
	}
	return left
}
