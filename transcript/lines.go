package transcript

import "strings"

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
