package rules_test

import (
	"strings"
	"testing"

	"kdlocks/rules"
)

// TestDisproof holds what is told of a rule that says nothing of it: what its excludes
// say, with what is bound, and no sentence about an article where there is none.
func TestDisproof(t *testing.T) {
	const log = "0: kd> !locks\nResource @ nt!CmpRegistryLock (0xffffaa3e1c7b46c0)    Exclusively owned\n     Threads: ffffaa3e1a9df7c0-01<*>\n16088 total locks, 1 locks currently held\n"
	for _, c := range []struct{ rest, want string }{
		{"", "What is known of the issue does not fit this machine or its software, or the issue comes back with the remedy in place."},
		{"type: pattern\n", "A later log shows that these waits end by themselves, or that they are for something that the rule does not look at."},
		{"exclude:\n  - {as: M, module: {name: acmeflt, version: {gte: 2.4}}, because: \"acmeflt {M.version} has the fix.\"}",
			"It turns out that acmeflt ... has the fix (module {name: acmeflt, version: {gte: 2.4}})."},
		{"exclude:\n  - {as: M, module: {name: acmeflt, version: {gte: 2.4}}, because: \"acmeflt has the fix: {M.version}\"}",
			"It turns out that acmeflt has the fix (module {name: acmeflt, version: {gte: 2.4}})."},
		{"exclude:\n  - {thread: {address: {in: L.owner_thread}, state: running}, because: \"the owner of {L.address} runs\"}\n  - {as: W, waiter: {lock: L.address, access: shared}, because: \"{W.thread} waits for shared access to {L.address}\"}",
			"It turns out that the owner of ffffaa3e1c7b46c0 runs, or that ... waits for shared access to ffffaa3e1c7b46c0 (waiter {lock: ffffaa3e1c7b46c0, access: shared})."},
	} {
		set, err := load(t, ruleOf("match: [{as: L, lock: {symbol: \"nt!Cmp*\"}}]\n"+c.rest), nil)
		if err != nil {
			t.Error(err)
			continue
		}
		judged, err := judge("log", []byte(log))
		if err != nil {
			t.Fatal(err)
		}
		results := set.Judge(judged[0])
		if len(results) != 1 || results[0].Outcome != rules.OutPossible || results[0].Disproof != c.want {
			t.Errorf("%s: got %+v", strings.TrimSpace(c.rest), results)
		}
	}
}
