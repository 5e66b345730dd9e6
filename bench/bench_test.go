package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"kdlocks/bench/loggen"
)

// Every kind of line of a log is in the expressions that ripgrep is given, and
// blank lines are not.
func TestExpressionsMatchEveryLine(t *testing.T) {
	strict, loose := regexp.MustCompile(everyLine), regexp.MustCompile(everyBeginning)
	for _, plant := range []loggen.Plant{loggen.OwnerPointer, loggen.Cycle, loggen.Nothing} {
		var b bytes.Buffer
		if _, err := loggen.Write(&b, loggen.Options{Threads: 4000, Plant: plant}); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(b.String()) {
			line = strings.TrimSuffix(line, "\n")
			if full := line != ""; strict.MatchString(line) != full || loose.MatchString(line) != full {
				t.Fatalf("%q", line)
			}
		}
	}
}

// The harness measures every figure; how fast is not asked here.
func TestHarness(t *testing.T) {
	if testing.Short() {
		t.Skip("no figure is measured: that builds and runs kdlocks for a while, and -short was asked for")
	}
	dir := t.TempDir()
	l := &lab{dir: dir, runs: 1, seed: 3, progress: io.Discard, sizes: sizes{main: 400e3, small: 100e3, large: 1e6, form: 100e3, start: 100e3, body: 2e6, unpacked: 8 << 20, hold: 100 * time.Millisecond}}
	if err := l.prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	rows, err := l.measure(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var letters []string
	for _, r := range rows {
		letters = append(letters, r.letter)
		if r.figure == "failed" || strings.HasPrefix(r.measured, "failed") || r.measured == "" {
			t.Errorf("%+v", r)
		}
		if (r.figure == "verdict" || r.figure == "report of two cores") && r.held != isHeld {
			t.Errorf("%s: %s", r.figure, r.measured)
		}
	}
	if got := slices.Compact(letters); !slices.Equal(got, []string{"a", "b", "c", "d", "e", "f", "g", "h"}) {
		t.Errorf("figures %v", got)
	}
	left, _ := filepath.Glob(filepath.Join(dir, "*.log"))
	if len(left) > 0 {
		t.Errorf("logs left behind: %v", left)
	}
}

// What is interrupted leaves no files behind.
func TestInterrupted(t *testing.T) {
	dir := t.TempDir()
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := bench(ctx, []string{"-quick", "-dir", dir, "-kdlocks", os.Args[0]}); err == nil {
		t.Error("no error")
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestVerdictStands(t *testing.T) {
	g := log{Stats: loggen.Stats{Deadlocked: []uint64{0xffffcb01f97b880a, 0xffffcb0200000080}}}
	for _, c := range []struct {
		output string
		want   bool
	}{
		{"DEADLOCK (certain)\nThreads ffffcb01f97b880a and ffffcb0200000080", true},
		{"DEADLOCK (certain)\nThread ffffcb01f97b880a", false},
		{"No deadlock\nThreads ffffcb01f97b880a and ffffcb0200000080", false},
		{"", false},
	} {
		if verdictStands([]byte(c.output), g) != c.want {
			t.Errorf("%q: not %v", c.output, c.want)
		}
	}
}

func TestReplaceSection(t *testing.T) {
	name := filepath.Join(t.TempDir(), "p.md")
	rows := []row{{"a", "speed", "2 | 3", "1", isHeld}, {"b", "memory", "9", "8", notHeld}}
	write := func(text string) {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("# T\n\n" + beginMark + "old\n" + endMark + "\n\nrest\n")
	for range 2 { // a second time changes nothing
		if err := replaceSection(name, []string{"Machine: m"}, rows); err != nil {
			t.Fatal(err)
		}
		got, _ := os.ReadFile(name)
		want := "# T\n\n" + beginMark + `
- Machine: m

|   | figure | measured | promised | held |
|---|--------|----------|----------|------|
| a | speed  | 2 \| 3   | 1        | yes  |
| b | memory | 9        | 8        | NO   |

` + endMark + "\n\nrest\n"
		if string(got) != want {
			t.Fatalf("got\n%s\nwant\n%s", got, want)
		}
	}
	write("no marks")
	if err := replaceSection(name, nil, rows); err == nil {
		t.Error("no error without marks")
	}
}

func TestUnknownFigure(t *testing.T) {
	if _, err := letters("a,x"); err == nil {
		t.Error("no error")
	}
}

func TestGen(t *testing.T) {
	name := filepath.Join(t.TempDir(), "g.log")
	if _, err := gen(t.Context(), []string{"-threads", "20", "-form", "quote", "-plant", "cycle", "-o", name}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(name)
	if err != nil || bytes.Count(text, []byte("\n>         THREAD ")) != 20 {
		t.Errorf("%v, %.300s", err, text)
	}
	if _, err := gen(t.Context(), []string{"-threads", "20", "-form", "nonsense", "-o", name}); err == nil {
		t.Error("no error for an unknown form")
	}
}
