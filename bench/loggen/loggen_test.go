package loggen_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"kdlocks/bench/loggen"
	"kdlocks/heuristics"
	"kdlocks/inspect"
	"kdlocks/report"
)

func write(t testing.TB, opt loggen.Options) ([]byte, loggen.Stats) {
	t.Helper()
	var b bytes.Buffer
	stats, err := loggen.Write(&b, opt)
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), stats
}

func run(t *testing.T, text []byte) *report.Report {
	t.Helper()
	r, err := inspect.Run(context.Background(), []inspect.Input{inspect.Bytes("generated.log", text)}, inspect.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// deadlocks returns the findings that say that something is stuck for good.
func deadlocks(r *report.Report) []report.Finding {
	var out []report.Finding
	for _, f := range r.Findings {
		switch heuristics.Kind(f.Kind) {
		case heuristics.Deadlock, heuristics.OrphanedLock, heuristics.SuspectedDeadlock:
			out = append(out, f)
		}
	}
	return out
}

// The engine reads back what was planted: every thread, resource and line.
func TestLogIsReadAsPlanted(t *testing.T) {
	for _, plant := range []loggen.Plant{loggen.OwnerPointer, loggen.Cycle, loggen.Nothing} {
		for _, args := range []loggen.Args{loggen.MixedArgs, loggen.WithArgs, loggen.WithoutArgs} {
			for _, n := range []int{16, 100, 1500} {
				for seed := range uint64(2) {
					opt := loggen.Options{Seed: seed, Threads: n, Args: args, Plant: plant}
					t.Run(fmt.Sprintf("%d/%d/%d/%d", plant, args, n, seed), func(t *testing.T) { checkRead(t, opt) })
				}
			}
		}
	}
}

func checkRead(t *testing.T, opt loggen.Options) {
	text, stats := write(t, opt)
	r := run(t, text)
	in := r.Inputs[0]
	if len(in.NotUnderstood.Slice()) > 0 {
		t.Errorf("%d lines not understood, the first: %+v", len(in.NotUnderstood.Slice()), in.NotUnderstood.Slice()[0])
	}
	if len(r.Notes) > 0 {
		t.Errorf("note: %+v", r.Notes[0])
	}
	if int64(in.Lines) != stats.Lines || int64(len(text)) != stats.Bytes {
		t.Errorf("%d lines and %d bytes were read, %d and %d are claimed", in.Lines, len(text), stats.Lines, stats.Bytes)
	}
	if got := strings.Count(string(text), "\n\n"); int64(got) != stats.Blank {
		t.Errorf("%d blank lines, %d are claimed", got, stats.Blank)
	}
	if len(r.Threads.Slice()) != opt.Threads || stats.Threads != opt.Threads {
		t.Errorf("%d threads were read and %d are claimed, of %d", len(r.Threads.Slice()), stats.Threads, opt.Threads)
	}
	if got := len(r.Resources.Slice()); got != stats.Resources {
		t.Errorf("%d resources were read of %d", got, stats.Resources)
	}
	for _, th := range r.Threads.Slice() {
		if len(th.Frames) < 5 || th.Stack == nil || th.Stack.Base == "" {
			t.Fatalf("thread %s has %d frames and the stack %+v", th.Address, len(th.Frames), th.Stack)
		}
	}
	checkVerdict(t, r, opt.Plant, stats)
}

func checkVerdict(t *testing.T, r *report.Report, plant loggen.Plant, stats loggen.Stats) {
	t.Helper()
	found := deadlocks(r)
	if plant == loggen.Nothing {
		if len(found) > 0 {
			t.Errorf("found in a log without a deadlock: %s", found[0].Summary)
		}
		return
	}
	if len(found) != 1 {
		t.Fatalf("%d findings of a deadlock", len(found))
	}
	want := map[loggen.Plant]string{loggen.OwnerPointer: "self-deadlock-owner-pointer", loggen.Cycle: "deadlock-cycle"}[plant]
	f := found[0]
	if f.ID != want || f.Confidence != "certain" || f.BlockedThreads != stats.Blocked || len(f.Threads) != len(stats.Deadlocked) {
		t.Errorf("found %s (%s) with %d threads and %d behind them; planted %s with %d and %d",
			f.ID, f.Confidence, len(f.Threads), f.BlockedThreads, want, len(stats.Deadlocked), stats.Blocked)
	}
	for _, a := range stats.Deadlocked {
		if !strings.Contains(strings.Join(f.Threads, " "), fmt.Sprintf("0x%016x", a)) {
			t.Errorf("%x is not among the deadlocked threads %v", a, f.Threads)
		}
	}
}

func TestSameOptionsSameBytes(t *testing.T) {
	sum := func(opt loggen.Options) [32]byte {
		text, _ := write(t, opt)
		return sha256.Sum256(text)
	}
	opt := loggen.Options{Seed: 7, Threads: 300}
	other := opt
	other.Seed = 8
	if first, again := sum(opt), sum(opt); first != again {
		t.Error("two runs differ")
	}
	if sum(opt) == sum(other) {
		t.Error("two seeds agree")
	}
}

// A size is reached, and passed by less than a block.
func TestBytes(t *testing.T) {
	for _, args := range []loggen.Args{loggen.MixedArgs, loggen.WithArgs, loggen.WithoutArgs} {
		for _, n := range []int64{200_000, 3_000_000, 20_000_000} {
			stats, err := loggen.Write(io.Discard, loggen.Options{Bytes: n, Args: args})
			if err != nil {
				t.Fatal(err)
			}
			if stats.Bytes < n || stats.Bytes > n+12_000 {
				t.Errorf("args %d: %d bytes for %d", args, stats.Bytes, n)
			}
			t.Logf("args %d: %d threads of %d bytes", args, stats.Threads, stats.Bytes/int64(stats.Threads))
		}
	}
}

// Each frame returns to the call site of the frame behind it, and no address
// stands for two call sites.
func TestReturnAddresses(t *testing.T) {
	text, _ := write(t, loggen.Options{Seed: 3, Threads: 6000, Args: loggen.WithoutArgs})
	site := map[string]string{}
	symbols := map[string]bool{}
	frames, depths := 0, map[int]int{}
	prev, depth := "", 0
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) != 3 || len(f[0]) != 17 || f[0][8] != '`' {
			if depth > 0 {
				depths[depth]++
			}
			prev, depth = "", 0
			continue
		}
		if prev != "" {
			if have, ok := site[prev]; ok && have != f[2] {
				t.Fatalf("%s is %s and %s", prev, have, f[2])
			}
			site[prev] = f[2]
		}
		symbols[f[2]] = true
		prev, depth = f[1], depth+1
		frames++
	}
	if frames < 6000*8 || len(symbols) < 2000 {
		t.Errorf("%d frames, %d call sites", frames, len(symbols))
	}
	for d := range depths {
		if d < 5 || d > 40 {
			t.Errorf("%d stacks of %d frames", depths[d], d)
		}
	}
	t.Log(frames, len(symbols), depths)
}

func TestNothingAskedFor(t *testing.T) {
	if _, err := loggen.Write(io.Discard, loggen.Options{}); err == nil {
		t.Error("no error")
	}
}

func BenchmarkWrite(b *testing.B) {
	b.SetBytes(50_000_000)
	for b.Loop() {
		if _, err := loggen.Write(io.Discard, loggen.Options{Bytes: 50_000_000}); err != nil {
			b.Fatal(err)
		}
	}
}

// What a log costs in memory does not grow with it.
func TestMemoryIsBounded(t *testing.T) {
	allocated := func(n int64) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := loggen.Write(io.Discard, loggen.Options{Bytes: n}); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	if got := allocated(300_000_000); got > 16<<20 {
		t.Errorf("%d bytes allocated for 300 MB", got)
	}
}
