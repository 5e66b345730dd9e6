package threads_test

import (
	"fmt"
	"reflect"
	"testing"

	"kdlocks/kd"
	"kdlocks/threads"
)

func TestReady(t *testing.T) {
	l := threads.Read(kd.Lines(`KSHARED_READY_QUEUE 8147e800: (00) ****----------------------------
SharedReadyQueue 8147e800: Ready Threads at priority 8
    THREAD 80af8bc0  Cid 1300.15c4  Teb: 7f82b000 Win32Thread: 00000000 READY on processor 80000002
    THREAD 80b58bc0  Cid 0454.0fc0  Teb: 7f82e000 Win32Thread: 00000000 READY on
 processor 80000003
SharedReadyQueue 8147e800: Ready Threads at priority 0
    THREAD 82889bc0  Cid 0004.0008  Teb: 00000000 Win32Thread: 00000000 READY
Processor 0: No threads in READY state
Processor 1: Ready Threads at priority 10
THREAD 857c0030 Cid 04c8.0378 Teb: 7ffdf000 Win32Thread: fef7f8c0 READY
    THREAD 857c0040  Cid 04c8.0378  Teb: 7ffdf000 Win32Thread: fef7f8c0 WAIT: (UserRequest) UserMode Non-Alertable
        8754b3e0  NotificationEvent
    THREAD 857c0050  Cid 04c8.0378  Teb: 7ffdf000 Win32Thread: fef7f8c0 READY
`))
	var got []string
	for _, th := range l.Threads {
		got = append(got, fmt.Sprint(th.Addr, " ", th.State, " processor ", th.Processor, " priority ", th.Priority))
	}
	want := []string{
		"0x80af8bc0 ready processor 2 priority 8",
		"0x80b58bc0 ready processor 3 priority 8",
		"0x82889bc0 ready processor -1 priority 0",
		"0x857c0030 ready processor 1 priority 10",
		"0x857c0040 waiting processor -1 priority -1",
		"0x857c0050 ready processor -1 priority -1",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestReadyNearMisses(t *testing.T) {
	for _, s := range []string{
		"Processor 0: Intel Xeon", "Processor zero: No threads in READY state", "Processor 0: Ready Threads at priority high",
		"No threads in READY state were found by me", "SharedReadyQueue: Ready Threads at priority 8", "Processor 0 is at priority 8",
		"Processor 0: Ready Threads at priority 13 on Tuesday",
	} {
		var r threads.Reader
		if r.Line(kd.Line{Text: s, Num: 1}) {
			t.Errorf("%q is claimed", s)
		}
	}
}
