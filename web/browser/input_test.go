package browser

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/chromedp/cdproto/input"
	"github.com/klauspost/compress/zstd"
)

// golden is the log of the deadlock that all began with.
func golden(t testing.TB) string {
	t.Helper()
	return readFile(t, "../../testdata/sis-self-deadlock.log")
}

const goldenVerdict = "DEADLOCK (certain)"

func TestPaste(t *testing.T) {
	p := openPage(t, serve(t, written(t)).URL)
	before := p.turn()
	p.paste(golden(t))
	p.turned(before)
	p.wantVerdict(goldenVerdict)
	p.wait("announcement", `document.getElementById("announce").textContent.startsWith("deadlock, certain. Thread fffffa80169538a0")`)
	if role := eval[string](p, `document.getElementById("announce").getAttribute("role")`); role != "status" {
		t.Errorf("the verdict is announced in a %q", role)
	}
	if facts := p.text("#verdict .facts"); !strings.Contains(facts, "Blocks15 other threads") {
		t.Errorf("facts: %s", facts)
	}
	// The next command is one click away.
	p.click("#verdict .command .copy")
	p.wait("copied", `document.getElementById("toast").textContent.endsWith("copied")`)
	if got := pasted(t); got != p.text("#verdict .command code") {
		t.Errorf("on the clipboard: %q", got)
	}
	p.quiet()
}

// TestTyping analyses what is typed by itself, and above 5 MB only when asked.
func TestTyping(t *testing.T) {
	p := openPage(t, serve(t, written(t)).URL)
	p.give(golden(t))
	p.wantVerdict(goldenVerdict)
	p.run(`(() => { const a = document.getElementById("text"); a.value = ("x" + " ".repeat(4000) + "\n").repeat(1400) + a.value; a.dispatchEvent(new InputEvent("input", { inputType: "insertText", bubbles: true })); })()`)
	p.wait("button", `document.querySelector("#verdict button")?.textContent === "Analyse"`)
	if left := eval[string](p, `document.getElementById("report").textContent`); strings.Contains(left, "DEADLOCK") || !strings.Contains(left, "not analysed while you type") {
		t.Errorf("more than 5 MB were typed, and the page says %q", left)
	}
	before := p.turn()
	p.click("#verdict button")
	p.turned(before)
	p.wantVerdict(goldenVerdict)
	p.quiet()
}

func TestFiles(t *testing.T) {
	p := openPage(t, serve(t, written(t)).URL)
	log := golden(t)
	dir := t.TempDir()
	for name, data := range map[string][]byte{"log.gz": gzipped(t, log), "log.zst": zstdOf(t, log), "log.zip": zipped(t, log), "plain.log": []byte(log), "utf16.log": utf16Of(log)} {
		before := p.turn()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		p.choose("#file", path)
		p.turned(before)
		p.wait("the verdict on "+name, `document.querySelector("#verdict .kind").textContent === $1`, goldenVerdict)
		p.run(`document.getElementById("clear").click()`)
		p.wait("the start", `!document.getElementById("start").hidden`)

		before = p.turn()
		p.drop("#report", file{name, data})
		p.turned(before)
		p.wait("the verdict on dropped "+name, `document.querySelector("#verdict .kind").textContent === $1`, goldenVerdict)
		if lines := eval[string](p, `document.getElementById("size").textContent`); !strings.HasSuffix(lines, "65 lines") {
			t.Errorf("%s: %s", name, lines)
		}
		p.run(`document.getElementById("clear").click()`)
	}
	// Two files are one case.
	before := p.turn()
	p.drop("#edit", file{"a.log", []byte(log)}, file{"b.log.gz", gzipped(t, readFile(t, "../page/examples/chain.log"))})
	p.turned(before)
	if got := eval[string](p, `[...document.querySelectorAll("#which option")].map((o) => o.textContent).join()`); got != "a.log,b.log.gz" {
		t.Errorf("inputs: %s", got)
	}
	p.quiet()
}

func gzipped(t testing.TB, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zstdOf(t testing.TB, text string) []byte {
	t.Helper()
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return z.EncodeAll([]byte(text), nil)
}

func zipped(t testing.TB, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create("in/the/archive.log")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func utf16Of(text string) []byte {
	out := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(text)) {
		out = binary.LittleEndian.AppendUint16(out, u)
	}
	return out
}

// largeFile drops a file that is made within the page: head, then a line again and
// again, then tail.
func (p *tab) largeFile(head, line string, times int, tail string) {
	p.Helper()
	p.largeFileOn("#report", head, line, times, tail)
}

func (p *tab) largeFileOn(selector, head, line string, times int, tail string) {
	p.Helper()
	p.run(`(() => {
		const block = $2.repeat(10000);
		const parts = [$1];
		for (let i = 0; i < $3; i += 10000) parts.push(block);
		parts.push($4);
		const data = new DataTransfer();
		data.items.add(new File([new Blob(parts)], "large.log"));
		document.querySelector($5).dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
	})()`, head, line, times, tail, selector)
}

// TestCancel stops an analysis; the page goes on without a reload.
func TestCancel(t *testing.T) {
	p := openPage(t, serve(t, written(t)).URL)
	p.run(`(() => { window.frames = 0; const count = () => { window.frames++; requestAnimationFrame(count); }; count(); })()`)
	p.largeFile("0: kd> !locks\n", "Resource @ 0xfffffa8011efede8 Exclusively owned\n Contention Count = 20\n NumberOfSharedWaiters = 16\n", 4_000_000, golden(t))
	p.wait("progress", `!document.getElementById("progress").hidden && /of/.test(document.getElementById("stage").textContent)`)
	before := eval[int](p, `window.frames`)
	p.wait("frames while it is analysed", `window.frames > $1 + 10`, before)
	if eval[bool](p, `document.getElementById("progress").hidden`) {
		t.Fatal("nothing is left to cancel")
	}
	p.click("#cancel")
	p.wait("the end of it", `document.getElementById("progress").hidden && document.getElementById("toast").textContent === "Stopped"`)
	if said := eval[string](p, `document.getElementById("verdict").textContent + document.getElementById("findings").textContent`); said != "NOT ANALYSEDThe analysis was stopped.Analyse" {
		t.Errorf("a stopped analysis shows %q", said)
	}
	p.run(`document.getElementById("clear").click()`)
	p.example("cycle.log")
	p.wantVerdict("DEADLOCK (certain)")
	p.run(`document.getElementById("clear").click()`)
	if left := eval[string](p, `document.getElementById("result").textContent + document.getElementById("announce").textContent`); strings.Contains(left, "DEADLOCK") || strings.Contains(left, "ERESOURCE") {
		t.Errorf("after clearing there is %q", left)
	}
	turn := p.turn()
	p.run(`const d = new DataTransfer(); d.setData("text/plain", $1); document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData: d, bubbles: true, cancelable: true }))`, golden(t))
	p.turned(turn)
	p.wantVerdict(goldenVerdict)
	p.quiet()
}

// TestFolder drops a folder: its files are the case.
func TestFolder(t *testing.T) {
	p := openPage(t, serve(t, written(t)).URL)
	dir := filepath.Join(t.TempDir(), "case")
	if err := os.MkdirAll(filepath.Join(dir, "below"), 0o777); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"a.log": "no debugger wrote this\n", "below/b.log": golden(t)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	before := p.turn()
	for _, typ := range []input.DispatchDragEventType{input.DispatchDragEventTypeDragEnter, input.DispatchDragEventTypeDragOver, input.DispatchDragEventTypeDrop} {
		call(p, input.DispatchDragEvent, input.DispatchDragEventParams{Type: typ, X: 900, Y: 500, Data: &input.DragData{Files: []string{dir}, DragOperationsMask: 1}})
	}
	p.turned(before)
	p.wantVerdict(goldenVerdict)
	if got := eval[string](p, `[...document.getElementById("which").options].map((o) => o.textContent).join()`); got != "case/a.log,case/below/b.log" {
		t.Errorf("inputs %s", got)
	}
	p.quiet()
}

// TestAnotherInput gives another input, or none, while one is analysed that takes long.
func TestAnotherInput(t *testing.T) {
	p := openPage(t, serve(t, written(t)).URL)
	long := func() {
		t.Helper()
		p.largeFile("0: kd> !locks\n", "Resource @ 0xfffffa8011efede8 Exclusively owned\n Contention Count = 20\n NumberOfSharedWaiters = 16\n", 4_000_000, golden(t))
		p.wait("progress", `!document.getElementById("progress").hidden && /of/.test(document.getElementById("stage").textContent)`)
	}
	long()
	p.click("#clear")
	p.wait("the end of it", `document.getElementById("progress").hidden && !document.getElementById("start").hidden`)
	if left := eval[string](p, `document.getElementById("result").hidden ? "" : document.getElementById("result").textContent`); left != "" {
		t.Errorf("without an input the page says %q", left)
	}
	long()
	p.example("cycle.log")
	p.wantVerdict("DEADLOCK (certain)")
	// A folder, for one, cannot be read as a file: the page says so, in place of the verdict before.
	p.run(`Blob.prototype.arrayBuffer = async () => { throw new DOMException("not found", "NotFoundError"); }`)
	before := p.turn()
	p.drop("#report", file{"small.log", []byte(golden(t))})
	p.turned(before)
	p.wantVerdict(goldenVerdict)
	p.quiet()
}

// TestScroll shows an input of five million lines.
func TestScroll(t *testing.T) {
	const lines = 5_000_000
	p := openPage(t, serve(t, written(t)).URL)
	before := p.turn()
	// Mostly empty lines: what is tested is how they are shown.
	p.largeFile("", "x\n\n\n\n\n\n\n\n\n\n", lines/10, golden(t)+strings.Repeat("the end\n", 9999)+"the very last line")
	p.turned(before)
	p.wantVerdict(goldenVerdict)
	count := lines + 65 + 10000
	p.click("#tab-read")
	rows := `document.querySelectorAll("#viewer .line").length`
	p.wait("lines", rows+` > 5`)
	p.run(`document.getElementById("viewer").focus()`)
	p.key("End")
	p.wait("the last line", `[...document.querySelectorAll("#viewer .line")].at(-1).textContent === $1`, itoa(count)+"the very last line")
	if n := eval[int](p, rows); n > 100 {
		t.Errorf("%d lines are in the document", n)
	}
	p.key("Home")
	p.wait("the first line", `document.querySelector("#viewer .line").dataset.line === "1" && document.querySelector("#viewer .line .text").textContent === "x"`)
	// Evidence far down is one click away.
	p.click(`[data-evidence="1.0"]`)
	p.wait("the evidence", `document.querySelector("#viewer mark.m-chosen")?.closest(".line").dataset.line === $1`, itoa(lines+3))
	// The scroll bar leads everywhere: its middle is the middle of the input.
	p.run(`(() => { const v = document.getElementById("viewer"); v.scrollTop = (v.scrollHeight - v.clientHeight) / 2; })()`)
	p.wait("the middle", `Math.abs(Number(document.querySelector("#viewer .line")?.dataset.line) - $1) < 1000 && document.querySelectorAll(".line.loading").length === 0`, count/2)
	p.run(`(() => { window.frames = []; let last = performance.now(); const f = (now) => { window.frames.push(now - last); last = now; document.getElementById("viewer").scrollBy(0, 300); if (window.frames.length < 40) requestAnimationFrame(f); }; requestAnimationFrame(f); })()`)
	p.wait("frames", `window.frames.length >= 40`)
	t.Logf("longest of 40 frames while scrolling: %.0f ms", eval[float64](p, `Math.max(...window.frames.slice(1))`))
	if n := eval[int](p, `document.querySelectorAll("*").length`); n > 6000 {
		t.Errorf("%d elements are in the document", n)
	}
	p.quiet()
}
