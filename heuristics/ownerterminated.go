package heuristics

import (
	"fmt"
	"strings"

	"kdlocks/kd"
	"kdlocks/snapshot"
	"kdlocks/stacks"
	"kdlocks/threads"
	"kdlocks/waitgraph"
)

var ownerTerminated = &Check{
	ID:       "owner-terminated",
	Title:    "Lock is owned by a thread that has terminated",
	Severity: Critical,
	Means: `A THREAD block says that the owner of an ERESOURCE has terminated. It never releases; whoever waits, waits for ever.
Seen must be: the owner entry and the state TERMINATED in the thread's own block.`,
	WhenWrong:  `The address was given to a new thread and the block is of another moment than the list.`,
	Disproof:   "!thread shows the owner in another state.",
	Remedy:     "Find the driver whose thread left without releasing: Driver Verifier stops the system at the moment a thread exits with a resource.",
	Next:       "!thread <owner>",
	References: []string{"Microsoft Learn: Bug Check 0x13C, INVALID_IO_BOOST_STATE"},
}

func init() {
	register(ownerTerminated, func(d *diagnosis) []Finding {
		out := d.eachOwner(func(r *snapshot.Resource, o *snapshot.Owner) *Finding {
			if b := d.snap.Brief(o.Thread); b != nil && b.State != threads.Terminated {
				return nil
			}
			if t := d.snap.Thread(o.Thread); t != nil && t.State == threads.Terminated && o.Live != threads.No {
				return d.terminatedFinding(r, o)
			}
			return nil
		})
		terminated := func(b *threads.Brief) bool { return b.State == threads.Terminated }
		return append(out, d.eachRoot(terminated, func(r waitgraph.Root, t *threads.Thread, _ kd.Addr) *Finding {
			if t == nil || t.State != threads.Terminated {
				return nil
			}
			return d.terminatedRoot(r, t)
		})...)
	})
}

// terminatedRoot tells of a root that has terminated and is printed as the owner
// of another lock than an ERESOURCE, nil if it owns none. The kernel gives up the
// mutants of a thread that ends, and wakes who waits for them with
// STATUS_ABANDONED (Microsoft Learn: KeWaitForSingleObject): one that is still
// owned tells of two moments first.
func (d *diagnosis) terminatedRoot(r waitgraph.Root, t *threads.Thread) *Finding {
	var lock waitgraph.Node
	for _, e := range d.graph.In[r.Node] {
		edge := d.graph.Edges[e]
		gate := d.graph.Nodes[edge.From]
		if edge.Owner != nil || gate.Resource != nil || !gate.What.IsLock() || edge.Guess {
			continue
		}
		lock = gate
		break
	}
	if lock.What == "" {
		return nil
	}
	f := d.rootFinding(ownerTerminated, BlockedChain, r, t.Addr)
	f.Severity, f.Confidence = High, Possible
	what := "a " + string(lock.What)
	if lock.Addr != 0 {
		what = string(lock.What) + " " + d.addr(lock.Addr)
	}
	f.Summary = fmt.Sprintf("%s behind %s, which is printed as terminated and as the owner of %s.", capital(waits(r.Blocked, "thread")), d.thread(t.Addr), what)
	f.Explanation = fmt.Sprintf("The THREAD block of the owner (line %d) says terminated. A thread that is gone releases nothing.", t.At.Line)
	if lock.What == waitgraph.Mutant {
		f.Explanation += " But the kernel gives up the mutants of a thread that ends, and wakes who waits for them: if both blocks are of one moment, the thread was just ending; if not, the owner is a newer thread, or none."
	}
	f.Remedy = "Print the waiting thread and the owner again, from one moment. If it stays so, find who started the owner, and what ended it while it owned the lock."
	f.Disproof = "!thread shows the owner in another state, or the waiter with another owner."
	f.Suspect = startSuspect(t)
	d.drawChain(f, r)
	f.Next = []string{"!thread " + d.addr(t.Addr)}
	for _, s := range f.Chain {
		if s.HeldBy == t.Addr && s.Thread != 0 {
			f.Next = append(f.Next, "!thread "+d.addr(s.Thread))
		}
	}
	return f
}

func (d *diagnosis) terminatedFinding(r *snapshot.Resource, o *snapshot.Owner) *Finding {
	f := ownerTerminated.finding(OrphanedLock)
	f.Grade = ownerGradeOf(r, o)
	f.Confidence = confidenceOf(f.Grade)
	f.Threads, f.Resources = []kd.Addr{o.Thread}, []kd.Addr{r.Addr}
	f.Bystanders, f.Blocked = d.behind(o.Thread)
	f.seenLock(r)
	d.seenOwner(&f, o)
	t := d.snap.Thread(o.Thread)
	f.seen(t.At, t.Addr, "the owner has terminated")
	f.Summary = fmt.Sprintf("Orphaned lock: %s is owned by %s, which has terminated.", d.lock(r.Addr), d.thread(o.Thread))
	if f.Blocked > 0 {
		f.Summary += fmt.Sprintf(" %s behind it for ever.", waits(f.Blocked, "thread"))
	}
	f.Explanation = fmt.Sprintf("The owner list names %s, and its own THREAD block (line %d) says terminated. A thread that is gone releases nothing.", d.thread(o.Thread), t.At.Line)
	f.Suspect = startSuspect(t)
	if o.Pointer {
		f.Confidence, f.Grade = Possible, waitgraph.D
		f.Summary = fmt.Sprintf("Orphaned lock, perhaps: the owner pointer of %s lies on the stack of %s, which has terminated.", d.lock(r.Addr), d.thread(o.Thread))
		f.Explanation = fmt.Sprintf("The owner entry is no thread but %s, an address on the stack of %s, and its own THREAD block (line %d) says terminated. A driver set it with ExSetResourceOwnerPointer; any thread that kept the value can still release the lock with it.", d.addr(o.Raw), d.thread(o.Thread), t.At.Line)
		f.Disproof = "A thread releases the lock with the value of the owner entry: a second capture shows the lock free, or with another owner."
	}
	if t.Conflict != "" || r.Conflict != "" {
		f.Kind, f.Severity, f.Confidence, f.Grade = Undecided, High, Possible, waitgraph.D
		f.Summary = fmt.Sprintf("Undecided: %s is owned by %s, which is printed as terminated, but the input is of two moments there.", d.lock(r.Addr), d.thread(o.Thread))
		f.Explanation += " But it was printed at two moments: the list may be older than its end."
		d.gap(kd.Gap{What: "whether " + d.thread(o.Thread) + " still owns " + d.lock(r.Addr), Why: kd.Ambiguous, Next: "!locks -v " + d.addr(r.Addr), Decides: true})
	}
	f.Next = []string{"!thread " + d.addr(o.Thread)}
	return &f
}

// startSuspect blames the module a dead thread was started in, if it is not
// part of Windows.
func startSuspect(t *threads.Thread) *Suspect {
	module, _, ok := strings.Cut(t.StartAddress, "!")
	if !ok || stacks.OfWindows(module) || strings.ContainsAny(module, " \t") {
		return nil
	}
	return &Suspect{Module: module, Reason: "the terminated owner was started at " + t.StartAddress}
}
