package snapshot

import (
	"fmt"

	"kdlocks/kd"
	"kdlocks/locks"
	"kdlocks/threads"
)

// mergeResources keeps one resource for each address. A block printed twice is
// one fact seen twice: the fuller one is kept. Two that contradict each other
// were printed at two moments: the later one is kept, and that is said.
func (s *Snapshot) mergeResources(rs []*locks.Resource) {
	s.byResource = make(map[kd.Addr]*Resource, len(rs))
	for _, r := range rs {
		have := s.byResource[r.Addr]
		if have == nil {
			have = &Resource{Resource: r}
			s.byResource[r.Addr] = have
			s.Resources = append(s.Resources, have)
			continue
		}
		have.Resource = s.chooseResource(have.Resource, r)
	}
}

func (s *Snapshot) chooseResource(old, later *locks.Resource) *locks.Resource {
	if later.HeadUntrusted || later.Mode == locks.ModeUnknown {
		return old
	}
	if old.HeadUntrusted || old.Mode == locks.ModeUnknown {
		return later
	}
	keep := later
	switch fuller := len(old.Entries)+len(old.ExclusiveWaiters) > len(later.Entries)+len(later.ExclusiveWaiters); {
	case fuller && old.Mode == later.Mode && isPrefix(later, old):
		keep = old
	case old.Mode != later.Mode || !isPrefix(old, later):
		s.note(later.At, fmt.Sprintf("resource %s was printed before (line %d) with other owners or waiters: this later state is used", s.bare(later.Addr), old.At.Line))
	}
	if keep.Symbol == "" {
		keep.Symbol = old.Symbol + later.Symbol
	}
	return keep
}

// isPrefix reports whether the lists of a are the beginning of those of b.
func isPrefix(a, b *locks.Resource) bool {
	if len(a.Entries) > len(b.Entries) || len(a.ExclusiveWaiters) > len(b.ExclusiveWaiters) {
		return false
	}
	for i, e := range a.Entries {
		if e.Raw != b.Entries[i].Raw || e.Marked != b.Entries[i].Marked {
			return false
		}
	}
	for i, w := range a.ExclusiveWaiters {
		if w.Thread != b.ExclusiveWaiters[i].Thread {
			return false
		}
	}
	return true
}

// mergeThreads keeps one thread for each address; stacks without a thread
// header stay apart.
func (s *Snapshot) mergeThreads(ts []*threads.Thread) {
	s.byAddr = make(map[kd.Addr]*threads.Thread, len(ts))
	for _, t := range ts {
		have := s.byAddr[t.Addr]
		if t.Addr == 0 || have == nil {
			s.Threads = append(s.Threads, t)
			if t.Addr != 0 {
				s.byAddr[t.Addr] = t
			}
			continue
		}
		s.mergeThread(have, t)
	}
}

// mergeThread adds to have what later knows more.
func (s *Snapshot) mergeThread(have, later *threads.Thread) {
	if later.Header && have.Header && have.CID.Known && later.CID.Known && have.CID != later.CID {
		s.note(later.At, fmt.Sprintf("thread %s was printed before (line %d) with CID %s: the address seems to be used twice", s.bare(later.Addr), have.At.Line, have.CID))
		return
	}
	if later.Header && have.Header && have.State != later.State {
		s.note(later.At, fmt.Sprintf("thread %s was printed before (line %d) as %s: this later state is used", s.bare(later.Addr), have.At.Line, have.State))
	}
	mergeStack(have, later)
	if !later.Header {
		return
	}
	if !have.Header || richer(later, have) {
		stack := have.Stack
		*have = *later
		have.Stack = stack
	}
}

// richer reports whether a block should replace an earlier one of the same
// thread: it says another state, or at least as much.
func richer(later, have *threads.Thread) bool {
	if later.State != have.State && later.State != threads.StateUnknown {
		return true
	}
	return len(later.WaitObjects) >= len(have.WaitObjects) && (later.Ticks >= 0 || have.Ticks < 0)
}

// mergeStack takes the later block's frames if there are more of them, and its
// range if none was known.
func mergeStack(have, later *threads.Thread) {
	if len(later.Stack.Frames) > len(have.Stack.Frames) {
		have.Stack.Frames, have.Stack.HeaderAt, have.Stack.X86 = later.Stack.Frames, later.Stack.HeaderAt, later.Stack.X86
	}
	to, from := &have.Stack, &later.Stack
	if to.Init == 0 {
		to.Init, to.Current, to.InitAt = from.Init, from.Current, from.InitAt
	}
	if to.Limit == 0 {
		to.Base, to.Limit, to.RangeAt = from.Base, from.Limit, from.RangeAt
	}
}
