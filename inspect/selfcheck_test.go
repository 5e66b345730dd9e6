package inspect_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kdlocks/report"
)

// failedChecks returns the self-checks of a report that failed.
func failedChecks(r *report.Report) []string {
	var out []string
	for _, c := range r.SelfCheck {
		if c.Result == "failed" {
			out = append(out, c.ID)
		}
	}
	return out
}

// TestSoundLogsHaveOneRole: what was really printed by a debugger never takes
// an address for two things.
func TestSoundLogsHaveOneRole(t *testing.T) {
	captures, err := filepath.Glob("../testdata/corpus/*.log")
	if err != nil || len(captures) == 0 {
		t.Fatalf("no captures: %v", err)
	}
	for _, path := range append(captures, "../testdata/sis-self-deadlock.log") {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if r := analyze(t, text); slices.Contains(failedChecks(r), "one-role") {
			t.Errorf("%s: %+v", path, r.SelfCheck)
		}
	}
	for _, k := range loadCases(t) {
		if slices.Contains(failedChecks(analyze(t, k.input)), "one-role") && !k.contradicts {
			t.Errorf("%s fails for one-role", k.name)
		}
	}
}

// TestSoundScenesPassTheirChecks: generated logs have marks and numbers that do
// not fit, as real ones have, but no address in two roles, nothing in pieces and
// one session.
func TestSoundScenesPassTheirChecks(t *testing.T) {
	t.Parallel()
	eachScene(t, deadlocks, 1, []int{60, 400}, func(t *testing.T, s scene) {
		for _, c := range runText(t, []byte(s.text())).SelfCheck {
			if c.Result == "failed" && slices.Contains([]string{"one-role", "text-whole", "tools-agree", "one-session"}, c.ID) {
				t.Errorf("%s failed: %+v", c.ID, c.Places)
			}
			if len(c.Lowers) > 0 && c.Result == "passed" {
				t.Errorf("%s passed and lowers %+v", c.ID, c.Lowers)
			}
		}
	})
}

// TestSelfChecksAreToldOnce: what the text form says under Self-check does not
// stand among its notes, too.
func TestSelfChecksAreToldOnce(t *testing.T) {
	for _, k := range loadCases(t) {
		r := analyze(t, k.input)
		for _, c := range r.SelfCheck {
			for _, l := range c.Lowers {
				if f := r.Findings[l.Finding-1]; f.ID != l.ID || f.Grade != l.ToGrade || f.Confidence != l.ToConfidence {
					t.Errorf("%s: %s lowers %+v, but that finding is %s, %s, %s", k.name, c.ID, l, f.ID, f.Grade, f.Confidence)
				}
			}
		}
		text := string(part(k.archive, "report.txt"))
		for i := range r.Notes {
			n := &r.Notes[i]
			if n.At == nil {
				continue
			}
			if words := fmt.Sprintf("%s:%d: %s", n.At.Input, n.At.Line, n.Text); occurrences(text, words) > 1 {
				t.Errorf("%s: %q stands there more than once", k.name, words)
			}
		}
	}
}

// occurrences counts how often a text stands in another, however they are folded.
func occurrences(text, words string) int {
	unfold := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	return strings.Count(unfold(text), unfold(words))
}
