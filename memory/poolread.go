package memory

import (
	"math"
	"slices"
	"strings"

	"kdlocks/kd"
)

// mostRows bounds the rows of pool listings that are kept of one session.
const mostRows = 20000

// poolReader is a pool that is being read.
type poolReader struct {
	*Pool
	// heads are the words above the columns of numbers, nil before they are read;
	// widths are how many bytes each column has from the end of the one before, nil
	// where the blanks are lost.
	heads  []string
	widths []int
	// cutAt is where a window broke the last head within its word, and so numbers below
	// it, in bytes from the beginning of the line; 0 if it did not.
	cutAt int
	// above are the types of pool that lines name above the heads, each alone on one;
	// half is the one that all columns are of, NoType where they are of both. strange
	// says that the heads above the rows are none that is known.
	above   []Type
	half    Type
	strange bool
	// glued is set when a comment was seen that begins right behind a number;
	// doubtful are the rows whose last number may end with the digits of one; cutOff
	// those where one seems to begin within digits.
	glued    bool
	doubtful []int
	cutOff   []int
	torn     tornLine // what the line before lacks
}

// newPool opens a listing.
func (r *Reader) newPool(tool Tool, l kd.Line) {
	r.close()
	r.open, r.pool = poolBlock, poolReader{Pool: &Pool{Tool: tool, Gap: noGap, At: l.All()}}
	if t := &r.typedPool; t.command != "" && t.poolused == (tool == Poolused) {
		t.apply(r.pool.Pool)
		*t = typedPool{}
	}
	if len(r.listing().Pools) >= mostListings {
		r.dropPool(l.All())
	}
	r.listing().Pools = append(r.listing().Pools, r.pool.Pool)
}

// dropPool lets go of a listing in the middle: the first ones and the last ones tell what
// grew. It reports whether there was one; the listing that is open stays.
func (r *Reader) dropPool(at kd.Ref) bool {
	list := r.listing()
	if len(list.Pools) < 4 {
		return false
	}
	i := len(list.Pools) / 2
	r.rows -= len(list.Pools[i].Rows)
	list.Pools = slices.Delete(list.Pools, i, i+1)
	r.leftOut(at, "listings of pool")
	return true
}

// poolOf makes sure that a listing of a tool is open that has no rows yet.
func (r *Reader) poolOf(tool Tool, l kd.Line) {
	if r.open != poolBlock || r.pool.Tool != tool || len(r.pool.Rows)+r.pool.Dropped+r.pool.Unread > 0 || r.pool.Total.At.Known() {
		r.newPool(tool, l)
	}
	r.seen(l)
}

// seen keeps that a line is of the listing.
func (r *Reader) seen(l kd.Line) { r.pool.EndLine = max(r.pool.EndLine, l.Last()) }

// columnHead reads the heads of columns:
//
//	Tag    Allocs     Used    Allocs     Used
//	Tag  Type     Allocs            Frees            Diff   Bytes      Per Alloc
//
// Two of them tell the others, where the line was wrapped.
func (r *Reader) columnHead(l kd.Line) bool {
	c := kd.Cursor{Text: l.Text}
	if !c.Take("Tag") {
		return false
	}
	if c.Take("Type Allocs Frees Diff Bytes") {
		r.poolOf(Poolmon, l)
		return true
	}
	rest := c.Text[c.Pos:]
	var heads []string
	var ends []int
	for {
		w, at := c.Word()
		if w == "" {
			break
		}
		heads, ends = append(heads, w), append(ends, at+len(w))
	}
	all, known := r.knownHeads(heads, l)
	if !known {
		if numbersIn(rest) == 0 && (strings.Contains(rest, "Allocs") || strings.Contains(rest, "Paged")) {
			r.strangeHeads(l)
		}
		return false
	}
	r.pool.heads = all
	if !slices.Equal(heads, all[:len(heads)]) {
		r.pool.cutAt = int(l.Off) + len(l.Text)
	}
	if strings.HasPrefix(rest, "  ") && l.Origin == nil && slices.Equal(heads, all) {
		for i, e := range ends {
			before := len("Tag") + 1 // the tag has one character more than its head
			if i > 0 {
				before = ends[i-1]
			}
			r.pool.widths = append(r.pool.widths, e-before)
		}
	}
	return true
}

// knownHeads opens a listing below heads that tell its columns, and returns those of the
// whole line: a window may have broken it where the others are clear.
func (r *Reader) knownHeads(heads []string, l kd.Line) ([]string, bool) {
	all, half := plainHeads, NoType
	if len(heads) > 1 && heads[1] == "Frees" {
		all = verboseHeads
	}
	switch n := len(heads); {
	case n < 2 || n > len(all) || !slices.Equal(heads[:n-1], all[:n-1]) || !strings.HasPrefix(all[n-1], heads[n-1]):
		return nil, false
	case len(all) == len(verboseHeads) && n == 4:
		if all, half = verboseHeads[:4], r.halfAsked(); half == NoType {
			return nil, false
		}
	case len(all) == len(verboseHeads) && n < 4: // of one type, or of both
		return nil, false
	}
	r.headsOf(half, l)
	return all, true
}

// headsOf opens a listing with heads of columns, of one type of pool or of both.
func (r *Reader) headsOf(half Type, l kd.Line) {
	if r.open == poolBlock && r.pool.heads != nil {
		r.newPool(Poolused, l)
	}
	r.poolOf(Poolused, l)
	r.pool.half, r.pool.strange = half, false
}

// halfAsked returns the type of pool that all columns are of where a listing has only
// those of one type, as flags 3 and 5 print it (public captures): that of the line above,
// else that by which it is sorted.
func (r *Reader) halfAsked() Type {
	sort := r.typedPool.sort
	if r.open == poolBlock {
		if n := len(r.pool.above); n == 1 {
			return r.pool.above[0]
		} else if n > 1 { // of a broken line
			return NoType
		}
		sort = r.pool.Sort
	}
	switch sort {
	case ByNonPaged:
		return NonPaged
	case ByPaged:
		return Paged
	}
	return NoType
}

// strangeHeads keeps that the numbers below are in columns of which is not known what they
// tell.
func (r *Reader) strangeHeads(l kd.Line) {
	if r.open != poolBlock || !r.pool.strange {
		r.note(l.All(), "!poolused: the rows below %q are not read: their columns are in an order that is not known", kd.Clip(l.Text))
	}
	if r.typedPool.poolused {
		r.typedPool = typedPool{}
	}
	if r.open == poolBlock {
		r.pool.strange = true
	}
}

// poolLine reads the lines below the heads.
func (r *Reader) poolLine(l kd.Line) bool {
	read := false
	switch {
	case kd.IsElision(l.Text): // it is known noise
		if len(r.pool.Rows) > 0 && !r.pool.Elided.Known() {
			r.pool.Elided = l.All()
		}
	case r.pool.Tool == Poolmon:
		read = r.poolmonLine(l)
	default:
		read = r.poolusedLine(l)
	}
	if !read && len(r.pool.Rows) > 0 {
		r.gap()
	}
	return read
}

// noGap is the Gap of a listing that is being read, while there is none.
const noGap = math.MaxInt

// gap keeps that rows may be missing before the next one.
func (r *Reader) gap() { r.pool.Gap = min(r.pool.Gap, len(r.pool.Rows)) }

// add keeps a row.
func (r *Reader) add(row Row) {
	for r.rows >= mostRows && r.dropPool(row.At) {
	}
	if r.rows >= mostRows {
		r.pool.Dropped++
		r.left(row.At, "rows of pool")
		return
	}
	r.rows++
	rows := r.pool.Rows
	if len(rows) == cap(rows) { // append alone grows a long slice by a quarter and copies more
		rows = append(make([]Row, 0, max(2*len(rows), 1)), rows...)
	}
	r.pool.Rows = append(rows, row)
}

// closePool settles what only the whole listing tells.
func (r *Reader) closePool() {
	p := &r.pool
	if p.Pool == nil {
		return
	}
	r.settleGlued()
	r.endless()
	p.Gap = min(p.Gap, len(p.Rows))
	if p.Total.At.Known() && !p.Elided.Known() && p.Limit == 0 && p.Dropped == 0 {
		r.checkTotal(NonPaged)
		r.checkTotal(Paged)
	}
	empty := len(p.Rows)+p.Dropped+p.Unread+len(p.Machine) == 0 && !p.Total.At.Known()
	if n := len(r.listing().Pools); empty && n > 0 && r.listing().Pools[n-1] == p.Pool {
		r.listing().Pools = r.listing().Pools[:n-1]
	}
	r.pool = poolReader{}
}

// checkTotal notes a total that is not what the rows add up to.
func (r *Reader) checkTotal(t Type) {
	total := r.pool.Total.Of(t).Bytes
	if sum, ok := r.pool.sum(t, (*Usage).bytes); ok && total.Known() && sum != total.N {
		r.note(total.At, "!poolused: TOTAL says %d bytes of %s pool, the rows add up to %d: rows are missing", total.N, t, sum)
	}
}
