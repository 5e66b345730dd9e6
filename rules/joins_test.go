package rules_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"kdlocks/rules"
)

// queues is a log of n locks, each with a waiter whose stack ends in site(i).
func queues(n int, last string, site func(i int) string) string {
	var b strings.Builder
	thread := func(i int) string { return fmt.Sprintf("ffffb081%08x", 0x10000+i*0x1000) }
	b.WriteString("0: kd> vertarget\nWindows 10 Kernel Version 19041 MP (8 procs) Free x64\nKernel base = 0xfffff803`1a200000 PsLoadedModuleList = 0xfffff803`1ae2a770\n\n0: kd> !locks\n**** DUMP OF ALL RESOURCE OBJECTS ****\nKD: Scanning for held locks......\n\n")
	for i := range n {
		fmt.Fprintf(&b, "Resource @ 0xffffb082%08x    Exclusively owned\n    Contention Count = 24\n    NumberOfExclusiveWaiters = 1\n     Threads: %s-01<*> \n     Threads Waiting On Exclusive Access:\n              %s       \n\n", 0x10000+i*0x100, thread(2*i), thread(2*i+1))
	}
	fmt.Fprintf(&b, "18611 total locks, %d locks currently held\n0: kd> !process 0 1f\n", n)
	for i := range 2 * n {
		fmt.Fprintf(&b, "THREAD %s  Cid 0004.%04x  Teb: 0000000000000000 Win32Thread: 0000000000000000 WAIT: (%s) KernelMode Non-Alertable\n    ffffb08155550200  SynchronizationEvent\nNot impersonating\nOwning Process            ffffb0810ec85040       Image:         System\nWait Start TickCount      730421         Ticks: 134 (0:00:00:02.100)\nStack Init fffff50a0031ff90 Current fffff50a0031f500\nChild-SP          RetAddr               Call Site\n", thread(i), 16+i, []string{"Executive", "WrResource"}[i%2])
		fmt.Fprintf(&b, "fffff50a`00310000 fffff803`1a270000     nt!KiSwapContext+0x76\nfffff50a`00310080 fffff803`1a270001     nt!KeWaitForSingleObject+0x3a0\nfffff50a`00310100 fffff803`1a270002     %s+0x12\nfffff50a`00310180 %s     %s+0x44\n\n", []string{"acme!Sleep", "nt!ExAcquireResourceExclusiveLite"}[i%2], last, site(i))
	}
	return b.String() + "0: kd> .logclose\n"
}

// TestJoins: where locks are many, only those are looked at whose threads can have the
// frames that another clause asks for; what is said stays the same.
func TestJoins(t *testing.T) {
	const whole = "00000000`00000000"
	driver := func(i int) string { return fmt.Sprintf("drv%d!Dispatch", i/2) }
	hundred := func(i int) string { return fmt.Sprintf("big!Function%d", i/2) }
	rule := func(field, frames string) string {
		return "match: [{as: L, lock: {state: exclusive, waiting: {gte: 1}}}, {as: T, thread: {address: {in: L." + field + "}, stack: [" + frames + "]}}]"
	}
	for _, c := range []struct {
		name, rule, log string
		want            rules.Outcome
		lock            string
	}{
		{"one of many", rule("waiters", `"nt!ExAcquire*", "drv70!Dispatch"`), queues(100, whole, driver), rules.OutPossible, "ffffb08200014600"},
		{"by its owner", rule("owner_thread", `"acme!*", "drv71!*"`), queues(100, whole, driver), rules.OutPossible, "ffffb08200014700"},
		{"as the owner, it does not acquire", rule("owner_thread", `"nt!ExAcquire*", "drv71!*"`), queues(100, whole, driver), rules.NoMatch, ""},
		{"any of a hundred functions", rule("waiters", `"nt!ExAcquire*", "big!*"`), queues(100, whole, hundred), rules.OutPossible, "ffffb08200010000"},
		{"any of a hundred functions, by its stack alone", `match: [{as: L, lock: {address: ffffb08200010000}}, {thread: {state: waiting, stack: ["nt!ExAcquire*", "big!*"]}}]`, queues(100, whole, hundred), rules.OutPossible, "ffffb08200010000"},
		{"a hundred functions of another module", rule("waiters", `"nt!ExAcquire*", "bigger!*"`), queues(100, whole, hundred), rules.NoMatch, ""},
		{"out of order", rule("waiters", `"drv70!Dispatch", "nt!ExAcquire*"`), queues(100, whole, driver), rules.NoMatch, ""},
		{"nowhere", rule("waiters", `"drv700!Dispatch"`), queues(100, whole, driver), rules.NoMatch, ""},
		{"without symbols", rule("waiters", `"nt!ExAcquire*", "drv70!Dispatch"`), queues(100, whole, func(i int) string { return fmt.Sprintf("drv%d", i/2) }), rules.CouldNotCheck, "ffffb08200014600"},
		{"the stacks are cut", rule("waiters", `"drv70!Dispatch", "drv0!Begin"`), queues(100, "fffff803`1a270003", driver), rules.CouldNotCheck, ""},
		{"no module is known", rule("waiters", `"nt!ExAcquire*", "acmeflt!Dispatch"`), strings.Replace(queues(100, whole, driver), "drv5!Dispatch+0x44", "0xfffff847`fc9b831e", 2), rules.CouldNotCheck, "ffffb08200010500"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, first := range []func() func(){func() func() { return func() {} }, rules.JoinAll} {
				undo := first()
				r := judgeRule(t, c.rule, c.log)
				undo()
				at := slices.IndexFunc(r.Bound, func(b rules.Binding) bool { return b.Name == "L" })
				if r.Outcome != c.want || c.lock != "" && (at < 0 || !strings.HasPrefix(r.Bound[at].Fact, c.lock)) {
					t.Errorf("%s %v, want %s %s", r.Outcome, r.Bound, c.want, c.lock)
				}
			}
		})
	}
}

// BenchmarkJoins asks 1,000 rules about a log of 2,500 locks, each of which all of
// them are about, and 5,000 threads that have frames of the drivers that they name.
func BenchmarkJoins(b *testing.B) {
	log := queues(2500, "00000000`00000000", func(i int) string { return fmt.Sprintf("drv%d!Dispatch", i/2%1000) })
	var text strings.Builder
	text.WriteString("format: kdlocks.rules/v1\nrules:\n")
	for i := range 1000 {
		fmt.Fprintf(&text, "  - {id: r-%d, title: t, class: hang-other, severity: low, confidence: possible, match: [{as: L, lock: {state: exclusive}}, {thread: {address: {in: L.waiters}, stack: [\"nt!ExAcquire*\", \"drv%d!*\"]}}], explain: e, remedy: r, references: [{text: t}], tests: [{log: a, expect: possible}, {log: b, expect: no-match}]}\n", i, i)
	}
	set, err := load(b, text.String(), nil)
	if err != nil {
		b.Fatal(err)
	}
	var reading, asking time.Duration
	for b.Loop() {
		begin := time.Now()
		js, err := judge("log", []byte(log))
		if err != nil {
			b.Fatal(err)
		}
		reading += time.Since(begin)
		begin = time.Now()
		if n := len(set.Judge(js[0])); n != 1000 {
			b.Fatalf("%d rules hold", n)
		}
		asking += time.Since(begin)
	}
	b.ReportMetric(float64(asking.Microseconds())/1000/float64(b.N), "ms-rules/op")
	b.ReportMetric(100*float64(asking)/float64(reading), "%-of-reading")
}
