package picture

import "kdlocks/kd"

// entry is one sign of the legend.
type entry struct {
	words string
	draw  func(c *canvas, x, y int) // in a field of legendSign by 20 from x, y
}

const legendSign = 40

// legend explains the signs that the picture uses, with some room at its
// sides, and returns where it ends.
func (c *canvas) legend(p *Picture, side, y, width int) int {
	entries := p.entries()
	if len(entries) == 0 {
		return y + margin/2
	}
	x := side
	y += 10 // the signs of groups stand out at the top
	c.printf("<g>\n")
	for _, e := range entries {
		w := legendSign + 8 + int(float64(kd.Cells(e.words))*legendCell) + 18
		if x > side && x+w > width-side {
			x, y = side, y+28
		}
		e.draw(c, x, y)
		c.text("kdp-prose", x+legendSign+8, y+14, start, e.words)
		x += w
	}
	c.printf("</g>\n")
	return y + 20 + margin
}

// entries returns what is to explain of a picture.
func (p *Picture) entries() []entry {
	var shapes [Elided + 1]bool
	var kinds [MaybeEndedBy + 1]bool
	grades := map[string]bool{}
	cycle, root := false, false
	for i := range p.Panels {
		for _, n := range p.Panels[i].Nodes {
			shapes[min(n.Shape, Elided)] = true
			root = root || n.Root
		}
		for _, e := range p.Panels[i].Edges {
			kinds[min(e.Kind, MaybeEndedBy)] = true
			if e.Kind != MaybeEndedBy {
				grades[e.stroke()] = grades[e.stroke()] || e.Grade != ""
			}
			cycle = cycle || e.Order > 0
		}
	}
	var out []entry
	for _, s := range []struct {
		shape Shape
		words string
	}{{Thread, "thread"}, {Lock, "lock"}, {Object, "other object waited for"}, {Group, "threads collapsed to a count"}, {Nobody, "not named in the input"}} {
		if shapes[s.shape] {
			out = append(out, entry{s.words, shapeSign(s.shape)})
		}
	}
	if root {
		out = append(out, entry{"root: what all of them wait for", rootSign})
	}
	for k := WaitsFor; k <= MaybeEndedBy; k++ {
		words, line := k.String(), "solid"
		switch k {
		case PointsInto:
			words += ": a stale owner pointer"
		case MaybeEndedBy:
			words, line = words+": a guess, which the next command decides", "dotted"
		}
		if kinds[k] {
			out = append(out, entry{words, edgeSign(k, line, false)})
		}
	}
	for _, g := range []struct{ stroke, words string }{{"solid", "grade A or B: printed, or arithmetic"}, {"dashed", "grade C: read from a stack or a reconciled list"}, {"dotted", "grade D: association only"}} {
		if grades[g.stroke] {
			out = append(out, entry{g.words, lineSign(g.stroke)})
		}
	}
	if cycle {
		out = append(out, entry{"the cycle, numbered in its order", cycleSign})
	}
	return out
}

func shapeSign(s Shape) func(*canvas, int, int) {
	return func(c *canvas, x, y int) {
		c.printf(`<g class="kdp-%s">`, shapes[s])
		c.outline(s, x+2, y+1, legendSign-8, 17)
		c.printf("</g>\n")
	}
}

func rootSign(c *canvas, x, y int) {
	c.printf(`<rect class="kdp-badge" x="%d" y="%d" width="44" height="16" rx="8"/>`, x-2, y+2)
	c.text("kdp-badgetext", x+20, y+14, middle, "ROOT")
}

func edgeSign(k Kind, stroke string, red bool) func(*canvas, int, int) {
	class := "kdp-edge kdp-" + stroke
	if red {
		class += " kdp-red"
	}
	return func(c *canvas, x, y int) {
		c.printf(`<g class="%s">`, class)
		c.arrow(k, []point{{x, y + 10}, {x + legendSign, y + 10}})
		c.printf("</g>\n")
	}
}

func lineSign(stroke string) func(*canvas, int, int) {
	return func(c *canvas, x, y int) {
		c.printf(`<g class="kdp-edge kdp-%s"><polyline class="kdp-line" points="%d,%d %d,%d"/></g>`+"\n", stroke, x, y+10, x+legendSign, y+10)
	}
}

func cycleSign(c *canvas, x, y int) {
	edgeSign(WaitsFor, "solid", true)(c, x, y)
	c.disc(point{x + discRadius, y + 10}, 1)
}
