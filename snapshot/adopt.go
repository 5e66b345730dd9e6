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
	kept := s.Threads[:0]
	for _, t := range s.Threads {
		if t.Addr == 0 {
			if owner := s.ownerOfStack(&t.Stack); owner != nil {
				owner.Stack.Frames, owner.Stack.HeaderAt, owner.Stack.X86 = t.Stack.Frames, t.Stack.HeaderAt, t.Stack.X86
				continue
			}
		}
		kept = append(kept, t)
	}
	s.Threads = kept
}

// ownerOfStack returns the only thread without frames that the stack can
// belong to, nil if there is none or more than one.
func (s *Snapshot) ownerOfStack(st *stacks.Stack) *threads.Thread {
	st.Split(s.Target.Arch)
	if len(st.Segments) == 0 || st.Segments[0].First < 0 {
		return nil
	}
	sp := st.Frames[st.Segments[0].First].ChildSP
	var found *threads.Thread
	for _, t := range s.Threads {
		if t.Addr == 0 || len(t.Stack.Frames) > 0 || !holdsStack(t, sp, st) {
			continue
		}
		if found != nil {
			return nil
		}
		found = t
	}
	return found
}

func holdsStack(t *threads.Thread, sp kd.Addr, st *stacks.Stack) bool {
	if t.Stack.Limit != 0 {
		return t.Stack.Limit <= sp && sp < t.Stack.Base
	}
	if t.WaitReason != "WrResource" {
		return false
	}
	for _, w := range t.WaitObjects {
		if st.Segments[0].Contains(w.Addr) {
			return true
		}
	}
	return false
}
