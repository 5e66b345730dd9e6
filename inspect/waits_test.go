package inspect_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"

	"kdlocks/stacks"
	"kdlocks/threads"
	"kdlocks/transcript"
)

// waitLog is one row of testdata/waits/INDEX.yaml. Frame is the routine that
// tells what the thread waits for, "" if none does.
type waitLog struct {
	File     string `yaml:"file"`
	Frame    string `yaml:"frame"`
	WaitsFor string `yaml:"waits_for"`
	Windows  string `yaml:"windows"`
	Arch     string `yaml:"arch"`
	Source   string `yaml:"source"`
	Notes    string `yaml:"notes"`
	Unread   bool   `yaml:"unread"` // the program does not read this form of a stack
}

const waitLogs = "testdata/waits/"

var logOfSeen = regexp.MustCompile(`([^,;]*?) \((testdata/[^)]*)\)`)

func loadWaitLogs(t *testing.T) map[string]waitLog {
	t.Helper()
	text, err := os.ReadFile("../" + waitLogs + "INDEX.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var rows []waitLog
	if err := yaml.Unmarshal(text, &rows); err != nil {
		t.Fatal(err)
	}
	out := map[string]waitLog{}
	for _, l := range rows {
		out[waitLogs+l.File] = l
	}
	return out
}

// waitersIn returns the threads of a log.
func waitersIn(t *testing.T, path string, unread bool) []*threads.Thread {
	t.Helper()
	data, err := os.ReadFile("../" + path)
	if err != nil {
		t.Fatal(err)
	}
	if unread {
		th := &threads.Thread{}
		for line := range strings.Lines(string(data)) {
			module, function, _ := strings.Cut(line[strings.LastIndexByte(line, ' ')+1:], "!")
			function, _, _ = strings.Cut(function, "+")
			th.Stack.Frames = append(th.Stack.Frames, stacks.Frame{Module: module, Function: function})
		}
		return []*threads.Thread{th}
	}
	tr, err := transcript.Read(context.Background(), []transcript.Input{transcript.Bytes(path, data)}, nil)
	if err != nil {
		t.Fatalf("Read %s: %v", path, err)
	}
	var out []*threads.Thread
	for _, s := range tr.Snapshots {
		out = append(out, s.Threads...)
	}
	return out
}

// TestWaitLogs: of every log the stack tells what its index says.
func TestWaitLogs(t *testing.T) {
	logs := loadWaitLogs(t)
	for path, want := range logs {
		t.Run(want.File, func(t *testing.T) {
			if want.Source == "" || want.Windows == "" || want.Arch == "" {
				t.Error("the index does not say where it is from")
			}
			all := waitersIn(t, path, want.Unread)
			if len(all) != 1 {
				t.Fatalf("%d threads", len(all))
			}
			w := all[0].Waits()
			frame := ""
			if w.Function != nil {
				frame = all[0].Stack.Frames[w.Frame].Module + "!" + all[0].Stack.Frames[w.Frame].Function
			}
			if frame != want.Frame || w.For.String() != want.WaitsFor {
				t.Errorf("waits in %q for %s, want %q for %s", frame, w.For, want.Frame, want.WaitsFor)
			}
		})
	}
	files, err := filepath.Glob("../" + waitLogs + "*.log")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != len(logs) {
		t.Errorf("%d logs, %d in the index", len(files), len(logs))
	}
}

// TestWaitFunctionsWereSeen: every entry names a log in which a thread waits in
// it, of the version that the index of the log gives, or where it is documented.
func TestWaitFunctionsWereSeen(t *testing.T) {
	logs := loadWaitLogs(t)
	named := map[string]bool{}
	for i := range threads.WaitFunctions {
		f := &threads.WaitFunctions[i]
		seen := logOfSeen.FindAllStringSubmatch(f.Seen, -1)
		if len(seen) == 0 && !strings.Contains(f.Seen, "Microsoft Learn") {
			t.Errorf("%s: neither a log nor where it is documented: %q", f.Name, f.Seen)
		}
		for _, m := range seen {
			version, path := strings.TrimSpace(m[1]), m[2]
			named[path] = true
			if l, ok := logs[path]; ok && version != l.Windows+" "+l.Arch {
				t.Errorf("%s: %s is of %s %s, not of %s", f.Name, path, l.Windows, l.Arch, version)
			}
			if !slices.ContainsFunc(waitersIn(t, path, logs[path].Unread), func(th *threads.Thread) bool { return standsIn(th, f) }) {
				t.Errorf("%s: nothing in %s waits in it", f.Name, path)
			}
		}
	}
	for path, l := range logs {
		if l.Frame != "" && !named[path] {
			t.Errorf("no entry names %s", path)
		}
	}
}

// standsIn reports whether a thread waits in a routine, or in one that waits in it.
func standsIn(th *threads.Thread, f *threads.WaitFunction) bool {
	w := th.Waits()
	if w.Function == f {
		return true
	}
	return w.Function != nil && slices.ContainsFunc(th.Stack.Frames[:w.Frame], func(fr stacks.Frame) bool {
		return threads.WaitFunctionOf(fr.Function) == f
	})
}

// TestDocsOfWaits holds docs/waits.md to the table.
func TestDocsOfWaits(t *testing.T) {
	const path = "../docs/waits.md"
	logs := loadWaitLogs(t)
	var page bytes.Buffer
	page.WriteString(`# What a thread's stack says it waits for

The first of these routines from the inside tells, if no driver outside Windows asked the kernel for the wait before.
A routine marked "inner" gives way to one of the table that waits in it; one marked "direct" counts only if it asked for
the wait itself. Names are contained in the function's name, in either case, but for routines that only try.

| routine | waits for | | seen | source |
|---|---|---|---|---|
`)
	for _, f := range threads.WaitFunctions {
		var kind, sources []string
		for name, set := range map[string]bool{"direct": f.Direct, "inner": f.Inner, "shared": f.Shared} {
			if set {
				kind = append(kind, name)
			}
		}
		slices.Sort(kind)
		for _, m := range logOfSeen.FindAllStringSubmatch(f.Seen, -1) {
			s := "[testdata/corpus](../testdata/corpus/INDEX.yaml)"
			if l, ok := logs[m[2]]; ok {
				s = l.Source
			}
			if !slices.Contains(sources, s) {
				sources = append(sources, s)
			}
		}
		seen := logOfSeen.ReplaceAllStringFunc(f.Seen, func(s string) string {
			m := logOfSeen.FindStringSubmatch(s)
			return m[1] + " ([log](../" + m[2] + "))"
		})
		fmt.Fprintf(&page, "| `%s` | %s | %s | %s | %s |\n", f.Name, f.For, strings.Join(kind, ", "), seen, strings.Join(sources, "; "))
	}
	if *update {
		if err := os.WriteFile(path, page.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(got), page.String()); d != "" {
		t.Errorf("%s is not what the table says; run the tests with -update (-got +want):\n%s", path, d)
	}
}
