package rules_test

import (
	"fmt"
	"strings"
	"testing"

	"kdlocks/rules"
)

// TestPast: what a later moment of the same boot shows otherwise is past; what it does
// not show, and what another machine shows, is not.
func TestPast(t *testing.T) {
	const (
		header  = "2: kd> vertarget\nWindows 7 Kernel Version 7601 (Service Pack 1) MP (8 procs) Free x64\nKernel base = 0xfffff800`01a00000 PsLoadedModuleList = 0xfffff800`01c3fe90\n"
		run     = "2: kd> g\nBreak instruction exception - code 80000003 (first chance)\nnt!DbgBreakPointWithStatus:\nfffff800`01a7c490 cc              int     3\n"
		none    = "2: kd> !locks\n**** DUMP OF ALL RESOURCE OBJECTS ****\nKD: Scanning for held locks...\n\n16088 total locks, 0 locks currently held\n"
		total   = "\nTOTAL      300000  100000000      2000     4000000\n"
		pool    = "2: kd> !poolused 2\n   Sorting by NonPaged Pool Consumed\n\n               NonPaged                  Paged\n Tag     Allocs         Used     Allocs         Used\n\n NSpc    212640     96044800          0            0\tUNKNOWN pooltag 'NSpc', please update pooltag.txt\n"
		shorter = "2: kd> !poolused 2\n   Sorting by NonPaged Pool Consumed\n\n               NonPaged                  Paged\n Tag     Allocs         Used     Allocs         Used\n\n NSpc      1126       360448          0            0\tUNKNOWN pooltag 'NSpc', please update pooltag.txt\n"
		vm      = "2: kd> !vm 1\n\n*** Virtual Memory Usage ***\n\tPhysical Memory:      2096922 (   8387688 Kb)\n\tAvailable Pages:       500000 (   2000000 Kb)\n\tNonPagedPool Usage:     95000 (    380000 Kb)\n\tNonPagedPool Max:      100000 (    400000 Kb)\n"
		healthy = "2: kd> !vm 1\n\n*** Virtual Memory Usage ***\n\tPhysical Memory:      2096922 (   8387688 Kb)\n\tAvailable Pages:      1500000 (   6000000 Kb)\n\tNonPagedPool Usage:      5000 (     20000 Kb)\n\tNonPagedPool Max:      100000 (    400000 Kb)\n"

		lock   = `match: [{lock: {symbol: nt!CmpRegistryLock, waiting: {gte: 1}}}]`
		any    = `match: [{as: L, lock: {waiting: {gte: 1}}}]`
		waiter = `match: [{thread: {address: ffffaa3e1a9df7c0, stack: [nt!CcFlushCache]}}]`
		leak   = `match: [{pool: {tag: NSpc, np_bytes: {gte: 32MB}}}]`
		near   = `match: [{vm: {nonpaged_pct: {gte: 90}}}]`
	)
	moved := strings.Replace(abba, "     Threads: ffffaa3e193fe080-01<*>", "     Threads: ffffaa3e193fe080-02<*>", 1)
	handed := strings.NewReplacer("     Threads: ffffaa3e193fe080-01<*>", "     Threads: ffffaa3e1a9df7c0-01<*>", "              ffffaa3e1a9df7c0", "              ffffaa3e193fe080").Replace(abba)
	two := strings.ReplaceAll(queues(2, "00000000`00000000", func(i int) string { return fmt.Sprintf("drv%d!Dispatch", i/2) }), "0: kd>", "2: kd>")
	two = two[strings.Index(two, "2: kd> !locks"):strings.Index(two, "2: kd> .logclose")]
	one := two[:strings.Index(two, "Resource @")] + two[strings.LastIndex(two, "Resource @"):strings.Index(two, "18611 total")] + "18611 total locks, 1 locks currently held\n"
	for _, c := range []struct {
		name, rule, log string
		want            rules.Outcome
	}{
		{"no lock is held later", lock, header + abba + run + none, rules.Excluded},
		{"nor does the thread wait", waiter, header + abba + run + none, rules.Excluded},
		{"another thread owns it later", lock, header + abba + run + handed, rules.Excluded},
		{"of two one is held later, too", any, header + two + run + one, rules.OutPossible},
		{"of two none", any, header + two + run + none, rules.Excluded},
		{"the debugger was left in between", lock, header + abba + run + "2: kd> q\nquit:\n" + none, rules.OutPossible},
		{"of another target of the debugger", lock, header + abba + run + strings.ReplaceAll(none, "2: kd>", "||1:2: kd>"), rules.OutPossible},
		{"it did not run in between", lock, header + abba + none, rules.OutPossible},
		{"held later, too", lock, header + abba + run + moved, rules.OutPossible},
		{"later only memory was looked at", lock, header + abba + run + healthy, rules.OutPossible},
		{"the list of later is cut", lock, header + abba + run + strings.TrimSuffix(none, "16088 total locks, 0 locks currently held\n"), rules.OutPossible},
		{"the pool went down", leak, header + pool + total + run + shorter + total, rules.Excluded},
		{"the pool stays", leak, header + pool + total + run + pool + total, rules.OutPossible},
		{"later nobody looked at the pool", leak, header + abba + pool + total + run + none, rules.OutPossible},
		{"memory is free again", near, header + vm + run + healthy, rules.Excluded},
		{"memory stays short", near, header + vm + run + vm, rules.OutPossible},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := judgeRule(t, c.rule, c.log)
			if r.Outcome != c.want {
				t.Errorf("%s %s, want %s", r.Outcome, r.Because, c.want)
			}
		})
	}
}

// TestTagThatAppears: a tag that a whole listing lacks grew from nothing; of one that
// was cut nobody knows.
func TestTagThatAppears(t *testing.T) {
	const (
		head  = "2: kd> !poolused 2\n   Sorting by NonPaged Pool Consumed\n\n               NonPaged                  Paged\n Tag     Allocs         Used     Allocs         Used\n\n"
		thre  = " Thre      1000      1280000          0            0\tThread objects , Binary: nt!ps\n"
		nspc  = " NSpc    212640     96044800          0            0\tUNKNOWN pooltag 'NSpc', please update pooltag.txt\n"
		total = "\nTOTAL      %s          0            0\n"
		grows = `match: [{pool: {tag: NSpc, np_trend: grows}}]`
	)
	few, many := strings.Replace(total, "%s", "1000      1280000", 1), strings.Replace(total, "%s", "213640     97324800", 1)
	for _, c := range []struct {
		name, log string
		want      rules.Outcome
	}{
		{"the first listing is whole", head + thre + few + head + nspc + thre + many, rules.OutPossible},
		{"the first listing is cut", head + thre + head + nspc + thre + many, rules.CouldNotCheck},
		{"one listing", head + nspc + thre + many, rules.CouldNotCheck},
		{"in both", head + nspc + thre + many + head + nspc + thre + many, rules.NoMatch},
		{"it has gone", head + nspc + thre + many + head + thre + few, rules.CouldNotCheck},
	} {
		if r := judgeRule(t, grows, abba+c.log); r.Outcome != c.want {
			t.Errorf("%s: %s, want %s", c.name, r.Outcome, c.want)
		}
	}
}
