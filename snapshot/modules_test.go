package snapshot_test

import (
	"strings"
	"testing"

	"kdlocks/kd"
	"kdlocks/threads"
)

const someModules = "0: kd> lm k\n" +
	"start             end                 module name\n" +
	"fffff800`0220a000 fffff800`027f2000   nt         (pdb symbols)          c:\\sym\\ntkrnlmp.pdb\n" +
	"fffff880`06100000 fffff880`06110000   mydrv      (deferred)\n" +
	"\nUnloaded modules:\n" +
	"fffff880`06200000 fffff880`06210000   gone.sys\n" +
	"fffff880`07000000 fffff880`07010000   gone.sys\n" +
	"fffff880`07000000 fffff880`07008000   other.sys\n" +
	"fffff880`06108000 fffff880`06118000   older.sys\n"

func TestModules(t *testing.T) {
	s := built(t, someModules+"0: kd> lmvm mydrv\nstart end module name\nfffff880`06100000 fffff880`06110000   mydrv      (deferred)\n    Image name: mydrv.sys\n    File version:     1.2.3.4\n0: kd> lm m absent\nstart end module name\n0: kd> \n")
	if n := len(s.Modules); n != 6 {
		t.Errorf("%d modules, want 6:\n%s", n, s)
	}
	for name, want := range map[string]string{"nt": "nt", "ntoskrnl.exe": "nt", "MYDRV.SYS": "mydrv", "gone": "<Unloaded_gone.sys>", "what": ""} {
		got := ""
		if m := s.Module(name); m != nil {
			got = m.Label()
		}
		if got != want {
			t.Errorf("Module(%q) = %q, want %q", name, got, want)
		}
	}
	if m := s.Module("gone.sys"); m.Base != 0xfffff88007000000 {
		t.Errorf("the unloaded one that was printed last is not taken: %x", uint64(m.Base))
	}
	if v := s.Module("mydrv").FileVersion.String(); v != "1.2.3.4" {
		t.Errorf("lmvm was not joined: %q", v)
	}
	for a, want := range map[kd.Addr]string{
		0xfffff8000220a000: "nt",
		0xfffff800027f1fff: "nt",
		0xfffff800027f2000: "", // End is exclusive
		0xfffff88006108000: "mydrv",
		0xfffff88006110000: "<Unloaded_older.sys>",
		0xfffff88006200001: "<Unloaded_gone.sys>",
		0xfffff88007000000: "", // of two
		0xfffff88007008000: "<Unloaded_gone.sys>",
		0:                  "",
	} {
		got := ""
		if m := s.ModuleAt(a); m != nil {
			got = m.Label()
		}
		if got != want {
			t.Errorf("ModuleAt(%x) = %q, want %q", uint64(a), got, want)
		}
	}
	for name, want := range map[string]threads.Tri{"mydrv": threads.Yes, "ntkrnlmp": threads.Yes, "gone": threads.No, "absent": threads.No, "what.sys": threads.No} {
		if got := s.IsLoaded(name); got != want {
			t.Errorf("IsLoaded(%q) = %v, want %v", name, got, want)
		}
	}
}

// TestIsLoaded: what a list cannot have is unknown.
func TestIsLoaded(t *testing.T) {
	list := strings.TrimPrefix(someModules, "0: kd> lm k\n")
	for _, tc := range []struct {
		name, text string
		want       threads.Tri // of sis
	}{
		{"no command", list, threads.Unknown},
		{"all", "0: kd> lm\n" + list, threads.No},
		{"no modules", "0: kd> !thread " + tA + "\n" + thread(tA, wait, 0), threads.Unknown},
		{"of user mode", "0: kd> lmu\n" + list, threads.Unknown},
		{"another pattern", "0: kd> lm m my*\n" + list, threads.Unknown},
		{"its pattern", "0: kd> lm m s*\n" + list, threads.No},
		{"a user-mode debugger", "0:000> lm\n" + list, threads.Unknown},
		{"the kernel lies elsewhere", "Windows 7 Kernel Version 7601 MP (4 procs) Free x64\nKernel base = 0xfffff800`0280a000 PsLoadedModuleList = 0xfffff800`02a4fe90\n0: kd> lm\n" + list, threads.Unknown},
		{"the machine that the debugger runs on", "lkd> lm\n" + list, threads.Unknown},
		{"an elision", "0: kd> lm\n" + strings.Replace(list, "fffff880`06100000", "[...]\nfffff880`06100000", 1), threads.Unknown},
	} {
		if got := built(t, tc.text).IsLoaded("sis"); got != tc.want {
			t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
		}
	}
}

// TestFramesFromRanges: an address alone on a stack is named from the range that
// holds it, and stays as printed.
func TestFramesFromRanges(t *testing.T) {
	stack := strings.NewReplacer("drv!Callback+0xaf", "0xfffff880`06100100", "nt!Teardown+0xe2", "0xfffff880`06200100").Replace(thread(tA, wait, 0))
	s := built(t, "0: kd> !thread "+tA+"\n"+stack+someModules)
	frames := s.Thread(0xfffffa8016910b60).Stack.Frames
	for i, want := range map[int]string{0: "nt!KiSwapContext", 1: "mydrv+0x100", 2: "<Unloaded_gone.sys>+0x100", 3: "nt!KxStartSystemThread"} {
		if f := frames[i]; f.Name() != want || f.Derived != (i == 1 || i == 2) {
			t.Errorf("frame %d: %q, derived %v, want %q", i, f.Name(), f.Derived, want)
		}
	}
	if frames[1].Symbol != "0xfffff880`06100100" {
		t.Errorf("what was printed is lost: %q", frames[1].Symbol)
	}
	if m, offset := s.CodeAt(&frames[0]); m == nil || m.Name != "nt" || offset != 0x83a52 {
		t.Errorf("CodeAt: %+v %x", m, uint64(offset))
	}
	if m, _ := s.CodeAt(&frames[3]); m != nil {
		t.Errorf("CodeAt of no caller: %s", m.Label())
	}
}

// TestSignExtendedModules: a 64-bit debugger prints addresses of an x86 target
// with 16 digits.
func TestSignExtendedModules(t *testing.T) {
	s := built(t, "Windows XP Kernel Version 2600 (Service Pack 3) MP (2 procs) Free x86 compatible\nKernel base = 0xffffffff`804d7000 PsLoadedModuleList = 0xffffffff`8055d720\n0: kd> lm\nstart             end                 module name\nffffffff`804d7000 ffffffff`806cd280   nt         (pdb symbols)\n0: kd> \n")
	if m := s.ModuleAt(0x804d8000); m == nil || m.Name != "nt" || s.IsLoaded("sis") != threads.No {
		t.Errorf("not found: %s", s)
	}
}

// TestOnlyContext: modules alone are recognised and decide nothing; beside what
// can be judged they make no session of their own.
func TestOnlyContext(t *testing.T) {
	s := built(t, someModules)
	if s.Empty() || !s.OnlyContext() {
		t.Errorf("Empty %v, OnlyContext %v", s.Empty(), s.OnlyContext())
	}
	built(t, "Loading Dump File [C:\\a.dmp]\n"+someModules+"Loading Dump File [C:\\b.dmp]\n0: kd> !locks\n"+locked(tA+"-01<*>"))
}

// TestSessionsAreNotJoined: the modules of one session name no frame of another.
func TestSessionsAreNotJoined(t *testing.T) {
	stack := strings.Replace(thread(tA, wait, 0), "drv!Callback+0xaf", "0xfffff880`06100100", 1)
	s := built(t, "Loading Dump File [C:\\a.dmp]\n"+someModules+"Loading Dump File [C:\\b.dmp]\n0: kd> !thread "+tA+"\n"+stack)
	if f := s.Thread(0xfffffa8016910b60).Stack.Frames[1]; f.Derived {
		t.Errorf("named from another session: %s", f.Name())
	}
}
