package inspect_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"kdlocks/inspect"
	"kdlocks/picture"
	"kdlocks/report"
	"kdlocks/rules"
)

// probes are rules that hold for many logs, one for each way that a rule can go,
// and one for the sample alone.
const probes = `format: kdlocks.rules/v1
rules:
  - id: probe-sis
    title: sis.sys waits for a resource it owns through ExSetResourceOwnerPointer
    class: self-deadlock
    severity: critical
    confidence: likely
    match:
      - {as: L, lock: {state: exclusive, owner_kind: pointer, shared_waiters: {gte: 1}}}
      - as: T
        thread:
          address: {in: L.waiters}
          stack_range: {holds: L.owner}
          stack: {seq: ["nt!ExpWaitForResource", "nt!ExAcquire*", "sis!SipDereferenceCSFile"]}
    boost:
      - {as: T2, thread: {address: {eq: T.address}, stack: {seq: ["sis!SiFilterContextFreedCallback", "nt!FsRtlTeardownPerStreamContexts", "sis!SipOpenCSFile"]}}, to: confirmed}
    explain: "Thread {T.address} owns {L.address} and waits for it."
    remedy: "Install the update described in KB2608658 (issue 3). Until then restart."
    references: [{kb: "2608658"}]
    tests: TESTS
  - id: probe-waited
    title: A lock that threads wait for
    class: contention
    severity: high
    confidence: likely
    match:
      - {as: L, lock: {waiting: {gte: 1}}}
    boost:
      - {as: T, thread: {address: {in: L.waiters}, stack: ["nt!ExpWaitForResource"]}, to: confirmed}
    explain: "{L.waiting} threads wait for {L.address}."
    remedy: "Look at it. Then look again."
    references: [{kb: "2608658", text: a title}, {url: "https://example.com/a"}]
    tests: TESTS
  - id: probe-owner-stack
    title: An owner without a lock of its own
    class: hang-other
    severity: info
    confidence: possible
    inferred: true
    match:
      - {as: L, lock: {state: exclusive}}
      - {as: T, thread: {address: {in: L.owner_thread}, stack: ["nt!*"]}}
    exclude:
      - {as: X, thread: {address: {eq: T.address}, stack: ["nt!ExpWaitForResource"]}, because: "thread {X.address} waits itself"}
    explain: "{T.address} owns {L.address}."
    remedy: "None is known"
    references: [{text: none}]
    tests: TESTS
  - id: probe-irp
    title: A pending IRP
    class: hang-other
    severity: medium
    confidence: likely
    match:
      - {irp: {pending: true}}
    explain: "-"
    remedy: "-"
    references: [{text: none}]
    tests: TESTS
  - id: probe-suppressed
    title: Any lock
    class: hang-other
    severity: low
    confidence: likely
    match:
      - {as: L, lock: {owners: {gte: 0}}}
      - {as: M, lock: {address: {eq: L.address}}}
    explain: "-"
    remedy: "-"
    references: [{text: none}]
    tests: TESTS
`

const hide = `format: kdlocks.overrides/v1
overrides:
  - {id: probe-suppressed, suppress: {reason: known here, by: ops, until: 2027-01-01}}
`

// probeSet is the probes, behind the packs of some sources.
func probeSet(t testing.TB, before ...rules.Source) *rules.Set {
	t.Helper()
	text := strings.ReplaceAll(probes, "TESTS", `[{input: a, expect: possible}, {input: b, expect: no-match}]`)
	files := fstest.MapFS{"probes.yaml": {Data: []byte(text)}, "hide.yaml": {Data: []byte(hide)}}
	set, err := rules.Load(append(before, rules.Source{Name: "probes", FS: files}), "2026-11-21")
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// withRules analyses inputs and asks rules.
func withRules(t testing.TB, set *rules.Set, inputs ...inspect.Input) *report.Report {
	t.Helper()
	r, err := inspect.Run(context.Background(), inputs, inspect.Options{Rules: inspect.These(set)})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestKnownIssuesStandBeside holds for every case that rules take nothing from
// what the detectors say: the same verdict, the same findings by the same numbers,
// the same pictures; and that every form of the report takes known issues.
func TestKnownIssuesStandBeside(t *testing.T) {
	t.Parallel()
	set := probeSet(t, rules.Builtin())
	schemas := []*jsonschema.Schema{readSchema(t, "../docs/report.schema.json", false), readSchema(t, "../docs/report.schema.json", true), readSchema(t, "../testdata/sarif/sarif-schema-2.1.0.json", false)}
	seen := make(map[string]int)
	for i, k := range loadCases(t) {
		plain, r := analyze(t, k.input), withRules(t, set, inspect.Bytes("input.txt", k.input))
		if d := cmp.Diff(plain.Verdict, r.Verdict); d != "" || plain.Undecided != r.Undecided {
			t.Errorf("%s: rules change the verdict:\n%s", k.name, d)
		}
		if d := cmp.Diff(plain.Findings, r.Findings[:len(plain.Findings)]); d != "" {
			t.Errorf("%s: rules change findings:\n%s", k.name, d)
		}
		if d := cmp.Diff(picture.Text(plain.Picture()), picture.Text(r.Picture())); d != "" {
			t.Errorf("%s: rules change the picture:\n%s", k.name, d)
		}
		for _, f := range r.Findings[len(plain.Findings):] {
			seen[f.Confidence]++
			if f.Rule == nil || f.Kind != f.Rule.Type || f.Grade != "" || len(f.Evidence) == 0 {
				t.Errorf("%s: %+v", k.name, f)
			}
		}
		seen["excluded"] += len(r.Rules.Excluded)
		seen["could-not-check"] += len(r.Rules.CouldNotCheck)
		seen["suppressed"] += len(r.Rules.Suppressed)
		seen["unheard"] += len(r.Rules.Unheard)
		if thinned(i) {
			continue
		}
		text := asJSON(t, r)
		checkSchema(t, k.name, schemas[0], text)
		checkSchema(t, k.name, schemas[1], text)
		sarif := asSARIF(t, r)
		checkSchema(t, k.name, schemas[2], string(sarif))
		checkSARIF(t, k.name, sarif, k.input)
		if err := wellFormed(written(t, r, "html")); err != nil {
			t.Errorf("%s: %v", k.name, err)
		}
	}
	for _, what := range []string{"confirmed", "likely", "possible", "excluded", "could-not-check", "suppressed", "unheard"} {
		if seen[what] == 0 {
			t.Errorf("no case has a rule that is %s: %v", what, seen)
		}
	}
}

func readSchema(t testing.TB, path string, strict bool) *jsonschema.Schema {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return compileSchema(t.(*testing.T), string(text), strict)
}

func checkSchema(t *testing.T, name string, s *jsonschema.Schema, text string) {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if err := s.Validate(doc); err != nil {
		t.Errorf("%s: %v", name, err)
	}
}

// TestGoldenKnownIssue pins what the forms for people say of the sample's known
// issue.
func TestGoldenKnownIssue(t *testing.T) {
	log, err := os.ReadFile("../testdata/sis-self-deadlock.log")
	if err != nil {
		t.Fatal(err)
	}
	r := withRules(t, probeSet(t), inspect.Bytes("sis.log", log))
	var table, markdown bytes.Buffer
	for format, b := range map[string]*bytes.Buffer{"table": &table, "markdown": &markdown} {
		if err := report.WriterFor(format)(b, r, report.Style{}); err != nil {
			t.Fatal(err)
		}
	}
	html := written(t, r, "html")
	head, _, _ := strings.Cut(table.String(), "[1]")
	for _, c := range []struct{ what, text, want string }{
		{"text, below the verdict", strings.Join(strings.Fields(head), " "), "Known issue (confirmed): sis.sys waits for a resource it owns through ExSetResourceOwnerPointer (KB2608658): Install the update described in KB2608658"},
		{"text, first sentence alone", strings.Join(strings.Fields(head), " "), "(KB2608658): Look at it. Findings"},
		{"text, title", table.String(), "probe-sis (known issue, critical, confirmed)"},
		{"text, place", table.String(), "sis.log:38:1: frame 8: sis!SiFilterContextFreedCallback"},
		{"text, quoted line", table.String(), "| fffff880`07fab7c0 fffff800`025796e6 sis!SiFilterContextFreedCallback+0xaf"},
		{"text, clause", table.String(), "true    match L: lock {state: exclusive, owner_kind: pointer, shared_waiters: {gte: 1}}"},
		{"text, excluded", table.String(), "because thread fffffa80169538a0 waits itself"},
		{"text, need", table.String(), "1 rule asks for output that the input does not hold: !irpfind (1)"},
		{"text, suppressed", table.String(), "suppressed: probe-suppressed until 2027-01-01 by ops: known here"},
		{"markdown, below the verdict", markdown.String(), "**Known issue (confirmed): sis.sys waits"},
		{"markdown, clause", markdown.String(), "true    match L: lock {state: exclusive"},
		{"markdown, excluded", markdown.String(), "### Rules that were excluded"},
		{"html, below the verdict", html, `<p class="issue">Known issue (confirmed): sis.sys waits`},
		{"html, clause", html, `<span class="truth truth-true">true</span>`},
		{"html, excluded", html, `<h2 id="h-rules-excluded">`},
	} {
		if !strings.Contains(c.text, c.want) {
			t.Errorf("%s: no %q", c.what, c.want)
		}
	}
	for what, text := range map[string]string{"text": table.String(), "markdown": markdown.String(), "html": html} {
		if strings.Contains(text, "evidence grade)") || strings.Contains(text, "evidence grade <") || strings.Contains(text, "evidence grade \n") {
			t.Errorf("%s: a known issue has a grade", what)
		}
	}
}

// TestKnownIssuesOfSessions holds that known issues stand behind the findings of
// all sessions, each with its session.
func TestKnownIssuesOfSessions(t *testing.T) {
	log, err := os.ReadFile("../testdata/sis-self-deadlock.log")
	if err != nil {
		t.Fatal(err)
	}
	banner := "Microsoft (R) Windows Debugger Version 6.11.0001.404 AMD64\nCopyright (c) Microsoft Corporation. All rights reserved.\n"
	text := slices.Concat([]byte(banner), log, []byte("\n"+banner), log)
	plain, r := analyze(t, text), withRules(t, probeSet(t), inspect.Bytes("input.txt", text))
	if len(r.Sessions) != 2 {
		t.Fatalf("%d sessions", len(r.Sessions))
	}
	if d := cmp.Diff(plain.Findings, r.Findings[:len(plain.Findings)]); d != "" {
		t.Errorf("rules change findings:\n%s", d)
	}
	var sessions []int
	for _, f := range r.Findings[len(plain.Findings):] {
		if f.ID == "probe-sis" {
			sessions = append(sessions, f.Session)
		}
	}
	if !slices.Equal(sessions, []int{1, 2}) {
		t.Errorf("the known issue is in sessions %v", sessions)
	}
	if n := r.Rules.Unheard; len(n) != 1 || n[0].Rules != 1 {
		t.Errorf("a rule counts once for all sessions: %+v", n)
	}
}

// TestSARIFOfKnownIssues holds that a rule is a descriptor of its own, and that
// only a confirmed one fails.
func TestSARIFOfKnownIssues(t *testing.T) {
	log, err := os.ReadFile("../testdata/sis-self-deadlock.log")
	if err != nil {
		t.Fatal(err)
	}
	set := probeSet(t)
	var doc struct {
		Runs []struct {
			Tool struct {
				Driver struct{ Rules []struct{ ID string } }
			}
			Results []struct {
				RuleID, Kind, Level string
				RuleIndex           int
				Properties          struct {
					Rule *report.RuleMatch
				}
			}
		}
	}
	if err := json.Unmarshal(asSARIF(t, withRules(t, set, inspect.Bytes("sis.log", log))), &doc); err != nil {
		t.Fatal(err)
	}
	run := doc.Runs[0]
	for _, id := range set.IDs() {
		if !slices.ContainsFunc(run.Tool.Driver.Rules, func(d struct{ ID string }) bool { return d.ID == id }) {
			t.Errorf("rule %s has no descriptor", id)
		}
	}
	found := false
	for _, r := range run.Results {
		if run.Tool.Driver.Rules[r.RuleIndex].ID != r.RuleID {
			t.Errorf("%s has the index of %s", r.RuleID, run.Tool.Driver.Rules[r.RuleIndex].ID)
		}
		if r.RuleID == "probe-sis" {
			found = true
			if r.Kind != "fail" || r.Level != "error" || r.Properties.Rule == nil || len(r.Properties.Rule.Clauses) != 3 {
				t.Errorf("%+v", r)
			}
		}
	}
	if !found {
		t.Error("no result of the rule")
	}
}

// TestKnownIssuesOfComparisons holds that a comparison names the known issues of
// its captures and follows its schema, and that they change nothing else.
func TestKnownIssuesOfComparisons(t *testing.T) {
	log, err := os.ReadFile("../testdata/sis-self-deadlock.log")
	if err != nil {
		t.Fatal(err)
	}
	later := bytes.ReplaceAll(log, []byte("27606952 Ticks: 141"), []byte("27610952 Ticks: 141"))
	cases := []inspect.Case{
		{Name: "a.log", Inputs: []inspect.Input{inspect.Bytes("a.log", log)}},
		{Name: "b.log", Inputs: []inspect.Input{inspect.Bytes("b.log", later)}},
	}
	plain, err := inspect.Compare(context.Background(), cases, inspect.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := inspect.Compare(context.Background(), cases, inspect.Options{Rules: inspect.These(probeSet(t))})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(plain.Verdict, c.Verdict); d != "" || len(plain.Findings) != len(c.Findings) {
		t.Errorf("rules change the comparison:\n%s", d)
	}
	if len(c.Captures) != 2 || len(c.KnownIssues) == 0 || c.KnownIssues[0].ID != "probe-sis" || len(c.KnownIssues[0].Captures) != 2 {
		t.Fatalf("%d captures, known issues %+v", len(c.Captures), c.KnownIssues)
	}
	for _, format := range report.ComparisonFormats() {
		var b bytes.Buffer
		if err := report.ComparisonWriterFor(format)(&b, c, report.Style{}); err != nil {
			t.Fatal(err)
		}
		if format != "json" {
			if want := "Known issue (confirmed, captures 1, 2): sis.sys waits"; !strings.Contains(b.String(), want) {
				t.Errorf("%s: no %q", format, want)
			}
			continue
		}
		for _, strict := range []bool{false, true} {
			checkSchema(t, "comparison", readSchema(t, "../docs/compare.schema.json", strict), b.String())
		}
	}
}
