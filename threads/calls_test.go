package threads_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"kdlocks/stacks"
	"kdlocks/threads"
)

func TestCallOf(t *testing.T) {
	one := threads.CallOf("Ntfs", "NtfsFlushVolume")
	for name, tc := range map[string]struct {
		of   threads.Calls
		want bool
	}{
		"itself":                   {one, true},
		"module in another case":   {threads.CallOf("NTFS", "NtfsFlushVolume"), true},
		"any of the module":        {threads.CallOf("ntfs", ""), true},
		"function in another case": {threads.CallOf("Ntfs", "ntfsflushvolume"), false},
		"another function":         {threads.CallOf("Ntfs", "NtfsFlushVolumes"), false},
		"another module":           {threads.CallOf("sis", "NtfsFlushVolume"), false},
		"no module":                {threads.CallOf("", ""), false},
		"the bang elsewhere":       {threads.CallOf("Ntf", "s!NtfsFlushVolume"), false},
	} {
		if got := one.Has(tc.of); got != tc.want {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
	th := threads.Thread{Stack: stacks.Stack{Frames: []stacks.Frame{{Module: "Ntfs", Function: "NtfsFlushVolume"}, {Symbol: "0x00007ffe43a0c8f4"}}}}
	if got, want := th.Calls(), one.Or(threads.CallOf("", "")); got != want {
		t.Errorf("calls %x, want %x", got, want)
	}
}

func TestAnyOf(t *testing.T) {
	of := func(ns ...int) (c threads.Calls) {
		for _, n := range ns {
			c = c.Or(threads.CallOf(fmt.Sprint("m", n%7), fmt.Sprint("f", n)))
		}
		return c
	}
	var wanted []threads.Calls
	for i := range 300 {
		wanted = append(wanted, of(i, 2*i+1, 3*i+2))
	}
	any, yes := threads.NewAnyOf(wanted), 0
	for i := range 5000 {
		c := of(i, i+1, 2*i+1, 3*i%1000, 3*i+2+i/300, 7*i%900)
		want := slices.ContainsFunc(wanted, c.Has)
		if any.In(c) != want {
			t.Fatalf("stack %d: %v, want %v", i, !want, want)
		}
		if want {
			yes++
		}
	}
	if yes < 300 || yes > 3000 {
		t.Errorf("%d of 5000 stacks pass", yes)
	}
	if threads.NewAnyOf(nil).In(of(1)) || !threads.NewAnyOf([]threads.Calls{{}}).In(threads.Calls{}) {
		t.Error("none passes, or the empty combination does not")
	}
}

func TestFunctionNames(t *testing.T) {
	var s threads.FunctionNames
	s.Add("nt!B\nnt!A\n")
	s.Add("drv!\nnt!A\nNtfs!C::operator!=\n")
	want := []threads.Function{{"Ntfs", "C::operator!="}, {"drv", ""}, {"nt", "A"}, {"nt", "B"}}
	for range 2 {
		if got, all := s.Functions(); !all || !slices.Equal(got, want) {
			t.Errorf("functions %v, all: %v", got, all)
		}
	}
	again := strings.Repeat("nt!AgainAndAgain\n", 1<<16)
	for range 100 {
		s.Add(again)
	}
	if got, all := s.Functions(); !all || len(got) != 5 {
		t.Errorf("%d functions, all: %v", len(got), all)
	}
	for i := range 1 << 18 {
		s.Add(fmt.Sprintf("nt!SomeFunctionWithANumber%d\n", i))
	}
	if got, all := s.Functions(); all || len(got) != 0 {
		t.Errorf("%d functions, all: %v", len(got), all)
	}
}
