package browser

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"kdlocks/inspect"
	"kdlocks/open"
	"kdlocks/report"
	"kdlocks/rules"
	"kdlocks/web/engine"
)

// inputs are all logs of the test data, by the name that they have here.
func inputs(t testing.TB) map[string][]byte {
	t.Helper()
	out := make(map[string][]byte)
	for _, pattern := range []string{"../../testdata/*.log", "../../testdata/corpus/*.log", "../../testdata/samples/*.log", "../../testdata/waits/*.log", "../../rules/packs/*/testdata/*.log", "../page/examples/*.log"} {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) == 0 {
			t.Fatalf("no %s: %v", pattern, err)
		}
		for _, name := range names {
			out[strings.TrimPrefix(filepath.ToSlash(name), "../../")] = []byte(readFile(t, name))
		}
	}
	cases, err := filepath.Glob("../../testdata/cases/*.txtar")
	if err != nil || len(cases) < 100 {
		t.Fatalf("%d cases: %v", len(cases), err)
	}
	for _, name := range cases {
		ar, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range ar.Files {
			if f.Name == "input.txt" {
				out[strings.TrimPrefix(filepath.ToSlash(name), "../../")] = f.Data
			}
		}
	}
	out["nothing"] = []byte("no output of a debugger\n")
	out["empty"] = nil
	out["packed.gz"] = gzipped(t, golden(t))
	out["packed.zip"] = zipped(t, golden(t))
	out["utf-16"] = utf16Of(golden(t))
	return out
}

// native returns the JSON that the command line writes, or why there is none.
func native(t testing.TB, set *rules.Set, name string, data []byte) (text []byte, why string) {
	t.Helper()
	ctx := context.Background()
	files, err := open.Given(ctx, []inspect.Input{inspect.Bytes(name, data)}, open.Options{})
	if err != nil {
		return nil, errors.Join(err, files.Close()).Error()
	}
	defer files.Close()
	r, err := inspect.Run(ctx, files.Inputs, inspect.Options{Rules: inspect.These(set)})
	if r == nil {
		return nil, err.Error()
	}
	var b bytes.Buffer
	if err := report.WriteJSON(&b, r, report.Style{}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), ""
}

// faces are what gives the same JSON as the command line for the same input. Each
// returns one answer for each name: its SHA-256, or "" where nothing was recognised,
// and again the text of an answer that is wrong.
type face func(names []string) (hashes []string, text func(name string) string)

// TestParity compares the reports of the native engine with those of the one in the
// browser, byte for byte, for every log of the test data.
func TestParity(t *testing.T) {
	all := inputs(t)
	names := sortedKeys(all)
	set, err := rules.Load([]rules.Source{rules.Builtin()}, time.Now().Format(time.DateOnly))
	if err != nil {
		t.Fatal(err)
	}
	for what, answer := range map[string]face{"WebAssembly": inBrowser(t, all)} {
		hashes, text := answer(names)
		if len(hashes) != len(names) {
			t.Fatalf("%s: %d answers for %d inputs", what, len(hashes), len(names))
		}
		nothing := 0
		for i, name := range names {
			want, why := native(t, set, name, all[name])
			sum := sha256.Sum256(want)
			switch {
			case why != "" && hashes[i] == "":
				nothing++
			case why != "" || hashes[i] == "":
				t.Errorf("%s, %s: natively %q, here answer %q", what, name, why, hashes[i])
			case hashes[i] != hex.EncodeToString(sum[:]):
				t.Errorf("%s, %s (- native, + here):\n%.2000s", what, name, cmp.Diff(string(want), text(name)))
			}
		}
		t.Logf("%s: %d reports alike, of %d inputs nothing is recognised", what, len(names)-nothing, nothing)
		if nothing > 12 {
			t.Errorf("%s: of %d inputs nothing is recognised", what, nothing)
		}
	}
}

// inBrowser asks the engine of the page, in its worker.
func inBrowser(t *testing.T, all map[string][]byte) face {
	page := written(t)
	s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/parity/input" {
			_, _ = w.Write(all[r.URL.Query().Get("name")])
			return
		}
		page.ServeHTTP(w, r)
	}))
	p := openPage(t, s.URL)
	p.run(`(async () => {
		const { startEngine, asText } = await import("/app/engine.js");
		const engine = await startEngine();
		window.reportOn = async (name) => {
			const blob = await (await fetch("/parity/input?name=" + encodeURIComponent(name))).blob();
			const got = JSON.parse(asText(await engine.call("analyze", {}, [{ name, blob }])));
			return got.report ? engine.call("write", { format: "json" }) : undefined;
		};
		window.asText = asText;
	})()`)
	return func(names []string) ([]string, func(string) string) {
		var hashes []string
		for len(names) > 0 {
			n := min(len(names), 50)
			hashes = append(hashes, eval[[]string](p, `(async () => {
				const out = [];
				for (const name of $1) {
					const data = await window.reportOn(name);
					out.push(data ? [...new Uint8Array(await crypto.subtle.digest("SHA-256", data))].map((b) => b.toString(16).padStart(2, "0")).join("") : "");
				}
				return out;
			})()`, names[:n])...)
			names = names[n:]
		}
		return hashes, func(name string) string {
			return eval[string](p, `(async () => window.asText(await window.reportOn($1)))()`, name)
		}
	}
}

// hostileYAML are files that would take long, or all memory.
var hostileYAML = map[string]string{
	"blank.yaml":   " \n",
	"aliases.yaml": "a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\nd: [*c,*c]\n",
	"deep.yaml":    strings.Repeat("[", 100_000),
	"nested.yaml":  strings.Repeat("[", 9000) + strings.Repeat("]", 9000),
	"block.yaml":   strings.Repeat("- ", 900) + strings.Repeat("[", 900) + strings.Repeat("]", 900),
	"many.yaml":    "[" + strings.Repeat("a,", 200_000) + "a]",
	"large.yaml":   strings.Repeat("- a\n", 1<<19),
	"marks.yaml":   "\ufeffformat: \ufeffx\r\nrules:\u2028- \u202eb\n",
	"zero.yaml":    "a: \"\x00\"\n",
}

// TestRuleParity lets both engines say what is wrong in rule files that are.
func TestRuleParity(t *testing.T) {
	files, err := filepath.Glob("../../rules/testdata/broken/*.txtar")
	if err != nil || len(files) < 100 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	p := openPage(t, serve(t, written(t)).URL)
	p.run(`(async () => {
		const { startEngine, asText } = await import("/app/engine.js");
		const engine = await startEngine();
		window.lint = async (all) => { const out = []; for (const args of all) out.push(asText(await engine.call("lint", args))); return out; };
	})()`)
	e := engine.New(engine.Options{Today: time.Now().Format(time.DateOnly)})
	var asked []engine.RuleArgs
	var want []string
	ask := func(name string, own ...engine.RuleFile) {
		args := engine.RuleArgs{Own: own, NoBuiltin: true}
		raw, err := json.Marshal(args)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := e.Call(context.Background(), "lint", raw, nil, &b); err != nil {
			fmt.Fprintln(os.Stderr, name, err)
			return
		}
		asked, want = append(asked, args), append(want, b.String())
	}
	for _, name := range files {
		ar, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		own := []engine.RuleFile{}
		for _, f := range ar.Files[:len(ar.Files)-1] {
			if filepath.Ext(f.Name) == ".yaml" {
				own = append(own, engine.RuleFile{Name: f.Name, Text: strings.ToValidUTF8(string(f.Data), "?")})
			}
		}
		ask(name, own...)
	}
	for name, text := range hostileYAML {
		ask(name, engine.RuleFile{Name: name, Text: text}, engine.RuleFile{Name: "other.yaml", Text: rules.Skeleton("other")})
	}
	got := eval[[]string](p, `window.lint($1)`, asked)
	for i := range got {
		if got[i] != want[i] {
			t.Errorf("%v (- native, + here):\n%.2000s", asked[i].Own[0].Name, cmp.Diff(want[i], got[i]))
		}
	}
	t.Logf("%d rule files", len(got))
}

// TestOwnRuleParity lets both engines ask a rule of the user of a log.
func TestOwnRuleParity(t *testing.T) {
	text := strings.ReplaceAll(readFile(t, "../../rules/packs/windows/rules/sis.yaml"), "- id: ", "- id: my-")
	own := rules.TextSource("own.yaml", text)
	own.Draft = true
	set, err := rules.Load([]rules.Source{rules.Builtin(), own}, time.Now().Format(time.DateOnly))
	if err != nil {
		t.Fatal(err)
	}
	want, why := native(t, set, "golden.log", []byte(golden(t)))
	if why != "" || !strings.Contains(string(want), "my-ms-kb2608658-sis-owner-pointer") {
		t.Fatalf("%q: %.500s", why, want)
	}
	p := openPage(t, serve(t, written(t)).URL)
	got := eval[string](p, `(async () => {
		const { startEngine, asText } = await import("/app/engine.js");
		const engine = await startEngine();
		await engine.call("analyze", { rules: [{ name: "own.yaml", text: $1 }] }, [{ name: "golden.log", blob: new Blob([$2]) }]);
		return asText(await engine.call("write", { format: "json" }));
	})()`, text, golden(t))
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("- native, + here:\n%.2000s", diff)
	}
}
