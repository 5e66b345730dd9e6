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
	b     *progressbar.ProgressBar
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
	const most = 24
	short := []rune(report.Plain(filepath.Base(name)))
	if len(short) > most {
		short = append(short[:most-1], '…')
	}
	b.show(string(short), done, -1)
}

func (b *bar) show(what string, done, total int64) {
	if b.w == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if time.Since(b.start) < barDelay {
		return
	}
	if b.b == nil || b.b.GetMax64() != total {
		b.erase()
		b.b = progressbar.NewOptions64(total, progressbar.OptionSetWriter(b.w), progressbar.OptionSetDescription(what),
			progressbar.OptionShowBytes(true), progressbar.OptionUseIECUnits(true), progressbar.OptionSetWidth(12),
			progressbar.OptionThrottle(barPace), progressbar.OptionSetSpinnerChangeInterval(0))
	}
	if b.b.State().Description != what {
		b.b.Describe(what)
	}
	b.b.Set64(done)
}

// erase removes the bar from the terminal.
func (b *bar) erase() {
	if b.b != nil {
		fmt.Fprint(b.w, "\r"+strings.Repeat(" ", barWidth)+"\r")
	}
	b.b = nil
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
