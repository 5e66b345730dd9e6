package rules_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"kdlocks/rules"
)

// TestOverridesOfSeveralFiles holds the order of overrides that do not know of each
// other: the later one counts, and a rule that one disables is off.
func TestOverridesOfSeveralFiles(t *testing.T) {
	overrides := func(list string) rules.Source {
		return rules.Source{Name: "o.yaml", File: "o.yaml", FS: fstest.MapFS{"o.yaml": {Data: []byte("format: kdlocks.overrides/v1\noverrides: [" + list + "]\n")}}}
	}
	rule := rules.Source{Name: "rule.yaml", File: "rule.yaml", FS: fstest.MapFS{"rule.yaml": {Data: []byte(sound)}}}
	const disable, low, info = "{id: sample-owned, disable: true, reason: not here}", "{id: sample-owned, patch: {severity: low}}", "{id: sample-owned, patch: {severity: info}, reason: of no use}"
	for _, c := range []struct {
		sources  []rules.Source
		severity string
		changed  string
		disabled bool
	}{
		{[]rules.Source{rule, overrides(low), overrides(info)}, "info", "patched: severity; patched: severity (of no use)", false},
		{[]rules.Source{rule, overrides(disable), overrides(low)}, "low", "disabled: not here; patched: severity", true},
		{[]rules.Source{overrides(low), rule, overrides(disable), overrides(disable)}, "low", "patched: severity; disabled: not here; disabled: not here", true},
	} {
		set, err := rules.Load(c.sources, "2026-11-21")
		if err != nil {
			t.Error(err)
			continue
		}
		all := append(set.Rules, set.Disabled...)
		if len(all) != 1 || (len(set.Disabled) == 1) != c.disabled || all[0].Severity != c.severity || all[0].Changed != c.changed {
			t.Errorf("%d rules, %d disabled, %s, %q", len(set.Rules), len(set.Disabled), all[0].Severity, all[0].Changed)
		}
	}
}

// TestOverridesOfRulesElsewhere holds that an override, or a rule that supersedes, may
// name a rule that kdlocks ships with where those are left out.
func TestOverridesOfRulesElsewhere(t *testing.T) {
	const id = "ms-kb2608658-sis-owner-pointer"
	fsys := fstest.MapFS{
		"o.yaml":    {Data: []byte("format: kdlocks.overrides/v1\noverrides: [{id: " + id + ", patch: {severity: low}}]\n")},
		"rule.yaml": {Data: []byte(strings.Replace(sound, "    match:\n", "    supersedes: ["+id+"]\n    match:\n", 1))},
	}
	set, err := rules.Load([]rules.Source{{Name: "mine", FS: fsys}}, "")
	if err != nil || len(set.Rules) != 1 || len(set.Notes) != 1 || !strings.HasPrefix(set.Notes[0], "the override at mine/o.yaml:2 changes nothing: rule "+id) {
		t.Errorf("%v: %+v", err, set)
	}
}
