package dump

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"kdlocks/dump/image"
	"kdlocks/dump/symbols"
	"kdlocks/kd"
)

// Module is a driver that is loaded, or was.
type Module struct {
	Name     string // as debuggers call it: nt, hal, Ntfs
	File     string // ntoskrnl.exe
	Path     string // \SystemRoot\system32\ntoskrnl.exe
	Base     uint64
	Size     uint32
	CheckSum uint32
	Stamp    uint32 // TimeDateStamp
	Version  string // 10.0.19041.1052, "" if it is not told

	at      uint64       // of its entry in the list
	image   *image.Image // nil if its headers cannot be read
	symbols *symbols.Table
	looked  bool // for symbols
	view    image.CodeView
}

func (m *Module) end() uint64 { return m.Base + uint64(m.Size) }

// Offsets of KLDR_DATA_TABLE_ENTRY on x64, the same in all symbols that have the type
// (10.0.14393 to 22000), and in triage dumps.
const (
	klDllBase     = 0x30
	klSizeOfImage = 0x40
	klFullName    = 0x48
	klBaseName    = 0x58
	klCheckSum    = 0x78
	klExtent      = 0x80
)

// mostModules bounds the list of modules: Windows has some hundreds.
const mostModules = 10000

// Cells of structures that lists hold, in bits: none is smaller.
const (
	entryCell    = 6  // KLDR_DATA_TABLE_ENTRY
	pageCell     = 12 // an image
	processCell  = 10
	threadCell   = 10
	resourceCell = 6
)

// readModules walks the list of loaded modules.
func (d *Dump) readModules(list uint64) {
	if list == 0 {
		d.gap("the list of modules: the header does not say where it is", kd.NotInDump, "lm", false)
		return
	}
	entries, bases := newTaken(entryCell, mostModules), newTaken(pageCell, mostModules)
	err := d.mem.walkList(list, func(entry uint64) error {
		if err := entries.take(entry); err != nil {
			return err
		}
		d.addModule(entry, bases)
		return nil
	})
	if err != nil {
		d.gap(fmt.Sprintf("a part of the list of modules (PsLoadedModuleList, 0x%x): %v", list, err), why(err), "lm", len(entries.by) == 0)
	}
	d.sortModules()
}

func (d *Dump) sortModules() {
	slices.SortStableFunc(d.modules, func(a, b *Module) int { return cmp.Compare(a.Base, b.Base) })
}

func (d *Dump) addModule(entry uint64, bases *taken) {
	var b [klExtent]byte
	if err := d.mem.ReadVirtual(b[:], entry); err != nil {
		d.note("module at 0x%x: %v", entry, err)
		return
	}
	m := &Module{at: entry, Base: le.Uint64(b[klDllBase:]), Size: le.Uint32(b[klSizeOfImage:]), CheckSum: le.Uint32(b[klCheckSum:])}
	if m.Size == 0 || m.Base+uint64(m.Size) < m.Base {
		d.note("module at 0x%x: its range 0x%x, 0x%x bytes, is none", entry, m.Base, m.Size)
		return
	}
	err := bases.take(m.Base)
	if err != nil {
		d.note("module at 0x%x: its image at 0x%x: %v", entry, m.Base, err)
		return
	}
	if m.File, err = d.mem.unicode(entry+klBaseName, mostName); err != nil {
		d.note("module at 0x%x: its name: %v", entry, err)
	}
	m.Path, _ = d.mem.unicode(entry+klFullName, mostName)
	m.Name = debuggerName(m.File)
	if d.isKernel(m) {
		m.Name = "nt"
	}
	if m.Name == "" {
		m.Name = fmt.Sprintf("module_%x", m.Base)
	}
	if m.image, err = image.Open(d.mem, m.Base, m.Size); err == nil {
		m.Stamp = m.image.TimeDateStamp
		m.view, _ = m.image.Debug()
		m.Version, _ = m.image.Version()
	}
	d.giveSymbols(m)
	if m.Name == "nt" && d.nt == nil {
		d.nt = m
	}
	d.modules = append(d.modules, m)
}

// mostName bounds names, in characters.
const mostName = 260

// isKernel reports whether a module is the kernel: where the block for debuggers says, or
// else the first of the list.
func (d *Dump) isKernel(m *Module) bool {
	if d.kdbg != nil {
		return m.Base == d.kdbg.kernel
	}
	return d.nt == nil && len(d.modules) == 0
}

// debuggerName makes the name that debuggers call a module by: that of its file without
// the ending.
func debuggerName(file string) string {
	name := file
	if i := strings.LastIndexByte(name, '.'); i > 0 {
		name = name[:i]
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '_' || r > ' ' && r < 0x7f && (r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z'):
			return r
		}
		return '_'
	}, name)
}

// giveSymbols gives a module the symbols that were made with it, if they were given. Those
// that are to be looked for wait until a name is asked for.
func (d *Dump) giveSymbols(m *Module) {
	for _, t := range d.opt.Symbols {
		id := t.ID()
		if m.view.GUID != "" && strings.EqualFold(id.GUID, m.view.GUID) && id.Age == m.view.Age {
			m.symbols, m.looked = t, true
			return
		}
	}
}

// symbols returns those of a module, nil if there are none.
func (d *Dump) symbols(m *Module) *symbols.Table {
	if !m.looked && m.view.GUID != "" && d.opt.Find != nil {
		m.symbols = d.opt.Find(symbols.ID{Name: m.view.PDB, GUID: m.view.GUID, Age: m.view.Age})
	}
	m.looked = true
	return m.symbols
}

// tellUnused tells of symbols that were given and belong to nothing in the dump.
func (d *Dump) tellUnused() {
	for _, t := range d.opt.Symbols {
		if slices.ContainsFunc(d.modules, func(m *Module) bool { return m.symbols == t }) {
			continue
		}
		id, want := t.ID(), "no image was found"
		if d.nt != nil {
			want = "the kernel's are " + d.wanted(d.nt)
		}
		d.note("the symbols with GUID %s, age %d belong to no image in the dump and are not used; %s", id.GUID, id.Age, want)
	}
}

// wanted names the symbol file of a module.
func (d *Dump) wanted(m *Module) string {
	if m.view.GUID == "" {
		return "which PDB belongs to " + m.File + " is not in the dump"
	}
	return fmt.Sprintf("%s, GUID %s, age %d", m.view.PDB, m.view.GUID, m.view.Age)
}

// module returns the one that an address is in, nil if there is none.
func (d *Dump) module(va uint64) *Module {
	i, ok := slices.BinarySearchFunc(d.modules, va, func(m *Module, va uint64) int {
		switch {
		case m.end() <= va:
			return -1
		case m.Base > va:
			return 1
		}
		return 0
	})
	if !ok {
		return nil
	}
	return d.modules[i]
}

// mostSymbols bounds the names that are kept.
const mostSymbols = 1 << 16

// symbol names an address, and keeps the name: threads stand in few places.
func (d *Dump) symbol(va uint64) string {
	if name, ok := d.names[va]; ok {
		return name
	}
	name := d.nameOf(va)
	if len(d.names) < mostSymbols {
		if d.names == nil {
			d.names = make(map[uint64]string)
		}
		d.names[va] = name
	}
	return name
}

// nameOf names an address as debuggers do: nt!KeWaitForSingleObject+0x2b, or Ntfs+0x1234
// where no name is near, or a number.
func (d *Dump) nameOf(va uint64) string {
	m := d.module(va)
	if m == nil {
		return fmt.Sprintf("0x%s", tick(va))
	}
	rva := uint32(va - m.Base)
	if t := d.symbols(m); t != nil {
		if name, off, ok := t.At(rva); ok {
			return named(m.Name, name, off)
		}
	}
	if m.image != nil {
		if name, off, ok := m.image.Export(rva); ok && m.near(rva, off) {
			return named(m.Name, name, off)
		}
	}
	return fmt.Sprintf("%s+0x%x", m.Name, rva)
}

// farthest bounds how far behind an export an address may lie to be named by it, where
// nothing tells the end of the function.
const farthest = 0x1000

// near reports whether an address belongs to the function of an export: the same entry of
// the exception directory covers both, or the address is not far behind.
func (m *Module) near(rva, off uint32) bool {
	if off == 0 {
		return true
	}
	f, ok, err := m.image.Function(rva)
	switch {
	case err != nil:
		return off < farthest
	case !ok:
		return false
	}
	return f.Begin <= rva-off
}

func named(module, name string, off uint32) string {
	if off == 0 {
		return module + "!" + name
	}
	return fmt.Sprintf("%s!%s+0x%x", module, name, off)
}

// tick writes an address as debuggers do: fffff800`02a00000.
func tick(va uint64) string { return fmt.Sprintf("%08x`%08x", va>>32, va&0xffffffff) }
