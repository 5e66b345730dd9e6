package main

import (
	"bytes"
	"encoding/ascii85"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/evanw/esbuild/pkg/api"

	"kdlocks/web/page"
)

// minified is the page in as few bytes as it can be.
type minified struct {
	html, style, script, worker string
	examples                    map[string]string
}

func minify() (*minified, error) {
	src := page.Source()
	m := &minified{examples: make(map[string]string)}
	var err error
	if m.html, err = read(src, "index.html"); err != nil {
		return nil, err
	}
	if m.script, err = bundled(src); err != nil {
		return nil, err
	}
	if m.worker, err = transformed(src, "app/worker.js", api.LoaderJS); err != nil {
		return nil, err
	}
	if m.style, err = transformed(src, "style.css", api.LoaderCSS); err != nil {
		return nil, err
	}
	files, err := fs.Glob(src, "examples/*")
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		if m.examples[strings.TrimPrefix(f, "examples/")], err = read(src, f); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// files are the page by name, all but its examples.
func (m *minified) files() map[string][]byte {
	return map[string][]byte{
		"index.html": []byte(m.html), "style.css": []byte(m.style), "app/main.js": []byte(m.script), "app/worker.js": []byte(m.worker),
	}
}

func read(src fs.FS, name string) (string, error) {
	data, err := fs.ReadFile(src, name)
	return string(data), err
}

// bundled puts the modules of the page into one.
func bundled(src fs.FS) (string, error) {
	result := api.Build(api.BuildOptions{
		EntryPoints: []string{"app/main.js"}, Bundle: true, Format: api.FormatESModule, Target: api.ES2022, Charset: api.CharsetUTF8,
		MinifyWhitespace: true, MinifyIdentifiers: true, MinifySyntax: true, LogLevel: api.LogLevelSilent,
		Plugins: []api.Plugin{{Name: "page", Setup: func(b api.PluginBuild) {
			b.OnResolve(api.OnResolveOptions{Filter: ".*"}, func(args api.OnResolveArgs) (api.OnResolveResult, error) {
				return api.OnResolveResult{Path: "app/" + filepath.Base(args.Path), Namespace: "page"}, nil
			})
			b.OnLoad(api.OnLoadOptions{Filter: ".*", Namespace: "page"}, func(args api.OnLoadArgs) (api.OnLoadResult, error) {
				text, err := read(src, args.Path)
				return api.OnLoadResult{Contents: &text, Loader: api.LoaderJS}, err
			})
		}}},
	})
	if err := firstOf(result.Errors); err != nil {
		return "", err
	}
	return string(result.OutputFiles[0].Contents), nil
}

func transformed(src fs.FS, name string, loader api.Loader) (string, error) {
	text, err := read(src, name)
	if err != nil {
		return "", err
	}
	result := api.Transform(text, api.TransformOptions{Loader: loader, Charset: api.CharsetUTF8, MinifyWhitespace: true, MinifyIdentifiers: true, MinifySyntax: true})
	return string(result.Code), firstOf(result.Errors)
}

func firstOf(messages []api.Message) error {
	if len(messages) == 0 {
		return nil
	}
	m := messages[0]
	if m.Location == nil {
		return errors.New(m.Text)
	}
	return fmt.Errorf("%s:%d:%d: %s", m.Location.File, m.Location.Line, m.Location.Column+1, m.Text)
}

// parts are the page and its engine.
func parts() (*minified, *engine, error) {
	m, err := minify()
	if err != nil {
		return nil, nil, err
	}
	dir, err := engineDir()
	if err != nil {
		return nil, nil, err
	}
	e, err := engineIn(dir, m, buildEngine)
	return m, e, err
}

// makeSite writes the page for a static host.
func makeSite(dir string) error {
	m, e, err := parts()
	if err != nil {
		return err
	}
	files := m.files()
	files[page.ConfigFile], files[page.EngineFile], files[page.ExtrasFile], files[page.GlueFile] = page.Config(true), e.packed, e.extras, e.glue
	for name, text := range m.examples {
		files["examples/"+name] = []byte(text)
	}
	return write(dir, files)
}

// offlinePolicy lets a page that brings all along run and nothing leave it.
const offlinePolicy = "default-src 'none'; script-src 'unsafe-inline' 'wasm-unsafe-eval'; style-src 'unsafe-inline'; img-src data:; worker-src blob:; connect-src 'none'; form-action 'none'; base-uri 'none'"

// makeOffline writes the page as one file.
func makeOffline(name string) error {
	m, e, err := parts()
	if err != nil {
		return err
	}
	html, err := offline(m, e)
	if err != nil {
		return err
	}
	return write(filepath.Dir(name), map[string][]byte{filepath.Base(name): html})
}

// offline puts all parts of the page into its HTML.
func offline(m *minified, e *engine) ([]byte, error) {
	if strings.Contains(m.script, "</script") || strings.Contains(m.style, "</style") {
		return nil, errors.New("the script or the style would end its own element")
	}
	given, err := json.Marshal(map[string]any{"script": string(e.glue) + "\n" + m.worker, "examples": m.examples})
	if err != nil {
		return nil, err
	}
	// JSON of encoding/json has no < that could end the element.
	script := `globalThis.kdlocksParts=` + string(given) + `;
for(const p of ['packed','extras'])Object.defineProperty(kdlocksParts,p,{get:()=>(` + fromASCII85 + `)(document.getElementById(p))});
`
	return replaced(m.html, [][2]string{
		{between(m.html, `<meta http-equiv="Content-Security-Policy" content="`, `">`), `<meta http-equiv="Content-Security-Policy" content="` + offlinePolicy + `">`},
		{`<link rel="stylesheet" href="style.css">`, "<style>" + m.style + "</style>"},
		{`<script type="module" src="app/main.js"></script>`, ""},
		{"</body>", inHTML("packed", e.packed) + inHTML("extras", e.extras) + "<script>" + script + "</script>\n<script type=\"module\">" + m.script + "</script>\n</body>"},
	})
}

// inHTML makes an element of bytes that no browser looks at: in Ascii85, which takes a
// sixteenth less than base64, with v in the place of <, so that it holds no markup.
func inHTML(id string, data []byte) string {
	text := make([]byte, ascii85.MaxEncodedLen(len(data)))
	text = text[:ascii85.Encode(text, data)]
	return fmt.Sprintf(`<script type="application/octet-stream" id="%s" data-bytes="%d">`, id, len(data)) + strings.ReplaceAll(string(text), "<", "v") + "</script>\n"
}

// fromASCII85 is the way back, in the browser.
const fromASCII85 = `(e)=>{
const s=e.textContent,size=+e.dataset.bytes,b=new DataView(new ArrayBuffer(size+4));
let at=0,n=0,k=0;
const put=()=>{b.setUint32(at,n);at+=4;n=k=0};
for(let i=0;i<s.length;i++){
const c=s.charCodeAt(i);
if(c===122)put();
else{n=n*85+(c===118?60:c)-33;if(++k===5)put()}
}
if(k>0){while(k++<5)n=n*85+84;put()}
return new Uint8Array(b.buffer,0,size)}`

// between returns the piece of a text from one mark to the next, both included.
func between(text, from, to string) string {
	i := strings.Index(text, from)
	if i < 0 {
		return from
	}
	n := strings.Index(text[i:], to)
	if n < 0 {
		return from
	}
	return text[i : i+n+len(to)]
}

// replaced puts texts in the places of others, each of which must be there once.
func replaced(text string, pairs [][2]string) ([]byte, error) {
	for _, p := range pairs {
		if strings.Count(text, p[0]) != 1 {
			return nil, fmt.Errorf("%q does not stand once in index.html", p[0])
		}
		text = strings.Replace(text, p[0], p[1], 1)
	}
	return bytes.TrimSpace([]byte(text)), nil
}
