package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"kdlocks/report"
)

const (
	barDelay = 500 * time.Millisecond // shorter work shows nothing
	barPace  = 100 * time.Millisecond
	barWidth = 79 // columns
)

// bar shows on a terminal how far long work is. It has no colours, and is
// erased at the end.
type bar struct {
	w     io.Writer // nil shows nothing
	start time.Time
	mu    sync.Mutex // an interrupt erases at any time
	drawn time.Time  // zero: nothing is on the terminal
	b     *progressbar.ProgressBar
	total int64 // of b; -1 is not known
}

func (a *app) newBar() *bar {
	b := &bar{start: time.Now()}
	f, ok := a.stderr.(*os.File)
	if ok && !a.quiet && os.Getenv("TERM") != "dumb" && wide(f) {
		b.w = f
	}
	return b
}

// wide reports whether f is a terminal that holds a bar.
func wide(f *os.File) bool {
	if !term.IsTerminal(int(f.Fd())) {
		return false
	}
	w, _, err := term.GetSize(int(f.Fd()))
	return err == nil && w > barWidth
}

// reading shows how much of the inputs was read.
func (b *bar) reading(done, total int64) { b.show("reading", done, total) }

// unpacking shows how much came out of an archive or a pipe, which has no end
// to be seen.
func (b *bar) unpacking(name string, done int64) {
	const most = 40
	short := []rune(report.Plain(filepath.Base(name)))
	if len(short) > most {
		short = append(short[:most-1], '…')
	}
	b.show(fmt.Sprintf("%s: %d MiB so far", string(short), done>>20), done, -1)
}

func (b *bar) show(what string, done, total int64) {
	if b.w == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.b == nil || b.total != total {
		b.erase()
		b.begin(total)
	}
	now := time.Now()
	if now.Sub(b.start) < barDelay || now.Sub(b.drawn) < barPace {
		return
	}
	b.drawn = now
	b.b.Describe(what)
	b.b.Set64(done)
}

// begin makes a bar that shows nothing yet. A total of -1 is not known.
func (b *bar) begin(total int64) {
	b.total = total
	b.b = progressbar.NewOptions64(total, progressbar.OptionSetWriter(b.w), progressbar.OptionSetWidth(12),
		progressbar.OptionShowBytes(total >= 0), progressbar.OptionUseIECUnits(true), progressbar.OptionSetElapsedTime(total >= 0),
		progressbar.OptionSetSpinnerChangeInterval(0))
	b.b.StartWithoutRender()
}

// erase removes the bar from the terminal.
func (b *bar) erase() {
	if !b.drawn.IsZero() {
		fmt.Fprint(b.w, "\r"+strings.Repeat(" ", barWidth)+"\r")
	}
	b.b, b.drawn = nil, time.Time{}
}

// end erases the bar; what follows is printed in its place.
func (b *bar) end() {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.erase()
}
