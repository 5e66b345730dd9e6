package snapshot_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"kdlocks/kd"
	"kdlocks/snapshot"
	"kdlocks/transcript"
)

// built reads text as the only session.
func built(t *testing.T, text string) *snapshot.Snapshot {
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

func locked(owner string) string {
	return "Resource @ 0xfffffa8011ef1de8    Exclusively owned\n    NumberOfSharedWaiters = 1\n     Threads: " + owner + "\n              fffffa8016990b60-01\n1 total locks, 1 locks currently held\n"
}

// thread has a stack fffff88007fa6000..fffff88007fac000 with the stack pointer
// at fffff88007fab3a0, moved by off.
func thread(addr, state string, off uint64) string {
	sp := func(a uint64) string {
		a += off
		return fmt.Sprintf("%08x`%08x", a>>32, a&0xffffffff)
	}
	return fmt.Sprintf("THREAD %s  Cid 0004.0100  Teb: 0 Win32Thread: 0 %s\nNot impersonating\nStack Init %016x Current %016x\nBase %016x Limit %016x Call 0\n",
		addr, state, 0xfffff88007fabdb0+off, 0xfffff88007fab3a0+off, 0xfffff88007fac000+off, 0xfffff88007fa6000+off) +
		"Child-SP          RetAddr           Call Site\n" +
		sp(0xfffff88007fab3e0) + " fffff800`0228da52 nt!KiSwapContext+0x7a\n" +
		sp(0xfffff88007fab7c0) + " fffff800`025796e6 drv!Callback+0xaf\n" +
		sp(0xfffff88007fab7f0) + " fffff880`016b9bcc nt!Teardown+0xe2\n" +
		sp(0xfffff88007fabd80) + " 00000000`00000000 nt!KxStartSystemThread+0x16\n\n"
}

const (
	tA   = "fffffa8016910b60"
	wait = "WAIT: (WrResource) KernelMode Non-Alertable"
	said = "%s is not a thread object, interpreting as stack value...\n"
)

func TestResolve(t *testing.T) {
	const unknown = "<*> *** Unknown owner, possibly FileSystem"
	for _, tc := range []struct{ name, text, want string }{
		{"thread", locked(tA+"-01<*>") + thread(tA, wait, 0), "thread 0xfffffa8016910b60"},
		{"thread that is not printed", locked(tA + "-01<*>"), "thread 0xfffffa8016910b60"},
		{"thread, remark notwithstanding", locked(tA+"-01"+unknown) + thread(tA, wait, 0), "thread 0xfffffa8016910b60"},
		{"unreadable thread", locked(tA + "-01<*> *** Invalid thread"), "unresolved 0x0"},
		{"actual thread", locked("fffffa8016910b63-01<*> *** Actual Thread " + tA), "tagged-thread 0xfffffa8016910b60"},
		{"low bits on a printed thread", locked("fffffa8016910b63-01<*>") + thread(tA, wait, 0), "tagged-thread 0xfffffa8016910b60"},
		{"low bits on a listed waiter", locked("fffffa8016990b63-01<*>"), "tagged-thread 0xfffffa8016990b60"},
		{"stack", locked("fffff88007fab7f3-01"+unknown) + thread(tA, wait, 0), "stack 0xfffffa8016910b60 live frame 2 by 1 param 1"},
		{"lowest address of the stack", locked("fffff88007fa6003-01"+unknown) + thread(tA, wait, 0), "stack 0xfffffa8016910b60 returned"},
		{"end of the stack", locked("fffff88007fac003-01"+unknown) + thread(tA, wait, 0), "unresolved 0x0"},
		{"below the stack", locked("fffff88007fa5fff-01"+unknown) + thread(tA, wait, 0), "unresolved 0x0"},
		{"at the stack pointer", locked("fffff88007fab3a3-01"+unknown) + thread(tA, wait, 0), "stack 0xfffffa8016910b60 live"},
		{"below the stack pointer", locked("fffff88007fab39f-01"+unknown) + thread(tA, wait, 0), "stack 0xfffffa8016910b60 returned"},
		{"running: Current is old", locked("fffff88007fab3a3-01"+unknown) + thread(tA, "RUNNING on processor 0", 0), "stack 0xfffffa8016910b60 returned"},
		{"two stacks", locked("fffff88007fab7f3-01"+unknown) + thread(tA, wait, 0) + thread("fffffa8016920b60", wait, 0), "unresolved 0x0"},
		{"right one of two stacks", locked("fffff88009fab7f3-01"+unknown) + thread(tA, wait, 0) + thread("fffffa8016920b60", wait, 0x2000000), "stack 0xfffffa8016920b60 live frame 2 by 1 param 1"},
		{"said by the debugger", locked("fffff88007fab7f3-01"+unknown) + fmt.Sprintf(said, "fffff88007fab7f3") + thread(tA, wait, 0), "debugger 0xfffffa8016910b60 live frame 2 by 1 param 1"},
		{"said without low bits", locked("fffff88007fab7f3-01"+unknown) + fmt.Sprintf(said, "fffff88007fab7f0") + thread(tA, wait, 0), "debugger 0xfffffa8016910b60 live frame 2 by 1 param 1"},
		{"said, but outside the printed range", locked("fffff88007fac003-01"+unknown) + fmt.Sprintf(said, "fffff88007fac003") + thread(tA, wait, 0), "unresolved 0x0"},
		{"said, without any range", locked("fffff88007fab7f3-01"+unknown) + fmt.Sprintf(said, "fffff88007fab7f3") + "THREAD " + tA + "  Cid 0004.0100  Teb: 0 Win32Thread: 0 " + wait + "\n", "debugger 0xfffffa8016910b60"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := showOwner(built(t, tc.text).Resources[0].Resolved[0]); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func showOwner(o snapshot.Owner) string {
	s := fmt.Sprintf("%s %s", o.How, o.Thread)
	switch {
	case !o.Pointer:
	case o.Live == 2:
		s += " live"
	case o.Live == 1:
		s += " returned"
	}
	if o.Slot.Frame >= 0 {
		s += fmt.Sprintf(" frame %d by %d param %d", o.Slot.Frame, o.Slot.Setter, o.Slot.Param)
	}
	return s
}

func TestMergeResources(t *testing.T) {
	const head = "Resource @ 0xfffffa8011ef1de8    Exclusively owned\n"
	whole := head + "    NumberOfSharedWaiters = 2\n     Threads: " + tA + "-01<*> fffffa8016920b60-01 fffffa8016930b60-01\n\n"
	cut := head + "    NumberOfSharedWaiters = 2\n     Threads: " + tA + "-01<*> fffffa8016920b60-01\n\n"
	other := head + "     Threads: fffffa8016920b60-01<*>\n\n"
	for _, tc := range []struct {
		name, text string
		owner      kd.Addr
		waiters    int
		note       string
	}{
		{"twice the same", whole + whole, 0xfffffa8016910b60, 2, ""},
		{"the second is cut", whole + cut, 0xfffffa8016910b60, 2, ""},
		{"the first is cut", cut + whole, 0xfffffa8016910b60, 2, ""},
		{"another moment", whole + other, 0xfffffa8016920b60, 0, "was printed before"},
		{"no type", whole + "Cannot get _ERESOURCE type\nResource @ 0xfffffa8011ef1de8    Available\n", 0xfffffa8016910b60, 2, ""},
	} {
		s := built(t, tc.text)
		if len(s.Resources) != 1 || s.Resources[0].Resolved[0].Thread != tc.owner || len(s.Resources[0].SharedWaiters) != tc.waiters {
			t.Errorf("%s: %s", tc.name, s)
		}
		if tc.note != "" && !strings.Contains(s.String(), tc.note) {
			t.Errorf("%s: no note in %s", tc.name, s)
		}
	}
}

func TestMergeThreads(t *testing.T) {
	head := "THREAD " + tA + "  Cid 0004.0100  Teb: 0 Win32Thread: 0 "
	s := built(t, head+wait+"\n    fffffa80139ea3e0  Semaphore Limit 0x7fffffff\n\n"+thread(tA, wait, 0))
	if len(s.Threads) != 1 || len(s.Threads[0].Stack.Frames) != 4 || len(s.Threads[0].WaitObjects) != 1 {
		t.Errorf("flags 2, then the whole: %s", s)
	}
	s = built(t, "Implicit thread is now "+tA+"\nChild-SP          RetAddr           Call Site\nfffff880`07fab3e0 fffff800`0228da52 nt!KiSwapContext+0x7a\n\n"+head+wait+"\n")
	if len(s.Threads) != 1 || len(s.Threads[0].Stack.Frames) != 1 || s.Threads[0].WaitReason != "WrResource" {
		t.Errorf(".thread and k, then !thread: %s", s)
	}
	s = built(t, head+wait+"\n\n"+strings.Replace(head, "0004.0100", "0008.0200", 1)+wait+"\n")
	if len(s.Threads) != 1 || !strings.Contains(s.String(), "with CID 0004.0100") {
		t.Errorf("one address, two CIDs: %s", s)
	}
	moved := strings.ReplaceAll(strings.ReplaceAll(thread(tA, wait, 0), "07fab3a0", "07fabb00"), "nt!KiSwapContext", "nt!KiSwapThread")
	s = built(t, thread(tA, wait, 0)+moved)
	if th := s.Threads[0]; len(s.Threads) != 1 || th.Conflict == "" || th.Stack.Current != 0xfffff88007fabb00 || th.Stack.Frames[0].Function != "KiSwapThread" {
		t.Errorf("it moved on: %s", s)
	}
	s = built(t, head+wait+"\n\n"+head+"RUNNING on processor 1\n")
	if s.Threads[0].State.String() != "running" || !strings.Contains(s.String(), "printed before") {
		t.Errorf("two moments: %s", s)
	}
}

// TestSignExtended: a 64-bit debugger prints the addresses of an x86 target
// with 16 digits; they are the same addresses.
func TestSignExtended(t *testing.T) {
	s := built(t, "Resource @ 0x8b4425c8    Exclusively owned\n     Threads: 8a169530-01<*>\n\nTHREAD ffffffff8a169530  Cid 0004.0100  Teb: 0 Win32Thread: 0 RUNNING on processor 0\n")
	if s.Target.Arch != kd.X86 || s.Thread(0x8a169530) == nil || s.Resources[0].Resolved[0].How != snapshot.ByThread {
		t.Errorf("%s", s)
	}
}

func TestWhatIs(t *testing.T) {
	s := built(t, locked("fffff88007fab7f3-01<*> *** Unknown owner, possibly FileSystem")+thread(tA, wait, 0))
	for _, tc := range []struct {
		addr kd.Addr
		want string
	}{
		{0xfffffa8011ef1de8, "resource"},
		{0xfffffa8016910b60, "thread"},
		{0xfffff88007fab7f3, "owner stack"},
		{0xfffff88007fab900, "stack"},
		{0x1234, ""},
	} {
		var kinds []string
		for _, m := range s.WhatIs(tc.addr) {
			kinds = append(kinds, m.Kind)
		}
		if got := strings.Join(kinds, " "); got != tc.want {
			t.Errorf("%s is %q, want %q", tc.addr, got, tc.want)
		}
	}
}

func TestAnnouncedButNotListed(t *testing.T) {
	s := built(t, "Resource @ 0xfffffa8011ef1de8    Exclusively owned\n    NumberOfExclusiveWaiters = 1\n     Threads: "+tA+"-01<*>\n     Threads Waiting On Exclusive Access:\n\n16088 total locks, 2 locks currently held\n")
	for _, want := range []string{"announced: 1 exclusive waiter, listed: 0", "said to be held: 2 locks, listed: 1"} {
		if !strings.Contains(s.String(), want) {
			t.Errorf("no note %q in\n%s", want, s)
		}
	}
}

// TestAdoptedStacks: a stack without a header goes to the one thread whose
// range holds it, or whose wait object lies on it.
func TestAdoptedStacks(t *testing.T) {
	const stack = "Child-SP          RetAddr           Call Site\nfffff880`07fab3e0 fffff800`0228da52 nt!KiSwapContext+0x7a\nfffff880`07fab7c0 fffff800`0228da52 nt!ExpWaitForResource+0x7a\n"
	head := "THREAD " + tA + "  Cid 0004.0100  Teb: 0 Win32Thread: 0 " + wait + "\n"
	const limits = "Base fffff88007fac000 Limit fffff88007fa6000 Call 0\n"
	for _, tc := range []struct {
		name, text string
		threads    int
		frames     int // of the first thread with an address
	}{
		{"by range", "0: kd> k\n" + stack + "0: kd> !thread " + tA + " 0\n" + head + limits, 1, 2},
		{"by wait object", "0: kd> k\n" + stack + "0: kd> !thread " + tA + " 0\n" + head + "    fffff88007fab900  SynchronizationEvent\nNot impersonating\n", 1, 2},
		{"elsewhere", "0: kd> k\n" + stack + "0: kd> !thread " + tA + " 0\n" + head + "    fffffa8007fab900  SynchronizationEvent\nNot impersonating\n", 2, 0},
		{"two could own it", "0: kd> k\n" + stack + "0: kd> !process 0 6\n" + head + limits + "\n" + strings.Replace(head, tA, "fffffa8016920b60", 1) + limits, 3, 0},
	} {
		s := built(t, tc.text)
		if len(s.Threads) != tc.threads || len(s.Thread(0xfffffa8016910b60).Stack.Frames) != tc.frames {
			t.Errorf("%s: %s", tc.name, s)
		}
	}
}

// TestRowAndBlock: the row of !stacks and the block of !thread are one thread;
// the block says more, in whichever order they come.
func TestRowAndBlock(t *testing.T) {
	const row = "   4.000100  " + tA + " 0004d63 Blocked    nt!KiSwapContext+0x76\n                                        nt!KiSwapThread+0x500\n                                        nt!A+0x1\n                                        nt!B+0x1\n                                        nt!C+0x1\n\n"
	for _, text := range []string{row + thread(tA, wait, 0), thread(tA, wait, 0) + row} {
		s := built(t, text)
		if th := s.Threads[0]; len(s.Threads) != 1 || th.WaitReason != "WrResource" || len(th.Stack.Frames) != 4 || th.Conflict != "" {
			t.Errorf("%s", s)
		}
	}
}

// TestStubKeepsThread: a THREAD line that was cut takes nothing of what another
// print of the thread says (dumpanalysis.org, crash dump analysis patterns).
func TestStubKeepsThread(t *testing.T) {
	const row = "0: kd> !stacks\n                            [89d6d8e8 ServiceA.exe]\n1454.0014b0  89d36b60 0000163 Blocked    DriverA!Check+0x177\n"
	const block = "THREAD 89d36b60  Cid 1454.14b0  Teb: 00000000 Win32Thread: 00000000 WAIT: (Executive) KernelMode Non-Alertable\n    8a000000  NotificationEvent\nWait Start TickCount      100            Ticks: 355 (0:00:00:05.546)\n"
	const properties = "Owning Process            89d6d8e8       Image:         ServiceA.exe\nContext Switch Count      7\n"
	for _, tc := range []struct {
		name, text string
		state, cid string
		line       int32 // of the thread
		ticks      int64
		switches   int64
		image      string
		header     bool
		open       bool // the list of its wait objects
	}{
		{"a row", row + "0: kd> !process 89d6d8e8\nTHREAD 89d36b60  Cid 1\n", "waiting", "1454.14b0", 3, 355, -1, "ServiceA.exe", false, false},
		{"a row behind it", "THREAD 89d36b60  Cid 1\n" + row, "waiting", "1454.14b0", 4, 355, -1, "ServiceA.exe", false, false},
		{"a block", block + properties + "0: kd> !thread 89d36b60\nTHREAD 89d36b60\n", "waiting", "1454.14b0", 1, 355, 7, "ServiceA.exe", true, false},
		{"a line that tells the CID", "   4.000014  89d36b60  Blocked    nt!A+0x1\nTHREAD 89d36b60  Cid 0004.0014  Teb: 00000000\n", "waiting", "0004.0014", 1, -1, -1, "", false, false},
		{"a line with a block", row + "0: kd> !thread 89d36b60\nTHREAD 89d36b60  Cid 1\n" + properties, "waiting", "1454.14b0", 5, 355, 7, "ServiceA.exe", true, false},
		{"another thread", row + "0: kd> !thread 89d36b60\nTHREAD 89d36b68  Cid 1\n", "waiting", "1454.14b0", 3, 355, -1, "ServiceA.exe", false, false},
	} {
		th := built(t, tc.text).Thread(0x89d36b60)
		if th.State.String() != tc.state || th.CID.String() != tc.cid || th.At.Line != tc.line || th.Ticks != tc.ticks || th.ContextSwitches != tc.switches || th.Process.Image != tc.image || th.Header != tc.header || th.WaitListOpen != tc.open {
			t.Errorf("%s: %+v", tc.name, th)
		}
	}
}

// TestRowsAgainstBlocks: a thread on a processor is in no other state, so a row
// of !running and a block that says otherwise are of two moments. The block is
// kept, whatever comes first.
func TestRowsAgainstBlocks(t *testing.T) {
	const row = "     Prcb      Current   Next\n  0  fffff80002e50180  fffffa8016910b60  fffffa8016920b60  ................\n"
	for _, tc := range []struct {
		name, text, state string
		conflict          bool
	}{
		{"waits in its block", row + thread("fffffa8016910b60", "WAIT: (WrResource) KernelMode Non-Alertable", 0), "waiting", true},
		{"waits in its block before", thread("fffffa8016910b60", "WAIT: (WrResource) KernelMode Non-Alertable", 0) + row, "waiting", true},
		{"runs in its block", row + thread("fffffa8016910b60", "RUNNING on processor 0", 0), "running", false},
		{"another thread", row + thread("fffffa8016930b60", "WAIT: (WrResource) KernelMode Non-Alertable", 0), "running", false},
		{"stands by and waits", thread("fffffa8016920b60", "WAIT: (WrResource) KernelMode Non-Alertable", 0) + row, "running", false},
		{"blocked in another row", row + "   4.000050  fffffa8016910b60 0000017 Blocked    nt!KiSwapContext+0x76\n", "waiting", true},
		{"twice", row + row, "running", false},
	} {
		s := built(t, tc.text)
		th := s.Thread(0xfffffa8016910b60)
		if th.State.String() != tc.state || (th.Conflict != "") != tc.conflict {
			t.Errorf("%s: %s, conflict %q", tc.name, th.State, th.Conflict)
		}
		if next := s.Thread(0xfffffa8016920b60); (next.Conflict != "") != (tc.name == "stands by and waits") {
			t.Errorf("%s: Next: conflict %q", tc.name, next.Conflict)
		}
		if len(s.Processors) != 1 {
			t.Errorf("%s: %d processors", tc.name, len(s.Processors))
		}
	}
}

// TestProcessesOnce: a process that was printed twice is one, with all that
// was said of it.
func TestProcessesOnce(t *testing.T) {
	s := built(t, "PROCESS ffffcb234ff34200\n    SessionId: 1  Cid: 0584    Peb: 00d58000  ParentCid: 11ac\nPROCESS ffffcb234ff34200\n    Image: wpp.exe\nPROCESS ffffcb234ff35200  SessionId: none  Cid: 0000    Peb: 00000000  ParentCid: 0000\n")
	if len(s.Processes) != 2 || s.Processes[0].Image != "wpp.exe" || s.Processes[0].CID != 0x584 || !s.Processes[1].CIDKnown {
		t.Errorf("%+v", s.Processes)
	}
}

// TestVerifierIsNoLock: what Driver Verifier says makes no resource, thread or
// owner.
func TestVerifierIsNoLock(t *testing.T) {
	s := built(t, "Deadlock detected (2 resources in 2 threads):\nThread 0: A B\nThread 1: B A\nWhere:\nThread 0 = 8d3ba030\nThread 1 = 8d15c030\nLock A =   bba2af30 Type 'Spinlock'\nLock B =   dummy!GlobalLock Type 'Spinlock'\n")
	if len(s.VerifierDeadlocks) != 1 || len(s.Resources)+len(s.Threads) != 0 || s.HasLocks {
		t.Errorf("%s", s)
	}
}
