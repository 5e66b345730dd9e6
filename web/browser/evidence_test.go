package browser

import (
	"strconv"
	"strings"
	"testing"
)

func itoa(n int) string { return strconv.Itoa(n) }

// TestEvidence clicks every piece of evidence of every finding: the very text is marked
// in the input, and its line says what was read from it.
func TestEvidence(t *testing.T) {
	p := openPage(t, serve(t, written(t)).URL)
	for _, name := range []string{"self-deadlock.log", "fast-mutexes.log", "mangled.log"} {
		p.example(name)
		input := strings.Split(readFile(t, "../page/examples/"+name), "\n")
		ids := eval[[]string](p, `[...document.querySelectorAll("[data-evidence]")].map((b) => b.dataset.evidence)`)
		if len(ids) < 5 {
			t.Errorf("%s: %d pieces of evidence", name, len(ids))
		}
		for _, id := range ids {
			p.run(`document.querySelector("[data-evidence='" + $1 + "']").click()`, id)
			place := p.text(`[data-evidence="` + id + `"] .line-number`)
			line := place[strings.LastIndex(place, ":")+1:]
			p.wait("mark of "+id, `document.querySelector("#viewer mark.m-chosen") && document.querySelector("#viewer .line.active")?.dataset.line === $1`, line)
			n, err := strconv.Atoi(line)
			if err != nil || n < 1 || n > len(input) {
				t.Fatalf("%s: evidence at %q", name, place)
			}
			if shown := eval[string](p, `document.querySelector("#viewer .line.active .text").textContent`); strings.TrimSpace(shown) != strings.TrimSpace(input[n-1]) {
				t.Errorf("%s:%d shows %q, is %q", name, n, shown, input[n-1])
			}
			// The quote is the line; what is marked is a part of it, all of it where
			// the line was not put together of several.
			marked := eval[string](p, `[...document.querySelectorAll("#viewer mark.m-chosen")].map((m) => m.textContent).join("\n")`)
			quote := eval[string](p, `document.querySelector("[data-evidence='" + $1 + "']").closest("li").querySelector(".quote").textContent`, id)
			if name != "mangled.log" && !strings.Contains(words(quote), words(marked)) {
				t.Errorf("%s:%d: marked %q, quoted %q", name, n, marked, quote)
			}
		}
		finding := ids[0][:strings.Index(ids[0], ".")]
		p.run(`document.querySelector("[data-evidence='" + $1 + "']").click()`, ids[0])
		p.wait("what was read", `document.querySelector("#line .place")?.textContent.startsWith("[" + $1 + "]")`, finding)
		// And back.
		p.run(`document.querySelector("#line .place").click()`)
		p.wait("the finding", `document.activeElement.id === "f" + $1`, finding)
	}
	p.quiet()
}

func words(s string) string { return strings.Join(strings.Fields(s), " ") }

// TestLineSays clicks on lines of the input.
func TestLineSays(t *testing.T) {
	p := openPage(t, serve(t, written(t)).URL)
	p.example("self-deadlock.log")
	p.click("#tab-read")
	p.click(`#viewer [data-line="3"] .text`)
	p.wait("the resource", `document.querySelector("#line h2")?.textContent === "Line 3" && document.getElementById("line").textContent.includes("ERESOURCE")`)
	p.click(`#viewer [data-line="7"] .text`)
	p.wait("the waiters", `document.querySelector("#line h2")?.textContent === "Line 7" && document.getElementById("line").textContent.includes("fffffa801ea69b60")`)
	p.quiet()
}

// TestPicture selects what is drawn, with the mouse and with the keyboard.
func TestPicture(t *testing.T) {
	p := openPage(t, serve(t, written(t)).URL)
	p.example("cycle.log")
	nodes := eval[[]string](p, `[...document.querySelectorAll(".kdp-node[data-address]")].map((n) => n.dataset.address)`)
	if len(nodes) < 4 {
		t.Fatalf("nodes: %v", nodes)
	}
	p.click(`.kdp-node[data-address="` + nodes[0] + `"]`)
	selected := `document.querySelector("#viewer mark.m-chosen")?.closest(".line").textContent.replaceAll("\u0060", "").includes($1) && document.querySelector("#detail").textContent.includes($1) && document.querySelector(".kdp-node.selected").dataset.address === $1`
	p.wait("the first", selected, nodes[0])
	p.run(`document.querySelector(".kdp-node[data-address='" + $1 + "']").focus()`, nodes[1])
	p.key("Enter")
	p.wait("the second", selected, nodes[1])
	// The picture stands there in words, too: each node and each step.
	twin := p.text(".picture .words")
	for _, n := range nodes {
		if !strings.Contains(twin, n) {
			t.Errorf("in words without %s: %s", n, twin)
		}
	}
	box := func() string { return eval[string](p, `document.querySelector(".stage svg").getAttribute("viewBox")`) }
	whole := box()
	p.click(`.zoom button[aria-label="Enlarge"]`)
	if box() == whole {
		t.Error("nothing is enlarged")
	}
	p.click(`.zoom button[aria-label="Show all of it"]`)
	if box() != whole {
		t.Error("not all is shown again")
	}
	p.quiet()
}

// TestTables sorts and filters a list.
func TestTables(t *testing.T) {
	p := openPage(t, serve(t, written(t)).URL)
	p.example("workers.log")
	cells := `[...document.querySelectorAll("#table-body tbody tr")].map((r) => r.cells[1].textContent).join()`
	p.wait("rows", `document.querySelectorAll("#table-body tbody tr").length === 6`)
	up := eval[string](p, cells)
	p.click("#table-body th:nth-child(2) button")
	p.wait("ascending", `document.querySelector("#table-body th:nth-child(2)").getAttribute("aria-sort") === "ascending"`)
	p.click("#table-body th:nth-child(2) button")
	p.wait("descending", `document.querySelector("#table-body th:nth-child(2)").getAttribute("aria-sort") === "descending"`)
	if down := eval[string](p, cells); down == up {
		t.Errorf("sorting changes nothing: %s", down)
	}
	p.run(`(() => { const f = document.querySelector("#tables > input"); f.value = "MODIFIEDPAGE wrfreepage"; f.value = "wrfreepage"; f.dispatchEvent(new Event("input")); })()`)
	p.wait("one row", `document.querySelectorAll("#table-body tbody tr").length === 1`)
	p.click("#table-body td button.address")
	p.wait("the thread", `document.querySelector("#detail h3")?.textContent.startsWith("Thread")`)
	p.quiet()
}
