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
	light, j1 := g.begin(context.Background())
	heavy, j2 := g.begin(context.Background())
	g.weighs(j1, 10)
	g.weighs(j2, 20)
	for _, tc := range []struct {
		used         int64
		light, heavy bool // end
	}{{100, false, false}, {540, false, false}, {560, false, true}, {690, false, true}, {710, true, true}} {
		used = tc.used
		if !g.look() {
			t.Error("nothing runs")
		}
		if errors.Is(context.Cause(light), errMemory) != tc.light || errors.Is(context.Cause(heavy), errMemory) != tc.heavy {
			t.Errorf("at %d: light %v, heavy %v", used, context.Cause(light), context.Cause(heavy))
		}
	}
	g.end(j1)
	g.end(j2)
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
		running, j := g.begin(context.Background())
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
