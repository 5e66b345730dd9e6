package rules_test

import (
	"testing"

	"kdlocks/rules"
)

// toldInWords are the issues whose sources tell of the cause in words: no stack, lock
// or tag of theirs was printed by a debugger, or not as that of the driver that they
// blame. What is looked for is then read out of the words.
var toldInWords = []string{
	"dokany-pr426-abba",
	"ms-kb2379016-http-scm",
	"ms-kb317357-cmp-registry-lock",
	"ms-kb824909-mup-critical-queue",
	"ms-kb884055-volsnap-snapshots",
	"ms-kb886962-psm-delayed-queue",
	"ms-kb893374-srv-oplock",
	"ms-kb930045-ntfs-shutdown",
	"ms-kb967724-mpio-work-items",
	"ms-q171181-tcpip-lock-order",
	"ms-q226513-srv-addjob-pipe",
	"ms-q268817-rdr-notify",
	"ms-q269819-ntfs-attribute-list",
}

// TestToldInWordsIsInferred: loading holds an inferred rule at possible, with no boost
// above it; that these are inferred is held here.
func TestToldInWordsIsInferred(t *testing.T) {
	set := builtin(t)
	for _, id := range toldInWords {
		if r := set.Lookup(id); r == nil || !r.Inferred || r.Confidence != rules.Possible {
			t.Errorf("%s is not among the rules that are inferred and possible", id)
		}
	}
}
