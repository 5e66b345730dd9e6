package rules_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"kdlocks/rules"
)

// packed is an archive with some files.
func packed(t testing.TB, change func(*zip.Writer)) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for name, text := range map[string]string{"pack/pack.yaml": "name: sample\nversion: 1.0.0\n", "pack/rules/one.yaml": sound, "pack/testdata/one.log": "text"} {
		member(t, w, &zip.FileHeader{Name: name, Method: zip.Deflate}, text)
	}
	if change != nil {
		change(w)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func member(t testing.TB, w *zip.Writer, h *zip.FileHeader, text string) {
	t.Helper()
	f, err := w.CreateHeader(h)
	if err == nil {
		_, err = io.WriteString(f, text)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func unpack(data []byte) (*rules.Set, error) {
	fsys, err := rules.ZipFS(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, err
	}
	return rules.Load([]rules.Source{{Name: "pack.zip", FS: fsys}}, "")
}

func TestZipFS(t *testing.T) {
	data := packed(t, func(w *zip.Writer) {
		member(t, w, &zip.FileHeader{Name: "pack/empty/"}, "")
		member(t, w, &zip.FileHeader{Name: "pack/README.md", Method: zip.Store}, "words")
	})
	set, err := unpack(data)
	if err != nil || len(set.Rules) != 1 || set.Rules[0].Pack.Name != "sample" || set.Rules[0].File != "pack.zip/pack/rules/one.yaml" {
		t.Fatal(set, err)
	}
	if log, err := set.Rules[0].ReadLog("one.log"); string(log) != "text" {
		t.Error(string(log), err)
	}
	fsys, err := rules.ZipFS(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	if err := fstest.TestFS(fsys, "pack/rules/one.yaml"); err != nil {
		t.Error(err)
	}
}

type hostileZip struct {
	data []byte
	want string
}

// hostileZips are archives that a stranger may send.
func hostileZips(t testing.TB) map[string]hostileZip {
	add := func(h zip.FileHeader, text string) []byte {
		return packed(t, func(w *zip.Writer) { member(t, w, &h, text) })
	}
	link := zip.FileHeader{Name: "pack/rules/link.yaml"}
	link.SetMode(fs.ModeSymlink | 0o777)
	raw := func(h zip.FileHeader, text string) []byte {
		return packed(t, func(w *zip.Writer) {
			f, err := w.CreateRaw(&h)
			if err == nil {
				_, err = io.WriteString(f, text)
			}
			if err != nil {
				t.Fatal(err)
			}
		})
	}
	return map[string]hostileZip{
		"no zip":        {[]byte(sound), "no zip archive"},
		"empty":         {nil, "no zip archive"},
		"cut":           {packed(t, nil)[:200], "no zip archive"},
		"parent":        {add(zip.FileHeader{Name: "../outside.yaml"}, sound), "names no place within it"},
		"parent within": {add(zip.FileHeader{Name: "pack/../../outside.yaml"}, sound), "names no place within it"},
		"root":          {add(zip.FileHeader{Name: "/etc/rules.yaml"}, sound), "names no place within it"},
		"drive":         {add(zip.FileHeader{Name: "C:/rules.yaml"}, sound), "names no place within it"},
		"backslash":     {add(zip.FileHeader{Name: `..\outside.yaml`}, sound), "names no place within it"},
		"no name":       {add(zip.FileHeader{Name: ""}, sound), "names no place within it"},
		"twice":         {add(zip.FileHeader{Name: "pack/rules/one.yaml"}, sound), "comes twice"},
		"link":          {add(link, "/etc/passwd"), "is no regular file"},
		"method":        {raw(zip.FileHeader{Name: "a.yaml", Method: 98, CompressedSize64: 1, UncompressedSize64: 1}, "x"), "method 98"},
		"encrypted":     {raw(zip.FileHeader{Name: "a.yaml", Flags: 1, CompressedSize64: 1, UncompressedSize64: 1}, "x"), "is encrypted"},
		"bomb":          {raw(zip.FileHeader{Name: "a.log", Method: zip.Deflate, CompressedSize64: 1, UncompressedSize64: 1 << 40}, "x"), "is too large"},
		"bombs":         {many(t, 8, 100<<20), "unpacks to more than 512 MiB"},
		"many files":    {many(t, 30_000, 1), "has more than 20000 files"},
		"long list":     {longNames(t), "lists too many files"},
		"overlap":       {overlapping(t), "overlap"},
		"longer":        {longer(t), "pack.zip/a.yaml: "},
		"wrong sum":     {raw(zip.FileHeader{Name: "a.yaml", CompressedSize64: 4, UncompressedSize64: 4, CRC32: 1}, "text"), "pack.zip/a.yaml: "},
		"huge rules":    {add(zip.FileHeader{Name: "a.yaml", Method: zip.Deflate}, strings.Repeat("# x\n", 1<<20)), "pack.zip/a.yaml:1:1: the file is larger than 1024 KiB"},
	}
}

// BenchmarkHostileZip shows that none takes long to be refused.
func BenchmarkHostileZip(b *testing.B) {
	for name, c := range hostileZips(b) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				unpack(c.data)
			}
		})
	}
}

func TestHostileZip(t *testing.T) {
	for name, c := range hostileZips(t) {
		t.Run(name, func(t *testing.T) {
			set, err := unpack(c.data)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, %v; want %q", set, err, c.want)
			}
		})
	}
}

// many is an archive of empty blocks that claim a size each.
func many(t testing.TB, n int, size uint64) []byte {
	return packed(t, func(w *zip.Writer) {
		for i := range n {
			if _, err := w.CreateRaw(&zip.FileHeader{Name: fmt.Sprintf("f%d.log", i), Method: zip.Deflate, UncompressedSize64: size}); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func longNames(t testing.TB) []byte {
	return packed(t, func(w *zip.Writer) {
		for i := range 300 {
			if _, err := w.CreateRaw(&zip.FileHeader{Name: fmt.Sprint(i, strings.Repeat("x", 60_000))}); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// overlapping is an archive whose files each claim all of it.
func overlapping(t testing.TB) []byte {
	data := packed(t, nil)
	for i := 0; ; {
		k := bytes.Index(data[i:], []byte("PK\x01\x02"))
		if k < 0 {
			return data
		}
		i += k
		binary.LittleEndian.PutUint32(data[i+20:], uint32(len(data)-50))
		i += 4
	}
}

// longer is an archive with a file that unpacks to more than it says.
func longer(t testing.TB) []byte {
	data := packed(t, func(w *zip.Writer) {
		member(t, w, &zip.FileHeader{Name: "a.yaml", Method: zip.Deflate}, sound)
	})
	i := bytes.LastIndex(data, []byte("PK\x01\x02"))
	binary.LittleEndian.PutUint32(data[i+24:], 5)
	binary.LittleEndian.PutUint32(data[i+16:], crc32.ChecksumIEEE([]byte(sound[:5])))
	return data
}
