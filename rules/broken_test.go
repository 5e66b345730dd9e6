package rules_test

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/txtar"

	"kdlocks/rules"
)

// TestBroken reads files with one mistake each: they give one message, at its place.
func TestBroken(t *testing.T) {
	files, err := filepath.Glob("testdata/broken/*.txtar")
	if err != nil || len(files) < 100 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			broken(t, file)
		})
	}
}

func broken(t *testing.T, file string) {
	ar, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	last := &ar.Files[len(ar.Files)-1]
	if last.Name != "want" {
		t.Fatalf("the last file is %s", last.Name)
	}
	fsys := fstest.MapFS{}
	for _, f := range ar.Files[:len(ar.Files)-1] {
		fsys[f.Name] = &fstest.MapFile{Data: f.Data}
	}
	_, err = rules.Load([]rules.Source{{FS: fsys}}, "2026-11-21")
	problems := rules.ProblemsOf(err)
	if len(problems) != 1 {
		t.Errorf("%d problems: %v", len(problems), err)
	}
	got := problems.Error() + "\n"
	if *update {
		last.Data = []byte(got)
		if err := os.WriteFile(file, txtar.Format(ar), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got != string(last.Data) {
		t.Errorf("got\n%swant\n%s", got, last.Data)
	}
}

// sound is a file without a mistake, which the tests below put into other bytes.
const sound = `format: kdlocks.rules/v1
rules:
  - id: sample-owned
    title: A thread waits für a resource that is owned
    class: contention
    severity: high
    confidence: likely
    match:
      - as: L
        lock: {state: exclusive}
    explain: "{L.address} is owned."
    remedy: |
      Wait: it may end.
      # no comment
    ask: ["!locks -v {L.address}", ".foreach (x {!process}) {!thread x}"]
    references: [{kb: "2608658"}]
    tests:
      - {name: hit, input: "locks", expect: likely}
      - {name: miss, input: "none", expect: no-match}
`

// TestEncodings reads a sound file in the encodings that editors write.
func TestEncodings(t *testing.T) {
	for name, data := range map[string][]byte{
		"UTF-8":         []byte(sound),
		"UTF-8 BOM":     []byte("\ufeff" + sound),
		"UTF-16LE BOM":  inUTF16(sound, binary.LittleEndian),
		"UTF-16BE BOM":  inUTF16(sound, binary.BigEndian),
		"CRLF":          []byte(strings.ReplaceAll(sound, "\n", "\r\n")),
		"CRLF BOM":      []byte("\ufeff" + strings.ReplaceAll(sound, "\n", "\r\n")),
		"CR":            []byte(strings.ReplaceAll(sound, "\n", "\r")),
		"no last line":  []byte(strings.TrimSpace(sound)),
		"blanks behind": []byte(strings.ReplaceAll(sound, "\n", "  \n")),
		"document mark": []byte("# a comment\n---\n" + sound + "...\n"),
	} {
		set, err := loadBytes(data)
		if err != nil || len(set.Rules) != 1 || !strings.Contains(set.Rules[0].Title, "für") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func inUTF16(s string, order binary.ByteOrder) []byte {
	var out []byte
	for _, u := range utf16.Encode([]rune("\ufeff" + s)) {
		out = order.(binary.AppendByteOrder).AppendUint16(out, u)
	}
	return out
}

func loadBytes(data []byte) (*rules.Set, error) {
	fsys := fstest.MapFS{"rule.yaml": &fstest.MapFile{Data: data}}
	return rules.Load([]rules.Source{{Name: "rule.yaml", FS: fsys, File: "rule.yaml"}}, "2026-11-21")
}

type brokenFile struct{ text, want string }

// brokenFiles are files whose mistake no text file can show.
func brokenFiles(t testing.TB) map[string]brokenFile {
	with := func(old, text string) string {
		if !strings.Contains(sound, old) {
			t.Fatalf("%q is not in the file", old)
		}
		return strings.Replace(sound, old, text, 1)
	}
	var keys strings.Builder
	for i := range 90_000 {
		fmt.Fprintf(&keys, "a%d: 1\n", i)
	}
	return map[string]brokenFile{
		"Latin-1":               {with("für", "f\xfcr"), "rule.yaml:4:28: the byte 0xfc is not UTF-8"},
		"NUL":                   {with("owned", "own\x00ed"), "rule.yaml:3:19: the file holds the control character U+0000"},
		"escape":                {with("owned", "own\x1b[1med"), "rule.yaml:3:19: the file holds the control character U+001B"},
		"UTF-16 without a mark": {strings.Join(strings.Split(sound, ""), "\x00"), "rule.yaml:1:2: the file holds the control character U+0000"},
		"turned text":           {with("owned", "own\u202eed"), "rule.yaml:3:19: the file holds the control character U+202E"},
		"escape in quotes":      {with("high", `"\x1b[2J"`), "rule.yaml:6:15: the text holds the control character U+001B"},
		"zip":                   {"PK\x03\x04\x14\x00", "rule.yaml:1:3: the file holds the control character U+0003"},
		"no bytes":              {"", "rule.yaml:1:1: the file is empty"},
		"blanks":                {" \n\n  \n", "rule.yaml:1:1: the file is empty"},
		"BOM alone":             {"\ufeff", "rule.yaml:1:1: the file is empty"},
		"CRLF":                  {strings.ReplaceAll(with("high", "huge"), "\n", "\r\n"), "rule.yaml:6:15: rule sample-owned: severity is none of"},
		"wide letters":          {with(`{state: exclusive}`, `{symbol: "日本", stat: exclusive}`), "rule.yaml:10:30: rule sample-owned: lock has no field \"stat\""},
		"huge":                  {sound + strings.Repeat("# comment\n", 200_000), "rule.yaml:1:1: the file is larger than 1024 KiB"},
		"long line":             {with("high", strings.Repeat("h", 1_000_000)), "rule.yaml:6:15: rule sample-owned: severity is none of"},
		"deep brackets":         {with("high", strings.Repeat("[", 500_000)), "rule.yaml:6:"},
		"deep brackets, closed": {with("high", strings.Repeat("[", 5000)+strings.Repeat("]", 5000)), "rule.yaml:6:"},
		"deep mappings":         {with("high", strings.Repeat("{a: ", 100)+"1"+strings.Repeat("}", 100)), "rule.yaml:6:"},
		"deep lists":            {with("high", "\n"+strings.Repeat("- ", 100_000)), "rule.yaml:7:"},
		"deep lines":            {deepLines(), "rule.yaml:"},
		"many values":           {with("high", "["+strings.Repeat("1,", 300_000)+"]"), "rule.yaml:6:"},
		"many quotes":           {with("high", strings.Repeat(`"`, 900_001)), "rule.yaml:6:"},
		"many keys":             {"format: kdlocks.rules/v1\n" + keys.String(), "rule.yaml:2:1: a rule file has no key \"a0\""},
		"many stars":            {with(`{state: exclusive}`, `{symbol: "`+strings.Repeat("a*", 400)+`"}`), "rule.yaml:10:24: rule sample-owned: symbol: the pattern"},
		"many dashes":           {with("high", strings.Repeat("-", 900_000)), "rule.yaml:6:15: rule sample-owned: severity is none of"},
		"many comments":         {with("high", strings.Repeat("#", 900_000)), "rule.yaml:6:14: rule sample-owned: severity is empty"},
		"many colons":           {with("high", strings.Repeat("a: ", 300_000)), "rule.yaml:6:"},
		"many question marks":   {with("high", "\n"+strings.Repeat("? ", 300_000)), "rule.yaml:"},
		"many anchors":          {with("high", strings.Repeat("&a ", 300_000)), "rule.yaml:6:"},
		"many references":       {with(`"{L.address} is owned."`, `"`+strings.Repeat("{L.x}", 100_000)+`"`), "rule.yaml:11:15: rule sample-owned: L is a lock"},
	}
}

// BenchmarkBytes shows that no file of a MiB takes long to be refused.
func BenchmarkBytes(b *testing.B) {
	for name, c := range brokenFiles(b) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				loadBytes([]byte(c.text))
			}
		})
	}
}

func TestBytes(t *testing.T) {
	for name, c := range brokenFiles(t) {
		t.Run(name, func(t *testing.T) {
			_, err := loadBytes([]byte(c.text))
			problems := rules.ProblemsOf(err)
			if len(problems) == 0 {
				t.Fatalf("no problem: %v", err)
			}
			if got := problems[0].Error(); !strings.HasPrefix(got, c.want) {
				t.Errorf("got %.300s", got)
			}
			if n := len(problems); n > 1 && name != "many keys" && name != "many references" || n > 50 {
				t.Errorf("%d problems, the second is %.300s", n, problems[1].Error())
			}
			if n := len(problems.Error()); n > 50*1000 {
				t.Errorf("the messages have %d bytes", n)
			}
		})
	}
}

// deepLines nests keys line by line.
func deepLines() string {
	var b strings.Builder
	for i := range 1000 {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}

// TestNewerEngine notes rules that this engine cannot read; what they hold is no
// mistake, and who names them names a rule.
func TestNewerEngine(t *testing.T) {
	text := strings.Replace(sound, "    match:\n", "    min_engine: \"9.1\"\n    when: 1 > 2\n    match:\n", 1) +
		strings.SplitN(strings.Replace(sound, "id: sample-owned\n", "id: other\n    supersedes: [sample-owned]\n", 1), "rules:\n", 2)[1]
	set, err := loadBytes([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Rules) != 1 || len(set.Notes) != 1 || !strings.Contains(set.Notes[0], "sample-owned (needs engine 9.1, this is") {
		t.Errorf("%d rules, notes %q", len(set.Rules), set.Notes)
	}
}

// TestOneLetterLess takes single letters and indentations from sound files: there
// is one message at most, and it is about that line or the next.
func TestOneLetterLess(t *testing.T) {
	for _, text := range []string{sis, sound} {
		lines := strings.SplitAfter(text, "\n")
		begin := 0
		for i, line := range lines {
			for k := range strings.TrimSuffix(line, "\n") {
				if utf8.RuneStart(line[k]) {
					_, size := utf8.DecodeRuneInString(line[k:])
					lessOf(t, i+1, text[:begin+k]+text[begin+k+size:])
				}
			}
			for _, other := range []string{" " + line, "  " + line, strings.TrimPrefix(line, "  "), "\t" + line} {
				lessOf(t, i+1, text[:begin]+other+text[begin+len(line):])
			}
			begin += len(line)
		}
	}
}

func lessOf(t *testing.T, line int, text string) {
	t.Helper()
	_, err := loadBytes([]byte(text))
	problems := rules.ProblemsOf(err)
	if len(problems) > 1 || err != nil && (len(problems) == 0 || problems[0].Line < line || problems[0].Line > line+1) {
		t.Errorf("a change of line %d: %v\n%s", line, err, strings.Split(text, "\n")[line-1])
	}
}

// TestNewerPack notes the rules of a pack that needs a newer engine.
func TestNewerPack(t *testing.T) {
	fsys := fstest.MapFS{
		"pack.yaml": {Data: []byte("name: later\nversion: 1.0.0\nmin_engine: \"9.1\"\n")},
		"rule.yaml": {Data: []byte(strings.Replace(sound, "    match:\n", "    when: 1 > 2\n    match:\n", 1))},
	}
	set, err := rules.Load([]rules.Source{{FS: fsys}}, "")
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Rules) != 0 || len(set.Notes) != 1 || !strings.Contains(set.Notes[0], "sample-owned (needs engine 9.1") {
		t.Errorf("%d rules, notes %q", len(set.Rules), set.Notes)
	}
}
