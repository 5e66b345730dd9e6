package rules_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"kdlocks/heuristics"
	"kdlocks/inspect"
	"kdlocks/rules"
)

// judge reads a log as the analysis does.
func judge(name string, data []byte) ([]*heuristics.Judgement, error) {
	return inspect.Judge(context.Background(), inspect.Bytes(name, data))
}

// load loads one rule file and what lies beside it.
func load(t testing.TB, text string, logs map[string]string) (*rules.Set, error) {
	t.Helper()
	files := fstest.MapFS{"rule.yaml": {Data: []byte(text)}}
	for name, log := range logs {
		files[name] = &fstest.MapFile{Data: []byte(log)}
	}
	return rules.Load([]rules.Source{{Name: "rule.yaml", FS: files, File: "rule.yaml"}}, "2026-11-21")
}

const sis = `format: kdlocks.rules/v1
rules:
  - id: ms-kb2608658-sis-owner-pointer
    title: sis.sys waits for a resource it owns through ExSetResourceOwnerPointer
    class: self-deadlock
    severity: critical
    confidence: likely
    match:
      - {as: L, lock: {state: exclusive, owner_kind: pointer, shared_waiters: {gte: 1}}}
      - as: T
        thread:
          address: {in: L.waiters}
          stack_range: {holds: L.owner}
          stack: {seq: ["nt!ExpWaitForResource", "nt!ExAcquire*", "sis!SipDereferenceCSFile"]}
    boost:
      - {as: T2, thread: {address: {eq: T.address}, stack: {seq: ["sis!SiFilterContextFreedCallback", "nt!FsRtlTeardownPerStreamContexts", "Ntfs!NtfsFspClose", "sis!SipOpenCSFile"]}}, to: confirmed}
    explain: "Thread {T.address} owns {L.address} (owner field {L.owner} is on its own stack) and waits for it as a shared waiter."
    remedy: "Install the update described in KB2608658 (issue 3)."
    references: [{kb: "2608658"}, {url: "ntdebugging: How To Deadlock Yourself"}]
    tests:
      - {log: sis.log, expect: confirmed, bind: {L.owner: fffff88007fab7f3, T.address: fffffa80169538a0}}
      - {log: dokany.log, expect: no-match}
`

func TestGoldenSample(t *testing.T) {
	read := func(name string) string {
		b, err := os.ReadFile("../testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	set, err := load(t, sis, map[string]string{"sis.log": read("sis-self-deadlock.log"), "dokany.log": read("corpus/020-dokany-pr426-abba.log")})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range set.RunTests(judge) {
		if r.Failed() {
			t.Errorf("%s: %s %v", r.Name, r.Err, r.Diffs)
		}
		for _, c := range r.Clauses {
			t.Log(c.Role, c.Text, c.Truth, c.Evidence, c.Missing)
		}
	}
}

// TestTooManyMistakes: a file with more mistakes than are told is read to no end, and
// nothing is missing that would be read.
func TestTooManyMistakes(t *testing.T) {
	var patterns []string
	for i := range 60 {
		patterns = append(patterns, fmt.Sprintf(`"nt!*a*a*a*a*a*z%d"`, i))
	}
	_, err := load(t, ruleOf("match:\n  - {as: A, thread: {stack: {none: ["+strings.Join(patterns, ", ")+"]}}}\n  - {as: B, thread: {state: waiting}}\n  - {lock: {address: {in: A.irp}}}"), nil)
	if n := len(rules.ProblemsOf(err)); n != 50 {
		t.Errorf("%d mistakes told", n)
	}
}
