package heuristics

import (
	"fmt"

	"kdlocks/kd"
	"kdlocks/locks"
	"kdlocks/snapshot"
	"kdlocks/threads"
	"kdlocks/waitgraph"
)

var ownerRunning = &Check{
	ID:       "owner-running",
	Title:    "Owner of a lock with waiters is running",
	Severity: Medium,
	Means: `The thread at the end of the wait chain runs on a processor: it holds the lock for long or takes it again and again, but this lock does not hold it.
Seen must be: the state RUNNING in its THREAD block.`,
	WhenWrong:  `The thread that triggered the dump, or that the debugger broke in on, always reads RUNNING. It may spin on something else.`,
	Disproof:   "A second capture shows the thread waiting.",
	Remedy:     "Look at what it does: its stack, its KernelTime against the uptime, !dpcs.",
	Next:       "!thread <owner>",
	References: []string{"Microsoft Learn: !thread", "Microsoft Learn: !running"},
}

func init() {
	register(ownerRunning, func(d *diagnosis) []Finding {
		return d.ownersInState(ownerRunning, "runs on a processor: this lock does not hold it", threads.Running)
	})
}

var ownerReady = &Check{
	ID:       "owner-ready",
	Title:    "Owner of a lock with waiters is ready and does not get a processor",
	Severity: Medium,
	Means: `The thread at the end of the wait chain could run and is not running: processor starvation or priority inversion, if it lasts.
Seen must be: READY, STANDBY or DEFERREDREADY in its THREAD block. With many ticks since it became ready it is starved; with few it is normal life.`,
	WhenWrong:  `One capture with few ticks is a photograph of a thread about to run.`,
	Disproof:   "A second capture shows it running, or the lock released.",
	Remedy:     "Look for threads of higher priority that run all the time: !ready, !running -it.",
	Next:       "!ready",
	References: []string{"Microsoft Learn: !ready"},
}

func init() {
	register(ownerReady, func(d *diagnosis) []Finding {
		return d.ownersInState(ownerReady, "is ready to run and waits for a processor", threads.Ready, threads.Standby, threads.DeferredReady)
	})
}

func (d *diagnosis) ownersInState(c *Check, what string, want ...threads.State) []Finding {
	return d.eachRoot(func(r waitgraph.Root, t *threads.Thread, a kd.Addr) *Finding {
		if t == nil || !t.Header {
			return nil
		}
		for _, s := range want {
			if t.State != s {
				continue
			}
			f := d.rootFinding(c, BlockedChain, r, a)
			f.Summary = fmt.Sprintf("%s behind %s, which %s.", capital(waits(r.Blocked, "thread")), d.thread(a), what)
			f.Explanation = fmt.Sprintf("The owner's THREAD block (line %d) says %s.", t.At.Line, t.State)
			f.Explanation += ticksOf(t)
			f.Next = []string{c.Next}
			if c == ownerRunning {
				f.Next = []string{"!thread " + d.addr(a)}
			}
			return f
		}
		return nil
	})
}

func ticksOf(t *threads.Thread) string {
	if t.WaitMS >= 0 {
		return fmt.Sprintf(" Its last change was %s before the capture.", span(t.WaitMS))
	}
	return ""
}

var ownerIdleWorker = &Check{
	ID:       "owner-idle-worker",
	Title:    "Lock is owned by a system worker thread that is idle",
	Severity: Info,
	Means: `The owner is a system worker that waits for its next work item (WrQueue, KeRemoveQueue under ExpWorkerThread). Either the owner is a label and the lock is released by an I/O completion, or a work item returned without releasing. On a healthy machine such owners exist; with waiters it deserves a look.
Seen must be: the thread's wait reason, or the queue routine directly under the worker routine on its stack.`,
	WhenWrong:  `The lock was handed over on purpose and the completion is on its way.`,
	Disproof:   "A second capture shows the lock released.",
	Remedy:     "Find the IRP or file object that the lock belongs to, and what it waits for.",
	Next:       "!irpfind",
	References: []string{"Microsoft Learn: !locks (!kdext*.locks), sample of !locks -v"},
}

func init() {
	register(ownerIdleWorker, func(d *diagnosis) []Finding {
		return d.eachOwner(func(r *snapshot.Resource, o *snapshot.Owner) *Finding {
			t := d.snap.Thread(o.Thread)
			if t == nil || o.Live == threads.No || !isIdleWorker(t) {
				return nil
			}
			return d.idleWorkerFinding(r, o, t)
		})
	})
}

func (d *diagnosis) idleWorkerFinding(r *snapshot.Resource, o *snapshot.Owner, t *threads.Thread) *Finding {
	f := ownerIdleWorker.finding(NoDeadlock)
	f.Confidence, f.Grade = Likely, ownerGradeOf(r, o)
	f.Threads, f.Resources = []kd.Addr{o.Thread}, []kd.Addr{r.Addr}
	f.Bystanders, f.Blocked = d.behind(o.Thread)
	f.seenLock(r)
	d.seenOwner(&f, o)
	f.seen(t.At, t.Addr, "the owner waits for work")
	d.seenFrame(&f, t, t.FindFrame("KeRemoveQueue", "KeRemovePriQueue"), "it waits in its queue")
	f.Summary = fmt.Sprintf("%s is owned by %s, an idle system worker; nobody waits for it.", d.lock(r.Addr), d.thread(o.Thread))
	f.Explanation = "A worker that waits for its next work item cannot release the lock by itself: the owner is a label for something that completes elsewhere, or the lock was leaked."
	if waited(r) {
		f.Kind, f.Severity = BlockedChain, High
		f.Summary = fmt.Sprintf("%s behind %s, an idle system worker that owns %s: handed over or leaked.", capital(waits(r.Waiting(), "thread")), d.thread(o.Thread), d.lock(r.Addr))
	}
	f.Next = []string{"!irpfind"}
	return &f
}

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
		return d.ownersWaiting(ownerWaitsIO, func(t *threads.Thread) (string, int) {
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
		return d.ownersWaiting(ownerWaitsUserMode, userModeWait)
	})
}

// ownersWaiting collects roots whose own wait is of one sort.
func (d *diagnosis) ownersWaiting(c *Check, why func(*threads.Thread) (string, int)) []Finding {
	return d.eachRoot(func(r waitgraph.Root, t *threads.Thread, a kd.Addr) *Finding {
		if t == nil || isIdleWorker(t) || t.State == threads.StateUnknown && len(t.Stack.Frames) == 0 {
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
		if i := nearest(t, max(at, 0)); i >= 0 {
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

var blockedChain = &Check{
	ID:       "blocked-chain",
	Title:    "Threads wait in a chain behind one root",
	Severity: Medium,
	Means: `Threads wait for locks whose owners wait for further locks, and so on to one thread that waits for no lock in the input: the root. No cycle closes. The root's own state says what the chain really waits for.
Seen must be: each owner and each waiter in the lists of one capture.`,
	WhenWrong:  `One capture is a photograph: a lock that is held with waiters is normal life if it moves.`,
	Disproof:   "A second capture shows other threads in the chain.",
	Remedy:     "Look at the root, not at the waiters.",
	Next:       "!thread <root>",
	References: []string{"Microsoft Learn: !locks (!kdext*.locks)"},
}

func init() {
	register(blockedChain, func(d *diagnosis) []Finding {
		return d.eachRoot(func(r waitgraph.Root, t *threads.Thread, a kd.Addr) *Finding {
			return d.chainFinding(r, t, a)
		})
	})
}

func (d *diagnosis) chainFinding(r waitgraph.Root, t *threads.Thread, a kd.Addr) *Finding {
	f := d.rootFinding(blockedChain, BlockedChain, r, a)
	f.Chain = d.steps(r.Chain)
	for i := len(f.Chain) - 1; i >= 0; i-- {
		f.Threads = append(f.Threads, f.Chain[i].Thread)
	}
	for i := len(r.Chain) - 1; i >= 0 && i >= len(r.Chain)-8; i-- {
		d.seenEdge(f, d.graph.Edges[r.Chain[i]])
	}
	f.Bystanders, _ = d.behind(a)
	f.Summary = fmt.Sprintf("%s behind %s, the root of the chain: %s.", capital(waits(r.Blocked, "thread")), d.thread(a), d.rootState(t))
	f.Explanation = fmt.Sprintf("The longest way from a waiting thread to the root has %s. No cycle closes on it.", plural(len(f.Chain), "hop"))
	if t == nil || len(t.Stack.Frames) == 0 {
		f.Next = []string{"!thread " + d.addr(a)}
	} else if waitsForResource(t) {
		f.Next = []string{"!locks"}
	}
	return f
}

// rootState says in words what a root does.
func (d *diagnosis) rootState(t *threads.Thread) string {
	switch {
	case t == nil || !t.Header && len(t.Stack.Frames) == 0:
		return "what it does is not in the input"
	case waitsForResource(t):
		return "it waits for a resource that no list in the input names"
	}
	if why, _ := userModeWait(t); why != "" {
		return why
	}
	if isIdleWorker(t) {
		return "it is a system worker that waits for work"
	}
	if why, _ := ioWait(t); why != "" {
		return why
	}
	if t.State == threads.Waiting {
		s := "it waits"
		if t.WaitReason != "" {
			s += " (" + t.WaitReason + ")"
		}
		if len(t.WaitObjects) > 0 {
			s += " for a " + t.WaitObjects[0].Kind
		}
		return s
	}
	return "its state is " + t.State.String()
}

// hot is the contention count from which a lock is called contended; the
// count runs since boot, so it proves nothing alone.
const hot = 10_000

var contention = &Check{
	ID:       "contention",
	Title:    "Lock is contended and moves",
	Severity: Low,
	Means: `The contention count of an ERESOURCE is high and its owner runs or is ready: the lock changes hands all the time. That costs time and is no deadlock.
Seen must be: the count, and the owner's state in its THREAD block.`,
	WhenWrong:  `The count is kept since boot: a high one may be old. The owner's state may be the debugger's doing.`,
	Disproof:   "Two captures show the same count.",
	Remedy:     "See what the owner does and how often it takes the lock.",
	Next:       "!locks, twice, some seconds apart",
	References: []string{"Microsoft Learn: !locks (!kdext*.locks)"},
}

func init() {
	register(contention, func(d *diagnosis) []Finding {
		return d.eachOwner(func(r *snapshot.Resource, o *snapshot.Owner) *Finding {
			t := d.snap.Thread(o.Thread)
			if r.Contention.N < hot || r.Mode == locks.Unowned || t == nil || o.Live == threads.No {
				return nil
			}
			switch t.State {
			case threads.Running, threads.Ready, threads.Standby, threads.DeferredReady:
				return d.contentionFinding(r, o, t)
			}
			return nil
		})
	})
}

func (d *diagnosis) contentionFinding(r *snapshot.Resource, o *snapshot.Owner, t *threads.Thread) *Finding {
	f := contention.finding(Contention)
	f.Confidence, f.Grade = Likely, ownerGradeOf(r, o)
	f.Threads, f.Resources = []kd.Addr{o.Thread}, []kd.Addr{r.Addr}
	f.Bystanders, f.Blocked = d.behind(o.Thread)
	f.seenLock(r)
	f.seen(o.At, o.Raw, "the owner entry")
	f.seen(t.At, t.Addr, "state of the owner")
	f.Summary = fmt.Sprintf("%s is contended (%d times since boot) and moves: its owner, %s, is %s.", d.lock(r.Addr), r.Contention.N, d.thread(o.Thread), t.State)
	f.Explanation = fmt.Sprintf("%s. An owner that is %s is not held by this lock.", capital(plural(r.Waiting(), "waiter")+" at the moment of the capture"), t.State)
	f.Next = []string{"!locks " + d.addr(r.Addr)}
	return &f
}
