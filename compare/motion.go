package compare

import (
	"fmt"

	"kdlocks/threads"
)

// Motion says what became of a thread between two captures.
type Motion string

// The motions of a thread.
const (
	// Still: it has not run.
	Still Motion = "still"
	// Rearmed: it waits for the same ERESOURCE and has run no oftener than
	// such a wait is begun anew.
	Rearmed Motion = "re-armed"
	// Moved: it has run.
	Moved Motion = "moved"
	// Replaced: another thread is at its address.
	Replaced Motion = "another thread"
	// NotKnown: what would tell was not printed.
	NotKnown Motion = "cannot tell"
)

// sameThread reports whether nothing speaks against two blocks at one address
// being of one thread. Where a thread was started is printed with or without
// symbols, so that its number decides first.
func sameThread(a, b *thread) bool {
	if a.cid.Known && b.cid.Known {
		return a.cid == b.cid
	}
	return a.process == 0 || b.process == 0 || a.process == b.process
}

// rearms bounds how often a thread that waits for an ERESOURCE begins its wait
// anew in a span. Captures show such waits of up to 3.4 s and none longer, so
// that once in half a second is generous; the constant is for APCs, and all
// that is granted where the span is not known (-1).
func rearms(spanMS int64) int64 {
	const few, pace = 8, 500
	return few + max(spanMS, 0)/pace
}

// motion says what a thread did between two captures, a before b, spanMS
// milliseconds apart; -1 if that is not known. Either may be nil.
func motion(a, b *thread, lockWait bool, spanMS int64) (Motion, string) {
	switch {
	case a == nil || b == nil || !a.header && a.switches < 0 || !b.header && b.switches < 0:
		return NotKnown, "its THREAD block is not in both captures"
	case !sameThread(a, b):
		return Replaced, "another thread is at its address: " + other(a, b)
	case a.conflict || b.conflict:
		return NotKnown, "it was printed twice in one capture, with contradictions"
	case a.switches >= 0 && b.switches >= 0:
		return bySwitches(a, b, lockWait, spanMS)
	case a.state == threads.StateUnknown || b.state == threads.StateUnknown:
		return NotKnown, "its state was not printed in both captures"
	case lockWait && sameWait(a, b) && (a.inWait || b.inWait):
		return NotKnown, beginsAnew + ", and no context switch count was printed"
	case a.state != b.state:
		return Moved, fmt.Sprintf("it was %s and is %s", a.state, b.state)
	case a.state != threads.Waiting:
		return NotKnown, "no context switch count was printed"
	case !sameWait(a, b):
		return Moved, "it waits for something else now"
	case a.waitStart >= 0 && a.waitStart == b.waitStart:
		return Still, fmt.Sprintf("its wait began at tick %d in both", a.waitStart)
	case a.waitStart >= 0 && b.waitStart >= 0 && !lockWait:
		return Moved, fmt.Sprintf("its wait began at tick %d, and anew at %d", a.waitStart, b.waitStart)
	}
	return NotKnown, "no context switch count was printed"
}

// other says by what two blocks are of two threads.
func other(a, b *thread) string {
	if a.cid.Known && b.cid.Known {
		return fmt.Sprintf("CID %s, then %s", a.cid, b.cid)
	}
	return "of another process"
}

func bySwitches(a, b *thread, lockWait bool, spanMS int64) (Motion, string) {
	ran := b.switches - a.switches
	times := fmt.Sprintf("%d more context switches", ran)
	if ran == 1 {
		times = "one more context switch"
	}
	switch {
	case fell(a, b):
		return NotKnown, fmt.Sprintf("its context switch count fell from %d to %d, but its CID is the same: a count is wrong, or another thread has its address and its number", a.switches, b.switches)
	case ran < 0:
		return Replaced, fmt.Sprintf("its context switch count fell from %d to %d: another thread is at its address", a.switches, b.switches)
	case ran == 0 && onProcessor(a) && onProcessor(b):
		return Moved, "it runs in both"
	case ran == 0 && lockWait && (a.inWait || b.inWait) && sameWait(a, b):
		return Rearmed, beginsAnew
	case ran == 0 && a.state != b.state && a.state != threads.StateUnknown && b.state != threads.StateUnknown:
		return Moved, fmt.Sprintf("it was %s and is %s", a.state, b.state)
	case ran == 0:
		return Still, fmt.Sprintf("%d context switches in both", a.switches)
	case lockWait && sameWait(a, b) && ran <= rearms(spanMS):
		return Rearmed, times + ", no more than its wait is begun anew"
	case lockWait && sameWait(a, b) && spanMS < 0:
		return NotKnown, times + ", in a time that is not known"
	}
	return Moved, times
}

// fell reports whether the context switch count of a thread is lower in the later
// block, and the CID is that of the same thread: a count that was printed or read
// wrong says no more than one that is missing.
func fell(a, b *thread) bool {
	return a.cid.Known && a.cid == b.cid && b.switches >= 0 && b.switches < a.switches
}

// beginsAnew is said of a thread that was caught between two waits for one lock.
const beginsAnew = "its wait is begun anew at that moment"

func onProcessor(t *thread) bool { return t.state == threads.Running || t.state == threads.Standby }

// sameWait reports whether two blocks of a thread may show one wait: nothing
// that was printed of it differs. A wait for an ERESOURCE is begun anew every few
// seconds; at that moment the thread is ready or runs, and only its stack tells.
func sameWait(a, b *thread) bool {
	if a.inWait || b.inWait {
		return waitsForLock(a) && waitsForLock(b)
	}
	if a.state != threads.Waiting || b.state != threads.Waiting || differ(a.reason, b.reason) || a.sp != 0 && b.sp != 0 && a.sp != b.sp {
		return false
	}
	return len(a.objects) == 0 || len(b.objects) == 0 || a.objects[0].addr == b.objects[0].addr
}

// waitsForLock reports whether a block may be of a thread that waits for an
// ERESOURCE.
func waitsForLock(t *thread) bool {
	return t.inWait || t.state == threads.Waiting && !differ(t.reason, "WrResource")
}

// asleep reports whether two blocks prove that a thread has not left its wait:
// it waits in both, has not run in between, and nothing printed of it says that
// it is another wait.
func asleep(a, b *thread) bool {
	if a == nil || b == nil || a.conflict || b.conflict || !sameThread(a, b) || a.inWait || b.inWait || !sameWait(a, b) {
		return false
	}
	if a.waitStart >= 0 && b.waitStart >= 0 && a.waitStart != b.waitStart || a.switches >= 0 && b.switches >= 0 && a.switches != b.switches {
		return false
	}
	return a.switches >= 0 && a.switches == b.switches || a.waitStart >= 0 && a.waitStart == b.waitStart
}
