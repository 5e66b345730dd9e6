package mcp_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kdlocks/mcp"
	"kdlocks/rules"
)

func TestRulesListAndShow(t *testing.T) {
	s := client(t, options(t))
	schema := outputSchemas(t, s)["rules"]
	res := call(t, s, "rules", nil)
	fits(t, schema, res)
	all := value[mcp.RulesAnswer](t, res)
	if len(all.Rules) < 50 || !strings.HasSuffix(all.Summary, " rules") {
		t.Errorf("%d rules, %q", len(all.Rules), all.Summary)
	}
	some := value[mcp.RulesAnswer](t, call(t, s, "rules", object{"class": "self-deadlock", "pack": "windows"}))
	if n := len(some.Rules); n == 0 || n >= len(all.Rules) {
		t.Errorf("%d of %d rules", n, len(all.Rules))
	}
	for _, r := range some.Rules {
		if r.Class != "self-deadlock" || r.Pack != "windows" {
			t.Errorf("not asked for: %+v", r)
		}
	}
	res = call(t, s, "rules", object{"action": "show", "id": "ms-kb2608658-sis-owner-pointer"})
	fits(t, schema, res)
	if got := value[mcp.RulesAnswer](t, res); len(got.Rule) == 0 || !strings.Contains(got.Source, "- id: ms-kb2608658-sis-owner-pointer") {
		t.Errorf("%+v", got)
	}
	res = call(t, s, "rules", object{"action": "reference"})
	fits(t, schema, res)
	if got := value[mcp.RulesAnswer](t, res).Reference; !strings.Contains(got, "### Kinds of facts") || got != text(t, res) {
		t.Errorf("%.200s", got)
	}
}

func TestNewRulePassesLint(t *testing.T) {
	s := client(t, options(t))
	yaml := value[mcp.RulesAnswer](t, call(t, s, "rules", object{"action": "new", "id": "my-rule"})).YAML
	res := call(t, s, "rules", object{"action": "lint", "yaml": yaml})
	fits(t, outputSchemas(t, s)["rules"], res)
	if got := value[mcp.RulesAnswer](t, res); got.OK == nil || !*got.OK || got.Summary != "1 rule, 2 tests: 0 mistakes" {
		t.Errorf("%+v", got)
	}
}

func TestLintTellsWhere(t *testing.T) {
	s := client(t, options(t))
	good := rules.Skeleton("my-rule")
	line := func(part string) int {
		before, _, ok := strings.Cut(good, part)
		if !ok {
			t.Fatalf("no %q in the skeleton", part)
		}
		return strings.Count(before, "\n") + 1
	}
	for _, c := range []struct {
		name, old, new string
		line, column   int
		want           string
	}{
		{"a field that there is not", "waiting: {gte: 1}", "waitng: {gte: 1}", line("waiting: {gte: 1}"), 11, `did you mean "waiting"?`},
		{"no YAML", "title: mydrv", "title: [mydrv", 0, 0, ""},
		{"an id of a rule", "id: my-rule", "id: ms-kb2608658-sis-owner-pointer", line("id: my-rule"), 9, "the id is taken by the rule at rules/packs/windows/rules/sis.yaml"},
		{"of a newer engine", "class: filter-driver", "min_engine: 99.0.0\n    class: filter-driver", 0, 0, "99.0.0"},
		{"a test that fails", "expect: possible", "expect: confirmed", line("name: the owner waits in mydrv"), 9, "want confirmed, got possible"},
	} {
		res := call(t, s, "rules", object{"action": "lint", "yaml": strings.Replace(good, c.old, c.new, 1)})
		got := value[mcp.RulesAnswer](t, res)
		if got.OK == nil || *got.OK || len(got.Mistake) == 0 {
			t.Errorf("%s: %+v", c.name, got)
			continue
		}
		m := got.Mistake[0]
		if m.File != "rule.yaml" || m.Line == 0 || m.Column == 0 || c.line > 0 && m.Line != c.line || c.column > 0 && m.Column != c.column || !strings.Contains(m.Text, c.want) {
			t.Errorf("%s: %+v, want line %d column %d: %s", c.name, m, c.line, c.column, c.want)
		}
	}
}

func TestRuleIsTriedOnALog(t *testing.T) {
	s := client(t, options(t))
	yaml := rules.Skeleton("my-rule")
	_, log, _ := strings.Cut(yaml, "input: |\n")
	log, other, _ := strings.Cut(log, "input: |\n")
	schema := outputSchemas(t, s)["rules"]

	res := call(t, s, "rules", object{"action": "test", "yaml": yaml, "text": log})
	fits(t, schema, res)
	got := value[mcp.RulesAnswer](t, res)
	if len(got.Tested) != 1 || got.Tested[0].Rule != "my-rule" || got.Tested[0].Outcome != "possible" {
		t.Fatalf("a log that it holds for: %+v", got)
	}
	truths := map[string]string{}
	for _, c := range got.Tested[0].Clauses {
		truths[c.Role] += c.Truth + " "
	}
	if d := cmp.Diff(map[string]string{"match": "true true ", "boost": "unknown ", "exclude": "false "}, truths); d != "" {
		t.Errorf("clauses: %s", d)
	}

	got = value[mcp.RulesAnswer](t, call(t, s, "rules", object{"action": "test", "yaml": yaml, "text": other}))
	if len(got.Tested) != 1 || got.Tested[0].Outcome != "no-match" {
		t.Fatalf("a log that it does not hold for: %+v", got.Tested)
	}
	nearest := ""
	for _, c := range got.Tested[0].Clauses {
		nearest += c.Nearest
	}
	if !strings.Contains(nearest, "no mydrv!MyFlushAndWait behind that") {
		t.Errorf("it is not said what comes nearest: %+v", got.Tested[0].Clauses)
	}

	refused(t, call(t, s, "rules", object{"action": "test", "yaml": yaml, "text": "nothing"}), "Nothing can be said of it")
	if got = value[mcp.RulesAnswer](t, call(t, s, "rules", object{"action": "test", "yaml": "rules: 5", "text": log})); *got.OK || len(got.Mistake) == 0 || got.Tested != nil {
		t.Errorf("a file with mistakes: %+v", got)
	}
}

// TestTriedRulesAreNotKept tries a rule: the next call knows nothing of it.
func TestTriedRulesAreNotKept(t *testing.T) {
	s := client(t, options(t))
	before := value[mcp.RulesAnswer](t, call(t, s, "rules", nil))
	if got := value[mcp.RulesAnswer](t, call(t, s, "rules", object{"action": "lint", "yaml": rules.Skeleton("my-rule")})); !*got.OK {
		t.Fatalf("%+v", got)
	}
	if d := cmp.Diff(before, value[mcp.RulesAnswer](t, call(t, s, "rules", nil))); d != "" {
		t.Error(d)
	}
}
