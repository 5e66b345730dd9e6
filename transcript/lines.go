package transcript

import (
	"strings"

	"kdlocks/kd"
)

// splitLines cuts text into lines at LF, with any CR before it; in a text
// without any LF, at CR. An end of line at the very end starts no further
// line.
func splitLines(text string) []string {
	if text == "" {
		return nil
	}
	sep := "\n"
	if !strings.Contains(text, "\n") && strings.Contains(text, "\r") {
		sep = "\r"
	}
	lines := strings.Split(strings.TrimSuffix(text, sep), sep)
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], "\r")
	}
	return lines
}

// clean takes quoting and the blanks around off a line and keeps where the
// rest stood.
func clean(raw string) (string, int) {
	s, off := kd.TrimBlanks(raw)
	for strings.HasPrefix(s, ">") && !strings.HasPrefix(s, ">\t") {
		var n int
		s, n = kd.TrimBlanks(s[1:])
		off += n + 1
	}
	return s, off
}
