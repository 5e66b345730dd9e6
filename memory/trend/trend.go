// Package trend tells by the samples of a counter whether it leaks or follows the
// load. It knows no files and no names: samples go in, a Result comes out.
//
// The criterion is that of Microsoft's "Troubleshooting Pool Leaks Part 1 – Perfmon":
// a leak rises without a substantial decrease; what load takes falls when the load
// falls. Medians, ranks and quantiles bear the judgement, so that single wrong
// samples do not change it.
package trend

import (
	"math"
	"slices"

	"github.com/montanaflynn/stats"
)

// Series are samples in the order of time; Hours and Values are of one length.
type Series struct {
	Hours  []float64
	Values []float64
}

// Load is a measure of what the machine was asked to do.
type Load struct {
	Series
	// Flat is a load below which differences mean nothing, in its own unit.
	Flat float64
}

// Shape is what a series does.
type Shape uint8

// The shapes.
const (
	Unknown   Shape = iota // too few samples, or neither of the others
	Grows                  // rises all along without a substantial decrease
	FollowsUp              // rises while the load rises: whether it falls again is not known
	Falls                  // falls all along
	Follows                // rises and falls again
	Levels                 // rose, and does no longer
	Steps                  // rose once, at one moment
	Steady
)

// String returns the name of the shape.
func (s Shape) String() string {
	return [...]string{"unknown", "grows", "grows-with-load", "falls", "follows-load", "levels-off", "steps", "steady"}[s]
}

// Result is what is known of a series.
type Result struct {
	Shape Shape
	// Samples and Hours are how many there are and what they span.
	Samples int
	Hours   float64
	// PerHour is the median slope of all pairs of points (Theil and Sen), Tau their
	// rank correlation with time (Kendall): 1 where each is above all before it.
	PerHour, Tau float64
	// Start and End are the levels of the first and the last tenth, Low and High those
	// that one sample in twenty is outside of, Noise how much neighbours differ.
	Start, End, Low, High, Noise float64
	// Drop is the largest decrease from any level to a later one, and Drops how many
	// there are of more than a fifth of the range.
	Drop  float64
	Drops int
	// StepAt is how many hours before the end the one rise of Steps is.
	StepAt float64
	// Enough is set where the time suffices for the shape: a whole day, or a time in
	// which the load fell, or did not rise at all. Need is for how many hours to
	// measure where it does not.
	Enough bool
	Need   float64
	// LoadFell is the load that fell by half of its range, -1 for none, LoadFlat the
	// one that stayed as it was; Moves has for each load its rank correlation with the
	// series (Spearman), NaN where there is none.
	LoadFell, LoadFlat int
	Moves              []float64
	// Days is how many whole days were compared where the lowest level of each day
	// tells: below a daily rhythm.
	Days int
}

// The bounds of the judgement; docs/counters.md gives their reasons.
const (
	leastSamples = 12
	leastHours   = 0.5
	day          = 24.0 // hours: a cycle of load
	flatHours    = 4.0  // that suffice where load is measured and does not rise
	fallHours    = 2.0  // that suffice where it falls
	mostPoints   = 96   // that a series is reduced to
	leastRise    = 0.05 // of the level, or it is steady
	longHours    = 72.0 // in which less is a rise
	longRise     = 0.02
	mostDrop     = 0.2 // of the rise, or it is no growth
	leastTau     = 0.6
	someTau      = 0.4 // of what rose for a part of the time
	halfLoad     = 0.5 // of its range: load that fell
	moving       = 0.6 // rank correlation of what moves together
	stepShare    = 0.7 // of the rise that one step makes
)

// Judge tells what a series does, beside the loads that were measured with it.
func Judge(s Series, loads []Load) Result {
	r := Result{Samples: len(s.Values), LoadFell: -1, LoadFlat: -1, Need: day}
	if n := len(s.Hours); n > 1 {
		r.Hours = s.Hours[n-1] - s.Hours[0]
	}
	if r.Samples < leastSamples || r.Hours < leastHours {
		return r
	}
	p := reduce(s)
	r.measure(s, p)
	r.compare(s, loads)
	r.shape(p)
	r.duration()
	return r
}

// reduce returns medians of pieces of equal time, at the middle of each; pieces
// without samples are left out.
func reduce(s Series) Series {
	n := len(s.Hours)
	width := (s.Hours[n-1] - s.Hours[0]) / float64(min(mostPoints, max(n/3, leastSamples)))
	var out Series
	for i := 0; i < n; {
		piece := math.Floor((s.Hours[i] - s.Hours[0]) / width)
		end := i + 1
		for end < n && math.Floor((s.Hours[end]-s.Hours[0])/width) == piece {
			end++
		}
		out.Hours = append(out.Hours, (s.Hours[i]+s.Hours[end-1])/2)
		out.Values = append(out.Values, median(s.Values[i:end]))
		i = end
	}
	return out
}

func median(v []float64) float64 {
	m, err := stats.Median(v)
	if err != nil {
		return math.NaN()
	}
	return m
}

// quantile returns what a share of the values is at most.
func quantile(v []float64, percent float64) float64 {
	q, err := stats.Percentile(v, percent)
	if err != nil {
		return v[0]
	}
	return q
}

// measure works out the figures of a series and its reduced form.
func (r *Result) measure(s, p Series) {
	n := len(p.Values)
	tenth := max(n/10, 2)
	r.Start, r.End = median(p.Values[:tenth]), median(p.Values[n-tenth:])
	r.Low, r.High = slices.Min(p.Values), slices.Max(p.Values)
	if n >= 20 {
		r.Low, r.High = quantile(p.Values, 5), quantile(p.Values, 95)
	}
	r.Tau, _ = stats.KendallTau(p.Hours, p.Values)
	var slopes []float64
	for i := range n {
		for k := i + 1; k < n; k++ {
			slopes = append(slopes, (p.Values[k]-p.Values[i])/(p.Hours[k]-p.Hours[i]))
		}
	}
	r.PerHour = median(slopes)
	r.Noise = min(noise(s.Values), noise(p.Values))
	smooth := smoothed(p.Values)
	high, since := smooth[0], smooth[0]
	for _, v := range smooth {
		high, since = max(high, v), max(since, v)
		r.Drop = max(r.Drop, high-v)
		if since-v > max(mostDrop*(r.High-r.Low), 3*r.Noise) {
			r.Drops++
			since = v
		}
	}
}

// noise is how far a value is off the middle of its neighbours.
func noise(v []float64) float64 {
	var off []float64
	for i := 1; i < len(v)-1; i++ {
		off = append(off, math.Abs(v[i]-(v[i-1]+v[i+1])/2))
	}
	return median(off)
}

// smoothed takes out what one point alone shows, or two of many: each is the median of
// itself and its neighbours.
func smoothed(v []float64) []float64 {
	most := 1
	if len(v) >= mostPoints/2 {
		most = 2
	}
	out := make([]float64, len(v))
	for i := range v {
		near := min(most, i, len(v)-1-i)
		out[i] = median(v[i-near : i+near+1])
	}
	return out
}

// shape decides what the series does.
func (r *Result) shape(p Series) {
	rise := r.End - r.Start
	level := math.Abs(median(p.Values))
	drop := max(r.Drop-3*r.Noise, 0)
	at, share := step(p, r.High-r.Low)
	least := leastRise
	if r.Hours >= longHours {
		least = longRise
	}
	switch {
	case r.High-r.Low <= max(leastRise*level, 5*r.Noise) && !creeps(r.Tau, rise, r.Noise, level):
		r.Shape = Steady
	case rise > least*r.Start && rise > 2*r.Noise && share >= stepShare:
		r.Shape, r.StepAt = Steps, p.Hours[len(p.Hours)-1]-at
	case rise > least*r.Start && rise > 2*r.Noise && r.Tau >= someTau && drop <= mostDrop*rise:
		r.Shape = r.growth(p)
	case -rise > leastRise*r.Start && r.Tau <= -leastTau:
		r.Shape = Falls
	case r.risingDays(p):
		r.Shape = Grows
	case drop > 0.7*(r.High-r.Low), drop > 0.5*(r.High-r.Low) && rise < 0.5*(r.High-r.Low):
		r.Shape = Follows
	}
}

// creeps reports whether a series that stays within the bounds of a steady one rises
// all the same, so that more time may show a leak.
func creeps(tau, rise, noise, level float64) bool {
	return tau >= leastTau && rise > 3*noise && rise > leastRise/5*level
}

// growth tells what rises to the end from what has stopped to, and from what rises
// with a load that was not seen to fall.
func (r *Result) growth(p Series) Shape {
	n := len(p.Values)
	third := n - n/3
	rise := r.End - r.Start
	lately := median(p.Values[n-max(n/10, 2):]) - median(p.Values[third:third+max(n/10, 2)])
	share := (p.Hours[n-1] - p.Hours[third]) / (p.Hours[n-1] - p.Hours[0])
	if lately < 0.25*share*rise && !r.risingDays(p) {
		if r.Hours < day {
			return Unknown
		}
		return Levels
	}
	if r.Tau < leastTau || !allAlong(p) {
		return Unknown
	}
	for i := range r.Moves {
		if r.Moves[i] >= moving && r.LoadFell < 0 {
			return FollowsUp
		}
	}
	return Grows
}

// allAlong reports whether a series rises in each quarter of its time: one that rises
// towards the end only may be the load of a morning.
func allAlong(p Series) bool {
	n := len(p.Hours)
	from, quarter := p.Hours[0], (p.Hours[n-1]-p.Hours[0])/4
	var at [4]float64
	for q := range at {
		var v []float64
		for i, h := range p.Hours {
			if min(int((h-from)/quarter), 3) == q {
				v = append(v, p.Values[i])
			}
		}
		if len(v) == 0 {
			return false
		}
		at[q] = median(v)
	}
	least := 0.1 * (at[3] - at[0])
	return at[1]-at[0] >= least && at[2]-at[1] >= least && at[3]-at[2] >= least
}

// step returns where a series has its largest rise between two halves that do not
// rise themselves, and the share of that in all of the rise.
func step(p Series, rise float64) (hour, share float64) {
	n := len(p.Values)
	const edge = 2
	best, at := 0.0, -1
	for i := edge; i+edge < n; i++ {
		if d := median(p.Values[i+1:min(i+3, n)]) - median(p.Values[max(i-2, 0):i]); d > best {
			best, at = d, i
		}
	}
	if at < 0 {
		return 0, 0
	}
	before, after := p.Values[:at], p.Values[at+1:]
	if rise <= 0 || spread(before) > 0.3*best || spread(after) > 0.3*best {
		return 0, 0
	}
	return p.Hours[at], best / rise
}

// spread is how far a part of a series reaches, without its extremes.
func spread(v []float64) float64 { return quantile(v, 90) - quantile(v, 10) }

// risingDays reports whether the lowest level of each day is clearly above that of the
// day before: load that rises and falls each day hides a leak, and cannot hide it there.
func (r *Result) risingDays(p Series) bool {
	days := int(r.Hours / day)
	if days < 3 {
		return false
	}
	// Whole days, counted from the end.
	low := make([]float64, days)
	have := make([]int, days)
	last := p.Hours[len(p.Hours)-1]
	for i := range p.Hours {
		d := days - 1 - int((last-p.Hours[i])/day)
		if d < 0 {
			continue
		}
		if have[d] == 0 || p.Values[i] < low[d] {
			low[d] = p.Values[i]
		}
		have[d]++
	}
	rise := low[days-1] - low[0]
	for d := range low {
		if have[d] < 4 || d > 0 && low[d]-low[d-1] <= max(0.25*rise/float64(days-1), 2*r.Noise) {
			return false
		}
	}
	if rise <= leastRise*math.Abs(low[0]) || rise <= 3*r.Noise || rise < 0.1*(r.High-r.Low) {
		return false
	}
	r.Days = days
	r.PerHour = rise / (day * float64(days-1))
	return true
}

// duration decides whether the time suffices.
func (r *Result) duration() {
	fell := r.LoadFell >= 0 && r.Hours >= fallHours
	switch r.Shape {
	case Unknown, FollowsUp:
	case Steps:
		r.Enough = r.StepAt >= day
	case Levels:
		r.Enough = r.Hours >= 3*day
	case Grows:
		r.Enough = r.Hours >= day || fell || r.LoadFlat >= 0 && r.Hours >= flatHours
	default:
		r.Enough = r.Hours >= day || fell
	}
	switch {
	case r.Enough:
		r.Need = 0
	case r.Hours >= day:
		r.Need = day * (math.Ceil(r.Hours/day) + 2)
	}
}
