package transcript_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"kdlocks/transcript"
)

func read(t *testing.T, texts ...string) *transcript.Transcript {
	t.Helper()
	var in []transcript.Input
	for i, s := range texts {
		in = append(in, transcript.Bytes(fmt.Sprint("in", i), []byte(s)))
	}
	tr, err := transcript.Read(context.Background(), in, nil)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

const (
	lockA  = "Resource @ 0xfffffa8011ef1de8    Exclusively owned\n     Threads: fffffa8016910b60-01<*> \n"
	lockB  = "Resource @ 0xfffffa8011ef2de8    Exclusively owned\n     Threads: fffffa8016920b60-01<*> \n"
	x86    = "Resource @ 0x80123f38    Shared 1 owning threads\n     Threads: 801d0023-01<*> *** Actual Thread 801d0020\n"
	thread = "THREAD fffffa8016910b60  Cid 0004.0100  Teb: 0 Win32Thread: 0 WAIT: (Executive) KernelMode Non-Alertable\n    fffffa8017000000  NotificationEvent\nNot impersonating\n"
	frames = "fffff880`07fab3e0 fffff800`0228da52 nt!KiSwapContext+0x7a\n"
	stack  = "Child-SP          RetAddr           Call Site\n" + frames
)

// TestRowsBehindStack: a stack that is still open does not take the rows of a
// waiter list, nor does one begin in a list; the frames behind a list are its
// own stack's.
func TestRowsBehindStack(t *testing.T) {
	const (
		open = "ChildEBP RetAddr  Args to Child\nb9f2c710 804dc0f7 8a2f1090 8a2f1020 804dc143 nt!KiSwapContext+0x2e\n"
		more = "b9f2c71c 804dc143 00000000 8a9d2ab8 00000000 nt!KiSwapThread+0x46\n"
		lock = "Resource @ 0x88c0a5a8    Exclusively owned\n    NumberOfExclusiveWaiters = 9\n     Threads: 8858e9d8-01<*> \n     Threads Waiting On Exclusive Access:\n"
		row  = "              88b0c730       8857ddb0       88de5730       8842f3f8       \n"
		cut  = "              88b1c730       8857dcb0       88ee5730       88a5"
	)
	for _, tc := range []struct {
		name, text              string
		waiters, stacks, frames int
	}{
		{"list alone", lock + row + cut, 7, 0, 0},
		{"only the cut row", lock + cut, 3, 0, 0},
		{"behind a stack", open + more + lock + row + cut, 7, 1, 2},
		{"right behind a stack", open + "\n" + lock + cut, 3, 1, 1},
		{"before a stack", lock + row + "\n" + open + more, 4, 1, 2},
		{"frames behind the list", open + lock + row + more, 4, 1, 2},
	} {
		s := read(t, tc.text).Snapshots[0]
		if n := len(s.Resources[0].ExclusiveWaiters); n != tc.waiters {
			t.Errorf("%s: %d waiters, want %d", tc.name, n, tc.waiters)
		}
		frames := 0
		for _, th := range s.Threads {
			frames += len(th.Stack.Frames)
		}
		if len(s.Threads) != tc.stacks || frames != tc.frames {
			t.Errorf("%s: %d stacks with %d frames, want %d with %d", tc.name, len(s.Threads), frames, tc.stacks, tc.frames)
		}
	}
}

func TestDecode(t *testing.T) {
	utf16 := func(s string, swap bool) string {
		var b strings.Builder
		for _, r := range s {
			lo, hi := byte(r), byte(r>>8)
			if swap {
				lo, hi = hi, lo
			}
			b.WriteString(string([]byte{lo, hi}))
		}
		return b.String()
	}
	const s = "kd> !locks\r\nKD: Scanning for held locks\u2026 caf\u00e9\r\n"
	for _, tc := range []struct{ name, data, text, encoding string }{
		{"utf-8", s, s, transcript.UTF8},
		{"utf-8 with mark", "\ufeff" + s, s, transcript.UTF8BOM},
		{"utf-16le", utf16("\ufeff"+s, false), s, transcript.UTF16LE},
		{"utf-16be", utf16("\ufeff"+s, true), s, transcript.UTF16BE},
		{"utf-16le without mark", utf16(s, false), s, transcript.UTF16LE},
		{"utf-16be without mark", utf16(s, true), s, transcript.UTF16BE},
		{"utf-16le, half a character at the end", utf16("\ufeff"+s, false) + "k", s + "\ufffd", transcript.UTF16LE},
		{"windows-1252", "locks\x85 caf\xe9\n", "locks\u2026 caf\u00e9\n", transcript.Windows1252},
		{"utf-8 cut in a character", "kd> \u2026"[:6], "kd> \ufffd", transcript.UTF8},
		{"empty", "", "", transcript.UTF8},
	} {
		tr, err := transcript.Read(context.Background(), []transcript.Input{transcript.Bytes("in", []byte(tc.data))}, nil)
		if errors.Is(err, transcript.ErrNotText) {
			t.Fatal(err)
		}
		src, text := &tr.Sources[0], ""
		for n := range src.Lines() {
			text += src.Line(int32(n)+1) + "\n"
		}
		if want := strings.ReplaceAll(tc.text, "\r", ""); strings.TrimSuffix(text, "\n") != strings.TrimSuffix(want, "\n") || src.Encoding != tc.encoding {
			t.Errorf("%s: %q %s %v", tc.name, text, src.Encoding, err)
		}
	}
	for _, data := range []string{"PAGEDU64\x00", "PAGEDUMP", "MDMP\x93", "PK\x03\x04", "\x1f\x8b\x08", "MZ\x90\x00", "\x01\x02\x03\x04\x00\x00"} {
		if _, err := transcript.Read(context.Background(), []transcript.Input{transcript.Bytes("in", []byte(data))}, nil); !errors.Is(err, transcript.ErrNotText) {
			t.Errorf("%q: %v", data, err)
		}
	}
}

func TestPrompts(t *testing.T) {
	for _, tc := range []struct{ line, command string }{
		{"kd> !locks", "!locks"},
		{"2: kd> !locks", "!locks"},
		{"11: kd> !locks", "!locks"},
		{"0:kd> !locks", "!locks"},
		{"0: kd>!locks", "!locks"},
		{"lkd> !locks", "!locks"},
		{"0: lkd> !locks", "!locks"},
		{"0: kd&gt; !locks", "!locks"},
		{"0: kd:x86> !locks", "!locks"},
		{"16.0: kd> !locks", "!locks"},
		{"||0:2: kd> !locks", "!locks"},
		{"    3: kd> !Locks -v", "!Locks -v"},
		{"kd> !locks fc764ee0                      // !locks resource address gives lock info", "!locks fc764ee0"},
	} {
		tr := read(t, tc.line+"\n"+lockA)
		want := []string{tc.command}
		var got []string
		for _, s := range tr.Sources[0].Sections {
			got = append(got, s.Command)
		}
		if !reflect.DeepEqual(got, want) || tr.Sources[0].Understood() != 3 {
			t.Errorf("%q: sections %q, understood %d", tc.line, got, tr.Sources[0].Understood())
		}
	}
}

// TestEcho: some logs repeat the command on the next line.
func TestEcho(t *testing.T) {
	tr := read(t, "kd> !locks\n!locks\n"+lockA)
	if got := tr.Sources[0].Understood(); got != 4 {
		t.Errorf("%d lines understood", got)
	}
}

func TestSectionsByContent(t *testing.T) {
	tr := read(t, lockA+"\n"+thread+stack+"\n"+lockB)
	var got []string
	for _, s := range tr.Sources[0].Sections {
		got = append(got, fmt.Sprintf("%s %d-%d", s.Command, s.Line, s.EndLine))
	}
	want := []string{"!locks 1-2", "!thread 4-8", "!locks 10-11"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSessions(t *testing.T) {
	const banner = "Microsoft (R) Windows Debugger Version 10.0.19041.1 AMD64\n"
	const head = "Windows 10 Kernel Version 19041 MP (8 procs) Free x64\nKernel base = 0xfffff801`%s PsLoadedModuleList = 0xfffff801`5be2a310\nDebug session time: %s\nSystem Uptime: 0 days 0:05:11.500\n"
	a, b := fmt.Sprintf(head, "5b200000", "Mon Nov  2 10:00:00.000 2026"), fmt.Sprintf(head, "6c400000", "Mon Nov  2 10:00:00.000 2026")
	later := strings.Replace(fmt.Sprintf(head, "5b200000", "Tue Nov  3 10:00:00.000 2026"), "0:05:11", "0:06:11", 1)
	const total = "1000 total locks, 1 locks currently held\n"
	for _, tc := range []struct {
		name, text string
		want       int
	}{
		{"one", lockA + thread, 1},
		{"banners", banner + lockA + banner + lockB, 2},
		{"banner without facts", banner + banner + lockA, 1},
		{"same head twice", a + lockA + a + lockB, 1},
		{"another kernel base", a + lockA + b + lockB, 2},
		{"another time", a + lockA + later + lockB, 2},
		{"dump file", "Loading Dump File [C:\\A.DMP]\n" + lockA + "Loading Dump File [C:\\B.DMP]\n" + lockB, 2},
		{"go on", "kd> !locks\n" + lockA + "kd> g\nkd> !locks\n" + lockB, 2},
		{"32 and 64 bit", lockA + x86, 2},
		{"two listings of a live system", "lkd> !locks\n" + lockA + "1000 total locks, 1 locks currently held\nlkd> !locks\n" + lockB + "1000 total locks, 1 locks currently held\n", 2},
		{"the same listing twice", "lkd> !locks\n" + lockA + "1000 total locks\nlkd> !locks\n" + lockA + "1000 total locks\n", 1},
		{"one lock each by address", "kd> !locks fffffa8011ef1de8\n" + lockA + "kd> !locks fffffa8011ef2de8\n" + lockB, 1},
		{"refused to go on", "kd> !locks\n" + lockA + "kd> g\n       ^ No runnable debuggees error in 'g'\nkd> !thread\n" + thread, 1},
		{"went on, uptime first told then", "kd> !locks\n" + lockA + "kd> g\nSystem Uptime: 0 days 0:02:03.456\nkd> !thread\n" + thread, 2},
		{"remarks", "kd> !locks\n" + lockA + "kd> * waiters; t is 16\nkd> $$ now step; p through\nkd> !thread\n" + thread, 1},
		{"one lock by its symbol", "kd> !locks\n" + lockA + total + "kd> !locks nt!PiEngineLock\nResource @ nt!PiEngineLock (0xfffff8019cd8a380)    Available\n1 total locks\nkd> !thread\n" + thread, 1},
		{"free locks as well", "kd> !locks\n" + lockA + total + "kd> !locks -d\n" + lockA + "Resource @ 0xfffffa8011ef9de8    Available\n" + total, 1},
		{"interrupted and typed again", "kd> !locks\n" + lockB + "Resource @ 0xfffffa8011\nkd> !locks\n" + lockB + lockA + total, 1},
		{"interrupted in a mode", "kd> !locks\n" + lockB + "Resource @ 0xfffffa8011ef1de8    Exclus\nkd> !locks\n" + lockB + lockA + total, 1},
		{"interrupted in a mark", "kd> !locks\n" + strings.Replace(lockA, "<*>", "", 1) + "kd> !locks\n" + lockA + lockB + total, 1},
		{"interrupted in a thread", thread + "THREAD fffffa80\nTHREAD fffffa8016920b60  Cid 00\n" + thread, 1},
		{"failed before symbols were there", "kd> !locks\n0 total locks, 0 locks currently held\nkd> !thread\n" + thread + "kd> !locks\n" + lockA + total, 1},
		{"the same uptime at another time of day", "Debug session time: Mon Nov  2 10:00:00.000 2026\nSystem Uptime: 0 days 0:02:03.456\n" + lockA + "Debug session time: Mon Nov  2 10:07:00.000 2026\nSystem Uptime: 0 days 0:02:03.456\n" + thread, 1},
		{"uptime known later", "System Uptime: not available\n" + lockA + "System Uptime: 0 days 0:02:03.456\n" + thread, 1},
		{"uptime known later, at another time of day", "Debug session time: Mon Nov  2 10:00:00.000 2026\nSystem Uptime: not available\n" + lockA + "Debug session time: Mon Nov  2 10:07:00.000 2026\nSystem Uptime: 0 days 0:02:03.456\n" + thread, 1},
		{"two logs of one dump", banner + a + lockA + banner + a + thread, 1},
		{"step", "kd> !locks\n" + lockA + "kd> p\nkd> !thread\n" + thread, 2},
		{"broken into", lockA + "Break instruction exception - code 80000003 (first chance)\n" + thread, 2},
		{"time-out before its break-in", "Possible deadlock. Use !locks FFFFFA8011EF1DE8 to determine the resource owner\nBreak instruction exception - code 80000003 (first chance)\n" + lockA, 1},
		{"another uptime", "System Uptime: 0 days 0:05:11.500\n" + lockA + "System Uptime: 0 days 0:06:11.500\n" + thread, 2},
		{"another machine", "Machine Name: \"A\"\n" + lockA + "Machine Name: \"B\"\n" + thread, 2},
		{"another stop code", "BugCheck 9F, {3, 1, 2, 3}\n" + lockA + "BugCheck 133, {1, 1, 2, 3}\n" + thread, 2},
		{"another target", "||0:2: kd> !locks\n" + lockA + "||1:0: kd> !thread\n" + thread, 2},
		{"log file reopened", lockA + "Closing open log file c:\\a.log\nOpened log file 'c:\\b.log'\n" + thread, 1},
	} {
		tr := read(t, tc.text)
		if len(tr.Snapshots) != tc.want {
			t.Errorf("%s: %d sessions, want %d", tc.name, len(tr.Snapshots), tc.want)
		}
	}
	if tr := read(t, lockA+"1000 total locks\n", lockB+"1000 total locks\n"); len(tr.Snapshots) != 2 {
		t.Errorf("two files of two moments: %d sessions", len(tr.Snapshots))
	}
	target := read(t, a+"BugCheck 133, {1, 1e00, fffff80578efb320, 0}\n"+lockA).Snapshots[0].Target
	if target.Build != "19041" || target.Arch.String() != "x64" || target.Bugcheck == nil || target.Bugcheck.Code != 0x133 || len(target.Bugcheck.Args) != 4 {
		t.Errorf("target %+v", target)
	}
}

// TestSeveralInputsAreOneCase: facts of two files are joined.
func TestSeveralInputsAreOneCase(t *testing.T) {
	tr := read(t, lockA, thread)
	if len(tr.Snapshots) != 1 || len(tr.Snapshots[0].Resources) != 1 || len(tr.Snapshots[0].Threads) != 1 {
		t.Fatalf("%d sessions", len(tr.Snapshots))
	}
	if at := tr.Snapshots[0].Threads[0].At; at.Input != 1 || at.Line != 1 {
		t.Errorf("thread at %+v", at)
	}
}

// TestContext: .thread says whose stack the next k prints.
func TestContext(t *testing.T) {
	for _, tc := range []struct{ name, text, want string }{
		{"confirmed", "kd> .thread fffffa8016910b60\nImplicit thread is now fffffa80`16910b60\nkd> k\n" + stack, "0xfffffa8016910b60"},
		{"not confirmed", "kd> .thread /p /r fffffa80`16910b60; k\n" + stack, "0xfffffa8016910b60"},
		{"refused", "kd> .thread fffffa8016910b60\nInvalid thread @ fffffa80`16910b60 type - context unchanged.\nkd> k\n" + stack, "0x0"},
		{"no context", "kd> k\n" + stack, "0x0"},
		{"another register context", "kd> .thread fffffa8016910b60\nkd> .cxr fffff88007fab000\nkd> k\n" + stack, "0x0"},
		{"another processor", "kd> .thread fffffa8016910b60\nkd> ~2\nkd> k\n" + stack, "0x0"},
	} {
		ts := read(t, tc.text).Snapshots[0].Threads
		if len(ts) != 1 || ts[0].Addr.String() != tc.want || len(ts[0].Stack.Frames) != 1 {
			t.Errorf("%s: %+v", tc.name, ts)
		}
	}
}

// TestNotAStack: .frame prints one frame again, and dumps of memory look like
// frames.
func TestNotAStack(t *testing.T) {
	for s, left := range map[string]bool{
		"kd> .frame 0n9;dv /t /v\n09 fffff880`07fab3e0 fffff800`0228da52 nt!KiSwapContext+0x7a\n": true,
		"kd> dps fffff880`07fab3e0\nfffff880`07fab3e0  fffff800`0228da52 nt!KiSwapContext+0x7a\n": false,
	} {
		tr := read(t, lockA+s)
		if n := len(tr.Snapshots[0].Threads); n != 0 {
			t.Errorf("%q: %d stacks", s, n)
		}
		if got := tr.Sources[0].Understood() < tr.Sources[0].Lines(); got != left {
			t.Errorf("%q: left over: %v", s, got)
		}
	}
}

// TestUserModeResumes: what a user-mode debugger prints behind g is of another
// moment, too.
func TestUserModeResumes(t *testing.T) {
	const stack = "ChildEBP RetAddr  Args to Child\n014cfe64 77f6cc7b 00000460 00000000 00000000 ntdll!NtWaitForSingleObject+0xb\n"
	const row = "   4  Id: 1364.a3 Suspend: 1 Teb: 7ffdb000 Unfrozen\n"
	for command, want := range map[string]int{"g": 2, "~4s": 1, "!teb": 1} {
		tr := read(t, "0:006> ~*kb\n"+row+stack+"0:006> "+command+"\n0:004> kb\n"+stack)
		if len(tr.Snapshots) != want {
			t.Errorf("%s: %d sessions", command, len(tr.Snapshots))
		}
		if ts := tr.Snapshots[0].Threads; len(ts) != 1 || ts[0].CID.String() != "1364.00a3" {
			t.Errorf("%s: %s", command, tr.Snapshots[0])
		}
	}
}

// TestStackOfAnalyze: it has no column heads, whatever extension !analyze is
// asked of.
func TestStackOfAnalyze(t *testing.T) {
	const text = "STACK_TEXT:  \nfffff684`0d4d6fe8 fffff802`53ca9e56     : 00000000`00000162 ffff9101`42869040 ffff9101`45796f70 00000000`ffffffff : nt!KeBugCheckEx\n"
	for command, want := range map[string]int{"!analyze -v": 1, "!ext.analyze -v": 1, "!uext.analyze": 1, "!my.analyze": 0} {
		tr := read(t, lockA+"0: kd> "+command+"\n"+text)
		if n := len(tr.Snapshots[0].Threads); n != want {
			t.Errorf("%s: %d stacks", command, n)
		}
	}
}

// TestStackOfProcessExplorer: it prints the names of files and what they export;
// the kernel's own frames begin a stack (dokan-dev/dokany, issue 1018).
func TestStackOfProcessExplorer(t *testing.T) {
	const frames = "dokan1.sys+0x1285f\nfltmgr.sys!FltIsCallbackDataDirty+0x2df\nntoskrnl.exe!CcCopyRead+0x4aa\n"
	for _, tc := range []struct {
		text   string
		frames int // -1: nothing is recognised
	}{
		{"ntoskrnl.exe!KiCpuId+0xaa\nntoskrnl.exe!ExAcquireFastMutex+0x93\n" + frames, 5},
		{"ntkrnlmp.exe!KeWaitForSingleObject+0x256\n" + frames, 4},
		{"NTKRPAMP.EXE!KeWaitForSingleObject+0x256\n" + frames, 4},
		{"dokan1.sys+0x1285f\ndokan1.sys+0x15dd0\n", -1},
		{"ntdll.dll!NtWaitForSingleObject+0xc\nkernel32.dll!WaitForSingleObject+0x12\n", -1},
		{"ntoskrnl.exe!KeWaitForSingleObject was where it hung\nat ntoskrnl.exe!KeWaitForSingleObject+0x256\nntoskrnl.exe+75b90\nntoskrnl.exe\n", -1},
	} {
		tr, err := transcript.Read(context.Background(), []transcript.Input{transcript.Bytes("x", []byte(tc.text))}, nil)
		got := -1
		if err == nil && len(tr.Snapshots[0].Threads) == 1 {
			got = len(tr.Snapshots[0].Threads[0].Stack.Frames)
		}
		if got != tc.frames {
			t.Errorf("%q: %d frames, %v", tc.text, got, err)
		}
	}
}

func TestNothing(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		{"", "it is empty"},
		{"hello\nworld\n", "none of its 2 lines"},
		{"0:006> !locks\n\nScanned 12 critical sections\n", "user-mode"},
		{"0:000> k\n", "user-mode"},
	} {
		_, err := transcript.Read(context.Background(), []transcript.Input{transcript.Bytes("x", []byte(tc.text))}, nil)
		if !errors.Is(err, transcript.ErrNothing) || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%q: %v", tc.text, err)
		}
	}
}

// TestOneBadInput: the others are read all the same.
func TestOneBadInput(t *testing.T) {
	tr, err := transcript.Read(context.Background(), []transcript.Input{transcript.Bytes("dump", []byte("PAGEDU64")), transcript.Bytes("log", []byte(lockA))}, nil)
	if !errors.Is(err, transcript.ErrNotText) || len(tr.Snapshots) != 1 {
		t.Errorf("%d sessions, %v", len(tr.Snapshots), err)
	}
}

// FuzzRead: nothing panics, an error and no session come together, every line
// has a fate, and a second reading gives the same.
func FuzzRead(f *testing.F) {
	f.Add([]byte("kd> !locks\n" + lockA + thread + stack))
	f.Add([]byte("\xff\xfek\x00d\x00>\x00"))
	f.Add([]byte(x86 + lockB))
	f.Add([]byte(vertarget + analysis + lockA))
	f.Add([]byte(marked + oneByOne(marked)))
	f.Fuzz(func(t *testing.T, data []byte) {
		in := []transcript.Input{transcript.Bytes("in", data)}
		tr, err := transcript.Read(context.Background(), in, nil)
		if (len(tr.Snapshots) == 0) != (err != nil) {
			t.Fatalf("%d sessions and %v", len(tr.Snapshots), err)
		}
		if n := len(tr.Sources[0].Status); n != tr.Sources[0].Lines() {
			t.Fatalf("%d fates of %d lines", n, tr.Sources[0].Lines())
		}
		again, _ := transcript.Read(context.Background(), in, nil)
		for i, s := range tr.Snapshots {
			if s.String() != again.Snapshots[i].String() {
				t.Fatal("two readings differ")
			}
		}
	})
}

// BenchmarkRead reads a log of 10 MB: 12,000 threads with stacks and 4,000
// resources.
func BenchmarkRead(b *testing.B) {
	var s strings.Builder
	for i := 0; s.Len() < 10<<20; i++ {
		fmt.Fprintf(&s, "THREAD fffffa80%08x  Cid 0004.%04x  Teb: 0000000000000000 Win32Thread: 0000000000000000 WAIT: (WrResource) KernelMode Non-Alertable\n", 0x10000000+i*0x1000, i)
		s.WriteString("    fffffa80139ea3e0  Semaphore Limit 0x7fffffff\nNot impersonating\nDeviceMap                 fffff8a000008aa0\nOwning Process            fffffa800cd6a5f0       Image:         System\nWait Start TickCount      27606952       Ticks: 141 (0:00:00:02.199)\n")
		fmt.Fprintf(&s, "Stack Init fffff8%010xdb0 Current fffff8%010x3a0\nBase fffff8%010x000 Limit fffff8%010x000 Call 0\n", 0x8000000+i*16, 0x8000000+i*16-1, 0x8000000+i*16+1, 0x8000000+i*16-5)
		s.WriteString("Child-SP          RetAddr           Call Site\n" + strings.Repeat(frames, 6) + "\n")
		if i%3 == 0 {
			fmt.Fprintf(&s, "Resource @ 0xfffffa81%08x    Exclusively owned\n    NumberOfSharedWaiters = 1\n     Threads: fffffa80%08x-01<*> fffffa80%08x-01\n\n", i*0x100, 0x10000000+i*0x1000, 0x10001000+i*0x1000)
		}
	}
	in := []transcript.Input{transcript.Bytes("in", []byte(s.String()))}
	b.SetBytes(int64(s.Len()))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := transcript.Read(context.Background(), in, nil); err != nil {
			b.Fatal(err)
		}
	}
}
