package browser

import (
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// counterLog is a log of performance counters that shows a leak.
func counterLog(t testing.TB) string {
	t.Helper()
	ar, err := txtar.ParseFile("../../testdata/cases/counters-pool-leak.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range ar.Files {
		if f.Name == "input.txt" {
			return string(f.Data)
		}
	}
	t.Fatal("the case has no input")
	return ""
}

// TestCharts: a log of counters is drawn; a log without any shows no empty heading.
func TestCharts(t *testing.T) {
	p := openPage(t, serve(t, written(t)).URL)
	before := p.turn()
	p.paste(counterLog(t))
	p.turned(before)
	p.wantVerdict("MEMORY LEAK (likely)")
	if n := eval[int](p, `document.querySelectorAll("#charts svg polyline").length`); n == 0 || eval[bool](p, `document.getElementById("s-charts").hidden`) {
		t.Errorf("%d lines are drawn", n)
	}
	if words := eval[string](p, `document.querySelector("#charts .words").textContent`); !strings.Contains(words, "Pool Nonpaged Bytes") {
		t.Errorf("in words: %q", words)
	}
	if !eval[bool](p, `document.getElementById("s-pictures").hidden`) {
		t.Error("a heading stands above no picture")
	}
	p.example("cycle.log")
	if !eval[bool](p, `document.getElementById("s-charts").hidden`) || eval[bool](p, `document.getElementById("s-pictures").hidden`) {
		t.Error("the cycle is shown with charts, or without its picture")
	}
	p.quiet()
}
