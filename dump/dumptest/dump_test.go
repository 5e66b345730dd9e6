package dumptest

import (
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"testing"
)

// image is a plain reader of dumps with page tables, for the tests: it knows
// the formats by literal offsets only.
type image struct {
	f     io.ReaderAt
	h     []byte
	runs  []run
	first int64
}

func openImage(t *testing.T, f *File) *image {
	t.Helper()
	d := &image{f: f, h: make([]byte, 0x2000)}
	d.at(t, d.h, 0)
	le := binary.LittleEndian
	if string(d.h[:8]) != "PAGEDU64" {
		t.Fatalf("signature %q", d.h[:8])
	}
	magic := make([]byte, 0x40)
	d.at(t, magic, 0x2000)
	switch {
	case string(magic[:8]) == "SDMPDUMP" || string(magic[:8]) == "FDMPDUMP":
		d.first = int64(le.Uint64(magic[0x20:]))
		bits := le.Uint64(magic[0x30:])
		bitmap := make([]byte, (bits+7)/8)
		d.at(t, bitmap, 0x2038)
		for n := range bits {
			if bitmap[n/8]>>(n%8)&1 == 1 {
				d.runs = append(d.runs, run{n, 1})
			}
		}
	case string(magic[4:12]) == "RDMPDUMP":
		d.first = int64(le.Uint64(magic[0x18:]))
		if le.Uint64(magic[0x10:])-0x20 != uint64(d.first)-0x2040 {
			t.Errorf("metadata of %#x bytes, first page %#x", le.Uint64(magic[0x10:]), d.first)
		}
		for off := int64(0x2030); off < d.first; off += 16 {
			var e [16]byte
			d.at(t, e[:], off)
			if le.Uint64(e[:]) == 0 {
				break
			}
			d.runs = append(d.runs, run{le.Uint64(e[:]), le.Uint64(e[8:])})
		}
	default:
		d.first = 0x2000
		for i := range le.Uint32(d.h[0x88:]) {
			d.runs = append(d.runs, run{le.Uint64(d.h[0x98+16*i:]), le.Uint64(d.h[0xA0+16*i:])})
		}
	}
	pages := uint64(0)
	for _, r := range d.runs {
		pages += r.pages
	}
	if want := d.first + int64(pages)*4096; want != f.Size() {
		t.Fatalf("%d pages from %#x on in a file of %#x bytes", pages, d.first, f.Size())
	}
	return d
}

func (d *image) at(t *testing.T, b []byte, off int64) {
	t.Helper()
	if _, err := d.f.ReadAt(b, off); err != nil {
		t.Fatalf("read %d bytes at %#x: %v", len(b), off, err)
	}
}

// phys reads physical memory that does not cross a page.
func (d *image) phys(pa uint64, b []byte) bool {
	off := d.first
	for _, r := range d.runs {
		if pfn := pa >> 12; pfn >= r.base && pfn < r.base+r.pages {
			_, err := d.f.ReadAt(b, off+int64(pfn-r.base)<<12+int64(pa&0xFFF))
			return err == nil
		}
		off += int64(r.pages) << 12
	}
	return false
}

// translate walks the page tables, four levels.
func (d *image) translate(cr3, va uint64) (uint64, bool) {
	pa := cr3 &^ 0xFFF
	for shift := 39; shift >= 12; shift -= 9 {
		var b [8]byte
		if !d.phys(pa+va>>shift&511*8, b[:]) {
			return 0, false
		}
		e := binary.LittleEndian.Uint64(b[:])
		frame := e & 0x000FFFFFFFFFF000
		if e&1 == 0 {
			return frame + va&0xFFF, shift == 12 && e>>10&3 == 2
		}
		if shift == 12 || e>>7&1 == 1 && shift < 39 {
			mask := uint64(1)<<shift - 1
			return frame&^mask + va&mask, true
		}
		pa = frame
	}
	return 0, false
}

func (d *image) read(va uint64, n int) ([]byte, error) {
	cr3 := binary.LittleEndian.Uint64(d.h[0x10:])
	b := make([]byte, n)
	for i := 0; i < n; {
		k := min(n-i, int(0x1000-(va+uint64(i))&0xFFF))
		pa, ok := d.translate(cr3, va+uint64(i))
		if !ok || !d.phys(pa, b[i:i+k]) {
			return nil, fmt.Errorf("no memory at %#x", va+uint64(i))
		}
		i += k
	}
	return b, nil
}

func (d *image) u64(t *testing.T, va uint64) uint64 {
	t.Helper()
	b, err := d.read(va, 8)
	if err != nil {
		t.Fatal(err)
	}
	return binary.LittleEndian.Uint64(b)
}

// list walks a LIST_ENTRY and gives the addresses of the entries.
func (d *image) list(t *testing.T, head uint64) []uint64 {
	t.Helper()
	var all []uint64
	for at := d.u64(t, head); at != head; at = d.u64(t, at) {
		if back := d.u64(t, d.u64(t, at)+8); back != at {
			t.Fatalf("entry %#x: the next one leads back to %#x", at, back)
		}
		if all = append(all, at); len(all) > 100000 {
			t.Fatal("the list has no end")
		}
	}
	return all
}

func writeImage(t *testing.T, m *Machine, typ DumpType) *image {
	t.Helper()
	var f File
	size, err := m.Write(&f, typ)
	if err != nil {
		t.Fatal(err)
	}
	if size != f.Size() {
		t.Fatalf("size %#x of a file of %#x", size, f.Size())
	}
	return openImage(t, &f)
}

// known are offsets of EPROCESS and ETHREAD by release, as the digest of the
// public symbol tables has them: id, links, name, thread list, Cid, thread
// entry, kernel stack, state, process of KTHREAD.
var known = map[string][9]uint64{
	"7601":  {0x180, 0x188, 0x2E0, 0x308, 0x3B8, 0x428, 0x38, 0x164, 0x210},
	"9600":  {0x2E0, 0x2E8, 0x438, 0x470, 0x620, 0x688, 0x58, 0x184, 0x220},
	"14393": {0x2E8, 0x2F0, 0x450, 0x488, 0x630, 0x698, 0x58, 0x184, 0x220},
	"17763": {0x2E0, 0x2E8, 0x450, 0x488, 0x638, 0x6A8, 0x58, 0x184, 0x220},
	"18326": {0x2E8, 0x2F0, 0x450, 0x488, 0x648, 0x6B8, 0x58, 0x184, 0x220},
	"19041": {0x440, 0x448, 0x5A8, 0x5E0, 0x478, 0x4E8, 0x58, 0x184, 0x220},
	"20348": {0x440, 0x448, 0x5A8, 0x5E0, 0x4C8, 0x538, 0x58, 0x184, 0x220},
	"22000": {0x440, 0x448, 0x5A8, 0x5E0, 0x4C8, 0x538, 0x58, 0x184, 0x220},
}

// TestEveryBuildAndType reads processes and threads back from every kind of
// dump.
func TestEveryBuildAndType(t *testing.T) {
	for _, build := range Builds() {
		s, err := Contention(Options{Build: build, Processors: 2})
		if err != nil {
			t.Fatal(err)
		}
		for _, typ := range DumpTypes() {
			t.Run(fmt.Sprintf("%s/%d", build, typ), func(t *testing.T) {
				d := writeImage(t, s.Machine, typ)
				if got := binary.LittleEndian.Uint32(d.h[0xF98:]); got != uint32(typ) {
					t.Errorf("type %d", got)
				}
				checkProcesses(t, d, s.Machine.Truth(), known[strings.Split(build, ".")[2]])
			})
		}
	}
}

func checkProcesses(t *testing.T, d *image, truth Truth, k [9]uint64) {
	head := binary.LittleEndian.Uint64(d.h[0x28:])
	links := d.list(t, head)
	if len(links) != len(truth.Processes) || len(links) != 2 {
		t.Fatalf("%d processes, want %d", len(links), len(truth.Processes))
	}
	for i, link := range links {
		p, want := link-k[1], truth.Processes[i]
		name, err := d.read(p+k[2], 15)
		if err != nil {
			t.Fatal(err)
		}
		if id := d.u64(t, p+k[0]); p != want.VA || id != want.ID || strings.TrimRight(string(name), "\x00") != want.Name {
			t.Errorf("process %#x is %d %q, want %#x %d %q", p, id, name, want.VA, want.ID, want.Name)
		}
		if dtb := d.u64(t, p+0x28); dtb&^0xFFF != want.DirectoryTableBase {
			t.Errorf("process %#x: page tables at %#x, want %#x", p, dtb, want.DirectoryTableBase)
		}
		threads := d.list(t, p+k[3])
		if len(threads) != len(want.Threads) {
			t.Fatalf("process %#x has %d threads, want %d", p, len(threads), len(want.Threads))
		}
		for j, entry := range threads {
			checkThread(t, d, entry-k[5], want.Threads[j], k)
		}
	}
}

func checkThread(t *testing.T, d *image, va uint64, want TruthThread, k [9]uint64) {
	t.Helper()
	if va != want.VA || d.u64(t, va+k[4]) != want.ProcessID || d.u64(t, va+k[4]+8) != want.ID {
		t.Errorf("thread %#x is %x.%x, want %#x %x.%x", va, d.u64(t, va+k[4]), d.u64(t, va+k[4]+8), want.VA, want.ProcessID, want.ID)
	}
	if state := ThreadState(d.u64(t, va+k[7])); state != want.Spec.State {
		t.Errorf("thread %#x: state %d, want %d", va, state, want.Spec.State)
	}
	if stack := d.u64(t, va+k[6]); len(want.Segments) > 0 && stack != want.Segments[0].Kernel {
		t.Errorf("thread %#x: stack %#x, want %#x", va, stack, want.Segments[0].Kernel)
	}
}

// TestUserMemory reads a process's memory with its own page tables, which have
// the kernel's half too.
func TestUserMemory(t *testing.T) {
	m, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	p := m.AddProcess(ProcessSpec{ID: 8, Name: "a process of a long name"})
	p.PokeUser(0x7FF6_1234_0FF8, []byte("over two pages"))
	d := writeImage(t, m, KernelBitmap)
	for va, want := range map[uint64]string{0x7FF6_1234_1000: " pages", m.nt.Base: "MZ"} {
		pa, ok := d.translate(p.DirectoryTableBase(), va)
		b := make([]byte, len(want))
		if !ok || !d.phys(pa, b) || string(b) != want {
			t.Errorf("%#x holds %q, want %q", va, b, want)
		}
	}
	if _, ok := d.translate(m.DirectoryTableBase(), 0x7FF6_1234_1000); ok {
		t.Error("the kernel's page tables have the process's memory")
	}
}

// TestSpareBits: the bits after the bitmap's last are set, so that a reader that
// takes them for pages is found out.
func TestSpareBits(t *testing.T) {
	b, first := bitmapHead(KernelBitmap, []run{{1, 2}, {10, 1}})
	if got := b[0x38:0x3A]; got[0] != 0x06 || got[1] != 0xFC || first != 0x3000 {
		t.Errorf("bitmap % x, first page at %#x", got, first)
	}
	if pages, bits := b[0x28], b[0x30]; pages != 3 || bits != 11 {
		t.Errorf("%d pages of %d", pages, bits)
	}
}

// TestPageSizes reads images and pool from large pages.
func TestPageSizes(t *testing.T) {
	for _, o := range []Options{
		{ImagePage: Page2M, PoolPage: Page2M},
		{PoolPage: Page1G, PhysicalMemory: 4 << 30, FirstPage: 0x3_0000},
	} {
		s, err := Cycle(o, 2)
		if err != nil {
			t.Fatal(err)
		}
		d := writeImage(t, s.Machine, KernelRange)
		checkProcesses(t, d, s.Machine.Truth(), known["19041"])
		pa, _ := d.translate(s.Machine.DirectoryTableBase(), s.Machine.system.VA)
		if page := s.Machine.options.PoolPage; pa%page != s.Machine.system.VA%page {
			t.Errorf("%#x is at physical %#x, of pages of %#x bytes", s.Machine.system.VA, pa, page)
		}
	}
}

func TestPageStates(t *testing.T) {
	m, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	const base = 0xFFFF_9000_0000_0000
	m.MapKernel(base, 6*0x1000)
	for i := range uint64(6) {
		m.Poke64(base+i*0x1000, 0x1111*(i+1))
	}
	for i := Present; i <= NotCaptured; i++ {
		m.SetPages(base+uint64(i)*0x1000, 0x1000, i)
	}
	d := writeImage(t, m, KernelBitmap)
	for i := Present; i <= NotCaptured; i++ {
		b, err := d.read(base+uint64(i)*0x1000, 8)
		readable := i == Present || i == Transition
		if readable != (err == nil) || readable && binary.LittleEndian.Uint64(b) != 0x1111*uint64(i+1) {
			t.Errorf("page of state %d: %x, %v", i, b, err)
		}
	}
	if _, mapped := d.translate(m.DirectoryTableBase(), base+5*0x1000); !mapped {
		t.Error("a page that was not captured is not mapped either")
	}
	if _, err := m.Write(new(File), Full); err == nil {
		t.Error("a full dump lacks pages")
	}
}
