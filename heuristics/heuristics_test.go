package heuristics

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"kdlocks/kd"
	"kdlocks/stacks"
	"kdlocks/threads"
	"kdlocks/transcript"
)

// judged reads text as one session and judges it.
func judged(t *testing.T, text string) Judgement {
	t.Helper()
	tr, err := transcript.Read(context.Background(), []transcript.Input{transcript.Bytes("in", []byte(text))}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return Judge(tr.Snapshots[0])
}

// withStack makes a thread with the given call sites, innermost first.
func withStack(sites ...string) *threads.Thread {
	t := threads.New(0xfffffa8016910b60, kd.Ref{})
	for i, s := range sites {
		m, f, _ := strings.Cut(s, "!")
		t.Stack.Frames = append(t.Stack.Frames, stacks.Frame{ChildSP: 0xfffff88007fab000 + kd.Addr(i)*0x40, Module: m, Function: f, Symbol: s})
	}
	return t
}

func TestIsIdleWorker(t *testing.T) {
	for _, tc := range []struct {
		name  string
		state threads.State
		why   string
		sites []string
		want  bool
	}{
		{"idle", threads.Waiting, "WrQueue", []string{"nt!KiSwapContext", "nt!KeRemoveQueueEx", "nt!ExpWorkerThread", "nt!PspSystemThreadStartup"}, true},
		{"idle, Windows 10", threads.Waiting, "WrQueue", []string{"nt!KiSwapContext", "nt!KeRemovePriQueue", "nt!ExpWorkerThread"}, true},
		{"idle, NT names", threads.Waiting, "WrQueue", []string{"ntoskrnl!_KeRemoveQueue", "ntoskrnl!_ExpWorkerThread"}, true},
		{"no stack", threads.Waiting, "WrQueue", nil, true},
		{"inside a work item", threads.Waiting, "WrQueue", []string{"nt!KeRemoveQueueEx", "drv!WorkItem", "nt!ExpWorkerThread"}, false},
		{"completion port", threads.Waiting, "WrQueue", []string{"nt!KeRemoveQueueEx", "nt!IoRemoveIoCompletion", "nt!NtWaitForWorkViaWorkerFactory"}, false},
		{"waits for a lock", threads.Waiting, "WrResource", []string{"nt!ExpWaitForResource", "drv!WorkItem", "nt!ExpWorkerThread"}, false},
		{"runs", threads.Running, "", []string{"nt!KeRemoveQueueEx", "nt!ExpWorkerThread"}, false},
	} {
		th := withStack(tc.sites...)
		th.State, th.WaitReason = tc.state, tc.why
		if got := isIdleWorker(th); got != tc.want {
			t.Errorf("%s: %v", tc.name, got)
		}
	}
}

func TestWaits(t *testing.T) {
	for _, tc := range []struct {
		name           string
		reason, mode   string
		irp            bool
		sites          []string
		userMode, byIO bool
	}{
		{"reply", "WrLpcReply", "UserMode", false, nil, true, false},
		{"filter message", "Executive", "KernelMode", false, []string{"nt!KeWaitForSingleObject", "FLTMGR!FltSendMessage", "av!Scan"}, true, false},
		{"user-mode wait", "UserRequest", "UserMode", false, nil, true, false},
		{"page", "WrPageIn", "KernelMode", false, nil, false, true},
		{"IRP", "Executive", "KernelMode", true, nil, false, true},
		{"disk", "Executive", "KernelMode", false, []string{"nt!KeWaitForSingleObject", "Ntfs!NtfsNonCachedIo"}, false, true},
		{"driver below IofCallDriver", "Executive", "KernelMode", false, []string{"nt!KeWaitForSingleObject", "evilav!WaitForScan", "FLTMGR!FltpPassThrough", "nt!IofCallDriver"}, false, false},
		{"event", "Executive", "KernelMode", false, []string{"nt!KeWaitForSingleObject", "drv!Main"}, false, false},
		{"resource, with an IRP", "WrResource", "KernelMode", true, []string{"nt!ExpWaitForResource", "nt!IofCallDriver"}, false, false},
	} {
		th := withStack(tc.sites...)
		th.State, th.WaitReason, th.WaitMode = threads.Waiting, tc.reason, tc.mode
		if tc.irp {
			th.IRPs = []threads.IRP{{Addr: 1}}
		}
		user, _ := userModeWait(th)
		io, _ := ioWait(th)
		if (user != "") != tc.userMode || (io != "") != tc.byIO {
			t.Errorf("%s: user mode %q, I/O %q", tc.name, user, io)
		}
	}
}

func TestReentered(t *testing.T) {
	for _, tc := range []struct {
		name  string
		sites []string
		want  string
	}{
		{"twice", []string{"nt!Wait", "drv!Inner", "drv!Callback", "nt!Teardown", "Ntfs!Close", "nt!IofCallDriver", "drv!Open", "drv!Worker", "nt!ExpWorkerThread"}, "drv 1 2 7"},
		{"once", []string{"nt!Wait", "drv!Inner", "drv!Outer", "nt!ExpWorkerThread"}, ""},
		{"Windows calls itself", []string{"nt!Wait", "Ntfs!A", "nt!B", "Ntfs!C"}, ""},
		{"two drivers, one twice", []string{"a!One", "b!One", "nt!X", "b!Two"}, "b 1 1 3"},
	} {
		got := ""
		if r := reentered(withStack(tc.sites...)); r != nil {
			got = fmt.Sprintf("%s %d %d %d", r.module, r.inner, r.entry, r.outer)
		}
		if got != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
}

func TestAcquireAndNearest(t *testing.T) {
	th := withStack("nt!KiSwapContext", "nt!ExpWaitForResource", "nt!ExpAcquireResourceExclusiveLite", "nt!ExAcquireResourceExclusiveLite", "nt!FsRtlAcquireFileForCcFlushEx", "nt!CcFlushCache", "fs1!Read", "FLTMGR!FltpDispatch", "av!Filter")
	routine, caller := acquire(th)
	if routine != 3 || caller != 4 {
		t.Errorf("acquire at %d, caller %d", routine, caller)
	}
	if i := nearest(th, routine); i != 6 {
		t.Errorf("nearest at %d", i)
	}
	if i := nearest(withStack("nt!A", "Ntfs!B"), 0); i != -1 {
		t.Errorf("part of Windows at %d is no suspect", i)
	}
	if r, c := acquire(withStack("nt!KiSwapContext", "drv!Main")); r != -1 || c != -1 {
		t.Errorf("no lock request, but %d %d", r, c)
	}
}

const (
	a = "fffffa8016910b60"
	b = "fffffa8016920b60"
	c = "fffffa8016930b60"
)

func lock(n int, owner string, waiters ...string) string {
	return fmt.Sprintf("Resource @ 0xfffffa8011ef%dde8    Exclusively owned\n    NumberOfExclusiveWaiters = %d\n     Threads: %s-01<*>\n     Threads Waiting On Exclusive Access:\n              %s\n\n", n, len(waiters), owner, strings.Join(waiters, "       "))
}

func state(addr, s string) string {
	return "THREAD " + addr + "  Cid 0004.0100  Teb: 0 Win32Thread: 0 " + s + "\nNot impersonating\n\n"
}

// TestVerdictOrder: the weightiest finding gives the verdict, and what is
// missing makes it undecided only where nothing is proven.
func TestVerdictOrder(t *testing.T) {
	const event = "WAIT: (Executive) KernelMode Non-Alertable"
	for _, tc := range []struct {
		name, text string
		kind       Kind
		first      string
		undecided  bool
	}{
		{"deadlock before a missing owner", lock(1, a, b) + lock(2, b, a) + lock(3, c, "fffffa8016940b60"), Deadlock, "deadlock-cycle", true},
		{"orphaned lock before a chain", lock(1, a, b) + state(a, "TERMINATED") + lock(2, c, "fffffa8016940b60") + state(c, event), OrphanedLock, "owner-terminated", false},
		{"undecided before a chain", lock(1, a, b) + lock(2, c, "fffffa8016940b60") + state(c, event), Undecided, "owner-missing", true},
		{"the larger chain first", lock(1, a, b) + state(a, event) + lock(2, c, "fffffa8016940b60", "fffffa8016950b60") + state(c, "WAIT: (WrFreePage) KernelMode Non-Alertable"), BlockedChain, "memory-pressure", false},
		{"a root that waits before a larger one that runs", lock(1, a, b) + state(a, event) + lock(2, c, "fffffa8016940b60", "fffffa8016950b60") + state(c, "RUNNING on processor 0"), BlockedChain, "blocked-chain", false},
		{"nothing waits", "Resource @ 0xfffffa8011ef1de8    Exclusively owned\n     Threads: " + a + "-01<*>\n\n", NoDeadlock, "", false},
		{"no locks given", state(a, event), Undecided, "", true},
	} {
		j := judged(t, tc.text)
		first := ""
		if len(j.Findings) > 0 {
			first = j.Findings[0].Check.ID
		}
		if j.Verdict.Kind != tc.kind || first != tc.first || j.Undecided != tc.undecided {
			t.Errorf("%s: %s, first %q, undecided %v", tc.name, j.Verdict.Kind, first, j.Undecided)
		}
		if !strings.HasSuffix(j.Verdict.Summary, ".") && !strings.HasSuffix(j.Verdict.Summary, ")") {
			t.Errorf("%s: no sentence: %q", tc.name, j.Verdict.Summary)
		}
	}
}

// TestNextCommandsNameWhatIsMissing: every gap that decides has a command, and
// findings about threads without a stack ask for it.
func TestNextCommandsNameWhatIsMissing(t *testing.T) {
	j := judged(t, lock(1, a, b)+lock(2, b, a)+lock(3, c, "fffffa8016940b60"))
	if got := j.Findings[0].Next; !slices.Contains(got, "!thread "+a) || !slices.Contains(got, "!thread "+b) {
		t.Errorf("next of the cycle: %q", got)
	}
	for _, g := range j.Gaps {
		if g.Next == "" || g.What == "" || g.Why == "" {
			t.Errorf("gap %+v", g)
		}
	}
	if len(j.NotSeen) == 0 {
		t.Error("nothing is said of what was not looked at")
	}
}

func TestWorst(t *testing.T) {
	js := []Judgement{{Verdict: Verdict{Kind: NoDeadlock}}, {Verdict: Verdict{Kind: Deadlock}}, {Verdict: Verdict{Kind: Undecided}}}
	if w := Worst(js); w != &js[1] {
		t.Errorf("worst is %v", w.Verdict.Kind)
	}
	if Worst(nil) != nil {
		t.Error("no judgement has a worst one")
	}
}

// TestManyRoots: 10,000 shared owners of one lock and 10,000 waiters stay cheap,
// and the findings are capped with a note.
func TestManyRoots(t *testing.T) {
	var s strings.Builder
	s.WriteString("Resource @ 0xfffffa8011ef1de8    Shared 10000 owning threads\n    NumberOfExclusiveWaiters = 10000\n     Threads: ")
	for i := range 10000 {
		fmt.Fprintf(&s, "fffffa80%08x-01<*> ", 0x10000000+i*0x100)
	}
	s.WriteString("\n     Threads Waiting On Exclusive Access:\n")
	for i := range 10000 {
		fmt.Fprintf(&s, "              fffffa80%08x\n", 0x20000000+i*0x100)
	}
	j := judged(t, s.String()+"\n1 total locks, 1 locks currently held\n")
	if j.Verdict.Kind != Undecided || j.Findings[0].Blocked != 10000 {
		t.Errorf("%s, %d blocked", j.Verdict.Kind, j.Findings[0].Blocked)
	}
	if len(j.Findings) > 3*MostFindings {
		t.Errorf("%d findings", len(j.Findings))
	}
}
