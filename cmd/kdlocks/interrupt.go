package main

import (
	"context"
	"errors"
	"os"
	"time"
)

var errInterrupted = errors.New("interrupted")

// grace is how long the run may take to end by itself after an interrupt.
const grace = 30 * time.Millisecond

// leaveAtOnce ends the program when it hangs after an interrupt, in a read
// that the system does not return from for example; not one that is patient. The function that it
// returns says that the run has ended.
func leaveAtOnce(ctx context.Context, a *app) (ended func()) {
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		if a.patient.Load() {
			return
		}
		select {
		case <-done:
		case <-time.After(grace):
			a.bar.end()
			a.close()
			a.complain(errInterrupted)
			os.Exit(exitInterrupted)
		}
	})
	return func() { stop(); close(done) }
}
