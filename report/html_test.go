package report

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

func htmlOf(t *testing.T, r *Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := WriteHTML(&b, r, Style{}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestPageIsBounded: whatever there is very much of, or very long, the page
// stays one that a browser opens, and says what it left out.
func TestPageIsBounded(t *testing.T) {
	long := strings.Repeat("long ", 1<<13)
	r := &Report{Verdict: Verdict{Kind: "deadlock", Confidence: "certain", Summary: "Deadlock."}, threadCount: 5000}
	many := make([]string, 1000)
	for i := range many {
		many[i] = fmt.Sprintf("0x%016x", 0xffffaa3e00000000+uint64(i))
	}
	var steps []Step
	for i := range 1000 {
		steps = append(steps, Step{Thread: many[i], WaitsFor: "0x5", Kind: long, HeldBy: many[(i+1)%1000], Grade: "A"})
	}
	for range 1000 {
		r.Findings = append(r.Findings, Finding{ID: "x", Summary: long, Explanation: long, Disproof: long, Threads: many, Bystanders: many, Others: many, Cycle: steps, BlockedThreads: 2000})
		r.Notes = append(r.Notes, Note{Text: long})
		r.Gaps = append(r.Gaps, Gap{What: long, Why: "w", NextCommand: "n"})
	}
	var frames []Frame
	for range 1000 {
		frames = append(frames, Frame{Symbol: long})
	}
	th := Thread{Address: "0x1", State: "waiting", WaitReason: long, Process: &Process{Image: long}, Frames: frames}
	r.lookup = func(int, string) *Thread { t := th; return &t }
	r.Threads = List[Thread]{func(yield func(Thread) bool) {
		for range 5000 {
			if !yield(Thread{State: long}) {
				return
			}
		}
	}}
	r.Resources = List[Resource]{func(yield func(Resource) bool) {
		for i := range 5000 {
			if !yield(Resource{Address: fmt.Sprintf("0x%x", i), Symbol: long}) {
				return
			}
		}
	}}
	text := htmlOf(t, r)
	if len(text) > 32<<20 {
		t.Errorf("%d bytes", len(text))
	}
	for _, want := range []string{"… and 768 more findings", "… and 700 more hops", "… and 800 more", "… and 936 more frames", "… and 4700 more", "988 more are not drawn", "989 more hops"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not said", want)
		}
	}
}

// TestPageHasItsParts: what a report has stands on the page, and its parts can
// be reached.
func TestPageHasItsParts(t *testing.T) {
	in := *logOf(9)
	in.LinesUnderstood = 8
	in.unclear = func(int, int) List[Line] { return ListOf(Line{Line: 9, Text: "line 9"}) }
	in.Outside = Coverage{NotUnderstood: 1}
	r := &Report{
		Verdict: Verdict{Kind: "undecided", Confidence: "certain", Summary: "Undecided: <b>."},
		Inputs:  []Input{in}, Target: &Target{Arch: "x64", Build: "19041", Uptime: "1 day", Bugcheck: &Bugcheck{Code: "0xe2", Name: "MANUALLY_INITIATED_CRASH"}},
		Sessions: []Session{{Session: 1, Verdict: Verdict{Kind: "undecided", Summary: "s1"}}},
		Notes:    []Note{{At: &At{Input: "x.log", Line: 3}, Text: "a note"}}, Gaps: []Gap{{What: "the owner", Why: "cut short", NextCommand: "!locks -v", Decides: true}},
		NotSeen:  []string{"pushlocks"},
		Findings: []Finding{{ID: "deadlock-cycle", Title: "Title", Severity: "critical", Grade: "A", Summary: "Summary", Explanation: "Explanation", Disproof: "Disproof", Remedy: "Remedy", NextCommands: []string{"!thread 1"}, Evidence: []Evidence{at(5, 6, 1, "line 5", "five")}, Suspect: &Suspect{Module: "mydrv", Reason: "near"}}},
	}
	text := htmlOf(t, r)
	for _, want := range []string{
		"<h1>UNDECIDED</h1>", "Undecided: &lt;b&gt;.", "build 19041 · x64 · up 1 day · stop code 0xe2 MANUALLY_INITIATED_CRASH", "Session 1: undecided. s1",
		`id="picture"`, `id="findings"`, `id="missing"`, `id="not-looked-at"`, `id="notes"`, `id="locks"`, `id="threads"`, `id="inputs"`,
		"[1] Title", "Summary", "Explanation", "Disproof", "Remedy", "<code>!thread 1</code>", "mydrv", "near", "line <mark>5</mark>", "↑ five", "<th scope=\"row\">3</th><td>line 3</td>",
		"x.log line 3: a note", "<code>!locks -v</code>", "pushlocks", "8 of 9 lines understood", "<th scope=\"row\">9</th><td>line 9</td>",
		`content="default-src 'none'; style-src 'unsafe-inline'"`, "prefers-color-scheme:dark", "@media print", `lang="en"`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page has no %q", want)
		}
	}
	for part := range strings.SplitSeq(text, `href="#`) {
		if id, _, ok := strings.Cut(part, `"`); ok && len(id) < 40 && !strings.HasPrefix(part, "<!") && !strings.Contains(text, `id="`+id+`"`) {
			t.Errorf("a link leads to %q, which is not there", id)
		}
	}
}
