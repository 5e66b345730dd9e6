package page_test

import (
	"encoding/json"
	"io/fs"
	"slices"
	"testing"

	"kdlocks/web/engine"
	"kdlocks/web/page"
)

func TestConfigTellsTheEngineAndWhichCallsNeedNoCase(t *testing.T) {
	type config struct {
		Engine, Module string
		Fresh          []string
	}
	served, err := fs.ReadFile(page.Files(), page.ConfigFile)
	if err != nil {
		t.Fatal(err)
	}
	want := config{}
	if page.HasEngine() {
		want = config{Engine: page.EngineFile, Module: page.ModuleFile}
	}
	for _, tc := range []struct {
		data []byte
		want config
	}{
		{page.Config(page.EngineFile), config{Engine: page.EngineFile}},
		{page.Config(), config{}},
		{page.Config("else"), config{}},
		{served, want},
	} {
		var c config
		if err := json.Unmarshal(tc.data, &c); err != nil {
			t.Fatal(err)
		}
		if c.Engine != tc.want.Engine || c.Module != tc.want.Module {
			t.Errorf("%s: want %+v", tc.data, tc.want)
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
