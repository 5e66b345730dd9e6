package memory

import (
	"strings"

	"kdlocks/kd"
)

// Counts is one output of a command that prints numbers by name: !memusage, !defwrites
// or !sysptes.
type Counts struct {
	Tool string // "!memusage"
	// Counters are the numbers in their order. Those of !sysptes are no pages, but
	// page table entries and blocks of them; they have no Kb.
	Counters []Counter
	// Throttled is what !defwrites says of cached writes: Yes if they wait until dirty
	// pages were written; ThrottledAt is where.
	Throttled   Flag
	ThrottledAt kd.Ref
	At          kd.Ref
	EndLine     int32
}

// Counter returns the counter of a name, in either case; nil if it was not printed.
func (c *Counts) Counter(name string) *Counter { return counterOf(c.Counters, name) }

func counterOf(list []Counter, name string) *Counter {
	for i := range list {
		if strings.EqualFold(list[i].Name, name) {
			return &list[i]
		}
	}
	return nil
}

// countsHeads are the lines that open such an output (Microsoft Learn: !memusage,
// !defwrites, !sysptes).
var countsHeads = []struct{ begin, tool string }{
	{"loading PFN database", "!memusage"},
	{"Compiling memory usage data", "!memusage"},
	{"*** Cache Write Throttle Analysis", "!defwrites"},
	{"System PTE Information", "!sysptes"},
}

func (r *Reader) countsHead(l kd.Line) bool {
	for _, h := range countsHeads {
		if !strings.HasPrefix(l.Text, h.begin) {
			continue
		}
		if r.open == countsBlock && r.counts.Tool == h.tool && len(r.counts.Counters) == 0 {
			return true
		}
		r.close()
		r.open, r.counts = countsBlock, &Counts{Tool: h.tool, At: l.All(), EndLine: l.Last()}
		if len(r.listing().Counts) < mostListings {
			r.listing().Counts = append(r.listing().Counts, r.counts)
		} else {
			r.left(l.All(), "outputs of "+h.tool)
		}
		return true
	}
	return false
}

// countsLine reads the lines below the head:
//
//	       Active/Valid:   321846 ( 1287384 kb)
//	CcDirtyPageThreshold:             1538 (    6152 Kb)
//	Write throttles not engaged
//	Total System Ptes 571224
//	free blocks: 3   total free: 552337    largest free block: 551557
func (r *Reader) countsLine(l kd.Line) bool {
	k := r.counts
	switch {
	case k.Tool == "!sysptes":
		if !r.ptesLine(l) {
			return false
		}
	case k.Tool == "!defwrites" && strings.HasPrefix(l.Text, "Write throttles"):
		k.Throttled, k.ThrottledAt = flag(!strings.Contains(l.Text, "not engaged")), l.All()
	case strings.HasPrefix(l.Text, "loading ("), strings.HasPrefix(l.Text, "Building kernel map"), strings.HasPrefix(l.Text, "Finished building"), strings.HasPrefix(l.Text, "Scanning PFN"):
	default:
		name, at := counterName(l.Text, 0)
		unit := "Kb"
		if k.Tool == "!memusage" {
			unit = "kb"
		}
		c, end, ok := readCounter(name, at, unit, l)
		if name == "" || !ok || end < len(l.Text) {
			return false
		}
		c.Name = strings.Clone(c.Name)
		r.count(c)
	}
	k.EndLine = max(k.EndLine, l.Last())
	return true
}

func (r *Reader) count(c Counter) {
	if len(r.counts.Counters) >= mostCounters {
		r.left(c.At, "counters of "+r.counts.Tool)
		return
	}
	r.counts.Counters = append(r.counts.Counters, c)
}

// ptesLine reads a line of !sysptes.
func (r *Reader) ptesLine(l kd.Line) bool {
	w := words{l, 0}
	if w.take("Total System Ptes") {
		n, ok := w.number(false)
		if ok {
			r.count(Counter{Name: "Total System Ptes", Pages: n, At: l.All()})
		}
		return ok
	}
	if strings.HasPrefix(l.Text, "free blocks:") {
		for _, name := range []string{"free blocks", "total free", "largest free block"} {
			if !w.take(name + ":") {
				return false
			}
			n, ok := w.number(false)
			if !ok {
				return false
			}
			r.count(Counter{Name: name, Pages: n, At: l.All()})
		}
		return true
	}
	for _, begin := range []string{"SysPtes list of size ", "starting PTE:", "ending PTE:", "free ptes:"} {
		if strings.HasPrefix(l.Text, begin) {
			return true
		}
	}
	return false
}
