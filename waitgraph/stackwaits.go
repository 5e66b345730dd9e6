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
	// shown are those that the fields of the resource name, as dt shows them.
	shown map[bool][]wait
}

// waitsOnStacks reads the resource from the first argument of
// ExpWaitForResource (captures in testdata print it so on x86). On x86 the
// argument is on the stack and reliable: grade C. On x64 the column shows home
// space that is often stale: an association only, grade D. It serves waiters
// that a count announces and no list names.
func (g *Graph) waitsOnStacks() map[kd.Addr]stackWaits {
	out := make(map[kd.Addr]stackWaits)
	for _, t := range g.Snap.Threads {
		if t.Addr == 0 || !CanWaitForResource(t) {
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
	g.waitsShown(out)
	return out
}

// Unlisted are waiters of a resource that no list names.
type Unlisted struct {
	shared, exclusive int // announced by a count, and in no list and on no stack
	// Guessed are threads that only a stale argument on a stack may name.
	Guessed []kd.Addr
}

// Announced counts the waiters that a count announces and nothing names.
func (u Unlisted) Announced() int { return u.shared + u.exclusive }

// Unlisted returns what is known of the waiters that no list names.
func (g *Graph) Unlisted(r *snapshot.Resource) Unlisted {
	if u, ok := g.unlisted[r.Addr]; ok {
		return u
	}
	shared, exclusive := r.Unlisted()
	return Unlisted{shared: shared, exclusive: exclusive}
}

// addUnlisted adds the waiters that stacks name and no list, and returns what is
// still missing of the announced ones.
func (g *Graph) addUnlisted(r *snapshot.Resource, shared, exclusive []wait, onStacks stackWaits) (s, x []wait, left Unlisted) {
	left.shared, left.exclusive = r.Unlisted()
	if len(onStacks.named)+len(onStacks.shown)+len(onStacks.shared)+len(onStacks.exclusive) == 0 {
		return shared, exclusive, left
	}
	known := make(map[kd.Addr]bool)
	for _, ws := range [][]wait{shared, exclusive} {
		for _, w := range ws {
			known[w.thread] = true
		}
	}
	add := func(to []wait, missing *int, ws []wait) []wait {
		for _, w := range ws {
			if known[w.thread] {
				continue
			}
			known[w.thread] = true
			*missing = max(0, *missing-1)
			if w.grade == D {
				left.Guessed = append(left.Guessed, w.thread)
			}
			to = append(to, w)
		}
		return to
	}
	shared = add(shared, &left.shared, announced(left.shared, onStacks.shown[true]))
	exclusive = add(exclusive, &left.exclusive, announced(left.exclusive, onStacks.shown[false]))
	// Where the input ends inside the lists, what they lack is not known.
	if left.shared > 0 && !r.Open {
		shared = add(shared, &left.shared, onStacks.shared)
	}
	if left.exclusive > 0 && !r.Open {
		exclusive = add(exclusive, &left.exclusive, onStacks.exclusive)
	}
	shared = add(shared, &left.shared, g.awaited(r, left.shared, known, onStacks.named[true]))
	exclusive = add(exclusive, &left.exclusive, g.awaited(r, left.exclusive, known, onStacks.named[false]))
	g.unlisted[r.Addr] = left
	return shared, exclusive, left
}

// announced weakens waiters that dt shows to C if the counts of !locks leave no
// room for them.
func announced(missing int, shown []wait) []wait {
	for i := range shown {
		if i >= missing {
			shown[i].grade = max(shown[i].grade, C)
		}
	}
	return shown
}

// awaited returns the threads that mex shows waiting and that may wait: it
// recovers the resource from the registers that a frame has saved, which is as
// good as a stack. What !locks counts goes before it.
func (g *Graph) awaited(r *snapshot.Resource, missing int, known map[kd.Addr]bool, named []wait) []wait {
	if r.Extension != "" || missing > 0 {
		return named
	}
	for _, w := range named {
		if !known[w.thread] {
			g.note(w.at, "mex shows thread %s waiting for resource %s, but !locks lists no such waiter: no edge is drawn", g.bare(w.thread), g.bare(r.Addr))
		}
	}
	return nil
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
