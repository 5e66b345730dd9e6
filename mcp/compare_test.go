package mcp_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"kdlocks/inspect"
	"kdlocks/mcp"
	"kdlocks/report"
)

// captures are those that the command's script compares, by name.
func captures(t *testing.T) map[string]string {
	t.Helper()
	a, err := txtar.ParseFile("../cmd/kdlocks/testdata/script/compare.txtar")
	must(t, err)
	out := make(map[string]string)
	for _, f := range a.Files {
		out[f.Name] = string(f.Data)
	}
	if out["first.txt"] == "" || out["second.txt"] == "" || out["calm.txt"] == "" || out["boot.txt"] == "" {
		t.Fatal("the captures of the script are gone")
	}
	return out
}

// compared compares captures by their names.
func compared(t *testing.T, format string, names ...string) object {
	all := captures(t)
	var list []object
	for _, n := range names {
		list = append(list, object{"name": n, "text": all[n]})
	}
	return object{"captures": list, "format": format, "max_chars": 1 << 20}
}

func TestCompareTellsFrozenFromFreed(t *testing.T) {
	s := client(t, options(t))
	res := call(t, s, "compare", compared(t, "summary", "second.txt", "first.txt"))
	fits(t, outputSchemas(t, s)["compare"], res)
	got := value[mcp.Compared](t, res)
	if got.Verdict.Kind != "deadlock" || got.Verdict.Confidence != "certain" || !strings.HasPrefix(got.Verdict.Summary, "Frozen in 2 captures") {
		t.Errorf("verdict %+v", got.Verdict)
	}
	if len(got.Captures) != 2 || got.Captures[0].Name != "first.txt" || got.SpanMS == nil || *got.SpanMS != 300_000 {
		t.Errorf("captures %+v, span %v", got.Captures, got.SpanMS)
	}
	if len(got.Findings) != 1 || got.Findings[0].Fate != "frozen" || !got.Findings[0].Stands || len(got.Findings[0].Evidence) == 0 || len(got.Findings[0].Steps) != 2 {
		t.Errorf("findings %+v", got.Findings)
	}
	moving := false
	for _, l := range got.Locks {
		moving = moving || l.State == "moving"
	}
	if !moving {
		t.Errorf("no lock moves: %+v", got.Locks)
	}

	freed := value[mcp.Compared](t, call(t, s, "compare", compared(t, "summary", "first.txt", "calm.txt")))
	if freed.Verdict.Kind != "no-deadlock" || len(freed.Findings) != 1 || freed.Findings[0].Fate != "dissolved" || freed.Findings[0].Stands {
		t.Errorf("freed: %+v, %+v", freed.Verdict, freed.Findings)
	}
}

func TestCompareRefusesAnotherBoot(t *testing.T) {
	s := client(t, options(t))
	got := value[mcp.Compared](t, call(t, s, "compare", compared(t, "summary", "first.txt", "boot.txt")))
	if got.Verdict.Kind != "undecided" || len(got.Refused) != 1 || !strings.Contains(got.Refused[0].Why, "another kernel base") {
		t.Errorf("%+v, refused %+v", got.Verdict, got.Refused)
	}
	if got.Verdict.Confidence != "" {
		t.Errorf("undecided, and %s of it", got.Verdict.Confidence)
	}
	if len(got.Trouble) != 1 || !strings.Contains(got.Trouble[0], "nothing was compared") {
		t.Errorf("trouble %q", got.Trouble)
	}
}

func TestComparisonAsJSONIsThatOfTheCommand(t *testing.T) {
	opt := options(t)
	s := client(t, opt)
	all := captures(t)
	var cases []inspect.Case
	for _, n := range []string{"first.txt", "second.txt"} {
		cases = append(cases, inspect.Case{Name: n, Inputs: []inspect.Input{inspect.Bytes(n, []byte(all[n]))}})
	}
	c, err := inspect.Compare(t.Context(), cases, inspect.Options{Rules: opt.Rules})
	must(t, err)
	var want bytes.Buffer
	must(t, report.WriteComparisonJSON(&want, c, report.Style{}))
	res := call(t, s, "compare", compared(t, "json", "first.txt", "second.txt"))
	if d := cmp.Diff(want.String(), text(t, res)); d != "" {
		t.Error(d)
	}
	fits(t, outputSchemas(t, s)["compare"], res)
	var whole any
	must(t, json.Unmarshal(want.Bytes(), &whole))
	if d := cmp.Diff(whole, value[struct{ Report any }](t, res).Report); d != "" {
		t.Error(d)
	}
	if got := text(t, call(t, s, "compare", compared(t, "markdown", "first.txt", "second.txt"))); !strings.HasPrefix(got, "## kdlocks compare: deadlock (certain)") {
		t.Errorf("%.200s", got)
	}
}

func TestUndecidedHasNoConfidence(t *testing.T) {
	s := client(t, options(t))
	schemas := outputSchemas(t, s)
	for _, c := range []struct {
		tool string
		args object
	}{
		{"compare", compared(t, "summary", "first.txt")},
		{"compare", compared(t, "json", "first.txt", "boot.txt")},
		{"analyze", object{"text": "0: kd> !locks\nKD: Scanning for held locks."}},
		{"analyze", object{"text": "0: kd> !locks\nKD: Scanning for held locks.", "format": "json"}},
	} {
		res := call(t, s, c.tool, c.args)
		fits(t, schemas[c.tool], res)
		got := value[struct{ Verdict map[string]string }](t, res).Verdict
		if _, said := got["confidence"]; got["kind"] != "undecided" || said {
			t.Errorf("%s: %v", c.tool, got)
		}
	}
	for _, c := range []struct {
		tool string
		args object
	}{
		{"compare", compared(t, "markdown", "first.txt", "boot.txt")},
		{"analyze", object{"text": "0: kd> !locks\nKD: Scanning for held locks.", "format": "markdown"}},
	} {
		if got := text(t, call(t, s, c.tool, c.args)); !strings.Contains(got, "undecided\n") || strings.Contains(got, "undecided (") {
			t.Errorf("%s: %.80s", c.tool, got)
		}
	}
}
