package snapshot

import (
	"fmt"
	"math"
	"slices"

	"kdlocks/kd"
	"kdlocks/memory"
	"kdlocks/memory/trend"
)

// judge judges what can leak.
func (j *counterJudge) judge() {
	j.findRAM()
	loads, columns := j.loads()
	for _, s := range j.candidates() {
		pieces := j.pieces(s)
		c := &CounterTrend{CounterColumn: s.col, Restarts: len(pieces) - 1, Loads: columns, LeftHours: -1}
		if len(pieces) > 1 {
			c.RestartAt = pieces[1][0].At
		}
		j.choose(c, pieces, loads)
		if c.Most, c.Least = extremes(c.Points); c.Most.Value == 0 && c.Least.Value == 0 && !c.What.OfProcess() {
			j.s.Notes = append(j.s.Notes, kd.Note{At: c.At, Text: fmt.Sprintf("counter log: %s is 0 in all samples, as no machine has it: nothing is told by it", c.Name())})
			continue
		}
		if c.What.Bytes() {
			c.RAM, c.RAMAt = j.ram, j.ramAt
		}
		if c.Shape == trend.Grows && !c.Past {
			j.exhaustion(c)
		}
		if c.Shape == trend.Levels && j.exhausted() {
			c.Enough, c.Need = false, c.Hours+3*24 // it may have stopped for want of memory
		}
		j.s.Trends = append(j.s.Trends, c)
	}
	j.moveTogether()
}

// choose takes the piece to judge: the last, if it suffices, since that is how the
// machine is now; else the longest. What grew in one before is past.
func (j *counterJudge) choose(c *CounterTrend, pieces [][]CounterPoint, loads []trend.Load) {
	last, best := len(pieces)-1, 0
	for i, p := range pieces {
		if lasts(p) >= lasts(pieces[best]) {
			best = i
		}
	}
	c.Points = pieces[last]
	c.Result = trend.Judge(seriesOf(c.Points, j.base), loads)
	if best == last {
		return
	}
	longest := trend.Judge(seriesOf(pieces[best], j.base), loads)
	if !c.Enough {
		c.Points, c.Result, c.Past = pieces[best], longest, true
		return
	}
	if longest.Shape == trend.Grows && longest.Enough && c.Shape != trend.Grows {
		text := fmt.Sprintf("counter log: %s grew before its last restart, over %.0f hours: only what it does since then is judged", c.Name(), longest.Hours)
		j.s.Notes = append(j.s.Notes, kd.Note{At: pieces[best][0].At, Text: text})
	}
}

// exhausted reports whether the machine has next to no memory left at the end: what
// rose until then has stopped for that.
func (j *counterJudge) exhausted() bool {
	const little, full = 0.07, 0.95
	last := func(m memory.Measure) (CounterPoint, float64) {
		all := j.of(m)
		if len(all) == 0 {
			return CounterPoint{}, 0
		}
		most, _ := extremes(all[0].points)
		return all[0].points[len(all[0].points)-1], most.Value
	}
	left, most := last(memory.AvailableBytes)
	if whole := max(j.ram, most); whole > 0 && most > 0 && left.Value < little*whole {
		return true
	}
	limit, _ := last(memory.CommitLimitBytes)
	used, _ := last(memory.CommittedBytes)
	return limit.Value > 0 && used.Value > full*limit.Value
}

func lasts(p []CounterPoint) int64 { return p[len(p)-1].Time - p[0].Time }

// seriesOf returns points in hours from a time on.
func seriesOf(p []CounterPoint, base int64) trend.Series {
	s := trend.Series{Hours: make([]float64, len(p)), Values: make([]float64, len(p))}
	for i := range p {
		s.Hours[i], s.Values[i] = float64(p[i].Time-base)/3600_000, p[i].Value
	}
	return s
}

func extremes(p []CounterPoint) (most, least CounterPoint) {
	most, least = p[0], p[0]
	for _, x := range p {
		if x.Value > most.Value {
			most = x
		}
		if x.Value < least.Value {
			least = x
		}
	}
	return most, least
}

// candidates are the series to judge: all of the machine, and of processes those that
// weigh most.
func (j *counterJudge) candidates() []*counterSeries {
	var out, processes []*counterSeries
	for _, s := range j.series {
		switch {
		case !s.col.What.Leaks() || len(s.points) == 0:
		case !s.col.What.OfProcess():
			out = append(out, s)
		default:
			processes = append(processes, s)
		}
	}
	weight := make(map[*counterSeries]float64, len(processes))
	for _, s := range processes {
		weight[s] = weightOf(s.points) / trifle(s.col.What)
	}
	few := slices.Clone(processes)
	kd.SortStable(few, func(a, b *counterSeries) int {
		switch {
		case weight[a] > weight[b]:
			return -1
		case weight[a] < weight[b]:
			return 1
		}
		return 0
	})
	if len(few) > mostTrends {
		j.s.Notes = append(j.s.Notes, kd.Note{At: few[0].col.At, Text: fmt.Sprintf("counter logs: of %d counters of processes those %d are judged that rise most", len(few), mostTrends)})
		few = few[:mostTrends]
	}
	kept := make(map[*counterSeries]bool, len(few))
	for _, s := range few {
		kept[s] = true
	}
	for _, s := range processes {
		if kept[s] {
			out = append(out, s)
		}
	}
	return out
}

// weightOf is by how much a series rises, or a part of what it spans, if that is more:
// a restart may hide its rise.
func weightOf(p []CounterPoint) float64 {
	const few, share = 3, 0.05
	most, least := extremes(p)
	weight := share * (most.Value - least.Value)
	if len(p) >= 2*few {
		rise := 0.0
		for i := range few {
			rise += p[len(p)-1-i].Value - p[i].Value
		}
		weight = max(weight, rise/few)
	}
	return weight
}

// flatLoads are the differences of load that mean nothing.
var flatLoads = map[memory.Measure]float64{
	memory.ProcessorTime: 10, memory.ProcessCount: 5, memory.Sessions: 3, memory.FilesOpen: 20, memory.Requests: 1, memory.Traffic: 10_000,
}

// loads returns the measures of load, no more of one kind before there is one of each.
func (j *counterJudge) loads() (out []trend.Load, columns []*memory.CounterColumn) {
	for _, further := range []bool{false, true} {
		seen := make(map[memory.Measure]bool)
		for _, s := range j.series {
			if m := s.col.What; m.Load() && len(s.points) > 1 && seen[m] == further && len(out) < mostLoads {
				out, columns = append(out, trend.Load{Series: seriesOf(s.points, j.base), Flat: flatLoads[m]}), append(columns, s.col)
			}
			seen[s.col.What] = true
		}
	}
	return out, columns
}

// findRAM finds the physical memory: the counter of NUMA nodes, else !vm.
func (j *counterJudge) findRAM() {
	for _, s := range j.of(memory.RAMBytes) {
		last := s.points[len(s.points)-1]
		j.ram, j.ramAt = last.Value, last.At
		return
	}
	for _, v := range j.s.Memory.VMs {
		if c := v.Counter(memory.PhysicalMemory); c != nil && !c.Torn && c.Kb.Known() {
			j.ram, j.ramAt = float64(c.Kb.N)*1024, c.Kb.At
		}
	}
}

// exhaustion works out for how long the memory lasts that is left: what is available,
// and, of what can be paged, what can still be committed.
func (j *counterJudge) exhaustion(c *CounterTrend) {
	if !c.What.Bytes() || c.PerHour <= 0 {
		return
	}
	less := func(left float64, limit string, at kd.Ref) {
		if hours := left / c.PerHour; left >= 0 && (c.LeftHours < 0 || hours < c.LeftHours) {
			c.LeftHours, c.Limit, c.LimitAt = hours, limit, at
		}
	}
	last := func(m memory.Measure) (CounterPoint, bool) {
		all := j.of(m)
		if len(all) == 0 {
			return CounterPoint{}, false
		}
		return all[0].points[len(all[0].points)-1], true
	}
	if p, ok := last(memory.AvailableBytes); ok && (c.What == memory.PoolNonPaged || c.What == memory.ProcessPoolNonPaged) {
		less(p.Value, "available memory", p.At)
	}
	limit, ok1 := last(memory.CommitLimitBytes)
	used, ok2 := last(memory.CommittedBytes)
	if ok1 && ok2 {
		less(limit.Value-used.Value, "what can still be committed", limit.At)
	}
}

// moveTogether finds for each counter that grows those that move with it.
func (j *counterJudge) moveTogether() {
	var grow []*CounterTrend
	for _, c := range j.s.Trends {
		if c.Shape == trend.Grows {
			grow = append(grow, c)
		}
	}
	grow = grow[:min(len(grow), 32)]
	for _, c := range grow {
		for _, o := range grow {
			if o == c {
				continue
			}
			if rho := trend.Together(seriesOf(c.Points, j.base), seriesOf(o.Points, j.base)); !math.IsNaN(rho) && rho >= alike {
				c.With = append(c.With, MovesWith{o, rho})
			}
		}
		kd.SortStable(c.With, func(a, b MovesWith) int {
			switch {
			case a.Rho > b.Rho:
				return -1
			case a.Rho < b.Rho:
				return 1
			}
			return 0
		})
		c.With = c.With[:min(len(c.With), mostWith)]
	}
}
