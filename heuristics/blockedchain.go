package heuristics

import (
	"fmt"

	"kdlocks/kd"
	"kdlocks/threads"
	"kdlocks/waitgraph"
)

var blockedChain = &Check{
	ID:       "blocked-chain",
	Title:    "Threads wait in a chain behind one root",
	Severity: Medium,
	Means: `Threads wait for locks whose owners wait for further locks, and so on to one thread that no owner in the input holds up: the root. No cycle closes. The root's own state says what the chain really waits for.
Seen must be: each owner and each waiter in the lists of one capture.`,
	WhenWrong:  `One capture is a photograph: a lock that is held with waiters is normal life if it moves.`,
	Disproof:   "A second capture shows other threads in the chain.",
	Remedy:     "Look at the root, not at the waiters.",
	Next:       "!thread <root>",
	References: []string{"Microsoft Learn: !locks (!kdext*.locks)"},
}

func init() {
	register(blockedChain, func(d *diagnosis) []Finding {
		return d.eachRoot(func(*threads.Brief) bool { return true }, func(r waitgraph.Root, t *threads.Thread, a kd.Addr) *Finding {
			return d.chainFinding(r, t, a)
		})
	})
}

func (d *diagnosis) chainFinding(r waitgraph.Root, t *threads.Thread, a kd.Addr) *Finding {
	f := d.rootFinding(blockedChain, BlockedChain, r, a)
	d.drawChain(f, r)
	d.gapsOfStates([]kd.Addr{a})
	open := d.openLock(a)
	state := d.rootState(t)
	if open != nil {
		state = open.text
	}
	f.Summary = fmt.Sprintf("%s behind %s, the root of the chain: %s.", capital(waits(r.Blocked, "thread")), d.thread(a), state)
	f.Explanation = fmt.Sprintf("The longest way from a waiting thread to the root has %s.", kd.Plural(len(f.Chain), "hop"))
	switch {
	case open != nil:
		f.Explanation += " No cycle closes on it as far as the input shows; who holds the root up is open, and a cycle may close there."
		d.seenOpen(f, open)
	case t != nil && ownerless(t) != threads.ForUnknown && !d.shownFree(t):
		f.Explanation += " No cycle closes in the input; over the lock that the root waits for, one may."
	default:
		f.Explanation += " No cycle closes on it."
	}
	if t != nil && d.ownerShown(t) {
		m := d.graph.ShownMutex(t)
		f.seen(m.At, m.Addr, "the mutex that dt was asked for")
		f.seen(m.Owner.At, m.Owner.Addr, "its owner")
	}
	if len(f.Chain) == 0 {
		f.Explanation = "Its waiters are announced by a count and not listed."
	}
	if t != nil && !t.OnProcessor() && !isIdleWorker(t) {
		f.Suspect = suspectOfWait(t)
	}
	f.Next = d.nextForRoot(f, t, a)
	if open != nil {
		f.Next = []string{open.next}
	}
	d.tellProcess(f, t)
	if s, _, _ := sortOf(t); s != nil && s != &rootSuspended && isYoung(t) {
		f.tellYoung(t)
	}
	return f
}

// nextForRoot asks for what is missing of a root: its block and stack, the lists,
// symbols, the owner of the lock that it waits for. None if nothing is.
func (d *diagnosis) nextForRoot(f *Finding, t *threads.Thread, a kd.Addr) []string {
	switch {
	case t == nil || !t.Header:
		return []string{"!thread " + d.addr(a)}
	case len(t.Stack.Frames) == 0:
		return d.askStack(t)
	case waitsForResource(t):
		return []string{d.askResource(t)}
	case withoutSymbols(t) != "":
		return []string{d.reload(withoutSymbols(t), t)}
	}
	if owner := d.askOwner(t); len(owner) > 0 || d.ownerShown(t) {
		return append(owner, d.lookAgain(f)...)
	}
	return nil
}

// drawnChain is the chain that leads to a root, and the threads behind it.
type drawnChain struct {
	steps           []Step
	threads, behind []kd.Addr
}

// mostDetailed bounds the chains of which every hop is shown in the evidence,
// of which the threads must be read whole.
const mostDetailed = 40

// drawChain gives a finding about a root the chain that leads to it, and the
// threads behind it.
func (d *diagnosis) drawChain(f *Finding, r waitgraph.Root) {
	root := f.Threads[0]
	c := d.chains[root]
	if c == nil {
		c = &drawnChain{steps: d.steps(r.Chain), threads: []kd.Addr{root}}
		for i := len(c.steps) - 1; i >= 0; i-- {
			if c.steps[i].Thread != 0 {
				c.threads = append(c.threads, c.steps[i].Thread)
			}
		}
		c.behind, _ = d.behind(root)
		d.chains[root] = c
	}
	f.Chain, f.Threads, f.Bystanders = c.steps, c.threads, c.behind
	if len(d.chains) > mostDetailed {
		return
	}
	for i := len(r.Chain) - 1; i >= 0 && i >= len(r.Chain)-8; i-- {
		d.seenEdge(f, d.graph.Edges[r.Chain[i]])
	}
}

// rootState says in words what a root does.
func (d *diagnosis) rootState(t *threads.Thread) string {
	switch {
	case t == nil || !t.Printed():
		return "what it does is not in the input"
	case waitsForResource(t):
		return "it waits for a resource that no list in the input names" + d.notOwn(t)
	}
	if why, _ := userModeWait(t); why != "" {
		return d.awaitedBy(t).inWords(why)
	}
	if sleeps(t) {
		return sleepText(t)
	}
	if isIdleWorker(t) {
		return "it is a system worker that waits for work"
	}
	if t.State == threads.Waiting && memoryReasons[t.WaitReason] && idlesInLoop(t) {
		return "it is a system thread that waits for work (" + t.WaitReason + ")"
	}
	if why, _ := ioWait(t); why != "" {
		return d.ioState(t, why)
	}
	if a := d.awaitedBy(t); a.text != "" && t.State == threads.Waiting {
		return a.text
	}
	if shown := d.shownOwner(t); shown != "" {
		return "it waits for " + ownerless(t).String() + "; " + shown
	}
	if what := ownerless(t); what != threads.ForUnknown {
		return "it waits for " + what.String() + " whose owner is not in the input"
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
	if at := innermost(t); t.State == threads.StateUnknown && at >= 0 {
		return "its state is not in the input, its stack stands in " + t.Stack.Frames[at].Name()
	}
	return "its state is " + t.State.String()
}
