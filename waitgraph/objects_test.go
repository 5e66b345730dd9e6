package waitgraph

import (
	"testing"

	"kdlocks/kd"
	"kdlocks/locks"
	"kdlocks/objects"
	"kdlocks/snapshot"
	"kdlocks/stacks"
	"kdlocks/threads"
)

// waiting makes a thread of a process that waits for objects.
func waiting(a, process kd.Addr, objs ...threads.WaitObject) *threads.Thread {
	t := threads.New(a, kd.Ref{Line: int32(a & 0xff)})
	t.Header, t.State, t.WaitReason, t.WaitMode = true, threads.Waiting, "Executive", "KernelMode"
	t.Process.Addr = process
	t.WaitObjects = objs
	return t
}

func inUserMode(t *threads.Thread) *threads.Thread {
	t.WaitMode = "UserMode"
	return t
}

func object(a kd.Addr, kind string) threads.WaitObject {
	return threads.WaitObject{Addr: a, Kind: kind, Limit: -1, At: kd.Ref{Line: 1}}
}

func mutant(a, owner kd.Addr) threads.WaitObject {
	o := object(a, "Mutant")
	o.Owner = owner
	return o
}

func TestWaitsForOthersToEnd(t *testing.T) {
	const t1, t2, t3, p1, p2, m = 0xffff800000001001, 0xffff800000001002, 0xffff800000001003, 0xffff800000002001, 0xffff800000002002, 0xffff800000003001
	for _, tc := range []struct {
		name  string
		in    []*threads.Thread
		stuck int // threads
	}{
		{"two threads wait for each other to end", []*threads.Thread{waiting(t1, p1, object(t2, "Thread")), waiting(t2, p1, object(t1, "Thread"))}, 2},
		{"a thread waits for one that waits for its mutant", []*threads.Thread{waiting(t1, p1, object(t2, "Thread")), waiting(t2, p1, mutant(m, t1))}, 2},
		{"a thread waits for a process with a thread that waits for its mutant", []*threads.Thread{waiting(t1, p1, object(p2, "ProcessObject")), waiting(t2, p2, mutant(m, t1)), waiting(t3, p2)}, 2},
		{"a process with a thread that waits in user mode", []*threads.Thread{waiting(t1, p1, object(p2, "ProcessObject")), inUserMode(waiting(t2, p2, mutant(m, t1)))}, 0},
		{"a chain of threads", []*threads.Thread{waiting(t1, p1, object(t2, "Thread")), waiting(t2, p1, object(t3, "Thread")), waiting(t3, p1)}, 0},
		{"two processes wait for each other", []*threads.Thread{waiting(t1, p1, object(p2, "ProcessObject")), waiting(t2, p2, object(p1, "ProcessObject"))}, 0},
		{"its own process never ends", []*threads.Thread{waiting(t1, p1, object(p1, "ProcessObject"))}, 0},
		{"an event beside the thread", []*threads.Thread{waiting(t1, p1, object(t2, "Thread"), object(m, "NotificationEvent")), waiting(t2, p1, object(t1, "Thread"))}, 0},
		{"a timer beside the thread", []*threads.Thread{waiting(t1, p1, object(t2, "Thread"), object(m, "NotificationTimer")), waiting(t2, p1, object(t1, "Thread"))}, 0},
		{"one of two threads is free", []*threads.Thread{waiting(t1, p1, object(t2, "Thread"), object(t3, "Thread")), waiting(t2, p1, object(t1, "Thread")), waiting(t3, p1)}, 0},
		{"the other one runs", []*threads.Thread{waiting(t1, p1, object(t2, "Thread")), waiting(t2, p1)}, 0},
	} {
		g := Build(snapshot.Build(snapshot.Target{Arch: kd.X64}, locks.Listing{}, threads.Listing{Threads: tc.in}, nil, nil))
		n := 0
		for i, stuck := range g.Stuck(B) {
			if stuck && g.Nodes[i].Kind == Thread {
				n++
			}
		}
		if n != tc.stuck {
			t.Errorf("%s: %d threads stuck, want %d", tc.name, n, tc.stuck)
		}
	}
}

func TestMutexesThatDtShows(t *testing.T) {
	const t1, t2, p1 = 0xffff800000001010, 0xffff800000001020, 0xffff800000002001
	const x1, x2 = 0x8171ada8, 0x8171bda8
	at := kd.Ref{Line: 2}
	waits := func(a, object kd.Addr, kind, reason string) *threads.Thread {
		th := waiting(a, p1, threads.WaitObject{Addr: object, Kind: kind, Limit: -1, At: kd.Ref{Line: 1}})
		th.WaitReason = reason
		return th
	}
	mutex := func(a, owner kd.Addr) *objects.Mutex {
		return &objects.Mutex{Addr: a, Owner: objects.Printed{Addr: owner, At: at}, At: at}
	}
	const event, reason = "SynchronizationEvent", "WrFastMutex"
	const m1, m2 = 0xffff800000003000, 0xffff800000004000
	two := []*threads.Thread{waits(t1, m1+0x18, event, reason), waits(t2, m2+0x18, event, reason)}
	free := mutex(m2, t1)
	free.Free = objects.Yes
	twice := mutex(m2, t1)
	twice.Conflict = "it was printed twice, with another owner"
	byMex := waits(t1, m1+0x18, event, reason)
	byMex.Stack.Awaited = &stacks.Awaited{Owner: t2, At: kd.Ref{Line: 3}}
	for _, tc := range []struct {
		name  string
		in    []*threads.Thread
		shown []*objects.Mutex
		stuck int // threads
	}{
		{"each owns what the other waits for", two, []*objects.Mutex{mutex(m1, t2), mutex(m2, t1)}, 2},
		{"one that was not printed waits for nothing", two, []*objects.Mutex{mutex(m1, t2), mutex(m2, t1+0x100)}, 0},
		{"a thread owns what it waits for", two[:1], []*objects.Mutex{mutex(m1, t1)}, 1},
		{"a guarded mutex and its gate", []*threads.Thread{waits(t1, m1+0x18, "Gate", "WrGuardedMutex")}, []*objects.Mutex{mutex(m1, t1)}, 1},
		{"x86", []*threads.Thread{waits(x1, 0x856a400c, event, reason), waits(x2, 0x856a500c, event, reason)}, []*objects.Mutex{mutex(0x856a4000, x2), mutex(0x856a5000, x1)}, 2},
		{"nobody owns one of them", two, []*objects.Mutex{mutex(m1, t2), mutex(m2, 0)}, 0},
		{"one is free by its count", two, []*objects.Mutex{mutex(m1, t2), free}, 0},
		{"one was shown with two owners", two, []*objects.Mutex{mutex(m1, t2), twice}, 0},
		{"flags in an owner", two, []*objects.Mutex{mutex(m1, t2), mutex(m2, t1+1)}, 0},
		{"another mutex", two, []*objects.Mutex{mutex(m1, t2), mutex(m2+0x100, t1)}, 0},
		{"another reason to wait", []*threads.Thread{waits(t1, m1+0x18, event, "Executive")}, []*objects.Mutex{mutex(m1, t1)}, 0},
		{"another kind of object", []*threads.Thread{waits(t1, m1+0x18, "Semaphore", reason)}, []*objects.Mutex{mutex(m1, t1)}, 0},
		{"mex says the same", []*threads.Thread{byMex, two[1]}, []*objects.Mutex{mutex(m1, t2), mutex(m2, t1)}, 2},
		{"mex names another owner", []*threads.Thread{byMex}, []*objects.Mutex{mutex(m1, t1)}, 0},
	} {
		arch := kd.X64
		if tc.in[0].Addr>>32 == 0 {
			arch = kd.X86
		}
		g := Build(snapshot.Build(snapshot.Target{Arch: arch}, locks.Listing{}, threads.Listing{Threads: tc.in}, &objects.Listing{Mutexes: tc.shown}, nil))
		n := 0
		for i, stuck := range g.Stuck(B) {
			if stuck && g.Nodes[i].Kind == Thread {
				n++
			}
		}
		if n != tc.stuck {
			t.Errorf("%s: %d threads stuck, want %d", tc.name, n, tc.stuck)
		}
	}
}

// TestHoldersThatWereSkimmed: of very many threads that wait for mutexes those are
// read whole that matter, also when they were asked for before the graph is drawn,
// as holders of locks are.
func TestHoldersThatWereSkimmed(t *testing.T) {
	const holder, waiter, r, m = 0xffff800000001010, 0xffff800000001020, 0xffff800000002000, 0xffff800000003000
	at := kd.Ref{Line: 2}
	whole := map[kd.Addr]*threads.Thread{}
	for a, o := range map[kd.Addr]threads.WaitObject{holder: object(m+0x18, "SynchronizationEvent"), waiter: object(m+0x1000, "SynchronizationEvent")} {
		whole[a] = waiting(a, 0, o)
	}
	whole[holder].WaitReason, whole[waiter].WaitReason = "WrFastMutex", "WrResource"
	whole[holder].Stack.Awaited = &stacks.Awaited{Owner: waiter, At: at}
	var rows []threads.Brief
	for _, a := range []kd.Addr{holder, waiter} {
		rows = append(rows, threads.Brief{Addr: a, State: threads.Waiting, Line: 2, Traits: threads.LockWait})
	}
	lock := &locks.Resource{Addr: r, Mode: locks.Exclusive, At: at, Owners: []locks.Entry{{Raw: holder, Count: 1, At: at}}, ExclusiveWaiters: []locks.Waiter{{Thread: waiter, At: at}}}
	lock.ExclusiveWaiterCount = locks.Printed{N: 1, At: at}
	g := Build(snapshot.Build(snapshot.Target{Arch: kd.X64}, locks.Listing{Resources: []*locks.Resource{lock}, Rounds: []locks.Round{{At: at, Seen: true}}},
		threads.Listing{Skimmed: rows, Indirect: 1 << 20, Load: func(b threads.Brief) *threads.Thread { return whole[b.Addr] }}, nil, nil))
	n := 0
	for i, stuck := range g.Stuck(B) {
		if stuck && g.Nodes[i].Kind == Thread {
			n++
		}
	}
	if n != 2 {
		t.Errorf("%d threads stuck, want 2: %+v", n, g.Edges)
	}
}

// TestSectionsOfTwoProcesses: critical sections at one address in two processes are
// two, each with its owner.
func TestSectionsOfTwoProcesses(t *testing.T) {
	const t1, t2, t3, t4, p1, p2, m, at = 0xffff800000001001, 0xffff800000001002, 0xffff800000001003, 0xffff800000001004, 0xffff800000002001, 0xffff800000002002, 0xffff800000003001, 0x7ffa1a2ee500
	for _, tc := range []struct {
		name  string
		third kd.Addr // the process of the thread that owns the mutant
		stuck int
	}{
		{"in one process", p1, 3},
		{"in two", p2, 0},
	} {
		section := func(process kd.Addr, owner uint64) *objects.CriticalSection {
			return &objects.CriticalSection{Addr: at, Process: objects.Printed{Addr: process, At: kd.Ref{Line: 1}}, Owner: objects.Number{N: owner, At: kd.Ref{Line: 1}}, Locked: objects.Yes, At: kd.Ref{Line: 1}}
		}
		with := func(thread *threads.Thread, id uint32, arg kd.Addr) *threads.Thread {
			thread.CID = threads.CID{Process: 4, Thread: id, Known: true}
			if arg != 0 {
				thread.Stack.Frames = []stacks.Frame{{Module: "ntdll", Function: "NtWaitForAlertByThreadId"}, {Module: "ntdll", Function: "RtlpWaitOnCriticalSection", Args: []kd.Addr{arg}}}
			}
			return thread
		}
		tl := threads.Listing{Threads: []*threads.Thread{
			with(waiting(t1, p1), 0x10, at), with(waiting(t2, p1, mutant(m, t3)), 0x11, 0),
			with(waiting(t3, tc.third), 0x20, at), with(waiting(t4, p2), 0x21, 0),
		}}
		ol := &objects.Listing{Sections: []*objects.CriticalSection{section(p1, 0x11), section(p2, 0x21)}}
		g := Build(snapshot.Build(snapshot.Target{Arch: kd.X64}, locks.Listing{}, tl, ol, nil))
		n := 0
		for i, stuck := range g.Stuck(D) {
			if stuck && g.Nodes[i].Kind == Thread {
				n++
			}
		}
		if n != tc.stuck {
			t.Errorf("%s: %d threads are stuck, want %d", tc.name, n, tc.stuck)
		}
	}
}
