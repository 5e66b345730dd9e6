package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/evanw/esbuild/pkg/api"

	"kdlocks/web/build/pack"
	"kdlocks/web/page"
)

// engine is the engine for the browser, and what it seldom needs, both packed; and the
// script that unpacks and starts them in workers.
type engine struct{ packed, extras, glue []byte }

// glueOfGo is what Go's distribution has to start a program in a browser.
const glueOfGo = "lib/wasm/wasm_exec.js"

// programs are the packages of what runs in the browser.
const (
	engineProgram = "kdlocks/web/wasm"
	extrasProgram = "kdlocks/web/wasm/extras"
)

// buildEngine compiles the engine with the Go that runs this.
func buildEngine() (*engine, error) {
	e := &engine{}
	var err error
	if e.packed, err = compiled(engineProgram); err != nil {
		return nil, err
	}
	if e.extras, err = compiled(extrasProgram); err != nil {
		return nil, err
	}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return nil, fmt.Errorf("go env GOROOT: %w", err)
	}
	// It must be of the Go that compiled the engine.
	glue, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(root)), filepath.FromSlash(glueOfGo)))
	if err != nil {
		return nil, err
	}
	e.glue, err = script(string(glue), pack.Unpack)
	return e, err
}

// compiled compiles a program, and packs it.
func compiled(program string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "kdlocks-engine-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "engine.wasm")
	build := exec.Command("go", append(append([]string{"build"}, pack.Flags()...), "-o", file, program)...)
	build.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "GOFLAGS=")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return nil, fmt.Errorf("%s does not compile: %w", program, err)
	}
	wasm, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	out, err := packed(wasm)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be packed: %w", program, err)
	}
	return out, nil
}

func packed(wasm []byte) ([]byte, error) {
	module, err := pack.Module(wasm)
	if err != nil {
		return nil, err
	}
	return pack.Compress(module)
}

// script makes one script of the glue and of the module that unpacks: workers made of a
// Blob import nothing.
func script(glue, unpack string) ([]byte, error) {
	unpack = strings.Replace(unpack, "export function unpack(", "function unpack(", 1)
	result := api.Transform(glue+"\n"+unpack, api.TransformOptions{Loader: api.LoaderJS, Charset: api.CharsetUTF8, MinifyWhitespace: true, MinifyIdentifiers: true, MinifySyntax: true})
	return result.Code, firstOf(result.Errors)
}

// engineDir returns where go build -tags engine looks for the engine, wherever in the
// module this runs.
func engineDir() (string, error) {
	root, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "kdlocks").Output()
	if err != nil {
		return "", fmt.Errorf("go list -m: %w", err)
	}
	return filepath.Join(strings.TrimSpace(string(root)), "web", "page", "engine"), nil
}

// makeEngine writes the engine into a folder, and the page as small as it can be.
func makeEngine(dir string) error {
	stamp, err := sources()
	if err != nil {
		return err
	}
	m, err := minify()
	if err != nil {
		return err
	}
	e, err := buildEngine()
	if err != nil {
		return err
	}
	return keep(dir, m, e, stamp)
}

// engineIn returns the engine in a folder if it was built from the sources as they are;
// otherwise it builds one and puts
// it there with the page.
func engineIn(dir string, m *minified, build func() (*engine, error)) (*engine, error) {
	stamp, err := sources()
	if err != nil {
		return nil, err
	}
	// What cannot be read is built anew.
	of, _ := os.ReadFile(filepath.Join(dir, page.StampFile))
	packed, packedErr := os.ReadFile(filepath.Join(dir, page.EngineFile))
	extras, extrasErr := os.ReadFile(filepath.Join(dir, page.ExtrasFile))
	glue, glueErr := os.ReadFile(filepath.Join(dir, page.GlueFile))
	if string(of) == stamp && packedErr == nil && extrasErr == nil && glueErr == nil {
		return &engine{packed, extras, glue}, nil
	}
	e, err := build()
	if err != nil {
		return nil, err
	}
	return e, keep(dir, m, e, stamp)
}

// keep writes a page and its engine with the stamp of their sources.
func keep(dir string, m *minified, e *engine, stamp string) error {
	files := m.files()
	files[page.EngineFile], files[page.ExtrasFile], files[page.GlueFile], files[page.StampFile] = e.packed, e.extras, e.glue, []byte(stamp)
	return write(dir, files)
}

// write puts files into a folder.
func write(dir string, files map[string][]byte) error {
	for name, data := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			return err
		}
		if err := os.WriteFile(path, data, 0o666); err != nil {
			return err
		}
	}
	return nil
}
