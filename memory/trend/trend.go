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
	Slows                  // rises more and more slowly, as what fills up does
	Steps                  // rose once, at one moment
	Steady
)

// String returns the name of the shape.
func (s Shape) String() string {
	return [...]string{"unknown", "grows", "grows-with-load", "falls", "follows-load", "levels-off", "slows", "steps", "steady"}[s]
}

// Result is what is known of a series.
type Result struct {
	Shape Shape
	// Samples and Hours are how many there are and what they span; Measured are the
	// hours without those in which there is no sample, and HoursOfDay how many of the 24
	// of a day were seen.
	Samples         int
	Hours, Measured float64
	HoursOfDay      int
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
	// FellAtOnce is set where it fell from one sample to the next after hours of rising.
	FellAtOnce bool
	// FlatFor is for how many hours before the end Levels no longer rises.
	FlatFor float64
	// Enough is set where the time suffices for the shape: more than a whole day, or a
	// time in which the load fell. Need is for how many hours to measure where it does
	// not.
	Enough bool
	Need   float64
	// LoadFell is the load that fell by half of its range, -1 for none; Moves has for
	// each load its rank correlation with the series (Spearman), NaN where there is none.
	LoadFell int
	Moves    []float64
	// explained is set where a load that did not fall rose enough to account for the
	// rise of the series.
	explained bool
	// Days is how many whole days were compared where the lowest level of each day
	// tells: below a daily rhythm.
	Days int
}

// The bounds of the judgement; docs/counters.md gives their reasons.
const (
	leastSamples = 12
	leastHours   = 0.5
	day          = 24.0 // hours: a cycle of load
	dayAndMore   = 25.0 // in which an hour is seen again a day later
	mostUnseen   = 4    // hours of the day that may be missing
	fallHours    = 4.0  // that suffice where a load falls
	leastGap     = 1.0  // hours without a sample that are not measured
	longGap      = 4    // medians of the times between samples that are not measured
	mostPoints   = 96   // that a series is reduced to
	leastRise    = 0.05 // of the level, or it is steady
	longHours    = 72.0 // in which less is a rise
	longRise     = 0.02
	mostDrop     = 0.2 // of the rise, or it is no growth
	leastTau     = 0.6
	someTau      = 0.4 // of what rose for a part of the time
	halfLoad     = 0.5 // of its range: load that fell
	moving       = 0.6 // rank correlation of what moves together
	explains     = 0.5 // of the rise of a series, in parts of its start: a load's own
	stepShare    = 0.7 // of the rise that one step makes
)

// Judge tells what a series does, beside the loads that were measured with it.
func Judge(s Series, loads []Load) Result {
	r := Result{Samples: len(s.Values), LoadFell: -1, Need: dayAndMore}
	if n := len(s.Hours); n > 1 {
		r.Hours = s.Hours[n-1] - s.Hours[0]
	}
	if r.Samples >= leastSamples && r.Hours >= leastHours {
		r.cover(s)
		if p := reduce(s); len(p.Values) >= leastSamples/2 { // not all at a few moments
			r.measure(s, p)
			r.compare(s, loads)
			r.shape(s, p)
		}
	}
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
func (r *Result) shape(s, p Series) {
	rise := r.End - r.Start
	level := math.Abs(median(p.Values))
	drop := max(r.Drop-3*r.Noise, 0)
	at, share := step(p, r.High-r.Low)
	least := leastRise
	if r.Hours >= longHours {
		least = longRise
	}
	rises := rise > least*r.Start && rise > 2*r.Noise
	switch {
	case r.High-r.Low <= max(leastRise*level, 5*r.Noise) && !creeps(r.Tau, rise, r.Noise, level):
		r.Shape = Steady
	case rises && share >= stepShare:
		r.Shape, r.StepAt = Steps, p.Hours[len(p.Hours)-1]-at
	case rises && drop <= mostDrop*rise && flatFor(p, r.Noise) >= 3*day:
		r.Shape, r.FlatFor = Levels, flatFor(p, r.Noise)
	case rises && r.Tau >= someTau && drop <= mostDrop*rise:
		r.Shape = r.growth(p)
	case -rise > leastRise*r.Start && r.Tau <= -leastTau:
		r.Shape = Falls
	case r.risingDays(p):
		r.Shape = r.orLoad()
	case drop > 0.7*(r.High-r.Low), drop > 0.5*(r.High-r.Low) && rise < 0.5*(r.High-r.Low):
		r.FellAtOnce = fallsAtOnce(s, r.High-r.Low)
		if !r.higherThanYesterday(p) && !r.FellAtOnce {
			r.Shape = Follows
		}
	}
}

// creeps reports whether a series that stays within the bounds of a steady one rises
// all the same, so that more time may show a leak.
func creeps(tau, rise, noise, level float64) bool {
	return tau >= leastTau && rise > 3*noise && rise > leastRise/5*level
}

// orLoad returns what rises to the end: what grows, or rises with a load.
func (r *Result) orLoad() Shape {
	if r.explained {
		return FollowsUp
	}
	return Grows
}

// growth tells what rises to the end from what has stopped to, what is about to, and
// what rises with a load that was not seen to fall.
func (r *Result) growth(p Series) Shape {
	if r.risingDays(p) {
		return r.orLoad()
	}
	if flat := flatFor(p, r.Noise); flat > 0.2*r.Hours {
		r.FlatFor = flat
		if r.Hours < day {
			return Unknown
		}
		return Levels
	}
	switch {
	case r.Tau < leastTau:
		return Unknown
	case slows(p):
		return Slows
	case !evenly(p, r.Noise):
		return Unknown
	}
	return r.orLoad()
}

// duration decides whether the time suffices.
func (r *Result) duration() {
	whole := r.Measured >= dayAndMore && r.seen()
	fell := r.LoadFell >= 0 && r.Measured >= fallHours
	switch r.Shape {
	case Unknown, FollowsUp, Slows:
	case Steps:
		r.Enough = r.StepAt >= day && whole
	case Levels:
		r.Enough = r.FlatFor >= 3*day && whole
	default:
		r.Enough = whole || fell
	}
	switch {
	case r.Enough:
		r.Need = 0
	case r.Hours >= day:
		r.Need = day * (math.Ceil(r.Hours/day) + 2)
	}
}
