package heuristics

import (
	"testing"

	"kdlocks/kd"
	"kdlocks/threads"
)

func TestUptime(t *testing.T) {
	for _, tc := range []struct {
		text string
		ms   int64
		ok   bool
	}{
		{"0 days 2:12:35.890", 7955890, true},
		{"5 days 3:17:44.120", 443864120, true},
		{"0 days 0:00:01", 1000, true},
		{"not available", 0, false},
		{"2:12:35.890", 0, false},
		{"1 days 2:12", 0, false},
		{"1 days 2:99:01.000", 0, false},
		{"", 0, false},
	} {
		if ms, ok := uptime(tc.text); ms != tc.ms || ok != tc.ok {
			t.Errorf("%q: %d %v", tc.text, ms, ok)
		}
	}
}

// TestSameAge: which groups of ages say something.
func TestSameAge(t *testing.T) {
	root := func(ms int64) aged {
		th := threads.New(0xfffffa8016910b60+kd.Addr(ms), kd.Ref{})
		th.WaitMS = ms
		return aged{thread: th, blocked: 1, root: true}
	}
	ready := func(ms int64, cpu int) aged {
		a := root(ms)
		a.root, a.blocked, a.thread.Processor = false, 0, cpu
		return a
	}
	for _, tc := range []struct {
		name    string
		as      []aged
		stopped bool
		want    int
	}{
		{"two roots", []aged{root(120000), root(119100)}, false, 2},
		{"two roots, apart", []aged{root(120000), root(118900)}, false, 0},
		{"one root", []aged{root(120000)}, true, 0},
		{"a root and one ready thread", []aged{root(120000), ready(119500, 0)}, false, 0},
		{"a root and one ready thread, with the stop code", []aged{root(120000), ready(119500, 0)}, true, 2},
		{"a root and two ready threads", []aged{root(120000), ready(119500, 0), ready(119600, 0)}, false, 3},
		{"ready on different processors", []aged{root(120000), ready(119500, 0), ready(119600, 1)}, false, 0},
		{"ready on an unknown processor", []aged{root(120000), ready(119500, -1), ready(119600, -1)}, true, 0},
		{"only ready threads", []aged{ready(119500, 0), ready(119600, 0)}, true, 0},
		{"the larger of two groups", []aged{root(20000), root(20100), root(90000), root(90100), root(90200)}, false, 3},
	} {
		if got := sameAge(tc.as, tc.stopped); len(got) != tc.want {
			t.Errorf("%s: %d of %d", tc.name, len(got), len(tc.as))
		}
	}
}
