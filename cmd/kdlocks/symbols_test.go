package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kdlocks/dump/dumptest"
	"kdlocks/dump/symbols"
)

// kernelSymbols writes symbols of the kernel of a dump that name one function.
func kernelSymbols(t *testing.T, guid string, rva uint32) []byte {
	t.Helper()
	text, err := json.Marshal(map[string]any{
		"metadata":   map[string]any{"format": "6.1.0", "windows": map[string]any{"pdb": map[string]any{"GUID": guid, "age": 1, "database": "ntkrnlmp.pdb", "machine_type": 34404}}},
		"base_types": map[string]any{}, "enums": map[string]any{}, "user_types": map[string]any{},
		"symbols": map[string]any{"KxNamedByStore": map[string]any{"address": rva}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestSymbolStore names functions by symbols that lie in a folder as debuggers and
// volatility3 keep them, and only by those of the very build.
func TestSymbolStore(t *testing.T) {
	s, err := dumptest.Scenarios()["two threads"](dumptest.Options{Build: "10.0.19041.3324", Processors: 1})
	if err != nil {
		t.Fatal(err)
	}
	file := dumpFileOf(t, s, dumptest.KernelBitmap)
	nt := s.Machine.Truth().Modules[0]
	guid := nt.PDBID[:32]
	rva := nt.Symbols["ExAcquireResourceExclusiveLite"]
	other := "0123456789ABCDEF0123456789ABCDEF"
	for _, tc := range []struct {
		place, guid string
		found       bool
	}{
		{"ntkrnlmp.pdb/" + guid + "1/ntkrnlmp.pdb", guid, true},
		{"ntkrnlmp.pdb/" + guid + "-1.json", guid, true},
		{"windows/ntkrnlmp.pdb/" + guid + "-1.json", guid, true},
		{"ntkrnlmp.pdb", guid, true},
		{"ntkrnlmp.pdb", other, false},
		{"ntkrnlmp.pdb/" + guid + "1/ntkrnlmp.pdb", other, false},
		{"elsewhere/ntkrnlmp.pdb", guid, false},
	} {
		store := t.TempDir()
		name := filepath.Join(store, filepath.FromSlash(tc.place))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, kernelSymbols(t, tc.guid, rva), 0o644); err != nil {
			t.Fatal(err)
		}
		var out, errs bytes.Buffer
		if code := run(t.Context(), []string{"--symbols", store, "-o", "kd", file}, strings.NewReader(""), &out, &errs); code != exitFine {
			t.Fatalf("%s: exit code %d: %s", tc.place, code, errs.String())
		}
		if got := strings.Contains(out.String(), "nt!KxNamedByStore+0x"); got != tc.found {
			t.Errorf("%s with GUID %s: used %t, want %t", tc.place, tc.guid, got, tc.found)
		}
	}
}

// TestUnusedSymbols: a file that was named and belongs to another build is told.
func TestUnusedSymbols(t *testing.T) {
	name := filepath.Join(t.TempDir(), "ntkrnlmp.json")
	if err := os.WriteFile(name, kernelSymbols(t, "0123456789ABCDEF0123456789ABCDEF", 0x1000), 0o644); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	run(t.Context(), []string{"dump", "info", "--symbols", name, dumpFile(t, dumptest.KernelBitmap)}, strings.NewReader(""), &out, &errs)
	text := strings.Join(strings.Fields(out.String()), " ")
	if !strings.Contains(text, "the symbols with GUID 0123456789ABCDEF0123456789ABCDEF, age 1 belong to no image in the dump and are not used; the kernel's are ntkrnlmp.pdb, GUID ") {
		t.Errorf("%s%s", out.String(), errs.String())
	}
}

// TestNamesFromDumps: what a dump calls a PDB leads to no other place than the store.
func TestNamesFromDumps(t *testing.T) {
	for name, want := range map[string]string{
		"ntkrnlmp.pdb": "ntkrnlmp.pdb", `d:\build\obj\amd64\sis.pdb`: "sis.pdb", "../../etc/x.pdb": "x.pdb", `\\server\share\x.PDB`: "x.PDB",
		"..": "", "": "", ".pdb/..": "", "passwd": "", `x.pdb\`: "", "c:": "",
	} {
		places := placesInStore(symbols.ID{Name: name, GUID: "AB", Age: 0x1f})
		if want == "" {
			if len(places) > 0 {
				t.Errorf("%q leads to %q", name, places)
			}
			continue
		}
		if !slices.Contains(places, filepath.Join(want, "AB1F", want)) || slices.ContainsFunc(places, func(p string) bool { return !filepath.IsLocal(p) }) {
			t.Errorf("%q leads to %q", name, places)
		}
	}
}
