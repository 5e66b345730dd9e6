package inspect_test

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"

	"kdlocks/inspect"
	"kdlocks/report"
)

// heapFiles are the parts of the case of KB253706: both logs and what dhcmp prints.
func heapFiles(t *testing.T) (before, after, cmp string) {
	t.Helper()
	for _, k := range loadCases(t) {
		if k.name == "heap-compare-kb253706" {
			parts := strings.Split(string(k.input), `C:\reskit>`)
			cut := func(s string) string { _, text, _ := strings.Cut(s, "\n"); return text }
			return cut(parts[1]), cut(parts[2]), cut(parts[3])
		}
	}
	t.Fatal("the case is missing")
	return "", "", ""
}

func analyzeFiles(t *testing.T, files ...string) *report.Report {
	t.Helper()
	var in []inspect.Input
	for i, f := range files {
		in = append(in, inspect.Bytes(string(rune('a'+i))+".txt", []byte(f)))
	}
	r, err := inspect.Run(context.Background(), in, inspect.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestHeapSteps replays KB253706: with all of it the module is named; with a step
// missing, that step is asked for.
func TestHeapSteps(t *testing.T) {
	before, after, cmp := heapFiles(t)
	none := "+ 100000 ( 120000 - 20000) 480 allocs BackTrace00000\nTotal increase == 100000\n"
	for _, c := range []struct {
		name  string
		files []string
		kind  string
		says  string // in the verdict
		asks  string
	}{
		{"all of it", []string{before, after, cmp}, "memory-leak", "ShopCart!CSession::Create", ""},
		{"the logs the other way round", []string{after, before, cmp}, "memory-leak", "grew by 1048576 bytes", ""},
		{"both logs", []string{before, after}, "memory-leak", "ShopCart!CSession::Create", ""},
		{"the comparison and the later log", []string{cmp, after}, "memory-leak", "ShopCart!CSession::Create", ""},
		{"the comparison alone", []string{cmp}, "memory-leak", "BackTrace00031", "dhcmp -v before.txt after.txt"},
		{"one log", []string{before}, "undecided", "tells no growth", "dh -p PID -f after.txt"},
		{"the same log twice", []string{before, before}, "undecided", "", "dh -p PID -f after.txt"},
		{"no back traces", []string{none}, "undecided", "GlobalFlag 23000", "gflags /i ImageName +ust"},
	} {
		r := analyzeFiles(t, c.files...)
		if r.Verdict.Kind != c.kind || !strings.Contains(r.Verdict.Summary, c.says) {
			t.Errorf("%s: %s: %s", c.name, r.Verdict.Kind, r.Verdict.Summary)
		}
		if asked := slices.ContainsFunc(r.Gaps, func(g report.Gap) bool { return g.NextCommand == c.asks }); asked != (c.asks != "") {
			t.Errorf("%s: asks for %+v", c.name, r.Gaps)
		}
		if r.Verdict.Confidence != "possible" && c.kind == "memory-leak" {
			t.Errorf("%s: %s, though the times are not known", c.name, r.Verdict.Confidence)
		}
	}
}

// TestHeapsBesideLocks: what may be a cache takes no verdict from locks.
func TestHeapsBesideLocks(t *testing.T) {
	before, after, _ := heapFiles(t)
	for _, k := range loadCases(t) {
		if k.name != "chain" && k.name != "abba" {
			continue
		}
		alone := analyzeFiles(t, string(k.input)).Verdict
		for _, files := range [][]string{{string(k.input), before, after}, {before, after, string(k.input)}, {string(k.input), before}} {
			if r := analyzeFiles(t, files...); r.Verdict != alone {
				t.Errorf("%s: %+v became %+v", k.name, alone, r.Verdict)
			}
		}
	}
}

// TestMangledHeaps: quoting, lost indentation, other line ends and tabs change
// nothing of what is found.
func TestMangledHeaps(t *testing.T) {
	two, err := os.ReadFile("../rules/packs/memory/testdata/syn-heap-two-days.log")
	if err != nil {
		t.Fatal(err)
	}
	before, after, cmp := heapFiles(t)
	each := func(f func(string) string) func(string) string {
		return func(text string) string {
			lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
			for i := range lines {
				lines[i] = f(lines[i])
			}
			return strings.Join(lines, "\n") + "\n"
		}
	}
	for _, text := range []string{string(two), before + "\nUMDH: Logtime 2000-06-28 10:54 - Machine=M - PID=704\n" + after, cmp} {
		want := analyzeFiles(t, text)
		for name, mangle := range map[string]func(string) string{
			"quoted":      each(func(l string) string { return "> " + l }),
			"CRLF":        each(func(l string) string { return l + "\r" }),
			"indentation": each(func(l string) string { return strings.TrimLeft(l, " \t") }),
			"tabs":        func(s string) string { return strings.ReplaceAll(s, "        ", "\t") },
			"blanks":      each(func(l string) string { return strings.Join(strings.Fields(l), " ") }),
			"doubled":     func(s string) string { return strings.ReplaceAll(s, "\n", "\n\n") },
			"typography":  func(s string) string { return strings.ReplaceAll(s, " - ", " \u2013 ") },
		} {
			got := analyzeFiles(t, mangle(text))
			if got.Verdict != want.Verdict || len(got.Memory.Heaps) != len(want.Memory.Heaps) || len(got.Memory.HeapDiffs) != len(want.Memory.HeapDiffs) {
				t.Errorf("%s: %+v became %+v (%d logs, %d comparisons)", name, want.Verdict, got.Verdict, len(got.Memory.Heaps), len(got.Memory.HeapDiffs))
			}
			if in := got.Inputs[0]; in.LinesUnderstood != in.Lines {
				t.Errorf("%s: %d of %d lines understood", name, in.LinesUnderstood, in.Lines)
			}
		}
	}
}
