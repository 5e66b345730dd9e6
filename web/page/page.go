// Package page is the page where debugger output is pasted: HTML, style and modules as
// they are written, or in as few bytes as they can be beside the engine, where the program
// was built with it.
package page

import (
	"embed"
	"encoding/json"
	"io/fs"
	"testing/fstest"

	"kdlocks/web/engine"
)

//go:embed index.html style.css app examples
var source embed.FS

// Source returns the page as it is written, without an engine.
func Source() fs.FS { return source }

// Config is config.json: it tells the page which of EngineFile and ModuleFile stand beside
// it, and which calls the program that serves it takes without a case where neither does.
func Config(files ...string) []byte {
	c := struct {
		Engine string   `json:"engine,omitempty"`
		Module string   `json:"module,omitempty"`
		Fresh  []string `json:"fresh"`
	}{Fresh: engine.Fresh()}
	for _, f := range files {
		switch f {
		case EngineFile:
			c.Engine = f
		case ModuleFile:
			c.Module = f
		}
	}
	data, err := json.Marshal(c)
	if err != nil {
		panic(err) // strings have a form in JSON
	}
	return append(data, '\n')
}

// EngineFile is the name of the packed engine beside the page, GlueFile that of the
// script that unpacks and starts it. ModuleFile is the engine as a browser compiles it
// while it loads: twice the bytes, which are nothing on the way from the same machine, where
// unpacking takes longer.
const (
	EngineFile = "engine.packed"
	ModuleFile = "engine.wasm"
	GlueFile   = "engine.js"
	ConfigFile = "config.json"
	// StampFile says which sources the engine was built from.
	StampFile = "stamp"
)

// HasEngine reports whether the program was built with the engine for the browser.
// Without it the page asks the program that serves it.
func HasEngine() bool { return packed != nil }

// Files returns what a server serves: the page, its engine if there is one, and
// config.json, which tells the page which it is.
func Files() fs.FS {
	var engines []string
	if HasEngine() {
		engines = []string{EngineFile, ModuleFile}
	}
	return files{config: fstest.MapFS{ConfigFile: {Data: Config(engines...), Mode: 0o444}}}
}

type files struct{ config fs.FS }

// Open opens a file of the page or of its engine.
func (f files) Open(name string) (fs.File, error) {
	if name == ConfigFile {
		return f.config.Open(name)
	}
	if HasEngine() && name != StampFile {
		if file, err := packed.Open(name); err == nil {
			return file, nil
		}
	}
	return source.Open(name)
}
