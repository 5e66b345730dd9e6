package inspect_test

import (
	"strings"
	"testing"
)

// TestElidedOwnersCloseNoCycle shortens the lists of a case whose marks fit no
// count: with an entry fewer they would seem to fit.
func TestElidedOwnersCloseNoCycle(t *testing.T) {
	const third = "fffffa8016930b60-01<*>"
	for _, k := range loadCases(t) {
		if k.name != "marks-irreconcilable" {
			continue
		}
		for _, left := range []string{
			"fffffa80xxxxxxxx-01<*>", "fffffa80...b60-01<*>", "fffffa80169", "...", "[...]", "\u2026", "(snip)", "<< more", "; and 3 others", "<-- more",
			"\n...", "\n[snip]", "\n\u2026", "\n... 3 more ...", "\n              << more", "\n              fffffa80169", "\n              fffffa80...b60-01<*>",
			"**fffffa8016\n930b60**-01<*>", "\n\n...\n              " + third,
			"*** Actual Thread\n" + third, "*** Actual Thread fffffa80\n" + third, "*** Unknown owner, possibly\n" + third, "***\n" + third,
			"*** Actual Thread fffffa8016930b60\nfffffa\n8016930b60-01<*>", "*** Actual Thread\nfffffa8\n016930b60-01<*>",
		} {
			text := strings.ReplaceAll(string(k.input), third, left)
			if text == string(k.input) {
				t.Fatal("the case has no third entry")
			}
			if got := analyze(t, []byte(text)).Verdict.Kind; got != "undecided" {
				t.Errorf("%q: verdict %s", left, got)
			}
		}
		return
	}
	t.Fatal("no such case")
}
