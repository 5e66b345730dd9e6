package symbols

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
)

// rec is a symbol or type record: its kind, and numbers and names behind it.
func rec(kind uint16, parts ...any) []byte {
	b := member(kind, parts...)
	return append(le.AppendUint16(nil, uint16(len(b))), b...)
}

// member is a member of a field list, filled up to a multiple of four.
func member(kind uint16, parts ...any) []byte {
	b := le.AppendUint16(nil, kind)
	for _, part := range parts {
		switch x := part.(type) {
		case byte:
			b = append(b, x)
		case uint16:
			b = le.AppendUint16(b, x)
		case int: // most numbers are of 32 bits
			b = le.AppendUint32(b, uint32(x))
		case string:
			b = append(append(b, x...), 0)
		case []byte:
			b = append(b, x...)
		}
	}
	for n := -(len(b) + 2) & 3; n > 0 && kind != leafFieldList; n-- {
		b = append(b, memberPad+byte(n))
	}
	return b
}

// list is a field list. Its members are filled up from the start of the record.
func list(members ...[]byte) []byte {
	var b []byte
	for _, m := range members {
		b = append(b, m...)
		for n := -len(b) & 3; n > 0; n-- {
			b = append(b, memberPad+byte(n))
		}
	}
	return rec(leafFieldList, b)
}

// aField is a member of a field list, at an offset below 0x8000.
func aField(typ int, offset uint16, name string) []byte {
	return member(memberField, uint16(3), typ, offset, name)
}

// aStruct is a record without a base class.
func aStruct(leaf uint16, properties uint16, fields int, size uint16, name string) []byte {
	if leaf == leafUnion {
		return rec(leaf, uint16(0), properties, fields, size, name)
	}
	return rec(leaf, uint16(0), properties, fields, 0, 0, size, name)
}

// tpi is a stream of types.
func tpi(records ...[]byte) []byte {
	body := bytes.Join(records, nil)
	b := make([]byte, 56)
	for i, n := range []int{20040203, len(b), firstType, firstType + len(records), len(body)} {
		le.PutUint32(b[i*4:], uint32(n))
	}
	return append(b, body...)
}

// dbi is what the DBI stream tells.
type dbi struct {
	age     uint32
	records uint16 // the stream of symbol records
	modules []byte
	debug   []uint16 // the optional debug header
}

func (d dbi) bytes() []byte {
	b := make([]byte, dbiHeader)
	le.PutUint32(b, 0xffffffff)
	le.PutUint32(b[8:], d.age)
	le.PutUint16(b[20:], d.records)
	le.PutUint32(b[24:], uint32(len(d.modules)))
	le.PutUint32(b[48:], uint32(2*len(d.debug)))
	b = append(b, d.modules...)
	// The other parts are of some bytes each.
	for i, at := range []int{28, 32, 36, 40, 52} {
		le.PutUint32(b[at:], uint32(4*i))
		b = append(b, make([]byte, 4*i)...)
	}
	for _, n := range d.debug {
		b = le.AppendUint16(b, n)
	}
	return b
}

// module is an entry of the list of modules.
func module(stream uint16, size int, name string) []byte {
	b := make([]byte, 64)
	le.PutUint16(b[34:], stream)
	le.PutUint32(b[36:], uint32(size))
	b = append(b, name+"\x00"+name+".obj\x00"...)
	return append(b, make([]byte, -len(b)&3)...)
}

// sections are headers of sections at these addresses.
func sections(rvas ...uint32) []byte {
	var b []byte
	for _, rva := range rvas {
		h := make([]byte, 40)
		le.PutUint32(h[12:], rva)
		b = append(b, h...)
	}
	return b
}

// info is the stream that tells GUID and age.
func info(age uint32) []byte {
	b := le.AppendUint32(nil, 20000404)
	b = le.AppendUint32(b, 0)
	b = le.AppendUint32(b, age)
	guid, _ := hex.DecodeString("78563412bc9af0de0123456789abcdef")
	return append(b, guid...)
}

// container makes an MSF file of streams. The blocks of each lie in reverse
// order, so that none follows the one in front of it. A nil stream is one that
// was taken out.
func container(block int, streams ...[]byte) []byte {
	file := make([]byte, 3*block)
	place := func(data []byte) []byte {
		n := (len(data) + block - 1) / block
		first := len(file) / block
		file = append(file, make([]byte, n*block)...)
		var list []byte
		for i := range n {
			at := first + n - 1 - i
			copy(file[at*block:(at+1)*block], data[i*block:])
			list = le.AppendUint32(list, uint32(at))
		}
		return list
	}
	directory := le.AppendUint32(nil, uint32(len(streams)))
	var lists []byte
	for _, s := range streams {
		if s == nil {
			directory = le.AppendUint32(directory, 0xffffffff)
			continue
		}
		directory = le.AppendUint32(directory, uint32(len(s)))
		lists = append(lists, place(s)...)
	}
	directory = append(directory, lists...)
	top := place(place(directory))
	copy(file, msfMagic)
	for i, n := range []int{block, 1, len(file) / block, len(directory), 0} {
		le.PutUint32(file[32+4*i:], uint32(n))
	}
	copy(file[52:], top)
	return file
}

// typed is a PDB that has types alone.
func typed(records ...[]byte) []byte {
	return container(512, []byte{}, info(1), tpi(records...))
}

const (
	tULong   = 0x22
	tULong64 = 0x23
	tVoidPtr = 0x603
	ptr64    = 8<<13 | 0xc // the attributes of a pointer
)

func TestPDBTypes(t *testing.T) {
	table := mustRead(t, typed(
		aStruct(leafStructure, forwardRef, 0, 0, "_LIST"), // 1000
		rec(leafPointer, 0x1000, ptr64),
		list(aField(0x1001, 0, "Flink"), aField(0x1001, 8, "Blink")),
		aStruct(leafStructure, 0x200, 0x1002, 16, "_LIST"),
		rec(leafBitField, tULong, byte(29), byte(3)),
		rec(leafModifier, 0x1003, uint16(1)), // 1005: const _LIST
		rec(leafArray, 0x1000, tULong64, uint16(64), ""),
		rec(leafArray, 0x1006, tULong64, uint16(0x8004), 128, ""),
		rec(leafProcedure, 3, 0, 0),
		rec(leafPointer, 0x1008, ptr64),
		list(aField(tULong, 4, "Low"), aField(tULong64, 8, "Quad")), // 100a
		aStruct(leafUnion, 0, 0x100a, 16, "<unnamed-tag>"),
		rec(leafEnum, uint16(2), uint16(0), 0x74, 0, "_STATE"),
		list(
			aField(0x1005, 0, "List"), aField(0x1004, 16, "Count"), aField(0x100b, 24, ""),
			aField(0x100b, 40, "u"), aField(0x1007, 56, "Lists"), aField(0x1009, 184, "Call"),
			aField(tVoidPtr, 192, "Any"), aField(0x100c, 200, "State"),
			member(memberIndex, uint16(0), 0x100e)),
		list(member(memberField, uint16(3), 0x75, uint16(0x8002), uint16(0x8123), "Far"), // 100e
			member(memberField, uint16(3), 0x20, uint16(0x8003), 0x12345, "Farther")),
		aStruct(leafClass, 0, 0x100d, 0x7fff, "_ALL"),
		rec(leafStructure2, 0, 0x100a, 0, 0, uint16(2), uint16(16), "_NEW"), // 1010
		rec(leafUnion2, 0x100+forwardRef, 0, uint16(0), uint16(0), "_NEWER"),
		rec(leafUnion2, 0x200, 0x100a, uint16(0x8002), uint16(2), uint16(0x8009), 24, 0, "_NEWER", ".?AT_NEWER@@"),
		list(aField(0x1011, 0, "n")),
		aStruct(leafStructure, 0, 0x1013, 24, "_OVER"),
	))
	if want := (ID{"", "123456789ABCDEF00123456789ABCDEF", 1}); table.ID() != want {
		t.Errorf("ID() = %+v, want %+v", table.ID(), want)
	}
	for typ, want := range map[string]uint32{"_LIST": 16, "_ALL": 0x7fff, "_NEW": 16, "_NEWER": 24, "_STATE": 4, "unsigned long": 4} {
		if got, ok := table.Size(typ); got != want || !ok {
			t.Errorf("Size(%q) = %d, %v; want %d", typ, got, ok, want)
		}
	}
	checkFields(t, table, []wantField{
		{"_LIST", "Blink", Field{Offset: 8, Size: 8, Type: "_LIST*"}, true},
		{"_ALL", "List", Field{Offset: 0, Size: 16, Type: "_LIST"}, true},
		{"_ALL", "List.Blink", Field{Offset: 8, Size: 8, Type: "_LIST*"}, true},
		{"_ALL", "Count", Field{16, 4, 3, 29, "unsigned long"}, true},
		{"_ALL", "Low", Field{Offset: 28, Size: 4, Type: "unsigned long"}, true},
		{"_ALL", "u", Field{Offset: 40, Size: 16, Type: "<unnamed-tag>"}, true},
		{"_ALL", "u.Quad", Field{Offset: 48, Size: 8, Type: "unsigned long long"}, true},
		{"_ALL", "Lists", Field{Offset: 56, Size: 128, Type: "_LIST[2][4]"}, true},
		{"_ALL", "Call", Field{Offset: 184, Size: 8, Type: "function*"}, true},
		{"_ALL", "Any", Field{Offset: 192, Size: 8, Type: "void*"}, true},
		{"_ALL", "State", Field{Offset: 200, Size: 4, Type: "_STATE"}, true},
		{"_ALL", "Far", Field{Offset: 0x8123, Size: 4, Type: "unsigned int"}, true},
		{"_ALL", "Farther", Field{Offset: 0x12345, Size: 1, Type: "unsigned char"}, true},
		{"_ALL", "Call.Low", Field{}, false},
		{"_ALL", "List.Low", Field{}, false},
		{"_NEW", "Quad", Field{Offset: 8, Size: 8, Type: "unsigned long long"}, true},
		{"_NEWER", "Low", Field{Offset: 4, Size: 4, Type: "unsigned long"}, true},
		{"_OVER", "n.Quad", Field{Offset: 8, Size: 8, Type: "unsigned long long"}, true},
		{"<unnamed-tag>", "Low", Field{}, false},
	})
}

// Members that are no fields are read over.
func TestFieldListMembers(t *testing.T) {
	table := mustRead(t, typed(
		list(aField(tULong, 4, "InBase")),
		aStruct(leafClass, 0, 0x1000, 8, "base"),
		list(
			member(memberBClass, uint16(3), 0x1001, uint16(16)),
			member(memberBInterface, uint16(3), 0x1001, uint16(24)),
			member(memberVBClass, uint16(3), 0x1001, tVoidPtr, uint16(0x8000), byte(1), uint16(2)),
			member(memberIVBClass, uint16(3), 0x1001, tVoidPtr, uint16(0x8001), uint16(1), uint16(2)),
			member(memberVFuncTab, uint16(0), 0x1001),
			member(memberVFuncOff, uint16(0), 0x1001, 8),
			member(memberEnumerate, uint16(3), uint16(0x800a), 1, 2, "One"),
			member(memberEnumerate, uint16(3), uint16(0x8017), 1, 2, 3, 4, "Two"),
			member(memberStatic, uint16(3), 0x1001, "Three"),
			member(memberMethod, uint16(2), 0x1001, "Four"),
			member(memberNestType, uint16(0), 0x1001, "Five"),
			member(memberNestTypeEx, uint16(0), 0x1001, "Six"),
			member(memberOneMethod, uint16(3), 0x1001, "Seven"),
			member(memberOneMethod, uint16(3|4<<2), 0x1001, 16, "Eight"),
			member(memberOneMethod, uint16(3|6<<2), 0x1001, 24, "Nine"),
			aField(tULong64, 40, "Last"),
			member(0x1599, uint16(0)), // no such kind
			aField(tULong64, 48, "Lost")),
		aStruct(leafClass, 0, 0x1002, 48, "derived")))
	checkFields(t, table, []wantField{
		{"derived", "InBase", Field{Offset: 20, Size: 4, Type: "unsigned long"}, true},
		{"derived", "Last", Field{Offset: 40, Size: 8, Type: "unsigned long long"}, true},
		{"derived", "Lost", Field{}, false},
		{"derived", "Three", Field{}, false},
		{"derived", "One", Field{}, false},
	})
}

// Records that refer to themselves or to nothing, and short ones, end.
func TestDamagedTypes(t *testing.T) {
	table := mustRead(t, typed(
		rec(leafModifier, 0x1000, uint16(0)),
		rec(leafPointer, 0x1001, ptr64),
		rec(leafArray, 0x1002, 0, uint16(0), ""),
		list(aField(0x1000, 0, "modifier"), aField(0x1001, 8, "pointer"), aField(0x1002, 16, "array"),
			aField(0x1004, 24, "itself"), aField(0x7fffffff, 32, "nothing"), aField(0x1003, 40, "list"),
			aField(0x1004, 48, ""), aField(0x1004, 56, ""), member(memberIndex, uint16(0), 0x1003)),
		aStruct(leafStructure, 0, 0x1003, 64, "loop"),
		aStruct(leafStructure, 0, 0x1004, 64, "not a list"),
		rec(leafStructure, uint16(0)),
		rec(leafStructure, uint16(0), uint16(0), 0x1003, 0, 0, uint16(0x800a), 0, 1, "too large"),
		rec(leafStructure, uint16(0), uint16(0), 0x1003, 0, 0, uint16(0x8005), 0, "a real number"),
		rec(leafStructure, uint16(0), uint16(0), 0x1003, 0, 0, uint16(4), []byte("no end")),
		rec(leafEnum, uint16(0), uint16(0)),
		rec(leafPointer),
		list(aField(tULong, 0, "x"), member(memberField, uint16(3), tULong, uint16(0x8000), byte(0xff), "negative")),
		aStruct(leafStructure, 0, 0x100c, 8, "short list"),
	))
	for _, typ := range []string{"too large", "a real number", "no end"} {
		if size, ok := table.Size(typ); ok {
			t.Errorf("Size(%q) = %d", typ, size)
		}
	}
	checkFields(t, table, []wantField{
		{"loop", "modifier", Field{Type: "?"}, true},
		{"loop", "pointer", Field{Offset: 8, Size: 8, Type: "?"}, true},
		{"loop", "array", Field{Offset: 16, Type: "?"}, true},
		{"loop", "itself.itself", Field{Offset: 48, Size: 64, Type: "loop"}, true},
		{"loop", "nothing", Field{Offset: 32, Type: "?"}, true},
		{"loop", "list", Field{Offset: 40, Type: "?"}, true},
		{"loop", "list.modifier", Field{}, false},
		{"loop", "no", Field{}, false},
		{"not a list", "modifier", Field{}, false},
		{"short list", "x", Field{Size: 4, Type: "unsigned long"}, true},
		{"short list", "negative", Field{}, false},
	})
}

// symbolFile is a PDB whose image has sections at 0x1000 and 0x5000.
func symbolFile(d dbi, more ...[]byte) []byte {
	public := func(segment uint16, off int, name string) []byte { return rec(symPub32, 2, off, segment, name) }
	records := bytes.Join([][]byte{
		public(1, 0x10, "First"), public(2, 0x20, "Second"), public(3, 0x30, "Absolute"), public(0, 0x40, "Nowhere"),
		rec(0x1125, 1, 2, uint16(1), "S_PROCREF"),
		rec(symGData32, tULong, 0x80, uint16(2), "Data"),
		rec(symLData32, tULong, 0x90, uint16(2), "Static"),
		public(1, 0x200, "?Decorated@@YAXXZ"),
	}, nil)
	own := append(le.AppendUint32(nil, 4), bytes.Join([][]byte{
		rec(symGProc32, 0, 0, 0, 64, 0, 0, tULong, 0x200, uint16(1), byte(0), "Decorated"),
		rec(0x1012, 0, 0, 0, 0, 0, uint16(0), 0), // S_FRAMEPROC
		rec(symLProc32ID, 0, 0, 0, 64, 0, 0, tULong, 0x300, uint16(1), byte(0), "Local"),
		rec(symLProc32, 0, 0, 0, 64, 0, 0, tULong, 0x400, uint16(1), byte(0), "First"),
	}, nil)...)
	d.records = 5
	d.modules = append(module(6, len(own), "a"), module(6, len(own), "again")...)
	d.modules = append(d.modules, module(noStream, 0, "none")...)
	lines := append(own, "line numbers"...)
	return container(512, append([][]byte{nil, info(7), tpi(), d.bytes(), nil, records, lines, sections(0x1000, 0x5000)}, more...)...)
}

func checkRVAs(t *testing.T, table *Table, want map[string]uint32) {
	t.Helper()
	for name, want := range want {
		if got, ok := table.RVA(name); got != want || ok != (want != 0) {
			t.Errorf("RVA(%q) = %#x, %v; want %#x", name, got, ok, want)
		}
	}
}

func TestPDBSymbols(t *testing.T) {
	table := mustRead(t, symbolFile(dbi{age: 3, debug: []uint16{noStream, noStream, noStream, noStream, noStream, 7}}))
	if table.ID().Age != 3 {
		t.Errorf("age %d: not the linker's", table.ID().Age)
	}
	checkRVAs(t, table, map[string]uint32{
		"First": 0x1010, "Second": 0x5020, "Absolute": 0, "Nowhere": 0, "S_PROCREF": 0, "Data": 0x5080,
		"Static": 0x5090, "?Decorated@@YAXXZ": 0x1200, "Decorated": 0x1200, "Local": 0x1300,
	})
	for _, test := range []struct {
		rva  uint32
		name string
		off  uint32
	}{{0x100f, "", 0}, {0x1010, "First", 0}, {0x1201, "Decorated", 1}, {0x13ff, "Local", 0xff}, {0x1400, "First", 0}, {0x5090, "Static", 0}} {
		if name, off, _ := table.At(test.rva); name != test.name || off != test.off {
			t.Errorf("At(%#x) = %q, %d; want %q, %d", test.rva, name, off, test.name, test.off)
		}
	}
}

func TestPDBMovedCode(t *testing.T) {
	var omap []byte
	for _, n := range []uint32{0x5000, 0x9000, 0x1000, 0x2000, 0x1200, 0, 0x1300, 0xfffffff0} {
		omap = le.AppendUint32(omap, n)
	}
	debug := []uint16{noStream, noStream, noStream, noStream, 8, 9, noStream, noStream, noStream, noStream, 7}
	table := mustRead(t, symbolFile(dbi{debug: debug}, omap, sections(0x70000)))
	if table.ID().Age != 7 {
		t.Errorf("age %d: not that of the file", table.ID().Age)
	}
	checkRVAs(t, table, map[string]uint32{"First": 0x2010, "Second": 0x9020, "Data": 0x9080, "Decorated": 0, "Local": 0xfffffff0})
}

func TestPDBWithoutSymbols(t *testing.T) {
	for name, b := range map[string][]byte{
		"no DBI":       container(4096, nil, info(2), tpi()),
		"no types":     container(4096, nil, info(2)),
		"short DBI":    container(4096, nil, info(2), tpi(), make([]byte, 63)),
		"no sections":  symbolFile(dbi{age: 2}),
		"no header":    symbolFile(dbi{age: 2, debug: []uint16{noStream}}),
		"lost section": symbolFile(dbi{age: 2, debug: []uint16{1, 2, 3, 4, 5, 99}}),
	} {
		table, err := readBytes(b)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if name, _, ok := table.At(0x1010); ok || table.ID().Age != 2 {
			t.Errorf("%s: a symbol %s", b, name)
		}
	}
}

func TestDamagedPDB(t *testing.T) {
	whole := symbolFile(dbi{debug: []uint16{noStream, noStream, noStream, noStream, noStream, 7}})
	put := func(at int, n uint32) []byte {
		b := bytes.Clone(whole)
		le.PutUint32(b[at:], n)
		return b
	}
	directory := int(le.Uint32(whole[le.Uint32(whole[52:])*512:])) * 512
	for name, test := range map[string]struct {
		b    []byte
		want string
	}{
		"superblock cut":      {whole[:50], "unexpected EOF"},
		"block size 0":        {put(32, 0), errMSF.Error()},
		"block size 768":      {put(32, 768), errMSF.Error()},
		"block size 2^31":     {put(32, 1<<31), errMSF.Error()},
		"directory too large": {put(44, 0xffffffff), errMSF.Error()},
		"directory empty":     {put(44, 0), errMSF.Error()},
		"block map far away":  {put(52, 0xffffffff), errMSF.Error()},
		"many streams":        {put(directory, 0x40000001), errMSF.Error()},
		"large stream":        {put(directory+4, uint32(len(whole))+1), errMSF.Error()},
		"directory too short": {put(44, 8), errMSF.Error()},
		"file cut":            {whole[:len(whole)-512], errMSF.Error()},
		"no identity":         {container(512, nil, []byte{1, 2, 3}), "no identity"},
		"type index":          {container(512, nil, info(1), append(make([]byte, 8), tpi()...)), "damaged types"},
		"shared blocks":       {sharedBlocks(3), errMSF.Error()},
	} {
		if _, err := readBytes(test.b); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %s", name, err, test.want)
		}
	}
	if _, err := readBytes(sharedBlocks(2)); err != nil {
		t.Errorf("as many bytes of streams as two files have: %v", err)
	}
	if _, err := Read(bytes.NewReader(whole), maxPDB+1); err == nil {
		t.Error("read a PDB that is too large")
	}
}

// sharedBlocks is a file of four blocks with streams that are each as large as it.
func sharedBlocks(n int) []byte {
	b := make([]byte, 4*4096)
	copy(b, msfMagic)
	for i, n := range []int{4096, 1, 4, 4 + 5*4*n, 0, 1} {
		le.PutUint32(b[32+4*i:], uint32(n))
	}
	le.PutUint32(b[4096:], 2)
	directory := le.AppendUint32(b[:2*4096], uint32(n))
	for range n {
		directory = le.AppendUint32(directory, 4*4096)
	}
	for range 4 * n {
		directory = le.AppendUint32(directory, 3)
	}
	copy(b[3*4096:], info(1))
	return b
}
