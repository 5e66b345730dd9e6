package inspect_test

import (
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// TestReportsFollowTheSchema validates every case against the published
// schema, and against it once more with no field beside the described ones.
func TestReportsFollowTheSchema(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../docs/report.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, strict := range []bool{false, true} {
		schema := compileSchema(t, string(text), strict)
		for _, k := range loadCases(t) {
			doc, err := jsonschema.UnmarshalJSON(strings.NewReader(asJSON(t, analyze(t, k.input))))
			if err != nil {
				t.Fatal(err)
			}
			if err := schema.Validate(doc); err != nil {
				t.Errorf("%s (strict %v): %v", k.name, strict, err)
			}
		}
	}
}

func compileSchema(t *testing.T, text string, strict bool) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if strict {
		closeObjects(doc)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("report.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("report.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// closeObjects forbids fields that the schema does not describe.
func closeObjects(v any) {
	switch v := v.(type) {
	case map[string]any:
		if _, ok := v["properties"].(map[string]any); ok && v["type"] == "object" {
			v["additionalProperties"] = false
		}
		for _, sub := range v {
			closeObjects(sub)
		}
	case []any:
		for _, sub := range v {
			closeObjects(sub)
		}
	}
}
