package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kdlocks/dump/dumptest"
)

// dumpFile writes a dump of a thread that is deadlocked on itself.
func dumpFile(t *testing.T, typ dumptest.DumpType) string {
	t.Helper()
	s, err := dumptest.SelfDeadlockOnStack(dumptest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return dumpFileOf(t, s, typ)
}

func dumpFileOf(t *testing.T, s *dumptest.Scenario, typ dumptest.DumpType) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "crash.bin")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := s.Machine.Write(f, typ); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestDumps(t *testing.T) {
	kernel, triage := dumpFile(t, dumptest.KernelBitmap), dumpFile(t, dumptest.Triage)
	for _, tc := range []struct {
		args []string
		code int
		want []string
	}{
		{[]string{kernel}, exitFound, []string{"DEADLOCK (certain)", "has deadlocked on itself"}},
		{[]string{"-o", "kd", kernel}, exitFine, []string{"Loading Dump File [", "kd> !locks -v", "Exclusively owned", "THREAD ", "nt!ExAcquireResourceExclusiveLite+0x1c2"}},
		{[]string{"locks", kernel}, exitFine, []string{"exclusive"}},
		{[]string{"dump", "info", kernel}, exitFine, []string{"kernel dump of x64, build 19041", "ntkrnlmp.pdb", "10.0.19041.329"}},
		{[]string{"dump", "info", "-o", "json", triage}, exitFine, []string{`"type": "small (triage) dump"`, `"decides": true`}},
		{[]string{"redact", "-q", kernel}, exitFine, []string{"kd> !locks -v", "Exclusively owned"}},
		{[]string{triage}, exitUndecided, []string{"Undecided: the list of locks"}},
	} {
		var out, errs bytes.Buffer
		code := run(t.Context(), tc.args, strings.NewReader(""), &out, &errs)
		if code != tc.code {
			t.Errorf("%q: exit code %d: %s", tc.args, code, errs.String())
		}
		for _, w := range tc.want {
			if !strings.Contains(out.String(), w) {
				t.Errorf("%q prints no %q:\n%s%s", tc.args, w, out.String(), errs.String())
			}
		}
	}
}

// TestSymbolsThatAreNone are told by their name.
func TestSymbolsThatAreNone(t *testing.T) {
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"--symbols", "dump_test.go", dumpFile(t, dumptest.Full)}, strings.NewReader(""), &out, &errs); code != exitTrouble || !strings.Contains(errs.String(), "dump_test.go: neither a PDB") {
		t.Errorf("exit code %d: %s", code, errs.String())
	}
}

// TestOnlyDumpsAreListed: a log is no dump.
func TestOnlyDumpsAreListed(t *testing.T) {
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"-o", "kd", "../../testdata/sis-self-deadlock.log"}, strings.NewReader(""), &out, &errs); code != exitTrouble || !strings.Contains(errs.String(), "no crash dump") {
		t.Errorf("exit code %d: %s", code, errs.String())
	}
}
