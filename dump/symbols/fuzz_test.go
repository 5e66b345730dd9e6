package symbols

import (
	"bytes"
	"testing"

	"github.com/ulikunitz/xz"
)

// ask asks a table for all it has and compares the answers with each other.
func ask(t *testing.T, table *Table) {
	for _, s := range table.byRVA {
		name, off, ok := table.At(s.rva)
		if !ok || off != 0 || len(name) == 0 {
			t.Fatalf("At(%#x) = %q, %d, %v", s.rva, name, off, ok)
		}
		if rva, ok := table.RVA(table.name(s.name)); ok && rva != s.rva && !s.private {
			t.Fatalf("RVA(%q) = %#x, and it is public at %#x", table.name(s.name), rva, s.rva)
		}
	}
	asked := 0
	for _, id := range table.typeNames {
		typ := table.name(table.nodes[id].name)
		if _, ok := table.Size(typ); !ok {
			t.Fatalf("Size(%q)", typ)
		}
		first := table.nodes[table.byTypeName(typ)]
		for _, f := range table.fields[first.first : first.first+first.n] {
			if asked++; asked > 100 {
				return
			}
			name := table.name(f.name)
			got, ok := table.Field(typ, name)
			if ok && (got.Bits > 64 || got.Type == "") {
				t.Fatalf("Field(%q, %q) = %+v", typ, name, got)
			}
			table.Field(typ, name+"."+name+".no")
		}
	}
}

func FuzzISF(f *testing.F) {
	f.Add(readTestdata(f, "ntkrnlmp.json"))
	f.Add(readTestdata(f, "ntkrnlmp.json.xz"))
	f.Add(pack(f, isf("", ""), xz.WriterConfig{BlockSize: 100}))
	f.Add(isf(`"a": {"size": 4, "kind": "union", "fields": {"b": {"offset": 1, "anonymous": true, "type":
		{"kind": "array", "count": 2, "subtype": {"kind": "pointer", "base": "pointer32", "subtype": {"kind": "struct", "name": "a"}}}}}}`,
		`"c": {"address": 1, "linkage_name": "_c"}`))
	f.Add(isf(`"a": {"size": 4, "kind": "struct", "fields": {"b": {"offset": 0, "type": {"kind": "base"}}}}`, ""))
	f.Fuzz(func(t *testing.T, b []byte) {
		if table, err := readBytes(b); err == nil {
			ask(t, table)
		}
	})
}

func FuzzPDB(f *testing.F) {
	f.Add(symbolFile(dbi{age: 3, debug: []uint16{noStream, noStream, noStream, noStream, noStream, 7}}))
	f.Add(symbolFile(dbi{debug: []uint16{0, 0, 0, 0, 8, 9, 0, 0, 0, 0, 7}}, make([]byte, 16), sections(1)))
	f.Add(sharedBlocks(2))
	f.Add(typed(list(aField(tULong, 0, "a"))))
	f.Add(isf(`"a": {"size": 4, "kind": "struct", "fields": {"b": {"offset": 0, "type": {"kind": "base"}}}}`, ""))
	f.Fuzz(func(t *testing.T, b []byte) {
		if table, err := readBytes(b); err == nil {
			ask(t, table)
		}
	})
}

// FuzzRecords reads records of types and symbols without the container.
func FuzzRecords(f *testing.F) {
	f.Add(bytes.Join([][]byte{
		list(aField(tULong, 0, "a"), member(memberIndex, uint16(0), 0x1000), aField(0x1002, 8, "")),
		rec(leafBitField, tULong, byte(4), byte(3)),
		rec(leafArray, 0x1003, tULong64, uint16(64), ""),
		aStruct(leafStructure, 0, 0x1000, 16, "b"),
		rec(leafUnion2, 0, 0x1000, uint16(0x8002), uint16(2), uint16(0x8009), 24, 0, "c"),
		rec(leafModifier, 0x1003, uint16(1)),
		rec(leafPointer, 0x1005, ptr64),
		rec(leafEnum, uint16(2), uint16(0), 0x74, 0, "d"),
	}, nil), bytes.Join([][]byte{
		rec(symPub32, 2, 16, uint16(1), "e"),
		rec(symLProc32, 0, 0, 0, 64, 0, 0, tULong, 0x300, uint16(1), byte(0), "f"),
		rec(symLData32, tULong, 0x90, uint16(1), "g"),
	}, nil))
	f.Fuzz(func(t *testing.T, types, symbols []byte) {
		d := dbi{records: 4, debug: []uint16{noStream, noStream, noStream, noStream, noStream, 5}}
		table, err := readBytes(container(4096, nil, info(1), tpi(types), d.bytes(), symbols, sections(0x1000)))
		if err != nil {
			t.Fatal(err)
		}
		ask(t, table)
	})
}
