package inspect_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"kdlocks/memory"
	"kdlocks/transcript"
)

// memoryFacts are the numbers that were read of memory, by what they are of.
func memoryFacts(t testing.TB, data []byte) map[string]int64 {
	t.Helper()
	tr, _ := transcript.Read(context.Background(), []transcript.Input{transcript.Bytes("in", data)}, nil)
	out := make(map[string]int64)
	keep := func(n memory.Number, format string, args ...any) {
		if n.Known() {
			out[fmt.Sprintf(format, args...)] = n.N
		}
	}
	for i, s := range tr.Snapshots {
		for j, v := range s.Memory.VMs {
			for _, c := range v.Counters {
				keep(c.Pages, "%d vm %d %s pages", i, j, c.Name)
				keep(c.Kb, "%d vm %d %s kb", i, j, c.Name)
			}
			for _, p := range v.Processes {
				keep(p.Commit.Kb, "%d vm %d commit %x", i, j, p.PID)
			}
		}
		for j, p := range s.Memory.Pools {
			for _, r := range p.Rows {
				for _, typ := range []memory.Type{memory.NonPaged, memory.Paged} {
					u, l := r.Of(typ), r.Of(typ).Life()
					for k, n := range []memory.Number{u.Allocs, u.Bytes, l.Made, l.Freed, l.MadeSince, l.FreedSince, l.BytesSince, l.PerAlloc} {
						keep(n, "%d pool %d %q %s %d", i, j, r.Tag, typ, k)
					}
				}
			}
		}
	}
	return out
}

// TestManglingInventsNoMemory mangles what was read of memory. A number may be
// lost, and a listing may be read as several; no number is another one.
func TestManglingInventsNoMemory(t *testing.T) {
	t.Parallel()
	lost, all := 0, 0
	for _, k := range loadCases(t) {
		want := memoryFacts(t, k.input)
		if len(want) == 0 {
			continue
		}
		known := make(map[string]bool)
		for name, v := range want {
			known[fact(name, v)] = true
		}
		for _, m := range manglings {
			_, data := m.apply(nil, []string{strings.ReplaceAll(string(k.input), "\r\n", "\n")})
			got := memoryFacts(t, data)
			all, lost = all+len(want), lost+len(want)-len(got)
			if len(got) < len(want) {
				t.Logf("%s, %s: %d of %d numbers", k.name, m.name, len(got), len(want))
			}
			for name, v := range got {
				if !known[fact(name, v)] {
					t.Errorf("%s, %s: %s is %d", k.name, m.name, name, v)
				}
			}
		}
	}
	if lost*5 > all {
		t.Errorf("%d of %d numbers are lost", lost, all)
	}
	t.Logf("%d of %d numbers are lost", lost, all)
}

// fact is a number without the number of its listing.
func fact(name string, v int64) string {
	words := strings.SplitN(name, " ", 4)
	return fmt.Sprint(words[1], words[3], v)
}

// TestMemoryAside: what a session told of memory before the machine went on is in
// the report, and makes no verdict weaker.
func TestMemoryAside(t *testing.T) {
	const vm = "kd> !vm 1\nPhysical Memory: 1000 ( 4000 Kb)\nNonPagedPool Usage: 85 ( 340 Kb)\nNonPagedPool Max: 100 ( 400 Kb)\n"
	const free = "kd> !locks\n**** DUMP OF ALL RESOURCE OBJECTS ****\nKD: Scanning for held locks......\n\n16088 total locks, 0 locks currently held\n"
	want := analyze(t, []byte(free)).Verdict
	r := analyze(t, []byte(vm+"kd> g\nBreak instruction exception - code 80000003 (first chance)\n"+free))
	if r.Verdict.Kind != want.Kind || r.Undecided || len(r.Sessions) > 0 {
		t.Errorf("verdict %+v, want %+v; sessions %v", r.Verdict, want, r.Sessions)
	}
	if r.Memory == nil || len(r.Memory.VM) != 1 || r.Memory.VM[0].NonPagedPercent == nil || *r.Memory.VM[0].NonPagedPercent != 85 || r.Memory.VM[0].At.Line != 2 {
		t.Errorf("memory %+v", r.Memory)
	}
	if r = analyze(t, []byte(vm)); r.Verdict.Kind != "undecided" || !r.Undecided || strings.Contains(strings.ToLower(r.Verdict.Summary), "no deadlock") {
		t.Errorf("nothing but !vm: %+v", r.Verdict)
	}
}
