//go:build engine

package main

import (
	"bytes"
	"compress/gzip"
	"io/fs"
	"testing"

	"kdlocks/web/page"
)

// What a browser loads before it can analyse, and the page as one file.
const (
	mostToLoad  = 1_600_000
	mostOffline = 3_000_000
)

func TestPageAndEngineAreSmall(t *testing.T) {
	files := page.Files()
	rest := 0
	for _, name := range []string{"index.html", "style.css", "app/main.js", "app/worker.js", "examples/index.json", page.ConfigFile} {
		rest += zippedSize(t, load(t, files, name))
	}
	e := &engine{packed: load(t, files, page.EngineFile), extras: load(t, files, page.ExtrasFile), glue: load(t, files, page.GlueFile)}
	starter := zippedSize(t, e.glue)
	sum := len(e.packed) + starter + rest
	t.Logf("%d bytes to load: the engine %d, what unpacks and starts it %d, the page %d", sum, len(e.packed), starter, rest)
	if sum > mostToLoad {
		t.Errorf("page and engine are %d bytes to load, more than %d", sum, mostToLoad)
	}
	m, err := minify()
	if err != nil {
		t.Fatal(err)
	}
	html, err := offline(m, e)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes as one file, of which what reads dumps and YAML is %d packed", len(html), len(e.extras))
	if len(html) > mostOffline {
		t.Errorf("the page as one file has %d bytes, more than %d", len(html), mostOffline)
	}
}

func load(t *testing.T, files fs.FS, name string) []byte {
	t.Helper()
	data, err := fs.ReadFile(files, name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// zippedSize is how many bytes of a text the server sends.
func zippedSize(t *testing.T, data []byte) int {
	t.Helper()
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err == nil {
		_, err = z.Write(data)
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Len()
}
