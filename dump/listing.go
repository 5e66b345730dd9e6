package dump

import (
	"context"
	"io"
	"sort"
)

// Listing is what a kernel debugger prints of the facts of a dump: text in UTF-8, to be
// read like a log. It is safe for use by several goroutines once it is made.
type Listing struct {
	text  text
	lines int32
	marks []mark
}

// mark says which address of the target the lines from one on are about.
type mark struct {
	line int32
	va   uint64
}

// Size is the number of bytes.
func (l *Listing) Size() int64 { return l.text.size }

// ReadAt reads the text as a file.
func (l *Listing) ReadAt(p []byte, off int64) (n int, err error) { return l.text.ReadAt(p, off) }

// WriteTo writes the whole text.
func (l *Listing) WriteTo(w io.Writer) (int64, error) {
	return io.Copy(w, io.NewSectionReader(&l.text, 0, l.text.size))
}

// Address returns the address of the target that a line is about, 0 if it is about none.
// Lines count from 1.
func (l *Listing) Address(line int32) uint64 {
	i := sort.Search(len(l.marks), func(i int) bool { return l.marks[i].line > line }) - 1
	if i < 0 {
		return 0
	}
	return l.marks[i].va
}

// add appends a line, without its end.
func (l *Listing) add(line []byte) {
	l.text.add(line)
	l.text.add(newline)
	l.lines++
}

var newline = []byte("\n")

// about marks the next line, and those behind it.
func (l *Listing) about(va uint64) {
	l.marks = append(l.marks, mark{l.lines + 1, va})
}

// Progress is told how many threads of all were listed.
type Progress func(done, total int)

// List writes all that was found. Name is that of the dump. The error is that of ctx.
func (d *Dump) List(ctx context.Context, name string, f *Facts, progress Progress) (*Listing, error) {
	p := &printer{d: d, f: f, out: &Listing{}}
	p.print("Loading Dump File [%s]", harmless(name))
	p.target()
	p.modules()
	if d.triage != nil {
		p.triage(d.triage)
	}
	if f == nil {
		return p.out, ctx.Err()
	}
	p.resources()
	p.command("!process 0 17")
	p.print("**** NT ACTIVE PROCESS DUMP ****")
	total := len(f.thread)
	done := 0
	for _, proc := range f.Processes {
		p.process(proc)
		for _, t := range proc.Threads {
			p.thread(t)
			if done++; done%64 == 0 {
				if ctx.Err() != nil {
					return nil, ctx.Err()
				}
				if progress != nil {
					progress(done, total)
				}
			}
		}
	}
	for _, t := range f.Others {
		p.command("!thread %x", t.VA)
		p.thread(t)
	}
	p.endStacks()
	return p.out, ctx.Err()
}
