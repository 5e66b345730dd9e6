package inspect_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"kdlocks/inspect"
	"kdlocks/report"
)

// compareTexts compares texts as files of the names a.log, b.log, ...
func compareTexts(t *testing.T, texts ...string) *report.Comparison {
	t.Helper()
	var cases []inspect.Case
	for i, text := range texts {
		name := string(rune('a'+i)) + ".log"
		cases = append(cases, inspect.Case{Name: name, Inputs: []inspect.Input{inspect.Bytes(name, []byte(text))}})
	}
	c, err := inspect.Compare(context.Background(), cases, inspect.Options{})
	if err != nil || c == nil {
		t.Fatalf("Compare: %v", err)
	}
	checkComparedPlaces(t, c, texts)
	return c
}

// checkComparedPlaces looks up every piece of evidence in its capture.
func checkComparedPlaces(t *testing.T, c *report.Comparison, texts []string) {
	t.Helper()
	lines := make(map[string][]string)
	for i, text := range texts {
		lines[string(rune('a'+i))+".log"] = strings.Split(text, "\n")
	}
	check := func(what string, list []report.ComparedEvidence) {
		for _, e := range list {
			if why := falseEvidence(e.Evidence, lines[e.Input]); why != "" {
				t.Errorf("%s: evidence %+v: %s", what, e, why)
			}
		}
	}
	for _, f := range c.Findings {
		check(f.ID, f.Evidence)
	}
	for _, r := range c.Roots {
		check(r.Name, r.Evidence)
	}
}

func comparedLock(c *report.Comparison, r *resource) report.ComparedLock {
	for _, l := range c.Locks {
		if l.Address == fmt.Sprintf("%#x", r.addr) {
			return l
		}
	}
	return report.ComparedLock{State: "not there"}
}

func comparedFinding(c *report.Comparison, ts []*thread) report.ComparedFinding {
	want := inOrder(threadList(ts))
	for _, f := range c.Findings {
		if slices.Equal(inOrder(f.Threads), want) {
			return f
		}
	}
	return report.ComparedFinding{Fate: "not there"}
}

func comparedRoot(c *report.Comparison, th *thread) report.ComparedRoot {
	for _, r := range c.Roots {
		if r.Thread == fmt.Sprintf("%#x", th.addr) {
			return r
		}
	}
	return report.ComparedRoot{State: "not there"}
}

// checkPair holds a comparison of both moments against what was planted.
func checkPair(t *testing.T, p *pair, c *report.Comparison) {
	t.Helper()
	if c.Verdict.Kind != "deadlock" || c.Verdict.Confidence != "certain" || !strings.HasPrefix(c.Verdict.Summary, "Frozen in 2 captures") {
		t.Errorf("verdict %+v", c.Verdict)
	}
	if f := comparedFinding(c, p.cycle); f.Fate != "frozen" || f.Confidence != "certain" || !f.Stands() {
		t.Errorf("the cycle is %s, %s: %s", f.Fate, f.Confidence, f.Why)
	}
	for want, r := range map[string]*resource{"moving": p.convoy, "freed": p.freed, "growing": p.grows} {
		if l := comparedLock(c, r); l.State != want {
			t.Errorf("lock %#x is %s (%s), want %s", r.addr, l.State, l.Why, want)
		}
	}
	if l := comparedLock(c, p.grows); l.WaitersNew != 7 || l.WaitersSame != 5 || l.WaitersGone != 0 {
		t.Errorf("of the growing lock: %+v", l)
	}
	if r := comparedRoot(c, p.root); r.State != "hung" {
		t.Errorf("the root is %s: %s", r.State, r.Why)
	}
	for th := range c.Threads.All() {
		if th.Address == fmt.Sprintf("%#x", p.reused.addr) && th.Motion != "another thread" {
			t.Errorf("the thread whose address was reused: %+v", th)
		}
	}
}

func TestComparedCapturesTellFrozenFromMoving(t *testing.T) {
	t.Parallel()
	for i, d := range dialects {
		for j, st := range styles {
			if (i+j)%3 > 0 || st.name == "entity" {
				continue
			}
			t.Run(d.name+"/"+st.name, func(t *testing.T) {
				p := newPair(uint64(10*i+j), d, 120)
				header := (i+j)%2 == 0
				first := p.print(st, header)
				p.goOn()
				second := p.print(st, header)
				c := compareTexts(t, first, second)
				checkPair(t, p, c)
				if c.SpanMS == nil || *c.SpanMS < 299_000 || *c.SpanMS > 301_000 {
					t.Errorf("span %v", c.SpanMS)
				}
				if l := comparedLock(c, p.convoy); l.PerSecond == nil || *l.PerSecond < 299 || *l.PerSecond > 301 {
					t.Errorf("contentions a second: %+v", l)
				}
				if c.Reordered {
					t.Error("reordered")
				}
				swapped := compareTexts(t, second, first)
				checkPair(t, p, swapped)
				if !swapped.Reordered || swapped.Captures[0].Name != "b.log" {
					t.Errorf("given the wrong way round: %+v", swapped.Captures)
				}
			})
		}
	}
}

func TestSameBytesGiveTheSameComparison(t *testing.T) {
	p := newPair(3, dialects[4], 200)
	first := p.print(styles[0], true)
	p.goOn()
	second := p.print(styles[0], true)
	var outs []string
	for range 2 {
		var b bytes.Buffer
		for _, f := range report.ComparisonFormats() {
			if err := report.ComparisonWriterFor(f)(&b, compareTexts(t, first, second), report.Style{}); err != nil {
				t.Fatal(err)
			}
		}
		outs = append(outs, b.String())
	}
	if outs[0] != outs[1] {
		t.Error("two comparisons differ")
	}
}
