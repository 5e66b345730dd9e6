package rules_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"kdlocks/rules"
)

var update = flag.Bool("update", false, "rewrite what testdata and docs expect")

// builtin loads the packs that kdlocks ships with.
func builtin(t testing.TB) *rules.Set {
	t.Helper()
	set, err := rules.Load([]rules.Source{{Name: "packs", FS: os.DirFS("packs")}}, "")
	if err != nil {
		t.Fatalf("packs do not load:\n%v", err)
	}
	return set
}

func TestPacks(t *testing.T) {
	for _, r := range builtin(t).RunTests(judge) {
		if !r.Failed() {
			continue
		}
		t.Errorf("%s:%d: rule %s: %s: %s", r.Rule.File, r.Line, r.Rule.ID, r.Name, r.Err)
		for _, d := range r.Diffs {
			t.Errorf("    %s: want %s, got %s", d.Field, d.Want, d.Got)
		}
		for _, c := range r.Clauses {
			t.Errorf("    %s, line %d, %s: %s %v", c.Role, c.Line, c.Truth, c.Text, c.Missing)
		}
	}
}

// testLog is a log of the project's test data.
type testLog struct {
	name string
	data []byte
}

// allLogs are all logs of the test data: captures, cases, and those of the packs.
func allLogs(t testing.TB) []testLog {
	t.Helper()
	var out []testLog
	for _, pattern := range []string{"../testdata/*.log", "../testdata/corpus/*.log", "../testdata/samples/*.log", "../testdata/cases/*.txtar", "packs/*/testdata/*.log"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			name = strings.TrimPrefix(filepath.ToSlash(name), "../")
			if filepath.Ext(name) != ".txtar" {
				out = append(out, testLog{name, data})
				continue
			}
			for _, f := range txtar.Parse(data).Files {
				if f.Name == "input.txt" {
					out = append(out, testLog{name, f.Data})
				}
			}
		}
	}
	return out
}

// TestRulesAgainstAllLogs pins which rule says what of which log, so that a rule
// that holds for somebody else's log is seen. Rules that are silent and those that
// nothing in the log is about are left out.
func TestRulesAgainstAllLogs(t *testing.T) {
	set := builtin(t)
	var rows []string
	for _, log := range allLogs(t) {
		judged, _ := judge(log.name, log.data)
		for i, j := range judged {
			for _, r := range set.Judge(j) {
				if !r.Outcome.Fired() && !r.Has() && r.Outcome != rules.Excluded {
					continue
				}
				session := ""
				if len(judged) > 1 {
					session = fmt.Sprintf(" session %d", i+1)
				}
				rows = append(rows, fmt.Sprintf("%-50s %-16s %s%s", r.Rule.ID, r.Outcome, log.name, session))
			}
		}
	}
	slices.Sort(rows)
	got := strings.Join(slices.Compact(rows), "\n") + "\n"
	const golden = "testdata/all-logs.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("rules against logs (-want +got; -update rewrites the table, read the difference):\n%s", d)
	}
}
