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
	// Uses are the rows of !memusage that say what pages are used for.
	Uses    []PageUse
	Dropped int // rows beyond the limit on what is kept
	At      kd.Ref
	EndLine int32
	of      string // what the next numbers are of, where that is not their name
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
		r.newCounts(h.tool, l)
		return true
	}
	return false
}

// headlessCounts opens an output of which the beginning was left out at the line that is
// the first one behind it.
func (r *Reader) headlessCounts(l kd.Line) bool {
	tool, unit := "", "kb"
	switch {
	case r.open != noBlock:
		return false
	case strings.HasPrefix(l.Text, "Zeroed:"):
		tool = "!memusage"
	case strings.HasPrefix(l.Text, "CcTotalDirtyPages:"):
		tool, unit = "!defwrites", "Kb"
	case strings.HasPrefix(l.Text, "Total System Ptes "), strings.HasPrefix(l.Text, "0x") && strings.Contains(l.Text, " System PTEs allocated to "):
		tool = "!sysptes"
	default:
		return false
	}
	name, at := counterName(l.Text, 0)
	if _, _, ok := readCounter(name, at, unit, l); !ok && tool != "!sysptes" {
		return false
	}
	r.newCounts(tool, l)
	return r.countsLine(l)
}

func (r *Reader) newCounts(tool string, l kd.Line) {
	r.close()
	r.open, r.counts = countsBlock, &Counts{Tool: tool, At: l.All(), EndLine: l.Last()}
	if len(r.listing().Counts) < mostListings {
		r.listing().Counts = append(r.listing().Counts, r.counts)
	} else {
		r.left(l.All(), "outputs of "+tool)
	}
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
	case k.Tool == "!defwrites" && k.throttles(l):
	case k.Tool == "!memusage" && r.pageUse(l):
	case strings.HasPrefix(l.Text, "loading ("), strings.HasPrefix(l.Text, "Building kernel map"), strings.HasPrefix(l.Text, "Finished building"), strings.HasPrefix(l.Text, "Scanning PFN"), strings.HasPrefix(l.Text, "(Master"):
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

// throttles reads what !defwrites says of cached writes (public captures):
//
//	Write throttles not engaged
//	CcTotalDirtyPages >= CcDirtyPageThreshold, writes throttled
//	CcTotalDirtyPages within 64 (max charge) pages of the threshold, writes
//	may be throttled
func (k *Counts) throttles(l kd.Line) bool {
	switch {
	case strings.HasPrefix(l.Text, "Write throttles"):
		k.Throttled, k.ThrottledAt = flag(!strings.Contains(l.Text, "not engaged")), l.All()
	case strings.HasSuffix(l.Text, ", writes throttled") && k.Throttled != Yes:
		k.Throttled, k.ThrottledAt = Yes, l.All()
	case strings.HasPrefix(l.Text, "Check "), strings.HasPrefix(l.Text, "Cc Deferred Write list"), l.Text == "Nothing queued",
		strings.HasPrefix(l.Text, "CcTotalDirtyPages within "), strings.HasSuffix(l.Text, "may be throttled"):
	default:
		return false
	}
	return true
}

// countForm reports whether a line alone is one of such an output.
func countForm(l kd.Line) bool {
	name, at := counterName(l.Text, 0)
	if name != "" && strings.Contains(l.Text, "kb") {
		_, _, ok := readCounter(name, at, "kb", l)
		return ok
	}
	if c := l.Text[0] | 0x20; c != 's' && c != 't' && c != 'f' && c != 'e' && c != 'w' {
		return false
	}
	ptes := Reader{counts: &Counts{}}
	return strings.HasPrefix(l.Text, "Write throttles") || ptes.ptesLine(l)
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
		return r.freeBlocks(&w)
	}
	if n, ok := mapped(l); ok {
		r.count(Counter{Name: "mapping locked pages", Pages: n, At: l.All()})
		return true
	}
	if l.Text == "Kernel Stack PTE Information" {
		r.counts.of = "kernel stack "
		return true
	}
	for _, begin := range []string{"SysPtes list of size ", "starting PTE:", "ending PTE:", "free ptes:", "VA MDL PageCount", "VA       MDL     PageCount", "Unable to get syspte index array"} {
		if strings.HasPrefix(l.Text, begin) {
			return true
		}
	}
	return false
}

// freeBlocks reads
//
//	free blocks: 3   total free: 552337    largest free block: 551557
func (r *Reader) freeBlocks(w *words) bool {
	for _, name := range []string{"free blocks", "total free", "largest free block"} {
		if !w.take(name + ":") {
			return false
		}
		n, ok := w.number(false)
		if !ok {
			return false
		}
		r.count(Counter{Name: r.counts.of + name, Pages: n, At: w.All()})
	}
	return true
}

// mapped reads the line that !sysptes 4 begins with (Microsoft Learn: Bug Check 0x3F):
//
//	0x2c47 System PTEs allocated to mapping locked pages
func mapped(l kd.Line) (Number, bool) {
	c := kd.Cursor{Text: l.Text}
	n := hexadecimal(l, &c)
	return n, strings.HasPrefix(l.Text, "0x") && n.Known() && c.Take("System PTEs allocated to mapping locked pages")
}
