package kd

import (
	"strings"
	"testing"
)

func TestShortNames(t *testing.T) {
	long := "(drv!" + strings.Repeat("A", 5000) + "End+0x10),"
	for s, want := range map[string]string{
		"":                           "",
		"thread 1 waits for " + long: "thread 1 waits for (drv!" + strings.Repeat("A", 55) + "…" + strings.Repeat("A", 30-len("End+0x10),")) + "End+0x10),",
		strings.Repeat("word ", 200): strings.Repeat("word ", 200),
		strings.Repeat("ä", 96):      strings.Repeat("ä", 96),
		strings.Repeat("ä", 97):      strings.Repeat("ä", 60) + "…" + strings.Repeat("ä", 30),
	} {
		got := ShortNames(s)
		if got != want {
			t.Errorf("%.60q became %q, want %q", s, got, want)
		}
		if again := ShortNames(got); again != got {
			t.Errorf("%.60q changes when it is shortened again", s)
		}
	}
}
