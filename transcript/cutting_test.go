package transcript_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/txtar"
	"golang.org/x/text/encoding/charmap"

	"kdlocks/bench/loggen"
	"kdlocks/inspect"
	"kdlocks/report"
	"kdlocks/transcript"
)

// log is one input of the tests.
type log struct {
	name string
	data []byte
}

// storedLogs are the inputs of all cases and captures of testdata.
func storedLogs(t testing.TB) []log {
	t.Helper()
	var out []log
	cases, _ := filepath.Glob("../testdata/cases/*.txtar")
	for _, p := range cases {
		a, err := txtar.ParseFile(p)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range a.Files {
			if f.Name == "input.txt" {
				out = append(out, log{filepath.Base(p), f.Data})
			}
		}
	}
	captures, _ := filepath.Glob("../testdata/corpus/*.log")
	for _, p := range append(captures, "../testdata/sis-self-deadlock.log") {
		data, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, log{filepath.Base(p), data})
	}
	if len(out) < 80 {
		t.Fatalf("%d logs in testdata", len(out))
	}
	return out
}

// generated writes a log of many THREAD blocks.
func generated(t testing.TB, opt loggen.Options) log {
	t.Helper()
	var b bytes.Buffer
	if _, err := loggen.Write(&b, opt); err != nil {
		t.Fatal(err)
	}
	return log{fmt.Sprintf("generated %+v", opt), b.Bytes()}
}

func (l log) in(f loggen.Form) log {
	var b bytes.Buffer
	w := f.Through(&b)
	w.Write(l.data)
	w.Close()
	return log{l.name + ", " + f.Name, b.Bytes()}
}

// generatedLogs are logs of every plant and form, and texts in which a THREAD
// block is followed by much that is none.
func generatedLogs(t testing.TB) []log {
	t.Helper()
	var out []log
	for i, plant := range []loggen.Plant{loggen.OwnerPointer, loggen.Cycle, loggen.Nothing} {
		for args := range loggen.Args(3) {
			l := generated(t, loggen.Options{Seed: uint64(i), Threads: 40, Plant: plant, Args: args})
			out = append(out, l)
			if int(args) != i {
				continue
			}
			for _, f := range loggen.Forms {
				out = append(out, l.in(f))
			}
		}
	}
	one := out[0]
	process := bytes.LastIndex(one.data, []byte("\nPROCESS "))
	processes := strings.Repeat("PROCESS ffffac9d5d0c6080\n    SessionId: none  Cid: 0004    Peb: 00000000  ParentCid: 0000\n", 100)
	return append(out,
		log{"processes behind", append(one.data[:process+1:process+1], processes...)},
		log{"blank lines mixed in", bytes.ReplaceAll(one.data, []byte("\n"), []byte("\n\n"))},
		log{"prose behind each process", bytes.ReplaceAll(one.data, []byte("PROCESS "), []byte(strings.Repeat("and so on\n", 90)+"PROCESS "))},
		log{"all twice", append(one.data[:len(one.data):len(one.data)], one.data...)},
	)
}

// reported is the report of an input as JSON, or the error.
func reported(t testing.TB, data []byte) string {
	t.Helper()
	return reportedBut(t, data, func(*report.Report) {})
}

// judgementOf leaves the verdict, the findings and the resources of a report.
// How well lines are repaired that were cut inside words depends on how many are
// looked at together.
func judgementOf(r *report.Report) {
	r.Inputs, r.Notes, r.Threads, r.Waits = nil, nil, report.List[report.Thread]{}, report.List[report.Wait]{}
}

func reportedBut(t testing.TB, data []byte, edit func(*report.Report)) string {
	t.Helper()
	r, err := inspect.Run(context.Background(), []inspect.Input{inspect.Bytes("in", data)}, inspect.Options{})
	if r == nil {
		return err.Error()
	}
	edit(r)
	var b bytes.Buffer
	if err := report.JSON(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestReportKnowsNothingOfChunks: neither where an input is cut, nor how many
// processors read it, nor whether THREAD blocks are skimmed shows in a report.
func TestReportKnowsNothingOfChunks(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for _, l := range append(storedLogs(t), generatedLogs(t)...) {
		runtime.GOMAXPROCS(1)
		transcript.Cutting(t, transcript.ChunkSize, true)
		edit := func(*report.Report) {}
		if strings.HasSuffix(l.name, "hard80") {
			edit = judgementOf
		}
		want := reportedBut(t, l.data, edit)
		for _, size := range []int64{256, 512, 1000, 4096, 1 << 14, 1 << 16, transcript.ChunkSize} {
			transcript.Cutting(t, size, false)
			for _, procs := range []int{1, 2, 4} {
				runtime.GOMAXPROCS(procs)
				if got := reportedBut(t, l.data, edit); got != want {
					t.Errorf("%s, chunks of %d, %d processors: %s", l.name, size, procs, firstDifference(got, want))
				}
				if size > 1000 && size < transcript.ChunkSize || int64(len(l.data)) <= size {
					break
				}
			}
		}
	}
}

// firstDifference quotes the first lines of two texts that differ.
func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return fmt.Sprintf("line %d is\n%s\nwant\n%s", i+1, g[i], w[i])
		}
	}
	return fmt.Sprintf("%d lines, want %d", len(g), len(w))
}

// encodings are how a text may be stored.
var encodings = []struct {
	name  string
	apply func(string) []byte
}{
	{"as it is", func(s string) []byte { return []byte(s) }},
	{"UTF-8 with mark", func(s string) []byte { return []byte("\ufeff" + s) }},
	{"UTF-16LE", func(s string) []byte { return wide("\ufeff"+s, false) }},
	{"UTF-16BE", func(s string) []byte { return wide("\ufeff"+s, true) }},
	{"UTF-16LE without mark", func(s string) []byte { return wide(s, false) }},
	{"CRLF", func(s string) []byte { return []byte(strings.ReplaceAll(s, "\n", "\r\n")) }},
	{"CR", func(s string) []byte { return []byte(strings.ReplaceAll(s, "\n", "\r")) }},
	{"UTF-16LE, CR", func(s string) []byte { return wide("\ufeff"+strings.ReplaceAll(s, "\n", "\r"), false) }},
	{"Windows-1252", func(s string) []byte { return []byte(strings.ReplaceAll(s, "e", "\xe9")) }},
	{"no final line end", func(s string) []byte { return []byte(strings.TrimRight(s, "\n")) }},
	{"astral", func(s string) []byte { return wide("\ufeff"+strings.ReplaceAll(s, "0", "\U0001f512"), false) }},
	{"one line", func(s string) []byte { return []byte(strings.ReplaceAll(s, "\n", " ")) }},
	{"one astral line", func(s string) []byte {
		return wide("\ufeff"+strings.NewReplacer("\n", " ", "0", "\U0001f512").Replace(s), false)
	}},
}

func wide(s string, big bool) []byte {
	var out []byte
	for _, u := range utf16.Encode([]rune(s)) {
		if big {
			out = append(out, byte(u>>8), byte(u))
		} else {
			out = append(out, byte(u), byte(u>>8))
		}
	}
	return out
}

// TestLinesAreTheInput is law 2: the lines, put together again, are the input,
// and each has one fate, wherever the input is cut.
func TestLinesAreTheInput(t *testing.T) {
	logs := storedLogs(t)
	for _, f := range []int{0, 4, 5} {
		logs = append(logs, generatedLogs(t)[f])
	}
	for _, l := range logs {
		text := strings.ReplaceAll(string(l.data), "\r\n", "\n")
		if !utf8.ValidString(text) {
			b, _ := charmap.Windows1252.NewDecoder().String(text)
			text = b
		}
		for _, e := range encodings {
			data := e.apply(text)
			want := split(data)
			for _, size := range []int64{256, 514, 1 << 12, transcript.ChunkSize} {
				transcript.Cutting(t, size, false)
				checkLines(t, fmt.Sprintf("%s, %s, chunks of %d", l.name, e.name, size), data, want)
			}
		}
	}
}

func checkLines(t *testing.T, name string, data []byte, want []string) {
	t.Helper()
	tr, err := transcript.Read(context.Background(), []transcript.Input{transcript.Bytes("in", data)}, nil)
	if err != nil && !errors.Is(err, transcript.ErrNothing) {
		t.Errorf("%s: %v", name, err)
		return
	}
	src := &tr.Sources[0]
	if src.Lines() != len(want) || len(src.Status) != len(want) {
		t.Errorf("%s: %d lines with %d fates, want %d", name, src.Lines(), len(src.Status), len(want))
		return
	}
	for n := range want {
		if got := src.Line(int32(n) + 1); got != want[n] {
			t.Errorf("%s: line %d is %.200q, want %.200q", name, n+1, got, want[n])
			return
		}
		if st := src.Status[n]; st > transcript.Noise {
			t.Errorf("%s: line %d has the fate %d", name, n+1, st)
		}
	}
	if src.Line(0) != "" || src.Line(int32(len(want))+1) != "" {
		t.Errorf("%s: there is a line before the first or behind the last", name)
	}
}

// split decodes an input at once and cuts it into lines.
func split(data []byte) []string {
	text := string(data)
	little, big := bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff"))
	if little || big || len(data) > 1 && data[1] == 0 {
		var units []uint16
		for i := 0; i+1 < len(data); i += 2 {
			lo, hi := data[i], data[i+1]
			if big {
				lo, hi = hi, lo
			}
			units = append(units, uint16(hi)<<8|uint16(lo))
		}
		text = string(utf16.Decode(units))
	}
	text = strings.TrimPrefix(text, "\ufeff")
	if !strings.Contains(text, "\n") {
		text = strings.ReplaceAll(text, "\r", "\n")
	}
	if text == "" {
		return nil
	}
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, "\r")
		if !utf8.ValidString(l) {
			lines[i], _ = charmap.Windows1252.NewDecoder().String(lines[i])
		}
	}
	return lines
}

// TestSkimmingChangesNothing damages logs in a few places, at random, and
// reads them with all THREAD blocks skimmed that can be, and with none.
func TestSkimmingChangesNothing(t *testing.T) {
	skimmed := 0
	for i := range 250 {
		rng := rand.New(rand.NewPCG(uint64(i), 1))
		opt := loggen.Options{Seed: uint64(i), Threads: 24, Plant: loggen.Plant(i % 3), Args: loggen.Args(i / 3 % 3)}
		l := generated(t, opt)
		data := damaged(rng, l.data, 1+rng.IntN(8))
		transcript.Cutting(t, 1<<rng.IntN(8)<<10, true)
		want := reported(t, data)
		transcript.Cutting(t, 1<<rng.IntN(8)<<10, false)
		if got := reported(t, data); got != want {
			t.Errorf("seed %d: %s", i, firstDifference(got, want))
		}
		tr, _ := transcript.Read(context.Background(), []transcript.Input{transcript.Bytes("in", data)}, nil)
		for _, s := range tr.Snapshots {
			skimmed += len(s.Skimmed())
		}
	}
	if skimmed < 1000 {
		t.Errorf("%d threads were skimmed", skimmed)
	}
}

// strange are lines that stand where a debugger did not print them.
var strange = []string{
	"", "kd> !locks", "0: kd> !process 0 7", "0: kd> g", "16.0: kd> k", "Child-SP          RetAddr           Call Site",
	"THREAD ffffcb0000000080", "        THREAD ffffcb0000000080  Cid 0004.0008  Teb: 0000000000000000 Win32Thread: 0000000000000000 TERMINATED",
	"THREAD 8a169530  Cid 0004.0010  Teb: 00000000 Win32Thread: 00000000 RUNNING on processor 0",
	"Resource @ 0xffffcb8200000000    Exclusively owned", "     Threads: ffffcb0000000080-01<*> ", "     Threads Waiting On Exclusive Access:",
	"              ffffcb0000000080       ", "PROCESS ffffcb8a00000080", "        Kernel stack not resident.", "> quoted", "&lt;b&gt; ",
	"Debug session time: Mon Nov  2 10:00:00.000 2026", "System Uptime: 0 days 0:05:11.500", "16088 total locks, 3 locks currently held",
	"ffffcb0000000080 is not a thread object, interpreting as stack value...", "TYPE mismatch for thread object at ffffcb0000000080",
	"fffff880`07fab3e0 fffff800`0228da52 nt!ExpWaitForResource+0x7a", "  .reload", "caf\u00e9 <b>bold</b>", "rax=0000000000000000 rbx=0000000000000000",
	"  0  Id: 1 Suspend: 1 Teb: 2", "Proc.Thread  .Thread  Ticks   ThreadState Blocker", "System Processors:  (000000000000000f)",
	"Implicit thread is now ffffcb00`00000080", "*** Fatal System Error: 0x0000009f", "Break instruction exception - code 80000003 (first chance)",
}

// damaged changes some lines of a text.
func damaged(rng *rand.Rand, data []byte, times int) []byte {
	lines := strings.Split(string(data), "\n")
	for range times {
		i := rng.IntN(len(lines))
		if rng.IntN(2) == 0 { // near a head
			for i < len(lines)-1 && !strings.Contains(lines[i], "THREAD ") {
				i++
			}
			i = max(0, min(len(lines)-1, i+rng.IntN(5)-2))
		}
		switch l := lines[i]; rng.IntN(8) {
		case 0:
			lines = slices.Delete(lines, i, i+1)
		case 1:
			lines = slices.Insert(lines, i, l)
		case 2:
			lines[i] = l[:rng.IntN(len(l)+1)]
		case 3:
			j := rng.IntN(len(lines))
			lines[i], lines[j] = lines[j], l
		case 4:
			if len(l) > 0 {
				at := rng.IntN(len(l))
				lines[i] = l[:at] + string("0f .:`(\t\r\xe9"[rng.IntN(10)]) + l[at+1:]
			}
		case 5: // a block twice
			end := min(len(lines), i+20+rng.IntN(40))
			lines = slices.Insert(lines, i, slices.Clone(lines[i:end])...)
		default:
			lines = slices.Insert(lines, i, strange[rng.IntN(len(strange))])
		}
	}
	return []byte(strings.Join(lines, "\n"))
}
