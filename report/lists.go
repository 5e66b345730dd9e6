package report

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"kdlocks/kd"
)

// WriteLocks prints resources as a table, JSON or Markdown.
func WriteLocks(w io.Writer, r *Report, rs []Resource, format string, s Style) error {
	t := &table{columns: []column{{head: "ERESOURCE"}, {head: "Mode"}, {head: "Owner"}, {head: "How", spare: true}, {head: "Shared"}, {head: "Excl"}, {head: "Contention", spare: true}, {head: "Symbol", prose: true, spare: true}, {head: "Line", spare: true}}}
	for i := range rs {
		res := &rs[i]
		first := []string{r.bare(res.Address), res.Mode, "", "", waiting(res.SharedWaiterCount, len(res.SharedWaiters)), waiting(res.ExclusiveWaiterCount, len(res.ExclusiveWaiters)), number(res.Contention), res.Symbol, strconv.Itoa(res.At.Line)}
		if len(res.Owners) == 0 {
			t.add(first...)
		}
		for j, o := range res.Owners {
			row := make([]string, len(first))
			if j == 0 {
				copy(row, first)
			}
			row[2], row[3] = r.ownerCell(o), o.How
			t.add(row...)
		}
	}
	return writeTable(w, t, rs, format, s)
}

// ownerCell shows the thread an entry stands for, and the entry itself where
// the two differ.
func (r *Report) ownerCell(o Owner) string {
	switch {
	case o.Thread == "":
		return r.bare(o.Raw) + " ?"
	case o.Thread == o.Raw:
		return r.bare(o.Raw)
	}
	return r.bare(o.Raw) + " = " + r.bare(o.Thread)
}

// waiting shows listed waiters, and the announced number where it differs.
func waiting(announced *int, listed int) string {
	if announced != nil && *announced != listed {
		return fmt.Sprintf("%d of %d", listed, *announced)
	}
	return strconv.Itoa(listed)
}

func number[T int | int64](n *T) string {
	if n == nil {
		return ""
	}
	return strconv.FormatInt(int64(*n), 10)
}

// WriteThreads prints threads as a table, JSON or Markdown.
func WriteThreads(w io.Writer, r *Report, ts List[Thread], format string, s Style) error {
	t := &table{columns: []column{{head: "Thread"}, {head: "CID"}, {head: "Image", prose: true}, {head: "State"}, {head: "Reason", prose: true}, {head: "Waits for", spare: true}, {head: "Kind", prose: true, spare: true}, {head: "ms"}, {head: "Frames", spare: true}, {head: "Line", spare: true}}}
	for th := range ts.All() {
		if t.full() {
			break
		}
		image, object, kind := "", "", ""
		if th.Process != nil {
			image = th.Process.Image
		}
		if len(th.WaitObjects) > 0 {
			object, kind = r.bare(th.WaitObjects[0].Address), th.WaitObjects[0].Kind
			if n := len(th.WaitObjects); n > 1 {
				kind += fmt.Sprintf(" and %d more", n-1)
			}
		}
		t.add(orDash(r.bare(th.Address)), th.CID, image, th.State, th.WaitReason, object, kind, number(th.WaitMS), strconv.Itoa(len(th.Frames)), strconv.Itoa(th.At.Line))
	}
	return writeTable(w, t, ts, format, s)
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// WriteStacks prints the stack of each thread that has one.
func WriteStacks(w io.Writer, r *Report, ts List[Thread], format string, s Style) error {
	if format == "json" {
		return JSON(w, ts)
	}
	n := 0
	for th := range ts.All() {
		if len(th.Frames) == 0 {
			continue
		}
		if n++; n > mostRows {
			_, err := io.WriteString(w, moreRows)
			return err
		}
		title := "stack without a thread header"
		if th.Address != "" {
			title = "thread " + r.bare(th.Address) + th.who()
		}
		if _, err := io.WriteString(w, wrap(fmt.Sprintf("%s, line %d", title, th.At.Line), "", "  ", s.Width)); err != nil {
			return err
		}
		if err := writeTable(w, r.stackTable(&th), nil, format, s); err != nil {
			return err
		}
	}
	return nil
}

func (r *Report) stackTable(th *Thread) *table {
	t := &table{columns: []column{{head: "#"}, {head: "Child-SP"}, {head: "RetAddr", spare: true}, {head: "Call Site", prose: true}, {head: "Segment", spare: true}}}
	for _, f := range th.Frames {
		site := f.site()
		if f.Function != "" {
			site = f.Module + "!" + f.Function
			if f.Offset != nil {
				site += fmt.Sprintf("+0x%x", *f.Offset)
			}
		}
		sp := r.bare(f.ChildSP)
		if f.Inline {
			sp = "(inline)"
		}
		t.add(fmt.Sprintf("%02x", f.Index), sp, r.bare(f.RetAddr), site, segmentOf(th, f.Index))
	}
	return t
}

// site returns the call site of a frame without a function: as printed, or the
// module that its address was found in.
func (f *Frame) site() string {
	if f.Derived && f.Offset != nil {
		return fmt.Sprintf("%s+0x%x (%s)", f.Module, *f.Offset, f.Symbol)
	}
	return f.Symbol
}

// segmentOf says which of several segments a frame stands on.
func segmentOf(th *Thread, frame int) string {
	if th.Stack == nil || len(th.Stack.Segments) < 2 {
		return ""
	}
	for i, g := range th.Stack.Segments {
		if g.FirstFrame != nil && g.LastFrame != nil && *g.FirstFrame <= frame && frame <= *g.LastFrame {
			return []string{"current", "earlier"}[min(i, 1)]
		}
	}
	return ""
}

func writeTable(w io.Writer, t *table, v any, format string, s Style) error {
	switch format {
	case "json":
		return JSON(w, v)
	case "markdown":
		return t.markdown(w)
	}
	return t.write(w, s.Width)
}

// markdown prints the table with every cell escaped: the table library's own
// Markdown leaves bars and tags as they are.
func (t *table) markdown(w io.Writer) error {
	var b strings.Builder
	b.WriteString("|")
	for _, c := range t.columns {
		b.WriteString(" " + c.head + " |")
	}
	b.WriteString("\n|" + strings.Repeat("---|", len(t.columns)) + "\n")
	for _, row := range t.rows {
		b.WriteString("|")
		for _, cell := range row {
			b.WriteString(" " + escape(cell) + " |")
		}
		b.WriteString("\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Canonical turns addresses as a debugger prints them into the form that filters take,
// and leaves empty ones. The error names one that is none.
func Canonical(addrs ...*string) error {
	for _, s := range addrs {
		if *s == "" {
			continue
		}
		v, ok := kd.ParseAddr(*s)
		if !ok {
			return fmt.Errorf("%q is no address", *s)
		}
		*s = v.String()
	}
	return nil
}

// LockFilter chooses resources; a zero field lets everything pass.
type LockFilter struct {
	Waited  bool   // with waiters only
	Owner   string // thread or raw owner value, 0x and lower case
	Address string
}

// Locks returns the resources that pass.
func (r *Report) Locks(f LockFilter) []Resource {
	out := []Resource{}
	for res := range r.Resources.All() {
		if f.Waited && !res.waited() || f.Address != "" && res.Address != f.Address || f.Owner != "" && !ownedBy(&res, f.Owner) {
			continue
		}
		out = append(out, res)
	}
	return out
}

func (l *Resource) waited() bool {
	return len(l.SharedWaiters)+len(l.ExclusiveWaiters) > 0 || positive(l.SharedWaiterCount) || positive(l.ExclusiveWaiterCount)
}

func positive(n *int) bool { return n != nil && *n > 0 }

func ownedBy(r *Resource, owner string) bool {
	for _, o := range r.Owners {
		if o.Thread == owner || o.Raw == owner {
			return true
		}
	}
	return false
}

// ThreadFilter chooses threads; a zero field lets everything pass. Text is
// compared in either case.
type ThreadFilter struct {
	Address string
	State   string
	Reason  string
	Image   string
	// Module and Function choose threads with such a frame; Function matches a
	// part of the name.
	Module   string
	Function string
}

// ThreadsBy returns the threads that pass.
func (r *Report) ThreadsBy(f ThreadFilter) List[Thread] {
	return List[Thread]{func(yield func(Thread) bool) {
		for t := range r.Threads.All() {
			if f.passes(&t) && !yield(t) {
				return
			}
		}
	}}
}

func (f ThreadFilter) passes(t *Thread) bool {
	image := ""
	if t.Process != nil {
		image = t.Process.Image
	}
	return (f.Address == "" || t.Address == f.Address) && same(f.State, t.State) && same(f.Reason, t.WaitReason) && same(f.Image, image) && f.onStack(t)
}

func same(want, got string) bool { return want == "" || strings.EqualFold(want, got) }

func (f ThreadFilter) onStack(t *Thread) bool {
	if f.Module == "" && f.Function == "" {
		return true
	}
	for _, fr := range t.Frames {
		if same(f.Module, fr.Module) && strings.Contains(strings.ToLower(fr.Function), strings.ToLower(f.Function)) {
			return true
		}
	}
	return false
}
