package report

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// MemoryFilter chooses what WriteMemory prints: of pool only one tag, all if it is "".
type MemoryFilter struct {
	Tag string
}

// of returns what a filter chooses.
func (m *Memory) of(f MemoryFilter) *Memory {
	if m == nil {
		return &Memory{}
	}
	if f.Tag == "" {
		return m
	}
	out := &Memory{}
	for _, p := range m.Pools {
		p.Tags = tagged(p.Tags, f.Tag, func(t *PoolTag) string { return t.Tag })
		if p.Total, p.Machine = nil, nil; len(p.Tags) > 0 {
			out.Pools = append(out.Pools, p)
		}
	}
	for _, b := range m.Blocks {
		if b.Blocks = tagged(b.Blocks, f.Tag, func(b *PoolBlock) string { return b.Tag }); len(b.Blocks) > 0 {
			out.Blocks = append(out.Blocks, b)
		}
	}
	return out
}

// tagged keeps the items of a tag. Case counts, blanks at its end do not.
func tagged[T any](list []T, tag string, of func(*T) string) []T {
	var out []T
	for i := range list {
		if strings.TrimRight(of(&list[i]), " ") == strings.TrimRight(tag, " ") {
			out = append(out, list[i])
		}
	}
	return out
}

// WriteMemory prints what was read of memory: as tables, or as one JSON object under the
// names that the report has.
func WriteMemory(w io.Writer, r *Report, f MemoryFilter, format string, s Style) error {
	m := r.Memory.of(f)
	if format == "json" {
		return writeStruct(w, m)
	}
	for i, t := range m.tables(r) {
		gap := "\n"
		if i == 0 {
			gap = ""
		}
		if _, err := fmt.Fprintf(w, "%s%s\n\n", gap, Plain(t.title)); err != nil {
			return err
		}
		if err := writeTable(w, t.table, nil, format, s); err != nil {
			return err
		}
	}
	return nil
}

// tables are one or more for each output.
func (m *Memory) tables(r *Report) []titled {
	var out []titled
	add := func(t *table, title string, at At) {
		if len(t.rows) > 0 {
			out = append(out, titled{fmt.Sprintf("%s (%s:%d)", title, at.Input, at.Line), t})
		}
	}
	for i := range m.VM {
		v := &m.VM[i]
		add(v.counters(), "Virtual memory", v.At)
		add(v.pageFiles(), "Paging files", v.At)
		add(v.processes(), "Committed by processes", v.At)
		add(v.sessions(), "Memory of sessions", v.At)
	}
	for i := range m.Counts {
		c := &m.Counts[i]
		add(counterTable(c.Counters), "Counters, "+c.Tool, c.At)
		add(c.uses(), "What pages are used for, in Kb", c.At)
	}
	for i := range m.Pools {
		p := &m.Pools[i]
		add(p.machine(), "Head of "+p.Tool, p.At)
		add(p.tags(), "Pool, "+p.Tool+", sorted by "+p.Sort, p.At)
	}
	for i := range m.Blocks {
		b := &m.Blocks[i]
		add(b.blocks(r), "Blocks of pool, "+b.Tool, b.At)
	}
	for i := range m.Words {
		out = append(out, m.Words[i].tables(r)...)
	}
	if m.Counters != nil && len(m.Counters.Logs) > 0 {
		add(m.Counters.table(), "Performance counters over time", m.Counters.Logs[0].At)
	}
	if len(m.Heaps)+len(m.HeapDiffs) > 0 {
		out = append(out, r.heapTables(0)...)
	}
	return out
}

// table tells what each counter does.
func (c *Counters) table() *table {
	t := &table{columns: []column{{head: "Counter", prose: true}, {head: "Trend"}, {head: "First"}, {head: "Last"}, {head: "Most"}, {head: "Per hour"}, {head: "Hours"}, {head: "Samples", spare: true}, {head: "Enough", spare: true}, {head: "Column", spare: true}}}
	for i := range c.Trends {
		n := &c.Trends[i]
		slope := ""
		if n.SlopePerHour != nil {
			slope = n.quantity(*n.SlopePerHour)
		}
		enough := map[bool]string{true: "yes", false: "no"}[n.Enough]
		name := n.Object + `\` + n.Counter
		if n.trend != nil {
			name = n.trend.Name()
		}
		t.add(name, n.Shape, n.quantity(n.First.Value), n.quantity(n.Last.Value), n.quantity(n.Most.Value), slope, strconv.FormatFloat(n.Hours, 'f', 1, 64), strconv.Itoa(n.Samples), enough, strconv.Itoa(n.At.Column))
	}
	return t
}

func counterTable(list []MemoryCounter) *table {
	t := &table{columns: []column{{head: "Counter", prose: true}, {head: "Pages"}, {head: "Kb"}, {head: "Line", spare: true}}}
	for _, c := range list {
		kb := number(c.Kb)
		if c.Torn {
			kb += " ?"
		}
		t.add(c.Name, number(c.Pages), kb, strconv.Itoa(c.At.Line))
	}
	return t
}

func (c *Counts) uses() *table {
	t := &table{columns: []column{{head: "Use", prose: true}, {head: "Valid"}, {head: "Standby"}, {head: "Dirty"}, {head: "Shared"}, {head: "Locked"}, {head: "Page tables"}, {head: "Line", spare: true}}}
	for _, u := range c.Uses {
		t.add(u.Name, number(u.Valid), number(u.Standby), number(u.Dirty), number(u.Shared), number(u.Locked), number(u.PageTables), strconv.Itoa(u.At.Line))
	}
	return t
}

func (v *VM) counters() *table {
	t := counterTable(v.Counters)
	for _, f := range v.Failures {
		t.add(f.What+" that failed", strconv.FormatInt(f.Count, 10), "", strconv.Itoa(f.At.Line))
	}
	return t
}

func (v *VM) pageFiles() *table {
	t := &table{columns: []column{{head: "File", prose: true}, {head: "Current Kb"}, {head: "Free Kb"}, {head: "Minimum Kb"}, {head: "Maximum Kb"}, {head: "Line", spare: true}}}
	for _, f := range v.PageFiles {
		t.add(f.Name, number(f.Current), number(f.Free), number(f.Minimum), number(f.Maximum), strconv.Itoa(f.At.Line))
	}
	return t
}

func (v *VM) processes() *table {
	t := &table{columns: []column{{head: "PID"}, {head: "Image", prose: true}, {head: "Pages"}, {head: "Kb"}, {head: "Line", spare: true}}}
	for _, p := range v.Processes {
		t.add(p.PID, p.Image, number(p.Pages), number(p.Kb), strconv.Itoa(p.At.Line))
	}
	return t
}

func (v *VM) sessions() *table {
	t := &table{columns: []column{{head: "Session"}, {head: "Paged pool Kb"}, {head: "At most Kb"}, {head: "Nonpaged Kb"}, {head: "Commit Kb"}, {head: "Failed"}, {head: "Line", spare: true}}}
	for _, n := range v.Sessions {
		t.add(strconv.FormatUint(n.ID, 10), number(n.PagedPool), number(v.SessionPoolMax), number(n.NonPaged), number(n.Commit), number(n.Failed), strconv.Itoa(n.At.Line))
	}
	return t
}

// machine is what the head of poolmon tells of all memory.
func (p *Pool) machine() *table {
	t := &table{columns: []column{{head: "Counter", prose: true}, {head: "Kb or count"}}}
	for _, name := range slices.Sorted(maps.Keys(p.Machine)) {
		t.add(name, strconv.FormatInt(p.Machine[name], 10))
	}
	return t
}

func (p *Pool) tags() *table {
	t := &table{columns: []column{{head: "Tag"}, {head: "Nonp allocs"}, {head: "Nonp bytes"}, {head: "Paged allocs"}, {head: "Paged bytes"}, {head: "Driver", prose: true, spare: true}, {head: "Comment", prose: true, spare: true}, {head: "Line", spare: true}}}
	rows := p.Tags
	if p.Total != nil {
		rows = append(rows[:len(rows):len(rows)], *p.Total)
	}
	lives := slices.ContainsFunc(rows, func(r PoolTag) bool { return r.NonPaged.lives() || r.Paged.lives() })
	if lives {
		for _, typ := range []string{"Nonp ", "Paged "} {
			t.columns = append(t.columns, column{head: typ + "made", spare: true}, column{head: typ + "freed", spare: true}, column{head: typ + "per alloc", spare: true})
		}
	}
	for i := range rows {
		row := &rows[i]
		tag := row.Tag
		if tag == "" {
			tag = "TOTAL"
		}
		cells := make([]string, len(t.columns))
		cells[0], cells[5], cells[6], cells[7] = tag, row.Driver, row.Comment, strconv.Itoa(row.At.Line)
		for k, u := range []*PoolUsage{row.NonPaged, row.Paged} {
			if u == nil {
				continue
			}
			cells[1+2*k], cells[2+2*k] = number(u.Allocs), number(u.Bytes)
			if lives {
				copy(cells[8+3*k:], []string{number(u.Made), number(u.Freed), number(u.PerAlloc)})
			}
		}
		t.add(cells...)
	}
	return t
}

// lives reports whether it is known what became of the allocations.
func (u *PoolUsage) lives() bool {
	return u != nil && (u.Made != nil || u.Freed != nil || u.PerAlloc != nil)
}

func (b *PoolBlocks) blocks(r *Report) *table {
	t := &table{columns: []column{{head: "Block"}, {head: "Tag"}, {head: "Bytes"}, {head: "State"}, {head: "Region", prose: true, spare: true}, {head: "Driver", prose: true, spare: true}, {head: "Line", spare: true}}}
	for i := range b.Blocks {
		k := &b.Blocks[i]
		state := "allocated"
		if k.Free {
			state = "free"
		}
		if k.Asked {
			state += " *"
		}
		t.add(r.bare(k.Address), k.Tag, number(k.Bytes), state, k.Region, k.Driver, strconv.Itoa(k.At.Line))
	}
	return t
}
