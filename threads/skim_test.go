package threads_test

import (
	"slices"
	"strings"
	"testing"

	"kdlocks/kd"
	"kdlocks/threads"
)

const plainBlock = `THREAD ffffac9d5e401080  Cid 13cc.0828  Teb: 000000d9a9c2a000 Win32Thread: ffffac9d5e4a1b10 WAIT: (WrResource) KernelMode Non-Alertable
            ffff99924c7727a0  SynchronizationEvent
            ffff99924c7727b0  Mutant - owning thread ffffac9d5e402080
        IRP List:
            ffffac9d5d9b9330: (0006,04c0) Flags: 00000884  Mdl: 00000000
        Not impersonating
        DeviceMap                 ffff8b0a2c4a3d10
        Owning Process            ffffac9d5d0c6080       Image:         3dsmax.exe
        Attached Process          N/A            Image:         N/A
        Wait Start TickCount      77113          Ticks: 84 (0:00:00:01.312)
        Context Switch Count      3563           IdealProcessor: 3             
        UserTime                  00:00:00.000
        KernelTime                00:00:00.015
        Win32 Start Address ntdll!TppWorkerThread (0x00007ff9d3c8f9d0)
        Stack Init ffff99924c772fd0 Current ffff99924c7723c0
        Base ffff99924c773000 Limit ffff99924c76d000 Call 0000000000000000
        Priority 10 BasePriority 8 UnusualBoost 0 ForegroundBoost 2 IoPriority 2 PagePriority 5
        Child-SP          RetAddr           : Args to Child                                                           : Call Site
        ffff9992` + "`" + `4c772400 fffff803` + "`" + `0228da52 : 00000000` + "`" + `00000000 ffffac9d` + "`" + `5e401080 00000000` + "`" + `00000001 fffff803` + "`" + `00000000 : nt!KiSwapContext+0x76
        ffff9992` + "`" + `4c772540 fffff803` + "`" + `0228fbaf : ffffac9d` + "`" + `5e401080 00000000` + "`" + `00000000 00000000` + "`" + `00000000 00000000` + "`" + `00000000 : nt!ExpWaitForResource+0x1a1
        0000009f` + "`" + `1dbff8a8 00000000` + "`" + `00000000 : 00000000` + "`" + `00000000 00000000` + "`" + `00000000 00000000` + "`" + `00000000 00000000` + "`" + `00000000 : ntdll!NtWaitForSingleObject+0x14 (TrapFrame @ ffff9992` + "`" + `4c772b00)

`

const nextBlock = "        THREAD ffffac9d5e401580  Cid"

func TestSkimBlock(t *testing.T) {
	var s threads.Skimmer
	got, ok := s.Block([]byte(plainBlock + nextBlock))
	if !ok {
		t.Fatal("the plain layout is not skimmed")
	}
	want := threads.Brief{
		Addr: 0xffffac9d5e401080, Limit: 0xffff99924c76d000, StackSize: 0x6000, State: threads.Waiting,
		Traits: threads.HasIRP | threads.HasOwner | threads.WaitsOnStack, Reason: got.Reason,
		Calls: threads.CallOf("nt", "KiSwapContext").Or(threads.CallOf("nt", "ExpWaitForResource")).Or(threads.CallOf("NTDLL", "NtWaitForSingleObject")),
	}
	if got.Brief != want || got.WaitReason() != "WrResource" || got.Lines != 21 || got.Blanks != 1 || got.End != len(plainBlock) || got.Next != len(plainBlock)+8 {
		t.Errorf("got %+v", got)
	}
}

var notResident = strings.Replace(plainBlock, "        Child-SP", "        Kernel stack not resident.\n        Child-SP", 1)

func TestSkimNotResident(t *testing.T) {
	without := notResident[:strings.Index(notResident, "        Child-SP")] + "\n"
	for text, want := range map[string]threads.Traits{notResident: threads.NotResident, without: threads.NotResident | threads.NoStack} {
		var s threads.Skimmer
		if got, ok := s.Block([]byte(text + nextBlock)); !ok || got.Traits&(threads.NotResident|threads.NoStack) != want {
			t.Errorf("skimmed %v, traits %b, want %b", ok, got.Traits, want)
		}
	}
}

var suspended = strings.Replace(plainBlock, "            ffff99924c7727a0", "SuspendCount 1\nFreezeCount 1\n            ffff99924c7727a0", 1)

const noAddr = "--------`--------"

var inlined = strings.Replace(plainBlock, "        0000009f", "        (Inline Function) "+noAddr+"     nt!KiX+0x19 [minkernel\\x.c @ 10]\n        (Inline Function) "+noAddr+" : "+noAddr+" "+noAddr+" "+noAddr+" "+noAddr+" : nt!KiY+0x19\n        0000009f", 1)

func TestSkimMoreLines(t *testing.T) {
	for _, text := range []string{suspended, inlined} {
		var s threads.Skimmer
		if got, ok := s.Block([]byte(text + nextBlock)); !ok || got.Lines != 23 {
			t.Errorf("skimmed %v, %d lines, want 23:\n%s", ok, got.Lines, text)
		}
	}
}

// TestSkimLeaves: what is not plain to the letter is left to the Reader.
func TestSkimLeaves(t *testing.T) {
	replace := func(old, new string) string { return strings.Replace(plainBlock, old, new, 1) + nextBlock }
	for name, text := range map[string]string{
		"end of the text":       plainBlock,
		"prose behind":          plainBlock + "kd> !locks\n",
		"state":                 replace("WAIT: (WrResource)", "WAIT: (WrR"),
		"unknown reason":        replace("(WrResource)", "(WrNonsense)"),
		"cut address":           replace("THREAD ffffac9d5e401080", "THREAD ffffac9d5e40108"),
		"no stack":              plainBlock[:strings.Index(plainBlock, "        Child-SP")] + "\n" + nextBlock,
		"unknown line":          replace("DeviceMap ", "DeviceMop "),
		"bad argument":          replace(": ffffac9d`5e401080", ": ffffac9d`5e40108x"),
		"a symbol that is none": replace("nt!ExpWaitForResource+0x1a1", "see below"),
		"cut in a frame":        replace(" : nt!ExpWaitForResource+0x1a1", ""),
		"blank line inside":     replace("        Not imp", "\n        Not imp"),
	} {
		var s threads.Skimmer
		if _, ok := s.Block([]byte(text)); ok {
			t.Errorf("%s: skimmed", name)
		}
	}
}

// FuzzSkim: where the Skimmer reads a block, the Reader reads the same.
func FuzzSkim(f *testing.F) {
	f.Add(plainBlock)
	f.Add(strings.ReplaceAll(plainBlock, "        ", ""))
	f.Add(notResident)
	f.Add(suspended)
	f.Add(inlined)
	f.Add(notResident[:strings.Index(notResident, "        Child-SP")] + "\n")
	f.Add(strings.ReplaceAll(plainBlock, "\n", "\r\n"))
	f.Add(strings.Replace(plainBlock, "WAIT: (WrResource) KernelMode Non-Alertable", "RUNNING on processor 3", 1))
	f.Fuzz(func(t *testing.T, text string) {
		var s threads.Skimmer
		b, ok := s.Block([]byte(text + nextBlock))
		if !ok {
			return
		}
		var r threads.Reader
		r.Line(kd.Line{Text: "THREAD 8a169530"}) // as after another block
		lines := kd.Lines(text[:min(len(text), b.End)])
		for i, l := range lines {
			if claimed := r.Line(l); claimed != (i < int(b.Lines)) {
				t.Fatalf("line %d of %d: claimed %v: %q", i+1, b.Lines, claimed, l.Text)
			}
		}
		got := r.Done()
		if len(lines) != int(b.Lines)+b.Blanks || len(got.Threads) != 2 || len(got.Notes) != 0 {
			t.Fatalf("%d lines of %d+%d, %d threads, notes %v", len(lines), b.Lines, b.Blanks, len(got.Threads), got.Notes)
		}
		compareBrief(t, &b.Brief, got.Threads[1])
		learned := "\n" + s.Learned()
		for _, f := range got.Threads[1].Stack.Frames {
			if (f.Module != "" || f.Function != "") && !strings.Contains(learned, "\n"+f.Module+"!"+f.Function+"\n") {
				t.Errorf("%s!%s is not among %q", f.Module, f.Function, learned)
			}
		}
	})
}

func compareBrief(t *testing.T, b *threads.Brief, th *threads.Thread) {
	t.Helper()
	traits := map[threads.Traits]bool{
		threads.UserWait: th.WaitMode == "UserMode", threads.HasIRP: len(th.IRPs) > 0, threads.HasReply: th.Reply != nil,
		threads.HasOwner:     slices.ContainsFunc(th.WaitObjects, func(w threads.WaitObject) bool { return w.Owner != 0 || w.Kind == "Mutant" }),
		threads.WaitsOnStack: th.FindFrame("ExpWaitForResource") >= 0,
		threads.QueueWait:    th.FindFrame(threads.QueueWaits...) >= 0,
		threads.IOWait:       th.FindFrame(threads.IOWaits...) >= 0,
		threads.AsksUserMode: th.FindFrame(threads.UserModeWaits...) >= 0,
		threads.NotResident:  th.NotResident,
		threads.NoStack:      len(th.Stack.Frames) == 0,
		threads.Worker:       th.FindFrame("ExpWorkerThread") >= 0,
		threads.LockWait:     waitsIn(th, threads.LockWait),
		threads.Special: waitsIn(th, threads.Special) ||
			th.FindFrame(threads.RareRoutines...) >= 0,
		threads.EndWait: slices.ContainsFunc(th.WaitObjects, func(w threads.WaitObject) bool {
			return w.Kind == "Thread" || w.Kind == "ProcessObject"
		}),
		threads.OtherObject: slices.ContainsFunc(th.WaitObjects, func(w threads.WaitObject) bool {
			return w.Kind == "Thread" || w.Kind == "ProcessObject" || w.Kind == "QueueObject" || w.IsTimer()
		}),
	}
	for trait, want := range traits {
		if b.Has(trait) != want {
			t.Errorf("trait %b: %v, want %v", trait, b.Has(trait), want)
		}
	}
	if b.Calls != th.Calls() {
		t.Errorf("the calls of the brief differ from those of the thread")
	}
	if !b.Fits(th) || b.WaitReason() != th.WaitReason || th.Conflict != "" {
		t.Errorf("brief %+v of thread %+v", b, th)
	}
	th.Stack.Split(kd.X64)
	if len(th.Stack.Segments) > 1 && !b.Has(threads.Expanded) {
		t.Errorf("%d segments", len(th.Stack.Segments))
	}
}

func BenchmarkSkim(b *testing.B) {
	text := []byte(strings.Repeat(plainBlock, 100) + nextBlock)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		var s threads.Skimmer
		for at := 0; ; {
			got, ok := s.Block(text[at:])
			if !ok {
				break
			}
			at += got.End
		}
	}
}

func BenchmarkReader(b *testing.B) {
	lines := kd.Lines(strings.Repeat(plainBlock, 100))
	b.SetBytes(int64(len(plainBlock) * 100))
	for b.Loop() {
		threads.Read(lines)
	}
}

// waitsIn reports whether a frame is of a routine of the table that sets the
// trait in a Brief.
func waitsIn(t *threads.Thread, trait threads.Traits) bool {
	return t.FindFrame(threads.Words(trait)...) >= 0
}
