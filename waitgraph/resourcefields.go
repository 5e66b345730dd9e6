package waitgraph

import (
	"slices"

	"kdlocks/kd"
	"kdlocks/objects"
	"kdlocks/threads"
)

// waitsShown adds the threads that wait for a resource of which dt showed the
// fields, and that no list names. Before Windows 10 its waiters wait for the
// semaphore and the event that the fields point to: grade B. In Windows 10 and
// later a field points to what the first waiter has on its stack: grade C.
func (g *Graph) waitsShown(out map[kd.Addr]stackWaits) {
	fields := g.Snap.Objects.Resources
	if len(fields) == 0 {
		return
	}
	waits := make(map[kd.Addr][]*threads.Thread) // by what for
	for _, t := range g.Snap.Threads {
		if len(t.WaitObjects) == 1 && g.waitsUnlisted(t) {
			waits[t.WaitObjects[0].Addr] = append(waits[t.WaitObjects[0].Addr], t)
		}
	}
	times := make(map[kd.Addr]int) // that a thread is shown waiting
	for _, f := range fields {
		if f.Conflict != "" || g.Snap.Resource(f.Addr) == nil {
			continue
		}
		ws := out[f.Addr]
		ws.shown = map[bool][]wait{
			true:  g.shownWaiters(f.Shared, "Semaphore", waits),
			false: g.shownWaiters(f.Exclusive, "SynchronizationEvent", waits),
		}
		for _, list := range ws.shown {
			for _, w := range list {
				times[w.thread]++
			}
		}
		out[f.Addr] = ws
	}
	// A thread waits once: who is shown twice was read at the wrong address.
	for _, f := range fields {
		for access, list := range out[f.Addr].shown {
			out[f.Addr].shown[access] = slices.DeleteFunc(list, func(w wait) bool { return times[w.thread] > 1 })
		}
	}
}

// shownWaiters returns the threads that wait for the object at an address, else
// the one on whose stack the address lies.
func (g *Graph) shownWaiters(p objects.Printed, kind string, waits map[kd.Addr][]*threads.Thread) []wait {
	if !p.Known() || p.Addr == 0 {
		return nil
	}
	var out []wait
	for _, t := range waits[p.Addr] {
		if t.WaitObjects[0].Kind == kind {
			out = append(out, wait{thread: t.Addr, at: p.At, about: p.Addr, grade: max(B, gradeOf(t.WaitObjects[0].At.Doubt))})
		}
	}
	if len(out) > 0 {
		return out
	}
	if t := g.Snap.OnStack(p.Addr); t != nil && g.waitsUnlisted(t) {
		out = append(out, wait{thread: t.Addr, at: p.At, about: p.Addr, grade: max(C, gradeOf(t.Stack.RangeAt.Doubt))})
	}
	return out
}

// waitsUnlisted reports whether a thread waits for a resource by its reason or
// stack, and no list, extension or argument says for which.
func (g *Graph) waitsUnlisted(t *threads.Thread) bool {
	return t.Addr != 0 && g.listings[t.Addr] == 0 && t.Stack.Awaited == nil && t.State == threads.Waiting && CanWaitForResource(t) &&
		(t.WaitReason == "WrResource" || t.FindFrame("ExpWaitForResource") >= 0)
}
