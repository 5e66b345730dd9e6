package threads_test

import (
	"fmt"
	"reflect"
	"testing"

	"kdlocks/kd"
	"kdlocks/threads"
)

func showProcessors(ps []threads.Processor) []string {
	var out []string
	for _, p := range ps {
		s := fmt.Sprintf("%d %s %s", p.CPU, p.Prcb, p.Current)
		for _, f := range []struct {
			name string
			addr kd.Addr
		}{{"next", p.Next}, {"idle", p.Idle}} {
			if f.addr != 0 {
				s += fmt.Sprintf(" %s %s", f.name, f.addr)
			}
		}
		if p.IdleNow != threads.Unknown {
			s += fmt.Sprint(" idle-now ", p.IdleNow == threads.Yes)
		}
		if len(p.Owned)+len(p.Waits) > 0 {
			s += fmt.Sprint(" owns ", p.Owned, " waits ", p.Waits)
		}
		out = append(out, s)
	}
	return out
}

func TestRunning(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		want       []string
	}{
		{"Itanium, with Next", "System Processors 3 (affinity mask)\n Idle Processors 0\n \n     Prcb              Current           Next\n" +
			"  0  e0000000818f8000  e0000000818f9e50  e0000000866f12f0  ................\n 1  e000000086f16010  e00000008620ebe0  e000000086eddbc0  .O....W......O..\n",
			[]string{"0 0xe0000000818f8000 0xe0000000818f9e50 next 0xe0000000866f12f0 idle-now false", "1 0xe000000086f16010 0xe00000008620ebe0 next 0xe000000086eddbc0 idle-now false owns [1 13] waits [6]"}},
		{"x86, Next blank", "     Prcb      Current   Next   \n  0  ffdff120  a40a9350            ................\n", []string{"0 0xffdff120 0xa40a9350"}},
		{"one lock more", "  2  f872f120  a69a1b40            ................O\n", []string{"2 0xf872f120 0xa69a1b40 owns [16] waits []"}},
		{"no heads", "  2  f872f120  a69a1b40            ................\n", []string{"2 0xf872f120 0xa69a1b40"}},
		{"no number", "     ffdff120  80d495a0            ................\n", []string{"-1 0xffdff120 0x80d495a0"}},
		{"no number, with Next", "ffdff120  80d495a0  80d49500  ................\n", []string{"-1 0xffdff120 0x80d495a0 next 0x80d49500"}},
		{"later layout", "System Processors:  (000000000000000f)\n  Idle Processors:  (0000000000000002)\n\n       Prcbs             Current         (pri) Next            (pri) Idle\n" +
			"  0    fffff80301a4f180  ffff9e0faf8c4080 (15)                       fffff80301c4a400  ................\n" +
			"  1    ffffd00020a40180  ffffd00020a4c300 ( 0)  ffff9e0faf8c5080 ( 8)  ffffd00020a4c300  ................\n",
			[]string{"0 0xfffff80301a4f180 0xffff9e0faf8c4080 idle 0xfffff80301c4a400 idle-now false", "1 0xffffd00020a40180 0xffffd00020a4c300 next 0xffff9e0faf8c5080 idle 0xffffd00020a4c300 idle-now true"}},
		{"masks of two groups", "System Processors:  (ffffffffffffffff) (0000000000000003)\nIdle Processors:  (0000000000000000) (0000000000000002)\n  65  fffff80301a4f180  ffff9e0faf8c4080  ................\n", []string{"65 0xfffff80301a4f180 0xffff9e0faf8c4080 idle-now true"}},
		{"cut before the locks", "     Prcb      Current   Next\n  0  ffdff120  a40a9350", []string{"0 0xffdff120 0xa40a9350"}},
		{"cut in an address", "     Prcb      Current   Next\n  0  ffdff120  a40a93", nil},
		{"wrapped in Idle", "Prcbs Current (pri) Next (pri) Idle\n  0    fffff80002e50180  fffffa8016910b60 ( 9)           fffff80002e\n5ecc0  ................\n", []string{"0 0xfffff80002e50180 0xfffffa8016910b60"}},
		{"a remark behind", "     Prcb      Current   Next\n  0  ffdff120  a40a9350            ...O............ << here\n", []string{"0 0xffdff120 0xa40a9350 owns [3] waits []"}},
		{"dots elided", "     Prcb      Current   Next\n  0  ffdff120  a40a9350            ...\n", []string{"0 0xffdff120 0xa40a9350"}},
		{"bold", "     Prcb      Current   Next\n  0  ffdff120  ****a40a9350****      ................\n", []string{"0 0xffdff120 0xa40a9350"}},
		{"no number, dots elided", "     Prcb      Current   Next\n  ffdff120  a40a9350       ...\n", []string{"-1 0xffdff120 0xa40a9350"}},
		{"memory in the table", "     Prcb      Current   Next\nf50bea7c  80000001 80000002 80000003 80000004\nfffff880`07fab3e0  fffff800`02e50180 fffffa80`12345678\n", nil},
		{"symbols in the table", "     Prcb      Current   Next\nf50bea7c  80d329c2 nt!KiIdleLoop+0x14\n", nil},
		{"a frame", "ffdff980 ffdff980 nt!KiIdleLoop+0x14\n", nil},
		{"a frame in the table", "     Prcb      Current   Next\nChildEBP RetAddr\n00 80d3e3f0 80d329c2\n01 ffdff980 ffdff980 nt!KiIdleLoop+0x14\n", nil},
		{"prose", "System Processors are fast\nIdle Processors idle\nPrcb of Current\nAll processors idle.\n", nil},
	} {
		if got := showProcessors(threads.Read(kd.Lines(tc.text)).Processors); !reflect.DeepEqual(got, tc.want) {
			t.Errorf("%s:\ngot  %q\nwant %q", tc.name, got, tc.want)
		}
	}
}

// TestRunningNearMisses: dumps of memory end in sixteen characters, too.
func TestRunningNearMisses(t *testing.T) {
	for _, s := range []string{
		"fffff880`00001000  41 41 41 41 41 41 41 41-41 41 41 41 41 41 41 41  ................",
		"f50bea7c  00000000 00000000 00000000 00000000  ................",
		"80d3e3f0  00000000 ........",
		"0 1 2 ................",
		"................", "KD: Scanning for held locks................", "2  f872f120  a69a1b40  ...............", "2  f872f120  a69a1b40  ........................",
		"99999 ffdff120  a40a9350            ................",
		"0  ffdff120  ffff9e0faf8c4080  ................",
		"0  ffdff120  a40a9350  ................ and so on",
	} {
		if l := threads.Read(kd.Lines(s)); len(l.Processors) != 0 || len(l.Threads) != 0 {
			t.Errorf("%q is read as %q", s, showProcessors(l.Processors))
		}
		if n := threads.ProcessorWidth(s); n != 0 {
			t.Errorf("%q has addresses of %d digits", s, n)
		}
	}
}

// TestRunningStacks: with -t the stack below a row is that of its current
// thread.
func TestRunningStacks(t *testing.T) {
	l := threads.Read(kd.Lines(`     Prcb      Current   Next
  0  ffdff120  80d495a0            ................

ChildEBP RetAddr
80d3e3f0 80d329c2 nt!RtlpBreakWithStatusInstruction
80d3e3f0 80d33464 nt!_KeUpdateSystemTime+0x126
ffdff980 ffdff980 nt!KiIdleLoop+0x14

 1  f8fe0120  f8fe2e60            ................

ChildEBP RetAddr
f8fe0980 f8fe0980 nt!KiIdleLoop+0x14

 2  f8ff0120  f8ff2e60            ................
`))
	var got []string
	for _, th := range l.Threads {
		got = append(got, fmt.Sprint(th.Addr, " ", th.State, " ", th.Processor, " ", len(th.Stack.Frames)))
	}
	want := []string{"0x80d495a0 running 0 3", "0xf8fe2e60 running 1 1", "0xf8ff2e60 running 2 0"}
	if !reflect.DeepEqual(got, want) || len(l.Processors) != 3 {
		t.Errorf("got %q", got)
	}
}

// TestRunningNext: the thread that is to run next stands by.
func TestRunningNext(t *testing.T) {
	l := threads.Read(kd.Lines("  3  ffdff120  80d495a0  80d49500  ................\nChildEBP RetAddr\n80d3e3f0 80d329c2 nt!X+0x1\n"))
	var got []string
	for _, th := range l.Threads {
		got = append(got, fmt.Sprint(th.Addr, " ", th.State, " ", th.Processor, " ", len(th.Stack.Frames)))
	}
	if want := []string{"0x80d49500 standby 3 0", "0x80d495a0 running 3 1"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q", got)
	}
}
