package report

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"kdlocks/kd"
	"kdlocks/memory"
	"kdlocks/snapshot"
)

// HeapLog is one log of dh or umdh: through which call stacks a process allocated
// what it has not freed.
type HeapLog struct {
	Session int    `json:"session,omitempty"`
	Command string `json:"command,omitempty"`
	Version string `json:"version,omitempty"` // of umdh
	Time    string `json:"time,omitempty"`    // as printed
	PID     *int64 `json:"pid,omitempty"`
	Image   string `json:"image,omitempty"`
	// Whole is absent where rows may be missing.
	Whole bool        `json:"whole,omitempty"`
	Heaps int         `json:"heaps"`
	Count int         `json:"back_trace_count"`
	Top   []BackTrace `json:"back_traces"` // those that hold most, at most 1000
	At    At          `json:"at"`
}

// BackTrace is what was allocated through a call stack and not freed.
type BackTrace struct {
	ID     string `json:"id"`
	Bytes  int64  `json:"bytes"`
	Allocs int64  `json:"allocs"`
	HeapCaller
	At At `json:"at"`
}

// HeapCaller is whom a call stack is put down to: the first frame that is neither of
// Windows nor of a run-time library nor an allocator.
type HeapCaller struct {
	Module   string `json:"module,omitempty"`
	Function string `json:"function,omitempty"`
	// OfWindows is set where all frames are of Windows or of a run-time library.
	OfWindows bool `json:"of_windows,omitempty"`
}

// HeapDiff is what became of call stacks between two logs.
type HeapDiff struct {
	Session int    `json:"session,omitempty"`
	By      string `json:"by"` // who compared: "printed" or "kdlocks"
	Command string `json:"command,omitempty"`
	// Decimal says what the numbers of a printed comparison are, Basis why.
	Decimal      *bool       `json:"decimal,omitempty"`
	Basis        string      `json:"basis,omitempty"`
	From         *At         `json:"from,omitempty"` // the logs that were compared
	To           *At         `json:"to,omitempty"`
	AssumedOrder bool        `json:"order_is_assumed,omitempty"`
	Minutes      *int64      `json:"minutes,omitempty"` // between them
	Steps        int         `json:"steps"`             // logs behind the first
	SameFrames   int         `json:"same_frames,omitempty"`
	ByFrames     int         `json:"by_frames,omitempty"`
	Lost         int         `json:"in_one_log_only,omitempty"`
	Total        *int64      `json:"total_increase,omitempty"`
	Count        int         `json:"back_trace_count"`
	Grown        []HeapTrace `json:"grown"` // those that grew most, at most 1000
	At           At          `json:"at"`
}

// HeapTrace is a call stack that grew, in bytes and allocations.
type HeapTrace struct {
	ID     string     `json:"id"`
	Bytes  HeapChange `json:"bytes"`
	Allocs HeapChange `json:"allocs"`
	Share  *float64   `json:"share_percent,omitempty"` // of all that grew
	New    bool       `json:"new,omitempty"`
	Grew   int        `json:"steps_grown,omitempty"`
	HeapCaller
	Frames []string `json:"frames,omitempty"`
	At     At       `json:"at"`
}

// HeapChange is a number in two logs.
type HeapChange struct {
	Increase *int64 `json:"increase,omitempty"`
	Before   *int64 `json:"before,omitempty"`
	After    *int64 `json:"after,omitempty"`
}

// mostHeapTraces bounds the back traces of each log and comparison.
const mostHeapTraces = 1000

// heaps adds what was read of the heaps of processes.
func (b *builder) heaps(r *Report, s *snapshot.Snapshot) {
	for _, l := range s.Memory.HeapLogs {
		r.Memory.Heaps = append(r.Memory.Heaps, b.heapLog(l))
	}
	for _, g := range s.Heaps {
		r.Memory.HeapDiffs = append(r.Memory.HeapDiffs, b.heapDiff(g))
	}
}

func (b *builder) heapLog(l *memory.HeapLog) HeapLog {
	out := HeapLog{
		Session: b.session, Command: l.Command, Version: l.Version, Time: l.Time, PID: amount(l.PID), Image: l.Image, Whole: l.Whole(),
		Heaps: len(l.Heaps), Count: len(l.Traces), Top: []BackTrace{}, At: b.at(l.At, l.EndLine),
	}
	order := make([]*memory.BackTrace, len(l.Traces))
	for i := range l.Traces {
		order[i] = &l.Traces[i]
	}
	kd.SortStable(order, func(a, b *memory.BackTrace) int { return cmp.Compare(b.Bytes.N, a.Bytes.N) })
	for _, t := range order[:min(len(order), mostHeapTraces)] {
		out.Top = append(out.Top, BackTrace{t.ID, t.Bytes.N, t.Allocs.N, heapCaller(t.Frames, l), b.at(t.At, 0)})
	}
	return out
}

func heapCaller(frames []memory.HeapFrame, l *memory.HeapLog) HeapCaller {
	a, _ := snapshot.AllocatorOf(frames, l)
	return HeapCaller{a.Module, a.Function, a.Windows}
}

func (b *builder) heapDiff(g *snapshot.HeapGrowth) HeapDiff {
	out := HeapDiff{
		Session: b.session, By: "printed", Command: g.Command, AssumedOrder: g.AssumedOrder, Steps: g.Steps, SameFrames: g.SameFrames, ByFrames: g.ByFrames,
		Lost: g.Lost, Total: amount(g.Total), Count: len(g.Rows), Grown: []HeapTrace{}, At: b.at(g.At, g.EndLine),
	}
	if g.From == nil {
		out.Decimal, out.Basis = ptr(g.Decimal), g.Basis
	} else {
		out.By, out.From, out.To = "kdlocks", ptr(b.at(g.From.At, 0)), ptr(b.at(g.To.At, 0))
	}
	if g.Minutes >= 0 {
		out.Minutes = ptr(g.Minutes)
	}
	for i := range g.Grown[:min(len(g.Grown), mostHeapTraces)] {
		t := &g.Grown[i]
		row := HeapTrace{ID: t.ID, Bytes: heapChange(t.Bytes), Allocs: heapChange(t.Allocs), Share: known1(g.Share(t)), New: t.New, HeapCaller: heapCaller(t.Frames, t.Log), At: b.at(t.At, 0)}
		if g.Steps > 1 {
			row.Grew = t.Grew
		}
		for _, f := range t.Frames {
			row.Frames = append(row.Frames, f.Text)
		}
		out.Grown = append(out.Grown, row)
	}
	return out
}

func heapChange(c memory.Change) HeapChange {
	return HeapChange{amount(c.Delta), amount(c.Before), amount(c.After)}
}

// heapTables returns the tables of what was read of heaps, of at most that many
// rows; 0 is without limit. Where logs were compared, they are not listed.
func (r *Report) heapTables(most int) []titled {
	if r.Memory == nil {
		return nil
	}
	var out []titled
	for i := range r.Memory.HeapDiffs {
		d := &r.Memory.HeapDiffs[i]
		out = append(out, titled{"Back traces that grew", d.table(most)})
	}
	if len(out) == 0 {
		for i := range r.Memory.Heaps {
			l := &r.Memory.Heaps[i]
			out = append(out, titled{"Back traces of a heap", l.table(most)})
		}
	}
	return slices.DeleteFunc(out, func(t titled) bool { return len(t.rows) == 0 })
}

func (d *HeapDiff) table(most int) *table {
	t := &table{columns: []column{{head: "BackTrace"}, {head: "Bytes"}, {head: "Before"}, {head: "After"}, {head: "Allocations"}, {head: "Share"}, {head: "Module", prose: true}, {head: "Function", prose: true}, {head: "Line", spare: true}}}
	for i := range d.Grown {
		if t.more = most > 0 && i == most; t.more {
			break
		}
		g := &d.Grown[i]
		share := ""
		if g.Share != nil {
			share = fmt.Sprintf("%.1f %%", *g.Share)
		}
		t.add(g.ID, "+"+number(g.Bytes.Increase), number(g.Bytes.Before), number(g.Bytes.After), g.Allocs.cell(), share, g.Module, g.Function, strconv.Itoa(g.At.Line))
	}
	return t
}

// cell shows by how much a number grew, or where only that is known what it is.
func (c HeapChange) cell() string {
	switch {
	case c.Increase != nil:
		return fmt.Sprintf("%+d", *c.Increase)
	case c.After != nil:
		return fmt.Sprintf("now %d", *c.After)
	}
	return ""
}

func (l *HeapLog) table(most int) *table {
	t := &table{columns: []column{{head: "BackTrace"}, {head: "Bytes"}, {head: "Allocations"}, {head: "Module", prose: true}, {head: "Function", prose: true}, {head: "Line", spare: true}}}
	for i, b := range l.Top {
		if t.more = most > 0 && i == most; t.more {
			break
		}
		t.add(b.ID, strconv.FormatInt(b.Bytes, 10), strconv.FormatInt(b.Allocs, 10), b.Module, b.Function, strconv.Itoa(b.At.Line))
	}
	return t
}

// heapHTML returns the tables as the HTML form shows them.
func (r *Report) heapHTML() []htmlTable {
	var out []htmlTable
	for _, t := range r.heapTables(mostHTMLRows) {
		h := htmlTable{Name: t.title, Said: t.title, Rows: t.rows}
		for _, c := range t.columns {
			h.Heads = append(h.Heads, c.head)
		}
		if t.more {
			h.Left = "… and more (use -o json for all)"
		}
		out = append(out, h)
	}
	return out
}

// writeHeaps writes the tables of heaps, if there are any.
func (p *htmlReport) writeHeaps(m *markup) {
	if len(p.Heaps) == 0 {
		return
	}
	m.section("heaps", "Heaps")
	for i := range p.Heaps {
		p.Heaps[i].write(m)
	}
	m.add("</section>\n")
}
