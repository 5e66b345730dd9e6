package heuristics

import (
	"cmp"
	"fmt"
	"slices"

	"kdlocks/kd"
	"kdlocks/memory"
	"kdlocks/threads"
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

// lastVM returns the last !vm that tells how much of a pool or of physical memory is used,
// else the last one; nil if there is none.
func (d *diagnosis) lastVM() *memory.VM {
	vms := d.snap.Memory.VMs
	for _, v := range slices.Backward(vms) {
		if v.Pages(memory.NonPagedPoolUsage).Known() && v.Pages(memory.NonPagedPoolMax).Known() || v.Pages(memory.AvailablePages).Known() && v.Pages(memory.PhysicalMemory).Known() {
			return v
		}
	}
	if n := len(vms); n > 0 {
		return vms[n-1]
	}
	return nil
}

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
		p, ok = overLimit(v, memory.NonPagedPoolUsage, memory.NonPagedPoolMax)
	}
	if !ok {
		return shortage{}, false
	}
	s := shortage{vm: v, what: "nonpaged pool", pool: memory.NonPaged, percent: p, most: v.Pages(memory.NonPagedPoolMax).N}
	if s.used, ok = v.NonPagedUsage(); !ok {
		return shortage{}, false
	}
	s.see(memory.NonPagedPoolUsage, memory.NonPagedPoolNxUsage, memory.NonPagedPoolMax)
	return s, s.weighPool()
}

func pagedOf(v *memory.VM) (shortage, bool) {
	p, ok := v.PagedPercent()
	if c := v.Pages(memory.CommittedPages); !ok || c.Known() && v.Pages(memory.PagedPoolUsage).N > c.N { // all of it is committed
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

// overLimit returns how much of a limit is used where it is a little more than all: the two
// counters are not of one instant.
func overLimit(v *memory.VM, used, limit string) (percent float64, ok bool) {
	n, most := v.Pages(used), v.Pages(limit)
	if !n.Known() || !most.Known() || most.N <= 0 || n.N <= most.N || n.N > most.N+most.N/50 {
		return 0, false
	}
	return 100, true
}

// lowMemory returns how many Kb of available memory Windows itself calls low: 32 MB
// for each 4 GB, and 64 MB at most (Microsoft Learn:
// CreateMemoryResourceNotification).
func lowMemory(ramKb int64) int64 {
	const mb = 1 << 10
	return min(ramKb/(4<<20)*32*mb+ramKb%(4<<20)*32*mb/(4<<20), 64*mb)
}

func physicalOf(v *memory.VM) (shortage, bool) {
	ram, free := v.Counter(memory.PhysicalMemory), v.Counter(memory.AvailablePages)
	if ram == nil || free == nil || !ram.Kb.Known() || !free.Kb.Known() || v.OverRAM(memory.AvailablePages) == memory.Yes || ram.Torn || free.Torn || ram.Pages.N <= 0 ||
		v.Pages(memory.NonPagedPoolUsage).N == 0 { // no machine has none in use: the counters were not read

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
	if !ok {
		p, ok = overLimit(v, memory.CommittedPages, memory.CommitLimit)
	}
	if !ok || p < percentNear {
		return shortage{}, false
	}
	s := shortage{vm: v, what: "the commit limit", sure: Likely, percent: p, used: v.Pages(memory.CommittedPages).N, most: v.Pages(memory.CommitLimit).N}
	s.see(memory.CommittedPages, memory.CommitLimit)
	s.failed = v.Failed("commit requests")
	s.full = p >= 99 || p >= percentFull && s.failed.Known() && s.failed.N > 0
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
		return inBytes(s.vm.Counter(memory.AvailablePages).Kb.N<<10) + " available"
	}
	text := fmt.Sprintf("%d %%", int(s.percent))
	if s.failed.Known() && s.failed.N > 0 {
		text += ", " + kd.Plural(int(s.failed.N), "failed "+s.request())
	}
	return text
}

// request is what fails where it is short.
func (s *shortage) request() string {
	if s.pool == memory.NoType {
		return "request"
	}
	return "allocation"
}

// explain says it with its numbers.
func (s *shortage) explain() string {
	text := fmt.Sprintf("!vm prints %s of %s pages in use (%d %%)", grouped(s.used), grouped(s.most), int(s.percent))
	if s.failed.Known() && s.failed.N > 0 {
		text += fmt.Sprintf(", and that %s failed since the machine started", kd.Plural(int(s.failed.N), s.request()))
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

// lockWaiters counts the threads that wait for locks and may be victims: those behind
// roots that wait for memory by their own stacks, or whose stacks are not in the input.
// elsewhere counts those behind roots that are seen to do something else.
func (d *diagnosis) lockWaiters() (victims, elsewhere int) {
	for _, r := range d.roots {
		n := d.graph.Nodes[r.Node]
		t := d.snap.Thread(n.Addr)
		_, blocked := d.behind(n.Addr)
		switch {
		case t == nil || len(t.Stack.Frames) == 0 && t.State != threads.Running:
			victims += blocked
		default:
			if why, _ := memoryWait(t); why != "" {
				victims += blocked
			} else {
				elsewhere += blocked
			}
		}
	}
	return victims, elsewhere
}

// byWeight puts what is used up before what nearly is, and then the fuller first.
func byWeight(a, b shortage) int {
	return cmp.Or(boolean(b.full)-boolean(a.full), cmp.Compare(b.percent, a.percent))
}

func boolean(b bool) int {
	if b {
		return 1
	}
	return 0
}

// memoryIsThere says what the last !vm shows to be left, "" if it shows a shortage, or
// too little to tell: nonpaged pool and pages that are available must be known, nothing
// may have failed, and no counter may be anywhere near its limit.
func (d *diagnosis) memoryIsThere() string {
	const comfortable = 80 // percent; of physical memory, a quarter in nonpaged pool
	v := d.lastVM()
	if v == nil || len(d.shortages()) > 0 || len(v.Failures) > 0 || len(v.Banners) > 0 {
		return ""
	}
	pool, ok := v.NonPagedPercent()
	n, _ := v.NonPagedUsage()
	paged, _ := v.PagedPercent()
	if commit, _ := v.CommitPercent(); pool > comfortable || paged > comfortable || commit > comfortable || 4*n > v.Pages(memory.PhysicalMemory).N {
		return ""
	}
	free := v.Counter(memory.AvailablePages)
	if !ok || free == nil || !free.Kb.Known() || free.Torn || v.OverRAM(memory.AvailablePages) != memory.No {
		return ""
	}
	text := fmt.Sprintf("by !vm %d %% of nonpaged pool", int(pool))
	if paged, ok := v.PagedPercent(); ok {
		text += fmt.Sprintf(" and %d %% of paged pool", int(paged))
	}
	return text + " are in use, and " + inBytes(free.Kb.N<<10) + " are available"
}

// gapsOfMemory asks for what would tell whether memory is short, where something was
// printed about it that does not.
func (d *diagnosis) gapsOfMemory() {
	v := d.lastVM()
	switch {
	case v == nil && len(d.snap.Memory.Pools) > 0 && (len(d.growths()) == 0 || !d.snap.OnlyContext()):
		d.gap(kd.Gap{What: fullPools, Why: kd.NotInInput, Next: "!vm"})
	case v != nil && v.NonPagedOverRAM() == memory.Yes:
		d.gap(kd.Gap{What: "how full nonpaged pool is: !vm prints more than there is physical memory", Why: kd.Unreadable, Next: "!poolused 2"})
	}
	if m := d.snap.Memory.Memory; m != nil && len(d.snap.Memory.Pools) == 0 && len(d.shortages()) == 0 && looksForImporters(m) {
		d.gap(kd.Gap{What: untaggedPool, Why: kd.NotInInput, Next: "!poolused 2"})
	}
}

// What gaps of memory are about.
const (
	fullPools    = "how full the pools are"
	untaggedPool = "how much pool was allocated without a tag"
)

// decidesMemory makes what is missing of memory decide where a session tells of nothing
// else, and reports whether anything is: who looks at pool alone is asked for the next
// step there, and not for locks.
func (d *diagnosis) decidesMemory() bool {
	if !d.snap.OnlyContext() {
		return false
	}
	for i := range d.gaps {
		if g := &d.gaps[i]; g.What == fullPools || g.What == untaggedPool {
			g.Decides = true
			return true
		}
	}
	return false
}
