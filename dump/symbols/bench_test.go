package symbols

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/ulikunitz/xz"
)

// A kernel has some 40 000 symbols and 1700 types with 9 fields each.
const (
	benchSymbols = 40000
	benchTypes   = 1700
	benchFields  = 9
)

func benchISF() []byte {
	var types, symbols []string
	for i := range benchTypes {
		var fields []string
		for j := range benchFields {
			fields = append(fields, fmt.Sprintf(
				`"SomeFieldName%d": {"offset": %d, "type": {"kind": "pointer", "subtype": {"kind": "struct", "name": "_SOME_TYPE_%d"}}}`, j, 8*j, i/2))
		}
		types = append(types, fmt.Sprintf(`"_SOME_TYPE_%d": {"kind": "struct", "size": 72, "fields": {%s}}`, i, strings.Join(fields, ",\n")))
	}
	for i := range benchSymbols {
		symbols = append(symbols, fmt.Sprintf(`"SomeFunctionOfTheKernel%d": {"address": %d}`, i*7919%benchSymbols, 4096+16*i))
	}
	return isf(strings.Join(types, ",\n"), strings.Join(symbols, ",\n"))
}

// benchPDB makes a PDB with times as many names and types as a kernel has.
func benchPDB(times int) []byte {
	var types [][]byte
	for i := range times * benchTypes {
		at := firstType + 3*i
		var fields [][]byte
		for j := range benchFields {
			fields = append(fields, aField(at+1, uint16(8*j), fmt.Sprintf("SomeFieldName%d", j)))
		}
		types = append(types, list(fields...), rec(leafPointer, at+2, ptr64),
			aStruct(leafStructure, 0, at, 72, fmt.Sprintf("_SOME_TYPE_%d", i)))
	}
	var records [][]byte
	for i := range times * benchSymbols {
		records = append(records, rec(symPub32, 2, 16*i, uint16(1), fmt.Sprintf("SomeFunctionOfTheKernel%d", i*7919%(times*benchSymbols))))
	}
	d := dbi{age: 1, records: 4, debug: []uint16{noStream, noStream, noStream, noStream, noStream, 5}}
	return container(4096, nil, info(1), tpi(types...), d.bytes(), bytes.Join(records, nil), sections(0x1000))
}

func benchRead(b *testing.B, file []byte) {
	b.SetBytes(int64(len(file)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := readBytes(file); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReadISF(b *testing.B)   { benchRead(b, benchISF()) }
func BenchmarkReadISFXZ(b *testing.B) { benchRead(b, pack(b, benchISF(), xz.WriterConfig{})) }
func BenchmarkReadPDB(b *testing.B)   { benchRead(b, benchPDB(1)) }

func BenchmarkAsk(b *testing.B) {
	table := mustRead(b, benchPDB(1))
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := table.RVA("SomeFunctionOfTheKernel777"); !ok {
			b.Fatal("no symbol")
		}
		if _, _, ok := table.At(100001); !ok {
			b.Fatal("no name")
		}
		if _, ok := table.Field("_SOME_TYPE_77", "SomeFieldName8"); !ok {
			b.Fatal("no field")
		}
	}
}
