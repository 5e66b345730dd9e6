package report

import (
	"kdlocks/heuristics"
	"kdlocks/picture"
)

// Charts are counters over time, to draw.
func (r *Report) Charts() []picture.Chart {
	var out []picture.Chart
	for _, c := range r.charted() {
		if c.Chart[len(c.Chart)-1].Hour > 0 {
			out = append(out, c.drawn())
		}
	}
	return out
}

func (c *CounterTrend) drawn() picture.Chart {
	low, high := c.span()
	hours := c.Chart[len(c.Chart)-1].Hour
	p := picture.Chart{
		Title: c.title(), Red: c.Leaks, Low: c.quantity(low), High: c.quantity(high), From: "0", To: heuristics.Hours(hours),
		Words: c.title() + ". The lowest value drawn is " + c.quantity(low) + ", the highest " + c.quantity(high) + ", over " + heuristics.Hours(hours) + ".",
	}
	for i, v := range c.Chart {
		y := 0.5
		if high > low {
			y = (v.Value - low) / (high - low)
		}
		if i == 0 || c.gapBefore(i) {
			p.Lines = append(p.Lines, nil)
		}
		n := len(p.Lines) - 1
		p.Lines[n] = append(p.Lines[n], picture.ChartPoint{X: v.Hour / hours, Y: y})
	}
	return p
}

// writeCharts writes the charts of counters, with what they show in words below.
func (p *htmlReport) writeCharts(m *markup) {
	if len(p.Charts) == 0 {
		return
	}
	m.section("counters", "Counters over time")
	for i, d := range p.Charts {
		m.add("<figure tabindex=\"0\" aria-label=\"Counter over time\">\n")
		m.draw(d)
		m.add("<figcaption>{}</figcaption>\n</figure>\n", p.ChartWords[i])
	}
	m.add("</section>\n")
}
