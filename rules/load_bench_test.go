package rules_test

import (
	"testing"

	"kdlocks/rules"
)

// BenchmarkBuiltin loads the packs that kdlocks ships with, as each run does.
func BenchmarkBuiltin(b *testing.B) {
	for b.Loop() {
		if _, err := rules.Load([]rules.Source{rules.Builtin()}, ""); err != nil {
			b.Fatal(err)
		}
	}
}
