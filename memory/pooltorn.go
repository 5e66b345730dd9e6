package memory

import (
	"slices"
	"strings"

	"kdlocks/kd"
)

// The heads of the columns of numbers, of flag 1 (verbose) and without it.
var (
	plainHeads   = []string{"Allocs", "Used", "Allocs", "Used"}
	verboseHeads = []string{"Allocs", "Frees", "Diff", "Used", "Allocs", "Frees", "Diff", "Used"}
)

// onlyHeads reports whether a line is nothing but heads of columns, of the first the end
// alone: a window may have broken it.
func onlyHeads(text string) bool {
	for i, f := range strings.Fields(text) {
		if f != "NonPaged" && f != "Paged" && !slices.Contains(verboseHeads[:4], f) && (i > 0 || !strings.HasSuffix("NonPaged Used", f)) {
			return false
		}
	}
	return true
}

// columns are those of the rows of a listing.
func (p *poolReader) columns() []string {
	if p.heads == nil {
		return plainHeads
	}
	return p.heads
}

// columnsOf finds the columns of a listing whose heads are lost by a row, and reports whether
// that is clear: where the first number less the second is the third, they are those with
// frees, since what is allocated has more bytes than allocations.
func (r *Reader) columnsOf(text string) bool {
	fields := strings.Fields(text)
	for tag := 1; tag <= 3 && tag+4 <= len(fields); tag++ { // a tag may have blanks inside
		f := fields[tag:]
		if f[0] == "0" && f[1] == "0" || !isDifference(f) {
			continue
		}
		if len(f) >= len(verboseHeads) && isDifference(f[4:]) {
			r.pool.heads = verboseHeads
			return true
		}
		half := r.halfAsked()
		if r.pool.half = half; half == NoType {
			return false
		}
		r.pool.heads = verboseHeads[:4]
		return true
	}
	return true
}

// halfRow reports whether numbers stand behind those of a row of which it is not clear that
// there are no more columns.
func (p *poolReader) halfRow(row *Row) bool {
	return p.widths == nil && row.Comment != "" && onlyNumbers(row.Comment)
}

// uncut takes back the last number of a row where a window may have broken it.
func (p *poolReader) uncut(l kd.Line, row *Row) {
	if end := int(l.Off) + len(l.Text); p.cutAt > 0 && end >= p.cutAt && row.Comment == "" {
		row.Paged.Bytes = Number{}
	}
}

// isDifference reports whether the third of three numbers is the first less the second.
func isDifference(fields []string) bool {
	var n [3]int64
	for i := range n {
		if plainDigits(fields[i]) < len(fields[i]) {
			return false
		}
		v, ok := count(fields[i])
		if !ok {
			return false
		}
		n[i] = v
	}
	return n[0]-n[1] == n[2]
}

// onlyNumbers reports whether a text is nothing but numbers.
func onlyNumbers(text string) bool {
	for _, f := range strings.Fields(text) {
		if plainDigits(f) < len(f) {
			return false
		}
	}
	return true
}

// tornRow reads the first numbers of a row that a narrow window broke between numbers:
//
//	Thre    900000    899000      1000  10000000        0         0
//	0        0
func (r *Reader) tornRow(l kd.Line) bool {
	c := kd.Cursor{Text: l.Text}
	word, at := c.Word()
	tag := at + len(word)
	if four := cutTag(l.Text); four > tag && strings.TrimLeft(l.Text[tag:four], " ") == "" {
		tag = four
	}
	row := Row{Tag: Tag(strings.Clone(l.Text[:tag])), At: l.All()}
	w := words{l, tag}
	next, _, ok := r.numbers(&w, &row, nil, 0)
	if !ok || next < 2 || l.Cut || len([]rune(row.Tag)) > tagChars {
		return false
	}
	r.seen(l)
	r.pool.torn = tornLine{row: &row, next: next}
	return true
}

// tornEnd reads the other numbers of the row of the line before.
func (r *Reader) tornEnd(l kd.Line) bool {
	t := r.pool.torn
	if t.row == nil {
		return false
	}
	w := words{l, 0}
	next, end, ok := r.numbers(&w, t.row, nil, t.next)
	if !ok || next < len(r.pool.columns()) || plainDigits(w.rest()) > 0 {
		r.endless()
		return false
	}
	r.seen(l)
	r.pool.torn = tornLine{}
	t.row.remark(w.rest())
	if !t.row.plausible() {
		r.unclearRow(l, "where the tag ends")
		return true
	}
	r.usedRow(l, *t.row, end)
	return true
}
