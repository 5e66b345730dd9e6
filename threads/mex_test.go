package threads_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"kdlocks/kd"
	"kdlocks/threads"
)

// mexThread is of capture 025 in testdata/corpus.
const mexThread = `Process                   Thread                       CID       UserTime KernelTime ContextSwitches Wait Reason   Time State
System (ffffdf9a85882040) ffffdf9a8f4b8040 (E|K|W|R|V) 4.3304           0          0              18 WrResource  3s.218 Waiting

WaitBlockList:
    Object           Type                 Other Waiters
    ffffdca3ae30f230 SynchronizationEvent             0

Priority:
    Current Base Decrement ForegroundBoost IO Page
    10      8    0         32              0  5

Thread at address 0000000000060001 is invalid. Not adding to waiter list.
# Child-SP         Return           Call Site                               Info                                                                             Source
0 ffffdca3ae30edd0 fffff81af0a0c800 nt!KiSwapContext+0x76                                                                                                    
5 ffffdca3ae30f1d0 fffff81aed7013c4 nt!ExAcquireResourceExclusiveLite+0x1fe Thread: ffffdf9a87a30040 (System) exclusive owner of EResource: ffffdf9a8ce68448 
6 ffffdca3ae30f260 fffff81af0b55855 TestDriver!FileMoveThread+0x34                                                                                           C:\src\Driver.c @ 53
10 ffffdca3ae30f590 fffff81af0bfe808 nt!PspSystemThreadStartup+0x55                                                                                           
`

const mexList = `Process PID Thread             Id State        Time Reason
======= === ================ ==== ======= ========= ==========
System    4 ffff9bb88c60f040 26a4 Waiting 4m:03.203 WrPushLock
svc host.exe 1a4 ffff9bb8871c0580  b8c Running

Thread Count: 2
`

const mexUnique = `2 threads [stats]: ffff9bb8871c0580 ffff9bb889441580
    fffff836650201c6 nt!KiSwapContext+0x76               
    fffff83670ff1230 TestDriver!FileCreationThread+0x150 (C:\src\Driver.c @ 45)
    fffff83670da1172 <Unloaded_TestDriver.sys>+0x1172
    0000000000000080 0x80

1 thread [stats]: ffff9bb88c60f040
    fffff836650201c6 nt!KiSwapContext+0x76

2 stack(s) with 3 threads displayed (3 Total threads)
`

func TestMexThread(t *testing.T) {
	th := one(t, mexThread)
	if th.Addr != 0xffffdf9a8f4b8040 || th.CID.String() != "0004.3304" || th.Process.Image != "System" || th.Process.Addr != 0xffffdf9a85882040 ||
		th.State != threads.Waiting || th.WaitReason != "WrResource" || th.WaitMS != 3218 || th.ContextSwitches != 18 || th.Priority != 10 || th.BasePriority != 8 || th.WaitListOpen {
		t.Errorf("%+v", th)
	}
	if len(th.WaitObjects) != 1 || th.WaitObjects[0].Kind != "SynchronizationEvent" || th.WaitObjects[0].Detail != "" {
		t.Errorf("wait objects %+v", th.WaitObjects)
	}
	if len(th.Stack.Frames) != 4 {
		t.Fatalf("frames %+v", th.Stack.Frames)
	}
	if f := th.Stack.Frames[1]; f.Name() != "nt!ExAcquireResourceExclusiveLite" || f.Offset != 0x1fe || f.RetAddr != 0xfffff81aed7013c4 {
		t.Errorf("frame %+v", f)
	}
	if f := th.Stack.Frames[2]; f.Name() != "TestDriver!FileMoveThread" || f.Source != `C:\src\Driver.c @ 53` {
		t.Errorf("frame %+v", f)
	}
	a := th.Stack.Awaited
	if a == nil || a.Lock != 0xffffdf9a8ce68448 || a.Owner != 0xffffdf9a87a30040 || !a.Exclusive || a.Shared {
		t.Errorf("awaited %+v", a)
	}
}

// TestMexLockCut: an address with fewer digits than the stack has was cut.
func TestMexLockCut(t *testing.T) {
	for _, whole := range []string{"EResource: ffffdf9a8ce68448", "Thread: ffffdf9a87a30040"} {
		text := strings.Replace(mexThread, whole, whole[:len(whole)-8], 1)
		if a := one(t, text).Stack.Awaited; a != nil {
			t.Errorf("%s: awaited %+v", whole, a)
		}
	}
}

func TestMexRows(t *testing.T) {
	const heads = "Process Thread CID UserTime KernelTime ContextSwitches Wait Reason Time State\n"
	for _, tc := range []struct {
		row, reason string
		state       threads.State
		ms          int64
	}{
		{"a b.exe (ffffdf9a85882040) ffffdf9a8f4b8040 (E|K) 1a4.3304 0 2s.031 5,361 Executive 1d.02:03:04.005 Waiting", "Executive", threads.Waiting, 93784005},
		{"x (ffffdf9a85882040) ffffdf9a8f4b8040 (E|K) 4.3304 0 0 1 Running on processor 3", "", threads.Running, -1},
		{"x (ffffdf9a85882040) ffffdf9a8f4b8040 4.3304 0 0 1 WrTerminated 0 Terminated", "WrTerminated", threads.Terminated, -1},
		{"x (ffffdf9a85882040) ffffdf9a8f4b8040 4.3304 0 0 1 UserRequest 2h:00:01.000 Waiting", "UserRequest", threads.Waiting, 7201000},
	} {
		th := one(t, heads+tc.row)
		if th.State != tc.state || th.WaitReason != tc.reason || th.WaitMS != tc.ms {
			t.Errorf("%q: %v %q %d", tc.row, th.State, th.WaitReason, th.WaitMS)
		}
	}
	for _, row := range []string{
		"the thread (above) waits", "x (ffffdf9a85882040) ffffdf9a8f4b8040", "x (ffffdf9a85882040) ffffdf9a8f4b8040 4.3304 0 0 1 Nonsense", "x (1) 2 3.4 Waiting",
	} {
		if l := threads.Read(kd.Lines(heads + row)); len(l.Threads) != 0 {
			t.Errorf("%q: %+v", row, l.Threads[0])
		}
	}
	if l := threads.Read(kd.Lines("x (ffffdf9a85882040) ffffdf9a8f4b8040 4.3304 0 0 1 UserRequest 2s Waiting")); len(l.Threads) != 0 {
		t.Error("a row without column heads")
	}
}

func TestMexTerminated(t *testing.T) {
	for _, text := range []string{mexThread[:290] + "\nWarning!!! Thread is marked as terminated\n", "Warning!!! Thread is marked as terminated\n" + mexThread} {
		if th := one(t, text); th.State != threads.Terminated {
			t.Errorf("%v in %q", th.State, text)
		}
	}
}

func TestMexList(t *testing.T) {
	got := threads.Read(kd.Lines(mexList)).Threads
	if len(got) != 2 || got[0].WaitReason != "WrPushLock" || got[0].WaitMS != 243203 || got[0].CID.String() != "0004.26a4" || got[1].Process.Image != "svc host.exe" || got[1].State != threads.Running {
		t.Errorf("%+v", got)
	}
}

// TestMexListColumns: the numbers of process and thread stand in several places,
// and the heads of a table once more below it
// (DebugPrivilege/InsightEngineering, Kernel Forensics).
func TestMexListColumns(t *testing.T) {
	const tid = "Process PID  TID Thread           State        Time Reason\n======= === ==== ================ ======= ========= ==========\n"
	const id = "Process Thread            Id CSwitches User Kernel State        Time Reason    Wait Function\n======= ================ === ========= ==== ====== ======= ========= ========= ==============================\n"
	for _, tc := range []struct {
		name, text, cid, image, reason string
		ms                             int64
	}{
		{"the thread's in front", tid + "svc host.exe    4  d7c ffff9101457f2040 Waiting 1m:25.171 WrPushLock\n", "0004.0d7c", "svc host.exe", "WrPushLock", 85171},
		{"a time of 0", tid + "System    4 2110 ffff9101457f2040 Waiting        0s WrPushLock\n", "0004.2110", "System", "WrPushLock", 0},
		{"no process, as !mex.obj prints it", id + "System  ffffc983f3fb4040 878         1    0      0 Waiting 1m:57.359 Executive TestDriver!FileMoveThread+0x47\n", "", "System", "Executive", 117359},
		{"heads below", tid + "System    4 2110 ffff9101457f2040 Waiting        0s WrPushLock\n======= === ==== ================ ======= ========= ==========\nProcess PID  TID Thread           State        Time Reason\n\nThread Count: 1\n", "0004.2110", "System", "WrPushLock", 0},
	} {
		l := threads.Read(kd.Lines(tc.text))
		if len(l.Threads) != 1 || len(l.Notes) > 0 {
			t.Errorf("%s: %d threads, notes %v", tc.name, len(l.Threads), l.Notes)
			continue
		}
		if th := l.Threads[0]; th.CID.String() != tc.cid || th.Process.Image != tc.image || th.WaitReason != tc.reason || th.WaitMS != tc.ms || th.State != threads.Waiting {
			t.Errorf("%s: %+v", tc.name, th)
		}
	}
	for _, text := range []string{
		tid + "System    4 ffff9101457f2040 2110 Waiting        0s WrPushLock\n", // the order of another table
		tid + "d7c ffff9101457f2040 Waiting 0s WrPushLock\n",
		id + "System ffffc983f3fb4040 what it waits for\n",
		"Process Thread Time Wait Function\nSystem  ffffdf9a87a30040 2s.343 Waiting\n",
	} {
		if l := threads.Read(kd.Lines(text)); len(l.Threads) != 0 {
			t.Errorf("%q: %+v", text, l.Threads[0])
		}
	}
}

// TestMexBlock: parts of a block of !mex.t (DebugPrivilege/InsightEngineering,
// Kernel Forensics).
func TestMexBlock(t *testing.T) {
	const head = "Process                        Thread                       CID       TEB              UserTime KernelTime ContextSwitches Wait Reason Time State\nsvchost.exe (ffffd80c06032080) ffffd80c05b7c040 (E|K|W|R|V) 13f0.4a20 00000009176ac000        0     3s.031             199 WrPreempted    0 Standby on processor 2\n\n"
	th := one(t, head+`Irp List:
    IRP              File                             Driver
    ffffb50772ddaa20 \Temp\two words.txt              Ntfs
    ffffd80c1c3625a0                                  tunnel
    ffffd80c1f7a07a0 \Endpoint
    ffffd80c1f7a0800
    ffffd80c1f7a0810 is what we looked at

WaitBlockList:
    Object                  Type              Other Waiters
    ffff838739789d10(stack) NotificationEvent             0
    ffff838739789d20(pool) NotificationEvent              0

Priority:
    Current Base Decrement ForegroundBoost IO Page
    15      8    0         96              0  5
`)
	if th.Teb != 0x9176ac000 || th.ContextSwitches != 199 || th.State != threads.Standby || th.Processor != 2 || th.Priority != 15 {
		t.Errorf("%+v", th)
	}
	var irps []string
	for _, i := range th.IRPs {
		irps = append(irps, i.Addr.String()+" "+i.Driver)
	}
	if want := []string{"0xffffb50772ddaa20 Ntfs", "0xffffd80c1c3625a0 tunnel", "0xffffd80c1f7a07a0 "}; !reflect.DeepEqual(irps, want) {
		t.Errorf("IRPs %q", irps)
	}
	if len(th.WaitObjects) != 1 || th.WaitObjects[0].Addr != 0xffff838739789d10 || th.WaitObjects[0].Kind != "NotificationEvent" {
		t.Errorf("wait objects %+v", th.WaitObjects)
	}
}

func TestMexProcesses(t *testing.T) {
	const heads = "PID           Address          Name                                   !! Rn Ry Bk Lc IO Er\n============= ================ ====================================== == == == == == == ==\n"
	const short = "PID           Address          Name\n============= ================ ========================\n"
	for _, tc := range []struct {
		name, text string
		want       []string
	}{
		{"with counts", heads + "0x0    0n0    fffff8060bf24a00 Idle                                    .  4  .  .  .  .  .\n0xd5c  0n3420 ffff928d6c755080 IpOverUsbSvc.exe*32                     .  .  .  .  . 12  .\n" + heads, []string{"0x0 fffff8060bf24a00 Idle", "0xd5c ffff928d6c755080 IpOverUsbSvc.exe"}},
		{"blanks collapsed", heads + "0x4 0n4 ffff928d660a6040 two words.exe 4 . . 1 . 1 .\n", []string{"0x4 ffff928d660a6040 two words.exe"}},
		{"of a name", short + "0x10b4 0n4276 ffff8004cf6ad0c0 SystemSettingsBroker.exe\n", []string{"0x10b4 ffff8004cf6ad0c0 SystemSettingsBroker.exe"}},
		{"numbers that differ", heads + "0x5    0n4    ffff928d660a6040 System                                  4  .  .  1  .  1  .\n", nil},
		{"a cut row", heads + "0x4    0n4    ffff928d660a6040 System                                  4  .  .  1\n0x4    0n4    ffff928d\n", nil},
		{"no heads", "0x4    0n4    ffff928d660a6040 System\n", nil},
		{"heads of something else", "PID Address Name of what we saw\n0x4    0n4    ffff928d660a6040 System\n", nil},
	} {
		var got []string
		l := threads.Read(kd.Lines(tc.text))
		for _, p := range l.Processes {
			got = append(got, fmt.Sprintf("0x%x %x %s", p.CID, uint64(p.Addr), p.Image))
		}
		if !reflect.DeepEqual(got, tc.want) || len(l.Threads) > 0 {
			t.Errorf("%s: %q", tc.name, got)
		}
	}
}

func TestMexUnique(t *testing.T) {
	l := threads.Read(kd.Lines(mexUnique))
	var frames []int
	for _, th := range l.Threads {
		frames = append(frames, len(th.Stack.Frames))
	}
	if !reflect.DeepEqual(frames, []int{4, 4, 1}) || len(l.Notes) != 0 {
		t.Errorf("frames %v, notes %v", frames, l.Notes)
	}
	if f := l.Threads[1].Stack.Frames[1]; f.Source != `C:\src\Driver.c @ 45` || f.Name() != "TestDriver!FileCreationThread" {
		t.Errorf("%+v", f)
	}
	wrapped := threads.Read(kd.Lines("3 threads [stats]: ffff9bb8871c0580\nffff9bb8871c1580 ffff9bb8871c2580\n    fffff836650201c6 nt!KiSwapContext+0x76"))
	if len(wrapped.Threads) != 3 || len(wrapped.Threads[2].Stack.Frames) != 1 {
		t.Errorf("%+v", wrapped.Threads)
	}
	short := threads.Read(kd.Lines("3 threads [stats]: ffff9bb8871c0580\n    fffff836650201c6 nt!KiSwapContext+0x76"))
	if len(short.Notes) != 1 {
		t.Errorf("a thread that is missing is not noted: %v", short.Notes)
	}
	for _, prose := range []string{"2 threads wait here: ffff9bb8871c0580", "4 stack(s) with 4 threads", "fffff836650201c6 nt!KiSwapContext+0x76"} {
		if l := threads.Read(kd.Lines(prose)); len(l.Threads) != 0 {
			t.Errorf("%q: %+v", prose, l.Threads)
		}
	}
}

// TestMexWaitingOn: the rows and the Info column of mex as printed in
// https://github.com/DebugPrivilege/InsightEngineering, with other addresses.
func TestMexWaitingOn(t *testing.T) {
	const heads = "Process PID Thread             Id CSwitches User Kernel State      Time Reason      Waiting On                      Wait Function\n"
	const row = "System    4 ffff8b0b186e9040 249c         2 16ms   31ms Waiting 36s.515 WrFastMutex "
	for _, tc := range []struct {
		text  string
		owner kd.Addr
	}{
		{"Owning Thread: ffff8b0b186bc5c0 nt!ExAcquireFastMutex+0x122", 0xffff8b0b186bc5c0},
		{"Owning Thread: ffff8b0b186e9040", 0xffff8b0b186e9040},
		{"Owning Thread: ffff8b0b", 0}, // cut
		{"Owning Thread:", 0},
		{"Owning thread unknown nt!ExAcquireFastMutex+0x122", 0},
		{"ffff8b0b186bc5c0", 0},
	} {
		th := one(t, heads+row+tc.text)
		var owner kd.Addr
		if a := th.Stack.Awaited; a != nil {
			owner = a.Owner
		}
		if owner != tc.owner || th.WaitReason != "WrFastMutex" || th.WaitMS != 36515 {
			t.Errorf("%q: owner %s, %s, %d ms", tc.text, owner, th.WaitReason, th.WaitMS)
		}
	}
	// The time of a thread that has just begun to wait is no processor time.
	if th := one(t, heads+"System    4 ffff8b0b186e9040 249c         2 16ms   31ms Running       0 WrFastMutex"); th.WaitMS != -1 {
		t.Errorf("%d ms", th.WaitMS)
	}
	// A line that does not stand in the table is of another command, !mex.mut.
	thread, _, _ := strings.Cut(mexThread, "Thread at address")
	if th := one(t, thread+"Number of waiters: 1\nOwning Thread: ffff8b0b186bc5c0\n"); th.Stack.Awaited != nil {
		t.Errorf("%+v", th.Stack.Awaited)
	}
}

func TestMexInfo(t *testing.T) {
	const object = "    ffffdca3ae30f230 SynchronizationEvent             0\n"
	for _, tc := range []struct {
		text, kind, detail string
		owner              kd.Addr
	}{
		{"    ffffc983f2cf36a0 Mutant             0 Owning Thread: ffffc983f2d47040 (System)\n", "Mutant", "Owning Thread: ffffc983f2d47040 (System)", 0xffffc983f2d47040},
		{"    ffffc983f2cf36a0 Mutant             0 Owning Thread: ffffc983\n", "Mutant", "Owning Thread: ffffc983", 0},
		{"    ffffc983f2cf36a0 Mutant             0\n", "Mutant", "", 0},
		{"    ffff8b0b187ac408 SynchronizationEvent             0 Fast Mutex Owner: ffff8b0b187ac3f8\n", "SynchronizationEvent", "Fast Mutex Owner: ffff8b0b187ac3f8", 0},
		{"    ffff8b0b187ac408 SynchronizationEvent             0 Owning Thread: ffffc983f2d47040\n", "SynchronizationEvent", "Owning Thread: ffffc983f2d47040", 0},
	} {
		w := one(t, strings.Replace(mexThread, object, tc.text, 1)).WaitObjects
		if len(w) != 1 || w[0].Kind != tc.kind || w[0].Detail != tc.detail || w[0].Owner != tc.owner || w[0].ByMex != (tc.owner != 0) {
			t.Errorf("%q: %+v", tc.text, w)
		}
	}
}
