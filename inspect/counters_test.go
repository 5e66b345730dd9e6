package inspect_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"kdlocks/inspect"
	"kdlocks/report"
)

// counterText is a log of counters of a machine, a sample every ten minutes from an
// hour on to another.
func counterText(machine string, from, to float64, columns map[string]func(h float64) float64, order ...string) string {
	var b strings.Builder
	b.WriteString(`"(PDH-CSV 4.0) (Pacific Standard Time)(480)"`)
	for _, c := range order {
		fmt.Fprintf(&b, `,"\\%s\%s"`, machine, c)
	}
	b.WriteString("\r\n")
	start := time.Date(2026, 9, 1, 0, 0, 0, 250e6, time.UTC)
	for i := int(from * 6); i <= int(to*6); i++ {
		h := float64(i) / 6
		b.WriteString(start.Add(time.Duration(i) * 10 * time.Minute).Format(`"01/02/2006 15:04:05.000"`))
		for _, c := range order {
			// Some noise, the same in every run.
			fmt.Fprintf(&b, `,"%.6f"`, columns[c](h)*(1+0.002*float64(i*7919%11-5)/5))
		}
		b.WriteString("\r\n")
	}
	return b.String()
}

const (
	poolNonPaged = `Memory\Pool Nonpaged Bytes`
	poolPaged    = `Memory\Pool Paged Bytes`
	mb           = 1 << 20
)

func runOn(t *testing.T, inputs ...inspect.Input) *report.Report {
	t.Helper()
	r, err := inspect.Run(context.Background(), inputs, inspect.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// leaking is a pool that grows by 10 MB an hour.
var leaking = map[string]func(float64) float64{
	poolNonPaged: func(h float64) float64 { return (100 + 10*h) * mb },
	poolPaged:    func(h float64) float64 { return 250 * mb },
}

// TestCounterFilesOfOneMachine holds that files that follow each other are one log, and
// that files of two machines are not.
func TestCounterFilesOfOneMachine(t *testing.T) {
	first := inspect.Bytes("1.csv", []byte(counterText("SRV1", 0, 15, leaking, poolNonPaged, poolPaged)))
	second := inspect.Bytes("2.csv", []byte(counterText("srv1", 15.5, 30, leaking, poolNonPaged, poolPaged)))
	other := inspect.Bytes("3.csv", []byte(counterText("SRV2", 15.5, 30, leaking, poolNonPaged, poolPaged)))
	if r := runOn(t, first); r.Verdict.Kind != "undecided" {
		t.Errorf("half a day: %s", r.Verdict.Kind)
	}
	for _, in := range [][]inspect.Input{{first, second}, {second, first}} {
		if r := runOn(t, in...); r.Verdict.Kind != "memory-leak" || len(r.Sessions) != 0 {
			t.Errorf("two halves: %s, %d sessions", r.Verdict.Kind, len(r.Sessions))
		}
	}
	if r := runOn(t, first, other); r.Verdict.Kind != "undecided" || len(r.Sessions) != 2 {
		t.Errorf("two machines: %s, %d sessions", r.Verdict.Kind, len(r.Sessions))
	}
}

// TestCountersFallAtRestarts holds that runs too short to judge are no leak together,
// that a run that is long enough is judged, and that without an uptime a common fall is
// neither a restart nor load that fell.
func TestCountersFallAtRestarts(t *testing.T) {
	every := 13.0
	run := func(h float64) float64 { return math.Mod(h, every) }
	const committed, uptime = `Memory\Committed Bytes`, `System\System Up Time`
	columns := map[string]func(float64) float64{
		poolNonPaged: func(h float64) float64 { return (60 + 10*run(h)) * mb },
		poolPaged:    func(h float64) float64 { return (120 + 8*run(h)) * mb },
		committed:    func(h float64) float64 { return (900 + 200*run(h)) * mb },
		uptime:       func(h float64) float64 { return 60 + 3600*run(h) },
	}
	for _, c := range []struct {
		every, to float64
		order     []string
		verdict   string
		restarts  int
		leaks     bool
		says      string
	}{
		{13, 38, []string{poolNonPaged, poolPaged, committed}, "undecided", 0, false, ""},
		{13, 38, []string{poolNonPaged, poolPaged, committed, uptime}, "undecided", 2, false, "without a restart"},
		{30, 59, []string{poolNonPaged, uptime}, "memory-leak", 1, true, "leaks: it grows"},
		{40, 50, []string{poolNonPaged, uptime}, "memory-leak", 1, true, "in a run before its last restart"},
	} {
		every = c.every
		r := runOn(t, inspect.Bytes("a.csv", []byte(counterText("S", 0, c.to, columns, c.order...))))
		first := r.Memory.Counters.Trends[0]
		if r.Verdict.Kind != c.verdict || first.Restarts != c.restarts || first.Leaks != c.leaks || !strings.Contains(r.Verdict.Summary, c.says) {
			t.Errorf("a restart every %.0f h: %s, %d restarts, %s: %s", c.every, r.Verdict.Kind, first.Restarts, first.Shape, r.Verdict.Summary)
		}
	}
}

// TestCountersAndVM holds that the size of memory is taken from !vm of the same input.
func TestCountersAndVM(t *testing.T) {
	vm := "0: kd> !vm 1\n\n*** Virtual Memory Usage ***\n\tPhysical Memory:      262144 (   1048576 Kb)\n\tAvailable Pages:       44000 (    176000 Kb)\n"
	r := runOn(t, inspect.Bytes("kd.log", []byte(vm)), inspect.Bytes("a.csv", []byte(counterText("S", 0, 30, leaking, poolNonPaged, poolPaged))))
	c := r.Memory.Counters.Trends[0]
	if !c.Leaks || c.RAMPercent == nil || *c.RAMPercent < 37 || *c.RAMPercent > 40 {
		t.Errorf("%s, share %v", c.Shape, c.RAMPercent)
	}
	if !strings.Contains(r.Verdict.Summary, "% of the RAM of 1.0 GB") {
		t.Error(r.Verdict.Summary)
	}
}

// TestCountersInAnyForm holds that quoting, encoding and line ends change nothing.
func TestCountersInAnyForm(t *testing.T) {
	plain := counterText("SRV1", 0, 30, leaking, poolNonPaged, poolPaged)
	want := runOn(t, inspect.Bytes("a", []byte(plain)))
	for name, text := range map[string]string{
		"quoted":      "> " + strings.ReplaceAll(strings.TrimSuffix(plain, "\r\n"), "\r\n", "\r\n> "),
		"bom":         "\ufeff" + plain,
		"unix":        strings.ReplaceAll(plain, "\r\n", "\n"),
		"utf-16":      utf16Text(plain),
		"cut at last": strings.TrimSuffix(plain, "\"\r\n"),
	} {
		got := runOn(t, inspect.Bytes("a", []byte(text)))
		if got.Verdict != want.Verdict {
			t.Errorf("%s: %s", name, got.Verdict.Summary)
		}
		for _, in := range got.Inputs {
			if in.LinesUnderstood != in.Lines {
				t.Errorf("%s: %d of %d lines understood", name, in.LinesUnderstood, in.Lines)
			}
		}
	}
}

func utf16Text(s string) string {
	b := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(s)) {
		b = append(b, byte(u), byte(u>>8))
	}
	return string(b)
}

// TestWideCounterLog holds that a log of very many columns, most of which nothing asks
// for, is read and judged.
func TestWideCounterLog(t *testing.T) {
	columns := map[string]func(float64) float64{}
	var order []string
	for i := range 300 {
		for _, c := range []string{"Private Bytes", "Page Faults/sec", "Handle Count", "Virtual Bytes", "IO Data Bytes/sec"} {
			name := fmt.Sprintf(`Process(svchost#%d)\%s`, i, c)
			grows := i == 150 && c == "Private Bytes"
			columns[name] = func(h float64) float64 {
				if grows {
					return (50 + 5*h) * mb
				}
				return 40_000
			}
			order = append(order, name)
		}
	}
	r := runOn(t, inspect.Bytes("wide.csv", []byte(counterText("S", 0, 26, columns, order...))))
	if r.Verdict.Kind != "memory-leak" || len(r.Findings) != 1 || !strings.Contains(r.Verdict.Summary, "svchost#150") {
		t.Errorf("%s: %s (%d findings)", r.Verdict.Kind, r.Verdict.Summary, len(r.Findings))
	}
	if log := r.Memory.Counters.Logs[0]; log.Columns != 600 || log.OtherColumn != 900 {
		t.Errorf("%d columns used, %d not", log.Columns, log.OtherColumn)
	}
}
