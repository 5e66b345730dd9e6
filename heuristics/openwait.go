package heuristics

import (
	"fmt"
	"slices"
	"strings"

	"kdlocks/kd"
	"kdlocks/locks"
	"kdlocks/snapshot"
	"kdlocks/threads"
	"kdlocks/waitgraph"
)

// openLock is a lock that a thread is listed as waiting for, though the input
// shows nobody who holds it up there.
type openLock struct {
	resource *snapshot.Resource
	text     string // "it is listed as waiting ..."
	next     string
	writer   *locks.Waiter // listed before it, but elsewhere by its own block; nil if none
}

// openLock returns the lock that a thread waits for behind nobody, nil if there
// is none.
func (d *diagnosis) openLock(thread kd.Addr) *openLock {
	n := d.graph.Find(thread)
	if n < 0 {
		return nil
	}
	for _, i := range d.graph.Open(n) {
		gate := d.graph.Nodes[i]
		r := gate.Resource
		if r == nil {
			continue
		}
		o := openLock{resource: r, next: "!locks -v " + d.addr(r.Addr)}
		writer := d.writerElsewhere(r)
		switch {
		case gate.Kind != waitgraph.Shared || r.Mode != locks.Shared:
			o.text = fmt.Sprintf("it is listed as waiting for %s, whose owner the input does not show", d.lock(r.Addr))
		case writer != nil:
			o.writer, o.next = writer, "!thread "+d.addr(writer.Thread)
			o.text = fmt.Sprintf("it is listed as waiting shared for %s, for which %s is listed as the exclusive waiter, but is itself printed as %s", d.lock(r.Addr), d.thread(writer.Thread), d.graph.Elsewhere(writer.Thread))
		default:
			o.text = fmt.Sprintf("it is listed as waiting shared for %s, which is owned shared and has no exclusive waiter", d.lock(r.Addr))
		}
		return &o
	}
	return nil
}

// seenOpen adds what such a wait rests on to the evidence.
func (d *diagnosis) seenOpen(f *Finding, o *openLock) {
	f.seenLock(o.resource)
	if o.writer != nil {
		f.seen(o.writer.At, o.writer.Thread, "it is listed as the exclusive waiter")
		t := d.snap.Thread(o.writer.Thread)
		f.seen(t.At, t.Addr, "its own output says otherwise")
	}
}

// writerElsewhere returns the first exclusive waiter of a list whose own block
// says that it does something else, nil if there is none.
func (d *diagnosis) writerElsewhere(r *snapshot.Resource) *locks.Waiter {
	for i := range r.ExclusiveWaiters {
		if w := &r.ExclusiveWaiters[i]; !w.Marker() && d.graph.Elsewhere(w.Thread) != "" {
			return w
		}
	}
	return nil
}

// gapsOfElsewhere asks for exclusive waiters whose own blocks contradict the list
// where a deadlock hangs on it: threads that ask for shared access can be held up
// by them only, or they own the lock themselves.
func (d *diagnosis) gapsOfElsewhere(r *snapshot.Resource) {
	if r.Mode != locks.Shared || r.Reading == locks.Irreconcilable {
		return
	}
	behind := !d.hasWriter(r) && slices.ContainsFunc(r.SharedWaiters, func(w locks.Waiter) bool {
		return !w.Marker() && d.graph.Elsewhere(w.Thread) == "" && !owns(r, w.Thread)
	})
	for _, w := range r.ExclusiveWaiters {
		if w.Marker() {
			continue
		}
		if does := d.graph.Elsewhere(w.Thread); does != "" && (behind || owns(r, w.Thread)) {
			what := fmt.Sprintf("whether %s waits exclusively for %s as listed (by its own output, line %d: %s)", d.thread(w.Thread), d.lock(r.Addr), d.snap.Thread(w.Thread).At.Line, does)
			d.gap(kd.Gap{What: what, Why: kd.Ambiguous, Next: "!thread " + d.addr(w.Thread), Decides: true})
			behind = false // one is enough to hold them up
		}
	}
}

// hasWriter reports whether a thread waits exclusively by what the graph draws,
// or is announced as waiting so.
func (d *diagnosis) hasWriter(r *snapshot.Resource) bool {
	_, announced := r.Unlisted()
	return announced > 0 || slices.ContainsFunc(r.ExclusiveWaiters, func(w locks.Waiter) bool {
		return !w.Marker() && d.graph.Elsewhere(w.Thread) == ""
	})
}

// owns reports whether a thread that lives, as far as is known, owns a resource.
func owns(r *snapshot.Resource, thread kd.Addr) bool {
	return slices.ContainsFunc(r.Resolved, func(o snapshot.Owner) bool { return o.Thread == thread && o.Live != threads.No })
}

// tellProcess tells of the process that a root waits for: what its threads do.
func (d *diagnosis) tellProcess(f *Finding, t *threads.Thread) {
	p, at := awaitedProcess(t)
	if p == 0 {
		return
	}
	f.seen(at, p, "the process whose end it waits for")
	next := append([]string{fmt.Sprintf("!process %s 17", d.addr(p))}, d.nextForThreads(d.awaitedBy(t).others)...)
	f.Next = append(next, slices.DeleteFunc(f.Next, func(n string) bool { return slices.Contains(next, n) })...)
	f.Remedy = "Look at the threads of the process that must end: what keeps them. A process that nobody has told to end lives on, and whoever waits for it in the kernel waits with it."
	all := d.threadsOf(p)
	if len(all) == 0 {
		f.Explanation += fmt.Sprintf(" None of the threads of process %s is in the input.", d.addr(p))
		return
	}
	const most = 3
	var told []string
	for _, m := range all[:min(len(all), most)] {
		told = append(told, d.thread(m.Addr)+": "+d.understood(m.Addr))
		f.seen(m.At, m.Addr, "a thread of the process that must end")
	}
	if n := len(all) - most; n > 0 {
		told = append(told, fmt.Sprintf("and %d more", n))
	}
	f.Summary = strings.TrimSuffix(f.Summary, ".") + fmt.Sprintf("; the input shows %s of it: %s.", kd.Plural(len(all), "thread"), strings.Join(told, "; "))
	f.Explanation += " A process ends when the last of its threads has ended; a wait in user mode ends when the process is told to."
}

// awaitedProcess returns the first process for whose end a thread waits, and
// where that stands; 0 if it waits for none.
func awaitedProcess(t *threads.Thread) (kd.Addr, kd.Ref) {
	if t == nil || t.State != threads.Waiting {
		return 0, kd.Ref{}
	}
	for _, o := range t.WaitObjects {
		if o.Kind == "ProcessObject" && o.Addr != t.Process.Addr {
			return o.Addr, o.At
		}
	}
	return 0, kd.Ref{}
}

// threadsOf returns the threads of a process that the input shows and that have
// not ended, those first that do not wait in user mode, then in the order of the
// input. Of skimmed ones it reads one of each process to know it by.
func (d *diagnosis) threadsOf(process kd.Addr) []*threads.Thread {
	var out []*threads.Thread
	see := func(t *threads.Thread) bool {
		mine := t != nil && t.Process.Addr == process
		if mine && t.Addr != 0 && t.State != threads.Terminated {
			out = append(out, t)
		}
		return mine
	}
	for _, t := range d.snap.Threads {
		see(t)
	}
	known := make(map[[2]int32]bool) // input and process: whether it is the one
	rest := d.snap.Skimmed()
	for i := range rest {
		b := &rest[i]
		from := [2]int32{int32(b.Input), b.Process}
		if mine, seen := known[from]; b.Process < 0 || seen && !mine || len(out) >= mostOfProcess {
			continue
		}
		known[from] = see(d.snap.Thread(b.Addr))
	}
	kd.SortStable(out, func(a, b *threads.Thread) int {
		x, y := a.WaitMode == "UserMode", b.WaitMode == "UserMode"
		switch {
		case x != y && x:
			return 1
		case x != y:
			return -1
		case a.At.Before(b.At):
			return -1
		case b.At.Before(a.At):
			return 1
		}
		return 0
	})
	return out
}

// mostOfProcess bounds the threads of one process that are read whole.
const mostOfProcess = 4096
