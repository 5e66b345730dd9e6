package heuristics

import (
	"fmt"
	"slices"
	"strings"

	"kdlocks/kd"
	"kdlocks/stacks"
	"kdlocks/threads"
	"kdlocks/waitgraph"
)

// leaving is a routine that waits until nobody is inside something any more: the
// callbacks of a driver, its filter, its device.
type leaving struct {
	// routines take down; one of them stands on the stack of the thread that
	// waits.
	routines []string
	// dispatchers call the driver's callbacks: whoever is below one of them is
	// inside. Empty where the stack does not tell what was entered.
	dispatchers []string
	what        string // "a registry callback": what the dispatcher calls
	thing       string // that everybody must leave
	// asksAgain is set for a routine that waits with a timer in a loop.
	asksAgain bool
	page      string
}

// leavings is the table. Where a dispatcher is known, the documentation of the
// routine says that it waits for callbacks that are running.
var leavings = []leaving{
	{
		routines: []string{"CmUnRegisterCallback"}, dispatchers: []string{"CmpCallCallBacks"},
		what: "a registry callback", thing: "the driver's registry callbacks", asksAgain: true, page: "CmUnRegisterCallback",
	},
	{
		routines: []string{"FltUnregisterFilter", "FltpUnregisterFilter"}, dispatchers: []string{"FltpPerformPreCallbacks", "FltpPerformPostCallbacks"},
		what: "a callback of a minifilter", thing: "the minifilter", page: "FltUnregisterFilter",
	},
	{
		routines: []string{"ObUnRegisterCallbacks"}, dispatchers: []string{"ObpCallPreOperationCallbacks", "ObpCallPostOperationCallbacks"},
		what: "a callback on handles", thing: "the driver's callbacks on handles", page: "ObUnRegisterCallbacks",
	},
	{
		routines: []string{"PsSetCreateProcessNotifyRoutine", "PspSetCreateProcessNotifyRoutine"}, dispatchers: []string{"PspCallProcessNotifyRoutines"},
		what: "a process notify routine", thing: "the driver's process notify routines", page: "PsSetCreateProcessNotifyRoutineEx",
	},
	{
		routines: []string{"PsRemoveCreateThreadNotifyRoutine"}, dispatchers: []string{"PspCallThreadNotifyRoutines"},
		what: "a thread notify routine", thing: "the driver's thread notify routines", page: "PsRemoveCreateThreadNotifyRoutine",
	},
	{
		routines: []string{"PsRemoveLoadImageNotifyRoutine"}, dispatchers: []string{"PsCallImageNotifyRoutines"},
		what: "a load-image notify routine", thing: "the driver's load-image notify routines", page: "PsRemoveLoadImageNotifyRoutine",
	},
	{routines: []string{"FltpObjectRundownWait"}, thing: "an object of the filter manager", page: "FltUnregisterFilter"},
	{routines: []string{"IoReleaseRemoveLockAndWait"}, thing: "the device (its remove lock)", page: "IoReleaseRemoveLockAndWait"},
}

var selfDeadlockReentrancy = &Check{
	ID:       "self-deadlock-reentrancy",
	Title:    "A callback takes itself down and waits for itself to return",
	Severity: Critical,
	Means: `On one stack, a driver's callback has called the routine that unregisters it, and that routine waits until all callbacks have returned: this one, too, which cannot before the routine does. CmUnRegisterCallback inside a registry callback, FltUnregisterFilter inside a pre- or post-operation callback, ObUnRegisterCallbacks inside a handle callback, a notify routine that removes itself.
Seen must be: the wait, the unregister routine, the driver that called it, and further out the routine of Windows that calls callbacks, which called the same driver; all with symbols.`,
	WhenWrong:  `The driver registered several callbacks and takes down another one than it stands in: the stack does not show which. Wrong symbols (module+offset, large offsets) put names on frames that are not theirs.`,
	Disproof:   "A second capture shows the thread out of the unregister routine, or the cookie that it passes is that of another registration.",
	Remedy:     "For the driver's developer: never unregister from inside the callback; do it from a work item or the unload routine. To get the machine going it must be restarted.",
	Next:       "!thread <thread> 1f",
	References: references(),
}

var waitsForOthersToLeave = &Check{
	ID:       "waits-for-others-to-leave",
	Title:    "A thread takes something down and waits until everybody has left it",
	Severity: Info,
	Means: `The thread unloads a driver or unregisters a filter or callback, and waits until nobody is inside it any more: until callbacks that run have returned and references are given back. No lock that any list shows holds it. It goes on when the last one leaves; if a reference was leaked, never.
Seen must be: the routine that takes down, and above it the wait for the last reference or for callers to leave. A deadlock it is where another thread stands in a callback of the same driver and waits for a lock that this one owns.`,
	WhenWrong:  `The last user is about to leave: one capture is a photograph. Another registration of the same driver may be taken down than the one whose callback is running.`,
	Disproof:   "A second capture shows the thread gone from there.",
	Remedy:     "Look for threads that are inside the driver (stacks with its frames). Where there is none, a reference was leaked: for a minifilter, contexts, file name information or generic objects that were not given back; !fltkd.filter shows the counts, Driver Verifier's I/O checks find the place.",
	Next:       "!fltkd.filters",
	References: references(),
}

func references() []string {
	var out []string
	for _, l := range leavings {
		if page := "Microsoft Learn: " + l.page; !slices.Contains(out, page) {
			out = append(out, page)
		}
	}
	return append(out, "DebugPrivilege/InsightEngineering, Deadlock: Calling CmUnRegisterCallback inside a Registry Callback")
}

// largestOffset is how far into a function of the table a return address may lie
// before its symbol is doubted.
const largestOffset = 0x2000

func init() {
	register(selfDeadlockReentrancy, func(d *diagnosis) []Finding {
		return d.eachLeaving(func(t *threads.Thread, w leavingWait) *Finding {
			if w.dispatcher < 0 {
				return nil
			}
			return d.reentrancyFinding(t, w)
		})
	})
	register(waitsForOthersToLeave, func(d *diagnosis) []Finding {
		return d.eachLeaving(func(t *threads.Thread, w leavingWait) *Finding {
			if w.dispatcher >= 0 {
				return nil
			}
			return d.leavingFinding(t, w)
		})
	})
}

// leavingWait is where on a stack a thread waits for others to leave.
type leavingWait struct {
	is         *leaving
	wait       int // the frame of the wait
	routine    int // that of the routine that takes down
	caller     int // of the driver that called it, -1 if none did
	dispatcher int // that called the same driver, -1 if none did
}

// eachLeaving collects findings over threads that wait for others to leave.
func (d *diagnosis) eachLeaving(find func(*threads.Thread, leavingWait) *Finding) []Finding {
	var out []Finding
	again := d.printedAgain()
	d.eachThread(func(b *threads.Brief) bool { return b.State == threads.Waiting && b.Has(threads.Special) }, func(t *threads.Thread) bool {
		if w, ok := waitsToLeave(t); ok && !again(t) {
			if f := find(t, w); f != nil {
				out = append(out, *f)
			}
		}
		return len(out) <= MostFindings
	})
	return out
}

// mostAsked bounds the skimmed threads that one detector reads whole.
const mostAsked = 2_000

// eachThread calls f for the threads that can matter by their Brief, until it
// reports false.
func (d *diagnosis) eachThread(may func(*threads.Brief) bool, f func(*threads.Thread) bool) {
	for _, t := range d.snap.Threads {
		if !f(t) {
			return
		}
	}
	var rest []kd.Addr
	for i := range d.snap.Skimmed() {
		if b := &d.snap.Skimmed()[i]; may(b) && len(rest) < mostAsked {
			rest = append(rest, b.Addr)
		}
	}
	for _, a := range rest {
		if t := d.snap.Thread(a); t != nil && !f(t) {
			return
		}
	}
}

// waitsToLeave finds the routine that takes something down and the wait above
// it.
func waitsToLeave(t *threads.Thread) (leavingWait, bool) {
	w := t.Waits()
	if w.For != threads.ForRundown && w.For != threads.ForCallers || !couldWait(t) {
		return leavingWait{}, false
	}
	for i := range leavings {
		l := &leavings[i]
		at := t.FindFrame(l.routines...)
		if at < w.Frame || !stacks.OfWindows(t.Stack.Frames[at].Module) {
			continue
		}
		for at+1 < len(t.Stack.Frames) && named(t, at+1, l.routines) {
			at++
		}
		if driver := onTop(t, w.Frame); driver >= 0 && driver < at {
			continue // the driver asked for the wait, not the routine
		}
		out := leavingWait{is: l, wait: w.Frame, routine: at, caller: nearest(t, at), dispatcher: -1}
		if out.caller == at+1 {
			out.dispatcher = dispatcherOf(t, out.caller, l.dispatchers)
		}
		return out, true
	}
	return leavingWait{}, false
}

func named(t *threads.Thread, i int, words []string) bool {
	for _, w := range words {
		if strings.Contains(t.Stack.Frames[i].Function, w) {
			return true
		}
	}
	return false
}

// dispatcherOf returns the frame of a routine of Windows that calls callbacks
// and called the module of frame from, -1 if there is none.
func dispatcherOf(t *threads.Thread, from int, words []string) int {
	module := t.Stack.Frames[from].Module
	for i := from + 1; i < len(t.Stack.Frames); i++ {
		f := &t.Stack.Frames[i]
		if named(t, i, words) && stacks.OfWindows(f.Module) && strings.EqualFold(t.Stack.Frames[i-1].Module, module) {
			return i
		}
	}
	return -1
}

func (d *diagnosis) reentrancyFinding(t *threads.Thread, w leavingWait) *Finding {
	f := selfDeadlockReentrancy.finding(Deadlock)
	f.Confidence, f.Grade = VeryLikely, waitgraph.C
	doubt := ""
	switch {
	case !exact(t, w.routine) || !exact(t, w.dispatcher):
		doubt = "the offsets behind the symbols are so large that they may be wrong"
	case !exact(t, w.caller) || !exact(t, w.dispatcher-1):
		doubt = "the frames of " + t.Stack.Frames[w.caller].Module + " have no symbols, or some that may be wrong"
	case w.dispatcher+1 == len(t.Stack.Frames):
		doubt = "the stack ends with the frame that called the callback, which may have been cut off"
	case t.Timed() && !w.is.asksAgain:
		doubt = "the wait has a timer and ends by itself"
	case t.Conflict != "":
		doubt = "the thread was printed at two moments"
	}
	driver := driverName(t.Stack.Frames[w.caller].Module)
	f.Summary = fmt.Sprintf("%s deadlocked on itself: inside %s, %s called %s, which waits until that callback has returned.", capital(d.whose(t)), w.is.what, driver, t.Stack.Frames[w.routine].Name())
	if doubt != "" {
		f.Kind, f.Severity, f.Confidence, f.Grade = SuspectedDeadlock, High, Possible, waitgraph.D
		f.Summary = fmt.Sprintf("Suspected, not proven: inside %s, %s called %s, which waits until all callbacks have returned, in %s; but %s.", w.is.what, driver, t.Stack.Frames[w.routine].Name(), d.whose(t), doubt)
	}
	d.leavingEvidence(&f, t, w)
	if t.Addr != 0 {
		f.Cycle = []Step{{Thread: t.Addr, What: waitgraph.Callbacks, Grade: waitgraph.C, HeldBy: t.Addr}}
	}
	d.seenFrame(&f, t, w.dispatcher-1, "the callback of "+driver)
	d.seenFrame(&f, t, w.dispatcher, "the routine that calls callbacks")
	f.Suspect = &Suspect{Module: driver, Reason: fmt.Sprintf("it called %s (frame %d) from inside its own callback: %s", t.Stack.Frames[w.routine].Name(), w.routine, frame(t, w.dispatcher-1))}
	through := ""
	if w.caller < w.dispatcher-1 {
		through = ", through " + frame(t, w.caller)
	}
	f.Explanation = fmt.Sprintf("From the outside in: %s called the callback %s, which called %s%s, which waits in %s. The callback cannot return before that wait ends, and the wait cannot end before the callback has returned.",
		frame(t, w.dispatcher), frame(t, w.dispatcher-1), frame(t, w.routine), through, frame(t, w.wait))
	if w.is.asksAgain {
		f.Explanation += " The routine asks again and again, so a small age of its wait says nothing."
	}
	f.Next = append(d.lookAgain(&f), "lmvm "+driver)
	for _, i := range []int{w.dispatcher, w.routine} {
		if !exact(t, i) {
			f.Next = []string{d.reload(t.Stack.Frames[i].Module, t), "lmvm " + driver}
			break
		}
	}
	return &f
}

// exact reports whether the symbol of a frame is near enough to be believed.
func exact(t *threads.Thread, i int) bool {
	f := &t.Stack.Frames[i]
	return f.Function != "" && f.Offset < largestOffset
}

// whose names a thread, or the stack of one without a header.
func (d *diagnosis) whose(t *threads.Thread) string {
	if t.Addr == 0 {
		return "a thread whose header is not in the input"
	}
	return d.thread(t.Addr)
}

// leavingEvidence fills what both findings have in common.
func (d *diagnosis) leavingEvidence(f *Finding, t *threads.Thread, w leavingWait) {
	if t.Addr != 0 {
		f.Threads = []kd.Addr{t.Addr}
		f.Bystanders, f.Blocked = d.behind(t.Addr)
		f.seen(t.At, t.Addr, "the thread that waits")
	}
	d.seenFrame(f, t, w.wait, "what it waits in")
	d.seenFrame(f, t, w.routine, "the routine that takes down")
	d.seenFrame(f, t, w.caller, "its caller outside Windows")
}

func (d *diagnosis) leavingFinding(t *threads.Thread, w leavingWait) *Finding {
	f := waitsForOthersToLeave.finding(BlockedChain)
	f.Confidence, f.Grade = Likely, waitgraph.C
	d.leavingEvidence(&f, t, w)
	f.Summary = fmt.Sprintf("%s waits in %s until everybody has left %s: for callers inside it, or for a reference that was never given back. It waits for no lock that !locks could show.", capital(d.whose(t)), t.Stack.Frames[w.routine].Name(), w.is.thing)
	f.Explanation = fmt.Sprintf("It stands in %s.", frame(t, w.wait))
	if w.wait != w.routine {
		f.Explanation = fmt.Sprintf("It stands in %s below %s.", frame(t, w.wait), frame(t, w.routine))
	}
	f.Explanation += ticksOf(t)
	if w.caller < 0 {
		f.Next = d.lookAgain(&f)
	} else {
		driver := driverName(t.Stack.Frames[w.caller].Module)
		f.Suspect = &Suspect{Module: driver, Reason: fmt.Sprintf("what is taken down is its own: %s", frame(t, w.caller))}
		f.Explanation += " " + d.inside(t.Stack.Frames[w.caller].Module, t)
		f.Next = []string{"!stacks 2 " + driver}
		if in, at := d.heldInside(t, w); in != nil {
			d.closedByCallback(&f, t, w, in, at)
			return &f
		}
	}
	if strings.HasPrefix(w.is.routines[0], "Flt") {
		f.Next = append(f.Next, waitsForOthersToLeave.Next)
	}
	if len(f.Next) == 0 {
		f.Next = []string{"!stacks 2"}
	}
	return &f
}

// inside says which other threads have frames of a driver.
func (d *diagnosis) inside(driver string, self *threads.Thread) string {
	const most = 8
	var found []string
	n := 0
	for _, t := range d.snap.Threads {
		if t == self {
			continue
		}
		for i := range t.Stack.Frames {
			if strings.EqualFold(t.Stack.Frames[i].Module, driver) {
				if n++; n <= most {
					found = append(found, d.whose(t)+" in "+t.Stack.Frames[i].Name())
				}
				break
			}
		}
	}
	switch {
	case n == 0:
		return fmt.Sprintf("No other stack in the input that was read whole shows %s: whoever is inside it was not printed, or nobody is and a reference was leaked.", driver)
	case n > most:
		return fmt.Sprintf("Inside %s are %d threads, the first: %s.", driver, n, strings.Join(found, "; "))
	}
	return fmt.Sprintf("Inside %s are: %s.", driver, strings.Join(found, "; "))
}
