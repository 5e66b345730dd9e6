package waitgraph

import (
	"testing"

	"kdlocks/kd"
	"kdlocks/locks"
	"kdlocks/snapshot"
	"kdlocks/threads"
)

// waiting makes a thread of a process that waits for objects.
func waiting(a, process kd.Addr, objects ...threads.WaitObject) *threads.Thread {
	t := threads.New(a, kd.Ref{Line: int32(a & 0xff)})
	t.Header, t.State, t.WaitReason, t.WaitMode = true, threads.Waiting, "Executive", "KernelMode"
	t.Process.Addr = process
	t.WaitObjects = objects
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
		g := Build(snapshot.Build(snapshot.Target{Arch: kd.X64}, locks.Listing{}, threads.Listing{Threads: tc.in}, nil))
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
