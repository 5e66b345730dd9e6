package rules

import (
	"iter"

	"kdlocks/kd"
	"kdlocks/memory/trend"
	"kdlocks/snapshot"
)

// longer is what it takes to see the trend of a counter.
const longer = "the log is too short to tell: one over a day, through a time in which the load falls, does"

// counterTrends are what a counter does over a time that suffices to say so.
var counterTrends = []string{"grows", "follows-load", "steady"}

func init() {
	const ask = "kdlocks collect --counters"
	value := func(name, doc string, of func(*snapshot.CounterTrend) (float64, kd.Ref)) *field {
		return &field{name: name, typ: Size, doc: doc, get: getter(func(_ *world, c *snapshot.CounterTrend) Values {
			if !c.What.Bytes() {
				return unknown
			}
			v, at := of(c)
			return number(Size, v, at)
		})}
	}
	word := func(name, doc string, of func(*snapshot.CounterTrend) string) *field {
		return &field{name: name, typ: Name, doc: doc, get: getter(func(_ *world, c *snapshot.CounterTrend) Values { return text(Name, of(c), c.At) })}
	}
	registerKind(&kind{
		name: "counter", doc: "what a performance counter that can leak does over time, by logs of perfmon, typeperf or relog",
		ask:    ask,
		seen:   func(w *world) bool { return len(w.snap.Trends) > 0 },
		listed: func(*world, *clause) bool { return false }, // others may not have been logged
		all:    func(w *world) iter.Seq[fact] { return each(w.snap.Trends) },
		at:     placed(func(c *snapshot.CounterTrend) kd.Ref { return c.At }),
		fields: []*field{
			word("object", "its object as the log names it: Memory, Process", func(c *snapshot.CounterTrend) string { return c.Object }),
			word("counter", "its name as the log has it: Pool Nonpaged Bytes", func(c *snapshot.CounterTrend) string { return c.Counter }),
			word("instance", "the process, svchost#3 for the fourth of a name", func(c *snapshot.CounterTrend) string { return c.Instance }),
			word("machine", "the machine that the log names", func(c *snapshot.CounterTrend) string { return c.Machine }),
			{name: "trend", typ: Enum, words: counterTrends, doc: "grows as a leak does, follows-load if it rises and falls again, or steady; unknown where the log is too short", get: getter(counterTrendWord), lack: longer},
			{name: "slope_per_hour", typ: Size, doc: "by how much it grows in an hour: bytes, handles or threads; negative if it falls", get: getter(func(_ *world, c *snapshot.CounterTrend) Values {
				if !c.Figures() {
					return unknown
				}
				return number(Size, c.PerHour, c.At)
			}), lack: longer},
			value("first_bytes", "its first value, if it is in bytes", func(c *snapshot.CounterTrend) (float64, kd.Ref) { return c.Points[0].Value, c.Points[0].At }),
			value("last_bytes", "its last value", func(c *snapshot.CounterTrend) (float64, kd.Ref) {
				p := c.Points[len(c.Points)-1]
				return p.Value, p.At
			}),
			value("max_bytes", "its highest value", func(c *snapshot.CounterTrend) (float64, kd.Ref) { return c.Most.Value, c.Most.At }),
			{name: "drops", typ: Number, doc: "how often it fell by more than a fifth of its range", get: getter(func(_ *world, c *snapshot.CounterTrend) Values {
				if !c.Figures() {
					return unknown
				}
				return number(Number, float64(c.Drops), c.At)
			}), lack: longer},
			{name: "hours", typ: Number, doc: "the time that was judged, in hours", get: getter(func(_ *world, c *snapshot.CounterTrend) Values { return number(Number, c.Hours, c.At) })},
			{name: "ram_pct", typ: Percent, doc: "its share of physical memory at the end", ask: "!vm 1", get: getter(func(_ *world, c *snapshot.CounterTrend) Values {
				if c.RAM <= 0 || !c.Figures() {
					return unknown
				}
				return number(Percent, 100*c.End/c.RAM, c.RAMAt)
			})},
		},
	})
}

func counterTrendWord(_ *world, c *snapshot.CounterTrend) Values {
	if !c.Enough {
		return unknown
	}
	at := c.Points[len(c.Points)-1].At
	var word string
	switch c.Shape {
	case trend.Grows:
		if !c.Leaks() {
			return unknown
		}
		word = "grows"
	case trend.Follows, trend.Falls:
		word = "follows-load"
	case trend.Steady, trend.Levels:
		word = "steady"
	default:
		return unknown
	}
	out := text(Enum, word, at)
	out.List[0].since = c.Points[0].At
	return out
}
