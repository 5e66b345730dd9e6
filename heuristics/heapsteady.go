package heuristics

import (
	"fmt"

	"kdlocks/kd"
	"kdlocks/snapshot"
	"kdlocks/waitgraph"
)

var heapSteady = &Check{
	ID:       "heap-steady",
	Title:    "The heaps of a process do not grow",
	Severity: Info,
	Means: `Two logs of the heaps of one process were compared, and no call stack holds so much more in the later one that it may leak: none grew by a page (4096 bytes) in several allocations, or the heaps did not grow as a whole.
Seen must be: two logs of dh or umdh of one run of the process, or what dhcmp or umdh prints of two. That there is no leak is said only of logs that are 24 hours apart and more.`,
	WhenWrong:  `The leak is slower than the logs are apart, or what leaks was not done between them; or it is not in the heaps: umdh sees neither VirtualAlloc nor handles, nor allocations that were made before traces were collected.`,
	Disproof:   "Private Bytes of the process go on growing in Performance Monitor, or a later log shows more.",
	Remedy:     "Take another log when the growth has shown; watch Private Bytes of the process meanwhile.",
	Next:       "umdh -p:<PID> -f:<file>",
	References: heapGrowth.References,
}

func init() {
	register(heapSteady, func(d *diagnosis) []Finding {
		var out []Finding
		for _, g := range d.snap.Heaps {
			if len(grownTraces(g)) == 0 && !d.askTraces(g) {
				out = append(out, d.heapSteadyFinding(g))
			}
		}
		return out
	})
}

func (d *diagnosis) heapSteadyFinding(g *snapshot.HeapGrowth) Finding {
	f := heapSteady.finding(Undecided)
	f.Confidence, f.Grade = Possible, waitgraph.B
	f.Next = []string{logHeaps(g.Of, g, "later.txt")}
	known := g.Total.Known() && g.Lost+g.Unread+g.Dropped == 0
	switch {
	case known && g.Minutes >= aDay && !g.AssumedOrder:
		f.Kind, f.Confidence = NoLeak, Likely
	case d.toldOfLocks():
		f.Kind = Context
	default:
		what := "how far the logs of the heaps are apart"
		if g.Minutes >= 0 {
			what = "a log of the heaps a day later: the two are " + duration(g.Minutes) + " apart"
		}
		d.gap(kd.Gap{What: what, Why: kd.NotInInput, Next: f.Next[0], Decides: true})
	}
	f.Summary = fmt.Sprintf("No back trace of %s grew so that it may be a leak%s.", heapsOf(g), steadyTotal(g))
	f.Explanation = "Looked for was a back trace that holds 4096 bytes more in at least two allocations, where the heaps grew as a whole."
	if len(g.Grown) > 0 {
		t := &g.Grown[0]
		f.Explanation += fmt.Sprintf(" What grew most is BackTrace%s, by %s.", t.ID, sizes(t))
		f.seenGrowth(g, t)
	}
	f.Explanation += assumed(g)
	f.seenLogs(g)
	f.seen(g.At, 0, "what was compared")
	return f
}

// steadyTotal says what the heaps did as a whole.
func steadyTotal(g *snapshot.HeapGrowth) string {
	switch n := g.Total.N; {
	case !g.Total.Known():
		return ""
	case n > 0:
		return fmt.Sprintf(": together they grew by %d bytes", n)
	case n < 0:
		return fmt.Sprintf(": together they shrank by %d bytes", -n)
	}
	return ": together they hold as much as before"
}

// askTraces reports whether what grew has no back traces, and asks for these.
func (d *diagnosis) askTraces(g *snapshot.HeapGrowth) bool {
	grown := len(g.Grown) > 0 && g.Grown[0].Nameless() && g.Grown[0].Bytes.Delta.N >= leastGrowth
	if !grown && (g.Of == nil || !g.Of.Untraced()) {
		return false
	}
	d.gapOfTraces(g.Of)
	return true
}
