package heuristics

import (
	"strings"

	"kdlocks/threads"
)

// couldWait reports whether nothing says that the thread does not wait.
func couldWait(t *threads.Thread) bool {
	return t.State == threads.Waiting || t.State == threads.StateUnknown && !t.OnProcessor()
}

// waitsForResource reports whether a thread waits for an ERESOURCE: by its
// wait reason, or by the routine on its stack if it has no header.
func waitsForResource(t *threads.Thread) bool {
	if !couldWait(t) {
		return false
	}
	return t.WaitReason == "WrResource" || t.FindFrame("ExpWaitForResource") >= 0
}

// sleeps reports whether a thread waits for a time to pass: nobody else ends
// that, and it ends by itself.
func sleeps(t *threads.Thread) bool {
	if !couldWait(t) || t.WaitMode == "UserMode" {
		return false
	}
	return t.WaitReason == "DelayExecution" || t.WaitReason == "WrDelayExecution" || t.WaitReason == "" && delays(t)
}

// delays reports whether the routine of the kernel in which a thread waits is the
// one that lets a time pass.
func delays(t *threads.Thread) bool {
	for i := range t.Stack.Frames {
		name := t.Stack.Frames[i].Function
		if strings.HasPrefix(name, "KeWait") || !threads.IsPlumbing(name) {
			return strings.HasPrefix(name, "KeDelayExecutionThread")
		}
	}
	return false
}

// sleepText says who put a thread to sleep.
func sleepText(t *threads.Thread) string {
	text := "it sleeps"
	if i := onTop(t, 0); i >= 0 {
		text += ", called from " + t.Stack.Frames[i].Name()
	}
	return text + ": such a wait ends by itself, and a loop that polls begins it again"
}

// isIdleWorker reports whether a thread waits for work: the queue wait of a
// system worker, with nothing of a work item on its stack.
func isIdleWorker(t *threads.Thread) bool {
	if !couldWait(t) {
		return false
	}
	q := t.FindFrame(threads.QueueWaits...)
	if q < 0 {
		return t.WaitReason == "WrQueue" && len(t.Stack.Frames) == 0
	}
	for _, f := range t.Stack.Frames[q+1:] {
		if strings.Contains(f.Function, "ExpWorkerThread") || strings.Contains(f.Function, "ExpWorkerFactory") {
			return true
		}
		if !strings.HasPrefix(strings.TrimLeft(f.Function, "_"), "Ke") {
			return false
		}
	}
	return false
}

// userReasons are wait reasons of threads that wait for user mode.
var userReasons = map[string]bool{"WrLpcReply": true, "WrLpcReceive": true, "WrUserRequest": true}

// perhapsUserMode reports whether userModeWait may have something to say of a
// thread.
func perhapsUserMode(b *threads.Brief) bool {
	return b.State == threads.Waiting && (b.Has(threads.HasReply|threads.AsksUserMode|threads.UserWait) || userReasons[b.WaitReason()])
}

// userModeWait reports why a thread's wait ends only by what user mode does.
func userModeWait(t *threads.Thread) (string, int) {
	if !couldWait(t) {
		return "", -1
	}
	switch {
	case t.Reply != nil && t.Reply.ALPC:
		return "it waits for the reply to an ALPC message", -1
	case t.Reply != nil:
		return "it waits for the reply to an LPC message", -1
	}
	switch w := t.Waits(); w.For {
	case threads.ForReply, threads.ForFilterReply, threads.ForUserMode:
		return "it waits for " + w.For.String() + " (" + t.Stack.Frames[w.Frame].Name() + ")", w.Frame
	}
	if userReasons[t.WaitReason] {
		return "its wait reason is " + t.WaitReason, -1
	}
	if t.WaitMode == "UserMode" {
		what := "it waits in user mode (" + t.WaitReason + ")"
		if len(t.WaitObjects) > 0 {
			what += " for a " + t.WaitObjects[0].Kind
		}
		return what, -1
	}
	return "", -1
}

// ioReasons are wait reasons of threads that wait for the disk or the network
// on behalf of the memory manager.
var ioReasons = map[string]bool{"WrPageIn": true, "WrPageOut": true, "PageIn": true}

// perhapsIO reports whether ioWait may have something to say of a thread.
func perhapsIO(b *threads.Brief) bool {
	return b.State == threads.Waiting && (b.Has(threads.HasIRP|threads.IOWait) || ioReasons[b.WaitReason()] || b.WaitReason() == "Executive")
}

// network are the modules of Windows that speak to other machines: redirectors,
// transports and the server for files.
var network = map[string]bool{
	"rdbss": true, "mrxsmb": true, "mrxsmb10": true, "mrxsmb20": true, "mrxdav": true, "mup": true, "dfsc": true, "nfsrdr": true,
	"tcpip": true, "tdx": true, "netbt": true, "afd": true, "http": true, "srvnet": true, "srv2": true, "p9rdr": true,
}

// networkWait returns the frame in which a module of the network asked for the
// wait of a thread, -1 if none did.
func networkWait(t *threads.Thread) int {
	for i := range t.Stack.Frames {
		f := &t.Stack.Frames[i]
		switch {
		case f.Inline || threads.IsPlumbing(f.Function):
		case network[strings.ToLower(f.Module)] && i > 0 && couldWait(t) && t.WaitMode != "UserMode":
			return i
		default:
			return -1
		}
	}
	return -1
}

// ioWait reports why a thread's wait is one for I/O.
func ioWait(t *threads.Thread) (string, int) {
	if !couldWait(t) || waitsForResource(t) {
		return "", -1
	}
	switch w := t.Waits(); w.For {
	case threads.ForPageIn, threads.ForPageOut, threads.ForIO:
		return "it waits for " + w.For.String() + " (" + t.Stack.Frames[w.Frame].Name() + ")", w.Frame
	case threads.ForUnknown:
	default:
		return "", -1 // an IRP in its list is not what it waits for
	}
	if ioReasons[t.WaitReason] {
		return "its wait reason is " + t.WaitReason, -1
	}
	if i := networkWait(t); i >= 0 {
		return "it waits for the network (" + t.Stack.Frames[i].Name() + ")", i
	}
	if len(t.IRPs) > 0 {
		return "it has an IRP pending", -1
	}
	return "", -1
}
