package pack

import (
	"bytes"
	"encoding/binary"
	"errors"
	"maps"
	"math"
	"slices"
)

// The table of functions that the runtime of Go keeps (runtime.pcHeader and
// runtime._func): a header, the names of functions, of files, the tables of what
// holds at what place of a function, and of each function its offsets into those.
// Lines, files, arguments and inlined functions are read by stack traces alone. Those
// then show the functions that were called. Who may recover from a panic is found by
// these as well: a function that recovers is never inlined.

// pclnMagic begins the table: its magic number, padding, the size of an instruction
// and of a pointer.
var pclnMagic = []byte{0xf1, 0xff, 0xff, 0xff, 0, 0, 1, 8}

// Offsets in a function's entry, and in its list of tables.
const (
	funcFixed     = 44
	funcName      = 4
	funcStack     = 16 // the size of its stack frame
	funcFile      = 20
	funcLine      = 24
	funcTables    = 28
	funcCU        = 32
	funcDataCount = 43
)

// What stays of the tables and of the data of a function (internal/abi, PCDATA and
// FUNCDATA): what the garbage collector finds in a frame, what is deferred, and what
// index was out of bounds.
var (
	tablesKept = []int{1, 4}
	dataKept   = []int{0, 1, 2, 4, 7}
)

// pclntab is where the parts of the table are.
type pclntab struct {
	b                                    []byte // from the header on
	funcs                                int
	names, cus, files, tables, functions int
}

func findPclntab(mem []byte) (t pclntab, err error) {
	at := bytes.Index(mem, pclnMagic)
	if at < 0 || bytes.Contains(mem[at+1:], pclnMagic) || len(mem) < at+72 {
		return t, errors.New("no table of functions, or two")
	}
	t.b = mem[at:]
	part := func(i int) int { return int(min(binary.LittleEndian.Uint64(t.b[8*i:]), math.MaxInt32)) }
	t.funcs, t.names, t.cus, t.files, t.tables, t.functions = part(1), part(4), part(5), part(6), part(7), part(8)
	if t.names > t.cus || t.cus > t.files || t.files > t.tables || t.tables > t.functions || t.functions+8*t.funcs > len(t.b) {
		return t, errors.New("a table of functions that is not understood")
	}
	return t, nil
}

// function returns the entry of a function with all that it lists.
func (t *pclntab) function(i int) []byte {
	at := t.functions + int(binary.LittleEndian.Uint32(t.b[t.functions+8*i+4:]))
	if at+funcFixed > len(t.b) {
		return nil
	}
	f := t.b[at:]
	size := funcFixed + 4*int(binary.LittleEndian.Uint32(f[funcTables:])) + 4*int(f[funcDataCount])
	if size > len(f) {
		return nil
	}
	return f[:size]
}

// dropLines takes what stack traces alone read out of the table in a segment.
func dropLines(segments []segment, in segment) error {
	t, err := findPclntab(in.data)
	if err != nil {
		return err
	}
	data := make(map[uint32]bool) // where data of functions begin, and whether they stay
	for i := range t.funcs {
		f := t.function(i)
		if f == nil {
			return errors.New("an entry of a function is cut off")
		}
		clear(f[funcFile:funcTables])
		clear(f[funcCU : funcCU+8]) // and the line that the function begins at
		tables := int(binary.LittleEndian.Uint32(f[funcTables:]))
		for k := range tables {
			if !slices.Contains(tablesKept, k) {
				clear(f[funcFixed+4*k : funcFixed+4*k+4])
			}
		}
		for k := range int(f[funcDataCount]) {
			entry := f[funcFixed+4*(tables+k):]
			off := binary.LittleEndian.Uint32(entry)
			if off == math.MaxUint32 {
				continue
			}
			data[off] = data[off] || slices.Contains(dataKept, k)
			if !slices.Contains(dataKept, k) {
				binary.LittleEndian.PutUint32(entry, math.MaxUint32)
			}
		}
	}
	clear(t.b[t.cus:t.tables])
	if err := t.line(t.names, t.cus, nameOf); err != nil {
		return err
	}
	if err := t.line(t.tables, t.functions, tableOf); err != nil {
		return err
	}
	return t.dropData(segments, in, data)
}

// Words of runtime.moduledata: the data of functions is from the first to the second.
const (
	dataBegins = 40
	dataEnds   = 41
)

// dropData clears those data of functions that do not stay. Each ends where the next
// one begins.
func (t *pclntab) dropData(segments []segment, in segment, stays map[uint32]bool) error {
	table := in.at + len(in.data) - len(t.b)
	names := int(binary.LittleEndian.Uint64(t.b[8*4:]))
	begin, end, ok := dataOfFunctions(segments, table, table+names)
	begin, end = begin-in.at, end-in.at
	if !ok || begin < len(in.data)-len(t.b)+t.functions || end < begin || end > len(in.data) {
		return errors.New("no runtime.moduledata that is understood")
	}
	begins := slices.Sorted(maps.Keys(stays))
	for i, off := range begins {
		if i+1 < len(begins) && !stays[off] && begin+int(begins[i+1]) <= end {
			clear(in.data[begin+int(off) : begin+int(begins[i+1])])
		}
	}
	return nil
}

// dataOfFunctions finds the addresses in runtime.moduledata, which begins with those
// of the table and of the names in it.
func dataOfFunctions(segments []segment, table, names int) (begin, end int, ok bool) {
	first := binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, uint64(table)), uint64(names))
	for _, s := range segments {
		at := bytes.Index(s.data, first)
		if at < 0 || at+8*(dataEnds+1) > len(s.data) {
			continue
		}
		word := func(i int) int { return int(min(binary.LittleEndian.Uint64(s.data[at+8*i:]), math.MaxInt32)) }
		return word(dataBegins), word(dataEnds), true
	}
	return 0, 0, false
}
