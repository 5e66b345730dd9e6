package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// tab is a tab in a browser context of its own: no cookie, cache or storage is shared.
type tab struct {
	testing.TB
	ctx context.Context

	mu     sync.Mutex
	errors []string // what the page complained of
}

// blank opens an empty tab.
func blank(t testing.TB) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(chrome.start(t), chromedp.WithNewBrowserContext())
	ctx, stop := context.WithTimeout(ctx, 5*time.Minute)
	p := &tab{TB: t, ctx: ctx}
	t.Cleanup(func() { stop(); cancel() })
	p.do(chromedp.EmulateViewport(1280, 800))
	call(p, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}) // whichever window is in front
	if err := chromedp.Listen(ctx, p.heard); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *tab) heard(ev any) {
	text := ""
	switch e := ev.(type) {
	case *runtime.EventExceptionThrown:
		text = "exception: " + e.ExceptionDetails.Text
		if x := e.ExceptionDetails.Exception; x != nil {
			text += " " + x.Description
		}
	case *runtime.EventConsoleAPICalled:
		if e.Type != "error" && e.Type != "assert" {
			return
		}
		text = "console: " + string(e.Type)
		for _, a := range e.Args {
			text += " " + a.Description + string(a.Value)
		}
	case *log.EventEntryAdded:
		if e.Entry.Level != "error" {
			return
		}
		text = fmt.Sprintf("log: %s %s", e.Entry.Text, e.Entry.URL)
	default:
		return
	}
	p.mu.Lock()
	p.errors = append(p.errors, text)
	p.mu.Unlock()
}

// complaints returns what stood in the console as an error since it was asked last.
func (p *tab) complaints() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := p.errors
	p.errors = nil
	return out
}

// quiet fails the test if the page complained.
func (p *tab) quiet() {
	p.Helper()
	for _, e := range p.complaints() {
		p.Errorf("the page complains: %s", e)
	}
}

// openPage shows a page and waits until its engine is ready.
func openPage(t testing.TB, url string) *tab {
	t.Helper()
	p := blank(t)
	p.visit(url)
	return p
}

func (p *tab) visit(url string) {
	p.Helper()
	p.do(chromedp.Navigate(url))
	p.wait("the engine", `document.documentElement.dataset.engine === "browser" && document.querySelectorAll("#start button.place").length > 0`)
}

func (p *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	p.Helper()
	if err := chromedp.Do(p.ctx, steps...); err != nil {
		p.Fatal(err)
	}
}

func call[P, R any](p *tab, cmd cdp.Command[P, R], params P) R {
	p.Helper()
	r, err := chromedp.Call(p.ctx, cmd, params)
	if err != nil {
		p.Fatalf("%s: %v", cmd.Method, err)
	}
	return r
}

// eval returns what an expression, or the promise that it is, comes to. In it, $1 is
// the first of the arguments, and so on.
func eval[T any](p *tab, expr string, args ...any) T {
	p.Helper()
	v, err := tryEval[T](p, expr, args...)
	if err != nil {
		p.Fatalf("%.300s: %v", expr, err)
	}
	return v
}

func tryEval[T any](p *tab, expr string, args ...any) (T, error) {
	return chromedp.Run(p.ctx, chromedp.Evaluate[T](bound(p, expr, args), chromedp.EvalAwaitPromise, func(e *runtime.EvaluateParams) { e.UserGesture = new(true) }))
}

func bound(p *tab, expr string, args []any) string {
	p.Helper()
	for i := len(args); i > 0; i-- {
		data, err := json.Marshal(args[i-1])
		if err != nil {
			p.Fatal(err)
		}
		expr = strings.ReplaceAll(expr, fmt.Sprintf("$%d", i), string(data))
	}
	return expr
}

// run evaluates what returns nothing.
func (p *tab) run(expr string, args ...any) {
	p.Helper()
	eval[chromedp.Void](p, expr, args...)
}

// wait waits until an expression holds.
func (p *tab) wait(what, expr string, args ...any) {
	p.Helper()
	end := time.Now().Add(patience)
	for {
		ok, err := tryEval[bool](p, "!!("+expr+")", args...)
		if ok {
			return
		}
		if time.Now().After(end) {
			p.Fatalf("no %s: %s %v; the page says %v; complaints %q", what, bound(p, expr, args), err,
				eval[string](p, `document.getElementById("report")?.innerText.slice(0, 600) ?? ""`), p.complaints())
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (p *tab) click(selector string) {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible)); err != nil {
		p.Fatalf("click on %s: %v", selector, err)
	}
}

// key presses keys one after the other: a word is typed, a name such as "Enter" or
// "ArrowDown" is that key.
func (p *tab) key(names ...string) {
	p.Helper()
	for _, name := range names {
		for _, k := range keysOf(name) {
			// Not chromedp.KeyEvent: it sends the character by itself, so that a page cannot
			// keep the key for itself as it does in a browser.
			call(p, input.DispatchKeyEvent, k)
			k.Type, k.Text = "keyUp", ""
			call(p, input.DispatchKeyEvent, k)
		}
	}
}

var namedKeys = map[string]int64{"Enter": 13, "Escape": 27, "Tab": 9, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, "End": 35, "Home": 36, "PageDown": 34, "PageUp": 33}

func keysOf(name string) []input.DispatchKeyEventParams {
	if code, ok := namedKeys[name]; ok {
		k := input.DispatchKeyEventParams{Type: "keyDown", Key: name, Code: name, WindowsVirtualKeyCode: code}
		if name == "Enter" {
			k.Text = "\r"
		}
		return []input.DispatchKeyEventParams{k}
	}
	var out []input.DispatchKeyEventParams
	for _, r := range name {
		out = append(out, input.DispatchKeyEventParams{Type: "keyDown", Key: string(r), Text: string(r)})
	}
	return out
}

func (p *tab) text(selector string) string {
	p.Helper()
	return eval[string](p, `document.querySelector($1)?.textContent ?? ""`, selector)
}

// focus leaves all fields, so that keys are heard by the page.
func (p *tab) unfocus() {
	p.Helper()
	p.run(`document.activeElement?.blur()`)
}

// clipboard puts a text on the clipboard, from a page of its own.
func clipboard(t testing.TB, text string) {
	t.Helper()
	p := blank(t)
	p.wait("copy", `(() => { const a = document.createElement("textarea"); document.body.append(a); a.value = $1; a.select(); const done = document.execCommand("copy"); a.remove(); return done; })()`, text)
}

// pasted returns the text on the clipboard.
func pasted(t testing.TB) string {
	t.Helper()
	p := blank(t)
	p.run(`(() => { const a = document.createElement("textarea"); document.body.append(a); a.focus(); })()`)
	p.pasteKey()
	return eval[string](p, `document.querySelector("textarea").value`)
}

// pasteKey is Ctrl+V.
func (p *tab) pasteKey() {
	p.Helper()
	for _, typ := range []input.DispatchKeyEventType{"rawKeyDown", "keyUp"} {
		params := input.DispatchKeyEventParams{Type: typ, Key: "v", Code: "KeyV", WindowsVirtualKeyCode: 86, Modifiers: 2}
		if typ == "rawKeyDown" {
			params.Commands = []string{"paste"}
		}
		call(p, input.DispatchKeyEvent, params)
	}
}

// paste pastes a text into the box of the page, as somebody does.
func (p *tab) paste(text string) {
	p.Helper()
	clipboard(p, text)
	p.run(`document.getElementById("view-one").click(); document.getElementById("tab-edit").click()`)
	p.run(`document.getElementById("text").focus(); document.getElementById("text").select()`)
	p.pasteKey()
}

// chosen puts files into a file chooser of the page.
func (p *tab) choose(selector string, paths ...string) {
	p.Helper()
	obj, err := chromedp.Run(p.ctx, chromedp.Evaluate[*runtime.RemoteObject](bound(p, `document.querySelector($1)`, []any{selector})))
	if err != nil {
		p.Fatal(err)
	}
	call(p, dom.SetFileInputFiles, dom.SetFileInputFilesParams{ObjectID: obj.ObjectID, Files: paths})
}

// file is a file that is dropped.
type file struct {
	Name string `json:"name"`
	Data []byte `json:"data"` // base64 in JSON
}

// drop drops files on an element.
func (p *tab) drop(selector string, files ...file) {
	p.Helper()
	p.run(`(() => {
		const data = new DataTransfer();
		for (const f of $2) data.items.add(new File([Uint8Array.from(atob(f.data), (c) => c.charCodeAt(0))], f.name));
		const at = document.querySelector($1);
		for (const type of ["dragenter", "dragover", "drop"]) at.dispatchEvent(new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }));
	})()`, selector, files)
}

// example opens one of the page's examples and waits for its verdict.
func (p *tab) example(name string) {
	p.Helper()
	before := p.turn()
	p.run(`(() => { const s = document.getElementById("examples"); s.value = $1; if (!s.value) throw new Error("no such example"); s.dispatchEvent(new Event("change")); })()`, name)
	p.turned(before)
	p.wait("example "+name, `!document.getElementById("result").hidden && new URLSearchParams(location.hash.slice(1)).get("example") === $1`, name)
}

// turn counts the verdicts that the page has shown, turned waits for the next.
func (p *tab) turn() int {
	p.Helper()
	return eval[int](p, `(() => {
		if (!window.turns) {
			window.turns = { n: 0 };
			new MutationObserver(() => { window.turns.n++; window.turns.at = performance.now(); }).observe(document.getElementById("verdict"), { childList: true });
		}
		return window.turns.n;
	})()`)
}

func (p *tab) turned(before int) {
	p.Helper()
	p.wait("verdict", `window.turns.n > $1 && document.getElementById("progress").hidden && !document.querySelector("#result[aria-busy], #report[aria-busy]")`, before)
}

// verdict returns the words on the badge and whether the page is sure of it.
func (p *tab) verdict() string {
	p.Helper()
	return strings.Join(strings.Fields(p.text("#verdict .kind")), " ")
}

func (p *tab) wantVerdict(want string) {
	p.Helper()
	if got := p.verdict(); got != want {
		p.Errorf("verdict %q, want %q; complaints %q", got, want, p.complaints())
	}
}

func sortedKeys[V any](m map[string]V) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
