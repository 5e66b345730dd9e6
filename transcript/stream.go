package transcript

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"

	"kdlocks/kd"
	"kdlocks/objects"
)

// input reads one input chunk by chunk. progress is told the bytes read.
func (r *router) input(ctx context.Context, i int32, progress func(int64)) error {
	r.src = &r.out.Sources[i]
	r.section, r.typed, r.echo = -1, false, ""
	r.cur.locks.Break()
	r.cur.objects.Break()
	r.cur.objects.Cut()
	r.cur.objects.Prompt(objects.Printed{})
	r.cur.memory.Break()
	r.cur.threads.Prompt(true)
	r.lines, r.repair, r.fated = physical{text: r.src.text}, Repair{input: i, printed: r.src.text.in.Printed}, 0
	r.src.Status, r.reserved = make([]Status, 0, r.src.Bytes/usualLine), false
	err := r.chunks(ctx, r.src.text, func(c *chunk) {
		r.chunk(c)
		progress(c.off + int64(len(c.text)))
	})
	cut := r.lines.open
	r.lines.end(true, r.push)
	r.repair.Flush(cut, r.take)
	r.cur.threads.End()
	r.fate(r.lines.num)
	r.src.text.lines = r.lines.num
	long := r.lines.notes(i)
	if len(long) > 0 && r.cutLine == "" {
		r.cutLine = long[0].Text
	}
	r.src.Notes = append(append(r.src.Notes, long...), r.repair.Notes()...)
	if r.lines.old && r.src.Encoding == UTF8 {
		r.src.Encoding = Windows1252
	}
	return err
}

// chunks calls each for the chunks of an input in their order. With more than
// one processor they are read side by side.
func (r *router) chunks(ctx context.Context, t *text, each func(*chunk)) error {
	n := t.chunks()
	workers := min(int64(runtime.GOMAXPROCS(0)), n)
	if workers < 2 {
		s, c := scanner{t: t}, &chunk{}
		for k := int64(0); k < n && ctx.Err() == nil; k++ {
			s.scan(k, c)
			if each(c); c.err != nil {
				return c.err
			}
		}
		return ctx.Err()
	}
	ctx, stop := context.WithCancel(ctx)
	var working sync.WaitGroup
	defer func() { stop(); working.Wait() }() // the input may be closed once nobody reads it
	done, free := make([]chan *chunk, workers), make([]chan *chunk, workers)
	for w := range workers {
		// Both have room for all chunks, so that no worker waits for one who left.
		done[w], free[w] = make(chan *chunk, ahead), make(chan *chunk, ahead)
		for range ahead {
			free[w] <- &chunk{}
		}
		working.Go(func() { work(ctx, t, w, workers, done[w], free[w]) })
	}
	for k := range n {
		select {
		case c := <-done[k%workers]:
			c.broken.Again()
			if each(c); c.err != nil {
				return c.err
			}
			free[k%workers] <- c
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// ahead is how many chunks a worker may be in front of the reader, whom the
// lock lists at the beginning of a log keep busy for a while.
const ahead = 8

// work reads every n-th chunk from the first on.
func work(ctx context.Context, t *text, first, n int64, done chan<- *chunk, free <-chan *chunk) {
	defer kd.Catch(func(p *kd.Panicked) { done <- &chunk{broken: p} }) // it has room: one is taken from free
	s := scanner{t: t}
	for k := first; k < t.chunks(); k += n {
		select {
		case c := <-free:
			s.scan(k, c)
			done <- c
		case <-ctx.Done():
			return
		}
	}
}

// chunk takes the lines and the skimmed blocks of a chunk.
func (r *router) chunk(c *chunk) {
	if most := r.src.text.mostLines; r.lines.num >= most {
		c.err = fmt.Errorf("it has more than %d lines: the rest is not read", most)
		return
	}
	switch first := bytes.IndexByte(c.text, '\n') + 1; {
	case c.begins && len(c.text) > 0:
		r.src.text.mark(c.off, r.lines.num+1)
	case !c.begins && first > 0: // the line that is open ends there
		r.src.text.mark(c.off+c.rawLen(c.text[:first]), r.lines.num+2)
	}
	r.functions.Add(c.functions)
	at := 0
	for i := range c.blocks {
		b := &c.blocks[i]
		r.loose(c, at, b.start)
		r.src.text.mark(b.Off, r.lines.num+1)
		if !r.skimmed(c, b) {
			r.loose(c, b.start, b.end)
		}
		at = b.end
	}
	r.loose(c, at, len(c.text))
}

// pieceSize is about how much text is made one string, so that a fact that
// keeps a word of it keeps no more than that in memory.
const pieceSize = markStep

// loose reads lines one by one.
func (r *router) loose(c *chunk, from, to int) {
	off := c.off + c.rawLen(c.text[:from])
	for from < to {
		end := to
		if to-from > pieceSize {
			if n := bytes.IndexByte(c.text[from+pieceSize:to], '\n'); n >= 0 {
				end = from + pieceSize + n + 1
			}
		}
		if !r.lines.open {
			r.src.text.mark(off, r.lines.num+1)
		}
		r.lines.split(c.text[from:end], r.push)
		off += c.rawLen(c.text[from:end])
		from = end
	}
}

// push gives a line of the input to the repair step.
func (r *router) push(line string, num int32) { r.repair.Push(line, num, r.take) }

// fate makes room for the status of all lines up to one.
func (r *router) fate(last int32) {
	r.src.Status = fill(r.src.Status, NotUnderstood, int(last)-len(r.src.Status))
}

// skimmed takes a block in the place of its lines, if nothing that came before
// says otherwise.
func (r *router) skimmed(c *chunk, b *block) bool {
	r.repair.Flush(false, r.take)
	r.settle()
	if r.cur.width == 8 || r.repair.input > math.MaxInt16 || r.cur.objects.Listing() {
		return false
	}
	b.Input, b.Line = int16(r.repair.input), r.lines.num+1
	command, ok := "!thread", false
	if b.Head != nil {
		command, ok = "!process", r.skimmedProcess(b)
	} else {
		ok = r.skimmedThread(b)
	}
	if !ok {
		return false
	}
	r.cur.width, r.echo = 16, ""
	r.cur.locks.Line(kd.Line{})
	r.cur.modules.Break()
	r.claim(command, kd.Line{Text: command, Input: r.repair.input, Num: b.Line})
	r.cur.facts += int(b.Lines) - 1
	last := b.Line + b.Lines - 1
	if r.section >= 0 {
		r.src.Sections[r.section].EndLine = last
	}
	r.repair.unfolded(b.unfolded, b.Line)
	r.fate(b.Line - 1)
	r.src.Status = fill(fill(r.src.Status, Claimed, int(b.Lines)), Noise, b.Blanks)
	r.lines.num = last + int32(b.Blanks)
	r.fated = r.lines.num
	return true
}

func (r *router) skimmedThread(b *block) bool {
	if !r.reserved {
		r.reserved = true
		r.cur.threads.Reserve(int((r.src.Bytes - b.Off) / usualBlock))
	}
	b.Process = r.processNumber()
	return r.cur.threads.Skim(&b.Brief)
}

func (r *router) skimmedProcess(b *block) bool {
	p := *b.Head
	p.At.Input, p.At.Line = r.repair.input, b.Line
	return r.cur.threads.SkimProcess(p)
}

// usualLine and usualBlock are about how many bytes a line takes and a THREAD
// block with its stack at least, in the logs of testdata.
const usualLine, usualBlock = 80, 2000

// fill appends n times the same.
func fill(to []Status, st Status, n int) []Status {
	at := len(to)
	to = slices.Grow(to, max(n, 0))[:at+max(n, 0)]
	for i := range to[at:] {
		to[at+i] = st
	}
	return to
}

// processNumber registers the process that threads to come belong to.
func (r *router) processNumber() int32 {
	p := r.cur.threads.Process()
	if p == nil {
		return -1
	}
	if r.process < 0 || r.processAt != p.At {
		r.loader.processes = append(r.loader.processes, *p)
		r.process, r.processAt = int32(len(r.loader.processes))-1, p.At
	}
	return r.process
}
