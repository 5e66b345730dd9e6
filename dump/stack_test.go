package dump

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"kdlocks/dump/dumptest"
)

// through is a machine with a thread that waits behind a driver.
func through(t *testing.T, driver dumptest.ModuleSpec) (*opened, *Thread, []dumptest.TruthFrame) {
	t.Helper()
	m, err := dumptest.New(dumptest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	driver.Name = "odd.sys"
	driver.Functions = []dumptest.Function{
		{Name: "OddWork", Size: 0x100, Exported: true, Prolog: []dumptest.Op{dumptest.Push(dumptest.RBX), dumptest.Alloc(0x40)}},
		{Name: "OddFrame", Size: 0x100, Prolog: []dumptest.Op{dumptest.Push(dumptest.RBP), dumptest.Alloc(0x80), dumptest.SetFrame(dumptest.RBP, 0x20)}},
	}
	odd := m.AddModule(driver)
	th := m.System().AddThread(dumptest.ThreadSpec{
		ID: 0x200, State: dumptest.Waiting, WaitReason: dumptest.Executive, System: true,
		Stack: []dumptest.Frame{
			{Function: "KiStartSystemThread", Offset: 0x28}, {Function: "PspSystemThreadStartup", Offset: 0x55},
			{Module: odd, Function: "OddWork", Offset: 0x50}, {Module: odd, Function: "OddFrame", Offset: 0x60, Alloca: 0x100},
			{Function: "KeWaitForSingleObject", Offset: 0x233}, {Function: "KiCommitThreadWait", Offset: 0x14f}, {Function: "KiSwapThread", Offset: 0x500},
		},
	})
	if err := m.Err(); err != nil {
		t.Fatal(err)
	}
	o := openMachine(t, &dumptest.Scenario{Machine: m}, dumptest.KernelBitmap)
	return o, o.facts.thread[th.VA], th.Frames
}

// TestStackThroughADriver unwinds frames with a frame register, and names what is
// exported.
func TestStackThroughADriver(t *testing.T) {
	o, th, want := through(t, dumptest.ModuleSpec{})
	frames, why := o.dump.stack(th)
	if why != nil || len(frames) != len(want) {
		t.Fatalf("%d frames of %d: %v", len(frames), len(want), why)
	}
	for i, f := range frames {
		if f.SP != want[i].SP || f.IP != want[i].IP || f.Scanned {
			t.Errorf("frame %d is %+v, want %+v", i, f, want[i])
		}
	}
	i := slices.IndexFunc(want, func(f dumptest.TruthFrame) bool { return f.Function == "OddWork" })
	if got := o.dump.symbol(frames[i].IP); got != "odd!OddWork+0x50" {
		t.Errorf("it is called %s", got)
	}
	if got := o.dump.symbol(frames[i-1].IP); got != "odd+0x"+strings.TrimLeft(strings.ToLower(hexOf(want[i-1].RVA)), "0") {
		t.Errorf("what is not exported is called %s", got)
	}
}

func hexOf(v uint32) string { return string(line(nil).hex(uint64(v), 1)) }

// TestStackWithoutUnwindData searches, says so, and finds the thread's first functions.
func TestStackWithoutUnwindData(t *testing.T) {
	for name, spec := range map[string]dumptest.ModuleSpec{
		"no function table": {NoPdata: true}, "no unwind info": {NoXdata: true}, "no headers": {NoHeaders: true}, "neither, and no code": {NoPdata: true, NoXdata: true, NoText: true},
	} {
		o, th, want := through(t, spec)
		frames, _ := o.dump.stack(th)
		i := slices.IndexFunc(want, func(f dumptest.TruthFrame) bool { return f.Function == "OddFrame" })
		for k, f := range frames {
			if k <= i && (f.SP != want[k].SP || f.Scanned) || k > i && !f.Scanned {
				t.Errorf("%s: frame %d is %+v, want %+v", name, k, f, want[k])
			}
		}
		last := want[len(want)-2] // the function that the first one called
		if !slices.ContainsFunc(frames, func(f Frame) bool { return f.IP == last.IP }) {
			t.Errorf("%s: %s is not found: %+v", name, last.Function, frames)
		}
		l, err := o.dump.List(t.Context(), "MEMORY.DMP", o.facts, nil)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if _, err := l.WriteTo(&b); err != nil || strings.Count(b.String(), ScanWarning) != 1 {
			t.Errorf("%s: the search is not told: %v", name, err)
		}
	}
}

// TestRunningThreads begin where their processor is, or nowhere.
func TestRunningThreads(t *testing.T) {
	o := openScenario(t, "behind a running thread", dumptest.Options{Processors: 2}, dumptest.KernelBitmap)
	for _, th := range o.facts.thread {
		if th.State != Running {
			continue
		}
		if th.running == nil || !th.running.hasRegisters {
			t.Fatalf("no registers of thread 0x%x", th.VA)
		}
		th.running = nil
		if frames, why := o.dump.stack(th); len(frames) > 0 || why == nil {
			t.Errorf("without registers there are %d frames: %v", len(frames), why)
		}
	}
}
