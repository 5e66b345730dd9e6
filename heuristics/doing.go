package heuristics

import (
	"slices"
	"strings"

	"kdlocks/stacks"
	"kdlocks/threads"
)

// asides say what an engineer should know of a kind of wait.
var asides = map[threads.WaitFor]string{
	threads.ForPushLock:     "A pushlock has no field for its owner: who holds it is to be found among the threads that have taken it, also on the stacks of those that wait for it.",
	threads.ForFastMutex:    "Its Owner field names the thread that holds it.",
	threads.ForGuardedMutex: "Its Owner field names the thread that holds it.",
	threads.ForRundown:      "Somebody still holds a reference to the object, or it was never given back. That is no deadlock over an ERESOURCE.",
	threads.ForCallers:      "Somebody is still inside what is taken down.",
	threads.ForResource:     "Such a wait is begun anew every few seconds, so its ticks are not its age.",
	threads.ForReply:        "The next hop is the server.",
	threads.ForFilterReply:  "The next hop is the filter's service.",
	threads.ForMemory:       "While memory is short, everything else is a victim.",
}

// lockReasons are wait reasons that name the kind of lock.
var lockReasons = map[string]threads.WaitFor{
	"WrPushLock": threads.ForPushLock, "WrFastMutex": threads.ForFastMutex, "WrGuardedMutex": threads.ForGuardedMutex,
	"WrRundown": threads.ForRundown,
}

// doing is what a thread does, as far as it was printed.
type doing struct {
	text     string          // of several threads: "wait for ..."; "" if nothing tells
	aside    string          // what an engineer should know of it
	awaits   threads.WaitFor // if a routine or a wait reason names it
	stands   bool            // nothing tells whether it waits
	userMode bool            // it waits there, for what the kernel does not know
}

func waitsOn(w threads.WaitFor) doing {
	return doing{text: "for " + w.String(), aside: asides[w], awaits: w}
}

// seenWait says what a thread does, nothing if nothing tells or it is idle, and
// the frame that shows it, -1 if none does.
func seenWait(t *threads.Thread) (doing, int) {
	switch {
	case !t.Printed() || isIdleWorker(t) || asksForMessage(t) || suspendedAtStart(t):
		return doing{}, -1
	case t.OnProcessor():
		return running(t)
	case !couldWait(t):
		return doing{}, -1
	}
	if text, frame := suspended(t); text != "" {
		return doing{text: "to be resumed: it is suspended", aside: "Who suspended it is in no list: a debugger, a profiler, a security product, or the freeze of an app."}, frame
	}
	w := t.Waits()
	switch {
	case waitsForResource(t):
		return waitsOn(threads.ForResource), t.FindFrame("ExpWaitForResource")
	case w.For == threads.ForWork:
		return doing{}, -1
	case w.Function != nil:
		return waitsOn(w.For), w.Frame
	case lockReasons[t.WaitReason] != threads.ForUnknown:
		return waitsOn(lockReasons[t.WaitReason]), -1
	case t.Reply != nil:
		return waitsOn(threads.ForReply), -1
	case memoryReasons[t.WaitReason]:
		if idlesInLoop(t) {
			return doing{}, -1
		}
		return waitsOn(threads.ForMemory), -1
	case ioReasons[t.WaitReason]:
		return doing{text: "for the disk: its page must be read or written"}, -1
	}
	return plainWait(t)
}

// plainWait says what is known of a wait that no routine and no wait reason
// tells more of.
func plainWait(t *threads.Thread) (doing, int) {
	if sleeps(t) {
		return doing{text: "for a time to pass: it sleeps", aside: "Such a wait ends by itself; a loop that polls begins it again."}, -1
	}
	if i := networkWait(t); i >= 0 {
		return doing{text: "for the network"}, i
	}
	if text, frame := driverWait(t); text != "" {
		return doing{text: "inside " + t.Waits().Driver, aside: "Only that driver knows who ends the wait."}, frame
	}
	if t.State == threads.StateUnknown && t.Addr == 0 {
		if at := innermost(t); at >= 0 {
			return doing{text: "in " + t.Stack.Frames[at].Name() + within(t, at), aside: "Whether it waits or runs there the stack alone does not tell.", stands: true}, at
		}
	}
	if t.State == threads.Waiting && t.WaitMode == "KernelMode" && len(t.WaitObjects) > 0 && len(t.Stack.Frames)+len(t.IRPs) > 0 && !idlesInLoop(t) {
		text := "in the kernel for a " + t.WaitObjects[0].Kind
		if len(t.IRPs) > 0 {
			text += " and has I/O pending"
		}
		return doing{text: text, aside: "What ends that is not in the input: the stack tells who asked for the wait, and !irp who has the IRPs."}, -1
	}
	if t.WaitReason == "WrUserRequest" && t.WaitMode == "UserMode" {
		return doing{text: "for its next window message", aside: "That is how an idle thread with a window waits."}, -1
	}
	if t.State == threads.Waiting && t.WaitMode == "UserMode" && len(t.WaitObjects) > 0 {
		return doing{text: "on behalf of its program", aside: "Nothing in the kernel names who ends such a wait: the stack in user mode and !cs do.", userMode: true}, -1
	}
	return doing{}, -1
}

// running says what a thread does that is on a processor: where it was when it
// was interrupted, as far as a stack shows that.
func running(t *threads.Thread) (doing, int) {
	for i := t.Interrupted(); i > 0 && i < len(t.Stack.Frames); i++ {
		f := &t.Stack.Frames[i]
		if f.Inline || f.Name() == "" {
			continue
		}
		text := "on a processor, in " + f.Name()
		if by := onTop(t, i); by > i {
			text += ", called from " + t.Stack.Frames[by].Name()
		}
		return doing{text: text, aside: "What stands further in is how that was done."}, i
	}
	if t.Addr == 0 {
		return doing{}, -1 // no more than how it was interrupted
	}
	return doing{text: "on a processor: no lock holds up what runs, unless it spins", aside: "The thread that the debugger broke in on, or that triggered the dump, always runs."}, -1
}

// innermost returns the first frame that tells something of a stack, -1 if none
// does.
func innermost(t *threads.Thread) int {
	for i := range t.Stack.Frames {
		f := &t.Stack.Frames[i]
		if strings.HasPrefix(f.Function, "KeBugCheck") {
			return -1 // that is how the machine stopped
		}
		if f.Function != "" && !threads.IsPlumbing(f.Function) && !f.Inline {
			return i
		}
	}
	return -1
}

// landmarks are words of functions that say what a stack is about.
var landmarks = []string{"FreePool", "AllocatePool", "CcFlushCache", "MmFlushSection", "CallCallBacks", "LoadDriver"}

// within names the first few landmarks of a stack behind a frame.
func within(t *threads.Thread, at int) string {
	const most = 2
	var out []string
	for i := at + 1; i < len(t.Stack.Frames) && len(out) < most; i++ {
		f := &t.Stack.Frames[i]
		if stacks.OfWindows(f.Module) && slices.ContainsFunc(landmarks, func(w string) bool { return strings.Contains(f.Function, w) }) {
			out = append(out, f.Name())
		}
	}
	if len(out) == 0 {
		return ""
	}
	return ", inside " + strings.Join(out, " and ")
}
