package snapshot

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"kdlocks/kd"
	"kdlocks/memory"
)

// counterSeries is one counter in all logs.
type counterSeries struct {
	col    *memory.CounterColumn
	points []CounterPoint
	// gaps are the points before which samples are missing.
	gaps []int
}

// counterJudge judges the counters of one machine.
type counterJudge struct {
	s        *Snapshot
	byPath   map[string]*counterSeries
	series   []*counterSeries
	base     int64   // the time of the first sample
	restarts []int64 // times of the machine: the first sample behind each
	ram      float64
	ramAt    kd.Ref
}

// collect puts the series of all logs together, in the order of time.
func (j *counterJudge) collect(logs []*memory.CounterLog) {
	logs = slices.Clone(logs)
	kd.SortStable(logs, func(a, b *memory.CounterLog) int {
		if len(a.Rows) == 0 || len(b.Rows) == 0 {
			return len(b.Rows) - len(a.Rows)
		}
		switch d := a.Rows[0].Time - b.Rows[0].Time; {
		case d < 0:
			return -1
		case d > 0:
			return 1
		}
		return 0
	})
	for _, l := range logs {
		if j.base == 0 && len(l.Rows) > 0 {
			j.base = l.Rows[0].Time
		}
		back := 0
		for _, c := range l.Columns {
			back = max(back, j.add(l, c))
		}
		if back > 0 {
			j.s.Notes = append(j.s.Notes, kd.Note{At: l.At, Text: fmt.Sprintf("counter log: %s at or before the time of the one above is not judged", kd.Plural(back, "sample"))})
		}
	}
}

// add adds the samples of a column and returns how many are none that time goes on
// with.
func (j *counterJudge) add(l *memory.CounterLog, c *memory.CounterColumn) int {
	key := strings.ToLower(c.Path)
	s := j.byPath[key]
	if s == nil {
		s = &counterSeries{col: c}
		j.byPath[key] = s
		j.series = append(j.series, s)
	}
	back, missing := 0, false
	for i, row := range l.Rows {
		v, ok := c.Value(i)
		switch n := len(s.points); {
		case !ok:
			missing = true
			continue
		case n > 0 && row.Time <= s.points[n-1].Time:
			back++
			continue
		case missing && n > 0:
			s.gaps = append(s.gaps, n)
		}
		missing = false
		s.points = append(s.points, CounterPoint{row.Time, v, l.Place(c, i)})
	}
	return back
}

// of returns the series of a measure, in the order of the logs.
func (j *counterJudge) of(m memory.Measure) []*counterSeries {
	var out []*counterSeries
	for _, s := range j.series {
		if s.col.What == m && len(s.points) > 0 {
			out = append(out, s)
		}
	}
	return out
}

// findRestarts finds when the machine was started anew: its uptime falls. Where that is
// not logged nothing tells a restart from load that fell.
func (j *counterJudge) findRestarts() {
	for _, up := range j.of(memory.SystemUpTime)[:min(len(j.of(memory.SystemUpTime)), 1)] {
		for i, p := range up.points[1:] {
			if p.Value < up.points[i].Value {
				j.restarts = append(j.restarts, p.Time)
			}
		}
	}
}

// pieces cuts a series where the machine or its process was started anew.
func (j *counterJudge) pieces(s *counterSeries) [][]CounterPoint {
	cuts := slices.Clone(j.restarts)
	if s.col.What.OfProcess() {
		cuts = append(cuts, j.processRestarts(s)...)
		kd.SortStable(cuts, cmp.Compare[int64])
	}
	var out [][]CounterPoint
	from := 0
	for _, t := range cuts {
		i := from
		for i < len(s.points) && s.points[i].Time < t {
			i++
		}
		if i > from {
			out = append(out, s.points[from:i])
		}
		from = i
	}
	if from < len(s.points) {
		out = append(out, s.points[from:])
	}
	return out
}

// processRestarts finds when an instance became another process: its ID changes, or,
// where that is not logged, it was not there for a while.
func (j *counterJudge) processRestarts(s *counterSeries) []int64 {
	var out []int64
	object, _, _ := strings.Cut(strings.ToLower(s.col.Path), `(`)
	for _, id := range j.of(memory.ProcessID) {
		other, _, _ := strings.Cut(strings.ToLower(id.col.Path), `(`)
		if other != object || id.col.Process() != s.col.Process() {
			continue
		}
		for i := 1; i < len(id.points); i++ {
			if id.points[i].Value != id.points[i-1].Value {
				out = append(out, id.points[i].Time)
			}
		}
		return out
	}
	for _, g := range s.gaps {
		out = append(out, s.points[g].Time)
	}
	return out
}
