package modules_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kdlocks/kd"
	"kdlocks/modules"
)

// one is a module in a few words, with what is known of it.
func one(m *modules.Module) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %x-%x", m.Label(), uint64(m.Base), uint64(m.End))
	for _, f := range []struct{ name, value string }{
		{"image", m.Image}, {"path", m.Path}, {"status", m.SymbolStatus}, {"marks", m.SymbolMarks}, {"pdb", m.SymbolFile}, {"time", m.Timestamp},
		{"file", m.FileVersion.String()}, {"product", m.ProductVersion.String()}, {"text", m.FileVersionText}, {"company", m.CompanyName},
	} {
		if f.value != "" {
			fmt.Fprintf(&b, " %s=%s", f.name, f.value)
		}
	}
	if m.TimeWord.Known() {
		fmt.Fprintf(&b, " word=%x", m.TimeWord.N)
	}
	if m.CheckSum.Known() {
		fmt.Fprintf(&b, " sum=%x", m.CheckSum.N)
	}
	if m.ImageSize.Known() {
		fmt.Fprintf(&b, " size=%x", m.ImageSize.N)
	}
	if m.Repro {
		b.WriteString(" repro")
	}
	return b.String()
}

func TestRead(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		want       []string
	}{
		{"lm, x86", `
start    end        module name
fad73000 fad7fd80   sysaudio     (deferred)
fbe08000 fbe0ba80   serenum      e:\mysymbols\SereEnum.pdb\.......
fc04f000 fc050000   swenum     C (pdb symbols)              swenum.pdb
`, []string{
			`sysaudio fad73000-fad7fd80 status=deferred`,
			`serenum fbe08000-fbe0ba80 pdb=e:\mysymbols\SereEnum.pdb\.......`,
			`swenum fc04f000-fc050000 status=pdb symbols marks=C pdb=swenum.pdb`,
		}},
		{"details and rows run together", `
start             end                 module name
00007ff6` + "`3f030000 00007ff6`" + `3f071000   notepad    (deferred)
    Image path: C:\w\notepad.exe File version: 1.0
    Image name: notepad.exe Browse all global symbols  functions  data
    Timestamp:        A0C4CEAB CheckSum:         0004AC7B
    ImageSize:        00041000 File version:     10.0.16299.15
    CompanyName:      Microsoft Corporation ProductName:      Microsoft Windows Operating System
fffff802` + "`6b440000 fffff802`6b4a6000 portcls (deferred) fffffe9d`dac40000 fffffe9d`" + `dacda000 win32k (deferred)
Unloaded modules:
fffff802` + "`64010000 fffff802`6401f000 dump_a.sys fffff802`64050000 fffff802`" + `6407e000 dump_b.sys
fffff802` + "`4e000000 fffff802`" + `4e011000 WdBoot.sys
`, []string{
			`notepad 7ff63f030000-7ff63f071000 image=notepad.exe path=C:\w\notepad.exe status=deferred time=A0C4CEAB company=Microsoft Corporation size=41000`,
			`portcls fffff8026b440000-fffff8026b4a6000 status=deferred`,
			`<Unloaded_WdBoot.sys> fffff8024e000000-fffff8024e011000 image=WdBoot.sys`,
		}},
		{"of debuggers for Windows NT 4", `
start    end        module name
77f70000 77fb8000   ntdll     (C:\debug\ntdll.dll, \\ntstress\symbols\dll\ntdll.DBG)
80010000 80012320   Aha154x   (load from Aha154x.sys deferred)

80100000 801b7b40   NT        (ntoskrnl.exe, \\ntstress\symbols\exe\ntoskrnl.DBG)
80200000 80201000   odd       (one, two)
`, []string{
			`ntdll 77f70000-77fb8000 image=ntdll.dll path=C:\debug\ntdll.dll pdb=\\ntstress\symbols\dll\ntdll.DBG`,
			`Aha154x 80010000-80012320 image=Aha154x.sys status=deferred`,
			`NT 80100000-801b7b40 image=ntoskrnl.exe pdb=\\ntstress\symbols\exe\ntoskrnl.DBG`,
		}},
		{"of debuggers of 2001, blanks collapsed, without heads", `
bf9b8000 bfa0dc00 VDriver (no symbolic information)
Loaded symbol image file: VDriver.dll
Image path: \SystemRoot\System32\VDriver.dll
Checksum: 00058BD5 Timestamp: Fri Sep 28 10:12:47 2001 (3BB4855F)
File version: 5.20.10.1066
`, []string{
			`VDriver bf9b8000-bfa0dc00 image=VDriver.dll path=\SystemRoot\System32\VDriver.dll status=no symbolic information time=Fri Sep 28 10:12:47 2001 file=5.20.10.1066 word=3bb4855f sum=58bd5`,
		}},
		{"a status that a narrow window broke", "start             end                 module name\n" +
			"fffff82f`1a3c0000 fffff82f`1a448000   AcxHdAudio   (private pdb\n" +
			"symbols)  C:\\sym\\AcxHdAudio.pdb\n" +
			"fffff82f`1a448000 fffff82f`1a450000   odd   (private\n" +
			"notes of mine)\n", []string{
			`AcxHdAudio fffff82f1a3c0000-fffff82f1a448000 status=private pdb symbols pdb=C:\sym\AcxHdAudio.pdb`,
			`odd fffff82f1a448000-fffff82f1a450000`,
		}},
		{"statuses and marks, x64, without heads", "\n" +
			"fffff800`5b200000 fffff800`5c246000   nt       # (private pdb symbols)  C:\\sym\\nt.pdb\n" +
			"fffff801`094d9000 fffff801`09561000   CI         (export symbols)       CI.dll\n" +
			"fffff880033bc000 fffff880033cb000 man T (no symbols)\n" +
			"fffff805`5d500000 fffff805`5d50d000   feedbac1   (pdb symbols)          c:\\sym\\feedbac1.pdb\n" +
			"fffff805`5d600000 fffff805`5d60d000   fffff805`5d700000 (a cast)\n" +
			"fffff801`00000000 fffff801`00010000 {F7D1C0DE-0000-4000-8000-00000000000A} M (deferred)\n",
			[]string{
				`nt fffff8005b200000-fffff8005c246000 status=private pdb symbols marks=# pdb=C:\sym\nt.pdb`,
				`CI fffff801094d9000-fffff80109561000 status=export symbols pdb=CI.dll`,
				`man fffff880033bc000-fffff880033cb000 status=no symbols marks=T`,
				`feedbac1 fffff8055d500000-fffff8055d50d000 status=pdb symbols pdb=c:\sym\feedbac1.pdb`,
				`{F7D1C0DE-0000-4000-8000-00000000000A} fffff80100000000-fffff80100010000 status=deferred marks=M`,
			}},
		{"lm t n and unloaded ones", `
start    end        module name
804d7000 806cd280   nt       ntkrpamp.exe Wed Aug 04 01:59:54 2004 (41107F1A)
bf800000 bf9c0500   win32k   win32k.sys   unavailable (00000000)
f0000000 f0001000   new      new.sys      08294233 (This is a reproducible build file hash, not a timestamp)

Unloaded modules:
f79a8000 f79ac000   Sfloppy.SYS
    Timestamp: unavailable (00000000)
    Checksum:  00000000
    ImageSize:  00004000
f7a60000 f7a63000   IntelAvbFilt
f7b00000 f7b01000   old.sys      Thu Apr 22 12:00:00 1999 (371F7A40)
`, []string{
			`nt 804d7000-806cd280 image=ntkrpamp.exe time=Wed Aug 04 01:59:54 2004 word=41107f1a`,
			`win32k bf800000-bf9c0500 image=win32k.sys time=unavailable`,
			`new f0000000-f0001000 image=new.sys time=08294233 word=8294233 repro`,
			`<Unloaded_Sfloppy.SYS> f79a8000-f79ac000 image=Sfloppy.SYS time=unavailable sum=0 size=4000`,
			`<Unloaded_IntelAvbFilt> f7a60000-f7a63000 image=IntelAvbFilt`,
			`<Unloaded_old.sys> f7b00000-f7b01000 image=old.sys time=Thu Apr 22 12:00:00 1999 word=371f7a40`,
		}},
		{"lm f", `
start    end        module name
804d7000 806cd280   nt       ntkrnlpa.exe
01000000 0100d000   notepad  C:\Program Files\Note Pad\notepad.exe
b0acc000 b0ad0000   alone
`, []string{
			`nt 804d7000-806cd280 image=ntkrnlpa.exe`,
			`notepad 1000000-100d000 image=notepad.exe path=C:\Program Files\Note Pad\notepad.exe`,
			`alone b0acc000-b0ad0000`,
		}},
		{"lmv: the fixed version wins, whichever comes first", `
start    end        module name
804d8000 806d0480   nt         (pdb symbols)          d:\sym\ntkrnlpa.pdb
    Loaded symbol image file: ntkrnlpa.exe
    Mapped memory image file: c:\sym\ntkrnlpa.exe\480251~1\ntkrnlpa.exe
    Image path: ntkrnlpa.exe
    Image name: ntkrnlpa.exe
    Has CLR image header, track-debug-data flag: YES
    Timestamp:        Mon Apr 14 02:31:06 2008 (4802516A)
    CheckSum:         002050D3
    ImageSize:        001F8480
    File version:     5.1.2600.5512
    Product version:  5.1.2600.5512
    File flags:       0 (Mask 3F)
    CompanyName:      Microsoft Corporation
    ProductVersion:   5.1
    FileVersion:      5.1.2600.0 (xpsp.080413-2111)
f0000000 f0001000   text       (deferred)
    Image path: \??\C:\Users\FLARE ON\text.sys
    Timestamp:        unavailable (FFFFFFFE)
    CheckSum:         missing
    FileVersion:      1, 2, 3, 4
    File version:     none
`, []string{
			`nt 804d8000-806d0480 image=ntkrnlpa.exe path=ntkrnlpa.exe status=pdb symbols pdb=d:\sym\ntkrnlpa.pdb time=Mon Apr 14 02:31:06 2008 file=5.1.2600.5512 product=5.1.2600.5512 text=5.1.2600.0 (xpsp.080413-2111) company=Microsoft Corporation word=4802516a sum=2050d3 size=1f8480`,
			`text f0000000-f0001000 path=\??\C:\Users\FLARE ON\text.sys status=deferred time=unavailable file=1.2.3.4 text=1, 2, 3, 4`,
		}},
		{"!lmi", `
Loaded Module Info: [nt] 
         Module: ntkrnlmp
   Base Address: fffff8054c000000
     Image Name: ntkrnlmp.exe
   Machine Type: 34404 (X64)
     Time Stamp: 1c62bee3 (This is a reproducible build file hash, not a true timestamp)
           Size: 1046000
       CheckSum: a638ca
Characteristics: 22  
Debug Data Dirs: Type  Size     VA  Pointer
             CODEVIEW    25, 41100,   40900 RSDS - GUID: {F57E740B-088E-5056-E8AF-0772F1CC5BEB}
               Age: 1, Pdb: ntkrnlmp.pdb
                REPRO    24, 4271c,   41f1c Reproducible build
     Image Type: MEMORY   - Image read successfully from loaded memory.
    Symbol Type: PDB      - Symbols loaded successfully from symbol server.
                 d:\symbols\ntkrnlmp.pdb\F57E740B088E5056E8AF0772F1CC5BEB1\ntkrnlmp.pdb
Loaded Module Info: [f50b8058]
Module: {XXXXXXXX-XXXX-XXXX-XXXX-XXXXXXXXXXXX}
Base Address: f50b3000
Image Name: {XXXXXXXX-XXXX-XXXX-XXXX-XXXXXXXXXXXX}.sys
Loaded Module Info: [gone]
gone not found
`, []string{
			`nt fffff8054c000000-fffff8054d046000 image=ntkrnlmp.exe status=pdb symbols time=1c62bee3 word=1c62bee3 sum=a638ca size=1046000 repro`,
			`{XXXXXXXX-XXXX-XXXX-XXXX-XXXXXXXXXXXX} f50b3000-0 image={XXXXXXXX-XXXX-XXXX-XXXX-XXXXXXXXXXXX}.sys`,
		}},
		{"details without their row", `
Image path: \SystemRoot\System32\drivers\a.sys
Image name: a.sys
Timestamp: Tue Sep 14 07:52:22 2021 (613FE436)
`, []string{`a.sys 0-0 image=a.sys path=\SystemRoot\System32\drivers\a.sys time=Tue Sep 14 07:52:22 2021 word=613fe436`}},
		{"versions that a narrow window broke, or the end of the input cut", `
start end module name
f0000000 f0001000 a (deferred)
    File version:     10.0.14
393.0
    Product version:  6.1.7601.17
514
    FileVersion:      9.9.1
f0001000 f0002000 b (deferred)
    File version:     10.0.143
    Product version:  10.0.14393.
0
    FileVersion:      6.1.76
    01.17514 (win7sp1_rtm.101119-1850)
f0002000 f0003000 c (deferred)
    File version:     6.1.7601.17514
.3
f0003000 f0004000 d (deferred)
    FileVersion:      1.76
f0004000 f0005000 e (deferred)
    FileVersion:      1.76 (acme)
12.5
f0005000 f0006000 f (deferred)
    File version:     6.1.7601.17514
`, []string{
			`a f0000000-f0001000 status=deferred file=10.0.14393.0 product=6.1.7601.17514 text=9.9.1`,
			`b f0001000-f0002000 status=deferred file=6.1.7601.17514 product=10.0.14393.0 text=6.1.7601.17514 (win7sp1_rtm.101119-1850)`,
			`c f0002000-f0003000 status=deferred`,
			`d f0003000-f0004000 status=deferred file=1.76 text=1.76`,
			`e f0004000-f0005000 status=deferred file=1.76 text=1.76 (acme)`,
			`f f0005000-f0006000 status=deferred file=6.1.7601.17514`,
		}},
		{"rows that a narrow window broke", "\nstart end module name\n" +
			"fffff804`5c000000 fffff804`5d046000   nt         (pdb symbols)          C:\\ProgramDat\n" +
			"a\\sym\\ntkrnlmp.pdb\\81BC5C371\\ntkrnlmp.pdb\n" +
			"fffff804`5f000000 fffff804`5f046000   drv\n(deferred)\n", []string{
			`nt fffff8045c000000-fffff8045d046000 status=pdb symbols pdb=C:\ProgramData\sym\ntkrnlmp.pdb\81BC5C371\ntkrnlmp.pdb`,
			`drv fffff8045f000000-fffff8045f046000 status=deferred`,
		}},
	} {
		l := modules.Read(kd.Lines(strings.TrimPrefix(tc.text, "\n")))
		var got []string
		for _, m := range l.Modules {
			got = append(got, one(m))
		}
		if g, w := strings.Join(got, "\n"), strings.Join(tc.want, "\n"); g != w {
			t.Errorf("%s: got\n%s\nwant\n%s", tc.name, g, w)
		}
	}
}

// TestEveryLineIsTold: what belongs to the commands is taken, and nothing else.
func TestEveryLineIsTold(t *testing.T) {
	text := `Browse full module list
start             end                 module name
fffff82f` + "`1a3c0000 fffff82f`" + `1a448000   AcxHdAudio   (private pdb symbols)  C:\sym\AcxHdAudio.pdb
    Browse all global symbols  functions  data  Symbol Reload
    Image was built with /Brepro flag.
    Information from resource tables:
    LegalCopyright:   (c) somebody

Unable to enumerate user-mode unloaded modules, Win32 error 0n30
`
	var r modules.Reader
	for _, l := range kd.Lines(text) {
		if l.Text != "" && !r.Line(l) {
			t.Errorf("not taken: %q", l.Text)
		}
	}
	for _, line := range []string{
		"fffff880`07fab3e0 fffff800`0228da52 nt!KiSwapContext+0x7a",
		"fffff880`07fab3e0 fffff880`0928da52 nt!KiSwapContext+0x7a (TrapFrame @ fffff880`07fabc20)",
		"f50b8058 e0894d1f nt!ExAllocatePool",
		"fffff880`07fab3e0 fffff880`0928da52 drv+0x1234",
		"f50b8058 f5894d1f e0828e04 e089b708 e084011b .M..............",
		"8b487190 8b615901 850a5f88 00000000 00000000 nt!KeWaitForSingleObject+0x492 (FPO: [Non-Fpo])",
		"Unable to enumerate user-mode unloaded modules, Win32 error 0n30",
		"Timestamp: Tue Sep 14 07:52:22 2021 (613FE436)",
		"start of the hang",
		"Image: System",
		"Unloaded modules are listed below",
		"fffff880`07fab3e0 fffff880`0928da52 came before (see above)",
	} {
		for _, before := range []string{"", "start end module name"} {
			if before != "" && (strings.HasPrefix(line, "Unable") || strings.HasPrefix(line, "Timestamp")) {
				continue
			}
			var r modules.Reader
			if before != "" {
				r.Line(kd.Line{Text: before, Num: 1})
			}
			if r.Line(kd.Line{Text: line, Num: 2}) {
				t.Errorf("taken behind %q: %q", before, line)
			}
		}
	}
}

func TestParseCommand(t *testing.T) {
	for _, tc := range []struct {
		command string
		user    bool
		want    modules.Request
		ok      bool
	}{
		{"lm", false, modules.Request{Kernel: true, User: true}, true},
		{"lm", true, modules.Request{User: true}, true},
		{"lm k", false, modules.Request{Kernel: true}, true},
		{"lm kv", false, modules.Request{Kernel: true}, true},
		{"lmu", false, modules.Request{User: true}, true},
		{"lmvm sis", false, modules.Request{Kernel: true, User: true, Pattern: "sis"}, true},
		{"lmDvmsis", false, modules.Request{Kernel: true, User: true, Pattern: "sis"}, true},
		{"lm v m sis*", false, modules.Request{Kernel: true, User: true, Pattern: "sis*"}, true},
		{"lm vm", false, modules.Request{Kernel: true, User: true}, true},
		{"lm m *", false, modules.Request{Kernel: true, User: true}, true},
		{"lm t n", false, modules.Request{Kernel: true, User: true}, true},
		{"lmnt", false, modules.Request{Kernel: true, User: true}, true},
		{"lm D sm", false, modules.Request{Kernel: true, User: true}, true},
		{"lmsmi", false, modules.Request{Kernel: true, User: true}, true},
		{"lm o", false, modules.Request{Kernel: true, User: true}, true},
		{"lm e", false, modules.Request{Kernel: true, User: true, Filtered: true}, true},
		{"lma fffff80002a00000", false, modules.Request{Kernel: true, User: true, Filtered: true}, true},
		{"lm1m", false, modules.Request{}, false},
		{"lmx", false, modules.Request{}, false},
		{"!lmi nt", false, modules.Request{}, false},
		{"ln", false, modules.Request{}, false},
		{"", false, modules.Request{}, false},
	} {
		got, ok := modules.ParseCommand(tc.command, tc.user)
		if tc.ok {
			tc.want.Command = tc.command
		}
		if ok != tc.ok || got != tc.want {
			t.Errorf("%q: %+v, %v", tc.command, got, ok)
		}
	}
	r, _ := modules.ParseCommand("lm m ?is*", false)
	for name, want := range map[string]bool{"sis": true, "SIS.SYS": true, "sisraid4": true, "is": false, "ntfs": false} {
		if r.Covers(name) != want {
			t.Errorf("%s covers %s: %v", r.Pattern, name, !want)
		}
	}
}

// TestWhole: a list is whole where its command is known and its beginning and
// end were seen, and only then.
func TestWhole(t *testing.T) {
	const head, nt = "start end module name", "80400000 80600000 nt (pdb symbols)"
	for _, tc := range []struct {
		name, command string
		lines         []string
		prompt        bool
		want          bool
	}{
		{"all of it", "lm", []string{head, nt}, true, true},
		{"ended by the unloaded ones", "lm", []string{head, nt, "", "Unloaded modules:"}, false, true},
		{"unknown command", "", []string{head, nt}, true, false},
		{"no end", "lm", []string{head, nt}, false, false},
		{"no beginning", "lm", []string{nt}, true, false},
		{"without the kernel", "lm", []string{head, "f0000000 f0010000 a (deferred)"}, true, false},
		{"something left out", "lm", []string{head, nt, "[...]"}, true, false},
		{"a line that was not understood", "lm", []string{head, nt, "f00x0000 f0010000 a (deferred)"}, true, false},
		{"nothing fits the pattern", "lm m sis", []string{head}, true, true},
		{"of a process", "lmu", []string{head, "00400000 00410000 a (deferred)"}, true, true},
	} {
		var r modules.Reader
		r.Prompt(false)
		if q, ok := modules.ParseCommand(tc.command, false); ok {
			r.Typed(q)
		}
		for i, text := range tc.lines {
			if l := (kd.Line{Text: text, Num: int32(i) + 1}); !r.Line(l) && text != "" {
				r.Lost(l)
			}
		}
		if tc.prompt {
			r.Prompt(false)
		}
		l := r.Done()
		if l == nil || len(l.Lists) != 1 || l.Lists[0].Whole != tc.want {
			t.Errorf("%s: %+v", tc.name, l)
		}
	}
}

func TestVersion(t *testing.T) {
	for text, want := range map[string]string{
		"6.1.7601.17514 (win7sp1_rtm.101119-1850)": "6.1.7601.17514",
		"1.76":                        "1.76",
		"5.0.2195.2096":               "5.0.2195.2096",
		"6, 1, 7600, 16385":           "6.1.7600.16385",
		"6,1,7600,16385":              "6.1.7600.16385",
		"V1.2":                        "1.2",
		"10.00.0014 built by: WinDDK": "10.0.14",
		"1.2.3.4-beta":                "1.2.3.4",
		"1.2, final":                  "1.2",
		"7":                           "",
		"":                            "",
		"1.2b3":                       "",
		"1.2.3.4.5":                   "",
		"1.x":                         "",
		"99999999999.1":               "",
		"version one":                 "",
		"(1.2)":                       "",
	} {
		v, ok := modules.ParseVersion(text)
		if v.String() != want || ok != (want != "") || ok != v.Known() {
			t.Errorf("%q: %q, %v", text, v, ok)
		}
	}
	v := func(s string) modules.Version { v, _ := modules.ParseVersion(s); return v }
	for _, tc := range []struct {
		a, b string
		want int
		ok   bool
	}{
		{"6.1.7601.17514", "6.1.7601.9", 1, true}, {"1.76", "1.76.0.0", 0, true}, {"1.9", "1.10", -1, true},
		{"", "1.0", 0, false}, {"1.0", "", 0, false}, {"", "", 0, false},
	} {
		if got, ok := v(tc.a).Compare(v(tc.b)); got != tc.want || ok != tc.ok {
			t.Errorf("%q and %q: %d, %v", tc.a, tc.b, got, ok)
		}
	}
	if modules.VersionOf(6, 1) != v("6.1") || modules.VersionOf(1, 2, 3, 4, 5).Known() || modules.VersionOf().Known() {
		t.Error("VersionOf")
	}
}

func TestIs(t *testing.T) {
	nt := &modules.Module{Name: "nt", Image: "ntkrpamp.exe"}
	for _, name := range []string{"nt", "NT", "ntoskrnl", "ntoskrnl.exe", "ntkrnlmp", "ntkrnlpa.exe", "ntkrpamp"} {
		if !nt.Is(name) {
			t.Errorf("nt is not %s", name)
		}
	}
	port := &modules.Module{Image: "dump-storport.SYS", Unloaded: true}
	for name, want := range map[string]bool{"dump_storport": true, "DUMP-STORPORT.sys": true, `c:\a\dump_storport.sys`: true, "storport": false, "": false, "nt": false} {
		if port.Is(name) != want {
			t.Errorf("Is(%q) = %v", name, !want)
		}
	}
}

func TestJoin(t *testing.T) {
	at := kd.Ref{Line: 1}
	v := modules.VersionOf
	number := func(n uint64) modules.Number { return modules.Number{N: n, At: at} }
	m := &modules.Module{Name: "a", Base: 0x1000, End: 0x2000, SymbolStatus: "deferred"}
	if s := m.Join(&modules.Module{Name: "a", Base: 0x1000, End: 0x2000, Image: "a.sys", SymbolStatus: "pdb symbols", TimeWord: number(5), FileVersion: v(1, 2)}); s != "" {
		t.Errorf("contradicts: %s", s)
	}
	if m.Image != "a.sys" || m.SymbolStatus != "pdb symbols" || m.TimeWord.N != 5 || m.FileVersion != v(1, 2) {
		t.Errorf("%+v", m)
	}
	for range 2 { // what was contradicted stays unknown
		m.Join(&modules.Module{Name: "a", Base: 0x1000, End: 0x3000, TimeWord: number(6), FileVersion: v(1, 3)})
		if m.End != 0 || m.TimeWord.Known() || m.FileVersion.Known() || m.Conflict != "range, timestamp, file version" {
			t.Errorf("%+v", m)
		}
	}
}

func FuzzRead(f *testing.F) {
	paths, _ := filepath.Glob("../testdata/cases/modules*.txtar")
	for _, p := range paths {
		text, err := os.ReadFile(p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Add("start end module name\n80400000 80600000 nt (pdb symbols) a.pdb\nUnloaded modules:\n80400000 80600000 a.sys\n Timestamp: unavailable (0)\n")
	f.Add("Loaded Module Info: [nt]\nModule: a\nBase Address: 1\nSize: ffffffff\nTime Stamp: 1 (This is a reproducible build\nSymbol Type:\n")
	f.Fuzz(func(t *testing.T, text string) {
		lines := kd.Lines(text)
		l := modules.Read(lines)
		for _, m := range l.Modules {
			if !m.At.Known() || int(m.At.Line) > len(lines) {
				t.Fatalf("no place: %+v", m)
			}
			if line := lines[m.At.Line-1]; m.Base != 0 {
				word := line.Text[m.At.Col-1-line.Off:][:m.At.Len]
				if a, ok := kd.ParseAddr(word); !ok || a != m.Base {
					t.Fatalf("%q is not %x", word, m.Base)
				}
			}
			if m.TimeWord.Known() && m.TimeWord.N == 0 || m.End != 0 && m.End < m.Base && m.ImageSize.N == 0 {
				t.Fatalf("%+v", m)
			}
			for _, s := range []string{m.Name, m.Image, m.Path, m.SymbolFile, m.FileVersionText, m.CompanyName} {
				if len(s) > 1024 {
					t.Fatalf("a text of %d bytes", len(s))
				}
			}
		}
	})
}
