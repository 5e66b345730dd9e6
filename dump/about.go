package dump

import (
	"fmt"

	"kdlocks/dump/walked"
)

// About describes the dump.
func (d *Dump) About() walked.About {
	a := walked.About{Type: d.Header.Type.String(), Machine: d.Header.Machine.String(), Build: int(d.Header.Build), Modules: len(d.modules)}
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

// Walked is what there is to say of the dump beside its listing, for another program.
func (d *Dump) Walked(l *Listing) *walked.Dump {
	w := &walked.Dump{About: d.About(), Gaps: d.Gaps, Notes: d.Notes, Places: make(walked.Places, len(l.marks))}
	for i, m := range l.marks {
		w.Places[i] = walked.Place{Line: m.line, VA: m.va, Offset: d.Offset(m.va)}
	}
	return w
}
