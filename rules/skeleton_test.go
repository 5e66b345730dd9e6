package rules_test

import (
	"strings"
	"testing"

	"kdlocks/rules"
)

func TestSkeletonPassesItsTests(t *testing.T) {
	text := rules.Skeleton("mydrv-holds-lock")
	set, err := load(t, text, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range set.RunTests(judge) {
		if r.Failed() {
			t.Errorf("%s: %s %+v", r.Name, r.Err, r.Diffs)
		}
	}
	if set.Lookup("mydrv-holds-lock") == nil {
		t.Error("the rule has not the id that was asked for")
	}
}

// TestWhyNot holds that a rule that is silent says at which clause it failed and
// what the nearest fact is like.
func TestWhyNot(t *testing.T) {
	for _, c := range []struct{ from, to, clause, nearest string }{
		{`"mydrv!MyFlushAndWait"]`, `"mydrv!MyFlush"]`, "thread", "stack has the first 1 of seq, up to frame 2 (nt!KeWaitForSingleObject), and no mydrv!MyFlush behind that"},
		{`"nt!KeWaitFor*", "mydrv!`, `"nt!KeDelay*", "mydrv!`, "thread", "stack has no nt!KeDelay*"},
		{"waiting: {gte: 1}", "waiting: {gte: 2}", "lock", "nearest is lock ffffe00012345600: waiting is 1"},
		{"state: exclusive", "state: shared", "lock", "state is exclusive"},
	} {
		set, err := load(t, strings.Replace(rules.Skeleton("x"), c.from, c.to, 1), nil)
		if err != nil {
			t.Fatal(err)
		}
		results := set.RunTests(judge)
		r := &results[0]
		if !r.Failed() || r.Clauses == nil {
			t.Errorf("%s: failed %v, clauses %v", c.to, r.Failed(), r.Clauses)
			continue
		}
		last := r.Clauses[len(r.Clauses)-1]
		if !strings.HasPrefix(last.Text, c.clause) || last.Truth != rules.False || !strings.Contains(last.Nearest, c.nearest) {
			t.Errorf("%s: %s is %s, %s", c.to, last.Text, last.Truth, last.Nearest)
		}
	}
}

// TestFailedTestsHaveTheirPlace holds that a difference is told where the test
// expects otherwise.
func TestFailedTestsHaveTheirPlace(t *testing.T) {
	text := strings.Replace(rules.Skeleton("x"), "T.address: ffffe00011111080", "T.address: ffffe00022222080", 1)
	set, err := load(t, text, nil)
	if err != nil {
		t.Fatal(err)
	}
	results := set.RunTests(judge)
	ps := results[0].Problems()
	if len(ps) != 1 {
		t.Fatalf("%d problems: %v", len(ps), ps)
	}
	p := ps[0]
	lines := strings.Split(text, "\n")
	if !strings.HasPrefix(lines[p.Line-1][p.Col-1:], "ffffe00022222080") || p.Source != lines[p.Line-1] {
		t.Errorf("%v", p)
	}
	if !strings.Contains(p.Text, "T.address: want ffffe00022222080, got ffffe00011111080") {
		t.Errorf("%v", p)
	}
}
