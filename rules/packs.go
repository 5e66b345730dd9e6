//go:build !js

package rules

import "embed"

// packs are the packs that kdlocks ships with, and the logs of their tests.
//
//go:embed all:packs
var packs embed.FS
