package kd

import "strings"

// IsElision reports whether a line says no more than that an author left lines
// out.
func IsElision(text string) bool {
	switch text {
	case "...", "....", ".....", "......", "\u2026", "[...]", "[\u2026]", "(...)", "<...>":
		return true
	}
	if len(text) == 0 || len(text) > 40 || !strings.ContainsRune("[(<{-.*=\u2026", []rune(text)[0]) {
		return false
	}
	switch strings.ToLower(strings.Trim(text, "[](){}<>-.*= \u2026")) {
	case "snip", "snipped", "cut", "omitted", "truncated", "more", "and so on":
		return true
	}
	return false
}

// SaysLeftOut reports whether an author's remark behind a line may say that
// something is left out: "<< more", "// 12 others", "<<...".
func SaysLeftOut(remark string) bool {
	if strings.Contains(remark, "...") || strings.Contains(remark, "\u2026") {
		return true
	}
	for w := range strings.FieldsFuncSeq(strings.ToLower(remark), func(c rune) bool { return c < 'a' || c > 'z' }) {
		switch w {
		case "more", "others", "snip", "snipped", "cut", "etc", "omitted", "elided", "skipped", "left", "removed", "deleted", "truncated":
			return true
		}
	}
	return false
}
