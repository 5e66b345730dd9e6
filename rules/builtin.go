package rules

import "embed"

// packs are the packs that kdlocks ships with, and the logs of their tests.
//
//go:embed all:packs
var packs embed.FS

// Builtin returns the packs that kdlocks ships with as a source to load.
func Builtin() Source { return Source{Name: "rules", FS: packs, Builtin: true} }
