package threads

import (
	"strconv"
	"strings"

	"kdlocks/kd"
)

// Caption is a heading that an author sets above a stack and that names no thread
// (github.com/winfsp/winfsp/pull/677): the author's word, and no output of a debugger.
type Caption struct {
	Owner   bool // the stack is of the owner of a lock, else of those that wait for it
	Threads int  // how many threads have the stack
	At      kd.Ref
}

// mostCaptioned is how many threads a caption is believed to stand for.
const mostCaptioned = 100_000

// captionLine reads
//
//	Lock owner:
//	Waiter 8:
//	Waiters 1-7:
func (r *Reader) captionLine(l kd.Line) bool {
	text, ok := strings.CutSuffix(l.Text, ":")
	if !ok || len(text) > 32 {
		return false
	}
	c := Caption{At: l.All(), Threads: 1}
	word, rest, _ := strings.Cut(strings.ToLower(text), " ")
	switch {
	case word == "owner" && rest == "", (word == "lock" || word == "resource") && rest == "owner":
		c.Owner = true
	case word == "waiter", word == "waiters":
		c.Threads = span(rest)
	default:
		return false
	}
	if c.Threads == 0 {
		return false
	}
	r.closeBlock()
	r.caption = &c
	return true
}

// span returns how many numbers "8" or "1-7" are, 0 if it is no such text.
func span(text string) int {
	from, to, several := strings.Cut(text, "-")
	first, err := strconv.ParseUint(from, 10, 31)
	last := first
	if several && err == nil {
		last, err = strconv.ParseUint(to, 10, 31)
	}
	if err != nil || first == 0 || last < first || last-first >= mostCaptioned {
		return 0
	}
	return int(last-first) + 1
}
