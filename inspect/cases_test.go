package inspect_test

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"kdlocks/heuristics"
	"kdlocks/inspect"
	"kdlocks/report"
	"kdlocks/transcript"
)

var update = flag.Bool("update", false, "rewrite the expected parts of the cases and docs/waits.md")

// kase is one file of testdata/cases: where the text comes from, which
// detectors must find something in it, which must stay silent and which lack a
// fact, the input, what was read and what is reported.
type kase struct {
	name, path string
	archive    *txtar.Archive
	input      []byte
	hits       []string
	nearMisses []string
	missing    []missingFact
	// contradicts is set by a line "contradicts itself": what a later part
	// says of an earlier one is lost when parts are cut off or turned around.
	contradicts bool
}

// missingFact is a line "missing: id command" of a case: the fact that the
// detector decides by is not in the input, and the command supplies it.
type missingFact struct{ id, command string }

func loadCases(t testing.TB) []kase {
	t.Helper()
	paths, err := filepath.Glob("../testdata/cases/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	var out []kase
	for _, p := range paths {
		a, err := txtar.ParseFile(p)
		if err != nil {
			t.Fatal(err)
		}
		k := kase{name: strings.TrimSuffix(filepath.Base(p), ".txtar"), path: p, archive: a, input: part(a, "input.txt")}
		for line := range strings.SplitSeq(string(a.Comment), "\n") {
			k.contradicts = k.contradicts || line == "contradicts itself"
			if id, ok := strings.CutPrefix(line, "hit: "); ok {
				k.hits = append(k.hits, id)
			}
			if id, ok := strings.CutPrefix(line, "near-miss: "); ok {
				k.nearMisses = append(k.nearMisses, id)
			}
			if fact, ok := strings.CutPrefix(line, "missing: "); ok {
				id, command, _ := strings.Cut(fact, " ")
				k.missing = append(k.missing, missingFact{id, command})
			}
		}
		out = append(out, k)
	}
	return out
}

func part(a *txtar.Archive, name string) []byte {
	for _, f := range a.Files {
		if f.Name == name {
			return f.Data
		}
	}
	return nil
}

func setPart(a *txtar.Archive, name string, data []byte) {
	for i := range a.Files {
		if a.Files[i].Name == name {
			a.Files[i].Data = data
			return
		}
	}
	a.Files = append(a.Files, txtar.File{Name: name, Data: data})
}

// analyze runs one input; it fails the test if nothing is recognised.
func analyze(t testing.TB, data []byte) *report.Report {
	t.Helper()
	r, err := inspect.Run(context.Background(), []inspect.Input{inspect.Bytes("input.txt", data)}, inspect.Options{})
	if err != nil {
		t.Fatalf("Run: %v", err)
	}
	return r
}

// model returns the canonical text of what was read.
func model(t testing.TB, data []byte) string {
	t.Helper()
	tr, err := transcript.Read(context.Background(), []transcript.Input{transcript.Bytes("input.txt", data)}, nil)
	if err != nil {
		t.Fatalf("Read: %v", err)
	}
	var b strings.Builder
	for _, s := range tr.Snapshots {
		b.WriteString(s.String())
	}
	return b.String()
}

func TestCases(t *testing.T) {
	for _, k := range loadCases(t) {
		t.Run(k.name, func(t *testing.T) {
			r := analyze(t, k.input)
			var text bytes.Buffer
			if err := report.WriteText(&text, r, report.Style{}); err != nil {
				t.Fatal(err)
			}
			checkDetectors(t, k, r)
			read := model(t, k.input)
			if *update {
				setPart(k.archive, "snapshot.txt", []byte(read))
				setPart(k.archive, "report.txt", text.Bytes())
				if err := os.WriteFile(k.path, txtar.Format(k.archive), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if d := cmp.Diff(string(part(k.archive, "snapshot.txt")), read); d != "" {
				t.Errorf("snapshot (-want +got):\n%s", d)
			}
			if d := cmp.Diff(string(part(k.archive, "report.txt")), text.String()); d != "" {
				t.Errorf("report (-want +got):\n%s", d)
			}
		})
	}
}

func checkDetectors(t *testing.T, k kase, r *report.Report) {
	t.Helper()
	found := findingIDs(r)
	for _, id := range k.hits {
		if !slices.Contains(found, id) {
			t.Errorf("%s found nothing; findings: %v", id, found)
		}
	}
	for _, id := range k.nearMisses {
		if slices.Contains(found, id) {
			t.Errorf("%s is not silent", id)
		}
	}
	for _, m := range k.missing {
		checkMissing(t, m, r)
	}
}

// checkMissing: without its fact a detector says nothing, or that it is not
// sure, and the report asks for the fact.
func checkMissing(t *testing.T, m missingFact, r *report.Report) {
	t.Helper()
	var asked []string
	for _, f := range r.Findings {
		unsure := f.Kind == string(heuristics.Undecided) || f.Kind == string(heuristics.SuspectedDeadlock) || f.Confidence == string(heuristics.Possible)
		if f.ID == m.id && !unsure {
			t.Errorf("%s claims %s (%s) without the fact that %q would supply", f.ID, f.Kind, f.Confidence, m.command)
		}
		asked = append(asked, f.NextCommands...)
	}
	for _, g := range r.Gaps {
		asked = append(asked, g.NextCommand)
	}
	supplies := func(c string) bool { return strings.HasPrefix(c, m.command) }
	if m.command == "" || !slices.ContainsFunc(asked, supplies) {
		t.Errorf("%s lacks a fact and nothing asks for it with %q; asked: %q", m.id, m.command, asked)
	}
}

// TestEveryFindingSaysWhatNext: a command that can be typed, its addresses
// filled in, and what would disprove the finding.
func TestEveryFindingSaysWhatNext(t *testing.T) {
	for _, k := range loadCases(t) {
		for _, f := range analyze(t, k.input).Findings {
			if len(f.NextCommands) == 0 || f.Disproof == "" || f.Remedy == "" || len(f.Evidence) == 0 {
				t.Errorf("%s: %s: next %q, disproof %q, remedy %q, %d pieces of evidence", k.name, f.ID, f.NextCommands, f.Disproof, f.Remedy, len(f.Evidence))
			}
			for _, c := range f.NextCommands {
				if strings.ContainsAny(c, "<>") {
					t.Errorf("%s: %s: %q can't be typed", k.name, f.ID, c)
				}
			}
		}
	}
}

func findingIDs(r *report.Report) []string {
	var ids []string
	for _, f := range r.Findings {
		ids = append(ids, f.ID)
	}
	return ids
}

// TestEveryCheckHasCases holds the promise of the registry: documentation, a
// case in which the detector finds something with all facts at hand, one in
// which it is tempted and stays silent, and one that lacks the fact it decides
// by.
func TestEveryCheckHasCases(t *testing.T) {
	hits, misses, missing := map[string]int{}, map[string]int{}, map[string]int{}
	for _, k := range loadCases(t) {
		for _, m := range k.missing {
			missing[m.id]++
		}
		for _, id := range k.hits {
			if !slices.ContainsFunc(k.missing, func(m missingFact) bool { return m.id == id }) {
				hits[id]++
			}
		}
		for _, id := range k.nearMisses {
			misses[id]++
		}
	}
	for _, c := range heuristics.Checks() {
		for _, p := range c.Parts() {
			if strings.TrimSpace(p.Text) == "" {
				t.Errorf("%s: no text under %q", c.ID, p.Head)
			}
		}
		if c.Title == "" || c.Severity == "" {
			t.Errorf("%s: no title or severity", c.ID)
		}
		if hits[c.ID] == 0 || misses[c.ID] == 0 || missing[c.ID] == 0 {
			t.Errorf("%s: %d hit cases, %d near misses, %d that lack a fact", c.ID, hits[c.ID], misses[c.ID], missing[c.ID])
		}
		for _, cases := range []map[string]int{hits, misses, missing} {
			delete(cases, c.ID)
		}
	}
	for _, cases := range []map[string]int{hits, misses, missing} {
		for id := range cases {
			t.Errorf("a case names %s, which is no detector", id)
		}
	}
}
