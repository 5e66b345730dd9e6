package browser

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/chromedp/cdproto/network"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"kdlocks/web/page"
)

// TestWithoutServer stops the server: the page goes on with all that it can.
func TestWithoutServer(t *testing.T) {
	s := serve(t, written(t))
	p := openPage(t, s.URL)
	p.example("cycle.log") // all examples are there by now
	p.wait("examples", `performance.getEntriesByType("resource").filter((e) => e.name.includes("/examples/") && e.responseEnd > 0).length > $1`, len(examples(t)))
	asked := s.hits.Load()
	s.stop()
	everythingWorks(p)
	p.quiet()
	if n := s.hits.Load(); n != asked {
		t.Errorf("%d more requests, the last %v", n-asked, s.last.Load())
	}
}

// everythingWorks uses all that needs the engine.
func everythingWorks(p *tab) {
	p.Helper()
	before := p.turn()
	p.paste(golden(p))
	p.turned(before)
	p.wantVerdict(goldenVerdict)
	for _, name := range []string{"chain.log", "stall.log"} {
		p.example(name)
	}
	p.example("self-deadlock.log")
	for format, want := range map[string]string{"json": `"schema":"kdlocks.report/v1"`, "html": "<!DOCTYPE html>", "svg": "<svg", "sarif": `"2.1.0"`} {
		if text := p.saved(format); !strings.Contains(strings.ReplaceAll(text, `": "`, `":"`), want) {
			p.Errorf("%s begins with %.100s", format, text)
		}
	}
	p.click("#take-markdown")
	p.wait("the copy", `document.getElementById("toast").textContent === "Markdown copied"`)
	if text := pasted(p); !strings.Contains(text, "deadlock (certain)") {
		p.Errorf("Markdown begins with %.200s", text)
	}
	redacted := p.turn()
	p.click("#redact")
	p.turned(redacted)
	p.wait("redacted", `document.getElementById("dialog").open && !document.getElementById("text").value.includes("fffffa80169538a0")`)
	p.key("Escape")
	p.wantVerdict(goldenVerdict)
	p.click("#redact")
	p.turned(redacted + 1)
	ownRule(p)
	p.wait("finding of the copied rule", `[...document.querySelectorAll("#findings .finding")].some((f) => f.textContent.includes("my-ms-kb2608658-sis-owner-pointer"))`)
	comparison(p)
	dump := p.turn()
	p.click("#view-one")
	p.choose("#file", dumpFile(p, "two threads", ""))
	p.turned(dump)
	p.wait("a deadlock in a dump", `document.querySelector("#verdict .kind").textContent.startsWith("DEADLOCK")`)
	// The worker is ended and begun anew.
	p.click("#view-one")
	p.largeFile("0: kd> !locks\n", "Resource @ 0xfffffa8011efede8 Exclusively owned\n Contention Count = 20\n NumberOfSharedWaiters = 16\n", 2_000_000, "")
	p.wait("progress", `!document.getElementById("progress").hidden`)
	p.click("#cancel")
	p.wait("the end of it", `document.getElementById("progress").hidden`)
	p.example("cycle.log")
	p.wantVerdict("DEADLOCK (certain)")
}

// TestOffline uses the one file, from the disk and without a network.
func TestOffline(t *testing.T) {
	name := build(t).offline()
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("the page in one file: %.2f MB", float64(info.Size())/1e6)
	p := blank(t)
	call(p, network.Enable, network.EnableParams{})
	call(p, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{MatchedNetworkConditions: []*network.Conditions{{Offline: true, DownloadThroughput: -1, UploadThroughput: -1}}})
	p.visit("file://" + name)
	everythingWorks(p)
	noStorage(p)
	// And from another folder.
	copied := filepath.Join(t.TempDir(), "a page, copied.html")
	if err := os.WriteFile(copied, []byte(readFile(t, name)), 0o644); err != nil {
		t.Fatal(err)
	}
	p.visit("file://" + strings.ReplaceAll(copied, " ", "%20"))
	p.example("orphaned.log")
	p.quiet()
}

// TestSite uses the folder for static hosts, below a path of its own.
func TestSite(t *testing.T) {
	p := openPage(t, pages(t)["site"])
	everythingWorks(p)
	noStorage(p)
	p.quiet()
}

// noStorage looks for anything that the page left with the browser.
func noStorage(p *tab) {
	p.Helper()
	got := eval[string](p, `(async () => JSON.stringify({
		local: localStorage.length, session: sessionStorage.length, cookies: document.cookie,
		databases: (await indexedDB.databases().catch(() => [])).length,
		caches: globalThis.caches ? (await caches.keys().catch(() => [])).length : 0,
		workers: navigator.serviceWorker ? (await navigator.serviceWorker.getRegistrations().catch(() => [])).length : 0,
		query: location.search,
	}))()`)
	if want := `{"local":0,"session":0,"cookies":"","databases":0,"caches":0,"workers":0,"query":""}`; got != want {
		p.Errorf("the page leaves %s", got)
	}
}

// TestLink puts the input into the address, after a warning, and never by itself.
func TestLink(t *testing.T) {
	s := serve(t, written(t))
	p := openPage(t, s.URL)
	log := golden(t)
	before := p.turn()
	p.paste(log)
	p.turned(before)
	if at := eval[string](p, `location.href`); at != s.URL+"/" {
		t.Errorf("after a paste the address is %s", at)
	}
	p.click("#link")
	p.wait("the warning", `document.querySelector("#dialog .advice")?.textContent.includes("whoever sees the link")`)
	if eval[string](p, `location.hash`) != "" {
		t.Error("the input is in the address before anybody agreed")
	}
	p.click("#share-text")
	p.wait("the link", `document.getElementById("toast").textContent === "Link with the input copied"`)
	link := pasted(t)
	u, err := url.Parse(link)
	if err != nil || u.RawQuery != "" || !strings.Contains(u.Fragment, "text=") || len(link) > 8000 {
		t.Fatalf("link of %d bytes, %v: %.200s", len(link), err, link)
	}
	asked := s.hits.Load()
	q := openPage(t, link)
	q.wait("the verdict", `document.querySelector("#verdict .kind")?.textContent === $1`, goldenVerdict)
	if got := eval[string](q, `document.getElementById("text").value`); strings.ReplaceAll(got, "\r\n", "\n") != strings.ReplaceAll(log, "\r\n", "\n") {
		t.Error("the link holds another text")
	}
	if last := s.last.Load().(string); strings.Contains(last, "text") || s.hits.Load() == asked {
		t.Errorf("the server was asked for %s", last)
	}
	noStorage(q)
	// What is no such text does no harm.
	for _, broken := range []string{"text=AAAA&view=none", "text=%25%25", "text=" + strings.Repeat("A", 20000), "example=../../secret"} {
		q.do(chromedp.Navigate("about:blank"))
		q.visit(s.URL + "/#" + broken)
		q.complaints() // of an example that is not there
		q.example("cycle.log")
	}
	p.quiet()
}

// TestRedact puts pseudonyms into the input: the verdict stays.
func TestRedact(t *testing.T) {
	p := openPage(t, serve(t, written(t)).URL)
	p.example("self-deadlock.log")
	p.click("#redact")
	p.wait("what was done", `document.getElementById("dialog").open && document.getElementById("dialog").textContent.includes("pseudonyms")`)
	p.key("Escape")
	p.wait("the redacted text", `document.getElementById("redact").textContent === "Show the original" && !document.getElementById("text").value.includes("fffffa80169538a0")`)
	p.wait("the verdict on it", `document.querySelector("#verdict .kind")?.textContent === $1 && !document.getElementById("report").textContent.includes("fffffa80169538a0")`, goldenVerdict)
	if text := p.saved("json"); strings.Contains(text, "fffffa80169538a0") || !json.Valid([]byte(text)) {
		t.Error("the redacted report holds what was redacted")
	}
	p.click("#redact")
	p.wait("the original", `document.getElementById("redact").textContent === "Redact" && document.getElementById("text").value.includes("fffffa80169538a0")`)
	p.wait("its verdict", `document.getElementById("report").textContent.includes("fffffa80169538a0")`)
	p.quiet()
}

// TestEngineThatDoesNotStart is told, and not tried again and again.
func TestEngineThatDoesNotStart(t *testing.T) {
	h := written(t)
	s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/"+page.EngineFile {
			w.Write(bytes.Repeat([]byte{0xff}, 1000))
			return
		}
		h.ServeHTTP(w, r)
	}))
	p := blank(t)
	call(p, cdppage.AddScriptToEvaluateOnNewDocument, cdppage.AddScriptToEvaluateOnNewDocumentParams{Source: `
		window.workers = 0;
		window.Worker = class extends Worker { constructor(...args) { super(...args); window.workers++; } };`})
	p.do(chromedp.Navigate(s.URL))
	p.wait("what is wrong", `document.getElementById("mode").textContent.startsWith("The engine does not start: ")`)
	if n := eval[int](p, `window.workers`); n != 2 {
		t.Errorf("%d workers were started: one unpacks for the other", n)
	}
}

// withoutEngine is the page of a program that was built without the engine, for a build
// with it.
type withoutEngine struct{}

func (withoutEngine) Open(name string) (fs.File, error) {
	if name == page.ConfigFile {
		return fstest.MapFS{name: {Data: page.Config(false)}}.Open(name)
	}
	return page.Source().Open(name)
}

// TestEngineOfTheProgram uses the page of a program that was built without the engine
// for the browser: it says so, and asks the program.
func TestEngineOfTheProgram(t *testing.T) {
	files := page.Files()
	if page.HasEngine() {
		files = withoutEngine{}
	}
	s := serve(t, program(t, files))
	p := blank(t)
	p.do(chromedp.Navigate(s.URL))
	p.wait("the engine", `document.documentElement.dataset.engine === "server" && document.querySelectorAll("#start button.place").length > 0`)
	if said := p.text("#privacy"); !strings.Contains(said, "goes to the program that serves this page") {
		t.Errorf("the page says %q", said)
	}
	before := p.turn()
	p.paste(golden(t))
	p.turned(before)
	p.wantVerdict(goldenVerdict)
	p.click(`[data-evidence="1.0"]`)
	p.wait("the evidence", `document.querySelector("#viewer mark.m-chosen") && document.querySelector("#line h2")`)
	if text := p.saved("json"); !strings.Contains(text, "kdlocks.report/v1") {
		t.Errorf("JSON begins with %.100s", text)
	}
	ownRule(p)
	p.wait("finding of the copied rule", `[...document.querySelectorAll("#findings .finding")].some((f) => f.textContent.includes("my-ms-kb2608658-sis-owner-pointer"))`)
	comparison(p)
	p.quiet()
	s.stop()
	p.click("#view-one")
	p.give(golden(t) + "\n")
	if !strings.Contains(p.text("#verdict"), "does not answer") {
		t.Errorf("without its program the page says %s", p.text("#verdict"))
	}
}
