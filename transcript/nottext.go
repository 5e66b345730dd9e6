package transcript

import (
	"errors"
	"strings"
)

// NotText says what an input is, by its beginning, when it is no text that
// Read takes; else it is "".
func NotText(head []byte) string {
	if what := signature(head); what != "" {
		return what
	}
	_, _, err := Decode(head[:len(head)&^1]) // whole characters of UTF-16
	if errors.Is(err, ErrNotText) {
		return strings.TrimPrefix(err.Error(), ErrNotText.Error()+": ")
	}
	return ""
}
