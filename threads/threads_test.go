package threads_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"kdlocks/kd"
	"kdlocks/threads"
)

func one(t *testing.T, s string) *threads.Thread {
	t.Helper()
	l := threads.Read(kd.Lines(s))
	if len(l.Threads) != 1 {
		t.Fatalf("%d threads in %q", len(l.Threads), s)
	}
	return l.Threads[0]
}

func TestHead(t *testing.T) {
	for _, tc := range []struct{ line, want string }{
		{"THREAD fffffa80169538a0  Cid 0004.0638  Teb: 0000000000000000 Win32Thread: 0000000000000000 WAIT: (WrResource) KernelMode Non-Alertable", "0xfffffa80169538a0 0004.0638 waiting WrResource KernelMode 1"},
		{"THREAD 814d0020  Cid 4.2c  Teb: 00000000 Win32Thread: 00000000 WAIT: (WrQueue) UserMode Alertable", "0x814d0020 0004.002c waiting WrQueue UserMode 2"},
		{"THREAD ffbf5410  Cid e7.e8  Teb: 7ffde000 WAIT: (Executive) KernelMode Non-Alertable", "0xffbf5410 00e7.00e8 waiting Executive KernelMode 1"},
		{"THREAD 8982d030 Cid 13c40.1332c Teb: 7ffdf000 Win32Thread: feb2c4c0 RUNNING on processor 0", "0x8982d030 13c40.1332c running processor 0"},
		{"THREAD 8982d030 Cid 0acc.050c Teb: 7ffdf000 Win32Thread: feb2c4c0 RUNNING on processor 1f", "0x8982d030 0acc.050c running processor 31"},
		{"THREAD 8982d030 Cid 0acc.050c Teb: 7ffdf000 Win32Thread: feb2c4c0 READY on processor 2", "0x8982d030 0acc.050c ready processor 2"},
		{"THREAD 8982d030 Cid 0acc.050c Teb: 7ffdf000 Win32Thread: feb2c4c0 STANDBY", "0x8982d030 0acc.050c standby"},
		{"THREAD 8982d030 Cid 0acc.050c Teb: 7ffdf000 Win32Thread: feb2c4c0 TERMINATED", "0x8982d030 0acc.050c terminated"},
		{"THREAD 8982d030 Cid 0acc.050c Teb: 7ffdf000 Win32Thread: feb2c4c0 DEFERRED_READY on processor 0", "0x8982d030 0acc.050c deferred-ready processor 0"},
		{"THREAD 8982d030 Cid 0acc.050c Teb: 7ffdf000 Win32Thread: feb2c4c0 INITIALIZED", "0x8982d030 0acc.050c initialized"},
		{"THREAD 8982d030 Cid 0acc.050c Teb: 7ffdf000 Win32Thread: feb2c4c0 TRANSITION", "0x8982d030 0acc.050c transition"},
		{"THREAD 8982d030 Cid 0acc.050c Teb: 7ffdf000 Win32Thread: feb2c4c0 WAIT: (Suspended)", "0x8982d030 0acc.050c waiting Suspended"},
		{"THREAD ffffe5b8fc33c040  Cid 0004.2130  Teb: 0000000000000000 Win32Thread: 0000000000000000 WAIT: (WrPageIn) KernelMode Non-Alertab", "0xffffe5b8fc33c040 0004.2130 waiting WrPageIn KernelMode"},
		{"THREAD ffffe5b8fc33c040  Cid 0004.2130  Teb: 0000000000000000 Win32Thread: 0000000000000000 WAIT: (WrPag", "0xffffe5b8fc33c040 0004.2130 waiting"},
		{"THREAD 8982d030", "0x8982d030 unknown"},
	} {
		th := one(t, tc.line)
		got := fmt.Sprint(th.Addr, " ", th.CID, " ", th.State)
		got = strings.Join(strings.Fields(got), " ")
		for _, s := range []string{th.WaitReason, th.WaitMode} {
			if s != "" {
				got += " " + s
			}
		}
		if th.Alertable != threads.Unknown {
			got += fmt.Sprint(" ", th.Alertable)
		}
		if th.Processor >= 0 {
			got += fmt.Sprint(" processor ", th.Processor)
		}
		if got != tc.want {
			t.Errorf("%q\ngot  %s\nwant %s", tc.line, got, tc.want)
		}
	}
}

func TestWrappedHead(t *testing.T) {
	for _, s := range []string{
		"THREAD fffffaa6537cf060  Cid 4884.4f9c  Teb: 000007fffffaa000 Win32Thread: fffff92700fb98b0 WAIT:\n(UserRequest) UserMode Non-Alertable\n    fffffaa653570dc0  SynchronizationEvent\n",
		"THREAD fffffaa6537cf060  Cid 4884.4f9c  Teb: 000007fffffaa000 Win32Thread: fffff92700fb98b0\nWAIT: (UserRequest) UserMode Non-Alertable\n    fffffaa653570dc0  SynchronizationEvent\n",
		"THREAD fffffaa6537cf060  Cid 4884.4f9c  Teb: 000007fffffaa000\nWin32Thread: fffff92700fb98b0 WAIT: (UserRequest) UserMode\nNon-Alertable\n    fffffaa653570dc0  SynchronizationEvent\n",
	} {
		th := one(t, s)
		if th.WaitReason != "UserRequest" || th.WaitMode != "UserMode" || th.Alertable != threads.No || len(th.WaitObjects) != 1 {
			t.Errorf("%q: %s %s %v %v", s, th.WaitReason, th.WaitMode, th.Alertable, th.WaitObjects)
		}
	}
}

const head = "THREAD fffffa80169538a0  Cid 0004.0638  Teb: 0 Win32Thread: 0 WAIT: (UserRequest) UserMode Non-Alertable\n"

func TestWaitObjects(t *testing.T) {
	th := one(t, head+`    SuspendCount 2
    fffffa80139ea3e0  Semaphore Limit 0x7fffffff
    fffffa965d75daf0  Mutant - owning thread fffffa965ea2ab60
    fffffa8016953900  NotificationTimer
    fffffa8016953910  Thread
IRP List:
    fffffa8016fd1010: (0006,0310) Flags: 00000884  Mdl: 00000000
    fffffa8016fd2020: (0006,0310) Flags: 00000884  Mdl: 00000000
Not impersonating
    fffffa8016953920  SynchronizationEvent
`)
	var got []string
	for _, w := range th.WaitObjects {
		s := fmt.Sprint(w.Addr, " ", w.Kind)
		if w.Owner != 0 {
			s += " " + w.Owner.String()
		}
		got = append(got, s)
	}
	want := []string{"0xfffffa80139ea3e0 Semaphore", "0xfffffa965d75daf0 Mutant 0xfffffa965ea2ab60", "0xfffffa8016953900 NotificationTimer", "0xfffffa8016953910 Thread"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q", got)
	}
	if len(th.IRPs) != 2 || th.IRPs[1].Addr != 0xfffffa8016fd2020 || th.Suspended != 2 || !th.Timed() || th.WaitListOpen {
		t.Errorf("IRPs %v, suspended %d, timed %v, open %v", th.IRPs, th.Suspended, th.Timed(), th.WaitListOpen)
	}
}

// TestWaitListOpen: where the input ends in the list of wait objects, more may
// have followed.
func TestWaitListOpen(t *testing.T) {
	for _, tc := range []struct {
		tail string
		open bool
	}{
		{"    fffffa965d75daf0  Mutant - owning thread fffffa965ea2ab60\n", true},
		{"    fffffa965d75daf0  Mutant - owning thread fffffa965ea2ab60\n    fffffa8016", true},
		{"    fffffa965d75daf0  Mutant - owning thread fffffa965ea2ab60\nNot impersonating\n", false},
		{"    fffffa965d75daf0  Mutant - owning thread fffffa965ea2ab60\n\n\n", false},
	} {
		if th := one(t, head+tc.tail); th.WaitListOpen != tc.open {
			t.Errorf("%q: open %v", tc.tail, th.WaitListOpen)
		}
	}
}

func TestReplies(t *testing.T) {
	th := one(t, head+"Waiting for reply to ALPC Message fffff8a21c7096e0 : queued at port fffffaa210c9d9a0 : owned by process fffffaa2109c8c10\n")
	if r := th.Reply; r == nil || !r.ALPC || r.Message != 0xfffff8a21c7096e0 || r.Port != 0xfffffaa210c9d9a0 || r.Server != 0xfffffaa2109c8c10 {
		t.Errorf("ALPC: %+v", th.Reply)
	}
	th = one(t, "THREAD 8a169530  Cid 0004.0638  Teb: 0 Win32Thread: 0 WAIT: (WrLpcReply) UserMode Non-Alertable\n    8a169724  Semaphore Limit 0x1\nWaiting for reply to LPC MessageId 007ade85:\nCurrent LPC port d676e560\n")
	if r := th.Reply; r == nil || r.ALPC || r.Message != 0x7ade85 || r.Port != 0xd676e560 {
		t.Errorf("LPC: %+v", th.Reply)
	}
}

func TestTimes(t *testing.T) {
	for _, tc := range []struct {
		line      string
		start     int64
		ticks, ms int64
	}{
		{"Wait Start TickCount      27606952       Ticks: 141 (0:00:00:02.199)", 27606952, 141, 2199},
		{"Wait Start TickCount      274752         Ticks: 212448 (0:00:55:19.500)", 274752, 212448, 3319500},
		{"Wait Start TickCount      1              Ticks: 1 (2:01:00:00.001)", 1, 1, 176400001},
		{"Wait Start TickCount      182835891      Ticks: 0", 182835891, 0, 0},
		{"WaitTime (ticks)          44294977", 44294977, -1, -1},
		{"WaitTime (seconds)      2781250", 2781250, -1, -1},
		{"Wait Start TickCount      27606952       Ticks: 141 (0:00:00:02.1", 27606952, 141, -1},
	} {
		th := one(t, head+tc.line+"\n")
		if th.WaitStart != tc.start || th.Ticks != tc.ticks || th.WaitMS != tc.ms {
			t.Errorf("%q: start %d ticks %d ms %d", tc.line, th.WaitStart, th.Ticks, th.WaitMS)
		}
	}
}

func TestStackRanges(t *testing.T) {
	for _, tc := range []struct {
		name, text                 string
		init, current, base, limit kd.Addr
	}{
		{"x64", "Stack Init fffff88007fabdb0 Current fffff88007fab3a0\nBase fffff88007fac000 Limit fffff88007fa6000 Call 0\n", 0xfffff88007fabdb0, 0xfffff88007fab3a0, 0xfffff88007fac000, 0xfffff88007fa6000},
		{"x86", "Stack Init fb5a4000 Current fb5a3d18 Base fb5a4000 Limit fb5a1000 Call 0\n", 0xfb5a4000, 0xfb5a3d18, 0xfb5a4000, 0xfb5a1000},
		{"NT 4", "Initial Sp fed6c000 Current Sp fed6b938\n", 0xfed6c000, 0xfed6b938, 0, 0},
		{"cut", "Stack Init fffff88007fabdb0 Current fffff88\n", 0, 0, 0, 0},
	} {
		s := one(t, head+tc.text).Stack
		if s.Init != tc.init || s.Current != tc.current || s.Base != tc.base || s.Limit != tc.limit {
			t.Errorf("%s: %v %v %v %v", tc.name, s.Init, s.Current, s.Base, s.Limit)
		}
	}
}

func TestProperties(t *testing.T) {
	th := one(t, head+`Not impersonating
DeviceMap                 fffff8a000008aa0
Owning Process            fffffa800cd6a5f0       Image:         System Idle.exe
Attached Process          fffffa800cd6b000       Image:         other.exe
Context Switch Count      90787          IdealProcessor: 0             LargeStack
UserTime                  00:00:00.000
KernelTime                00:00:02.496
Win32 Start Address nt!ExpWorkerThread (0xfffff80002293a50)
Priority 13  BasePriority 12  Decay Boost 1  IoPriority 2  PagePriority 5
Kernel stack not resident.
`)
	if th.Process.Image != "System Idle.exe" || th.Process.Addr != 0xfffffa800cd6a5f0 || th.Attached.Image != "other.exe" {
		t.Errorf("process %+v, attached %+v", th.Process, th.Attached)
	}
	if th.ContextSwitches != 90787 || th.Priority != 13 || th.BasePriority != 12 || !th.NotResident || !strings.HasPrefix(th.StartAddress, "nt!ExpWorkerThread") {
		t.Errorf("%+v", th)
	}
}

func TestProcessBlocks(t *testing.T) {
	l := threads.Read(kd.Lines(`PROCESS 86ab1030  SessionId: 1  Cid: 0f64    Peb: 7ffd6000  ParentCid: 075c
    DirBase: 3f3627c0  ObjectTable: abef1230  HandleCount: 303.
    Image: foobar2000.exe

        THREAD 87426030  Cid 0f64.1214  Teb: 7ffdf000 Win32Thread: ff234dc8 WAIT: (WrResource) KernelMode Non-Alertable
            86813f78  SynchronizationEvent

        THREAD 87146430  Cid 0f64.12b8  Teb: 7ffde000 Win32Thread: 00000000 WAIT: (UserRequest) UserMode Non-Alertable
            8754b3e0  NotificationEvent

PROCESS ffffcb234ff34200
    SessionId: 1  Cid: 0584    Peb: 00d58000  ParentCid: 11ac
    Image: wpp.exe
`))
	if len(l.Processes) != 2 || l.Processes[0].CID != 0xf64 || l.Processes[1].CID != 0x584 || l.Processes[1].Image != "wpp.exe" {
		t.Errorf("processes %+v", l.Processes)
	}
	if len(l.Threads) != 2 || l.Threads[1].Process.Image != "foobar2000.exe" || l.Threads[1].Process.Addr != 0x86ab1030 {
		t.Errorf("threads %+v", l.Threads)
	}
}

// TestStacksFindTheirThread: a stack belongs to the THREAD block before it, to
// the thread that .thread set, or to nobody.
func TestStacksFindTheirThread(t *testing.T) {
	const stack = "Child-SP          RetAddr           Call Site\nfffff880`07fab3e0 fffff800`0228da52 nt!KiSwapContext+0x7a\n"
	for _, tc := range []struct {
		name, text string
		want       []string
	}{
		{"block", head + "Not impersonating\n" + stack, []string{"0xfffffa80169538a0/1"}},
		{"blank before the stack", head + "Not impersonating\n\n" + stack, []string{"0xfffffa80169538a0/1"}},
		{"two stacks", head + stack + stack, []string{"0xfffffa80169538a0/1", "0x0/1"}},
		{"context", "Implicit thread is now fffffa80`12345670\n" + stack, []string{"0xfffffa8012345670/1"}},
		{"old context", "Using context of thread ffaa43a0\n" + stack, []string{"0xffaa43a0/1"}},
		{"headless", stack, []string{"0x0/1"}},
		{"new stack after a remark", stack + "thread 2:\n" + "fffff880`09fab3e0 fffff800`0228da52 nt!KiSwapContext+0x7a\n", []string{"0x0/1", "0x0/1"}},
	} {
		var r threads.Reader
		r.Prompt(true)
		for _, l := range kd.Lines(tc.text) {
			r.Line(l)
		}
		var got []string
		for _, th := range r.Done().Threads {
			got = append(got, fmt.Sprintf("%s/%d", th.Addr, len(th.Stack.Frames)))
		}
		if !reflect.DeepEqual(got, tc.want) {
			t.Errorf("%s: got %q, want %q", tc.name, got, tc.want)
		}
	}
}

func TestInterpretations(t *testing.T) {
	l := threads.Read(kd.Lines("fffff88007fab7f3 is not a thread object, interpreting as stack value...\n" + head))
	if len(l.Interpretations) != 1 || l.Interpretations[0].Value != 0xfffff88007fab7f3 || l.Interpretations[0].Thread != 0xfffffa80169538a0 {
		t.Errorf("%+v", l.Interpretations)
	}
	l = threads.Read(kd.Lines("ffffac929f177080 is not a thread object, interpreting as stack value...\nTYPE mismatch for thread object at ffffac929f177080\n" + head))
	if len(l.Interpretations) != 1 || l.Interpretations[0].Thread != 0 {
		t.Errorf("mismatch: %+v", l.Interpretations)
	}
}

func TestStacksRows(t *testing.T) {
	l := threads.Read(kd.Lines(`Proc.Thread  .Thread  Ticks   ThreadState Blocker
                            [fffffa800cd6a5f0 System]
   4.001ccc  ffffc4bbafa8d040 0004d63 Blocked    nt!KiSwapContext+0x76
                                        nt!KiSwapThread+0x500
                                        OpenZFS!spl_mutex_enter+0x11f
   4.002668  ffffac48b8a71040   (N/A) RUNNING    nt!IopLiveDumpCorralDpc+0x3c
                            [fffffa800cd6b000 smss.exe]

  9c.000098  ffffac4883538310 0000017 Blocked    Stack paged out
`))
	var got []string
	for _, th := range l.Threads {
		got = append(got, fmt.Sprint(th.Addr, " ", th.CID, " ", th.State, " ", th.Process.Image, " ", th.Ticks, " ", len(th.Stack.Frames), " ", th.NotResident))
	}
	want := []string{
		"0xffffc4bbafa8d040 0004.1ccc waiting System 19811 3 false",
		"0xffffac48b8a71040 0004.2668 running System -1 1 false",
		"0xffffac4883538310 009c.0098 waiting smss.exe 23 0 true",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q", got)
	}
	for _, s := range []string{"4.5 something", "1.000050  hello Blocked x", "4.001ccc  ffffc4bbafa8d040 0004d63 Dozing nt!X+0x1"} {
		if l := threads.Read(kd.Lines(s)); len(l.Threads) != 0 {
			t.Errorf("%q is read as a row", s)
		}
	}
}

// TestStacksLayouts: rows of old and new debuggers, cut pastes, and what !stacks
// prints around the rows.
func TestStacksLayouts(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		want       []string // process, CID, frames, ticks, stack paged out
	}{
		{"old", "Proc.Thread  .Thread  ThreadState  Blocker\n                                     [System]\n   4.000050  835eea10  Blocked    +0xfe0343a5\n\n                                     [smss.exe]\n\n   9c.000098  83538310  Blocked    Stack paged out\n", []string{"System 0004.0050 1 -1 false", "smss.exe 009c.0098 0 -1 true"}},
		{"no ticks known", "3ad0.0065ec  ffffd92ea0ce2080   (N/A) Blocked    nt!KiSwapContext+0x76\n                                        nt!KiSwapTh\n", []string{" 3ad0.65ec 2 -1 false"}},
		{"no site", "   4.000050  835eea10  Blocked\n   4.000054  835eea20  Blocked    nt!KiSwapContext+0x76\n", []string{" 0004.0050 0 -1 false", " 0004.0054 1 -1 false"}},
		{"process line without heads", "   4.000050  ffffac48b8a71040 0000017 READY      nt!KiSwapContext+0x76\n                            [ffffac8daf7be080 svchost.exe]\n a1c.000b20  ffffac48b8a72040 0000019 Blocked    nt!KiSwapContext+0x76\n", []string{" 0004.0050 1 23 false", "svchost.exe 0a1c.0b20 1 25 false"}},
		{"freed threads", "Proc.Thread  .Thread  Ticks   ThreadState Blocker\n                            [ffffac8daf7be080 svchost.exe]\nTYPE mismatch for thread object at ffffac8db0408db8\n a1c.------  NO ETHREAD DATA\n a1c.000b20  ffffac48b8a72040 0000019 Blocked    nt!KiSwapContext+0x76\n", []string{"svchost.exe 0a1c.0b20 1 25 false"}},
		{"totals", "   4.000050  835eea10  Blocked    nt!KiSwapContext+0x76\nMax cache size is       : 1048576 bytes (0x400 KB) \nTotal memory in cache   : 24345 bytes (0x18 KB) \nNumber of regions cached: 107\n448 full reads broken into 493 partial reads\n    counts: 311 cached/182 uncached, 63.08% cached\n    bytes : 9214 cached/5122 uncached, 64.27% cached\n** Transition PTEs are implicitly decoded\n** Prototype PTEs are implicitly decoded\nThreads Processed: 812\n", []string{" 0004.0050 1 -1 false"}},
		{"next thread without its row", "   4.000050  835eea10  Blocked    nt!KiSwapContext+0x76\n\n   nt!ExAcquireResourceExclusiveLite+0x217\n   nt!FsRtlCreateSectionForDataScan+0xa6\n\n   nt!ExAcquireResourceExclusiveLite+0x217\n   nt!MmFlushSection+0x13d\n", []string{" 0004.0050 3 -1 false", "  2 -1 false"}},
		{"one function twice", "   4.000050  835eea10  Blocked    nt!KiSwapContext+0x76\n\n   nt!IofCallDriver+0x45\n\n   fltmgr!FltpDispatch+0x11\n\n   nt!IofCallDriver+0x45\n", []string{" 0004.0050 4 -1 false"}},
	} {
		var r threads.Reader
		r.Prompt(false)
		for _, l := range kd.Lines(tc.text) {
			if !r.Line(l) && l.Text != "" {
				t.Errorf("%s: %q is not understood", tc.name, l.Text)
			}
		}
		var got []string
		for _, th := range r.Done().Threads {
			got = append(got, fmt.Sprint(th.Process.Image, " ", th.CID, " ", len(th.Stack.Frames), " ", th.Ticks, " ", th.NotResident))
		}
		if !reflect.DeepEqual(got, tc.want) {
			t.Errorf("%s:\ngot  %q\nwant %q", tc.name, got, tc.want)
		}
	}
}

// TestBlocks: lines of THREAD blocks from NT 4 to Windows 11.
func TestBlocks(t *testing.T) {
	const x86 = "THREAD 8a169530  Cid 0004.0638  Teb: 0 Win32Thread: 0 WAIT: (WrLpcReply) UserMode Non-Alertable\n"
	for _, tc := range []struct {
		name, text string
		want       string
	}{
		{"LPC, paged out, a frame at 0", x86 + "    8a169724  Semaphore Limit 0x1\nWaiting for reply to LPC MessageId 007ade85:\nCurrent LPC port d676e560\nNot impersonating\nKernel stack not resident.\nChildEBP RetAddr\nb9aeac48 00000000 0x0\n",
			"[0x8a169724 Semaphore 1] frames 1 paged out lpc 0x7ade85 port 0xd676e560"},
		{"suspended before its objects", x86 + "SuspendCount 1\nFreezeCount 2\n    8a169724  Semaphore Limit 0x2\n", "[0x8a169724 Semaphore 2] frames 0 suspended 1 frozen 2"},
		{"suspended in one line", x86 + "SuspendCount 1 FreezeCount 2\n    8a169724  Thread\n", "[0x8a169724 Thread -1] frames 0 suspended 1 frozen 2"},
		{"a delay", head + "    ffffffffffffffff  NotificationEvent\n", "[0xffffffffffffffff NotificationEvent -1] frames 0"},
		{"a process waited for", head + "    fffffa8016953910  ProcessObject\n    fffffa8016953930  Unknown\n", "[0xfffffa8016953910 ProcessObject -1 0xfffffa8016953930 Unknown -1] frames 0"},
		{"a semaphore without a sound limit", head + "    fffffa8016953910  Semaphore Limit 0xfffffffff\n", "[0xfffffa8016953910 Semaphore -1] frames 0"},
		{"a mutant of Windows 2000", "PROCESS fe6039e0  SessionId: 0  Cid: 0008    Peb: 00000000  ParentCid: 0000\n    FB667BBC MutantState Signalled OwningThread 0\n" + x86 + "    FB667BBC MutantState Signalled OwningThread 0\n", "[] frames 0"},
		{"ALPC", head + "    fffffaa2110b8a90  Semaphore Limit 0x1\nWaiting for reply to ALPC Message fffff8a21c7096e0 : queued at port fffffaa210c9d9a0 : owned by process fffffaa2109c8c10\n", "[0xfffffaa2110b8a90 Semaphore 1] frames 0 alpc 0xfffff8a21c7096e0 port 0xfffffaa210c9d9a0"},
		{"24H2", head + "Scheduling Group: ffffcb234fcf7c80\nImpersonation token:  e1000730 (Level Impersonation)\nContext Switch Count      1592           IdealProcessor: 0             LargeStack\nPriority 13  BasePriority 12  Decay Boost 1  IoPriority 2  PagePriority 5\n", "[] frames 0 large 13/12"},
		{"noise of a live system", head + "GetContextState failed, 0x80004001\nUnable to get current machine context, NTSTATUS 0xC0000001\nUnable to get context for thread running on processor 1, Win32 error 0n30\nGetUlongFromAddress: unable to read from 00000000\n", "[] frames 0"},
	} {
		var r threads.Reader
		for _, l := range kd.Lines(tc.text) {
			if !r.Line(l) && !strings.Contains(l.Text, "MutantState") {
				t.Errorf("%s: %q is not understood", tc.name, l.Text)
			}
		}
		th := r.Done().Threads[0]
		var objects []string
		for _, w := range th.WaitObjects {
			objects = append(objects, fmt.Sprint(w.Addr, " ", w.Kind, " ", w.Limit))
		}
		got := fmt.Sprint(objects, " frames ", len(th.Stack.Frames))
		if th.NotResident {
			got += " paged out"
		}
		if th.Suspended+th.Frozen > 0 {
			got += fmt.Sprint(" suspended ", th.Suspended, " frozen ", th.Frozen)
		}
		if r := th.Reply; r != nil {
			got += fmt.Sprint(map[bool]string{true: " alpc ", false: " lpc "}[r.ALPC], r.Message, " port ", r.Port)
		}
		if th.LargeStack {
			got += " large"
		}
		if th.Priority >= 0 {
			got += fmt.Sprint(" ", th.Priority, "/", th.BasePriority)
		}
		if got != tc.want {
			t.Errorf("%s:\ngot  %s\nwant %s", tc.name, got, tc.want)
		}
	}
}

// TestProcessNT4: the block of NT 4 and Windows 2000, with a mutant that nobody
// waits for, and call sites without a module.
func TestProcessNT4(t *testing.T) {
	var r threads.Reader
	for _, l := range kd.Lines(`PROCESS fb667a00 Cid: 0002  Peb: 00000000 ParentCid: 0000
  DirBase: 00030000 ObjectTable: e1000f88 TableSize: 112.
  Image: System
  VadRoot fb666388 Clone 0 Private 4. Modified 9850. Locked 0.
  FB667BBC MutantState Signalled OwningThread 0
  Token               e10008f0
  ElapsedTime            15:06:36.0338
  QuotaPoolUsage[PagedPool]     1480
Working Set Sizes (now,min,max) (3, 50, 345)
  BasePriority           8
  CommitCharge           8

    THREAD fb667780 Cid 2.1 Teb: 00000000 Win32Thread: 80144900 WAIT: (WrFreePage) KernelMode Non-Alertable
    80144fc0 SynchronizationEvent
    Not impersonating
    Owning Process fb667a00
    WaitTime (seconds)   32278
    Context Switch Count  787
    Start Address Phase1Initialization (0x801aab44)
    Initial Sp fb26f000 Current Sp fb26ed00
    Priority 0 BasePriority 0 PriorityDecrement 0 DecrementCount 0

    ChildEBP RetAddr Args to Child
    fb26ed18 80118efc c0502000 804044b0 00000000 KiSwapThread+0xb5
    fb26ed3c 801289d9 80144fc0 00000008 00000000 KeWaitForSingleObject+0x1c2
`) {
		if !r.Line(l) && l.Text != "" {
			t.Errorf("%q is not understood", l.Text)
		}
	}
	l := r.Done()
	p, th := l.Processes[0], l.Threads[0]
	if p.CID != 2 || !p.CIDKnown || p.Image != "System" || th.Process.Image != "System" {
		t.Errorf("process %+v, of the thread %+v", p, th.Process)
	}
	if len(th.WaitObjects) != 1 || th.CID.String() != "0002.0001" || th.Priority != 0 || th.WaitStart != 32278 || len(th.Stack.Frames) != 2 || th.Stack.Current != 0xfb26ed00 {
		t.Errorf("%+v", th)
	}
}

// TestBeginningCutOff: the block starts in its line of the owning process.
func TestBeginningCutOff(t *testing.T) {
	th := one(t, "    Image:         CPUSTRES.EXE\nAttached Process          N/A            Image:         N/A\nWait Start TickCount      64685          Ticks: 429 (0:00:00:06.703)\nStack Init fffffb9db40a2c30 Current fffffb9db40a1be0\nBase fffffb9db40a3000 Limit fffffb9db409c000 Call 0\n")
	if th.Addr != 0 || th.Process.Image != "CPUSTRES.EXE" || th.Ticks != 429 || th.Stack.Limit != 0xfffffb9db409c000 {
		t.Errorf("%+v", th)
	}
	// An image further above is another's.
	th = one(t, "Image: explorer.exe\nand then he typed\nWait Start TickCount      64685          Ticks: 429 (0:00:00:06.703)\n")
	if th.Process.Image != "" {
		t.Errorf("image %q", th.Process.Image)
	}
}

// TestHeadings: an author's heading names the thread of the stack below it, up
// to the next prompt.
func TestHeadings(t *testing.T) {
	const frames = " \tOpenZFS!rw_enter+0xce [C:\\a.c @ 106] \tC/C++/ASM\n>\tOpenZFS!zap_add+0xe0 [C:\\b.c @ 1] \tC/C++/ASM\n"
	for _, tc := range []struct {
		name, text string
		want       []string
	}{
		{"Visual Studio", "Thread ffffb42747fa5080\n" + frames, []string{"0xffffb42747fa5080/2"}},
		{"two", "Thread ffffb42747fa5080:\n" + frames + "\nThread ffffb42747fa6080:\n" + frames, []string{"0xffffb42747fa5080/2", "0xffffb42747fa6080/2"}},
		{"no heading", frames, []string{"0x0/2"}},
		{"prompt between", "Thread ffffb42747fa5080\nkd> k\n" + frames, []string{"0x0/2"}},
		{"prose", "Thread ffffb42747fa5080 waits\n" + frames, []string{"0x0/2"}},
		{"one stack only", "Thread ffffb42747fa5080\n" + frames + "and then\n\n" + frames, []string{"0xffffb42747fa5080/2", "0x0/2"}},
		{"a blank between", "Thread ffffb42747fa5080\n\n" + frames, []string{"0xffffb42747fa5080/2"}},
		{"a block between", "Thread ffffb42747fa5080\n" + head + "Child-SP          RetAddr           Call Site\nfffff880`07fab3e0 fffff800`0228da52 nt!KiSwapContext+0x7a\n", []string{"0xfffffa80169538a0/1"}},
		{"memory below", "Thread ffffb42747fa5080\nf50bea7c  80805795 nt!KiSwapContext+0x25\nf50bea80  80805795\n", nil},
		{"no stack", "Thread ffffb42747fa5080\n", nil},
	} {
		var r threads.Reader
		for _, l := range kd.Lines(tc.text) {
			if strings.HasPrefix(l.Text, "kd>") {
				r.Prompt(true)
				continue
			}
			r.Line(l)
		}
		var got []string
		for _, th := range r.Done().Threads {
			got = append(got, fmt.Sprintf("%s/%d", th.Addr, len(th.Stack.Frames)))
		}
		if !reflect.DeepEqual(got, tc.want) {
			t.Errorf("%s: got %q, want %q", tc.name, got, tc.want)
		}
	}
}

func ExampleRead() {
	l := threads.Read(kd.Lines(`
THREAD a69a1b40  Cid 0004.00b8  Teb: 00000000 Win32Thread: 00000000 RUNNING on processor 2
Owning Process            a69aa648       Image:         System
Wait Start TickCount      1450446        Ticks: 1 (0:00:00:00.015)
Stack Init f8055000 Current f8054cec Base f8055000 Limit f8052000 Call 0`))
	t := l.Threads[0]
	fmt.Println(t.Addr, t.CID, t.State, t.Process.Image, t.WaitMS, "ms")
	fmt.Println(t.Stack.Limit, t.Stack.Base)
	// Output:
	// 0xa69a1b40 0004.00b8 running System 15 ms
	// 0xf8052000 0xf8055000
}

// FuzzRead: nothing panics, every place lies inside its line, and a second
// reading gives the same.
func FuzzRead(f *testing.F) {
	f.Add(head + "    fffffa80139ea3e0  Semaphore Limit 0x7fffffff\nIRP List:\n    fffffa8016fd1010: (0006,0310) Flags: 00000884  Mdl: 00000000\nNot impersonating\nStack Init fffff88007fabdb0 Current fffff88007fab3a0\nBase fffff88007fac000 Limit fffff88007fa6000 Call 0\nChild-SP          RetAddr           Call Site\nfffff880`07fab3e0 fffff800`0228da52 nt!KiSwapContext+0x7a\n")
	f.Add(mexThread)
	f.Add(mexList)
	f.Add(mexUnique)
	f.Add("PROCESS 86ab1030  SessionId: 1  Cid: 0f64\n    Image: foobar2000.exe\n" + head)
	f.Add("System Processors f (affinity mask)\n  Idle Processors f\nAll processors idle.\n     Prcb      Current   Next\n  0  ffdff120  80d495a0            ..O.........W...\nChildEBP RetAddr\n80d3e3f0 80d329c2 nt!RtlpBreakWithStatusInstruction\n")
	f.Add("System Processors:  (0000000000000003)\n       Prcbs             Current         (pri) Next            (pri) Idle\n  0    fffff80301a4f180  ffff9e0faf8c4080 ( 8) ffff9e0faf8c5080 (15) fffff80301c4a400  ................\n")
	f.Add("KSHARED_READY_QUEUE 8147e800: (00) ****----\nProcessor 0: Ready Threads at priority 13\n" + head + "Processor 1: No threads in READY state\n")
	f.Add("Thread ffffac48b8a71040, 2 frame(s) match\n        * 06 fffff88007fab5b0 fffff8000224ec9e a!b+0xf2\n")
	f.Add("Proc.Thread  .Thread  Ticks   ThreadState Blocker\n   4.000050  835eea10  Blocked    +0xfe0343a5\nThreads Processed: 1\n")
	f.Add("Thread ffffb42747fa5080\n>\tdrv.sys!f(int) Line 1 + 0x2 bytes\tC++\n    Image:         a.exe\nAttached Process          N/A            Image:         N/A\n")
	f.Add(short)
	f.Add(long)
	f.Add(oldLong)
	f.Fuzz(func(t *testing.T, s string) {
		lines := kd.Lines(s)
		got := threads.Read(lines)
		if !reflect.DeepEqual(got, threads.Read(lines)) {
			t.Fatal("two readings differ")
		}
		for _, at := range otherPlaces(got) {
			l := lines[at.Line-1]
			if at.Col < l.Off+1 || int(at.Col-1-l.Off+at.Len) > len(l.Text) {
				t.Fatalf("place %+v outside line %q", at, l.Text)
			}
		}
		for _, th := range got.Threads {
			refs := []kd.Ref{th.At}
			for _, w := range th.WaitObjects {
				refs = append(refs, w.At)
			}
			if th.Stack.Awaited != nil {
				refs = append(refs, th.Stack.Awaited.At)
			}
			for _, fr := range th.Stack.Frames {
				refs = append(refs, fr.At)
			}
			for _, at := range refs {
				l := lines[at.Line-1]
				if at.Col < l.Off+1 || int(at.Col-1-l.Off+at.Len) > len(l.Text) {
					t.Fatalf("place %+v outside line %q", at, l.Text)
				}
			}
		}
	})
}

// otherPlaces are the places of what is no thread.
func otherPlaces(l threads.Listing) []kd.Ref {
	var out []kd.Ref
	for _, p := range l.Processors {
		out = append(out, p.At)
	}
	for _, m := range l.Matches {
		out = append(out, m.At)
		for _, f := range m.Frames {
			out = append(out, f.At)
		}
	}
	for _, v := range l.VerifierDeadlocks {
		out = append(out, v.At)
		for _, k := range v.Locks {
			out = append(out, k.At)
		}
		for _, th := range v.Threads {
			out = append(out, th.At)
			for _, a := range th.Taken {
				for _, f := range a.Frames {
					out = append(out, f.At)
				}
			}
		}
	}
	return out
}

// TestLostHeadEndsTheBlock: behind a head line that cannot be read, nothing is
// said of the thread or process before it.
func TestLostHeadEndsTheBlock(t *testing.T) {
	const thread = "THREAD fffffa8016910b60  Cid 0004.0100  Teb: 0 Win32Thread: 0 WAIT: (Executive) KernelMode Non-Alertable\n    fffffa8017000000  NotificationEvent\nNot impersonating\n"
	const behind = "    fffffa8017000010  SynchronizationEvent\nIRP List:\n    fffffa8017000020: (0006,0478) Flags: 00060000  Mdl: 00000000\nStack Init fffff88007fabdb0 Current fffff88007fab3a0\nBase fffff88007fac000 Limit fffff88007fa6000 Call 0\n"
	for _, head := range []string{"THREAD", "THREAD ff", "THREAD fffffa80169", "THREAD fffffa801692(b60  Cid 0004.0104  Teb: 0", "THREAD fffffa801 6920b60  Cid 0004.0104"} {
		l := threads.Read(kd.Lines(thread + head + "\n" + behind))
		if th := l.Threads[0]; len(th.WaitObjects) != 1 || len(th.IRPs) != 0 || th.Stack.Limit != 0 {
			t.Errorf("%q: %+v", head, th)
		}
	}
	for _, head := range []string{"PROCESS fff(fa800cd6a5f0", "PROCESS 86ab103  SessionId: 1  Cid: 0f64"} {
		l := threads.Read(kd.Lines("PROCESS fffffa800cd6a5f0\n    Image: System\n" + thread + head + "\n    Image: other.exe\n" + strings.Replace(thread, "6910b60", "6920b60", 1)))
		if len(l.Processes) != 1 || l.Processes[0].Image != "System" || l.Threads[1].Process.Image != "" {
			t.Errorf("%q: %+v", head, l.Processes)
		}
	}
	if l := threads.Read(kd.Lines(thread + "THREAD states are described below\n" + behind)); l.Threads[0].Stack.Limit == 0 {
		t.Error("prose ends a block")
	}
}
