package stacks_test

import (
	"fmt"
	"reflect"
	"testing"

	"kdlocks/kd"
	"kdlocks/stacks"
)

// show prints a frame as read.
func show(f stacks.Frame) string {
	s := fmt.Sprintf("%x %x", uint64(f.ChildSP), uint64(f.RetAddr))
	if f.Inline {
		s = "inline"
	}
	for _, a := range f.Args {
		s += fmt.Sprintf(" (%x)", uint64(a))
	}
	s += fmt.Sprintf(" %s|%s|%d", f.Module, f.Function, f.Offset)
	if f.Source != "" {
		s += " src " + f.Source
	}
	if f.Trap != 0 {
		s += fmt.Sprintf(" trap %x", uint64(f.Trap))
	}
	return s
}

const (
	headK  = "Child-SP          RetAddr           Call Site\n"
	headKb = "ChildEBP RetAddr  Args to Child\n"
)

var frameForms = []struct{ name, text, want string }{
	{"x64 k", headK + "fffff880`07fab3e0 fffff800`0228da52 nt!KiSwapContext+0x7a", "fffff88007fab3e0 fffff8000228da52 nt|KiSwapContext|122"},
	{"without backticks", headK + "fffff88007fab3e0 fffff8000228da52 nt!KiSwapContext+0x7a", "fffff88007fab3e0 fffff8000228da52 nt|KiSwapContext|122"},
	{"padded return address", "# Child-SP          RetAddr               Call Site\n" + "0a ffffd04c`ebfd4f20 fffff840`3fe11c56     nt!RtlpHpSegAlloc+0x5a", "ffffd04cebfd4f20 fffff8403fe11c56 nt|RtlpHpSegAlloc|90"},
	{"three-digit frame number", "# Child-SP          RetAddr               Call Site\n" + "10a ffffd04c`ebfd4f20 fffff840`3fe11c56     nt!RtlpHpSegAlloc+0x5a", "ffffd04cebfd4f20 fffff8403fe11c56 nt|RtlpHpSegAlloc|90"},
	{"x64 kv", "Child-SP          RetAddr           : Args to Child : Call Site\n" + "fffff880`07fab3e0 fffff800`0228da52 : 00000000`00000001 ffffcb0f`ff0a4400 00000000`00000000 00000000`00000008 : nt!KiSwapContext+0x7a", "fffff88007fab3e0 fffff8000228da52 (1) (ffffcb0fff0a4400) (0) (8) nt|KiSwapContext|122"},
	{"x86 kb", headKb + "8b487190 8a615901 850a5f88 00000000 00000000 nt!KeWaitForSingleObject+0x492 (FPO: [Non-Fpo])", "8b487190 8a615901 (850a5f88) (0) (0) nt|KeWaitForSingleObject|1170"},
	{"x86 k", "ChildEBP RetAddr  \nacfbbb80 af36044a nt!IofCallDriver+0x45", "acfbbb80 af36044a nt|IofCallDriver|69"},
	{"inline", "# Child-SP          RetAddr               Call Site\n" + "05 (Inline Function) --------`--------     nt!ExpCommit+0x19 [minkernel\\ntos\\ex\\resource.c @ 1080] ", "inline nt|ExpCommit|25 src minkernel\\ntos\\ex\\resource.c @ 1080"},
	{"inline with arguments", "# Child-SP          RetAddr : Args to Child : Call Site\n" + "05 (Inline Function) --------`-------- : --------`-------- --------`-------- --------`-------- --------`-------- : Ntfs!NtfsX+0x69 (Inline Function @ fffff804`12345678)", "inline Ntfs|NtfsX|105"},
	{"trap frame", headK + "fffff880`07fabd60 fffff800`0227e741 nt!KySwitchKernelStackCallout+0x27 (TrapFrame @ fffff880`07fabc20)", "fffff88007fabd60 fffff8000227e741 nt|KySwitchKernelStackCallout|39 trap fffff88007fabc20"},
	{"trap frame within FPO", headKb + "bad4ad48 7c8285ec 00000000 00000000 0012f8d4 nt!KiFastCallEntry+0xfc (FPO: [0,0] TrapFrame @ bad4ad64)", "bad4ad48 7c8285ec (0) (0) (12f8d4) nt|KiFastCallEntry|252 trap bad4ad64"},
	{"source and convention", "ChildEBP RetAddr  \nfb5a3d48 80b06a17 nt!KiSwapThread+0x85 (FPO: [Non-Fpo]) (CONV: fastcall) [d:\\nt\\base\\ntos\\ke\\thredsup.c @ 1960]", "fb5a3d48 80b06a17 nt|KiSwapThread|133 src d:\\nt\\base\\ntos\\ke\\thredsup.c @ 1960"},
	{"no offset", headK + "fffff880`085fffe0 fffff800`0229620a nt!KiSwitchKernelStackContinue", "fffff880085fffe0 fffff8000229620a nt|KiSwitchKernelStackContinue|-1"},
	{"no function", headK + "fffff880`085fffe0 fffff800`0229620a SRTSP+0x3423", "fffff880085fffe0 fffff8000229620a SRTSP||13347"},
	{"unloaded module", headK + "fffff880`085fffe0 fffff800`0229620a <Unloaded_TestDriver.sys>+0x1172", "fffff880085fffe0 fffff8000229620a <Unloaded_TestDriver.sys>||4466"},
	{"bare address", headK + "00000000`06d1ec88 00000000`00000000 0x00007ffa`a9094f14", "6d1ec88 0 ||-1"},
	{"offset alone", headKb + "8b487190 8a615901 850a5f88 00000000 00000000 +0x5024648c", "8b487190 8a615901 (850a5f88) (0) (0) ||1344562316"},
	{"blank and quotes in a symbol", "# Child-SP          RetAddr               Call Site\n" + "09 ffffa6b7`440cf3a0 fffff9d1`6c04aac6     win32kbase!PrivateAPI::`anonymous namespace'::EnterCritInternal+0x5f", "ffffa6b7440cf3a0 fffff9d16c04aac6 win32kbase|PrivateAPI::`anonymous namespace'::EnterCritInternal|95"},
	{"underscore", headKb + "fce4499c 80202521 fc764ee0 ffc08ea8 fce44a4c ntoskrnl!_ExpWaitForResource+0x114        // Lock being waited on...", "fce4499c 80202521 (fc764ee0) (ffc08ea8) (fce44a4c) ntoskrnl|_ExpWaitForResource|276"},
	{"kv without arguments", "Child-SP          RetAddr           : Call Site\nfffff880`07fab3e0 fffff800`0228da52 : nt!KiSwapContext+0x7a", "fffff88007fab3e0 fffff8000228da52 nt|KiSwapContext|122"},
	{"no stack address", " # RetAddr               : Args to Child      : Call Site\n00 fffff800`0228da52     : 00000000`00000001 00000000`00000002 00000000`00000003 00000000`00000004 : nt!KiSwapContext+0x7a", "0 fffff8000228da52 (1) (2) (3) (4) nt|KiSwapContext|122"},
	{"kp", headK + "fffff880`07fab520 fffff800`0228fbaf drv!Read(struct _DEVICE_OBJECT * dev = 0xffffaa3e`1c7b4600, unsigned long n = 0)+0x1d2 [c:\\x.c @ 7]", "fffff88007fab520 fffff8000228fbaf drv|Read|466 src c:\\x.c @ 7"},
	{"kP", headK + "fffff880`07fab520 fffff800`0228fbaf drv!Read(\n\t\t\tstruct _DEVICE_OBJECT * dev = 0xffffaa3e`1c7b4600,\n\t\t\tunsigned long n = 0)+0x1d2", "fffff88007fab520 fffff8000228fbaf drv|Read|466"},
	{"operator", headK + "fffff880`07fab520 fffff800`0228fbaf drv!X::operator()+0x1d2", "fffff88007fab520 fffff8000228fbaf drv|X::operator()|466"},
	{"kf", "  Memory  Child-SP          RetAddr           Call Site\n      140 fffff880`07fab520 fffff800`0228fbaf drv!Read+0x1d2", "fffff88007fab520 fffff8000228fbaf drv|Read|466"},
	{"kfn", " #   Memory  Child-SP          RetAddr           Call Site\n0a     1400 fffff880`07fab520 fffff800`0228fbaf drv!Read+0x1d2", "fffff88007fab520 fffff8000228fbaf drv|Read|466"},
	{"multiplication sign", headKb + "b56c2c78 81c33e8d 8958e660 8958e708 00000003 nt!KiSwapContext+0×26", "b56c2c78 81c33e8d (8958e660) (8958e708) (3) nt|KiSwapContext|38"},
	{"shortened symbol", headK + "ffffbbb9`665237f0 fffff847`fb403146 FLTMGR!FltpLegacyProcessingAfterPr...", "ffffbbb9665237f0 fffff847fb403146 FLTMGR|FltpLegacyProcessingAfterPr...|-1"},
}

func TestFrames(t *testing.T) {
	for _, tc := range frameForms {
		t.Run(tc.name, func(t *testing.T) {
			s := stacks.Read(kd.Lines(tc.text))
			if len(s.Frames) != 1 {
				t.Fatalf("%d frames", len(s.Frames))
			}
			if got := show(s.Frames[0]); got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
		})
	}
}

// TestNotFrames: lines that look like frames and are none.
func TestNotFrames(t *testing.T) {
	for _, line := range []string{
		"  0  ffdff120  80d495a0            ................",
		"fffffa80139ea3e0  Semaphore Limit 0x7fffffff",
		"fffffa801512a410-01 fffffa801279b340-01",
		"Stack Init fffff88007fabdb0 Current fffff88007fab3a0",
		"fffffa80`07fab3e0 is not a thread object",
		"fffff880`07fab3e0 fffff800`0228da nt!KiSwapContext+0x7a",
		"eax=00000000 ebx=00000000 ecx=00000000",
		"",
	} {
		if s := stacks.Read(kd.Lines(headK + line)); len(s.Frames) != 0 {
			t.Errorf("%q is read as %s", line, show(s.Frames[0]))
		}
	}
}

// TestCutFrames: a cut paste may end in a frame without its call site; it
// continues an open stack upwards.
func TestCutFrames(t *testing.T) {
	const first = headK + "fffff880`07fab3e0 fffff800`0228da52 nt!KiSwapContext+0x7a\n"
	for _, tc := range []struct {
		line string
		want int
	}{
		{"fffff880`07fab520 fffff800`0228fbaf ", 2},
		{"fffff880`07fab520 fffff800`", 2},
		{"fffff880`07fab520 fffff800`0228fbaf : 00000000`00000000 00000000`0000", 2},
		{"fffff880`07fab520 hello", 1},
		{"fffff880`07fab520 fffff800`0228fbaf : hello", 1},
		{"fffff880`07fab3e0 fffff800`0228fbaf ", 1},
		{"fffff880`07fab5", 1},
	} {
		if got := len(stacks.Read(kd.Lines(first + tc.line)).Frames); got != tc.want {
			t.Errorf("%q: %d frames, want %d", tc.line, got, tc.want)
		}
	}
}

// TestIsFrame: without column heads only lines with a number or arguments are
// sure to be frames; two addresses and a symbol may be a dump of memory.
func TestIsFrame(t *testing.T) {
	for _, tc := range []struct {
		line string
		want bool
	}{
		{"0a ffffbbb9`66523220 fffff83b`01f02273 nt!FsRtlAcquireFileForCcFlushEx+0x27f", true},
		{"fffff880`07fab3e0 fffff800`0228da52 : 0000000000000001 0000000000000001 0000000000000001 0000000000000001 : nt!KiSwapContext+0x7a", true},
		{"8b487190 8a615901 850a5f88 00000000 00000000 nt!KeWaitForSingleObject+0x492", true},
		{"f50bea7c  80805795 nt!KiSwapContext+0x25", false},
		{"Image: System", false},
	} {
		if got := stacks.IsFrame(kd.Lines(tc.line)[0]); got != tc.want {
			t.Errorf("IsFrame(%q) = %v", tc.line, got)
		}
	}
}

// TestReaderInStack: noise inside a stack does not end it, and a second header
// does.
func TestReaderInStack(t *testing.T) {
	var r stacks.Reader
	for _, l := range kd.Lines(headK + "fffff880`07fab3e0 fffff800`0228da52 nt!KiSwapContext+0x7a\nWARNING: Stack unwind information not available. Following frames may be wrong.\nfffff880`07fab520 fffff800`0228fbaf nt!KiCommitThreadWait+0x1d2") {
		if !r.Line(l) {
			t.Errorf("%q is not taken", l.Text)
		}
	}
	if r.Len() != 2 || r.Line(kd.Lines(headK)[0]) {
		t.Errorf("%d frames, or a second header was taken", r.Len())
	}
}

// TestBareFrames: call sites alone are a stack; it begins only with a function
// and an offset, or after the column head of kc.
func TestBareFrames(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		want       []string
	}{
		{"pasted", "nt!KiSwapContext+0x26 (FPO: [Uses EBP] [0,0,4])\nnt!KiSwapThread+0x44f\nfltmgr!FltpDoUnloadFilter\n0x1\n0xfffff960`0038bed0", []string{"nt!KiSwapContext", "nt!KiSwapThread", "fltmgr!FltpDoUnloadFilter", "0x1", "0xfffff960`0038bed0"}},
		{"kcn without its head", "00 nt!KiSwapContext\n01 nt!KiSwapThread", []string{"nt!KiSwapContext", "nt!KiSwapThread"}},
		{"kc", " # Call Site\n00 nt!KiSwapContext\n01 nt!KiSwapThread\n0a drv!Main", []string{"nt!KiSwapContext", "nt!KiSwapThread", "drv!Main"}},
		{"of Process Explorer", "ntoskrnl.exe!KiCpuId+0xaa\nntoskrnl.exe!KeWaitForMutexObject+0x1a3\ndokan1.sys+0x1285f\nFLTMGR.SYS!FltIsCallbackDataDirty+0x2df", []string{"ntoskrnl.exe!KiCpuId", "ntoskrnl.exe!KeWaitForMutexObject", "dokan1.sys+0x1285f", "FLTMGR.SYS!FltIsCallbackDataDirty"}},
		{"no stack", "NT!DbgBreakPoint+0x4:\nhello world!\n0x1\nnt!KiSwapThread", nil},
		{"not inside another stack", headK + "fffff880`07fab3e0 fffff800`0228da52 nt!KiSwapContext+0x7a\nnt!KiSwapThread+0x44f", []string{"nt!KiSwapContext"}},
	} {
		var got []string
		for _, f := range stacks.Read(kd.Lines(tc.text)).Frames {
			got = append(got, f.Name())
		}
		if !reflect.DeepEqual(got, tc.want) {
			t.Errorf("%s: got %q, want %q", tc.name, got, tc.want)
		}
	}
}

// expanded is a thread that went on on a new stack: frames 0 to 2 on the
// current one, 3 to 5 on the earlier one.
const expanded = headK + `fffff880` + "`" + `07fab3e0 fffff800` + "`" + `0228da52 nt!KiSwapContext+0x7a
fffff880` + "`" + `07fabd30 fffff800` + "`" + `0227e787 Ntfs!NtfsCommonCreateCallout+0x1d
fffff880` + "`" + `07fabd60 fffff800` + "`" + `0227e741 nt!KxSwitchKernelStackCallout+0x27
fffff880` + "`" + `085fffe0 fffff800` + "`" + `0229620a nt!KiSwitchKernelStackContinue
fffff880` + "`" + `08600000 fffff880` + "`" + `01635b2f nt!KeExpandKernelStackAndCalloutEx+0x29a
fffff880` + "`" + `08600d80 00000000` + "`" + `00000000 nt!KxStartSystemThread+0x16
`

func TestSegments(t *testing.T) {
	type seg struct {
		limit, base kd.Addr
		first, last int
		inferred    bool
	}
	earlier := seg{0xfffff880085ff000, 0xfffff88008601000, 3, 5, true}
	for _, tc := range []struct {
		name                       string
		init, current, base, limit kd.Addr
		want                       []seg
	}{
		{"printed range", 0xfffff88007fabdb0, 0xfffff88007fab3a0, 0xfffff88007fac000, 0xfffff88007fa6000, []seg{{0xfffff88007fa6000, 0xfffff88007fac000, 0, 2, false}, earlier}},
		{"init and current only", 0xfffff88007fabdb0, 0xfffff88007fab3a0, 0, 0, []seg{{0xfffff88007fab000, 0xfffff88007fac000, 0, 2, true}, earlier}},
		{"frames only", 0, 0, 0, 0, []seg{{0xfffff88007fab000, 0xfffff88007fac000, 0, 2, true}, earlier}},
		{"range of another stack", 0, 0, 0xfffff88009fac000, 0xfffff88009fa6000, []seg{{0xfffff88009fa6000, 0xfffff88009fac000, -1, -1, false}, earlier}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := stacks.Read(kd.Lines(expanded))
			s.Init, s.Current, s.Base, s.Limit = tc.init, tc.current, tc.base, tc.limit
			s.Split(kd.X64)
			var got []seg
			for _, g := range s.Segments {
				got = append(got, seg{g.Limit, g.Base, g.First, g.Last, g.Inferred})
			}
			if !reflect.DeepEqual(got, tc.want) {
				t.Errorf("got  %+v\nwant %+v", got, tc.want)
			}
		})
	}
}

// TestInterruptStackIsNoSegment: frames on a DPC stack above the thread's own
// are no earlier segment of the thread.
func TestInterruptStackIsNoSegment(t *testing.T) {
	s := stacks.Read(kd.Lines(headK + "fffff81c`f166eb28 fffff81d`5f7012b2 nt!KeBugCheckEx\nfffff81c`f166eb30 fffff81d`5f6fb6f9 nt!KxSwapStacksAndRetireDpcList+0x5\nffffd0a0`5f1b3970 fffff81d`5f6fb6f9 nt!KiDispatchInterrupt+0x65\n"))
	s.Base, s.Limit = 0xffffd0a05f1b5000, 0xffffd0a05f1af000
	s.Split(kd.X64)
	if len(s.Segments) != 1 || s.Segments[0].First != 2 || s.Segments[0].Last != 2 {
		t.Errorf("segments %+v", s.Segments)
	}
}

func TestLocate(t *testing.T) {
	s := stacks.Read(kd.Lines(expanded))
	s.Base, s.Limit = 0xfffff88007fac000, 0xfffff88007fa6000
	s.Split(kd.X64)
	for _, tc := range []struct {
		name    string
		segment int
		at      kd.Addr
		want    stacks.Slot
	}{
		{"home slot 1 belongs to the callee", 0, 0xfffff88007fabd30, stacks.Slot{Frame: 1, Setter: 0, Param: 1}},
		{"home slot 4", 0, 0xfffff88007fabd48, stacks.Slot{Frame: 1, Setter: 0, Param: 4}},
		{"local", 0, 0xfffff88007fabd50, stacks.Slot{Frame: 1, Setter: 1}},
		{"no callee above the innermost frame", 0, 0xfffff88007fab3e8, stacks.Slot{Frame: 0, Setter: 0}},
		{"below the frames", 0, 0xfffff88007fab3c0, stacks.Slot{Frame: -1, Setter: -1}},
		{"earlier segment", 1, 0xfffff88008600120, stacks.Slot{Frame: 4, Setter: 4}},
		{"outermost frame", 1, 0xfffff88008600f00, stacks.Slot{Frame: 5, Setter: 5}},
	} {
		if got := s.Locate(s.Segments[tc.segment], tc.at); got != tc.want {
			t.Errorf("%s: got %+v, want %+v", tc.name, got, tc.want)
		}
	}
}

// TestLocateBehindInline: an inline frame is no callee with a home space.
func TestLocateBehindInline(t *testing.T) {
	s := stacks.Read(kd.Lines("# Child-SP          RetAddr               Call Site\n" +
		"00 fffff880`07fab3e0 fffff800`0228da52     a!Real+0x1\n01 (Inline Function) --------`--------     b!Inlined+0x1\n02 fffff880`07fab500 00000000`00000000     c!Outer+0x1\n"))
	s.Split(kd.X64)
	if got, want := s.Locate(s.Segments[0], 0xfffff88007fab508), (stacks.Slot{Frame: 2, Setter: 0, Param: 2}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// TestLocateBehindTrap: a trap handler and a stack switch were not called, so
// the lowest bytes of the frame behind them are its own.
func TestLocateBehindTrap(t *testing.T) {
	for _, inner := range []string{"nt!KiPageFault+0x260 (TrapFrame @ fffff880`07fab3f0)", "nt!KxSwitchKernelStackCallout+0x27"} {
		s := stacks.Read(kd.Lines(headK + "fffff880`07fab3e0 fffff800`0228da52 " + inner + "\nfffff880`07fab500 00000000`00000000 drv!Outer+0x1\n"))
		s.Split(kd.X64)
		if got, want := s.Locate(s.Segments[0], 0xfffff88007fab508), (stacks.Slot{Frame: 1, Setter: 1}); got != want {
			t.Errorf("behind %s: got %+v, want %+v", inner, got, want)
		}
	}
}

// TestLocateInCutStack: above the home space of the last frame shown, the
// address may belong to a frame that is not.
func TestLocateInCutStack(t *testing.T) {
	s := stacks.Read(kd.Lines(headK + "fffff880`07fab3e0 fffff800`0228da52 nt!KiSwapContext+0x7a\nfffff880`07fab520 fffff800`0228fbaf nt!KiCommitThreadWait+0x1d2\n"))
	s.Base, s.Limit = 0xfffff88007fac000, 0xfffff88007fa6000
	s.Split(kd.X64)
	if got := s.Locate(s.Segments[0], 0xfffff88007fab900); got.Frame != -1 {
		t.Errorf("got %+v", got)
	}
}

// TestLocateX86: parameters lie from ChildEBP+8 on, locals below ChildEBP.
func TestLocateX86(t *testing.T) {
	s := stacks.Read(kd.Lines(headKb + `b84ab5b8 8087e8a1 89efede8 8a169530 00000001 nt!ExpWaitForResource+0xd5
b84ab610 f7a41234 89f00048 b84ab6d0 00000000 myflt!FltReacquire+0x20
b84ab6c8 f7a45678 b84ab6d0 89f00048 00000000 myflt!FltTeardown+0x34
b84ab770 00000000 89f00048 89f00148 89f00148 myflt!FltClose+0x78
`))
	s.Base, s.Limit = 0xb84ac000, 0xb84a9000
	s.Split(kd.X86)
	for _, tc := range []struct {
		name string
		at   kd.Addr
		want stacks.Slot
	}{
		{"first parameter", 0xb84ab6d0, stacks.Slot{Frame: 2, Setter: 2, Param: 1}},
		{"third parameter", 0xb84ab6d8, stacks.Slot{Frame: 2, Setter: 2, Param: 3}},
		{"local of the caller", 0xb84ab740, stacks.Slot{Frame: 3, Setter: 3}},
		{"saved ebp", 0xb84ab6c8, stacks.Slot{Frame: 2, Setter: -1}},
		{"above the outermost frame", 0xb84ab7f0, stacks.Slot{Frame: 3, Setter: -1}},
	} {
		if got := s.Locate(s.Segments[0], tc.at); got != tc.want {
			t.Errorf("%s: got %+v, want %+v", tc.name, got, tc.want)
		}
	}
}

func ExampleRead() {
	s := stacks.Read(kd.Lines(`
Child-SP          RetAddr           Call Site
fffff880` + "`" + `07fab3e0 fffff800` + "`" + `0228da52 nt!KiSwapContext+0x7a
fffff880` + "`" + `07fab520 fffff800` + "`" + `0228fbaf nt!KiCommitThreadWait+0x1d2`))
	for _, f := range s.Frames {
		fmt.Println(f.ChildSP, f.Name(), f.Offset)
	}
	// Output:
	// 0xfffff88007fab3e0 nt!KiSwapContext 122
	// 0xfffff88007fab520 nt!KiCommitThreadWait 466
}

// FuzzRead: nothing panics, also not in the arithmetic on what was read.
func FuzzRead(f *testing.F) {
	for _, tc := range frameForms {
		f.Add(tc.text, uint64(0xfffff88007fab3e8))
	}
	f.Add(expanded, uint64(0xfffff88008600120))
	f.Add(">\tdrv.sys!f(int) Line 1 + 0x2 bytes\tC++\n", uint64(0))
	f.Add(headK+"<exec cmd=\".frame 0n0\">00</exec> fffff880`07fab3e0 fffff800`0228da52     <link>nt!KiSwapContext+0x7a</link>\n", uint64(0xfffff88007fab3e8))
	f.Fuzz(func(t *testing.T, s string, at uint64) {
		st := stacks.Read(kd.Lines(s))
		for _, arch := range []kd.Arch{kd.X86, kd.X64} {
			st.Split(arch)
			for _, g := range st.Segments {
				slot := st.Locate(g, kd.Addr(at))
				if slot.Frame >= len(st.Frames) || slot.Setter >= len(st.Frames) {
					t.Fatalf("slot %+v of %d frames", slot, len(st.Frames))
				}
			}
		}
	})
}

// TestARM64: the columns are those of x64; inline frames may have columns for
// arguments.
func TestARM64(t *testing.T) {
	s := stacks.Read(kd.Lines(" # Child-SP          RetAddr               : Args to Child                                                           : Call Site\n" +
		"00 ffffbc01`6f5aa2a0 fffff803`2ae8a3d8     : 00000000`00000001 00000000`00000000 00000000`00000000 00000000`00000000 : nt!KiSwapContext+0x1c\n" +
		"01 (Inline Function) --------`--------     : --------`-------- --------`-------- --------`-------- --------`-------- : nt!KiCommitThreadWait+0x69 (Inline Function @ fffff803`2ae8a3d8)\n" +
		"02 ffffbc01`6f5aa3c0 fffff803`2b2b4a18     : 00000000`00000001 00000000`00000000 00000000`00000000 00000000`00000000 : nt!KiUserExceptionHandler+0x30 (TrapFrame @ ffffbc01`6f5aa800)\n" +
		"03 ffffbc01`6f5aab30 00000000`00000000     : 00000000`00000001 00000000`00000000 00000000`00000000 00000000`00000000 : 0x1\n"))
	var got []string
	for _, f := range s.Frames {
		got = append(got, fmt.Sprint(f.ChildSP, " ", f.Name(), " ", f.Inline, " ", f.Trap, " ", len(f.Args)))
	}
	want := []string{
		"0xffffbc016f5aa2a0 nt!KiSwapContext false 0x0 4",
		"0x0 nt!KiCommitThreadWait true 0x0 0",
		"0xffffbc016f5aa3c0 nt!KiUserExceptionHandler false 0xffffbc016f5aa800 4",
		"0xffffbc016f5aab30 0x1 false 0x0 4",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// TestInlineX86: kb on x86 says it in one word.
func TestInlineX86(t *testing.T) {
	s := stacks.Read(kd.Lines(headKb + "89b2cbbc 820c4b4d 9a9e7780 88d08f48 820c4881 MyTestDriver!Dispatch_DeviceControl+0x1a\n(Inline) -------- -------- -------- -------- nt!IopfCallDriver+0x47\n89b2cbe0 81ca3772 81eb165e b3c9ff80 88d08f48 nt!IovCallDriver+0x2cc\n"))
	if len(s.Frames) != 3 || !s.Frames[1].Inline || s.Frames[1].Name() != "nt!IopfCallDriver" {
		t.Errorf("%+v", s.Frames)
	}
}

// TestPseudoFrames: a number stands where there is no symbol.
func TestPseudoFrames(t *testing.T) {
	s := stacks.Read(kd.Lines(" # Call Site\n00 nt!KiSwapContext+0x76\n01 0x1\n02 0xffffcb0f`ffd68010\n"))
	if len(s.Frames) != 3 || s.Frames[1].Symbol != "0x1" {
		t.Errorf("%+v", s.Frames)
	}
}

// TestDistances: kf prints how far each frame lies above the one before, with
// any number of digits.
func TestDistances(t *testing.T) {
	for _, text := range []string{
		" #   Memory  Child-SP          RetAddr               Call Site\n00           fffff880`07fab3e0 fffff800`0228da52     a!A+0x1\n01       140 fffff880`07fab520 fffff800`0228fbaf     a!B+0x1\n02      1a40 fffff880`07facf60 fffff800`0228fbaf     a!C+0x1\n",
		"  Memory  Child-SP          RetAddr           Call Site\n          fffff880`07fab3e0 fffff800`0228da52 a!A+0x1\n      140 fffff880`07fab520 fffff800`0228fbaf a!B+0x1\n     1a40 fffff880`07facf60 fffff800`0228fbaf a!C+0x1\n",
	} {
		if s := stacks.Read(kd.Lines(text)); len(s.Frames) != 3 || s.Frames[2].ChildSP != 0xfffff88007facf60 {
			t.Errorf("%q: %+v", text, s.Frames)
		}
	}
}

// A paste that begins inside a wrapped frame begins with arguments.
func TestArgumentsAreNoAddressesOfTheFirstFrame(t *testing.T) {
	const tail = "fffffaa4`22aa9780 00000000`00000001 : Ntfs!NtfsPrepareBuffers+0x68\n"
	const whole = "fffff8a4`247332a0 fffff8a4`21645b56 : 00000000`00000000 fffff8a4`247336a0 fffff8c4`224f8198 fffff8c4`224f8140 : Ntfs!NtfsNonCachedIo+0x1e8\n"
	const bare = "fffff8a4`247332a0 fffff8a4`21645b56 : Ntfs!NtfsNonCachedIo+0x1e8\n"
	const below = "fffff8a4`24733200 fffff8a4`21645b00 : Ntfs!NtfsPrepareBuffers+0x68\n"
	const head = "Child-SP          RetAddr           : Args to Child : Call Site\n"
	for _, c := range []struct {
		text string
		sp   kd.Addr
	}{
		{tail + whole, 0},
		{tail + bare, 0xfffffaa422aa9780},
		{below + whole, 0xfffff8a424733200},
		{head + tail + whole, 0xfffffaa422aa9780},
		{tail, 0xfffffaa422aa9780},
	} {
		f := stacks.Read(kd.Lines(c.text)).Frames[0]
		if f.ChildSP != c.sp || f.Bare != (c.sp == 0) || f.Function != "NtfsPrepareBuffers" {
			t.Errorf("%s first frame %+v, want stack address %v", c.text, f, c.sp)
		}
	}
}
