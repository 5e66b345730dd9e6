package dumptest

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"testing"
)

func TestHeader(t *testing.T) {
	o := Options{
		Processors: 3, SystemTime: 11, Uptime: 10 * tickLength, Comment: "made for a test",
		Bugcheck: Bugcheck{Code: 0xE2, Parameters: [4]uint64{1, 2, 3, 4}, ExceptionCode: 0xC0000005, ExceptionAddress: 9},
	}
	m, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	m.PatchHeader = func(h []byte) { h[0x1054] = 0xAB }
	d := writeImage(t, m, FullBitmap)
	le := binary.LittleEndian
	for off, want := range map[int]uint32{
		0x08: 0xF, 0x0C: 19041, 0x30: 0x8664, 0x34: 3, 0x38: 0xE2, 0xF00: 0xC0000005, 0xF98: 5,
		0x378: 0x10001F, 0x88: 2,
	} {
		if got := le.Uint32(d.h[off:]); got != want {
			t.Errorf("%#x: %#x, want %#x", off, got, want)
		}
	}
	for off, want := range map[int]uint64{
		0x10: m.DirectoryTableBase() | 2, 0x40: 1, 0x58: 4, 0xF10: 9, 0xFA8: 11, 0x1030: 10 * tickLength,
		0x80: m.nt.Symbol("KdDebuggerDataBlock"), 0x90: 0x9E + 0x3F00, 0x98: 1, 0xA0: 0x9E, 0xA8: 0x100,
		0x440: m.crashed().Frames[0].IP, 0x3E0: m.crashed().Frames[0].SP,
	} {
		if got := le.Uint64(d.h[off:]); got != want {
			t.Errorf("%#x: %#x, want %#x", off, got, want)
		}
	}
	if d.h[0x1054] != 0xAB || !bytes.HasPrefix(d.h[0xFB0:], []byte("made for a test\x00")) || string(d.h[0x60:0x64]) != "PAGE" {
		t.Error("the patch, the comment or the pattern is missing")
	}
	if tick := d.u64(t, 0xFFFFF78000000320); tick != 10 {
		t.Errorf("%d ticks", tick)
	}
}

// TestKDBG reads the block in plain form and decodes it when it is encoded.
func TestKDBG(t *testing.T) {
	for _, build := range Builds() {
		for _, encoded := range []bool{false, true} {
			m, err := New(Options{Build: build, EncodeKDBG: encoded})
			if err != nil {
				t.Fatal(err)
			}
			block := m.nt.Symbol("KdDebuggerDataBlock")
			b := m.Peek(block, 0x340)
			if plain := string(b[0x10:0x14]) == "KDBG"; plain == encoded {
				t.Errorf("%s: plain %t", build, plain)
			}
			if encoded {
				never, always := m.Peek64(m.nt.Symbol("KiWaitNever")), m.Peek64(m.nt.Symbol("KiWaitAlways"))
				for i := 0; i < len(b); i += 8 {
					v := binary.LittleEndian.Uint64(b[i:])
					v = bits.RotateLeft64(v^never, int(never&0x3F)) ^ m.nt.Symbol("KdpDataBlockEncoded")
					binary.LittleEndian.PutUint64(b[i:], bits.ReverseBytes64(v)^always)
				}
			}
			checkKDBG(t, m, b)
		}
	}
}

func checkKDBG(t *testing.T, m *Machine, b []byte) {
	t.Helper()
	le := binary.LittleEndian
	if string(b[0x10:0x14]) != "KDBG" || le.Uint64(b[0x18:]) != m.nt.Base ||
		le.Uint64(b[0x48:]) != m.nt.Symbol("PsLoadedModuleList") || le.Uint64(b[0x60:]) != m.nt.Symbol("ExpSystemResourcesList") {
		t.Errorf("%s: % x", m.layout.build, b[:0x68])
	}
	if m.layout.release() == 19041 {
		late := m.kdbg()
		for off, want := range map[int]uint16{0x338: 0x85C0, 0x340: 0x30, 0x344: 0x38, 0x34C: 0x4B0, 0x350: 0x18, 0x35C: 0x283} {
			if got := le.Uint16(late[off:]); got != want {
				t.Errorf("%#x: %#x, want %#x", off, got, want)
			}
		}
		if len(late) != 0x380 || le.Uint32(late[0x14:]) != 0x380 {
			t.Errorf("a block of %#x bytes", len(late))
		}
	}
	// SizeEProcess, SizeEThread, KernelStack, InitialStack, State, ApcProcess.
	want := map[string][6]uint16{
		"6.1.7601.24540": {0x4F8, 0x4A8, 0x38, 0x28, 0x164, 0x70}, "10.0.19041.1052": {0xA40, 0x898, 0x58, 0x28, 0x184, 0xB8},
		"10.0.20348.2400": {0xBC0, 0x8F0, 0x58, 0x28, 0x184, 0xB8}, "6.3.9600.20302": {0x708, 0x778, 0x58, 0x28, 0x184, 0xB8},
	}
	w, ok := want[m.layout.build]
	if !ok {
		return
	}
	for i, off := range []int{0x2A8, 0x2C0, 0x29C, 0x29E, 0x2A2, 0x2A0} {
		if got := le.Uint16(b[off:]); got != w[i] {
			t.Errorf("%s: %#x: %#x, want %#x", m.layout.build, off, got, w[i])
		}
	}
}

func TestTriage(t *testing.T) {
	for _, build := range Builds() {
		s, err := BehindRunning(Options{Build: build, Processors: 2, Bugcheck: Bugcheck{Code: 0xD1}})
		if err != nil {
			t.Fatal(err)
		}
		m := s.Machine
		m.SetCrash(s.Root)
		m.SetUnloadedDrivers([]UnloadedDriver{{Name: "longer than twelve.sys", Start: 5, End: 6}})
		var f File
		size, err := m.Write(&f, Triage)
		if err != nil {
			t.Fatal(err)
		}
		b := make([]byte, size)
		if _, err := f.ReadAt(b, 0); err != nil {
			t.Fatal(err)
		}
		checkTriage(t, m, s.Root, b)
	}
}

func checkTriage(t *testing.T, m *Machine, th *Thread, b []byte) {
	t.Helper()
	le := binary.LittleEndian
	u32 := func(off uint32) uint32 { return le.Uint32(b[off:]) }
	u64 := func(off uint32) uint64 { return le.Uint64(b[off:]) }
	if u32(0xF98) != 4 || u32(0x2004) != uint32(len(b)) || string(b[u32(0x2008):][:4]) != "TRGD" {
		t.Fatalf("% x", b[0x2000:0x2020])
	}
	if rsp := u64(0x348 + 0x98); u64(0x2048) != rsp || u64(u32(0x2028)) != m.Peek64(rsp) {
		t.Errorf("the call stack begins at %#x, the stack pointer is %#x", u64(0x2048), rsp)
	}
	if got := b[u32(0x2024):][:0x40]; !bytes.Equal(got, m.Peek(th.VA, 0x40)) {
		t.Errorf("thread % x", got)
	}
	if got := u64(u32(0x201C) + 8); got != th.VA {
		t.Errorf("the KPRCB's thread is %#x, want %#x", got, th.VA)
	}
	if u32(0x2034) != 2 {
		t.Fatalf("%d drivers", u32(0x2034))
	}
	driver := u32(0x2030) + 0x90
	name := u32(driver)
	if u64(driver+0x38) != m.modules[1].Base || u32(name) != 10 || b[name+4] != 'w' || u32(driver+0x48) != m.modules[1].Size {
		t.Errorf("driver % x", b[driver:driver+0x90])
	}
	gone := u32(0x2018)
	if u64(gone) != 1 || u64(gone+8+0x28) != 5 || u64(gone+8+0x30) != 6 || b[gone+8] != 24 {
		t.Errorf("unloaded % x", b[gone:gone+0x40])
	}
	if string(b[u32(0x2070)+0x10:][:4]) != "KDBG" || u32(0x2074) != u32(u32(0x2070)+0x14) {
		t.Errorf("KDBG of %#x bytes", u32(0x2074))
	}
	blocks := u32(0x2078)
	for i := range u32(0x207C) {
		va, off, n := u64(blocks+16*i), u32(blocks+16*i+8), u32(blocks+16*i+12)
		if !bytes.Equal(b[off:off+n], m.Peek(va, int(n))) {
			t.Errorf("block %d of %#x differs", i, va)
		}
	}
}

func TestOtherHeaders(t *testing.T) {
	for _, c := range []struct {
		name    string
		write   func(*File) (int64, error)
		magic   string
		machine int64
		want    uint32
	}{
		{"32-bit", func(f *File) (int64, error) { return WriteHeader32(f, true) }, "PAGEDUMP", 0x20, 0x14C},
		{"ARM64", func(f *File) (int64, error) { return WriteHeaderARM64(f) }, "PAGEDU64", 0x30, 0xAA64},
	} {
		var f File
		n, err := c.write(&f)
		if err != nil || n != f.Size() {
			t.Fatalf("%s: %d bytes of %d, %v", c.name, n, f.Size(), err)
		}
		b := make([]byte, 0x64)
		if _, err := f.ReadAt(b, 0); err != nil {
			t.Fatal(err)
		}
		if string(b[:8]) != c.magic || binary.LittleEndian.Uint32(b[c.machine:]) != c.want {
			t.Errorf("%s: % x", c.name, b)
		}
	}
}
