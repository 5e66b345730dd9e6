package heuristics

import (
	"strings"

	"kdlocks/collect"
	"kdlocks/kd"
	"kdlocks/snapshot"
)

// collected tells what is missing of a log that the script of kdlocks collect
// was to fill, and of the script where nearly everything is missing; a dump tells itself what it
// lacks.
func (d *diagnosis) collected() {
	if s := d.snap; !s.OnlyCounters() && !s.HasLocks && s.ThreadCount() == 0 && len(s.Resources) == 0 && len(s.Collected) == 0 && len(s.Gaps) == 0 && !ofHeaps(s) && !s.UserMode() {
		d.notes = append(d.notes, kd.Note{Text: "neither locks nor threads are in the input: kdlocks collect prints a debugger script that gathers both, and all else that is looked at"})
	}
	lost := collect.LostBy(d.snap.Collected)
	if !lost.At.Known() {
		return
	}
	rest := lost.Commands
	if lost.Within != "" {
		rest = append([]string{"the end of " + lost.Within}, rest...)
	}
	next := lost.Within
	if next == "" {
		next = lost.Commands[0]
	}
	d.notes = append(d.notes, kd.Note{At: lost.At, Text: "the log was cut behind this mark of kdlocks collect: its end is missing"})
	d.gap(kd.Gap{What: "what was to be collected: " + strings.Join(rest, ", "), Why: kd.CutShort, Next: next})
}

// ofHeaps reports whether a session tells of the heaps of a process, which no
// debugger printed.
func ofHeaps(s *snapshot.Snapshot) bool {
	return len(s.Memory.HeapLogs)+len(s.Memory.HeapDiffs) > 0 && s.OnlyContext()
}
