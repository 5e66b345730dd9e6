package redact_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"kdlocks/redact"
	"kdlocks/transcript"
)

func redacted(t testing.TB, text string, opt redact.Options) (string, *redact.Redactor) {
	t.Helper()
	r := redact.New(opt)
	in := transcript.Bytes("hang.log", []byte(text))
	if err := r.Learn(context.Background(), []transcript.Input{in}); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := r.Write(context.Background(), &b, in); err != nil {
		t.Fatal(err)
	}
	return b.String(), r
}

// secrets is a log with planted secrets wherever debuggers and people put them.
const secrets = `Microsoft (R) Windows Debugger Version 10.0.17763.132 AMD64
Copyright (c) Microsoft Corporation. All rights reserved.

Loading Dump File [C:\Users\jdoe\Desktop\CONTOSO-FS01\case 120051234567890\MEMORY.DMP]
Kernel Bitmap Dump File: Full address space is available

Symbol search path is: srv*c:\sym*\\symserv01.contoso.local\symbols$;C:\Users\jdoe\payrollpdb
Executable search path is: \\fs02\builds\2019-11-05\zebrafilter
Windows 10 Kernel Version 14393 MP (8 procs) Free x64
Product: Server, suite: TerminalServer
Built by: 14393.3053.amd64fre.rs1_release.190612-1836
Machine Name: CONTOSO-FS01
Kernel base = 0xfffff800` + "`" + `0e281000 PsLoadedModuleList = 0xfffff800` + "`" + `0e5cb040
Debug session time: Tue Nov  5 11:48:30.123 2019 (UTC + 1:00)
System Uptime: 3 days 4:05:06.789
Implicit thread is now ffffe000` + "`" + `1a2b3080
The payroll server of Contoso hung after Jane Doe (jane.doe@contoso.com, +1 425-555-0177) installed ZebraFilter 7.2.
Ask ada or dee on DESKTOP-7654321 about 987654.exe, too.
Ticket 118051234567, customer 4455667, host 10.20.30.40 and fe80::1c2d:3e4f:5a6b, MAC 00-1A-2B-3C-4D-5E.
Domain\user: CONTOSO\jdoe, SID S-1-5-21-1004336348-1177238915-682003330-1104, machine {6b29fc40-ca47-1067-b31d-00dd010662da}.
1: kd> !locks
**** DUMP OF ALL RESOURCE OBJECTS ****
KD: Scanning for held locks....
Resource @ zebraflt!ZebPayrollLock (0xffffe0001a2b4120)    Exclusively owned
    Contention Count = 15292
    NumberOfExclusiveWaiters = 1
     Threads: ffffe0001a2b3080-01<*>     << owner is jdoe's backup job
     Threads Waiting On Exclusive Access:
              ffffe0001a2b5080
16088 total locks, 1 locks currently held
1: kd> !process 0 1f payrollsvc.exe
PROCESS ffffe0001a2b6080
    SessionId: 1  Cid: 0f64    Peb: 7ff6d1234000  ParentCid: 0abc
    DirBase: 21f4e3000  ObjectTable: ffffc00012345678  HandleCount: 1234.
    Image: payrollsvc.exe
    ServiceTags: ZebraBackupSvc
        THREAD ffffe0001a2b3080  Cid 0f64.0f68  Teb: 00007ff6d1232000 Win32Thread: 0000000000000000 WAIT: (Executive) KernelMode Non-Alertable
            ffffe0001a2b7010  SynchronizationEvent
        Impersonation token:  ffffc00012340000 (Level Impersonation) CONTOSO\svc_backup
        Owning Process            ffffe0001a2b6080       Image:         payrollsvc.exe
        Wait Start TickCount      12676          Ticks: 655 (0:00:00:10.234)
        Win32 Start Address payrollsvc!JdoeThread (0x00007ff6d1301234)
        Stack Init ffffd000a1b2cc90 Current ffffd000a1b2c5c0
        Base ffffd000a1b2d000 Limit ffffd000a1b27000 Call 0000000000000000
        Child-SP          RetAddr           : Args to Child                                                           : Call Site
        ffffd000` + "`" + `a1b2c600 fffff800` + "`" + `0e2f1234 : 00000000` + "`" + `00000001 ffffe000` + "`" + `1a2b7010 00000000` + "`" + `c0000005 00000000` + "`" + `00000000 : nt!KiSwapContext+0x76
        ffffd000` + "`" + `a1b2c740 fffff800` + "`" + `11223344 : 00000000` + "`" + `00000001 ffffe000` + "`" + `1a2b7010 00000000` + "`" + `00000000 00000000` + "`" + `00000000 : nt!KeWaitForSingleObject+0x1a5
        ffffd000` + "`" + `a1b2c800 fffff800` + "`" + `11225566 : 00000000` + "`" + `00000001 ffffe000` + "`" + `1a2b7010 00000000` + "`" + `00000000 00000000` + "`" + `00000000 : zebraflt!ZebAcquirePayroll+0x33 [D:\agent\jdoe\zebra\lock.cpp @ 77]
CONTOSO-FS01 1: kd> lmvm zebraflt
start             end                 module name
fffff800` + "`" + `11220000 fffff800` + "`" + `11240000   zebraflt   (private pdb symbols)  c:\sym\zebraflt.pdb\1A2B3C4D5E6F71829304A5B6C7D8E9F01\zebraflt.pdb
    Image path: \??\C:\Program Files\Zebra Software\zebraflt.sys
    Image name: zebraflt.sys
    File version:     7.2.0.19
    CompanyName:      Zebra Software GmbH
    ProductName:      ZebraFilter
1: kd> db ffffe000` + "`" + `1a2b9000 L20
ffffe000` + "`" + `1a2b9000  43 00 4f 00 4e 00 54 00-4f 00 53 00 4f 00 00 00  C.O.N.T.O.S.O...
ffffe000` + "`" + `1a2b9010  5a 65 62 72 61 46 69 6c-74 65 72 00 00 00 00 00  ZebraFilter.....
1: kd> dc ffffe000` + "`" + `1a2b9000 L4
ffffe000` + "`" + `1a2b9000  004f0043 0054004e 0053004f 0000004f  C.O.N.T.O.S.O...
1: kd> dq ffffe000` + "`" + `1a2b9000 L2
ffffe000` + "`" + `1a2b9000  0054004e` + "`" + `004f0043 69466172` + "`" + `62655a5a
1: kd> !sha1 fade01.sys cafe01!Foo \\beef\bea1 Abe
sha1 da39a3ee5e6b4b0d3255bfef95601890afd80709
fffff800` + "`" + `0e2f1234 server!PayrollJdoe+0x10
nt!KeWaitForSingleObject,zebraflt.sys nt!KiSwapContext(jdoe)
1: kd> !dns-of wkstn-jdoe7
Unable to resolve WKSTN-JDOE7.corp.contoso.local
`

// TestNoSecretSurvives: none of the planted secrets is in the output, in any case.
func TestNoSecretSurvives(t *testing.T) {
	out, _ := redacted(t, secrets, redact.Options{})
	low := strings.ToLower(out)
	for _, s := range []string{
		"contoso", "fs01", "fs02", "jdoe", "jane", "doe@", "payroll", "zebra", "symserv", "svc_backup", "wkstn", "gmbh", "zeb",
		"120051234567890", "118051234567", "4455667", "555-0177", "10.20.30.40", "1c2d:3e4f", "00-1a-2b", "1004336348", "1177238915", "1104",
		"6b29fc40", "2019-11-05", "fffff8000e281000", "0e281000", "1a2b3080", "1a2b4120", "a1b2c600", "11223344", "12345678", "7ff6d1234000",
		"1a2b3c4d5e6f71829304a5b6c7d8e9f0", "43 00 4f", "c.o.n.t", "5a 65 62", "004f0043", "0054004e", "69466172", "fade01", "cafe01", "beef", "bea1", "abe", "ada ", "dee ", "7654321", "987654", "da39a3ee",
	} {
		if strings.Contains(low, s) {
			for _, l := range strings.Split(out, "\n") {
				if strings.Contains(strings.ToLower(l), s) {
					t.Errorf("%q survives: %s", s, l)
				}
			}
		}
	}
	if t.Failed() {
		t.Log(out)
	}
}

// TestWhatTellsNobodyStays: numbers that are no addresses, words of the debugger,
// and the names of Windows.
func TestWhatTellsNobodyStays(t *testing.T) {
	out, _ := redacted(t, secrets, redact.Options{})
	in, got := strings.Split(secrets, "\n"), strings.Split(out, "\n")
	if len(in) != len(got) {
		t.Fatalf("%d lines became %d", len(in), len(got))
	}
	for i, l := range got {
		if len(l) != len(in[i]) {
			t.Errorf("line %d has another length:\n%s\n%s", i+1, in[i], l)
		}
	}
	for _, s := range []string{
		"Version 10.0.17763.132 AMD64", "14393.3053.amd64fre.rs1_release.190612-1836", "Tue Nov  5 11:48:30.123 2019 (UTC + 1:00)", "3 days 4:05:06.789",
		"Contention Count = 15292", "16088 total locks, 1 locks currently held", "-01<*>", "Cid: 0f64", "Cid 0f64.0f68", "HandleCount: 1234.",
		"WAIT: (Executive) KernelMode Non-Alertable", "Ticks: 655 (0:00:00:10.234)", "TickCount      12676", "nt!KiSwapContext+0x76", "nt!KeWaitForSingleObject+0x1a5",
		"00000000`00000001", "00000000`c0000005", "Win32Thread: 0000000000000000", "File version:     7.2.0.19", "+0x33", "@ 77]", "Acquire", "Loading Dump File [C:\\Users\\",
	} {
		if !strings.Contains(out, s) {
			t.Errorf("%q is gone", s)
		}
	}
	if t.Failed() {
		t.Log(out)
	}
}

// TestNearMisses: what looks like an address or a name and is none.
func TestNearMisses(t *testing.T) {
	const lock = "Resource @ 0x89abd010    Exclusively owned\n    Contention Count = 89123456\n     Threads: 89abc020-01<*> \n"
	if out, _ := redacted(t, lock, redact.Options{}); !strings.Contains(out, "Count = 89123456\n") || strings.Contains(out, "89abc") {
		t.Errorf("%q became %q", lock, out)
	}
	const head = "kd> !thread 89abc020\nTHREAD 89abc020  Cid 0004.0008  Teb: 00000000 Win32Thread: 00000000 RUNNING on processor 0\n"
	for _, line := range []string{
		"GetContextState failed, 0x80004001",
		"ExceptionCode: c0000005 (Access violation)",
		"    IRP List: 00000884: (0006,0220) Flags: 80000884  Mdl: 00000000",
		"nt!KiSwapThread+0x8023abcd",
		"ffffffff ffff0000 00000000 00060001",
		"efl=80010246 cr0=8001003b",
		"12:34:56.789 0:00:00:10.234 4m:03.203 3s.218 100ms 64kB 0n16 0y1010 7Fh 1st",
		"Debug session time: Thu Mar  5 11:48:30.123 2020 (UTC + 1:00)",
		"Windows Server 2003 Kernel Version 3790 MP (2 procs) Free x86 compatible",
		"Debugger Version 10.0.0.1 AMD64",
		`\Device\HarddiskVolume3`,
		"kd> !process 0 0 lsass.exe",
		"PROCESS_NAME:  svchost.exe",
		"THREAD 00000000  Cid fac.bad  Cid: abc.dee 0bad.0fac",
		"12 34 56 78 9a bc de",
		"e.g. i.e. a.b",
		"00000000`00000041 000000000000beef",
		"00000000`6b6e6142", // may be a count: docs/redact.md says that it stays
	} {
		out, _ := redacted(t, head+line+"\n", redact.Options{})
		if got := strings.Split(out, "\n")[2]; got != line {
			t.Errorf("%q became %q", line, got)
		}
	}
}

// TestEqualStaysEqual: the same in other forms has the same pseudonym in other forms.
func TestEqualStaysEqual(t *testing.T) {
	out, r := redacted(t, "kd> !thread 89abc020\nTHREAD 89abc020 x\nResource @ 0x89ABC023\n!thread ffffffff89abc020\nAcmeFlt acmeflt.sys ACMEFLT!Foo\nacmeflt2\n", redact.Options{})
	lines := strings.Split(out, "\n")
	a := strings.TrimPrefix(lines[0], "kd> !thread ")
	if a == "89abc020" || !strings.HasSuffix(a, "020") {
		t.Errorf("the address is %s", a)
	}
	for i, want := range []string{"kd> !thread " + a, "THREAD " + a + " x", "Resource @ 0x" + strings.ToUpper(a[:5]) + "023", "!thread ffffffff" + a} {
		if lines[i] != want {
			t.Errorf("%q, want %q", lines[i], want)
		}
	}
	w := strings.Fields(lines[4])
	if low := strings.ToLower(w[0]); low == "acmeflt" || w[1] != low+".sys" || !strings.HasPrefix(w[2], strings.ToUpper(low)+"!") {
		t.Errorf("%q", lines[4])
	}
	if strings.ToLower(w[0]) == lines[5][:7] && lines[5] == "acmeflt2" {
		t.Errorf("%q", lines[5])
	}
	if got := r.Text("acmeFLT waits for 0x89abc020"); got != strings.Replace(strings.ToLower(w[0]), strings.ToLower(w[0])[4:], strings.ToUpper(w[0])[4:], 1)+" waits for 0x"+a {
		t.Errorf("Text: %q", got)
	}
}

// TestOrderAndDistancesStay over all addresses of a log: the order of all, the
// distance of near ones, the low 12 bits, no two that become one.
func TestOrderAndDistancesStay(t *testing.T) {
	var text strings.Builder
	var all []uint64
	text.WriteString("kd> dps\n")
	for i := range uint64(400) {
		for _, v := range []uint64{0xffff_8000_0000_0000 + i*i*0x2345_6781, 0xffff_f880_0500_0000 + i*0x777, 0x0000_7f00_0000_0000 + i*0x1234_5678} {
			all = append(all, v)
			fmt.Fprintf(&text, "%016x\n", v)
		}
	}
	out, _ := redacted(t, text.String(), redact.Options{})
	lines := strings.Split(out, "\n")[1:]
	to := make([]uint64, len(all))
	for i := range all {
		if _, err := fmt.Sscanf(lines[i], "%x", &to[i]); err != nil {
			t.Fatal(err)
		}
		if to[i]&0xfff != all[i]&0xfff || to[i]>>47 != all[i]>>47 && to[i]>>47 != 0x1ffff {
			t.Fatalf("%x became %x", all[i], to[i])
		}
	}
	moved := 0
	for i := range all {
		if to[i] != all[i] {
			moved++
		}
		for k := range i {
			if (all[i] < all[k]) != (to[i] < to[k]) || (all[i] == all[k]) != (to[i] == to[k]) {
				t.Fatalf("%x and %x became %x and %x", all[i], all[k], to[i], to[k])
			}
			if d := all[i] - all[k]; d < 1<<24 && to[i]-to[k] != d {
				t.Fatalf("%x and %x are %x apart and became %x and %x", all[i], all[k], d, to[i], to[k])
			}
		}
	}
	if moved < len(all)-1 {
		t.Errorf("%d of %d moved", moved, len(all))
	}
}

func TestKeys(t *testing.T) {
	plain, _ := redacted(t, secrets, redact.Options{})
	again, _ := redacted(t, secrets, redact.Options{})
	keyed, _ := redacted(t, secrets, redact.Options{Key: "one"})
	other, _ := redacted(t, secrets, redact.Options{Key: "two"})
	if plain != again {
		t.Error("two runs differ")
	}
	if plain == keyed || keyed == other {
		t.Error("keys make no difference")
	}
	more, _ := redacted(t, "Machine Name: CONTOSO-FS01\n", redact.Options{Key: "one"})
	if !strings.Contains(keyed, strings.TrimSuffix(more, "\n")) {
		t.Errorf("another log with the same key has %q", more)
	}
	kept, _ := redacted(t, secrets, redact.Options{Keep: []string{"ZebraFlt.sys"}})
	if !strings.Contains(kept, "zebraflt!") || strings.Contains(kept, "payroll") {
		t.Error("what was to be kept is gone, or more was kept")
	}
}

// restored returns a text with what a Redactor replaced put back.
func restored(t testing.TB, r *redact.Redactor, text string) string {
	t.Helper()
	back, err := redact.NewRestorer(r.Table())
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := back.Write(context.Background(), &b, transcript.Bytes("answer", []byte(text))); err != nil && text != "" {
		t.Fatal(err)
	}
	return b.String()
}

// TestWayBack: the table brings every log back.
func TestWayBack(t *testing.T) {
	texts := []string{secrets}
	paths, _ := filepath.Glob("../testdata/corpus/*.log")
	for _, p := range paths {
		data, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		if utf8.Valid(data) {
			texts = append(texts, string(data))
		}
	}
	for i, text := range texts {
		out, r := redacted(t, text, redact.Options{})
		if got := restored(t, r, out); got != text {
			a, b := strings.Split(text, "\n"), strings.Split(got, "\n")
			for k := range a {
				if a[k] != b[k] {
					t.Errorf("text %d: %q came back as %q", i, a[k], b[k])
				}
			}
		}
	}
}

// TestAddressesOfDigitsComeBack: also those that decimal digits make where they are moved to. A
// count stays one, unless it stands where only an address does.
func TestAddressesOfDigitsComeBack(t *testing.T) {
	const text = "    DirBase: 21f4a5000  ObjectTable: ffffc00012345678  HandleCount: 1234.\n    DirBase: 0000000021f4a500  \"3fffa801\" 3f801f801\n"
	digits := 0
	for i := range 64 {
		out, r := redacted(t, text, redact.Options{Key: fmt.Sprint(i)})
		if got := restored(t, r, out); got != text {
			t.Errorf("%q came back as %q", out, got)
		}
		base := strings.Fields(out)[1]
		if strings.Trim(base, "0123456789") != "" {
			continue
		}
		digits++
		with := text + "0: kd> !locks\nResource @ 0xfffffa8011efede8    Exclusively owned\n    Contention Count = " + base + "\n"
		out, r = redacted(t, with, redact.Options{Key: fmt.Sprint(i)})
		if !strings.HasSuffix(out, " "+base+"\n") || !strings.HasSuffix(restored(t, r, out), " "+base+"\n") {
			t.Errorf("the count %s became %q", base, out)
		}
	}
	if digits < 2 {
		t.Errorf("only %d of digits alone", digits)
	}
}

// TestStringsOfJSONComeBack: behind and before escapes, and as they are written. What is no
// string stays.
func TestStringsOfJSONComeBack(t *testing.T) {
	const text = "0: kd> x\nthe <acme> of & C:\\nacme\\tacme\\ is ffffe0001a2b3080\n21f4a5000 4455667\n"
	out, r := redacted(t, text, redact.Options{Key: "k"})
	names := map[string]string{}
	for i, w := range strings.Fields(text) {
		names[w] = strings.Fields(out)[i]
	}
	acme, addr, base, number := strings.Trim(names["<acme>"], "<>"), names["ffffe0001a2b3080"], names["21f4a5000"], names["4455667"]
	nacme := strings.Split(names["C:\\nacme\\tacme\\"], "\\")[1]
	for answer, want := range map[string]string{
		`{"a": "\u003c` + acme + `\u003e\n` + acme + `\t` + addr + `\n"}`: `{"a": "\u003cacme\u003e\nacme\tffffe0001a2b3080\n"}`,
		`  "b\u0026` + acme + `": "\"` + base + `\" C:\\` + nacme + `",`:  `  "b\u0026acme": "\"21f4a5000\" C:\\nacme",`,
		`  "c": ` + number + `, "` + number + `": [true, null, -1.5e3]`:   `  "c": ` + number + `, "4455667": [true, null, -1.5e3]`,
		`"` + nacme + `" C:\` + nacme + ` "\u00e9\ud83d\ude00\q`:          `"nacme" C:\nacme "\u00e9\ud83d\ude00\q`,
		`"\ud83d\ude00 ` + acme + `"`:                                     `"\ud83d\ude00 acme"`,
		`"` + acme:                                                        `"acme`,
	} {
		if got := restored(t, r, answer); got != want {
			t.Errorf("%s came back as\n%s, not\n%s", answer, got, want)
		}
	}
}

// TestFunctionsAreNoWords: what stays of the name of a function and what is replaced of it make no
// word that debuggers print.
func TestFunctionsAreNoWords(t *testing.T) {
	for i := range 100 {
		_, r := redacted(t, "fffff880`01122334 acme!locka+0x10\n", redact.Options{Key: fmt.Sprint(i)})
		if w, ok := r.Table().Words["locks"]; ok {
			t.Errorf("key %d: %s became locks", i, w)
		}
	}
}

// TestNamesThatLookLikeNumbers are replaced where their position says that they are names, and by
// the same pseudonym wherever no line that is understood has them as a number.
func TestNamesThatLookLikeNumbers(t *testing.T) {
	const text = "Machine Name: \"FACE0123\"\nUSERNAME=beda1291\nCOMPUTERNAME=FACE0123\nsrv*https://srv/symbols?key=abcd1234\nuser beda1291 on face0123 at C:\\Users\\beda1291 and \\\\FACE0123\\share\nMachine Name: cafe01\n"
	out, r := redacted(t, text, redact.Options{})
	for _, s := range []string{"face0123", "beda1291", "abcd1234", "cafe01"} {
		if strings.Contains(strings.ToLower(out), s) {
			t.Errorf("%s survives in %s", s, out)
		}
	}
	lines := strings.Split(out, "\n")
	name, user := strings.Split(lines[0], "\"")[1], lines[1][len("USERNAME="):]
	if lines[2] != "COMPUTERNAME="+name || strings.Count(lines[4], user) != 2 || !strings.Contains(lines[4], " "+strings.ToLower(name)+" ") || !strings.Contains(lines[4], "\\"+name+"\\") {
		t.Error(out)
	}
	if got := restored(t, r, out); got != text {
		t.Errorf("came back as %s", got)
	}
}

// TestNumbersThatNamesLookLike: what is a number in a line that is understood stays one, and an
// address moves as one.
func TestNumbersThatNamesLookLike(t *testing.T) {
	for _, near := range []string{"Name: face0123", "key=abcd1234", "a?b=abcd1234", "Machine: face0123", "the username beda1291", "File Name: face0123"} {
		const head = "THREAD ffffe0001a2b3080  Cid face0123.abcd1234  Teb: 00000000beda1291 Win32Thread: 0000000000000000 RUNNING on processor 0\n"
		if out, _ := redacted(t, head+near+"\n", redact.Options{}); !strings.HasSuffix(out, near[strings.LastIndexAny(near, " =")+1:]+"\n") {
			t.Errorf("%q became %q", near, out)
		}
	}
	const text = "Machine Name: face0123\nUSERNAME=89abc020\nTHREAD 89abc020  Cid face.0bad  Teb: 00000000 Win32Thread: 00000000 RUNNING on processor 0\nC:\\face 89abc020\n"
	out, r := redacted(t, text, redact.Options{})
	lines := strings.Split(out, "\n")
	moved := strings.Fields(lines[2])[1]
	if strings.Contains(lines[0], "face") || strings.Contains(lines[1], moved) || !strings.HasSuffix(moved, "020") || !strings.Contains(lines[2], " face.0bad ") || !strings.HasSuffix(lines[3], " "+moved) {
		t.Error(out)
	}
	if got := restored(t, r, out); got != text {
		t.Errorf("came back as %s", got)
	}
}

// TestNumbersInGroups of which something says that they are telephones, cards or accounts.
func TestNumbersInGroups(t *testing.T) {
	for _, number := range []string{
		"+41 44 123 45 67", "+1 425 555 0199", "+1-425-555-0199", "+1 (425) 555-0199", "+41 44 1234567", "tel:+49 30 123456", "0041 44 123 45 67", "0044 20 7946 0958", "001 425 555 0199",
		"(425) 555-0199", "(425) 555 0199", "(044) 123 45 67", "4111 1111 1111 1111", "5500-0000-0000-0004", "CH93 0076 2011 6238 5295 7", "GB82 WEST 1234 5698 7654 32", "BE71 0961 2345 6769", "BE71096123456769",
	} {
		for _, text := range []string{number + "\n", "0: kd> $ x\ncall or pay " + number + ", please\n"} {
			out, r := redacted(t, text, redact.Options{})
			digits := strings.FieldsFunc(number, func(c rune) bool { return c < '0' || c > '9' })
			for _, d := range digits {
				if len(d) > 2 && strings.Contains(out, d) {
					t.Errorf("%q became %q", text, out)
				}
			}
			if got := restored(t, r, out); len(out) != len(text) || got != text {
				t.Errorf("%q became %q and came back as %q", text, out, got)
			}
		}
	}
}

// TestNumbersInColumns are not taken for telephones, cards or accounts.
func TestNumbersInColumns(t *testing.T) {
	const head = "kd> !thread 89abc020\nTHREAD 89abc020  Cid 0004.0008  Teb: 00000000 Win32Thread: 00000000 RUNNING on processor 0\n"
	for _, line := range []string{
		"1000  0041 0044 0123 0045 0067 0199", "1000  4111 1111 1111 1111 0000 0000 0000 0000", "4111 1111 1111 1112", "4111 1111 1111 1111 0000", "0000 1234 567 8901",
		"0012 0034 0056 0078", "00 11 22 33 44 55 66", "  12 345 678 90 1234", "4 41 44 123 45 67", "nt!KiSwapContext+41 44 123 45 67", "+0x010 44 123 45 67", "(UTC + 1:00)", "(UTC +1:00)",
		"Available Pages: 1234 ( 4936 Kb)", "ResAvail Pages:  425 (  555 Kb)", "(425) 55", "(0006,0220) 1234", "Committed pages 4111 1111 1111 ( 1111 Kb)", "r0=0041 r1=0044 r2=0123",
		"eax=00000041 ebx=00000044 ecx=00000123", "BE71 0961 2345 6768", "ab 12 0961 2345 6769", "00000041 00000044 00000123 00000045", "00000000`00000041 00000000`00000044", "5 1234 123 4567 1234 (12) 345 678",
	} {
		out, _ := redacted(t, head+line+"\n", redact.Options{})
		if got := strings.Split(out, "\n")[2]; got != line {
			t.Errorf("%q became %q", line, got)
		}
	}
}

// TestSeveralInputs: one mapping for all.
func TestSeveralInputs(t *testing.T) {
	a, b := transcript.Bytes("a", []byte("THREAD ffffe0001a2b3080 zebraflt\n")), transcript.Bytes("b", []byte("zebraflt 0xffffe0001a2b3083 otherdrv\n"))
	r := redact.New(redact.Options{})
	if err := r.Learn(context.Background(), []transcript.Input{a, b}); err != nil {
		t.Fatal(err)
	}
	var one, two strings.Builder
	if err := errors.Join(r.Write(context.Background(), &one, a), r.Write(context.Background(), &two, b)); err != nil {
		t.Fatal(err)
	}
	x, y := strings.Fields(one.String()), strings.Fields(two.String())
	if x[2] != y[0] || x[1][:15] != y[1][2:17] || strings.Contains(y[2], "other") {
		t.Errorf("%q and %q", one.String(), two.String())
	}
	if r.Learn(context.Background(), nil) == nil {
		t.Error("it learns twice")
	}
}

// FuzzRedact: nothing panics, lines and their lengths stay, what is equal stays
// equal, and the way back leads back.
func FuzzRedact(f *testing.F) {
	f.Add([]byte(secrets))
	paths, _ := filepath.Glob("../testdata/corpus/*.log")
	for _, p := range paths {
		if data, err := os.ReadFile(p); err == nil {
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		in := transcript.Bytes("in", data)
		r := redact.New(redact.Options{Key: "k"})
		if err := r.Learn(context.Background(), []transcript.Input{in}); err != nil {
			return
		}
		var out bytes.Buffer
		if err := r.Write(context.Background(), &out, in); err != nil {
			t.Fatal(err)
		}
		if !utf8.Valid(data) || bytes.IndexByte(data, 0) >= 0 || bytes.HasPrefix(data, []byte("\ufeff")) || bytes.IndexByte(data, '\n') < 0 {
			return // it is decoded on the way
		}
		a, b := bytes.Split(data, []byte("\n")), bytes.Split(out.Bytes(), []byte("\n"))
		if len(a) != len(b) {
			t.Fatalf("%d lines became %d", len(a), len(b))
		}
		seen := map[string]string{}
		for i := range a {
			if len(a[i]) != len(b[i]) {
				t.Fatalf("%q became %q", a[i], b[i])
			}
			text := string(a[i])
			if old, ok := seen[text]; ok && old != string(b[i]) && !bytes.Contains(data, []byte("\n\n")) && r.Text(text) == old {
				t.Logf("%q became %q and %q", text, old, b[i]) // put together with its neighbours in one place
			}
			seen[text] = string(b[i])
		}
		restored(t, r, out.String())
	})
}

// TestNarrowLogs: addresses of 32 bits are replaced wherever something tells that they
// are some, and left alone in a log of 64 bits.
func TestNarrowLogs(t *testing.T) {
	for _, text := range []string{
		"ChildEBP RetAddr\n8b487190 8a615901 nt!KeWaitForSingleObject+0x492\n",
		"Resource @ nt!PiEngineLock (0x8a615900)    Exclusively owned\n",
		"kd> !thread 8a615901\n",
		"Implicit thread is now 8a615901\n",
		"8a615000 8a616000   acmeflt\n",
		" Thread = 8a615901, Count = 01\n",
		"THREAD 8a615901  Cid 0004.0008\n",
	} {
		if out, _ := redacted(t, text, redact.Options{}); strings.Contains(out, "8a615") {
			t.Errorf("%q became %q", text, out)
		}
	}
	for _, text := range []string{"Timestamp: 8a615901\n", "CheckSum:  8a615901\n", "fffff800`0e2f1234 : 8a615901\n", "failed with 8a615901 8a615901\n"} {
		if out, _ := redacted(t, text, redact.Options{}); !strings.Contains(out, "8a615901") {
			t.Errorf("%q became %q", text, out)
		}
	}
}

// TestCommandsStay: what was asked decides how an answer is read.
func TestCommandsStay(t *testing.T) {
	for _, c := range []string{"knL", "kvnf", "kPn", "lmDvm", "lmvm", "lm", "dqs", ".thread /r /p", "!process 0 17", "dt nt!_ERESOURCE", "!locks -v", "!mex.eresource", ".logopen", "g", "x nt!*"} {
		line := "3: kd> " + c
		if out, _ := redacted(t, line+"\n", redact.Options{}); out != line+"\n" {
			t.Errorf("%q became %q", line, out)
		}
	}
}

var hostileParts = []string{"a.", "43 ", "0:", "Aa", "1-", "S-1-5-21-1", "`", "\\", "a", "1.", "::", "ffff8000`", "0x", "!", "_", "é", "'", "acme ", "nt!a::"}

const hostileSize = 3 << 20 // bytes

// hostileLine repeats a part for so many bytes.
func hostileLine(part string, size int) string {
	return "jdoe " + strings.Repeat(part, size/len(part)) + " contoso\nkd> !locks\n"
}

// TestHostileLines: what is long, or begins like something again and again, hides
// nothing, and what takes long does not take more than linearly longer than a quarter of
// it, each time: a machine may be busy with other work once.
func TestHostileLines(t *testing.T) {
	for _, part := range hostileParts {
		took := func(size int) time.Duration {
			begin := time.Now()
			redacted(t, hostileLine(part, size), redact.Options{})
			return time.Since(begin)
		}
		text := hostileLine(part, hostileSize)
		begin := time.Now()
		out, _ := redacted(t, text, redact.Options{})
		if strings.Contains(out, "jdoe") || strings.Contains(out, "contoso") || len(out) != len(text) || strings.Count(out, "\n") != 2 {
			t.Errorf("%q: %d bytes became %d: %.40q ... %q", part, len(text), len(out), out, out[len(out)-30:])
		}
		whole := time.Since(begin)
		for again := 4; whole >= 2*time.Second; again-- {
			quarter := took(hostileSize / 4)
			if whole <= 10*quarter {
				break
			}
			if again == 0 {
				t.Errorf("%q: %v, a quarter of it %v", part, whole, quarter)
				break
			}
			whole = took(hostileSize)
		}
	}
}

// TestManyLongLines are not all kept.
func TestManyLongLines(t *testing.T) {
	line := strings.Repeat("fffff800`0e2f1234 jdoe ", 20_000) + "\n"
	text := strings.Repeat(line, 40)
	out, _ := redacted(t, text, redact.Options{})
	lines := strings.SplitAfter(out, "\n")
	if len(lines) != 41 || len(out) != len(text) || strings.Contains(out, "jdoe") {
		t.Fatalf("%d lines, %d bytes of %d", len(lines), len(out), len(text))
	}
	for _, l := range lines[1:40] {
		if l != lines[0] {
			t.Fatal("one line became two")
		}
	}
}

// BenchmarkHostileLines shows what such lines cost.
func BenchmarkHostileLines(b *testing.B) {
	for _, part := range hostileParts {
		text := hostileLine(part, hostileSize)
		b.Run(part, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				redacted(b, text, redact.Options{})
			}
		})
	}
}

// TestRemarks: what somebody typed for people is prose, whoever reads its line.
func TestRemarks(t *testing.T) {
	const text = "0: kd> * Hildegard, ticket 40012345, 5550199\n0: kd> .echo Kunde 4711234567\n0: kd> $$ order 99887766\n0: kd> !locks\n**** DUMP OF ALL RESOURCE OBJECTS ****\n0 total locks\n"
	out, _ := redacted(t, text, redact.Options{})
	for _, said := range []string{"Hildegard", "40012345", "5550199", "4711234567", "99887766"} {
		if strings.Contains(out, said) {
			t.Errorf("%s stays: %q", said, out)
		}
	}
}

// TestNamesOfHexLetters: where lists, frames, headers and hosts have names, what looks
// like a number is one; elsewhere it stays.
func TestNamesOfHexLetters(t *testing.T) {
	const known = "0: kd> !locks\nResource @ 0xfffffa8011ef1de8    Exclusively owned\n     Threads: fffffa8016910b60-01<*>\n1 total locks, 1 locks currently held\n"
	for _, line := range []string{
		"Symbol search path is: SRV*C:\\sym*https://symbols.adac.de/sym",
		"Machine Name: \"pc17.adac.de\"",
		"Deferred                                       srv*https://adac.de/sym",
		"fffff880`03a2b7c0 fffff800`02583f90 adac+0x1234",
		"Resource @ adac+0x8c00 (0xffff8c66c37b8c00)    Exclusively owned",
		"Owning Process            fffffa800cd6a5f0       Image:         adac",
		"PROCESS_NAME:  adac",
		"SYMBOL_NAME:  adac+1234",
		"fffff805`5d500000 fffff805`5d50d000   adac     (deferred)             ",
		"fffff805`5d500000 fffff805`5d50d000   adac   T (no symbols)           ",
		"                            [fffffa800cd6a5f0 adac]",
		"0: kd> lmvm adac",
		"0: kd> !drvobj adac",
		"0: kd> !lmi adac",
		"Loaded Module Info: [adac] ",
		"         Module: adac",
		"0: kd> x adac!*Lock*",
		"DEFAULT_BUCKET_ID:  adac",
		"fffff880`03a2b7c0 fffff800`02583f90 nt!KiSwapThread+0x12 [C:/src/adac/x.c @ 123]",
		"0: kd> .logopen C:/Users/adac/x.log",
		"Symbol search path is: file:///C:/Users/adac/sym",
		"Machine Name: \"adac01.example.com\"",
		"fffff805`5d500000 fffff805`5d50d000   adac01   (pdb symbols)          c:\\sym\\adac01.pdb\\AAAA\\adac01.pdb",
		"fffff805`5d500000 fffff805`5d50d000   adac0123   (deferred)           ",
	} {
		if out, _ := redacted(t, known+line+"\n", redact.Options{}); strings.Contains(out, "adac") {
			t.Errorf("%q keeps its name: %q", line, out[len(known):])
		}
	}
	for _, line := range []string{
		"THREAD fffffa8016930b60  Cid 0004.fade  Teb: 0000000000000000",
		"80521234  deadbeef facade01 feedface",
		"fffffa8016930b60+0x10",
	} {
		text := known + line + "\n"
		if out, _ := redacted(t, text, redact.Options{}); !strings.Contains(out, line[strings.LastIndexAny(line, "0123456789[ .")+1:]) {
			t.Errorf("%q became %q", line, out[len(known):])
		}
	}
}
