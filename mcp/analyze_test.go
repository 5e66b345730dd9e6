package mcp_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kdlocks/inspect"
	"kdlocks/kd"
	"kdlocks/mcp"
	"kdlocks/report"
)

func TestGoldenVerdict(t *testing.T) {
	s := client(t, options(t))
	log := read(t, golden)
	res := call(t, s, "analyze", object{"text": log, "name": "sis.log"})
	fits(t, outputSchemas(t, s)["analyze"], res)
	got := value[mcp.Summary](t, res)
	if got.Verdict.Kind != "deadlock" || got.Verdict.Confidence != "certain" || !strings.Contains(got.Verdict.Summary, "has deadlocked on itself") {
		t.Errorf("verdict %+v", got.Verdict)
	}
	if d := cmp.Diff(&mcp.Root{Finding: 1, Threads: []string{"0xfffffa80169538a0"}, BlockedThreads: 15}, got.Root); d != "" {
		t.Errorf("root: %s", d)
	}
	if len(got.Findings) != 1 || got.Findings[0].Suspect == nil || got.Findings[0].Suspect.Module != "sis" || got.Findings[0].Grade != "A" {
		t.Fatalf("findings %+v", got.Findings)
	}
	if len(got.KnownIssues) != 1 || got.KnownIssues[0].Outcome != "confirmed" {
		t.Errorf("known issues %+v", got.KnownIssues)
	}
	if !slices.Contains(got.NextCommands, "lmvm sis") {
		t.Errorf("next commands %q", got.NextCommands)
	}
	lines := strings.Split(strings.ReplaceAll(log, "\r\n", "\n"), "\n")
	for _, e := range got.Findings[0].Evidence {
		var line, column int
		if _, err := fmt.Sscanf(strings.TrimPrefix(e.At, "sis.log:"), "%d:%d", &line, &column); err != nil {
			t.Fatalf("%q: %v", e.At, err)
		}
		if want := kd.Plain(lines[line-1]); e.Text != want {
			t.Errorf("%s: %q, the line is %q", e.At, e.Text, want)
		}
	}
	var same mcp.Summary
	must(t, json.Unmarshal([]byte(text(t, res)), &same))
	if d := cmp.Diff(got, same); d != "" {
		t.Errorf("text and structured content differ: %s", d)
	}
}

func TestUndecidedTellsWhatToType(t *testing.T) {
	s := client(t, options(t))
	locks := `0: kd> !locks
Resource @ 0xfffffa8011ef1de8    Exclusively owned
    NumberOfExclusiveWaiters = 1
     Threads: fffff88007fab633-01<*> *** Unknown owner, possibly FileSystem
     Threads Waiting On Exclusive Access:
              fffffa8016910b60
1 total locks, 1 locks currently held
`
	got := value[mcp.Summary](t, call(t, s, "analyze", object{"text": locks}))
	if got.Verdict.Kind != "undecided" || !got.Undecided || !strings.HasPrefix(got.HowToRead, "Neither a deadlock nor an all-clear") {
		t.Errorf("verdict %+v, %q", got.Verdict, got.HowToRead)
	}
	if len(got.NextCommands) == 0 || got.NextCommands[0] != "!thread fffff88007fab633 e" {
		t.Errorf("next commands %q", got.NextCommands)
	}
	if len(got.Advice) != 1 || got.Advice[0].ID != "no-stacks" {
		t.Errorf("advice %+v", got.Advice)
	}
	if len(got.Gaps) == 0 || !got.Gaps[0].Decides || got.Gaps[0].NextCommand != got.NextCommands[0] {
		t.Errorf("gaps %+v", got.Gaps)
	}
}

func TestPiecesAreOneCase(t *testing.T) {
	s := client(t, options(t))
	log := read(t, golden)
	at := strings.Index(log, "0: kd> !thread")
	if at < 0 {
		at = strings.Index(log, "!thread")
		at = strings.LastIndex(log[:at], "\n") + 1
	}
	alone := value[mcp.Summary](t, call(t, s, "analyze", object{"text": log[:at]}))
	if alone.Verdict.Kind != "undecided" {
		t.Errorf("the locks alone: %+v", alone.Verdict)
	}
	both := value[mcp.Summary](t, call(t, s, "analyze", object{"pieces": []object{{"text": log[:at]}, {"name": "answer", "text": log[at:]}}}))
	if both.Verdict.Kind != "deadlock" || both.Verdict.Confidence != "certain" {
		t.Errorf("both: %+v", both.Verdict)
	}
	if len(both.Inputs) != 2 || both.Inputs[0].Name != "piece 1" || both.Inputs[1].Name != "answer" {
		t.Errorf("inputs %+v", both.Inputs)
	}
	if !slices.ContainsFunc(both.Findings[0].Evidence, func(e mcp.Evidence) bool { return strings.HasPrefix(e.At, "answer:") }) {
		t.Errorf("no evidence of the second piece: %+v", both.Findings[0].Evidence)
	}
}

// TestJSONIsThatOfTheCommand holds format json against what kdlocks -o json writes.
func TestJSONIsThatOfTheCommand(t *testing.T) {
	opt := options(t)
	s := client(t, opt)
	schema := outputSchemas(t, s)["analyze"]
	for name, log := range logs(t) {
		r, err := inspect.Run(t.Context(), []inspect.Input{inspect.Bytes(name, []byte(log))}, inspect.Options{Rules: opt.Rules})
		if r == nil {
			t.Fatalf("%s: %v", name, err)
		}
		var want bytes.Buffer
		must(t, report.WriteJSON(&want, r, report.Style{}))
		res := call(t, s, "analyze", object{"text": log, "name": name, "format": "json", "max_chars": 16 << 20})
		fits(t, schema, res)
		if got := text(t, res); got != want.String() {
			var a, b any
			must(t, json.Unmarshal([]byte(got), &a))
			must(t, json.Unmarshal(want.Bytes(), &b))
			if d := cmp.Diff(b, a); d != "" || !strings.Contains(got, `\u`) {
				t.Errorf("%s: the report differs from that of the command: %s", name, d)
			}
		}
		var whole any
		must(t, json.Unmarshal(want.Bytes(), &whole))
		if d := cmp.Diff(whole, value[struct{ Report any }](t, res).Report); d != "" {
			t.Errorf("%s: the structured report differs: %s", name, d)
		}
	}
}

// TestAnswersFit holds all answers to their bound: the verdict is never cut off, and
// what was left out is said.
func TestAnswersFit(t *testing.T) {
	s := client(t, options(t))
	schema := outputSchemas(t, s)["analyze"]
	cut := 0
	for name, log := range logs(t) {
		whole := value[mcp.Summary](t, call(t, s, "analyze", object{"text": log, "name": name}))
		if whole.HowToRead == "" {
			t.Errorf("%s: nothing says how to read %s", name, whole.Verdict.Kind)
		}
		res := call(t, s, "analyze", object{"text": log, "name": name, "max_chars": 10000, "max_findings": 100, "finding": min(1, whole.FindingCount), "locks": object{}, "threads": object{}})
		fits(t, schema, res)
		if n := len(text(t, res)); n > 10000 {
			t.Errorf("%s: %d characters", name, n)
		}
		got := value[mcp.Summary](t, res)
		if got.Verdict.Kind != whole.Verdict.Kind || got.Verdict.Confidence != whole.Verdict.Confidence || got.Verdict.Summary == "" {
			t.Errorf("%s: verdict %+v, want %+v", name, got.Verdict, whole.Verdict)
		}
		if strings.Contains(text(t, res), "[...]") {
			cut++
			if len(got.Omitted) == 0 || !strings.Contains(got.Omitted[len(got.Omitted)-1], "max_chars 10000") {
				t.Errorf("%s: cut, and it is not said: %q", name, got.Omitted)
			}
		}
	}
	if cut == 0 {
		t.Error("no answer was cut")
	}
}

func TestFindingLocksAndThreads(t *testing.T) {
	s := client(t, options(t))
	log := read(t, golden)
	got := value[mcp.Summary](t, call(t, s, "analyze", object{"text": log, "finding": 1, "locks": object{"address": "fffffa80`11efede8"}, "threads": object{"module": "sis"}}))
	if got.Finding == nil || got.Finding.Explanation == "" || len(got.Finding.Evidence) != 11 || len(got.Finding.Bystanders) != 15 {
		t.Errorf("finding %+v", got.Finding)
	}
	if len(got.Locks) != 1 || got.Locks[0].Address != "0xfffffa8011efede8" {
		t.Errorf("locks %+v", got.Locks)
	}
	if len(got.Threads) != 1 || len(got.Threads[0].Frames) == 0 {
		t.Errorf("threads %+v", got.Threads)
	}
	plain := call(t, s, "analyze", object{"text": log})
	if all := text(t, plain); strings.Contains(all, `"locks":`) || strings.Contains(all, `"threads":[{`) || strings.Contains(all, `"finding":{`) {
		t.Errorf("lists that nobody asked for: %s", all)
	}
	none := call(t, s, "analyze", object{"text": log, "locks": object{"owner": "1234"}, "threads": object{"image": "nobody.exe"}})
	if all := text(t, none); !strings.Contains(all, `"locks":[]`) || !strings.Contains(all, `"threads":[]`) {
		t.Errorf("empty lists are not shown as such: %s", all)
	}
}

func TestMarkdown(t *testing.T) {
	s := client(t, options(t))
	res := call(t, s, "analyze", object{"text": read(t, golden), "format": "markdown"})
	got := value[mcp.Summary](t, res)
	if !strings.HasPrefix(text(t, res), "## kdlocks: deadlock (certain)") || got.Markdown != text(t, res) || got.Verdict.Kind != "deadlock" {
		t.Errorf("%.300s", text(t, res))
	}
}

// TestHostileTextIsData passes a log whose names and lines are full of what terminals
// and eyes trip over.
func TestHostileTextIsData(t *testing.T) {
	const (
		escape = "\x1b]0;owned\a\x1b[31m"
		bidi   = "\u202e\u2066evil\u200b\U000e0041"
	)
	log := strings.ReplaceAll(read(t, golden), "sis!SipDereferenceCSFile+0x40", "sis!SipDereferenceCSFile+0x40 "+escape+bidi)
	log = strings.ReplaceAll(log, "*** Unknown owner", escape+"*** Unknown owner"+bidi)
	opt := options(t)
	s := client(t, opt)
	for _, format := range []string{"summary", "markdown", "json"} {
		res := call(t, s, "analyze", object{"text": log, "name": "a" + bidi + escape, "format": format, "max_chars": 1 << 20})
		got := text(t, res)
		if !strings.Contains(got, "evil") {
			t.Fatalf("%s: the hostile text is not in the answer, so nothing is tested", format)
		}
		for line := range strings.SplitSeq(got, "\n") {
			if kd.Plain(line) != line {
				t.Errorf("%s: control characters stand for themselves: %q", format, line)
			}
		}
		if format == "json" {
			continue // its strings are those of the input, escaped
		}
		data, err := json.Marshal(value[any](t, res))
		must(t, err)
		for _, c := range []string{`\u001b`, `\u0007`, "\u202e", "\u2066", "\u200b", "\U000e0041"} {
			if bytes.Contains(data, []byte(c)) {
				t.Errorf("%s: %q is in the structured content", format, c)
			}
		}
	}
}

// TestLongNames passes names without end: the answer keeps to its bound, and has a
// verdict.
func TestLongNames(t *testing.T) {
	s := client(t, options(t))
	log := strings.ReplaceAll(read(t, golden), "sis!", strings.Repeat("verylongname", 10_000)+"!")
	res := call(t, s, "analyze", object{"text": log, "name": strings.Repeat("n", 200), "max_chars": 10000, "finding": 1, "threads": object{}, "locks": object{}})
	if n := len(text(t, res)); n > 10000 {
		t.Errorf("%d characters", n)
	}
	if got := value[mcp.Summary](t, res); got.Verdict.Kind != "deadlock" || len(got.Omitted) == 0 {
		t.Errorf("%+v", got.Verdict)
	}
	refused(t, call(t, s, "analyze", object{"text": log, "name": strings.Repeat("n", 201)}), "the name of piece 1 has more than 200 characters")
}

// TestPieceOfNothingIsCounted passes a piece in which nothing is recognised beside one
// that decides.
func TestPieceOfNothingIsCounted(t *testing.T) {
	s := client(t, options(t))
	got := value[mcp.Summary](t, call(t, s, "analyze", object{"pieces": []object{{"text": read(t, golden)}, {"name": "mail", "text": "Dear all,\nit hangs again\n"}}}))
	if got.Verdict.Kind != "deadlock" || len(got.Inputs) != 2 || got.Inputs[1].Name != "mail" || got.Inputs[1].Lines != 2 || got.Inputs[1].LinesUnderstood != 0 {
		t.Errorf("%+v, inputs %+v", got.Verdict, got.Inputs)
	}
}
