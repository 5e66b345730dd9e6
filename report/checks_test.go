package report_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"kdlocks/heuristics"
	"kdlocks/report"
)

var update = flag.Bool("update", false, "rewrite docs/checks")

// TestDocsOfChecks holds docs/checks to the documentation of the detectors, and
// its index to naming them all.
func TestDocsOfChecks(t *testing.T) {
	const folder = "../docs/checks"
	index, err := os.ReadFile(filepath.Join(folder, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	pages := map[string]bool{filepath.Join(folder, "README.md"): true}
	for _, c := range heuristics.Checks() {
		var page bytes.Buffer
		if err := report.CheckMarkdown(&page, c); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(folder, c.ID+".md")
		pages[path] = true
		if !bytes.Contains(index, []byte("["+c.ID+"]("+c.ID+".md)")) {
			t.Errorf("README.md of %s does not name %s", folder, c.ID)
		}
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
	for _, link := range regexp.MustCompile(`\(([a-z0-9-]+\.md)\)`).FindAllSubmatch(index, -1) {
		if !pages[filepath.Join(folder, string(link[1]))] {
			t.Errorf("README.md of %s names %s, which belongs to no detector", folder, link[1])
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
