package heuristics

import (
	"fmt"
	"slices"

	"kdlocks/kd"
	"kdlocks/threads"
	"kdlocks/waitgraph"
)

var teardownWaitsIO = &Check{
	ID:       "teardown-waits-io",
	Title:    "A thread cannot end before its I/O is cancelled or completed",
	Severity: Medium,
	Means: `The thread has been told to end, or its I/O was cancelled, and it waits until its IRPs are completed. A driver holds one and cannot cancel it. Until then the thread, and its process, stay: what they own is not given back, and whoever waits for the process waits, too.
Seen must be: the routine that ends threads (PspExitThread, PspTerminateThreadByPointer) with IoCancelThreadIo above it, or IopCancelAlertedRequest, or IopCleanupProcessResources where it closes a file; and for the IRPs the thread's IRP list.`,
	WhenWrong:  `The driver is about to complete the IRP. For a thread that ends, Windows gives up after five minutes and lets the thread go, with an event in the log. The wait is a short sleep that is begun anew: its age says nothing.`,
	Disproof:   "A second capture shows the thread gone, or other IRPs in its list.",
	Remedy:     "See with !irp which driver holds the IRP and since when. For its developer: IRPs that may stay for long need a cancel routine.",
	Next:       "!irp <IRP>",
	References: []string{"Microsoft Learn: Canceling IRPs", "Microsoft Learn: !irp", "Microsoft Learn: Bug Check 0x1F5 APPLICATION_HANG_KERNEL_LIVEDUMP", "Windows Internals: Debugging an Unkillable Process"},
}

var (
	// cancelRoutines wait for IRPs that were cancelled.
	cancelRoutines = []string{"CancelThreadIo", "IopCancelAlertedRequest"}
	// closeRoutines ask again and again whether the I/O has ended on a file that a
	// process closes as it ends (testdata/cases/teardown-closes-file.txtar).
	closeRoutines = []string{"IopCleanupProcessResources"}
	// endRoutines end the thread that they run in.
	endRoutines = []string{"PspExitThread", "PspTerminateThreadByPointer", "PspTerminateProcess"}
)

func init() {
	register(teardownWaitsIO, func(d *diagnosis) []Finding {
		var out []Finding
		again := d.printedAgain()
		d.eachThread(func(b *threads.Brief) bool { return b.State == threads.Waiting && b.Has(threads.Special) }, func(t *threads.Thread) bool {
			if f := d.teardownFinding(t); f != nil && !again(t) {
				out = append(out, *f)
			}
			return len(out) <= MostFindings
		})
		return out
	})
}

// waitsToEnd finds the routine that waits for I/O of a thread that ends, and the
// one that ends it, -1 if that is not on the stack.
func waitsToEnd(t *threads.Thread) (at, end int, ok bool) {
	at, end = t.FindFrame(slices.Concat(closeRoutines, cancelRoutines)...), t.FindFrame(endRoutines...)
	alerted := t.FindFrame("IopCancelAlertedRequest") >= 0
	if at < 0 || !couldWait(t) || end < at && !alerted {
		return at, end, false
	}
	driver := nearest(t, 0)
	return at, end, driver < 0 || driver >= at
}

// teardownFinding returns nil for a thread that does not wait for cancelled
// IRPs.
func (d *diagnosis) teardownFinding(t *threads.Thread) *Finding {
	at, end, ok := waitsToEnd(t)
	if !ok {
		return nil
	}
	f := teardownWaitsIO.finding(BlockedChain)
	f.Confidence, f.Grade = Possible, waitgraph.C
	if t.Addr != 0 {
		f.Threads = []kd.Addr{t.Addr}
		f.Bystanders, f.Blocked = d.behind(t.Addr)
		f.seen(t.At, t.Addr, "the thread that should end")
	}
	d.seenFrame(&f, t, at, "what it waits in before it can end")
	d.seenFrame(&f, t, end, "it ends")
	what := "is to end and"
	if end < 0 {
		what = "had its I/O cancelled and"
	}
	f.Summary = fmt.Sprintf("%s %s waits in %s for its IRPs; they are not in the input.", capital(d.whose(t)), what, t.Stack.Frames[at].Name())
	if n := len(t.IRPs); n > 0 {
		f.Severity, f.Confidence = High, Likely
		f.Summary = fmt.Sprintf("%s %s waits in %s for %s that no driver has completed.", capital(d.whose(t)), what, t.Stack.Frames[at].Name(), kd.Plural(n, "IRP"))
	}
	f.Explanation = fmt.Sprintf("It stands in %s.", frame(t, at))
	if named(t, at, closeRoutines) {
		f.Summary = fmt.Sprintf("%s ends and closes its files, and waits in %s until the I/O on one of them has ended.", capital(d.whose(t)), t.Stack.Frames[at].Name())
		f.Explanation += " It sleeps and asks again: a small age of its wait says nothing."
	}
	for _, irp := range t.IRPs[:min(len(t.IRPs), 8)] {
		f.seen(irp.At, irp.Addr, "an IRP of the thread")
		f.Next = append(f.Next, "!irp "+d.addr(irp.Addr))
	}
	if s := d.stopCode(); s != nil && s.code == 0x1f5 {
		f.Confidence = VeryLikely
		f.seen(d.snap.Target.Bugcheck.At, kd.Addr(s.code), "the stop code")
		f.Explanation += " The dump was taken because of it: " + d.stopName() + ". " + s.says
	}
	if len(f.Next) == 0 && t.Addr != 0 {
		f.Next = []string{"!thread " + d.addr(t.Addr) + " 1f"}
	}
	if len(f.Next) == 0 {
		f.Next = []string{"!irpfind"}
	}
	return &f
}
