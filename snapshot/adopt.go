package snapshot

import (
	"kdlocks/kd"
	"kdlocks/stacks"
	"kdlocks/threads"
)

// adoptStacks gives a stack that came without a thread header to the one
// thread it must belong to: the thread whose printed stack range holds its
// frames, or one that waits for a resource with a wait object on that very
// stack, as Windows 10 and later place it (testdata/corpus, capture 045).
func (s *Snapshot) adoptStacks() {
	x := s.homes()
	kept := s.Threads[:0]
	for _, t := range s.Threads {
		if t.Addr == 0 {
			if owner := x.ownerOf(&t.Stack); owner != nil {
				owner.Stack.Frames, owner.Stack.HeaderAt, owner.Stack.X86, owner.Stack.Elided = t.Stack.Frames, t.Stack.HeaderAt, t.Stack.X86, t.Stack.Elided
				owner.Stack.Awaited = t.Stack.Awaited
				owner.Stack.Split(s.Target.Arch)
				continue
			}
		}
		kept = append(kept, t)
	}
	s.Threads = kept
}

// homes finds threads without frames that a stack can belong to.
type homes struct {
	ranges stackIndex
	// waits holds threads without a printed range that wait for a resource, by
	// the page of a wait object.
	waits map[kd.Addr][]*threads.Thread
}

func (s *Snapshot) homes() homes {
	x := homes{ranges: s.indexStacks(), waits: make(map[kd.Addr][]*threads.Thread)}
	for _, t := range s.Threads {
		if t.Addr == 0 || t.Stack.Limit != 0 || t.WaitReason != "WrResource" {
			continue
		}
		for _, w := range t.WaitObjects {
			x.waits[w.Addr&^(stacks.Page-1)] = append(x.waits[w.Addr&^(stacks.Page-1)], t)
		}
	}
	return x
}

// ownerOf returns the only thread that the stack can belong to, nil if there
// is none or more than one.
func (x homes) ownerOf(st *stacks.Stack) *threads.Thread {
	if len(st.Segments) == 0 || st.Segments[0].First < 0 {
		return nil
	}
	g := st.Segments[0]
	var found []*threads.Thread
	for _, sp := range x.ranges.find(st.Frames[g.First].ChildSP) {
		if sp.thread.Stack.Limit != 0 {
			found = append(found, sp.thread)
		}
	}
	const mostPages = 64
	for n, p := 0, g.Limit; p < g.Base && n < mostPages; n, p = n+1, p+stacks.Page {
		found = append(found, x.waits[p]...)
	}
	if len(found) != 1 || len(found[0].Stack.Frames) > 0 {
		return nil
	}
	return found[0]
}
