package inspect_test

import (
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"kdlocks/report"
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
				compareResources(t, c, r)
				compareRows(t, c, r)
				if !mex[c.File] {
					compareThreads(t, c, r)
					compareStacks(t, c, r)
				}
			})
		}
	}
}
