// Package page is the page where debugger output is pasted: HTML, style and modules as
// they are written, and the engine where the program was built with it.
package page

import (
	"embed"
	"io/fs"
	"testing/fstest"
)

//go:embed index.html style.css icon.svg app examples
var source embed.FS

// Source returns the page as it is written, without an engine.
func Source() fs.FS { return source }

// Config is what config.json tells the page.
const (
	withEngine    = `{"engine":"` + EngineFile + `"}` + "\n"
	withoutEngine = "{}\n"
)

// EngineFile is the name of the packed engine beside the page, GlueFile that of the
// script that unpacks and starts it.
const (
	EngineFile = "engine.packed"
	GlueFile   = "engine.js"
	ConfigFile = "config.json"
	// StampFile says which sources the engine was built from.
	StampFile = "stamp"
)

// HasEngine reports whether the program was built with the engine for the browser.
// Without it the page asks the program that serves it.
func HasEngine() bool { return engine != nil }

// Files returns what a server serves: the page, its engine if there is one, and
// config.json, which tells the page which it is.
func Files() fs.FS {
	config := withoutEngine
	if HasEngine() {
		config = withEngine
	}
	return files{config: fstest.MapFS{ConfigFile: {Data: []byte(config), Mode: 0o444}}}
}

type files struct{ config fs.FS }

// Open opens a file of the page or of its engine.
func (f files) Open(name string) (fs.File, error) {
	if name == ConfigFile {
		return f.config.Open(name)
	}
	if engine != nil && (name == EngineFile || name == GlueFile) {
		return engine.Open(name)
	}
	return source.Open(name)
}
