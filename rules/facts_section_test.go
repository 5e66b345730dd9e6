package rules_test

import (
	"fmt"
	"strings"
	"testing"
)

// sectionThread is the block of a thread of process ffffc28f4c8d2080 that waits in
// user mode; args are what the column of arguments shows of the routine.
func sectionThread(addr, cid, wait, args string) string {
	const zero = "00000000`00000000 00000000`00000000 00000000`00000000"
	row := func(args, site string) string {
		return "        ffffa281`00025610 fffff802`6bb0be0f     : " + args + " " + zero + " : " + site + "\n"
	}
	if args == "" {
		row = func(_, site string) string { return "        ffffa281`00025610 fffff802`6bb0be0f     " + site + "\n" }
	}
	head := "        Child-SP          RetAddr               : Args to Child                                                           : Call Site\n"
	if args == "" {
		head = "        Child-SP          RetAddr               Call Site\n"
	}
	return "        THREAD " + addr + "  Cid " + cid + "  Teb: 0000000000000000 Win32Thread: 0000000000000000 WAIT: (UserRequest) UserMode Non-Alertable\n" +
		"            ffffc28f4d5f1b60  NotificationEvent\n        Not impersonating\n        Owning Process            ffffc28f4c8d2080       Image:         spoolsv.exe\n" + head +
		row("00000000`00000000", "nt!KiSwapContext+0x76") + row("00000000`00000000", "ntdll!NtWaitForAlertByThreadId+0x14") + row(args, wait) + row("00000000`00000000", "ntdll!RtlUserThreadStart+0x21") + "\n"
}

const (
	waitsForSection = "ntdll!RtlpWaitOnCriticalSection+0xd0"
	sectionAt       = "00007ffa`10c3a2e8"
)

func sectionLog(owner, cs string, blocks ...string) string {
	return "1: kd> !process ffffc28f4c8d2080 1f\nPROCESS ffffc28f4c8d2080\n    SessionId: 0  Cid: 0c3c    Peb: 7ff5e2c000  ParentCid: 02d4\n    DirBase: 21f4a5000  ObjectTable: ffff8d0f44a1c340  HandleCount: 812.\n    Image: spoolsv.exe\n\n" +
		strings.Join(blocks, "") + cs + "1: kd> !cs -l\n-----------------------------------------\nDebugInfo          = 0x00007ffa1a2f3d80\nCritical section   = 0x00007ffa10c3a2e8 (localspl!SpoolerSection+0x0)\nLOCKED\nLockCount          = 0x12\nWaiterWoken        = No\nOwningThread       = 0x" + owner + "\nRecursionCount     = 0x1\nLockSemaphore      = 0xFFFFFFFF\nSpinCount          = 0x00000000020007d0\n1: kd> "
}

const implicit = "1: kd> .process /r /p ffffc28f4c8d2080\nImplicit process is now ffffc28f`4c8d2080\nLoading User Symbols\n"

// TestSectionsAndThreads: a critical section is joined with its owner by the thread
// ID in its process, and with the threads that wait for it by their arguments.
func TestSectionsAndThreads(t *testing.T) {
	owner := sectionThread("ffffc28f4e5c1080", "0c3c.0f3c", "ntdll!NtAlpcSendWaitReceivePort+0x14", "0")
	waiter := sectionThread("ffffc28f4e5d1080", "0c3c.0f50", waitsForSection, sectionAt)
	blind := sectionThread("ffffc28f4e5d2080", "0c3c.0f54", waitsForSection, "")
	other := strings.NewReplacer("ffffc28f4c8d2080", "ffffc28f4a9f4140").Replace(sectionThread("ffffc28f4a9ff080", "0258.0f3c", waitsForSection, sectionAt))
	log := sectionLog("0000000000000f3c", implicit, owner, waiter, blind)
	const c = "critical_section: {address: 7ffa10c3a2e8, "
	asFields(t, []fieldCase{
		{"all is known", log, c + "owner: 0xf3c, owner_thread: ffffc28f4e5c1080, process: ffffc28f4c8d2080, lock_count: 18, recursion: 1, waiters: ffffc28f4e5d1080}", holds, ""},
		{"another owner", log, c + "owner_thread: ffffc28f4e5d1080}", fails, ""},
		{"another process", log, c + "process: ffffc28f4a9f4140}", fails, ""},
		{"not every waiter is known", log, c + "waiters: ffffc28f4e5d2080}", unclear, "!process ffffc28f4c8d2080 17"},
		{"by its waiters", sectionLog("0000000000000f3c", "", owner, waiter), c + "owner_thread: ffffc28f4e5c1080, process: ffffc28f4c8d2080}", holds, ""},
		{"by its owner", sectionLog("0000000000000f3c", "", owner), c + "owner_thread: ffffc28f4e5c1080, process: ffffc28f4c8d2080}", holds, ""},
		{"an owner that was not printed", sectionLog("0000000000000c44", implicit, owner, waiter), c + "owner_thread: ffffc28f4e5c1080}", unclear, "!thread -t c44 17"},
		{"the ID is that of a thread elsewhere", sectionLog("0000000000000f3c", implicit, waiter, other), c + "owner_thread: ffffc28f4a9ff080}", unclear, "!thread -t f3c 17"},
		{"a waiter elsewhere waits for another one", sectionLog("0000000000000f3c", implicit, owner, other), c + "waiters: ffffc28f4a9ff080}", unclear, ""},
		{"waiters of two processes", sectionLog("0000000000000c44", "", waiter, other), c + "waiters: ffffc28f4a9ff080}", unclear, ""},
		{"nobody owns it", sectionLog("0000000000000000", implicit, owner), c + "owner_thread: ffffc28f4e5c1080}", fails, ""},
		{"not printed", log, "critical_section: {address: 7ffa10c3a300, locked: true}", unclear, "!cs 00007ffa10c3a300"},
		{"what it waits for", log, "thread: {address: ffffc28f4e5d1080, critical_section: 7ffa10c3a2e8, tid: 0xf50, pid: 0xc3c}", holds, ""},
		{"what it waits for", log, "thread: {address: ffffc28f4e5d1080, critical_section: {ne: 7ffa10c3a2e8}}", fails, ""},
		{"without arguments", log, "thread: {address: ffffc28f4e5d2080, critical_section: 7ffa10c3a2e8}", unclear, "!thread ffffc28f4e5d2080 17"},
		{"it waits for none", log, "thread: {address: ffffc28f4e5c1080, critical_section: 7ffa10c3a2e8}", fails, ""},
		{"at its address in another process", sectionLog("0000000000000f3c", implicit, owner, other), "thread: {address: ffffc28f4a9ff080, critical_section: 7ffa10c3a2e8}", unclear, ""},
		{"the kernel part of a stack alone", log[:strings.Index(log, "        ffffa281`00025610 fffff802`6bb0be0f     : 00000000`00000000 00000000`00000000 00000000`00000000 00000000`00000000 : ntdll")] + "\n1: kd> !cs 0\n", "thread: {address: ffffc28f4e5c1080, critical_section: 7ffa10c3a2e8}", unclear, "!thread ffffc28f4e5c1080 17"},
		{"no thread has this number", log, "thread: {address: ffffc28f4e5c1080, tid: 3901}", fails, ""},
		{"its owner's number", log, c + "owner: 0xf3c}}, {thread: {address: ffffc28f4e5c1080, tid: {eq: X.owner}}", holds, ""},
	})
	// Where all locked ones of a process are listed, there are no others.
	join := "match: [{as: T, thread: {address: %s}}, {as: C, critical_section: {owner_thread: {eq: T.address}}}]"
	for _, c := range []struct {
		name, thread, log string
		want              string
	}{
		{"its owner", "ffffc28f4e5c1080", log, "possible"},
		{"a thread of the process whose sections were listed", "ffffc28f4e5d1080", log, "no-match"},
		{"the list has no end", "ffffc28f4e5d1080", strings.TrimSuffix(log, "1: kd> "), "could-not-check"},
		{"a line of the list is missing", "ffffc28f4e5d1080", strings.Replace(log, "LOCKED\n", "LOCKED\n[...]\n", 1), "could-not-check"},
		{"the sections of another process were listed", "ffffc28f4a9ff080", sectionLog("0000000000000f3c", implicit, owner, other), "could-not-check"},
	} {
		if r := judgeRule(t, fmt.Sprintf(join, c.thread), c.log); string(r.Outcome) != c.want {
			t.Errorf("%s: %s, want %s: %+v", c.name, r.Outcome, c.want, r.Clauses)
		}
	}
	r := judgeRule(t, "ask: [\"~~[{C.owner}] of {T.pid}\"]\nmatch: [{as: T, thread: {address: ffffc28f4e5c1080}}, {as: C, critical_section: {owner_thread: {eq: T.address}}}]", log)
	if got := strings.Join(r.Ask, "\n"); got != "~~[0xf3c] of 0xc3c" {
		t.Errorf("asks %q", got)
	}
}

// TestSectionsOfUserMode: in a debugger of user mode threads are known by their TEBs.
func TestSectionsOfUserMode(t *testing.T) {
	const log = "0:000> ~*kv\n\n.  0  Id: c3c.c40 Suspend: 1 Teb: 7ffde000 Unfrozen\nChildEBP RetAddr  Args to Child\n" +
		"014cfe64 77f6cc7b 00000460 00000000 00000000 ntdll!NtWaitForSingleObject+0xb\n014cfed8 77f67456 0024e750 6833adb8 0024e750 ntdll!RtlpWaitForCriticalSection+0xaa\n014cfee0 6833adb8 0024e750 80000000 01f21cb8 ntdll!RtlEnterCriticalSection+0x46\n014cffec 00000000 68622644 abcdef01 00000000 kernel32!BaseThreadStart+0x51\n\n" +
		"   1  Id: c3c.f3c Suspend: 1 Teb: 7ffdd000 Unfrozen\nChildEBP RetAddr  Args to Child\n014cfe64 77f6cc7b 00000460 00000000 00000000 ntdll!NtDelayExecution+0xb\n014cffec 00000000 68622644 abcdef01 00000000 kernel32!BaseThreadStart+0x51\n\n" +
		"0:000> !locks\n\nCritSec acme!Section+0 at 0024e750\nLockCount          0\nRecursionCount     1\nOwningThread       f3c\nEntryCount         0\nContentionCount    1\n*** Locked\n\nScanned 812 critical sections\n0:000> q\n"
	asFields(t, []fieldCase{
		{"joined", log, "critical_section: {address: 24e750, owner_thread: 7ffdd000, waiters: 7ffde000}", holds, ""},
		{"by the thread", log, "thread: {address: 7ffde000, critical_section: 24e750, tid: 0xc40}", holds, ""},
		{"it waits for none", log, "thread: {address: 7ffdd000, critical_section: 24e750}", fails, ""},
		{"whether it is suspended is the debugger's doing", log, "thread: {address: 7ffdd000, suspend_count: 1}", unclear, ""},
		{"all were scanned", log, "thread: {address: 7ffde000}}, {as: Y, critical_section: {owner_thread: {eq: X.address}}", fails, ""},
		{"another that is locked", log, "thread: {address: 7ffde000}}, {as: Y, critical_section: {symbol: \"ntdll!*\", locked: true}", fails, ""},
		{"another one", log, "thread: {address: 7ffde000}}, {as: Y, critical_section: {symbol: \"ntdll!*\"}", unclear, "!cs -l"},
		{"cut before the scan ended", log[:strings.Index(log, "\nScanned")], "thread: {address: 7ffde000}}, {as: Y, critical_section: {owner_thread: {eq: X.address}}", unclear, "!cs -l"},
		{"the owner was not printed", strings.Replace(log, "OwningThread       f3c", "OwningThread       abc", 1), "critical_section: {address: 24e750, owner_thread: 7ffdd000}", unclear, "~~[abc] kv"},
	})
}

// TestWholeLists: what a list that was printed whole lacks is not there.
func TestWholeLists(t *testing.T) {
	const irps = "1: kd> !irpfind\n\nScanning large pool allocation table for tag 0x3f707249 (Irp?) (ffffc28f4a010000 : ffffc28f4a310000)\n\n  Irp    [ Thread ] irpStack: (Mj,Mn)   DevObj  [Driver]         MDL Process\n" +
		"ffffc28f4d7e2a30 [ffffc28f4e1a2080] irpStack: ( 3, 0)  ffffc28f4c112050 [ \\Driver\\abcdnet]\nffffc28f4d7e4ab0 [ffffc28f4e991080] irpStack: ( e, 0)  ffffc28f4c1f2050 [ \\Driver\\AFD]\n\n" +
		"Searching nonpaged pool (ffffc28000000000 : ffffd28000000000) for tag 0x3f707249 (Irp?)\n\n"
	const end = "1: kd> q\n"
	const first = "irp: {address: ffffc28f4d7e2a30}}, {as: Y, "
	const procs = "1: kd> !process 0 0\n**** NT ACTIVE PROCESS DUMP ****\nPROCESS ffffc28f4c8d2080\n    SessionId: 0  Cid: 0c3c    Peb: 7ff5e2c000  ParentCid: 02d4\n    DirBase: 21f4a5000  ObjectTable: ffff8d0f44a1c340  HandleCount: 812.\n    Image: spoolsv.exe\n\n"
	const process = "process: {address: ffffc28f4c8d2080}}, {as: Y, process: {image: "
	asFields(t, []fieldCase{
		{"there", irps + end, first + "irp: {driver: AFD, major_code: 14}", holds, ""},
		{"not there", irps + end, first + "irp: {driver: acme}", fails, ""},
		{"the input ends", irps, first + "irp: {driver: acme}", unclear, "!irpfind"},
		{"another one follows", irps + "\n", first + "irp: {driver: acme}", unclear, "!irpfind"},
		{"something was left out", strings.Replace(irps, "\n\nSearching", "\n[...]\nSearching", 1) + end, first + "irp: {driver: acme}", unclear, "!irpfind"},
		{"a row that was not understood", strings.Replace(irps, "ffffc28f4d7e4ab0 [", "ffffc28f4d7e4ab0 {", 1) + end, first + "irp: {driver: acme}", unclear, "!irpfind"},
		{"its beginning is missing", "1: kd> !irpfind\n" + irps[strings.Index(irps, "ffffc28f4d7e2a30"):strings.Index(irps, "Searching")] + end, first + "irp: {driver: acme}", unclear, "!irpfind"},
		{"those of one thread", strings.Replace(irps, "!irpfind", "!irpfind 0 0 thread ffffc28f4e1a2080", 1) + end, first + "irp: {driver: acme}", unclear, "!irpfind"},
		{"those of paged pool", strings.Replace(irps, "!irpfind", "!irpfind 1", 1) + end, first + "irp: {driver: acme}", unclear, "!irpfind"},
		{"by an address that the list lacks", irps + end, first + "irp: {address: ffffc28f4d7e0000, driver: acme}", unclear, "!irp ffffc28f4d7e0000"},
		{"a process that is listed", procs + end, process + "spoolsv.exe}", holds, ""},
		{"a process that is not listed", procs + end, process + "lsass.exe}", fails, ""},
		{"the list of processes has no end", procs, process + "lsass.exe}", unclear, "!process 0 0"},
		{"some processes were left out", procs + "...\n" + end, process + "lsass.exe}", unclear, "!process 0 0"},
		{"one process alone", strings.Replace(procs, "!process 0 0", "!process ffffc28f4c8d2080 0", 1) + end, process + "lsass.exe}", unclear, "!process 0 0"},
		{"processes of a name", strings.Replace(procs, "!process 0 0", "!process 0 0 spoolsv.exe", 1) + end, process + "lsass.exe}", unclear, "!process 0 0"},
	})
}

// TestLocksOfChain: the locks of a finding are those of all hops of its chain.
func TestLocksOfChain(t *testing.T) {
	owner := strings.Replace(sectionThread("ffffc28f4e5c1080", "0c3c.0f3c", "nt!AlpcpReceiveSynchronousReply+0x56", "0"), "        Not impersonating\n",
		"        Waiting for reply to ALPC Message ffff8d0f3c7a4b20 : queued at port ffffc28f4b9d1c80 : owned by process ffffc28f4a9f4140\n        Not impersonating\n", 1)
	owner = strings.Replace(owner, "WAIT: (UserRequest)", "WAIT: (WrLpcReply)", 1)
	waiter := sectionThread("ffffc28f4e5d1080", "0c3c.0f50", waitsForSection, sectionAt)
	server := strings.ReplaceAll(sectionThread("ffffc28f4a9ff080", "0258.0270", "ntdll!NtWaitForSingleObject+0x14", "0"), "ffffc28f4c8d2080", "ffffc28f4a9f4140")
	log := sectionLog("0000000000000f3c", implicit, owner, waiter) + "!alpc /m ffff8d0f3c7a4b20\n\nMessage ffff8d0f3c7a4b20\n  Type                  : LPC_REQUEST\n  Canceled              : No\n" +
		"  WaitingThread         : ffffc28f4e5c1080\n  QueuePortOwnerProcess : ffffc28f4a9f4140 (csrss.exe)\n  ServerThread          : ffffc28f4a9ff080\n\n1: kd> !thread ffffc28f4a9ff080 1f\n" + server
	const f = "finding: {root: ffffc28f4a9ff080, locks: "
	asFields(t, []fieldCase{
		{"the lock of the root", log, f + "ffff8d0f3c7a4b20}", holds, ""},
		{"the lock behind it", log, f + "7ffa10c3a2e8}", holds, ""},
		{"no lock of the chain", log, f + "7ffa10c3a300}", fails, ""},
	})
}
