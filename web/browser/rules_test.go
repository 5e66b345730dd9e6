package browser

import (
	"net/http"
	"testing"

	"kdlocks/web/page"
)

// ownRule copies the rule that matches the golden log.
func ownRule(p *tab) {
	p.Helper()
	p.click("#view-rules")
	p.wait("the list of rules", `document.querySelectorAll("#builtin-rules option").length > 5`)
	p.run(`(() => { const s = document.getElementById("builtin-rules"); s.value = "ms-kb2608658-sis-owner-pointer"; s.dispatchEvent(new Event("change")); })()`)
	p.wait("the rule", `document.getElementById("rule-text").value.includes("my-ms-kb2608658-sis-owner-pointer")`)
}

// editRule puts one text in place of another in the rule.
func (p *tab) editRule(from, to string) {
	p.Helper()
	p.run(`(() => {
		const a = document.getElementById("rule-text");
		const at = a.value.indexOf($1);
		if (at < 0) throw new Error("not in the rule");
		a.focus();
		a.setSelectionRange(at, at + $1.length);
		document.execCommand("insertText", false, $2);
	})()`, from, to)
}

func TestOwnRule(t *testing.T) {
	p := openPage(t, serve(t, written(t)).URL)
	p.paste(golden(t))
	p.wait("verdict", `!document.getElementById("result").hidden`)
	ownRule(p)
	own := `[...document.querySelectorAll("#findings .finding")].some((f) => f.textContent.includes("my-ms-kb2608658-sis-owner-pointer"))`
	p.wait("finding of the copied rule", own)
	p.editRule("exclusive", "exclusiv")
	p.wait("mistake", `document.getElementById("rule-mistakes").textContent.includes("exclusiv\"")`)
	p.wait("no finding of a broken rule", "!"+own)
	// A click on the mistake selects its place.
	p.click("#rule-mistakes button")
	if got := eval[string](p, `(() => { const a = document.getElementById("rule-text"); return a.value.slice(a.selectionStart, a.selectionEnd); })()`); len(got) < 8 || got[:8] != "exclusiv" {
		t.Errorf("the mistake selects %q: %s", got, p.text("#rule-mistakes"))
	}
	p.editRule("exclusiv", "exclusive")
	// A copied rule leaves its tests behind, as their logs are elsewhere.
	p.wait("no mistake but that tests lack", `document.getElementById("rule-mistakes").textContent.includes("no tests") && document.querySelectorAll("#rule-mistakes.draft li").length === 1`)
	p.wait("finding of the mended rule", own)
	p.wantVerdict(goldenVerdict)
	p.quiet()
}

// TestBrokenYAML tells of what is no YAML at its place, while the rules that kdlocks ships
// with are asked.
func TestBrokenYAML(t *testing.T) {
	p := openPage(t, serve(t, released(t)).URL)
	p.paste(golden(t))
	p.wait("verdict", `!document.getElementById("result").hidden`)
	p.drop("#input-side", file{"broken.yaml", []byte("format: kdlocks.rules/v1\nrules:\n  - id: \"open\n    title: x\n")})
	p.wait("the mistake", `document.querySelector("#rule-mistakes li")?.textContent === "broken.yaml:3:9 not valid YAML: the quote is not closed"`)
	p.wait("the other rules", `document.getElementById("findings").textContent.includes("ms-kb2608658-sis-owner-pointer")`)
	p.wantVerdict(goldenVerdict)
	p.drop("#input-side", file{"anchor.yaml", []byte("a: &a [x,x]\nb: *a\n")}, file{"tab.yaml", []byte("rules:\n\t- id: x\n")})
	for _, want := range []string{"anchor.yaml:1:4 anchors (&a) are not part of the format", "tab.yaml:2:1 not valid YAML: the line is indented with a tab"} {
		p.wait(want, `document.getElementById("rule-mistakes").textContent.includes($1)`, want)
	}
	p.wantVerdict(goldenVerdict)
	p.quiet()
}

// TestRulesWithoutTheirReader: where the program that reads YAML cannot be loaded, the page
// says so at the rules, and analyses without them.
func TestRulesWithoutTheirReader(t *testing.T) {
	h := released(t)
	p := openPage(t, serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/"+page.ExtrasFile {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		h.ServeHTTP(w, r)
	})).URL)
	p.paste(golden(t))
	p.wait("verdict", `!document.getElementById("result").hidden`)
	ownRule(p)
	p.wait("what is missing", `document.getElementById("rule-mistakes").textContent.includes("what reads YAML could not be loaded")`)
	p.wait("the other rules", `document.getElementById("findings").textContent.includes("ms-kb2608658-sis-owner-pointer")`)
	p.wantVerdict(goldenVerdict)
}
