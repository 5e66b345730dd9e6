package rules

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"
)

// keptOf encodes the nodes of a file alone, and returns them without the checksum.
func keptOf(t testing.TB, data []byte) string {
	t.Helper()
	out, err := EncodeParsed([][]byte{data})
	if err != nil {
		t.Fatal(err)
	}
	_, width := uvarint(string(out[checksumBytes:]))
	return string(out[checksumBytes+width:])
}

// Nodes that were kept are those that the YAML parser makes.
func TestKeptNodesAreThoseOfYAML(t *testing.T) {
	texts := map[string][]byte{
		"quotes":   []byte("a: \"x: \\\"y\\\" [\"\nb: 'it''s, '\n\"c\": \"\"\nd: ''\n"),
		"brackets": []byte("a: [one, two: three, {k: v, \"q\": \"]\"}, [], 'x'  ]\nb: {}\nc: text, with ] and } # remark\n"),
		"blocks":   []byte("# remark\n- |\n  two\n  lines\n- >\n  two\n  lines\n- plain over\n  two lines\n- k: # remark\n    - 7\n    - true\n    - 1.5\n"),
		"nothing":  []byte("a:\nb: ~\nc:\n  - \nd: 1"),
		"letters":  []byte("ä: ö\nü: [ß, €, x]\n\"né\": 'ó'\n"),
	}
	names, err := filepath.Glob("packs/*/rules/*.yaml")
	if err != nil || len(names) == 0 {
		t.Fatalf("no packs: %v", err)
	}
	for _, name := range names {
		if texts[name], err = os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	var r nodeReader
	for name, text := range texts {
		var doc yaml.Node
		if err := yaml.Load(text, &doc); err != nil {
			t.Fatal(err)
		}
		withoutComments(&doc)
		if diff := cmp.Diff(doc.Content[0], r.file(keptOf(t, text), string(text))); diff != "" {
			t.Errorf("%s: -YAML +kept\n%s", name, diff)
		}
	}
}

func withoutComments(n *yaml.Node) {
	n.HeadComment, n.LineComment, n.FootComment = "", "", ""
	for _, c := range n.Content {
		withoutComments(c)
	}
}

// FuzzKeptNodes: bytes that are no nodes are refused, and do no harm.
func FuzzKeptNodes(f *testing.F) {
	text := "a: [one, 'two']\nb:\n  - \"three\n"
	f.Add(keptOf(f, []byte("a: [one, 'two']\nb:\n  - \"three\"\n")), text)
	f.Add(keptOf(f, []byte("a: |\n  x\n")), "a")
	f.Fuzz(func(_ *testing.T, b, text string) {
		var r nodeReader
		r.file(b, text)
	})
}
