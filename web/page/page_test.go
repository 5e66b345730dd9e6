package page_test

import (
	"encoding/json"
	"io/fs"
	"slices"
	"testing"

	"kdlocks/web/engine"
	"kdlocks/web/page"
)

func TestConfigTellsWhichCallsNeedNoCase(t *testing.T) {
	type config struct {
		Engine *string
		Fresh  []string
	}
	served, err := fs.ReadFile(page.Files(), page.ConfigFile)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		data   []byte
		engine bool
	}{{page.Config(true), true}, {page.Config(false), false}, {served, page.HasEngine()}} {
		var c config
		if err := json.Unmarshal(tc.data, &c); err != nil {
			t.Fatal(err)
		}
		if (c.Engine != nil) != tc.engine || tc.engine && *c.Engine != page.EngineFile {
			t.Errorf("%s: engine %t", tc.data, !tc.engine)
		}
		for _, call := range engine.Calls() {
			if slices.Contains(c.Fresh, call) == engine.NeedsCase(call) {
				t.Errorf("%s: %s needs a case: %t", tc.data, call, engine.NeedsCase(call))
			}
		}
		if !slices.Contains(c.Fresh, "analyze") || slices.Contains(c.Fresh, "lines") {
			t.Errorf("%s", tc.data)
		}
	}
}
