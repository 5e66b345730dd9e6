package threads_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"kdlocks/kd"
	"kdlocks/threads"
)

func showVerifier(vs []*threads.VerifierDeadlock) []string {
	var out []string
	for _, v := range vs {
		out = append(out, fmt.Sprintf("issue %v %d/%d", v.Issue, v.AnnouncedLocks, v.AnnouncedThreads))
		for _, th := range v.Threads {
			s := fmt.Sprint("thread ", th.Index, " ", th.Addr, " ", th.Order)
			if th.Terminated {
				s += " terminated"
			}
			for _, a := range th.Taken {
				s += fmt.Sprintf(" %s:%d", a.Lock, len(a.Frames))
				if a.Node != 0 {
					s += "@" + a.Node.String()
				}
				if a.Current {
					s += " current"
				}
			}
			out = append(out, s)
		}
		for _, l := range v.Locks {
			out = append(out, strings.Join(strings.Fields(fmt.Sprint("lock ", l.Name, " ", l.Addr, " ", l.Symbol, " ", l.Type)), " "))
		}
	}
	return out
}

const short = `Deadlock detected (2 resources in 2 threads):

Thread 0: A B
Thread 1: B A

Where:
Thread 0 = 8d3ba030
Thread 1 = 8d15c030
Lock A =   bba2af30 Type 'Spinlock'
Lock B =   dummy!GlobalLock Type 'Spinlock'
`

const long = `issue: 00001001 97dd800c 86858ce0 00000000 

Deadlock detected (2 locks in 2 threads):
# 

Thread 0: TERMINATED took locks in the following order:

Lock A =     97dd800c (MyTestDriver!AlphaLock+0x00000000) - Type 'Spinlock'.

    Node:    8685acd8

    Stack:   97dd65b7 MyTestDriver!SystemControlIrpWorker+0x00000027 
             97dd605a MyTestDriver!Dispatch_SystemControl+0x0000001a 

Lock B =     97dd8008 (MyTestDriver!BravoLock+0x00000000) - Type 'Spinlock'.

    Node:    86833578

    Stack:   97dd65c5 MyTestDriver!SystemControlIrpWorker+0x00000a4a 
# 

Thread 1: c4ae2040 (ThreadEntry = 86833a08) took locks in the following order:

Lock B =     97dd8008 (MyTestDriver!BravoLock+0x00000000) - Type 'Spinlock'.

    Node:    86858ce0

    Stack:   97dd65ef MyTestDriver!DeviceControlIrpWorker+0x0000005f 

Lock A =     97dd800c (MyTestDriver!AlphaLock+0x00000000) - Type 'Spinlock'.

    Stack:   << Current stack trace - use kb to display it >>
`

const oldLong = `Deadlock detected (2 resources in 2 threads):

Thread 0 (8D14F750) took locks in the following order:

    Lock A -- b7906f30 (Spinlock)
    Stack:   dummy!DummyActivateVcComplete+0x63
             dummy!dummyOpenVcChannels+0x2E1

    Lock B -- dummy!GlobalLock (Spinlock)
    Stack:   dummy!dummyQueueRecvBuffers+0x2D

Thread 1 (8D903030) took locks in the following order:

    Lock B -- dummy!GlobalLock (Spinlock)
    Stack:   dummy!dummyRxInterruptOnCompletion+0x25D

    Lock A -- b7906f30 (Spinlock)
    Stack:   << Current stack >>
`

func TestDeadlock(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		want       []string
		notes      int
	}{
		{"short", short, []string{"issue [] 2/2", "thread 0 0x8d3ba030 [A B]", "thread 1 0x8d15c030 [B A]", "lock A 0xbba2af30 Spinlock", "lock B 0x0 dummy!GlobalLock Spinlock"}, 0},
		{"since Windows 8.1", "issue: 00001001 97dd800c 86858ce0 00000000 \n\nDeadlock detected (2 locks in 2 threads):\n\nThread 0: A B.\nThread 1: B A.\n\nWhere:\n\nThread 0 = TERMINATED.\nThread 1 = c4ae2040.\n\nLock A =   97dd800c (MyTestDriver!AlphaLock+0x00000000) - Type 'Spinlock'.\nLock B =   97dd8008 (MyTestDriver!BravoLock+0x00000000) - Type 'Spinlock'.\n",
			[]string{"issue [0x1001 0x97dd800c 0x86858ce0 0x0] 2/2", "thread 0 0x0 [A B] terminated", "thread 1 0xc4ae2040 [B A]", "lock A 0x97dd800c MyTestDriver!AlphaLock+0x00000000 Spinlock", "lock B 0x97dd8008 MyTestDriver!BravoLock+0x00000000 Spinlock"}, 0},
		{"long", long, []string{"issue [0x1001 0x97dd800c 0x86858ce0 0x0] 2/2", "thread 0 0x0 [A B] terminated A:2@0x8685acd8 B:1@0x86833578", "thread 1 0xc4ae2040 [B A] B:1@0x86858ce0 A:0 current", "lock A 0x97dd800c MyTestDriver!AlphaLock+0x00000000 Spinlock", "lock B 0x97dd8008 MyTestDriver!BravoLock+0x00000000 Spinlock"}, 0},
		{"long, old", oldLong, []string{"issue [] 2/2", "thread 0 0x8d14f750 [A B] A:2 B:1", "thread 1 0x8d903030 [B A] B:1 A:0 current", "lock A 0xb7906f30 Spinlock", "lock B 0x0 dummy!GlobalLock Spinlock"}, 0},
		{"64-bit", strings.NewReplacer("8d3ba030", "ffffc4ae20408d30", "8d15c030", "ffffc4ae20409d30", "bba2af30", "fffff80197dd800c").Replace(short), []string{"issue [] 2/2", "thread 0 0xffffc4ae20408d30 [A B]", "thread 1 0xffffc4ae20409d30 [B A]", "lock A 0xfffff80197dd800c Spinlock", "lock B 0x0 dummy!GlobalLock Spinlock"}, 0},
		{"cut", short[:strings.Index(short, "Lock B")], []string{"issue [] 2/2", "thread 0 0x8d3ba030 [A B]", "thread 1 0x8d15c030 [B A]", "lock A 0xbba2af30 Spinlock"}, 1},
		{"twice", short + short, []string{"issue [] 2/2", "thread 0 0x8d3ba030 [A B]", "thread 1 0x8d15c030 [B A]", "lock A 0xbba2af30 Spinlock", "lock B 0x0 dummy!GlobalLock Spinlock", "issue [] 2/2", "thread 0 0x8d3ba030 [A B]", "thread 1 0x8d15c030 [B A]", "lock A 0xbba2af30 Spinlock", "lock B 0x0 dummy!GlobalLock Spinlock"}, 0},
		{"none", "Deadlock verifier: no deadlock\n", nil, 0},
	} {
		l := threads.Read(kd.Lines(tc.text))
		if got := showVerifier(l.VerifierDeadlocks); !reflect.DeepEqual(got, tc.want) || len(l.Notes) != tc.notes || len(l.Threads) != 0 {
			t.Errorf("%s:\ngot  %q\nwant %q\nnotes %v threads %v", tc.name, got, tc.want, l.Notes, l.Threads)
		}
	}
}

// TestDeadlockEnds: what follows is read as what it is.
func TestDeadlockEnds(t *testing.T) {
	l := threads.Read(kd.Lines(long + "ChildEBP RetAddr\n89b2cac4 820da328 nt!VfReportIssueWithOptions+0x86\n89b2caf4 820d92a2 nt!ViDeadlockAnalyze+0x1d1\n"))
	if len(l.VerifierDeadlocks) != 1 || len(l.Threads) != 1 || len(l.Threads[0].Stack.Frames) != 2 {
		t.Errorf("%d deadlocks, threads %v", len(l.VerifierDeadlocks), l.Threads)
	}
}

func TestDeadlockNearMisses(t *testing.T) {
	for _, s := range []string{
		"Deadlock detected in my driver", "Deadlock detected (2 apples in 2 threads):", "Deadlock is what we have", "issue: 12345678",
		"issue: it hangs", "Thread 0: A B", "Lock A = bba2af30 Type 'Spinlock'", "Where:", "Deadlock detected (two locks in 2 threads):", "    Stack:   << Current stack >>",
	} {
		var r threads.Reader
		if r.Line(kd.Line{Text: s, Num: 1}) || len(r.Done().VerifierDeadlocks) != 0 {
			t.Errorf("%q is claimed", s)
		}
	}
}
