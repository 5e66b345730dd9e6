package collect_test

import (
	"strings"
	"testing"

	"kdlocks/collect"
)

func TestCounters(t *testing.T) {
	got, err := collect.Counters(90)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`-si 00:01:30 `, `"\Process(*)\*"`, "logman start kdlocks\r\n", "logman stop kdlocks\r\n", "relog ", " -f csv "} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if strings.Contains(got, "%") {
		t.Errorf("a command prompt would take %% for a variable:\n%s", got)
	}
	for _, bad := range []int{0, -1, 3601} {
		if _, err := collect.Counters(bad); err == nil {
			t.Errorf("%d seconds: no error", bad)
		}
	}
}
