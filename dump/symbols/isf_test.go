package symbols

import (
	"bytes"
	"errors"
	"hash/crc32"
	"os"
	"strings"
	"testing"

	"github.com/ulikunitz/xz"
)

// readBytes reads a symbol file from memory.
func readBytes(b []byte) (*Table, error) {
	return Read(bytes.NewReader(b), int64(len(b)))
}

func readTestdata(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func mustRead(t testing.TB, b []byte) *Table {
	t.Helper()
	table, err := readBytes(b)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// isf is an ISF with what is given of user_types, and of symbols.
func isf(types, symbols string) []byte {
	return []byte(`{"base_types": {"int": {"size": 4}, "pointer": {"size": 8}, "pointer32": {"size": 4}},
		"metadata": {"windows": {"pdb": {"GUID": "0123456789abcdef0123456789abcdef", "age": 2, "database": "x.pdb"}}},
		"user_types": {` + types + `}, "symbols": {` + symbols + `}}`)
}

// wantField is a field and what is known of it; ok is false if it is not there.
type wantField struct {
	typ, path string
	want      Field
	ok        bool
}

func checkFields(t *testing.T, table *Table, tests []wantField) {
	t.Helper()
	for _, test := range tests {
		got, ok := table.Field(test.typ, test.path)
		if got != test.want || ok != test.ok {
			t.Errorf("Field(%q, %q) = %+v, %v; want %+v, %v", test.typ, test.path, got, ok, test.want, test.ok)
		}
	}
}

func TestISF(t *testing.T) {
	for _, name := range []string{"ntkrnlmp.json", "ntkrnlmp.json.xz"} {
		t.Run(name, func(t *testing.T) {
			table := mustRead(t, readTestdata(t, name))
			if want := (ID{"ntkrnlmp.pdb", "FC57F1C841C2C3F793D57AC134DC0EFA", 1}); table.ID() != want {
				t.Errorf("ID() = %+v, want %+v", table.ID(), want)
			}
			for typ, want := range map[string]uint32{
				"_ERESOURCE": 0x68, "_KTHREAD": 0x430, "_ETHREAD": 0x898, "_KWAIT_BLOCK": 0x30,
				"_KWAIT_STATE": 4, "unsigned short": 2, "void": 0,
			} {
				if got, ok := table.Size(typ); got != want || !ok {
					t.Errorf("Size(%q) = %#x, %v; want %#x", typ, got, ok, want)
				}
			}
			if got, ok := table.Size("_EPROCESS"); ok { // its name alone is known
				t.Errorf("Size(_EPROCESS) = %d", got)
			}
			checkFields(t, table, []wantField{
				{"_ERESOURCE", "OwnerTable", Field{Offset: 0x10, Size: 8, Type: "_OWNER_ENTRY*"}, true},
				{"_ERESOURCE", "OwnerEntry.OwnerThread", Field{Offset: 0x30, Size: 8, Type: "unsigned long long"}, true},
				{"_ERESOURCE", "OwnerEntry.OwnerCount", Field{0x38, 4, 3, 29, "unsigned long"}, true},
				{"_ERESOURCE", "SharedWaiters", Field{Offset: 0x20, Size: 8, Type: "void*"}, true},
				{"_KTHREAD", "WaitBlock", Field{Offset: 0x140, Size: 0xc0, Type: "_KWAIT_BLOCK[4]"}, true},
				{"_KTHREAD", "KernelStackResident", Field{0x78, 4, 17, 1, "unsigned long"}, true},
				{"_KTHREAD", "Process", Field{Offset: 0x220, Size: 8, Type: "_KPROCESS*"}, true},
				{"_ETHREAD", "Tcb.Header.SignalState", Field{Offset: 4, Size: 4, Type: "long"}, true},
				{"_ETHREAD", "Tcb.Header.WaitListHead.Blink", Field{Offset: 0x10, Size: 8, Type: "_LIST_ENTRY*"}, true},
				{"_MMPTE", "u.Hard.PageFrameNumber", Field{0, 8, 12, 36, "unsigned long long"}, true},
				{"_ETHREAD", "Tcb.WaitBlock.Object", Field{}, false},
				{"_ETHREAD", "Tcb.Process.Header", Field{}, false},
				{"_ETHREAD", "Tcb.", Field{}, false},
				{"_ETHREAD", "", Field{}, false},
				{"_KTHREAD", "NoSuchField", Field{}, false},
				{"_NO_SUCH_TYPE", "Header", Field{}, false},
				{"unsigned long", "Header", Field{}, false},
			})
		})
	}
}

func TestISFSymbols(t *testing.T) {
	table := mustRead(t, readTestdata(t, "ntkrnlmp.json"))
	for name, want := range map[string]uint32{
		"KeBugCheckEx": 4156448, "ExpSystemResourcesList": 12675328, "NtVdmControl": 7419616,
		// One name with the decoration Volatility took off, and with it.
		"CmAddDeviceToContainer": 7614676, "_CmAddDeviceToContainer": 7614676,
	} {
		if got, ok := table.RVA(name); got != want || !ok {
			t.Errorf("RVA(%q) = %d, %v; want %d", name, got, ok, want)
		}
	}
	if got, ok := table.RVA("KeBugCheck"); ok {
		t.Errorf("RVA(KeBugCheck) = %d", got)
	}
	for _, test := range []struct {
		rva  uint32
		name string
		off  uint32
		ok   bool
	}{
		{0, "", 0, false},
		{4095, "", 0, false},
		{4096, "VrpRegistryString", 0, true},
		{4160, "?HardwareProfilesKeyPrefix@?1??_CmDeleteDeviceRegKeyWorker@@9@9", 0, true},
		{4156447, "KiSwapThread", 4156447 - 2147440, true},
		{4156448, "KeBugCheckEx", 0, true},
		{4184367, "KeBugCheckEx", 27919, true},
		{7419617, "NtVdmControl", 1, true}, // the shortest of 19
		{7614676, "CmAddDeviceToContainer", 0, true},
		{0xffffffff, "KiWaitAlways", 0xffffffff - 13617680, true},
	} {
		name, off, ok := table.At(test.rva)
		if name != test.name || off != test.off || ok != test.ok {
			t.Errorf("At(%d) = %q, %d, %v; want %q, %d, %v", test.rva, name, off, ok, test.name, test.off, test.ok)
		}
	}
}

func TestISFTypes(t *testing.T) {
	table := mustRead(t, isf(`
		"inner": {"kind": "struct", "size": 8, "fields": {
			"x": {"offset": 4, "type": {"kind": "base", "name": "int"}}}},
		"outer": {"size": 64, "fields": {
			"made up": {"offset": 16, "anonymous": true, "type": {"kind": "union", "name": "inner"}},
			"near": {"offset": 32, "type": {"kind": "pointer", "base": "pointer32", "subtype": {"kind": "function"}}},
			"matrix": {"offset": 40, "type": {"kind": "array", "count": 2, "subtype":
				{"kind": "array", "count": 3, "subtype": {"kind": "pointer", "subtype": {"kind": "struct", "name": "gone"}}}}},
			"huge": {"offset": 48, "type": {"kind": "array", "count": 4294967295, "subtype": {"kind": "base", "name": "int"}}},
			"odd": {"offset": 52, "type": {"kind": "odd"}},
			"none": {"offset": 53},
			"wide": {"offset": 54, "type": {"kind": "bitfield", "bit_position": 60, "bit_length": 5, "type": {"kind": "base", "name": "int"}}},
			"gone": {"offset": 4294967295, "type": {"kind": "struct", "name": "gone"}},
			"far": {"offset": 4294967295, "type": {"kind": "struct", "name": "inner"}}}},
		"loop": {"size": 8, "fields": {
			"a": {"offset": 0, "anonymous": true, "type": {"kind": "struct", "name": "loop"}},
			"b": {"offset": 0, "anonymous": true, "type": {"kind": "struct", "name": "loop"}},
			"self": {"offset": 2, "type": {"kind": "struct", "name": "loop"}}}}`, ""))
	if want := (ID{"x.pdb", "0123456789ABCDEF0123456789ABCDEF", 2}); table.ID() != want {
		t.Errorf("ID() = %+v, want %+v", table.ID(), want)
	}
	checkFields(t, table, []wantField{
		{"outer", "x", Field{Offset: 20, Size: 4, Type: "int"}, true},
		{"outer", "made up", Field{}, false},
		{"outer", "near", Field{Offset: 32, Size: 4, Type: "function*"}, true},
		{"outer", "matrix", Field{Offset: 40, Size: 48, Type: "gone*[2][3]"}, true},
		{"outer", "huge", Field{Offset: 48, Type: "int[4294967295]"}, true},
		{"outer", "odd", Field{Offset: 52, Type: "?"}, true},
		{"outer", "none", Field{Offset: 53, Type: "?"}, true},
		{"outer", "wide", Field{Offset: 54, Type: "?"}, true},
		{"outer", "gone", Field{Offset: 4294967295, Type: "gone"}, true},
		{"outer", "far.x", Field{}, false}, // beyond 32 bits
		{"loop", "no", Field{}, false},
	})
}

// A name of several places is known if one of them alone is public.
func TestAmbiguousNames(t *testing.T) {
	table := &Table{}
	for _, s := range []struct {
		name    string
		rva     uint32
		private bool
	}{
		{"Twice", 16, false}, {"Twice", 32, false},
		{"Statics", 48, true}, {"Statics", 64, true},
		{"Public", 80, true}, {"Public", 96, false}, {"Public", 112, true},
		{"Same", 128, true}, {"Same", 128, false}, {"_Same", 128, false}, {"Sam", 128, true},
		{"", 144, false},
	} {
		if err := table.addSymbol([]byte(s.name), s.rva, s.private); err != nil {
			t.Fatal(err)
		}
	}
	table.sortSymbols()
	for name, want := range map[string]uint32{"Twice": 0, "Statics": 0, "Public": 96, "Same": 128, "": 0} {
		if got, ok := table.RVA(name); got != want || ok != (want != 0) {
			t.Errorf("RVA(%q) = %d, %v; want %d", name, got, ok, want)
		}
	}
	if name, off, _ := table.At(150); name != "Sam" || off != 22 {
		t.Errorf("At(150) = %q, %d", name, off)
	}
}

func TestDamagedISF(t *testing.T) {
	whole := string(isf("", ""))
	for name, text := range map[string]string{
		"empty object":      `{}`,
		"no Windows":        `{"metadata": {"linux": {}}, "symbols": {"a": {"address": 1}}}`,
		"cut off":           whole[:len(whole)-1],
		"two values":        whole + "{}",
		"types in a list":   `{"user_types": [1, 2]}`,
		"type is no object": string(isf(`"a": 1`, "")),
		"negative offset":   string(isf(`"a": {"fields": {"b": {"offset": -1}}}`, "")),
		"negative size":     string(isf(`"a": {"size": -1}`, "")),
		"address is text":   string(isf("", `"a": {"address": "b"}`)),
		"deep":              `{"a": ` + strings.Repeat("[", 100000) + strings.Repeat("]", 100000) + ", " + whole[1:],
		"deep type":         string(isf(`"a": {"fields": {"b": {"type": `+strings.Repeat(`{"subtype": `, 100000)+"1"+strings.Repeat("}", 100000)+"}}}", "")),
		"long name":         string(isf("", `"`+strings.Repeat("a", 1<<16)+`": {"address": 1}`)),
	} {
		if _, err := readBytes([]byte(text)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	// What is no place in the image is left out.
	table := mustRead(t, isf("", `"a": {"address": 4294967296}, "b": {"address": 0}, "c": {}, "d": {"address": 1}`))
	if len(table.byRVA) != 1 {
		t.Errorf("%d symbols", len(table.byRVA))
	}
}

// blanks is an endless file of blanks behind an open object.
type blanks struct{}

func (blanks) ReadAt(p []byte, off int64) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	if off == 0 {
		p[0] = '{'
	}
	return len(p), nil
}

func TestISFSize(t *testing.T) {
	if _, err := Read(blanks{}, 1<<40); err != errISFSize {
		t.Error(err)
	}
}

func TestFormat(t *testing.T) {
	for _, text := range []string{"", " ", "MZ", "Microsoft C/C++ program database 2.00\r\n\x1aJG", "[1]", "\xfd7zXZ"} {
		if _, err := readBytes([]byte(text)); !errors.Is(err, ErrFormat) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := readBytes(append([]byte("\r\n\t "), isf("", "")...)); err != nil {
		t.Error(err)
	}
}

// pack packs as xz with a check and blocks of a size.
func pack(t testing.TB, text []byte, c xz.WriterConfig) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := c.NewWriter(&b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestXZ(t *testing.T) {
	text := isf("", `"a": {"address": 77}`)
	for name, c := range map[string]xz.WriterConfig{
		"no check": {NoCheckSum: true},
		"CRC32":    {CheckSum: xz.CRC32},
		"CRC64":    {CheckSum: xz.CRC64},
		"SHA-256":  {CheckSum: xz.SHA256},
		"blocks":   {CheckSum: xz.CRC64, BlockSize: 100},
	} {
		packed := pack(t, text, c)
		table, err := readBytes(packed)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if rva, _ := table.RVA("a"); rva != 77 {
			t.Errorf("%s: RVA = %d", name, rva)
		}
		if name == "no check" {
			continue
		}
		// The check is in front of the index, whose size is in the footer.
		footer := len(packed) - 12
		packed[footer-int(le.Uint32(packed[footer+4:])+1)*4-1] ^= 1
		if _, err := readBytes(packed); err == nil {
			t.Errorf("%s: read with a wrong check", name)
		}
	}
}

// blockHeader makes an xz file of a header alone, with these flags and filter.
func blockHeader(flags byte, filter ...byte) []byte {
	h := append([]byte{2, flags}, filter...)
	h = append(h, make([]byte, 8-len(h))...)
	b := append([]byte(xzMagic), 0, 0)
	b = le.AppendUint32(b, crc32.ChecksumIEEE(b[6:8]))
	b = append(b, h...)
	return le.AppendUint32(b, crc32.ChecksumIEEE(h))
}

func TestDamagedXZ(t *testing.T) {
	text := isf("", "")
	cut := pack(t, text, xz.WriterConfig{})
	for name, test := range map[string]struct {
		packed []byte
		want   string
	}{
		"many blocks":      {pack(t, text, xz.WriterConfig{BlockSize: 10}), "too many blocks"},
		"large dictionary": {blockHeader(0, 0x21, 1, 40), "dictionary too large"},
		"odd dictionary":   {blockHeader(0, 0x21, 1, 41), errXZ.Error()},
		"x86 filter":       {blockHeader(1, 4, 0, 0x21, 1, 0), "filters other than LZMA2"},
		"no filter":        {blockHeader(0xc0, 0x80, 0x80, 1, 1, 4, 0), "filters other than LZMA2"},
		"long size":        {blockHeader(0x40, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), errXZ.Error()},
		"cut off":          {cut[:len(cut)/2], "unexpected EOF"},
		"head alone":       {cut[:12], errXZ.Error()},
		"magic alone":      {cut[:6], errXZ.Error()},
	} {
		if _, err := readBytes(test.packed); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %s", name, err, test.want)
		}
	}
}
