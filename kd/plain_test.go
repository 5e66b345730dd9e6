package kd_test

import (
	"testing"

	"kdlocks/kd"
)

func TestPlainLines(t *testing.T) {
	for in, want := range map[string]string{
		"":                               "",
		"one":                            "one",
		"one\ntwo":                       "one\ntwo",
		"one\n\ntwo\n":                   "one\n\ntwo\n",
		"\x1b[2Ja.log: cut\nb\t.log: \r": `\x1b[2Ja.log: cut` + "\n" + `b .log: \x0d`,
	} {
		if got := kd.PlainLines(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
