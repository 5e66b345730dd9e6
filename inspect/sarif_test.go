package inspect_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"kdlocks/report"
)

// sarifLog is what the tests look at of a log of SARIF.
type sarifLog struct {
	Runs []struct {
		Tool struct {
			Driver struct {
				Rules, Notifications []struct{ ID string }
			}
		}
		Artifacts   []struct{ Location struct{ URI string } }
		Invocations []struct {
			ToolExecutionNotifications []struct{ Descriptor struct{ ID string } }
		}
		Results []sarifResult
	}
}

type sarifResult struct {
	RuleID                      string
	RuleIndex                   int
	Kind, Level                 string
	Locations, RelatedLocations []sarifLocation
	Graphs                      []struct {
		Nodes []struct{ ID string }
		Edges []struct{ ID, SourceNodeID, TargetNodeID string }
	}
	GraphTraversals []struct {
		ResultGraphIndex int
		EdgeTraversals   []struct{ EdgeID string }
	}
	PartialFingerprints map[string]string
}

type sarifLocation struct {
	PhysicalLocation struct {
		ArtifactLocation struct {
			URI   string
			Index int
		}
		Region struct {
			StartLine, StartColumn, EndLine, EndColumn int
			Snippet                                    struct{ Text string }
		}
	}
}

func asSARIF(t testing.TB, r *report.Report) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := report.WriterFor("sarif")(&b, r, report.Style{Version: "v1.2.3"}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func parseSARIF(t testing.TB, text []byte) sarifLog {
	t.Helper()
	var log sarifLog
	if err := json.Unmarshal(text, &log); err != nil {
		t.Fatal(err)
	}
	return log
}

// TestSARIFFollowsTheStandard validates the log of every case and capture
// against the schema that OASIS published, and what a schema cannot say.
func TestSARIFFollowsTheStandard(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../testdata/sarif/sarif-schema-2.1.0.json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("sarif.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("sarif.json")
	if err != nil {
		t.Fatal(err)
	}
	inputs := make(map[string][]byte)
	for _, k := range loadCases(t) {
		inputs[k.name] = k.input
	}
	captures, err := filepath.Glob("../testdata/corpus/*.log")
	if err != nil || len(captures) == 0 {
		t.Fatalf("no captures: %v", err)
	}
	for _, path := range captures {
		if inputs[path], err = os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
	}
	kinds := make(map[string]int)
	for name, input := range inputs {
		out := asSARIF(t, analyze(t, input))
		log, err := jsonschema.UnmarshalJSON(bytes.NewReader(out))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := schema.Validate(log); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, r := range checkSARIF(t, name, out, input) {
			kinds[r.Kind]++
		}
	}
	for _, kind := range []string{"fail", "review", "open", "informational"} {
		if kinds[kind] == 0 {
			t.Errorf("no result of kind %s: %v", kind, kinds)
		}
	}
}

// checkSARIF holds what a log says twice against itself, and its regions
// against the input.
func checkSARIF(t *testing.T, name string, out, input []byte) []sarifResult {
	t.Helper()
	log := parseSARIF(t, out)
	if len(log.Runs) != 1 {
		t.Fatalf("%s: %d runs", name, len(log.Runs))
	}
	run := &log.Runs[0]
	for _, n := range run.Invocations[0].ToolExecutionNotifications {
		if !slices.ContainsFunc(run.Tool.Driver.Notifications, func(d struct{ ID string }) bool { return d == n.Descriptor }) {
			t.Errorf("%s: the notification %s is not described", name, n.Descriptor.ID)
		}
	}
	ascii := !bytes.ContainsFunc(input, func(r rune) bool { return r >= 0x80 || r == 0 || r == '\r' })
	for _, r := range run.Results {
		if run.Tool.Driver.Rules[r.RuleIndex].ID != r.RuleID {
			t.Errorf("%s: rule %d is not %s", name, r.RuleIndex, r.RuleID)
		}
		if (r.Level == "none") != (r.Kind != "fail") {
			t.Errorf("%s: kind %s with level %s", name, r.Kind, r.Level)
		}
		if len(r.Locations) != 1 || len(r.PartialFingerprints) != 1 {
			t.Errorf("%s: %s has %d locations and %d fingerprints", name, r.RuleID, len(r.Locations), len(r.PartialFingerprints))
		}
		for _, at := range append(r.Locations, r.RelatedLocations...) {
			p := at.PhysicalLocation
			if run.Artifacts[p.ArtifactLocation.Index].Location.URI != p.ArtifactLocation.URI {
				t.Errorf("%s: artifact %d is not %s", name, p.ArtifactLocation.Index, p.ArtifactLocation.URI)
			}
			if got := cutRegion(input, at); ascii && got != p.Region.Snippet.Text {
				t.Errorf("%s: %+v holds %q", name, p.Region, got)
			}
		}
		checkGraphs(t, name, &r)
	}
	return run.Results
}

// cutRegion returns the text of a region of an input, as a reader of the log
// would find it.
func cutRegion(input []byte, at sarifLocation) string {
	g := at.PhysicalLocation.Region
	lines := strings.Split(string(input), "\n")
	last := max(g.EndLine, g.StartLine)
	text := lines[g.StartLine-1 : last]
	text[len(text)-1] = text[len(text)-1][:g.EndColumn-1]
	return strings.Join(text, "\n")[g.StartColumn-1:]
}

func checkGraphs(t *testing.T, name string, r *sarifResult) {
	t.Helper()
	for _, walk := range r.GraphTraversals {
		g := r.Graphs[walk.ResultGraphIndex]
		nodes, edges := make(map[string]bool), make(map[string][2]string)
		for _, n := range g.Nodes {
			if nodes[n.ID] {
				t.Errorf("%s: two nodes %q", name, n.ID)
			}
			nodes[n.ID] = true
		}
		for _, e := range g.Edges {
			if !nodes[e.SourceNodeID] || !nodes[e.TargetNodeID] {
				t.Errorf("%s: edge %+v has no node", name, e)
			}
			edges[e.ID] = [2]string{e.SourceNodeID, e.TargetNodeID}
		}
		for i, e := range walk.EdgeTraversals {
			if i > 0 && edges[e.EdgeID][0] != edges[walk.EdgeTraversals[i-1].EdgeID][1] {
				t.Errorf("%s: the walk is broken at edge %s", name, e.EdgeID)
			}
		}
	}
}

// TestSARIFFingerprintsStay: the same findings in another order and at other
// lines have the same fingerprints.
func TestSARIFFingerprintsStay(t *testing.T) {
	const one = `
Resource @ 0xfffffa8011ef1de8    Exclusively owned
    NumberOfExclusiveWaiters = 1
     Threads: fffffa8016910b60-01<*>
     Threads Waiting On Exclusive Access:
              fffffa8016920b60
`
	const two = `
Resource @ 0xfffffa8011ef2de8    Exclusively owned
    NumberOfExclusiveWaiters = 1
     Threads: fffffa8016920b60-01<*>
     Threads Waiting On Exclusive Access:
              fffffa8016910b60
`
	prints := func(text string) []string {
		var out []string
		for _, r := range parseSARIF(t, asSARIF(t, analyze(t, []byte(text)))).Runs[0].Results {
			out = append(out, r.RuleID+" "+r.PartialFingerprints["kdlocks/v1"])
		}
		return out
	}
	a, b := prints("0: kd> !locks\n"+one+two), prints("a remark\n0: kd> !locks\n"+two+one)
	if len(a) == 0 || !slices.Equal(a, b) {
		t.Errorf("%q\n%q", a, b)
	}
	other := prints("0: kd> !locks\n" + strings.ReplaceAll(one+two, "8016910b60", "8016930b60"))
	if slices.Equal(a, other) {
		t.Error("other threads have the same fingerprints")
	}
}
