package heuristics

import (
	"fmt"
	"strings"

	"kdlocks/kd"
	"kdlocks/memory"
)

// What can be short besides pool.
const (
	physicalMemory = "physical memory"
	commitLimit    = "the commit limit"
	systemPTEs     = "system PTEs"
)

// What !vm counts that failed.
const (
	poolAllocations = "pool allocations"
	pteAllocations  = "system PTE allocations"
)

// lowMemory returns how many Kb of available memory Windows itself calls low: 32 MB
// for each 4 GB, and 64 MB at most (Microsoft Learn:
// CreateMemoryResourceNotification).
func lowMemory(ramKb int64) int64 {
	const mb = 1 << 10
	return min(ramKb/(4<<20)*32*mb+ramKb%(4<<20)*32*mb/(4<<20), 64*mb)
}

func physicalOf(v *memory.VM) (shortage, bool) {
	ram, known := v.Counter(memory.PhysicalMemory).Bytes()
	free, ok := v.Counter(memory.AvailablePages).Bytes()
	if !known || !ok || !v.Pages(memory.PhysicalMemory).Known() || !v.Pages(memory.AvailablePages).Known() || v.OverRAM(memory.AvailablePages) == memory.Yes || ram <= 0 || notRead(v) {
		return shortage{}, false
	}
	s := shortage{vm: v, what: physicalMemory, full: true, sure: Likely, used: v.Pages(memory.PhysicalMemory).N - v.Pages(memory.AvailablePages).N, most: v.Pages(memory.PhysicalMemory).N}
	s.percent = 100 * float64(ram-free) / float64(ram)
	s.left = inBytes(free) + " available"
	s.see(memory.AvailablePages, memory.PhysicalMemory)
	return s, free>>10 < lowMemory(ram>>10)
}

// notRead reports whether the debugger had no counters to print: no machine has nothing in
// nonpaged pool, and none has nothing in two of the others.
func notRead(v *memory.VM) bool {
	zeros := 0
	for _, name := range []string{memory.PagedPoolUsage, memory.AvailablePages, "ResAvail Pages", memory.FreeSystemPTEs, memory.CommittedPages} {
		if n := v.Pages(name); n.Known() && n.N == 0 {
			zeros++
		}
	}
	return zeros > 1 || v.Pages(memory.NonPagedPoolUsage).N == 0 && v.Pages(memory.NonPagedPoolNxUsage).N == 0
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
	s := shortage{vm: v, what: commitLimit, sure: Likely, percent: p, used: v.Pages(memory.CommittedPages).N, most: v.Pages(memory.CommitLimit).N}
	s.see(memory.CommittedPages, memory.CommitLimit)
	s.failed = v.Failed("commit requests")
	s.full = (p >= 99 || p >= percentFull && s.failed.Known() && s.failed.N > 0) && !limitGrows(v)
	return s, true
}

// limitGrows reports whether the commit limit may: a paging file is not at its maximum, or
// none is listed though the limit is larger than physical memory. The file for suspended
// apps is no part of the limit.
func limitGrows(v *memory.VM) bool {
	for _, f := range v.PageFiles {
		if !strings.HasSuffix(strings.ToLower(f.Name), `\swapfile.sys`) && (!f.Current.Known() || !f.Maximum.Known() || f.Current.N < f.Maximum.N) {
			return true
		}
	}
	ram := v.Pages(memory.PhysicalMemory)
	return len(v.PageFiles) == 0 && (!ram.Known() || v.Pages(memory.CommitLimit).N > ram.N)
}

// Numbers of free system PTEs, of which Windows on x86 has some ten thousand: at the first
// Microsoft calls it an error, at the second a warning (Exchange Server Analyzer: Free Page
// Table entries). That none is left is told by allocations that fail, too.
const (
	fewPTEs  = 5000
	somePTEs = 8000
)

func ptesOf(v *memory.VM) (shortage, bool) {
	free := v.Pages(memory.FreeSystemPTEs)
	if !free.Known() || free.N > somePTEs || notRead(v) {
		return shortage{}, false
	}
	s := shortage{vm: v, what: systemPTEs, sure: Likely, used: free.N, failed: v.Failed(pteAllocations)}
	if free.N == 0 && !s.failed.Known() { // a debugger without the right symbols prints 0
		return shortage{}, false
	}
	s.left = fmt.Sprintf("%s left", grouped(free.N))
	s.see(memory.FreeSystemPTEs)
	s.full = free.N <= fewPTEs && s.failed.Known() && s.failed.N > 0
	return s, true
}

// tellHolder says who has most of physical memory, or of what can be committed.
func (d *diagnosis) tellHolder(f *Finding, s *shortage) {
	if s.what == systemPTEs {
		f.Next = []string{"!sysptes 4"}
		return
	}
	if s.what == physicalMemory && d.tellPages(f, s) {
		return
	}
	if len(s.vm.Processes) == 0 {
		f.Next = []string{"!vm"}
		return
	}
	if p, kb := largestProcess(s.vm); kb >= s.most*4*percentHeld/100 {
		f.Summary += fmt.Sprintf(": %s (%x) has committed %s", p.Image, p.PID, inBytes(kb<<10))
		f.seen(p.Commit.At, 0, "the process that has committed most")
		f.Next = []string{fmt.Sprintf("!process %x 1", p.PID)}
		return
	}
	f.Next = []string{"!poolused 2"}
}

// tellPages says what physical memory is used for where most of it is nonpaged pool, or
// pages that wait to be written.
func (d *diagnosis) tellPages(f *Finding, s *shortage) bool {
	pool, _ := s.vm.NonPagedUsage()
	modified := s.vm.Pages(memory.ModifiedPages).N
	switch share := 100 * max(pool, modified) / max(s.most, 1); {
	case share < percentHeld:
		return false
	case modified > pool:
		f.Summary += fmt.Sprintf(": modified pages, which wait to be written, hold %d %% of it", share)
		f.seen(s.vm.Counter(memory.ModifiedPages).At, 0, "pages that wait to be written")
		f.Next = []string{"!defwrites"}
	default:
		f.Summary += fmt.Sprintf(": nonpaged pool holds %d %% of it", share)
		for _, name := range []string{memory.NonPagedPoolUsage, memory.NonPagedPoolNxUsage} {
			if c := s.vm.Counter(name); c != nil {
				f.seen(c.At, 0, "what nonpaged pool holds")
			}
		}
		if !d.tellTag(f, s, memory.NonPaged) {
			d.gap(kd.Gap{What: "which tag uses nonpaged pool", Why: kd.NotInInput, Next: "!poolused 2"})
			f.Next = []string{"!poolused 2"}
		}
	}
	return true
}

// percentHeld is the share from which on one holder is named.
const percentHeld = 25

// largestProcess returns the process that has committed most, and how many Kb.
func largestProcess(v *memory.VM) (*memory.ProcessCommit, int64) {
	var top *memory.ProcessCommit
	most := int64(-1)
	for i := range v.Processes {
		if p := &v.Processes[i]; p.Commit.Kb.Known() && !p.Commit.Torn && p.Commit.Kb.N > most {
			top, most = p, p.Commit.Kb.N
		}
	}
	return top, most
}
