package heuristics

import (
	"fmt"
	"slices"
	"strings"

	"kdlocks/kd"
	"kdlocks/locks"
	"kdlocks/snapshot"
	"kdlocks/stacks"
	"kdlocks/threads"
	"kdlocks/waitgraph"
)

var selfDeadlockOwnerPointer = &Check{
	ID:       "self-deadlock-owner-pointer",
	Title:    "Thread has deadlocked on itself through an owner pointer",
	Severity: Critical,
	Means: `A driver called ExSetResourceOwnerPointer, so the owner of the ERESOURCE is not a thread but an address. That address lies on the kernel stack of a thread in a frame that has not returned, and the same thread waits for the resource. The kernel compares thread addresses to let an owner in again; the owner pointer is no thread address, so the thread waits for itself.
Seen must be: the owner entry, the one stack that holds it above its stack pointer, and the thread in the resource's waiter list. Exclusive owner: any wait of that thread is fatal. Shared owner: a wait for exclusive access is, and one for shared access if an exclusive waiter is queued before it.`,
	WhenWrong: `The pointer lies below the stack pointer: the frame is gone, the owner was leaked. The thread waits for another resource. The stack was reused since, or two sessions are mixed in the input. The cookie was handed to another thread that will release.`,
	Disproof:  "The thread is not in the waiter list of this resource, or the owner pointer is not on its stack above its stack pointer, or a second capture shows other owners or waiters.",
	Remedy:    "Update or remove the driver that set the owner pointer. Only a restart frees the thread. For its developer: after ExSetResourceOwnerPointer the thread must not ask for the resource again before ExReleaseResourceForThread; mind being re-entered on the same thread.",
	Next:      "!thread <owner value> e",
	References: []string{
		"Microsoft Learn: ExSetResourceOwnerPointer routine",
		"Microsoft Learn: Introduction to ERESOURCE Routines",
		"ntdebugging blog: How To Deadlock Yourself (Don't Do This)",
	}}

func init() {
	register(selfDeadlockOwnerPointer, func(d *diagnosis) []Finding {
		return append(d.ownerPointerKnots(), d.suspectedOwnerPointers()...)
	})
}

func (d *diagnosis) ownerPointerKnots() []Finding {
	var out []Finding
	for _, k := range d.knots {
		if len(out) > MostFindings {
			break
		}
		p, o := d.shape(k)
		if p != ownerPointerSelf {
			continue
		}
		f := d.knotFinding(selfDeadlockOwnerPointer, k)
		d.narrowToOwner(&f, o)
		t := d.snap.Thread(o.Thread)
		r := d.entry[o]
		d.seenOwner(&f, o)
		again := reentered(t)
		if again != nil {
			d.seenFrame(&f, t, again.inner, "the inner call into "+again.module)
			d.seenFrame(&f, t, again.outer, "the outer call into "+again.module)
		}
		f.Suspect = d.ownerPointerSuspect(t, o)
		f.Summary = d.ownerPointerSummary(r, o, f)
		f.Explanation = d.ownerPointerStory(r, o, again)
		f.Next = d.ownerPointerNext(t, o, f)
		out = append(out, f)
	}
	return out
}

// narrowToOwner makes the finding about the one thread; an exclusive waiter
// that stands between its shared request and itself is a bystander.
func (d *diagnosis) narrowToOwner(f *Finding, o *snapshot.Owner) {
	for _, t := range f.Threads {
		if t != o.Thread {
			f.Bystanders = append(f.Bystanders, t)
			f.Blocked++
		}
	}
	f.Threads = append(f.Threads[:0], o.Thread)
}

// ownerPointerSuspect blames the module whose function the owner pointer
// belongs to; if that is part of Windows, the nearest one outside it, if any.
func (d *diagnosis) ownerPointerSuspect(t *threads.Thread, o *snapshot.Owner) *Suspect {
	if t == nil || o.Slot.Setter < 0 {
		return d.suspectOf([]kd.Addr{o.Thread})
	}
	setter := t.Stack.Frames[o.Slot.Setter]
	what := "the owner pointer lies among the locals of"
	if o.Slot.Param > 0 {
		what = fmt.Sprintf("the owner pointer is the home slot of the %s parameter of", ordinal(o.Slot.Param))
		if t.Stack.X86 {
			what = fmt.Sprintf("the owner pointer is the place of the %s parameter of", ordinal(o.Slot.Param))
		}
	}
	if !stacks.OfWindows(setter.Module) {
		return &Suspect{Module: setter.Module, Reason: fmt.Sprintf("%s %s, so %s set it", what, frame(t, o.Slot.Setter), setter.Module), set: true}
	}
	return d.suspectOf([]kd.Addr{o.Thread})
}

func (d *diagnosis) ownerPointerSummary(r *snapshot.Resource, o *snapshot.Owner, f Finding) string {
	how := "owns " + access(r.Mode == locks.Shared)
	if r.Mode == locks.Exclusive {
		how = "owns exclusively"
	}
	how += " through an owner pointer on its own stack"
	if !o.Pointer {
		how = strings.Replace(how, "an owner pointer on its own stack", "its own address with the low bits set", 1)
	}
	if f.Suspect != nil && f.Suspect.set {
		how += ", set by " + f.Suspect.Module
	}
	s := fmt.Sprintf("%s deadlocked on itself: it waits for %s, which it %s.", d.has(f), d.lock(r.Addr), how)
	if f.Blocked > 0 {
		s += fmt.Sprintf(" %s behind it.", waits(f.Blocked, "other thread"))
	}
	return s
}

// has begins a sentence about the first thread of a finding with how sure it
// is.
func (d *diagnosis) has(f Finding) string {
	who := d.thread(f.Threads[0])
	switch f.Confidence {
	case Certain:
		return capital(who) + " has"
	case VeryLikely:
		return capital(who) + " has very likely"
	}
	return "Suspected, not proven: " + who + " has"
}

// waits says "1 thread waits" or "n threads wait".
func waits(n int, noun string) string {
	if n == 1 {
		return "1 " + noun + " waits"
	}
	return kd.Plural(n, noun) + " wait"
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

func (d *diagnosis) ownerPointerStory(r *snapshot.Resource, o *snapshot.Owner, again *reentry) string {
	t := d.snap.Thread(o.Thread)
	var b strings.Builder
	fmt.Fprintf(&b, "The owner %s of %s is no thread's own address. %s", d.addr(o.Raw), d.lock(r.Addr), d.whereIsPointer(o))
	if t != nil && o.Pointer {
		fmt.Fprintf(&b, " %s", slot(t, o))
	}
	b.WriteString(" " + d.whatItWants(r, o))
	b.WriteString(" The kernel lets an owner in again only if it finds the thread's own address as the owner; ExSetResourceOwnerPointer replaced it, so the thread waits for itself.")
	if again != nil {
		fmt.Fprintf(&b, " %s", again.text(t))
	}
	return b.String()
}

// whereIsPointer says by what the pointer was resolved.
func (d *diagnosis) whereIsPointer(o *snapshot.Owner) string {
	t := d.snap.Thread(o.Thread)
	s := fmt.Sprintf("Without its low bits it is %s", d.addr(o.P()))
	if !o.Pointer {
		return s + ", that of the thread itself: a driver handed it over with ExSetResourceOwnerPointerEx."
	}
	switch {
	case o.Said.Known():
		s += fmt.Sprintf(", which the debugger itself found on the stack of %s", d.thread(o.Thread))
	case t != nil:
		s += fmt.Sprintf(", an address on the stack of %s", d.thread(o.Thread))
	}
	if t == nil || o.Segment < 0 || o.Segment >= len(t.Stack.Segments) {
		return s + "; the range of that stack was not printed."
	}
	g := t.Stack.Segments[o.Segment]
	name := "its current segment"
	if o.Segment > 0 {
		name = "an earlier segment, before the stack was expanded,"
	}
	bounds := "printed"
	if g.Inferred {
		bounds = "inferred from the frames"
	}
	s += fmt.Sprintf(" (%s %s..%s, %s)", name, d.addr(g.Limit), d.addr(g.Base), bounds)
	if o.Live == threads.Yes {
		s += fmt.Sprintf(", above the stack pointer %s: the frame that holds it has not returned", d.addr(g.SP))
	}
	return s + "."
}

func (d *diagnosis) whatItWants(r *snapshot.Resource, o *snapshot.Owner) string {
	is := func(w locks.Waiter) bool { return w.Thread == o.Thread }
	listed := slices.ContainsFunc(r.ExclusiveWaiters, is)
	shared := slices.ContainsFunc(r.SharedWaiters, is) || !listed && d.asksShared(r, o.Thread)
	s := fmt.Sprintf("The same thread waits for %s access to the resource", access(shared))
	if routine, caller := acquire(d.snap.Thread(o.Thread)); routine >= 0 {
		t := d.snap.Thread(o.Thread)
		s += " in " + frame(t, routine)
		if caller >= 0 {
			s += ", called by " + frame(t, caller)
		}
	}
	if r.Mode == locks.Shared && shared {
		s += "; an exclusive waiter is queued before it and waits for this very owner"
	}
	if !listed && !slices.ContainsFunc(r.SharedWaiters, is) {
		how := "read from its stack"
		if d.snap.ResourceFields(r.Addr) != nil {
			how = "by what dt shows, or read from its stack"
		}
		s += fmt.Sprintf(" (%s, the waiter list does not name it)", how)
	}
	return s + "."
}

// asksShared reports whether the graph shows a thread waiting for shared access.
func (d *diagnosis) asksShared(r *snapshot.Resource, thread kd.Addr) bool {
	n := d.graph.Find(thread)
	return n >= 0 && slices.ContainsFunc(d.graph.Out[n], func(e int) bool {
		gate := d.graph.Nodes[d.graph.Edges[e].To]
		return gate.Resource == r && gate.Kind == waitgraph.Shared
	})
}

func (d *diagnosis) ownerPointerNext(t *threads.Thread, o *snapshot.Owner, f Finding) []string {
	var out []string
	if t == nil || len(t.Stack.Frames) == 0 || o.Pointer && (o.Weak() || o.Live != threads.Yes) {
		out = append(out, fmt.Sprintf("!thread %s e", d.addr(o.Raw)))
	}
	if f.Suspect != nil {
		out = append(out, "lmvm "+f.Suspect.Module)
	}
	return out
}
