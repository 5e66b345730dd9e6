package browser

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"kdlocks/bench/loggen"
	"kdlocks/dump/dumptest"
)

// BenchmarkPaste measures how long a paste of the golden log takes to its verdict, on a
// page whose engine is ready, and how long that takes from when the page was asked for.
func BenchmarkPaste(b *testing.B) {
	url := serve(b, released(b)).URL
	ready, verdict := 0.0, 0.0
	for b.Loop() {
		p := blank(b)
		p.visit(url)
		ready += eval[float64](p, `performance.now()`) // milliseconds since the page was asked for
		p.run(`addEventListener("paste", () => { window.pastedAt = performance.now(); }, { capture: true })`)
		before := p.turn()
		p.paste(golden(b))
		p.turned(before)
		verdict += eval[float64](p, `window.turns.at - window.pastedAt`)
	}
	b.ReportMetric(ready/float64(b.N), "ms-to-ready")
	b.ReportMetric(verdict/float64(b.N), "ms-to-verdict")
}

// BenchmarkFile measures how long a file takes to its verdict, the first one on its page.
func BenchmarkFile(b *testing.B) {
	url := serve(b, released(b)).URL
	for _, megabytes := range []int64{50, 200} {
		b.Run(fmt.Sprint(megabytes, "MB"), func(b *testing.B) {
			name := large(b, megabytes)
			verdict := 0.0
			for b.Loop() {
				verdict += warm(b, url, name)
			}
			b.ReportMetric(verdict/float64(b.N), "ms-to-verdict")
		})
	}
}

// warm returns how many milliseconds that took.
func warm(b *testing.B, url, name string) float64 {
	p := openPage(b, url)
	p.run(`addEventListener("change", () => { window.chosenAt = performance.now(); }, { capture: true })`)
	before := p.turn()
	p.choose("#file", name)
	p.turned(before)
	if v := p.verdict(); !strings.HasPrefix(v, "DEADLOCK") {
		b.Fatal(v)
	}
	return eval[float64](p, `window.turns.at - window.chosenAt`)
}

// BenchmarkDump measures how long a complete dump of 8 GiB with 20,000 threads and 30,000
// resources takes to its verdict, with the loading of what reads it.
func BenchmarkDump(b *testing.B) {
	s, err := dumptest.Big(dumptest.Options{PhysicalMemory: 8 << 30, Processors: 4}, 20_000, 30_000)
	if err != nil {
		b.Fatal(err)
	}
	url, name := serve(b, released(b)).URL, writtenDump(b, s, dumptest.Full)
	verdict := 0.0
	for b.Loop() {
		verdict += warm(b, url, name)
	}
	b.ReportMetric(verdict/float64(b.N), "ms-to-verdict")
}

// BenchmarkCold measures how long a file takes to its verdict from when the page was asked
// for, where it is chosen before the engine is ready.
func BenchmarkCold(b *testing.B) {
	url := serve(b, released(b)).URL
	for _, megabytes := range []int64{50, 200} {
		b.Run(fmt.Sprint(megabytes, "MB"), func(b *testing.B) {
			name := large(b, megabytes)
			verdict := 0.0
			for b.Loop() {
				verdict += cold(b, url, name)
			}
			b.ReportMetric(verdict/float64(b.N), "ms-to-verdict")
		})
	}
}

// cold returns how many milliseconds that took.
func cold(b *testing.B, url, name string) float64 {
	p := blank(b)
	p.do(chromedp.Navigate(url))
	before := p.turn()
	p.choose("#file", name)
	p.turned(before)
	p.wantVerdict(goldenVerdict)
	return eval[float64](p, `window.turns.at`)
}

// large writes a log of so many megabytes.
func large(b *testing.B, megabytes int64) string {
	b.Helper()
	name := filepath.Join(b.TempDir(), "large.log")
	f, err := os.Create(name)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := loggen.Write(f, loggen.Options{Bytes: megabytes * 1_000_000}); err != nil {
		b.Fatal(err)
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	return name
}
