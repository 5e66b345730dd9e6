package report

import (
	"io"

	"kdlocks/heuristics"
	"kdlocks/picture"
)

// svgCharts draws counters over time for the page.
func (r *Report) svgCharts() ([]drawing, error) {
	var out []drawing
	for _, c := range r.charted() {
		low, high := c.span()
		hours := c.Chart[len(c.Chart)-1].Hour
		if hours <= 0 {
			continue
		}
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
		d, err := draw(func(w io.Writer) error { return picture.WriteChart(w, &p) })
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, nil
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
