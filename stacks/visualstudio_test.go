package stacks_test

import (
	"fmt"
	"reflect"
	"testing"

	"kdlocks/kd"
	"kdlocks/stacks"
)

func TestVisualStudio(t *testing.T) {
	s := stacks.Read(kd.Lines(" \tOpenZFS!rw_enter+0xce [C:\\src\\spl-rwlock.c @ 106] \tC/C++/ASM\n" +
		">\tdrv.sys!DispatchRead(_DEVICE_OBJECT * dev, _IRP * irp) Line 123\tC++\n" +
		" \tdrv.sys!std::vector<int, std::allocator<int> >::push_back(int) Line 9 + 0x1a bytes\tC++\n" +
		" \tntoskrnl.exe!IofCallDriver()\tUnknown\n" +
		" \t[Frames below may be incorrect and/or missing, no symbols loaded for x.sys]\t\n" +
		" \tntoskrnl.exe!KiSystemServiceCopyEnd() + 0x25 bytes\tASM\n" +
		"   win32kfull.sys!PrivateAPI::`anonymous namespace'::Enter() Line 7   C\n"))
	var got []string
	for _, f := range s.Frames {
		got = append(got, fmt.Sprint(f.Name(), " ", f.Offset, " ", f.Source, " ", f.Bare))
	}
	want := []string{
		`OpenZFS!rw_enter 206 C:\src\spl-rwlock.c @ 106 true`,
		"drv!DispatchRead -1 Line 123 true",
		"drv!std::vector<int, std::allocator<int> >::push_back -1 Line 9 true",
		"ntoskrnl!IofCallDriver -1  true",
		"ntoskrnl!KiSystemServiceCopyEnd 37  true",
		"win32kfull!PrivateAPI::`anonymous namespace'::Enter -1 Line 7 true",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// TestVisualStudioWrapped: the marked frame keeps its place when its language
// went to the next line.
func TestVisualStudioWrapped(t *testing.T) {
	s := stacks.Read(kd.Lines(" \tOpenZFS!rw_enter+0xce [C:\\src\\spl-rwlock.c @ 106] \tC/C++/ASM\n" +
		">\tOpenZFS!zap_get_leaf_byblk+0x3cd [C:\\src\\zap.c @ 558]\n\tC/C++/ASM\n" +
		" \tOpenZFS!zap_deref_leaf+0x1d5 [C:\\src\\zap.c @ 619] \tC/C++/ASM\n"))
	var got []string
	for _, f := range s.Frames {
		got = append(got, fmt.Sprint(f.Name(), " ", f.Offset, " ", f.Source))
	}
	want := []string{`OpenZFS!rw_enter 206 C:\src\spl-rwlock.c @ 106`, `OpenZFS!zap_get_leaf_byblk 973 C:\src\zap.c @ 558`, `OpenZFS!zap_deref_leaf 469 C:\src\zap.c @ 619`}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestVisualStudioNearMisses(t *testing.T) {
	for _, s := range []string{
		"I wrote this driver!it is in C", "Use nt!KeWaitForSingleObject from C++", "\tC++", "OpenZFS!rw_enter+0xce", "> quoted!text about\tRust", "hello world!\tC",
		">\tOpenZFS!zap_add+0xe0", "> OpenZFS!zap_add+0xe0 [C:\\src\\zap.c @ 9]", ">\tOpenZFS!zap_add [C:\\src\\zap.c @ 9]", ">\tOpenZFS!zap_add+0xe0 [sic]",
		"The deadlock is in drv.sys!Function which is C++",
	} {
		if stacks.IsVisualStudioFrame(kd.Line{Text: s}) {
			t.Errorf("%q is read as a frame", s)
		}
	}
}

// TestMarkup: kM prints marks of the debugger's markup, and some copies keep
// them.
func TestMarkup(t *testing.T) {
	s := stacks.Read(kd.Lines(" # Child-SP          RetAddr               Call Site\n" +
		"<exec cmd=\".frame 0n0;dv /t /v\">00</exec> fffff880`07fab3e0 fffff800`0228da52     <link cmd=\"lm\">nt!KiSwapContext+0x7a</link>\n" +
		"<exec cmd=\".frame 0n1;dv /t /v\">01</exec> fffff880`07fab520 fffff800`0228fbaf     drv!Map<b,c>::Find+0x12\n"))
	if len(s.Frames) != 2 || s.Frames[0].Name() != "nt!KiSwapContext" || s.Frames[1].Name() != "drv!Map<b,c>::Find" {
		t.Errorf("%+v", s.Frames)
	}
}
