package rules

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"
)

// TestSchemaHasAllKeys holds the schema's keys of a rule to the decoder's, each
// with its documentation.
func TestSchemaHasAllKeys(t *testing.T) {
	var s struct {
		Defs map[string]struct {
			Properties map[string]struct{ Description string }
		} `json:"$defs"`
	}
	if err := json.Unmarshal(Schema(), &s); err != nil {
		t.Fatal(err)
	}
	have, want := slices.Sorted(maps.Keys(s.Defs["rule"].Properties)), slices.Sorted(slices.Values(ruleKeys))
	if !slices.Equal(have, want) {
		t.Errorf("keys of a rule: the schema has %v, the decoder %v", have, want)
	}
	for _, k := range kinds {
		for _, f := range k.fields {
			if s.Defs["kind_"+k.name].Properties[f.name].Description == "" {
				t.Errorf("%s.%s has no description", k.name, f.name)
			}
		}
	}
	for _, key := range ruleKeys {
		if ruleDocs[key] == "" {
			t.Errorf("the key %s of a rule has no documentation", key)
		}
	}
}
