package dumptest

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// exportsOf reads the export directory of a mapped image.
func exportsOf(t *testing.T, d *image, base uint64) map[string]uint32 {
	t.Helper()
	u32 := func(rva uint32) uint32 { return uint32(d.u64(t, base+uint64(rva))) }
	pe := u32(0x3C)
	if u32(pe) != 0x4550 || uint16(u32(pe+4)) != 0x8664 || uint16(u32(pe+24)) != 0x20B {
		t.Fatalf("no PE32+ image of x64 at %#x", base)
	}
	dir := u32(pe + 24 + 112)
	if n := u32(dir + 24); n != u32(dir+20) {
		t.Fatalf("%d names of %d exports", n, u32(dir+20))
	}
	all, last := make(map[string]uint32), ""
	for i := range u32(dir + 24) {
		text, err := d.read(base+uint64(u32(u32(dir+32)+4*i)), 64)
		if err != nil {
			t.Fatal(err)
		}
		name, _, _ := strings.Cut(string(text), "\x00")
		if name <= last {
			t.Errorf("%q comes after %q", name, last)
		}
		ordinal := u32(u32(dir+36)+2*i) & 0xFFFF
		all[name], last = u32(u32(dir+28)+4*ordinal), name
	}
	return all
}

// TestModules reads the list of modules, their names, exports and PDB records.
func TestModules(t *testing.T) {
	for _, build := range Builds() {
		s, err := Recursion(Options{Build: build, KernelFunctions: []Function{{Name: "AaFirst", Exported: true}}})
		if err != nil {
			t.Fatal(err)
		}
		d, truth := writeImage(t, s.Machine, KernelRange), s.Machine.Truth()
		list := d.list(t, binary.LittleEndian.Uint64(d.h[0x20:]))
		if len(list) != 2 || len(truth.Modules) != 2 {
			t.Fatalf("%s: %d modules", build, len(list))
		}
		for i, entry := range list {
			want := truth.Modules[i]
			if entry != s.Machine.modules[i].Entry() {
				t.Errorf("%s: entry %#x, want %#x", build, entry, s.Machine.modules[i].Entry())
			}
			if base, size := d.u64(t, entry+0x30), uint32(d.u64(t, entry+0x40)); base != want.Base || size != want.Size {
				t.Errorf("%s: %#x of %#x, want %#x of %#x", build, base, size, want.Base, want.Size)
			}
			for off, text := range map[uint64]string{0x48: want.Path, 0x58: want.Name} {
				if got := unicodeAt(t, d, entry+off); got != text {
					t.Errorf("%s: name %q, want %q", build, got, text)
				}
			}
			checkExports(t, d, want)
			checkSections(t, d, want)
			if guid := pdbOf(t, d, want.Base); guid != want.PDB+" "+want.PDBID {
				t.Errorf("%s: PDB %q, want %s %s", build, guid, want.PDB, want.PDBID)
			}
		}
	}
}

func unicodeAt(t *testing.T, d *image, va uint64) string {
	text, err := d.read(d.u64(t, va+8), int(d.u64(t, va)&0xFFFF))
	if err != nil {
		t.Fatal(err)
	}
	var s []byte
	for i := 0; i < len(text); i += 2 {
		s = append(s, text[i])
	}
	return string(s)
}

func checkExports(t *testing.T, d *image, want TruthModule) {
	t.Helper()
	got := exportsOf(t, d, want.Base)
	if len(got) != len(want.Exports) {
		t.Errorf("%s: %d exports, want %d", want.Name, len(got), len(want.Exports))
	}
	for _, name := range want.Exports {
		if got[name] != want.Symbols[name] || got[name] == 0 {
			t.Errorf("%s: %s is at %#x, want %#x", want.Name, name, got[name], want.Symbols[name])
		}
	}
}

// checkSections: sections follow each other in memory on pages, and lie nearer
// to each other in the file.
func checkSections(t *testing.T, d *image, want TruthModule) {
	t.Helper()
	u32 := func(rva uint32) uint32 { return uint32(d.u64(t, want.Base+uint64(rva))) }
	pe, end := u32(0x3C), uint32(0x1000)
	for i := range u32(pe+6) & 0xFFFF {
		at := pe + 24 + 240 + 40*i
		size, rva, raw := u32(at+8), u32(at+12), u32(at+20)
		if rva != end || raw != rva-0xC00 {
			t.Errorf("%s: section %d at %#x, in the file at %#x, after %#x", want.Name, i, rva, raw, end)
		}
		if code := u32(at+36)>>29&1 == 1; code != (i == 0) {
			t.Errorf("%s: section %d executable: %t", want.Name, i, code)
		}
		end = rva + (size+0xFFF)&^0xFFF
	}
	if end != want.Size || u32(pe+24+56) != want.Size {
		t.Errorf("%s: sections end at %#x of %#x", want.Name, end, want.Size)
	}
}

// pdbOf is the name, GUID and age of the RSDS record.
func pdbOf(t *testing.T, d *image, base uint64) string {
	u32 := func(rva uint32) uint32 { return uint32(d.u64(t, base+uint64(rva))) }
	dir := u32(u32(0x3C) + 24 + 112 + 6*8)
	b, err := d.read(base+uint64(u32(dir+20)), int(u32(dir+16)))
	if err != nil || string(b[:4]) != "RSDS" {
		t.Fatalf("debug record %q, %v", b, err)
	}
	le := binary.LittleEndian
	return fmt.Sprintf("%s %08X%04X%04X%X%X", strings.TrimRight(string(b[24:]), "\x00"),
		le.Uint32(b[4:]), le.Uint16(b[8:]), le.Uint16(b[10:]), b[12:20], le.Uint32(b[20:]))
}

// TestMissingParts: the parts of an image that are paged out.
func TestMissingParts(t *testing.T) {
	for _, c := range []struct {
		spec ModuleSpec
		part string
	}{
		{ModuleSpec{NoText: true}, ".text"}, {ModuleSpec{NoPdata: true}, ".pdata"},
		{ModuleSpec{NoXdata: true}, ".xdata"}, {ModuleSpec{NoExports: true}, ".edata"},
	} {
		m, err := New(Options{})
		if err != nil {
			t.Fatal(err)
		}
		c.spec.Name, c.spec.Functions = "part.sys", []Function{{Name: "F", Exported: true}}
		mod := m.AddModule(c.spec)
		d := writeImage(t, m, KernelBitmap)
		for _, s := range mod.sections {
			if _, err := d.read(mod.Base+uint64(s.rva), 1); s.size > 0 && (err == nil) == (s.name == c.part) {
				t.Errorf("without %s: %s: %v", c.part, s.name, err)
			}
		}
	}
	m, _ := New(Options{KernelImage: ModuleSpec{NoHeaders: true}})
	if _, err := writeImage(t, m, KernelBitmap).read(m.nt.Base, 1); err == nil {
		t.Error("the kernel's headers are there")
	}
}

func TestUnloadedDrivers(t *testing.T) {
	m, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := UnloadedDriver{"gone.sys", 0xFFFFF80100000000, 0xFFFFF80100010000, 5}
	m.SetUnloadedDrivers([]UnloadedDriver{want})
	d := writeImage(t, m, KernelBitmap)
	at := d.u64(t, d.u64(t, m.nt.Symbol("KdDebuggerDataBlock")+0x220))
	got := UnloadedDriver{unicodeAt(t, d, at), d.u64(t, at+0x10), d.u64(t, at+0x18), d.u64(t, at+0x20)}
	if got != want || d.u64(t, at+0x28) != 0 || !slices.Equal(m.Truth().Unloaded, []UnloadedDriver{want}) {
		t.Errorf("%+v, want %+v", got, want)
	}
}
