package snapshot

import (
	"fmt"
	"strings"

	"kdlocks/memory"
)

// formatHeaps writes what was read of heaps, and what became of them.
func (s *Snapshot) formatHeaps(b *strings.Builder) {
	for _, l := range s.Memory.HeapLogs {
		fmt.Fprintf(b, "heap-log :%d whole %t", l.At.Line, l.Whole())
		formatWords(b, "time", l.Time, "version", l.Version, "image", l.Image)
		formatNumbers(b, named{"pid", l.PID})
		for _, h := range l.Heaps {
			fmt.Fprintf(b, "  heap %x :%d", uint64(h.Addr), h.At.Line)
			formatNumbers(b, named{"allocated", h.Allocated}, named{"committed", h.Committed})
		}
		for i := range l.Traces {
			t := &l.Traces[i]
			fmt.Fprintf(b, "  trace %s :%d frames %d", t.ID, t.At.Line, len(t.Frames))
			formatAllocator(b, t.Frames, l)
			formatNumbers(b, named{"bytes", t.Bytes}, named{"allocs", t.Allocs}, named{"each", t.Each})
		}
	}
	for _, g := range s.Heaps {
		s.formatGrowth(b, g)
	}
}

func (s *Snapshot) formatGrowth(b *strings.Builder, g *HeapGrowth) {
	fmt.Fprintf(b, "heap-growth :%d", g.At.Line)
	if g.From == nil {
		fmt.Fprintf(b, " decimal %t", g.Decimal)
	} else {
		fmt.Fprintf(b, " from :%d assumed-order %t same-frames %d by-frames %d lost %d minutes %d", g.From.At.Line, g.AssumedOrder, g.SameFrames, g.ByFrames, g.Lost, g.Minutes)
	}
	formatNumbers(b, named{"total", g.Total})
	for i := range g.Rows {
		r := &g.Rows[i]
		fmt.Fprintf(b, "  change %s :%d", r.ID, r.At.Line)
		writeNumbers(b, named{"bytes", r.Bytes.Delta}, named{"before", r.Bytes.Before}, named{"after", r.Bytes.After})
		formatNumbers(b, named{"allocs", r.Allocs.Delta}, named{"before", r.Allocs.Before}, named{"after", r.Allocs.After})
	}
	for i := range g.Grown {
		t := &g.Grown[i]
		fmt.Fprintf(b, "  grown %s", t.ID)
		if share, ok := g.Share(t); ok {
			fmt.Fprintf(b, " share %.1f", share)
		}
		formatAllocator(b, t.Frames, t.Log)
		b.WriteString("\n")
	}
}

func formatAllocator(b *strings.Builder, frames []memory.HeapFrame, log *memory.HeapLog) {
	if a, ok := AllocatorOf(frames, log); ok {
		formatWords(b, "by", a.Module+"!"+a.Function)
		fmt.Fprintf(b, " frame %d :%d", a.Frame, a.At.Line)
	}
}
