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

// Config is config.json: it tells the page whether the engine stands beside it, or the
// program that serves it is to be asked, and which calls that takes without a case.
func Config(withEngine bool) []byte {
	c := struct {
		Engine string   `json:"engine,omitempty"`
		Extras string   `json:"extras,omitempty"`
		Fresh  []string `json:"fresh"`
	}{Fresh: engine.Fresh()}
	if withEngine {
		c.Engine, c.Extras = EngineFile, ExtrasFile
	}
	data, err := json.Marshal(c)
	if err != nil {
		panic(err) // strings have a form in JSON
	}
	return append(data, '\n')
}

// EngineFile is the name of the packed engine beside the page, ExtrasFile that of what
// reads crash dumps and YAML for it, GlueFile that of the script that unpacks and starts them.
const (
	EngineFile = "engine.packed"
	ExtrasFile = "extras.packed"
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
	return files{config: fstest.MapFS{ConfigFile: {Data: Config(HasEngine()), Mode: 0o444}}}
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
