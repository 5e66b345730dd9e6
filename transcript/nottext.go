package transcript

import (
	"errors"
	"strings"
)

// NotText says what an input is, by its beginning, when it is no text that
// Read takes; else it is "".
func NotText(head []byte) string {
	if _, err := sniff(head); errors.Is(err, ErrNotText) {
		return strings.TrimPrefix(err.Error(), ErrNotText.Error()+": ")
	}
	return ""
}
