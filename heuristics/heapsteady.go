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
	Means: `Two logs of the heaps of one process were compared, and no call stack holds so much more in the later one that it may leak: none grew by a page (4096 bytes) in several allocations, or only by what is little in heaps of that size, or the heaps did not grow as a whole, or it stopped growing before the last log.
Seen must be: two logs of dh or umdh of one run of the process, or what dhcmp or umdh prints of two. That there is no leak is said only of logs that are 24 hours apart and more, where neither the heaps as a whole grew by a page nor any back trace by 64 KB.`,
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
	if g.AssumedOrder || g.BasisAssumed || !g.SameRun() {
		f.Grade = waitgraph.D
	}
	switch {
	case steady(g):
		f.Kind, f.Confidence = NoLeak, Likely
	case d.toldOfLocks():
		f.Kind = Context
	default:
		d.askLater(g, f.Next[0])
	}
	d.askWhole(g, nil)
	f.Summary = steadySummary(g)
	f.Explanation = "Looked for was a back trace that holds 4096 bytes more in at least two allocations, where the heaps grew as a whole."
	if len(g.Grown) > 0 {
		t := &g.Grown[0]
		f.Explanation += fmt.Sprintf(" What grew most is BackTrace%s, by %s.", t.ID, sizes(t))
		if t.Slowed {
			f.Explanation += fmt.Sprintf(" In the last of %d steps it changed by %d bytes, less than a quarter of its pace: so does a cache that is full.", g.Steps, t.Last.N)
		}
		f.seenGrowth(g, t)
	}
	if g.AssumedOrder && g.Total.Known() && g.Total.N < 0 {
		f.Explanation += " In the other order what shrank has grown."
	}
	f.Explanation += assumed(g)
	f.seenLogs(g)
	f.seen(g.At, 0, "what was compared")
	return f
}

// steady reports whether nothing grew that may hide a leak: all is known of both logs,
// and neither the heaps nor any back trace of them became larger in a day.
func steady(g *snapshot.HeapGrowth) bool {
	if !g.Total.Known() || g.Total.N >= snapshot.LeastHeapGrowth || g.Lost+g.Unread+g.Dropped > 0 || g.Minutes < snapshot.HeapDay || g.AssumedOrder || !g.SameRun() {
		return false
	}
	for i := range g.Rows {
		r := &g.Rows[i]
		if n := r.Bytes.Delta.N; n >= snapshot.SmallHeapGrowth || r.Doubted && max(n, -n) >= snapshot.LeastHeapGrowth {
			return false
		}
	}
	return true
}

// steadySummary says that nothing grew, or that what grew is not known.
func steadySummary(g *snapshot.HeapGrowth) string {
	switch {
	case g.Unread+g.Dropped > 0:
		return fmt.Sprintf("What grew in the heaps of %s is not known, since rows of the comparison are missing%s.", heapsOf(g), steadyTotal(g))
	case g.Lost > 0:
		return fmt.Sprintf("No back trace of %s that both logs have grew so that it may be a leak; of %s only one of the logs tells, and the other may be cut.", heapsOf(g), kd.Plural(g.Lost, "back trace"))
	}
	if g.Total.N >= snapshot.LeastHeapGrowth {
		return fmt.Sprintf("The heaps of %s grew by %d bytes, and no back trace so that it tells of a leak.", heapsOf(g), g.Total.N)
	}
	return fmt.Sprintf("No back trace of %s grew so that it may be a leak%s.", heapsOf(g), steadyTotal(g))
}

// askLater asks for what would decide.
func (d *diagnosis) askLater(g *snapshot.HeapGrowth, next string) {
	what := "how far the logs of the heaps are apart"
	switch {
	case g.Unread+g.Dropped > 0:
		what, next = "the comparison of the heaps with all of its rows", compareLogs(g)
	case g.Minutes >= snapshot.HeapDay:
		what = "another log of the heaps: what grew shows then whether it goes on"
	case g.Minutes >= 0:
		what = "a log of the heaps a day later: the two are " + duration(g.Minutes) + " apart"
	}
	d.gap(kd.Gap{What: what, Why: kd.NotInInput, Next: next, Decides: true})
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

// bareOf says how much of what grew has no back trace.
func bareOf(g *snapshot.HeapGrowth) string {
	if g.Bare == 0 {
		return ""
	}
	return fmt.Sprintf("; of %d bytes that the heaps grew by no back trace was saved, which is most of the growth, so that nothing tells who took them", g.Bare)
}

// askTraces reports whether what grew has no back traces, and asks for these.
func (d *diagnosis) askTraces(g *snapshot.HeapGrowth) bool {
	if !g.MostlyBare() && (g.Of == nil || !g.Of.Untraced()) {
		return false
	}
	d.gapOfTraces(g.Of, bareOf(g))
	return true
}
