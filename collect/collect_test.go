package collect_test

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kdlocks/collect"
	"kdlocks/kd"
)

var update = flag.Bool("update", false, "rewrite testdata and the tables of docs/collect.md")

// TestScripts holds the scripts of testdata, one for each set and one with all
// options.
func TestScripts(t *testing.T) {
	for name, o := range map[string]collect.Options{
		"full":       {},
		"quick":      {Set: collect.Set{Quick: true}},
		"live":       {Set: collect.Set{Live: true}},
		"live-quick": {Set: collect.Set{Live: true, Quick: true}, Log: `C:\my logs\hang.log`, Twice: 10},
	} {
		if o.String() != name {
			t.Errorf("the set of %s is named %q", name, o.String())
		}
		got, err := collect.Script(o)
		if err != nil {
			t.Fatal(err)
		}
		checkScript(t, name, got)
		plain := strings.ReplaceAll(got, "\r\n", "\n")
		path := filepath.Join("testdata", name+".txt")
		if *update {
			if err := os.WriteFile(path, []byte(plain), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(path)
		if d := cmp.Diff(string(want), plain); err != nil || d != "" {
			t.Errorf("%s: %v (-want +got):\n%s", path, err, d)
		}
	}
}

// checkScript: the script runs with $$><, pasted line by line, and in the quotes
// of .shell -ci; and the reader knows each of its marks.
func checkScript(t *testing.T, name, script string) {
	t.Helper()
	lines := strings.Split(script, "\r\n")
	if lines[len(lines)-1] != "" || strings.Count(script, "\n") != len(lines)-1 {
		t.Errorf("%s: a line does not end with CR LF", name)
	}
	var last collect.Mark
	for _, l := range lines[:len(lines)-1] {
		if l == "" || strings.ContainsAny(l, ";{}") || strings.TrimSpace(l) != l || strings.HasPrefix(l, "*") || strings.HasPrefix(l, "$$") {
			t.Errorf("%s: %q breaks a command block", name, l)
		}
		if strings.Contains(l, `"`) && !strings.HasPrefix(l, ".logopen") {
			t.Errorf("%s: %q has a quote", name, l)
		}
		text, isEcho := strings.CutPrefix(l, ".echo ")
		switch m, ok := collect.ParseMark(text); {
		case isEcho && (!ok || len(text) > 60):
			t.Errorf("%s: %q is no mark, or too long for a window", name, text)
		case isEcho:
			if typed, ok := collect.Typed(l); !ok || typed != m {
				t.Errorf("%s: %q is not known when it is typed", name, l)
			}
			last = m
		case last.Kind == collect.Command && l != last.Command:
			t.Errorf("%s: %q stands behind the mark of %q", name, l, last.Command)
		}
	}
}

func TestSets(t *testing.T) {
	full := collect.Set{}.Sections()
	for i, s := range full {
		if s.Gives == "" || s.Cost == "" {
			t.Errorf("%s says not what it gives or costs", s.Command)
		}
		if slices.ContainsFunc(full[:i], func(o collect.Section) bool { return o.Command == s.Command }) {
			t.Errorf("%s stands twice", s.Command)
		}
		if m, ok := collect.ParseMark("kdlocks-section " + s.Command); !ok || !m.Known || m.Command != s.Command {
			t.Errorf("the mark of %s is not known", s.Command)
		}
		if i > 0 && s.Quick && !full[i-1].Quick {
			t.Errorf("%s is quick and stands behind what is not", s.Command)
		}
	}
	for _, set := range []collect.Set{{}, {Quick: true}, {Live: true}, {Quick: true, Live: true}} {
		if !slices.ContainsFunc(set.Sections(), func(s collect.Section) bool { return s.Command == "!locks" }) {
			t.Errorf("%s has no !locks", set)
		}
	}
}

func TestLogNames(t *testing.T) {
	for name, want := range map[string]string{
		`C:\logs\hang.log`:            `.logopen /t C:\logs\hang.log`,
		`hang.log`:                    `.logopen /t hang.log`,
		`C:\my logs\the hang's.log`:   `.logopen /t "C:\my logs\the hang's.log"`,
		`\\server\share\hang (1).log`: `.logopen /t "\\server\share\hang (1).log"`,
		`C:\a;b.log`:                  "",
		`C:\a"b.log`:                  "",
		"C:\\a\r\nq.log":              "",
		`C:\a*.log`:                   "",
		`C:\${$arg1}.log`:             "",
		`C:\logs\`:                    "",
		`C:\caf` + "\u00e9.log":       "",
		`a:b:c`:                       "",
		`/d`:                          "",
		` x.log`:                      "",
		` `:                           "",
	} {
		script, err := collect.Script(collect.Options{Log: name})
		first, _, _ := strings.Cut(script, "\r\n")
		if first != want || (err != nil) != (want == "") {
			t.Errorf("%q: %q %v, want %q", name, first, err, want)
		}
		if err == nil && !strings.HasSuffix(script, "\r\n.logclose\r\n") {
			t.Errorf("%q: the log is not closed", name)
		}
	}
}

func TestTwice(t *testing.T) {
	for _, o := range []collect.Options{{Twice: 5}, {Set: collect.Set{Live: true}, Twice: -1}, {Set: collect.Set{Live: true}, Twice: 1441}} {
		if s, err := collect.Script(o); err == nil || s != "" {
			t.Errorf("%+v: %q", o, s)
		}
	}
	s, err := collect.Script(collect.Options{Set: collect.Set{Live: true}, Twice: 1})
	if err != nil || strings.Count(s, "v1 begin live\r\n") != 2 || strings.Count(s, "v1 end\r\n") != 2 ||
		!strings.Contains(s, "v1 end\r\n.echo kdlocks-collect v1 waits 1 minute\r\n.sleep 0n60000\r\n.echo kdlocks-collect v1 begin") {
		t.Errorf("%v:\n%s", err, s)
	}
}

func TestParseMark(t *testing.T) {
	for _, tc := range []struct {
		text string
		want collect.Mark
	}{
		{"kdlocks-collect v1 begin full", collect.Mark{Kind: collect.Begin, Version: 1, Set: "full", Known: true}},
		{"KDLOCKS-COLLECT  V1\tBEGIN Live-Quick", collect.Mark{Kind: collect.Begin, Version: 1, Set: "live-quick", Known: true}},
		{"kdlocks-collect v2 begin full", collect.Mark{Kind: collect.Begin, Version: 2, Set: "full"}},
		{"kdlocks-collect v1 begin most", collect.Mark{Kind: collect.Begin, Version: 1, Set: "most"}},
		{"kdlocks-collect v1 waits 10 minutes", collect.Mark{Kind: collect.Wait, Version: 1}},
		{"kdlocks-collect v1 end", collect.Mark{Kind: collect.End, Version: 1}},
		{"kdlocks-section !locks", collect.Mark{Kind: collect.Command, Version: 1, Known: true, Command: "!locks"}},
		{"kdlocks-section  !PROCESS 0  7", collect.Mark{Kind: collect.Command, Version: 1, Known: true, Command: "!process 0 7"}},
		{"kdlocks-section !process 0 17", collect.Mark{Kind: collect.Command, Version: 1, Command: "!process 0 17"}},
		{"kdlocks-section g", collect.Mark{Kind: collect.Command, Version: 1, Command: "g"}},
	} {
		if got, ok := collect.ParseMark(tc.text); !ok || got != tc.want {
			t.Errorf("%q: %+v %v", tc.text, got, ok)
		}
	}
	for _, text := range []string{
		"", "kdlocks", "kdlocks-", "kdlocks-section", "kdlocks-section ", "kdlocks-sections !locks", "kdlocks-section " + strings.Repeat("x", 81),
		"kdlocks-collect", "kdlocks-collect v1", "kdlocks-collect begin full", "kdlocks-collect vx begin full", "kdlocks-collect v0 end",
		"kdlocks-collect v1 begin", "kdlocks-collect v1 begin full and more", "kdlocks-collect v1 end of it", "kdlocks-collect v99999999999999999999 end",
		".echo kdlocks-section !locks", "see kdlocks-section !locks", "kdlocks collect prints a script",
	} {
		if m, ok := collect.ParseMark(text); ok {
			t.Errorf("%q is taken for %+v", text, m)
		}
	}
}

func TestTyped(t *testing.T) {
	for command, want := range map[string]string{
		".echo kdlocks-section !locks":     "!locks",
		" .ECHO  KDLOCKS-SECTION !LOCKS  ": "!locks",
		".echo kdlocks-section g":          "g",
		".echo hello":                      "",
		".echo say .echo":                  "",
		"kdlocks-section !locks":           "",
		"$$><c:\\kdlocks-collect.txt":      "",
		"":                                 "",
	} {
		if m, ok := collect.Typed(command); m.Command != want || ok != (want != "") {
			t.Errorf("%q: %+v %v", command, m, ok)
		}
	}
	if m, ok := collect.Typed(".echo kdlocks-collect v1 end"); !ok || m.Kind != collect.End {
		t.Errorf("%+v %v", m, ok)
	}
}

// run makes a run of marks, one on each line from line first on.
func run(t *testing.T, first int32, marks ...string) *collect.Run {
	t.Helper()
	var r *collect.Run
	for i, text := range marks {
		m, ok := collect.ParseMark("kdlocks-" + text)
		if !ok {
			t.Fatalf("%q is no mark", text)
		}
		at := kd.Ref{Line: first + int32(i)}
		if r == nil {
			r = collect.NewRun(m, at)
		}
		r.Add(m, at)
	}
	return r
}

func TestLost(t *testing.T) {
	const begin, end = "collect v1 begin live-quick", "collect v1 end"
	quick := []string{"section vertarget", "section !locks", "section !exqueue f", "section !deadlock", "section !vm 1", "section !poolused 2"}
	marks := func(from, to int, last ...string) []string {
		return slices.Concat([]string{begin}, quick[from:to], last)
	}
	whole := run(t, 1, marks(0, 6, end)...)
	for _, tc := range []struct {
		name string
		runs []*collect.Run
		want collect.Lost
	}{
		{"none", nil, collect.Lost{}},
		{"whole", []*collect.Run{whole}, collect.Lost{}},
		{"nothing but its beginning", []*collect.Run{run(t, 1, begin)}, collect.Lost{At: kd.Ref{Line: 1}, Commands: []string{"vertarget", "!locks", "!exqueue f", "!deadlock", "!vm 1", "!poolused 2"}}},
		{"cut", []*collect.Run{run(t, 1, marks(0, 3)...)}, collect.Lost{At: kd.Ref{Line: 4}, Within: "!exqueue f", Commands: []string{"!deadlock", "!vm 1", "!poolused 2"}}},
		{"cut in the last command", []*collect.Run{run(t, 1, marks(0, 5)...)}, collect.Lost{At: kd.Ref{Line: 6}, Within: "!vm 1", Commands: []string{"!poolused 2"}}},
		{"lines taken out of the script", []*collect.Run{run(t, 1, marks(1, 2, end)...)}, collect.Lost{}},
		{"cut and run again", []*collect.Run{run(t, 1, marks(0, 3)...), whole}, collect.Lost{}},
		{"the other half came later", []*collect.Run{run(t, 1, marks(0, 3)...), run(t, 9, marks(2, 4)...)}, collect.Lost{At: kd.Ref{Line: 11}, Within: "!deadlock", Commands: []string{"!vm 1", "!poolused 2"}}},
		{"an excerpt", []*collect.Run{run(t, 1, quick[1], quick[2])}, collect.Lost{}},
		{"the end of one", []*collect.Run{run(t, 1, quick[1], end)}, collect.Lost{}},
		{"of a later version", []*collect.Run{run(t, 1, "collect v7 begin live-quick", quick[1])}, collect.Lost{At: kd.Ref{Line: 2}, Within: "!locks"}},
	} {
		if d := cmp.Diff(tc.want, collect.LostBy(tc.runs)); d != "" {
			t.Errorf("%s (-want +got):\n%s", tc.name, d)
		}
	}
}

// TestDocs holds the tables of docs/collect.md to the list of commands.
func TestDocs(t *testing.T) {
	const path, from, to = "../docs/collect.md", "<!-- commands -->\n", "<!-- end of commands -->\n"
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(page), from)
	_, after, ok2 := strings.Cut(rest, to)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the tables", path)
	}
	want := before + from + "\n" + collect.Table() + "\n" + to + after
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if d := cmp.Diff(want, string(page)); d != "" {
		t.Errorf("%s is not what the commands say; run the tests with -update (-want +got):\n%s", path, d)
	}
}

func FuzzParseMark(f *testing.F) {
	for _, s := range []string{"kdlocks-section !locks", "kdlocks-collect v1 begin full", "kdlocks-collect v1 end", "kdlocks-collect v1 waits 1 minute"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, ok := collect.ParseMark(text)
		if ok && (m.Kind == 0 || m.Version < 1 || (m.Kind == collect.Command) != (m.Command != "") || (m.Kind == collect.Begin) != (m.Set != "")) {
			t.Errorf("%q: %+v", text, m)
		}
		collect.Typed(text)
	})
}
