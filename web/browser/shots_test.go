package browser

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// state is something that the page can look like; reach brings it there from the start.
type state struct {
	name  string
	reach func(p *tab)
}

// states are all views of the page. Each is also looked at by axe.
func states(t testing.TB) []state {
	out := []state{
		{"start", func(*tab) {}},
		{"finding", func(p *tab) {
			p.example("cycle.log")
			p.click(`[data-evidence="1.1"]`)
			p.wait("the line", `document.querySelector("#line h2")`)
		}},
		{"thread", func(p *tab) {
			p.example("self-deadlock.log")
			p.click(".kdp-node[data-address]")
			p.wait("the detail", `!document.getElementById("s-detail").hidden && document.querySelector("#detail .thread, #detail .quiet")`)
			p.run(`document.getElementById("s-detail").scrollIntoView()`)
		}},
		{"bystander", func(p *tab) {
			p.example("workers.log")
			p.run(`document.querySelector("#tables td button.address").click()`)
			p.wait("the detail", `!document.getElementById("s-detail").hidden`)
			p.run(`document.getElementById("s-detail").scrollIntoView()`)
		}},
		{"opened", func(p *tab) {
			p.example("self-deadlock.log")
			p.run(`document.querySelectorAll("#report details").forEach((d) => { d.open = true; })`)
			p.run(`document.getElementById("h-findings").scrollIntoView()`)
		}},
		{"rules-said", func(p *tab) {
			p.example("stall.log")
			p.run(`document.querySelectorAll("#rules details").forEach((d) => { d.open = true; })`)
			p.run(`document.getElementById("h-rules").scrollIntoView()`)
		}},
		{"coverage", func(p *tab) {
			p.example("truncated.log")
			p.run(`document.querySelectorAll("#coverage details").forEach((d) => { d.open = true; })`)
			p.run(`document.getElementById("h-coverage").scrollIntoView()`)
		}},
		{"tables", func(p *tab) {
			p.example("workers.log")
			p.run(`document.getElementById("h-tables").scrollIntoView()`)
		}},
		{"stacks", func(p *tab) {
			p.example("workers.log")
			p.run(`document.getElementById("tab-stacks")?.click()`)
			p.wait("stacks", `document.querySelector("#table-body details, #table-body pre")`)
			p.run(`document.getElementById("h-tables").scrollIntoView()`)
		}},
		{"filtered", func(p *tab) {
			p.example("workers.log")
			p.run(`document.getElementById("h-tables").scrollIntoView()`)
			p.run(`(() => { const f = document.querySelector("#tables > input"); f.value = "no row has this"; f.dispatchEvent(new Event("input")); })()`)
			p.wait("no row", `document.querySelector("#tables .foot").textContent.includes("No row")`)
		}},
		{"found", func(p *tab) {
			p.example("workers.log")
			p.unfocus()
			p.key("/")
			p.key("workerthread")
			p.key("Enter")
			p.wait("a hit", `document.querySelector("mark.m-hit")`)
		}},
		{"counters", func(p *tab) {
			p.give(counterLog(t))
			p.run(`document.getElementById("h-charts").scrollIntoView()`)
		}},
		{"nothing", func(p *tab) { p.give("nothing of this\nis from a debugger\n") }},
		{"unreadable", func(p *tab) {
			before := p.turn()
			p.drop("#edit", file{"picture.png", []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x01\x00\xff\xfe\xfd")})
			p.turned(before)
		}},
		{"files", func(p *tab) {
			before := p.turn()
			p.drop("#edit", file{"SERVER-03_0f2c_2026-11-21_10-03-55-and-a-long-name.log", []byte(golden(t))}, file{"b.log", []byte(readFile(t, "../../web/page/examples/chain.log"))})
			p.turned(before)
		}},
		{"compare-empty", func(p *tab) { p.click("#view-compare") }},
		{"compare", func(p *tab) { comparison(p) }},
		{"rules", func(p *tab) {
			p.click("#view-rules")
			p.wait("rules", `document.querySelectorAll("#builtin-rules option").length > 5`)
		}},
		{"rules-mistake", func(p *tab) {
			p.example("self-deadlock.log")
			ownRule(p)
			p.editRule(`id: my-ms-kb2608658-sis-owner-pointer`, "idd: my-ms-kb2608658-sis-owner-pointer")
			p.wait("the mistake", `document.querySelectorAll("#rule-mistakes li").length > 0`)
		}},
		{"rules-match", func(p *tab) {
			p.example("self-deadlock.log")
			ownRule(p)
			p.wait("its finding", `document.getElementById("findings").textContent.includes("my-ms-kb2608658-sis-owner-pointer")`)
		}},
		{"help", func(p *tab) { p.unfocus(); p.key("?") }},
		{"explain", func(p *tab) {
			p.example("cycle.log")
			p.click("#f1 button.id")
			p.wait("the dialog", `document.getElementById("dialog").open`)
		}},
		{"link", func(p *tab) {
			p.example("cycle.log")
			p.click("#link")
			p.wait("the dialog", `document.getElementById("dialog").open`)
		}},
		{"redacted", func(p *tab) {
			p.example("self-deadlock.log")
			p.click("#redact")
			p.wait("the dialog", `document.getElementById("dialog").open`)
		}},
		{"progress", func(p *tab) {
			p.run(`(() => { document.getElementById("progress").hidden = false; document.getElementById("bar").value = 0.4; document.getElementById("stage").textContent = "reading 12 MiB of 50 MiB"; })()`)
		}},
		{"dropping", func(p *tab) { p.run(`document.getElementById("drop").hidden = false`) }},
		{"toast", func(p *tab) {
			p.example("cycle.log")
			p.click("#verdict .copy")
			p.wait("the toast", `getComputedStyle(document.getElementById("toast")).opacity === "1"`)
		}},
	}
	for _, e := range examples(t) {
		out = append(out, state{"example-" + strings.TrimSuffix(e.File, ".log"), func(p *tab) { p.example(e.File) }})
	}
	return out
}

// give puts a text into the box, as if it was typed, and waits for the verdict.
func (p *tab) give(text string) {
	p.Helper()
	before := p.turn()
	p.run(`(() => { const a = document.getElementById("text"); a.value = $1; a.dispatchEvent(new InputEvent("input", { inputType: "insertText", bubbles: true })); })()`, text)
	p.turned(before)
}

func readFile(t testing.TB, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestNarrow holds that no state of the page is wider than a narrow screen. Where
// KDLOCKS_SHOTS names a folder, pictures of all states are put there for people to look
// at: light, dark, narrow and printed, those whose name contains KDLOCKS_SHOTS_ONLY.
func TestNarrow(t *testing.T) {
	url := serve(t, written(t)).URL
	dir, only := os.Getenv("KDLOCKS_SHOTS"), os.Getenv("KDLOCKS_SHOTS_ONLY")
	for _, look := range []struct {
		name          string
		width, height int64
		media, scheme string
	}{
		{"narrow", 420, 800, "", "light"}, {"light", 1280, 800, "", "light"}, {"dark", 1280, 800, "", "dark"}, {"print", 800, 1000, "print", "light"},
	} {
		if dir == "" && look.name != "narrow" {
			continue
		}
		p := openPage(t, url)
		p.do(chromedp.EmulateViewport(look.width, look.height))
		call(p, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: look.media, Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: look.scheme}}})
		for _, s := range states(t) {
			if !strings.Contains(look.name+"-"+s.name, only) || look.media == "print" && !strings.HasPrefix(s.name, "example") {
				continue
			}
			p.startAgain()
			s.reach(p)
			settled(p)
			if dir != "" {
				p.shot(filepath.Join(dir, look.name+"-"+s.name+".png"), look.width)
			}
			if wide := eval[float64](p, `document.documentElement.scrollWidth`); wide > float64(look.width) {
				t.Errorf("%s, %s is %v pixels wide", look.name, s.name, wide)
			}
			p.quiet()
		}
		chromedp.Cancel(p.ctx)
	}
}

// shot writes a picture of the page: of all of it where no dialog lies over it and the
// page scrolls as a whole.
func (p *tab) shot(name string, width int64) {
	p.Helper()
	params := page.CaptureScreenshotParams{}
	if width < 1000 && eval[bool](p, `!document.querySelector("dialog[open]")`) {
		params.CaptureBeyondViewport = new(true)
		size := eval[[]float64](p, `[document.documentElement.scrollWidth, Math.min(document.documentElement.scrollHeight, 6000)]`)
		params.Clip = &page.Viewport{Width: max(size[0], float64(width)), Height: size[1], Scale: 1}
	}
	shot := call(p, page.CaptureScreenshot, params)
	if err := os.WriteFile(name, shot.Data, 0o644); err != nil {
		p.Fatal(err)
	}
}

// settled waits until all that runs has come to rest on the screen.
func settled(p *tab) {
	p.Helper()
	p.wait("rest", `document.querySelectorAll(".line.loading").length === 0 && document.getAnimations().every((a) => a.playState !== "running")`)
	p.run(`new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(() => r())))`)
}
