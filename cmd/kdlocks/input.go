package main

import (
	"context"
	"fmt"
	"io"

	"kdlocks/open"
	"kdlocks/report"
)

// open opens the named inputs, to be closed when the run ends. Inputs that
// cannot be read are told in the error, and the others are there all the same.
func (a *app) open(ctx context.Context, names []string) (*open.Set, error) {
	set, err := open.Inputs(ctx, names, open.Options{Stdin: a.stdin, MaxSize: int64(a.max), Progress: a.bar.unpacking})
	a.bar.end()
	a.keep(set)
	a.note(set.Notes)
	return set, err
}

// keep closes c when the run ends.
func (a *app) keep(c io.Closer) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.opened = append(a.opened, c)
}

// close closes what was opened, which removes what is temporary.
func (a *app) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, c := range a.opened {
		c.Close()
	}
	a.opened = nil
}

// note prints what the user should know and no exit code tells.
func (a *app) note(notes []string) {
	for _, n := range notes {
		if !a.quiet {
			fmt.Fprintln(a.stderr, "kdlocks: "+report.Plain(n))
		}
	}
}
