package heuristics

import (
	"fmt"
	"slices"
	"strings"

	"kdlocks/threads"
	"kdlocks/waitgraph"
)

// rootSort is one way in which the thread at the end of a wait chain is held up
// by something else than a lock that the input shows.
type rootSort struct {
	check *Check
	// may reports, by a Brief alone, whether why can have something to say.
	may func(*threads.Brief) bool
	// why says what the thread waits for, "" if it is not of this sort, and the
	// frame that shows it, -1 if none does.
	why func(*threads.Thread) (text string, frame int)
}

// rootSorts are all sorts, the more special first: a root is of the first that
// fits.
var rootSorts = []*rootSort{
	&rootSuspended,
	&rootFilterReply,
	&rootUserMode,
	&rootMemory,
	&rootGPU,
	&rootRundown,
	&rootStorage,
	&rootDriver,
	&rootIO,
}

// sortOf returns the sort of a root, nil if nothing is known of its wait.
func sortOf(t *threads.Thread) (s *rootSort, why string, frame int) {
	if t == nil || isIdleWorker(t) || !t.Printed() {
		return nil, "", -1
	}
	for _, s := range rootSorts {
		if text, at := s.why(t); text != "" {
			return s, text, at
		}
	}
	return nil, "", -1
}

// sortRoots finds out what the roots wait for that block most threads, up to
// one more than are kept.
func (d *diagnosis) sortRoots() {
	d.sorted = make(map[*Check][]Finding)
	n := 0
	for _, r := range d.roots {
		node := d.graph.Nodes[r.Node]
		if node.Kind != waitgraph.Thread {
			continue
		}
		if n++; n > d.mostRoots()+1 {
			return
		}
		if b := d.snap.Brief(node.Addr); b != nil && !mayBeSorted(b) {
			continue
		}
		t := d.snap.Thread(node.Addr)
		if s, text, at := sortOf(t); s != nil {
			d.sorted[s.check] = append(d.sorted[s.check], *d.rootWaits(s.check, r, t, text, at))
		}
	}
}

func mayBeSorted(b *threads.Brief) bool {
	return slices.ContainsFunc(rootSorts, func(s *rootSort) bool { return s.may(b) })
}

// registerRoot adds a detector of roots of one sort.
func registerRoot(s *rootSort) {
	register(s.check, func(d *diagnosis) []Finding {
		if d.sorted == nil {
			d.sortRoots()
		}
		return d.sorted[s.check]
	})
}

// rootWaits is the finding about a root whose wait is understood.
func (d *diagnosis) rootWaits(c *Check, r waitgraph.Root, t *threads.Thread, text string, at int) *Finding {
	f := d.rootFinding(c, BlockedChain, r, t.Addr)
	if c == rootIO.check {
		text = d.ioState(t, text)
	}
	objects := d.awaitedBy(t)
	text = objects.inWords(text)
	what, idle := d.namedButIdle(r, t)
	if idle {
		text = "it is named as the thread that must answer " + what + ", but it is idle: it waits for the next message or for work, so the reply hangs elsewhere"
	}
	if _, _, ends := waitsToEnd(t); t.Timed() && objects.text == "" && !idle && !ends {
		text += "; the wait has a timer and ends by itself"
	}
	if at >= 0 {
		f.Grade = max(f.Grade, waitgraph.C)
		d.seenFrame(f, t, at, "what it waits in")
	}
	f.Summary = fmt.Sprintf("%s behind %s: %s.", capital(waits(r.Blocked, "thread")), d.thread(t.Addr), text)
	f.Explanation = d.beyondLocks(r, objects) + text + "." + ticksOf(t)
	d.drawChain(f, r)
	f.Suspect = suspectOfWait(t)
	f.Next = d.nextForWait(c, t)
	switch c {
	case rootIO.check, rootDriver.check, rootStorage.check:
		d.tellIRPs(f, t)
	case rootUserMode.check:
		d.tellMessage(f, t)
		if endsInProgram(t) {
			f.Remedy = "Look at the stack of the thread in user mode, and at what else its process does: whoever has a handle to the object may end such a wait."
		}
		d.tellAwaited(f, objects)
		d.tellProcess(f, t)
	}
	switch module := withoutSymbols(t); {
	case c == rootStorage.check:
		d.tellStorage(f, t)
	case c == rootDriver.check && module != "":
		f.Confidence, f.Grade = Possible, waitgraph.D
		f.Explanation += fmt.Sprintf(" The routine of %s that asked for the wait has no symbol: what it does for the driver is not known.", module)
		f.Next = append([]string{d.reload(module, t)}, f.Next...)
	}
	if idle {
		f.Confidence = Possible
		f.Remedy = "Look for who took the message over: another thread of the server process, or a process that it asked in turn. A server that lost the message answers it never."
		f.Disproof = "A second capture shows the thread at work on the message."
		if t.Process.Addr != 0 {
			f.Next = []string{fmt.Sprintf("!process %s 17", d.addr(t.Process.Addr))}
		}
	}
	if c != rootSuspended.check && !idle && isYoung(t) {
		f.tellYoung(t)
	}
	return f
}

// namedButIdle returns the message that a root must answer by what was printed
// of the message, though its own stack shows that it is idle.
func (d *diagnosis) namedButIdle(r waitgraph.Root, t *threads.Thread) (message string, idle bool) {
	if !waitgraph.Receives(t) {
		return "", false
	}
	for _, e := range d.graph.In[r.Node] {
		switch gate := d.graph.Nodes[d.graph.Edges[e].From]; gate.What {
		case waitgraph.ALPCMessage, waitgraph.LPCMessage:
			message = string(gate.What) + " " + d.addr(gate.Addr)
		default:
			return "", false // it owns something, too
		}
	}
	return message, message != ""
}

// isYoung reports whether a wait has lasted for less than a second and was not
// begun anew meanwhile: waits for an ERESOURCE are, and those that have a timer
// or a delay may be.
func isYoung(t *threads.Thread) bool {
	return t != nil && t.State == threads.Waiting && t.WaitMS >= 0 && t.WaitMS < youngMS && !t.Timed() && !waitsForResource(t) && t.WaitReason != "DelayExecution" && t.WaitReason != "WrDelayExecution"
}

// tellYoung lowers a finding about a root whose wait has just begun.
func (f *Finding) tellYoung(t *threads.Thread) {
	f.Severity, f.Confidence, f.turn = Low, Possible, lastOfAll
	f.Summary = strings.TrimSuffix(f.Summary, ".") + fmt.Sprintf(". The wait is %s old: the lock is held, and one photograph does not show that it hangs.", span(t.WaitMS))
	f.Explanation += " So short a wait is normal life."
}

// beyondLocks begins the explanation of a root that no lock holds up. One that
// a guess joins to others is told of in a suspected cycle, too.
func (d *diagnosis) beyondLocks(r waitgraph.Root, a awaited) string {
	if a.lock {
		return "What the owner of the lock waits for is no lock that must hold it up: "
	}
	for _, e := range d.graph.Out[r.Node] {
		if d.graph.Edges[e].Guess {
			return "Who must end the wait of the owner of the lock is not in the input, and that it hangs on one of these locks is no more than a guess, told as a suspected deadlock where it closes a cycle: "
		}
	}
	if t := d.snap.Thread(d.graph.Nodes[r.Node].Addr); t != nil {
		if _, idle := d.namedButIdle(r, t); idle {
			return "The thread at the end of the chain does not wait for any lock that the input shows: "
		}
	}
	return "The owner of the lock does not wait for any lock that the input shows: "
}

// reads makes the why of a sort from what wait functions it is about.
func reads(text string, fors ...threads.WaitFor) func(*threads.Thread) (string, int) {
	return func(t *threads.Thread) (string, int) {
		w := t.Waits()
		for _, f := range fors {
			if w.For == f && couldWait(t) {
				return text + " (" + t.Stack.Frames[w.Frame].Name() + ")", w.Frame
			}
		}
		return "", -1
	}
}
