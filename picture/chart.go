package picture

import (
	"io"
	"strconv"
	"strings"
)

// Chart is a value over time, to draw. Values are what is between Low and High; X and Y
// count from 0 to 1.
type Chart struct {
	Title string
	// Words say what it shows: its description.
	Words string
	// Red is set for what is worth to be seen first.
	Red bool
	// Low and High label the axis of values, From and To that of time.
	Low, High, From, To string
	Lines               [][]ChartPoint // the parts between gaps
}

// ChartPoint is a place in a chart: Y is 0 at Low and 1 at High.
type ChartPoint struct{ X, Y float64 }

// The size of a chart and of the labels beside it.
const (
	chartWidth, chartHeight = 640, 150
	chartLabel              = 90
)

// WriteChart draws a chart as WriteSVG does a picture.
func WriteChart(w io.Writer, p *Chart) error {
	c, body := &canvas{}, &canvas{}
	left, top := margin+chartLabel, margin+26
	body.text("kdp-head", margin, margin+8, start, shorten(p.Title, cellsIn(chartWidth, textCell)))
	body.printf(`<rect class="kdp-panel" x="%d" y="%d" width="%d" height="%d"/>`+"\n", left, top, chartWidth, chartHeight)
	body.text("kdp-detail", left-8, top+12, end, p.High)
	body.text("kdp-detail", left-8, top+chartHeight, end, p.Low)
	body.text("kdp-detail", left, top+chartHeight+18, start, p.From)
	body.text("kdp-detail", left+chartWidth, top+chartHeight+18, end, p.To)
	class := ""
	if p.Red {
		class = ` class="kdp-red"`
	}
	body.printf("<g%s>\n", class)
	for _, line := range p.Lines {
		var b strings.Builder
		for _, at := range line {
			b.WriteString(place(float64(left)+at.X*chartWidth) + "," + place(float64(top+chartHeight)-at.Y*chartHeight) + " ")
		}
		body.printf(`<polyline class="kdp-line" points="%s"/>`+"\n", strings.TrimSuffix(b.String(), " "))
	}
	body.printf("</g>\n")
	c.element(p.Title, p.Words, left+chartWidth+margin, top+chartHeight+18+margin, body)
	_, err := w.Write(c.Bytes())
	return err
}

// place prints a coordinate.
func place(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) }
