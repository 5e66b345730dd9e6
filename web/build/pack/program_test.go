package pack

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// TestPackedProgram: a packed program does what it did, and what unpack.js makes is
// what Module returned.
func TestPackedProgram(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("a packed program is not run in Node.js, which is not installed (https://nodejs.org); web/browser runs the packed engine in Chromium all the same")
	}
	if testing.Short() {
		t.Skip("a packed program is not run: that takes a minute, and -short was asked for")
	}
	if underRace {
		t.Skip("a packed program is not run under the race detector: it does nothing side by side, and packing it takes many minutes there; go test without -race runs it")
	}
	dir := t.TempDir()
	linked, packed := filepath.Join(dir, "linked.wasm"), filepath.Join(dir, "packed.wasm")
	native := filepath.Join(dir, "native")
	run(t, nil, "go", "build", "-o", native, "./testdata/program")
	run(t, []string{"GOOS=js", "GOARCH=wasm"}, "go", append(append([]string{"build"}, Flags()...), "-o", linked, "./testdata/program")...)
	wasm := read(t, linked)
	module, err := Module(wasm)
	if err != nil {
		t.Fatal(err)
	}
	compressed, err := Compress(module)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes, %d rewritten, %d to load", len(wasm), len(module), len(compressed))
	unpack(t, node, dir, compressed, packed)
	if !bytes.Equal(read(t, packed), module) {
		t.Fatal("unpack.js makes another module")
	}
	starter := filepath.Join(goroot(t), "lib", "wasm", "wasm_exec_node.js")
	writeLogs(t, dir)
	for _, args := range [][]string{nil, {dir}} {
		want := run(t, nil, native, args...)
		if args != nil && len(want) < 1<<22 {
			t.Errorf("the reports are %d bytes", len(want))
		}
		for _, wasm := range []string{linked, packed} {
			got := run(t, nil, node, append([]string{starter, wasm}, args...)...)
			if got != want {
				at := 0
				for at < min(len(got), len(want)) && got[at] == want[at] {
					at++
				}
				t.Errorf("%s: after %d bytes of %d and %d: %.200q, want %.200q", filepath.Base(wasm), at, len(got), len(want), got[at:], want[at:])
			}
		}
	}
	died := dying(t, node, starter, packed, "die")
	for _, name := range []string{"invalid memory address", "main.(*falling).down", "main.main"} {
		if !strings.Contains(died, name) {
			t.Errorf("a panic does not tell of %q:\n%s", name, died)
		}
	}
}

// writeLogs writes the inputs of the cases into a folder.
func writeLogs(t *testing.T, dir string) {
	t.Helper()
	cases, err := filepath.Glob("../../../testdata/cases/*.txtar")
	if err != nil || len(cases) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, c := range cases {
		a, err := txtar.ParseFile(c)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range a.Files {
			if strings.HasPrefix(f.Name, "input") {
				name := filepath.Join(dir, strings.TrimSuffix(filepath.Base(c), ".txtar")+".log")
				if err := os.WriteFile(name, f.Data, 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

func unpack(t *testing.T, node, dir string, compressed []byte, to string) {
	t.Helper()
	script := filepath.Join(dir, "unpack.mjs")
	for name, data := range map[string][]byte{script: read(t, "unpack.js"), to + ".kdz": compressed} {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run(t, nil, node, "--input-type=module", "-e", `
import fs from "node:fs";
import {pathToFileURL} from "node:url";
const [script, from, to] = process.argv.slice(1);
const {unpack} = await import(pathToFileURL(script));
fs.writeFileSync(to, unpack(new Uint8Array(fs.readFileSync(from))));
`, script, to+".kdz", to)
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func run(t *testing.T, env []string, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), env...)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s", filepath.Base(name), err, said.String())
	}
	return out.String()
}

// dying returns what a program says that ends by a panic.
func dying(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err == nil {
		t.Error("the program did not die")
	}
	return string(out)
}

// goroot is where the Go is that runs the test.
func goroot(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}
