package browser

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kdlocks/dump/dumptest"
	"kdlocks/rules"
)

// dumpFile writes a dump of a scenario into a file.
func dumpFile(t testing.TB, scenario, build string) string {
	t.Helper()
	s, err := dumptest.Scenarios()[scenario](dumptest.Options{Build: build, Processors: 2})
	if err != nil {
		t.Fatal(err)
	}
	return writtenDump(t, s, dumptest.KernelBitmap)
}

func writtenDump(t testing.TB, s *dumptest.Scenario, typ dumptest.DumpType) string {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "MEMORY.DMP"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Machine.Write(f, typ); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return f.Name()
}

// TestDumps reads crash dumps in the page, which says of them what the command line does.
func TestDumps(t *testing.T) {
	set, err := rules.Load([]rules.Source{rules.Builtin()}, time.Now().Format(time.DateOnly))
	if err != nil {
		t.Fatal(err)
	}
	p := openPage(t, serve(t, released(t)).URL)
	builds := dumptest.Builds()
	for _, x := range []struct{ scenario, build, verdict string }{
		{"self deadlock on an earlier segment", builds[0], "DEADLOCK"},
		{"orphan", builds[len(builds)/2], "ORPHANED LOCK"},
		{"contention", builds[len(builds)-1], "BLOCKED CHAIN"},
	} {
		path := dumpFile(t, x.scenario, x.build)
		before := p.turn()
		p.choose("#file", path)
		p.turned(before)
		if got := p.verdict(); !strings.HasPrefix(got, x.verdict) {
			t.Errorf("%s of %s: %s", x.scenario, x.build, got)
		}
		want, why := native(t, set, "MEMORY.DMP", []byte(readFile(t, path)))
		if why != "" {
			t.Fatal(why)
		}
		if diff := cmp.Diff(values(t, string(want)), values(t, p.saved("json"))); diff != "" {
			t.Errorf("%s of %s (- command line, + page):\n%.3000s", x.scenario, x.build, diff)
		}
		// What the debugger would print is there to be read, as evidence and as lines.
		if line := eval[string](p, `(async () => { document.getElementById("tab-read").click(); for (let i = 0; i < 100; i++) { const l = document.querySelector("#viewer .line"); if (l) return l.textContent; await new Promise((r) => setTimeout(r, 20)); } return ""; })()`); !strings.Contains(line, "Loading Dump File [MEMORY.DMP]") {
			t.Errorf("the first line is %q", line)
		}
		p.quiet()
	}
}

// TestDumpsThatAreNotRead says why: one in an archive, a small one, one of an application, and
// one that is cut.
func TestDumpsThatAreNotRead(t *testing.T) {
	p := openPage(t, serve(t, released(t)).URL)
	whole := []byte(readFile(t, dumpFile(t, "two threads", "")))
	s, err := dumptest.Scenarios()["two threads"](dumptest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		name string
		data []byte
		want string
	}{
		{"MEMORY.zip", zipped(t, string(whole)), "unpack it and drop the file itself here"},
		{"mini.dmp", []byte(readFile(t, writtenDump(t, s, dumptest.Triage))), "UNDECIDED"},
		{"app.dmp", append([]byte("MDMP\x93\xa7\x00\x00"), make([]byte, 5000)...), "a user-mode minidump"},
		{"cut.dmp", whole[:20_000], "UNDECIDED"},
	} {
		before := p.turn()
		p.drop("#input-side", file{x.name, x.data})
		p.turned(before)
		if got := p.text("#verdict"); !strings.Contains(got, x.want) {
			t.Errorf("%s: %s", x.name, got)
		}
		p.quiet()
	}
}

func values(t testing.TB, text string) (v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v: %.200s", err, text)
	}
	return v
}
