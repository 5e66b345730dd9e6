package web

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// lane is a row of requests of which so many are served at a time.
type lane struct {
	places  chan struct{}
	waiting atomic.Int64
	most    int64 // that wait
	wait    time.Duration
}

func newLane(l *Limits) *lane {
	return &lane{places: make(chan struct{}, l.Jobs), most: int64(l.Queue), wait: l.Wait}
}

// errBusy is the error of a request that cannot be served soon.
var errBusy = errors.New("busy")

// enter waits for a place, which leave gives back.
func (q *lane) enter(ctx context.Context) (leave func(), err error) {
	leave = func() { <-q.places }
	select {
	case q.places <- struct{}{}:
		return leave, nil
	default:
	}
	if q.waiting.Add(1) > q.most {
		q.waiting.Add(-1)
		return nil, errBusy
	}
	defer q.waiting.Add(-1)
	late := time.NewTimer(q.wait)
	defer late.Stop()
	select {
	case q.places <- struct{}{}:
		return leave, nil
	case <-late.C:
		return nil, errBusy
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
