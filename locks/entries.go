package locks

import (
	"slices"
	"strconv"
	"strings"

	"kdlocks/kd"
)

// entries reads the items of an owner list, up to four a line, each padded:
//
//	8a7cb533-01<*> *** Actual Thread 8a7cb530
//	ffffaa3e1a9df7c0-01<*> ffffaa3e193fc080-01
//
// A remark runs to the end of its line.
func (r *Reader) entries(c *kd.Cursor, l kd.Line) {
	r.finishHalf(c, l)
	if r.elided {
		r.leftOut(l.All())
		r.elided = false
	}
	last := -1 // where the last entry of this line begins
	for {
		w, at := c.Word()
		switch {
		case w == "":
			return
		case isRemark(w):
			if kd.SaysLeftOut(l.Text[at:]) {
				r.leftOut(l.Ref(at, len(l.Text)-at))
			}
			r.swallowed(l.Text[at:], l.Ref(at, len(l.Text)-at))
			return
		case isMark(w) && len(r.cur.Entries) > 0:
			r.cur.Entries[len(r.cur.Entries)-1].Marked = true
			continue
		case w == "***" && len(r.cur.Entries) > 0:
			r.remark(c, l, last)
			return
		case c.Peek() == "" && r.holdHalf(w, l.Ref(at, len(w))):
			return
		}
		r.add(w, l.Ref(at, len(w)), l.Cut && at+len(w) == len(l.Text))
		last = at
	}
}

// add appends the entry that a word spells, or notes that it spells none.
func (r *Reader) add(w string, at kd.Ref, atBreak bool) {
	e, ok := r.entry(w)
	if !ok {
		r.note(at, "owner entry %q: bad address or count", kd.Clip(w))
		r.cur.damage()
		return
	}
	e.At, e.AtBreak = at, atBreak
	r.cur.Entries = append(r.cur.Entries, e)
}

// half is an address at the end of a line whose count a narrow window wrapped
// to the next.
type half struct {
	at   kd.Ref
	text string
}

// holdHalf keeps a word that is an address without a count.
func (r *Reader) holdHalf(w string, at kd.Ref) bool {
	_, ok := r.address(w)
	if ok {
		r.half = half{at, w}
	}
	return ok
}

// finishHalf adds the entry whose address was held if its count comes first on
// the line; else the address is given up.
func (r *Reader) finishHalf(c *kd.Cursor, l kd.Line) {
	h := r.half
	r.half = half{}
	switch {
	case !h.at.Known():
	case strings.HasPrefix(c.Peek(), "-"):
		w, at := c.Word()
		r.add(h.text+w, h.at, l.Cut && at+len(w) == len(l.Text))
	default:
		r.giveUp(h)
	}
}

func (r *Reader) giveUp(h half) {
	r.note(h.at, "owner entry %q: no count", kd.Clip(h.text))
	r.cur.damage()
}

// leftOut records that the author of a paste left owner entries out.
func (r *Reader) leftOut(at kd.Ref) {
	r.note(at, "owner entries of resource %x are left out", uint64(r.cur.Addr))
	r.cur.damage()
}

// missing looks at a line that does not go on with an owner list: it may be an
// item of which too little is left, or stand for items that an author left out.
// Only right behind the list, or before more of it, is it about the list.
func (r *Reader) missing(l kd.Line) {
	c := kd.Cursor{Text: l.Text}
	elision := kd.IsElision(l.Text) || strings.IndexByte("<[(/.\xe2", l.Text[0]) >= 0 && kd.SaysLeftOut(l.Text)
	switch {
	case elision && r.cur.Open:
		r.leftOut(l.All())
	case elision:
		r.elided = true
	case r.cur.Open && looksBroken(c.Peek()):
		r.note(l.All(), "owner entry %q: bad address or count", kd.Clip(l.Text))
		r.cur.damage()
	}
}

// looksBroken reports whether a word may be what is left of an owner entry: it
// begins with digits of an address or ends with the mark.
func looksBroken(w string) bool {
	if _, marked := cutMark(w); marked {
		return true
	}
	w = strings.TrimLeft(w, "*.\u2026[(")
	return len(w) >= 6 && isHexPrefix(w) && strings.IndexByte(w, ':') < 0
}

// remark reads "*** ..." behind the last entry and widens the entry's place
// over it if it begins on the same line, at byte from.
func (r *Reader) remark(c *kd.Cursor, l kd.Line, from int) {
	e := &r.cur.Entries[len(r.cur.Entries)-1]
	text, at := c.Rest()
	if cut := strings.Index(text, "//"); cut >= 0 {
		text = text[:cut]
	}
	e.Remark, _ = kd.TrimBlanks(text)
	if from >= 0 {
		e.At = l.Ref(from, at+len(e.Remark)-from)
	}
	t := kd.Cursor{Text: e.Remark}
	if t.Take("Actual Thread") {
		w, _ := t.Word()
		if a, ok := r.address(w); ok {
			e.Actual = a
		}
	}
}

// marks are the owner mark as printed, and as a web page's source has it.
var marks = []string{"<*>", "&lt;*&gt;"}

func isMark(w string) bool { return slices.Contains(marks, w) }

func cutMark(w string) (string, bool) {
	for _, m := range marks {
		if body, ok := strings.CutSuffix(w, m); ok {
			return body, true
		}
	}
	return w, false
}

// entry reads ADDR-NN or ADDR-NN<*>.
func (r *Reader) entry(w string) (Entry, bool) {
	body, marked := cutMark(w)
	addr, count, ok := strings.Cut(body, "-")
	if !ok || len(count) < 2 {
		return Entry{}, false
	}
	a, ok := r.address(addr)
	if !ok {
		return Entry{}, false
	}
	n, err := strconv.ParseUint(count, 16, 31)
	return Entry{Raw: a, Count: int(n), Marked: marked}, err == nil
}

// address reads an address of the width that the head line has: a shorter one
// was cut.
func (r *Reader) address(w string) (kd.Addr, bool) {
	a, ok := kd.ParseFullAddr(w)
	if !ok || isWide(w) != r.wide {
		return 0, false
	}
	return a, true
}

// looksLikeEntry tells a continuation line by its first word: hexadecimal
// digits, a minus sign and a count, whole or damaged.
func looksLikeEntry(w string) bool {
	if isMark(w) {
		return true
	}
	if strings.HasPrefix(w, "-") && len(w) > 2 {
		_, err := strconv.ParseUint(w[1:3], 16, 8)
		return err == nil
	}
	addr, count, ok := strings.Cut(w, "-")
	if !ok || len(addr) < 8 || len(count) < 2 {
		return false
	}
	_, err := strconv.ParseUint(count[:2], 16, 8)
	return err == nil && isHexPrefix(addr)
}

func isHexPrefix(s string) bool {
	_, ok := kd.ParseAddr(s[:4])
	return ok
}

// addresses reads the items of the exclusive waiter list: addresses without a
// count. What an author wrote behind them runs to the end of the line.
func (r *Reader) addresses(c *kd.Cursor, l kd.Line) {
	for {
		w, at := c.Word()
		switch {
		case w == "":
			return
		case isRemark(w):
			r.swallowed(l.Text[at:], l.Ref(at, len(l.Text)-at))
			return
		}
		a, ok := r.waiterAddress(w)
		switch {
		case ok:
			r.cur.ExclusiveWaiters = append(r.cur.ExclusiveWaiters, Waiter{Thread: a, At: l.Ref(at, len(w))})
		case isAside(w):
			r.note(l.Ref(at, len(l.Text)-at), "not understood behind exclusive waiters: %q", kd.Clip(l.Text[at:]))
			return
		default:
			r.note(l.Ref(at, len(w)), "exclusive waiter %q: bad address", kd.Clip(w))
			if len(r.cur.ExclusiveWaiters) == 0 {
				r.cur.doubt("the first exclusive waiter could not be read")
			}
		}
	}
}

// isRemark reports whether an author's remark begins with a word.
func isRemark(w string) bool { return strings.HasPrefix(w, "//") || strings.HasPrefix(w, "<<") }

// isAside reports whether a word begins what an author put in the place of
// items: "[...]", "(and so on)", "etc.".
func isAside(w string) bool {
	return strings.IndexByte("([{<", w[0]) >= 0 || kd.SaysLeftOut(w)
}

// waiterAddress reads ADDR, or ADDR-NN as some listings have it. Zero is no
// waiter but a field of a THREAD block.
func (r *Reader) waiterAddress(w string) (kd.Addr, bool) {
	if e, ok := r.entry(w); ok {
		return e.Raw, e.Raw != 0
	}
	a, ok := r.address(w)
	return a, ok && a != 0
}

// isWaiterRow reports whether a line holds waiters: a whole address first, and
// behind it no more than one word that is what a cut left of an address, or an
// author's words in the place of the others. A stack frame, a memory dump or a
// sentence about a thread is none, nor is a user-mode address of a THREAD block
// that came between.
func (r *Reader) isWaiterRow(c kd.Cursor) bool {
	first, _ := c.Word()
	const mostMarker = 0xfffff
	if a, ok := r.waiterAddress(first); !ok || !r.cur.Open && !a.IsKernel(kd.ArchUnknown) && a > mostMarker {
		return false
	}
	for broken := 0; ; {
		w, at := c.Word()
		if w == "" || isRemark(w) {
			return true
		}
		_, ok := r.waiterAddress(w)
		switch {
		case ok:
			if kd.HasPrefixFold(w, "0x") != kd.HasPrefixFold(first, "0x") {
				return false
			}
		case strings.IndexByte("([{<", w[0]) >= 0, kd.SaysLeftOut(w) && c.Peek() == "":
			return strings.IndexByte(c.Text[at:], '!') < 0
		case broken == 0 && isBrokenAddress(w):
			broken++
		default:
			return false
		}
	}
}

// isBrokenAddress reports whether a word may be what is left of an address.
// The debugger prints a frame's address without a symbol with 0x.
func isBrokenAddress(w string) bool {
	if strings.ContainsAny(w, "!+:`") || kd.HasPrefixFold(w, "0x") {
		return false
	}
	if a, ok := kd.ParseAddr(w); ok {
		return a != 0 || len(w) < 8
	}
	return looksBroken(w)
}
