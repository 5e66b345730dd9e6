package rules_test

import (
	"fmt"
	"strings"
	"testing"

	"kdlocks/rules"
)

// reasons runs the first test of the skeleton with some of its lines replaced, and
// returns what is told of its clauses.
func reasons(t *testing.T, changes ...string) string {
	t.Helper()
	text := rules.Skeleton("x")
	for i := 0; i < len(changes); i += 2 {
		if !strings.Contains(text, changes[i]) {
			t.Fatalf("%q is not in the skeleton", changes[i])
		}
		text = strings.Replace(text, changes[i], changes[i+1], 1)
	}
	set, err := load(t, text, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := set.ExplainTests(judge)[0]
	var lines []string
	for _, c := range r.Clauses {
		kind, _, _ := strings.Cut(c.Text, " ")
		line := fmt.Sprintf("%s%s %s: %s", strings.Repeat("  ", c.Depth), c.Role, kind, c.Truth)
		if c.Nearest != "" {
			line += ": " + c.Nearest
		}
		lines = append(lines, line)
	}
	if r.Note != "" {
		lines = append(lines, r.Note)
	}
	return strings.Join(lines, "\n")
}

// TestReasons holds that the clauses of a test say which is false and what of the
// nearest fact does not fit, in lists of clauses and in boosts and excludes, too.
func TestReasons(t *testing.T) {
	const boost = "      - as: W\n        thread:\n          stack: [\"mydrv!MyFlushWorker\", \"nt!ExpWorkerThread\"]\n        to: likely\n"
	const oldSeq = `            seq: ["nt!KeWaitFor*", "mydrv!MyFlushAndWait"]`
	const sound = "match lock: true\nmatch thread: true\n"
	const rest = "boost thread: unknown\nexclude thread: false: nearest is thread ffffe00011111080: stack has no mydrv!MyUnload"
	for name, c := range map[string]struct {
		changes []string
		want    string
	}{
		"holds":                    {nil, sound + rest},
		"a false boost":            {[]string{boost, "      - {thread: {address: {eq: T.address}, state: ready}, to: likely}\n"}, sound + "boost thread: false: nearest is thread ffffe00011111080: state is waiting\n" + strings.TrimPrefix(rest, "boost thread: unknown\n")},
		"an all in boost":          {[]string{boost, "      - {all: [{lock: {state: exclusive}}, {lock: {address: {eq: L.address}, waiting: {gte: 5}}}], to: likely}\n"}, sound + "boost all: false\n  boost lock: true\n  boost lock: false: nearest is lock ffffe00012345600: waiting is 1\n" + strings.TrimPrefix(rest, "boost thread: unknown\n")},
		"an any in boost":          {[]string{boost, "      - {any: [{lock: {address: {eq: L.address}, waiting: {gte: 5}}}, [{lock: {state: exclusive}}, {lock: {state: shared}}]], to: likely}\n"}, sound + "boost any: false\n  boost lock: false: nearest is lock ffffe00012345600: waiting is 1\n  boost lock: true\n  boost lock: false: nearest is lock ffffe00012345600: state is exclusive\n" + strings.TrimPrefix(rest, "boost thread: unknown\n")},
		"an any in match":          {[]string{"    boost:", "      - any: [{lock: {state: shared}}, {lock: {address: {eq: L.address}, waiting: 7}}]\n    boost:"}, sound + "match any: false\n  match lock: false: nearest is lock ffffe00012345600: state is exclusive\n  match lock: false: nearest is lock ffffe00012345600: waiting is 1"},
		"behind an any that holds": {[]string{"    boost:", "      - any: [{lock: {state: shared}}, {lock: {address: {eq: L.address}, waiting: 1}}]\n      - {lock: {waiting: 3}}\n    boost:"}, sound + "match any: true\n  match lock: true\nmatch lock: false: nearest is lock ffffe00012345600: waiting is 1"},
		"a count":                  {[]string{"    boost:", "      - {lock: {state: exclusive}, count: {gte: 2}}\n    boost:"}, sound + "match lock: false: 1 of 1 lock fits"},
		"a reference":              {[]string{"    boost:", "      - {lock: {owner_thread: {in: L.waiters}}}\n    boost:"}, sound + "match lock: false: nearest is lock ffffe00012345600: owner_thread is ffffe00011111080, and L.waiters is ffffe00022222080"},
		"applies":                  {[]string{"    match:\n", "    applies: {build: 7601}\n    match:\n", "          0: kd> !locks", "          0: kd> vertarget\n          Windows 10 Kernel Version 19041 MP (8 procs) Free x64\n          0: kd> !locks"}, "applies target: false: nearest is target x64: build is 19041"},
		"the order of frames": {[]string{oldSeq, `            seq: ["mydrv!MyFlushAndWait", [nt!KeWaitForSingleObject, nt!KeWaitForGate]]
            within: 2`}, "match lock: true\nmatch thread: false: nearest is thread ffffe00011111080: stack has the first 1 of seq, up to frame 3 (mydrv!MyFlushAndWait), and no nt!KeWaitForSingleObject or nt!KeWaitForGate behind that: it has that before, in frame 2 (nt!KeWaitForSingleObject)"},
		"could not be checked": {[]string{"    match:\n", "    match:\n      - {irp: {driver: mydrv}}\n"}, "match irp: unknown\n" + sound + strings.TrimPrefix(rest, "boost thread: unknown\n") + "\nthe report lists the rule as one that could not be checked"},
	} {
		t.Run(name, func(t *testing.T) {
			got := reasons(t, c.changes...)
			if got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

// TestReasonOfSilence holds that a rule that is silent, or only counted, says why where
// none of its clauses is false.
func TestReasonOfSilence(t *testing.T) {
	const log = "0: kd> !thread ffffe00011111080\nTHREAD ffffe00011111080  Cid 0004.0100  Teb: 0000000000000000 Win32Thread: 0000000000000000 WAIT: (Executive) KernelMode Non-Alertable\nChild-SP          RetAddr           Call Site\nffffd000`20f0b3c0 fffff800`02a8da52 nt!KiSwapContext+0x7a\nffffd000`20f0bc60 00000000`00000000 nt!KiStartSystemThread+0x16\n"
	for _, c := range []struct {
		match string
		want  rules.Outcome
		note  string
	}{
		{`{thread: {stack: ["mydrv!Wait"]}}`, rules.NoMatch, "no clause is false, but nothing that holds tells of the issue"},
		{`{thread: {state: waiting}}, {pool: {tag: Acme}}`, rules.CouldNotCheck, "the report counts the rule among those that ask for output"},
		{`{thread: {stack: ["nt!KiSwap*"]}}, {pool: {tag: Acme}}`, rules.CouldNotCheck, "the report lists the rule as one that could not be checked"},
	} {
		set, err := load(t, ruleOf("match: ["+c.match+"]"), map[string]string{"a": log, "b": log})
		if err != nil {
			t.Fatal(err)
		}
		r := set.ExplainTests(judge)[0]
		if r.Got != c.want || len(r.Clauses) == 0 || !strings.HasPrefix(r.Note, c.note) {
			t.Errorf("%s: %s: %v, %s", c.match, r.Got, r.Clauses, r.Note)
		}
		if c.want == rules.NoMatch && r.Clauses[0].Nearest != "nearest is thread ffffe00011111080: stack has no mydrv!Wait" {
			t.Errorf("%s: %s", c.match, r.Clauses[0].Nearest)
		}
	}
}

// TestNearestOfSeveral holds that of several facts with which a rule comes as far the
// one is told that misses least.
func TestNearestOfSeveral(t *testing.T) {
	const thread = "THREAD %s  Cid 0004.0100  Teb: 0000000000000000 Win32Thread: 0000000000000000 WAIT: (Executive) KernelMode Non-Alertable\nChild-SP          RetAddr           Call Site\n"
	frame := func(name string) string { return "ffffd000`20f0b3c0 fffff800`02a8da52 " + name + "+0x7a\n" }
	log := "0: kd> !locks\n"
	for i, owner := range []string{"ffffe00011111080", "ffffe00022222080", "ffffe00033333080"} {
		log += fmt.Sprintf("Resource @ 0xffffe0001234560%d    Exclusively owned\n     Threads: %s-01<*>\n", i*4, owner)
	}
	log += "8123 total locks, 3 locks currently held\n0: kd> !thread ffffe00011111080\n" + fmt.Sprintf(thread, "ffffe00011111080") + frame("nt!KiSwapContext") + frame("nt!KiStartSystemThread") +
		"0: kd> !thread ffffe00022222080\n" + fmt.Sprintf(thread, "ffffe00022222080") + frame("nt!KiSwapContext") + frame("mydrv!Wait") + frame("mydrv!Close") + frame("nt!KiStartSystemThread") +
		"0: kd> !thread ffffe00033333080\n" + fmt.Sprintf(thread, "ffffe00033333080") + frame("nt!KiSwapContext") + frame("nt!KiStartSystemThread")
	set, err := load(t, ruleOf("match: [{as: L, lock: {state: exclusive}}, {thread: {address: {in: L.owner_thread}, stack: [\"mydrv!Wait\", \"mydrv!Read\"]}}]"), map[string]string{"a": log, "b": log})
	if err != nil {
		t.Fatal(err)
	}
	r := set.ExplainTests(judge)[0]
	const want = "nearest is thread ffffe00022222080: stack has the first 1 of seq, up to frame 1 (mydrv!Wait), and no mydrv!Read behind that"
	if r.Got != rules.NoMatch || len(r.Clauses) != 2 || r.Clauses[1].Nearest != want {
		t.Errorf("%s: %+v", r.Got, r.Clauses)
	}
}
