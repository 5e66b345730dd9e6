package image

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

const testBase = 0xfffff80100000000

var errNotThere = errors.New("not in the dump")

// memory is an image in memory, of which some pages are missing.
type memory struct {
	data    []byte
	missing []uint64 // RVAs of pages
	reads   int
}

func (m *memory) ReadVirtual(p []byte, va uint64) error {
	m.reads++
	rva := va - testBase
	if rva > uint64(len(m.data)) || uint64(len(m.data))-rva < uint64(len(p)) || slices.Contains(m.missing, rva&^0xfff) {
		return fmt.Errorf("%#x: %w", va, errNotThere)
	}
	copy(p, m.data[rva:])
	return nil
}

func (m *memory) put(rva int, b ...byte) { copy(m.data[rva:], b) }
func (m *memory) text(rva int, s string) { m.put(rva, append([]byte(s), 0)...) }
func (m *memory) put16(rva int, v ...uint16) {
	for k, v := range v {
		binary.LittleEndian.PutUint16(m.data[rva+2*k:], v)
	}
}
func (m *memory) put32(rva int, v ...uint32) {
	for k, v := range v {
		binary.LittleEndian.PutUint32(m.data[rva+4*k:], v)
	}
}

// Where the parts of the test image are; each has its pages, so that they can be
// missing.
const (
	peRVA       = 0x80
	optionalRVA = peRVA + 24
	sectionRVA  = optionalRVA + 240
	textRVA     = 0x1000
	exportRVA   = 0x3000
	nameRVA     = 0x4000
	pdataRVA    = 0x5000 // two pages
	debugRVA    = 0x7000
	rsrcRVA     = 0x8000
	initRVA     = 0x9000
	imageSize   = 0xa000
	functions   = 0x2000 / 12
)

// build makes a small image with one of everything.
func build() *memory {
	m := &memory{data: make([]byte, imageSize)}
	m.text(0, "MZ")
	m.put32(0x3c, peRVA)
	m.text(peRVA, "PE")
	m.put16(peRVA+4, MachineAMD64, 3)
	m.put32(peRVA+8, 0x5e2a1b3c)
	m.put16(peRVA+20, 240)
	m.put16(optionalRVA, 0x20b)
	m.put32(optionalRVA+64, 0xabcdef)
	m.put32(optionalRVA+108, 16)
	for index, d := range map[int][2]uint32{
		dirExport: {exportRVA, 0x1000}, dirResource: {rsrcRVA, 0x1000},
		dirException: {pdataRVA, functions * 12}, dirDebug: {debugRVA, 2 * 28},
	} {
		m.put32(optionalRVA+112+8*index, d[:]...)
	}
	for k, s := range []struct {
		name             string
		rva, size, flags uint32
	}{{".text", textRVA, 0x2000, 0x60000020}, {".rdata", exportRVA, 0x6000, 0x40000040}, {"INIT", initRVA, 0x800, 0x60000020}} {
		m.put(sectionRVA+40*k, []byte(s.name)...)
		m.put32(sectionRVA+40*k+8, s.size, s.rva)
		m.put32(sectionRVA+40*k+36, s.flags)
	}
	m.exports()
	for k := range uint32(functions) {
		m.put32(pdataRVA+12*int(k), textRVA+16*k, textRVA+16*k+12, 0x1234000+k)
	}
	m.debug()
	m.version()
	return m
}

// exports are by name; "KeForward" leads to another image and "Both" and "Alias"
// are one function.
func (m *memory) exports() {
	rvas := []uint32{textRVA + 0x100, exportRVA + 0x800, textRVA + 0x40, initRVA + 0x10, 0}
	names := []struct {
		name    string
		ordinal uint16
	}{{"Alias", 0}, {"Both", 0}, {"InitFunction", 3}, {"KeForward", 1}, {"KeFunction", 2}, {"Nowhere", 4}, {"Beyond", 9}}
	m.put32(exportRVA+20, uint32(len(rvas)), uint32(len(names)), exportRVA+0x100, exportRVA+0x200, exportRVA+0x300)
	m.put32(exportRVA+0x100, rvas...)
	for k, n := range names {
		m.put32(exportRVA+0x200+4*k, uint32(nameRVA+32*k))
		m.put16(exportRVA+0x300+2*k, n.ordinal)
		m.text(nameRVA+32*k, n.name)
	}
	m.text(exportRVA+0x800, "HAL.HalFunction")
}

func (m *memory) debug() {
	m.put32(debugRVA+12, 13, 0x100, 0) // POGO
	m.put32(debugRVA+28+12, 2, 0x100, debugRVA+0x100)
	m.text(debugRVA+0x100, "RSDS")
	m.put(debugRVA+0x104, 0x78, 0x56, 0x34, 0x12, 0xbc, 0x9a, 0xf0, 0xde, 1, 2, 3, 4, 5, 6, 7, 0xab)
	m.put32(debugRVA+0x114, 0x1f)
	m.text(debugRVA+0x118, `d:\build\ntkrnlmp.pdb`)
}

func (m *memory) version() {
	m.put16(rsrcRVA+12, 0, 2)
	m.put32(rsrcRVA+16, 5, 0x80000400, 16, 0x80000100)
	m.put16(rsrcRVA+0x100+12, 0, 1)
	m.put32(rsrcRVA+0x110, 1, 0x80000200)
	m.put16(rsrcRVA+0x200+12, 0, 1)
	m.put32(rsrcRVA+0x210, 0x409, 0x300)
	m.put32(rsrcRVA+0x300, rsrcRVA+0x800, 0x300)
	m.put32(rsrcRVA+0x800+40, 0xfeef04bd, 0x10000, 10<<16, 19041<<16|1052)
}

func open(tb testing.TB, m *memory) *Image {
	tb.Helper()
	i, err := Open(m, testBase, imageSize)
	if err != nil {
		tb.Fatal(err)
	}
	return i
}

func TestOpen(t *testing.T) {
	i := open(t, build())
	if i.Base != testBase || i.Size != imageSize || i.Machine != MachineAMD64 || i.TimeDateStamp != 0x5e2a1b3c || i.CheckSum != 0xabcdef {
		t.Errorf("%+v", i)
	}
	want := []Section{{".text", textRVA, 0x2000, true}, {".rdata", exportRVA, 0x6000, false}, {"INIT", initRVA, 0x800, true}}
	if !slices.Equal(i.Sections, want) {
		t.Errorf("sections %+v, want %+v", i.Sections, want)
	}
	if rva, ok := i.Contains(testBase + imageSize - 1); !ok || rva != imageSize-1 {
		t.Errorf("last byte: %#x, %t", rva, ok)
	}
	for _, va := range []uint64{testBase - 1, testBase + imageSize, 0} {
		if rva, ok := i.Contains(va); ok {
			t.Errorf("%#x is at %#x", va, rva)
		}
	}
}

func TestOpenErrors(t *testing.T) {
	for _, c := range []struct {
		name string
		make func(m *memory)
		want error // nil for a *ReadError of the header page
	}{
		{"no page", func(m *memory) { m.missing = []uint64{0} }, nil},
		{"no MZ", func(m *memory) { m.put(0, 'N') }, ErrMalformed},
		{"header outside", func(m *memory) { m.put32(0x3c, imageSize-8) }, ErrMalformed},
		{"header far outside", func(m *memory) { m.put32(0x3c, 0xffffffff) }, ErrMalformed},
		{"no PE", func(m *memory) { m.put(peRVA, 'N') }, ErrMalformed},
		{"PE32", func(m *memory) { m.put16(optionalRVA, 0x10b) }, ErrMalformed},
		{"97 sections", func(m *memory) { m.put16(peRVA+6, 97) }, ErrMalformed},
		{"directories beyond the optional header", func(m *memory) { m.put16(peRVA+20, 112+8) }, ErrMalformed},
		{"sections outside", func(m *memory) { m.put16(peRVA+20, 0xffff) }, ErrMalformed},
	} {
		m := build()
		c.make(m)
		_, err := Open(m, testBase, imageSize)
		var missing *ReadError
		if c.want != nil && !errors.Is(err, c.want) || c.want == nil && (!errors.As(err, &missing) || missing.VA != testBase || !errors.Is(err, errNotThere)) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	for _, c := range []struct {
		base uint64
		size uint32
	}{{testBase + 1, imageSize}, {testBase, 0}, {1<<64 - 0x1000, imageSize}} {
		if _, err := Open(build(), c.base, c.size); !errors.Is(err, ErrMalformed) {
			t.Errorf("%#x, %#x: %v", c.base, c.size, err)
		}
	}
}

func TestExport(t *testing.T) {
	i := open(t, build())
	for _, c := range []struct {
		rva  uint32
		name string
		off  uint32
	}{
		{textRVA + 0x40, "KeFunction", 0}, {textRVA + 0xff, "KeFunction", 0xbf}, {textRVA + 0x100, "Alias", 0},
		{textRVA + 0x1fff, "Alias", 0x1eff}, {initRVA + 0x10, "InitFunction", 0}, {initRVA + 0x7ff, "InitFunction", 0x7ef},
		{textRVA + 0x3f, "", 0}, {exportRVA + 0x900, "", 0}, {initRVA + 0xf, "", 0}, {0x10, "", 0}, {initRVA + 0x800, "", 0}, {0xffffffff, "", 0},
	} {
		name, off, ok := i.Export(c.rva)
		if name != c.name || off != c.off || ok != (c.name != "") {
			t.Errorf("%#x: %s+%#x, %t; want %s+%#x", c.rva, name, off, ok, c.name, c.off)
		}
	}
	for name, want := range map[string]uint32{"KeFunction": textRVA + 0x40, "Both": textRVA + 0x100, "KeForward": 0, "Nowhere": 0, "Beyond": 0, "Ke": 0, "": 0} {
		if rva, ok := i.ExportRVA(name); rva != want || ok != (want != 0) {
			t.Errorf("%s: %#x, %t; want %#x", name, rva, ok, want)
		}
	}
}

func TestExportMissing(t *testing.T) {
	for _, c := range []struct {
		name string
		make func(m *memory)
	}{
		{"no directory", func(m *memory) { m.put32(optionalRVA+112, 0, 0) }},
		{"directory outside", func(m *memory) { m.put32(optionalRVA+112, imageSize-8, 40) }},
		{"directory not there", func(m *memory) { m.missing = []uint64{exportRVA} }},
		{"names not there", func(m *memory) { m.missing = []uint64{nameRVA} }},
		{"count of names", func(m *memory) { m.put32(exportRVA+24, 0xffffffff) }},
		{"names outside", func(m *memory) { m.put32(exportRVA+32, 0xfffffffc) }},
		{"name is not text", func(m *memory) { m.put(nameRVA+32*4+3, 7) }},
	} {
		m := build()
		c.make(m)
		i := open(t, m)
		if name, off, ok := i.Export(textRVA + 0x40); ok {
			t.Errorf("%s: %s+%#x", c.name, name, off)
		}
		if rva, ok := i.ExportRVA("KeFunction"); ok {
			t.Errorf("%s: %#x", c.name, rva)
		}
	}
}

func TestFunction(t *testing.T) {
	m := build()
	i := open(t, m)
	for k := range uint32(functions) {
		want := RuntimeFunction{textRVA + 16*k, textRVA + 16*k + 12, 0x1234000 + k}
		for _, rva := range []uint32{want.Begin, want.End - 1} {
			if f, ok, err := i.Function(rva); f != want || !ok || err != nil {
				t.Fatalf("%#x: %+v, %t, %v", rva, f, ok, err)
			}
		}
		if f, ok, err := i.Function(want.End); ok || err != nil {
			t.Fatalf("%#x: %+v, %v", want.End, f, err)
		}
	}
	if f, ok, err := i.Function(0); ok || err != nil {
		t.Errorf("before the first: %+v, %v", f, err)
	}
	if m.reads != 3 {
		t.Errorf("%d reads of memory, want those of 3 pages", m.reads)
	}
}

func TestFunctionErrors(t *testing.T) {
	m := build()
	m.missing = []uint64{pdataRVA + 0x1000}
	i := open(t, m)
	var missing *ReadError
	if _, ok, err := i.Function(textRVA + 0x2000); ok || !errors.As(err, &missing) || missing.VA&^0xfff != testBase+pdataRVA+0x1000 {
		t.Errorf("page missing: %t, %v", ok, err)
	}
	m = build()
	m.put32(optionalRVA+112+8*dirException, 0, 0)
	if _, ok, err := open(t, m).Function(textRVA); ok || err != nil {
		t.Errorf("no directory: %t, %v", ok, err)
	}
	for _, d := range [][2]uint32{{pdataRVA, 8}, {imageSize - 12, 24}, {0xffffffff, 0xffffffff}} {
		m = build()
		m.put32(optionalRVA+112+8*dirException, d[:]...)
		if _, ok, err := open(t, m).Function(textRVA); ok || !errors.Is(err, ErrMalformed) {
			t.Errorf("directory %#x: %t, %v", d, ok, err)
		}
	}
	m = build()
	m.put16(peRVA+4, 0xaa64)
	if _, ok, err := open(t, m).Function(textRVA); ok || !errors.Is(err, ErrMalformed) {
		t.Errorf("arm64: %t, %v", ok, err)
	}
}

func TestDebug(t *testing.T) {
	got, err := open(t, build()).Debug()
	if want := (CodeView{"ntkrnlmp.pdb", "123456789ABCDEF001020304050607AB", 0x1f}); err != nil || got != want {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
	for _, c := range []struct {
		name string
		make func(m *memory)
		want error // nil for a *ReadError
	}{
		{"no directory", func(m *memory) { m.put32(optionalRVA+112+8*dirDebug, 0, 0) }, ErrAbsent},
		{"no CodeView", func(m *memory) { m.put32(debugRVA+28+12, 1) }, ErrAbsent},
		{"not mapped", func(m *memory) { m.put32(debugRVA+28+20, 0) }, ErrAbsent},
		{"NB10", func(m *memory) { m.text(debugRVA+0x100, "NB10") }, ErrAbsent},
		{"page missing", func(m *memory) { m.missing = []uint64{debugRVA} }, nil},
		{"outside", func(m *memory) { m.put32(debugRVA+28+20, imageSize-23) }, ErrMalformed},
		{"no end", func(m *memory) { copy(m.data[debugRVA+0x118:], strings.Repeat("a", imageSize)) }, ErrMalformed},
		{"no name", func(m *memory) { m.text(debugRVA+0x118, `d:\`) }, ErrMalformed},
		{"control characters", func(m *memory) { m.text(debugRVA+0x118, "a\x1b[2J.pdb") }, ErrMalformed},
	} {
		m := build()
		c.make(m)
		_, err := open(t, m).Debug()
		var missing *ReadError
		if c.want != nil && !errors.Is(err, c.want) || c.want == nil && !errors.As(err, &missing) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestVersion(t *testing.T) {
	if got, err := open(t, build()).Version(); got != "10.0.19041.1052" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	for _, c := range []struct {
		name string
		make func(m *memory)
		want error // nil for a *ReadError
	}{
		{"no directory", func(m *memory) { m.put32(optionalRVA+112+8*dirResource, 0, 0) }, ErrAbsent},
		{"no version", func(m *memory) { m.put32(rsrcRVA+24, 17) }, ErrAbsent},
		{"page missing", func(m *memory) { m.missing = []uint64{rsrcRVA} }, nil},
		{"leaf too high", func(m *memory) { m.put32(rsrcRVA+28, 0x100) }, ErrMalformed},
		{"tree too deep", func(m *memory) { m.put32(rsrcRVA+0x214, 0x80000300) }, ErrMalformed},
		{"entries outside", func(m *memory) { m.put32(rsrcRVA+24, 17); m.put16(rsrcRVA+12, 0xffff, 0xffff) }, ErrMalformed},
		{"directory outside", func(m *memory) { m.put32(rsrcRVA+28, 0xffffffff) }, ErrMalformed},
		{"data outside", func(m *memory) { m.put32(rsrcRVA+0x300, 0xffffffff) }, ErrMalformed},
		{"no signature", func(m *memory) { m.put32(rsrcRVA+0x828, 0) }, ErrMalformed},
	} {
		m := build()
		c.make(m)
		_, err := open(t, m).Version()
		var missing *ReadError
		if c.want != nil && !errors.Is(err, c.want) || c.want == nil && !errors.As(err, &missing) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// endless is memory that is the same page everywhere.
type endless []byte

func (m endless) ReadVirtual(p []byte, va uint64) error {
	for k := range p {
		p[k] = m[(va+uint64(k))%uint64(len(m))]
	}
	return nil
}

// TestPages keeps no more pages than it says, of the largest image there can be.
func TestPages(t *testing.T) {
	i := &Image{Base: testBase, Size: 1<<32 - 1, mem: endless("abcdefgh"), pages: map[uint32]page{}}
	var b [16]byte
	for n := range uint32(3 * maxPages) {
		if err := i.Read(b[:], n*pageSize+pageSize-9, "test"); err != nil || string(b[:]) != "habcdefghabcdefg" {
			t.Fatalf("page %d: %q, %v", n, b, err)
		}
		if len(i.pages) > maxPages {
			t.Fatalf("%d pages", len(i.pages))
		}
	}
	if err := i.Read(b[:1], 1<<32-2, "test"); err != nil {
		t.Error(err)
	}
	if err := i.Read(b[:2], 1<<32-2, "test"); !errors.Is(err, ErrMalformed) {
		t.Error(err)
	}
	if _, err := i.text(1<<32-17, "test"); !errors.Is(err, ErrMalformed) {
		t.Error(err)
	}
}

// FuzzImage reads all there is of a damaged image.
func FuzzImage(f *testing.F) {
	m := build()
	f.Add(m.data[:0x400], uint32(0), uint32(imageSize))
	f.Add(m.data[exportRVA:exportRVA+0x400], uint32(exportRVA), uint32(imageSize))
	f.Add(m.data[rsrcRVA:rsrcRVA+0x400], uint32(rsrcRVA), uint32(imageSize))
	f.Add(m.data[debugRVA:debugRVA+0x200], uint32(debugRVA), uint32(imageSize))
	f.Add(bytes.Repeat([]byte{0xff}, 16), uint32(optionalRVA+112), uint32(1<<32-1))
	f.Fuzz(func(t *testing.T, damage []byte, at, size uint32) {
		m := build()
		copy(m.data[at%imageSize:], damage)
		for _, mem := range []Memory{m, endless(m.data)} {
			i, err := Open(mem, testBase, size)
			if err != nil {
				continue
			}
			for _, rva := range []uint32{0, textRVA + 0x45, at, size - 1} {
				if name, _, ok := i.Export(rva); ok && !printable(name) {
					t.Errorf("export %q", name)
				}
				if fn, ok, err := i.Function(rva); ok && (err != nil || rva < fn.Begin || rva >= fn.End) {
					t.Errorf("function %+v of %#x, %v", fn, rva, err)
				}
			}
			i.ExportRVA("KeFunction")
			if cv, err := i.Debug(); err == nil && (len(cv.GUID) != 32 || cv.PDB == "") {
				t.Errorf("%+v", cv)
			}
			if v, err := i.Version(); err == nil && strings.Count(v, ".") != 3 {
				t.Errorf("version %q", v)
			}
			if len(i.pages) > maxPages || len(i.exports) > maxExports {
				t.Errorf("%d pages, %d exports", len(i.pages), len(i.exports))
			}
		}
	})
}

func BenchmarkExport(b *testing.B) {
	i := open(b, build())
	b.ReportAllocs()
	for b.Loop() {
		i.Export(textRVA + 0xff)
	}
}

func BenchmarkFunction(b *testing.B) {
	i := open(b, build())
	b.ReportAllocs()
	for b.Loop() {
		i.Function(textRVA + 0x1000)
	}
}
