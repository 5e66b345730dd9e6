package heuristics

import (
	"strings"

	"kdlocks/kd"
	"kdlocks/threads"
)

// StackGroup are threads that wait behind a finding with the same stack.
type StackGroup struct {
	Count   int
	Threads []kd.Addr // the first few of them, in the order of the input
	// Frames are module!function, innermost first, without what is on every
	// stack: the scheduler inside, the beginning of the thread outside.
	Frames []string
}

// Bounds of the grouping: the stacks that are read, the findings that are given
// groups, the threads that a group names and its frames. A log with very many
// threads is not read again as a whole for it.
const (
	mostGrouped      = 2000
	mostGroupedFinds = 3
	mostGroupNames   = 8
	mostGroupFrames  = 40
)

// groupStacks groups the stacks of the threads behind the first findings.
func (d *diagnosis) groupStacks(fs []Finding) {
	budget := mostGrouped
	if d.snap.ThreadCount() > largeListing {
		budget = mostGrouped / (largeShare * largeShare)
	}
	done := make(map[kd.Addr]bool)
	given := 0
	for i := range fs {
		f := &fs[i]
		if given == mostGroupedFinds || budget == 0 {
			return
		}
		if len(f.Threads) == 0 || len(f.Bystanders) < 2 || done[f.Threads[0]] {
			continue
		}
		done[f.Threads[0]] = true
		given++
		n := min(len(f.Bystanders), budget)
		budget -= n
		f.Groups, f.NoStack = d.stackGroups(f.Bystanders[:n])
		f.Grouped = n
	}
}

// stackGroups groups threads by their folded stacks, the largest group first,
// those of equal size in the order of the input. Threads without a stack are
// in no group: without counts them.
func (d *diagnosis) stackGroups(ts []kd.Addr) (out []StackGroup, without int) {
	at := make(map[string]int)
	for _, a := range ts {
		frames := foldStack(d.snap.Thread(a))
		if len(frames) == 0 {
			without++
			continue
		}
		key := strings.Join(frames, "\n")
		i, ok := at[key]
		if !ok {
			i = len(out)
			at[key] = i
			out = append(out, StackGroup{Frames: frames[:min(len(frames), mostGroupFrames)]})
		}
		g := &out[i]
		g.Count++
		if len(g.Threads) < mostGroupNames {
			g.Threads = append(g.Threads, a)
		}
	}
	kd.SortStable(out, func(a, b StackGroup) int { return b.Count - a.Count })
	return out, without
}

// foldStack names the frames of a stack, without the plumbing at both ends; all
// of them where it is nothing but plumbing.
func foldStack(t *threads.Thread) []string {
	if t == nil {
		return nil
	}
	var all, functions []string
	for i := range t.Stack.Frames {
		if f := &t.Stack.Frames[i]; !f.Cut {
			all, functions = append(all, f.Name()), append(functions, f.Function)
		}
	}
	first, end := 0, len(all)
	for first < end && threads.IsPlumbing(functions[first]) {
		first++
	}
	for end > first && threads.IsThreadStart(functions[end-1]) {
		end--
	}
	if first == end {
		return all
	}
	return all[first:end]
}

// printedAgain returns a function that reports whether a stack without a header
// is that of a thread with one, by its innermost stack pointer, or of one that
// it was asked about before, by that or by all of its frames: most likely it was
// printed twice.
func (d *diagnosis) printedAgain() func(*threads.Thread) bool {
	seen, pointers := make(map[string]bool), make(map[kd.Addr]bool)
	for _, t := range d.snap.Threads {
		if t.Addr != 0 && len(t.Stack.Frames) > 0 {
			pointers[t.Stack.Frames[0].ChildSP] = true
		}
	}
	delete(pointers, 0)
	return func(t *threads.Thread) bool {
		if t.Addr != 0 || len(t.Stack.Frames) == 0 {
			return false
		}
		key, sp := strings.Join(foldStack(t), "\n"), t.Stack.Frames[0].ChildSP
		before := seen[key] || pointers[sp]
		seen[key], pointers[sp] = true, sp != 0
		return before
	}
}
