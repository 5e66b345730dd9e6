package inspect_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"kdlocks/inspect"
	"kdlocks/kd"
	"kdlocks/redact"
	"kdlocks/report"
	"kdlocks/rules"
)

// shippedRules are the packs that kdlocks ships with.
func shippedRules(t testing.TB) *rules.Set {
	t.Helper()
	set, err := rules.Load([]rules.Source{rules.Builtin()}, "")
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// redactedLogs are all logs of testdata.
func redactedLogs(t testing.TB) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	for _, k := range loadCases(t) {
		out["cases/"+k.name] = k.input
	}
	for _, pattern := range []string{"../testdata/*.log", "../testdata/corpus/*.log", "../testdata/samples/*.log", "../testdata/waits/*.log", "../rules/packs/*/testdata/*.log", "../rules/testdata/*/*.log"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range paths {
			data, err := os.ReadFile(p)
			if err != nil {
				t.Fatal(err)
			}
			out[strings.TrimPrefix(p, "../")] = data
		}
	}
	return out
}

// jsonOf returns the report of some inputs as JSON; why there is none if nothing is recognised.
func jsonOf(t testing.TB, set *rules.Set, data []byte) []byte {
	t.Helper()
	r, err := inspect.Run(context.Background(), []inspect.Input{inspect.Bytes("input.txt", data)}, inspect.Options{Rules: inspect.These(set)})
	if r == nil {
		return fmt.Appendf(nil, "%q", fmt.Sprint("no report: ", err))
	}
	return []byte(asJSON(t, r))
}

// asValue returns what jsonOf does as a value.
func asValue(t testing.TB, set *rules.Set, data []byte) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(jsonOf(t, set, data), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// redacted returns a text as redact writes it, and what it learned.
func redacted(t testing.TB, data []byte, opt redact.Options) ([]byte, *redact.Redactor) {
	t.Helper()
	in := inspect.Bytes("input.txt", data)
	r := redact.New(opt)
	if err := r.Learn(context.Background(), []inspect.Input{in}); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := r.Write(context.Background(), &out, in); err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), r
}

// differences tells where two JSON values differ when the strings of the first
// are put through a function.
func differences(path string, a, b any, mapped func(string) string) []string {
	var out []string
	switch a := a.(type) {
	case map[string]any:
		m, ok := b.(map[string]any)
		if !ok {
			return []string{fmt.Sprintf("%s: %T", path, b)}
		}
		if text, ok := a["text"].(string); ok && a["end_line"] != nil && strings.Contains(text, "\n") {
			// Evidence on several lines is compared with those of the input by checkLines:
			// a word that was cut there cannot be told from its halves alone.
			a, m = maps.Clone(a), maps.Clone(m)
			delete(a, "text")
			delete(m, "text")
		}
		for k := range a {
			out = append(out, differences(path+"."+k, a[k], m[mapped(k)], mapped)...)
		}
		if len(m) != len(a) {
			out = append(out, fmt.Sprintf("%s: fields %v became %v", path, slices.Sorted(maps.Keys(a)), slices.Sorted(maps.Keys(m))))
		}
	case []any:
		l, ok := b.([]any)
		if !ok || len(l) != len(a) {
			return []string{fmt.Sprintf("%s: %d items became %d", path, len(a), len(l))}
		}
		for i := range a {
			out = append(out, differences(fmt.Sprintf("%s[%d]", path, i), a[i], l[i], mapped)...)
		}
	case string:
		if want := mapped(a); b != want {
			return []string{fmt.Sprintf("%s:\n  was  %q\n  want %q\n  got  %q", path, a, want, b)}
		}
	default:
		if a != b {
			return []string{fmt.Sprintf("%s: %v became %v", path, a, b)}
		}
	}
	slices.Sort(out)
	return out
}

// exceptions are the fields of a report that quote a part of a log in which a token
// may be cut, and what the law cannot hold for there. They are for logs that were damaged at random;
// all others need none.
var exceptions = []struct{ field, reason string }{
	{".not_understood[", "a piece of a wrapped line is quoted alone, and what it was cut from has another pseudonym than the piece by itself"},
	{".notes[", "a note quotes the beginning of a long word, or a sum of the report is by chance a number that stands in prose"},
}

// checkRedacted holds the law: the report of a redacted log is the redacted report
// of the log. It returns how many exceptions were made, which only damaged logs may have.
func checkRedacted(t *testing.T, set *rules.Set, data []byte, damaged bool) int {
	t.Helper()
	text, r := redacted(t, data, redact.Options{})
	if bytes.Count(text, []byte("\n")) != bytes.Count(data, []byte("\n")) {
		t.Errorf("%d lines became %d", bytes.Count(data, []byte("\n")), bytes.Count(text, []byte("\n")))
	}
	after := asValue(t, set, text)
	if utf8.Valid(text) {
		checkLines(t, text, after)
	}
	ds := differences("", asValue(t, set, data), after, r.Text)
	all := len(ds)
	if damaged {
		ds = slices.DeleteFunc(ds, func(d string) bool {
			where, _, _ := strings.Cut(d, ":")
			return strings.HasSuffix(where, ".text") && slices.ContainsFunc(exceptions, func(e struct{ field, reason string }) bool { return strings.Contains(where, e.field) })
		})
	}
	if len(ds) > 0 {
		t.Errorf("%d differences:\n%s", len(ds), strings.Join(ds[:min(len(ds), 6)], "\n"))
	}
	return all - len(ds)
}

// checkLines holds that what a report quotes of several lines is what stands there.
func checkLines(t *testing.T, text []byte, v any) {
	t.Helper()
	lines := strings.Split(strings.ReplaceAll(string(text), "\r", ""), "\n")
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			from, _ := v["line"].(float64)
			to, _ := v["end_line"].(float64)
			if quoted, ok := v["text"].(string); ok && from > 0 && to > from && int(to) <= len(lines) {
				if want := strings.Join(lines[int(from)-1:int(to)], "\n"); quoted != want {
					t.Errorf("lines %v to %v are %q, the report quotes %q", from, to, want, quoted)
				}
			}
			for _, item := range v {
				walk(item)
			}
		case []any:
			for _, item := range v {
				walk(item)
			}
		}
	}
	walk(v)
}

func TestRedactionKeepsTheReport(t *testing.T) {
	t.Parallel()
	set := shippedRules(t)
	logs := redactedLogs(t)
	for name, data := range logs {
		t.Run(name, func(t *testing.T) { checkRedacted(t, set, data, false) })
	}
	t.Logf("%d logs", len(logs))
}

// TestTheReportComesBack: the way back makes of the JSON report of a redacted log the
// report of the log.
func TestTheReportComesBack(t *testing.T) {
	t.Parallel()
	set := shippedRules(t)
	for name, data := range redactedLogs(t) {
		t.Run(name, func(t *testing.T) { checkWayBack(t, set, data, "") })
	}
	for i := range 24 { // keys move addresses to others: in some, to decimal digits alone
		checkWayBack(t, set, []byte(cutLog), fmt.Sprint("key", i))
	}
}

// cutLog has addresses that are cut, an address that is not of 8 or 16 digits, and names
// behind what JSON writes as escapes.
const cutLog = `0: kd> !locks
Resource @ 0xfffffa8011efede8    Exclusively owned
    Contention Count = 134850000
     Threads: fffffa801
     Threads Waiting On Exclusive Access:
              <script>acmefetch("jdoe&contoso")</script>
0: kd> !process 0 1f
PROCESS ffffe0001a2b6080
    SessionId: 1  Cid: 0f64    Peb: 7ff6d1234000  ParentCid: 0abc
    DirBase: 21f4a5000  ObjectTable: ffffc00012345678  HandleCount: 1234.
    Image: <acme>&"fffffa801"\payrollsvc.exe
the directory <acme> is at 21f4a5000 "21f4a5000" 0000000021f4a5000 000000021f4a5000\
`

func checkWayBack(t *testing.T, set *rules.Set, data []byte, key string) {
	t.Helper()
	text, r := redacted(t, data, redact.Options{Key: key})
	back, err := redact.NewRestorer(r.Table())
	if err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	if err := back.Write(context.Background(), &got, inspect.Bytes("answer", jsonOf(t, set, text))); err != nil {
		t.Fatal(err)
	}
	var have any
	if err := json.Unmarshal(got.Bytes(), &have); err != nil {
		t.Fatal(err)
	}
	same := func(s string) string { return s }
	if ds := differences("", asValue(t, set, data), have, same); len(ds) > 0 {
		t.Errorf("%d differences:\n%s", len(ds), strings.Join(ds[:min(len(ds), 6)], "\n"))
	}
}

// TestRedactionReplaces: no word, number or address of a log that has a pseudonym stands
// in the redacted log.
func TestRedactionReplaces(t *testing.T) {
	addresses := 0
	for name, data := range redactedLogs(t) {
		text, r := redacted(t, data, redact.Options{})
		pseudonyms := map[string]bool{}
		originals := map[string]bool{}
		for to, word := range r.Table().Words {
			pseudonyms[strings.ToLower(to)] = true
			originals[strings.ToLower(word)] = true
		}
		for _, w := range strings.FieldsFunc(strings.ToLower(string(text)), func(c rune) bool { return c < '0' || c > '9' && c < '_' || c == '`' }) {
			if originals[w] && !pseudonyms[w] {
				t.Errorf("%s: %q survives", name, w)
			}
		}
		for _, a := range hexWord.FindAllString(string(text), -1) {
			if v, ok := kd.ParseFullAddr(a); ok && v>>47 == 0x1ffff && bytes.Contains(data, []byte(a)) && v < 0xffff_ffff_8000_0000 && v>>12 != 0xffff_f780_0000_0 {
				t.Errorf("%s: %s stayed", name, a)
			}
			addresses++
		}
	}
	if addresses < 1000 {
		t.Errorf("only %d addresses", addresses)
	}
}

func TestRedactionOfGeneratedLogs(t *testing.T) {
	t.Parallel()
	set := shippedRules(t)
	plants := append(slices.Clone(deadlocks), innocents...)
	eachScene(t, plants, 1, []int{20, 60}, func(t *testing.T, s scene) { checkRedacted(t, set, []byte(s.text()), false) })
}

func TestRedactionOfMangledLogs(t *testing.T) {
	t.Parallel()
	set := shippedRules(t)
	for i, p := range append(slices.Clone(deadlocks), innocents...) {
		d := dialects[2+i%5]
		s := newScene(uint64(i), d, styles[i%9], 30, p)
		for k, f := range manglings {
			if k%5 != i%5 || thinned(i+k) {
				continue
			}
			_, data := f.apply(rand.New(rand.NewPCG(uint64(k), 9)), s.sections)
			t.Run(p.name+"/"+f.name, func(t *testing.T) { checkRedacted(t, set, data, false) })
		}
	}
}

// TestRedactionOfDamagedLogs is the same for logs that were cut, or whose lines were
// exchanged, at random.
func TestRedactionOfDamagedLogs(t *testing.T) {
	t.Parallel()
	set := shippedRules(t)
	logs, excepted := 0, 0
	for name, data := range redactedLogs(t) {
		if thinned(len(data)) {
			continue
		}
		rng := rand.New(rand.NewPCG(7, uint64(len(data))))
		for k := range 3 {
			at := rng.IntN(len(data) + 1)
			damaged := data[:at]
			switch k {
			case 1:
				damaged = data[at:]
			case 2:
				lines := strings.Split(string(data), "\n")
				for range len(lines) / 8 {
					i, j := rng.IntN(len(lines)), rng.IntN(len(lines))
					lines[i], lines[j] = lines[j], lines[i]
				}
				damaged = []byte(strings.Join(lines, "\n"))
			}
			logs++
			t.Run(fmt.Sprintf("%s/%d", name, k), func(t *testing.T) { excepted += checkRedacted(t, set, damaged, true) })
		}
	}
	t.Logf("%d damaged logs, %d exceptions", logs, excepted)
}

// TestRedactionKeepsComparisons: logs that are redacted together compare as before.
func TestRedactionKeepsComparisons(t *testing.T) {
	for i, d := range dialects {
		p := newPair(uint64(70+i), d, 60)
		texts := []string{p.print(styles[i%len(styles)], i%2 == 0)}
		p.goOn()
		texts = append(texts, p.print(styles[i%len(styles)], i%2 == 0))
		var inputs []inspect.Input
		for k, text := range texts {
			inputs = append(inputs, inspect.Bytes(string(rune('a'+k))+".log", []byte(text)))
		}
		r := redact.New(redact.Options{})
		if err := r.Learn(context.Background(), inputs); err != nil {
			t.Fatal(err)
		}
		var after []string
		for _, in := range inputs {
			var b strings.Builder
			if err := r.Write(context.Background(), &b, in); err != nil {
				t.Fatal(err)
			}
			after = append(after, b.String())
		}
		ds := differences("", comparison(t, texts), comparison(t, after), r.Text)
		if len(ds) > 0 {
			t.Errorf("%s: %d differences:\n%s", d.name, len(ds), strings.Join(ds[:min(len(ds), 6)], "\n"))
		}
	}
}

func comparison(t *testing.T, texts []string) any {
	t.Helper()
	var b bytes.Buffer
	if err := report.WriteComparisonJSON(&b, compareTexts(t, texts...), report.Style{}); err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(b.Bytes(), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// TestRedactionOfEncodings: what an encoding makes of a log is the same but for the
// encoding itself, which becomes UTF-8, and the size.
func TestRedactionOfEncodings(t *testing.T) {
	t.Parallel()
	set := shippedRules(t)
	for i, p := range deadlocks {
		s := newScene(uint64(i), dialects[2+i%5], styles[i%9], 20, p)
		for k, f := range encodings {
			if thinned(i + k) {
				continue
			}
			_, data := f.apply(rand.New(rand.NewPCG(1, 9)), s.sections)
			text, r := redacted(t, data, redact.Options{})
			before, after := asValue(t, set, data), asValue(t, set, text)
			for _, v := range []any{before, after} {
				in := v.(map[string]any)["inputs"].([]any)[0].(map[string]any)
				delete(in, "encoding")
				delete(in, "bytes")
			}
			if ds := differences("", before, after, r.Text); len(ds) > 0 {
				t.Errorf("%s/%s: %d differences:\n%s", p.name, f.name, len(ds), strings.Join(ds[:min(len(ds), 6)], "\n"))
			}
		}
	}
}
