package transcript

import (
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
	repair := Repair{input: b.Input}
	take := func(l kd.Line) { r.Line(l) }
	for i, line := range splitLines(ld.buf) {
		repair.Push(line, b.Line+int32(i), take)
	}
	repair.Flush(false, take)
	l := r.Done()
	if len(l.Threads) != 1 || !b.Fits(l.Threads[0]) {
		return nil
	}
	return l.Threads[0]
}
