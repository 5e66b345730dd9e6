package transcript

import (
	"bytes"
	"strings"

	"kdlocks/kd"
	"kdlocks/threads"
)

// loader reads whole threads that were skimmed.
type loader struct {
	texts     []*text
	processes []threads.Process // that skimmed threads belong to
	buf, raw  []byte
}

// load reads the block of a Brief again, nil if the input no longer holds it.
func (ld *loader) load(b threads.Brief) *threads.Thread {
	t := ld.texts[b.Input]
	var err error
	ld.buf, err = t.decoded(ld.buf[:0], b.Off, b.Off+int64(b.Len), &ld.raw)
	if err != nil {
		return nil
	}
	var r threads.Reader
	if b.Process >= 0 {
		r.Within(ld.processes[b.Process])
	}
	if b.Fold != 0 {
		first := kd.Line{Input: int32(b.Input), Num: b.Line}
		unfoldLines(ld.buf, first, fold(b.Fold), func(l kd.Line) {
			t.notePlain(l.Text, l.Num)
			r.Line(l)
		})
		return ld.only(&r, &b)
	}
	if bytes.ContainsAny(ld.buf, "&*<") || !isASCII(ld.buf) {
		ld.repair(&r, &b)
		return ld.only(&r, &b)
	}
	num := b.Line
	for line := range strings.Lines(string(ld.buf)) {
		t.notePlain(line, num)
		text, off := kd.TrimBlanks(strings.TrimSuffix(line, "\n"))
		r.Line(kd.Line{Text: text, Input: int32(b.Input), Num: num, Off: int32(off)})
		num++
	}
	return ld.only(&r, &b)
}

// repair reads the lines of a block that may hold characters that were mangled.
func (ld *loader) repair(r *threads.Reader, b *threads.Brief) {
	rep := Repair{input: int32(b.Input)}
	take := func(l kd.Line) { r.Line(l) }
	num := b.Line
	for raw := range bytes.Lines(ld.buf) {
		line, _ := asText(bytes.TrimSuffix(raw, []byte("\n")), false)
		ld.texts[b.Input].notePlain(line, num)
		rep.Push(line, num, take)
		num++
	}
	rep.Flush(false, take)
}

// only returns the one thread that was read, if it is the one of the Brief.
func (ld *loader) only(r *threads.Reader, b *threads.Brief) *threads.Thread {
	l := r.Done()
	if len(l.Threads) != 1 || !b.Fits(l.Threads[0]) {
		return nil
	}
	return l.Threads[0]
}
