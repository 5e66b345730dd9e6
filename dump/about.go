package dump

import "fmt"

// About is what a dump says of itself, and what could be read of it.
type About struct {
	Type, Machine string
	Build         int
	Layout        string // versions of the kernel with the layout in use, "" if none is known
	Symbols       string // the symbol file of the kernel, "" if it is not told
	SymbolsRead   bool   // it was given
	Pages         int64  // of 4 KiB that the dump should hold
	Modules       int
}

// About describes the dump.
func (d *Dump) About() About {
	a := About{Type: d.Header.Type.String(), Machine: d.Header.Machine.String(), Build: int(d.Header.Build), Modules: len(d.modules)}
	if d.mem != nil {
		a.Pages = int64(d.mem.physical.frames.pages())
	}
	if d.nt != nil && d.nt.view.GUID != "" {
		a.Symbols, a.SymbolsRead = fmt.Sprintf("%s %s-%d", d.nt.view.PDB, d.nt.view.GUID, d.nt.view.Age), d.nt.symbols != nil
	}
	switch {
	case d.layout == nil:
	case d.layout.first == d.layout.last:
		a.Layout = d.layout.first
	default:
		a.Layout = d.layout.first + " to " + d.layout.last
	}
	return a
}

// Offset returns where in the file an address of the machine is, 0 if it is not there.
func (d *Dump) Offset(va uint64) int64 {
	if d.mem == nil || va == 0 {
		return 0
	}
	return d.mem.place(va)
}
