package redact

import (
	"flag"
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"kdlocks/stacks"
)

var update = flag.Bool("update", false, "rewrite words.txt")

// speakers are the packages whose words stand in logs that are understood, and in
// what is said of them.
var speakers = []string{"collect", "compare", "heuristics", "inspect", "kd", "locks", "memory", "modules", "objects", "picture", "report", "rules", "snapshot", "stacks", "threads", "transcript", "waitgraph"}

// markup are files of tags and headings, of which none stands in a log.
var markup = []string{"htmlfinding.go", "htmlpage.go"}

// people are authors that references of rules name: names of users elsewhere.
var people = []string{"alex", "carp"}

// TestWordsAreKnown: all words of literals in the program and of rules are in the
// vocabulary. What a reader or a rule looks for and redaction takes away would
// change the verdict.
func TestWordsAreKnown(t *testing.T) {
	want := map[string]bool{}
	for _, dir := range speakers {
		paths, err := filepath.Glob("../" + dir + "/*.go")
		if err != nil || len(paths) == 0 {
			t.Fatalf("no files in %s: %v", dir, err)
		}
		for _, p := range paths {
			if !strings.HasSuffix(p, "_test.go") && !slices.Contains(markup, filepath.Base(p)) {
				literalWords(t, p, want)
			}
		}
	}
	err := filepath.WalkDir("../rules/packs", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && d.Name() == "testdata" {
			return fs.SkipDir
		}
		if err != nil || d.IsDir() || filepath.Ext(path) != ".yaml" {
			return err
		}
		data, err := os.ReadFile(path)
		textWords(string(data), true, want)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		text := strings.Join(slices.Sorted(maps.Keys(want)), "\n") + "\n"
		if err := os.WriteFile("words.txt", []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	v := known()
	var missing []string
	for w := range want {
		if p, ok := strings.CutSuffix(w, "*"); ok && (slices.Contains(v.prefixes, p) || slices.Contains(v.modules, p)) || v.has(w) {
			continue
		}
		missing = append(missing, w)
	}
	if len(missing) > 0 {
		slices.Sort(missing)
		t.Errorf("words.txt lacks %d words; go test ./redact -run WordsAreKnown -update adds them: %q", len(missing), missing)
	}
}

func literalWords(t *testing.T, path string, to map[string]bool) {
	f, err := parser.ParseFile(gotoken.NewFileSet(), path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ImportSpec:
			return false
		case *ast.BasicLit:
			if n.Kind == gotoken.STRING {
				s, err := strconv.Unquote(n.Value)
				if err != nil {
					t.Fatal(err)
				}
				textWords(s, false, to)
			}
		}
		return true
	})
}

// textWords adds the words of a text. A word of a rule that ends with an asterisk stands
// for all that begin so.
func textWords(s string, ofRule bool, to map[string]bool) {
	for i := 0; i < len(s); {
		n := wordLen(s[i:])
		if n == 0 {
			i++
			continue
		}
		if strings.HasPrefix(s[i:], "http://") || strings.HasPrefix(s[i:], "https://") {
			i += strings.IndexAny(s[i:]+" ", " \"'`)>\n") // names its author
			continue
		}
		w := strings.TrimLeft(lower(s[i:i+n]), "_")
		asterisk := ofRule && len(w) >= 3 && i+n < len(s) && s[i+n] == '*' && !strings.HasSuffix(s[:i], "*") && !ofWindows(s[:i])
		i += n
		if strings.HasPrefix(w, "contoso") || slices.Contains(people, w) {
			continue // made up, in examples; authors, in references
		}
		if len(w) > 1 && hexLen(strings.TrimPrefix(w, "0x")) < len(w)-2 && !isDigit(w[0]) || allLetters(w) && len(w) > 1 {
			if asterisk {
				to[w+"*"] = true
			}
			to[strings.TrimRight(w, "_")] = true
		}
	}
}

// ofWindows reports whether a text ends with a module of Windows, whose functions
// need no vocabulary.
func ofWindows(s string) bool {
	s, ok := strings.CutSuffix(s, "!")
	return ok && stacks.OfWindows(s[strings.LastIndexAny(s, " \"'[{,")+1:])
}
