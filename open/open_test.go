package open_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"kdlocks/inspect"
	"kdlocks/open"
)

const text = "0: kd> !locks\n**** DUMP OF ALL RESOURCE OBJECTS ****\n"

// noise returns text that packs badly.
func noise(n int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, n)
	for i := range b {
		b[i] = 'a' + byte(r.IntN(26))
		if i%80 == 79 {
			b[i] = '\n'
		}
	}
	return b
}

// write puts files into a folder of the test and returns it.
func write(t testing.TB, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, data := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		must(t, os.MkdirAll(filepath.Dir(path), 0o777))
		must(t, os.WriteFile(path, data, 0o666))
	}
	return dir
}

// opened opens names below dir and returns each input's name and size, the
// notes and the errors, with dir left out.
func opened(t testing.TB, dir string, opt open.Options, names ...string) (inputs, notes, errs []string) {
	t.Helper()
	for i, n := range names {
		if n != "-" {
			names[i] = filepath.Join(dir, filepath.FromSlash(n))
		}
	}
	opt.TempDir = t.TempDir()
	set, err := open.Inputs(context.Background(), names, opt)
	short := strings.NewReplacer(dir+string(filepath.Separator), "", dir, ".", `\`, "/")
	for _, in := range set.Inputs {
		data, err := io.ReadAll(io.NewSectionReader(in.Data, 0, in.Size+10))
		if err != nil || int64(len(data)) != in.Size {
			t.Errorf("%s: read %d of %d bytes: %v", in.Name, len(data), in.Size, err)
		}
		inputs = append(inputs, fmt.Sprintf("%s %d", short.Replace(in.Name), in.Size))
	}
	for _, n := range set.Notes {
		notes = append(notes, short.Replace(n))
	}
	if err != nil {
		errs = strings.Split(short.Replace(err.Error()), "\n")
	}
	must(t, set.Close())
	left, err := os.ReadDir(opt.TempDir)
	must(t, err)
	if len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	return inputs, notes, errs
}

func TestInputs(t *testing.T) {
	small, big := []byte(text), noise(300_000)
	binary := []byte(strings.Repeat("\x01\x02\x00\x03", 100))
	files := map[string][]byte{
		"a.log": small, "b.log": append([]byte("b\n"), small...), "odd[1].log": small[1:], "sub/c.txt": small[2:], "sub/.git/x": small,
		"sub/tool.exe": binary, "sub/empty.log": nil, "sub/.hidden": small, "sub/MEMORY.DMP": []byte("PAGEDU64" + string(binary)),
		"one.gz": gz(t, small), "one.zst": zst(t, small), "many.zip": zipped(t, member{"x.log", small}, member{"d/y.log", big}, member{"d/", nil}, member{"z.bin", binary}),
		"lzma2.7z": sevenzip(t, lzma2, member{"x.log", small}, member{"z.bin", big[:0]}, member{"y.log", big}), "lzma.7z": sevenzip(t, lzma1, member{"x.log", small}, member{"y.log", big}),
		"head.7z":   packedHeader(t, sevenzip(t, lzma2, member{"x.log", small}, member{"y.log", big})),
		"stored.7z": sevenzip(t, stored, member{"z.bin", binary}, member{"y.log", big}),
		"deep.zip":  zipped(t, member{"x.log.gz", gz(t, small)}, member{"in.zip", zipped(t, member{"y.log", small}, member{"no.gz", gz(t, small)})}),
		"none.zip":  zipped(t, member{"z.bin", binary}), "only/z.bin": binary,
		"cut.gz": gz(t, big)[:100_000], "cut.zst": zst(t, big)[:150_000], "cut.7z": sevenzip(t, lzma2, member{"y.log", big})[:1000],
		"cut.zip":    cut(zipped(t, member{"x.log", small}, member{"z.bin", binary}, member{"y.log", big}), 100_000),
		"cut2.zip":   cut(sized(t, member{"x.log", small}, member{"z.bin", binary}, member{"y.log", big}), 100_000),
		"nodir.zip":  cut(zipped(t, member{"x.log", small}, member{"y.log", small}), -30),
		"wrong.zip":  []byte(strings.Replace(string(cut(sized(t, member{"x.log", small}), -30)), "RESOURCE", "RESOURC3", 1)),
		"wrong.7z":   []byte(strings.Replace(string(sevenzip(t, stored, member{"x.log", small})), "RESOURCE", "RESOURC3", 1)),
		"twice.zip":  twice(zipped(t, member{"x.log", big})),
		"8.zip":      encryptedZip(t, make([]member, 8)...),
		"count.7z":   sevenzipFile(nil, append(number([]byte{0x01, 0x05}, uint64(1<<31)), 0x00, 0x00)),
		"locked.zip": encryptedZip(t, member{"x.log", small}), "tail.gz": append(gz(t, small), "tail"...),
		"locked.7z": sevenzip(t, func(t testing.TB, b []byte) coder {
			return coder{[]byte{6, 0xf1, 7, 1}, []byte{0x13, 0}, b}
		}, member{"x.log", small}),
		"window.zst": append([]byte("\x28\xb5\x2f\xfd\x00\xb0"), small...), // Window_Descriptor: 4 GiB, RFC 8878 3.1.1.1.2
		"window.7z": sevenzip(t, func(t testing.TB, b []byte) coder {
			c := lzma2(t, b)
			c.props = []byte{40} // 4 GiB
			return c
		}, member{"x.log", small}),
	}
	dir := write(t, files)
	skipped := func(s string) []string { return []string{s} }
	for _, tc := range []struct {
		names               string
		inputs, notes, errs []string
	}{
		{"a.log", []string{"a.log 53"}, nil, nil},
		{"b.log a.log", []string{"b.log 55", "a.log 53"}, nil, nil},
		{"a.log a.log", []string{"a.log 53"}, skipped("1 file is named twice and read once"), nil},
		{"missing a.log", []string{"a.log 53"}, nil, []string{"missing: no such file"}},
		{"?.log", []string{"a.log 53", "b.log 55"}, nil, nil},
		{"*.nothing", nil, nil, []string{"*.nothing: no such file, and none matches"}},
		{"odd[1].log", []string{"odd[1].log 52"}, nil, nil},
		{"sub", []string{"sub/MEMORY.DMP 408", "sub/c.txt 51"}, skipped("sub: skipped 2 hidden, 1 empty, 1 not text (tool.exe)"), nil},
		{"sub/MEMORY.DMP", []string{"sub/MEMORY.DMP 408"}, nil, nil}, // named: its error is the reader's
		{"only", nil, skipped("only: skipped 1 not text (z.bin)"), []string{"only: no text files in this folder"}},
		{"one.gz one.zst", []string{"one.gz 53", "one.zst 53"}, nil, nil},
		{"many.zip", []string{"many.zip!x.log 53", "many.zip!d/y.log 300000"}, skipped("many.zip: skipped 1 not text (z.bin)"), nil},
		{"lzma2.7z", []string{"lzma2.7z!x.log 53", "lzma2.7z!y.log 300000"}, skipped("lzma2.7z: skipped 1 empty"), nil},
		{"lzma.7z", []string{"lzma.7z!x.log 53", "lzma.7z!y.log 300000"}, nil, nil},
		{"head.7z", []string{"head.7z!x.log 53", "head.7z!y.log 300000"}, nil, nil},
		{"stored.7z", []string{"stored.7z!y.log 300000"}, skipped("stored.7z: skipped 1 not text (z.bin)"), nil},
		{"deep.zip", []string{"deep.zip!x.log.gz 53", "deep.zip!in.zip!y.log 53"}, nil,
			[]string{"deep.zip!in.zip!no.gz: is packed more than 2 deep; unpack it first"}},
		{"none.zip", nil, skipped("none.zip: skipped 1 not text (z.bin)"), []string{"none.zip: no text in it"}},
		{"cut.gz", []string{"cut.gz 1*"}, nil, []string{"cut.gz: it is cut short or damaged: unexpected EOF; the first 1*"}},
		{"cut.zst", []string{"cut.zst 1*"}, nil, []string{"cut.zst: it is cut short or damaged: unexpected EOF; the first 1*"}},
		{"tail.gz", []string{"tail.gz 53"}, nil, []string{"tail.gz: it is cut short or damaged: unexpected EOF; the first 53 bytes are analysed"}},
		{"cut.7z a.log", []string{"a.log 53"}, nil, []string{"cut.7z: its list of members cannot be read, it is cut short or damaged: unexpected header"}},
		{"cut.zip", []string{"cut.zip!x.log 53", "cut.zip!y.log 1*"}, skipped("cut.zip: skipped 1 not text (z.bin)"),
			[]string{"cut.zip!y.log: it is cut short or damaged: unexpected EOF; the first 1*", "cut.zip: its list of members cannot be read, it is cut short or damaged: zip: not a valid zip file; what stands at its beginning is analysed"}},
		{"cut2.zip", []string{"cut2.zip!x.log 53", "cut2.zip!y.log 9*"}, skipped("cut2.zip: skipped 1 not text (z.bin)"),
			[]string{"cut2.zip!y.log: it is cut short or damaged: unexpected EOF; the first 9*", "cut2.zip: its list of members cannot be read, it is cut short or damaged: zip: not a valid zip file; what stands at its beginning is analysed"}},
		{"nodir.zip", []string{"nodir.zip!x.log 53", "nodir.zip!y.log 53"}, nil,
			[]string{"nodir.zip: its list of members cannot be read, it is cut short or damaged: *"}},
		{"wrong.zip", []string{"wrong.zip!x.log 53"}, nil,
			[]string{"wrong.zip!x.log: it is damaged: its checksum is wrong; the first 53 bytes are analysed", "wrong.zip: its list of members *"}},
		{"wrong.7z", []string{"wrong.7z!x.log 53"}, nil, []string{"wrong.7z!x.log: it is damaged: its checksum is wrong; the first 53 bytes are analysed"}},
		{"count.7z", nil, nil, []string{"count.7z: its list of members cannot be read, it is cut short or damaged: unexpected header"}},
		{"twice.zip", nil, nil, []string{"twice.zip: its members overlap, which is no honest archive; nothing in it is read"}},
		{"8.zip", nil, nil, append(slices.Repeat([]string{"8.zip!: it is encrypted; unpack it first"}, 5), "8.zip: 3 more members cannot be read wholly")},
		{"locked.zip", nil, nil, []string{"locked.zip!x.log: it is encrypted; unpack it first"}},
		{"locked.7z", nil, nil, []string{"locked.7z!x.log: it is encrypted; unpack it first"}},
		{"window.zst", nil, nil, []string{"window.zst: it asks for more than 256 MiB of memory; unpack it first"}},
		{"window.7z", nil, nil, []string{"window.7z!x.log: it asks for more than 256 MiB of memory; unpack it first"}},
	} {
		t.Run(tc.names, func(t *testing.T) {
			inputs, notes, errs := opened(t, dir, open.Options{Memory: 100_000}, strings.Fields(tc.names)...)
			same := cmp.Comparer(func(a, b string) bool {
				if p, ok := strings.CutSuffix(a, "*"); ok {
					return strings.HasPrefix(b, p)
				}
				p, ok := strings.CutSuffix(b, "*")
				return ok && strings.HasPrefix(a, p) || a == b
			})
			for _, d := range []string{cmp.Diff(tc.inputs, inputs, same), cmp.Diff(tc.notes, notes), cmp.Diff(tc.errs, errs, same)} {
				if d != "" {
					t.Error(d)
				}
			}
		})
	}
}

func TestLimits(t *testing.T) {
	flat := []byte(strings.Repeat(strings.Repeat("a", 79)+"\n", 3<<20)) // 240 MiB
	var crowd []member
	for i := range 20 {
		crowd = append(crowd, member{fmt.Sprintf("%d.log", i), []byte(text)})
	}
	dir := write(t, map[string][]byte{
		"bomb.zst": zst(t, flat), "bomb.zip": zipped(t, member{"a.log", []byte(text)}, member{"bomb", zst(t, flat)}, member{"b.log", []byte(text)}),
		"crowd.zip": zipped(t, crowd...), "big.gz": gz(t, noise(3<<20)), "a.log": []byte(text),
	})
	for _, tc := range []struct {
		names        string
		opt          open.Options
		inputs, errs []string
	}{
		{"bomb.zst", open.Options{}, []string{"bomb.zst 67174400"},
			[]string{"bomb.zst: over the limit of 1000 times the size of the archive; the first 64.1 MiB are analysed"}},
		{"bomb.zip", open.Options{}, []string{"bomb.zip!a.log 53", "bomb.zip!bomb 67174400", "bomb.zip!b.log 53"},
			[]string{"bomb.zip!bomb: over the limit of 1000 times the size of the archive; the first 64.1 MiB are analysed"}},
		{"crowd.zip a.log", open.Options{MaxInputs: 2}, []string{"crowd.zip!0.log 53", "crowd.zip!1.log 53"},
			[]string{"crowd.zip!2.log: more than 2 inputs; it and what follows is not read"}},
		{"big.gz a.log", open.Options{MaxSize: 1 << 20}, []string{"big.gz 1048576", "a.log 53"},
			[]string{"big.gz: over the limit of 1 MiB for all that is unpacked or piped in (--max-size); the first 1 MiB are analysed"}},
		{"crowd.zip", open.Options{MaxSize: 53 * 2}, []string{"crowd.zip!0.log 53", "crowd.zip!1.log 53"},
			[]string{"crowd.zip!2.log: over the limit of 106 bytes for all that is unpacked or piped in (--max-size)", "crowd.zip: the members behind are not read"}},
	} {
		t.Run(tc.names, func(t *testing.T) {
			inputs, _, errs := opened(t, dir, tc.opt, strings.Fields(tc.names)...)
			if d := cmp.Diff(tc.inputs, inputs) + cmp.Diff(tc.errs, errs); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestPipes reads hostile readers as standard input.
func TestPipes(t *testing.T) {
	broken := errors.New("broken pipe")
	for name, tc := range map[string]struct {
		r    io.Reader
		want []string
		err  string
	}{
		"empty":       {strings.NewReader(""), []string{"stdin 0"}, ""},
		"none":        {nil, []string{"stdin 0"}, ""},
		"byte wise":   {iotest.OneByteReader(strings.NewReader(text)), []string{"stdin 53"}, ""},
		"data at end": {iotest.DataErrReader(strings.NewReader(text)), []string{"stdin 53"}, ""},
		"packed":      {strings.NewReader(string(gz(t, []byte(text)))), []string{"stdin 53"}, ""},
		"error":       {iotest.ErrReader(broken), nil, "stdin: broken pipe"},
		"late error":  {io.MultiReader(strings.NewReader(text), iotest.ErrReader(broken)), []string{"stdin 53"}, "stdin: broken pipe; the first 53 bytes are analysed"},
		"zeros":       {zeros{}, []string{"stdin 65536"}, ""}, // no text: its beginning is enough to say so
		"to disk":     {strings.NewReader(string(noise(300_000))), []string{"stdin 300000"}, ""},
		"no end":      {lines{}, []string{"stdin 1000000"}, "stdin: over the limit of 976.6 KiB for all that is unpacked or piped in (--max-size); the first 976.6 KiB are analysed"},
	} {
		t.Run(name, func(t *testing.T) {
			inputs, _, errs := opened(t, t.TempDir(), open.Options{Stdin: tc.r, Memory: 100_000, MaxSize: 1_000_000}, "-")
			if d := cmp.Diff(tc.want, inputs); d != "" {
				t.Error(d)
			}
			if got := strings.Join(errs, "\n"); got != tc.err {
				t.Errorf("error %q, want %q", got, tc.err)
			}
		})
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

type lines struct{}

func (lines) Read(p []byte) (int, error) { return copy(p, "0: kd> !locks\n"), nil }

// blocks never returns.
type blocks struct{}

func (blocks) Read([]byte) (int, error) { select {} }

func TestInterrupt(t *testing.T) {
	for name, r := range map[string]io.Reader{"blocked": blocks{}, "busy": lines{}} {
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(20*time.Millisecond, cancel)
		begin := time.Now()
		set, err := open.Inputs(ctx, []string{"-"}, open.Options{Stdin: r, TempDir: t.TempDir()})
		must(t, set.Close())
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: error %v", name, err)
		}
		if d := time.Since(begin); d > time.Minute {
			t.Errorf("%s: took %s", name, d)
		}
	}
}

func TestInterruptInFolder(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	dir := write(t, map[string][]byte{"a.log": []byte(text), "b.gz": gz(t, []byte(text))})
	set, err := open.Inputs(ctx, []string{dir}, open.Options{})
	must(t, set.Close())
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// TestFileChanges reads files that change after they were opened.
func TestFileChanges(t *testing.T) {
	dir := write(t, map[string][]byte{"a.log": []byte(text), "b.log": []byte(text)})
	a, b := filepath.Join(dir, "a.log"), filepath.Join(dir, "b.log")
	set, err := open.Inputs(context.Background(), []string{a, b}, open.Options{})
	must(t, err)
	defer set.Close()
	f, err := os.OpenFile(a, os.O_APPEND|os.O_WRONLY, 0)
	must(t, err)
	f.WriteString("more")
	must(t, f.Close())
	must(t, os.Truncate(b, 10))
	read := func(in inspect.Input) (string, error) {
		data, err := io.ReadAll(io.NewSectionReader(in.Data, 0, in.Size))
		return string(data), err
	}
	if got, err := read(set.Inputs[0]); got != text || err != nil {
		t.Errorf("grown: %q, %v", got, err)
	}
	if got := strings.Join(set.Grown(), ""); !strings.HasSuffix(got, "a.log: grew from 53 bytes to 57 bytes while it was read; what was added is not analysed") {
		t.Errorf("Grown: %q", got)
	}
	if got, err := read(set.Inputs[1]); got != text[:10] || !errors.Is(err, io.ErrUnexpectedEOF) || !strings.Contains(err.Error(), "became shorter while it was read: 10 bytes of 53 bytes are there") {
		t.Errorf("shrunk: %q, %v", got, err)
	}
}

// TestMemory unpacks much and keeps little.
func TestMemory(t *testing.T) {
	dir := write(t, map[string][]byte{"big.zst": zst(t, noise(40<<20), zstd.WithEncoderLevel(zstd.SpeedFastest))})
	set, err := open.Inputs(context.Background(), []string{filepath.Join(dir, "big.zst")}, open.Options{TempDir: t.TempDir(), Memory: 1 << 20})
	must(t, err)
	defer set.Close()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if m.HeapAlloc > 30<<20 || set.Inputs[0].Size != 40<<20 {
		t.Errorf("%d bytes in the heap for %d", m.HeapAlloc, set.Inputs[0].Size)
	}
}

func TestGiven(t *testing.T) {
	log := inspect.Bytes("hang.log", []byte(text))
	for _, c := range []struct {
		name  string
		given []inspect.Input
		want  []string
		err   string
	}{
		{"text", []inspect.Input{log}, []string{"hang.log 53"}, ""},
		{"gzip and zip keep their order", []inspect.Input{
			inspect.Bytes("a.gz", gz(t, []byte(text))),
			log,
			inspect.Bytes("b.zip", zipped(t, member{"x.log", []byte(text)})),
		}, []string{"a.gz 53", "hang.log 53", "b.zip!x.log 53"}, ""},
		{"one name", []inspect.Input{log, log, inspect.Bytes("hang.log (2)", []byte(text)), log}, []string{"hang.log 53", "hang.log (3) 53", "hang.log (2) 53", "hang.log (4) 53"}, ""},
		{"archives of one name", []inspect.Input{
			inspect.Bytes("a.zip", zipped(t, member{"x.log", []byte(text)}, member{"y.log", []byte(text)})),
			inspect.Bytes("a.zip", zipped(t, member{"y.log", []byte(text)})),
		}, []string{"a.zip!x.log 53", "a.zip!y.log 53", "a.zip!y.log (2) 53"}, ""},
		{"bomb", []inspect.Input{inspect.Bytes("zeros.gz", gz(t, make([]byte, 1<<20))), log}, []string{"zeros.gz 65536", "hang.log 53"}, ""},
		{"too much", []inspect.Input{inspect.Bytes("much.gz", gz(t, noise(300<<10)))}, []string{"much.gz 204800"}, "over the limit of 200 KiB"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			set, err := open.Given(context.Background(), c.given, open.Options{MaxSize: 200 << 10, Memory: 200 << 10, TempDir: filepath.Join(dir, "none")})
			t.Cleanup(func() { set.Close() })
			var got []string
			for _, in := range set.Inputs {
				got = append(got, fmt.Sprint(in.Name, " ", in.Size))
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
			if c.err == "" && err != nil || c.err != "" && !strings.Contains(fmt.Sprint(err), c.err) {
				t.Errorf("error %v, want %q", err, c.err)
			}
		})
	}
}
