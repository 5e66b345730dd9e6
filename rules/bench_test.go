package rules_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"kdlocks/bench/loggen"
	"kdlocks/heuristics"
	"kdlocks/rules"
	"kdlocks/transcript"
)

// BenchmarkBuiltin loads the packs that kdlocks ships with, as each run does.
func BenchmarkBuiltin(b *testing.B) {
	for b.Loop() {
		if _, err := rules.Load([]rules.Source{rules.Builtin()}, ""); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkThousandRules asks 1,000 rules about a log of 100,000 facts (threads,
// ERESOURCEs, their owners and waiters, not counting frames), and reports what
// that takes of the time to read the log and to judge it without rules.
func BenchmarkThousandRules(b *testing.B) {
	var log bytes.Buffer
	if _, err := loggen.Write(&log, loggen.Options{Threads: 95_000, Seed: 1}); err != nil {
		b.Fatal(err)
	}
	data := log.Bytes()
	read := func() *heuristics.Judgement {
		tr, err := transcript.Read(context.Background(), []transcript.Input{transcript.Bytes("log", data)}, nil)
		if err != nil {
			b.Fatal(err)
		}
		j := heuristics.Judge(tr.Snapshots[0])
		return &j
	}
	j := read()
	if n := facts(j); n < 100_000 {
		b.Fatalf("%d facts", n)
	}
	set, err := load(b, thousandRules(j), nil)
	if err != nil {
		b.Fatal(err)
	}
	var reading, asking time.Duration
	for b.Loop() {
		begin := time.Now()
		j = read()
		reading += time.Since(begin)
		begin = time.Now()
		set.Judge(j)
		asking += time.Since(begin)
	}
	b.ReportMetric(float64(reading.Milliseconds())/float64(b.N), "ms-read/op")
	b.ReportMetric(float64(asking.Microseconds())/1000/float64(b.N), "ms-rules/op")
	b.ReportMetric(100*float64(asking)/float64(reading), "%-of-reading")
}

func facts(j *heuristics.Judgement) int {
	n := j.Snap.ThreadCount() + len(j.Snap.Resources) + len(j.Snap.Processes)
	for _, r := range j.Snap.Resources {
		n += len(r.Owners) + len(r.SharedWaiters) + len(r.ExclusiveWaiters)
	}
	return n
}

// thousandRules makes rules of all kinds of facts: most are about drivers that the
// log does not have, one in fifty about functions that it has.
func thousandRules(j *heuristics.Judgement) string {
	rng := rand.New(rand.NewPCG(1, 2))
	functions, _ := j.Snap.Functions()
	some := func() string {
		f := functions[rng.IntN(len(functions))]
		return fmt.Sprintf("%q", f.Module+"!"+f.Name)
	}
	var b strings.Builder
	b.WriteString("format: kdlocks.rules/v1\nrules:\n")
	for i := range 1000 {
		driver := fmt.Sprintf("drv%d", i)
		clauses := []string{
			`{as: L, lock: {state: exclusive, owner_kind: pointer}}, {as: T, thread: {address: {in: L.waiters}, stack: ["nt!ExpWaitForResource*", "` + driver + `!Dereference*"]}}`,
			`{thread: {state: waiting, stack: {seq: ["nt!KeWaitForSingleObject", "` + driver + `!Wait*", "nt!Iof*"], within: 8}}}`,
			`{as: T, thread: {stack: ["` + driver + `!*"]}}, {module: {name: ` + driver + `, version: {lt: 2.1.0.` + fmt.Sprint(i) + `}}}`,
			`{as: F, finding: {id: blocked-chain}}, {as: T, thread: {address: {eq: F.root}, stack: ["nt!Kf*", "` + driver + `!Read"]}}`,
			`{lock: {symbol: "nt!Lock` + fmt.Sprint(i) + `", waiting: {gte: 10}}}`,
			`{pool: {tag: T` + fmt.Sprint(i) + `, np_bytes: {gte: 32MB}}}`,
			`{queue: {name: Critical, routine_module: ` + driver + `}}`,
			`{bugcheck: {code: ` + fmt.Sprintf("%x", i) + `}}, {as: O, owner: {set_by: "` + driver + `!*"}}`,
			`{as: A, lock: {state: exclusive}}, {as: T, thread: {address: {in: A.owner_thread}, stack: ["` + driver + `!Flush"]}}`,
			`{irp: {driver: ` + driver + `, pending: true}}, {target: {build: {gte: 7600}}}`,
		}
		match := clauses[i%len(clauses)]
		if i%50 == 1 {
			match = `{thread: {state: waiting, stack: [` + some() + `, ` + some() + `, ` + some() + `]}}`
		}
		fmt.Fprintf(&b, "  - {id: r-%d, title: t, class: hang-other, severity: low, confidence: possible, match: [%s], explain: e, remedy: r, references: [{text: t}], tests: [{log: a, expect: possible}, {log: b, expect: no-match}]}\n", i, match)
	}
	return b.String()
}
