package rules_test

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"

	"kdlocks/rules"
)

func TestSchemaIsShipped(t *testing.T) {
	const shipped = "../docs/rule.v1.schema.json"
	if *update {
		if err := os.WriteFile(shipped, rules.Schema(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(shipped)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(have), string(rules.Schema())); d != "" {
		t.Errorf("%s is not the schema of this engine (-update writes it):\n%s", shipped, d)
	}
}

func ruleSchema(t testing.TB) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(rules.Schema())))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("rule.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("rule.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// validate asks the schema about a YAML text, as an editor does.
func validate(t testing.TB, s *jsonschema.Schema, text string) error {
	t.Helper()
	var doc any
	if err := yaml.Load([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	return s.Validate(jsonable(doc))
}

// jsonable makes maps with keys of any type those of JSON.
func jsonable(v any) any {
	switch v := v.(type) {
	case map[any]any:
		out := make(map[string]any)
		for k, x := range v {
			out[fmt.Sprint(k)] = jsonable(x)
		}
		return out
	case map[string]any:
		for k, x := range v {
			v[k] = jsonable(x)
		}
	case []any:
		for i, x := range v {
			v[i] = jsonable(x)
		}
	}
	return v
}

// TestPacksFollowTheSchema holds that the schema refuses no rule that loads.
func TestPacksFollowTheSchema(t *testing.T) {
	s := ruleSchema(t)
	files := rules.Builtin().FS
	n := 0
	err := fs.WalkDir(files, ".", func(p string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || path.Ext(p) != ".yaml" || path.Base(p) == "pack.yaml" || strings.Contains(p, "/testdata/") {
			return err
		}
		text, err := fs.ReadFile(files, p)
		if err != nil {
			return err
		}
		if n++; validate(t, s, string(text)) != nil {
			t.Errorf("%s: %v", p, validate(t, s, string(text)))
		}
		return nil
	})
	if err != nil || n == 0 {
		t.Fatalf("%d rule files read: %v", n, err)
	}
	if err := validate(t, s, rules.Skeleton("some-issue")); err != nil {
		t.Errorf("the skeleton: %v", err)
	}
}

// TestSchemaFindsTypos holds that what people mistype is refused in an editor.
func TestSchemaFindsTypos(t *testing.T) {
	s := ruleSchema(t)
	for _, c := range []struct{ from, to, want string }{
		{"severity: critical", "severty: critical", "severty"},
		{"severity: critical", "severity: dire", "value must be one of 'critical'"},
		{"confidence: likely", "confidence: sure", "value must be one of 'possible'"},
		{"lock: {state", "lok: {state", "lok"},
		{"state: exclusive", "state: exclusivly", "value must be one of 'exclusive'"},
		{"state: exclusive", "stat: exclusive", "stat"},
		{"{gte: 1}", "{gteq: 1}", "gteq"},
		{"{gte: 1}", "{gte: many}", "pattern"},
		{"{holds: L.owner}", "L.owner", "want object"},
		{"nt!ExpWaitForResource", "ExpWaitForResource", "pattern"},
		{"stack: {seq:", "stack: {sequence:", "sequence"},
		{"to: confirmed", "too: confirmed", "too"},
		{"as: L,", "as: lock,", "pattern"},
		{`{kb: "2608658"}`, `{kb: "issue 3"}`, "pattern"},
		{"expect: no-match", "expect: none", "value must be one of"},
		{"format: kdlocks.rules/v1", "format: kdlocks.rules/v2", "value must be"},
		{"    remedy:", "    remedies:", "remedies"},
	} {
		text := strings.Replace(sis, c.from, c.to, 1)
		if text == sis {
			t.Fatalf("%q is not in the rule", c.from)
		}
		err := validate(t, s, text)
		if err == nil {
			t.Errorf("%q is not refused", c.to)
		} else if !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: the error does not say %q: %v", c.to, c.want, err)
		}
	}
	if err := validate(t, s, sis); err != nil {
		t.Errorf("the rule itself: %v", err)
	}
}

// TestSchemaTakesLiterals holds that every way to write a value that the decoder
// reads is one for the schema.
func TestSchemaTakesLiterals(t *testing.T) {
	s := ruleSchema(t)
	for _, clause := range []string{
		`lock: {address: 80197620}`, `lock: {address: "fffffa80` + "`" + `169538a0"}`, `lock: {address: 0x80197620}`, `lock: {state: [exclusive, shared]}`,
		`lock: {state: {ne: unowned}, contention: {gte: 0x10}, waiting: 3}`, `lock: {symbol: "nt!Cm*"}`, `lock: {symbol: {glob: "nt!Cm*"}}`,
		`thread: {wait: {gte: 30s}}`, `thread: {wait: {gte: 2m, lt: "1 h"}}`, `thread: {wait: 500}`, `thread: {cid: 0004.0638}`, `thread: {timed: false}`,
		`thread: {stack: "nt!*"}`, `thread: {stack: ["nt!*", ["a!b", "c!d"]]}`, `thread: {stack: {seq: ["a!b"], within: 3, top: true, none: ["c!d"]}}`,
		`target: {build: {gte: 7600, lt: 9200}, arch: x64}`, `target: {uptime: {gt: 497d}}`, `bugcheck: {code: 1cc}`, `bugcheck: {code: 9e}`,
		`thread: {frame: {has: "nt!KeBugCheckEx"}}, count: {gte: 3}`, `finding: {id: deadlock-cycle, length: {lte: 2}}`,
		`any: [{lock: {state: shared}}, [{thread: {state: running}}]]`,
	} {
		text := strings.Replace(sis, "    match:\n", "    match:\n      - {"+clause+"}\n", 1)
		if err := validate(t, s, text); err != nil {
			t.Errorf("%s: %v", clause, err)
		}
		if _, err := load(t, text, map[string]string{"sis.log": "", "dokany.log": ""}); err != nil {
			t.Errorf("%s: the decoder refuses it: %v", clause, err)
		}
	}
}
