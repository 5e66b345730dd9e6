package locks

import (
	"strconv"
	"strings"

	"kdlocks/kd"
)

// Triage is what !analyze says of the lock of the Plug and Play manager.
type Triage struct {
	Lock, Thread kd.Addr // 0 if none
	ThreadCount  int
	Wait         int64 // "Thread wait", in clock ticks
	At           kd.Ref
}

// analyzeLine reads what !analyze prints around the output of !locks:
//
//	LOCK_ADDRESS:  fffff7df9cd8a380 -- (!locks fffff7df9cd8a380)
//	PNP_TRIAGE_DATA:
//		Lock address  : 0xfffff7df9cd8a380
//		Thread Count  : 1
//		Thread address: 0xffffb964625ef040
//		Thread wait   : 0x281e98
func (r *Reader) analyzeLine(l kd.Line) bool {
	c := kd.Cursor{Text: l.Text}
	switch l.Text[0] {
	case 'L':
		switch {
		case strings.HasPrefix(l.Text, "LOCK_ADDRESS:"):
			r.Begin(l.All(), false)
			return true
		case r.triage && c.Take("Lock address :"):
			r.triaged(&c, func(t *Triage, w string) { t.Lock, _ = kd.ParseAddr(w) })
			return true
		}
	case 'P':
		if strings.HasPrefix(l.Text, "PNP_TRIAGE_DATA:") || strings.HasPrefix(l.Text, "PNP_TRIAGE:") {
			r.beginTriage(l)
			return true
		}
	case 'T':
		return r.triage && r.triageLine(&c)
	}
	return false
}

func (r *Reader) triageLine(c *kd.Cursor) bool {
	switch {
	case c.Take("Thread Count :"):
		r.triaged(c, func(t *Triage, w string) { t.ThreadCount, _ = strconv.Atoi(w) })
	case c.Take("Thread address:"):
		r.triaged(c, func(t *Triage, w string) { t.Thread, _ = kd.ParseAddr(w) })
	case c.Take("Thread wait :"):
		r.triaged(c, func(t *Triage, w string) {
			if n, ok := kd.ParseAddr(w); ok && n>>62 == 0 {
				t.Wait = int64(n)
			}
		})
		r.triage = false
	default:
		return false
	}
	return true
}

func (r *Reader) triaged(c *kd.Cursor, set func(*Triage, string)) {
	w, _ := c.Word()
	set(&r.out.Triage[len(r.out.Triage)-1], w)
}

func (r *Reader) beginTriage(l kd.Line) {
	r.Break()
	r.triage = true
	r.out.Triage = append(r.out.Triage, Triage{At: l.All()})
}
