package rules

import (
	"fmt"
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
	// Clauses say what became of each clause where the test failed.
	Clauses []ClauseResult
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

// RunTests runs the tests of all rules.
func (s *Set) RunTests(read Reader) []TestResult {
	runner := runner{set: s, read: read, logs: make(map[string]*ran)}
	var out []TestResult
	for _, r := range s.Rules {
		for i := range r.Tests {
			out = append(out, runner.test(r, &r.Tests[i], i))
		}
	}
	return out
}

// runner keeps what the rules said of each log.
type runner struct {
	set  *Set
	read Reader
	logs map[string]*ran
}

type ran struct {
	results map[string][]Result
	err     error
}

func (u *runner) test(r *Rule, t *Test, i int) TestResult {
	out := TestResult{Rule: r, Name: t.Name, Line: t.at.line, Want: t.Expect, Got: NoMatch}
	if out.Name == "" {
		out.Name = t.Log
	}
	if out.Name == "" {
		out.Name = fmt.Sprintf("test %d", i+1)
	}
	log := u.log(r, t, i)
	if log.err != nil {
		out.Err = log.err.Error()
		return out
	}
	best := strongest(log.results[r.ID])
	if best != nil {
		out.Got = best.Outcome
	}
	if out.Got != out.Want {
		out.Diffs = append(out.Diffs, Diff{"outcome", string(out.Want), string(out.Got), t.at.line})
	}
	for _, b := range t.Bind {
		if d, ok := b.compare(best); !ok {
			out.Diffs = append(out.Diffs, d)
		}
	}
	if out.Failed() && best != nil {
		out.Clauses = best.Clauses
	}
	return out
}

// log reads a log once for all tests that name it.
func (u *runner) log(r *Rule, t *Test, i int) *ran {
	key, name, data := r.Pack.Path+"\x00"+t.Log, t.Log, []byte(t.Input)
	if t.Log == "" {
		key, name = fmt.Sprintf("%s\x00%d", r.ID, i), fmt.Sprintf("input of test %d", i+1)
	}
	if have := u.logs[key]; have != nil {
		return have
	}
	out := &ran{results: make(map[string][]Result)}
	u.logs[key] = out
	if t.Log != "" {
		if data, out.err = r.ReadLog(t.Log); out.err != nil {
			return out
		}
	}
	judged, err := u.read(name, data)
	if len(judged) == 0 && err != nil {
		out.err = err
		return out
	}
	for _, j := range judged {
		for _, res := range u.set.JudgeEach(j) {
			out.results[res.Rule.ID] = append(out.results[res.Rule.ID], res)
		}
	}
	return out
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
