package report

import (
	"kdlocks/stacks"
	"kdlocks/threads"
)

func (b *builder) thread(t *threads.Thread) Thread {
	out := Thread{
		Address: hex(t.Addr), Session: b.session, CID: t.CID.String(), Process: process(t.Process), Attached: process(t.Attached),
		State: t.State.String(), WaitReason: t.WaitReason, WaitMode: t.WaitMode, Alertable: tri(t.Alertable),
		SuspendCount: t.Suspended, FreezeCount: t.Frozen,
		WaitStartTick: known(t.WaitStart), WaitTicks: known(t.Ticks), WaitMS: known(t.WaitMS),
		ContextSwitches: known(t.ContextSwitches), Priority: known(t.Priority), BasePriority: known(t.BasePriority),
		Processor: known(t.Processor), StartAddress: t.StartAddress, StartsIn: t.StartsIn, NotResident: t.NotResident, LargeStack: t.LargeStack,
		Stack: stack(&t.Stack), Frames: frames(t.Stack.Frames), At: b.at(t.At, 0),
	}
	for _, w := range t.WaitObjects {
		out.WaitObjects = append(out.WaitObjects, WaitObject{Address: w.Addr.String(), Kind: w.Kind, Detail: w.Detail, Owner: hex(w.Owner), Limit: known(w.Limit)})
	}
	for _, irp := range t.IRPs {
		out.IRPs = append(out.IRPs, irp.Addr.String())
	}
	if t.Reply != nil {
		out.Reply = reply(t.Reply)
	}
	return out
}

func reply(r *threads.Reply) *Reply {
	kind := "lpc"
	if r.ALPC {
		kind = "alpc"
	}
	return &Reply{Kind: kind, Message: hex(r.Message), Port: hex(r.Port), Server: hex(r.Server)}
}

func process(p threads.Process) *Process {
	if p.Addr == 0 && p.Image == "" {
		return nil
	}
	return &Process{Address: hex(p.Addr), Image: p.Image}
}

func stack(s *stacks.Stack) *Stack {
	if s.Init == 0 && s.Limit == 0 && len(s.Segments) == 0 {
		return nil
	}
	out := &Stack{Init: hex(s.Init), Current: hex(s.Current), Base: hex(s.Base), Limit: hex(s.Limit)}
	for _, g := range s.Segments {
		out.Segments = append(out.Segments, Segment{
			Base: g.Base.String(), Limit: g.Limit.String(), SP: hex(g.SP), Inferred: g.Inferred,
			FirstFrame: known(g.First), LastFrame: known(g.Last),
		})
	}
	return out
}

func frames(fs []stacks.Frame) []Frame {
	out := make([]Frame, len(fs))
	for i, f := range fs {
		out[i] = Frame{
			Index: i, Module: f.Module, Function: f.Function,
			Offset: known(f.Offset), Source: f.Source, Trap: hex(f.Trap), Inline: f.Inline, Derived: f.Derived,
		}
		if f.Function == "" {
			out[i].Symbol = f.Symbol
		}
		if !f.Inline && !f.Bare { // a zero is then a known one
			out[i].ChildSP = f.ChildSP.String()
		}
		if f.RetAddr != 0 || !f.Inline && !f.Bare && !f.Cut {
			out[i].RetAddr = f.RetAddr.String()
		}
	}
	return out
}
