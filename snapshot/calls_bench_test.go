package snapshot_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"kdlocks/kd"
	"kdlocks/locks"
	"kdlocks/snapshot"
	"kdlocks/threads"
)

// BenchmarkThreadsWhere asks a listing of 200,000 skimmed threads, each with 12
// of 3,000 functions on its stack, for those that can have the three functions
// of any of so many patterns.
func BenchmarkThreadsWhere(b *testing.B) {
	const rows = 200_000
	rng := rand.New(rand.NewPCG(1, 1))
	calls := func(n int) threads.Calls {
		var c threads.Calls
		for range n {
			i := rng.IntN(3000)
			c = c.Or(threads.CallOf(fmt.Sprintf("driver%d", i%40), fmt.Sprintf("Function%d", i)))
		}
		return c
	}
	briefs := make([]threads.Brief, rows)
	for i := range briefs {
		briefs[i] = threads.Brief{Addr: 0xffff800000000000 + kd.Addr(i)<<8, Line: int32(i) + 1, State: threads.Waiting, Calls: calls(12)}
	}
	for _, patterns := range []int{10, 100, 1000} {
		wanted := make([]threads.Calls, patterns)
		for i := range wanted {
			wanted[i] = calls(3)
		}
		any, passed := threads.NewAnyOf(wanted), 0
		s := snapshot.Build(snapshot.Target{}, locks.Listing{}, threads.Listing{Skimmed: slices.Clone(briefs), Load: func(threads.Brief) *threads.Thread { passed++; return nil }}, nil, nil)
		b.Run(fmt.Sprint(patterns, " patterns"), func(b *testing.B) {
			passed = 0
			for b.Loop() {
				for range s.ThreadsWhere(func(c threads.Calls, _ *threads.Brief) bool { return any.In(c) }) {
				}
			}
			b.ReportMetric(100*float64(passed)/float64(b.N)/rows, "%pass")
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/thread")
		})
	}
}
