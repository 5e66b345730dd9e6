package heuristics

import (
	"cmp"
	"slices"

	"kdlocks/threads"
	"kdlocks/waitgraph"
)

// ageOfRoot finds out for how long the root of a chain has waited, and whether
// anything holds it up at all. How long it was idle tells nothing.
func (d *diagnosis) ageOfRoot(f *Finding) {
	f.age = -1
	if len(f.Threads) == 0 {
		return
	}
	t := d.snap.Thread(f.Threads[0])
	if t == nil {
		return
	}
	switch t.State {
	case threads.Waiting:
		if !waitsForResource(t) && !isIdleWorker(t) && !idlesInLoop(t) {
			f.age = t.WaitMS
		}
	case threads.Running, threads.Ready, threads.Standby, threads.DeferredReady:
		if f.turn == inTurn && f.Severity != High {
			f.turn = lastOfAll
		}
	}
}

// rank is the order of verdicts, weightiest first.
func rank(k Kind) int {
	return slices.Index([]Kind{Deadlock, Stall, OrphanedLock, MemoryExhausted, SuspectedDeadlock, Undecided, BlockedChain, MemoryLeak, Contention, NoLeak, NoDeadlock, Context}, k)
}

// weigh orders findings: by what they say of the system, then a thread that
// waits for itself before cycles, then deadlocks by evidence, then chains by
// what holds up their root, then by how many threads they block for how long,
// then the specific before the general.
func weigh(a, b Finding) int {
	return cmp.Or(
		cmp.Compare(rank(a.Kind), rank(b.Kind)),
		cmp.Compare(family(a), family(b)),
		cmp.Compare(proof(a), proof(b)),
		cmp.Compare(place(a), place(b)),
		cmp.Compare(weight(b), weight(a)),
		cmp.Compare(leak(a), leak(b)),
		cmp.Compare(b.Blocked, a.Blocked),
		cmp.Compare(specific(a), specific(b)),
	)
}

// leak orders leaks: bad ones first, then those that are sure.
func leak(f Finding) int {
	turn := 0
	if f.Kind == MemoryLeak && f.Severity != High {
		turn += 2
	}
	if f.Kind == MemoryLeak && f.Confidence == Possible {
		turn++
	}
	return turn
}

// place orders chains by their turn.
func place(f Finding) int {
	switch {
	case f.Kind != BlockedChain:
		return 0
	case f.turn == firstOfAll:
		return -1
	case f.turn == lastOfAll:
		return 1
	}
	return 0
}

// weight is how many threads a finding blocks, of a chain times the seconds that
// its root has waited: an unknown age counts as a minute, and beyond an hour it
// tells no more.
func weight(f Finding) int {
	if f.Kind != BlockedChain {
		return f.Blocked
	}
	age := f.age
	if age < 0 {
		age = 60_000
	}
	return f.Blocked * int(min(max(age/1000, 1), 3600))
}

// proof orders deadlocks by their evidence; A and B both prove a cycle.
func proof(f Finding) waitgraph.Grade {
	if f.Kind != Deadlock {
		return waitgraph.B
	}
	return max(f.Grade, waitgraph.B)
}

func family(f Finding) int {
	switch f.Check {
	case deadlockCycle:
		return 1
	case workerExhaustion:
		return -1
	}
	return 0
}

// specific puts the chain behind the finding that understands its root, and what
// names the slowest of many roots before them.
func specific(f Finding) int {
	switch {
	case f.Check == blockedChain:
		return 2
	case f.Check == ownerRunning, f.Check == stoppedByWatchdog:
		return 1
	case f.Check == teardownWaitsIO, f.Check == writerStarvation && len(f.Threads) > 0:
		return -1
	}
	return 0
}
