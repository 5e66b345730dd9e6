package inspect_test

import (
	"strings"
	"testing"
)

// heapCase is the input of a case.
func heapCase(t *testing.T, name string) string {
	t.Helper()
	for _, k := range loadCases(t) {
		if k.name == name {
			return string(k.input)
		}
	}
	t.Fatalf("no case %s", name)
	return ""
}

// TestHeapCompare replays KB253706: two logs of dh and their comparison name the module,
// a missing step is asked for, and nothing that is there. It is no more than possible
// where nothing tells that a day lies between the logs: caches fill for as long.
func TestHeapCompare(t *testing.T) {
	t.Parallel()
	before, after, cmp := heapFiles(t)
	typed := heapCase(t, "heap-compare-kb253706")
	days := readText(t, "../rules/packs/memory/testdata/syn-heap-two-days.log")
	const article, possible, likely = "KB253706", "ms-kb253706-heap-compare possible", "ms-kb253706-heap-compare likely"
	const none = "+ 100000 ( 120000 - 20000) 480 allocs BackTrace00000\nTotal increase == 100000\n"
	grew := []string{"BackTrace00031 of the process grew by 1048576 bytes", "ShopCart!CSession::Create allocated it"}
	rows := []string{"00120000 bytes in 0x480 allocations", "ShopCart!CSession::Create"}
	later := []string{"dh -p PID -f later.txt"}
	frames := []string{"dhcmp -v before.txt after.txt"}
	second := []string{"dh -p PID -f after.txt"}
	const diff = "+ 1048576 ( 1179648 -  131072)"
	replayAll(t, documentRules(t), []replay{
		{name: "all", log: []string{before, after, cmp}, kind: "memory-leak", says: grew, seen: append(rows, "00020000 bytes in 0x80", diff), article: article, known: possible, asks: later},
		{name: "as typed in a window", log: []string{typed}, kind: "memory-leak", says: []string{"with PID 116 grew by 1048576 bytes", "ShopCart!CSession::Create allocated it"}, seen: append(rows, diff), article: article, known: possible, asks: []string{"dh -p 116 -f later.txt"}},
		{name: "the comparison first", log: []string{cmp, before, after}, kind: "memory-leak", says: grew, seen: append(rows, diff), article: article, known: possible, asks: later},
		{name: "no comparison", log: []string{before, after}, kind: "memory-leak", says: grew, seen: rows, article: article, known: possible, asks: append(later[:1:1], "dhcmp -d before.txt after.txt")},
		{name: "no later log", log: []string{before, cmp}, kind: "memory-leak", says: grew, seen: []string{diff}, article: article, known: possible, asks: later},
		{name: "no earlier log", log: []string{after, cmp}, kind: "memory-leak", says: grew, seen: []string{diff, "ShopCart!CSession::Create"}, article: article, known: possible, asks: later},
		{name: "the comparison alone", log: []string{cmp}, kind: "memory-leak", says: []string{"BackTrace00031", "the module is not known"}, never: "ShopCart", seen: []string{diff}, article: article, known: possible, asks: frames},
		{name: "the earlier log alone", log: []string{before}, kind: "undecided", says: []string{"tells no growth"}, seen: []string{"00020000 bytes in 0x80"}, article: article, asks: second},
		{name: "the later log alone", log: []string{after}, kind: "undecided", says: []string{"tells no growth"}, seen: rows, article: article, asks: second},
		{name: "GlobalFlag was not set", log: []string{none}, kind: "undecided", says: []string{"GlobalFlag 23000"}, never: "leak", asks: []string{"gflags /i ImageName +ust"}},
		{name: "umdh, two days apart", log: []string{days}, kind: "memory-leak", says: []string{"app.exe (PID 7696) grew by 2789280 bytes"}, article: article, known: likely, asks: []string{"umdh -p:7696 -f:later.txt", "umdh -v before.txt after.txt"}},
	})
}

// TestHeapCacheWarmsUp holds that growth within a day is told to be what a cache does,
// too, and that a cache which is full is no leak.
func TestHeapCacheWarmsUp(t *testing.T) {
	t.Parallel()
	before, after, cmp := heapFiles(t)
	for name, log := range map[string]string{"hours": heapCase(t, "heap-growth-hours"), "unknown": before + after + cmp} {
		r := analyze(t, []byte(log))
		if r.Verdict.Kind != "memory-leak" || r.Verdict.Confidence != "possible" || !strings.Contains(r.Findings[0].Explanation, "in the first 24 hours of use a cache fills, which looks the same (KB253706)") {
			t.Errorf("%s: %s (%s): %s", name, r.Verdict.Kind, r.Verdict.Confidence, r.Findings[0].Explanation)
		}
	}
	if r := analyze(t, []byte(heapCase(t, "heap-cache-filled"))); r.Verdict.Kind == "memory-leak" {
		t.Errorf("a cache that is full: %s", r.Verdict.Summary)
	}
}
