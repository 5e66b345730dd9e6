package inspect_test

import (
	"context"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"kdlocks/inspect"
	"kdlocks/kd"
	"kdlocks/report"
	"kdlocks/transcript"
)

// TestManglingKeepsTheFindings plants deadlocks and innocents and mangles the
// text: the findings are those of the clean text, whatever the encoding.
func TestManglingKeepsTheFindings(t *testing.T) {
	t.Parallel()
	for i, p := range append(slices.Clone(deadlocks), innocents...) {
		for k := range 2 {
			d := dialects[(i+3*k)%len(dialects)]
			if p.on64 && d.x86 {
				d = dialects[2+(i+k)%5]
			}
			st := styles[(i+5*k)%len(styles)]
			s := newScene(uint64(100+i), d, st, 30, p)
			t.Run(p.name+"/"+d.name+"/"+st.name, func(t *testing.T) { checkManglings(t, s, i+k) })
		}
	}
}

func checkManglings(t *testing.T, s scene, turn int) {
	plain := runText(t, []byte(s.text()))
	for i, m := range manglings {
		if thinned(i + turn) {
			continue
		}
		text, _ := m.apply(rand.New(rand.NewPCG(uint64(i), 9)), s.sections)
		e := encodings[(i+turn)%len(encodings)]
		text, data := e.apply(nil, []string{text})
		r := runText(t, data)
		if r.Verdict.Kind != plain.Verdict.Kind || !slices.Equal(kindKeys(r), kindKeys(plain)) {
			t.Errorf("%s, %s: verdict %s instead of %s, findings\n%v\ninstead of\n%v", m.name, e.name, r.Verdict.Kind, plain.Verdict.Kind, kindKeys(r), kindKeys(plain))
		}
		checkPlaces(t, r, text)
		if c := s.compare(r); len(c.wrong) > 0 {
			t.Errorf("%s, %s: %d of %d facts are wrong:\n%s\nnotes %v", m.name, e.name, len(c.wrong), c.total, strings.Join(c.wrong[:min(4, len(c.wrong))], "\n"), r.Notes)
		}
	}
}

// kindKeys are the ids, kinds, threads and resources of all findings.
func kindKeys(r *report.Report) []string {
	var out []string
	for _, f := range r.Findings {
		out = append(out, strings.Join(append(append([]string{f.Kind, f.ID}, inOrder(f.Threads)...), inOrder(f.Resources)...), " "))
	}
	return inOrder(out)
}

// TestMangledCapturesKeepTheirTruth mangles the captures where that keeps
// their meaning.
func TestMangledCapturesKeepTheirTruth(t *testing.T) {
	for _, c := range loadCorpus(t) {
		data, err := os.ReadFile("../testdata/corpus/" + c.File)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range manglings {
			if strings.Count(string(data), "\n") < 3 {
				continue // too few lines to show what stands in front of each
			}
			t.Run(c.File+"/"+m.name, func(t *testing.T) {
				_, mangled := m.apply(nil, []string{strings.ReplaceAll(string(data), "\r\n", "\n")})
				r := analyze(t, mangled)
				if strings.Contains(m.name, "wrap") {
					compareWrapped(t, c, r)
				} else {
					compareTruth(t, c, r)
				}
			})
		}
	}
}

// tooWide are the captures whose stacks are wider than any of the kernel debugger:
// the repair step does not know the columns of Visual Studio.
var tooWide = []string{"030-openzfs-317-excl-with-shared-waiters.log"}

// compareWrapped compares what a narrow window leaves readable.
func compareWrapped(t *testing.T, c capture, r *report.Report) {
	t.Helper()
	compareResources(t, c, r)
	compareRows(t, c, r)
	compareProcesses(t, c, r)
	compareHeadless(t, c, r)
	compareTotals(t, c, r)
	compareTimeouts(t, c, r)
	if !slices.Contains(tooWide, c.File) {
		compareThreads(t, c, r)
		compareStacks(t, c, r)
	}
}

// mangledInMoreWays are the cases of which a mangling more may hide all.
var mangledInMoreWays = []string{"wrapped-mex", "wrapped-and-doubled", "wrapped-marked-list"}

// TestManglingAddsNoDeadlock mangles every case. What a case does not show, its
// mangled text does not show either; what it shows may be lost only to a weaker
// verdict, or to none if it was mangled in more ways before.
func TestManglingAddsNoDeadlock(t *testing.T) {
	t.Parallel()
	weaker, runs := 0, 0
	for _, k := range loadCases(t) {
		if k.contradicts {
			continue
		}
		want := analyze(t, k.input).Verdict.Kind
		twice := slices.Contains(mangledInMoreWays, k.name)
		for i, m := range manglings {
			if thinned(i + len(k.name)) {
				continue
			}
			text, data := m.apply(nil, []string{strings.ReplaceAll(string(k.input), "\r\n", "\n")})
			r, err := inspect.Run(context.Background(), []inspect.Input{inspect.Bytes("in", data)}, inspect.Options{})
			if r == nil {
				if want == "deadlock" && !twice {
					t.Errorf("%s, %s: %v", k.name, m.name, err)
				}
				continue
			}
			runs++
			got := r.Verdict.Kind
			if got != want {
				weaker++
				lost := twice && got == "undecided"
				if got == "deadlock" || got == "orphaned-lock" && want != "deadlock" || want == "deadlock" && got != "suspected-deadlock" && !lost {
					t.Errorf("%s, %s: verdict %s instead of %s", k.name, m.name, got, want)
				}
			}
			in := r.Inputs[0]
			if in.LinesUnderstood+len(in.NotUnderstood.Slice()) != in.Lines {
				t.Errorf("%s, %s: %d lines, %d understood, %d listed", k.name, m.name, in.Lines, in.LinesUnderstood, len(in.NotUnderstood.Slice()))
			}
			checkPlaces(t, r, text)
			checkFacts(t, k.name+", "+m.name, data)
		}
	}
	t.Logf("%d of %d mangled cases have another verdict", weaker, runs)
}

// TestWrappedMexTables breaks the tables of mex at every width. What is lost is
// not made up for, and in a window of the usual width nothing is.
func TestWrappedMexTables(t *testing.T) {
	for _, k := range loadCases(t) {
		if !strings.HasPrefix(k.name, "mex-") {
			continue
		}
		text := strings.ReplaceAll(string(k.input), "\r\n", "\n")
		want := analyze(t, k.input).Verdict.Kind
		for width := 40; width < 180; width++ {
			for i, wrap := range []func(int) func(string) string{wrapAtBlanks, wrapHard} {
				r, err := inspect.Run(context.Background(), []inspect.Input{inspect.Bytes("in", []byte(wrap(width)(text)))}, inspect.Options{})
				switch {
				case r == nil && width < 66:
				case r == nil:
					t.Errorf("%s at %d/%d: %v", k.name, width, i, err)
				case i == 1 && want == "deadlock" && r.Verdict.Kind == "suspected-deadlock": // a seam inside an address
				case r.Verdict.Kind != want && (width >= 66 || r.Verdict.Kind != "undecided"):
					t.Errorf("%s at %d/%d: verdict %s instead of %s", k.name, width, i, r.Verdict.Kind, want)
				}
			}
		}
	}
}

// checkFacts holds every fact against the text at its place.
func checkFacts(t *testing.T, name string, data []byte) {
	t.Helper()
	tr, _ := transcript.Read(context.Background(), []transcript.Input{transcript.Bytes("in", data)}, nil)
	for _, s := range tr.Snapshots {
		s.Places(func(at kd.Ref, a kd.Addr) {
			text := linesOf(&tr.Sources[at.Input], at)
			if piece := unmangled(text[at.Col-1 : at.Col-1+at.Len]); !strings.Contains(piece, strings.TrimPrefix(a.String(), "0x")) {
				t.Errorf("%s:%d: %q does not hold %s", name, at.Line, piece, a)
			}
		})
	}
}

// linesOf returns the lines of a place as they stand in the input.
func linesOf(src *transcript.Source, at kd.Ref) string {
	text := src.Line(at.Line)
	for n := at.Line + 1; n <= at.EndLine(); n++ {
		text += "\n" + src.Line(n)
	}
	return text
}
