package rules

import (
	"fmt"
	"strings"
)

// matchGlob reports whether a text fits a pattern of letters, * for any run of
// them and ? for any one. It never goes back further than the last *, so its
// time is bounded by the product of both lengths.
func matchGlob(pattern, s string) bool {
	p, i, star, from := 0, 0, -1, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, from = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == s[i]):
			p++
			i++
		case star >= 0:
			from++
			p, i = star+1, from
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

func isGlob(s string) bool { return strings.ContainsAny(s, "*?") }

// mostStars bounds the work of one comparison.
const mostStars = 4

// badGlob says what is wrong with a pattern, "" if nothing.
func badGlob(s string) string {
	switch {
	case s == "":
		return "the pattern is empty"
	case len(s) > longestPattern:
		return "the pattern is too long"
	case strings.Count(s, "*") > mostStars:
		return fmt.Sprintf("the pattern has more than %d *", mostStars)
	case strings.Contains(s, "**"):
		return "** says no more than *"
	case strings.ContainsAny(s, "[]{}"):
		return "only * and ? are wild in a pattern: [ ] { } are not known"
	}
	return ""
}

const longestPattern = 512
