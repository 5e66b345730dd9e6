package image

import (
	"cmp"
	"encoding/binary"
	"slices"
)

// maxExports is how many functions the 16-bit ordinals of the name table can
// reach.
const maxExports = 1 << 16

// export is a named export; name is the RVA of its name, which stays where it is.
type export struct{ rva, name uint32 }

// Export returns the named export nearest at or below rva in the same section,
// and how far above it rva is. A function that is not exported gets the name of
// the one before it with a large off; the caller judges. Entries of the export
// tables whose pages are not there are passed over.
func (i *Image) Export(rva uint32) (name string, off uint32, ok bool) {
	section, ok := i.Section(rva)
	if !ok {
		return "", 0, false
	}
	all := i.exportTable()
	n, exact := slices.BinarySearchFunc(all, rva, func(e export, rva uint32) int { return cmp.Compare(e.rva, rva) })
	if !exact {
		if n == 0 || all[n-1].rva < section.RVA {
			return "", 0, false
		}
		n--
		for n > 0 && all[n-1].rva == all[n].rva {
			n-- // the first of several names, as when it is met exactly
		}
	}
	name, err := i.text(all[n].name, "export name")
	if err != nil || !printable(name) {
		return "", 0, false
	}
	return name, rva - all[n].rva, true
}

// ExportRVA returns the RVA of the export called name. A forwarder to another
// image has none.
func (i *Image) ExportRVA(name string) (uint32, bool) {
	for _, e := range i.exportTable() {
		if s, err := i.text(e.name, "export name"); err == nil && s == name {
			return e.rva, true
		}
	}
	return 0, false
}

// exportTable returns the named exports by RVA, those of one RVA in the order of
// the name table.
func (i *Image) exportTable() []export {
	if i.exportsIn {
		return i.exports
	}
	i.exportsIn = true
	d, err := i.directory(dirExport, 40, "export directory")
	if err != nil {
		return nil
	}
	var head [40]byte
	if err := i.Read(head[:], d.rva, "export directory"); err != nil {
		return nil
	}
	t := exportTables{
		functions: binary.LittleEndian.Uint32(head[28:]),
		names:     binary.LittleEndian.Uint32(head[32:]),
		ordinals:  binary.LittleEndian.Uint32(head[36:]),
		count:     binary.LittleEndian.Uint32(head[20:]),
	}
	named := binary.LittleEndian.Uint32(head[24:])
	if named > min(maxExports, i.Size/4) {
		return nil
	}
	for k := range named {
		e, ok := t.export(i, k)
		forwarder := e.rva >= d.rva && e.rva-d.rva < d.size // it points at text
		if ok && !forwarder && e.rva < i.Size {
			i.exports = append(i.exports, e)
		}
	}
	slices.SortStableFunc(i.exports, func(a, b export) int { return cmp.Compare(a.rva, b.rva) })
	i.exports = slices.Clip(i.exports)
	return i.exports
}

// exportTables are the RVAs of the three tables of an export directory, and the
// length of the first.
type exportTables struct{ functions, names, ordinals, count uint32 }

// export reads the entry of name k; k is below maxExports.
func (t exportTables) export(i *Image, k uint32) (export, bool) {
	name, ok1 := i.entry(t.names, 4, k)
	ordinal, ok2 := i.entry(t.ordinals, 2, k)
	if !ok1 || !ok2 || ordinal >= t.count {
		return export{}, false
	}
	rva, ok := i.entry(t.functions, 4, ordinal)
	return export{rva: rva, name: name}, ok && rva != 0
}

// entry reads entry k, of 2 or 4 bytes, of the table at rva. Neither k nor width
// is large.
func (i *Image) entry(rva, width, k uint32) (uint32, bool) {
	if uint64(rva)+uint64(width)*uint64(k) >= uint64(i.Size) {
		return 0, false
	}
	rva += width * k
	if width == 2 {
		v, err := i.uint16(rva, "export ordinal")
		return uint32(v), err == nil
	}
	v, err := i.uint32(rva, "export table")
	return v, err == nil
}

// printable reports whether name is graphic ASCII, as names of exports are.
func printable(name string) bool {
	for k := range len(name) {
		if name[k] <= ' ' || name[k] > '~' {
			return false
		}
	}
	return name != ""
}
