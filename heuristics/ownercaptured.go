package heuristics

import (
	"fmt"
	"strings"

	"kdlocks/kd"
	"kdlocks/snapshot"
	"kdlocks/threads"
	"kdlocks/waitgraph"
)

var ownerCaptured = &Check{
	ID:       "owner-captured-running",
	Title:    "Owner of a lock runs because of the capture itself",
	Severity: Info,
	Means: `The thread that stopped the machine, the one that the debugger broke in on, those that a live dump holds fast, and the debugger that looks at its own machine are always RUNNING. That an owner runs then says nothing of the lock: neither that it moves nor that it is stuck.
Seen must be: the state RUNNING, and nt!KeBugCheckEx, a breakpoint of the debugger or the routine of a live dump on the stack; or the image of a debugger where the prompt is lkd>.`,
	WhenWrong:  `The thread held the lock for long before: what is behind the capture's own frames on its stack tells. A debugger can hang on a lock of the machine that it looks at.`,
	Disproof:   "A capture that was taken otherwise shows the same owner.",
	Remedy:     "Look at the frames behind those of the capture, or at other owners.",
	Next:       "!thread <owner> 1f",
	References: []string{"Microsoft Learn: Local kernel-mode debugging", "Windows Internals, 6th edition, part 1, chapter 3: !locks of a local kernel debugger"},
}

// debuggers are programs that debug the machine that they run on.
var debuggers = map[string]bool{
	"windbg.exe": true, "kd.exe": true, "ntkd.exe": true, "livekd.exe": true, "livekd64.exe": true,
	"dbgx.shell.exe": true, "enghost.exe": true,
}

// captureRoutines are routines in which a thread stands because of a capture.
var captureRoutines = []struct {
	words []string
	why   string
}{
	{[]string{"KeBugCheck"}, "it is the thread that stopped the machine"},
	{[]string{"DbgBreakPoint", "BreakWithStatusInstruction"}, "the debugger broke in on it"},
	{[]string{"IopLiveDump"}, "a live dump holds its processor"},
}

// runsForCapture says why a thread would be running whatever the lock does, and
// the frame that shows it, "" if nothing does.
func (d *diagnosis) runsForCapture(t *threads.Thread) (string, int) {
	if t == nil || t.State != threads.Running {
		return "", -1
	}
	if d.snap.Target.LiveAt.Known() && debuggers[strings.ToLower(t.Process.Image)] {
		return "it is the debugger itself, which looks at the machine that it runs on", -1
	}
	if spins(t) {
		return "", -1
	}
	for _, c := range captureRoutines {
		if i := t.FindFrame(c.words...); i >= 0 {
			return c.why + " (" + t.Stack.Frames[i].Name() + ")", i
		}
	}
	return "", -1
}

func init() {
	register(ownerCaptured, func(d *diagnosis) []Finding {
		seen := make(map[kd.Addr]bool)
		return d.eachOwner(func(r *snapshot.Resource, o *snapshot.Owner) *Finding {
			if o.Live == threads.No || o.Thread == 0 || seen[o.Thread] {
				return nil
			}
			if b := d.snap.Brief(o.Thread); b != nil && b.State != threads.Running {
				return nil
			}
			t := d.snap.Thread(o.Thread)
			why, at := d.runsForCapture(t)
			if why == "" {
				return nil
			}
			seen[o.Thread] = true
			return d.capturedFinding(t, why, at)
		})
	})
}

// capturedFinding is about all locks of one owner.
func (d *diagnosis) capturedFinding(t *threads.Thread, why string, at int) *Finding {
	const most = 8
	f := ownerCaptured.finding(NoDeadlock)
	f.Confidence, f.Threads = Likely, []kd.Addr{t.Addr}
	f.Bystanders, f.Blocked = d.behind(t.Addr)
	for _, r := range d.snap.Resources {
		for i := range r.Resolved {
			if o := &r.Resolved[i]; o.Thread == t.Addr && len(f.Resources) < most {
				f.Grade = max(f.Grade, ownerGradeOf(r, o))
				f.Resources = append(f.Resources, r.Addr)
				f.seenLock(r)
				d.seenOwner(&f, o)
				break
			}
		}
	}
	f.seen(t.At, t.Addr, "state of the owner")
	d.seenFrame(&f, t, at, "it runs because of the capture")
	if at >= 0 {
		f.Grade = max(f.Grade, waitgraph.C)
	}
	if d.stop != nil && d.stop.thread == t {
		f.Suspect = suspectOnProcessor(t)
		why += ", with stop code " + d.stop.String()
	}
	f.Next = []string{"!thread " + d.addr(t.Addr) + " 1f"}
	lock := d.lock(f.Resources[0])
	if n := len(f.Resources) - 1; n > 0 {
		lock += fmt.Sprintf(" (and %s)", kd.Plural(n, "more lock"))
	}
	if f.Blocked > 0 {
		f.Kind, f.Severity = BlockedChain, Medium
		f.Summary = fmt.Sprintf("%s behind %s, which owns %s and runs because of the capture: %s.", capital(waits(f.Blocked, "thread")), d.thread(t.Addr), lock, why)
		f.Explanation = "Its state says neither that the lock moves nor that it is stuck. What it did before stands behind the frames of the capture on its stack."
		return &f
	}
	f.Summary = fmt.Sprintf("%s is owned by %s: %s. That is normal, and nobody waits for it.", lock, d.thread(t.Addr), why)
	if at >= 0 {
		f.Summary = fmt.Sprintf("%s is owned by %s, which runs because of the capture: %s. Nobody waits for it.", lock, d.thread(t.Addr), why)
	}
	f.Explanation = "An owner that runs because of the capture says nothing of the lock; a high contention count is then no sign that it moves now, either: the count is kept since boot."
	return &f
}
