package heuristics

import (
	"fmt"

	"kdlocks/memory"
)

// Percentages of a limit. They are judgement: the debugger prints its own banner from
// some 80 % on, also on machines that have no trouble (testdata/cases/memory-leaky-pool).
const (
	percentFull = 95
	percentNear = 90
	// percentOfRAM is how much of physical memory nonpaged pool may have where that is its
	// limit: no machine can give it all of it.
	percentOfRAM = 50
)

// nonPagedOf tells whether nonpaged pool is short. From Windows 8 on it may have all of
// physical memory, up to 128 GB (Microsoft Learn: Memory limits for Windows releases), and
// the maximum that is printed is that of its addresses.
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
	ram := v.Pages(memory.PhysicalMemory)
	if !ram.Known() || ram.N <= 0 || s.most <= ram.N {
		return s, s.weighPool()
	}
	s.most, s.ofRAM, s.sure = ram.N, true, Likely
	s.percent = 100 * float64(s.used) / float64(ram.N)
	s.left = fmt.Sprintf("%d %% of physical memory", int(s.percent))
	s.see(memory.PhysicalMemory)
	return s, s.percent >= percentOfRAM
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

// sessionsOf tells which sessions have used up the paged pool of their own.
func sessionsOf(v *memory.VM) []shortage {
	var out []shortage
	for i := range v.Sessions {
		of := &v.Sessions[i]
		p, ok := v.SessionPercent(of)
		if !ok {
			continue
		}
		s := shortage{vm: v, what: fmt.Sprintf("paged pool of session %d", of.ID), pool: memory.Paged, session: of, percent: p, used: of.PagedPool.N, most: v.SessionPoolMax.N, failed: of.Failed}
		s.at = append(s.at, of.PagedPool.At, v.SessionPoolMax.At)
		if s.weigh() {
			out = append(out, s)
		}
	}
	return out
}

// weighPool decides how short a pool of the system is.
func (s *shortage) weighPool() bool {
	s.failed = s.vm.Failed(poolAllocations)
	return s.weigh()
}

// weigh decides how short a pool is. That allocations failed is counted since the machine
// started: with a pool that is far from full now, it tells of the past.
func (s *shortage) weigh() bool {
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

// overLimit returns how much of a limit is used where it is a little more than all: the two
// counters are not of one instant.
func overLimit(v *memory.VM, used, limit string) (percent float64, ok bool) {
	n, most := v.Pages(used), v.Pages(limit)
	if !n.Known() || !most.Known() || most.N <= 0 || n.N <= most.N || n.N > most.N+most.N/50 {
		return 0, false
	}
	return 100, true
}
