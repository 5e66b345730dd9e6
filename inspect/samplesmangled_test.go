package inspect_test

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"

	"kdlocks/inspect"
	"kdlocks/rules"
	"kdlocks/transcript"
)

// TestMangledSampleFacts mangles every sample in every way of forums and mails, and
// counts the facts that still come out.
func TestMangledSampleFacts(t *testing.T) {
	t.Parallel()
	set, err := rules.Load([]rules.Source{rules.Builtin()}, "")
	if err != nil {
		t.Fatal(err)
	}
	all := loadSamples(t)
	total, kept := 0, 0
	for _, s := range all {
		data, err := os.ReadFile(s.path())
		if err != nil {
			t.Fatal(err)
		}
		if strings.Count(string(data), "\n") < 3 {
			continue
		}
		for _, m := range append(slices.Clip(manglings), sampleManglings...) {
			_, mangled := m.apply(nil, []string{strings.ReplaceAll(string(data), "\r\n", "\n")})
			r := &sampleRead{sample: s, all: all, data: mangled, set: set}
			r.tr, _ = transcript.Read(context.Background(), []transcript.Input{transcript.Bytes(s.File, mangled)}, nil)
			r.snaps = slices.Concat(r.tr.Snapshots, r.tr.Aside)
			in := inspect.Bytes(s.File, mangled)
			r.report, _ = inspect.Run(context.Background(), []inspect.Input{in}, inspect.Options{Rules: inspect.These(set)})
			r.judged, _ = inspect.Judge(context.Background(), in)
			for _, key := range slices.Sorted(mapKeys(s.Truth)) {
				if sampleProse[s.File+"/"+key] != "" || key == "pair_with" || key == "arrow_comment_removed" {
					continue
				}
				total++
				want := plainFact(s.Truth[key])
				got := tryFact(r, key, want)
				if got == want {
					kept++
				} else if testing.Verbose() {
					t.Logf("%s, %s: %s is %s, want %s", s.File, m.name, key, got, want)
				}
			}
		}
	}
	if kept*100 < total*98 {
		t.Errorf("%d of %d facts come out of mangled samples", kept, total)
	}
	t.Logf("%d of %d facts", kept, total)
}

// tryFact is fact where what the truth is about may not have been read at all.
func tryFact(r *sampleRead, key, want string) (got string) {
	defer func() {
		if recover() != nil {
			got = "not read"
		}
	}()
	got, _ = r.fact(key, want)
	return got
}

// sampleManglings are what authors of forums and mails do to such output beside manglings.
var sampleManglings = []form{
	{name: "arrows of a page", text: func(s string) string { return eachLine(s, remarked(" \u00df Very high")) }},
	{name: "arrows", text: func(s string) string { return eachLine(s, remarked("   <--- this one")) }},
	{name: "arrows tight", text: func(s string) string { return eachLine(s, remarked(" <<<< look!")) }},
	{name: "notes", text: func(s string) string { return eachLine(s, remarked(" // too much")) }},
	{name: "tabs", text: func(s string) string { return eachLine(s, tabbed) }},
	{name: "commas in numbers", text: func(s string) string { return grouped(s, ",") }},
	{name: "dots in numbers", text: func(s string) string { return grouped(s, ".") }},
	{name: "blanks in front of each line", text: prefixed("        ")},
	{name: "blanks collapsed, line ends doubled", text: then(func(s string) string { return eachLine(s, collapse) }, doubled)},
	{name: "blanks collapsed, quoted", text: then(func(s string) string { return eachLine(s, collapse) }, prefixed("> "))},
	{name: "blanks collapsed, arrows", text: func(s string) string {
		return eachLine(eachLine(s, collapse), remarked(" <-- here"))
	}},
	{name: "page, blanks at the ends", text: func(s string) string {
		return eachLine(s, func(l string) string { return l + " \u00a0" })
	}},
}

// remarked sets a note behind lines with numbers.
func remarked(note string) func(string) string {
	return func(l string) string {
		if l == "" || strings.Contains(l, "> !") || strings.Contains(l, ">!") || strings.Contains(l, "kd>") || strings.Contains(l, "Kd>") || !strings.ContainsAny(l, "0123456789") {
			return l
		}
		return strings.TrimRight(l, " ") + note
	}
}

func tabbed(l string) string {
	var out strings.Builder
	blanks := 0
	for i := range len(l) {
		if l[i] == ' ' {
			if blanks++; blanks == 1 {
				out.WriteByte('\t')
			}
			continue
		}
		if blanks == 1 { // one blank stays one
			s := out.String()
			out.Reset()
			out.WriteString(s[:len(s)-1] + " ")
		}
		blanks = 0
		out.WriteByte(l[i])
	}
	return out.String()
}

// grouped sets marks between each three digits of numbers with more than four, where
// such output has plain decimal ones.
func grouped(s, mark string) string {
	return eachLine(s, func(l string) string {
		words := strings.Split(l, " ")
		for i, w := range words {
			core := strings.TrimRight(strings.TrimLeft(w, "("), ")")
			if len(core) < 5 || strings.Trim(core, "0123456789") != "" || core[0] == '0' {
				continue
			}
			g := ""
			for n := core; ; {
				if len(n) <= 3 {
					g = n + g
					break
				}
				g, n = mark+n[len(n)-3:]+g, n[:len(n)-3]
			}
			words[i] = strings.Replace(w, core, g, 1)
		}
		return strings.Join(words, " ")
	})
}
