package report

import "testing"

func TestFileURI(t *testing.T) {
	for _, tc := range []struct{ name, want string }{
		{"hang.log", "hang.log"},
		{"./logs//hang.log", "logs/hang.log"},
		{"../hang.log", "../hang.log"},
		{"a b/100%#?.log", "a%20b/100%25%23%3F.log"},
		{"h\u00e4ngt.log", "h%C3%A4ngt.log"},
		{"case:1.log", "./case:1.log"},
		{"/var/log/a b.log", "file:///var/log/a%20b.log"},
		{`C:\logs\a b.log`, "file:///C:/logs/a%20b.log"},
		{`\\server\share\a.log`, "file://server/share/a.log"},
		{"all.zip!logs/a.log", "all.zip%21logs/a.log"},
		{"stdin", "stdin"},
		{"bad\xff.log", "bad%FF.log"},
		{"evil\x1b.log", "evil%1B.log"},
	} {
		if got := fileURI(tc.name); got != tc.want {
			t.Errorf("fileURI(%q) = %q, want %q", tc.name, got, tc.want)
		}
	}
}

// TestSARIFKinds holds what those who gate on levels rely on: an error is
// proven, and what is no failure has no level.
func TestSARIFKinds(t *testing.T) {
	for _, tc := range []struct{ kind, severity, wantKind, wantLevel string }{
		{"deadlock", "critical", "fail", "error"},
		{"orphaned-lock", "high", "fail", "error"},
		{"suspected-deadlock", "high", "review", "none"},
		{"undecided", "medium", "open", "none"},
		{"blocked-chain", "medium", "fail", "warning"},
		{"contention", "low", "fail", "note"},
		{"no-deadlock", "info", "informational", "none"},
		{"blocked-chain", "info", "informational", "none"},
	} {
		kind, level := kindAndLevel(&Finding{Kind: tc.kind, Severity: tc.severity})
		if kind != tc.wantKind || level != tc.wantLevel {
			t.Errorf("%s, %s: %s, %s", tc.kind, tc.severity, kind, level)
		}
	}
}

func TestSARIFRegions(t *testing.T) {
	l := sarifLog{}
	for _, tc := range []struct {
		name string
		e    Evidence
		want sarifRegion
		text string
	}{
		{"one line", Evidence{Line: 3, Column: 5, Length: 4, Text: "    abcd e"}, sarifRegion{StartLine: 3, StartColumn: 5, EndColumn: 9}, "abcd"},
		{"characters, not bytes", Evidence{Line: 3, Column: 3, Length: 2, Text: "\u00e9\U0001f600ab"}, sarifRegion{StartLine: 3, StartColumn: 3, EndColumn: 5}, "ab"},
		{"two lines", Evidence{Line: 3, EndLine: 4, Column: 4, Length: 6, Text: "   ab\n  cd"}, sarifRegion{StartLine: 3, EndLine: 4, StartColumn: 4, EndColumn: 4}, "ab\n  c"},
		{"longer than the text", Evidence{Line: 1, Column: 2, Length: 9, Text: "abc"}, sarifRegion{StartLine: 1, StartColumn: 2, EndColumn: 4}, "bc"},
	} {
		got := l.evidence(&tc.e).Physical.Region
		text := got.Snippet.Text
		got.Snippet = nil
		if got != tc.want || text != tc.text {
			t.Errorf("%s: %+v %q, want %+v %q", tc.name, got, text, tc.want, tc.text)
		}
	}
}

// TestSARIFGraphs: every hop has its two edges, and whoever is not named is a
// node of its own.
func TestSARIFGraphs(t *testing.T) {
	step := func(thread, lock, by string) Step {
		return Step{Thread: thread, WaitsFor: lock, Kind: "ERESOURCE", HeldBy: by, Grade: "A"}
	}
	for _, tc := range []struct {
		name         string
		steps        []Step
		what         string
		nodes, edges int
	}{
		{"cycle of two", []Step{step("0x1", "0xa", "0x2"), step("0x2", "0xb", "0x1")}, "cycle", 4, 4},
		{"itself", []Step{step("0x1", "0xa", "0x1")}, "cycle", 2, 2},
		{"an announced waiter in a cycle", []Step{step("0x1", "0xa", ""), step("", "0xa", "0x1")}, "cycle", 3, 4},
		{"an announced waiter first in a cycle", []Step{step("", "0xa", "0x1"), step("0x1", "0xb", "")}, "cycle", 4, 4},
		{"chain to nobody", []Step{step("0x1", "0xa", "0x2"), step("0x2", "0xb", "")}, "chain", 5, 4},
	} {
		var out sarifResult
		l := sarifLog{names: index(&Report{})}
		l.graph(&out, &Finding{}, tc.steps, tc.what)
		g := out.Graphs[0]
		if len(g.Nodes) != tc.nodes || len(g.Edges) != tc.edges || len(out.Traversals[0].Edges) != tc.edges {
			t.Errorf("%s: %d nodes, %d edges: %+v", tc.name, len(g.Nodes), len(g.Edges), g)
		}
	}
	long := make([]Step, mostGraphHops+1)
	for i := range long {
		long[i] = step("0x1", "0xa", "0x1")
	}
	var out sarifResult
	l := sarifLog{names: index(&Report{})}
	l.graph(&out, &Finding{}, long, "cycle")
	if g := out.Graphs[0]; len(g.Edges) != 2*mostGraphHops || g.Description.Text == "" {
		t.Errorf("a cycle of %d hops has %d edges", len(long), len(g.Edges))
	}
}
