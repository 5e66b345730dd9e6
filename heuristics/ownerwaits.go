package heuristics

import (
	"fmt"

	"kdlocks/kd"
	"kdlocks/threads"
	"kdlocks/waitgraph"
)

var ownerWaitsIO = &Check{
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
}

func init() {
	register(ownerWaitsIO, func(d *diagnosis) []Finding {
		return d.ownersWaiting(ownerWaitsIO, perhapsIO, func(t *threads.Thread) (string, int) {
			if why, _ := userModeWait(t); why != "" {
				return "", -1
			}
			return ioWait(t)
		})
	})
}

var ownerWaitsUserMode = &Check{
	ID:       "owner-waits-user-mode",
	Title:    "Owner of a lock with waiters waits for user mode",
	Severity: High,
	Means: `The thread at the end of the wait chain waits for a reply of a process: an LPC or ALPC reply, a filter's message to its service, a user-mode callback. The next hop is that process.
Seen must be: the "Waiting for reply" line, a user-mode wait, or the routine on its stack.`,
	WhenWrong:  `An idle thread that waits for the next message is the server's side and normal. If the server waits for one of these locks, it is a deadlock after all.`,
	Disproof:   "A second capture shows the thread going on.",
	Remedy:     "Look at the threads of the server process for the one that should reply.",
	Next:       "!alpc /m <message>",
	References: []string{"Microsoft Learn: !alpc", "Microsoft Learn: FltSendMessage"},
}

func init() {
	register(ownerWaitsUserMode, func(d *diagnosis) []Finding {
		return d.ownersWaiting(ownerWaitsUserMode, perhapsUserMode, userModeWait)
	})
}

// ownersWaiting collects roots whose own wait is of one sort.
func (d *diagnosis) ownersWaiting(c *Check, may func(*threads.Brief) bool, why func(*threads.Thread) (string, int)) []Finding {
	return d.eachRoot(may, func(r waitgraph.Root, t *threads.Thread, a kd.Addr) *Finding {
		if t == nil || isIdleWorker(t) || !t.Printed() {
			return nil
		}
		text, at := why(t)
		if text == "" {
			return nil
		}
		f := d.rootFinding(c, BlockedChain, r, a)
		if at >= 0 {
			f.Grade = max(f.Grade, waitgraph.C)
			d.seenFrame(f, t, at, "what it waits in")
		}
		f.Summary = fmt.Sprintf("%s behind %s: %s.", capital(waits(r.Blocked, "thread")), d.thread(a), text)
		f.Explanation = "The owner of the lock does not wait for any lock that the input shows: " + text + "." + ticksOf(t)
		if i := nearest(t, 0); i >= 0 {
			f.Suspect = &Suspect{Module: t.Stack.Frames[i].Module, Reason: fmt.Sprintf("nearest module outside Windows to the wait of the owner: %s", frame(t, i))}
		}
		f.Next = d.nextForWait(c, t)
		return f
	})
}

func (d *diagnosis) nextForWait(c *Check, t *threads.Thread) []string {
	var out []string
	if t.Reply != nil {
		if t.Reply.ALPC {
			out = append(out, "!alpc /m "+d.addr(t.Reply.Message))
		} else {
			out = append(out, fmt.Sprintf("!lpc message %x", uint64(t.Reply.Message)))
		}
		if t.Reply.Server != 0 {
			out = append(out, fmt.Sprintf("!process %s 17", d.addr(t.Reply.Server)))
		}
	}
	if c == ownerWaitsIO {
		for _, irp := range t.IRPs {
			out = append(out, "!irp "+d.addr(irp.Addr))
		}
	}
	if len(t.Stack.Frames) == 0 {
		out = append(out, "!thread "+d.addr(t.Addr))
	}
	return out
}
