package browser

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"kdlocks/web"
)

// TestAddress opens pages by their address, and changes it while they are open.
func TestAddress(t *testing.T) {
	s := serve(t, written(t))
	p := openPage(t, s.URL+"/#example=cycle.log&view=compare&theme=dark")
	p.wait("example, view and theme", `document.body.dataset.view === "compare" && document.documentElement.dataset.theme === "dark" && document.querySelector("#verdict .kind")?.textContent === "DEADLOCK (certain)"`)
	state := `[...new URLSearchParams(location.hash.slice(1))].map((x) => x.join("=")).sort().join("&")`
	if got := eval[string](p, state); got != "example=cycle.log&theme=dark&view=compare" {
		t.Errorf("once opened, the address says %s", got)
	}
	p.do(chromedp.Reload())
	p.wait("the same after a reload", `document.body.dataset.view === "compare" && document.documentElement.dataset.theme === "dark" && document.querySelector("#verdict .kind")?.textContent === "DEADLOCK (certain)"`)
	p.run(`location.hash = "example=cycle.log&theme=light"`)
	p.wait("what the address says", `document.body.dataset.view === "one" && document.documentElement.dataset.theme === "light"`)
	p.run(`document.querySelector(".skip").focus()`)
	p.key("Enter")
	p.wait("the report", `document.activeElement.id === "report"`)
	if got := eval[string](p, state); got != "example=cycle.log&theme=light" {
		t.Errorf("after the way past the input, the address says %s", got)
	}
	p.give(golden(t))
	if got := eval[string](p, state); got != "theme=light" {
		t.Errorf("with another input, the address says %s", got)
	}
	p.run(`location.hash = "text=AAAA"`)
	p.wait("a word about it", `document.getElementById("toast").textContent === "The text in the link is damaged"`)
	p.wantVerdict(goldenVerdict)
	p.quiet()
}

// TestCopyRefused says what the clipboard got, which may be nothing.
func TestCopyRefused(t *testing.T) {
	p := openPage(t, serve(t, written(t)).URL)
	p.example("self-deadlock.log")
	p.run(`Object.defineProperty(navigator, "clipboard", { value: undefined })`)
	toast := func(want string) {
		t.Helper()
		p.wait(want, `document.getElementById("toast").textContent.includes($1) && document.getElementById("toast").classList.contains("shown")`, want)
	}
	p.click("#take-markdown")
	toast("Markdown copied")
	p.click("#link")
	p.click("#dialog button") // the first, within the dialog
	toast("Link copied")
	if got := pasted(t); !strings.Contains(got, "#example=self-deadlock.log") {
		t.Errorf("on the clipboard: %q", got)
	}
	p.run(`document.execCommand = () => false`)
	p.click("#take-markdown")
	toast("does not let this page copy")
	p.click("#link")
	p.click("#dialog button")
	toast("does not let this page copy")
	if !eval[bool](p, `document.getElementById("dialog").open && document.getElementById("toast").closest("dialog") !== null`) {
		t.Error("what is said is not in the dialog, beside which nothing is heard")
	}
	p.quiet()
}

// TestRedactedIsGone looks for what was redacted in all that the page holds.
func TestRedactedIsGone(t *testing.T) {
	p := openPage(t, serve(t, written(t)).URL)
	p.example("self-deadlock.log")
	p.click("#view-compare") // whose first box has it, too
	p.wait("the first capture", `document.querySelector("#compare textarea").value.includes("fffffa80169538a0")`)
	p.click("#view-one")
	p.run(`document.getElementById("find").value = "fffffa80169538a0"`)
	p.click(".kdp-node[data-address]")
	p.wait("detail", `document.querySelector("#detail h3")`)
	seen := `[document.documentElement.outerHTML, ...[...document.querySelectorAll("input, textarea")].map((e) => e.value), document.title, location.href].join("\n")`
	p.wait("the address", seen+`.includes("fffffa80169538a0")`)
	// Whenever the page says that it redacted, nothing of the original is there.
	p.run(`window.early = ""; new MutationObserver(() => { if (document.getElementById("dialog").open && ` + seen + `.includes("fffffa80169538a0")) window.early = ` + seen + `; }).observe(document.getElementById("dialog"), { attributes: true })`)
	p.click("#redact")
	p.wait("what was done", `document.getElementById("dialog").open`)
	if left := eval[string](p, seen); strings.Contains(left, "fffffa80169538a0") || eval[string](p, `window.early`) != "" {
		t.Errorf("the page still holds what was redacted, in %s", eval[string](p, `[...document.querySelectorAll("*")].filter((e) => (e.outerHTML + (e.value ?? "")).includes("fffffa80169538a0")).at(-1)?.outerHTML.slice(0, 300) ?? window.early.slice(window.early.indexOf("fffffa80169538a0") - 300).slice(0, 400)`))
	}
	p.key("Escape")
	p.wantVerdict(goldenVerdict)
	p.run(`document.getElementById("tab-edit").click(); document.getElementById("text").focus(); document.execCommand("undo")`)
	if left := eval[string](p, `document.getElementById("text").value`); strings.Contains(left, "fffffa80169538a0") {
		t.Error("undoing brings back what was redacted")
	}
	p.quiet()
}

// TestTwoOfOneName drops two files of one name: evidence stands in its own.
func TestTwoOfOneName(t *testing.T) {
	p := openPage(t, serve(t, written(t)).URL)
	before := p.turn()
	p.drop("#report", file{"hang.log", []byte("no debugger wrote this\n")}, file{"hang.log", []byte(golden(t))})
	p.turned(before)
	p.wantVerdict(goldenVerdict)
	p.click(`[data-evidence="1.0"]`)
	p.wait("the evidence", `document.querySelector("#viewer mark.m-chosen")?.textContent.includes("fffffa8011efede8") && document.getElementById("which").value === "1"`)
	p.run(`document.getElementById("find").value = "wrote THIS"; document.getElementById("find").dispatchEvent(new KeyboardEvent("keydown", { key: "Enter" }))`)
	p.wait("the other file", `document.querySelector("#viewer mark.m-hit")?.textContent === "wrote this" && document.getElementById("which").value === "0"`)
	p.quiet()
}

// TestToken asks for the token wherever it is needed, and again when it was wrong.
func TestToken(t *testing.T) {
	p := blank(t)
	p.do(chromedp.Navigate(serve(t, programWith(t, web.Options{Page: withoutEngine{}, Token: "the right one"})).URL))
	p.wait("the engine", `document.documentElement.dataset.engine === "server"`)
	p.click("#view-rules")
	p.wait("the question", `document.querySelector("dialog[open] #token")`)
	p.key("a", "wrong", "one", "Enter")
	p.wait("the question again", `document.querySelector("dialog[open] #token-wrong") && document.getElementById("token").value === ""`)
	p.key("the", " ", "right", " ", "one", "Enter")
	p.wait("the rules", `!document.querySelector("dialog[open]") && document.querySelectorAll("#builtin-rules option").length > 20`)
	p.click("#view-one")
	p.give(golden(t))
	p.wantVerdict(goldenVerdict)
}
