package kd_test

import (
	"strings"
	"testing"

	"kdlocks/kd"
)

// TestPanicReachesTheGoroutineThatWaits: it can recover there, and learns where it was.
func TestPanicReachesTheGoroutineThatWaits(t *testing.T) {
	told := make(chan *kd.Panicked, 1)
	go func() {
		defer kd.Catch(func(p *kd.Panicked) { told <- p })
		panic("lost count")
	}()
	p := <-told
	defer func() {
		got, _ := recover().(*kd.Panicked)
		if got != p || got.Value != "lost count" || !strings.Contains(got.Error(), "panicked_test.go") {
			t.Errorf("recovered %v", got)
		}
	}()
	(*kd.Panicked)(nil).Again() // nobody panicked
	p.Again()
}
