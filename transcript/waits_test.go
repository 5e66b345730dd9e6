package transcript_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"kdlocks/threads"
	"kdlocks/transcript"
)

// TestWaitsOfSkimmedThreads: threads that are skimmed wait for what they wait for when
// they are read, whatever their wait reason.
func TestWaitsOfSkimmedThreads(t *testing.T) {
	reasons := threads.WaitReasons()
	var b strings.Builder
	b.WriteString("0: kd> !process 0 7\n")
	for i := range 3 * len(reasons) {
		inner := "nt!KeWaitForSingleObject+0x1a0"
		if i%3 == 2 {
			inner = "nt!ExpWaitForResource+0x5c"
		}
		for _, line := range []string{
			fmt.Sprintf("THREAD ffffcb000000%04x  Cid 0004.%04x  Teb: 0000000000000000 Win32Thread: 0000000000000000 WAIT: (%s) KernelMode Non-Alertable", 0x80+i*0x80, 0x100+i*4, reasons[i/3]),
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
			"ffff9ea4`2dadf4b0 fffff823`670bd461     " + inner,
			"",
		} {
			b.WriteString("        " + line + "\n")
		}
	}
	b.WriteString("0: kd> !locks\nResource @ 0xffffcb0100000080    Exclusively owned\n    NumberOfExclusiveWaiters = 1\n     Threads: ffffcb0200000080-01<*>\n     Threads Waiting On Exclusive Access:\n              ffffcb0000000280\n1 total locks, 1 locks currently held\n")
	var lists [2][]string
	for i, noSkim := range []bool{true, false} {
		transcript.Cutting(t, transcript.ChunkSize, noSkim)
		s := session(t, b.String())
		if skimmed := len(s.Skimmed()); noSkim != (skimmed == 0) {
			t.Fatalf("skimmed: %d", skimmed)
		}
		for w := range s.Waits() {
			lists[i] = append(lists[i], fmt.Sprintf("%v %s %v %s %+v", w.Addr, w.Reason, w.Resource, w.How, w.At))
		}
	}
	if len(lists[0]) < 10 || !slices.Equal(lists[0], lists[1]) {
		t.Errorf("read whole: %d waits\n%s\nskimmed: %d\n%s", len(lists[0]), strings.Join(lists[0], "\n"), len(lists[1]), strings.Join(lists[1], "\n"))
	}
}
