package rules_test

import (
	"fmt"
	"strings"
	"testing"

	"kdlocks/heuristics"
)

// manyRules are rules that each have logs of their own, and one that all share.
func manyRules(n int) string {
	var b strings.Builder
	b.WriteString("format: kdlocks.rules/v1\nrules:\n")
	for i := range n {
		fmt.Fprintf(&b, `  - id: r-%d
    title: t
    class: lock-deadlock
    severity: high
    confidence: likely
    match:
      - {as: L, lock: {state: exclusive, waiting: {gte: 1}}}
      - {as: T, thread: {address: {in: L.waiters}, stack: ["drv%d!*Wait", "drv%d!Read"]}}
    explain: "x"
    remedy: "y"
    references: [{text: x}]
    tests:
      - {log: none.log, expect: no-match}
      - {log: none.log, expect: no-match}
      - expect: likely
        input: |
          0: kd> !locks
          Resource @ 0xffffaa3e%08x    Exclusively owned
              Contention Count = 2
              NumberOfExclusiveWaiters = 1
               Threads: ffffaa3e1a9df7c0-01<*>
               Threads Waiting On Exclusive Access:
                        ffffaa3e193fe080
          16088 total locks, 1 locks currently held
          0: kd> !thread ffffaa3e193fe080
          THREAD ffffaa3e193fe080  Cid 0004.0638  Teb: 0000000000000000 Win32Thread: 0000000000000000 WAIT: (WrResource) KernelMode Non-Alertable
          Child-SP          RetAddr           Call Site
          fffff880`+"`"+`0a1b2700 fffff800`+"`"+`02a8b5f2 drv%d!DoWait+0x7a
          fffff880`+"`"+`0a1b2840 fffff800`+"`"+`02a9c99f drv%d!Read+0xd2
`, i, i, i, 0x10000000+i*0x100, i, i)
	}
	return b.String()
}

var noneLog = map[string]string{"none.log": "0: kd> !locks\nResource @ 0xffffaa3e1c7b46c0    Shared 1 owning threads\n     Threads: ffffaa3e1a9df7c0-01<*>\n16088 total locks, 1 locks currently held\n"}

// TestEachLogIsReadOnce holds that the tests of rules read each log once, however many
// name it.
func TestEachLogIsReadOnce(t *testing.T) {
	const n = 20
	set, err := load(t, manyRules(n), noneLog)
	if err != nil {
		t.Fatal(err)
	}
	reads := 0
	results := set.RunTests(func(name string, data []byte) ([]*heuristics.Judgement, error) {
		reads++
		return judge(name, data)
	})
	if reads != n+1 || len(results) != 3*n {
		t.Errorf("%d reads for %d results", reads, len(results))
	}
	for i := range results {
		if r := &results[i]; r.Failed() || r.Rule != set.Rules[i/3] {
			t.Errorf("%s: %s: %s %v", r.Rule.ID, r.Name, r.Err, r.Diffs)
		}
	}
}

// BenchmarkRunTests runs the tests of packs of several sizes: what a rule takes does
// not grow with their number.
func BenchmarkRunTests(b *testing.B) {
	for _, n := range []int{100, 600} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			set, err := load(b, manyRules(n), noneLog)
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				for _, r := range set.RunTests(judge) {
					if r.Failed() {
						b.Fatal(r.Name, r.Diffs)
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*n), "µs/rule")
		})
	}
}
