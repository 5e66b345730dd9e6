package transcript_test

import (
	"reflect"
	"testing"

	"kdlocks/kd"
	"kdlocks/transcript"
)

const vertarget = `Windows 10 Kernel Version 19041 MP (8 procs) Free x64
Product: WinNt, suite: TerminalServer SingleUserTS
Built by: 19041.1.amd64fre.vb_release.191206-1406
Kernel base = 0xfffff807` + "`" + `2d000000 PsLoadedModuleList = 0xfffff807` + "`" + `2dc2a1b0
Debug session time: Mon Jan  4 10:11:12.345 2021 (UTC + 1:00)
System Uptime: 0 days 3:01:02.345
`

const analysis = `*******************************************************************************
*                        Bugcheck Analysis                                    *
*******************************************************************************

SYSTEM_SERVICE_EXCEPTION (3b)
An exception happened while executing a system service routine.
Arguments:
Arg1: 00000000c0000005, Exception code that caused the BugCheck
Arg2: fffff80412345678, Address of the instruction which caused the BugCheck
Arg3: ffffdf628a6b7158, Address of the context record
Arg4: 0000000000000000, zero.

Debugging Details:
------------------

BUGCHECK_CODE:  3b
BUGCHECK_P1: c0000005
PROCESS_NAME:  System
FAILURE_BUCKET_ID:  AV_drv!Read
Followup:     MachineOwner
`

func TestTarget(t *testing.T) {
	tr := read(t, "0: kd> vertarget\n"+vertarget+"0: kd> !analyze -v\n"+analysis+"0: kd> !locks\n"+lockA)
	if len(tr.Snapshots) != 1 {
		t.Fatalf("%d sessions", len(tr.Snapshots))
	}
	g := tr.Snapshots[0].Target
	got := []any{g.Build, g.Arch, g.Processors, g.BuiltBy, g.KernelBase, g.SessionTime, g.Process, g.FailureBucket}
	want := []any{"19041", kd.X64, 8, "19041.1.amd64fre.vb_release.191206-1406", kd.Addr(0xfffff8072d000000), "Mon Jan  4 10:11:12.345 2021 (UTC + 1:00)", "System", "AV_drv!Read"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	if b := g.Bugcheck; b == nil || b.Code != 0x3b || b.Name != "SYSTEM_SERVICE_EXCEPTION" || !reflect.DeepEqual(b.Args, []kd.Addr{0xc0000005, 0xfffff80412345678, 0xffffdf628a6b7158, 0}) {
		t.Errorf("bugcheck %+v", b)
	}
	for i, st := range tr.Sources[0].Status {
		if st == transcript.NotUnderstood {
			t.Errorf("not understood: %q", tr.Sources[0].Line(int32(i)+1))
		}
	}
}

// TestStopCodes: another stop code is another session; the same one, in any
// form, is not, and neither is one that was asked for.
func TestStopCodes(t *testing.T) {
	for _, tc := range []struct {
		name, between string
		sessions      int
		code          uint32
	}{
		{"same code in three forms", "BugCheck 3B, {c0000005, fffff80412345678, ffffdf628a6b7158, 0}\n" + analysis + "kd> .bugcheck\nBugcheck code 0000003B\nArguments 00000000`c0000005 fffff804`12345678 ffffdf62`8a6b7158 00000000`00000000\n", 1, 0x3b},
		{"another code", "BUGCHECK_CODE:  9f\n", 2, 0x3b},
		{"another title with its arguments", "DRIVER_POWER_STATE_FAILURE (9f)\nA driver has failed.\nArguments:\n", 2, 0x3b},
		{"a code that the debugger does not know", "Unknown bugcheck code (19c)\nUnknown bugcheck description\nArguments:\nArg1: 0000000000000050\n", 2, 0x3b},
		{"a title alone", "DRIVER_POWER_STATE_FAILURE (9f)\n", 1, 0x3b},
		{"an explanation that was asked for", "kd> !analyze -show 0x9F 0x3\nDRIVER_POWER_STATE_FAILURE (9f)\nA driver has failed to complete a power IRP.\nArguments:\nArg1: 0000000000000003, a device object\n", 1, 0x3b},
	} {
		tr := read(t, "kd> !analyze -v\n"+analysis+"kd> !locks\n"+lockA+tc.between+"kd> !locks\n"+lockA)
		if len(tr.Snapshots) != tc.sessions {
			t.Errorf("%s: %d sessions", tc.name, len(tr.Snapshots))
		}
		if b := tr.Snapshots[0].Target.Bugcheck; b == nil || b.Code != tc.code || len(b.Args) != 4 || b.Args[0] != 0xc0000005 {
			t.Errorf("%s: bugcheck %+v", tc.name, b)
		}
	}
}

// TestNoStopCode: capital letters and numbers in prose are none.
func TestNoStopCode(t *testing.T) {
	tr := read(t, "kd> !locks\n"+lockA+"kd> * notes\nI saw SYSTEM_SERVICE_EXCEPTION (3b) today\nNOTE (3b)\nFILE_LOCK (mine)\nArguments follow\nArg5: 1\nArg1 is zero\n")
	if b := tr.Snapshots[0].Target.Bugcheck; b != nil {
		t.Errorf("bugcheck %+v", b)
	}
	if n := tr.Sources[0].Understood(); n > 5 {
		t.Errorf("%d lines understood", n)
	}
}
