package heuristics

import (
	"fmt"
	"slices"
	"strings"

	"kdlocks/kd"
	"kdlocks/waitgraph"
)

// Severity says how bad a finding is for the system.
type Severity string

// The severities, worst first.
const (
	Critical Severity = "critical"
	High     Severity = "high"
	Medium   Severity = "medium"
	Low      Severity = "low"
	Info     Severity = "info"
)

// Confidence says how sure a finding is, in words: the figures behind them
// are judgement and not measurement.
type Confidence string

// The confidences, surest first.
const (
	Certain    Confidence = "certain"
	VeryLikely Confidence = "very-likely"
	Likely     Confidence = "likely"
	Possible   Confidence = "possible"
)

// Kind is what a finding says of the system as a whole.
type Kind string

// The kinds of verdict.
const (
	Deadlock     Kind = "deadlock"
	Stall        Kind = "stall" // of a processor or bus: the locks are victims
	OrphanedLock Kind = "orphaned-lock"
	// MemoryExhausted is that the machine runs out of memory: locks are victims.
	MemoryExhausted   Kind = "memory-exhausted"
	SuspectedDeadlock Kind = "suspected-deadlock"
	// MemoryLeak is that the use of memory grows over time, and NoLeak that it was
	// looked at for long enough and does not.
	MemoryLeak   Kind = "memory-leak"
	BlockedChain Kind = "blocked-chain"
	Contention   Kind = "contention"
	NoLeak       Kind = "no-leak"
	NoDeadlock   Kind = "no-deadlock"
	Undecided    Kind = "undecided"
	// Context explains what others find, or says what a lock is: it is never a
	// verdict, and blocks nobody by itself.
	Context Kind = "context"
)

// Check is a detector with its documentation: what its findings mean, when
// they are wrong, and what settles them.
type Check struct {
	ID       string
	Title    string
	Severity Severity
	// Means says what a finding tells, and what must be seen for it.
	Means string
	// WhenWrong lists the traps.
	WhenWrong string
	// Disproof is the observation that would refute a finding.
	Disproof string
	// Remedy is what to do about it.
	Remedy string
	// Next is the form of the debugger command that settles or deepens it.
	Next       string
	References []string

	find func(*diagnosis) []Finding
}

// Step is one hop of a cycle or chain: a thread, the lock it waits for, and
// the thread that stands in its way.
type Step struct {
	Thread   kd.Addr
	WaitsFor kd.Addr
	What     waitgraph.What
	Grade    waitgraph.Grade // of the weaker of its two edges
	HeldBy   kd.Addr         // 0 when no thread could be named
	// Queued is set when HeldBy does not own the lock but waits for it
	// exclusively, before the thread.
	Queued bool
	// Guess is set when it is not known that HeldBy is the one that must end the
	// wait: one of the threads of the server, or one with the IRP on its stack.
	Guess bool
}

// Suspect is the module that an engineer should look at first.
type Suspect struct {
	Module string
	Reason string
	// set is true when the owner pointer belongs to one of its functions.
	set bool
	// frames are where it stands.
	frames []Evidence
}

// Evidence is a place in the input, the address it is about, and why it
// counts. The text at the place contains the address.
type Evidence struct {
	At   kd.Ref
	Addr kd.Addr
	Why  string
}

// Finding is what one Check found.
type Finding struct {
	Check      *Check
	Kind       Kind
	Severity   Severity
	Confidence Confidence
	Grade      waitgraph.Grade
	// Threads are the threads the finding is about: a cycle's members in its
	// order, a chain's root first.
	Threads   []kd.Addr
	Resources []kd.Addr
	Cycle     []Step
	// Chain leads from the thread that waits the furthest away to the root.
	Chain []Step
	// Others are further members of a cycle's component.
	Others []kd.Addr
	// Bystanders are threads that only wait behind Threads. Of them and of
	// Others no more than a thousand are named; Blocked counts all, and those
	// that are announced and not listed.
	Bystanders []kd.Addr
	Blocked    int
	// Groups are the stacks of the first Grouped of the Bystanders; of NoStack of
	// those the input has none.
	Groups  []StackGroup
	Grouped int
	NoStack int
	Suspect *Suspect
	// Summary is the finding in one sentence, Explanation the reasoning.
	Summary     string
	Explanation string
	Disproof    string
	Remedy      string
	Evidence    []Evidence
	Next        []string

	// Past is the number of the session, counted from 1, that shows that it has ended;
	// 0 if none does.
	Past int

	// turn orders chains: what the stop code names, then what holds up its root,
	// then a root that no lock holds up or that has just begun to wait.
	turn turn
	// age is how long the root of a chain has waited in milliseconds, -1 if that
	// is not known.
	age int64
}

type turn uint8

const (
	inTurn turn = iota
	firstOfAll
	lastOfAll
)

// checks are the detectors, filled by register and sorted by id.
var checks []*Check

// register adds a detector and what it does. A second one of the same id is a
// programming error and panics at start.
func register(c *Check, find func(*diagnosis) []Finding) {
	c.find = find
	at, found := slices.BinarySearchFunc(checks, c.ID, func(c *Check, id string) int { return strings.Compare(c.ID, id) })
	if found {
		panic(fmt.Sprintf("heuristics: check %s is registered twice", c.ID))
	}
	checks = slices.Insert(checks, at, c)
}

// Checks returns all detectors in the order of their ids.
func Checks() []*Check { return slices.Clone(checks) }

// Lookup returns the detector with an id, nil if there is none.
func Lookup(id string) *Check {
	for _, c := range checks {
		if c.ID == id {
			return c
		}
	}
	return nil
}

// finding starts a finding of the check with what its documentation gives.
func (c *Check) finding(kind Kind) Finding {
	return Finding{Check: c, Kind: kind, Severity: c.Severity, Disproof: c.Disproof, Remedy: c.Remedy}
}

// confidenceOf turns a grade into words.
func confidenceOf(g waitgraph.Grade) Confidence {
	switch g {
	case waitgraph.A, waitgraph.B:
		return Certain
	case waitgraph.C:
		return VeryLikely
	}
	return Possible
}

// Part is one headed piece of a Check's documentation.
type Part struct{ Head, Text string }

// Parts returns the documentation in the order in which it is shown.
func (c *Check) Parts() []Part {
	parts := []Part{
		{"What it means", c.Means},
		{"When it is wrong", c.WhenWrong},
		{"What would disprove it", c.Disproof},
		{"What to do", c.Remedy},
		{"Type next", c.Next},
	}
	if len(c.References) > 0 {
		parts = append(parts, Part{"References", strings.Join(c.References, "\n")})
	}
	return parts
}
