package rules_test

import (
	"os"
	"testing"

	"kdlocks/rules"
)

func BenchmarkBigLog(b *testing.B) {
	data, err := os.ReadFile("/tmp/w/big100.log")
	if err != nil {
		b.Skip()
	}
	j, err := judge("x", data)
	if err != nil {
		b.Fatal(err)
	}
	set, err := rules.Load([]rules.Source{rules.Builtin()}, "")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		set.Judge(j[0])
	}
}
