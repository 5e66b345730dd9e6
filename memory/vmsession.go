package memory

import (
	"fmt"
	"strconv"
	"strings"

	"kdlocks/kd"
)

const mostSessions = 1000

// SessionMemory is what a session uses of the memory that is its own, in Kb.
type SessionMemory struct {
	ID        uint64
	PagedPool Number
	NonPaged  Number
	Commit    Number
	// Failed counts allocations from the session's pool that failed; !vm prints none for 0.
	Failed Number
	At     kd.Ref
}

// SessionPercent returns how much of the most that a session may have of paged pool it uses.
func (v *VM) SessionPercent(s *SessionMemory) (percent float64, ok bool) {
	most := v.SessionPoolMax
	if !s.PagedPool.Known() || !most.Known() || most.N <= 0 || s.PagedPool.N > most.N {
		return 0, false
	}
	return 100 * float64(s.PagedPool.N) / float64(most.N), true
}

// sessionLine reads the part of terminal services, which flag 4 of !vm adds:
//
//	Terminal Server Memory Usage By Session:
//	Session Paged Pool Maximum is 32768K
//	Session ID 0 @ f79e8000:
//	Paged Pool Usage:       2032K
//	NonPaged Usage:          316 Kb
//	*** 6 Pool Allocation Failures ***
//	Commit Usage:           4492K
func (r *Reader) sessionLine(l kd.Line) bool {
	c := kd.Cursor{Text: l.Text}
	switch {
	case c.Take("Terminal Server Memory Usage By Session:"):
	case c.Take("Session Paged Pool Maximum is"):
		return r.sessionSize(l, c.Pos, &r.vm.SessionPoolMax)
	case c.Take("Session View Space Maximum is"):
		return r.sessionSize(l, c.Pos, new(Number))
	case c.Take("Session ID"):
		return r.newSession(l, c)
	case len(r.vm.Sessions) == 0:
		return false
	case c.Take("Paged Pool Usage:"):
		return r.sessionSize(l, c.Pos, &r.session().PagedPool)
	case c.Take("NonPaged Usage:"):
		return r.sessionSize(l, c.Pos, &r.session().NonPaged)
	case c.Take("Commit Usage:"):
		return r.sessionSize(l, c.Pos, &r.session().Commit)
	case c.Take("***"):
		return r.sessionFailures(l, c)
	default:
		return false
	}
	r.vm.EndLine = max(r.vm.EndLine, l.Last())
	return true
}

// session is the one whose lines are being read.
func (r *Reader) session() *SessionMemory { return &r.vm.Sessions[len(r.vm.Sessions)-1] }

// newSession reads the head of a session. Its number is decimal (Microsoft Learn: !session).
func (r *Reader) newSession(l kd.Line, c kd.Cursor) bool {
	word, _ := c.Word()
	id, err := strconv.ParseUint(strings.TrimSuffix(word, ":"), 10, 32)
	if err != nil || !strings.HasSuffix(strings.TrimRight(l.Text, " \t"), ":") {
		return false
	}
	if r.vm.EndLine = max(r.vm.EndLine, l.Last()); len(r.vm.Sessions) >= mostSessions {
		r.left(l.All(), "sessions of !vm")
		return true
	}
	r.vm.Sessions = append(r.vm.Sessions, SessionMemory{ID: id, At: l.All()})
	return true
}

// sessionSize reads "32768K" from a place to the end.
func (r *Reader) sessionSize(l kd.Line, at int, into *Number) bool {
	w := words{l, at}
	n, ok := w.number(false)
	if !ok || !w.take("K") || strings.TrimPrefix(w.rest(), "b") != "" {
		return false
	}
	*into, r.vm.EndLine = n, max(r.vm.EndLine, l.Last())
	return true
}

func (r *Reader) sessionFailures(l kd.Line, c kd.Cursor) bool {
	w := words{l, c.Pos}
	n, ok := w.number(false)
	what, _, failed := strings.Cut(strings.ToLower(w.rest()), " allocation failure")
	if !ok || !failed {
		return false
	}
	if r.vm.EndLine = max(r.vm.EndLine, l.Last()); what == "pool" {
		r.session().Failed = n
	} else if len(r.vm.Failures) < mostBanners {
		r.vm.Failures = append(r.vm.Failures, Failure{fmt.Sprintf("%s allocations of session %d", what, r.session().ID), n})
	}
	return true
}
