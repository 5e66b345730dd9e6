package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"kdlocks/web/page"
)

func TestMinifiedPageHasAllParts(t *testing.T) {
	m, err := minify()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(m.script, "import ") && strings.Contains(m.script, "from\"./") {
		t.Error("the script still imports a module")
	}
	if len(m.examples) < 9 {
		t.Errorf("%d examples", len(m.examples))
	}
	for name, s := range map[string]string{"style": m.style, "script": m.script, "worker": m.worker} {
		if len(s) < 500 {
			t.Errorf("the %s has %d bytes", name, len(s))
		}
	}
	// Parses as a module: node is not on every machine.
	if node, err := exec.LookPath("node"); err == nil {
		check := exec.Command(node, "--input-type=module", "--check")
		check.Stdin = strings.NewReader(m.script)
		if out, err := check.CombinedOutput(); err != nil {
			t.Errorf("node --check: %v\n%s", err, out)
		}
	}
}

func TestOfflinePageNeedsNothingElse(t *testing.T) {
	m, err := minify()
	if err != nil {
		t.Fatal(err)
	}
	m.examples["hostile.log"] = "</script><script>alert(1)</script>\u2028"
	html, err := offline(m, &engine{packed: []byte("wasm"), glue: []byte("glue()")})
	if err != nil {
		t.Fatal(err)
	}
	for _, no := range []string{"'self'", `src="`, `href="style.css"`, "<script>alert"} {
		if strings.Contains(string(html), no) {
			t.Errorf("the page holds %q", no)
		}
	}
	for _, yes := range []string{offlinePolicy, "G@>Q0", "glue()", "<style>", "data:image/svg+xml"} {
		if !strings.Contains(string(html), yes) {
			t.Errorf("the page has no %q", yes)
		}
	}
	ends := *m
	ends.script += "</script>"
	if _, err := offline(&ends, &engine{}); err == nil {
		t.Error("a script that ends its element is taken")
	}
	m.html = strings.Replace(m.html, "</body>", "", 1)
	if _, err := offline(m, &engine{}); err == nil || !strings.Contains(fmt.Sprint(err), "</body>") {
		t.Errorf("a page without an end: %v", err)
	}
}

func TestEngineIsBuiltOnceForItsSources(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "engine")
	built := 0
	get := func() *engine {
		t.Helper()
		e, err := engineIn(dir, &minified{}, func() (*engine, error) {
			built++
			return &engine{packed: []byte{byte(built)}, glue: []byte("glue")}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	spoil := func(name string, data string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for i, step := range []struct {
		before func()
		built  int
	}{
		{func() {}, 1},
		{func() {}, 1},
		{func() { spoil(page.StampFile, "other sources") }, 2},
		{func() {}, 2},
		{func() { os.Remove(filepath.Join(dir, page.GlueFile)) }, 3},
	} {
		step.before()
		if e := get(); built != step.built || len(e.packed) != 1 || int(e.packed[0]) != built || string(e.glue) != "glue" {
			t.Errorf("step %d: built %d times, want %d: %+v", i, built, step.built, e)
		}
	}
	spoil(page.StampFile, "other sources")
	failed := errors.New("failed")
	if _, err := engineIn(dir, &minified{}, func() (*engine, error) { return nil, failed }); !errors.Is(err, failed) {
		t.Errorf("an engine that does not build: %v", err)
	}
}
