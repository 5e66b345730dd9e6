//go:build !js

package report

import (
	"fmt"
	"math"

	"github.com/guptarohit/asciigraph"

	"kdlocks/heuristics"
	"kdlocks/kd"
)

// chartHeight is how many lines of text a chart has.
const chartHeight = 7

// counterCharts draws counters over time in text.
func (p *page) counterCharts() {
	for _, c := range p.r.charted() {
		last := c.Chart[len(c.Chart)-1]
		var values []float64
		for i, v := range c.Chart {
			if c.gapBefore(i) {
				for range int(float64(len(c.Chart)) * (v.Hour - c.Chart[i-1].Hour) / last.Hour) {
					values = append(values, math.NaN())
				}
			}
			values = append(values, v.Value)
		}
		p.WriteString("\n")
		p.fold("  ", c.title())
		graph := asciigraph.Plot(values, asciigraph.Height(chartHeight), asciigraph.Offset(3), asciigraph.YAxisValueFormatter(c.quantity),
			asciigraph.Caption(fmt.Sprintf("%s, %s", heuristics.Hours(last.Hour), kd.Plural(c.Samples, "sample"))))
		p.WriteString(graph + "\n")
	}
}
