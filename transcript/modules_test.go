package transcript_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"kdlocks/snapshot"
	"kdlocks/transcript"
)

func session(t *testing.T, text string) *snapshot.Snapshot {
	t.Helper()
	tr, err := transcript.Read(context.Background(), []transcript.Input{transcript.Bytes("in", []byte(text))}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(tr.Snapshots) != 1 {
		t.Fatalf("%d sessions", len(tr.Snapshots))
	}
	return tr.Snapshots[0]
}

// TestModulesBesideStacks: rows of modules and frames both begin with two
// addresses, and none is taken for the other, also without prompts between.
func TestModulesBesideStacks(t *testing.T) {
	const row = "fffff880`06100000 fffff880`06110000   mydrv      (deferred)\n"
	const head = "start             end                 module name\n"
	for _, tc := range []struct {
		name, text      string
		frames, modules int
	}{
		{"list behind a stack", thread + stack + head + row, 1, 1},
		{"row without heads behind a stack", thread + stack + row, 1, 1},
		{"stack behind a list", head + row + "\n" + thread + stack, 1, 1},
		{"stack of heads alone behind a list", head + row + stack, 1, 1},
		{"unloaded modules behind a stack", thread + stack + "\nUnloaded modules:\nfffff880`06200000 fffff880`06210000   gone.sys\n", 1, 1},
		{"a frame without a symbol is no module", thread + stack + "fffff880`07fab450 fffff880`0928da52 mydrv+0x1234\n", 2, 0},
		{"nor is one in a list of unloaded ones", "Unloaded modules:\nfffff880`06200000 fffff880`06210000   gone.sys\n" + thread + stack + "fffff880`07fab450 fffff880`0928da52 mydrv+0x1234\n", 2, 1},
	} {
		s := session(t, tc.text)
		frames := 0
		for th := range s.AllThreads() {
			frames += len(th.Stack.Frames)
		}
		if frames != tc.frames || len(s.Modules) != tc.modules {
			t.Errorf("%s: %d frames, %d modules, want %d, %d\n%s", tc.name, frames, len(s.Modules), tc.frames, tc.modules, s)
		}
	}
}

// TestSkimmedFramesAreNamed: threads that are skimmed get the same names as
// those that are read.
func TestSkimmedFramesAreNamed(t *testing.T) {
	var b strings.Builder
	b.WriteString("0: kd> lm k\nstart             end                 module name\nfffff880`06100000 fffff880`06110000   mydrv      (deferred)\n0: kd> !process 0 7\n")
	for i := range 64 {
		for _, line := range []string{
			fmt.Sprintf("THREAD ffffcb000000%04x  Cid 0004.%04x  Teb: 0000000000000000 Win32Thread: 0000000000000000 WAIT: (UserRequest) UserMode Non-Alertable", 0x80+i*0x80, 0x100+i*4),
			fmt.Sprintf("    ffffcb0000ff%04x  SynchronizationEvent", i*0x20),
			"Not impersonating",
			"DeviceMap                 ffff8b08a1616f00",
			"Owning Process            ffffcb0000000040       Image:         app.exe",
			"Attached Process          N/A            Image:         N/A",
			"Wait Start TickCount      14101          Ticks: 10 (0:00:00:00.156)",
			"Context Switch Count      3              IdealProcessor: 0             ",
			"UserTime                  00:00:00.000",
			"KernelTime                00:00:00.000",
			"Win32 Start Address 0xfffff88006100800",
			"Stack Init ffff9ea42dadfc10 Current ffff9ea42dadf330",
			"Base ffff9ea42dae0000 Limit ffff9ea42dad9000 Call 0000000000000000",
			"Priority 8 BasePriority 8 PriorityDecrement 0 IoPriority 2 PagePriority 5",
			"Child-SP          RetAddr               Call Site",
			"ffff9ea4`2dadf370 fffff823`670bda9a     nt!KiSwapContext+0x76",
			"ffff9ea4`2dadf4b0 fffff823`670bd461     0xfffff880`06100123",
			"",
		} {
			b.WriteString("        " + line + "\n")
		}
	}
	var first string
	for _, noSkim := range []bool{true, false} {
		transcript.Cutting(t, transcript.ChunkSize, noSkim)
		s := session(t, b.String())
		if skimmed := len(s.Skimmed()); noSkim != (skimmed == 0) {
			t.Fatalf("skimmed: %d", skimmed)
		}
		text := s.String()
		if n := strings.Count(text, "derived mydrv+0x123"); n != 64 {
			t.Errorf("%d frames named, want 64", n)
		}
		for th := range s.AllThreads() {
			if th.StartsIn != "mydrv+0x800" {
				t.Errorf("starts in %q", th.StartsIn)
			}
		}
		if first == "" {
			first = text
		} else if text != first {
			t.Error("skimmed threads differ")
		}
	}
}
