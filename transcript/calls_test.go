package transcript_test

import (
	"cmp"
	"context"
	"runtime"
	"slices"
	"testing"

	"kdlocks/snapshot"
	"kdlocks/threads"
	"kdlocks/transcript"
)

// TestFilterNeverSaysNoWrongly: what is known of a skimmed thread holds each
// function of the thread read whole, whatever the input looks like and wherever
// it is cut, and every function is listed.
func TestFilterNeverSaysNoWrongly(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	skimmed := 0
	for _, l := range append(storedLogs(t), generatedLogs(t)...) {
		for _, size := range []int64{1 << 12, transcript.ChunkSize} {
			transcript.Cutting(t, size, false)
			tr, _ := transcript.Read(context.Background(), []transcript.Input{transcript.Bytes("in", l.data)}, nil)
			for _, s := range tr.Snapshots {
				skimmed += checkFilter(t, l.name, s)
			}
		}
	}
	if skimmed < 1000 {
		t.Errorf("%d threads were skimmed", skimmed)
	}
}

// checkFilter returns the number of skimmed threads that it looked at.
func checkFilter(t *testing.T, name string, s *snapshot.Snapshot) int {
	t.Helper()
	list, all := s.Functions()
	if !all || !slices.IsSortedFunc(list, byName) {
		t.Errorf("%s: functions %v, all: %v", name, list, all)
	}
	listed := make(map[threads.Function]bool)
	for _, f := range list {
		listed[f] = true
	}
	var calls threads.Calls
	var brief *threads.Brief
	skimmed := 0
	order := slices.Collect(s.AllThreads())
	for th := range s.ThreadsWhere(func(c threads.Calls, b *threads.Brief) bool { calls, brief = c, b; return true }) {
		if brief != nil {
			skimmed++
			if brief.Addr != th.Addr {
				t.Fatalf("%s: thread %v for the brief of %v", name, th.Addr, brief.Addr)
			}
		}
		if len(order) == 0 || order[0].Addr != th.Addr || order[0].At != th.At {
			t.Fatalf("%s: thread %v is not where AllThreads has it", name, th.Addr)
		}
		order = order[1:]
		for _, f := range th.Stack.Frames {
			fn := threads.Function{Module: f.Module, Name: f.Function}
			if !calls.Has(fn.Calls()) || !calls.Has(threads.CallOf(f.Module, "")) || fn != (threads.Function{}) && !listed[fn] {
				t.Errorf("%s: thread %v: %+v is missing", name, th.Addr, fn)
			}
		}
		if calls != th.Calls() {
			t.Errorf("%s: thread %v: %x instead of %x", name, th.Addr, calls, th.Calls())
		}
	}
	if len(order) > 0 {
		t.Errorf("%s: %d threads are missing", name, len(order))
	}
	return skimmed
}

func byName(a, b threads.Function) int {
	return cmp.Or(cmp.Compare(a.Module, b.Module), cmp.Compare(a.Name, b.Name))
}
