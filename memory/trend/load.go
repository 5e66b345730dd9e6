package trend

import (
	"math"
	"slices"

	"github.com/montanaflynn/stats"
)

// compare holds a series against the loads that were measured with it.
func (r *Result) compare(s Series, loads []Load) {
	flat := true
	for i := range loads {
		l := inside(loads[i].Series, s)
		r.Moves = append(r.Moves, math.NaN())
		if len(l.Values) < leastSamples || l.Hours[len(l.Hours)-1]-l.Hours[0] < 0.9*r.Hours {
			continue
		}
		p := reduce(l)
		r.Moves[i] = together(s, p)
		if fell(p, loads[i].Flat) && r.LoadFell < 0 {
			r.LoadFell = i
		}
		tau, _ := stats.KendallTau(p.Hours, p.Values)
		if tau > 0.3 {
			flat = false
		} else if r.LoadFlat < 0 {
			r.LoadFlat = i
		}
	}
	if !flat {
		r.LoadFlat = -1
	}
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
// eighth of the time each: by half of its range, by more than what means nothing, and
// by more than it wavers.
func fell(p Series, flat float64) bool {
	n := len(p.Values)
	while := max(n/8, 3)
	if n < 4*while {
		return false
	}
	var v []float64
	for i := 0; i+while <= n; i += max(while/3, 1) {
		v = append(v, median(p.Values[i:i+while]))
	}
	low, high := quantile(p.Values, 5), quantile(p.Values, 95)
	if high-low <= flat || high-low < 0.3*math.Abs(high) {
		return false
	}
	top := v[0]
	for _, x := range v {
		top = max(top, x)
		if top-x >= halfLoad*(high-low) {
			return true
		}
	}
	return false
}
