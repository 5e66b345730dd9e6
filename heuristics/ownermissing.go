package heuristics

import (
	"fmt"

	"kdlocks/kd"
	"kdlocks/threads"
	"kdlocks/waitgraph"
)

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
		return d.eachRoot(func(*threads.Brief) bool { return false }, func(r waitgraph.Root, t *threads.Thread, a kd.Addr) *Finding {
			if t != nil && t.Printed() {
				return nil
			}
			f := d.rootFinding(ownerMissing, Undecided, r, a)
			f.Confidence = Certain
			d.drawChain(f, r)
			next := "!thread " + d.addr(a)
			f.Summary = fmt.Sprintf("Undecided: %s behind %s, which the input does not show.", waits(r.Blocked, "thread"), d.thread(a))
			f.Explanation = "What was printed of the lock names the thread, but neither its THREAD block nor its stack is in the input, and no list shows that it waits."
			if said, ok := d.snap.Said(a); ok && said.Thread == 0 {
				d.goneOwner(f, a, said.At)
				return f
			}
			f.Next = []string{next}
			if open := d.openLock(a); open != nil {
				f.Explanation = "The owner list names the thread, but neither its THREAD block nor its stack is in the input: " + open.text + "."
				f.Next = []string{open.next, next}
				d.seenOpen(f, open)
			}
			d.gap(kd.Gap{What: "state and stack of " + d.thread(a), Why: kd.NotInInput, Next: next, Decides: true})
			return f
		})
	})
}

// goneOwner tells of an owner of which the debugger says that no thread is at
// its address. That is how an orphaned lock looks, but also memory that could
// not be read: the thread was not printed as terminated.
func (d *diagnosis) goneOwner(f *Finding, a kd.Addr, at kd.Ref) {
	f.Severity = High
	f.seen(at, a, "the debugger finds no thread there")
	next := "!pool " + d.addr(a)
	f.Summary = fmt.Sprintf("Undecided: %s behind %s, at which the debugger finds no thread any more: an orphaned lock, unless that memory could not be read.", waits(f.Blocked, "thread"), d.addr(a))
	f.Explanation = "The owner list names the address as a thread's, and the debugger says that no thread object is there. A thread that has ended releases nothing; but an address can also be unreadable in a dump, or belong to another moment."
	f.Next = []string{next}
	d.gap(kd.Gap{What: "what is at " + d.addr(a) + ", the owner's address", Why: kd.Unreadable, Next: next, Decides: true})
}
