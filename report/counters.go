package report

import (
	"math"

	"kdlocks/heuristics"
	"kdlocks/memory"
	"kdlocks/snapshot"
)

// Counters are logs of performance counters, and what the counters do in them that
// can leak.
type Counters struct {
	Logs   []CounterLog   `json:"logs"`
	Trends []CounterTrend `json:"trends"`
}

// CounterLog is one log of counters.
type CounterLog struct {
	Session     int    `json:"session,omitempty"`
	Machine     string `json:"machine,omitempty"`
	Zone        string `json:"time_zone,omitempty"`
	Rows        int    `json:"rows"`
	RowsKept    int    `json:"rows_kept"`
	RowsUnread  int    `json:"rows_not_read,omitempty"`
	Columns     int    `json:"columns_used"`
	OtherColumn int    `json:"columns_not_used"`
	At          At     `json:"at"`
}

// CounterTrend is what one counter does over time. Values are in bytes, handles or
// threads, as the counter says; slopes in those per hour.
type CounterTrend struct {
	Session  int    `json:"session,omitempty"`
	Machine  string `json:"machine,omitempty"`
	Object   string `json:"object"`
	Instance string `json:"instance,omitempty"`
	Counter  string `json:"counter"`
	Shape    string `json:"trend"`
	// Enough is whether the time suffices for what the trend says; else NeedHours is for
	// how long to measure.
	Enough         bool          `json:"time_suffices"`
	NeedHours      float64       `json:"need_hours,omitempty"`
	Leaks          bool          `json:"leaks"`
	Samples        int           `json:"samples"`
	Hours          float64       `json:"hours"`
	SlopePerHour   *float64      `json:"slope_per_hour,omitempty"`
	Tau            *float64      `json:"kendall_tau,omitempty"`
	Start          *float64      `json:"level_at_start,omitempty"`
	End            *float64      `json:"level_at_end,omitempty"`
	Drop           *float64      `json:"largest_decrease,omitempty"`
	Noise          *float64      `json:"noise,omitempty"`
	Restarts       int           `json:"restarts,omitempty"`
	RAMPercent     *float64      `json:"ram_percent,omitempty"`
	ExhaustedHours *float64      `json:"exhausted_in_hours,omitempty"`
	Limit          string        `json:"limit,omitempty"`
	First          CounterSample `json:"first"`
	Last           CounterSample `json:"last"`
	Most           CounterSample `json:"most"`
	Loads          []MovingWith  `json:"loads,omitempty"`
	With           []MovingWith  `json:"moves_with,omitempty"`
	Chart          []ChartValue  `json:"chart"`
	At             At            `json:"at"`

	trend *snapshot.CounterTrend
}

// CounterSample is one value and where it stands.
type CounterSample struct {
	Value float64 `json:"value"`
	At    At      `json:"at"`
}

// MovingWith is another counter and its rank correlation.
type MovingWith struct {
	Counter string   `json:"counter"`
	Rho     *float64 `json:"spearman,omitempty"`
}

// ChartValue is the median of a piece of the time.
type ChartValue struct {
	Hour  float64 `json:"hour"`
	Value float64 `json:"value"`
}

// counters adds what logs of counters tell.
func (b *builder) counters(m *Memory, s *snapshot.Snapshot) {
	if len(s.Memory.Counters) == 0 {
		return
	}
	if m.Counters == nil {
		m.Counters = &Counters{Logs: []CounterLog{}, Trends: []CounterTrend{}}
	}
	for _, l := range s.Memory.Counters {
		m.Counters.Logs = append(m.Counters.Logs, CounterLog{
			Session: b.session, Machine: l.Machine, Zone: l.Zone, Rows: l.Read, RowsKept: len(l.Rows), RowsUnread: l.Unread + l.Untimed,
			Columns: len(l.Columns), OtherColumn: l.Others, At: b.at(l.At, l.EndLine),
		})
	}
	for _, c := range s.Trends {
		m.Counters.Trends = append(m.Counters.Trends, b.counterTrend(c))
	}
}

func (b *builder) counterTrend(c *snapshot.CounterTrend) CounterTrend {
	out := CounterTrend{
		Session: b.session, Machine: c.Machine, Object: c.Object, Instance: c.Instance, Counter: c.Counter, Shape: c.Shape.String(),
		Enough: c.Enough, NeedHours: rounded(c.Need), Leaks: c.Leaks(), Samples: c.Samples, Hours: rounded(c.Hours), Restarts: c.Restarts,
		First: b.sample(c.Points[0]), Last: b.sample(c.Points[len(c.Points)-1]), Most: b.sample(c.Most),
		Chart: chartOf(c.Points), At: b.at(c.At, 0), trend: c,
	}
	if c.Figures() {
		out.SlopePerHour, out.Tau, out.Start, out.End = figure(c.PerHour), figure(c.Tau), figure(c.Start), figure(c.End)
		out.Drop, out.Noise = figure(c.Drop), figure(c.Noise)
	}
	if c.RAM > 0 && c.End <= c.RAM && c.Figures() {
		out.RAMPercent = figure(100 * c.End / c.RAM)
	}
	if c.LeftHours >= 0 {
		out.ExhaustedHours, out.Limit = figure(c.LeftHours), c.Limit
	}
	for i, l := range c.Loads {
		if i < len(c.Moves) {
			out.Loads = append(out.Loads, MovingWith{l.Name(), figure(c.Moves[i])})
		}
	}
	for _, w := range c.With {
		out.With = append(out.With, MovingWith{w.Name(), figure(w.Rho)})
	}
	return out
}

func (b *builder) sample(p snapshot.CounterPoint) CounterSample {
	return CounterSample{rounded(p.Value), b.at(p.At, 0)}
}

// rounded keeps three decimals.
func rounded(v float64) float64 { return math.Round(1000*v) / 1000 }

// figure is nil for what is no number.
func figure(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return ptr(rounded(v))
}

// mostChart is how many pieces of time a chart has.
const mostChart = 64

// chartOf returns a value for each piece of the time that has samples: the one in the
// middle of them.
func chartOf(points []snapshot.CounterPoint) []ChartValue {
	out := []ChartValue{}
	n := len(points)
	from := points[0].Time
	width := float64(points[n-1].Time-from) / mostChart
	for i := 0; i < n; {
		piece := math.Floor(float64(points[i].Time-from) / width)
		end := i + 1
		for end < n && width > 0 && math.Floor(float64(points[end].Time-from)/width) == piece {
			end++
		}
		mid := points[(i+end-1)/2]
		out = append(out, ChartValue{rounded(float64(mid.Time-from) / 3600_000), rounded(mid.Value)})
		i = end
	}
	return out
}

// mostCharts bounds the charts of the forms for people.
const mostCharts = 4

// charted returns the trends that those forms draw: what leaks, then what has an open
// question, then the rest of the machine.
func (r *Report) charted() []*CounterTrend {
	if r.Memory == nil || r.Memory.Counters == nil {
		return nil
	}
	var classes [3][]*CounterTrend
	for i := range r.Memory.Counters.Trends {
		c := &r.Memory.Counters.Trends[i]
		class := 2
		switch {
		case len(c.Chart) < 3:
			continue
		case c.Leaks:
			class = 0
		case c.trend != nil && c.trend.OpensQuestion():
			class = 1
		case c.Instance != "":
			continue
		}
		classes[class] = append(classes[class], c)
	}
	out := append(append(classes[0], classes[1]...), classes[2]...)
	return out[:min(len(out), mostCharts)]
}

// title names a counter and what it does.
func (c *CounterTrend) title() string {
	name := c.Object + `\` + c.Counter
	does := c.Shape
	if c.trend != nil {
		name, does = c.trend.Name(), heuristics.Does(c.trend)
	}
	if c.Machine != "" {
		name = `\\` + c.Machine + `\` + name
	}
	return Plain(name + " " + does)
}

// span returns the lowest and the highest value of a chart.
func (c *CounterTrend) span() (low, high float64) {
	low, high = c.Chart[0].Value, c.Chart[0].Value
	for _, v := range c.Chart {
		low, high = min(low, v.Value), max(high, v.Value)
	}
	return low, high
}

// gapBefore reports whether values are missing before one of a chart.
func (c *CounterTrend) gapBefore(i int) bool {
	const most = 4 // times the usual distance
	n := len(c.Chart)
	return i > 0 && c.Chart[i].Hour-c.Chart[i-1].Hour > most*c.Chart[n-1].Hour/float64(n-1)
}

// quantity prints a value of the counter.
func (c *CounterTrend) quantity(v float64) string {
	m := memory.PoolNonPaged
	if c.trend != nil {
		m = c.trend.What
	}
	return heuristics.Quantity(m, v)
}
