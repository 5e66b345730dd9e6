package symbols

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"math"
	"slices"
	"sort"
)

// The streams of a PDB that have a fixed number.
const (
	streamInfo = 1
	streamTPI  = 2
	streamDBI  = 3
	noStream   = 0xffff
)

// The entries of the optional debug header: numbers of streams.
const (
	debugOmapFromSrc = 4
	debugSections    = 5
	debugSectionsOld = 10 // as they were before code was moved
)

// readPDB reads a PDB (LLVM: The PDB File Format).
func (t *Table) readPDB(r io.ReaderAt, size int64) error {
	m, err := openMSF(r, size)
	if err != nil {
		return err
	}
	info, err := m.stream(streamInfo, math.MaxUint32)
	if err != nil {
		return err
	}
	if len(info) < 28 {
		return errors.New("PDB: no identity")
	}
	t.id = ID{GUID: formatGUID(info[12:28]), Age: le.Uint32(info[8:])}
	if err := t.readTPI(m); err != nil {
		return err
	}
	return t.readDBI(m)
}

// dbiHeader is the size of the header of the DBI stream.
const dbiHeader = 64

// readDBI reads the names: the public ones, those of global data, and those of
// the functions and data of object files. Files of types alone have none.
func (t *Table) readDBI(m *msf) error {
	dbi, err := m.stream(streamDBI, math.MaxUint32)
	if err != nil || len(dbi) < dbiHeader {
		return err
	}
	// Tools that write to a PDB later count up the age of the info stream. The
	// linker's, which the image has, is here, if it is not 0.
	if age := le.Uint32(dbi[8:]); age != 0 {
		t.id.Age = age
	}
	modules, debug := dbiParts(dbi)
	places, err := readPlaces(m, debug)
	if err != nil || len(places.sections) == 0 {
		return err
	}
	records := newRecords(m.reader(streamNumber(dbi[20:]), math.MaxUint32))
	if err := t.readSymbols(records, places); err != nil {
		return err
	}
	return t.readModules(m, modules, places)
}

// dbiParts finds the list of modules and the optional debug header in the DBI
// stream. What is cut off is empty.
func dbiParts(dbi []byte) (modules, debug []byte) {
	rest := dbi[dbiHeader:]
	// The parts in their order, by where the header holds their sizes: modules,
	// section contributions, section map, sources, type servers, edit and
	// continue, debug header.
	for i, at := range []int{24, 28, 32, 36, 40, 52, 48} {
		size := le.Uint32(dbi[at:])
		if uint64(size) > uint64(len(rest)) {
			return modules, nil
		}
		if i == 0 {
			modules = rest[:size]
		}
		debug, rest = rest[:size], rest[size:]
	}
	return modules, debug
}

// streamNumber reads the number of a stream. The one that stands for none is made
// one that no file has.
func streamNumber(b []byte) uint32 {
	if len(b) < 2 || le.Uint16(b) == noStream {
		return math.MaxUint32
	}
	return uint32(le.Uint16(b))
}

// readModules reads the symbols of object files. A stream is read once, however
// many modules name it.
func (t *Table) readModules(m *msf, modules []byte, places places) error {
	seen := make(map[uint32]bool)
	records := newRecords(nil)
	for len(modules) > 64 {
		stream, size := streamNumber(modules[34:]), le.Uint32(modules[36:])
		if !seen[stream] && size > 4 {
			seen[stream] = true
			records.Reset(m.reader(stream, size))
			if err := t.readModule(records, places); err != nil {
				return err
			}
		}
		// The names of the module and of its file are behind the header.
		end := 64
		for range 2 {
			n := bytes.IndexByte(modules[end:], 0)
			if n < 0 {
				return nil
			}
			end += n + 1
		}
		modules = modules[min((end+3)&^3, len(modules)):]
	}
	return nil
}

// readModule reads the symbols of an object file, behind the signature of C13.
func (t *Table) readModule(records recordReader, places places) error {
	signature, err := records.Peek(4)
	if err != nil || le.Uint32(signature) != 4 {
		return notEOF(err)
	}
	if _, err := records.Discard(4); err != nil {
		return err
	}
	return t.readSymbols(records, places)
}

// places tells where segments lie.
type places struct {
	sections []uint32 // the RVA of each
	// moved tells where code went that a tool moved after linking: addresses of
	// the linker's image and what they became, sorted by the first.
	moved [][2]uint32
}

// readPlaces reads the headers of the sections and, if there is one, the list of
// what was moved.
func readPlaces(m *msf, debug []byte) (places, error) {
	entry := func(i int) uint32 { return streamNumber(debug[min(i*2, len(debug)):]) }
	var p places
	number := entry(debugSections)
	if old := entry(debugSectionsOld); old != math.MaxUint32 && entry(debugOmapFromSrc) != math.MaxUint32 {
		number = old
		omap, err := m.stream(entry(debugOmapFromSrc), math.MaxUint32)
		if err != nil {
			return p, err
		}
		for ; len(omap) >= 8; omap = omap[8:] {
			p.moved = append(p.moved, [2]uint32{le.Uint32(omap), le.Uint32(omap[4:])})
		}
		slices.SortStableFunc(p.moved, func(a, b [2]uint32) int { return cmp.Compare(a[0], b[0]) })
	}
	headers, err := m.stream(number, math.MaxUint32)
	for ; len(headers) >= 40; headers = headers[40:] { // IMAGE_SECTION_HEADER
		p.sections = append(p.sections, le.Uint32(headers[12:]))
	}
	return p, err
}

// rva tells where an address of a segment lies. Segments count from 1; what lies
// in none is an absolute number, and what was moved to 0 is no longer there.
func (p places) rva(segment uint16, off uint32) (uint32, bool) {
	if segment == 0 || int(segment) > len(p.sections) {
		return 0, false
	}
	at := uint64(p.sections[segment-1]) + uint64(off)
	if p.moved != nil {
		i := sort.Search(len(p.moved), func(i int) bool { return uint64(p.moved[i][0]) > at })
		if i == 0 || p.moved[i-1][1] == 0 {
			return 0, false
		}
		at += uint64(p.moved[i-1][1]) - uint64(p.moved[i-1][0])
	}
	return uint32(at), at <= math.MaxUint32
}
