package loggen_test

import (
	"bytes"
	"errors"
	"html"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"golang.org/x/text/encoding/unicode"

	"kdlocks/bench/loggen"
)

// mangle writes text through a form in pieces of random sizes.
func mangle(t testing.TB, through func(io.Writer) io.WriteCloser, text string, r *rand.Rand) string {
	t.Helper()
	var b bytes.Buffer
	w := through(&b)
	for rest := text; rest != ""; {
		n := len(rest)
		if r != nil {
			n = 1 + r.IntN(min(len(rest), 300))
		}
		if got, err := io.WriteString(w, rest[:n]); got != n || err != nil {
			t.Fatalf("Write: %d of %d, %v", got, n, err)
		}
		rest = rest[n:]
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// words are texts with what the generator does not write.
const words = "a b  c   d\n\n\tx\ty \n   \nöß€ <*> & &lt; 𝄞 ende\nno newline at the end"

func texts(t *testing.T) []string {
	log, _ := write(t, loggen.Options{Seed: 5, Threads: 40})
	long := strings.Repeat("x", 200) + " " + strings.Repeat("y", 78) + " z\n" + strings.Repeat("0123456789", 16) + "\n"
	return []string{string(log), words, long, "", "\n", "\n\n"}
}

// Text comes back out of each form, as far as the form keeps it.
func TestRoundTrips(t *testing.T) {
	utf16 := func(s string) string {
		out, err := unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM).NewDecoder().String(s)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	unquote := func(s string) string { return strings.ReplaceAll(strings.TrimPrefix(s, "> "), "\n> ", "\n") }
	for _, text := range texts(t) {
		for _, c := range []struct {
			name string
			back func(string) string
			want string
		}{
			{"utf16", utf16, text},
			{"crlf", func(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") }, text},
			{"quote", unquote, text},
			{"entities", html.UnescapeString, text},
			{"collapse", nil, perLine(text, func(l string) string { return strings.Join(strings.Fields(l), " ") })},
			{"wrap78", nil, perLine(text, func(l string) string { return wrapped(l, 78) })},
			{"hard80", nil, perLine(text, func(l string) string { return hard(l, 80) })},
		} {
			f, ok := loggen.FormNamed(c.name)
			if !ok {
				t.Fatalf("no form %s", c.name)
			}
			got := mangle(t, f.Through, text, nil)
			if c.back != nil {
				got = c.back(got)
			}
			if got != c.want {
				t.Errorf("%s of %.40q: %.200q, want %.200q", c.name, text, got, c.want)
			}
		}
	}
}

// perLine applies a function to each line.
func perLine(text string, f func(string) string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = f(lines[i])
	}
	return strings.Join(lines, "\n")
}

// wrapped breaks one line at blanks, the simple way.
func wrapped(line string, width int) string {
	line = strings.TrimRight(line, " ")
	var out []string
	for len(line) > width {
		from := len(line) - len(strings.TrimLeft(line, " "))
		cut := strings.LastIndex(line[:width+1], " ")
		if cut < from {
			next := strings.Index(line[from:], " ")
			if next < 0 {
				break
			}
			cut = from + next
		}
		out = append(out, strings.TrimRight(line[:cut], " "))
		line = strings.TrimLeft(line[cut:], " ")
	}
	return strings.Join(append(out, line), "\n")
}

// hard breaks one line after each width characters, the simple way.
func hard(line string, width int) string {
	var out []string
	c := []rune(line)
	for ; len(c) > width; c = c[width:] {
		out = append(out, string(c[:width]))
	}
	return strings.Join(append(out, string(c)), "\n")
}

func TestPiecesDoNotMatter(t *testing.T) {
	for _, text := range texts(t) {
		for _, f := range loggen.Forms {
			whole := mangle(t, f.Through, text, nil)
			for seed := range uint64(5) {
				if got := mangle(t, f.Through, text, rand.New(rand.NewPCG(1, seed))); got != whole {
					t.Errorf("%s: %.80q in pieces differs", f.Name, text)
				}
			}
		}
	}
}

func TestFormsAreComposable(t *testing.T) {
	var b bytes.Buffer
	quoted := loggen.Quote(&b)
	w := loggen.Wrap(quoted, 10)
	io.WriteString(w, "one two three\nfour")
	if err := errors.Join(w.Close(), quoted.Close()); err != nil {
		t.Fatal(err)
	}
	if want := "> one two\n> three\n> four"; b.String() != want {
		t.Errorf("%q, want %q", b.String(), want)
	}
}

func TestCutCharacter(t *testing.T) {
	if got := mangle(t, loggen.UTF16, "a\xe2\x82", nil); got != "\xff\xfea\x00\xfd\xff\xfd\xff" {
		t.Errorf("%q", got)
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestErrorsComeThrough(t *testing.T) {
	for _, f := range loggen.Forms {
		w := f.Through(broken{})
		if _, err := loggen.Write(w, loggen.Options{Bytes: 1_000_000}); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("%s: %v", f.Name, err)
		}
	}
}

func BenchmarkForms(b *testing.B) {
	text, _ := write(b, loggen.Options{Bytes: 5_000_000})
	for _, f := range loggen.Forms {
		b.Run(f.Name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				w := f.Through(io.Discard)
				for rest := text; len(rest) > 0; {
					n := min(len(rest), 256<<10)
					w.Write(rest[:n])
					rest = rest[n:]
				}
				w.Close()
			}
		})
	}
}
