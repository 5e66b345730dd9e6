package memory

import (
	"slices"
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
//	All sessions pool information
func (r *Reader) poolmonHead(l kd.Line) bool {
	switch l.Text[0] {
	case 'M':
		return r.gauges(l, "Memory:", memoryGauges)
	case 'C':
		return r.gauges(l, "Commit:", commitGauges)
	case 'A':
		c := kd.Cursor{Text: l.Text}
		if !c.Take("All sessions pool information") || c.Peek() != "" {
			return false
		}
		r.poolOf(Poolmon, l)
		r.pool.OfSession = Yes
		return true
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
	out, rest, named := w.gauges(list, false)
	if w.rest() != "" || len(out) == 0 || len(rest) > 2 {
		return false
	}
	r.poolOf(Poolmon, l)
	if r.pool.Gauge(out[0].Name).Known() { // another look, of no tag
		r.newPool(Poolmon, l)
		r.seen(l)
	}
	r.pool.Machine = append(r.pool.Machine, out...)
	r.pool.torn = tornLine{gauges: rest, named: named}
	return true
}

// gauges reads the numbers of a list until one does not come next. named says that the
// name of the first was read before, or of the first of rest.
func (w *words) gauges(list []gauge, named bool) (out []Gauge, rest []gauge, more bool) {
	for i, g := range list {
		if !named && !w.take(g.printed) {
			return out, list[i:], false
		}
		n, ok := w.number(false)
		if !ok || g.unit != "" && !w.take(g.unit) {
			return out, list[i:], true
		}
		out, named = append(out, Gauge{g.name, n}), false
	}
	return out, nil, false
}

// tornLine is what is missing of a line that a narrow window broke: gauges, or a row
// from one of its numbers on.
type tornLine struct {
	gauges []gauge
	named  bool
	row    *Row
	next   int  // the number that comes next
	opened bool // its bracket was read
	plain  bool // the row has none
	open   bool // what is missing is the end of a driver
}

// endless notes a row whose end did not come.
func (r *Reader) endless() {
	if row := r.pool.torn.row; row != nil && !r.pool.torn.open {
		r.pool.Unread++
		r.gap()
		r.note(row.At, "%s: the end of the row of tag %q is not read", r.pool.Tool, row.Tag)
	}
	r.pool.torn = tornLine{}
}

// tornRest reads what was missing of the line before.
func (r *Reader) tornRest(l kd.Line) bool {
	t := r.pool.torn
	r.pool.torn = tornLine{}
	w := words{l, 0}
	switch {
	case len(t.gauges) > 0:
		out, rest, _ := w.gauges(t.gauges, t.named)
		if len(rest) > 0 || w.rest() != "" {
			return false
		}
		r.pool.Machine = append(r.pool.Machine, out...)
	case t.open:
		row := &r.pool.Rows[len(r.pool.Rows)-1]
		begins := strings.LastIndexByte(l.Text, '[')
		if !strings.HasSuffix(l.Text, "]") || t.row.Comment == "" && begins != 0 || t.row.Comment != "" && begins >= 0 {
			return false
		}
		between := ""
		if strings.IndexByte(t.row.Comment, ' ') >= 0 {
			between = " "
		}
		row.Comment = t.row.Comment + between + l.Text
		row.Driver = ""
		row.mapped()
	case t.row != nil:
		if next, _ := w.monNumbers(t.row, t.next, t.opened, t.plain); next < monNumbers {
			r.pool.torn = t
			r.endless()
			return false
		}
		r.monRow(t.row, &w)
	default:
		return false
	}
	r.seen(l)
	return true
}

// poolmonLine reads a row:
//
//	NtFB Paged      3996 (   0)      3986 (   0)    10  252088 (     0)  25208 [ntfs.sys  -  BitmpSup.c]
//	Dh 1 Paged        24 (   0)        24 (   0)        0       0 (     0)      0
//	EtwB Nonp       6394      4056      2338 163418368      69896
//
// The last is of a file that -n wrote (public captures).
func (r *Reader) poolmonLine(l kd.Line) bool {
	if strings.Trim(l.Text, "-") == "" && len(l.Text) >= 5 {
		r.seen(l)
		return true
	}
	if r.tornRest(l) {
		return true
	}
	switch strings.Join(strings.Fields(l.Text), " ") {
	case "Per Alloc", "Mapped_Driver", "Per Alloc Mapped_Driver", "Alloc", "Alloc Mapped_Driver": // of a broken head
		r.seen(l)
		return true
	}
	w, tag, t := poolmonTag(l)
	if t == NoType {
		return false
	}
	word, _ := w.word()
	row := Row{Tag: tag, Type: t, TypeWord: strings.Clone(word), At: l.All()}
	row.Of(t).life = &Life{}
	next, opened := w.monNumbers(&row, 0, false, false)
	plain := next == 1 && !opened
	if plain {
		if next, _ = w.monNumbers(&row, next, false, true); next < 5 || !row.adds() {
			return false
		}
	}
	switch {
	case next == monNumbers:
		r.monRow(&row, &w)
	case next >= 2 && w.rest() == "":
		r.pool.torn = tornLine{row: &row, next: next, opened: opened, plain: plain}
	default:
		return false
	}
	r.seen(l)
	return true
}

// monNumbers is how many numbers a row of poolmon has.
const monNumbers = 8

// monNumbers reads the numbers of a row from one on, and returns which comes next;
// opened says that its bracket was read, plain that there are none.
func (w *words) monNumbers(row *Row, from int, opened, plain bool) (next int, open bool) {
	u := row.Of(row.Type)
	life := u.life
	for i, into := range []*Number{&life.Made, &life.MadeSince, &life.Freed, &life.FreedSince, &u.Allocs, &u.Bytes, &life.BytesSince, &life.PerAlloc} {
		bracket, ok := i == 1 || i == 3 || i == 6, false
		if i < from || bracket && plain {
			continue
		}
		switch {
		case bracket && (opened || w.take("(")):
			if *into, ok = w.number(true); !ok || !w.take(")") {
				return i, true
			}
		case bracket:
		default:
			*into, ok = w.number(i > 3)
		}
		if opened = false; !ok {
			return i, false
		}
	}
	return monNumbers, false
}

// adds reports whether the difference of what was made and freed is what is left: digits
// without brackets are a row only then.
func (r *Row) adds() bool {
	u := r.Of(r.Type)
	left := u.life.Made.N - u.life.Freed.N
	return left == u.Allocs.N || left&(1<<32-1) == u.Allocs.N
}

// monRow keeps a row whose numbers were read.
func (r *Reader) monRow(row *Row, w *words) {
	row.Comment = strings.Clone(w.rest())
	torn := row.Comment
	row.mapped()
	r.checkRow(row, row.Of(row.Type))
	r.add(*row)
	if r.pool.Dropped == 0 && (torn == "" || torn[0] == '[' && strings.IndexByte(torn, ']') < 0) {
		r.pool.torn = tornLine{open: true, row: &Row{Comment: torn}}
	}
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

// mapped takes the driver out of what stands behind a row; poolmon has it from
// pooltag.txt (/g) or from a search through the drivers (/c):
//
//	[ntfs.sys  -  BitmpSup.c]
//	[Gdi Objects]
//	[<unknown>  -  Event objects]
func (r *Row) mapped() {
	s, ok := strings.CutPrefix(r.Comment, "[")
	if !ok {
		return
	}
	s, closed := strings.CutSuffix(s, "]")
	words := strings.Fields(s)
	at := slices.Index(words, "-")
	switch {
	case at > 0:
		r.Driver, r.Comment = strings.Join(words[:at], " "), strings.Join(words[at+1:], " ")
	case closed && !slices.ContainsFunc(words, func(w string) bool { return !isDriver(w) }):
		r.Driver, r.Comment = strings.Join(words, " "), ""
	case closed:
		r.Comment = strings.Join(words, " ")
	default:
		r.Comment = ""
	}
	if strings.HasPrefix(r.Driver, "<") { // no driver is known
		r.Driver = ""
	}
}

// isDriver reports whether a word is the name of a driver, as /g and /c print it.
func isDriver(w string) bool {
	w = strings.ToLower(strings.TrimSuffix(w, ","))
	return strings.HasPrefix(w, "nt!") || strings.HasSuffix(w, ".sys") || strings.HasSuffix(w, ".dll") || strings.HasSuffix(w, ".exe")
}

// checkRow notes numbers of a row that contradict each other: what was made and
// not freed is what is left, and bytes divided by that are those of each.
func (r *Reader) checkRow(row *Row, u *Usage) {
	if !row.adds() {
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
