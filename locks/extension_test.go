package locks_test

import (
	"reflect"
	"testing"

	"kdlocks/kd"
	"kdlocks/locks"
)

// extensionForms are resources as mex and WinDE print them; the first is of
// capture 025 in testdata/corpus.
var extensionForms = []struct {
	name  string
	text  string
	want  []string
	notes int
}{
	{
		"mex", `nt!_ERESOURCE @ fffffa8016910b60 [verbose]
Contention count: 2

Exclusive owner:
Thread at address 0000000000060001 is invalid. Not adding to waiter list.
    Process Thread             Time Wait Function
    ======= ================ ====== ==============================
    System  fffffa8016920b60 3s.218 TestDriver!FileMoveThread+0x34

Exclusive Waiters: 0
Shared Waiters: 0
`, []string{a + " exclusive cont=2 owner:" + b + "-00 reading=1"}, 0,
	},
	{
		"mex, collapsed, shared, with waiters", `nt!_ERESOURCE @ fffffa8016910b60
Shared owners:
Process Thread Time Wait Function
======= ================ ====== ======
System fffffa8016920b60 15ms drv!A+0x1
svc host.exe fffffa8016930b60 15ms drv!B+0x1
Exclusive Waiters: 1
Process Thread Time Wait Function
System fffffa8016940b60 15ms drv!C+0x1
`, []string{a + " shared xw=1 owner:" + b + "-00 owner:" + c + "-00 excl:" + d + " reading=1"}, 0,
	},
	{
		"WinDE", "Blocking Lock 3 - nt!_ERESOURCE 0x" + a + `
   1 Exclusive Owner:
      0004 System 1 !t fffffa80` + "`" + `16920b60 Wait 15ms
   2 Exclusive Waiters:
      0004 System 1 !t fffffa80` + "`" + `16930b60
      0a1c svc host.exe 1 !t fffffa80` + "`" + `16940b60
`, []string{a + " exclusive xw=2 owner:" + b + "-00 excl:" + c + " excl:" + d + " reading=3"}, 0,
	},
	{
		"WinDE, waiters among the owners", "Blocking Lock 3 - nt!_ERESOURCE 0x" + a + `
   1 Shared Owner :
0E54 NVDisplay.Cont     1   !t fffffa80` + "`" + `16920b60
1038 obs64.exe          2   !t fffffa80` + "`" + `16930b60
`, []string{a + " shared n=1 owner:" + b + "-00 owner:" + c + "-00 reading=2"}, 1,
	},
	{
		"WinDE, as many owners as announced", "Blocking Lock 3 - nt!_ERESOURCE 0x" + a + `
   2 Shared Owners:
0E54 NVDisplay.Cont     1   !t fffffa80` + "`" + `16920b60
1038 obs64.exe          2   !t fffffa80` + "`" + `16930b60
`, []string{a + " shared n=2 owner:" + b + "-00 owner:" + c + "-00 reading=3"}, 0,
	},
	{"prose on a resource", "nt!_ERESOURCE @ the address that I wrote above\nExclusive owner: see below\nBlocking Lock contention is bad\nBlocking Lock 1 - see nt!_ERESOURCE\n", nil, 0},
	{"rows without column heads", "nt!_ERESOURCE @ " + a + "\nExclusive owner:\n    System  " + b + " 3s.218 drv!A+0x1\n", []string{a + " exclusive reading=1"}, 0},
	{"another table below", "nt!_ERESOURCE @ " + a + "\n    Process Thread Time\n    System  " + b + " 3s.218 drv!A+0x1\n", []string{a + " unknown reading=1"}, 0},
}

func TestReadExtensions(t *testing.T) {
	for _, tc := range extensionForms {
		t.Run(tc.name, func(t *testing.T) {
			got := locks.Read(kd.Lines(tc.text))
			if s := show(got); !reflect.DeepEqual(s, tc.want) {
				t.Errorf("got  %q\nwant %q", s, tc.want)
			}
			if len(got.Notes) != tc.notes {
				t.Errorf("%d notes, want %d: %v", len(got.Notes), tc.notes, got.Notes)
			}
			if got.Seen() {
				t.Error("taken for output of !locks")
			}
		})
	}
}

const triage = `LOCK_ADDRESS:  fffffa8016910b60 -- (!locks fffffa8016910b60)
KD: Scanning for held locks....

Resource @ nt!PiEngineLock (0xfffffa8016910b60)    Exclusively owned
     Threads: fffffa8016920b60-01<*> 
1 total locks

PNP_TRIAGE_DATA: 
	Lock address  : 0xfffffa8016910b60
	Thread Count  : 1
	Thread address: 0xfffffa8016920b60
	Thread wait   : 0x281e98
`

func TestTriage(t *testing.T) {
	want := locks.Triage{Lock: 0xfffffa8016910b60, Thread: 0xfffffa8016920b60, ThreadCount: 1, Wait: 0x281e98}
	for _, text := range []string{
		triage,
		"2 total locks, 1 locks currently heldPNP_TRIAGE: \nLock address : 0xfffffa8016910b60\nThread Count : 1\nThread address: 0xfffffa8016920b60\nThread wait : 0x281e98",
	} {
		got := locks.Read(kd.Lines(text))
		if len(got.Triage) != 1 {
			t.Fatalf("triage %+v", got.Triage)
		}
		got.Triage[0].At = kd.Ref{}
		if got.Triage[0] != want {
			t.Errorf("got %+v, want %+v", got.Triage[0], want)
		}
	}
	var r locks.Reader
	for _, l := range kd.Lines("Thread address: 0xfffffa8016920b60\nThread Count : 7\nLock address : 0x1") {
		if r.Line(l) {
			t.Errorf("%q taken without its head", l.Text)
		}
	}
}

const qlocksTable = `Key: O = Owner, 1-n = Wait order, blank = not owned/waiting, C = Corrupt

                       Processor Number
    Lock Name         0  1  2  3

KE   - Dispatcher     1  O     2
MM   - PFN                      
NTFS - Struct            C      
`

func TestQueuedLocks(t *testing.T) {
	got := locks.Read(kd.Lines(qlocksTable)).QueuedLocks
	for i := range got {
		got[i].At = kd.Ref{}
	}
	want := []locks.QueuedLock{{Name: "KE - Dispatcher", Owner: 1, Waiters: []int{0, 3}}, {Name: "NTFS - Struct", Owner: -1, Corrupt: true}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	// Without its blanks a mark is of no processor that could be named.
	collapsed := locks.Read(kd.Lines("Key: O = Owner, 1-n = Wait order\nLock Name 0 1 2 3\nKE - Dispatcher O"))
	if len(collapsed.QueuedLocks) != 0 {
		t.Errorf("guessed %+v", collapsed.QueuedLocks)
	}
	if plain := locks.Read(kd.Lines("KE - Dispatcher    O")); len(plain.QueuedLocks) != 0 {
		t.Errorf("taken without its key: %+v", plain.QueuedLocks)
	}
}

const pushLockFields = `dt nt!_EX_PUSH_LOCK ffff9bb88433ef70 () Recursive: [ -r1 -r2 -r ] Verbose Normal dt
==================================================
   +0x000 Locked               : 0y1 --> note of the author
   +0x000 Waking               : 0y0
   +0x000 Shared               : 0y1111 (0xf)
   +0x000 Value                : 0xffffc1bc` + "`" + `2ca0f283 (0n-68684636687741)
`

func TestPushLock(t *testing.T) {
	got := locks.Read(kd.Lines(pushLockFields)).PushLocks
	if len(got) != 1 || got[0].Addr != 0xffff9bb88433ef70 || !reflect.DeepEqual(got[0].Bits, map[string]bool{"Locked": true, "Waking": false}) {
		t.Errorf("%+v", got)
	}
	if other := locks.Read(kd.Lines("dt nt!_KTHREAD ffff9bb88433ef70\n   +0x000 Locked : 0y1")).PushLocks; len(other) != 0 {
		t.Errorf("%+v of another type", other)
	}
}

func TestTimeouts(t *testing.T) {
	got := locks.Read(kd.Lines("Resource @ 801e99c0\n ActiveCount = 0001  Flags = IsOwnedExclusive sharedWaiter\n NumberOfExclusiveWaiters = 0000\n  Thread = 80acd2f0, Count = 01\n  Thread = 80aebc50, Count = 02\n  Thread = 00000000, Count = 00\n\nPossible deadlock. Use !locks FFFFB42768DEB908 to determine the resource owner")).Timeouts
	if len(got) != 2 {
		t.Fatalf("%+v", got)
	}
	nt4 := got[0]
	if nt4.Addr == 0xffffb42768deb908 {
		nt4 = got[1]
	}
	if nt4.Addr != 0x801e99c0 || nt4.ActiveCount.N != 1 || !nt4.ExclusiveWaiters.Known() || nt4.ExclusiveWaiters.N != 0 ||
		!reflect.DeepEqual(nt4.Flags, []string{"IsOwnedExclusive", "sharedWaiter"}) || len(nt4.Threads) != 2 || nt4.Threads[1].Count != 2 {
		t.Errorf("%+v", nt4)
	}
}
