package dumptest

import (
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"slices"
)

// Write writes the machine as a dump of the type and gives the size of the file.
// Pages that nobody wrote are not written: a sparse file stays small.
func (m *Machine) Write(w io.WriterAt, typ DumpType) (size int64, err error) {
	m.shareKernel()
	if err := m.Err(); err != nil {
		return 0, err
	}
	if typ == Triage {
		return m.writeTriage(w)
	}
	present, head, first, err := m.plan(typ)
	if err != nil {
		return 0, err
	}
	size = first
	for _, r := range present {
		size += int64(r.pages) * pageSize
	}
	h, err := m.header(typ, size)
	if err != nil {
		return 0, err
	}
	if _, err := w.WriteAt(append(h, head...), 0); err != nil {
		return 0, err
	}
	return size, m.writePages(w, present, first, size)
}

// plan gives the runs of pages that are in the file, what follows the header,
// and where the first page lies.
func (m *Machine) plan(typ DumpType) (present []run, head []byte, first int64, err error) {
	switch typ {
	case Full:
		if len(m.phys.absent) > 0 {
			// Its pages are those of the runs: none can be left out.
			return nil, nil, 0, fmt.Errorf("dumptest: a dump of type %d has all pages", typ)
		}
		return m.phys.runs, nil, headerSize, nil
	case FullBitmap, KernelBitmap:
		present = m.present(typ == FullBitmap)
		head, first = bitmapHead(typ, present)
	case KernelRange, KernelRangeA, CompleteRange:
		present = m.present(typ == CompleteRange)
		head, first = rangeHead(typ, present)
	default:
		return nil, nil, 0, fmt.Errorf("dumptest: dumps of type %d are not written", typ)
	}
	return present, head, first, nil
}

// present is the runs of the machine's pages, or of those in use, without those
// that were left out.
func (m *Machine) present(all bool) []run {
	from := m.phys.given
	if all {
		from = m.phys.runs
	}
	absent := slices.Sorted(maps.Keys(m.phys.absent))
	var runs []run
	for _, r := range from {
		for _, pfn := range absent {
			if pfn < r.base || pfn-r.base >= r.pages {
				continue
			}
			if pfn > r.base {
				runs = append(runs, run{r.base, pfn - r.base})
			}
			r = run{pfn + 1, r.base + r.pages - pfn - 1}
		}
		if r.pages > 0 {
			runs = append(runs, r)
		}
	}
	return runs
}

// bitmapHead is the header of a bitmap dump at 0x2000, the bitmap at its end.
// The spare bits of the last byte are set: they mean nothing.
func bitmapHead(typ DumpType, present []run) ([]byte, int64) {
	const bitmapAt = 0x38
	last := present[len(present)-1]
	bits := last.base + last.pages
	bytes := (bits + 7) / 8
	b := make([]byte, bitmapAt+bytes)
	le := binary.LittleEndian
	copy(b, "SDMPDUMP")
	if typ == FullBitmap {
		copy(b, "FDMP")
	}
	first := (headerSize + uint64(len(b)) + pageSize - 1) &^ (pageSize - 1)
	pages := uint64(0)
	bitmap := b[bitmapAt:]
	for _, r := range present {
		pages += r.pages
		for n := r.base; n < r.base+r.pages; n++ {
			bitmap[n/8] |= 1 << (n % 8)
		}
	}
	if bits%8 != 0 {
		bitmap[bytes-1] |= 0xFF << (bits % 8)
	}
	le.PutUint64(b[0x20:], first)
	le.PutUint64(b[0x28:], pages)
	le.PutUint64(b[0x30:], bits)
	return b, int64(first)
}

// rangeHead is the header of a range dump at 0x2000 (kdmp-parser-rs): the
// ranges of types 8 and 9 end with a zero, those of type A are counted.
func rangeHead(typ DumpType, present []run) ([]byte, int64) {
	const rangesAt, ahead = 0x30, 0x2020
	need := headerSize + rangesAt + 16*uint64(len(present)+1)
	first := (need + pageSize - 1) &^ (pageSize - 1)
	b := make([]byte, first-headerSize)
	le := binary.LittleEndian
	le.PutUint32(b, 0x40)
	copy(b[4:], "RDMPDUMP")
	le.PutUint64(b[0x10:], first-ahead)
	le.PutUint64(b[0x18:], first)
	pages := uint64(0)
	for i, r := range present {
		le.PutUint64(b[rangesAt+16*i:], r.base)
		le.PutUint64(b[rangesAt+8+16*i:], r.pages)
		pages += r.pages
	}
	if typ == CompleteRange {
		le.PutUint32(b[0x20:], uint32(len(present)))
		le.PutUint64(b[0x28:], pages)
	}
	return b, int64(first)
}

// writePages writes the pages that have bytes, in ascending order, and the last
// byte of the file.
func (m *Machine) writePages(w io.WriterAt, present []run, first, size int64) error {
	touched := make([]uint64, 0, len(m.phys.pages))
	for pfn := range m.phys.pages {
		touched = append(touched, pfn)
	}
	slices.Sort(touched)
	off := first
	for _, r := range present {
		i, _ := slices.BinarySearch(touched, r.base)
		for ; i < len(touched) && touched[i]-r.base < r.pages; i++ {
			page := m.phys.pages[touched[i]]
			if _, err := w.WriteAt(page[:], off+int64(touched[i]-r.base)*pageSize); err != nil {
				return err
			}
		}
		off += int64(r.pages) * pageSize
	}
	last := present[len(present)-1]
	if m.phys.pages[last.base+last.pages-1] == nil {
		_, err := w.WriteAt([]byte{0}, size-1)
		return err
	}
	return nil
}
