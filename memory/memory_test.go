package memory_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"kdlocks/kd"
	"kdlocks/memory"
)

// sample is an entry of testdata/INDEX.yaml, File its path from here.
type sample struct {
	File, Source string
	VM           *struct {
		Usage      int64   `yaml:"nonpaged_usage"`
		Max        int64   `yaml:"nonpaged_max"`
		Percent    float64 `yaml:"nonpaged_pct"`
		Raw        float64 `yaml:"raw_pct"`
		Nx         int64   `yaml:"nx_usage"`
		PagedUsage int64   `yaml:"paged_usage"`
		PagedMax   int64   `yaml:"paged_max"`
		Paged      float64 `yaml:"paged_pct"`
		Commit     float64 `yaml:"commit_pct"`
		OverRAM    string  `yaml:"over_ram"`
		PageFile   int64   `yaml:"page_file"`
		Failed     int64
		Excessive  bool
		Printed    int64 `yaml:"printed_pct"`
		Counters   int
	}
	Pool *struct {
		Tool, Sort, Cut, Top, Session string
		SessionID                     *int64 `yaml:"session_id"`
		Rows, Limit                   int
		Total                         []int64
		Gauges                        map[string]int64
	}
	Blocks *struct {
		Tool, Tag, Asked string
		Rows, Free       int
		Bytes            int64
	}
	Counts *struct {
		Tool, Throttled string
		Kb, Pages       map[string]int64
	}
	Tags map[string]struct {
		NP, P                      []int64
		Made, Freed                int64
		PerAlloc                   int64 `yaml:"per_alloc"`
		NPRank                     int   `yaml:"np_rank"`
		PagedRank                  int   `yaml:"paged_rank"`
		Driver, Comment, Described string
	}
}

func samples(t testing.TB) []sample {
	t.Helper()
	text, err := os.ReadFile("testdata/INDEX.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var out []sample
	if err := yaml.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// read reads a text as a transcript would give it: prompts are told.
func read(text string) (l memory.Listing, strange []string) {
	var r memory.Reader
	for _, line := range kd.Lines(text) {
		if _, command, ok := strings.Cut(line.Text, "kd> "); ok {
			r.Break()
			r.Typed(command, kd.Ref{})
			continue
		}
		if !r.Line(line) && line.Text != "" {
			strange = append(strange, line.Text)
		}
	}
	if got := r.Done(); got != nil {
		l = *got
	}
	return l, strange
}

// n is a number for comparing: -1 if it is unknown.
func n(x memory.Number) int64 {
	if !x.Known() {
		return -1
	}
	return x.N
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

// percent rounds as the truth does; 0 is unknown.
func percent(p float64, ok bool) float64 {
	if !ok {
		return 0
	}
	return math.Round(10*p) / 10
}

// or is what a number is where the truth tells it.
func or(want int64) int64 {
	if want == 0 {
		return -1
	}
	return want
}

func TestSamples(t *testing.T) {
	for _, s := range samples(t) {
		t.Run(filepath.Base(s.File), func(t *testing.T) {
			text, err := os.ReadFile(s.File)
			if err != nil {
				t.Fatal(err)
			}
			l, _ := read(string(text))
			if got := len(l.VMs) == 1; got != (s.VM != nil) {
				t.Fatalf("%d outputs of !vm", len(l.VMs))
			}
			if got := len(l.Pools) == 1; got != (s.Pool != nil) {
				t.Fatalf("%d listings of pool", len(l.Pools))
			}
			checkVM(t, s, l)
			checkPool(t, s, l)
			checkBlocks(t, s, l)
			checkCounts(t, s, l)
			checkPlaces(t, string(text), l)
		})
	}
}

func checkVM(t *testing.T, s sample, l memory.Listing) {
	if s.VM == nil {
		return
	}
	v, want := l.VMs[0], s.VM
	same(t, "usage", n(v.Pages(memory.NonPagedPoolUsage)), want.Usage)
	same(t, "maximum", n(v.Pages("nonpagedpool max")), want.Max)
	same(t, "percent", percent(v.NonPagedPercent()), want.Percent)
	raw := want.Raw
	if raw == 0 {
		raw = want.Percent
	}
	same(t, "printed percent", percent(v.PrintedNonPagedPercent()), raw)
	same(t, "no-execute usage", n(v.Pages(memory.NonPagedPoolNxUsage)), or(want.Nx))
	same(t, "paged usage", n(v.Pages(memory.PagedPoolUsage)), or(want.PagedUsage))
	same(t, "paged maximum", n(v.Pages(memory.PagedPoolMaximum)), or(want.PagedMax))
	same(t, "paged percent", percent(v.PagedPercent()), want.Paged)
	same(t, "committed percent", percent(v.CommitPercent()), want.Commit)
	same(t, "above physical memory", v.NonPagedOverRAM(), want.OverRAM)
	same(t, "paging file", n(v.PageFiles[0].Current), want.PageFile)
	same(t, "failed", n(v.Failed("pool allocations")), or(want.Failed))
	same(t, "warning", v.Banner("excessive nonpaged") != nil, want.Excessive)
	same(t, "percent line", n(v.Percent), or(want.Printed))
	same(t, "counters", len(v.Counters), want.Counters)
	notes := 0
	if want.OverRAM == "yes" {
		notes = 1
	}
	same(t, "notes", len(l.Notes), notes)
}

func checkPool(t *testing.T, s sample, l memory.Listing) {
	if s.Pool == nil {
		return
	}
	p, want := l.Pools[0], s.Pool
	same(t, "tool", p.Tool, want.Tool)
	same(t, "order", p.Sort, want.Sort)
	same(t, "rows", len(p.Rows), want.Rows)
	same(t, "cut", p.Cut(), want.Cut)
	same(t, "limit", p.Limit, want.Limit)
	if want.Session != "" {
		same(t, "of a session", p.OfSession, want.Session)
	}
	if id := want.SessionID; id != nil {
		same(t, "session", n(p.SessionID), *id)
	}
	if want.Top != "" {
		same(t, "first tag", p.Rows[0].Tag, memory.Tag(want.Top))
	}
	if want.Total != nil {
		t1, t2 := p.Total.NonPaged, p.Total.Paged
		same(t, "total", []int64{n(t1.Allocs), n(t1.Bytes), n(t2.Allocs), n(t2.Bytes)}, want.Total)
	}
	for name, v := range want.Gauges {
		same(t, name, n(p.Gauge(name)), v)
	}
	for tag, w := range s.Tags {
		checkTag(t, p, tag, w.NP, w.P)
		typ := memory.NonPaged
		if w.NP == nil {
			typ = memory.Paged
		}
		r := p.Find(tag, typ)
		if r == nil {
			continue
		}
		if w.Made > 0 {
			same(t, tag+" made", n(r.Of(typ).Life().Made), w.Made)
		}
		if w.Freed > 0 {
			same(t, tag+" freed", n(r.Of(typ).Life().Freed), w.Freed)
		}
		if w.PerAlloc > 0 {
			same(t, tag+" per allocation", n(r.Of(typ).Life().PerAlloc), w.PerAlloc)
		}
		if w.Driver != "" {
			same(t, tag+" driver", r.Driver, w.Driver)
		}
		if w.Comment != "" {
			same(t, tag+" comment", r.Comment, w.Comment)
		}
		if w.Described != "" {
			same(t, tag+" described", r.Described(), w.Described)
		}
		for typ, want := range map[memory.Type]int{memory.NonPaged: w.NPRank, memory.Paged: w.PagedRank} {
			if rank, ok := p.Rank(r, typ); want > 0 && (!ok || rank != want) {
				t.Errorf("%s has rank %d (%v) of %s, want %d", tag, rank, ok, typ, want)
			}
		}
	}
}

func checkTag(t *testing.T, p *memory.Pool, tag string, np, paged []int64) {
	t.Helper()
	for typ, want := range map[memory.Type][]int64{memory.NonPaged: np, memory.Paged: paged} {
		r := p.Find(tag, typ)
		if (r != nil) != (want != nil) {
			t.Errorf("%s pool of %q: found %v", typ, tag, r != nil)
		}
		if r != nil && want != nil {
			same(t, tag+" "+typ.String(), []int64{n(r.Of(typ).Allocs), n(r.Of(typ).Bytes)}, want)
		}
	}
}

// checkPlaces holds every number against the text at its place.
func checkPlaces(t *testing.T, text string, l memory.Listing) {
	t.Helper()
	lines := strings.Split(text, "\n")
	check := func(x memory.Number) {
		if !x.Known() {
			return
		}
		at := lines[x.At.Line-1][x.At.Col-1:][:x.At.Len]
		if plain := strings.NewReplacer(",", "", ".", "", " ", "", "\u00a0", "").Replace(at); plain != fmt.Sprint(x.N) {
			t.Errorf("%d was read at %q (line %d)", x.N, at, x.At.Line)
		}
	}
	for _, c := range l.Counts {
		for _, x := range c.Counters {
			check(x.Pages)
			check(x.Kb)
		}
	}
	for _, b := range l.Blocks {
		for i := range b.Rows {
			r := &b.Rows[i]
			at := lines[r.At.Line-1][r.At.Col-1:][:r.At.Len]
			if a, ok := kd.ParseAddr(at); !ok || a != r.Addr {
				t.Errorf("block %s was read at %q", r.Addr, at)
			}
		}
	}
	if m := l.Memory; m != nil {
		for _, w := range m.Words {
			at := lines[w.At.Line-1][w.At.Col-1:][:w.At.Len]
			if a, ok := kd.ParseAddr(at); !ok || a != w.Addr {
				t.Errorf("memory at %s was read at %q", w.Addr, at)
			}
		}
	}
	for _, v := range l.VMs {
		check(v.Percent)
		for _, c := range v.Counters {
			check(c.Pages)
			check(c.Kb)
		}
		for _, f := range v.Failures {
			check(f.N)
		}
		for _, f := range v.PageFiles {
			for _, x := range []memory.Number{f.Current, f.Free, f.Minimum, f.Maximum} {
				check(x)
			}
		}
		for _, p := range v.Processes {
			for _, x := range []memory.Number{p.Commit.Pages, p.Commit.Kb, p.Shared, p.Debt} {
				check(x)
			}
		}
	}
	for _, p := range l.Pools {
		check(p.SessionID)
		for _, g := range p.Machine {
			check(g.Number)
		}
		for _, r := range append([]memory.Row{p.Total}, p.Rows...) {
			for _, u := range []memory.Usage{r.NonPaged, r.Paged} {
				for _, x := range []memory.Number{u.Allocs, u.Bytes, u.Life().Made, u.Life().Freed, u.Life().MadeSince, u.Life().FreedSince, u.Life().BytesSince, u.Life().PerAlloc} {
					check(x)
				}
			}
		}
	}
}
