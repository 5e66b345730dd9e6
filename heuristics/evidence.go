package heuristics

import (
	"kdlocks/kd"
	"kdlocks/snapshot"
	"kdlocks/threads"
	"kdlocks/waitgraph"
)

// mostEvidence bounds the evidence of one finding: a cycle of a hundred
// thousand threads is not made clearer by more.
const mostEvidence = 600

// seen adds a place to the evidence of a finding, once.
func (f *Finding) seen(at kd.Ref, a kd.Addr, why string) {
	if !at.Known() || len(f.Evidence) >= mostEvidence {
		return
	}
	for _, e := range f.Evidence {
		if e.At == at {
			return
		}
	}
	f.Evidence = append(f.Evidence, Evidence{At: at, Addr: a, Why: why})
}

// seenLock adds a resource's head line.
func (f *Finding) seenLock(r *snapshot.Resource) {
	f.seen(r.At, r.Addr, "the resource is "+holding(r))
}

func holding(r *snapshot.Resource) string {
	switch r.Mode.String() {
	case "exclusive":
		return "owned exclusively"
	case "shared":
		return "owned shared"
	}
	return "in unknown hands"
}

// seenOwner adds an owner entry and, for an owner pointer, what resolves it.
func (d *diagnosis) seenOwner(f *Finding, o *snapshot.Owner) {
	if !o.Pointer {
		f.seen(o.At, o.Raw, "the owner entry")
		return
	}
	what := "the owner entry: no thread that the input shows"
	if o.Raw.Tagged() {
		what = "the owner entry: no thread, but an owner pointer"
	}
	f.seen(o.At, o.Raw, what)
	if o.Said.Known() {
		f.seen(o.Said, d.saidValue(o), "the debugger itself takes the value for one on a stack")
	}
	t := d.snap.Thread(o.Thread)
	if t == nil {
		return
	}
	f.seen(t.At, t.Addr, "the thread whose stack holds it")
	if g := o.Segment; g > 0 && g < len(t.Stack.Segments) && t.Stack.Segments[g].At.Known() {
		f.seen(t.Stack.Segments[g].At, t.Stack.Segments[g].Base, "the range of an earlier segment of that stack")
	} else {
		f.seen(t.Stack.RangeAt, t.Stack.Base, "the range of that stack")
	}
	if !t.Stack.RangeAt.Known() {
		f.seen(t.Stack.InitAt, t.Stack.Init, "the beginning and the end of that stack")
	}
	d.seenFrame(f, t, o.Slot.Frame, "the frame that holds the owner pointer")
	if o.Slot.Setter != o.Slot.Frame {
		d.seenFrame(f, t, o.Slot.Setter, "the function whose parameter it is")
	}
}

// saidValue is the value as it stands in the debugger's sentence.
func (d *diagnosis) saidValue(o *snapshot.Owner) kd.Addr {
	if p, ok := d.snap.Said(o.P()); ok {
		return p.Value
	}
	return o.Raw
}

func (d *diagnosis) seenFrame(f *Finding, t *threads.Thread, i int, why string) {
	if t == nil || i < 0 || i >= len(t.Stack.Frames) {
		return
	}
	switch fr := t.Stack.Frames[i]; {
	case fr.Inline:
	case fr.Bare:
		f.seen(fr.At, 0, why)
	default:
		f.seen(fr.At, fr.ChildSP, why)
	}
}

// waitWords say what the place tells from which a wait is known.
func waitWords(w waitgraph.What) string {
	switch w {
	case waitgraph.IRP:
		return "an IRP that it has issued"
	case waitgraph.ALPCMessage, waitgraph.LPCMessage:
		return "the message for whose reply it waits"
	case waitgraph.ThreadObject, waitgraph.ProcessObject:
		return "the " + string(w) + " for whose end it waits"
	}
	return "it waits for the lock"
}

// seenWait adds the edge by which a thread waits and the frames of its
// acquire.
func (d *diagnosis) seenWait(f *Finding, e waitgraph.Edge) {
	n := d.graph.Nodes[e.From]
	t := d.snap.Thread(n.Addr)
	if !d.seenFields(f, e, t) {
		f.seen(e.At, e.About, waitWords(d.graph.Nodes[e.To].What))
	}
	if t == nil {
		return
	}
	what := "state of the waiting thread"
	if !t.Header {
		what = "the stack behind it is that of the waiting thread"
	}
	f.seen(t.At, t.Addr, what)
	routine, caller := acquire(t)
	d.seenFrame(f, t, routine, "the routine that asks for the lock")
	d.seenFrame(f, t, caller, "its caller")
}

// seenFields adds what dt shows of the resource of an edge by which a thread
// waits, if the edge rests on that.
func (d *diagnosis) seenFields(f *Finding, e waitgraph.Edge, t *threads.Thread) bool {
	r := d.snap.ResourceFields(d.graph.Nodes[e.To].Addr)
	if r == nil || t == nil || e.At != r.Shared.At && e.At != r.Exclusive.At {
		return false
	}
	f.seen(r.At, r.Addr, "the resource that dt was asked for")
	for _, o := range t.WaitObjects {
		if o.Addr == e.About {
			f.seen(e.At, e.About, "what its waiters wait for")
			f.seen(o.At, o.Addr, "the thread waits for it")
			return true
		}
	}
	f.seen(e.At, e.About, "its first waiter: the address lies on the stack of the thread")
	f.seen(t.Stack.RangeAt, t.Stack.Base, "the range of that stack")
	return true
}
