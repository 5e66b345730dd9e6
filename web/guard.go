package web

import (
	"context"
	"errors"
	"math"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"
)

// guard ends the heaviest analysis when the memory of the process comes near its
// bound: no limit on what goes in bounds what some inputs make of it.
type guard struct {
	most int64
	used func() int64
	busy chan struct{} // told when a job begins

	mu   sync.Mutex
	jobs map[*job]bool
}

// job is one analysis that runs.
type job struct {
	size  int64 // bytes of its inputs, unpacked
	light bool  // its inputs are small and not packed
	stop  context.CancelCauseFunc
	ended bool // it was told to end
}

var errMemory = errors.New("too much memory")

// Parts of the bound. The collector works harder from the first on; at the second the
// heaviest analysis is ended, at the third all are but the light ones. Those are ended
// only where there is nothing else to blame.
const (
	softPart  = 0.50
	tripPart  = 0.55
	alarmPart = 0.70
	glance    = 10 * time.Millisecond
)

func newGuard(most int64) *guard {
	return &guard{most: most, used: usedMemory, busy: make(chan struct{}, 1), jobs: make(map[*job]bool)}
}

// SoftMemory is the memory that the runtime should be told to keep within, by
// debug.SetMemoryLimit, for a bound of Limits.Memory bytes.
func SoftMemory(bound int64) int64 { return int64(softPart * float64(bound)) }

// usedMemory is what the process has of the system, in bytes.
func usedMemory() int64 {
	s := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(s)
	return int64(s[0].Value.Uint64() - s[1].Value.Uint64())
}

// begin makes a job of an analysis. It gets a context that ends when memory becomes short.
func (g *guard) begin(ctx context.Context, light bool) (context.Context, *job) {
	j := &job{light: light}
	ctx, j.stop = context.WithCancelCause(ctx)
	g.mu.Lock()
	g.jobs[j] = true
	g.mu.Unlock()
	select {
	case g.busy <- struct{}{}:
	default:
	}
	return ctx, j
}

// weighs says how large the inputs of a job have turned out to be.
func (g *guard) weighs(j *job, size int64) {
	g.mu.Lock()
	j.size = size
	g.mu.Unlock()
}

// end takes a job off the list once its memory is given back, so that nobody else is
// blamed for it meanwhile.
func (g *guard) end(j *job) {
	j.stop(nil)
	g.mu.Lock()
	ended := j.ended
	g.mu.Unlock()
	if ended {
		debug.FreeOSMemory()
	}
	g.mu.Lock()
	delete(g.jobs, j)
	g.mu.Unlock()
}

// watch looks at the memory while something runs, until ctx is done.
func (g *guard) watch(ctx context.Context) {
	for {
		select {
		case <-g.busy:
		case <-ctx.Done():
			return
		}
		for g.look() {
			select {
			case <-time.After(glance):
			case <-ctx.Done():
				return
			}
		}
	}
}

// look ends jobs if it must, and reports whether any runs.
func (g *guard) look() bool {
	used := float64(g.used())
	g.mu.Lock()
	defer g.mu.Unlock()
	var heaviest *job
	ending := false
	for j := range g.jobs {
		if used > alarmPart*float64(g.most) && !j.light {
			j.end()
		}
		ending = ending || j.ended
		if !j.ended && (heaviest == nil || j.weight() > heaviest.weight()) {
			heaviest = j
		}
	}
	if used > tripPart*float64(g.most) && heaviest != nil && !ending {
		heaviest.end()
	}
	return len(g.jobs) > 0
}

// weight compares jobs: any light one is less than any other.
func (j *job) weight() int64 {
	if j.light {
		return j.size - math.MaxInt64
	}
	return j.size
}

func (j *job) end() {
	if !j.ended {
		j.ended = true
		j.stop(errMemory)
	}
}
