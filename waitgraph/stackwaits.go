package waitgraph

import (
	"strings"

	"kdlocks/kd"
	"kdlocks/threads"
)

// stackWaits are threads whose stacks say that they wait for a resource.
type stackWaits struct{ shared, exclusive []wait }

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
