package memory

import (
	"strings"

	"kdlocks/kd"
)

// poolmonHead reads the lines above the heads of columns (Microsoft's
// documentation of PoolMon):
//
//	Memory:  260620K Avail:   65152K  PageFlts:    85   InRam Krnl: 2116K P:19560K
//	Commit: 237688K Limit: 640916K Peak: 260632K            Pool N: 8500K P:33024K
//	System pool information
//	Session 0 pool information
func (r *Reader) poolmonHead(l kd.Line) bool {
	switch l.Text[0] {
	case 'M':
		return r.gauges(l, "Memory:", memoryGauges)
	case 'C':
		return r.gauges(l, "Commit:", commitGauges)
	case 'S':
		c := kd.Cursor{Text: l.Text}
		if c.Take("System pool information") && c.Peek() == "" {
			r.poolOf(Poolmon, l)
			r.pool.OfSession = No
			return true
		}
		w := words{l, len("Session")}
		if !strings.HasPrefix(l.Text, "Session ") {
			return false
		}
		n, ok := w.number(false)
		if c = (kd.Cursor{Text: l.Text, Pos: w.pos}); !ok || !c.Take("pool information") || c.Peek() != "" {
			return false
		}
		r.poolOf(Poolmon, l)
		r.pool.OfSession, r.pool.SessionID = Yes, n
		return true
	}
	return false
}

// gauge is a name in the head of poolmon, as printed and in full.
type gauge struct{ printed, name, unit string }

var (
	memoryGauges = []gauge{{"Memory:", "Memory", "K"}, {"Avail:", "Avail", "K"}, {"PageFlts:", "PageFlts", ""}, {"InRam Krnl:", "InRam Krnl", "K"}, {"P:", "InRam P", "K"}}
	commitGauges = []gauge{{"Commit:", "Commit", "K"}, {"Limit:", "Limit", "K"}, {"Peak:", "Peak", "K"}, {"Pool N:", "Pool N", "K"}, {"P:", "Pool P", "K"}}
)

func (r *Reader) gauges(l kd.Line, begins string, list []gauge) bool {
	if !strings.HasPrefix(l.Text, begins) {
		return false
	}
	w := words{l, 0}
	var out []Gauge
	for _, g := range list {
		if !w.take(g.printed) {
			return false
		}
		n, ok := w.number(false)
		if !ok || g.unit != "" && !w.take(g.unit) {
			return false
		}
		out = append(out, Gauge{g.name, n})
	}
	if w.rest() != "" {
		return false
	}
	r.poolOf(Poolmon, l)
	if r.pool.Gauge(out[0].Name).Known() { // another look, of no tag
		r.newPool(Poolmon, l)
		r.seen(l)
	}
	r.pool.Machine = append(r.pool.Machine, out...)
	return true
}

// poolmonLine reads a row:
//
//	NtFB Paged      3996 (   0)      3986 (   0)    10  252088 (     0)  25208 [ntfs.sys  -  BitmpSup.c]
//	Dh 1 Paged        24 (   0)        24 (   0)        0       0 (     0)      0
func (r *Reader) poolmonLine(l kd.Line) bool {
	if strings.Trim(l.Text, "-") == "" && len(l.Text) >= 5 {
		r.seen(l)
		return true
	}
	w, tag, t := poolmonTag(l)
	if t == NoType {
		return false
	}
	word, _ := w.word()
	row := Row{Tag: tag, Type: t, TypeWord: strings.Clone(word), At: l.All()}
	u, life := row.Of(t), &Life{}
	u.life = life
	var ok [8]bool
	life.Made, ok[0] = w.number(false)
	life.MadeSince, ok[1] = w.inBrackets()
	life.Freed, ok[2] = w.number(false)
	life.FreedSince, ok[3] = w.inBrackets()
	u.Allocs, ok[4] = w.number(true)
	u.Bytes, ok[5] = w.number(true)
	life.BytesSince, ok[6] = w.inBrackets()
	life.PerAlloc, ok[7] = w.number(true)
	if ok != [8]bool{true, true, true, true, true, true, true, true} {
		return false
	}
	row.Comment = strings.Clone(w.rest())
	row.mapped()
	r.seen(l)
	r.checkRow(&row, u)
	r.add(row)
	return true
}

// poolmonTag reads the tag of a row and finds its type, which stands next.
func poolmonTag(l kd.Line) (words, string, Type) {
	c := kd.Cursor{Text: l.Text}
	first, at := c.Word()
	end := at + len(first)
	for range 3 { // a tag may have blanks inside
		w, at := c.Word()
		t := NoType
		switch {
		case strings.EqualFold(w, "Paged"), strings.EqualFold(w, "Page"):
			t = Paged
		case kd.HasPrefixFold(w, "Nonp") && len(w) <= len("NonPagedNx"):
			t = NonPaged
		}
		if t != NoType {
			tag := Tag(strings.Clone(l.Text[:end]))
			if len([]rune(tag)) != tagChars {
				return words{}, "", NoType
			}
			return words{l, at}, tag, t
		}
		end = at + len(w)
	}
	return words{}, "", NoType
}

// inBrackets reads "(   0)".
func (w *words) inBrackets() (Number, bool) {
	was := w.pos
	if w.take("(") {
		if n, ok := w.number(true); ok && w.take(")") {
			return n, true
		}
	}
	w.pos = was
	return Number{}, false
}

// mapped takes the driver out of what stands behind a row; poolmon has it from
// pooltag.txt (/g) or from a search through the drivers (/c):
//
//	[ntfs.sys  -  BitmpSup.c]
func (r *Row) mapped() {
	s, ok := strings.CutPrefix(r.Comment, "[")
	if !ok {
		return
	}
	s = strings.TrimSuffix(s, "]")
	driver, comment, _ := strings.Cut(s, " - ")
	r.Driver, _ = kd.TrimBlanks(driver)
	r.Comment, _ = kd.TrimBlanks(comment)
}

// checkRow notes numbers of a row that contradict each other: what was made and
// not freed is what is left, and bytes divided by that are those of each.
func (r *Reader) checkRow(row *Row, u *Usage) {
	if left := u.life.Made.N - u.life.Freed.N; left != u.Allocs.N && left&(1<<32-1) != u.Allocs.N {
		r.note(row.At, "poolmon: tag %q has %d allocations and %d frees, but a difference of %d", row.Tag, u.life.Made.N, u.life.Freed.N, u.Allocs.N)
	}
	each := int64(0)
	if u.Allocs.N > 0 {
		each = u.Bytes.N / u.Allocs.N
	}
	if u.life.PerAlloc.N != each {
		r.note(row.At, "poolmon: tag %q has %d bytes in %d allocations, but %d for each: that is not used", row.Tag, u.Bytes.N, u.Allocs.N, u.life.PerAlloc.N)
		u.life.PerAlloc = Number{}
	}
}
