package memory

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"kdlocks/kd"
)

// CompareHeaps compares the logs of each process, the first with the last. Logs that
// are not of one process, and of one run of it, are not compared; the notes say
// which. A log that was given twice counts once.
func CompareHeaps(logs []*HeapLog) ([]*HeapDiff, []kd.Note) {
	var out []*HeapDiff
	var notes []kd.Note
	groups, notes := byProcess(logs)
	for _, g := range groups {
		if len(g) < 2 {
			continue
		}
		assumed := !inTime(g)
		d, why := compareTwo(g[0], g[len(g)-1])
		if d == nil {
			notes = append(notes, kd.Note{At: g[len(g)-1].At, Text: "two logs of heaps are not compared: " + why})
			continue
		}
		d.AssumedOrder, d.Steps = assumed, len(g)-1
		d.countSteps(g)
		out = append(out, d)
	}
	return out, notes
}

// Reversed returns the comparison of the same logs the other way round.
func (d *HeapDiff) Reversed() *HeapDiff {
	out, _ := compareTwo(d.To, d.From)
	if out == nil {
		return d
	}
	out.AssumedOrder, out.Steps = d.AssumedOrder, d.Steps
	return out
}

// PartOf reports whether a printed comparison tells nothing that another does not:
// it was given twice, or a part of it.
func (d *HeapDiff) PartOf(o *HeapDiff) bool {
	if len(d.Rows) > len(o.Rows) || d.Total.Known() && (!o.Total.Known() || d.Total.N != o.Total.N) {
		return false
	}
	rows := make(map[string]*TraceChange, len(o.Rows))
	for i := range o.Rows {
		rows[TraceKey(o.Rows[i].ID)] = &o.Rows[i]
	}
	for i := range d.Rows {
		a := &d.Rows[i]
		b := rows[TraceKey(a.ID)]
		if b == nil || a.Bytes.Before.N != b.Bytes.Before.N || a.Bytes.After.N != b.Bytes.After.N || len(a.Frames) > 0 && len(b.Frames) == 0 {
			return false
		}
	}
	return len(d.Rows) > 0 || d.Total.Known()
}

// byProcess groups the logs by what they are of.
func byProcess(logs []*HeapLog) ([][]*HeapLog, []kd.Note) {
	var groups [][]*HeapLog
	var notes []kd.Note
	for _, l := range logs {
		if len(l.Traces) == 0 {
			continue
		}
		found, why := -1, ""
		for i, g := range groups {
			other := otherProcess(g[0], l)
			if other == "" {
				found = i
				break
			}
			why = other
		}
		switch {
		case found < 0:
			if why != "" {
				notes = append(notes, kd.Note{At: l.At, Text: "two logs of heaps are not compared: " + why})
			}
			groups = append(groups, []*HeapLog{l})
		case slices.ContainsFunc(groups[found], l.sameAs):
			notes = append(notes, kd.Note{At: l.At, Text: "a log of heaps was given twice: it counts once"})
		default:
			groups[found] = append(groups[found], l)
		}
	}
	return groups, notes
}

// otherProcess says why two logs are not of one process, "" if nothing tells so.
func otherProcess(a, b *HeapLog) string {
	switch {
	case a.PID.Known() && b.PID.Known() && a.PID.N != b.PID.N:
		return fmt.Sprintf("they are of two processes, PID %d and PID %d", a.PID.N, b.PID.N)
	case a.Image != "" && b.Image != "" && !strings.EqualFold(a.Image, b.Image):
		return fmt.Sprintf("they are of two programs, %s and %s", a.Image, b.Image)
	case a.Machine != "" && b.Machine != "" && !strings.EqualFold(a.Machine, b.Machine):
		return fmt.Sprintf("they are of two machines, %s and %s", a.Machine, b.Machine)
	}
	return ""
}

// sameAs reports whether two logs are one: taken at one time, or without any, with
// the same numbers.
func (h *HeapLog) sameAs(o *HeapLog) bool {
	return h.Time == o.Time && slices.EqualFunc(h.Traces, o.Traces, func(a, b BackTrace) bool {
		return a.ID == b.ID && a.Bytes.N == b.Bytes.N && a.Allocs.N == b.Allocs.N
	})
}

// inTime sorts logs by their times, and reports whether these tell their order.
func inTime(logs []*HeapLog) bool {
	minutes := make(map[*HeapLog]int64)
	seen := make(map[int64]bool)
	for _, l := range logs {
		m, ok := l.Minutes()
		if !ok || seen[m] {
			return false
		}
		minutes[l], seen[m] = m, true
	}
	kd.SortStable(logs, func(a, b *HeapLog) int { return cmp.Compare(minutes[a], minutes[b]) })
	return true
}

// compareTwo compares two logs of one process. Back traces are the same if they have
// the same ID and no other frames: IDs hold within one run of a process. Where the
// frames differ, the same frames under another ID count.
func compareTwo(before, after *HeapLog) (*HeapDiff, string) {
	d := &HeapDiff{From: before, To: after, At: after.At, EndLine: after.EndLine}
	m := matchTraces(before, after, d)
	if m.others > 0 && d.SameFrames+d.ByFrames == 0 {
		return nil, "back traces of the same ID have other frames in each, so that they are of two runs of the process"
	}
	heaps := heapSet(before)
	torn := before.Torn() || m.cutBefore
	tail := torn || !before.Whole() && onlyTail(len(m.before), func(i int) bool { return m.before[i] == nil })
	for i := range after.Traces {
		b, a := m.before[i], &after.Traces[i]
		c := TraceChange{}
		switch {
		case b != nil:
			c = a.since(b)
			c.Doubted = torn || !heaps[after.heapOf(a)]
		case tail:
			d.Lost++
			continue
		default:
			c = a.since(&BackTrace{Bytes: Number{0, before.At}, Allocs: Number{0, before.At}})
			c.New, c.Doubted = true, !before.Whole() || !heaps[after.heapOf(a)]
		}
		d.add(c)
	}
	heaps = heapSet(after)
	tail = after.Torn() || m.cutAfter || !after.Whole() && onlyTail(len(m.used), func(i int) bool { return !m.used[i] })
	for i := range before.Traces {
		b := &before.Traces[i]
		switch {
		case m.used[i]:
		case tail:
			d.Lost++
		default:
			gone := BackTrace{ID: b.ID, Bytes: Number{0, after.At}, Allocs: Number{0, after.At}, Frames: b.Frames, At: b.At}
			c := gone.since(b)
			c.Doubted = !after.Whole() || !heaps[before.heapOf(b)]
			d.add(c)
		}
	}
	kd.SortStable(d.Rows, func(a, b TraceChange) int { return cmp.Compare(b.Bytes.Delta.N, a.Bytes.Delta.N) })
	d.Total = Number{d.sum(), after.At}
	return d, ""
}

func (d *HeapDiff) add(c TraceChange) {
	if c.Doubted {
		d.Doubted++
	}
	d.Rows = append(d.Rows, c)
}

// heapSet returns the heaps of a log. Where no heap is known of a back trace, that
// tells nothing.
func heapSet(l *HeapLog) map[kd.Addr]bool {
	set := map[kd.Addr]bool{0: true}
	for _, h := range l.Heaps {
		set[h.Addr] = true
	}
	return set
}

// onlyTail reports whether what is missing of a list is its end, of two and more: so
// it is if the other log was cut there.
func onlyTail(n int, missing func(i int) bool) bool {
	tail := n
	for tail > 0 && missing(tail-1) {
		tail--
	}
	for i := range tail {
		if missing(i) {
			return false
		}
	}
	return n-tail > 1
}

// since returns what became of a back trace of an earlier log.
func (b *BackTrace) since(was *BackTrace) TraceChange {
	c := TraceChange{ID: b.ID, Frames: b.Frames, At: b.At}
	if n := len(was.Frames); n > len(c.Frames) || n > 0 && len(was.Frames[n-1].Text) > len(c.Frames[n-1].Text) && n == len(c.Frames) {
		c.Frames = was.Frames // the later log is cut in them, or has none
	}
	c.Bytes = Change{was.Bytes, b.Bytes, Number{b.Bytes.N - was.Bytes.N, b.Bytes.At}}
	c.Allocs = Change{was.Allocs, b.Allocs, Number{b.Allocs.N - was.Allocs.N, b.Allocs.At}}
	if c.Bytes.Delta.N > 0 {
		c.Grew = 1
	}
	return c
}

// matching says which back traces of two logs are the same.
type matching struct {
	before []*BackTrace // of each of the later log, nil if there is none
	used   []bool       // those of the earlier one
	others int          // that have the same ID and other frames
	// The log ends in frames of which the other has more.
	cutBefore, cutAfter bool
}

func matchTraces(before, after *HeapLog, d *HeapDiff) matching {
	m := matching{before: make([]*BackTrace, len(after.Traces)), used: make([]bool, len(before.Traces))}
	byID := make(map[string]int, len(before.Traces))
	for i := range before.Traces {
		byID[TraceKey(before.Traces[i].ID)] = i
	}
	for i := range after.Traces {
		k, ok := byID[TraceKey(after.Traces[i].ID)]
		if !ok {
			continue
		}
		a, b := after.Traces[i].Frames, before.Traces[k].Frames
		switch {
		case len(a) == 0 || len(b) == 0:
		case sameFrames(a, b):
			d.SameFrames++
		case after.endsIn(i) && begin(a, b):
			d.SameFrames++
			m.cutAfter = true
		case before.endsIn(k) && begin(b, a):
			d.SameFrames++
			m.cutBefore = true
		default:
			m.others++
			continue
		}
		m.before[i], m.used[k] = &before.Traces[k], true
	}
	if m.others == 0 {
		return m
	}
	byFrames := make(map[string]int)
	for k := range before.Traces {
		if f := before.Traces[k].Frames; !m.used[k] && len(f) > 0 {
			byFrames[joinFrames(f)] = k
		}
	}
	for i := range after.Traces {
		f := after.Traces[i].Frames
		if m.before[i] != nil || len(f) == 0 {
			continue
		}
		if k, ok := byFrames[joinFrames(f)]; ok && !m.used[k] {
			m.before[i], m.used[k] = &before.Traces[k], true
			d.ByFrames++
		}
	}
	return m
}

func sameFrames(a, b []HeapFrame) bool {
	return slices.EqualFunc(a, b, func(x, y HeapFrame) bool { return x.Text == y.Text })
}

// endsIn reports whether a back trace is the last one of a log that may be cut in it.
func (h *HeapLog) endsIn(i int) bool { return i == len(h.Traces)-1 && !h.Whole() }

// begin reports whether frames are the first ones of others, the last maybe in part.
func begin(cut, whole []HeapFrame) bool {
	n := len(cut) - 1
	return n < len(whole) && sameFrames(cut[:n], whole[:n]) && strings.HasPrefix(whole[n].Text, cut[n].Text)
}

func joinFrames(frames []HeapFrame) string {
	var b strings.Builder
	for _, f := range frames {
		b.WriteString(f.Text)
		b.WriteByte('\n')
	}
	return b.String()
}

// countSteps counts for each back trace in how many steps from log to log it grew.
func (d *HeapDiff) countSteps(logs []*HeapLog) {
	if len(logs) == 2 {
		return
	}
	index := make([]map[string]int64, len(logs))
	for i, l := range logs {
		index[i] = make(map[string]int64, len(l.Traces))
		for k := range l.Traces {
			index[i][TraceKey(l.Traces[k].ID)] = l.Traces[k].Bytes.N
		}
	}
	last := len(logs) - 1
	share := lastShare(logs)
	for i := range d.Rows {
		c := &d.Rows[i]
		key := TraceKey(c.ID)
		c.Grew = 0
		for k := 1; k <= last; k++ {
			was, before := index[k-1][key]
			is, now := index[k][key]
			if now && is > was && (before || logs[k-1].Whole()) {
				c.Grew++
			}
		}
		if was, before := index[last-1][key]; before || logs[last-1].Whole() {
			c.Last = Number{c.Bytes.After.N - was, c.At}
			c.Slowed = float64(c.Last.N) < float64(c.Bytes.Delta.N)*share/4
		}
	}
}

// lastShare returns which part of the time between the first log and the last one the
// last step took: of the steps, where the logs do not tell their times.
func lastShare(logs []*HeapLog) float64 {
	last := len(logs) - 1
	a, known := logs[0].Minutes()
	b, also := logs[last-1].Minutes()
	c, too := logs[last].Minutes()
	if known && also && too && a < c && a <= b && b <= c {
		return float64(c-b) / float64(c-a)
	}
	return 1 / float64(last)
}
