package trend

import (
	"math"
	"slices"
)

// levels returns the medians of parts of equal time, NaN for a part without points.
func levels(p Series, parts int) []float64 {
	n := len(p.Hours)
	from, width := p.Hours[0], (p.Hours[n-1]-p.Hours[0])/float64(parts)
	out := make([]float64, parts)
	i := 0
	for k := range out {
		end := i
		for end < n && (k == parts-1 || p.Hours[end] < from+width*float64(k+1)) {
			end++
		}
		out[k] = median(p.Values[i:end])
		i = end
	}
	return out
}

// evenly reports whether a series rises in each quarter of its time and in nearly every
// twelfth, up to the end: one that rises towards the end only may be the load of a
// morning, one that rises in a few steps what was started then.
func evenly(p Series, noise float64) bool {
	quarters := levels(p, 4)
	mean := (quarters[3] - quarters[0]) / 3
	for k := 1; k < 4; k++ {
		if !(quarters[k]-quarters[k-1] >= 0.3*mean) {
			return false
		}
	}
	twelfths := levels(p, 12)
	mean = (twelfths[11] - twelfths[0]) / 11
	rising := 0
	for k := 1; k < 12; k++ {
		if twelfths[k]-twelfths[k-1] >= 0.3*mean {
			rising++
		}
	}
	// Two of twelve parts may lack samples, or be hidden by noise.
	if rising < 9 || !(mean > 0.3*noise) {
		return false
	}
	parts, back := 24, 3 // where there are points enough, the end is seen more closely
	if len(p.Values) < mostPoints*2/3 {
		parts, back = 12, 2
	}
	end := levels(p, parts)
	return end[parts-1]-end[parts-1-back] >= 0.55*float64(back)*(end[parts-1]-end[0])/float64(parts-1)
}

// slows reports whether a series rises clearly less in the second half of its time than
// in the first, or in the last third than in the middle one, as what fills up does.
func slows(p Series) bool {
	v := levels(p, 9)
	first, second := v[4]-v[0], v[8]-v[4]
	middle, last := v[5]-v[2], v[8]-v[5]
	return second < 0.75*first || last < 0.6*middle
}

// flatFor returns for how long before its end a series no longer rises: since it was
// last below its end by more than a twentieth of its rise, and its noise.
func flatFor(p Series, noise float64) float64 {
	v := smoothed(p.Values)
	n := len(v)
	tenth := max(n/10, 2)
	end, start := median(v[n-tenth:]), median(v[:tenth])
	below := end - max(0.05*(end-start), noise)
	for i := n - 1; i >= 0; i-- {
		if v[i] < below {
			return p.Hours[n-1] - p.Hours[i]
		}
	}
	return 0
}

// ofDay is what the points of a day are like.
type ofDay struct {
	low, middle float64
	points      int
}

// daysOf returns whole days counted from the end.
func daysOf(p Series) []ofDay {
	last := p.Hours[len(p.Hours)-1]
	days := make([]ofDay, int((last-p.Hours[0])/day))
	i := len(p.Hours)
	for d := len(days) - 1; d >= 0; d-- {
		end := i
		for i > 0 && int((last-p.Hours[i-1])/day) < len(days)-d {
			i--
		}
		if i < end {
			v := p.Values[i:end]
			days[d] = ofDay{slices.Min(v), median(v), len(v)}
		}
	}
	return days
}

// risingDays reports whether the lowest level of each day, and its middle, are clearly
// and evenly above those of the day before, up to the end: load that rises and falls
// each day hides a leak, and cannot hide it there.
func (r *Result) risingDays(p Series) bool {
	days := daysOf(p)
	n := len(days)
	if n < 3 || !r.seen() {
		return false
	}
	rise := days[n-1].low - days[0].low
	mean := rise / float64(n-1)
	for d := range days {
		if days[d].points < 4 {
			return false
		}
		if d == 0 {
			continue
		}
		least := 0.5 * mean
		if d == n-1 {
			least = 0.6 * mean
		}
		if days[d].low-days[d-1].low <= max(least, 2*r.Noise) || days[d].middle-days[d-1].middle <= least {
			return false
		}
	}
	half := n / 2
	first, second := days[half].low-days[0].low, days[n-1].low-days[n-1-half].low
	if second < 0.8*first || rise <= leastRise*math.Abs(days[0].low) || rise <= 3*r.Noise || rise < 0.25*(r.High-r.Low) {
		return false
	}
	if pausesLongest(p, r.Noise) {
		return false
	}
	r.Days, r.PerHour = n, mean/day
	return true
}

// pausesLongest reports whether a series has not risen before its end for clearly
// longer than ever before: it may have stopped to, whatever its days are like.
func pausesLongest(p Series, noise float64) bool {
	const steps = 16
	v := smoothed(p.Values)
	n := len(v)
	tenth := max(n/10, 2)
	start, end := slices.Min(v[:tenth]), slices.Min(v[n-tenth:])
	step := (end - start) / steps
	if step <= noise {
		return false // its noise hides a pause
	}
	// When it was below each step for the last time.
	longest, before := 0.0, p.Hours[0]
	k, i := steps-1, n-1
	passed := make([]float64, steps)
	for ; k >= 0; k-- {
		for i > 0 && v[i] >= start+step*float64(k) {
			i--
		}
		passed[k] = p.Hours[i]
	}
	for _, h := range passed {
		longest = max(longest, h-before)
		before = h
	}
	return p.Hours[n-1]-before > 2*longest
}

// higherThanYesterday reports whether a series that falls again is higher all the same,
// by the most of its hours, than a day before.
func (r *Result) higherThanYesterday(p Series) bool {
	var more []float64
	k := 0
	for i := range p.Hours {
		for k < i && p.Hours[k] < p.Hours[i]-day {
			k++
		}
		if k < i && p.Hours[i]-p.Hours[k] > day-2 && p.Hours[i]-p.Hours[k] <= day {
			more = append(more, p.Values[i]-p.Values[k])
		}
	}
	return len(more) > 0 && median(more) > max(0.08*(r.High-r.Low), 2*r.Noise, 0.01*math.Abs(r.Start))
}

// fallsAtOnce reports whether a series falls from one sample to the next, by most of
// what it spans, and rose for hours before: as what leaks does that was started anew.
func fallsAtOnce(s Series, span float64) bool {
	const hours, few = 6.0, 5
	since := s.Hours[0]
	for i := 1; i < len(s.Values); i++ {
		if s.Values[i-1]-s.Values[i] < 0.5*span {
			continue
		}
		if median(s.Values[max(i-few, 0):i])-median(s.Values[i:min(i+few, len(s.Values))]) < 0.5*span {
			continue // one wrong sample
		}
		if s.Hours[i]-since >= hours {
			return true
		}
		since = s.Hours[i]
	}
	return false
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
