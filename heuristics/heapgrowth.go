package heuristics

import (
	"cmp"
	"fmt"
	"strings"

	"kdlocks/kd"
	"kdlocks/memory"
	"kdlocks/snapshot"
	"kdlocks/waitgraph"
)

var heapGrowth = &Check{
	ID:       "heap-growth",
	Title:    "Memory of a heap grows through some call stacks",
	Severity: Medium,
	Means: `Between two logs of the heaps of one process, what was allocated through a call stack and not freed became more. The finding names the call stacks that grew most, and the module of each: that of the first frame which is neither of Windows nor of a run-time library nor an allocator (operator new, malloc).
Seen must be: two logs of dh or umdh of one run of the process, or what dhcmp or umdh prints of two; a back trace that grew by a page (4096 bytes) and more in at least two allocations, and by 64 KB or a thousandth of what the heaps hold; and heaps that grew as a whole, or a back trace that grew in each step between three logs and more, and did not slow down in the last one to less than a quarter. It is likely a leak only if the logs are 24 hours apart, both have the back trace with its frames, and it grew by 1 MB and a hundredth of what the heaps hold.`,
	WhenWrong:  `A cache fills. The first 24 hours of use prove nothing where a program keeps data for that long, as IIS does; so what is seen in less than 24 hours, or in a time that is not known, is no more than possible. A program that has more to do holds more. Who allocated is not always who should free: the module may hand the memory to its caller.`,
	Disproof:   "A later log shows the back trace no larger, or smaller.",
	Remedy:     "Look at what the named function allocates and who is to free it; a later version of the module may be fixed. Take a third log: a leak goes on growing, a cache stops.",
	Next:       "umdh -p:<PID> -f:<file>",
	References: []string{"Microsoft KB253706: How To Isolate and Identify the Source of Inetinfo or Other Process Memory Leaks", "Microsoft KB268343: Umdhtools.exe: How to Use Umdh.exe to Find Memory Leaks", "Microsoft Learn: Using UMDH to Find a User-Mode Memory Leak"},
}

// mostNamed bounds the back traces that a finding names.
const mostNamed = 5

func init() {
	register(heapGrowth, func(d *diagnosis) []Finding {
		var out []Finding
		for _, g := range d.snap.Heaps {
			if grown := grownTraces(g); len(grown) > 0 {
				out = append(out, d.heapGrowthFinding(g, grown))
			}
		}
		return out
	})
}

// grownTraces returns the back traces that grew so that it may be a leak, most
// first.
func grownTraces(g *snapshot.HeapGrowth) []*snapshot.HeapTrace {
	var out []*snapshot.HeapTrace
	for i := range g.Grown {
		if t := &g.Grown[i]; g.Weigh(t) > snapshot.HeapNothing {
			out = append(out, t)
		}
	}
	// What both logs have comes before what one of them may have lost.
	kd.SortStable(out, func(a, b *snapshot.HeapTrace) int { return cmp.Compare(doubt(a), doubt(b)) })
	return out
}

func doubt(t *snapshot.HeapTrace) int {
	if t.Doubted {
		return 1
	}
	return 0
}

func (d *diagnosis) heapGrowthFinding(g *snapshot.HeapGrowth, grown []*snapshot.HeapTrace) Finding {
	f := heapGrowth.finding(MemoryLeak)
	f.Confidence, f.Grade = Possible, waitgraph.B
	top := grown[0]
	if g.AssumedOrder || g.BasisAssumed || top.Doubted || !g.SameRun() {
		f.Grade = waitgraph.D
	} else if g.Weigh(top) == snapshot.HeapLikely {
		f.Confidence = Likely
	}
	d.askWhole(g, top)
	if f.Confidence == Possible && d.toldOfLocks() {
		f.Kind = Context
	}
	who, by, found := "", "", false
	var a snapshot.Allocator
	if a, found = snapshot.AllocatorOf(top.Frames, top.Log); found {
		by, who = allocatedBy(a)
		f.Suspect = suspectOf(a, top)
		f.Grade = max(f.Grade, waitgraph.C)
	} else {
		who = d.askFrames(&f, g, top)
	}
	f.Summary = fmt.Sprintf("BackTrace%s of %s grew by %s%s%s; %s.", top.ID, heapsOf(g), sizes(top), shareOf(g, top), by, who)
	f.Explanation = heapExplanation(g, grown)
	for _, t := range grown[:min(len(grown), mostNamed)] {
		f.seenGrowth(g, t)
	}
	f.seenLogs(g)
	if len(f.Next) == 0 {
		f.Next = append(f.Next, logHeaps(g.Of, g, "later.txt"))
	}
	if found && a.Function == "" {
		f.Next = append(f.Next, compareLogs(g))
	}
	return f
}

// toldOfLocks reports whether the session tells of anything but memory and modules.
func (d *diagnosis) toldOfLocks() bool { return !d.snap.OnlyContext() }

// heapsOf names the process whose heaps were compared.
func heapsOf(g *snapshot.HeapGrowth) string {
	if g.Of == nil {
		return "the process"
	}
	return processOf(g.Of)
}

func processOf(l *memory.HeapLog) string {
	switch {
	case l.Image != "" && l.PID.Known():
		return fmt.Sprintf("%s (PID %d)", l.Image, l.PID.N)
	case l.Image != "":
		return l.Image
	case l.PID.Known():
		return fmt.Sprintf("the process with PID %d", l.PID.N)
	}
	return "the process"
}

// sizes says in words by how much a back trace grew.
func sizes(t *snapshot.HeapTrace) string {
	text := fmt.Sprintf("%d bytes", t.Bytes.Delta.N)
	if a := t.Allocs; a.Delta.Known() {
		text += fmt.Sprintf(" and %s", kd.Plural(int(a.Delta.N), "allocation"))
	}
	if b := t.Bytes; b.Before.Known() && b.After.Known() {
		text += fmt.Sprintf(" (from %d to %d bytes)", b.Before.N, b.After.N)
	}
	return text
}

func shareOf(g *snapshot.HeapGrowth, t *snapshot.HeapTrace) string {
	share, ok := g.Share(t)
	if !ok {
		return ""
	}
	return ", " + strings.TrimSuffix(fmt.Sprintf("%.1f", share), ".0") + " % of all that grew"
}

// allocatedBy says who allocated: of a module of Windows that it is one.
func allocatedBy(a snapshot.Allocator) (by, who string) {
	name := a.Module
	if a.Function != "" {
		name += "!" + a.Function
	}
	switch {
	case a.Windows:
		return ", through " + name, "all frames are of Windows or of servers of Microsoft, so that the program which asked for it is not seen"
	case a.Nameless > 0:
		return "", fmt.Sprintf("%s is the first of its callers that is known, below %s of unknown modules", name, kd.Plural(a.Nameless, "frame"))
	}
	return "", name + " allocated it"
}

func suspectOf(a snapshot.Allocator, t *snapshot.HeapTrace) *Suspect {
	s := &Suspect{Module: a.Module, Reason: fmt.Sprintf("it is the first module in BackTrace%s that is neither of Windows, nor of a server of Microsoft, nor of a run-time library", t.ID)}
	if a.Windows {
		s.Reason = fmt.Sprintf("it is the first module in BackTrace%s that is no allocator; all are of Windows, of servers of Microsoft or of a run-time library", t.ID)
	}
	if a.Nameless > 0 {
		s.Reason += fmt.Sprintf("; no module is known of %s above it", kd.Plural(a.Nameless, "frame"))
	}
	s.frames = []Evidence{{At: a.At, Why: "who allocated it"}}
	return s
}

// askWhole asks for what tells the order of the logs, and for an earlier log that
// is not cut.
func (d *diagnosis) askWhole(g *snapshot.HeapGrowth, top *snapshot.HeapTrace) {
	if g.AssumedOrder {
		d.gap(kd.Gap{What: "which log of the heaps is the earlier: the times of both, or what is printed of them as a comparison", Why: kd.NotInInput, Next: comparedInDecimal(g), Decides: top == nil && !d.toldOfLocks()})
	}
	if g.From != nil && (g.Lost > 0 || top != nil && top.Doubted) {
		d.gap(kd.Gap{What: "the logs of the heaps again, as whole files: what only one of them has may be cut off in the other", Why: kd.NotInInput, Next: logHeaps(g.Of, g, "before.txt"), Decides: !d.toldOfLocks()})
	}
}

// askFrames says that no module can be named, and asks for what would name it.
func (d *diagnosis) askFrames(f *Finding, g *snapshot.HeapGrowth, t *snapshot.HeapTrace) string {
	next := compareLogs(g)
	if len(t.Frames) == 0 {
		d.gap(kd.Gap{What: fmt.Sprintf("the frames of BackTrace%s, which tell the module that allocated it: after.txt has them, too", t.ID), Why: kd.NotInInput, Next: next})
		f.Next = append(f.Next, next)
		return "its frames are not in the input, so that the module is not known"
	}
	d.gap(kd.Gap{What: fmt.Sprintf("which modules the frames of BackTrace%s are of: they are addresses, and no list of modules stands in the log", t.ID), Why: kd.NotInInput, Next: next})
	f.Next = append(f.Next, next)
	return "its frames are addresses alone, so that the module is not known"
}

// compareLogs is the command that prints the frames of a comparison: with the path of
// symbols set, umdh resolves addresses at that time (Microsoft Learn: UMDH).
func compareLogs(g *snapshot.HeapGrowth) string {
	tool := "dhcmp"
	if g.Of != nil && g.Of.Time != "" || strings.HasPrefix(strings.ToLower(g.Command), "umdh") {
		tool = "umdh"
	}
	for i := range g.Rows[:min(len(g.Rows), mostNamed)] {
		if g.From == nil && g.Rows[i].Allocs.Delta.Known() {
			tool = "umdh"
		}
	}
	return tool + " -v before.txt after.txt"
}

// comparedInDecimal is the command that prints which of two logs holds more: the one that
// KB253706 has.
func comparedInDecimal(g *snapshot.HeapGrowth) string {
	return strings.Replace(compareLogs(g), " -v ", " -d ", 1)
}

// logHeaps is the command that takes another log of a process.
func logHeaps(l *memory.HeapLog, g *snapshot.HeapGrowth, file string) string {
	pid := "PID"
	if l != nil && l.PID.Known() {
		pid = fmt.Sprint(l.PID.N)
	}
	if l != nil && (l.Time != "" || strings.HasPrefix(strings.ToLower(l.Command), "umdh")) || l == nil && g != nil && strings.HasPrefix(compareLogs(g), "umdh") {
		return fmt.Sprintf("umdh -p:%s -f:%s", pid, file)
	}
	return fmt.Sprintf("dh -p %s -f %s", pid, file)
}

// seenGrowth adds the places of a back trace's growth.
func (f *Finding) seenGrowth(g *snapshot.HeapGrowth, t *snapshot.HeapTrace) {
	f.seen(t.At, 0, fmt.Sprintf("BackTrace%s grew by %s", t.ID, sizes(t)))
	if g.From != nil && !t.New {
		f.seen(t.Bytes.Before.At, 0, fmt.Sprintf("what BackTrace%s had before", t.ID))
	}
	f.seen(t.Printed, 0, "the comparison that was printed tells the same")
	if a, ok := snapshot.AllocatorOf(t.Frames, t.Log); ok {
		f.seen(a.At, 0, "who allocated it")
	}
}

// seenLogs adds where the logs begin that were compared, or the printed total.
func (f *Finding) seenLogs(g *snapshot.HeapGrowth) {
	if g.From == nil {
		f.seen(g.Total.At, 0, "the increase of all")
		return
	}
	f.seen(g.From.At, 0, "the earlier log")
	f.seen(g.To.At, 0, "the later log")
}

// heapExplanation says what the growth rests on, and what it does not prove.
func heapExplanation(g *snapshot.HeapGrowth, grown []*snapshot.HeapTrace) string {
	var b strings.Builder
	for _, t := range grown[1:min(len(grown), mostNamed)] {
		by := ""
		if a, ok := snapshot.AllocatorOf(t.Frames, t.Log); ok {
			by = " of " + a.Module
		}
		fmt.Fprintf(&b, "BackTrace%s%s grew by %s. ", t.ID, by, sizes(t))
	}
	if more := len(grown) - mostNamed; more > 0 {
		fmt.Fprintf(&b, "%s grew, too. ", kd.Plural(more, "more back trace"))
	}
	b.WriteString(timeBetween(g, grown[0]))
	b.WriteString(assumed(g))
	return b.String()
}

// timeBetween says how far the logs are apart, and what that means for caches.
func timeBetween(g *snapshot.HeapGrowth, top *snapshot.HeapTrace) string {
	text := ""
	switch {
	case g.Minutes < 0:
		text = "How far the logs are apart is not known: in the first 24 hours of use a cache fills, which looks the same (KB253706)."
	case g.Minutes < snapshot.HeapDay:
		text = fmt.Sprintf("The logs are %s apart: in the first 24 hours of use a cache fills, which looks the same (KB253706).", duration(g.Minutes))
	default:
		text = fmt.Sprintf("The logs are %s apart, no less than the 24 hours in which caches fill (KB253706); if the first was taken right at the start of the process, one may have filled in between all the same.", duration(g.Minutes))
	}
	if g.Steps > 1 {
		text += fmt.Sprintf(" Of the %d steps between %d logs it grew in %d.", g.Steps, g.Steps+1, top.Grew)
	}
	if top.Doubted {
		text += " Nothing tells that the earlier log lists all that there was: it may be cut, and have held as much."
	}
	return text
}

func duration(minutes int64) string {
	if minutes < 120 {
		return kd.Plural(int(minutes), "minute")
	}
	return kd.Plural(int(minutes/60), "hour")
}

// assumed says what was assumed.
func assumed(g *snapshot.HeapGrowth) string {
	text := ""
	if g.AssumedOrder {
		text += " Which log is the earlier is assumed from the order in which they were given: they do not tell their times."
	}
	if g.From == nil && g.BasisAssumed {
		text += " The numbers are taken for hexadecimal: " + g.Basis + "."
	} else if g.From == nil && g.Decimal {
		text += " The numbers are decimal: " + g.Basis + "."
	}
	if g.ByFrames > 0 {
		text += fmt.Sprintf(" %s another ID in the two logs and were matched by their frames.", kd.Plural(g.ByFrames, "back trace")+" have")
	}
	if !g.SameRun() {
		text += " No frames tell that the logs are of one run of the process, and the IDs of back traces hold only within one: they may stand for other call stacks in each."
	}
	if g.Bare >= snapshot.LeastHeapGrowth {
		text += fmt.Sprintf(" %d bytes more have no back trace.", g.Bare)
	}
	if g.Lost > 0 {
		text += fmt.Sprintf(" Of %s only one of the logs tells, and the other may be cut: what became of them is not known.", kd.Plural(g.Lost, "back trace"))
	}
	return text
}
