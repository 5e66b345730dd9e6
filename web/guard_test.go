package web

import (
	"context"
	"errors"
	"testing"
	"time"
)

// TestGuardEndsTheHeaviest, and no other, until it has gone.
func TestGuardEndsTheHeaviest(t *testing.T) {
	g := newGuard(1000)
	used := int64(0)
	g.used = func() int64 { return used }
	light, j0 := g.begin(context.Background(), true)
	medium, j1 := g.begin(context.Background(), false)
	heavy, j2 := g.begin(context.Background(), false)
	g.weighs(j0, 1)
	g.weighs(j2, 20)
	look := func(at int64, endLight, endMedium, endHeavy bool) {
		t.Helper()
		used = at
		if !g.look() {
			t.Error("nothing runs")
		}
		for what, c := range map[string]struct {
			ctx  context.Context
			ends bool
		}{"light": {light, endLight}, "medium": {medium, endMedium}, "heavy": {heavy, endHeavy}} {
			if errors.Is(context.Cause(c.ctx), errMemory) != c.ends {
				t.Errorf("at %d: %s %v", at, what, context.Cause(c.ctx))
			}
		}
	}
	look(100, false, false, false)
	look(540, false, false, false)
	look(560, false, false, true)
	look(690, false, false, true)
	look(710, false, true, true)
	g.end(j1)
	look(900, false, true, true)
	g.end(j2)
	look(540, false, true, true)
	look(560, true, true, true)
	g.end(j0)
	if g.look() {
		t.Error("something runs")
	}
}

func TestGuardWatchesWhileSomethingRuns(t *testing.T) {
	g := newGuard(1000)
	g.used = func() int64 { return 900 }
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan bool)
	go func() { g.watch(ctx); close(done) }()
	for range 2 {
		running, j := g.begin(context.Background(), false)
		select {
		case <-running.Done():
		case <-time.After(5 * time.Second):
			t.Fatal("it is not ended")
		}
		g.end(j)
	}
	stop()
	<-done
}
