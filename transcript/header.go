package transcript

import (
	"strings"

	"kdlocks/kd"
)

// headerBlock is what one header has told of the target so far. That it is of another
// session may show in its last line only, the uptime.
type headerBlock struct {
	lines []kd.Line
	// builtBy is what the session knew before.
	builtBy string
}

// mostHeaderLines is how many lines of a header are kept: it has five that tell of the
// target. Of more, the first are not told to a session that begins below them.
const mostHeaderLines = 16

// add takes a line of a header, the last one of which was at a line.
func (h *headerBlock) add(s *session, l kd.Line, last int32) {
	if n := len(h.lines); n > 0 {
		above := h.lines[n-1]
		apart := l.Num-last > 3 && !strings.HasPrefix(above.Text, "Debug session time:") // its uptime comes, if only blanks are between
		if l.Input != above.Input || apart || opensDump(l.Text) || strings.HasPrefix(above.Text, "System Uptime:") {
			h.lines = nil
		}
	}
	if len(h.lines) == 0 {
		h.builtBy = s.target.BuiltBy
	}
	if tellsTarget(l.Text) {
		if len(h.lines) == mostHeaderLines {
			h.lines = h.lines[1:]
		}
		h.lines = append(h.lines, l)
	}
}

// tellsTarget reports whether a line of a header tells which machine and moment it is
// of.
func tellsTarget(text string) bool {
	for _, p := range []string{"Kernel base =", "Debug session time:", "System Uptime:", "Machine Name:", "Built by:", "Edition build lab:"} {
		if strings.HasPrefix(text, p) {
			return true
		}
	}
	return strings.HasPrefix(text, "Windows") && strings.Contains(text, "Kernel Version")
}

// untell takes back what the session above has learned from the header, and does not
// show by itself that another begins.
func (h *headerBlock) untell(s *session) { s.target.BuiltBy = h.builtBy }

// tell has the session that begins learn it.
func (h *headerBlock) tell(s *session) {
	for _, l := range h.lines {
		s.learn(l)
	}
}
