package snapshot

import (
	"kdlocks/kd"
	"kdlocks/memory"
	"kdlocks/memory/trend"
)

// CounterTrend is what a performance counter does over time. Logs of one machine
// that have the same counter are one series; where the machine or the process was
// started anew, the last piece is judged, or the longest if that is too short.
type CounterTrend struct {
	*memory.CounterColumn
	trend.Result
	// Points are the samples of the piece that was judged.
	Points []CounterPoint
	// Most and Least are the highest and the lowest of them.
	Most, Least CounterPoint
	// Restarts counts how often the machine or the process was started anew, RestartAt
	// is the first sample behind the first of them; Past is set where a piece before the
	// last was judged.
	Restarts  int
	RestartAt kd.Ref
	Past      bool
	// Loads are the measures of load, in the order of Moves.
	Loads []*memory.CounterColumn
	// RAM is the physical memory in bytes, 0 if nothing tells; RAMAt is where it stands.
	RAM   float64
	RAMAt kd.Ref
	// LeftHours is for how long what is left of Limit lasts at this slope, negative if
	// that is not known. LimitAt is where it was printed.
	LeftHours float64
	Limit     string
	LimitAt   kd.Ref
	// With are the counters that move with it, most alike first.
	With []MovesWith
}

// CounterPoint is one sample.
type CounterPoint struct {
	Time  int64 // milliseconds
	Value float64
	At    kd.Ref
}

// MovesWith is a counter that rises as another one does.
type MovesWith struct {
	*CounterTrend
	Rho float64 // rank correlation
}

// Bounds of what is judged: counters of processes, those that rise most, and measures
// of load; and how alike counters are that move together.
const (
	mostTrends = 128
	mostLoads  = 6
	mostWith   = 4
	alike      = 0.9
)

// Leaks reports whether the counter grows as only a leak does, over a time that
// suffices to say so, and that of a process by more than a trifle.
func (c *CounterTrend) Leaks() bool {
	return c.Shape == trend.Grows && c.Enough && (!c.What.OfProcess() || c.matters())
}

// Weight is by how many trifles the counter rose, which compares counters of different
// units.
func (c *CounterTrend) Weight() float64 { return c.Rise() / trifle(c.What) }

// Figures reports whether there were samples enough to work out its figures.
func (c *CounterTrend) Figures() bool { return c.Low != 0 || c.High != 0 || c.Tau != 0 }

// Rise is the difference between the first and the last level.
func (c *CounterTrend) Rise() float64 { return c.End - c.Start }

// OpensQuestion reports whether the time does not suffice to say that a counter does
// not leak: of counters of a process only where they rise by more than a trifle.
func (c *CounterTrend) OpensQuestion() bool {
	return !c.Enough && (!c.What.OfProcess() || c.matters())
}

// matters reports whether a counter of a process rose by more than any process does, or
// had before it fell at once.
func (c *CounterTrend) matters() bool {
	rise := c.Rise()
	if !c.Figures() {
		rise = c.Points[len(c.Points)-1].Value - c.Points[0].Value
	}
	if c.FellAtOnce {
		rise = max(rise, c.High-c.Low)
	}
	return rise > trifle(c.What)
}

// trifle is what a process takes and gives back while it does nothing of note.
func trifle(m memory.Measure) float64 {
	switch m {
	case memory.HandleCount:
		return 500
	case memory.ThreadCount:
		return 50
	case memory.ProcessPoolNonPaged, memory.ProcessPoolPaged:
		return 1 << 20
	}
	return 16 << 20
}

// SetCounters adds logs of performance counters of one machine, and judges them.
func (s *Snapshot) SetCounters(logs []*memory.CounterLog) {
	s.Memory.Counters = logs
	for _, l := range logs {
		s.Notes = append(s.Notes, l.Notes...)
	}
	j := counterJudge{s: s, byPath: make(map[string]*counterSeries)}
	j.collect(logs)
	j.findRestarts()
	j.judge()
}

// OnlyCounters reports whether logs of performance counters are all that was read, but
// for modules.
func (s *Snapshot) OnlyCounters() bool {
	return s.OnlyContext() && len(s.Memory.Counters) > 0 && len(s.Memory.VMs)+len(s.Memory.Pools) == 0
}
