package snapshot

import (
	"kdlocks/kd"
	"kdlocks/locks"
	"kdlocks/modules"
	"kdlocks/stacks"
	"kdlocks/threads"
)

// Meaning is one thing that an address is in a snapshot.
type Meaning struct {
	// Kind is resource, owner, waiter, thread, process, wait-object, irp, stack, or
	// that of a single object: alpc-message, lpc-message, port, worker, work-item,
	// critical-section, mutex, or module for an address within one.
	Kind     string
	Addr     kd.Addr // as asked for, folded
	Resource kd.Addr
	Thread   kd.Addr
	Process  threads.Process
	Owner    *Owner // of Kind owner
	Object   string // of Kind wait-object: the debugger's word
	Live     threads.Tri
	Slot     stacks.Slot
	Module   *modules.Module
	Segment  int // of Kind stack, -1 otherwise
	At       kd.Ref
}

// WhatIs returns all that the snapshot knows an address to be, nil if nothing.
// Its low bits are ignored where they do not belong to the address itself.
func (s *Snapshot) WhatIs(a kd.Addr) []Meaning {
	if s.Target.Arch == kd.X86 {
		a = a.Fold()
	}
	out := s.whatResource(a)
	out = append(out, s.whatThread(a)...)
	for _, p := range s.Processes {
		if p.Addr == a {
			out = append(out, Meaning{Kind: "process", Process: p, At: p.At, Segment: -1})
		}
	}
	out = append(out, s.whatObject(a)...)
	out = append(out, s.whatStack(a.Untagged())...)
	if m := s.ModuleAt(a); m != nil {
		out = append(out, Meaning{Kind: "module", Module: m, At: m.At, Segment: -1, Slot: stacks.Slot{Frame: -1, Setter: -1}})
	}
	for i := range out {
		out[i].Addr = a
	}
	return out
}

// whatObject looks for single objects. An LPC message is not known by the
// address.
func (s *Snapshot) whatObject(a kd.Addr) []Meaning {
	var out []Meaning
	add := func(kind string, thread kd.Addr, at kd.Ref) {
		out = append(out, Meaning{Kind: kind, Thread: thread, At: at, Segment: -1})
	}
	if i := s.IRP(a); i != nil {
		add("irp", i.Thread.Addr, i.At)
	}
	if m := s.objects.messages[a]; m != nil {
		kind := "alpc-message"
		if m.LPC {
			kind = "lpc-message"
		}
		add(kind, m.Client.Addr, m.At)
	}
	if p := s.Port(a); p != nil {
		add("port", 0, p.At)
		out[len(out)-1].Object = p.Kind
	}
	for _, q := range s.Objects.Queues {
		for _, w := range q.Workers {
			if w.Thread == a {
				add("worker", a, w.At)
				out[len(out)-1].Object = q.Name
			}
		}
		for _, i := range q.Pending {
			if i.Item.Addr == a && a != 0 {
				add("work-item", 0, i.At)
				out[len(out)-1].Object = i.Routine
			}
		}
	}
	for _, c := range s.objects.sections[a] {
		add("critical-section", 0, c.At)
	}
	if m := s.Mutex(a); m != nil {
		add("mutex", m.Owner.Addr, m.At)
	}
	return out
}

func (s *Snapshot) whatResource(a kd.Addr) []Meaning {
	var out []Meaning
	if r := s.byResource[a]; r != nil {
		out = append(out, Meaning{Kind: "resource", Resource: a, At: r.At, Segment: -1})
	}
	for _, r := range s.Resources {
		for i := range r.Resolved {
			if o := &r.Resolved[i]; o.Raw == a || o.Pointer && o.P() == a.Untagged() {
				out = append(out, Meaning{Kind: "owner", Resource: r.Addr, Thread: o.Thread, Owner: o, Live: o.Live, Slot: o.Slot, Segment: o.Segment, At: o.At})
			}
		}
	}
	if s.waiters[a] {
		out = append(out, s.whatWaiter(a)...)
	}
	return out
}

func (s *Snapshot) whatWaiter(a kd.Addr) []Meaning {
	var out []Meaning
	for _, r := range s.Resources {
		for _, list := range [][]locks.Waiter{r.SharedWaiters, r.ExclusiveWaiters} {
			for _, w := range list {
				if w.Thread == a {
					out = append(out, Meaning{Kind: "waiter", Resource: r.Addr, Thread: a, At: w.At, Segment: -1})
				}
			}
		}
	}
	return out
}

func (s *Snapshot) whatThread(a kd.Addr) []Meaning {
	var out []Meaning
	for t := range s.AllThreads() {
		if t.Addr != 0 && t.Addr == a.Untagged() {
			out = append([]Meaning{{Kind: "thread", Thread: t.Addr, At: t.At, Segment: -1}}, out...)
		}
		for _, w := range t.WaitObjects {
			if w.Addr == a {
				out = append(out, Meaning{Kind: "wait-object", Thread: t.Addr, Object: w.Kind, At: w.At, Segment: -1})
			}
		}
		for _, irp := range t.IRPs {
			if irp.Addr == a {
				out = append(out, Meaning{Kind: "irp", Thread: t.Addr, At: irp.At, Segment: -1})
			}
		}
	}
	return out
}

// whatStack finds the stacks that hold an address.
func (s *Snapshot) whatStack(a kd.Addr) []Meaning {
	var out []Meaning
	for _, sp := range append(s.stacks.find(a), s.restSpans(a)...) {
		o := Owner{Slot: stacks.Slot{Frame: -1, Setter: -1}}
		s.placeAt(&o, sp, a)
		out = append(out, Meaning{Kind: "stack", Thread: sp.thread.Addr, Live: o.Live, Slot: o.Slot, Segment: sp.segment, At: sp.thread.At})
	}
	return out
}
