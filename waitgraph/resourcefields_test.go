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

// TestWaitersThatDtShows: a thread waits for a resource of which dt shows the
// fields, and that no list names.
func TestWaitersThatDtShows(t *testing.T) {
	const owner, waiter, r1, r2 = 0xffff800000001010, 0xffff800000001020, 0xffff800000002000, 0xffff800000002100
	const semaphore, event, limit, onStack = 0xffff800000003000, 0xffff800000003100, 0xffff900000010000, 0xffff900000015800
	at := kd.Ref{Line: 2}
	resource := func(a kd.Addr, announced int, listed ...kd.Addr) *locks.Resource {
		r := &locks.Resource{Addr: a, Mode: locks.Exclusive, At: at, Owners: []locks.Entry{{Raw: owner, Count: 1, At: at}}}
		r.SharedWaiterCount = locks.Printed{N: announced, At: at}
		for _, w := range listed {
			r.SharedWaiters = append(r.SharedWaiters, locks.Waiter{Thread: w, At: at})
		}
		return r
	}
	waits := func(object kd.Addr, kind string) *threads.Thread {
		th := waiting(waiter, 0, threads.WaitObject{Addr: object, Kind: kind, Limit: -1, At: at})
		th.WaitReason = "WrResource"
		th.Stack = stacks.Stack{Base: limit + 0x6000, Limit: limit, Current: limit + 0x5000, RangeAt: at, InitAt: at}
		return th
	}
	other := waits(semaphore, "Semaphore")
	other.WaitReason = "WrPushLock"
	shown := func(a, shared, exclusive kd.Addr) *objects.ResourceFields {
		return &objects.ResourceFields{Addr: a, Shared: objects.Printed{Addr: shared, At: at}, Exclusive: objects.Printed{Addr: exclusive, At: at}, At: at}
	}
	twice := shown(r1, semaphore, 0)
	twice.Conflict = "they were printed twice, with other waiters"
	for _, tc := range []struct {
		name   string
		thread *threads.Thread
		fields []*objects.ResourceFields
		in     []*locks.Resource
		want   string // the kind of access and the grade
	}{
		{"its semaphore", waits(semaphore, "Semaphore"), []*objects.ResourceFields{shown(r1, semaphore, 0)}, []*locks.Resource{resource(r1, 1)}, "shared B"},
		{"its event", waits(event, "SynchronizationEvent"), []*objects.ResourceFields{shown(r1, 0, event)}, []*locks.Resource{resource(r1, 0)}, "exclusive C"},
		{"more than are announced", waits(semaphore, "Semaphore"), []*objects.ResourceFields{shown(r1, semaphore, 0)}, []*locks.Resource{resource(r1, 0)}, "shared C"},
		{"the first waiter is on its stack", waits(onStack, "SynchronizationEvent"), []*objects.ResourceFields{shown(r1, onStack+0x10, 0)}, []*locks.Resource{resource(r1, 1)}, "shared C"},
		{"in a part that has returned", waits(onStack, "SynchronizationEvent"), []*objects.ResourceFields{shown(r1, limit+0x100, 0)}, []*locks.Resource{resource(r1, 1)}, ""},
		{"another semaphore", waits(semaphore+0x100, "Semaphore"), []*objects.ResourceFields{shown(r1, semaphore, 0)}, []*locks.Resource{resource(r1, 1)}, ""},
		{"another kind of object", waits(semaphore, "NotificationEvent"), []*objects.ResourceFields{shown(r1, semaphore, 0)}, []*locks.Resource{resource(r1, 1)}, ""},
		{"a wait for something else", other, []*objects.ResourceFields{shown(r1, semaphore, 0)}, []*locks.Resource{resource(r1, 1)}, ""},
		{"it is listed elsewhere", waits(semaphore, "Semaphore"), []*objects.ResourceFields{shown(r1, semaphore, 0)}, []*locks.Resource{resource(r1, 1), resource(r2, 1, waiter)}, ""},
		{"shown for two resources", waits(semaphore, "Semaphore"), []*objects.ResourceFields{shown(r1, semaphore, 0), shown(r2, semaphore, 0)}, []*locks.Resource{resource(r1, 1), resource(r2, 1)}, ""},
		{"shown with two semaphores", waits(semaphore, "Semaphore"), []*objects.ResourceFields{twice}, []*locks.Resource{resource(r1, 1)}, ""},
		{"a resource that was not printed", waits(semaphore, "Semaphore"), []*objects.ResourceFields{shown(r2, semaphore, 0)}, []*locks.Resource{resource(r1, 1)}, ""},
	} {
		ll := locks.Listing{Resources: tc.in}
		g := Build(snapshot.Build(snapshot.Target{Arch: kd.X64}, ll, threads.Listing{Threads: []*threads.Thread{tc.thread}}, &objects.Listing{Resources: tc.fields}, nil))
		got := ""
		if n := g.Find(waiter); n >= 0 {
			for _, i := range g.Out[n] {
				e := g.Edges[i]
				if gate := g.Nodes[e.To]; gate.Addr == r1 {
					got += map[Kind]string{Shared: "shared ", Exclusive: "exclusive "}[gate.Kind] + e.Grade.String()
				}
			}
		}
		if got != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
}
