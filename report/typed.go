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

// untyped leaves out commands whose output is in the input already, unless
// nothing else is to be typed.
func untyped(next []string, typed map[string]bool) []string {
	left := slices.DeleteFunc(slices.Clone(next), func(c string) bool { return typed[bareCommand(c)] })
	if len(left) == 0 {
		return next
	}
	return left
}
