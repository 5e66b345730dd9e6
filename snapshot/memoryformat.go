package snapshot

import (
	"cmp"
	"fmt"
	"strings"

	"kdlocks/memory"
)

// formatMemory writes what was read of memory.
func (s *Snapshot) formatMemory(b *strings.Builder) {
	for _, v := range s.Memory.VMs {
		fmt.Fprintf(b, "vm :%d", v.At.Line)
		if p, ok := v.NonPagedPercent(); ok {
			fmt.Fprintf(b, " nonpaged-percent %.1f", p)
		}
		fmt.Fprintf(b, " over-ram %s\n", v.NonPagedOverRAM())
		for _, c := range v.Counters {
			fmt.Fprintf(b, "  counter %q :%d", c.Name, c.At.Line)
			formatNumbers(b, named{"pages", c.Pages}, named{"kb", c.Kb})
		}
		for _, f := range v.PageFiles {
			fmt.Fprintf(b, "  page-file %q :%d", f.Name, f.At.Line)
			formatNumbers(b, named{"current", f.Current}, named{"free", f.Free}, named{"minimum", f.Minimum}, named{"maximum", f.Maximum})
		}
		for _, w := range v.Banners {
			fmt.Fprintf(b, "  banner %q :%d\n", w.Text, w.At.Line)
		}
		for _, f := range v.Failures {
			fmt.Fprintf(b, "  failed %q", f.What)
			formatNumbers(b, named{"count", f.N})
		}
		for _, p := range v.Processes {
			fmt.Fprintf(b, "  commit %x %s :%d", p.PID, p.Image, p.Commit.At.Line)
			formatNumbers(b, named{"pages", p.Commit.Pages}, named{"kb", p.Commit.Kb}, named{"shared", p.Shared}, named{"debt", p.Debt})
		}
		for _, n := range v.Sessions {
			fmt.Fprintf(b, "  session %d :%d", n.ID, n.At.Line)
			formatNumbers(b, named{"paged", n.PagedPool}, named{"of", v.SessionPoolMax}, named{"nonpaged", n.NonPaged}, named{"commit", n.Commit}, named{"failed", n.Failed})
		}
	}
	for _, p := range s.Memory.Pools {
		formatPool(b, p)
	}
	for _, k := range s.Memory.Blocks {
		formatBlocks(b, k)
	}
	for _, c := range s.Memory.Counts {
		fmt.Fprintf(b, "counts :%d %s throttled %s\n", c.At.Line, c.Tool, c.Throttled)
		for _, n := range c.Counters {
			fmt.Fprintf(b, "  counter %q :%d", n.Name, n.At.Line)
			formatNumbers(b, named{"pages", n.Pages}, named{"kb", n.Kb})
		}
		for _, u := range c.Uses {
			fmt.Fprintf(b, "  use %q :%d", u.Name, u.At.Line)
			formatNumbers(b, named{"valid", u.Valid}, named{"standby", u.Standby}, named{"dirty", u.Dirty}, named{"shared", u.Shared}, named{"locked", u.Locked}, named{"page-tables", u.PageTables})
		}
	}
	formatWordsOf(b, s.Memory.Memory)
	s.formatCounters(b)
}

func (s *Snapshot) formatCounters(b *strings.Builder) {
	for _, l := range s.Memory.Counters {
		fmt.Fprintf(b, "counters :%d rows %d", l.At.Line, l.Read)
		formatWords(b, "machine", l.Machine, "zone", l.Zone)
		fmt.Fprintf(b, " others %d\n", l.Others)
	}
	for _, c := range s.Trends {
		fmt.Fprintf(b, "  counter %q :%d %s samples %d hours %.1f", c.Name(), c.Points[0].At.Line, c.Shape, c.Samples, c.Hours)
		if c.Restarts > 0 {
			fmt.Fprintf(b, " restarts %d", c.Restarts)
		}
		fmt.Fprintf(b, " enough %v\n", c.Enough)
	}
}

func formatBlocks(b *strings.Builder, k *memory.Blocks) {
	fmt.Fprintf(b, "blocks :%d %s", k.At.Line, k.Tool)
	formatWords(b, "tag", k.Tag)
	b.WriteString("\n")
	for i := range k.Rows {
		r := &k.Rows[i]
		fmt.Fprintf(b, "  block %s :%d tag %q free %v asked %v", r.Addr, r.At.Line, r.Tag, r.Free, r.Asked)
		formatWords(b, "region", r.Region, "driver", r.Driver, "comment", r.Comment)
		formatNumbers(b, named{"bytes", r.Bytes})
	}
}

// formatWordsOf writes what was printed of the target's memory.
func formatWordsOf(b *strings.Builder, m *memory.Memory) {
	if m == nil {
		return
	}
	for _, y := range m.Symbols {
		fmt.Fprintf(b, "symbol %s %s :%d\n", y.Name, y.Addr, y.At.Line)
	}
	for _, y := range m.Searches {
		fmt.Fprintf(b, "search %s :%d %q\n", cmp.Or(y.Letters, y.Value.String()), y.At.Line, y.Command)
	}
	for i := range m.Hits {
		h := &m.Hits[i]
		fmt.Fprintf(b, "hit %q :%d %s\n", h.Letters, h.At.Line, h.Addr)
	}
	for i := range m.Words {
		w := &m.Words[i]
		fmt.Fprintf(b, "words %s :%d found %v", w.Addr, w.At.Line, w.Found)
		formatWords(b, "symbol", w.Symbol)
		for _, v := range w.Values {
			fmt.Fprintf(b, " %s", v)
		}
		b.WriteString("\n")
	}
}

func formatPool(b *strings.Builder, p *memory.Pool) {
	fmt.Fprintf(b, "pool :%d %s sort %s cut %s", p.At.Line, p.Tool, p.Sort, p.Cut())
	formatWords(b, "filter", p.Filter)
	if p.OfSession != memory.Unknown {
		fmt.Fprintf(b, " of-session %s", p.OfSession)
	}
	formatNumbers(b, named{"session", p.SessionID})
	for _, g := range p.Machine {
		fmt.Fprintf(b, "  gauge %q", g.Name)
		formatNumbers(b, named{"is", g.Number})
	}
	for i := range p.Rows {
		r := &p.Rows[i]
		fmt.Fprintf(b, "  tag %q :%d", r.Tag, r.At.Line)
		formatWords(b, "type", r.Type.String())
		formatUsage(b, r)
		formatWords(b, "driver", r.Driver, "comment", r.Comment)
		b.WriteString("\n")
	}
	if p.Total.At.Known() {
		fmt.Fprintf(b, "  total :%d", p.Total.At.Line)
		formatUsage(b, &p.Total)
		b.WriteString("\n")
	}
}

func formatUsage(b *strings.Builder, r *memory.Row) {
	for _, t := range []memory.Type{memory.NonPaged, memory.Paged} {
		u := r.Of(t)
		if *u == (memory.Usage{}) {
			continue
		}
		fmt.Fprintf(b, " %s", t)
		l := u.Life()
		writeNumbers(b, named{"allocs", u.Allocs}, named{"bytes", u.Bytes}, named{"made", l.Made}, named{"freed", l.Freed}, named{"per-alloc", l.PerAlloc},
			named{"made-since", l.MadeSince}, named{"freed-since", l.FreedSince}, named{"bytes-since", l.BytesSince})
	}
}

type named struct {
	name string
	memory.Number
}

// formatNumbers writes the numbers that are known, and ends the line.
func formatNumbers(b *strings.Builder, numbers ...named) {
	writeNumbers(b, numbers...)
	b.WriteString("\n")
}

func writeNumbers(b *strings.Builder, numbers ...named) {
	for _, n := range numbers {
		if n.Known() {
			fmt.Fprintf(b, " %s %d", n.name, n.N)
		}
	}
}
