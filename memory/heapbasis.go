package memory

import (
	"fmt"
	"strings"

	"kdlocks/kd"
)

// dhcmp and umdh print hexadecimal numbers, and decimal ones with -d; nothing in
// their output says which (Microsoft Learn: UMDH Command Line; help of the Windows
// 2000 Resource Kit: DhCmp Syntax).

// provingDigits is how many digits without any letter prove decimal numbers: a
// hexadecimal one is a letter in 6 of 16 cases, so that all of 16 are none in
// fewer than one case of a thousand.
const provingDigits = 16

// closeDiff decides on the basis of the numbers, and fills in what they are.
func (r *Reader) closeDiff() {
	d := r.heap.diff
	if r.heap.last.Cut {
		d.Cut = true
	}
	d.settleBasis(r.typedDecimal(d.Command))
	sums := true
	for i := range d.rows {
		row := d.change(&d.rows[i])
		if b := row.Bytes; !b.Delta.Known() && d.rows[i].withBytes {
			r.note(row.At, "the numbers of BackTrace%s contradict each other: they are not used", row.ID)
			sums = false
		}
		d.Rows = append(d.Rows, row)
	}
	if r.alone(d) {
		return
	}
	falls := d.Total.N < 0
	d.Total = d.number(d.total[0], falls)
	if sum := d.sum(); d.Total.Known() && sums && d.Total.N != sum && d.Dropped == 0 {
		d.Unread++
		r.note(d.Total.At, "the back traces that are listed add up to %d bytes, the total to %d: some are missing", sum, d.Total.N)
	}
}

// alone makes a log of a comparison in which nothing was held before: so umdh prints one
// log (Microsoft All-In-One Code Framework, CppResourceLeaks: umdh -v log.txt). Where the
// command that was typed names two it is a comparison.
func (r *Reader) alone(d *diffReader) bool {
	list := r.listing()
	n := len(list.HeapDiffs)
	if d.pair || len(d.Rows) == 0 || n == 0 || list.HeapDiffs[n-1] != d.HeapDiff || len(list.HeapLogs) >= mostHeapLogs {
		return false
	}
	log := &HeapLog{Command: d.Command, Unread: d.Unread, Dropped: d.Dropped, Cut: d.Cut, At: d.At, EndLine: d.EndLine}
	for i := range d.Rows {
		row := &d.Rows[i]
		if !row.New || row.Bytes.Delta.N <= 0 {
			return false
		}
		log.Traces = append(log.Traces, BackTrace{ID: row.ID, Bytes: row.Bytes.After, Allocs: row.Allocs.After, Frames: row.Frames, At: row.At})
	}
	list.HeapDiffs, list.HeapLogs = list.HeapDiffs[:n-1], append(list.HeapLogs, log)
	r.note(d.At, "nothing was held before: this is taken for one log, as umdh prints it")
	return true
}

// typedDecimal tells from a command whether decimal numbers were asked for.
func (r *Reader) typedDecimal(command string) Flag {
	if command == "" {
		return Unknown
	}
	for w := range strings.FieldsSeq(command) {
		if isSwitch(w) && strings.EqualFold(w[1:], "d") {
			return Yes
		}
	}
	return No
}

// settleBasis decides whether the numbers are decimal.
func (d *diffReader) settleBasis(typed Flag) {
	letter, onlyHex, onlyDec := false, 0, 0
	digits, seen := 0, make(map[string]bool)
	look := func(list ...either) {
		for _, n := range list {
			letter = letter || n.at.Known() && n.dec < 0
			if plain := strings.Trim(n.digits, "0"); len(plain) > 1 && !seen[plain] && digits < provingDigits {
				seen[plain] = true
				digits += len(plain) - 1
			}
		}
	}
	for i := range d.rows {
		row := &d.rows[i]
		look(row.bytes[:]...)
		look(row.counts[:]...)
		look(row.count)
		for _, t := range [][3]either{row.bytes, row.counts} {
			hex, dec := t[1].hex-t[2].hex, t[1].dec-t[2].dec
			switch isHex, isDec := max(hex, -hex) == t[0].hex, max(dec, -dec) == t[0].dec; {
			case isHex && !isDec:
				onlyHex++
			case isDec && !isHex:
				onlyDec++
			}
		}
	}
	look(d.total[:]...)
	switch {
	case letter:
		d.Basis = "some of its digits are letters"
	case onlyDec > onlyHex:
		d.Decimal, d.Basis = true, "its differences are right only as decimal numbers"
	case onlyHex > 0:
		d.Basis = "its differences are right only as hexadecimal numbers"
	case typed != Unknown:
		d.Decimal, d.Basis = typed == Yes, "the command that was typed says so"
	case digits >= provingDigits:
		d.Decimal, d.Basis = true, fmt.Sprintf("none of %d digits is a letter", digits)
	default:
		d.BasisAssumed, d.Basis = true, "that is what the tools print without -d"
	}
}

// number returns a number by the basis that was decided on; it is unknown if it is
// none of that basis.
func (d *diffReader) number(n either, negative bool) Number {
	v := n.hex
	if d.Decimal {
		v = n.dec
	}
	if !n.at.Known() || v < 0 {
		return Number{}
	}
	if negative {
		v = -v
	}
	return Number{v, n.at}
}

// change makes a row of what was read. Numbers that contradict each other are
// unknown.
func (d *diffReader) change(r *diffRow) TraceChange {
	out := TraceChange{ID: r.id, Frames: r.frames, At: r.at}
	out.Bytes, out.Allocs = d.difference(r.bytes, r.sign), d.difference(r.counts, r.countSign)
	if n := d.number(r.count, false); n.Known() && !out.Allocs.After.Known() {
		out.Allocs.After = n
	}
	if b := out.Bytes.Before; b.Known() && b.N == 0 {
		out.New = true
	}
	if d := out.Bytes.Delta; d.Known() && d.N > 0 {
		out.Grew = 1
	}
	return out
}

func (d *diffReader) difference(n [3]either, sign int64) Change {
	c := Change{Delta: d.number(n[0], sign < 0), After: d.number(n[1], false), Before: d.number(n[2], false)}
	if c.Delta.Known() && c.After.Known() && c.Before.Known() && c.After.N-c.Before.N != c.Delta.N {
		return Change{}
	}
	return c
}

// typedHeap is what was typed at a console.
type typedHeap struct {
	command, tool string
	compares      bool
	pair          bool // of two files
	pid           Number
}

// readHeapTool reads a command of dh, dhcmp or umdh (Microsoft Learn: UMDH Commands):
//
//	umdh -p:124 -f:log1.txt
//	umdh -d log1.txt log2.txt > cmp.txt
func readHeapTool(name string, typed []string, l kd.Line) (typedHeap, bool) {
	name = strings.ToLower(name)
	name = strings.TrimSuffix(name, ".exe")
	if name != "umdh" && name != "dh" && name != "dhcmp" {
		return typedHeap{}, false
	}
	t := typedHeap{command: strings.Join(typed, " "), tool: name, compares: name == "dhcmp"}
	files := 0
	for i, w := range typed[1:] {
		if strings.HasPrefix(w, ">") {
			break
		}
		if before := typed[i]; !isSwitch(w) && !(isSwitch(before) && (before[1]|0x20 == 'p' || before[1]|0x20 == 'f') && !strings.Contains(before, ":")) {
			files++
		}
	}
	t.compares, t.pair = t.compares || name == "umdh" && files > 0, t.compares || files > 1
	if at := strings.Index(l.Text, "-p"); at > 0 && !t.compares {
		w := words{l, at + len("-p")}
		w.take(":")
		t.pid, _ = w.number(false)
	}
	return t, true
}

// heapForm reports whether a text alone has the form of a row of a heap log or of a
// comparison.
func heapForm(text string) bool {
	if !mayBeginHeap(text) {
		return false
	}
	r := Reader{heap: &heapReader{}}
	return r.heapRow(kd.Line{Text: text, Num: 1})
}
