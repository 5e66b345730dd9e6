package trend

import "math"

// cover works out how much of the time a series tells of: what lies between two samples
// far apart is not known.
func (r *Result) cover(s Series) {
	gaps := make([]float64, len(s.Hours)-1)
	for i := range gaps {
		gaps[i] = s.Hours[i+1] - s.Hours[i]
	}
	most := max(leastGap, longGap*median(gaps))
	var seen [24]bool
	for i, g := range gaps {
		if g > most {
			continue
		}
		r.Measured += g
		for h := math.Floor(s.Hours[i]); h <= s.Hours[i+1] && h-s.Hours[i] < day; h++ {
			seen[int(math.Mod(math.Mod(h, day)+day, day))] = true
		}
	}
	for _, is := range seen {
		if is {
			r.HoursOfDay++
		}
	}
}

// seen reports whether nearly all hours of a day were seen.
func (r *Result) seen() bool { return r.HoursOfDay >= day-mostUnseen }
