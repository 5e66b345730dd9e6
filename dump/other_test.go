package dump

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"

	"kdlocks/dump/dumptest"
)

// machineOf is the physical memory of a small machine: page 1 and what follows are tables,
// page 16 to 31 are mapped at a virtual address.
type machineOf struct {
	file []byte // header and pages
	head int
}

const firstMapped, mapped = 16, 16

func (m *machineOf) page(n int) []byte { return m.file[m.head+n*pageSize : m.head+(n+1)*pageSize] }

// loader32 writes a list of modules at the beginning of the mapped pages.
func (m *machineOf) loader32(va uint32, names ...string) {
	b := m.file[m.head+firstMapped*pageSize:]
	put := binary.LittleEndian.PutUint32
	at := func(i int) uint32 { return va + uint32(i%(len(names)+1))*0x100 }
	for i := range len(names) + 1 {
		e := b[i*0x100:]
		put(e, at(i+1))
		put(e[4:], at(i+len(names)))
		if i == 0 {
			continue
		}
		put(e[0x18:], 0x82800000+uint32(i)<<20)
		put(e[0x20:], 0x41000)
		m.name(e[0x24:], b, 0x1000*i, va, `\SystemRoot\`+names[i-1], 4)
		m.name(e[0x2c:], b, 0x1000*i+0x400, va, names[i-1], 4)
	}
}

// name writes a UNICODE_STRING with a pointer at an offset, and its text.
func (m *machineOf) name(to, b []byte, at int, va uint32, s string, pointer int) {
	u := utf16.Encode([]rune(s))
	binary.LittleEndian.PutUint16(to, uint16(2*len(u)))
	binary.LittleEndian.PutUint32(to[pointer:], va+uint32(at))
	for i, c := range u {
		binary.LittleEndian.PutUint16(b[at+2*i:], c)
	}
}

func dump32(t *testing.T, pae bool) []byte {
	t.Helper()
	var f dumptest.File
	if _, err := dumptest.WriteHeader32(&f, pae); err != nil {
		t.Fatal(err)
	}
	m := &machineOf{file: make([]byte, headerSize32+40*pageSize), head: headerSize32}
	if _, err := f.ReadAt(m.file[:headerSize32], 0); err != nil {
		t.Fatal(err)
	}
	const va = 0x82940000
	put, put64 := binary.LittleEndian.PutUint32, binary.LittleEndian.PutUint64
	put(m.file[0x10:], pageSize) // the directory
	put(m.file[0x18:], va)
	put(m.file[0x64:], 1)
	put(m.file[0x6c:], 0)
	put(m.file[0x70:], 40)
	if pae {
		put64(m.page(1)[8*(va>>30):], 2*pageSize|1)
		put64(m.page(2)[8*(va>>21&0x1ff):], 3*pageSize|1)
		for i := range mapped {
			put64(m.page(3)[8*(va>>12&0x1ff+i):], uint64((firstMapped+i)*pageSize|1))
		}
	} else {
		put(m.page(1)[4*(va>>22):], 2*pageSize|1)
		for i := range mapped {
			put(m.page(2)[4*(va>>12&0x3ff+i):], uint32((firstMapped+i)*pageSize|1))
		}
	}
	m.loader32(va, "ntkrnlpa.exe", "hal.dll", "sis.sys")
	return m.file
}

// TestModulesOf32Bits: of 32-bit Windows the modules are read, and what is not is told.
func TestModulesOf32Bits(t *testing.T) {
	for _, pae := range []bool{false, true} {
		b := dump32(t, pae)
		d, err := Open(bytes.NewReader(b), int64(len(b)), Options{})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, m := range d.modules {
			got = append(got, fmt.Sprintf("%s %s %x", m.Name, m.Path, m.Base))
		}
		if s := strings.Join(got, ", "); s != `nt \SystemRoot\ntkrnlpa.exe 82900000, hal \SystemRoot\hal.dll 82a00000, sis \SystemRoot\sis.sys 82b00000` {
			t.Errorf("PAE %v: %s, missing %v", pae, s, d.Gaps)
		}
		if len(d.Gaps) != 1 || !d.Gaps[0].Decides || !strings.Contains(d.Gaps[0].What, "x86") {
			t.Errorf("missing %v", d.Gaps)
		}
		l, err := d.List(t.Context(), "MEMORY.DMP", nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		var text bytes.Buffer
		if _, err := l.WriteTo(&text); err != nil || !strings.Contains(text.String(), "Bugcheck code 000000E2") || !strings.Contains(text.String(), "82900000 82941000   nt ") {
			t.Errorf("%v, %s", err, text.String())
		}
	}
}

// TestHeadersOfOthers: a header alone is enough to say what it is of.
func TestHeadersOfOthers(t *testing.T) {
	for name, write := range map[string]func(*dumptest.File) (int64, error){
		"x86":   func(f *dumptest.File) (int64, error) { return dumptest.WriteHeader32(f, true) },
		"ARM64": func(f *dumptest.File) (int64, error) { return dumptest.WriteHeaderARM64(f) },
	} {
		var f dumptest.File
		size, err := write(&f)
		if err != nil {
			t.Fatal(err)
		}
		d, facts, _ := readAll(t, &f, size)
		if d == nil || facts != nil || d.Header.Machine.String() != name || d.Header.Bugcheck == 0 || len(d.Gaps) == 0 || !d.Gaps[0].Decides {
			t.Errorf("%s: %+v", name, d)
		}
	}
}
