package trend_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"kdlocks/memory/trend"
)

// truth is what may be said of series of a class.
type truth uint8

const (
	harmless truth = iota // must not be called a leak
	leaks                 // must be found in most, and never be called harmless
	open                  // leaks, or may: must not be called harmless
)

// class makes series of one kind: over so many hours, a value for each, and beside them
// processor time where load is not nil.
type class struct {
	name       string
	truth      truth
	least      float64 // hours
	most, step float64
	value      func(r *rand.Rand, hours float64) func(h float64) float64
	load       func(r *rand.Rand, hours float64) func(h float64) float64
}

// office is load around noon, from 0 to 1.
func office(h float64) float64 { return math.Exp(-math.Pow((math.Mod(h, 24)-13)/3.5, 2)) }

func uniform(r *rand.Rand, from, to float64) float64 { return from + (to-from)*r.Float64() }

// line is a steady rise with noise, in parts of the level.
func line(rise, noise float64) func(*rand.Rand, float64) func(float64) float64 {
	return func(r *rand.Rand, hours float64) func(float64) float64 {
		return func(h float64) float64 { return 1 + rise*h/hours + noise*r.NormFloat64() }
	}
}

func wavering(level, noise float64) func(*rand.Rand, float64) func(float64) float64 {
	return func(r *rand.Rand, _ float64) func(float64) float64 {
		return func(float64) float64 { return math.Abs(level + noise*r.NormFloat64()) }
	}
}

func atNoon(r *rand.Rand, _ float64) func(float64) float64 {
	from := uniform(r, 0, 24)
	return func(h float64) float64 { return 5 + 60*office(h+from) + math.Abs(5*r.NormFloat64()) }
}

var classes = []class{
	{"leak", leaks, 26, 120, .25, line(1, .01), nil},
	{"leak beside load", leaks, 26, 60, .25, line(.8, .01), atNoon},
	{"leak beside load that rises a little", leaks, 48, 144, .25, line(1.5, .01), func(r *rand.Rand, hours float64) func(float64) float64 {
		return func(h float64) float64 { return 20 + 10*h/hours + 2*r.NormFloat64() }
	}},
	{"leak below a rhythm", leaks, 96, 168, .25, func(r *rand.Rand, _ float64) func(float64) float64 {
		daily := uniform(r, .1, .3)
		return func(h float64) float64 { return 1 + office(h) + daily*h/24 + .01*r.NormFloat64() }
	}, nil},
	{"leak below a sawtooth", leaks, 76, 150, 1. / 12, func(r *rand.Rand, hours float64) func(float64) float64 {
		period, high, rise := uniform(r, .5, 8), uniform(r, .2, .6), uniform(r, .8, 1.5)
		return func(h float64) float64 {
			return 1 + high*math.Mod(h, period)/period + rise*h/hours + .01*r.NormFloat64()
		}
	}, nil},
	{"leak by day", open, 26, 120, .25, func(r *rand.Rand, _ float64) func(float64) float64 {
		sum := 0.0
		return func(h float64) float64 { sum += .01 * office(h); return 1 + sum + .005*r.NormFloat64() }
	}, nil},
	{"leak with a weekend", open, 144, 216, .25, func(r *rand.Rand, _ float64) func(float64) float64 {
		sum := 0.0
		return func(h float64) float64 {
			if int(h/24)%7 < 5 {
				sum += .002
			}
			return 1 + sum + .003*r.NormFloat64()
		}
	}, nil},
	{"leak smaller than its rhythm", open, 48, 70, .25, func(r *rand.Rand, _ float64) func(float64) float64 {
		daily := uniform(r, .2, .5)
		return func(h float64) float64 { return 1 + office(h) + daily*h/24 + .01*r.NormFloat64() }
	}, nil},
	{"leak up to a limit", open, 26, 72, 1. / 12, until(.65, .85), nil},
	{"leak and an unseen restart", open, 26, 72, 1. / 12, func(r *rand.Rand, hours float64) func(float64) float64 {
		at := hours * uniform(r, .3, .7)
		return func(h float64) float64 {
			if h > at {
				h -= at
			}
			return 1 + 3*h/hours + .003*r.NormFloat64()
		}
	}, nil},
	{"cache that was filled", harmless, 26, 96, 1. / 12, until(.75, .9), nil},
	{"cache that fills", harmless, 26, 48, 1. / 12, fills(6, 24), nil},
	{"cache that fills for days", harmless, 72, 168, .25, fills(24, 72), nil},
	{"what grows as a logarithm", harmless, 26, 96, 1. / 12, func(r *rand.Rand, _ float64) func(float64) float64 {
		k := uniform(r, .5, 4)
		return func(h float64) float64 { return 1 + .3*math.Log1p(h*k) + .005*r.NormFloat64() }
	}, nil},
	{"steps", harmless, 26, 48, 1. / 12, func(r *rand.Rand, hours float64) func(float64) float64 {
		at := make([]float64, 2+r.IntN(4))
		for i := range at {
			at[i] = uniform(r, 0, hours)
		}
		return func(h float64) float64 {
			v := 1 + .005*r.NormFloat64()
			for _, a := range at {
				if h >= a {
					v += .2
				}
			}
			return v
		}
	}, nil},
	{"days of any level", harmless, 72, 96, .25, func(r *rand.Rand, _ float64) func(float64) float64 {
		var levels [8]float64
		for i := range levels {
			levels[i] = uniform(r, 0, .5)
		}
		return func(h float64) float64 { return 1 + .5*office(h) + levels[int(h/24)] + .01*r.NormFloat64() }
	}, nil},
	{"a walk by chance", harmless, 26, 168, .25, func(r *rand.Rand, _ float64) func(float64) float64 {
		x, size := 0.0, uniform(r, .001, .006)
		return func(float64) float64 { x += size * r.NormFloat64(); return math.Exp(x) }
	}, nil},
	{"a morning beside noise", harmless, 3, 12, 1. / 12, line(.6, .005), wavering(20, 8)},
	{"a morning beside bursts", harmless, 3, 20, 1. / 12, line(.4, .005), func(r *rand.Rand, _ float64) func(float64) float64 {
		return func(float64) float64 { return 10 * math.Exp(1.5*r.NormFloat64()) }
	}},
	{"a morning beside nothing", harmless, 3, 24, 1. / 12, line(.6, .005), wavering(0, 0)},
	{"a start", harmless, 2, 5, 1. / 60, func(r *rand.Rand, hours float64) func(float64) float64 {
		tau := hours / uniform(r, 1, 3)
		return func(h float64) float64 { return 1 + 2*(1-math.Exp(-h/tau)) + .005*r.NormFloat64() }
	}, func(r *rand.Rand, hours float64) func(float64) float64 {
		until := hours * uniform(r, .15, .45)
		return func(h float64) float64 {
			if h < until {
				return 70 + 5*r.NormFloat64()
			}
			return 8 + 2*r.NormFloat64()
		}
	}},
}

// until rises evenly up to a part of the time and stays there.
func until(from, to float64) func(*rand.Rand, float64) func(float64) float64 {
	return func(r *rand.Rand, hours float64) func(float64) float64 {
		at := hours * uniform(r, from, to)
		return func(h float64) float64 { return 1 + math.Min(h, at)/at + .005*r.NormFloat64() }
	}
}

func fills(from, to float64) func(*rand.Rand, float64) func(float64) float64 {
	return func(r *rand.Rand, _ float64) func(float64) float64 {
		tau := uniform(r, from, to)
		return func(h float64) float64 { return 1 + 1.5*(1-math.Exp(-h/tau)) + .005*r.NormFloat64() }
	}
}

// TestRatesOfMistakes holds how often series of known truth may be misjudged: nearly
// never as a leak or as none, and clear leaks seldom not found.
func TestRatesOfMistakes(t *testing.T) {
	const each = 80
	for _, c := range classes {
		leak, none := 0, 0
		for i := range uint64(each) {
			r := rand.New(rand.NewPCG(i, 3))
			hours := uniform(r, c.least, c.most)
			var s trend.Series
			var loads []trend.Load
			value := c.value(r, hours)
			for h := 0.0; h <= hours; h += c.step {
				s.Hours, s.Values = append(s.Hours, h), append(s.Values, 200e6*math.Max(value(h), 0.01))
			}
			if c.load != nil {
				load := trend.Load{Flat: 10}
				of := c.load(r, hours)
				for _, h := range s.Hours {
					load.Hours, load.Values = append(load.Hours, h), append(load.Values, of(h))
				}
				loads = append(loads, load)
			}
			switch got := trend.Judge(s, loads); {
			case got.Shape == trend.Grows && got.Enough:
				leak++
			case got.Enough:
				none++
			}
		}
		switch {
		case c.truth == harmless && leak > each/20:
			t.Errorf("%s: %d of %d are called a leak", c.name, leak, each)
		case c.truth != harmless && none > 0:
			t.Errorf("%s: %d of %d are called none", c.name, none, each)
		case c.truth == leaks && leak < each*4/5:
			t.Errorf("%s: %d of %d are found", c.name, leak, each)
		}
	}
}

// TestSessionsThatRiseBesideLoadThatFalls holds that a load is asked whether it fell
// itself.
func TestSessionsThatRiseBesideLoadThatFalls(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	var s trend.Series
	processor, sessions := trend.Load{Flat: 10}, trend.Load{Flat: 3}
	for h := 0.0; h <= 50; h += .25 {
		s.Hours, s.Values = append(s.Hours, h), append(s.Values, 1e9*(1+h/50)+5e6*r.NormFloat64())
		processor.Hours, processor.Values = append(processor.Hours, h), append(processor.Values, 5+60*office(h))
		sessions.Hours, sessions.Values = append(sessions.Hours, h), append(sessions.Values, 20+2*h)
	}
	if got := trend.Judge(s, []trend.Load{processor, sessions}); got.Shape != trend.FollowsUp || got.Enough || got.LoadFell != 0 {
		t.Errorf("%s, enough %v, load %d fell", got.Shape, got.Enough, got.LoadFell)
	}
}

// TestHoursWithoutSamples holds that a few looks over days are no days that were
// measured.
func TestHoursWithoutSamples(t *testing.T) {
	var s trend.Series
	for _, from := range []float64{0, 12, 24, 36} {
		for m := range 10 {
			h := from + float64(m)/60
			s.Hours, s.Values = append(s.Hours, h), append(s.Values, 1e8*(1+h/36))
		}
	}
	if got := trend.Judge(s, nil); got.Enough || got.Measured > 1 || got.Need <= 36 {
		t.Errorf("%s, enough %v, %.1f hours measured, %.0f needed", got.Shape, got.Enough, got.Measured, got.Need)
	}
}

// FuzzJudge holds that no series of any times and values makes Judge fail.
func FuzzJudge(f *testing.F) {
	f.Add([]byte("0123456789abcdefghijklmnopqrstuvwxyz"), uint8(1), 1.0)
	f.Add([]byte{1, 1, 1, 1, 1, 255, 255, 1, 1, 1, 1, 1, 1, 255, 255, 2, 2, 2, 2}, uint8(200), 1e15)
	f.Fuzz(func(t *testing.T, bytes []byte, stretch uint8, unit float64) {
		if math.IsNaN(unit) || math.IsInf(unit, 0) || math.Abs(unit) > 1<<62 {
			return
		}
		var s trend.Series
		h := 0.0
		for _, b := range bytes[:min(len(bytes), 500)] {
			h += 1e-7 + float64(b>>4)*float64(stretch)/50
			s.Hours, s.Values = append(s.Hours, h), append(s.Values, math.Abs(unit)*float64(b))
		}
		load := trend.Load{Series: trend.Series{Hours: s.Hours, Values: slices.Clone(s.Values)}, Flat: 1}
		slices.Reverse(load.Values)
		got := trend.Judge(s, []trend.Load{load})
		if !got.Enough && got.Need <= got.Hours || got.Measured > got.Hours+1e-6 {
			t.Errorf("%+v", got)
		}
	})
}
