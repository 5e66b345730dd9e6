package open

import (
	"fmt"
	"strings"
)

// noteSkipped says what was left out of a folder or archive.
func (o *opener) noteSkipped(p *found) {
	var parts []string
	add := func(n int, what string) {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, what))
		}
	}
	add(p.hidden, "hidden")
	add(p.empty, "empty")
	add(p.special, "neither file nor folder")
	if n := len(p.skipped); n > 0 {
		parts = append(parts, fmt.Sprintf("%d not text (%s)", n, some(p.skipped, p.in)))
	}
	if len(parts) > 0 {
		o.set.Notes = append(o.set.Notes, p.in+": skipped "+strings.Join(parts, ", "))
	}
}

// some names the first few.
func some(names []string, in string) string {
	const few = 3
	var out []string
	for _, n := range names[:min(few, len(names))] {
		out = append(out, strings.TrimLeft(strings.TrimPrefix(n, in), "!/\\"))
	}
	if len(names) > few {
		out = append(out, "...")
	}
	return strings.Join(out, ", ")
}

func (o *opener) noteDuplicates() {
	switch o.again {
	case 0:
	case 1:
		o.set.Notes = append(o.set.Notes, "1 file is named twice and read once")
	default:
		o.set.Notes = append(o.set.Notes, fmt.Sprintf("%d files are named more than once and read once", o.again))
	}
}
