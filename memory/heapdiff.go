package memory

import (
	"strings"

	"kdlocks/kd"
)

// HeapDiff is what became of back traces between two logs of heaps: as dhcmp or
// umdh printed it, or as CompareHeaps finds.
type HeapDiff struct {
	Command string // as typed at a console, "" if nothing tells
	// From and To are the logs that were compared here, nil for a printed comparison.
	From, To *HeapLog
	// AssumedOrder is set where nothing but the order of the inputs tells which log
	// is the earlier.
	AssumedOrder bool
	// Steps is how many logs follow the first one.
	Steps int
	// SameFrames counts the back traces that have the same ID and frames in both,
	// ByFrames those that were found by their frames alone, and Lost those that one
	// log has and nothing tells what the other had of them.
	SameFrames, ByFrames, Lost int
	// Doubted counts the rows that may be there only because a log is cut.
	Doubted int
	// Decimal says that a printed comparison has decimal numbers, Basis from what that
	// is known; BasisAssumed that it is not.
	Decimal      bool
	Basis        string
	BasisAssumed bool
	// Rows stand in the order printed; those of CompareHeaps by growth, most first.
	Rows []TraceChange
	// Total is the increase that is printed, negative for a decrease, or the sum of the
	// rows.
	Total           Number
	Unread, Dropped int
	Cut             bool
	At              kd.Ref
	EndLine         int32
}

// Change is a number in two logs.
type Change struct{ Before, After, Delta Number }

// TraceChange is what became of one back trace.
type TraceChange struct {
	ID     string // as printed behind BackTrace
	Bytes  Change
	Allocs Change
	Frames []HeapFrame
	// New is set where only the later log has it. Doubted is set where only one log
	// has it, or its heap, and the other does not tell that it lists all, and where
	// the earlier log is cut, so that it may have held more.
	New, Doubted bool
	// Last is by how much it grew in the last step, in bytes, unknown between two logs.
	// Slowed is set where that is less than a quarter of what it grew by on average.
	Last   Number
	Slowed bool
	// Grew counts the steps from log to log in which it grew.
	Grew int
	At   kd.Ref
}

// Nameless reports whether the row stands for allocations without a back trace.
func (c *TraceChange) Nameless() bool { return TraceKey(c.ID) == "" }

// Increase returns what the rows that grew add up to; where the printed total is
// larger, that: rows are missing.
func (d *HeapDiff) Increase() int64 {
	sum := int64(0)
	for i := range d.Rows {
		if b := d.Rows[i].Bytes.Delta; b.Known() && b.N > 0 {
			sum = addUp(sum, b.N)
		}
	}
	if d.Total.Known() {
		sum = max(sum, d.Total.N)
	}
	return sum
}

// sum adds up what the rows grew and shrank by.
func (d *HeapDiff) sum() int64 {
	up, down := int64(0), int64(0)
	for i := range d.Rows {
		if n := d.Rows[i].Bytes.Delta.N; n > 0 {
			up = addUp(up, n)
		} else {
			down = addUp(down, -n)
		}
	}
	return up - down
}

// diffReader is a printed comparison while it is read. Whether its numbers are
// decimal is known at its end.
type diffReader struct {
	*HeapDiff
	rows  []diffRow
	total [3]either       // increase, or requested, overhead and their sum
	ids   map[string]bool // of the rows
	pair  bool            // the command that was typed names two logs
	ended bool            // the total stands below rows
}

// diffRow has the numbers of a row as printed.
type diffRow struct {
	sign, countSign    int64
	bytes              [3]either // delta, after, before
	count              either    // of allocations in the later log
	counts             [3]either
	frames             []HeapFrame
	id                 string
	at                 kd.Ref
	withBytes, counted bool
}

// either is a number as hexadecimal and as decimal, dec -1 if it is none.
type either struct {
	hex, dec int64
	digits   string
	at       kd.Ref
}

// either moves over a number of unknown basis.
func (w *words) either() (either, bool) {
	n, digits, ok := w.hex()
	if !ok {
		return either{}, false
	}
	e := either{hex: n.N, dec: -1, digits: digits, at: n.At}
	if plain := strings.TrimLeft(digits, "0"); plainDigits(plain) == len(plain) && len(plain) <= 18 {
		e.dec = 0
		for i := range len(plain) {
			e.dec = e.dec*10 + int64(plain[i]-'0')
		}
	}
	return e, true
}

// diffRow reads a row of a comparison (Q268343; Microsoft Learn: Interpreting a Log
// Comparison), or the line that later versions print below it:
//
//   - 5320 (  f110 -  9df0)     3a allocs	BackTrace00053
//   - 14 (    3a -    26)	BackTrace00053	allocations
func (r *Reader) diffRow(l kd.Line) bool {
	w := words{l, 1}
	sign := int64(1)
	if l.Text[0] == '-' {
		sign = -1
	}
	var n [3]either
	var ok [3]bool
	if n[0], ok[0] = w.either(); !ok[0] || !w.take("(") {
		return r.legend(l)
	}
	n[1], ok[1] = w.either()
	dash := w.take("-")
	n[2], ok[2] = w.either()
	if !ok[1] || !dash || !ok[2] || !w.take(")") {
		return false
	}
	if id, is := w.traceID(); is {
		if !w.take("allocation") {
			return false
		}
		r.countRow(id, sign, n, l)
		return true
	}
	count, counted := w.either()
	if !counted || !w.take("alloc") {
		return false
	}
	w.take("s")
	id, is := w.traceID()
	if !is {
		return false
	}
	rest := w.rest()
	if row := r.newDiffRow(id, l); row != nil {
		row.sign, row.bytes, row.count, row.withBytes = sign, n, count, true
	}
	if rest != "" {
		r.note(l.All(), "what stands behind BackTrace%s is not read: %q", id, kd.Clip(rest))
		if !strings.Contains(rest, "!") || likeRow(rest) { // no frame: another row
			r.heap.diff.Unread++
		}
	}
	return true
}

// legend takes the two lines by which umdh explains its rows, where their comment
// signs are lost.
func (r *Reader) legend(l kd.Line) bool {
	return r.open == heapBlock && (strings.HasPrefix(l.Text, "+ BYTES_DELTA") || strings.HasPrefix(l.Text, "+ COUNT_DELTA"))
}

// countRow adds the numbers of allocations to the row above, or begins one.
func (r *Reader) countRow(id string, sign int64, n [3]either, l kd.Line) {
	var row *diffRow
	if d := r.heap.diff; d != nil && len(d.rows) > 0 {
		if last := &d.rows[len(d.rows)-1]; !last.counted && TraceKey(last.id) == TraceKey(id) {
			row = last
		}
	}
	if row == nil {
		row = r.newDiffRow(id, l)
	}
	if row != nil {
		row.counts, row.countSign, row.counted = n, sign, true
	}
}

// newDiffRow adds a row to the comparison that is open; nil if no more are kept. Behind the
// total, and with a back trace that was told before, another comparison begins.
func (r *Reader) newDiffRow(id string, l kd.Line) *diffRow {
	key := TraceKey(id)
	if d := r.heap.diff; r.open == heapBlock && d != nil && (d.ended || d.ids[key]) {
		r.close()
	}
	r.openDiff(l)
	h := r.heap
	h.diff.ids[key] = key != ""
	h.below, h.about = skipFrames, noPart
	if h.traces >= mostTraces {
		h.diff.Dropped++
		r.left(l.All(), "back traces")
		return nil
	}
	h.traces++
	h.diff.rows = append(h.diff.rows, diffRow{id: strings.Clone(id), at: l.All()})
	row := &h.diff.rows[len(h.diff.rows)-1]
	h.keep(&row.frames)
	return row
}

// openDiff makes sure that a comparison is open.
func (r *Reader) openDiff(l kd.Line) {
	h := r.heap
	if r.open == heapBlock && h.diff != nil {
		return
	}
	at := l.All()
	if r.open == heapBlock && h.log == nil && h.head.Known() {
		at = h.head
	}
	typed := r.typedHeap
	r.close()
	r.open = heapBlock
	h.diff = &diffReader{HeapDiff: &HeapDiff{At: at, Steps: 1}, ids: make(map[string]bool)}
	if typed != nil && typed.compares {
		h.diff.Command, h.diff.pair, r.typedHeap = typed.command, typed.pair, nil
	}
	if len(r.listing().HeapDiffs) < mostHeapLogs {
		r.listing().HeapDiffs = append(r.listing().HeapDiffs, h.diff.HeapDiff)
	} else {
		r.left(at, "comparisons of heaps")
	}
}

// diffTotal reads the line that ends a comparison:
//
//	Total increase == 5320
//	Total increase ==  204800 requested +   1400 overhead =  206200
func (r *Reader) diffTotal(l kd.Line) bool {
	w := words{l, len("Total increase ==")}
	n, ok := w.either()
	if !ok {
		return false
	}
	total := [3]either{n}
	if w.take("requested") {
		if w.take("+") {
			total[1], _ = w.either()
		}
		if w.take("overhead") && w.take("=") {
			total[2], _ = w.either()
		}
	}
	r.openDiff(l)
	r.heap.diff.total, r.heap.diff.ended = total, len(r.heap.diff.rows) > 0
	r.heap.below = noFrames
	if strings.HasPrefix(l.Text, "Total decrease") {
		r.heap.diff.Total.N = -1
	}
	return true
}
