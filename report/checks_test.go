package report_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"kdlocks/heuristics"
	"kdlocks/report"
)

var update = flag.Bool("update", false, "rewrite docs/checks")

// TestDocsOfChecks holds docs/checks to the documentation of the detectors.
func TestDocsOfChecks(t *testing.T) {
	const folder = "../docs/checks"
	pages := map[string]bool{}
	for _, c := range heuristics.Checks() {
		var page bytes.Buffer
		if err := report.CheckMarkdown(&page, c); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(folder, c.ID+".md")
		pages[path] = true
		if *update {
			if err := os.MkdirAll(folder, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, page.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		got, err := os.ReadFile(path)
		if err != nil || !bytes.Equal(got, page.Bytes()) {
			t.Errorf("%s is not what the detector says (%v); run the tests with -update", path, err)
		}
	}
	files, err := filepath.Glob(folder + "/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !pages[f] {
			t.Errorf("%s belongs to no detector", f)
		}
	}
}
