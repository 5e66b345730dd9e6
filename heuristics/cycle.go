package heuristics

import (
	"fmt"
	"strings"

	"kdlocks/kd"
	"kdlocks/waitgraph"
)

var deadlockCycle = &Check{
	ID:       "deadlock-cycle",
	Title:    "Threads wait for each other in a cycle",
	Severity: Critical,
	Means: `Each thread of the cycle owns a lock that the thread before it waits for. None can go on. One of its ways can lead through a writer that is queued: an ERESOURCE refuses shared access behind a waiter for exclusive access, so that a thread that owns the lock shared waits for itself if it waits for another that asks for shared access now.
Seen must be: every owner and every waiter in the lists of one capture, or the owning thread of a mutant in a THREAD block or in the output of mex, or that of a fast or guarded mutex in the output of dt or mex. Of each group of entangled threads one shortest cycle is reported; the others of the group, and the threads that only wait behind it, are listed apart.`,
	WhenWrong:  `Two captures are mixed in one input. A thread address was reused. A list's <*> marks were misread (the report says when it had to reconcile them). A wait that times out by itself is never counted. An alertable wait can be ended by an APC: such a cycle is never certain.`,
	Disproof:   anotherOwner + " A changed wait time or context switch count of a thread that waits for an ERESOURCE proves nothing: such a wait is begun anew every few seconds. Of other waits a changed count speaks against the cycle.",
	Remedy:     "Only a restart frees the threads, unless one of them waits in user mode: such a wait ends with its process." + inOneOrder,
	Next:       "!thread <each thread of the cycle>",
	References: []string{"Microsoft Learn: !locks (!kdext*.locks)", "Microsoft Learn: Introduction to ERESOURCE Routines", "Microsoft Learn: ExAcquireResourceSharedLite", "openzfsonwindows/openzfs issue 544"},
}

func init() {
	register(deadlockCycle, func(d *diagnosis) []Finding {
		var out []Finding
		for _, k := range d.knots {
			if len(out) > MostFindings {
				break
			}
			if p, _ := d.shape(k); p == plainCycle {
				out = append(out, d.cycleFinding(k))
			}
		}
		return out
	})
}

// askAboutSteps returns the commands that print what a suspected cycle runs
// over: the messages and IRPs of which it is not known who must end the wait,
// else the lists again.
func (d *diagnosis) askAboutSteps(steps []Step) []string {
	var out []string
	for _, s := range steps {
		if s.Grade < waitgraph.D && !s.Guess {
			continue
		}
		switch s.What {
		case waitgraph.ALPCMessage:
			out = append(out, "!alpc /m "+d.addr(s.WaitsFor))
		case waitgraph.LPCMessage:
			out = append(out, fmt.Sprintf("!lpc message %x", uint64(s.WaitsFor)))
		case waitgraph.IRP:
			out = append(out, "!irp "+d.addr(s.WaitsFor))
		}
	}
	if len(out) == 0 {
		out = append(out, "!locks")
	}
	return out
}

// over counts what a cycle runs over.
func over(steps []Step, n int) string {
	for _, s := range steps {
		if !s.What.IsLock() {
			return kd.Plural(n, "object")
		}
	}
	return kd.Plural(n, "lock")
}

// mostTold bounds the hops of a cycle that the explanation spells out.
const mostTold = 8

func (d *diagnosis) cycleFinding(k knot) Finding {
	f := d.knotFinding(deadlockCycle, k)
	f.Suspect = d.suspectOf(f.Threads)
	if f.Kind == SuspectedDeadlock {
		f.Next = append(f.Next, d.askAboutSteps(f.Cycle)...)
	}
	f.Next = append(f.Next, d.nextForThreads(f.Threads)...)
	if f.Suspect != nil {
		f.Next = append(f.Next, "lmvm "+f.Suspect.Module)
	}
	f.Disproof = disproofOf(f.Cycle)
	if f.Kind == Deadlock {
		f.Remedy = d.remedyOf(f.Cycle)
	}
	f.Summary = d.cycleSummary(f)
	var b strings.Builder
	for i, s := range f.Cycle {
		if i == mostTold {
			fmt.Fprintf(&b, "So it goes on for %s more. ", kd.Plural(len(f.Cycle)-i, "thread"))
			break
		}
		fmt.Fprintf(&b, "%s waits for %s. ", capital(d.who(s.Thread)), d.hop(s))
	}
	b.WriteString(d.tellOtherWays(&f, k))
	if guess := d.guessed(f.Cycle); guess != "" {
		fmt.Fprintf(&b, "That is a guess: if %s, none of them can go on; if not, this is no cycle.", guess)
	} else if f.Grade == waitgraph.D {
		b.WriteString("If all of that is so, none of them can go on; it is not proven.")
	} else {
		b.WriteString("So none of them can go on.")
	}
	b.WriteString(d.writerPreference(f.Cycle))
	b.WriteString(d.tellAlertable(f.Cycle))
	f.Explanation = b.String()
	return f
}

// guessed says what a cycle takes for granted without knowing it, "" if nothing.
func (d *diagnosis) guessed(cycle []Step) string {
	var out []string
	for _, s := range cycle {
		switch {
		case !s.Guess:
		case s.What == waitgraph.IRP:
			out = append(out, d.who(s.HeldBy)+" must complete the IRP")
		default:
			out = append(out, d.who(s.HeldBy)+" is the one that must answer")
		}
		if len(out) == mostTold {
			break
		}
	}
	return strings.Join(out, " and ")
}

// guessedHop says what the thread of a step waits for, where it is not known
// who must end the wait.
func (d *diagnosis) guessedHop(s Step) string {
	if s.What == waitgraph.IRP {
		if has := d.hasIRP(s); has != "" {
			return fmt.Sprintf("%s, which stands on the stack of %s, too%s; a value on a stack may be stale", d.waitedFor(s), d.who(s.HeldBy), has)
		}
		return fmt.Sprintf("%s, which stands on the stack of %s, too: who must complete it, `!irp %s` tells", d.waitedFor(s), d.who(s.HeldBy), d.addr(s.WaitsFor))
	}
	process, command := "the server process", "!alpc /m "+d.addr(s.WaitsFor)
	if s.What == waitgraph.LPCMessage {
		command = fmt.Sprintf("!lpc message %x", uint64(s.WaitsFor))
	}
	if t := d.snap.Thread(s.HeldBy); t != nil && t.Process.Addr != 0 {
		process = "process " + d.addr(t.Process.Addr)
	}
	return fmt.Sprintf("the reply to %s: one of the threads of %s must answer; which one, `%s` tells; %s is one of them and is blocked", d.waitedFor(s), process, command, d.who(s.HeldBy))
}

// writerPreference names a cycle that runs through a queued exclusive waiter for
// what it is: its lock is owned shared, and shared access is refused only for
// the writer's sake. It is "" if there is none.
func (d *diagnosis) writerPreference(cycle []Step) string {
	for _, s := range cycle {
		if !s.Queued {
			continue
		}
		return fmt.Sprintf(" This is a deadlock by writer preference: %s is owned shared, and %s, which asks for shared access, waits only because %s is queued before it for exclusive access. Who owns a lock shared must not wait for a thread that asks for the same lock; ExAcquireSharedStarveExclusive passes queued writers.",
			d.waitedFor(s), d.who(s.Thread), d.who(s.HeldBy))
	}
	return ""
}

// who names the thread of a step.
func (d *diagnosis) who(a kd.Addr) string {
	if a == 0 {
		return "a waiter that is announced and not listed"
	}
	return d.thread(a)
}

// hop says what the thread of a step waits for, and who stands in its way.
func (d *diagnosis) hop(s Step) string {
	if s.Guess {
		return d.guessedHop(s)
	}
	switch s.What {
	case waitgraph.ThreadObject:
		return "the end of " + d.who(s.HeldBy)
	case waitgraph.ProcessObject:
		return fmt.Sprintf("the end of process %s, and %s is one of its threads", d.addr(s.WaitsFor), d.who(s.HeldBy))
	case waitgraph.ALPCMessage, waitgraph.LPCMessage:
		return fmt.Sprintf("the reply to %s, which %s must give", d.waitedFor(s), d.who(s.HeldBy))
	case waitgraph.IRP:
		return fmt.Sprintf("%s, which %s must complete%s", d.waitedFor(s), d.who(s.HeldBy), d.hasIRP(s))
	}
	return d.waitedFor(s) + ", which " + d.heldBy(s)
}

// hasIRP says by what it is known that the thread of a step works on an IRP.
func (d *diagnosis) hasIRP(s Step) string {
	p := d.printedIRP(s.WaitsFor)
	if p == nil {
		return ""
	}
	driver, _ := p.Driver()
	if driver == "" {
		return ""
	}
	return fmt.Sprintf(" (!irp shows it with %s, line %d)", driver, p.At.Line)
}

// heldBy says why HeldBy stands in the way: as an owner, or queued before.
func (d *diagnosis) heldBy(s Step) string {
	who := "an announced waiter that is not listed"
	if s.HeldBy != 0 {
		who = d.thread(s.HeldBy)
	}
	if s.Queued {
		return who + " waits for exclusively, queued before it"
	}
	if r := d.snap.Resource(s.WaitsFor); r != nil && d.foreignOwner(r, s.HeldBy) {
		return who + " owns through an owner pointer"
	}
	return who + " owns"
}

// waitedFor names the lock or object of a step.
func (d *diagnosis) waitedFor(s Step) string {
	if s.What == waitgraph.ERESOURCE {
		return d.lock(s.WaitsFor)
	}
	if s.WaitsFor == 0 {
		return "a " + string(s.What) + " whose address is not printed"
	}
	return string(s.What) + " " + d.addr(s.WaitsFor)
}

func (d *diagnosis) cycleSummary(f Finding) string {
	word := "Deadlock"
	switch {
	case f.Kind == SuspectedDeadlock:
		word = "Suspected deadlock, not proven"
	case f.Confidence == VeryLikely:
		word = "Deadlock, very likely"
	}
	who := kd.Plural(len(f.Threads), "thread")
	if guess := d.guessed(f.Cycle); guess != "" {
		who = "if " + guess + " (a guess), " + who
	}
	s := fmt.Sprintf("%s: %s wait for each other over %s%s.", word, who, over(f.Cycle, len(f.Resources)), d.members(f))
	if n := len(f.Others); n > 0 {
		s += fmt.Sprintf(" %s entangled with them.", isAre(n, "more thread"))
	}
	if n := f.Blocked - len(f.Others); n > 0 {
		s += fmt.Sprintf(" %s behind them.", waits(n, "other thread"))
	}
	if f.Suspect != nil {
		s += fmt.Sprintf(" Suspect: %s.", f.Suspect.Module)
	}
	return s
}

// members names the threads and locks of a small cycle.
func (d *diagnosis) members(f Finding) string {
	const most = 3
	if len(f.Cycle) > most {
		return ""
	}
	var out []string
	for _, s := range f.Cycle {
		out = append(out, fmt.Sprintf("%s for %s", d.who(s.Thread), d.waitedFor(s)))
	}
	return " (" + strings.Join(out, ", ") + ")"
}
