package waitgraph

import (
	"strings"

	"kdlocks/kd"
	"kdlocks/snapshot"
	"kdlocks/threads"
)

// stackWaits are threads whose stacks say that they wait for a resource.
type stackWaits struct {
	shared, exclusive []wait
	// named are waits that the Info column of mex names, by whether they ask
	// for shared access.
	named map[bool][]wait
}

// waitsOnStacks reads the resource from the first argument of
// ExpWaitForResource (captures in testdata print it so on x86). On x86 the
// argument is on the stack and reliable: grade C. On x64 the column shows home
// space that is often stale: an association only, grade D. It serves waiters
// that a count announces and no list names.
func (g *Graph) waitsOnStacks() map[kd.Addr]stackWaits {
	out := make(map[kd.Addr]stackWaits)
	for _, t := range g.Snap.Threads {
		if t.Addr == 0 || !canWaitForResource(t) {
			continue
		}
		if w := t.Stack.Awaited; w != nil && w.Lock != 0 {
			ws := out[w.Lock]
			if ws.named == nil {
				ws.named = make(map[bool][]wait)
			}
			ws.named[w.Shared] = append(ws.named[w.Shared], wait{thread: t.Addr, at: w.At, about: w.Lock, grade: C})
			out[w.Lock] = ws
			continue
		}
		i := t.FindFrame("ExpWaitForResource")
		if i < 0 || len(t.Stack.Frames[i].Args) == 0 {
			continue
		}
		f := t.Stack.Frames[i]
		res := g.Snap.Resource(f.Args[0])
		if res == nil {
			continue
		}
		w := wait{thread: t.Addr, at: f.At, about: res.Addr, grade: D}
		if t.Stack.X86 {
			w.grade = C
		}
		ws := out[res.Addr]
		if asksShared(t, i) {
			ws.shared = append(ws.shared, w)
		} else {
			ws.exclusive = append(ws.exclusive, w)
		}
		out[res.Addr] = ws
	}
	return out
}

// addAwaiting adds the threads that mex shows waiting and no list names: it
// recovers the resource from the registers that a frame has saved, which is as
// good as a stack. What !locks counts goes before it.
func (g *Graph) addAwaiting(r *snapshot.Resource, shared, exclusive []wait, onStacks stackWaits) (s, x []wait) {
	if len(onStacks.named) == 0 {
		return shared, exclusive
	}
	known := make(map[kd.Addr]bool)
	for _, ws := range [][]wait{shared, exclusive} {
		for _, w := range ws {
			known[w.thread] = true
		}
	}
	missingShared, missingExclusive := r.Unlisted()
	for _, asksShared := range []bool{true, false} {
		for _, w := range onStacks.named[asksShared] {
			missing := missingExclusive
			if asksShared {
				missing = missingShared
			}
			switch {
			case known[w.thread]:
			case r.Extension == "" && missing == 0:
				g.note(w.at, "mex shows thread %s waiting for resource %s, but !locks lists no such waiter: no edge is drawn", g.bare(w.thread), g.bare(r.Addr))
			case asksShared:
				shared = append(shared, w)
			default:
				exclusive = append(exclusive, w)
			}
		}
	}
	return shared, exclusive
}

// asksShared tells by the routine at or behind frame i which access is wanted:
// NT 4 has ExpWaitForResourceShared, later kernels name it in the caller.
func asksShared(t *threads.Thread, i int) bool {
	for _, f := range t.Stack.Frames[i:] {
		if strings.Contains(f.Function, "Shared") {
			return true
		}
		if strings.Contains(f.Function, "Exclusive") {
			return false
		}
	}
	return false
}
