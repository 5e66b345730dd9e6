package engine_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	"kdlocks/inspect"
	"kdlocks/report"
	"kdlocks/rules"
	"kdlocks/web/engine"
	"kdlocks/web/page"
)

// example returns an example of the page as an input.
func example(t testing.TB, name string) inspect.Input {
	t.Helper()
	data, err := fs.ReadFile(page.Source(), "examples/"+name)
	if err != nil {
		t.Fatal(err)
	}
	return inspect.Bytes(name, data)
}

// ask calls and decodes the answer.
func ask[T any](t testing.TB, e *engine.Engine, name string, args any, given ...inspect.Input) (out T) {
	t.Helper()
	raw, err := json.Marshal(args)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := e.Call(context.Background(), name, raw, given, &b); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if err := json.Unmarshal(b.Bytes(), &out); err != nil {
		t.Fatalf("%s: %v in %.200s", name, err, b.Bytes())
	}
	return out
}

// analysis is an answer to analyze with the report as it is written.
type analysis struct {
	engine.Analysis
	Report json.RawMessage `json:"report"`
}

func analyzed(t testing.TB, name string) (*engine.Engine, analysis) {
	t.Helper()
	e := engine.New(engine.Options{})
	t.Cleanup(func() { e.Close() })
	return e, ask[analysis](t, e, "analyze", nil, example(t, name))
}

func TestExamplesGiveTheVerdictThatTheirNameSays(t *testing.T) {
	data, err := fs.ReadFile(page.Source(), "examples/index.json")
	if err != nil {
		t.Fatal(err)
	}
	var list []struct{ File, Name, Verdict string }
	if err := json.Unmarshal(data, &list); err != nil {
		t.Fatal(err)
	}
	kinds := map[string]bool{}
	for _, ex := range list {
		_, a := analyzed(t, ex.File)
		var r struct{ Verdict report.Verdict }
		if err := json.Unmarshal(a.Report, &r); err != nil {
			t.Fatal(err)
		}
		if kinds[r.Verdict.Kind] = true; r.Verdict.Kind != ex.Verdict {
			t.Errorf("%s: verdict %s, the list says %s", ex.File, r.Verdict.Kind, ex.Verdict)
		}
	}
	for _, kind := range []string{"deadlock", "suspected-deadlock", "orphaned-lock", "stall", "blocked-chain", "contention", "undecided", "no-deadlock"} {
		if !kinds[kind] {
			t.Errorf("no example has the verdict %s", kind)
		}
	}
}

func TestAdviceNamesWhatTheInputIsLike(t *testing.T) {
	for _, c := range []struct {
		example, advice, command string
	}{
		{"user-mode.log", "user-mode", "!kdexts.locks -v"},
		{"two-machines.log", "several-sessions", ""},
		{"undecided.log", "no-stacks", "!stacks 2"},
		{"truncated.log", "cut", "!process 0 7"},
		{"suspected.log", "cut", "!locks -v fffffa8011efede8"},
		{"workers.log", "no-locks", "!locks -v"},
		{"undecided.log", "missing", "!thread fffff88007fab7f3 e"},
	} {
		_, a := analyzed(t, c.example)
		i := slices.IndexFunc(a.Advice, func(x report.Advice) bool { return x.ID == c.advice })
		if i < 0 {
			t.Errorf("%s: no advice %s, but %+v", c.example, c.advice, a.Advice)
		} else if c.command != "" && !slices.Contains(a.Advice[i].Commands, c.command) {
			t.Errorf("%s: advice %s names %q, not %q", c.example, c.advice, a.Advice[i].Commands, c.command)
		}
	}
	for _, name := range []string{"self-deadlock.log", "cycle.log", "clean.log", "orphaned.log", "mangled.log", "chain.log"} {
		if _, a := analyzed(t, name); len(a.Advice) > 0 {
			t.Errorf("%s has all that it takes and gets advice: %+v", name, a.Advice)
		}
	}
	named := func(name string) string {
		return "Windows 10 Kernel Version 19041 MP (4 procs) Free x64\nMachine Name: \"" + name + "\"\n0: kd> !locks\nResource @ 0xfffffa8011ef1de8    Exclusively owned\n     Threads: fffffa8016910b60-01<*>\n1 total locks, 1 locks currently held\n"
	}
	for second, more := range map[string]bool{"FILES-02": true, "FILES-01": false} {
		a := ask[analysis](t, engine.New(engine.Options{}), "analyze", nil, inspect.Bytes("both", []byte("Microsoft (R) Windows Debugger Version 10.0.17763.132 AMD64\n"+named("FILES-01")+"Microsoft (R) Windows Debugger Version 10.0.17763.132 AMD64\n"+named(second))))
		i := slices.IndexFunc(a.Advice, func(x report.Advice) bool { return x.ID == "several-sessions" })
		if i < 0 || strings.Contains(a.Advice[i].Text, "more than one machine (FILES-01, FILES-02)") != more {
			t.Errorf("FILES-01 and %s: %+v", second, a.Advice)
		}
	}
	log := example(t, "self-deadlock.log")
	cut := make([]byte, 700)
	if _, err := log.Data.ReadAt(cut, 0); err != nil {
		t.Fatal(err)
	}
	a := ask[analysis](t, engine.New(engine.Options{}), "analyze", nil, inspect.Bytes("cut", cut))
	if !slices.ContainsFunc(a.Advice, func(x report.Advice) bool { return x.ID == "cut" }) {
		t.Errorf("nothing says that the input ends within a line: %+v", a.Advice)
	}
}

func TestNothingRecognisedSaysWhatToType(t *testing.T) {
	e := engine.New(engine.Options{})
	a := ask[analysis](t, e, "analyze", nil, inspect.Bytes("mail", []byte("Dear all,\nour server hangs.\n")))
	if a.Report != nil || len(a.Advice) != 1 || len(a.Advice[0].Commands) == 0 || a.Trouble == "" {
		t.Errorf("got %+v", a)
	}
	const sections = "0:000> !locks\n\nCritSec MyApp!g_cs+0 at 00007ff6a1b6f4f8\nWaiterWoken        No\nLockCount          1\nOwningThread       2b3c\n*** Locked\n"
	if a := ask[analysis](t, e, "analyze", nil, inspect.Bytes("user", []byte(sections))); a.Report == nil || len(a.Advice) == 0 || a.Advice[0].ID != "user-mode" || !slices.Contains(a.Ask, "~*kv") {
		t.Errorf("of a user-mode debugger: %+v", a)
	}
	const refused = "kd> !locks\nNT symbols are incorrect, please fix symbols\n"
	if a := ask[analysis](t, e, "analyze", nil, inspect.Bytes("symbols", []byte(refused))); a.Report != nil || len(a.Advice) != 1 || a.Advice[0].ID != "wrong-symbols" || a.Advice[0].Commands[0] != ".symfix" {
		t.Errorf("of a debugger without symbols: %+v", a)
	}
	if err := e.Call(context.Background(), "lines", []byte(`{"first":1,"count":1}`), nil, io.Discard); !errors.Is(err, engine.ErrNoCase) {
		t.Errorf("lines of no case: %v", err)
	}
	const stacks = "0:000> ~*k\n\n.  0  Id: 1a2c.1b30 Suspend: 1 Teb: 00007ff6`6e3d0000 Unfrozen\nChild-SP          RetAddr           Call Site\n00000000`0012f8a8 00007ff8`1c2e3f4a ntdll!NtWaitForSingleObject+0x14\n"
	if a := ask[analysis](t, e, "analyze", nil, inspect.Bytes("stacks", []byte(stacks))); a.Report == nil || len(a.Advice) != 2 || a.Advice[0].ID != "user-mode" || a.Advice[0].Commands[0] != "!locks" || a.Advice[1].ID != "missing" || a.Advice[1].Commands[0] != "!locks" {
		t.Errorf("of the threads of a program: %+v", a.Advice)
	}
}

func TestLinesAndLine(t *testing.T) {
	e, a := analyzed(t, "self-deadlock.log")
	lines := ask[[]string](t, e, "lines", map[string]int{"input": 0, "first": 6, "count": 2})
	if len(lines) != 2 || !strings.Contains(lines[0], "fffff88007fab7f3-02<*>") {
		t.Errorf("lines 6 and 7 are %q", lines)
	}
	if got := ask[[]string](t, e, "lines", map[string]int{"input": 0, "first": a.Inputs[0].Lines, "count": 100}); len(got) != 1 {
		t.Errorf("%d lines from the last on", len(got))
	}
	about := ask[report.LineAbout](t, e, "line", map[string]int{"input": 0, "first": 6})
	if about.Command != "!locks" || !about.Read || len(about.Findings) == 0 || len(about.Addresses) == 0 {
		t.Errorf("line 6: %+v", about)
	}
	for _, bad := range []string{`{"input":1,"first":1}`, `{"input":-1,"first":1}`, `{"input":0,"first":0}`, `{"input":0,"first":99999}`, `[]`, `{`} {
		if err := e.Call(context.Background(), "line", []byte(bad), nil, io.Discard); !errors.Is(err, engine.ErrArgs) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func TestEvidenceIsOfOneOfTwoInputsOfOneName(t *testing.T) {
	e := engine.New(engine.Options{})
	prose := inspect.Bytes("log.txt", []byte(strings.Repeat("our server hangs\n", 100)))
	log := example(t, "self-deadlock.log")
	log.Name = prose.Name
	a := ask[analysis](t, e, "analyze", nil, prose, log)
	if len(a.Inputs) != 2 || a.Inputs[0].Name != "log.txt" || a.Inputs[1].Name != "log.txt (2)" {
		t.Fatalf("inputs %+v", a.Inputs)
	}
	if !strings.Contains(string(a.Report), `"log.txt (2)"`) {
		t.Error("the report does not tell them apart")
	}
	for input, want := range []bool{false, true} {
		if got := ask[report.LineAbout](t, e, "line", map[string]int{"input": input, "first": 6}); len(got.Findings) > 0 != want {
			t.Errorf("line 6 of input %d: findings %+v", input, got.Findings)
		}
	}
}

func TestRowsAreFilteredAndSorted(t *testing.T) {
	e, a := analyzed(t, "stall.log")
	i := slices.IndexFunc(a.Tables, func(x report.Table) bool { return x.ID == "threads" })
	if i < 0 {
		t.Fatalf("no threads in %+v", a.Tables)
	}
	all := ask[engine.Rows](t, e, "rows", map[string]any{"table": "threads", "count": 100})
	if all.Total != a.Tables[i].Count || len(all.Rows) != all.Total || all.Shown != all.Total {
		t.Errorf("%d rows of %d, %d shown; the table says %d", len(all.Rows), all.Total, all.Shown, a.Tables[i].Count)
	}
	line := slices.Index(a.Tables[i].Heads, "Line") + 1
	down := ask[engine.Rows](t, e, "rows", map[string]any{"table": "threads", "count": 100, "sort": line, "down": true})
	for k := range down.Rows[1:] {
		var x, y int
		fmt.Sscan(down.Rows[k].Cells[line-1], &x)
		fmt.Sscan(down.Rows[k+1].Cells[line-1], &y)
		if x < y {
			t.Errorf("line %d stands before line %d", x, y)
		}
	}
	some := ask[engine.Rows](t, e, "rows", map[string]any{"table": "threads", "count": 100, "filter": "CSRSS waiting"})
	if some.Shown == 0 || some.Shown >= all.Total {
		t.Errorf("%d of %d rows pass the filter", some.Shown, all.Total)
	}
	if got := ask[engine.Rows](t, e, "rows", map[string]any{"table": "threads", "count": 1, "offset": 1}); len(got.Rows) != 1 || got.Rows[0].Address != all.Rows[1].Address {
		t.Errorf("the second row is %+v", got.Rows)
	}
	for _, x := range a.Tables {
		got := ask[engine.Rows](t, e, "rows", map[string]any{"table": x.ID, "count": 10})
		if x.Count >= 0 && got.Total != x.Count {
			t.Errorf("%s: %d rows, announced %d", x.ID, got.Total, x.Count)
		}
		for _, r := range got.Rows {
			if len(r.Cells) != len(x.Heads) {
				t.Errorf("%s: %d cells under %d heads", x.ID, len(r.Cells), len(x.Heads))
			}
		}
	}
	if err := e.Call(context.Background(), "rows", []byte(`{"table":"none"}`), nil, io.Discard); !errors.Is(err, engine.ErrArgs) {
		t.Errorf("rows of no table: %v", err)
	}
}

func TestWriteIsWhatTheReportWrites(t *testing.T) {
	in := example(t, "cycle.log")
	set, err := rules.Load([]rules.Source{rules.Builtin()}, "")
	if err != nil {
		t.Fatal(err)
	}
	r, err := inspect.Run(context.Background(), []inspect.Input{in}, inspect.Options{Rules: inspect.These(set)})
	if err != nil {
		t.Fatal(err)
	}
	e, _ := analyzed(t, "cycle.log")
	for _, format := range []string{"json", "markdown", "html", "svg", "sarif"} {
		var want, got bytes.Buffer
		if err := report.WriterFor(format)(&want, r, report.Style{}); err != nil {
			t.Fatal(err)
		}
		if err := e.Call(context.Background(), "write", []byte(`{"format":"`+format+`"}`), nil, &got); err != nil {
			t.Fatal(err)
		}
		if got.String() != want.String() {
			t.Errorf("%s differs from that of the report", format)
		}
	}
	if err := e.Call(context.Background(), "write", []byte(`{"format":"dot"}`), nil, io.Discard); !errors.Is(err, engine.ErrArgs) {
		t.Errorf("an unknown format: %v", err)
	}
}

func TestOwnRules(t *testing.T) {
	e := engine.New(engine.Options{})
	text := ask0(t, e, "skeleton", `{"id":"my-rule"}`)
	lint := ask[engine.Lint](t, e, "lint", engine.RuleArgs{Own: []engine.RuleFile{{Name: "my.yaml", Text: text}}})
	if string(lint.Mistakes) != "[]\n" && string(lint.Mistakes) != "[]" || lint.Rules != 1 || len(lint.Tests) == 0 {
		t.Errorf("the skeleton: %+v", lint)
	}
	broken := strings.Replace(text, "match:", "mtach:", 1)
	args := engine.RuleArgs{Own: []engine.RuleFile{{Name: "my.yaml", Text: broken}}}
	lint = ask[engine.Lint](t, e, "lint", args)
	var mistakes []report.RuleProblem
	if err := json.Unmarshal(lint.Mistakes, &mistakes); err != nil {
		t.Fatal(err)
	}
	want := 1 + strings.Count(broken[:strings.Index(broken, "mtach:")], "\n")
	if len(mistakes) == 0 || mistakes[0].File != "my.yaml" || mistakes[0].Line != want {
		t.Errorf("mistakes %+v, want one in line %d of my.yaml", mistakes, want)
	}
	a := ask[analysis](t, e, "analyze", args, example(t, "self-deadlock.log"))
	if a.Mistakes == nil || !strings.Contains(string(a.Report), "ms-kb2608658") {
		t.Errorf("with broken rules: mistakes %s, report of %d bytes without the rules that kdlocks ships with", a.Mistakes, len(a.Report))
	}
	draft := strings.Replace(text[:strings.Index(text, "    tests:")], "id: my-rule", "id: my-draft", 1)
	args = engine.RuleArgs{Own: []engine.RuleFile{{Name: "draft.yaml", Text: draft}}}
	if a = ask[analysis](t, e, "analyze", args, example(t, "self-deadlock.log")); a.Mistakes != nil {
		t.Errorf("a rule whose tests are still to be written is not asked: %s", a.Mistakes)
	}
	if lint = ask[engine.Lint](t, e, "lint", args); !lint.Draft || !strings.Contains(string(lint.Mistakes), "no tests") {
		t.Errorf("nothing says that the draft has no tests: %s", lint.Mistakes)
	}
	args.Own[0].Text = strings.Replace(draft, "state: exclusive", "state: exclusiv", 1)
	if lint = ask[engine.Lint](t, e, "lint", args); lint.Draft || !strings.Contains(string(lint.Mistakes), "exclusiv") {
		t.Errorf("that tests lack hides a mistake: %s", lint.Mistakes)
	}
	a = ask[analysis](t, e, "analyze", engine.RuleArgs{NoBuiltin: true}, example(t, "self-deadlock.log"))
	if strings.Contains(string(a.Report), "ms-kb2608658") {
		t.Error("a built-in rule was asked though they were left out")
	}
}

// ask0 returns an answer that is no JSON.
func ask0(t testing.TB, e *engine.Engine, name, args string) string {
	t.Helper()
	var b bytes.Buffer
	if err := e.Call(context.Background(), name, []byte(args), nil, &b); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return b.String()
}

func TestOnceAnswersAsAnEngineThatKeepsItsCase(t *testing.T) {
	e, _ := analyzed(t, "chain.log")
	for name, args := range map[string]string{
		"lines": `{"input":0,"first":1,"count":50}`, "rows": `{"table":"threads","count":10}`, "write": `{"format":"json"}`,
		"resolve": `{"addresses":["fffffa8016910b60"]}`, "explain": `{"id":"blocked-chain"}`,
	} {
		want := ask0(t, e, name, args)
		var got bytes.Buffer
		if err := engine.Once(context.Background(), engine.Options{}, name, []byte(args), nil, []inspect.Input{example(t, "chain.log")}, &got); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got.String() != want {
			t.Errorf("%s: once it is %.200s, kept it is %.200s", name, got.String(), want)
		}
	}
}

func TestCancelledCallsEnd(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	e := engine.New(engine.Options{})
	if err := e.Call(ctx, "analyze", nil, []inspect.Input{example(t, "cycle.log")}, io.Discard); !errors.Is(err, context.Canceled) {
		t.Errorf("analyze: %v", err)
	}
}

func FuzzCall(f *testing.F) {
	log, err := os.ReadFile("../../testdata/sis-self-deadlock.log")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range engine.Calls() {
		f.Add(name, []byte(`{"input":0,"first":3,"count":9,"table":"locks","sort":1,"text":"nt!","id":"my-rule","format":"svg","addresses":["fffff88007fab7f3"],"captures":[{"name":"a","inputs":1}]}`))
	}
	f.Fuzz(func(t *testing.T, name string, args []byte) {
		in := []inspect.Input{inspect.Bytes("x", log)}
		var once, kept bytes.Buffer
		onceErr := engine.Once(context.Background(), engine.Options{}, name, args, nil, in, &once)
		e := engine.New(engine.Options{})
		defer e.Close()
		if engine.NeedsCase(name) {
			if err := e.Call(context.Background(), "analyze", nil, in, io.Discard); err != nil {
				t.Fatal(err)
			}
		}
		if keptErr := e.Call(context.Background(), name, args, in, &kept); fmt.Sprint(keptErr) != fmt.Sprint(onceErr) || kept.String() != once.String() {
			t.Errorf("%s: once %v, kept %v", name, onceErr, keptErr)
		}
	})
}

func TestRedactedInputsGiveTheSameVerdict(t *testing.T) {
	for _, name := range []string{"self-deadlock.log", "stall.log", "mangled.log"} {
		e := engine.New(engine.Options{})
		got := ask[engine.Redacted](t, e, "redact", nil, example(t, name))
		if len(got.Inputs) != 1 || got.Summary.Addresses == 0 {
			t.Fatalf("%s: %+v", name, got)
		}
		text := ask0(t, e, "redacted", `{"input":0}`)
		before := ask[analysis](t, e, "analyze", nil, example(t, name))
		after := ask[analysis](t, e, "analyze", nil, inspect.Bytes("redacted", []byte(text)))
		var a, b struct {
			Verdict  report.Verdict
			Findings []struct{ ID string }
		}
		if json.Unmarshal(before.Report, &a) != nil || json.Unmarshal(after.Report, &b) != nil {
			t.Fatal("no reports")
		}
		if a.Verdict.Kind != b.Verdict.Kind || a.Verdict.Confidence != b.Verdict.Confidence || !slices.Equal(a.Findings, b.Findings) {
			t.Errorf("%s: %+v becomes %+v", name, a, b)
		}
		if strings.Contains(text, "fffffa80169538a0") {
			t.Errorf("%s: an address is still there", name)
		}
		if err := e.Call(context.Background(), "redacted", []byte(`{"input":7}`), []inspect.Input{example(t, name)}, io.Discard); !errors.Is(err, engine.ErrArgs) {
			t.Errorf("there is an input 7: %v", err)
		}
	}
}
