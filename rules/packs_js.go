package rules

import "embed"

// packs are the packs that kdlocks ships with. A page has to load them, and runs
// the tests of other rules alone: the logs of these are left out.
//
//go:embed packs/*/pack.yaml packs/*/rules/*.yaml
var packs embed.FS
