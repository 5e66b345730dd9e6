package snapshot

import (
	"slices"

	"kdlocks/memory"
)

// history returns what the listings of pool show of this machine; those of the session
// itself are from one on to before another.
func (s *Snapshot) history() (h *memory.History, from, to int) {
	from = len(s.EarlierPools)
	to = from + len(s.Memory.Pools)
	if s.PoolHistory == nil {
		return memory.NewHistory(slices.Concat(s.EarlierPools, s.Memory.Pools)), from, to
	}
	return s.PoolHistory, from, to
}

// PoolGrowths returns what became of the tags that the session lists.
func (s *Snapshot) PoolGrowths() []*memory.Growth {
	h, from, to := s.history()
	return h.Growths(s.Memory.Pools, from, to)
}

// PoolGrowth returns what became of a tag since the machine was started, nil if the
// session does not list it.
func (s *Snapshot) PoolGrowth(tag string, t memory.Type) *memory.Growth {
	h, from, to := s.history()
	return h.Of(tag, t, from, to)
}

// PoolsOfLastBoot returns the listings of pool of the session, without those of before the
// machine was started anew.
func (s *Snapshot) PoolsOfLastBoot() []*memory.Pool {
	h, from, to := s.history()
	for i, p := range s.Memory.Pools {
		if p.OfSession != memory.Yes && h.SameBoot(from+i, to-1) {
			return s.Memory.Pools[i:]
		}
	}
	return nil
}
