package rules_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/txtar"

	"kdlocks/heuristics"
	"kdlocks/rules"
)

// samples are logs that rules which load are asked about.
var samples = sync.OnceValue(func() []*heuristics.Judgement {
	var out []*heuristics.Judgement
	for _, name := range []string{"sis-self-deadlock.log", "corpus/020-dokany-pr426-abba.log"} {
		data, err := os.ReadFile("../testdata/" + name)
		if err != nil {
			panic(err)
		}
		js, err := judge(name, data)
		if err != nil {
			panic(err)
		}
		out = append(out, js...)
	}
	return out
})

// FuzzLoad reads rule text from strangers: whatever it holds, it is read in
// bounded time, its mistakes have their place in it, what loads can be asked, and
// whatever its tests say, something is told of the clauses.
func FuzzLoad(f *testing.F) {
	for _, file := range seeds(f) {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		if filepath.Ext(file) != ".txtar" {
			f.Add(data)
			continue
		}
		for _, part := range txtar.Parse(data).Files {
			if part.Name != "want" {
				f.Add(part.Data)
			}
		}
	}
	f.Add([]byte(sound))
	f.Add([]byte(sis))
	f.Add([]byte(rules.Skeleton("sample")))
	f.Add([]byte(strings.Replace(rules.Skeleton("sample"), "    boost:\n", "      - any: [{lock: {state: shared}}, [{lock: {waiting: 2}}, {thread: {stack: {seq: [\"mydrv!X\"], top: true, within: 2}}, count: {gte: 2}}]]\n    boost:\n", 1)))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, name := range []string{"rule.yaml", "pack.yaml"} {
			loaded(t, name, data)
		}
	})
}

// seeds are the files of the packs and the broken ones.
func seeds(t testing.TB) []string {
	out, err := filepath.Glob("testdata/broken/*.txtar")
	if err != nil || len(out) == 0 {
		t.Fatal(len(out), err)
	}
	err = filepath.WalkDir("packs", func(p string, _ fs.DirEntry, err error) error {
		if err == nil && filepath.Ext(p) == ".yaml" {
			out = append(out, p)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func loaded(t *testing.T, name string, data []byte) {
	fsys := fstest.MapFS{name: &fstest.MapFile{Data: data}}
	begin := time.Now()
	set, err := rules.Load([]rules.Source{{FS: fsys}}, "2026-11-21")
	if took := time.Since(begin); took > 5*time.Second {
		t.Fatalf("%d bytes took %v", len(data), took)
	}
	if err != nil {
		problems := rules.ProblemsOf(err)
		if len(problems) == 0 {
			t.Fatalf("no place: %v", err)
		}
		lines := 1 + strings.Count(string(data), "\n") + strings.Count(string(data), "\r") + strings.Count(string(data), "\u0085") + strings.Count(string(data), "\u2028") + strings.Count(string(data), "\u2029")
		utf16 := strings.HasPrefix(string(data), "\xff\xfe") || strings.HasPrefix(string(data), "\xfe\xff")
		for _, p := range problems {
			if p.File != name || p.Line < 1 || p.Col < 1 || p.Text == "" || p.Line > lines && !utf16 {
				t.Fatalf("%d lines: %#v", lines, p)
			}
			if p.Col > utf8.RuneCountInString(p.Source)+1 {
				t.Fatalf("column behind the line: %#v", p)
			}
			if s := p.Error(); strings.ContainsAny(s, "\x00\x1b\x07") || strings.Count(s, "\n") > 2 {
				t.Fatalf("not printable: %q", s)
			}
		}
		return
	}
	for _, j := range samples() {
		begin := time.Now()
		set.Judge(j)
		if took := time.Since(begin); took > 10*time.Second {
			t.Fatalf("%d bytes judged in %v", len(data), took)
		}
	}
	begin = time.Now()
	results := set.ExplainTests(func(string, []byte) ([]*heuristics.Judgement, error) { return samples(), nil })
	if took := time.Since(begin); took > 30*time.Second {
		t.Fatalf("%d bytes explained in %v", len(data), took)
	}
	for i := range results {
		if r := &results[i]; r.Err == "" && len(r.Clauses) == 0 && r.Note == "" {
			t.Fatalf("nothing is told of test %s of rule %s: want %s, got %s", r.Name, r.Rule.ID, r.Want, r.Got)
		}
	}
}
