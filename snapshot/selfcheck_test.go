package snapshot_test

import (
	"context"
	"strings"
	"testing"

	"kdlocks/kd"
	"kdlocks/snapshot"
	"kdlocks/transcript"
)

const (
	tB = "fffffa8016920b60"
	// plain is a thread block without a stack.
	plain = "THREAD " + tA + "  Cid 0004.0100  Teb: 0 Win32Thread: 0 " + wait + "\n"
	// mexSays is what mex prints of the resource of locked.
	mexSays = "0: kd> !mex.eresource fffffa8011ef1de8\nnt!_ERESOURCE @ fffffa8011ef1de8 [verbose]\nContention count: 1\n\nExclusive owner:\n" +
		"    Process Thread             Time Wait Function\n    ======= ================ ====== ====\n    System  " + tA + " 2s.343 Drv!Work+0x38\n\n"
)

// waitsFor is a thread block with a line of a wait object, or of an IRP list.
func waitsFor(addr, lines string) string {
	return "THREAD " + addr + "  Cid 0004.0100  Teb: 0 Win32Thread: 0 WAIT: (UserRequest) KernelMode Non-Alertable\n" + lines + "Not impersonating\n\n"
}

func held(lines string) string {
	return "Resource @ 0xfffffa8011ef1de8    Exclusively owned\n" + lines + "1 total locks, 1 locks currently held\n"
}

// TestSelfChecks has for each check texts that it fails for, near misses, and
// those that hold nothing to check.
func TestSelfChecks(t *testing.T) {
	const (
		pass = snapshot.Passed
		fail = snapshot.Failed
		open = snapshot.NotCheckable
	)
	owned := "     Threads: " + tA + "-01<*>\n"
	for _, tc := range []struct {
		id   kd.SelfCheck
		name string
		text string
		want snapshot.Result
		at   int32 // line of the first place
	}{
		{kd.CountsFit, "a shared waiter too few", held("    NumberOfSharedWaiters = 2\n" + owned + "              " + tB + "-01\n"), fail, 2},
		{kd.CountsFit, "an exclusive waiter not listed", held("    NumberOfExclusiveWaiters = 1\n" + owned), fail, 2},
		{kd.CountsFit, "as many as announced", locked(tA + "-01<*>"), pass, 0},
		{kd.CountsFit, "rows of a command", "0: kd> !stacks 1\nProc.Thread  .Thread  Ticks   ThreadState Blocker\n                            [fffffa800cd6a5f0 System]\n   4.000008  " + tA + " 0000001 Blocked    nt!KiSwapContext+0x7a\n\nThreads Processed: 9\n", fail, 6},
		{kd.CountsFit, "rows that fit", "0: kd> !stacks 1\nProc.Thread  .Thread  Ticks   ThreadState Blocker\n                            [fffffa800cd6a5f0 System]\n   4.000008  " + tA + " 0000001 Blocked    nt!KiSwapContext+0x7a\n\nThreads Processed: 1\n", pass, 0},
		{kd.CountsFit, "no count", thread(tA, wait, 0), open, 0},

		{kd.MarksFit, "two owners of an exclusive lock", held("    NumberOfSharedWaiters = 1\n" + owned + "              " + tB + "-01<*>\n"), fail, 1},
		{kd.MarksFit, "more marked than counts allow", held(owned + "              " + tB + "-01<*>\n"), fail, 1},
		{kd.MarksFit, "one mark, one owner", locked(tA + "-01<*>"), pass, 0},
		{kd.MarksFit, "no list", thread(tA, wait, 0), open, 0},

		{kd.WaitersAgree, "a waiter that is printed", locked(tB+"-01<*>") + thread("fffffa8016990b60", wait, 0), pass, 0},
		{kd.WaitersAgree, "a waiter that is not", locked(tB+"-01<*>") + thread(tA, wait, 0), open, 0},

		{kd.OneRole, "a resource that is a thread", held(owned) + strings.Replace(plain, tA, "fffffa8011ef1de8", 1), fail, 4},
		{kd.OneRole, "an owner that is a resource", held("     Threads: fffffa8011ef1de8-01<*>\n"), fail, 2},
		{kd.OneRole, "a waiter that is a process", held("    NumberOfExclusiveWaiters = 1\n"+owned+"     Threads Waiting On Exclusive Access:\n              "+tB+"\n") + "PROCESS " + tB + "\n    SessionId: none  Cid: 0004    Peb: 00000000  ParentCid: 0000\n    Image: System\n", fail, 5},
		{kd.OneRole, "an IRP that is a thread", locked(tA+"-01<*>") + waitsFor(tA, "IRP List:\n    "+tB+": (0006,0310) Flags: 00000884  Mdl: 00000000\n") + thread(tB, wait, 0x10000), fail, 11},
		{kd.OneRole, "a mutant that is a resource", held(owned) + waitsFor(tB, "    fffffa8011ef1de8  Mutant - owning thread "+tA+"\n"), fail, 5},
		{kd.OneRole, "a thread in a list and in a block", locked(tA+"-01<*>") + thread(tA, wait, 0), pass, 0},
		{kd.OneRole, "a marker in a list", held("    NumberOfExclusiveWaiters = 1\n" + owned + "     Threads Waiting On Exclusive Access:\n              0000000000060001\n"), pass, 0},
		{kd.OneRole, "an owner pointer into a structure that begins with a resource", held("     Threads: fffffa8011ef1deb-01<*> *** Unknown owner, possibly FileSystem\n"), pass, 0},
		{kd.OneRole, "threads alone", thread(tA, wait, 0), open, 0},

		{kd.OneMoment, "a thread in two states", thread(tA, wait, 0) + thread(tA, "RUNNING on processor 1", 0), fail, 11},
		{kd.OneMoment, "a thread twice the same", thread(tA, wait, 0) + thread(tA, wait, 0), pass, 0},
		{kd.OneMoment, "a live machine", "lkd> !locks\n" + locked(tA+"-01<*>"), fail, 1},
		{kd.OneMoment, "a banner", "Windows 7 Kernel Version 7601 (Service Pack 1) MP (4 procs) Free x64\nDebug session time: Fri Nov  5 12:37:17.000 2010\n0: kd> !locks\n" + locked(tA+"-01<*>"), pass, 0},
		{kd.OneMoment, "nothing to tell by", locked(tA + "-01<*>"), open, 0},

		{kd.ToolsAgree, "mex names another owner", "0: kd> !locks\n" + locked(tB+"-01<*>") + mexSays, fail, 8},
		{kd.ToolsAgree, "mex names the same", "0: kd> !locks\n" + locked(tA+"-01<*>") + mexSays, pass, 0},
		{kd.ToolsAgree, "mex alone", mexSays, open, 2},
		{kd.ToolsAgree, "!locks alone", locked(tA + "-01<*>"), open, 0},

		{kd.ThreadsRead, "a state that is no state", thread(tA, "SLUMBER", 0), fail, 1},
		{kd.ThreadsRead, "a stack that is not resident", plain + "Not impersonating\nKernel stack not resident.\n", fail, 1},
		{kd.ThreadsRead, "the owner's stack without names", locked(tA+"-01<*>") + strings.NewReplacer("nt!KiSwapContext+0x7a", "0xfffff800`0228da52", "drv!Callback+0xaf", "0xfffff800`0228da52", "nt!Teardown+0xe2", "0xfffff800`0228da52", "nt!KxStartSystemThread+0x16", "0xfffff800`0228da52").Replace(thread(tA, wait, 0)), fail, 11},
		{kd.ThreadsRead, "an owner pointer on a stack without bounds", locked("fffff88007fab7f3-01<*>") + strings.ReplaceAll(strings.ReplaceAll(thread(tA, wait, 0), "Base fffff88007fac000 Limit fffff88007fa6000 Call 0\n", ""), "Stack Init fffff88007fabdb0 Current fffff88007fab3a0\n", ""), fail, 3},
		{kd.ThreadsRead, "all is there", locked("fffff88007fab7f3-01<*>") + thread(tA, wait, 0), pass, 0},
		{kd.ThreadsRead, "no stack of any", plain + "Not impersonating\n", open, 0},
		{kd.ThreadsRead, "a stack of one of two", plain + "Not impersonating\n\n" + thread(tB, wait, 0), pass, 0},
		{kd.ThreadsRead, "no thread", locked(tA + "-01<*>"), open, 0},

		{kd.TextWhole, "an owner cut in two", held("     Threads: fffffa801691\n0b60-01<*>\n"), fail, 2},
		{kd.TextWhole, "whole", locked(tA + "-01<*>"), pass, 0},
		{kd.TextWhole, "neither lock nor thread", "PROCESS " + tB + "\n    SessionId: none  Cid: 0004    Peb: 00000000  ParentCid: 0000\n    Image: System\n", open, 0},

		{kd.KindsSeen, "no pushlock", locked(tA+"-01<*>") + thread(tA, wait, 0), open, 0},
	} {
		c := checkOf(t, built(t, tc.text), tc.id)
		if c.Result != tc.want {
			t.Errorf("%s, %s: %s, want %s: %+v", tc.id, tc.name, c.Result, tc.want, c)
			continue
		}
		if at := place(c); at != tc.at {
			t.Errorf("%s, %s: line %d, want %d: %+v", tc.id, tc.name, at, tc.at, c.Places)
		}
		if c.Result == open && (c.Why == "" || c.Compared > 0 && c.ID != kd.KindsSeen) {
			t.Errorf("%s, %s: not checkable, but why %q and %d compared", tc.id, tc.name, c.Why, c.Compared)
		}
		if c.Result == fail && c.Count == 0 {
			t.Errorf("%s, %s: failed nowhere", tc.id, tc.name)
		}
	}
}

// TestKindsSeen: what the input holds is not among what it lacks.
func TestKindsSeen(t *testing.T) {
	const queued = "0: kd> !qlocks\nKey: O = Owner, 1-n = Wait order, blank = not owned/waiting, C = Corrupt\n\n                       Processor Number\n    Lock Name         0  1\n\nKE   - Dispatcher     O  1\n"
	mex := "0: kd> !WrFastMutex\nProcess PID Thread            Id CSwitches User Kernel State      Time Reason      Waiting On                      Wait Function\n" +
		"======= === ================ === ========= ==== ====== ======= ======= =========== =============================== ===========================\n" +
		"System    4 " + tA + " dd8         1    0   16ms Waiting 43s.296 WrFastMutex Owning Thread: " + tB + " nt!ExAcquireFastMutex+0x122\nCount: 1\n"
	for _, tc := range []struct{ name, text, has, lacks string }{
		{"lists", locked(tA + "-01<*>"), "ERESOURCEs", "mutants"},
		{"threads", thread(tA, wait, 0), "mutants", "ERESOURCEs"},
		{"queued spin locks", queued + locked(tA+"-01<*>"), "queued spin locks", "pushlocks"},
		{"a mutex by mex", mex, "fast and guarded", "ERESOURCEs"},
	} {
		var lacks []string
		for _, n := range checkOf(t, built(t, tc.text), kd.KindsSeen).Places {
			lacks = append(lacks, n.Text)
		}
		all := strings.Join(lacks, "; ")
		if strings.Contains(all, tc.has) || !strings.Contains(all, tc.lacks) {
			t.Errorf("%s: lacks %q", tc.name, lacks)
		}
	}
}

func checkOf(t *testing.T, s *snapshot.Snapshot, id kd.SelfCheck) snapshot.SelfCheck {
	t.Helper()
	for _, c := range s.Checks() {
		if c.ID == id {
			return c
		}
	}
	t.Fatalf("no check %s", id)
	return snapshot.SelfCheck{}
}

func place(c snapshot.SelfCheck) int32 {
	if len(c.Places) == 0 {
		return 0
	}
	return c.Places[0].At.Line
}

func TestOneSession(t *testing.T) {
	sessions := func(text string) snapshot.SelfCheck {
		tr, err := transcript.Read(context.Background(), []transcript.Input{transcript.Bytes("in", []byte(text))}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return snapshot.OneSession(tr.Snapshots)
	}
	one := "Kernel base = 0xfffff800`01a00000 PsLoadedModuleList = 0xfffff800`01c3de90\n" + locked(tA+"-01<*>")
	if c := sessions(one); c.Result != snapshot.Passed || c.Count != 0 {
		t.Errorf("one session: %+v", c)
	}
	two := one + strings.Replace(one, "01a00000", "02a00000", 1)
	if c := sessions(two); c.Result != snapshot.Failed || c.Count != 1 || place(c) != 8 {
		t.Errorf("two sessions: %+v", c)
	}
	if c := snapshot.OneSession(nil); c.Result != snapshot.NotCheckable {
		t.Errorf("no session: %+v", c)
	}
}
