package browser

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// TestAccessible runs axe-core on every state of the page, light and dark, and in
// narrow windows.
func TestAccessible(t *testing.T) {
	axe := readFile(t, "testdata/axe/axe.min.js")
	url := serve(t, written(t)).URL
	p := openPage(t, url)
	p.run(axe)
	for i, s := range states(t) {
		scheme := []string{"light", "dark"}[i%2]
		t.Run(s.name, func(t *testing.T) {
			p.TB = t
			p.look("", scheme)
			p.startAgain()
			s.reach(p)
			settled(p)
			for _, v := range p.violations() {
				t.Errorf("%s, %s: %s", s.name, scheme, v)
			}
			p.quiet()
		})
		// The other colours of states that are quick to look at again.
		if strings.HasPrefix(s.name, "example-") {
			p.look("", []string{"dark", "light"}[i%2])
			for _, v := range p.violations() {
				t.Errorf("%s, in the other colours: %s", s.name, v)
			}
		}
	}
	p.TB = t
	p.do(chromedp.EmulateViewport(420, 800))
	settled(p)
	for _, v := range p.violations() {
		t.Errorf("narrow: %s", v)
	}
}

// startAgain brings the page back to its start without loading it anew.
func (p *tab) startAgain() {
	p.Helper()
	p.run(`(() => {
		document.getElementById("dialog").close();
		for (const id of ["progress", "drop"]) document.getElementById(id).hidden = true;
		for (let b; (b = [...document.querySelectorAll("#own button")].find((b) => b.textContent === "Remove"));) b.click();
		document.getElementById("view-one").click();
		document.getElementById("clear").disabled = false;
		document.getElementById("clear").click();
	})()`)
	p.wait("the start", `!document.getElementById("start").hidden`)
}

// violations returns what axe-core objects to.
func (p *tab) violations() []string {
	p.Helper()
	var found []struct {
		ID, Help string
		Nodes    []struct {
			HTML           string `json:"html"`
			FailureSummary string `json:"failureSummary"`
		}
	}
	text := eval[string](p, `axe.run(document, { resultTypes: ["violations"] }).then((r) => JSON.stringify(r.violations))`)
	if err := json.Unmarshal([]byte(text), &found); err != nil {
		p.Fatal(err)
	}
	var out []string
	for _, f := range found {
		for _, n := range f.Nodes[:min(len(f.Nodes), 3)] {
			out = append(out, fmt.Sprintf("%s (%s): %.200s: %s", f.ID, f.Help, n.HTML, strings.Join(strings.Fields(n.FailureSummary), " ")))
		}
	}
	return out
}

// look chooses the medium and the colours that the system asks for. Nothing fades in
// or out, since half of that has a contrast that no state of the page has.
func (p *tab) look(media, scheme string) {
	p.Helper()
	call(p, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: media, Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme},
		{Name: "prefers-reduced-motion", Value: "reduce"},
	}})
}

// TestColours follows the system, and the button against it.
func TestColours(t *testing.T) {
	url := serve(t, written(t)).URL
	p := blank(t)
	p.look("", "light")
	p.visit(url)
	p.example("cycle.log")
	want := func(what string, is bool) {
		t.Helper()
		// Of the page, and of the shapes in the picture, which has a style of its own.
		p.wait(what, `[document.body, document.querySelector(".kdp-thread .kdp-shape, .kdp-node .kdp-shape")].map((e, i) => { const [r, g, b] = getComputedStyle(e)[i ? "fill" : "backgroundColor"].match(/\d+/g).map(Number); return r + g + b < 384; }).every((dark) => dark === $1)`, is)
	}
	want("light system", false)
	p.look("", "dark")
	want("dark system", true)
	p.click("#theme")
	want("button in the dark", false)
	p.look("", "light")
	p.click("#theme")
	want("button in the light", true)
	// The choice is in the address and holds when that is opened.
	address := eval[string](p, `location.href`)
	if !strings.Contains(address, "theme=dark") {
		t.Errorf("address %s", address)
	}
	q := blank(t)
	q.look("", "light")
	q.visit(address)
	if !eval[bool](q, `document.documentElement.dataset.theme === "dark"`) {
		t.Error("the address does not bring the colours along")
	}
	p.quiet()
	q.quiet()
}

// TestNarrowAndPrinted looks for what is cut off.
func TestNarrowAndPrinted(t *testing.T) {
	p := openPage(t, serve(t, written(t)).URL)
	p.do(chromedp.EmulateViewport(420, 800))
	for _, name := range []string{"cycle.log", "user-mode.log", "truncated.log"} {
		p.example(name)
		p.run(`document.querySelectorAll("details").forEach((d) => { d.open = true; })`)
		settled(p)
		if wide := eval[float64](p, `document.documentElement.scrollWidth`); wide > 420 {
			t.Errorf("%s: %v pixels wide in a window of 420; too wide is %s", name, wide,
				eval[string](p, `[...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > 421 && !e.closest(".scroll, .stage, pre, .viewer, .offscreen")).map((e) => e.outerHTML.slice(0, 100)).slice(0, 3).join(" | ")`))
		}
	}
	for _, view := range []string{"compare", "rules"} {
		p.click("#view-" + view)
		settled(p)
		if wide := eval[float64](p, `document.documentElement.scrollWidth`); wide > 420 {
			t.Errorf("%s: %v pixels wide in a window of 420", view, wide)
		}
	}
	p.click("#view-one")
	p.do(chromedp.EmulateViewport(800, 1000))
	p.example("cycle.log")
	p.look("print", "light")
	shown := func(selector string) bool {
		return eval[bool](p, `(() => { const r = document.querySelector($1)?.getBoundingClientRect(); return !!r && r.width > 0 && r.height > 0; })()`, selector)
	}
	for selector, want := range map[string]bool{"#verdict": true, ".picture svg": true, "#f1 .evidence": true, "#input-side": false, "nav": false, "#take": false, "#tables tbody tr": true, "#tables > input": false, ".foot button": false} {
		if shown(selector) != want {
			t.Errorf("printed: %s is shown: %v", selector, !want)
		}
	}
	// Nothing scrolls on paper.
	if cut := eval[string](p, `[...document.querySelectorAll("#report, #report .scroll, #report pre")].filter((e) => e.scrollHeight > e.clientHeight + 1 || e.scrollWidth > e.clientWidth + 1).map((e) => e.outerHTML.slice(0, 200)).join(" | ")`); cut != "" {
		t.Errorf("printed, this is cut: %s", cut)
	}
	p.quiet()
}

// TestKeyboard does without a mouse.
func TestKeyboard(t *testing.T) {
	p := openPage(t, serve(t, written(t)).URL)
	focus := func(what, expr string, args ...any) {
		t.Helper()
		p.wait(what, expr, args...)
	}
	p.unfocus()
	p.key("?")
	focus("the help", `document.getElementById("dialog").open && document.getElementById("dialog").textContent.includes("next, previous finding")`)
	p.key("Escape")
	focus("no help", `!document.getElementById("dialog").open`)
	p.unfocus()
	p.key("e")
	focus("examples", `document.activeElement.id === "examples"`)
	before := p.turn()
	p.key("Stall") // chooses by its first letters
	p.key("Enter")
	p.turned(before)
	if got := p.verdict(); !strings.HasPrefix(got, "STALL") {
		t.Errorf("verdict %s", got)
	}
	p.unfocus()
	p.key("j")
	focus("the first finding", `document.activeElement.id === "f1"`)
	p.key("j")
	focus("the second finding", `document.activeElement.id === "f2"`)
	p.key("k")
	focus("the first finding again", `document.activeElement.id === "f1"`)
	p.key("n")
	focus("evidence", `document.querySelector("#viewer mark.m-chosen") && document.querySelector("[data-evidence='1.0']").classList.contains("chosen")`)
	p.key("n")
	focus("more evidence", `document.querySelector("[data-evidence='1.1']").classList.contains("chosen")`)
	p.key("/")
	focus("the field to find in", `document.activeElement.id === "find" && document.activeElement.value === ""`)
	p.key("numberofexclusive", "Enter")
	focus("the first place", `document.querySelector("mark.m-hit")?.textContent === "NumberOfExclusive"`)
	at := eval[string](p, `document.querySelector("mark.m-hit").closest(".line").dataset.line`)
	p.key("Enter")
	focus("the next place", `document.querySelector("mark.m-hit") && document.querySelector("mark.m-hit").closest(".line").dataset.line !== $1`, at)
	p.key("Escape")
	focus("no field", `document.activeElement === document.body`)
	for key, view := range map[string]string{"2": "compare", "3": "rules", "1": "one"} {
		p.unfocus()
		p.key(key)
		focus("view "+view, `document.getElementById("view-" + $1).getAttribute("aria-pressed") === "true"`, view)
	}
	p.unfocus()
	p.key("1")
	// Tabs change with arrows, a line tells about itself with Enter.
	p.run(`document.getElementById("tab-read").focus()`)
	p.key("ArrowLeft")
	focus("the text", `document.activeElement.id === "tab-edit" && !document.getElementById("edit").hidden`)
	p.key("ArrowRight")
	focus("the lines", `document.activeElement.id === "tab-read" && !document.getElementById("read").hidden`)
	p.run(`document.getElementById("viewer").focus()`)
	p.key("Home", "ArrowDown", "ArrowDown", "Enter")
	focus("line 3", `document.querySelector("#line h2")?.textContent === "Line 3"`)
	p.run(`document.querySelector("#tables [role=tab]").focus()`)
	p.key("ArrowRight")
	focus("the next list", `document.querySelector("#tables [role=tab]:nth-child(2)") === document.activeElement && document.activeElement.getAttribute("aria-selected") === "true"`)
	p.run(`document.querySelector(".kdp-node[data-address]").focus()`)
	p.key("Enter")
	focus("its detail", `document.querySelector(".kdp-node[data-address]").classList.contains("selected") && !document.getElementById("s-detail").hidden`)
	// Whatever has the focus shows it.
	p.run(`document.body.focus()`)
	for range 12 {
		p.key("Tab")
		if eval[bool](p, `(() => { const e = document.activeElement; return e !== document.body && e.matches(":focus-visible") && !e.closest(".pick") && getComputedStyle(e).outlineStyle === "none"; })()`) {
			t.Errorf("no sign of the focus on %s", eval[string](p, `document.activeElement.outerHTML.slice(0, 200)`))
		}
	}
	p.quiet()
}
