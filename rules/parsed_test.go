package rules_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"kdlocks/rules"
)

// TestParsedPacks holds parsed.bin against the files of the packs.
func TestParsedPacks(t *testing.T) {
	names, err := filepath.Glob("packs/*/rules/*.yaml")
	if err != nil || len(names) == 0 {
		t.Fatalf("no packs: %v", err)
	}
	var files [][]byte
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, data)
	}
	want, err := rules.EncodeParsed(files)
	if err != nil {
		t.Fatal(err)
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
		t.Error("parsed.bin is not that of the packs: it makes no rule wrong, but loading slow (-update writes it)")
	}
}
