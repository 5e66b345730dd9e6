//go:build engine

package page

import (
	"embed"
	"io/fs"
)

// The engine, and the page in as few bytes as it can be, are made by go run ./web/build engine.
//
//go:embed engine
var engineFiles embed.FS

// packed is what go run ./web/build engine made.
var packed = func() fs.FS {
	sub, err := fs.Sub(engineFiles, "engine")
	if err != nil {
		panic(err) // the name is right
	}
	return sub
}()

// Stamp returns what the engine was built from: see web/build.
func Stamp() (string, error) {
	data, err := fs.ReadFile(packed, StampFile)
	return string(data), err
}
