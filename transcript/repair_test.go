package transcript

import (
	"fmt"
	"math/bits"
	"strings"
	"testing"
	"unicode/utf8"

	"kdlocks/kd"
)

// repair runs lines through the step.
func repair(lines []string) ([]kd.Line, *Repair) {
	var out []kd.Line
	var r Repair
	emit := func(l kd.Line) { out = append(out, l) }
	for i, s := range lines {
		r.Push(s, int32(i)+1, emit)
	}
	r.Flush(false, emit)
	return out, &r
}

// shown is a repaired line as the tables write it: the lines it stands on
// before it where they are several, blank lines left out.
func shown(ls []kd.Line) []string {
	var out []string
	for _, l := range ls {
		switch {
		case l.Text == "":
		case l.Last() > l.Num:
			out = append(out, fmt.Sprintf("%d-%d %s", l.Num, l.Last(), l.Text))
		default:
			out = append(out, fmt.Sprintf("%d %s", l.Num, l.Text))
		}
	}
	return out
}

var repairs = []struct {
	name, in, want string
}{
	{"quoting", "> Resource @ 0x896d2a68    Available\n>> 1 total locks", "1 Resource @ 0x896d2a68    Available\n2 1 total locks"},
	{"comment signs", "// ChildEBP RetAddr\n// 8b487190 8a615901 nt!A+0x1\n//", "1 ChildEBP RetAddr\n2 8b487190 8a615901 nt!A+0x1"},
	{"line numbers", "  8: kd> !locks\n  9: Resource @ 0x896d2a68    Available\n 10:\n 11: 1 total locks", "1 8: kd> !locks\n2 Resource @ 0x896d2a68    Available\n4 1 total locks"},
	{"numbers before a row of !stacks", "   1     4.002668  ffffac48b8a71040 0000017 RUNNING    nt!A+0x3c\n   2                                          nt!B+0x692\n   3                                          nt!C+0x43e\n   4                                          nt!D+0x5", "1 4.002668  ffffac48b8a71040 0000017 RUNNING    nt!A+0x3c\n2 nt!B+0x692\n3 nt!C+0x43e\n4 nt!D+0x5"},
	{"padded numbers", "0009 00 8b487190 8a615901 nt!A+0x1\n0010 01 8b487194 8a615901 nt!B+0x1\n0011 02 8b487198 8a615901 nt!C+0x1",
		"1 00 8b487190 8a615901 nt!A+0x1\n2 01 8b487194 8a615901 nt!B+0x1\n3 02 8b487198 8a615901 nt!C+0x1"},
	{"list", "* Resource @ 0x896d2a68    Exclusively owned\n*     Contention Count = 3\n*\n*      Threads: 8982d030-01<*>\n* KD: Scanning for held locks.", "1 Resource @ 0x896d2a68    Exclusively owned\n2 Contention Count = 3\n4 Threads: 8982d030-01<*>\n5 KD: Scanning for held locks."},
	{"list with wrapped items", "\u2022 8b487190 8a615901 850a5f88\n  00000000 00000000 nt!A+0x1\n\u2022 8b487194 8a615901\n  nt!B+0x1\n\n\u2022 IRP List:", "1-2 8b487190 8a615901 850a5f88 00000000 00000000 nt!A+0x1\n3-4 8b487194 8a615901 nt!B+0x1\n6 IRP List:"},
	{"list, counted", "1. Not impersonating\n2. IRP List:\n3. Kernel stack not resident.", "1 Not impersonating\n2 IRP List:\n3 Kernel stack not resident."},
	{"row of !mex.t", "Process                   Thread                       CID       UserTime\nKernelTime ContextSwitches Wait Reason Time State\nsvc host.exe (ffff8b089a09a040) ffff8b08a15d5040 (E|K|W|R|V) 4.2018           0\n0               1 WrResource  15ms Wai\nting\n\nWaitBlockList:",
		"1-2 Process                   Thread                       CID       UserTime KernelTime ContextSwitches Wait Reason Time State\n3-5 svc host.exe (ffff8b089a09a040) ffff8b08a15d5040 (E|K|W|R|V) 4.2018           0 0               1 WrResource  15ms Waiting\n7 WaitBlockList:"},
	{"row of !mex.lt", "Process PID Thread             Id State        Time Reason\nsvc host.exe    4 ffff9bb88c60f040 26a4\nWaiting 4m:03.203 WrPushLock\nSystem    4 ffff9bb885886040 2778 Waiting\n4m:03.703 WrPushLock",
		"1 Process PID Thread             Id State        Time Reason\n2-3 svc host.exe    4 ffff9bb88c60f040 26a4 Waiting 4m:03.203 WrPushLock\n4-5 System    4 ffff9bb885886040 2778 Waiting 4m:03.703 WrPushLock"},
	{"row of !mex.eresource", "    Process Thread             Time Wait Function\n    ======= ================ ====== ==================================\n    System  ffffdf9a87a30040 2s.343\nTestDriver!FileDeletionThre\nad+0x38\n\nExclusive Waiters: 0",
		"1 Process Thread             Time Wait Function\n2 ======= ================ ====== ==================================\n3-5 System  ffffdf9a87a30040 2s.343 TestDriver!FileDeletionThread+0x38\n7 Exclusive Waiters: 0"},
	{"stack of !mex.t", "# Child-SP         Return           Call Site Info\nSource\n5 ffffdca3ae30f1d0 fffff81aed7013c4\nnt!ExAcquireResourceExclusiveLite+0x1fe Thread: ffffdf9a87a30040\n(System) exclusive owner of EResource:\nffffdf9a8ce68448\n6 ffffdca3ae30f260 fffff81af0b55855 TestDriver!FileMoveThread+0x34\nC:\\src\\Driver.c @ 53\n7 ffffdca3ae30f590 fffff81af0bfe808 nt!A+0x55",
		"1-2 # Child-SP         Return           Call Site Info Source\n3-6 5 ffffdca3ae30f1d0 fffff81aed7013c4 nt!ExAcquireResourceExclusiveLite+0x1fe Thread: ffffdf9a87a30040 (System) exclusive owner of EResource: ffffdf9a8ce68448\n7-8 6 ffffdca3ae30f260 fffff81af0b55855 TestDriver!FileMoveThread+0x34 C:\\src\\Driver.c @ 53\n9 7 ffffdca3ae30f590 fffff81af0bfe808 nt!A+0x55"},
	{"lock of !mex.t in halves", "# Child-SP         Return           Call Site Info\n5 ffffdca3ae30f1d0 fffff81aed7013c4 nt!X+0x1\nfe Thread: ffffdf9a87a30040 (System) exclusive owner of EResource: ffffdf9a\n8ce68448",
		"1 # Child-SP         Return           Call Site Info\n2-4 5 ffffdca3ae30f1d0 fffff81aed7013c4 nt!X+0x1fe Thread: ffffdf9a87a30040 (System) exclusive owner of EResource: ffffdf9a8ce68448"},
	{"stack of !mex.us", "1 thread [stats]: ffff9bb8871c0580\nfffff83664eedd7c nt!ExAcquirePushLockSharedEx+0x11c\nfffff83670ff1230 TestDriver!FileCreationThread+0x150\n(C:\\src\\Driver.c @ 45)", "1 1 thread [stats]: ffff9bb8871c0580\n2 fffff83664eedd7c nt!ExAcquirePushLockSharedEx+0x11c\n3-4 fffff83670ff1230 TestDriver!FileCreationThread+0x150 (C:\\src\\Driver.c @ 45)"},
	{"times", "[12:34:56.789] Not impersonating\n[12:34:56.790] IRP List:\n[12:34:57.001] Kernel stack not resident.", "1 Not impersonating\n2 IRP List:\n3 Kernel stack not resident."},
	{"times with a date", "2024-01-02 12:34:56 Not impersonating\n2024-01-02 12:34:56 IRP List:\n2024-01-02 12:34:57 Kernel stack not resident.", "1 Not impersonating\n2 IRP List:\n3 Kernel stack not resident."},
	{"arguments folded two and two",
		"> fffff8a4`247334b0 fffff8a4`2164745b : fffffaa4`22aa9780 fffff9a4`2910ec60 \n> fffff8a4`24733701 00000000`00000000 : Ntfs!NtfsCommonRead+0x896",
		"1-2 fffff8a4`247334b0 fffff8a4`2164745b : fffffaa4`22aa9780 fffff9a4`2910ec60 fffff8a4`24733701 00000000`00000000 : Ntfs!NtfsCommonRead+0x896"},
	{"frame in three pieces",
		"fffff8a4`24733770 fffff8a4`214010b6 : fffffaa4`235dade0 00000000`00000002\nfffff9a4`2910ec60 fffffaa4`2262b0b8 :\nfltmgr!FltpDispatch+0x25e",
		"1-3 fffff8a4`24733770 fffff8a4`214010b6 : fffffaa4`235dade0 00000000`00000002 fffff9a4`2910ec60 fffffaa4`2262b0b8 : fltmgr!FltpDispatch+0x25e"},
	{"x86 frame, folded", "8b487190 8a615901 850a5f88\n00000000 00000000 nt!KeWaitForSingleObject+0x492", "1-2 8b487190 8a615901 850a5f88 00000000 00000000 nt!KeWaitForSingleObject+0x492"},
	{"offset alone", "                                        ZFSin!ZFSCallbackAcquireForCreateSection\n+0x134\n                                        nt!FsFilterPerformCallbacks+0xd8",
		"1-2 ZFSin!ZFSCallbackAcquireForCreateSection+0x134\n3 nt!FsFilterPerformCallbacks+0xd8"},
	{"digit alone", "                                        nt!FsRtlAcquireToCreateMappedSection+0x4\nf", "1-2 nt!FsRtlAcquireToCreateMappedSection+0x4f"},
	{"wait split from its reason", "THREAD fffffaa6537cf060  Cid 4884.4f9c  Teb: 000007fffffaa000 Win32Thread: fffff92700fb98b0 WAIT:\n(UserRequest) UserMode Non-Alertable",
		"1-2 THREAD fffffaa6537cf060  Cid 4884.4f9c  Teb: 000007fffffaa000 Win32Thread: fffff92700fb98b0 WAIT: (UserRequest) UserMode Non-Alertable"},
	{"inside a word", "THREAD 8982d030  Cid 0acc.050c  Teb: 7ffdf000 Win32Thread: feb2c4c0 RUNNING on proc\nessor 0", "1-2 THREAD 8982d030  Cid 0acc.050c  Teb: 7ffdf000 Win32Thread: feb2c4c0 RUNNING on processor 0"},
	{"owner split inside", "Resource @ 0xffffe5b8fda32940    Shared 2 owning threads\n Threads: ffffe5b8fc33c040-01<*> ffffe5b8fd11\n0080-01<*>",
		"1 Resource @ 0xffffe5b8fda32940    Shared 2 owning threads\n2-3 Threads: ffffe5b8fc33c040-01<*> ffffe5b8fd110080-01<*>"},
	{"count and mark split off", "Resource @ 0x8a0a1a68    Shared 1 owning threads\n Threads: 8a7cb533\n-01<*> *** Actual\nThread 8a7cb530",
		"1 Resource @ 0x8a0a1a68    Shared 1 owning threads\n2-4 Threads: 8a7cb533-01<*> *** Actual Thread 8a7cb530"},
	{"doubled line ends", "ChildEBP RetAddr\n\n8b487190 8a615901 nt!A+0x1\n\n8b487198 8a615901\n\nnt!B+0x1\n\n\n\n8b48719c 8a615901 nt!C+0x1\n\n8b4871a0 8a615901 nt!D+0x1\n",
		"1 ChildEBP RetAddr\n3 8b487190 8a615901 nt!A+0x1\n5-7 8b487198 8a615901 nt!B+0x1\n11 8b48719c 8a615901 nt!C+0x1\n13 8b4871a0 8a615901 nt!D+0x1"},
	{"doubled and quoted", "> Resource @ 0x896d2a68    Exclusively owned\n> \n>     Contention Count = 3\n>\n>      Threads: 8982d030-01\n> \n> <*> 8982d034-01\n>",
		"1 Resource @ 0x896d2a68    Exclusively owned\n3 Contention Count = 3\n5-7 Threads: 8982d030-01 <*> 8982d034-01"},
	{"mutant and its owner", "THREAD 8982d030  Cid 1.2  Teb: 0 Win32Thread: 0 WAIT: (Executive) KernelMode Non-Alertable\n    fffff965d75daf00  Mutant - owning thread\nfffff965ea2ab600", "1 THREAD 8982d030  Cid 1.2  Teb: 0 Win32Thread: 0 WAIT: (Executive) KernelMode Non-Alertable\n2-3 fffff965d75daf00  Mutant - owning thread fffff965ea2ab600"},
	{"lost break behind totals", "16088 total locks, 2 locks currently heldPNP_TRIAGE:", "1 16088 total locks, 2 locks currently held\n1 PNP_TRIAGE:"},
	{"lost breaks around marks", "16088 total locks, 2 locks currently heldkdlocks-section !process 0 7 PROCESS 8982d030\nKD: Scanning for held locks....kdlocks-collect v1 end",
		"1 16088 total locks, 2 locks currently held\n1 kdlocks-section !process 0 7\n1 PROCESS 8982d030\n2 KD: Scanning for held locks....\n2 kdlocks-collect v1 end"},
	{"lost break behind a frame", "8b487190 8a615901 nt!KiSwapThread+0x44f (FPO: [Non-Fpo])Resource @ 0x896d2a68    Available", "1 8b487190 8a615901 nt!KiSwapThread+0x44f (FPO: [Non-Fpo])\n1 Resource @ 0x896d2a68    Available"},
	{"frames run together", "00 8b487190 8a615901 nt!A+0x1 01 8b487194 8a615901 nt!B+0x2", "1 00 8b487190 8a615901 nt!A+0x1\n1 01 8b487194 8a615901 nt!B+0x2"},
	{"items run together", "Threads: fec88da0-01<*>fec87da0-01<*>", "1 Threads: fec88da0-01<*>\n1 fec87da0-01<*>"},
	{"scanning and totals", "KD: Scanning for held locks....2263 total locks, 3 locks currently held", "1 KD: Scanning for held locks....\n1 2263 total locks, 3 locks currently held"},
	{"head behind the key of !analyze", "LOCK_ADDRESS:  fffff80003c8cce0 -- (!locks fffff80003c8cce0)Resource @ nt!PiEngineLock (0xfffff80003c8cce0)    Exclusively owned",
		"1 LOCK_ADDRESS:  fffff80003c8cce0 -- (!locks fffff80003c8cce0)\n1 Resource @ nt!PiEngineLock (0xfffff80003c8cce0)    Exclusively owned"},
	{"failure behind the key of !analyze", "LOCK_ADDRESS:  8246c6e0 -- (!locks 8246c6e0)KD: Scanning for held locks...1 total locksPNP_TRIAGE: \tLock address  : 0x8246c6e0\tThread Count  : 0\tThread address: 0x00000000\tThread wait   : 0x0LOCK_ADDRESS:  8246c6e4 -- (!locks 8246c6e4)",
		"1 LOCK_ADDRESS:  8246c6e0 -- (!locks 8246c6e0)\n1 KD: Scanning for held locks...\n1 1 total locks\n1 PNP_TRIAGE:\n1 Lock address  : 0x8246c6e0\n1 Thread Count  : 0\n1 Thread address: 0x00000000\n1 Thread wait   : 0x0\n1 LOCK_ADDRESS:  8246c6e4 -- (!locks 8246c6e4)"},
	{"totals behind a head", "Resource @ 0x8246c6e0 Available1 total locks", "1 Resource @ 0x8246c6e0 Available\n1 1 total locks"},
	{"totals behind waiters", "Resource @ 0x8246c6e0    Exclusively owned\nThreads: 8982d030-01<*>\nThreads Waiting On Exclusive Access:\n8982d034       8982d038       1 total locks, 1 locks currently held",
		"1 Resource @ 0x8246c6e0    Exclusively owned\n2 Threads: 8982d030-01<*>\n3 Threads Waiting On Exclusive Access:\n4 8982d034       8982d038\n4 1 total locks, 1 locks currently held"},
	{"dots and a head behind waiters", "Resource @ 0x8246c6e0    Exclusively owned\nThreads: 8982d030-01<*>\nThreads Waiting On Exclusive Access:\n8982d034       KD: Scanning for held locks...\nResource @ 0x8246c6e4    Exclusively owned\nThreads: 8982d030-01<*>\nThreads Waiting On Exclusive Access:\n8982d034       Resource @ 0x8246c6e8    Shared 1 owning threads",
		"1 Resource @ 0x8246c6e0    Exclusively owned\n2 Threads: 8982d030-01<*>\n3 Threads Waiting On Exclusive Access:\n4 8982d034\n4 KD: Scanning for held locks...\n5 Resource @ 0x8246c6e4    Exclusively owned\n6 Threads: 8982d030-01<*>\n7 Threads Waiting On Exclusive Access:\n8 8982d034\n8 Resource @ 0x8246c6e8    Shared 1 owning threads"},
	{"named head behind waiters", "Resource @ 0x8246c6e0    Exclusively owned\nThreads Waiting On Exclusive Access:\n8982d034 Resource @ nt!PiEngineLock (0x8246c6e4)    Available", "1 Resource @ 0x8246c6e0    Exclusively owned\n2 Threads Waiting On Exclusive Access:\n3 8982d034\n3 Resource @ nt!PiEngineLock (0x8246c6e4)    Available"},
	{"waiters behind owners", "Resource @ 0x8246c6e0    Shared 1 owning threads\nThreads: 8982d030-01<*>\n8982d034-01    Threads Waiting On Exclusive Access:              8982d038       16088 total locks, 1 locks currently held",
		"1 Resource @ 0x8246c6e0    Shared 1 owning threads\n2 Threads: 8982d030-01<*>\n3 8982d034-01\n3 Threads Waiting On Exclusive Access:              8982d038\n3 16088 total locks, 1 locks currently held"},
	{"prompts behind lines", "16088 total locks, 2 locks currently held0: kd> !thread 89ab1299THREAD 89ab1299  Cid 0004.0048  Teb: 00000000\n1 total lockslkd> !locks -v 89ab1299Resource @ 0x89ab1299    Available\n8b487190 8a615901 nt!KiSwapThread+0x1kd> kv\nPNP_TRIAGE_DATA:       kd> kv\nResource @ 0x89ab1299    Available11: kd> k",
		"1 16088 total locks, 2 locks currently held\n1 0: kd> !thread 89ab1299\n1 THREAD 89ab1299  Cid 0004.0048  Teb: 00000000\n2 1 total locks\n2 lkd> !locks -v 89ab1299\n2 Resource @ 0x89ab1299    Available\n3 8b487190 8a615901 nt!KiSwapThread+0x1\n3 kd> kv\n4 PNP_TRIAGE_DATA:\n4 kd> kv\n5 Resource @ 0x89ab1299    Available\n5 11: kd> k"},
	{"prompt behind waiters", "Resource @ 0x8246c6e0    Exclusively owned\nThreads Waiting On Exclusive Access:\n8982d034       0: kd> !locks**** DUMP OF ALL RESOURCE OBJECTS ****",
		"1 Resource @ 0x8246c6e0    Exclusively owned\n2 Threads Waiting On Exclusive Access:\n3 8982d034\n3 0: kd> !locks\n3 **** DUMP OF ALL RESOURCE OBJECTS ****"},
	{"all in one line", "Resource @ 0xffffe5b8fda32940    Exclusively owned    Contention Count = 4    NumberOfExclusiveWaiters = 1     Threads: ffffe5b8fc33c040-01<*>     Threads Waiting On Exclusive Access:              ffffe5b8fd110080       1 total locks, 1 locks currently held",
		"1 Resource @ 0xffffe5b8fda32940    Exclusively owned\n1 Contention Count = 4\n1 NumberOfExclusiveWaiters = 1\n1 Threads: ffffe5b8fc33c040-01<*>\n1 Threads Waiting On Exclusive Access:              ffffe5b8fd110080\n1 1 total locks, 1 locks currently held"},
	{"entities", "Threads: 8982d030-01&lt;*&gt;&nbsp;", "1 Threads: 8982d030-01<*>"},
	{"entities twice", "0: kd&amp;gt; !locks", "1 0: kd> !locks"},
	{"tags as entities", "&lt;p align=&quot;left&quot;&gt;&lt;code&gt;Resource @ 0x896d2a68 Available&lt;br /&gt;1 total locks&lt;/code&gt;", "1 Resource @ 0x896d2a68 Available\n1 1 total locks"},
	{"tags as entities twice", "Threads: 8982d030-01&amp;lt;*&amp;gt;&amp;lt;br&amp;gt;", "1 Threads: 8982d030-01<*>"},
	{"a template as entities", "nt!Foo&lt;b&gt;::Bar+0x1", "1 nt!Foo<b>::Bar+0x1"},
	{"tags", "<pre><code>Resource @ 0x896d2a68 Available<br>1 total locks<br/></code></pre>", "1 Resource @ 0x896d2a68 Available\n1 1 total locks"},
	{"typographic", "fffff8a4\u2018247334b0 fffff8a4\u20192164745b nt!A+0\u00d71a\nKD: Scanning for held locks\u2026", "1 fffff8a4`247334b0 fffff8a4`2164745b nt!A+0x1a\n2 KD: Scanning for held locks..."},
	{"dash for minus", "Threads: 8982d030\u201301<*>", "1 Threads: 8982d030-01<*>"},
	{"bold", "**Contention Count = 147**\nContention Count = **147**", "1 Contention Count = 147\n2 Contention Count = 147"},
	{"markup in front alone", "<b>Threads: 8982d030-01<*>\n</b>IRP List:", "1 Threads: 8982d030-01<*>\n2 IRP List:"},
	{"italic", "*Contention Count = 147*\n***Threads: 8982d030-01<*>***", "1 Contention Count = 147\n2 Threads: 8982d030-01<*>"},
	{"bold over pieces", "Resource @ 0xffffe5b8fda32940    Shared 2 owning threads\n Threads: **ffffe5b8fc33c040-01<*> ffffe5b8fd11\n0080-01<*>**",
		"1 Resource @ 0xffffe5b8fda32940    Shared 2 owning threads\n2-3 Threads: ffffe5b8fc33c040-01<*> ffffe5b8fd110080-01<*>"},
	{"bold address in pieces", "Resource @ 0xffffe5b8fda32940    Shared 2 owning threads\n Threads: ffffe5b8fc33c040-01<*> **ffffe5b8fd11\n0080**-01<*>",
		"1 Resource @ 0xffffe5b8fda32940    Shared 2 owning threads\n2-3 Threads: ffffe5b8fc33c040-01<*> ffffe5b8fd110080-01<*>"},
	{"italic over pieces", "*8b487190 8a615901 850a5f88\n00000000 00000000\nnt!KeWaitForSingleObject+0x492*\nIRP List:", "1-3 8b487190 8a615901 850a5f88 00000000 00000000 nt!KeWaitForSingleObject+0x492\n4 IRP List:"},
	{"quoted bold over pieces", "> **Contention Count =\n> 147**\n> IRP List:", "1-2 Contention Count = 147\n3 IRP List:"},
	{"bold element over pieces", "Resource @ 0xffffe5b8fda32940    Shared 1 owning threads\n Threads: <b>ffffe5b8fd11\n0080-01<*></b>", "1 Resource @ 0xffffe5b8fda32940    Shared 1 owning threads\n2-3 Threads: ffffe5b8fd110080-01<*>"},
	{"escaped mark", `Threads: 8982d030-01<\*>`, "1 Threads: 8982d030-01<*>"},
	{"banners with the escapes of Markdown's source", "\\*\\*\\*\\*\\* Excessive NonPaged Pool Usage \\*\\*\\*\\*\\*\n\\*fffffa80 size: 100 (Allocated) \\*MyTg\ndir C:\\*.sys a\\*b", "1 ***** Excessive NonPaged Pool Usage *****\n2 *fffffa80 size: 100 (Allocated) *MyTg\n3 dir C:\\*.sys a\\*b"},
	{"mark of entities and escapes", `Threads: 8982d030-01&lt;\*&gt;`, `1 Threads: 8982d030-01<*>`},
	{"fence", "```windbg\nIRP List:\n```\n~~~\nIRP List:\n~~~", "2 IRP List:\n5 IRP List:"},
	{"board code", "[code]IRP List:\n[/code]", "1 IRP List:"},
	{"board codes inside", "[quote=\"me\"][B]Contention Count = [color=red]147[/color][/B]\nThreads: [b]8982d030-01<*>[/b] 8982d034-01[/code][/quote]",
		"1 Contention Count = 147\n2 Threads: 8982d030-01<*> 8982d034-01"},
	{"board code over pieces", "Resource @ 0xffffe5b8fda32940    Shared 1 owning threads\n Threads: [b]ffffe5b8fd11\n0080[/b]-01<*>", "1 Resource @ 0xffffe5b8fda32940    Shared 1 owning threads\n2-3 Threads: ffffe5b8fd110080-01<*>"},
	{"remarks", "Threads: 8982d030-01<*> << the owner\nContention Count = 3   <-- look\nResource @ fc764ee0 // here",
		"1 Threads: 8982d030-01<*>\n2 Contention Count = 3\n3 Resource @ fc764ee0"},
	{"lines behind remarks", "Resource @ 0x896d2a68    Shared 1 owning threads  << the lock in question.      Contention Count = 15292  << how often.    NumberOfExclusiveWaiters = 2    Threads: 8982d030-01<*> // the owner     Threads Waiting On Exclusive Access:              8982d034  << one              8982d038",
		"1 Resource @ 0x896d2a68    Shared 1 owning threads\n1 Contention Count = 15292\n1 NumberOfExclusiveWaiters = 2\n1 Threads: 8982d030-01<*>\n1 Threads Waiting On Exclusive Access:              8982d034  << one\n1 8982d038"},
	{"line behind a remark and a tab", "Contention Count = 3 // high\tNumberOfSharedWaiters = 2", "1 Contention Count = 3\n1 NumberOfSharedWaiters = 2"},
	{"line behind a remark that leaves owners out", "Resource @ 0x896d2a68    Shared 1 owning threads\nThreads: 8982d030-01<*> << and 3 more     Threads Waiting On Exclusive Access:",
		"1 Resource @ 0x896d2a68    Shared 1 owning threads\n2 Threads: 8982d030-01<*> << and 3 more\n2 Threads Waiting On Exclusive Access:"},
	{"arrows that a page made letters", "nt!KeWaitForSingleObject+0x859 \u00df here\nNonPagedPool Usage: 31369 ( 125476 Kb) \u00df Very high\nStra\u00dfe \u00df Very high",
		"1 nt!KeWaitForSingleObject+0x859\n2 NonPagedPool Usage: 31369 ( 125476 Kb)\n3 Stra\u00dfe \u00df Very high"},
	{"remarks behind lines of memory and modules", "TOTAL:   503644 ( 2014576 kb) <-- all\n*e1d01050 size:   10 previous size:   10  (Allocated) *ObDi  <<< mine\nfad53000 fad61000   swmidi.sys // gone\nTimestamp:        Sun Nov 09 18:59:03 2014 (546029F7) <-- old\nArg4: 0000000000000096, The configured timeout in seconds // 150\nFree  (see <-- there)",
		"1 TOTAL:   503644 ( 2014576 kb)\n2 *e1d01050 size:   10 previous size:   10  (Allocated) *ObDi\n3 fad53000 fad61000   swmidi.sys\n4 Timestamp:        Sun Nov 09 18:59:03 2014 (546029F7)\n5 Arg4: 0000000000000096, The configured timeout in seconds\n6 Free  (see <-- there)"},
	{"a list of lines of memory and modules", "- Zeroed:      218 (     872 kb)\n- TOTAL:   503644 ( 2014576 kb)\n- e1d01000 size:   40 previous size:    0  (Allocated)  MmDT\n- fad73000 fad7fd80   sysaudio     (deferred)\n- Image name: a.sys",
		"1 Zeroed:      218 (     872 kb)\n2 TOTAL:   503644 ( 2014576 kb)\n3 e1d01000 size:   40 previous size:    0  (Allocated)  MmDT\n4 fad73000 fad7fd80   sysaudio     (deferred)\n5 Image name: a.sys"},
	{"remark that mentions other lines", "Not impersonating << see Threads: above\nContention Count = 3  << of 16088 total locks", "1 Not impersonating\n2 Contention Count = 3"},
}

func TestRepair(t *testing.T) {
	for _, c := range repairs {
		t.Run(c.name, func(t *testing.T) {
			lines := strings.Split(c.in, "\n")
			out, _ := repair(lines)
			if got := strings.Join(shown(out), "\n"); got != c.want {
				t.Errorf("got:\n%s\nwant:\n%s", got, c.want)
			}
			checkMapping(t, lines, out)
		})
	}
}

// sound are lines that look like mangled ones and must stay as they are.
var sound = []struct{ name, in string }{
	{"list and the next", "Resource @ 0x896d2a68    Shared 2 owning threads\nThreads: 8982d030-01<*> 8982d034-01<*>\n8982d038-01<*>\nKD: Scanning for held locks."},
	{"frames with numbers", "00 8b487190 8a615901 nt!A+0x1\n01 8b487194 8a615901 nt!B+0x1\n02 8b487198 8a615901 nt!C+0x1\n03 8b48719c 8a615901 nt!D+0x1"},
	{"numbered call sites", "00 nt!KiSwapContext\n01 nt!KiSwapThread\n02 nt!KeWaitForSingleObject\n03 nt!ExpWaitForResource"},
	{"one number before a row of !stacks", "1     4.002668  ffffac48b8a71040 0000017 RUNNING    nt!A+0x3c\nnt!B+0x692\nnt!C+0x43e"},
	{"decimal frame numbers", "0 ffff82871d946f00 fffff8045e40c800 nt!A+0x76\n1 ffff82871d946f10 fffff8045e40c800 nt!B+0x76\n2 ffff82871d946f20 fffff8045e40c800 nt!C+0x76"},
	{"prompts that count up", "1: kd> ~2s\n2: kd> ~3s\n3: kd> ~0s"},
	{"prose", "The owner is waiting for\nthe lock that the other thread\nholds, add more threads.\nbad\nThanks"},
	{"prose behind a line", "Resource @ 0x896d2a68    Available\nis the one that matters\nContention Count = 3\nmore"},
	{"hex dump", "fffff880`07fab3e0  00 01 02 03 04 05 06 07-08 09 0a 0b 0c 0d 0e 0f  ................\nfffff880`07fab3f0  10 11 12 13 14 15 16 17-18 19 1a 1b 1c 1d 1e 1f  ................"},
	{"memory", "f50bea7c  80805795 nt!KiSwapContext+0x25\nf50bea80  00000000\nf50bea84  8082fe47 nt!KiSwapThread+0x2e5"},
	{"symbols", "8b487190 8a615901 a!std::map<int, b<c> >::operator<<+0x12\n8b487194 8a615901 a!operator&+0x1\n8b487198 8a615901 a!List<p>::Get+0x4\n8b48719c 8a615901 a!X::`anonymous namespace'::Y+0x5f\n8b4871a0 8a615901 a!operator new+0x12"},
	{"marks and what stands below", "kdlocks-collect v1 begin full\nkdlocks-section .bugcheck\nkdlocks-section !vm 1\n8982d030\nkdlocks-section !mine\nx\nkdlocks-collect v1 waits 10 minutes\n1 total locks"},
	{"frame cut off", "ChildEBP RetAddr\n8b487190 8a615901 850a5f88\n8b4871a4 8a615901 nt!B+0x1"},
	{"wait objects", "THREAD 8982d030  Cid 1.2  Teb: 0 Win32Thread: 0 WAIT: (Executive) KernelMode Non-Alertable\n8982d0f0  SynchronizationEvent\n8982d0f8  NotificationTimer\nIRP List:\n8982d1f0: (0006,0310) Flags: 00000884  Mdl: 00000000"},
	{"offset and a word", "nt!KiSwapThread+0x4\nbad"},
	{"rows of !stacks", "4.001ccc  ffffc4bbafa8d040 0004d63 Blocked    nt!KiSwapContext+0x76\nnt!KiSwapThread+0x500\n[csrss.exe]\n3ad0.0065ec  ffffd92ea0ce2080   (N/A) Blocked    nt!KiSwapContext+0x76"},
	{"call stack window", ">\tOpenZFS!zap_get_leaf+0x3cd [C:\\src\\zap.c @ 558] \tC/C++/ASM"},
	{"call stack window without offset", ">\tdrv.sys!DispatchRead(_DEVICE_OBJECT * dev, _IRP * irp) Line 123\tC++"},
	{"call stack window without symbols", ">\t0000000012345678()\n>\t[External Code]\n>\tfffff8000228da52()\tUnknown"},
	{"stars", "**** DUMP OF ALL RESOURCE OBJECTS ****\n*** ERROR: Symbol file could not be found.\nThreads: 8a7cb533-01<*> *** Actual Thread 8a7cb530"},
	{"image without a name", "Image:\nVadRoot 8a7cb533 Vads 360 Clone 0 Private 20841. Modified 49808. Locked 0."},
	{"entry behind a remark that is cut", "Resource @ 0x8a0a1a68    Shared 2 owning threads\nThreads: 8a7cb533-01<*> *** Actual Thread\n8982d030-01<*>"},
	{"digits behind a remark that is cut", "Resource @ 0x8a0a1a68    Shared 2 owning threads\nThreads: 8a7cb533-01<*> *** Actual Thread 8a7c\n8982d03\n0-01<*>"},
	{"entry behind half a remark", "Resource @ 0x8a0a1a68    Shared 2 owning threads\nThreads: 8a7cb533-01<*> *** Unknown owner, possibly\n8982d030-01<*>"},
	{"count behind a remark", "Resource @ 0x8a0a1a68    Shared 2 owning threads\nThreads: 8a7cb533-01<*> *** Actual Thread 8a7cb530\n-01<*>"},
	{"blank lines between resources", "Resource @ 0x896d2a68    Available\n\nResource @ 0x896d2a68    Available\n\nKD: Scanning for held locks.\n\nThreads: 8982d030-01<*>\n\nThreads Waiting On Exclusive Access:\n\n8982d034"},
	{"a blank line in each stack", "8b487190 8a615901 nt!A+0x1\n8b487194 8a615901\n\nnt!B+0x1\n\n8b487190 8a615901 nt!A+0x1\n8b487194 8a615901\n\nnt!B+0x1"},
	{"one pair apart", "Resource @ 0x896d2a68    Exclusively owned\n\nThreads: 8982d030-01\n\n<*>\n\nKD: Scanning for held locks."},
	{"heads of threads", "THREAD 8982d030  Cid 1.2  Teb: 0 Win32Thread: 0 RUNNING on processor 0\n\n8982d034-01<*>\n\nTHREAD 8982d034  Cid 1.2  Teb: 0 Win32Thread: 0 RUNNING on processor 1\n\n8982d038-01<*>\n\nnt!A\n\nTHREAD 8982d034  Cid 1.2  Teb: 0"},
	{"asterisks that close nothing", "**Threads: 8982d030-01<*>\n\nContention Count = 147**\n*8982d034-01<*>\nThreads: 8982d030-01<*>\n** see below\nand here **"},
	{"asterisks of another kind", "*** ERROR: Module load completed**\n**** NT ACTIVE PROCESS DUMP ****\n**Threads: 8982d030-01<*> ***\nIRP List: **\n*Threads: 8982d030-01<\n<*>"},
	{"brackets", "[csrss.exe]\n[code.exe]\n8b487190 8a615901 nt!A[b]+0x1\nnt!_ERESOURCE @ ffffdf9a8ce68448 [verbose]\nnt!A+0x1 [u:\\i.c @ 3]\nnt!A+0x1 (FPO: [Non-Fpo])\n1 thread [stats]: ffff9bb885886040\n[b\n[/]\n[=]\n[b=@]"},
	{"list of an author", "- Resource @ 0x896d2a68 is held by the first\n- THREAD 8982d030 waits for it\n- Threads: none of them run\n- nt!ExAcquireResource is where it waits\n- THREAD 8982d034 is gone"},
	{"list of two", "- IRP List:\n- Not impersonating\nIRP List:\n* IRP List:\n* Not impersonating"},
	{"box of asterisks", "*******************************\n*                             *\n*  IRP List:                  *\n*  Not impersonating          *\n*  Kernel stack not resident. *\n*                             *\n*******************************"},
	{"asterisks and arrows", "*** ERROR: a\n**** NT ACTIVE PROCESS DUMP ****\n-> IRP List:\n-> Not impersonating\n-> Kernel stack not resident.\n-01 IRP List:\n--  IRP List:\n--  IRP List:\n--  IRP List:"},
	{"column of numbers", "1 8b487190 8a615901 nt!A+0x1\n2 8b487194 8a615901 nt!B+0x1\n3 8b487198 8a615901 nt!C+0x1\n1.000 IRP List:\n2.000 IRP List:\n3.000 IRP List:"},
	{"row of mex without column heads", "System (ffff8b089a09a040) ffff8b08a15d5040 (E|K|W|R|V) 4.2018           0\n0               1 WrResource  15ms Waiting\nSystem    4 ffff9bb88c60f040 26a4\nWaiting 4m:03.203 WrPushLock"},
	{"rows of mex cut off", "Process                   Thread                       CID       UserTime KernelTime ContextSwitches Wait Reason Time State\nSystem (ffff8b089a09a040) ffff8b08a15d5040 (E|K|W|R|V) 4.2018           0\nThe rest is lost.\nWaiting\n\n1 WrResource  15ms Waiting"},
	{"rows of !mex.eresource", "Process Thread             Time Wait Function\nSystem  ffffdf9a87a30040 2s.343\nSystem  ffffdf9a87a30080 2s.343 TestDriver!A+0x38\nsvc host.exe  ffffdf9a87a300c0 2s.343 TestDriver!A+0x38\nSystem  ffffdf9a87a30040 2s.343\n\nTestDriver!A+0x38"},
	{"rows of !mex.lt", "Process PID Thread             Id State        Time Reason\nSystem    4 ffff9bb88c60f040 26a4 Waiting\nExplorer  1 ffff9bb885886040 2778 Running\nWaiting for what?\nSystem    4 ffff9bb88c60f040 26a4\nSystem    4 ffff9bb88c60f040 26a4 Running"},
	{"stack of !mex.t with notes", "# Child-SP         Return           Call Site Info\n5 ffffdca3ae30f1d0 fffff81aed7013c4 nt!X+0x1fe\nThread: see below (System) exclusive owner of EResource: ffffdf9a8ce68448\n6 ffffdca3ae30f260 fffff81af0b55855 nt!X+0x34\nC:\\ is full\n7 ffffdca3ae30f590 fffff81af0bfe808\n8 ffffdca3ae30f5a0 fffff81af0bfe808 nt!A+0x55"},
	{"lock behind another stack", "ChildEBP RetAddr\n8b487190 8a615901 nt!A+0x1\nThread: ffffdf9a87a30040 (System) exclusive owner of EResource: ffffdf9a8ce68448"},
	{"head behind half a key", "LOCK_ADDRESS:  fffff80003c8cce0 -- (!locks fffff80003Resource @ nt!PiEngineLock (0xfffff80003c8cce0)    Exclusively owned"},
	{"totals behind half a waiter", "Resource @ 0x8246c6e0    Exclusively owned\nThreads Waiting On Exclusive Access:\n8982d034       8982d0 1 total locks, 1 locks currently held\n8982d034       8982d0381 total locks"},
	{"totals behind waiters of another width", "Resource @ 0xffffe5b8fda32940    Exclusively owned\nThreads Waiting On Exclusive Access:\n8982d034       1 total locks, 1 locks currently held"},
	{"address in no list", "Resource @ 0x8246c6e0    Exclusively owned\nKD: Scanning for held locks.\n8982d034       1 total locks, 1 locks currently held\n8982d034 Resource @ 0x8246c6e8    Available"},
	{"words between waiters and totals", "Resource @ 0x8246c6e0    Exclusively owned\nThreads Waiting On Exclusive Access:\n8982d034 of the 1 total locks, 1 locks currently held\n8982d034 THREAD pool"},
	{"mention of an address of !analyze", "PNP_TRIAGE: see Lock address  : 0x8246c6e0\nLock address  : none, Thread Count  : 0\nThread Count  : 0 Thread Count is low"},
	{"remarks that mention lines or hide them", "Resource @ 0x896d2a68    Shared 1 owning threads << see Contention Count = 15292\nContention Count = 3 // and NumberOfSharedWaiters = 2 below\nThreads: 8982d030-01<*> << Threads Waiting On Exclusive Access: 8982d034\n8982d038-01 << as in    Threads: 8982d0"},
	{"prompt behind a number", "Resource @ 0x8246c6e0    Exclusively owned\nContention Count = 40: kd> k\nThreads Waiting On Exclusive Access:\n8982d0340: kd> !thread 8982d034\n8b487190 8a615901 nt!KiSwapThread+0x10: kd> k"},
	{"commands that name lines", "0: kd> .echo Resource @ 0x8246c6e0    Available\n0: kd> !thread 8982d034; .echo THREAD 8982d030\nthe lkd> prompt\n0:000> !locks Resource @ 0x8246c6e0\nkd> !locks see Resource @ 0x8246c6e0"},
	{"one time", "12:34:56 is when it hung\nIRP List:"},
	{"link", "https://example.org/a?b=1&c=2 // see"},
}

func TestRepairLeavesSoundTextAlone(t *testing.T) {
	for _, c := range sound {
		t.Run(c.name, func(t *testing.T) {
			lines := strings.Split(c.in, "\n")
			out, r := repair(lines)
			for i, l := range out {
				if i >= len(lines) || l.Text != lines[i] || l.Origin != nil || l.Num != int32(i)+1 {
					t.Errorf("line %d came out as %d %q", i+1, l.Num, l.Text)
				}
			}
			if n := r.Notes(); len(n) > 0 {
				t.Errorf("notes: %v", n)
			}
		})
	}
}

func TestElisionsAreNoted(t *testing.T) {
	_, r := repair([]string{"Threads: 8982d030-01<*>", "[\u2026]", "KD: Scanning for held locks.", "....", "IRP List:", "..."})
	if n := r.Notes(); len(n) == 0 || !strings.Contains(n[len(n)-1].Text, "elision on 2 lines") {
		t.Errorf("notes: %v", n)
	}
}

// TestProgressDotsAreNoElision: some commands print dots at once, most do not,
// and what stands between two rows of output is the author's.
func TestProgressDotsAreNoElision(t *testing.T) {
	for _, c := range []struct {
		name, in string
		elisions int
	}{
		{"!poolused", "lkd> !poolused 2\n....\n Sorting by NonPaged Pool Consumed", 0},
		{"!poolused without a prompt", "!poolused /t 5 2\n......\n Sorting by NonPaged Pool Consumed", 0},
		{"!poolused of a live system", "lkd> !poolused 2\nUsing a machine size of 3fef8e pages to configure the kd cache\n\n*** CacheSize too low - increasing to 51 MB\n\nMax cache size is       : 53628928 bytes (0xccd0 KB)\n....\n Sorting by NonPaged Pool Consumed", 0},
		{"!vm", "0: kd> !vm 1\n...\n*** Virtual Memory Usage ***", 0},
		{"!poolfind", "Scanning large pool allocation table for Tag: SeSd (e7f00000 : e8000000)\n\n...\n\nSearching NonPaged pool (e1000000 : e4400000) for Tag: SeSd\n....", 0},
		{"symbols", "Loading Kernel Symbols\n" + strings.Repeat(".", 63) + "\n......\nLoading User Symbols\n.....\nLoading unloaded module list\n....", 0},
		{"another command", "0: kd> !thread 8982d030\n....", 1},
		{"between rows of !poolused", "lkd> !poolused 2\n....\n Sorting by NonPaged Pool Consumed\n AcpO        4      208         0        0\n\n...\n", 1},
		{"a command that begins alike", "lkd> !poolusedx\n....", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, r := repair(strings.Split(c.in, "\n"))
			if n := r.kept[bits.TrailingZeros(uint(sawElision))].lines; n != c.elisions {
				t.Errorf("%d elisions, want %d", n, c.elisions)
			}
		})
	}
}

// TestDoubtOfSeams: a seam inside a number is doubtful unless the text proves
// the column; one at a blank is not.
func TestDoubtOfSeams(t *testing.T) {
	list := "Threads: ffffe5b8fc33c040-01<*> ffffe5b8fd110080-01<*> "
	for _, c := range []struct {
		name, in, word string
		want           kd.Doubt
	}{
		{"inside an address", "Resource @ 0xffffe5b8fda32940    Shared 2 owning threads\n" + list[:44] + "\n" + list[44:], "ffffe5b8fd110080-01<*>", kd.Likely},
		{"not at the seam", "Resource @ 0xffffe5b8fda32940    Shared 2 owning threads\n" + list[:44] + "\n" + list[44:], "ffffe5b8fc33c040-01<*>", kd.Sure},
		{"another column is proven", "Resource @ 0xffffe5b8fda32940    Shared 2 owning threads\n" + list[:44] + "\n" + list[44:] +
			"\n" + strings.Repeat("\nTHREAD 8982d030  Cid 0acc.050c  Teb: 7ffdf00\n0 Win32Thread: feb2c4c0 RUNNING on processor 0", 2), "ffffe5b8fd110080-01<*>", kd.Likely},
		{"mark on the next line", "Resource @ 0x8a0a1a68    Shared 1 owning threads\nThreads: 8a7cb533-01\n<*>", "8a7cb533-01", kd.Sure},
		{"guessed", strings.Repeat("x", 20) + "!FsRtlAcquireToCreateMappedSection+0x4\nf", "+0x4f", kd.Guessed},
	} {
		out, _ := repair(strings.Split(c.in, "\n"))
		found := false
		for _, l := range out {
			if at := strings.Index(l.Text, c.word); at >= 0 {
				found = true
				if got := l.Ref(at, len(c.word)).Doubt; got != c.want {
					t.Errorf("%s: doubt %d, want %d", c.name, got, c.want)
				}
			}
		}
		if !found {
			t.Errorf("%s: %q came out nowhere: %q", c.name, c.word, shown(out))
		}
	}
}

// TestDigitsBehindAFullRemark: in a text that is broken at a column, a line
// that a remark fills up does not go on with the digits of the next entry.
func TestDigitsBehindAFullRemark(t *testing.T) {
	const column = 56
	broken := "THREAD 8982d030  Cid 0acc.050c  Teb: 7ffdf000 Win32Threa\nd: feb2c4c0 RUNNING on processor 0\n\n"
	for _, remark := range []string{"*** Actual Thread 8a7cb530", "*** Unknown owner, possibly FileSystem", "*** Invalid thread", "*** says something else"} {
		for _, next := range []string{"8982\nd030-01<*>", "8982d03\n0-01<*>", "8982d030", "8982d030-01<*>", "-01<*>", "<*>", "abc"} {
			full := fmt.Sprintf("%-*s", column, " Threads: 8a7cb533-01<*> "+remark)
			text := strings.Repeat(broken, 2) + "Resource @ 0x8a0a1a68    Shared 2 owning threads\n"
			out, _ := repair(strings.Split(text+full[:column]+"\n"+next, "\n"))
			if got := strings.Join(shown(out)[3:], "\n"); !strings.HasPrefix(got, "8 "+strings.TrimSpace(full[:column])+"\n9 ") {
				t.Errorf("%s, %q came out as\n%s", remark, next, got)
			}
		}
	}
}

// checkMapping holds every line against the bytes that it stands on.
func checkMapping(t *testing.T, lines []string, out []kd.Line) {
	t.Helper()
	next := int32(1)
	for _, l := range out {
		if l.Num > next || l.Num < next-1 || l.Last() > int32(len(lines)) {
			t.Fatalf("line %q stands on %d to %d, expected from %d", l.Text, l.Num, l.Last(), next)
		}
		next = l.Last() + 1
		for i := 0; i < len(l.Text); i++ {
			r := l.Ref(i, 1)
			source := strings.Join(lines[r.Line-1:r.EndLine()], "\n") + "\n"
			if r.Col < 1 || r.Len < 1 || int(r.Col-1+r.Len) > len(source) {
				t.Fatalf("byte %d of %q is outside the input: %+v", i, l.Text, r)
			}
			got := source[r.Col-1 : r.Col-1+r.Len]
			if l.Text[i] == ' ' && (got == "<" || got == "&") {
				continue // of two pieces, with a tag for the line end between them
			}
			if l.Text[i] == ' ' && i > 0 && i+1 < len(l.Text) && l.Ref(i+1, 1).Col == l.Ref(i-1, 1).Col+1 {
				continue // put between two pieces of one line
			}
			if len(got) == 1 && got[0] < utf8.RuneSelf && got != l.Text[i:i+1] && got != "\n" && got != "\t" && got != "'" {
				t.Fatalf("byte %d of %q stands on %q", i, l.Text, got)
			}
		}
	}
	if next != int32(len(lines))+1 {
		t.Fatalf("%d of %d lines came out", next-1, len(lines))
	}
}

func FuzzRepair(f *testing.F) {
	for _, c := range repairs {
		f.Add(c.in)
	}
	for _, c := range sound {
		f.Add(c.in)
	}
	f.Fuzz(func(t *testing.T, in string) {
		in = strings.ToValidUTF8(in, "\uFFFD")
		if len(in) > 1<<16 {
			return
		}
		lines := strings.Split(in, "\n")
		out, _ := repair(lines)
		checkMapping(t, lines, out)
	})
}

// BenchmarkRepairHostile feeds texts that look mangled all over, in two sizes:
// the time for each byte must not grow with the size.
func BenchmarkRepairHostile(b *testing.B) {
	for name, unit := range map[string]string{
		"heads in one line":  "Resource @ 0x896d2a68 Available ",
		"mentions":           "see Resource @ ",
		"frames in one line": "00 8b487190 8a615901 nt!A+0x1 ",
		"entities":           "&lt;&amp;lt;",
		"breaks":             "x<br>",
		"bold":               "**a",
		"pieces":             "8b487190 8a615901 850a5f88\n",
		"stubs":              "THREAD 8982d030  Cid\n1.2\n",
		"numbers":            "1: a\n3: b\n",
		"times":              "12:34:56 a\nb\n",
		"one word":           "a",
		"bullets":            "- a\n",
		"nested bullets":     "- * - IRP List:\n",
		"bold that opens":    "a **b\n",
		"italic":             "*a\n",
		"asterisks":          "* *1 ",
		"codes":              "[b][/i]",
		"brackets":           "[b",
		"blank lines":        "a\n\n",
		"doubled frames":     "8b487190 8a615901 nt!A+0x1\n\n",
		"rows of mex":        "Process Thread CID\nSystem (ffff8b089a09a040) ffff8b08a15d5040\n",
		"frames of mex":      "# Child-SP Return\n5 ffffdca3ae30f1d0 fffff81aed7013c4 nt!X+0x1\nThread: ffff\n",
		"angles":             "<p <p",
		"remarks":            "Contention Count = 3 <<    Threads: a    ",
		"waiters and marks":  "8982d034 Threads: 1 total locks ",
	} {
		for _, size := range []int{1 << 17, 1 << 19} {
			lines := strings.Split(strings.Repeat(unit, size/len(unit)), "\n")
			b.Run(fmt.Sprintf("%s/%d", name, size), func(b *testing.B) {
				b.SetBytes(int64(size))
				for b.Loop() {
					repair(lines)
				}
			})
		}
	}
}
