package transcript_test

import (
	"context"
	"testing"

	"kdlocks/memory"
	"kdlocks/transcript"
)

const (
	looked = "kd> !poolused 2\n Sorting by NonPaged Pool Consumed\n\n               NonPaged                  Paged\n Tag     Allocs         Used     Allocs         Used\n\n" +
		" Leak      1000       100000          0            0\tUNKNOWN pooltag 'Leak', please update pooltag.txt\n Irp         10         3920          0            0\tIo, IRP packets \n"
	lookedAgain = "kd> !poolused 2\n Sorting by NonPaged Pool Consumed\n\n               NonPaged                  Paged\n Tag     Allocs         Used     Allocs         Used\n\n" +
		" Leak      9000       900000          0            0\tUNKNOWN pooltag 'Leak', please update pooltag.txt\n"
	goOn      = "kd> g\nBreak instruction exception - code 80000003 (first chance)\nnt!DbgBreakPointWithStatus:\n"
	heldLocks = "kd> !locks\n**** DUMP OF ALL RESOURCE OBJECTS ****\nKD: Scanning for held locks......\n\nResource @ 0xfffffa8011ef1de8    Exclusively owned\n     Threads: fffffa8016910b60-01<*> \n\n16088 total locks, 1 locks currently held\n"
	other     = "Microsoft (R) Windows Debugger Version 10.0.22621.1\nLoading Dump File [C:\\other.dmp]\n"
)

// TestMemorySessions: sessions that tell of memory only stand aside where others
// tell more, and are what was read where none does.
func TestMemorySessions(t *testing.T) {
	for _, tt := range []struct {
		name, text  string
		snapshots   []int // listings of pool in each
		aside       []int
		sameMachine bool // the last snapshot and the first aside
	}{
		{"one session", looked + heldLocks + lookedAgain, []int{2}, nil, false},
		{"nothing else", looked, []int{1}, nil, false},
		{"nothing else, two moments", looked + goOn + lookedAgain, []int{1, 1}, nil, false},
		{"before the machine went on", looked + goOn + heldLocks + lookedAgain, []int{1}, []int{1}, true},
		{"after it", heldLocks + lookedAgain + goOn + looked, []int{1}, []int{1}, true},
		{"of another dump", heldLocks + other + looked, []int{0}, []int{1}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tr, err := transcript.Read(context.Background(), []transcript.Input{transcript.Bytes("in", []byte(tt.text))}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if len(tr.Snapshots) != len(tt.snapshots) || len(tr.Aside) != len(tt.aside) {
				t.Fatalf("%d snapshots, %d aside", len(tr.Snapshots), len(tr.Aside))
			}
			for i, n := range tt.snapshots {
				if got := len(tr.Snapshots[i].Memory.Pools); got != n {
					t.Errorf("%d listings in snapshot %d", got, i)
				}
			}
			for i, n := range tt.aside {
				if got := len(tr.Aside[i].Memory.Pools); got != n {
					t.Errorf("%d listings aside in %d", got, i)
				}
				if same := tr.Aside[i].Target.Attached == tr.Snapshots[len(tr.Snapshots)-1].Target.Attached; same != tt.sameMachine {
					t.Errorf("same machine: %v", same)
				}
			}
		})
	}
}

// TestMemoryPrompts: what was typed tells the order, and a listing ends with the
// next prompt.
func TestMemoryPrompts(t *testing.T) {
	text := "0: kd> !poolused /t1 4;!vm 1\n Leak      1000       100000          7           70\tUNKNOWN pooltag 'Leak', please update pooltag.txt\nPhysical Memory: 10 ( 40 Kb)\n0: kd> ? 5\nEvaluate expression: 5 = 00000005\n Irp         10         3920          0            0\tIo, IRP packets \n"
	tr, err := transcript.Read(context.Background(), []transcript.Input{transcript.Bytes("in", []byte(text))}, nil)
	if err != nil || len(tr.Snapshots) != 1 {
		t.Fatal(err)
	}
	m := tr.Snapshots[0].Memory
	if len(m.Pools) != 1 || len(m.VMs) != 1 {
		t.Fatalf("%d listings, %d outputs of !vm", len(m.Pools), len(m.VMs))
	}
	if p := m.Pools[0]; len(p.Rows) != 1 || p.Sort != memory.ByPaged || p.Limit != 1 || p.Command != "!poolused /t1 4" || m.VMs[0].Command != "!vm 1" {
		t.Errorf("%+v, %q", p, m.VMs[0].Command)
	}
	if src := &tr.Sources[0]; src.Lines()-src.Understood() != 2 {
		t.Errorf("%d of %d lines are understood", src.Understood(), src.Lines())
	}
}
