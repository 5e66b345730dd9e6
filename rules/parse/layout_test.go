package parse

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestLayoutOfSoundFiles holds that layout finds nothing in files that are read: it
// must not blame a line of a broken file that has nothing to do with it.
func TestLayoutOfSoundFiles(t *testing.T) {
	files := 0
	err := filepath.WalkDir("../packs", func(p string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(p) != ".yaml" {
			return err
		}
		data, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		files++
		if bad := Misplaced(strings.Split(string(data), "\n")); bad != nil {
			t.Errorf("%s:%d:%d: %s", p, bad.Line, bad.Column, bad.Text)
		}
		return nil
	})
	if err != nil || files == 0 {
		t.Fatal(files, err)
	}
	for _, text := range []string{
		"a:\n- b\n- c: 1\n  d: 2\ne: 3",
		"a: [\n  1,\n  2\n]\nb: {x: 'it''s', y: \"a \\\" b\"}",
		"a: one\n  two\n  three\nb: |\n  x: y\n\n    z\n  - w\nc: >-\n  text\n",
		"---\n# comment\n- a: http://x # comment\n  b: a:b\n-\n  c: 1\n",
		"a: \"one\n  two: three\"\nb: it's {not} [flow] \"here\"",
		"\"a b\": 1\n'c': - 2",
		"a:\n  - - 1\n    - 2\n  - 3",
	} {
		if bad := Misplaced(strings.Split(text, "\n")); bad != nil {
			t.Errorf("%q: line %d:%d: %s", text, bad.Line, bad.Column, bad.Text)
		}
	}
}
