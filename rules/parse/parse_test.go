package parse

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"kdlocks/rules/tree"
)

// texts are YAML of all forms, and what is none.
func texts(t testing.TB) map[string]string {
	t.Helper()
	out := map[string]string{
		"quotes":     "a: \"x: \\\"y\\\" [\"\nb: 'it''s, '\n\"c\": \"\"\nd: ''\n",
		"brackets":   "a: [one, two: three, {k: v, \"q\": \"]\"}, [], 'x'  ]\nb: {}\nc: text, with ] and } # remark\n",
		"blocks":     "# remark\n- |\n  two\n  lines\n- >\n  two\n  lines\n- plain over\n  two lines\n- k: # remark\n    - 7\n    - true\n    - 1.5\n",
		"nothing":    "a:\nb: ~\nc:\n  - \nd: 1",
		"letters":    "ä: ö\nü: [ß, €, x]\n\"né\": 'ó'\n",
		"anchors":    "a: &x {b: 1}\nc: *x\nd: &y\n  - &z 'q'\n<<: *x\n",
		"tags":       "a: !!str 5\nb: !mine {x: !<tag:yaml.org,2002:int> 7}\nc: !!binary aGk=\nd: 2026-11-21\ne: ! x\nf: &g !!str\n",
		"keys":       "? [a, b]\n: {c: d}\n? |\n  text\n: -\n",
		"dashes":     "- - - a\n    - b\n-\n  - c\n",
		"documents":  "--- a\n...\n",
		"directives": "%YAML 1.2\n---\na: b\n",
		"two":        "a: b\n---\nc: d\n",
		"mark":       "a: b\n\ufeffc: d\n",
		"empty":      "\n# nothing\n",
		"misplaced":  "a: b\n c: d\n",
		"unclosed":   "a: \"b\nc: d\n",
		"tab":        "a:\n\tb: c\n",
		"alias":      "a: *nothing\n",
		"end":        "a: \"",
		"deep":       strings.Repeat("[", mostDepth) + strings.Repeat("]", mostDepth),
		"both deep":  strings.Repeat("- ", mostDepth/2) + strings.Repeat("[", mostDepth) + strings.Repeat("]", mostDepth),
		"too deep":   strings.Repeat("[", mostDepth+1) + strings.Repeat("]", mostDepth+1),
		"deeper":     strings.Repeat("[", 20_000),
	}
	files, err := filepath.Glob("../packs/*/rules/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no packs: %v", err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		out[name] = string(data)
	}
	if files, err = filepath.Glob("../testdata/broken/*.txtar"); err != nil || len(files) == 0 {
		t.Fatalf("no broken files: %v", err)
	}
	for _, name := range files {
		ar, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range ar.Files[:len(ar.Files)-1] {
			out[name+" "+f.Name] = string(f.Data)
		}
	}
	return out
}

// same reads what is written of a text, and returns how many bytes that is.
func same(t *testing.T, data string) int {
	t.Helper()
	text, why, _ := tree.PlainText([]byte(data))
	if why != "" {
		return 0
	}
	root, mistake := Text(text)
	b := string(tree.Append(nil, text, root, mistake))
	gotRoot, gotMistake := new(tree.Reader).Read(b, text)
	if !reflect.DeepEqual(root, gotRoot) || !reflect.DeepEqual(mistake, gotMistake) {
		t.Errorf("%.200q: - parsed, + written and read\n%.2000s%.2000s", text, cmp.Diff(root, gotRoot), cmp.Diff(mistake, gotMistake))
	}
	if lines := 1 + strings.Count(text, "\n"); mistake != nil && (mistake.Line < 1 || mistake.Line > lines || mistake.Column < 1 || mistake.Text == "") {
		t.Errorf("%.200q of %d lines: %+v", text, lines, mistake)
	}
	return len(b)
}

// What is read of the bytes is what was parsed, whatever YAML can be.
func TestWrittenAndRead(t *testing.T) {
	for name, text := range texts(t) {
		t.Run(name, func(t *testing.T) { same(t, text) })
	}
}

// A file that would take long takes no longer for what is written of it.
func TestWrittenInTime(t *testing.T) {
	const n = 1 << 17
	for name, text := range map[string]string{
		"one line":          "[" + strings.Repeat("a,", n) + "b]",
		"one line of keys":  "{" + strings.Repeat("a: b,", n) + "c: d}",
		"quotes":            "[" + strings.Repeat(`"a",`, n) + "b]",
		"lines":             strings.Repeat("- a\n", n),
		"a mark, then many": "- \ufeffa\n" + strings.Repeat("- a\n", n),
		"anchors":           "[" + strings.Repeat("&a b,", n) + "c]",
		"aliases":           "[&a b," + strings.Repeat("*a,", n) + "c]",
	} {
		begin := time.Now()
		size := same(t, text)
		t.Logf("%s: %d bytes of %d in %v", name, size, len(text), time.Since(begin))
		if size > 8*len(text) {
			t.Errorf("%s: %d bytes of %d", name, size, len(text))
		}
	}
}

func FuzzText(f *testing.F) {
	for _, text := range texts(f) {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) < 1<<16 {
			same(t, text)
		}
	})
}
