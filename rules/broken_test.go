package rules_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rogpeppe/go-internal/txtar"

	"kdlocks/rules"
)

var update = flag.Bool("update", false, "rewrite what the files of testdata/broken expect")

// TestBroken reads files with one mistake each: they give one message, at its place.
func TestBroken(t *testing.T) {
	files, err := filepath.Glob("testdata/broken/*.txtar")
	if err != nil || len(files) < 100 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			broken(t, file)
		})
	}
}

func broken(t *testing.T, file string) {
	ar, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	last := &ar.Files[len(ar.Files)-1]
	if last.Name != "want" {
		t.Fatalf("the last file is %s", last.Name)
	}
	fsys := fstest.MapFS{}
	for _, f := range ar.Files[:len(ar.Files)-1] {
		fsys[f.Name] = &fstest.MapFile{Data: f.Data}
	}
	_, err = rules.Load([]rules.Source{{FS: fsys}}, "2026-11-21")
	problems := rules.ProblemsOf(err)
	if len(problems) != 1 {
		t.Errorf("%d problems: %v", len(problems), err)
	}
	got := problems.Error() + "\n"
	if *update {
		last.Data = []byte(got)
		if err := os.WriteFile(file, txtar.Format(ar), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got != string(last.Data) {
		t.Errorf("got\n%swant\n%s", got, last.Data)
	}
}
