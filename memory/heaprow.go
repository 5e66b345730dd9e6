package memory

import (
	"math"
	"strings"

	"kdlocks/kd"
)

// hexNumber moves over a hexadecimal number, with or without 0x in front. It does
// not move if none comes next.
func (w *words) hexNumber() (Number, bool) {
	n, _, ok := w.hex()
	return n, ok
}

// hex is hexNumber and returns also the digits.
func (w *words) hex() (Number, string, bool) {
	was := w.pos
	w.blanks()
	start := w.pos
	if strings.HasPrefix(w.Text[w.pos:], "0x") {
		w.pos += len("0x")
	}
	first := w.pos
	v := uint64(0)
	for w.pos < len(w.Text) && hexDigit(w.Text[w.pos]) >= 0 && w.pos-first < 17 {
		v = v<<4 | uint64(hexDigit(w.Text[w.pos]))
		w.pos++
	}
	if n := w.pos - first; n == 0 || n > 16 || v > math.MaxInt64 {
		w.pos = was
		return Number{}, "", false
	}
	return Number{int64(v), w.Ref(start, w.pos-start)}, w.Text[first:w.pos], true
}

// traceID moves over "BackTrace00053" and returns the digits.
func (w *words) traceID() (string, bool) {
	was := w.pos
	w.blanks()
	if !kd.HasPrefixFold(w.Text[w.pos:], "BackTrace") {
		w.pos = was
		return "", false
	}
	w.pos += len("BackTrace")
	w.blanks()
	start := w.pos
	for w.pos < len(w.Text) && hexDigit(w.Text[w.pos]) >= 0 {
		w.pos++
	}
	if n := w.pos - start; n == 0 || n > 16 {
		w.pos = was
		return "", false
	}
	return w.Text[start:w.pos], true
}

// heapRow reads a row of a log or of a comparison, and makes ready for the frames
// below it.
func (r *Reader) heapRow(l kd.Line) bool {
	if c := l.Text[0]; c == '+' || c == '-' {
		return r.diffRow(l)
	}
	w := words{l, 0}
	bytes, ok := w.hexNumber()
	if !ok || !w.take("bytes") {
		return false
	}
	row := BackTrace{Bytes: bytes, At: l.All()}
	switch {
	case w.take("in"):
		ok = row.summary(&w)
	case w.take("+"):
		ok = row.single(&w)
	default:
		return false
	}
	if !ok {
		if r.open == heapBlock && r.heap.log != nil {
			r.heap.log.Unread++
			r.heap.below = skipFrames
			r.note(l.All(), "a row of back traces cannot be read: %q", kd.Clip(l.Text))
			return true
		}
		return false
	}
	r.addTrace(row, l)
	return true
}

// summary reads the rest of a row of umdh and dh up to Windows 2000:
//
//	00005320 bytes in 0x14 allocations (@ 0x00000428) by: BackTrace00053
func (b *BackTrace) summary(w *words) (ok bool) {
	if b.Allocs, ok = w.hexNumber(); !ok || !w.take("allocation") {
		return false
	}
	w.take("s")
	if w.take("(") {
		w.take("@")
		if b.Each, ok = w.hexNumber(); !ok || !w.take(")") {
			return false
		}
	}
	if !w.take("by") {
		return false
	}
	w.take(":")
	b.ID, ok = w.traceID()
	return ok && w.rest() == ""
}

// single reads the rest of a row of later versions, which is of one allocation:
//
//	64 bytes + 1C at 2E9FA20 by BackTrace18D0A0D0
func (b *BackTrace) single(w *words) (ok bool) {
	if _, ok = w.hexNumber(); !ok || !w.take("at") {
		return false
	}
	if _, ok = w.hexNumber(); !ok || !w.take("by") {
		return false
	}
	b.Allocs, b.Each = Number{1, b.Bytes.At}, b.Bytes
	b.ID, ok = w.traceID()
	return ok && w.rest() == ""
}

// addTrace adds a row to what its back trace has. Where the list of a heap names a
// back trace with its sum again, another log has begun.
func (r *Reader) addTrace(row BackTrace, l kd.Line) {
	r.openHeapLog(l)
	h := r.heap
	key := TraceKey(row.ID)
	at, known := h.byID[key]
	sum := row.Allocs.At != row.Bytes.At
	if known && sum && key != "" && h.log.Traces[at].heap == h.heap && h.log.Traces[at].Each.N == row.Each.N && h.heap == 0 {
		r.newHeapLog(l)
		h, known = r.heap, false
	}
	h.below, h.about, h.filled = skipFrames, noPart, true
	if !known {
		if h.traces >= mostTraces {
			h.log.Dropped++
			r.left(l.All(), "back traces")
			return
		}
		h.traces++
		row.ID, row.heap = strings.Clone(row.ID), h.heap
		at = len(h.log.Traces)
		h.log.Traces, h.byID[key] = append(h.log.Traces, row), at
		h.keep(&h.log.Traces[at].Frames)
		return
	}
	b := &h.log.Traces[at]
	b.heap = h.heap
	b.Bytes.N, b.Allocs.N = addUp(b.Bytes.N, row.Bytes.N), addUp(b.Allocs.N, row.Allocs.N)
	if b.Each.N != row.Each.N {
		b.Each = Number{}
	}
	if len(b.Frames) == 0 {
		h.keep(&b.Frames)
	}
}

// keep makes ready for the frames of a back trace.
func (h *heapReader) keep(into *[]HeapFrame) { h.below, h.into = keepFrames, into }

// addUp adds numbers that are not negative, and stops at the largest.
func addUp(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

// longestFrame bounds the text of a frame: templates have long names.
const longestFrame = 4096

// frame reads a frame of the back trace that is open: a line near below its row, or
// below a frame. Blank lines and remarks may stand between.
func (r *Reader) frame(l kd.Line) bool {
	h := r.heap
	if h.below == noFrames || !h.near(l) || len(l.Text) > longestFrame || !looksLikeFrame(l.Text) {
		return false
	}
	if h.below == skipFrames {
		return true
	}
	if h.frames >= mostFrames {
		r.left(l.All(), "frames of back traces")
		return true
	}
	h.frames++
	text, ok := h.names[l.Text]
	if !ok {
		if h.names == nil {
			h.names = make(map[string]string)
		}
		text = strings.Clone(l.Text)
		h.names[text] = text
	}
	*h.into = append(*h.into, HeapFrame{text, l.All()})
	return true
}

// looksLikeFrame reports whether a line can be a frame: a module with a function or
// an offset, an address, or an address and that there are no symbols for it.
func looksLikeFrame(text string) bool {
	if strings.HasSuffix(text, "(No symbols)") || strings.HasPrefix(text, "<no module>!") {
		return true
	}
	if hexWord(strings.TrimPrefix(text, "0x")) {
		return true
	}
	module, function, ok := strings.Cut(text, "!")
	if !ok {
		if at := strings.LastIndexByte(text, '+'); at > 0 && isHex(strings.TrimPrefix(text[at+1:], "0x")) {
			module, function = text[:at], text[at+1:]
		}
	}
	return module != "" && function != "" && function[0] != ' ' && !strings.ContainsAny(module, " \t(")
}
