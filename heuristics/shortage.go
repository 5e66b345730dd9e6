package heuristics

import (
	"cmp"
	"fmt"

	"kdlocks/kd"
	"kdlocks/memory"
	"kdlocks/waitgraph"
)

// shortage is a kind of memory of which little or nothing is left.
type shortage struct {
	vm   *memory.VM
	what string      // "nonpaged pool"
	pool memory.Type // NoType where it is not about pool
	// used of most are in use, in pages; of physical memory, most are all pages and
	// used those that are not available.
	used, most int64
	percent    float64
	at         []kd.Ref
	failed     memory.Number // allocations that failed, unknown if none did
	full       bool          // and not only near its limit
	sure       Confidence
}

// Percentages of a limit. They are judgement: the debugger prints its own banner from
// some 80 % on, also on machines that have no trouble (testdata/cases/memory-leaky-pool).
const (
	percentFull = 95
	percentNear = 90
)

// shortages returns what the last !vm shows to be used up, or nearly. Counters that
// cannot be true are not used.
func (d *diagnosis) shortages() []shortage {
	v := d.lastVM()
	if v == nil {
		return nil
	}
	var out []shortage
	if s, ok := nonPagedOf(v); ok {
		out = append(out, s)
	}
	if s, ok := pagedOf(v); ok {
		out = append(out, s)
	}
	if s, ok := physicalOf(v); ok {
		out = append(out, s)
	}
	if s, ok := commitOf(v); ok {
		out = append(out, s)
	}
	return out
}

func nonPagedOf(v *memory.VM) (shortage, bool) {
	p, ok := v.NonPagedPercent()
	if !ok {
		return shortage{}, false
	}
	s := shortage{vm: v, what: "nonpaged pool", pool: memory.NonPaged, percent: p, most: v.Pages(memory.NonPagedPoolMax).N}
	s.used, _ = v.NonPagedUsage()
	s.see(memory.NonPagedPoolUsage, memory.NonPagedPoolNxUsage, memory.NonPagedPoolMax)
	return s, s.weighPool()
}

func pagedOf(v *memory.VM) (shortage, bool) {
	p, ok := v.PagedPercent()
	if !ok {
		return shortage{}, false
	}
	s := shortage{vm: v, what: "paged pool", pool: memory.Paged, percent: p, used: v.Pages(memory.PagedPoolUsage).N, most: v.Pages(memory.PagedPoolMaximum).N}
	s.see(memory.PagedPoolUsage, memory.PagedPoolMaximum)
	return s, s.weighPool()
}

func (s *shortage) see(names ...string) {
	for _, name := range names {
		if c := s.vm.Counter(name); c != nil {
			s.at = append(s.at, c.At)
		}
	}
}

// weighPool decides how short a pool is. That allocations failed is counted since
// the machine started: with a pool that is far from full now, it tells of the past.
func (s *shortage) weighPool() bool {
	s.failed = s.vm.Failed("pool allocations")
	failed := s.failed.Known() && s.failed.N > 0
	switch {
	case failed && s.percent >= percentFull:
		s.full, s.sure = true, Certain
	case failed && s.percent >= percentNear:
		s.full, s.sure = true, VeryLikely
	case s.percent >= percentFull:
		s.full, s.sure = true, Likely
	case s.percent >= percentNear:
		s.sure = Likely
	default:
		return false
	}
	return true
}

const physicalMemory = "physical memory"

// lowMemory returns how many Kb of available memory Windows itself calls low: 32 MB
// for each 4 GB, and 64 MB at most (Microsoft Learn:
// CreateMemoryResourceNotification).
func lowMemory(ramKb int64) int64 {
	const mb = 1 << 10
	return min(ramKb/(4<<20)*32*mb+ramKb%(4<<20)*32*mb/(4<<20), 64*mb)
}

func physicalOf(v *memory.VM) (shortage, bool) {
	ram, free := v.Counter(memory.PhysicalMemory), v.Counter(memory.AvailablePages)
	if ram == nil || free == nil || !ram.Kb.Known() || !free.Kb.Known() || v.OverRAM(memory.AvailablePages) == memory.Yes || ram.Torn || free.Torn || ram.Pages.N <= 0 {
		return shortage{}, false
	}
	s := shortage{vm: v, what: physicalMemory, full: true, sure: Likely, used: ram.Pages.N - free.Pages.N, most: ram.Pages.N}
	s.percent = 100 * float64(s.used) / float64(s.most)
	s.see(memory.AvailablePages, memory.PhysicalMemory)
	return s, free.Kb.N < lowMemory(ram.Kb.N)
}

// commitOf tells whether nearly all that can be committed is. Windows makes paging
// files larger up to their maximum, and the limit with them.
func commitOf(v *memory.VM) (shortage, bool) {
	p, ok := v.CommitPercent()
	if !ok || p < percentFull {
		return shortage{}, false
	}
	s := shortage{vm: v, what: "the commit limit", sure: Likely, percent: p, used: v.Pages(memory.CommittedPages).N, most: v.Pages(memory.CommitLimit).N}
	s.see(memory.CommittedPages, memory.CommitLimit)
	s.full = p >= 99
	for _, f := range v.PageFiles {
		if !f.Current.Known() || !f.Maximum.Known() || f.Current.N < f.Maximum.N {
			s.full = false
		}
	}
	return s, true
}

// words says how short it is: "98 %, 3 failed allocations".
func (s *shortage) words() string {
	if s.what == physicalMemory {
		return megabytes(s.vm.Counter(memory.AvailablePages).Kb.N<<10) + " available"
	}
	text := fmt.Sprintf("%d %%", int(s.percent))
	if s.failed.Known() && s.failed.N > 0 {
		text += ", " + kd.Plural(int(s.failed.N), "failed allocation")
	}
	return text
}

// explain says it with its numbers.
func (s *shortage) explain() string {
	text := fmt.Sprintf("!vm prints %s of %s pages in use (%d %%)", grouped(s.used), grouped(s.most), int(s.percent))
	if s.failed.Known() && s.failed.N > 0 {
		text += fmt.Sprintf(", and that %s failed since the machine started", kd.Plural(int(s.failed.N), "pool allocation"))
	}
	return text + "."
}

// evidence adds the lines of !vm.
func (s *shortage) evidence(f *Finding) {
	for _, at := range s.at {
		f.seen(at, 0, "how much of "+s.what+" is used")
	}
	f.seen(s.failed.At, 0, "allocations that failed")
	if b := s.vm.Banner("excessive"); b != nil && s.pool == memory.NonPaged {
		f.seen(b.At, 0, "the warning of the debugger")
	}
}

// grouped writes a number with a comma between each three digits.
func grouped(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// megabytes writes a number of bytes.
func megabytes(n int64) string {
	switch {
	case n >= 10<<30:
		return fmt.Sprintf("%d GB", n>>30)
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%d KB", (n+1023)>>10)
}

// lockWaiters counts the threads that wait for something in the graph.
func (d *diagnosis) lockWaiters() int {
	n := 0
	for i := range d.graph.Nodes {
		if d.graph.Nodes[i].Kind == waitgraph.Thread && len(d.graph.Out[i]) > 0 {
			n++
		}
	}
	return n
}

// bySize is for what is to be looked at: the most certain first.
func bySize(a, b shortage) int {
	return cmp.Or(boolean(b.full)-boolean(a.full), cmp.Compare(b.percent, a.percent))
}

func boolean(b bool) int {
	if b {
		return 1
	}
	return 0
}

// memoryIsThere says what the last !vm shows to be left, "" if it shows a shortage, or
// too little to tell: nonpaged pool and pages that are available must be known.
func (d *diagnosis) memoryIsThere() string {
	v := d.lastVM()
	if v == nil || len(d.shortages()) > 0 {
		return ""
	}
	pool, ok := v.NonPagedPercent()
	free := v.Counter(memory.AvailablePages)
	if !ok || free == nil || !free.Kb.Known() || free.Torn || v.OverRAM(memory.AvailablePages) != memory.No {
		return ""
	}
	text := fmt.Sprintf("by !vm %d %% of nonpaged pool", int(pool))
	if paged, ok := v.PagedPercent(); ok {
		text += fmt.Sprintf(" and %d %% of paged pool", int(paged))
	}
	return text + " are in use, and " + megabytes(free.Kb.N<<10) + " are available"
}

// gapsOfMemory asks for what would tell whether memory is short, where something was
// printed about it that does not.
func (d *diagnosis) gapsOfMemory() {
	v := d.lastVM()
	switch {
	case v == nil && len(d.snap.Memory.Pools) > 0:
		d.gap(kd.Gap{What: "how full the pools are", Why: kd.NotInInput, Next: "!vm"})
	case v != nil && v.NonPagedOverRAM() == memory.Yes:
		d.gap(kd.Gap{What: "how full nonpaged pool is: !vm prints more than there is physical memory", Why: kd.Unreadable, Next: "!poolused 2"})
	}
}
