package heuristics

import (
	"cmp"
	"fmt"
	"slices"

	"kdlocks/kd"
	"kdlocks/memory"
	"kdlocks/snapshot"
	"kdlocks/waitgraph"
)

var heapOneLog = &Check{
	ID:       "heap-one-log",
	Title:    "One log of heaps shows no growth",
	Severity: Info,
	Means: `The input holds a log of the heaps of a process and nothing to compare it with. It says which call stacks hold most, and that is no leak: a program may need it.
Seen must be: a log of dh or umdh with back traces.`,
	WhenWrong:  `A leak at the start of a program may be plain in one log alone.`,
	Disproof:   "A second log of the same run of the process shows what grows.",
	Remedy:     "Wait for the growth to show and take a second log; give both.",
	Next:       "umdh -p:<PID> -f:<file>",
	References: heapGrowth.References,
}

func init() {
	register(heapOneLog, func(d *diagnosis) []Finding {
		logs := d.snap.Memory.HeapLogs
		if len(logs) == 0 || len(d.snap.Heaps) > 0 {
			return nil
		}
		last := logs[len(logs)-1]
		if last.Untraced() {
			d.gapOfTraces(last, "")
			return nil
		}
		return []Finding{d.heapOneLogFinding(last, len(logs))}
	})
}

func (d *diagnosis) heapOneLogFinding(l *memory.HeapLog, logs int) Finding {
	f := heapOneLog.finding(Undecided)
	f.Confidence, f.Grade = Certain, waitgraph.A
	next := logHeaps(l, nil, "after.txt")
	if f.Next = []string{next}; d.toldOfLocks() {
		f.Kind = Context
	} else {
		d.gap(kd.Gap{What: "a second log of the heaps of " + processOf(l) + ", which shows what grows", Why: kd.NotInInput, Next: next, Decides: true})
	}
	order := largest(l)
	top := order[0]
	f.Summary = fmt.Sprintf("One log of the heaps of %s tells no growth: what holds most is BackTrace%s with %s", processOf(l), top.ID, holds(top))
	if logs > 1 {
		f.Summary = fmt.Sprintf("%d logs of heaps cannot be compared, as the notes say: in the last, of %s, what holds most is BackTrace%s with %s", logs, processOf(l), top.ID, holds(top))
	}
	if a, ok := snapshot.AllocatorOf(top.Frames, l); ok {
		by, who := allocatedBy(a)
		f.Summary += by + "; " + who
		f.seen(a.At, 0, "who allocated it")
	}
	f.Summary += "."
	f.Explanation = "That is no leak: a second log of the same run of the process tells what grows."
	for _, t := range order[1:] {
		f.Explanation += fmt.Sprintf(" BackTrace%s holds %s.", t.ID, holds(t))
	}
	for _, t := range order {
		f.seen(t.At, 0, "what BackTrace"+t.ID+" holds")
	}
	return f
}

func holds(t *memory.BackTrace) string {
	return fmt.Sprintf("%d bytes in %s", t.Bytes.N, kd.Plural(int(t.Allocs.N), "allocation"))
}

// largest returns the back traces of a log that hold most, most first.
func largest(l *memory.HeapLog) []*memory.BackTrace {
	var out []*memory.BackTrace
	for i := range l.Traces {
		t := &l.Traces[i]
		if t.Nameless() || len(out) == mostNamed && t.Bytes.N <= out[mostNamed-1].Bytes.N {
			continue
		}
		at, _ := slices.BinarySearchFunc(out, t.Bytes.N, func(b *memory.BackTrace, n int64) int {
			if b.Bytes.N == n {
				return -1
			}
			return cmp.Compare(n, b.Bytes.N)
		})
		out = slices.Insert(out, at, t)
		out = out[:min(len(out), mostNamed)]
	}
	return out
}

// gapOfTraces says that a log has no back traces, and what has to be set for the
// process to have any (KB253706; Microsoft Learn: Preparing to Use UMDH).
func (d *diagnosis) gapOfTraces(l *memory.HeapLog, grown string) {
	image := "ImageName"
	if l != nil && l.Image != "" {
		image = l.Image
	}
	d.gap(kd.Gap{
		What: "a log with back traces: they are saved only for a process that was started with user-mode stack traces switched on (on Windows NT 4.0 GlobalFlag 23000, then a restart)" + grown,
		Why:  kd.NotInInput, Next: "gflags /i " + image + " +ust", Decides: !d.toldOfLocks(),
	})
}
