package inspect_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"kdlocks/heuristics"
	"kdlocks/inspect"
	"kdlocks/kd"
	"kdlocks/report"
	"kdlocks/snapshot"
	"kdlocks/transcript"
	"kdlocks/waitgraph"
)

// TestEvidenceHoldsItsAddress: the text at every evidence reference contains
// the address that the evidence is about, and is the line as it stands in the
// input.
func TestEvidenceHoldsItsAddress(t *testing.T) {
	for _, k := range loadCases(t) {
		t.Run(k.name, func(t *testing.T) { checkCaseEvidence(t, k.input) })
	}
}

func checkCaseEvidence(t *testing.T, input []byte) {
	t.Helper()
	lines := strings.Split(string(input), "\n")
	for _, f := range analyze(t, input).Findings {
		for _, e := range f.Evidence {
			if got := strings.ReplaceAll(strings.Join(lines[e.Line-1:max(e.Line, e.EndLine)], "\n"), "\r", ""); got != e.Text {
				t.Errorf("%s: line %d is %q, evidence says %q", f.ID, e.Line, got, e.Text)
			}
			runes := []rune(e.Text)
			if e.Column < 1 || e.Column-1+e.Length > len(runes) {
				t.Errorf("%s: line %d: column %d length %d outside %q", f.ID, e.Line, e.Column, e.Length, e.Text)
				continue
			}
			if !holds(unmangled(string(runes[e.Column-1:e.Column-1+e.Length])), e.Address) {
				t.Errorf("%s: line %d: %q does not hold %s", f.ID, e.Line, e.Text, e.Address)
			}
		}
	}
}

// TestWaitedLocksAreSpokenOf: where a list names a thread as waiting for a lock,
// a finding speaks of the thread or of the lock, or the verdict is open and what
// is missing names the lock; unless its own block shows that the thread does not
// wait, or the kernel grants its request at once.
func TestWaitedLocksAreSpokenOf(t *testing.T) {
	for _, k := range loadCases(t) {
		checkSpokenOf(t, k.name, k.input)
	}
	for _, c := range loadCorpus(t) {
		data, err := os.ReadFile("../testdata/corpus/" + c.File)
		if err != nil {
			t.Fatal(err)
		}
		checkSpokenOf(t, c.File, data)
	}
}

func checkSpokenOf(t *testing.T, name string, data []byte) {
	t.Helper()
	tr, err := transcript.Read(context.Background(), []transcript.Input{transcript.Bytes("input.txt", data)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range tr.Snapshots {
		j := heuristics.Judge(s)
		g := waitgraph.Build(s)
		for _, r := range s.Resources {
			for _, w := range slices.Concat(r.SharedWaiters, r.ExclusiveWaiters) {
				if w.Marker() || g.Elsewhere(w.Thread) != "" || ownsItself(r, w.Thread) || spokenOf(&j, r.Addr, w.Thread) {
					continue
				}
				t.Errorf("%s: %s: thread %x is listed as waiting for %x, and nothing is said of it", name, j.Verdict.Kind, w.Thread, r.Addr)
				break
			}
		}
	}
}

func ownsItself(r *snapshot.Resource, thread kd.Addr) bool {
	return slices.ContainsFunc(r.Resolved, func(o snapshot.Owner) bool { return o.Thread == thread && !o.Foreign() })
}

func spokenOf(j *heuristics.Judgement, lock, thread kd.Addr) bool {
	for _, f := range j.Findings {
		told := slices.Contains(f.Resources, lock)
		for _, ts := range [][]kd.Addr{f.Threads, f.Others, f.Bystanders} {
			told = told || slices.Contains(ts, thread)
		}
		for _, s := range slices.Concat(f.Cycle, f.Chain) {
			told = told || s.WaitsFor == lock
		}
		if told && f.Kind != heuristics.Context {
			return true
		}
	}
	return j.Undecided && slices.ContainsFunc(j.Gaps, func(g kd.Gap) bool {
		return g.Decides && strings.Contains(g.What, lock.Bare(j.Snap.Target.Arch))
	})
}

func holds(text, addr string) bool {
	plain := strings.ToLower(strings.ReplaceAll(text, "`", ""))
	return strings.Contains(plain, strings.TrimPrefix(addr, "0x"))
}

// TestFactsStayWhereTheyWereRead is the same for every fact of the model.
func TestFactsStayWhereTheyWereRead(t *testing.T) {
	for _, k := range loadCases(t) {
		checkFacts(t, k.name, k.input)
	}
}

// TestNoLineIsDroppedInSilence: each line is claimed, noise, or listed as not
// understood.
func TestNoLineIsDroppedInSilence(t *testing.T) {
	for _, k := range loadCases(t) {
		in := analyze(t, k.input).Inputs[0]
		if listed := len(in.NotUnderstood.Slice()); in.LinesUnderstood+listed != in.Lines {
			t.Errorf("%s: %d lines, %d understood, %d listed", k.name, in.Lines, in.LinesUnderstood, listed)
		}
		sum := func(c report.Coverage) int { return c.Claimed + c.Noise + c.NotUnderstood }
		n := sum(in.Outside)
		for _, sec := range in.Sections {
			n += sum(sec.Coverage)
			if most := sec.EndLine - sec.Line + 1; sum(sec.Coverage) > most {
				t.Errorf("%s: %d lines counted for %q, it has %d", k.name, sum(sec.Coverage), sec.Command, most)
			}
		}
		if n != in.Lines {
			t.Errorf("%s: %d lines counted, there are %d", k.name, n, in.Lines)
		}
	}
}

// TestSameBytesSameReport runs every case twice.
func TestSameBytesSameReport(t *testing.T) {
	for _, k := range loadCases(t) {
		if a, b := asJSON(t, analyze(t, k.input)), asJSON(t, analyze(t, k.input)); a != b {
			t.Errorf("%s: two runs differ", k.name)
		}
	}
}

func asJSON(t testing.TB, r *report.Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := report.JSON(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// gist is what a transformation that keeps the meaning must keep.
func gist(t testing.TB, data []byte) string {
	t.Helper()
	r := analyze(t, data)
	var out []string
	for _, f := range r.Findings {
		threads := slices.Sorted(slices.Values(f.Threads))
		out = append(out, fmt.Sprint(f.ID, f.Kind, f.Confidence, f.Grade, threads, f.BlockedThreads))
	}
	slices.Sort(out)
	return r.Verdict.Kind + "\n" + strings.Join(out, "\n")
}

var (
	hexWord    = regexp.MustCompile(`\b[0-9a-f]{8}(` + "`" + `?[0-9a-f]{8})?\b`)
	stackBreak = regexp.MustCompile("([0-9a-f]{8})`([0-9a-f]{8})")
	wide       = regexp.MustCompile(`\b([0-9a-f]{8})([0-9a-f]{8})\b`)
)

func lines(s string, f func(string) string) string {
	parts := strings.Split(strings.TrimSuffix(s, "\n"), "\n")
	for i := range parts {
		parts[i] = f(parts[i])
	}
	return strings.Join(parts, "\n") + "\n"
}

func utf16of(s string, big, mark bool) []byte {
	var out []byte
	if mark {
		s = "\ufeff" + s
	}
	for _, u := range utf16.Encode([]rune(s)) {
		if big {
			out = append(out, byte(u>>8), byte(u))
		} else {
			out = append(out, byte(u), byte(u>>8))
		}
	}
	return out
}

var transformations = []struct {
	name  string
	apply func(string) []byte
}{
	{"crlf", func(s string) []byte { return []byte(strings.ReplaceAll(s, "\n", "\r\n")) }},
	{"cr", func(s string) []byte { return []byte(strings.ReplaceAll(strings.ReplaceAll(s, "\r", ""), "\n", "\r")) }},
	{"mixed line ends", func(s string) []byte {
		n := 0
		return []byte(lines(s, func(l string) string {
			n++
			return strings.TrimRight(l, "\r") + strings.Repeat("\r", n%3)
		}))
	}},
	{"trailing blanks", func(s string) []byte {
		return []byte(lines(s, func(l string) string { return strings.TrimRight(l, "\r") + " \t " }))
	}},
	{"windows-1252", func(s string) []byte { return windows1252(s + "\nd\u00e9j\u00e0 vu \u2026\n") }},
	{"utf-8 mark", func(s string) []byte { return []byte("\ufeff" + s) }},
	{"utf-16le", func(s string) []byte { return utf16of(s, false, true) }},
	{"utf-16be", func(s string) []byte { return utf16of(s, true, true) }},
	{"utf-16le without mark", func(s string) []byte { return utf16of(s, false, false) }},
	{"utf-16be without mark", func(s string) []byte { return utf16of(s, true, false) }},
	{"tabs", func(s string) []byte {
		return []byte(lines(s, func(l string) string { return strings.ReplaceAll(l, "    ", "\t") }))
	}},
	{"collapsed blanks", func(s string) []byte {
		return []byte(lines(s, func(l string) string { return strings.Join(strings.Fields(l), " ") }))
	}},
	{"indented", func(s string) []byte {
		return []byte(lines(s, func(l string) string { return "        " + l }))
	}},
	{"quoted", func(s string) []byte {
		return []byte(lines(s, func(l string) string { return "> " + l }))
	}},
	{"quoted twice", func(s string) []byte {
		return []byte(lines(s, func(l string) string { return ">> " + l }))
	}},
	{"upper-case hex", func(s string) []byte {
		return []byte(hexWord.ReplaceAllStringFunc(s, strings.ToUpper))
	}},
	{"without backticks", func(s string) []byte { return []byte(stackBreak.ReplaceAllString(s, "$1$2")) }},
	{"with backticks", func(s string) []byte { return []byte(wide.ReplaceAllString(s, "$1`$2")) }},
	{"unknown lines mixed in", func(s string) []byte {
		return []byte(lines(s, func(l string) string { return l + "\n-- 8< -- cut here, said the ticket" }))
	}},
	{"blank lines mixed in", func(s string) []byte {
		return []byte(lines(s, func(l string) string { return l + "\n" }))
	}},
	{"no final line end", func(s string) []byte { return []byte(strings.TrimRight(s, "\n ")) }},
	{"pasted twice", func(s string) []byte { return []byte(s + "\n" + s) }},
}

// hasBanner tells cases in which a second paste is another session by its own
// banner or break-in, or by what was collected while the machine ran on.
func hasBanner(s string) bool {
	return strings.Contains(s, "Microsoft (R) Windows Debugger") || strings.Contains(s, "Break instruction exception") ||
		strings.Contains(s, "kdlocks-collect v1 begin live")
}

// mangledBefore tells cases whose text was mangled already.
func mangledBefore(name string) bool {
	return strings.HasPrefix(name, "wrapped-") || strings.HasPrefix(name, "numbered-") || strings.HasPrefix(name, "run-together-")
}

// changesWidths are the transformations that move what stands in the columns of
// a line.
var changesWidths = map[string]bool{"collapsed blanks": true, "tabs": true, "with backticks": true, "without backticks": true}

func TestMeaningKeepsVerdict(t *testing.T) {
	t.Parallel()
	for _, k := range loadCases(t) {
		want := gist(t, k.input)
		for _, tr := range transformations {
			if tr.name == "pasted twice" && (k.contradicts || hasBanner(string(k.input)) || machines(string(k.input)) > 1) {
				continue
			}
			if strings.HasPrefix(k.name, "wrapped-") && strings.HasSuffix(tr.name, "mixed in") {
				continue // pieces that something stands between are no line any more
			}
			if mangledBefore(k.name) && changesWidths[tr.name] {
				continue // where lines were cut or numbered is then no evidence any more
			}
			t.Run(k.name+"/"+tr.name, func(t *testing.T) {
				if got := gist(t, tr.apply(string(k.input))); got != want {
					t.Errorf("got:\n%s\nwant:\n%s", got, want)
				}
			})
		}
	}
}

// machines counts the sizes of physical memory that a text has, by which machines are told
// apart.
func machines(s string) int {
	sizes := make(map[string]bool)
	for _, m := range regexp.MustCompile(`Physical Memory: +(\d+)`).FindAllStringSubmatch(s, -1) {
		sizes[m[1]] = true
	}
	return len(sizes)
}

// TestOrderOfSectionsIsFree turns the sections of every case that has prompts
// around. Listings of pool and of virtual memory are an exception: what grew is told by
// their order alone, and the last one is judged.
func TestOrderOfSectionsIsFree(t *testing.T) {
	prompt := regexp.MustCompile(`(?m)^(\d+: )?l?kd> `)
	for _, k := range loadCases(t) {
		s := string(k.input)
		// .thread and the k behind it are one thing, .process and !cs, too.
		if k.contradicts || hasBanner(s) || strings.Contains(s, ".thread") || strings.Contains(s, "> .process") || strings.Count(s, "> !poolused") > 1 || strings.Count(s, "> !vm") > 1 || !prompt.MatchString(s) {
			continue
		}
		var sections []string
		at := prompt.FindAllStringIndex(s, -1)
		for i := range at {
			end := len(s)
			if i+1 < len(at) {
				end = at[i+1][0]
			}
			sections = append(sections, s[at[i][0]:end])
		}
		slices.Reverse(sections)
		turned := strings.Join(sections, "") + s[:at[0][0]]
		if got, want := gist(t, []byte(turned)), gist(t, k.input); got != want {
			t.Errorf("%s turned around:\n%s\nwant:\n%s", k.name, got, want)
		}
	}
}

// TestCuttingNeverAddsADeadlock cuts every case at every line and at many
// bytes. Left out are cases that contradict themselves: with the contradiction
// cut off, the rest may prove a deadlock.
func TestCuttingNeverAddsADeadlock(t *testing.T) {
	t.Parallel()
	for _, k := range loadCases(t) {
		if k.contradicts || analyze(t, k.input).Verdict.Kind == "deadlock" {
			continue
		}
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			for i := range k.input {
				if k.input[i] != '\n' && i%7 != 0 || thinned(i) {
					continue
				}
				noDeadlock(t, k.name, k.input[:i])
				if k.input[i] == '\n' {
					noDeadlock(t, k.name, k.input[:i+1])
				}
			}
		})
	}
}

// thinned leaves out four of five under the race detector: it looks for races,
// and the same tests run without it for all else.
func thinned(i int) bool { return underRace && i%5 != 0 }

func noDeadlock(t *testing.T, name string, data []byte) {
	t.Helper()
	r, err := inspect.Run(context.Background(), []inspect.Input{inspect.Bytes("in", data)}, inspect.Options{})
	if err != nil {
		return
	}
	if r.Verdict.Kind == "deadlock" {
		t.Errorf("%s cut to %d bytes: %s", name, len(data), r.Verdict.Summary)
	}
}

// FuzzRun: no input panics, a report or an error comes back, and the report is
// the same twice and marshals.
func FuzzRun(f *testing.F) {
	for _, k := range loadCases(f) {
		f.Add(k.input)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		in := []inspect.Input{inspect.Bytes("in", data)}
		r, err := inspect.Run(context.Background(), in, inspect.Options{})
		if (r == nil) != (err != nil) {
			t.Fatalf("report %v and error %v", r != nil, err)
		}
		if r == nil {
			return
		}
		for _, format := range report.Formats() {
			var text bytes.Buffer
			if err := report.WriterFor(format)(&text, r, report.Style{Width: 80}); err != nil {
				t.Fatal(err)
			}
			if format == "svg" || format == "html" {
				if err := wellFormed(text.String()); err != nil {
					t.Fatalf("%s: %v", format, err)
				}
			}
		}
		for i, p := range r.Picture().Panels {
			if err := countsAll(r, &p); err != nil {
				t.Fatalf("panel %d: %v", i+1, err)
			}
		}
		again, _ := inspect.Run(context.Background(), in, inspect.Options{})
		a, _ := json.Marshal(r)
		b, _ := json.Marshal(again)
		if !bytes.Equal(a, b) {
			t.Fatal("two runs differ")
		}
	})
}
