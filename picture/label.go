package picture

import (
	"strings"

	"kdlocks/kd"
)

// shorten takes the middle out of a text that is wider than width columns: the
// ends of symbols and names tell more.
func shorten(s string, width int) string {
	s = kd.Plain(s)
	if kd.Cells(s) <= width {
		return s
	}
	r := []rune(s)
	head, tail, left := 0, len(r), width-1
	for head < tail {
		next := r[head]
		if head > len(r)-tail {
			next = r[tail-1]
		}
		w := max(kd.Cells(string(next)), 1)
		if left -= w; left < 0 {
			break
		}
		if head > len(r)-tail {
			tail--
		} else {
			head++
		}
	}
	return string(r[:head]) + "…" + string(r[tail:])
}

// fold breaks a sentence at blanks into at most most lines of width columns.
func fold(text string, width, most int) []string {
	var out []string
	line := ""
	for _, w := range strings.Fields(kd.Plain(text)) {
		w = shorten(w, width)
		switch {
		case line == "":
			line = w
		case kd.Cells(line)+1+kd.Cells(w) <= width:
			line += " " + w
		case len(out) == most-1:
			return append(out, shortenEnd(line, width))
		default:
			out = append(out, line)
			line = w
		}
	}
	if line != "" {
		out = append(out, line)
	}
	return out
}

// shortenEnd ends a line with a mark that it goes on.
func shortenEnd(line string, width int) string {
	r := []rune(line)
	for len(r) > 0 && kd.Cells(string(r))+2 > width {
		r = r[:len(r)-1]
	}
	return strings.TrimRight(string(r), " ") + " …"
}

// lines are what is written into a box: what it is, where, and the details.
func (n *Node) lines() []string {
	var out []string
	for _, l := range append([]string{n.Kind, n.Address}, n.Details...) {
		if l != "" {
			out = append(out, l)
		}
	}
	return out
}

// name is the node in one line, in full.
func (n *Node) name() string {
	name := n.Kind
	if n.Address != "" {
		name = strings.TrimSpace(name + " " + n.Address)
	}
	return shorten(name, 160)
}

// longestTitle bounds what is told of a node where there is room, in columns.
const longestTitle = 4000

// title is what is told of a node where there is room.
func (n *Node) title() string {
	if n.Full != "" {
		return shorten(n.Full, longestTitle)
	}
	return shorten(strings.Join(n.lines(), ", "), longestTitle)
}

// edgeTitle is what is told of an edge where there is room.
func (p *Panel) edgeTitle(e *Edge) string {
	return p.Nodes[e.From].name() + " " + e.words() + " " + p.Nodes[e.To].name()
}

// line is the name of the panel: its findings with their words.
func (h *Head) line() string {
	return shorten(h.ID+" ("+strings.Join(h.Words, ", ")+")", 200)
}
