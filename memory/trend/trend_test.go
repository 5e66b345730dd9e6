package trend_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"kdlocks/memory/trend"
)

// planted is a series that was made with a known answer.
type planted struct {
	name   string
	s      trend.Series
	loads  []trend.Load
	shapes []trend.Shape // that are right
	enough bool
}

type maker struct {
	*rand.Rand
	hours, step float64
	noise       float64 // of the level
	level       float64
}

// plant makes a series of level, what is added to it each hour, and noise with an
// outlier now and then.
func (m *maker) plant(add func(h float64) float64) trend.Series {
	var s trend.Series
	for h := 0.0; h <= m.hours; h += m.step {
		if m.Float64() < 0.02 { // a gap
			continue
		}
		v := m.level + add(h) + m.level*m.noise*m.NormFloat64()
		if m.Float64() < 0.005 {
			v *= 1.5
		}
		s.Hours, s.Values = append(s.Hours, h), append(s.Values, v)
	}
	return s
}

// rhythm is load over a day, 0 by night and 1 at its height.
func rhythm(h float64) float64 { return math.Max(0, math.Sin((h-8)/24*2*math.Pi)) }

// processor is processor time in percent.
func (m *maker) processor(at func(h float64) float64) trend.Load {
	var l trend.Load
	for h := 0.0; h <= m.hours; h += m.step {
		l.Hours, l.Values = append(l.Hours, h), append(l.Values, math.Abs(5+60*at(h)+3*m.NormFloat64()))
	}
	l.Flat = 10
	return l
}

func plantAll() []planted {
	var out []planted
	add := func(name string, i int, s trend.Series, loads []trend.Load, enough bool, shapes ...trend.Shape) {
		out = append(out, planted{fmt.Sprintf("%s/%d", name, i), s, loads, shapes, enough})
	}
	flat := func(float64) float64 { return 0.3 }
	for i := range 30 {
		r := rand.New(rand.NewPCG(uint64(i), 7))
		m := &maker{Rand: r, hours: 26 + 60*r.Float64(), step: 1.0 / 12, noise: 0.004 + 0.02*r.Float64(), level: math.Pow(2, 26+4*r.Float64())}
		rate := m.level * (0.2 + r.Float64()) / m.hours // doubles at most, a fifth at least
		add("leak", i, m.plant(func(h float64) float64 { return rate * h }), nil, true, trend.Grows)
		add("leak beside load", i, m.plant(func(h float64) float64 { return rate * h }), []trend.Load{m.processor(rhythm)}, true, trend.Grows)
		add("rhythm", i, m.plant(func(h float64) float64 { return m.level * rhythm(h) * (0.3 + r.Float64()*0.02) }), nil, true, trend.Follows)
		add("rhythm with load", i, m.plant(func(h float64) float64 { return m.level * rhythm(h) * 0.4 }), []trend.Load{m.processor(rhythm)}, true, trend.Follows)
		add("steady", i, m.plant(func(float64) float64 { return 0 }), nil, true, trend.Steady)
		late := m.hours * (0.8 + 0.1*r.Float64())
		add("late step", i, m.plant(func(h float64) float64 {
			if h < late {
				return 0
			}
			return m.level * 0.5
		}), nil, false, trend.Steps)
		turn := m.hours * (0.4 + 0.4*r.Float64())
		add("rises at the end", i, m.plant(func(h float64) float64 { return m.level * 0.6 * math.Max(0, h-turn) / (m.hours - turn) }), nil, false, trend.Unknown, trend.Steps)
		short := &maker{Rand: r, hours: 0.4 + 3*r.Float64(), step: 1.0 / 60, noise: m.noise, level: m.level}
		add("short rise", i, short.plant(func(h float64) float64 { return short.level * h * 0.3 }), nil, false, trend.Grows, trend.Unknown)
		add("short and steady", i, short.plant(func(float64) float64 { return 0 }), nil, false, trend.Steady, trend.Unknown)
		add("rises with the load", i, short.plant(func(h float64) float64 { return short.level * h * 0.3 }), []trend.Load{short.processor(func(h float64) float64 { return h / 4 })}, false, trend.FollowsUp, trend.Unknown, trend.Grows)
		shift := &maker{Rand: r, hours: 5 + 3*r.Float64(), step: 1.0 / 30, noise: m.noise, level: m.level}
		add("leak under flat load", i, shift.plant(func(h float64) float64 { return shift.level * h * 0.1 }), []trend.Load{shift.processor(flat)}, false, trend.Grows)
		week := &maker{Rand: r, hours: 24 * (4 + 3*r.Float64()), step: 0.25, noise: m.noise / 2, level: m.level}
		add("leak below a rhythm", i, week.plant(func(h float64) float64 {
			return week.level * (rhythm(h)*0.5 + h*0.25/24)
		}), nil, true, trend.Grows)
		add("warms up", i, week.plant(func(h float64) float64 { return week.level * (1 - math.Exp(-h/6)) }), nil, true, trend.Levels, trend.Steady)
	}
	return out
}

func TestPlantedSeries(t *testing.T) {
	all := plantAll()
	if len(all) < 200 {
		t.Fatalf("%d series", len(all))
	}
	for _, p := range all {
		r := trend.Judge(p.s, p.loads)
		ok := false
		for _, s := range p.shapes {
			ok = ok || r.Shape == s
		}
		if !ok || r.Enough != p.enough {
			t.Errorf("%s: %s, enough %v, over %.1f h; want %v, %v (tau %.2f start %.3g end %.3g low %.3g high %.3g noise %.3g drop %.3g fell %d)", p.name, r.Shape, r.Enough, r.Hours, p.shapes, p.enough,
				r.Tau, r.Start, r.End, r.Low, r.High, r.Noise, r.Drop, r.LoadFell)
		}
		if !r.Enough && r.Need <= r.Hours {
			t.Errorf("%s: over %.1f h, to measure for %.1f", p.name, r.Hours, r.Need)
		}
	}
}
