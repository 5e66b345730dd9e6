package inspect_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"kdlocks/heuristics"
	"kdlocks/inspect"
	"kdlocks/memory"
	"kdlocks/report"
	"kdlocks/rules"
	"kdlocks/snapshot"
	"kdlocks/transcript"
)

// sample is an entry of testdata/samples/INDEX.yaml: debugger output that somebody
// posted, and the truth about it.
type sample struct {
	File, At string
	Truth    map[string]any
}

func (s *sample) path() string {
	if s.At != "" {
		return filepath.Join("../testdata/samples", s.At)
	}
	return filepath.Join("../testdata/samples", s.File)
}

func loadSamples(t testing.TB) []sample {
	t.Helper()
	text, err := os.ReadFile("../testdata/samples/INDEX.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var index struct{ Samples []sample }
	if err := yaml.Unmarshal(text, &index); err != nil {
		t.Fatal(err)
	}
	return index.Samples
}

// sampleRead is a sample as a user would see it.
type sampleRead struct {
	sample
	all    []sample
	data   []byte
	tr     *transcript.Transcript
	snaps  []*snapshot.Snapshot // also those aside
	report *report.Report
	judged []*heuristics.Judgement
	set    *rules.Set
}

func readSample(t *testing.T, set *rules.Set, s sample) *sampleRead {
	t.Helper()
	data, err := os.ReadFile(s.path())
	if err != nil {
		t.Fatal(err)
	}
	out := &sampleRead{sample: s, data: data, set: set}
	out.tr, _ = transcript.Read(context.Background(), []transcript.Input{transcript.Bytes(s.File, data)}, nil)
	out.snaps = slices.Concat(out.tr.Snapshots, out.tr.Aside)
	out.report, err = inspect.Run(context.Background(), []inspect.Input{inspect.Bytes(s.File, data)}, inspect.Options{Rules: inspect.These(set)})
	if err != nil || out.report == nil {
		t.Fatalf("Run: %v", err)
	}
	if out.judged, err = inspect.Judge(context.Background(), inspect.Bytes(s.File, data)); err != nil {
		t.Fatalf("Judge: %v", err)
	}
	return out
}

// sampleProse are the facts that are sentences for people.
var sampleProse = map[string]string{
	"002-doc-poolused-by-tag.log/note":          "how the layout looks; total_line and the tests of package memory hold it",
	"023-doc-locks-unknown-owner-bits.log/note": "says in words what owner_low_bits_resources says",
	"031-doc-user-locks-critsec.log/note":       "says in words what kind says",
}

// sampleStrange counts the lines of samples that are not understood and hold no fact:
// the break of the debugger, and the instruction at it.
var sampleStrange = map[string]int{"058-resource-timeout-active-count.log": 2}

// TestSampleFacts compares every fact of every sample. A fact that it does not know how
// to check is an error.
func TestSampleFacts(t *testing.T) {
	set, err := rules.Load([]rules.Source{rules.Builtin()}, "")
	if err != nil {
		t.Fatal(err)
	}
	all := loadSamples(t)
	facts := 0
	for _, s := range all {
		t.Run(s.File, func(t *testing.T) {
			r := readSample(t, set, s)
			r.all = all
			for _, key := range slices.Sorted(mapKeys(s.Truth)) {
				if sampleProse[s.File+"/"+key] != "" {
					continue
				}
				want := plainFact(s.Truth[key])
				got, ok := r.fact(key, want)
				if !ok {
					t.Errorf("%s: nothing here knows how to check it", key)
					continue
				}
				if facts++; got != want {
					t.Errorf("%s is %s, want %s", key, got, want)
				}
			}
			strange := 0
			for _, in := range r.report.Inputs {
				strange += in.Lines - in.LinesUnderstood
			}
			if strange != sampleStrange[s.File] {
				t.Errorf("%d lines were not understood, want %d", strange, sampleStrange[s.File])
			}
		})
	}
	if len(all) != 44 {
		t.Errorf("%d samples, want 44", len(all))
	}
	t.Logf("%d facts of %d samples", facts, len(all))
}

func mapKeys(m map[string]any) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// plainFact writes a fact of the truth as those read are written.
func plainFact(v any) string {
	switch v := v.(type) {
	case nil:
		return "none"
	case float64:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprint(v)
}

// fact returns what was read of the fact of a name; want tells which one is meant.
func (r *sampleRead) fact(key, want string) (got string, ok bool) {
	if f, is := sampleFacts[key]; is {
		return f(r, want), true
	}
	for suffix, of := range map[string]func(*memory.Row) memory.Number{
		"_np_bytes": func(row *memory.Row) memory.Number { return row.NonPaged.Bytes },
		"_bytes":    func(row *memory.Row) memory.Number { return eitherPool(row).Bytes },
	} {
		if tag, is := strings.CutSuffix(key, suffix); is && len(tag) == 4 {
			return r.ofTag(tag, of), true
		}
	}
	return "", false
}

// first returns what f tells of the first session of which it tells something.
func (r *sampleRead) first(f func(*snapshot.Snapshot) string) string {
	for _, s := range r.snaps {
		if got := f(s); got != "" {
			return got
		}
	}
	return "not read"
}

func number(n memory.Number) string {
	if !n.Known() {
		return ""
	}
	return fmt.Sprint(n.N)
}

func percent(p float64, ok bool) string {
	if !ok {
		return ""
	}
	return fmt.Sprintf("%.1f", math.Round(10*p)/10)
}

func yesNo(b bool) string { return fmt.Sprint(b) }

// TestSampleLocksOfProgram: the critical sections of a program never become locks of the
// kernel, also where a prompt is missing.
func TestSampleLocksOfProgram(t *testing.T) {
	for _, s := range loadSamples(t) {
		if s.Truth["kind"] != "user_critsec" {
			continue
		}
		data, err := os.ReadFile(s.path())
		if err != nil {
			t.Fatal(err)
		}
		_, bare, _ := strings.Cut(string(data), "\n")
		for _, text := range []string{string(data), bare, strings.ReplaceAll(string(data), "0:006>", "kd>"), strings.ToUpper(bare)} {
			tr, err := transcript.Read(context.Background(), []transcript.Input{transcript.Bytes(s.File, []byte(text))}, nil)
			if err != nil && !errors.Is(err, transcript.ErrNothing) {
				t.Error(err)
			}
			for _, snap := range tr.Snapshots {
				if len(snap.Resources)+len(snap.Threads)+len(snap.Timeouts) > 0 || snap.HasLocks {
					t.Errorf("locks of the kernel were read of %q", text[:40])
				}
			}
		}
	}
}
