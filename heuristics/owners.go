package heuristics

import (
	"fmt"
	"strings"

	"kdlocks/kd"
	"kdlocks/locks"
	"kdlocks/snapshot"
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
		return d.eachOwner(func(r *snapshot.Resource, o *snapshot.Owner) *Finding {
			if t := d.snap.Thread(o.Thread); t != nil && t.State == threads.Terminated && o.Live != threads.No {
				return d.terminatedFinding(r, o)
			}
			return nil
		})
	})
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
	f.Next = []string{"!thread " + d.addr(o.Thread)}
	return &f
}

// startSuspect blames the module a dead thread was started in, if it is not
// part of Windows.
func startSuspect(t *threads.Thread) *Suspect {
	module, _, ok := strings.Cut(t.StartAddress, "!")
	if !ok || isOS(module) || strings.ContainsAny(module, " \t") {
		return nil
	}
	return &Suspect{Module: module, Reason: "the terminated owner was started at " + t.StartAddress}
}

func ownerGradeOf(r *snapshot.Resource, o *snapshot.Owner) waitgraph.Grade {
	g := waitgraph.A
	if o.Pointer && o.How != snapshot.ByDebugger {
		g = waitgraph.B
	}
	if r.Reading == locks.Doubtful {
		g = waitgraph.C
	}
	return g
}

// behind returns the threads that wait behind one, and their number with those
// that are announced and not listed.
func (d *diagnosis) behind(thread kd.Addr) ([]kd.Addr, int) {
	n := d.graph.Find(thread)
	if n < 0 {
		return nil, 0
	}
	nodes, announced := d.graph.BlockedBy([]int{n})
	var out []kd.Addr
	for _, b := range nodes {
		out = append(out, d.graph.Nodes[b].Addr)
	}
	return out, len(out) + announced
}

var ownerMissing = &Check{
	ID:       "owner-missing",
	Title:    "Owner of a lock with waiters is not in the input",
	Severity: Medium,
	Means: `Threads wait behind an owner whose THREAD block and stack were not pasted. What the owner does, runs or waits or is gone, decides whether this is a hang.
Seen must be: the owner entry; the thread waits for nothing in the input.`,
	WhenWrong:  `Nothing is claimed beyond what is missing.`,
	Disproof:   "The thread's block is in the input under another spelling of its address.",
	Remedy:     "Type the next command: it decides.",
	Next:       "!thread <owner>",
	References: []string{"Microsoft Learn: !thread"},
}

func init() {
	register(ownerMissing, func(d *diagnosis) []Finding {
		return d.eachRoot(func(r waitgraph.Root, t *threads.Thread, a kd.Addr) *Finding {
			if t != nil && (t.Header || len(t.Stack.Frames) > 0) {
				return nil
			}
			f := d.rootFinding(ownerMissing, Undecided, r, a)
			f.Confidence = Certain
			next := "!thread " + d.addr(a)
			f.Summary = fmt.Sprintf("Undecided: %s behind %s, which the input does not show.", waits(r.Blocked, "thread"), d.thread(a))
			f.Explanation = "The owner list names the thread, but neither its THREAD block nor its stack is in the input, and it is in no waiter list."
			f.Next = []string{next}
			d.gap(kd.Gap{What: "state and stack of " + d.thread(a), Why: kd.NotInInput, Next: next, Decides: true})
			return f
		})
	})
}

// eachRoot collects findings over the threads at which wait chains end, those
// that block most first, up to one more than are kept.
func (d *diagnosis) eachRoot(find func(waitgraph.Root, *threads.Thread, kd.Addr) *Finding) []Finding {
	var out []Finding
	for _, r := range d.roots {
		n := d.graph.Nodes[r.Node]
		if len(out) > mostFindings {
			break
		}
		if n.Kind != waitgraph.Thread {
			continue
		}
		if f := find(r, d.snap.Thread(n.Addr), n.Addr); f != nil {
			out = append(out, *f)
		}
	}
	return out
}

// rootFinding starts a finding about the thread at the end of a chain.
func (d *diagnosis) rootFinding(c *Check, kind Kind, r waitgraph.Root, a kd.Addr) *Finding {
	f := c.finding(kind)
	f.Threads = []kd.Addr{a}
	f.Blocked = r.Blocked
	f.Grade = d.chainGrade(r)
	f.Confidence = Likely
	for _, e := range d.graph.In[r.Node] {
		edge := d.graph.Edges[e]
		gate := d.graph.Nodes[edge.From]
		if len(f.Resources) > 0 && f.Resources[len(f.Resources)-1] == gate.Addr {
			continue
		}
		f.Resources = append(f.Resources, gate.Addr)
		if gate.Resource != nil && len(f.Resources) <= 4 {
			f.seenLock(gate.Resource)
		}
		if edge.Owner != nil {
			d.seenOwner(&f, edge.Owner)
		} else {
			f.seen(edge.At, edge.About, "the owner of the mutant")
		}
	}
	if t := d.snap.Thread(a); t != nil {
		f.seen(t.At, t.Addr, "state of the owner")
	}
	return &f
}

func (d *diagnosis) chainGrade(r waitgraph.Root) waitgraph.Grade {
	g := waitgraph.A
	for _, e := range r.Chain {
		g = max(g, d.graph.Edges[e].Grade)
	}
	return g
}
