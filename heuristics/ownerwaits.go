package heuristics

import (
	"fmt"

	"kdlocks/objects"
	"kdlocks/threads"
	"kdlocks/waitgraph"
)

var rootIO = rootSort{may: perhapsIO, why: ioWait, check: &Check{
	ID:       "owner-waits-io",
	Title:    "Owner of a lock with waiters waits for I/O",
	Severity: High,
	Means: `The thread at the end of the wait chain waits for the disk, the network or a driver to complete an IRP, or for a page. The locks are victims; the question is who completes the I/O.
Seen must be: an entry in its IRP list, a wait reason of the memory manager, or an I/O routine on its stack above the wait.`,
	WhenWrong:  `The IRP may have completed and the wait be for something else. The last driver named by !irp is not always the one that holds it. If the one that must complete it waits for one of these locks, it is a deadlock after all.`,
	Disproof:   "!irp shows the IRP completed, or a second capture shows other IRPs.",
	Remedy:     "Follow the IRP: which driver holds it, since when.",
	Next:       "!irp <IRP>",
	References: []string{"Microsoft Learn: !irp"},
}}

var rootUserMode = rootSort{may: perhapsUserMode, why: userModeWait, check: &Check{
	ID:       "owner-waits-user-mode",
	Title:    "Owner of a lock with waiters waits for user mode",
	Severity: High,
	Means: `The thread at the end of the wait chain waits for what user mode does: the reply of an LPC or ALPC server, a callback, an event that a program sets. The next hop is that process.
Seen must be: the "Waiting for reply" line, a user-mode wait, or the routine on its stack.`,
	WhenWrong:  `An idle thread that waits for the next message is the server's side and normal. If the server waits for one of these locks, it is a deadlock after all.`,
	Disproof:   "A second capture shows the thread going on.",
	Remedy:     "Look at the threads of the server process for the one that should reply.",
	Next:       "!alpc /m <message>",
	References: []string{"Microsoft Learn: !alpc"},
}}

var rootFilterReply = rootSort{
	may: func(b *threads.Brief) bool { return b.State == threads.Waiting && b.Has(threads.AsksUserMode) },
	why: reads("it waits for the reply of a minifilter's service", threads.ForFilterReply),
	check: &Check{
		ID:       "owner-waits-filter",
		Title:    "Owner of a lock with waiters waits for a minifilter's service",
		Severity: High,
		Means: `A minifilter on the stack of the thread at the end of the wait chain has sent a message to its user-mode service with FltSendMessage and waits for the reply. Whatever that service waits for, all threads behind the lock wait for.
Seen must be: FltSendMessage on the stack, with no other wait above it.`,
		WhenWrong:  `FltSendMessage was called with a time-out: then the wait ends by itself, and a second capture shows other threads. The filter's service is slow, not stuck.`,
		Disproof:   "A second capture shows the thread gone from FltSendMessage.",
		Remedy:     "Look at the threads of the filter's service: which of them works on the message, and does it wait for one of these locks? For the filter's developer: send with a time-out, and never while a lock of the file system is held.",
		Next:       "!fltkd.portlist <filter>",
		References: []string{"Microsoft Learn: FltSendMessage"},
	},
}

var rootSuspended = rootSort{
	may: func(b *threads.Brief) bool { return b.State == threads.Waiting },
	why: suspended,
	check: &Check{
		ID:       "owner-suspended",
		Title:    "Owner of a lock with waiters is suspended",
		Severity: High,
		Means: `The thread at the end of the wait chain was suspended while it owned the lock: nobody goes on before somebody resumes it. A driver that takes an ERESOURCE must disable normal kernel APCs first, which also keeps the thread from being suspended.
Seen must be: a SuspendCount or FreezeCount above zero, the wait reason Suspended, or the routine in which a suspended thread waits.`,
		WhenWrong:  `Threads of a pool are created suspended, and own nothing then. A debugger that is attached to the process suspends its threads.`,
		Disproof:   "!thread shows the thread without a suspend count.",
		Remedy:     "Find who suspended it (a debugger, a profiler, a security product, the deep freeze of an app), and which driver took the lock without KeEnterCriticalRegion or FsRtlEnterFileSystem.",
		Next:       "!thread <owner>",
		References: []string{"Microsoft Learn: ExAcquireResourceExclusiveLite", "Microsoft Learn: KeEnterCriticalRegion"},
	},
}

// suspended reports whether a thread was suspended or frozen.
func suspended(t *threads.Thread) (string, int) {
	switch {
	case t.Suspended > 0:
		return fmt.Sprintf("it is suspended (SuspendCount %d)", t.Suspended), -1
	case t.Frozen > 0:
		return fmt.Sprintf("it is frozen (FreezeCount %d)", t.Frozen), -1
	case t.State == threads.Waiting && (t.WaitReason == "Suspended" || t.WaitReason == "WrSuspended"):
		return "it is suspended (wait reason " + t.WaitReason + ")", -1
	}
	return "", -1
}

var rootMemory = rootSort{
	may: func(b *threads.Brief) bool {
		return b.State == threads.Waiting && (b.Has(threads.Special) || memoryReasons[b.WaitReason()])
	},
	why: memoryWait,
	check: &Check{
		ID:       "memory-pressure",
		Title:    "Owner of a lock with waiters waits for free memory",
		Severity: High,
		Means: `The thread at the end of the wait chain waits until the memory manager has a free page, or has made room. While memory is short, everything else waits, too: the locks are victims.
Seen must be: the wait reason WrFreePage, FreePage, WrVirtualMemory, WrPoolAllocation or PoolAllocation, or the routine on the stack.`,
		WhenWrong:  `A single short wait for a free page is normal on a busy machine. WrFreePage and WrVirtualMemory are also the reasons for which idle system threads of the memory manager wait (the one that zeroes pages, the writers of modified pages): a wait that stands directly in such a thread's own loop is not counted.`,
		Disproof:   "!vm shows plenty of available pages, and a second capture shows other threads.",
		Remedy:     "Look at memory first: !vm, then who holds it (!poolused, the working sets, the modified list) and whether the writers of modified pages wait for one of these locks.",
		Next:       "!vm",
		References: []string{"Microsoft Learn: !vm"},
	},
}

var memoryReasons = map[string]bool{"WrFreePage": true, "FreePage": true, "WrVirtualMemory": true, "WrPoolAllocation": true, "PoolAllocation": true}

func memoryWait(t *threads.Thread) (string, int) {
	if couldWait(t) && memoryReasons[t.WaitReason] && !idlesInLoop(t) {
		return "it waits for free memory (wait reason " + t.WaitReason + ")", -1
	}
	return reads("it waits for free memory", threads.ForMemory)(t)
}

var rootGPU = rootSort{
	may: func(b *threads.Brief) bool { return b.State == threads.Waiting && b.Has(threads.Special) },
	why: reads("it waits for the graphics processor's scheduler", threads.ForGPU),
	check: &Check{
		ID:       "owner-waits-gpu",
		Title:    "Owner of a lock with waiters waits for the graphics processor",
		Severity: High,
		Means: `The thread at the end of the wait chain waits in the scheduler of the graphics kernel (dxgmms) for work of the graphics processor to finish, or for a reset of its driver.
Seen must be: a VidSch... wait routine on its stack.`,
		WhenWrong:  `A stalled processor or a stalled bus makes the same picture: see whether all such waits began at the same time.`,
		Disproof:   "A second capture shows the wait gone.",
		Remedy:     "Look for time-outs of the display driver (events 4101, live dumps 0x141, 0x117, stop 0x116) and at the version of the driver.",
		Next:       "lmvm dxgmms2",
		References: []string{"Microsoft Learn: Timeout detection and recovery (TDR)"},
	},
}

var rootRundown = rootSort{
	may: func(b *threads.Brief) bool { return b.State == threads.Waiting && b.Has(threads.LockWait) },
	why: reads("it waits until all others have left an object that it takes down", threads.ForRundown, threads.ForCallers),
	check: &Check{
		ID:       "owner-waits-rundown",
		Title:    "Owner of a lock with waiters waits for the last reference to an object",
		Severity: High,
		Means: `The thread at the end of the wait chain unloads, unregisters or deletes something and waits until nobody uses it any more: rundown protection, or the callbacks that are still running. It goes on when the last user leaves; if that user waits for the lock, or a reference was leaked, never.
Seen must be: the routine that waits for rundown protection or for callers to leave, with no other wait above it.`,
		WhenWrong:  `The last user is about to leave.`,
		Disproof:   "A second capture shows the thread gone from there.",
		Remedy:     "Find the threads that are inside what is taken down (stacks with the driver's callbacks), or the reference that was never given back.",
		Next:       "!stacks 2 <driver>",
		References: []string{"Microsoft Learn: ExWaitForRundownProtectionRelease"},
	},
}

var rootDriver = rootSort{
	may: func(b *threads.Brief) bool {
		return b.State == threads.Waiting && !b.Has(threads.UserWait|threads.NoStack)
	},
	why: driverWait,
	check: &Check{
		ID:       "owner-waits-driver",
		Title:    "Owner of a lock with waiters waits inside a driver",
		Severity: High,
		Means: `A module outside Windows asked the kernel for the wait that the thread at the end of the chain is in: for an event, a semaphore or another object of its own. Only that driver knows who ends the wait.
Seen must be: the driver's frame directly behind the kernel's wait routines.`,
		WhenWrong:  `The wait has a time-out that was not printed. The object is signalled by a thread that waits for one of these locks: then it is a deadlock after all.`,
		Disproof:   "A second capture shows the thread going on.",
		Remedy:     "Ask the driver's vendor what the routine waits for; look for the thread of the same driver that should signal it.",
		Next:       "lmvm <driver>",
		References: []string{"Microsoft Learn: KeWaitForSingleObject"},
	},
}

// driverWait reports a wait that a module outside Windows asked for.
func driverWait(t *threads.Thread) (string, int) {
	w := t.Waits()
	// A row of !stacks has one frame: the first that is not how waits end. No
	// stack of a thread that waits begins with a driver's.
	row := t.State == threads.Waiting && !t.Header
	if w.Driver == "" || w.Frame == 0 && !row || !couldWait(t) || t.WaitMode == "UserMode" || sleeps(t) {
		return "", -1
	}
	text := "it waits inside " + w.Driver
	if len(t.WaitObjects) > 0 {
		text += " for a " + t.WaitObjects[0].Kind
	}
	return text + " (" + t.Stack.Frames[w.Frame].Name() + ")", w.Frame
}

func init() {
	for _, s := range rootSorts {
		registerRoot(s)
	}
}

// nextForWait asks for what a root waits for.
func (d *diagnosis) nextForWait(c *Check, t *threads.Thread) []string {
	var out []string
	if t.Reply != nil {
		if m := d.snap.Message(t.Reply.Message); m != nil && m.Conflict == "" && m.LPC != t.Reply.ALPC {
			out = append(out, d.nextForMessage(m)...)
		} else if t.Reply.ALPC {
			out = append(out, "!alpc /m "+d.addr(t.Reply.Message))
		} else {
			out = append(out, fmt.Sprintf("!lpc message %x", uint64(t.Reply.Message)))
		}
		if t.Reply.Server != 0 {
			out = append(out, fmt.Sprintf("!process %s 17", d.addr(t.Reply.Server)))
		}
	}
	switch c {
	case rootIO.check, rootDriver.check, rootStorage.check:
		out = append(out, d.nextForIRPs(t)...)
	case rootMemory.check:
		out = append(out, "!vm")
	}
	s := suspectOfWait(t)
	if s != nil && (c == rootDriver.check || c == rootRundown.check) {
		out = append(out, "!stacks 2 "+s.Module)
	}
	if len(t.Stack.Frames) == 0 {
		out = append(out, d.askStack(t)...)
	} else if c == rootUserMode.check && endsInProgram(t) {
		out = append(out, d.askProgram(t))
	}
	if s != nil {
		out = append(out, "lmvm "+s.Module)
	}
	return out
}

// askStack asks for what a thread does whose stack is not in the input. A stack
// that is not resident is not printed the next time, either: what is left is
// what else happens in its process.
func (d *diagnosis) askStack(t *threads.Thread) []string {
	switch {
	case !t.NotResident:
		return []string{"!thread " + d.addr(t.Addr)}
	case t.Process.Addr != 0:
		return []string{fmt.Sprintf("!process %s 17", d.addr(t.Process.Addr))}
	}
	return nil
}

// askProgram asks for the stack of a thread in user mode and the critical
// sections of its process that are held.
func (d *diagnosis) askProgram(t *threads.Thread) string {
	return ".thread /r /p " + d.addr(t.Addr) + "; k; !cs -l"
}

// endsInProgram reports whether a thread waits in user mode for an object that
// is no lock and no reply: whoever has a handle may end that.
func endsInProgram(t *threads.Thread) bool {
	return t.WaitMode == "UserMode" && t.Reply == nil && t.Waits().For != threads.ForReply && t.Waits().For != threads.ForFilterReply
}

// nextForMessage goes on from a message that was printed.
func (d *diagnosis) nextForMessage(m *objects.Message) []string {
	if a := m.ServerThread.Addr; a != 0 && m.Canceled != objects.Yes {
		if t := d.snap.Thread(a); t == nil || len(t.Stack.Frames) == 0 {
			return []string{"!thread " + d.addr(a)}
		}
	}
	return nil
}

// tellMessage says of the message that a root waits for what was printed of it.
func (d *diagnosis) tellMessage(f *Finding, t *threads.Thread) {
	if t.Reply == nil {
		return
	}
	m := d.snap.Message(t.Reply.Message)
	if m == nil || m.LPC == t.Reply.ALPC {
		return
	}
	switch {
	case m.Conflict != "":
		return
	case m.Canceled == objects.Yes:
		f.Explanation += fmt.Sprintf(" But the message is printed as canceled (line %d): nobody needs to answer it, and the wait should end.", m.At.Line)
		f.Confidence = Possible
	case !waitgraph.AwaitedBy(m, t):
		f.Explanation += fmt.Sprintf(" But the message is printed with another thread that waits for its reply (line %d): that is of another moment.", m.At.Line)
		f.Next = append([]string{"!thread " + d.addr(t.Addr)}, f.Next...)
	case m.ServerThread.Known() && m.ServerThread.Addr == 0:
		f.Explanation += fmt.Sprintf(" No thread of the server works on the message (line %d).", m.At.Line)
	}
}
