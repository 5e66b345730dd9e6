//go:build engine

package main

import (
	"testing"

	"kdlocks/web/page"
)

// The engine in the program is built from the sources of the program.
func TestEngineIsInStep(t *testing.T) {
	want, err := sources()
	if err != nil {
		t.Fatal(err)
	}
	got, err := page.Stamp()
	if err != nil {
		t.Fatal(err)
	}
	if got != want {
		t.Error("the engine was built from other sources: run go run ./web/build engine")
	}
}
