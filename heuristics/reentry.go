package heuristics

import (
	"fmt"
	"strings"

	"kdlocks/stacks"
	"kdlocks/threads"
)

// reentry is a module that was called again while one of its calls was still
// on the same stack.
type reentry struct {
	module string
	inner  int // innermost frame of the inner call
	entry  int // outermost frame of the inner call
	outer  int // outermost frame of the outer call
}

// reentered looks for a module outside Windows that stands on the stack in two
// calls, with other modules in between; the innermost such module is returned.
func reentered(t *threads.Thread) *reentry {
	if t == nil {
		return nil
	}
	seen := make(map[string]*reentry)
	var order []string
	last := ""
	for i, f := range t.Stack.Frames {
		m := strings.ToLower(f.Module)
		if m == "" || stacks.OfWindows(m) || f.Function == "" {
			last = m
			continue
		}
		r := seen[m]
		switch {
		case r == nil:
			seen[m] = &reentry{module: f.Module, inner: i, entry: i, outer: -1}
			order = append(order, m)
		case r.outer < 0 && last == m:
			r.entry = i
		default:
			r.outer = i
		}
		last = m
	}
	for _, m := range order {
		if seen[m].outer >= 0 {
			return seen[m]
		}
	}
	return nil
}

func (r *reentry) text(t *threads.Thread) string {
	return fmt.Sprintf("%s was re-entered on this one stack: from %s it came, through %s, to %s and %s.",
		r.module, frame(t, r.outer), frame(t, r.entry+1), frame(t, r.entry), frame(t, r.inner))
}
