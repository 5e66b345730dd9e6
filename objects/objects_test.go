package objects_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"kdlocks/kd"
	"kdlocks/objects"
)

// show prints what was read, one line for each object and for each of its parts.
func show(l objects.Listing) []string {
	var out []string
	add := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	for _, i := range l.IRPs {
		s := fmt.Sprintf("irp %x %d/%d%s", uint64(i.Addr), i.Current, i.Stacks, facts("thread", i.Thread, "mdl", i.Mdl, "buffer", i.Buffer, "cancel", i.CancelRoutine, "mdl-process", i.MdlProcess))
		for _, f := range []struct {
			name string
			set  bool
		}{{"row", i.Row}, {"complete", i.Complete}, {"pending-returned", i.PendingReturned}, {"cancelled", i.Cancelled == objects.Yes}, {"conflict", i.Conflict != ""}} {
			if f.set {
				s += " " + f.name
			}
		}
		if d, pending := i.Driver(); d != "" {
			s += fmt.Sprintf(" at %s pending=%v", d, pending == objects.Yes)
		}
		add("%s", s)
		for _, loc := range i.Locations {
			if loc.Unused() {
				continue
			}
			s := fmt.Sprintf("  %s(%x),%s(%x) flg %x cl %x%s", loc.MajorName, loc.Major, loc.MinorName, loc.Minor, loc.Flags, loc.Control, facts("dev", loc.Device, "file", loc.File))
			s += fmt.Sprintf(" %s %s %v", loc.Driver, loc.Routine, loc.Args)
			if loc.Pending == objects.Yes {
				s += " pending"
			}
			if loc.Current {
				s += " >"
			}
			add("%s", s)
		}
	}
	for _, m := range l.Messages {
		add("message %x id %x lpc=%v %s %s%s %s", uint64(m.Addr), m.ID.N, m.LPC, m.Type, m.Queue,
			facts("client", m.Client, "port", m.Port, "server", m.Server, "server-thread", m.ServerThread), m.ServerImage)
		if m.From != "" {
			out[len(out)-1] += " from " + m.From
		}
	}
	for _, p := range l.Ports {
		add("port %x %s %q%s %s waiting=%v open=%v%s", uint64(p.Addr), p.Kind, p.Name, facts("owner", p.Owner, "connection", p.Connection, "client", p.Client, "service", p.Service), p.OwnerImage, p.Waiting, p.Open, workers(p.Threads))
	}
	for _, q := range l.Queues {
		add("queue %q node %d running %d/%d threads %d/%d open=%v%s", q.Name, q.Node, q.Running, q.Most, q.Threads, q.MostThreads, q.Open, workers(q.Workers))
		for _, i := range q.Pending {
			add("  pending %s %s%s", i.Kind, i.Routine, facts("item", i.Item, "parameter", i.Parameter))
		}
	}
	for _, c := range l.Sections {
		s := fmt.Sprintf("section %x %s locked=%d", uint64(c.Addr), c.Symbol, c.Locked)
		for _, n := range []struct {
			name string
			objects.Number
		}{{"owner", c.Owner}, {"lock", c.Lock}, {"recursion", c.Recursion}, {"entry", c.Entry}, {"contention", c.Contention}} {
			if n.Known() {
				s += fmt.Sprintf(" %s=%x", n.name, n.N)
			}
		}
		add("%s", s)
	}
	for _, m := range l.Mutexes {
		add("mutex %x guarded=%v free=%d%s", uint64(m.Addr), m.Guarded, m.Free, facts("owner", m.Owner))
	}
	for _, r := range l.Resources {
		add("resource %x objects=%v%s", uint64(r.Addr), r.Objects, facts("shared", r.Shared, "exclusive", r.Exclusive))
	}
	for _, n := range l.Notes {
		add("note %s", n.Text)
	}
	return out
}

func facts(pairs ...any) string {
	s := ""
	for i := 0; i+1 < len(pairs); i += 2 {
		if p := pairs[i+1].(objects.Printed); p.Known() {
			s += fmt.Sprintf(" %s=%x", pairs[i], uint64(p.Addr))
		}
	}
	return s
}

func workers(ws []objects.Worker) string {
	s := ""
	for _, w := range ws {
		s += fmt.Sprintf(" %x", uint64(w.Thread))
	}
	return s
}

var forms = []struct {
	name, text string
	want       []string
	strange    int // lines that are not part of the output
}{
	{
		"!irp of Windows 10, Microsoft's documentation of the command",
		`Irp is active with 2 stacks 1 is current (= 0xac598e38)
 No Mdl: No System Buffer: Thread 8d1c7bc0:  Irp stack trace.
     cmd  flg cl Device   File     Completion-Context
>[IRP_MJ_FILE_SYSTEM_CONTROL(d), N/A(0)]
            1 e1 8a6434d8 ac598d40 853220cb-a89682d8 Success Error Cancel pending
           \FileSystem\Npfs fltmgr!FltpPassThroughCompletion
            Args: 00000000 00000000 00110008 00000000
 [IRP_MJ_FILE_SYSTEM_CONTROL(d), N/A(0)]
            1  0 8a799710 ac598d40 00000000-00000000
           \FileSystem\FltMgr
            Args: 00000000 00000000 0x00110008 00000000
`,
		[]string{
			`irp ac598dc8 1/2 thread=8d1c7bc0 mdl=0 buffer=0 at \FileSystem\Npfs pending=true`,
			`  IRP_MJ_FILE_SYSTEM_CONTROL(d),(0) flg 1 cl e1 dev=8a6434d8 file=ac598d40 \FileSystem\Npfs fltmgr!FltpPassThroughCompletion [0x0 0x0 0x110008 0x0] pending >`,
			`  IRP_MJ_FILE_SYSTEM_CONTROL(d),(0) flg 1 cl 0 dev=8a799710 file=ac598d40 \FileSystem\FltMgr  [0x0 0x0 0x110008 0x0]`,
		}, 0,
	},
	{
		"!irp of Windows 2003, MSDN Magazine, February 2009, cut",
		`Irp is active with 10 stacks 5 is current (= 0x8667aa28)
 Mdl = 86041108 Thread 8a613768:  Irp stack trace.
     cmd  flg cl Device   File     Completion-Context
 [  0, 0]   0  0 00000000 00000000 00000000-00000000

			Args: 00000000 00000000 00000000 00000000
>[  4,34]   c e0 8a58b030 00000000 f74c95d0-8a58be00 Success Error Cancel <------ Where's the device
	       \Driver\Disk	PartMgr!PmIoCompletion
			Args: 00010000 00000000 be82ee00 00000000
 [  4, 0]   c e1 8a58be00 00000000 f73fc5dc-8a430e68 Success Error Cancel pending
	       \Driver\PartMgr	ftdisk!FtpRefCountCompletionRoutine
`,
		[]string{
			`irp 8667a928 5/10 thread=8a613768 mdl=86041108 at \Driver\Disk pending=false`,
			`  (4),(34) flg c cl e0 dev=8a58b030 file=0 \Driver\Disk PartMgr!PmIoCompletion [0x10000 0x0 0xbe82ee00 0x0] >`,
			`  (4),(0) flg c cl e1 dev=8a58be00 file=0 \Driver\PartMgr ftdisk!FtpRefCountCompletionRoutine [] pending`,
		}, 0,
	},
	{
		"!irp of Windows 2000, Microsoft's documentation of bug check 0x76",
		"Irp is active with 2 stacks 2 is current (= 0x81732a44)\n Mdl = 81861788 System buffer = ffa59220 Thread 00000000:  Irp stack trace.\n>[  e, 0]   1  1 81a883c8 81ae6158 00000000-00000000    pending\n \\Driver\\TESTCAP\n                        Args: 00000070 00000000 002f4017 00000000\n",
		[]string{
			`irp 817329b0 2/2 thread=0 mdl=81861788 buffer=ffa59220 at \Driver\TESTCAP pending=true`,
			`  (e),(0) flg 1 cl 1 dev=81a883c8 file=81ae6158 \Driver\TESTCAP  [0x70 0x0 0x2f4017 0x0] pending >`,
		}, 0,
	},
	{
		"!irp with details of a completed one, winfsp/winfsp issue 246",
		`Irp is active with 2 stacks 4 is current (= 00000000)
 Mdl=fffffa8010620010: No System Buffer: Thread fffff800044abb20:  Irp is completed.  Pending has been returned
Flags = 00060003
ThreadListEntry.Flink = fffffa800a4356b0
IoStatus.Status = c0000008
IoStatus.Information = 00000000
RequestorMode = 00000000
Cancel = 00
CancelRoutine = 00000000
&Tail.Overlay.DeviceQueueEntry = fffffa800a435708
     cmd  flg cl Device   File     Completion-Context
 [IRP_MJ_WRITE(4), N/A(0)]
            0  2 fffffa800afd13b0 00000000 fffff880016c9e40-fffffa8012a176c0
	       \FileSystem\WinFsp	fltmgr!FltpPassThroughCompletion
			Args: 00000000 00000000 00000000 ffffffffc0000008
`,
		[]string{
			`irp 0 4/2 thread=fffff800044abb20 mdl=fffffa8010620010 buffer=0 cancel=0 complete pending-returned`,
			`  IRP_MJ_WRITE(4),(0) flg 0 cl 2 dev=fffffa800afd13b0 file=0 \FileSystem\WinFsp fltmgr!FltpPassThroughCompletion [0x0 0x0 0x0 0xffffffffc0000008]`,
		}, 0,
	},
	{
		"a narrow window",
		"Irp is active with 1 stacks 1 is current (= 0xac598e38)\n>[IRP_MJ_READ(3), N/A(0)]\n 1 e1 8a6434d8 ac598d40 853220cb-a89682d8 Success Error\nCancel pending\n\\FileSystem\\Npfs\n[IRP_MJ_READ(3), N/A(0)]\n 1 e1 8a6434d8 ac598d40 853220cb-a896\n82d8 Success Error Cancel pending\n",
		[]string{
			`irp ac598dc8 1/1 conflict`,
			`  IRP_MJ_READ(3),(0) flg 1 cl e1 dev=8a6434d8 file=ac598d40 \FileSystem\Npfs  [] pending >`,
			`  IRP_MJ_READ(3),(0) flg 0 cl 0   []`,
			"note !irp: more stack locations are listed than it has: which driver has the IRP stays unknown",
		}, 2,
	},
	{
		"mark and number of the current location disagree",
		"Irp is active with 2 stacks 1 is current (= 0xac598e38)\n No Mdl: No System Buffer: Thread 8d1c7bc0:  Irp stack trace.\n [3, 0] 1 e1 8a6434d8 ac598d40 00000000-00000000 pending\n\\FileSystem\\Npfs\n>[3, 0] 1 e1 8a799710 ac598d40 00000000-00000000 pending\n\\FileSystem\\FltMgr\n",
		[]string{
			`irp ac598dc8 1/2 thread=8d1c7bc0 mdl=0 buffer=0 conflict`,
			`  (3),(0) flg 1 cl e1 dev=8a6434d8 file=ac598d40 \FileSystem\Npfs  [] pending`,
			`  (3),(0) flg 1 cl e1 dev=8a799710 file=ac598d40 \FileSystem\FltMgr  [] pending >`,
			"note !irp: another stack location is marked than the one that is said to be current: which driver has the IRP stays unknown",
		}, 0,
	},
	{
		"the mark of the current location was lost",
		"Irp is active with 1 stacks 1 is current (= 0xac598e38)\n[3, 0] 1 e1 8a6434d8 ac598d40 00000000-00000000 pending\n\\FileSystem\\Npfs\n",
		[]string{
			`irp ac598dc8 1/1 at \FileSystem\Npfs pending=true`,
			`  (3),(0) flg 1 cl e1 dev=8a6434d8 file=ac598d40 \FileSystem\Npfs  [] pending`,
		}, 0,
	},
	{
		"!irpfind of Windows 7",
		`Scanning large pool allocation table for Tag 'Irp?' (fffffa801a333000 : fffffa801a3f3000)

  Irp            [ Thread ]         irpStack: (Mj,Mn)   DevObj          [Driver]         MDL Process
fffffa801922d430 [0000000000000000] Irp is complete (CurrentLocation 3 > StackCount 2) 0xfffff80000000003
fffffa8019b69c60 [fffffa801b070060] irpStack: ( c, 2)  fffffa8019add030 [ \FileSystem\Ntfs]
fffffa8019c22950 [fffffa801b27bb50] irpStack: ( e,20)  fffffa80198ae9a0 [ \Driver\AFD] 0xfffffa801aa034a0
fffffa8019219e10 [0000000000000000] irpStack: ( f, 0)  00000000 [00000000: Could not read device object or _DEVICE_OBJECT not found
]
`,
		[]string{
			`irp fffffa801922d430 -1/-1 thread=0 row complete`,
			`irp fffffa8019b69c60 -1/-1 thread=fffffa801b070060 row at \FileSystem\Ntfs pending=false`,
			`  (c),(2) flg 0 cl 0 dev=fffffa8019add030 \FileSystem\Ntfs  [] >`,
			`irp fffffa8019c22950 -1/-1 thread=fffffa801b27bb50 mdl-process=fffffa801aa034a0 row at \Driver\AFD pending=false`,
			`  (e),(20) flg 0 cl 0 dev=fffffa80198ae9a0 \Driver\AFD  [] >`,
			`irp fffffa8019219e10 -1/-1 thread=0 row`,
			`  (f),(0) flg 0 cl 0 dev=0   [] >`,
		}, 0,
	},
	{
		"!irpfind of Windows 2000, Microsoft's documentation of the command",
		"Searching NonPaged pool (8090c000 : 8131e000) for Tag: Irp\n8097c008 Thread 8094d900 current stack belongs to  \\Driver\\symc810\n8097dec8 Thread 8094dda0 current stack belongs to  \\FileSystem\\Ntfs\n",
		[]string{
			`irp 8097c008 -1/-1 thread=8094d900 row at \Driver\symc810 pending=false`,
			`  (-1),(-1) flg 0 cl 0 \Driver\symc810  [] >`,
			`irp 8097dec8 -1/-1 thread=8094dda0 row at \FileSystem\Ntfs pending=false`,
			`  (-1),(-1) flg 0 cl 0 \FileSystem\Ntfs  [] >`,
		}, 0,
	},
	{
		"!alpc /m of Windows Vista, dumpanalysis.org 2009-03-20",
		`Message @ fffff8800f4cc950
  MessageID             : 0x0BFC (3068)
  CallbackID            : 0x1FEF27 (2092839)
  SequenceNumber        : 0x0004D4D4 (316628)
  Type                  : LPC_REQUEST
  DataLength            : 0x0068 (104)
  TotalLength           : 0x0090 (144)
  Canceled              : No
  Release               : No
  ReplyWaitReply        : No
  Continuation          : Yes
  OwnerPort             : fffffa8018a95e60 [ALPC_CLIENT_COMMUNICATION_PORT]
  WaitingThread         : fffffa801afae6f0
  QueueType             : ALPC_MSGQUEUE_PENDING
  QueuePort             : fffffa8017dbb060 [ALPC_CONNECTION_PORT]
  QueuePortOwnerProcess : fffffa801807b8f0 (svchost.exe)
  ServerThread          : fffffa801aeec060
  QuotaCharged          : No
  CancelQueuePort       : 0000000000000000
`,
		[]string{`message fffff8800f4cc950 id bfc lpc=false LPC_REQUEST ALPC_MSGQUEUE_PENDING client=fffffa801afae6f0 port=fffffa8017dbb060 server=fffffa801807b8f0 server-thread=fffffa801aeec060 svchost.exe`}, 0,
	},
	{
		"!alpc /m that no server thread has taken, The Old New Thing 2013-02-15",
		"Message 9c14d020\nMessageID : 0x0274 (628)\nWaitingThread : 834553c0\nQueueType : ALPC_MSGQUEUE_MAIN\nQueuePort : 84646730 [ALPC_CONNECTION_PORT]\nQueuePortOwnerProcess : 846209c0 (explorer.exe)\nServerThread : 00000000 <-----------------------\n",
		[]string{`message 9c14d020 id 274 lpc=false  ALPC_MSGQUEUE_MAIN client=834553c0 port=84646730 server=846209c0 server-thread=0 explorer.exe`}, 0,
	},
	{
		"!alpc /p, Windows Internals, 7th edition, part 2, chapter 8, and Windows 10",
		`Port  ffffc48d8895de20
  Type                      : ALPC_CONNECTION_PORT
  CommunicationInfo         : ffffa4805c1ca610
    ConnectionPort          : ffffc48d8895de20 (SmApiPort)
    ClientCommunicationPort : 0000000000000000
    ServerCommunicationPort : 0000000000000000
  OwnerProcess              : ffffc48d86b00640 (smss.exe)
  SequenceNo                : 0x00000005 (5)
  CompletionPort            : ffffc48d888ee1c0
  Security                  : Static

  1 thread(s) are registered with port IO completion object:
    THREAD ffffc48d8895b080  Cid 01d8.0208  Teb: 00000063218f8000 Win32Thread: 0000000000000000 WAIT
  Main queue is empty.
  Direct message queue is empty.
`,
		[]string{`port ffffc48d8895de20 ALPC_CONNECTION_PORT "SmApiPort" owner=ffffc48d86b00640 connection=ffffc48d8895de20 client=0 service=0 smss.exe waiting=false open=false ffffc48d8895b080`}, 1,
	},
	{
		"!alpc /p of the client's end, a published Go program that reads it",
		`Port  fffffa80321c2920
  Type                      : ALPC_CLIENT_COMMUNICATION_PORT
  CommunicationInfo         : fffff8a002fa3150
    ConnectionPort          : fffffa80340e1cd0 (DNSResolver)
    ClientCommunicationPort : fffffa80321c2920
    ServerCommunicationPort : fffffa8036210070
  OwnerProcess              : fffffa8031d4cb30 (iexplore.exe)
  SequenceNo                : 0x00000031 (49)
`,
		[]string{`port fffffa80321c2920 ALPC_CLIENT_COMMUNICATION_PORT "DNSResolver" owner=fffffa8031d4cb30 connection=fffffa80340e1cd0 client=fffffa80321c2920 service=fffffa8036210070 iexplore.exe waiting=false open=false`}, 0,
	},
	{
		"!lpc message of Windows XP, Microsoft's documentation of the command",
		`Searching message 222be in threads ...
Client thread 842a4db0 waiting a reply from 222be
Searching thread 842a4db0 in port rundown queues ...

Server communication port 0xe114a3c0
    Handles: 1   References: 1
    The LpcDataInfoChainHead queue is empty
        Connected port: 0xe1e7b948      Server connection port: 0xe14ae238

Client communication port 0xe1e7b948
    Handles: 1   References: 3
    The LpcDataInfoChainHead queue is empty

Server connection port e14ae238  Name: ApiPort
 Handles: 1   References: 107
    Server process  : 84aa0140 (csrss.exe)
    Queue semaphore : 84a96da8
 Semaphore state 0 (0x0)
    The message queue is empty
    The LpcDataInfoChainHead queue is empty
Done.
`,
		[]string{
			`message 0 id 222be lpc=true   client=842a4db0 port=e14ae238 server=84aa0140 csrss.exe`,
			`port e114a3c0 Server communication port "" connection=e14ae238 client=e1e7b948 service=e114a3c0  waiting=false open=false`,
			`port e1e7b948 Client communication port ""  waiting=false open=false`,
			`port e14ae238 Server connection port "ApiPort" owner=84aa0140 csrss.exe waiting=false open=false`,
		}, 0,
	},
	{
		"!lpc port with a message in its queue, the same document",
		`Server connection port e14ae238  Name: ApiPort
 Handles: 1   References: 108
    Server process  : 84aa0140 (csrss.exe)
    Queue semaphore : 84a96da8
 Semaphore state 0 (0x0)
        Messages in queue:
 0000 e20d9b80 - Busy  Id=0002249c  From: 0584.0680  Context=00000021  [e14ae248 . e14ae248]
 Length=0098007c  Type=00000001 (LPC_REQUEST)
                   Data: 00000000 0002021e 00000584 00000680 002f0001 00000007
    The message queue contains 1 messages
    The LpcDataInfoChainHead queue is empty
`,
		[]string{
			`message e20d9b80 id 2249c lpc=true LPC_REQUEST message queue port=e14ae238 server=84aa0140 csrss.exe from 0584.0680`,
			`port e14ae238 Server connection port "ApiPort" owner=84aa0140 csrss.exe waiting=false open=false`,
		}, 0,
	},
	{
		"!exqueue of Windows 2000, Microsoft's documentation of the command",
		`Dumping ExWorkerQueue: 8046A5C0

**** Critical WorkQueue( current = 0 maximum = 1 )
THREAD fe502940  Cid 8.c  Teb: 00000000  Win32Thread: 00000000 WAIT
THREAD fe5026c0  Cid 8.10  Teb: 00000000  Win32Thread: 00000000 WAIT

**** Delayed WorkQueue( current = 0 maximum = 1 )
THREAD fe501da0  Cid 8.20  Teb: 00000000  Win32Thread: 00000000 WAIT
PROCESS fe503d80  Cid: 0008    Peb: 00000000  ParentCid: 0000
THREAD fe501b20  Cid 8.24  Teb: 00000000  Win32Thread: 00000000 WAIT
`,
		[]string{
			`queue "Critical" node -1 running 0/1 threads -1/-1 open=false fe502940 fe5026c0`,
			`queue "Delayed" node -1 running 0/1 threads -1/-1 open=false fe501da0`,
		}, 5,
	},
	{
		"!exqueue of Windows 7, jumpdollar.blogspot.com",
		"**** HyperCritical WorkQueue ( Threads: 1/512, Concurrency: 0/1 )\nTHREAD 83a26798  Cid 0004.0048  Teb: 00000000 Win32Thread: 00000000 WAIT\nTHREAD 83a26020  Cid 0004.0038  Teb: 00000000 Win32Thread: 00000000 WAIT\n",
		[]string{`queue "HyperCritical" node -1 running 0/1 threads 1/512 open=false 83a26798`}, 2,
	},
	{
		"a queue of a NUMA node and an item in it, composed",
		`**** NUMA Node 0 HyperCritical WorkQueue ( Threads: 2/512, Concurrency: 0/1 )
THREAD 83a26798  Cid 0004.0048  Teb: 00000000 Win32Thread: 00000000 WAIT
PENDING: IoWorkItem (83a26000) Routine rdbss!RxpWorkerThreadDispatcher (8f1c2345) Parameter 84fedd48
`,
		[]string{
			`queue "HyperCritical" node 0 running 0/1 threads 2/512 open=true 83a26798`,
			`  pending IoWorkItem rdbss!RxpWorkerThreadDispatcher item=83a26000 parameter=84fedd48`,
			"note announced: 2 threads, listed: 1",
		}, 1,
	},
	{
		"a thread of another process ends the list",
		"**** Critical WorkQueue( current = 0 maximum = 1 )\nTHREAD fe502940  Cid 8.c  Teb: 00000000  Win32Thread: 00000000 WAIT\nTHREAD fe5026c0  Cid 18.10  Teb: 00000000  Win32Thread: 00000000 WAIT\nTHREAD fe5027c0  Cid 8.10  Teb: 00000000  Win32Thread: 00000000 WAIT\n",
		[]string{`queue "Critical" node -1 running 0/1 threads -1/-1 open=true fe502940`}, 3,
	},
	{
		"user-mode !locks, Microsoft's documentation of the command",
		`CritSec ftpsvc2!g_csServiceEntryLock+0 at 6833dd68
LockCount          0
RecursionCount     1
OwningThread       a7
EntryCount         0
ContentionCount    0
*** Locked

CritSec +24e750 at 24e750
LockCount          6
RecursionCount     1
OwningThread       a9
EntryCount         6
ContentionCount    6
*** Locked
Scanned 37 critical sections
`,
		[]string{
			"section 6833dd68 ftpsvc2!g_csServiceEntryLock+0 locked=2 owner=a7 lock=0 recursion=1 entry=0 contention=0",
			"section 24e750  locked=2 owner=a9 lock=6 recursion=1 entry=6 contention=6",
		}, 0,
	},
	{
		"user-mode !locks -v of Windows 8, gperftools/gperftools issue 812",
		"CritSec ntdll!LdrpLoaderLock+0 at 00007ff88a289980\nWaiterWoken        No\nLockCount          3\nRecursionCount     1\nOwningThread       a5c\nEntryCount         0\nContentionCount    3\n*** Locked\nCritSec ntdll!RtlpProcessHeapsListLock+0 at 00007ff94e17ace0\nLockCount          NOT LOCKED\nRecursionCount     0\n",
		[]string{
			"section 7ff88a289980 ntdll!LdrpLoaderLock+0 locked=2 owner=a5c lock=3 recursion=1 entry=0 contention=3",
			"section 7ff94e17ace0 ntdll!RtlpProcessHeapsListLock+0 locked=1 recursion=0",
		}, 0,
	},
	{
		"!cs, Microsoft's documentation of the command, and Perl/perl5 issue 11221",
		`-----------------------------------------
DebugInfo          = 0x6A261D60
Critical section   = 0x6A262820 (ntdll!RtlCriticalSectionLock+0x0)
LOCKED
LockCount          = 0x0
OwningThread       = 0x460
RecursionCount     = 0x1
LockSemaphore      = 0x0
SpinCount          = 0x0
-----------------------------------------
Critical section   = 0x00000000003d9730 (+0x3D9730)
DebugInfo          = 0x00000000000e2f80
LOCKED
LockCount          = 0x3
WaiterWoken        = No
OwningThread       = 0x0000000000001ff8
RecursionCount     = 0x1
Critical section   = 0x7803B0F8 (MSVCRT!__app_type+0x4)
DebugInfo          = 0x6A262080
NOT LOCKED
LockSemaphore      = 0x0
SpinCount          = 0x0

Stack trace for DebugInfo = 0x6A262080:

0x6A2137BD: ntdll!RtlInitializeCriticalSectionAndSpinCount+0x9B
`,
		[]string{
			"section 6a262820 ntdll!RtlCriticalSectionLock+0x0 locked=2 owner=460 lock=0 recursion=1",
			"section 3d9730  locked=2 owner=1ff8 lock=3 recursion=1",
			"section 7803b0f8 MSVCRT!__app_type+0x4 locked=1",
		}, 1,
	},
	{
		"lines that only look like such",
		"Irp is active\nMessage from the ticket: it hangs\nPort 445 is open\nCritSec is held\n[csrss.exe]\n**** DUMP OF ALL RESOURCE OBJECTS ****\nDebugInfo about it\nClient thread is stuck\nfffff880`07fab3e0 fffff800`0228da52 nt!KiSwapContext+0x7a\n>[quoted, text]\n",
		nil, 10,
	},
}

func TestForms(t *testing.T) {
	for _, f := range forms {
		t.Run(f.name, func(t *testing.T) {
			var r objects.Reader
			strange := 0
			for _, l := range kd.Lines(f.text) {
				if !r.Line(l) && l.Text != "" {
					strange++
				}
			}
			if got := show(done(&r)); !reflect.DeepEqual(got, f.want) {
				t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(f.want, "\n"))
			}
			if strange != f.strange {
				t.Errorf("%d lines are not part of the output, want %d", strange, f.strange)
			}
		})
	}
}

func done(r *objects.Reader) objects.Listing {
	if l := r.Done(); l != nil {
		return *l
	}
	return objects.Listing{}
}

// TestTypedIRP: the address that was typed is that of the IRP, unless its stack
// says otherwise.
func TestTypedIRP(t *testing.T) {
	const head = "Irp is active with 2 stacks 1 is current (= 0xac598e38)\n"
	typed := func(a kd.Addr) objects.Printed { return objects.Printed{Addr: a, At: kd.Ref{Line: 9, Col: 1, Len: 8}} }
	for _, c := range []struct {
		name  string
		typed objects.Printed
		want  kd.Addr
		known bool
		notes int
	}{
		{"not typed", objects.Printed{}, 0xac598dc8, false, 0},
		{"typed", typed(0xac598dc8), 0xac598dc8, true, 0},
		{"sign-extended", typed(0xffffffffac598dc8), 0xffffffffac598dc8, true, 0},
		{"of another", typed(0xac598d00), 0, false, 1},
	} {
		var r objects.Reader
		r.Prompt(c.typed)
		for _, l := range kd.Lines(head) {
			r.Line(l)
		}
		l := done(&r)
		if got := l.IRPs[0]; got.Addr != c.want || got.AddrAt.Known() != c.known || len(l.Notes) != c.notes {
			t.Errorf("%s: %s %v, notes %v", c.name, got.Addr, got.AddrAt, l.Notes)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, form := range forms {
		f.Add(form.text)
	}
	f.Add("dt nt!_FAST_MUTEX ffffe00112345660\n" + fastMutex64)
	f.Add("dt -r _ERESOURCE fffffa80`11efede8 SharedWaiters\n" + eresource64)
	f.Fuzz(func(t *testing.T, text string) {
		lines := kd.Lines(text)
		l := objects.Read(lines)
		for _, i := range l.IRPs {
			i.Driver()
			for n := range i.Locations {
				if at := i.Locations[n].At; at.Line < 1 || int(at.Line) > len(lines) {
					t.Fatalf("a stack location on line %d of %d", at.Line, len(lines))
				}
			}
		}
		for _, m := range l.Mutexes {
			if m.Addr == 0 || m.At.Line < 1 || m.Owner.At.Line > int32(len(lines)) {
				t.Fatalf("mutex %+v of %d lines", m, len(lines))
			}
		}
		show(l)
		l.MapAddrs(kd.Addr.Fold)
	})
}

// TestBeheadedIRP: where the first line of !irp is left out, what was typed
// tells the IRP and the mark the current location (dumpanalysis.org, crash dump
// analysis patterns, 25c).
func TestBeheadedIRP(t *testing.T) {
	const text = `cmd flg cl Device File Completion-Context
[ 0, 0] 0 0 fffffa800cb28030 00000000 fffff880012048f0-fffffa8016f64010
\FileSystem\Ntfs fltmgr!FltpSynchronizedOperationCompletion
Args: 00000000 00000000 00000000 00000000
>[ 0, 0] 0 1 fffffa800ca00890 fffffa801060d070 00000000-00000000 pending
Args: fffff88014450868 02000060 00000006 00000000
`
	locations := []string{
		`  (0),(0) flg 0 cl 0 dev=fffffa800cb28030 file=0 \FileSystem\Ntfs fltmgr!FltpSynchronizedOperationCompletion [0x0 0x0 0x0 0x0]`,
		`  (0),(0) flg 0 cl 1 dev=fffffa800ca00890 file=fffffa801060d070   [0xfffff88014450868 0x2000060 0x6 0x0] pending >`,
	}
	typed := objects.Printed{Addr: 0xfffffa80162aa230, At: kd.Ref{Line: 9, Col: 1, Len: 16}}
	for _, c := range []struct {
		name, text string
		typed      objects.Printed
		want       []string
		strange    int
	}{
		{"from the column heads on", text, typed, append([]string{"irp fffffa80162aa230 -1/-1"}, locations...), 0},
		{
			"from the thread on", " No Mdl: No System Buffer: Thread fffffa800e8051d0:  Irp stack trace.\n" + text, typed,
			append([]string{"irp fffffa80162aa230 -1/-1 thread=fffffa800e8051d0 mdl=0 buffer=0"}, locations...), 0,
		},
		{"of no command", text, objects.Printed{}, nil, 6},
		{"the heads lost, too", text[strings.IndexByte(text, '\n')+1:], typed, nil, 5},
		{"prose", "No Mdl: we saw the thread\nMdl is what we looked at\ncmd flg what\n", typed, nil, 3},
	} {
		var r objects.Reader
		r.Prompt(c.typed)
		strange := 0
		for _, l := range kd.Lines(c.text) {
			if !r.Line(l) {
				strange++
			}
		}
		var got []string
		if l := r.Done(); l != nil {
			got = show(*l)
		}
		if !reflect.DeepEqual(got, c.want) || strange != c.strange {
			t.Errorf("%s: %d lines not read\n%s", c.name, strange, strings.Join(got, "\n"))
		}
	}
}
