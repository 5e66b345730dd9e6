package rules_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"kdlocks/rules"
	"kdlocks/rules/parse"
)

// TestKeptPacks holds parsed.bin against the files of the packs.
func TestKeptPacks(t *testing.T) {
	var want []byte
	for _, pattern := range []string{"packs/*/pack.yaml", "packs/*/rules/*.yaml"} {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) == 0 {
			t.Fatalf("no packs: %v", err)
		}
		for _, name := range names {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			root, mistake := parse.Text(string(data))
			if mistake != nil {
				t.Fatalf("%s:%d:%d: %s", name, mistake.Line, mistake.Column, mistake.Text)
			}
			want = rules.AppendKept(want, data, root)
		}
	}
	if *update {
		if err := os.WriteFile("parsed.bin", want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile("parsed.bin")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("parsed.bin is not that of the packs: loading them is slow, and the engine of the page cannot (-update writes it)")
	}
}
