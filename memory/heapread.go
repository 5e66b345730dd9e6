package memory

import (
	"strings"

	"kdlocks/kd"
)

// mostHeapLogs bounds the logs and comparisons of heaps that are kept of a session,
// mostTraces their back traces and mostFrames the frames of those.
const (
	mostHeapLogs = 64
	mostTraces   = 200_000
	mostFrames   = 2_000_000
)

// heapReader reads logs of heaps and comparisons of such logs.
type heapReader struct {
	log  *HeapLog // the open one, nil if none is
	diff *diffReader
	// head is where comments of umdh began that may stand above either.
	head kd.Ref
	last kd.Line // the last line that was taken
	// below says what frames are that come next, into is the list that they go to.
	below below
	into  *[]HeapFrame
	begun bool // the data of a heap has begun and not ended
	// filled is set where back traces of the heap were listed.
	filled bool
	// about says what rows without a sign of their own are, from the line above.
	about heapPart

	byID   map[string]int // index into log.Traces by TraceKey
	heap   int            // of log, counted from 1; 0 before the first
	names  map[string]string
	traces int
	frames int
}

// below says what stands below a line.
type below uint8

const (
	noFrames   below = iota
	keepFrames       // of a back trace that has none yet
	skipFrames       // of one that was told before, or is no allocation
)

// heapPart is a part of the head of a log.
type heapPart uint8

const (
	noPart heapPart = iota
	modulePart
	symbolPart // the line below names the file of symbols
)

// heapLine reads a line of a log or of a comparison.
func (r *Reader) heapLine(l kd.Line) bool {
	open := r.open == heapBlock
	if !open && !mayBeginHeap(l.Text) {
		return false
	}
	if r.heap == nil {
		r.heap = &heapReader{}
	}
	h := r.heap
	text, comment := strings.CutPrefix(l.Text, "//")
	if comment {
		text, _ = kd.TrimBlanks(text)
	}
	switch {
	case r.heapHead(text, l), comment && open && r.umdhRemark(text, l):
	case open && !comment && h.near(l) && h.beside(text, l):
	case !comment && r.heapRow(l):
	case open && !comment && r.frame(l):
	default:
		if open && (kd.IsElision(l.Text) || h.near(l) && (l.Cut || likeRow(l.Text))) { // an elision is known noise
			h.cutShort()
		}
		return false
	}
	h.last = l
	h.last.Text, h.last.Origin = "", nil
	switch last := l.Last(); {
	case h.log != nil:
		h.log.EndLine = last
	case h.diff != nil:
		h.diff.EndLine = last
	}
	return true
}

// mayBeginHeap tells most lines of other output from such logs by their first
// bytes.
func mayBeginHeap(text string) bool {
	switch c := text[0]; {
	case c == '+', c == '-', c == '/', c == '*', c == 'U', c == 'T', c == '_':
		return true
	case hexDigit(c) >= 0:
		at := strings.IndexByte(text[:min(len(text), 20)], ' ')
		return at > 0 && strings.HasPrefix(strings.TrimLeft(text[at:], " "), "bytes ")
	}
	return false
}

// likeRow reports whether a line that nothing read may be what is left of a row.
func likeRow(text string) bool {
	return strings.Contains(text, " bytes") || strings.Contains(text, "allocs") || strings.Contains(text, "BackTrace")
}

// cutShort says of the open log that something is missing in it.
func (h *heapReader) cutShort() {
	if h.log != nil {
		h.log.Unread++
	}
	if h.diff != nil {
		h.diff.Unread++
	}
	h.below = noFrames
}

// near reports whether a line stands near below the last one that was taken: blank
// lines and remarks may stand between.
func (h *heapReader) near(l kd.Line) bool {
	const most = 8
	return l.Input == h.last.Input && l.Num-h.last.Last() <= most
}

// heapHead reads the lines that a log and its heaps begin with (Q268343; Microsoft
// Learn: UMDH; captures of umdh 6.1):
//
//	UMDH: Logtime 2000-06-28 10:54 - Machine=MYMachine - PID=704
//	// UMDH: version 6.1.7650.0: Logtime 2012-04-30 12:09 - Machine=M - PID=7696
//	*********** Heap 00270000 Information ********************
//	*- - - - - - - - - - Start of data for heap @ 2E60000 - - - - - - - - - -
//	// Each log entry has the following syntax:
func (r *Reader) heapHead(text string, l kd.Line) bool {
	switch {
	case strings.HasPrefix(text, "UMDH:") && strings.Contains(text, "Logtime "):
		r.newHeapLog(l)
		r.heap.log.header(l)
		return true
	case strings.HasPrefix(text, "*"):
		return r.heapStar(strings.Trim(text, "*- "), l)
	case strings.HasPrefix(text, "Total increase =="), strings.HasPrefix(text, "Total decrease =="):
		return r.diffTotal(l)
	case strings.HasPrefix(text, "Each log entry has the following syntax"):
		if r.open != heapBlock || r.heap.log != nil || r.heap.diff != nil && len(r.heap.diff.rows) > 0 {
			r.heapComments(l)
		}
		return true
	case strings.HasPrefix(text, "Debug library initialized"), strings.HasPrefix(text, "_NT_SYMBOL_PATH"), strings.HasPrefix(text, "Loaded modules:"):
		if r.open != heapBlock {
			if !strings.HasPrefix(l.Text, "//") {
				return false
			}
			r.heapComments(l)
		}
		r.heap.below = noFrames
		if text[0] == 'L' {
			r.heap.about = modulePart
		}
		return true
	}
	return false
}

// heapStar reads what stands between asterisks: the address of a heap, and which
// part of it comes.
func (r *Reader) heapStar(text string, l kd.Line) bool {
	c := kd.Cursor{Text: text}
	start := c.Take("Start of data for heap @")
	end := !start && c.Take("End of data for heap @")
	if !start && !end && !c.Take("Heap") {
		return false
	}
	word, _ := c.Word()
	if !isHex(word) || len(word) > 16 {
		return false
	}
	part, _ := c.Rest()
	switch {
	case start || end:
		if part != "" {
			return false
		}
	case part != "Information" && part != "Hogs":
		return false
	}
	a, _ := HeapFrame{Text: strings.Repeat("0", max(0, 8-len(word))) + word}.Address()
	r.atHeap(a, l, start || part == "Information" || part == "Hogs" && r.heap.filled)
	r.heap.begun = start || r.heap.begun && !end
	if end {
		r.heap.log.ended++
	}
	return true
}

// atHeap goes on with a heap. One whose data begins again is of another log.
func (r *Reader) atHeap(a kd.Addr, l kd.Line, begins bool) {
	h := r.heap
	again := false
	if h.log != nil {
		for _, known := range h.log.Heaps {
			again = again || known.Addr == a
		}
		if n := len(h.log.Heaps); begins && again || again && h.log.Heaps[n-1].Addr != a {
			r.newHeapLog(l)
			again = false
		}
	}
	r.openHeapLog(l)
	h.below, h.about = noFrames, noPart
	if again {
		return
	}
	h.heap++
	h.filled = false
	h.log.Heaps = append(h.log.Heaps, Heap{Addr: a, At: l.All()})
}

// newHeapLog begins another log.
func (r *Reader) newHeapLog(l kd.Line) {
	at := l.All()
	if h := r.heap; r.open == heapBlock && h.log == nil && h.diff == nil && h.head.Known() {
		at = h.head
	}
	typed := r.typedHeap
	r.close()
	r.open = heapBlock
	h := r.heap
	h.log = &HeapLog{At: at}
	h.byID, h.heap = make(map[string]int), 0
	if typed != nil && !typed.compares {
		h.log.Command, h.log.PID, r.typedHeap = typed.command, typed.pid, nil
	}
	if len(r.listing().HeapLogs) < mostHeapLogs {
		r.listing().HeapLogs = append(r.listing().HeapLogs, h.log)
	} else {
		r.left(at, "logs of heaps")
	}
}

// openHeapLog makes sure that a log is open.
func (r *Reader) openHeapLog(l kd.Line) {
	if r.open != heapBlock || r.heap.log == nil {
		r.newHeapLog(l)
	}
}

// heapComments begins comments of umdh of which it is not known yet what stands
// below them.
func (r *Reader) heapComments(l kd.Line) {
	r.close()
	r.open, r.heap.head = heapBlock, l.All()
}

// closeHeap settles what only the whole output tells.
func (r *Reader) closeHeap() {
	h := r.heap
	if h.log != nil {
		h.log.Cut = h.begun || h.last.Cut && len(h.log.Traces) > 0 && h.below != noFrames || h.bareEnd()
	}
	if h.diff != nil {
		r.closeDiff()
	}
	*r.heap = heapReader{names: h.names, traces: h.traces, frames: h.frames}
}

// bareEnd reports whether the log ends behind a row without frames, where others
// have some.
func (h *heapReader) bareEnd() bool {
	n := len(h.log.Traces)
	return n > 1 && h.below == keepFrames && len(h.log.Traces[n-1].Frames) == 0 && h.into == &h.log.Traces[n-1].Frames && len(h.log.Traces[0].Frames) > 0
}

// header reads the line that tells when and of what a log was taken.
func (h *HeapLog) header(l kd.Line) {
	h.headed = true
	at := strings.Index(l.Text, "Logtime ") + len("Logtime ")
	if _, version, ok := strings.Cut(l.Text[:at], "version "); ok {
		h.Version, _, _ = strings.Cut(version, ":")
		h.Version = strings.Clone(h.Version)
	}
	time, _, _ := strings.Cut(l.Text[at:], " - ")
	h.Time, _ = kd.TrimBlanks(time)
	h.Time, h.TimeAt = strings.Clone(h.Time), l.Ref(at, len(time))
	if _, name, ok := strings.Cut(l.Text, "Machine="); ok {
		name, _, _ = strings.Cut(name, " ")
		h.Machine = strings.Clone(name)
	}
	if at := strings.Index(l.Text, "PID="); at >= 0 {
		w := words{l, at + len("PID=")}
		if n, ok := w.number(false); ok {
			h.PID = n
		}
	}
}
