package browser

import (
	"encoding/json"
	"strings"
	"testing"
)

type exampleFile struct{ File, Name, Verdict string }

func examples(t testing.TB) []exampleFile {
	t.Helper()
	var out []exampleFile
	if err := json.Unmarshal([]byte(readFile(t, "../page/examples/index.json")), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestExamples opens each example by its name.
func TestExamples(t *testing.T) {
	list := examples(t)
	if len(list) < 8 {
		t.Fatalf("%d examples", len(list))
	}
	p := openPage(t, serve(t, written(t)).URL)
	for _, e := range list {
		p.example(e.File)
		kind, _, _ := strings.Cut(p.verdict(), " (")
		if want := strings.ToUpper(strings.ReplaceAll(e.Verdict, "-", " ")); kind != want {
			t.Errorf("%s: %s, want %s", e.File, kind, want)
		}
		// What is seen is said.
		if said := p.text("#announce"); !strings.HasPrefix(said, strings.ReplaceAll(e.Verdict, "-", " ")) {
			t.Errorf("%s is announced as %q", e.File, said)
		}
	}
	p.quiet()
}
