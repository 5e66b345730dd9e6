package dumptest

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strings"
	"unicode/utf16"
)

// Function is a function of a module.
type Function struct {
	Name     string
	Size     uint32 // bytes; 0x100 if 0
	Exported bool
	Prolog   []Op
	Leaf     bool // no RUNTIME_FUNCTION: nothing pushed, nothing allocated
	Handler  bool // an exception handler follows the unwind codes
	Epilogs  *Epilogs
	Tail     *Tail
}

// Tail is the end of a function that has a RUNTIME_FUNCTION of its own, chained
// to the first.
type Tail struct {
	At uint32 // its offset in the function
	// Prolog is what the tail saves beyond the function's own prolog; its
	// frame pointer must be the function's.
	Prolog []Op
	// Indirect makes the entry's unwind address odd: it then points to the
	// RUNTIME_FUNCTION of the first part, and Prolog does not count.
	Indirect bool
}

// Data is a named variable of a module.
type Data struct {
	Name     string
	Size     uint64
	Exported bool
}

// ModuleSpec declares a module.
type ModuleSpec struct {
	Name      string // "Ntfs.sys"
	Path      string // \SystemRoot\System32\drivers\Name if empty
	Functions []Function
	Data      []Data
	Base      uint64 // where it is loaded; after the module before it if 0
	Timestamp uint32
	Checksum  uint32
	PDB       string // Name with .pdb if empty
	// PDBID is the GUID (32 hexadecimal digits, as in the path of a symbol
	// server) and the age after it; one made from Name if empty.
	PDBID string
	// Parts of the image that are paged out. They need Options.ImagePage 4 KiB.
	NoHeaders, NoText, NoPdata, NoXdata, NoExports bool
}

// Module is a module in kernel memory.
type Module struct {
	Spec      ModuleSpec
	Base      uint64
	Size      uint32 // SizeOfImage
	m         *Machine
	functions map[string]*function
	symbols   map[string]uint32 // RVAs of functions and variables
	sections  []section
	entry     uint64 // KLDR_DATA_TABLE_ENTRY
}

// function is a function with its place.
type function struct {
	Function
	rva    uint32
	prolog prolog
	tail   prolog
}

type section struct {
	name            string
	rva, size, mode uint32
}

// Section characteristics (PE format).
const (
	sectionCode = 0x6800_0020 // executable, readable, not paged
	sectionRead = 0x4800_0040
	sectionData = 0xC800_0040
)

// find gives a function of the module; asking for one that it has not is a
// mistake of the declaration.
func (mod *Module) find(name string) *function {
	f := mod.functions[name]
	if f == nil {
		mod.m.fail("%s has no function %s", mod.Spec.Name, name)
		return &function{}
	}
	return f
}

// Symbol is the address of a function or variable of the module.
func (mod *Module) Symbol(name string) uint64 {
	rva, ok := mod.symbols[name]
	if !ok {
		mod.m.fail("%s has no symbol %s", mod.Spec.Name, name)
	}
	return mod.Base + uint64(rva)
}

// Entry is the address of the module's KLDR_DATA_TABLE_ENTRY.
func (mod *Module) Entry() uint64 { return mod.entry }

// builder lays out an image: its bytes by RVA.
type builder struct {
	mod   *Module
	image []byte
	order []*function
}

func (b *builder) put16(rva uint32, v uint16) { binary.LittleEndian.PutUint16(b.image[rva:], v) }
func (b *builder) put32(rva, v uint32)        { binary.LittleEndian.PutUint32(b.image[rva:], v) }

// append puts bytes at the end of the image, aligned to 4, and gives their RVA.
func (b *builder) append(p []byte) uint32 {
	for len(b.image)%4 != 0 {
		b.image = append(b.image, 0)
	}
	rva := uint32(len(b.image))
	b.image = append(b.image, p...)
	return rva
}

// section begins a section on a page of its own; close ends it.
func (b *builder) section(name string, mode uint32, fill func()) {
	rva := uint32(len(b.image))
	fill()
	size := uint32(len(b.image)) - rva
	b.mod.sections = append(b.mod.sections, section{name, rva, size, mode})
	b.image = append(b.image, make([]byte, -len(b.image)&(pageSize-1))...)
}

// AddModule maps a module's image and, unless it is the kernel's own, links it
// into PsLoadedModuleList.
func (m *Machine) AddModule(spec ModuleSpec) *Module {
	mod := &Module{Spec: spec.withDefaults(), m: m, functions: make(map[string]*function), symbols: make(map[string]uint32)}
	b := &builder{mod: mod, image: make([]byte, pageSize)}
	b.section(".text", sectionCode, b.text)
	var exports, debug [2]uint32
	b.section(".rdata", sectionRead, func() { debug = b.debug() })
	b.section(".edata", sectionRead, func() { exports = b.placeData() })
	var pdata uint32
	b.section(".pdata", sectionRead, func() { pdata = b.pdata() })
	b.section(".xdata", sectionRead, func() { b.xdata(pdata) })
	b.section(".data", sectionData, b.data)
	b.exports(exports)
	b.headers(map[int][2]uint32{0: exports, 3: {pdata, b.mod.part(".pdata").size}, 6: debug})
	mod.Size = uint32(len(b.image))
	mod.Base = m.placeImage(mod)
	m.pokeImage(mod, b.image)
	m.modules = append(m.modules, mod)
	if m.nt != nil {
		m.linkModule(mod)
	}
	mod.pageOut()
	return mod
}

func (s ModuleSpec) withDefaults() ModuleSpec {
	if s.Path == "" {
		s.Path = `\SystemRoot\System32\drivers\` + s.Name
	}
	sum := sha256.Sum256([]byte(s.Name))
	if s.PDB == "" {
		name, _, _ := strings.Cut(s.Name, ".")
		s.PDB = name + ".pdb"
	}
	if s.PDBID == "" {
		s.PDBID = strings.ToUpper(hex.EncodeToString(sum[:16])) + "1"
	}
	if s.Timestamp == 0 {
		s.Timestamp = 0x5000_0000 + uint32(sum[0])<<16
	}
	if s.Checksum == 0 {
		s.Checksum = 0x10000 + uint32(sum[1])
	}
	return s
}

// text places the functions. Every byte is int3: no reader finds an epilog
// where none was declared.
func (b *builder) text() {
	for _, f := range b.mod.Spec.Functions {
		if f.Size == 0 {
			f.Size = 0x100
		}
		g := &function{Function: f, prolog: newProlog(f.Prolog), rva: (uint32(len(b.image)) + 15) &^ 15}
		if f.Tail != nil {
			g.tail = newProlog(f.Tail.Prolog)
		}
		b.check(g)
		end := g.rva + g.Size
		for uint32(len(b.image)) < end {
			b.image = append(b.image, 0xCC)
		}
		b.order = append(b.order, g)
		b.mod.functions[f.Name] = g
		b.mod.symbols[f.Name] = g.rva
	}
}

func (b *builder) check(f *function) {
	fail := func(format string, args ...any) {
		b.mod.m.fail("%s!%s: "+format, append([]any{b.mod.Spec.Name, f.Name}, args...)...)
	}
	if b.mod.functions[f.Name] != nil {
		fail("declared twice")
	}
	if f.Leaf && len(f.Prolog) > 0 {
		fail("a leaf with a prolog")
	}
	for _, p := range []prolog{f.prolog, f.tail} {
		if err := p.check(); err != nil {
			fail("%v", err)
		}
	}
	if f.Size > 1<<24 || f.prolog.size() > f.Size || f.Tail != nil && (f.Tail.At < f.prolog.size() || f.Tail.At >= f.Size) {
		fail("the parts of %#x bytes do not fit", f.Size)
		f.Size, f.Tail = max(f.prolog.size(), 0x100), nil
	}
}

// debug writes the debug directory and its RSDS record, and gives its RVA and
// size.
func (b *builder) debug() [2]uint32 {
	rsds := append([]byte("RSDS"), pdbGUID(b.mod.Spec.PDBID)...)
	age := uint32(0)
	for _, c := range b.mod.Spec.PDBID[min(32, len(b.mod.Spec.PDBID)):] {
		age = age<<4 | uint32(strings.IndexRune("0123456789ABCDEF", c)&15)
	}
	rsds = binary.LittleEndian.AppendUint32(rsds, age)
	rsds = append(append(rsds, b.mod.Spec.PDB...), 0)
	const entrySize, typeCodeView = 28, 2
	at := b.append(make([]byte, entrySize))
	record := b.append(rsds)
	b.put32(at+4, b.mod.Spec.Timestamp)
	b.put32(at+12, typeCodeView)
	b.put32(at+16, uint32(len(rsds)))
	b.put32(at+20, record)
	b.put32(at+24, record-pageSize+fileHeaders) // as if the file had no padding
	return [2]uint32{at, entrySize}
}

// pdbGUID is the 16 bytes of a GUID of 32 hexadecimal digits.
func pdbGUID(id string) []byte {
	g := make([]byte, 16)
	hex.Decode(g, []byte(id[:min(32, len(id))]))
	slices.Reverse(g[0:4])
	slices.Reverse(g[4:6])
	slices.Reverse(g[6:8])
	return g
}

// exported lists the names of the module's exports in the order in which the
// name table must have them.
func (b *builder) exported() []string {
	var names []string
	for _, f := range b.order {
		if f.Exported {
			names = append(names, f.Name)
		}
	}
	for _, d := range b.mod.Spec.Data {
		if d.Exported {
			names = append(names, d.Name)
		}
	}
	return names
}

// placeData makes room for the export directory, which needs the RVAs of the
// variables after it, and gives its RVA and size.
func (b *builder) placeData() [2]uint32 {
	names := b.exported()
	size := 40 + 10*len(names) + len(b.mod.Spec.Name) + 1
	for _, n := range names {
		size += len(n) + 1
	}
	return [2]uint32{b.append(make([]byte, size)), uint32(size)}
}

// exports fills the export directory. Ordinals are in declared order, names
// sorted, so that the one is not the other.
func (b *builder) exports(dir [2]uint32) {
	names := b.exported()
	n := uint32(len(names))
	at := dir[0]
	functions, pointers, ordinals := at+40, at+40+4*n, at+40+8*n
	text := at + 40 + 10*n
	str := func(s string) uint32 {
		rva := text
		text += uint32(copy(b.image[text:], s)) + 1
		return rva
	}
	b.put32(at+12, str(b.mod.Spec.Name))
	b.put32(at+16, 1) // first ordinal
	b.put32(at+20, n)
	b.put32(at+24, n)
	b.put32(at+28, functions)
	b.put32(at+32, pointers)
	b.put32(at+36, ordinals)
	for i, name := range names {
		b.put32(functions+4*uint32(i), b.mod.symbols[name])
	}
	sorted := slices.Sorted(slices.Values(names))
	for i, name := range sorted {
		b.put32(pointers+4*uint32(i), str(name))
		b.put16(ordinals+2*uint32(i), uint16(slices.Index(names, name)))
	}
}

// pdata makes room for the RUNTIME_FUNCTIONs and gives their RVA.
func (b *builder) pdata() uint32 {
	n := 0
	for _, f := range b.order {
		if !f.Leaf {
			n++
		}
		if f.Tail != nil {
			n++
		}
	}
	return b.append(make([]byte, 12*n))
}

// xdata writes the UNWIND_INFOs and the RUNTIME_FUNCTIONs that point to them,
// which are sorted because the functions are.
func (b *builder) xdata(pdata uint32) {
	entry := func(begin, end, info uint32) uint32 {
		at := pdata
		b.put32(at, begin)
		b.put32(at+4, end)
		b.put32(at+8, info)
		pdata += 12
		return at
	}
	for _, f := range b.order {
		if f.Leaf {
			continue
		}
		flags := uint8(0)
		if f.Handler {
			flags = flagHandler
		}
		info := unwindInfo(f.prolog, flags, f.Epilogs)
		if f.Handler {
			info = binary.LittleEndian.AppendUint32(info, f.rva)
			info = binary.LittleEndian.AppendUint32(info, 0)
		}
		end := f.rva + f.Size
		first := end
		if f.Tail != nil {
			first = f.rva + f.Tail.At
		}
		at := b.append(info)
		primary := entry(f.rva, first, at)
		switch {
		case f.Tail == nil:
		case f.Tail.Indirect:
			entry(first, end, primary|1)
		default:
			entry(first, end, b.append(b.chained(f, first, at)))
		}
	}
}

// chained is the UNWIND_INFO of a tail: its own codes and the RUNTIME_FUNCTION
// of the first part after them.
func (b *builder) chained(f *function, first, info uint32) []byte {
	c := unwindInfo(f.tail, flagChained, nil)
	if op, ok := f.prolog.frame(); ok {
		c[3] = op.reg | uint8(op.n/16)<<4
	}
	for _, v := range []uint32{f.rva, first, info} {
		c = binary.LittleEndian.AppendUint32(c, v)
	}
	return c
}

// data places the variables, each at a multiple of 16.
func (b *builder) data() {
	for _, d := range b.mod.Spec.Data {
		b.image = append(b.image, make([]byte, -len(b.image)&15)...)
		if _, twice := b.mod.symbols[d.Name]; twice || d.Size > 1<<26 {
			b.mod.m.fail("%s!%s: declared twice, or %#x bytes", b.mod.Spec.Name, d.Name, d.Size)
			continue
		}
		b.mod.symbols[d.Name] = uint32(len(b.image))
		b.image = append(b.image, make([]byte, d.Size)...)
	}
}

// fileHeaders is the size of the headers in the file, where a section is not
// at its RVA.
const fileHeaders = 0x400

// headers writes the MS-DOS, COFF and optional headers and the section table
// (PE format, PE32+).
func (b *builder) headers(directories map[int][2]uint32) {
	const pe = 0xF0
	copy(b.image, "MZ")
	b.put32(0x3C, pe)
	copy(b.image[pe:], "PE\x00\x00")
	b.put16(pe+4, 0x8664)
	b.put16(pe+6, uint16(len(b.mod.sections)))
	b.put32(pe+8, b.mod.Spec.Timestamp)
	b.put16(pe+20, 0xF0) // size of the optional header
	b.put16(pe+22, 0x22)
	const opt = pe + 24
	b.put16(opt, 0x20B)
	b.put32(opt+32, pageSize)
	b.put32(opt+36, 0x200)
	b.put32(opt+56, uint32(len(b.image)))
	b.put32(opt+60, fileHeaders)
	b.put32(opt+64, b.mod.Spec.Checksum)
	b.put16(opt+68, 1) // native
	b.put32(opt+108, 16)
	for i, d := range directories {
		b.put32(uint32(opt+112+8*i), d[0])
		b.put32(uint32(opt+116+8*i), d[1])
	}
	for i, s := range b.mod.sections {
		at := uint32(opt + 240 + 40*i)
		copy(b.image[at:at+8], s.name)
		b.put32(at+8, s.size)
		b.put32(at+12, s.rva)
		b.put32(at+16, (s.size+0x1FF)&^0x1FF)
		b.put32(at+20, s.rva-pageSize+fileHeaders)
		b.put32(at+36, s.mode)
	}
}

func (mod *Module) part(name string) section {
	for _, s := range mod.sections {
		if s.name == name {
			return s
		}
	}
	return section{}
}

// placeImage maps room for an image and gives its base.
func (m *Machine) placeImage(mod *Module) uint64 {
	if mod.Spec.Base != 0 {
		m.kernel.mapRange(mod.Spec.Base, uint64(mod.Size))
		return mod.Spec.Base
	}
	align := uint64(0x10000)
	if m.images.page > align {
		align = m.images.page
	}
	m.images.next = (m.images.next + align - 1) / align * align
	m.images.mapped = max(m.images.mapped, m.images.next)
	return m.take(&m.images, uint64(mod.Size), align)
}

// pokeImage writes what of an image is not zero.
func (m *Machine) pokeImage(mod *Module, image []byte) {
	const imageBase = 0xF0 + 24 + 24
	binary.LittleEndian.PutUint64(image[imageBase:], mod.Base)
	var zero [pageSize]byte
	for at := 0; at < len(image); at += pageSize {
		if page := image[at : at+pageSize]; string(page) != string(zero[:]) {
			m.Poke(mod.Base+uint64(at), page)
		}
	}
}

func (mod *Module) pageOut() {
	out := func(missing bool, rva, size uint32) {
		if missing && size > 0 {
			mod.m.SetPages(mod.Base+uint64(rva), uint64(size), PagedOut)
		}
	}
	part := func(missing bool, name string) {
		s := mod.part(name)
		out(missing, s.rva, s.size)
	}
	out(mod.Spec.NoHeaders, 0, pageSize)
	part(mod.Spec.NoText, ".text")
	part(mod.Spec.NoPdata, ".pdata")
	part(mod.Spec.NoXdata, ".xdata")
	part(mod.Spec.NoExports, ".edata")
}

// linkModule makes the module's KLDR_DATA_TABLE_ENTRY and links it.
func (m *Machine) linkModule(mod *Module) {
	mod.entry = m.Alloc(m.sizeOf("KLDR_DATA_TABLE_ENTRY"))
	m.fillLoaderEntry(func(f string, v uint64, bytes int) {
		at := mod.entry + m.off("KLDR_DATA_TABLE_ENTRY."+f)
		if bytes == 8 {
			m.Poke64(at, v)
		} else {
			m.Poke32(at, uint32(v))
		}
	}, mod)
	m.unicodeString(mod.entry+m.off("KLDR_DATA_TABLE_ENTRY.FullDllName"), mod.Spec.Path)
	m.unicodeString(mod.entry+m.off("KLDR_DATA_TABLE_ENTRY.BaseDllName"), mod.Spec.Name)
	m.listAppend(m.nt.Symbol("PsLoadedModuleList"), mod.entry)
}

func (m *Machine) fillLoaderEntry(put func(field string, v uint64, bytes int), mod *Module) {
	put("DllBase", mod.Base, 8)
	put("EntryPoint", mod.Base+pageSize, 8)
	put("SizeOfImage", uint64(mod.Size), 4)
	put("CheckSum", uint64(mod.Spec.Checksum), 4)
	put("TimeDateStamp", uint64(mod.Spec.Timestamp), 4)
}

// unicodeString fills a UNICODE_STRING and puts its text into pool.
func (m *Machine) unicodeString(va uint64, s string) {
	text := utf16Bytes(s)
	buffer := m.Alloc(uint64(len(text)) + 2)
	m.Poke(buffer, text)
	m.poke16(va, uint16(len(text)))
	m.poke16(va+2, uint16(len(text)+2))
	m.Poke64(va+8, buffer)
}

func utf16Bytes(s string) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

// UnloadedDriver is an entry of MmUnloadedDrivers.
type UnloadedDriver struct {
	Name       string
	Start, End uint64
	Time       uint64 // FILETIME
}

// SetUnloadedDrivers fills MmUnloadedDrivers: an array of 50 entries of
// UNICODE_STRING, start, end and time, 0x28 bytes each (volatility's
// unloadedmodules), that is written round and round; MmLastUnloadedDriver is
// the index of the next.
func (m *Machine) SetUnloadedDrivers(drivers []UnloadedDriver) {
	const entries, size = 50, 0x28
	array := m.Alloc(entries * size)
	m.Poke64(m.nt.Symbol("MmUnloadedDrivers"), array)
	m.Poke32(m.nt.Symbol("MmLastUnloadedDriver"), uint32(len(drivers)%entries))
	for i, d := range drivers {
		at := array + uint64(i%entries)*size
		m.unicodeString(at, d.Name)
		m.Poke64(at+0x10, d.Start)
		m.Poke64(at+0x18, d.End)
		m.Poke64(at+0x20, d.Time)
	}
	m.unloaded = drivers
}
