package rules_test

import (
	"os"
	"strings"
	"testing"

	"kdlocks/rules"
)

// TestReferenceInDocs holds the reference of docs/rules.md against the tables of
// kinds, fields and operators.
func TestReferenceInDocs(t *testing.T) {
	const file, begin, end = "../docs/rules.md", "<!-- generated: go test ./rules -run Reference -update -->\n", "<!-- end of what is generated -->\n"
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(data), begin)
	_, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatal("docs/rules.md has no place for the reference")
	}
	want := head + begin + "\n" + rules.ReferencePage() + "\n" + end + tail
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want != string(data) {
		t.Error("the reference in docs/rules.md is not that of this engine (-update writes it)")
	}
}
