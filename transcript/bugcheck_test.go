package transcript_test

import (
	"context"
	"errors"
	"reflect"
	"testing"

	"kdlocks/kd"
	"kdlocks/transcript"
)

// TestStopCodeForms: each form alone tells the stop code and its arguments.
func TestStopCodeForms(t *testing.T) {
	args := []kd.Addr{0x10, 2, 1, 0xfffff801f8cd1234}
	for _, tc := range []struct {
		name, text string
		code       uint32
		args       []kd.Addr
	}{
		{".bugcheck", "kd> .bugcheck\nBugcheck code 000000D1\nArguments 00000000`00000010 00000000`00000002 00000000`00000001 fffff801`f8cd1234\n", 0xd1, args},
		{"a blank line between", "Bugcheck code 000000D1\n\nArguments 00000010 2 1 fffff801`f8cd1234\n", 0xd1, args},
		{"its arguments lost", "Bugcheck code 000000D1\n", 0xd1, nil},
		{"an argument cut off", "Bugcheck code 000000D1\nArguments 00000000`00000010 00000000`00000002 00000000`00000001\n", 0xd1, nil},
		{"the debugger's", "BugCheck D1, {10, 2, 1, fffff801f8cd1234}\n", 0xd1, args},
		{"the kernel's", "*** Fatal System Error: 0x000000d1\n                       (0x0000000000000010,0x0000000000000002,0x0000000000000001,0xFFFFF801F8CD1234)\n", 0xd1, args},
		{"the kernel's in one line", "*** Fatal System Error: 0x000000d1 (0x10,0x2,0x1,0xFFFFF801F8CD1234)\n", 0xd1, args},
		{"mex's", "4: kd> !mex.di\nBugcheck: D1 (10, 2, 1, FFFFF801F8CD1234)\n", 0xd1, args},
		{"mex's, then that of another dump", "Bugcheck: D1 (10, 2, 1, FFFFF801F8CD1234)\nBugcheck: This is a myfault.sys dump.\nBugcheck: 162 (FFFF910142869040, FFFF910145796F70, FFFFFFFF, 0)\n", 0xd1, args},
		{"mex's prose", "Bugcheck: see below\nBugcheck: D1\nBugcheck: D1 (10, 2, 1)\nBugcheck: D1 (10, 2, 1, 3) was it\nBugcheck: ad (see, the, mail, below)\nBugcheck: This is a myfault.sys dump.\n", 0, nil},
		{"a machine that runs", "Bugcheck code 00000000\nArguments 0 0 0 0\n", 0, nil},
		{"prose", "Bugcheck code 9F was what we saw\nBugcheck code 0000009F again\n*** Fatal System Error: 0x0000009f came up\nArguments 1 2 3 4\n(1,2,3,4)\n", 0, nil},
		{"arguments of something else", "Bugcheck code 000000D1\nkd> !x\nsomething\nArguments 1 2 3 4\n", 0xd1, nil},
	} {
		tr := read(t, tc.text+"kd> !locks\n"+lockA)
		if len(tr.Snapshots) != 1 {
			t.Errorf("%s: %d sessions", tc.name, len(tr.Snapshots))
		}
		b := tr.Snapshots[0].Target.Bugcheck
		switch {
		case b == nil && tc.code == 0:
		case b == nil || b.Code != tc.code || !reflect.DeepEqual(b.Args, tc.args):
			t.Errorf("%s: bugcheck %+v", tc.name, b)
		}
	}
}

// TestStopEndsSession: when the kernel says that it stops, what came before is
// past, also for the same code; a debugger may tell an old stop code again.
func TestStopEndsSession(t *testing.T) {
	for _, tc := range []struct {
		name, between string
		sessions      int
		last          uint32
	}{
		{"the kernel stops", "*** Fatal System Error: 0x0000009f (0x3,0x4,0x5,0x6)\n\nBreak instruction exception - code 80000003 (first chance)\n", 2, 0x9f},
		{"again in the same way", "*** Fatal System Error: 0x000000d1 (0x3,0x4,0x5,0x6)\n", 2, 0xd1},
		{".bugcheck, the same code", "kd> .bugcheck\nBugcheck code 000000D1\n", 1, 0xd1},
		{".bugcheck, another code", "kd> .bugcheck\nBugcheck code 0000009F\n", 2, 0x9f},
		{"!mex.di, the same code", "kd> !mex.di\nBugcheck: D1 (1, 2, 3, 4)\n", 1, 0xd1},
		{"!mex.di, another code", "kd> !mex.di\nBugcheck: 9F (1, 2, 3, 4)\n", 2, 0x9f},
		{"another dump", "Loading Dump File [C:\\b.dmp]\n", 2, 0},
	} {
		tr := read(t, "kd> .bugcheck\nBugcheck code 000000D1\nkd> !locks\n"+lockA+tc.between+"kd> !locks\n"+lockA)
		if len(tr.Snapshots) != tc.sessions {
			t.Errorf("%s: %d sessions", tc.name, len(tr.Snapshots))
			continue
		}
		got := uint32(0)
		if b := tr.Snapshots[tc.sessions-1].Target.Bugcheck; b != nil {
			got = b.Code
		}
		if got != tc.last {
			t.Errorf("%s: code %x", tc.name, got)
		}
	}
}

// TestOnlyTarget: a target that nothing else is known of is worth a report only
// where there is no other.
func TestOnlyTarget(t *testing.T) {
	const stop = "Bugcheck code 000000E2\n"
	for _, tc := range []struct {
		name, text string
		sessions   int
	}{
		{"a stop code", stop, 1},
		{"a version", vertarget, 1},
		{"a stop code that !analyze explains", analysis, 1},
		{"two dumps", "Loading Dump File [C:\\a.dmp]\n" + stop + "Loading Dump File [C:\\b.dmp]\nBugcheck code 0000009F\n", 2},
		{"a dump opened twice", "Loading Dump File [C:\\a.dmp]\n" + vertarget + "Loading Dump File [C:\\a.dmp]\n" + vertarget + stop, 1},
		{"a dump beside one with locks", "Loading Dump File [C:\\a.dmp]\n" + stop + "Loading Dump File [C:\\b.dmp]\nkd> !locks\n" + lockA, 1},
		{"an explanation that was asked for", "kd> !analyze -show 3b\n" + analysis, 0},
		{"keys alone", "PROCESS_NAME:  System\nFAILURE_BUCKET_ID:  X\nSystem Uptime: 0 days 1:02:03.456\n", 0},
		{"prose", "Windows counts its Kernel Version on x64\n", 0},
		{"user mode", "0:000> vertarget\n" + vertarget, 0},
	} {
		tr, err := transcript.Read(context.Background(), []transcript.Input{transcript.Bytes("in", []byte(tc.text))}, nil)
		if len(tr.Snapshots) != tc.sessions || (tc.sessions == 0) != errors.Is(err, transcript.ErrNothing) {
			t.Errorf("%s: %d sessions, %v", tc.name, len(tr.Snapshots), err)
		}
		for _, s := range tr.Snapshots {
			if tc.name == "a dump opened twice" && s.Target.Bugcheck == nil {
				t.Errorf("%s: no stop code", tc.name)
			}
			if b := s.Target.Bugcheck; tc.name == "a dump beside one with locks" && b != nil {
				t.Errorf("%s: the stop code of the first dump is that of the second: %x", tc.name, b.Code)
			}
		}
	}
}
