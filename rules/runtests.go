package rules

import (
	"path"
	"slices"
	"strings"

	"kdlocks/heuristics"
)

// TestResult is what became of one test of a rule.
type TestResult struct {
	Rule *Rule
	// Name is that of the test, its log, or its number.
	Name string
	// Line is where the test stands in the rule's file.
	Line      int
	Want, Got Outcome
	Diffs     []Diff
	// Err is set when the log could not be read or nothing in it was recognised.
	Err string
	// Clauses say what became of each clause, Note what that makes of the rule where
	// the clauses do not show it. Tests that passed have them if they were asked for.
	Clauses []ClauseResult
	Note    string
}

// Failed reports whether the test did not pass.
func (t *TestResult) Failed() bool { return t.Err != "" || len(t.Diffs) > 0 }

// Diff is one field that is not as a test expects it.
type Diff struct {
	Field, Want, Got string
	Line             int
}

// Reader reads a log and judges it, as the analysis of a log does.
type Reader func(name string, data []byte) ([]*heuristics.Judgement, error)

// RunTests runs the tests of all rules and says of those that failed what became of
// the clauses.
func (s *Set) RunTests(read Reader) []TestResult { return s.runTests(read, false) }

// ExplainTests is RunTests, and says of all tests what became of the clauses.
func (s *Set) ExplainTests(read Reader) []TestResult { return s.runTests(read, true) }

// runTests reads one log after the other, each once, and asks the rules about it
// that have a test with it: what others say of it nobody looks at.
func (s *Set) runTests(read Reader, explain bool) []TestResult {
	var out []TestResult
	var logs []*testLog
	known := make(map[logKey]*testLog)
	for _, r := range s.Rules {
		for i := range r.Tests {
			t := &r.Tests[i]
			key := r.logOf(t)
			log := known[key]
			if log == nil {
				log = &testLog{name: t.Log, by: r, test: t}
				if t.Log == "" {
					log.name = "input"
				}
				known[key] = log
				logs = append(logs, log)
			}
			log.uses = append(log.uses, logUse{r, t, len(out)})
			out = append(out, TestResult{Rule: r, Name: t.Label(i), Line: t.at.line, Want: t.Expect, Got: NoMatch})
		}
	}
	for _, log := range logs {
		log.run(read, out, explain)
	}
	return out
}

// logKey tells logs of tests apart: files by the pack and the folder that they are
// looked for from, texts by themselves.
type logKey struct{ pack, dir, file, text string }

func (r *Rule) logOf(t *Test) logKey {
	if t.Log == "" {
		return logKey{text: t.Input}
	}
	return logKey{pack: r.Pack.Path, dir: path.Dir(r.path), file: t.Log}
}

// testLog is a log and the tests that name it.
type testLog struct {
	name string
	by   *Rule // that names it first, in test
	test *Test
	uses []logUse
}

// logUse is a test of a rule and the place of its result.
type logUse struct {
	rule *Rule
	test *Test
	at   int
}

// run reads the log and fills in the results of its tests.
func (l *testLog) run(read Reader, out []TestResult, explain bool) {
	judged, err := l.read(read)
	if err != nil {
		for _, u := range l.uses {
			out[u.at].Err = err.Error()
		}
		return
	}
	var rules []*Rule
	for _, u := range l.uses {
		if !slices.Contains(rules[max(0, len(rules)-1):], u.rule) { // tests of a rule follow each other
			rules = append(rules, u.rule)
		}
	}
	asked := copyOf(rules)
	found := make(map[string][]Result)
	for _, j := range judged {
		for _, res := range asked.JudgeEach(j) {
			found[res.Rule.ID] = append(found[res.Rule.ID], res)
		}
	}
	for _, u := range l.uses {
		res, best := &out[u.at], strongest(found[u.rule.ID])
		res.compare(u.test, best)
		if res.Failed() || explain {
			res.explain(best, judged)
		}
	}
}

func (l *testLog) read(read Reader) ([]*heuristics.Judgement, error) {
	data := []byte(l.test.Input)
	if l.test.Log != "" {
		var err error
		if data, err = l.by.ReadLog(l.test.Log); err != nil {
			return nil, err
		}
	}
	judged, err := read(l.name, data)
	if len(judged) > 0 {
		err = nil
	}
	return judged, err
}

// compare holds what the rule says against what the test expects.
func (t *TestResult) compare(test *Test, best *Result) {
	if best != nil {
		t.Got = best.Outcome
	}
	if t.Got != t.Want {
		t.Diffs = append(t.Diffs, Diff{"outcome", string(t.Want), string(t.Got), test.at.line})
	}
	for _, b := range test.Bind {
		if d, ok := b.compare(best); !ok {
			t.Diffs = append(t.Diffs, d)
		}
	}
}

// strongest returns the result that says most, nil if there is none.
func strongest(rs []Result) *Result {
	var best *Result
	for i := range rs {
		if best == nil || rs[i].Outcome.weight() > best.Outcome.weight() {
			best = &rs[i]
		}
	}
	return best
}

// compare holds a binding against what a test expects.
func (b *ExpectedBinding) compare(r *Result) (Diff, bool) {
	if r == nil {
		return Diff{b.Ref, b.Want, "nothing: the rule found nothing", b.at.line}, false
	}
	env := r.envWith(b.ref.name)
	var got []string
	for _, v := range b.ref.values(r.w, env).List {
		if v.equals(b.want) {
			return Diff{}, true
		}
		got = append(got, v.String())
	}
	if got == nil {
		got = []string{"(unknown)"}
	}
	return Diff{b.Ref, b.want.String(), strings.Join(got, ", "), b.at.line}, false
}

// envWith adds a name that a clause of boost or exclude bound.
func (r *Result) envWith(name string) bindings {
	if _, ok := r.env[name]; ok {
		return r.env
	}
	out := bindings{}
	for n, b := range r.env {
		out[n] = b
	}
	for _, c := range r.bound {
		if c.c.as == name && c.truth == True && c.fact != nil {
			out[name] = bound{c.c.kind, c.fact}
		}
	}
	return out
}
