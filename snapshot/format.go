package snapshot

import (
	"fmt"
	"strings"

	"kdlocks/kd"
	"kdlocks/stacks"
	"kdlocks/threads"
)

// String returns the canonical text of a snapshot: every fact with the line it
// was read on. It exists so that tests can pin what any reader understood.
func (s *Snapshot) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "target %s", orUnknown(s.Target.Arch.String()))
	if s.Target.Build != "" {
		fmt.Fprintf(&b, " build %s", s.Target.Build)
	}
	if bc := s.Target.Bugcheck; bc != nil {
		fmt.Fprintf(&b, " bugcheck %x", bc.Code)
	}
	b.WriteString("\n")
	if s.Total.Known() {
		fmt.Fprintf(&b, "total %d\n", s.Total.N)
	}
	if s.Held.Known() {
		fmt.Fprintf(&b, "held %d\n", s.Held.N)
	}
	for _, r := range s.Resources {
		s.formatResource(&b, r)
	}
	for t := range s.AllThreads() {
		s.formatThread(&b, t)
	}
	s.formatOthers(&b)
	s.formatObjects(&b)
	s.formatModules(&b)
	s.formatMemory(&b)
	s.formatHeaps(&b)
	for _, n := range s.Notes {
		fmt.Fprintf(&b, "note :%d %s\n", n.At.Line, n.Text)
	}
	return b.String()
}

// formatOthers writes what is neither a resource nor a thread.
func (s *Snapshot) formatOthers(b *strings.Builder) {
	for _, p := range s.Processors {
		fmt.Fprintf(b, "processor %d prcb %s :%d current %s", p.CPU, s.bare(p.Prcb), p.At.Line, s.bare(p.Current))
		if p.Next != 0 {
			fmt.Fprintf(b, " next %s", s.bare(p.Next))
		}
		if len(p.Owned)+len(p.Waits) > 0 {
			fmt.Fprintf(b, " owns %v waits %v", p.Owned, p.Waits)
		}
		b.WriteString("\n")
	}
	for _, m := range s.Matches {
		fmt.Fprintf(b, "matches %s :%d %d of %d\n", s.bare(m.Thread), m.At.Line, len(m.Frames), m.Announced)
	}
	for _, v := range s.VerifierDeadlocks {
		fmt.Fprintf(b, "verifier-deadlock :%d %v\n", v.At.Line, v.Issue)
		for _, t := range v.Threads {
			fmt.Fprintf(b, "  thread %d %s :%d %v\n", t.Index, s.bare(t.Addr), t.At.Line, t.Order)
		}
		for _, l := range v.Locks {
			fmt.Fprintf(b, "  lock %s %s :%d %s %s\n", l.Name, s.bare(l.Addr), l.At.Line, l.Symbol, l.Type)
		}
	}
	for _, a := range s.NotThreads() {
		fmt.Fprintf(b, "not-a-thread %s\n", s.bare(a))
	}
	for _, p := range s.PushLocks {
		fmt.Fprintf(b, "pushlock %s :%d\n", s.bare(p.Addr), p.At.Line)
	}
	for _, q := range s.QueuedLocks {
		fmt.Fprintf(b, "queued %q owner %d waiters %v :%d\n", q.Name, q.Owner, q.Waiters, q.At.Line)
	}
	for _, t := range s.Triage {
		fmt.Fprintf(b, "triage %s thread %s :%d\n", s.bare(t.Lock), s.bare(t.Thread), t.At.Line)
	}
}

func orUnknown(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}

func (s *Snapshot) formatResource(b *strings.Builder, r *Resource) {
	fmt.Fprintf(b, "resource %s %s :%d", s.bare(r.Addr), r.Mode, r.At.Line)
	if r.Symbol != "" {
		fmt.Fprintf(b, " symbol %s", r.Symbol)
	}
	if r.Contention.Known() {
		fmt.Fprintf(b, " contention %d", r.Contention.N)
	}
	if r.SharedWaiterCount.Known() {
		fmt.Fprintf(b, " shared-waiters %d", r.SharedWaiterCount.N)
	}
	if r.ExclusiveWaiterCount.Known() {
		fmt.Fprintf(b, " exclusive-waiters %d", r.ExclusiveWaiterCount.N)
	}
	b.WriteString("\n")
	for i := range r.Resolved {
		s.formatOwner(b, &r.Resolved[i])
	}
	for _, w := range r.SharedWaiters {
		fmt.Fprintf(b, "  shared %s :%d\n", s.bare(w.Thread), w.At.Line)
	}
	for _, w := range r.ExclusiveWaiters {
		fmt.Fprintf(b, "  exclusive %s :%d\n", s.bare(w.Thread), w.At.Line)
	}
}

func (s *Snapshot) formatOwner(b *strings.Builder, o *Owner) {
	fmt.Fprintf(b, "  owner %s count %d :%d %s", s.bare(o.Raw), o.Count, o.At.Line, o.How)
	if o.Thread != 0 {
		fmt.Fprintf(b, " thread %s", s.bare(o.Thread))
	}
	if o.Live != threads.Unknown {
		fmt.Fprintf(b, " %s", map[threads.Tri]string{threads.Yes: "live", threads.No: "returned"}[o.Live])
	}
	if o.Slot.Frame >= 0 {
		fmt.Fprintf(b, " frame %d set-by %d parameter %d", o.Slot.Frame, o.Slot.Setter, o.Slot.Param)
	}
	b.WriteString("\n")
}

func (s *Snapshot) formatThread(b *strings.Builder, t *threads.Thread) {
	fmt.Fprintf(b, "thread %s %s :%d", s.bare(t.Addr), t.State, t.At.Line)
	for _, f := range []struct{ name, value string }{
		{"cid", t.CID.String()}, {"image", t.Process.Image}, {"reason", t.WaitReason}, {"mode", t.WaitMode},
	} {
		if f.value != "" {
			fmt.Fprintf(b, " %s %s", f.name, f.value)
		}
	}
	if t.Ticks >= 0 {
		fmt.Fprintf(b, " ticks %d ms %d", t.Ticks, t.WaitMS)
	}
	if t.NotResident {
		b.WriteString(" not-resident")
	}
	b.WriteString("\n")
	for _, w := range t.WaitObjects {
		fmt.Fprintf(b, "  waits-for %s %s", s.bare(w.Addr), w.Kind)
		if w.Owner != 0 {
			fmt.Fprintf(b, " owner %s", s.bare(w.Owner))
		}
		b.WriteString("\n")
	}
	if c := t.Caption; c != nil {
		fmt.Fprintf(b, "  caption :%d owner %v threads %d\n", c.At.Line, c.Owner, c.Threads)
	}
	if w := t.Stack.Awaited; w != nil {
		fmt.Fprintf(b, "  asks-for %s owner %s :%d\n", s.bare(w.Lock), s.bare(w.Owner), w.At.Line)
	}
	for _, irp := range t.IRPs {
		fmt.Fprintf(b, "  irp %s", s.bare(irp.Addr))
		formatWords(b, "driver", irp.Driver)
		b.WriteString("\n")
	}
	s.formatStack(b, &t.Stack)
}

func (s *Snapshot) formatStack(b *strings.Builder, st *stacks.Stack) {
	for _, g := range st.Segments {
		fmt.Fprintf(b, "  segment %s..%s sp %s frames %d..%d", s.bare(g.Limit), s.bare(g.Base), s.bare(g.SP), g.First, g.Last)
		if g.Inferred {
			b.WriteString(" inferred")
		}
		b.WriteString("\n")
	}
	for i, f := range st.Frames {
		sp := s.bare(f.ChildSP)
		switch {
		case f.Inline:
			sp = "inline"
		case f.Bare:
			sp = "bare"
		}
		fmt.Fprintf(b, "  frame %d %s %s :%d", i, sp, f.Symbol, f.At.Line)
		if f.Derived {
			b.WriteString(" derived " + f.Name())
		}
		b.WriteString("\n")
	}
}

// Places calls f for every place that the snapshot took a fact from, with an
// address that the text there contains.
func (s *Snapshot) Places(f func(at kd.Ref, a kd.Addr)) {
	for _, r := range s.Resources {
		f(r.At, r.Addr)
		for _, e := range r.Entries {
			f(e.At, e.Raw)
		}
		for _, w := range r.ExclusiveWaiters {
			f(w.At, w.Thread)
		}
	}
	s.otherPlaces(f)
	for t := range s.AllThreads() {
		if t.Addr != 0 {
			f(t.At, t.Addr)
		}
		for _, w := range t.WaitObjects {
			f(w.At, w.Addr)
		}
		if w := t.Stack.Awaited; w != nil && w.Lock != 0 {
			f(w.At, w.Lock)
		}
		for _, fr := range t.Stack.Frames {
			if !fr.Inline && !fr.Bare {
				f(fr.At, fr.ChildSP)
			}
		}
	}
}

func (s *Snapshot) otherPlaces(f func(at kd.Ref, a kd.Addr)) {
	for _, p := range s.Processors {
		f(p.At, p.Prcb)
		f(p.At, p.Current)
	}
	for _, m := range s.Matches {
		f(m.At, m.Thread)
	}
	for _, v := range s.VerifierDeadlocks {
		for _, t := range v.Threads {
			if t.Addr != 0 {
				f(t.At, t.Addr)
			}
		}
		for _, l := range v.Locks {
			if l.Addr != 0 {
				f(l.At, l.Addr)
			}
		}
	}
	for _, p := range s.PushLocks {
		f(p.At, p.Addr)
	}
	for _, t := range s.Timeouts {
		f(t.At, t.Addr)
	}
	for _, m := range s.Modules {
		if m.Base != 0 {
			f(m.At, m.Base)
		}
	}
	s.objectPlaces(f)
}
