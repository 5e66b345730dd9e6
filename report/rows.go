package report

import (
	"iter"
	"slices"
	"strconv"
	"strings"

	"kdlocks/kd"
)

// Table is one of the lists of a report, its rows made when they are asked for.
type Table struct {
	ID    string   `json:"id"`
	Name  string   `json:"name"`
	Heads []string `json:"heads"`
	// Count is how many rows there are, -1 where that is known at the end only.
	Count int `json:"count"`

	rows iter.Seq[Row]
}

// Row is a row of a Table. Address is what it is about, without one a row of cells.
type Row struct {
	Cells   []string `json:"cells"`
	Address string   `json:"address,omitempty"`
	Session int      `json:"session,omitempty"`
	At      *At      `json:"at,omitempty"`
}

// Rows walks the rows.
func (t *Table) Rows() iter.Seq[Row] { return t.rows }

// Tables returns the lists that the report has something in.
func (r *Report) Tables() []Table {
	out := []Table{r.lockRows(), r.threadRows(), r.stackRows(), r.moduleRows()}
	for _, t := range append(r.objectTables(0), r.heapTables(0)...) {
		out = append(out, plainRows(t))
	}
	return slices.DeleteFunc(out, func(t Table) bool { return t.Count == 0 })
}

func (r *Report) lockRows() Table {
	n, count := index(r), 0
	for range r.Resources.All() {
		count++
	}
	return Table{ID: "locks", Name: "Locks", Heads: lockHeads, Count: count, rows: func(yield func(Row) bool) {
		for l := range r.Resources.All() {
			if !yield(Row{Cells: n.lockRow(&l), Address: l.Address, Session: l.Session, At: &l.At}) {
				return
			}
		}
	}}
}

func (r *Report) threadRows() Table {
	return Table{ID: "threads", Name: "Threads", Heads: threadHeads, Count: r.threadCount, rows: func(yield func(Row) bool) {
		for t := range r.Threads.All() {
			if !yield(Row{Cells: r.threadRow(&t), Address: t.Address, Session: t.Session, At: &t.At}) {
				return
			}
		}
	}}
}

func (r *Report) moduleRows() Table {
	return Table{ID: "modules", Name: "Modules", Heads: []string{"Module", "Start", "End", "File version", "Timestamp", "Image", "Company", "Line"}, Count: len(r.Modules), rows: func(yield func(Row) bool) {
		for i := range r.Modules {
			m := &r.Modules[i]
			name := orDash(m.Name)
			if m.Unloaded {
				name += " (unloaded)"
			}
			if !yield(Row{Cells: []string{name, r.bare(m.Base), r.bare(m.End), m.FileVersion, m.time(), m.Image, m.CompanyName, strconv.Itoa(m.At.Line)}, At: &m.At}) {
				return
			}
		}
	}}
}

func plainRows(t titled) Table {
	out := Table{ID: strings.ToLower(strings.ReplaceAll(t.title, " ", "-")), Name: t.title, Count: len(t.rows)}
	for _, c := range t.columns {
		out.Heads = append(out.Heads, c.head)
	}
	out.rows = func(yield func(Row) bool) {
		for _, cells := range t.rows {
			if !yield(Row{Cells: cells}) {
				return
			}
		}
	}
	return out
}

// stackFrames is how many frames of a group of stacks a row shows, stackThreads
// how many of its threads.
const stackFrames, stackThreads = 40, 40

// stackRows groups the threads with the same stack, the largest group first.
func (r *Report) stackRows() Table {
	t := Table{ID: "stacks", Name: "Stacks", Heads: []string{"Threads", "Stack, innermost first", "Which"}, Count: -1}
	if r.threadCount == 0 {
		t.Count = 0
	}
	t.rows = func(yield func(Row) bool) {
		for _, g := range r.stackGroups() {
			which := strings.Join(g.Threads, " ")
			if n := g.Count - len(g.Threads); n > 0 {
				which += " and " + strconv.Itoa(n) + " more"
			}
			if !yield(Row{Cells: []string{strconv.Itoa(g.Count), strings.Join(g.Frames, "\n"), which}}) {
				return
			}
		}
	}
	return t
}

func (r *Report) stackGroups() []StackGroup {
	var groups []StackGroup
	at := make(map[string]int)
	for t := range r.Threads.All() {
		if len(t.Frames) == 0 {
			continue
		}
		frames := make([]string, 0, len(t.Frames))
		for _, f := range t.Frames {
			site := f.site()
			if f.Function != "" {
				site = f.Module + "!" + f.Function
			}
			frames = append(frames, site)
		}
		k := strings.Join(frames, "\n")
		n, known := at[k]
		if !known {
			n = len(groups)
			at[k] = n
			if more := len(frames) - stackFrames; more > 0 {
				frames = append(frames[:stackFrames], "… and "+strconv.Itoa(more)+" more")
			}
			groups = append(groups, StackGroup{Frames: frames})
		}
		g := &groups[n]
		if g.Count++; len(g.Threads) < stackThreads {
			g.Threads = append(g.Threads, orDash(r.bare(t.Address)))
		}
	}
	kd.SortStable(groups, func(a, b StackGroup) int { return b.Count - a.Count })
	return groups
}
