package snapshot_test

import (
	"strings"
	"testing"

	"kdlocks/kd"
)

const (
	packet   = "0: kd> !irp ffffab0cfced9340\nIrp is active with 2 stacks 2 is current (= 0xffffab0cfced9458)\n No Mdl: No System Buffer: Thread ffffab0d15731080:  Irp stack trace.  \n [N/A(0), N/A(0)]\n            0  0 00000000 00000000 00000000-00000000    \n\n>[IRP_MJ_FLUSH_BUFFERS(9), N/A(0)]\n            0  1 ffffab0cdf855060 ffffab0ce2c6eef0 00000000-00000000    pending\n               \\FileSystem\\Npfs\n"
	message  = "0: kd> !alpc /m fffff8800f4cc950\nMessage @ fffff8800f4cc950\n  MessageID             : 0x0BFC (3068)\n  WaitingThread         : fffffa801afae6f0\n  QueuePortOwnerProcess : fffffa801807b8f0 (svchost.exe)\n  ServerThread          : fffffa801aeec060\n"
	critical = "0:000> !locks\n\nCritSec ntdll!LdrpLoaderLock+0 at 77fb2440\nLockCount          1\nRecursionCount     1\nOwningThread       a7\nEntryCount         1\nContentionCount    1\n*** Locked\n\n"
	mutex    = "0: kd> dt nt!_FAST_MUTEX ffffe00112345660\n   +0x000 Count            : 0n4\n   +0x008 Owner            : 0xffffe001`0b004080 Void\n"
	fields   = "0: kd> dt nt!_ERESOURCE fffffa8011ef1de8 SharedWaiters ExclusiveWaiters\n   +0x020 SharedWaiters    : 0xfffffa80`139ea3e0 _KSEMAPHORE\n   +0x028 ExclusiveWaiters : (null) \n"
	queue    = "0: kd> !exqueue\n**** Critical WorkQueue ( Threads: 1/512, Concurrency: 0/1 )\nTHREAD fffffa8018db6040  Cid 0004.0018  Teb: 0000000000000000 Win32Thread: 0000000000000000 WAIT\n\n"
)

// TestMergeObjects: an object that was printed twice is there once; prints that
// disagree are two moments, and that is said.
func TestMergeObjects(t *testing.T) {
	row := func(thread string) string {
		return "0: kd> !irpfind\nffffab0cfced9340 [" + thread + "] irpStack: ( 9, 0)  ffffab0cdf855060 [ \\FileSystem\\Npfs]\n"
	}
	for _, tc := range []struct{ name, text, note, line string }{
		{"IRP twice", packet + packet, "", "irp ffffab0cfced9340 :2"},
		{"a row, then the IRP", row("ffffab0d15731080") + packet, "", "irp ffffab0cfced9340 :4"},
		{"the IRP, then a row", packet + row("ffffab0d15731080"), "", "irp ffffab0cfced9340 :2"},
		{"a row of another thread", packet + row("ffffab0d15732080"), "with another thread: that is used, not this row", "thread ffffab0d15731080"},
		{"completed between", packet + strings.Replace(packet, "2 is current (= 0xffffab0cfced9458)", "3 is complete", 1), "as completed or not: this later state is used", "irp ffffab0cfced9340 :11"},
		{"message twice", message + message, "", "alpc message fffff8800f4cc950 :2"},
		{"message with less", message + "Message @ fffff8800f4cc950\n  WaitingThread         : fffffa801afae6f0\n", "", "server-thread fffffa801aeec060"},
		{"message with more", strings.Replace(message, "  ServerThread          : fffffa801aeec060\n", "", 1) + message, "", "server-thread fffffa801aeec060"},
		{"another server thread", message + strings.Replace(message, "801aeec060", "801aeed060", 1), "with another server thread: this later state is used", "server-thread fffffa801aeed060"},
		{"critical section twice", critical + critical, "", "critical-section 0x77fb2440 :3"},
		{"another owner", critical + strings.Replace(critical, "       a7", "       a8", 1), "with another owner: this later state is used", "owner-id a8"},
		{"mutex twice", mutex + mutex, "", "mutex ffffe00112345660 :1 owner ffffe0010b004080"},
		{"mutex with less", mutex + strings.Replace(mutex, "0xffffe001`0b004080", "Ptr64", 1), "", "mutex ffffe00112345660 :1 owner ffffe0010b004080"},
		{"another owner of a mutex", mutex + strings.Replace(mutex, "0xffffe001`0b004080 Void", "(null)", 1), "with another owner: this later state is used", "mutex ffffe00112345660 :4 owner 0000000000000000"},
		{"fields twice", fields + fields, "", "resource-fields fffffa8011ef1de8 :1 shared-waiters fffffa80139ea3e0 exclusive-waiters 0000000000000000"},
		{"other fields", fields + strings.Replace(fields, "139ea3e0", "139eb3e0", 1), "with other waiters: this later state is used", "shared-waiters fffffa80139eb3e0"},
		{"queue twice", queue + queue, "", "work-queue Critical :2"},
		{"another worker", queue + strings.Replace(queue, "6040", "7040", 1), "with other threads or items: this later state is used", "worker fffffa8018db7040 :7"},
		{"the list of a thread", packet + "0: kd> !thread ffffab0d15732080\nTHREAD ffffab0d15732080  Cid 06c0.50cc  Teb: 000007ffffec8000 Win32Thread: fffff900c1c64010 WAIT: (Executive) UserMode Non-Alertable\nIRP List:\n    ffffab0cfced9340: (0006,0160) Flags: 00000884  Mdl: 00000000\n", "in the list of thread ffffab0d15732080 (line 13): two moments", "irp ffffab0cfced9340 :2"},
		{"another client", message + "0: kd> !thread fffffa801afaf6f0\nTHREAD fffffa801afaf6f0  Cid 033c.3c40  Teb: 000007fffffa0000 Win32Thread: 0000000000000000 WAIT: (WrLpcReply) UserMode Non-Alertable\n    fffffa801afafa80  Semaphore Limit 0x1\nWaiting for reply to ALPC Message fffff8800f4cc950 : queued at port fffffa8017dbb060 : owned by process fffffa801807b8f0\n", "fffffa801afaf6f0 waits for its reply, but by this it is thread fffffa801afae6f0", "client fffffa801afae6f0"},
	} {
		text := built(t, tc.text+"0: kd> !locks\n"+lockOfNone).String()
		if !strings.Contains(text, tc.line) {
			t.Errorf("%s: no %q in\n%s", tc.name, tc.line, text)
		}
		if has := strings.Contains(text, "\nnote "); has != (tc.note != "") || !strings.Contains(text, tc.note) {
			t.Errorf("%s: want the note %q in\n%s", tc.name, tc.note, text)
		}
	}
}

const lockOfNone = "Resource @ 0xfffffa8011ef1de8    Shared 1 owning threads\n     Threads: fffffa8016990b60-01<*>\n1 total locks, 1 locks currently held\n"

// TestObjectsAreFound: by their address, whatever its width on an x86 target, an
// LPC message by its ID.
func TestObjectsAreFound(t *testing.T) {
	s := built(t, packet+message+queue+lockOfNone)
	if i := s.IRP(0xffffab0cfced9340); i == nil || i.Thread.Addr != 0xffffab0d15731080 || i.Thread.At.Line != 3 {
		t.Errorf("IRP: %+v", i)
	}
	if m := s.Message(0xfffff8800f4cc950); m == nil || m.Client.Addr != 0xfffffa801afae6f0 || m.Client.At.Line != 13 {
		t.Errorf("message: %+v", m)
	}
	if q := s.Queues(); len(q) != 1 || len(q[0].Workers) != 1 || s.Thread(q[0].Workers[0].Thread) == nil {
		t.Errorf("queues: %+v", q)
	}
	if s.IRP(1) != nil || s.Message(1) != nil || s.CriticalSection(1, 0) != nil || s.Port(1) != nil {
		t.Error("something is at 1")
	}

	s = built(t, "0: kd> !irp ffffffff8a788d98\nIrp is active with 1 stacks 1 is current (= 0xffffffff8a788e08)\n No Mdl Thread ffffffff8d1c7bc0:  Irp stack trace.\n"+
		"0: kd> !thread 8d1c7bc0\nTHREAD 8d1c7bc0  Cid 0004.0100  Teb: 00000000 Win32Thread: 00000000 RUNNING on processor 0\nIRP List:\n    8a788d98: (0006,0094) Flags: 00000884  Mdl: 00000000\n"+
		"Client thread 842a4db0 waiting a reply from 222be\n"+critical)
	if i := s.IRP(0x8a788d98); s.Target.Arch != kd.X86 || i == nil || i.Thread.Addr != 0x8d1c7bc0 || i.Location.Addr != 0x8a788e08 || i.Conflict != "" {
		t.Errorf("folded IRP: %s", s)
	}
	if m := s.Message(0x222be); m == nil || !m.LPC || m.Client.Addr != 0x842a4db0 {
		t.Errorf("LPC message: %s", s)
	}
	s = built(t, "Server connection port e14ae238  Name: ApiPort\n    Server process  : 84aa0140 (csrss.exe)\n        Messages in queue:\n 0000 e20d9b80 - Busy  Id=0002249c  From: 584.680  Context=00000021  [e14ae248 . e14ae248]\n"+critical)
	if m := s.Message(0xe20d9b80); m == nil || m != s.Message(0x2249c) || m.From != "0584.0680" || m.Server.Addr != 0x84aa0140 || s.WhatIs(0xe20d9b80)[0].Kind != "lpc-message" {
		t.Errorf("LPC message in a queue: %s", s)
	}
	if c := s.CriticalSections(); len(c) != 1 || s.CriticalSection(0x77fb2440, 0) != c[0] || c[0].Owner.N != 0xa7 {
		t.Errorf("critical sections: %s", s)
	}
}

func TestWhatIsOfObjects(t *testing.T) {
	s := built(t, packet+message+queue+critical+"Port ffffc48d8895de20\n  Type                      : ALPC_CONNECTION_PORT\n")
	for _, tc := range []struct {
		addr kd.Addr
		want string
	}{
		{0xffffab0cfced9340, "irp of ffffab0d15731080"},
		{0xfffff8800f4cc950, "alpc-message of fffffa801afae6f0"},
		{0xfffffa8018db6040, "thread of fffffa8018db6040, worker of fffffa8018db6040"},
		{0xffffc48d8895de20, "port of 00000000"},
		{0x77fb2440, "critical-section of 00000000"},
		{0xbfc, ""},
	} {
		var kinds []string
		for _, m := range s.WhatIs(tc.addr) {
			kinds = append(kinds, m.Kind+" of "+m.Thread.Bare(kd.X86))
			if m.Addr != tc.addr {
				t.Errorf("%s: told of %s", tc.addr, m.Addr)
			}
		}
		if got := strings.Join(kinds, ", "); got != tc.want {
			t.Errorf("%s is %q, want %q", tc.addr, got, tc.want)
		}
	}
}
