package trend

import (
	"math"
	"slices"

	"github.com/montanaflynn/stats"
)

// compare holds a series against the loads that were measured with it.
func (r *Result) compare(s Series, loads []Load) {
	for i := range loads {
		l := inside(loads[i].Series, s)
		r.Moves = append(r.Moves, math.NaN())
		if len(l.Values) < leastSamples || l.Hours[len(l.Hours)-1]-l.Hours[0] < 0.9*r.Hours {
			continue
		}
		p := reduce(l)
		r.Moves[i] = together(s, p)
		switch {
		case fell(p, loads[i].Flat):
			if r.LoadFell < 0 {
				r.LoadFell = i
			}
		case r.Moves[i] >= moving && r.explains(p, loads[i].Flat):
			r.explained = true
		}
	}
}

// explains reports whether a load rose enough for the rise of the series. What load
// takes is at most in proportion to it: of a load that rises by a tenth, a counter does
// not double.
func (r *Result) explains(p Series, flat float64) bool {
	n := len(p.Values)
	tenth := max(n/10, 2)
	start, end := median(p.Values[:tenth]), median(p.Values[n-tenth:])
	if end-start <= flat {
		return false
	}
	return start <= 0 || r.Start <= 0 || (end-start)/start >= explains*(r.End-r.Start)/r.Start
}

// inside returns the samples of a load within the time of a series.
func inside(l, s Series) Series {
	from, _ := slices.BinarySearch(l.Hours, s.Hours[0])
	to, found := slices.BinarySearch(l.Hours, s.Hours[len(s.Hours)-1])
	if found {
		to++
	}
	return Series{l.Hours[from:to], l.Values[from:to]}
}

// together returns the rank correlation of a series with the points of another, NaN
// if there is none.
func together(s, p Series) float64 {
	var a, b []float64
	q := reduce(s)
	k := 0
	for i := range p.Hours {
		for k+1 < len(q.Hours) && math.Abs(q.Hours[k+1]-p.Hours[i]) <= math.Abs(q.Hours[k]-p.Hours[i]) {
			k++
		}
		a, b = append(a, p.Values[i]), append(b, q.Values[k])
	}
	rho, err := stats.Spearman(a, b)
	if err != nil {
		return math.NaN()
	}
	return rho
}

// Together returns the rank correlation of two series over the time that both span,
// NaN if there is none.
func Together(a, b Series) float64 {
	if len(a.Hours) < leastSamples {
		return math.NaN()
	}
	b = inside(b, a)
	if len(b.Hours) < leastSamples || b.Hours[len(b.Hours)-1] <= b.Hours[0] || a.Hours[len(a.Hours)-1] <= a.Hours[0] {
		return math.NaN()
	}
	return together(a, reduce(b))
}

// fell reports whether a load was high for a while and later low for a while, an
// eighth of the time each, or a quarter of few samples: by half of its range, by more than what means nothing, and
// by so much more than it wavers that chance does not make it.
func fell(p Series, flat float64) bool {
	const chance = 6
	n := len(p.Values)
	parts := min(n/3, 8)
	if parts < 4 {
		return false
	}
	low, high := quantile(p.Values, 5), quantile(p.Values, 95)
	if high-low <= flat || high-low < 0.3*math.Abs(high) {
		return false
	}
	// The median of as many points wavers by that.
	wavers := 1.5 * noise(p.Values) / math.Sqrt(float64(n)/float64(parts))
	least := max(halfLoad*(high-low), chance*wavers, flat)
	top := math.Inf(-1)
	for _, v := range levels(p, parts) {
		if top-v >= least {
			return true
		}
		if v > top {
			top = v
		}
	}
	return false
}
