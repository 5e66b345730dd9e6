package rules

import (
	"regexp"
	"sync"
)

// expression returns what compiles a regular expression when it is first asked:
// every command would wait for it at its start.
func expression(text string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) })
}
