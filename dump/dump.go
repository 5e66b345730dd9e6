package dump

import (
	"errors"
	"fmt"
	"io"

	"kdlocks/dump/image"
	"kdlocks/dump/symbols"
	"kdlocks/dump/unwind"
	"kdlocks/kd"
)

// Options say how to read a dump.
type Options struct {
	// Symbols are symbol files. One that belongs to an image in the dump gives its names,
	// that of the kernel its layout, too.
	Symbols []*symbols.Table
	// Find, when not nil, looks for the symbols of an image, and returns nil if there are
	// none.
	Find func(symbols.ID) *symbols.Table
}

// Dump is a kernel crash dump that was opened. It is for one goroutine.
type Dump struct {
	Header *Header
	// Notes are what is odd, Gaps what is missing.
	Notes []string
	Gaps  []kd.Gap

	r       io.ReaderAt
	size    int64
	opt     Options
	mem     *memory // nil if there is none that can be read
	kdbg    *kdbg   // nil if it was not found
	layout  *layout // nil if it is not known
	modules []*Module
	nt      *Module // nil if it was not found

	threadBuf []byte  // for one ETHREAD
	frames    []Frame // of one stack
	unwinder  unwind.Cache
	names     map[uint64]string // of code
	lastIn    uint64            // an address in a function of the kernel
	irps      int               // of all threads
	owners    int               // of all resources
	waiting   int               // for all resources
	scanned   int               // words of stacks that were searched
	unwound   int               // frames
	triage    *triage           // nil for other dumps
}

// Open reads what the head of a dump says, finds its memory, the modules, and the layout of
// the kernel's structures. It returns an error that wraps ErrNotDump for what is no
// dump; anything else that is missing is a gap.
func Open(r io.ReaderAt, size int64, opt Options) (*Dump, error) {
	h, err := readHeader(r, size)
	if err != nil {
		return nil, err
	}
	if h.Machine != AMD64 && h.Machine != I386 && h.Machine != ARM64 {
		return nil, fmt.Errorf("%w: its header is of no machine that is known (0x%x)", ErrNotDump, uint32(h.Machine))
	}
	d := &Dump{Header: h, r: r, size: size, opt: opt}
	if h.Type == Triage {
		d.readTriage()
		return d, nil
	}
	switch {
	case !d.openMemory():
	case h.Machine != AMD64:
		d.otherMachine()
	default:
		d.findKernel()
	}
	d.tellUnused()
	return d, nil
}

// note keeps what is odd.
func (d *Dump) note(format string, args ...any) {
	if len(d.Notes) < mostNotes {
		d.Notes = append(d.Notes, fmt.Sprintf(format, args...))
	}
}

// mostNotes bounds notes and gaps: a damaged dump has more of them than anybody reads.
const mostNotes = 200

// moreGaps reports whether there is room for another gap, where it costs to word one.
func (d *Dump) moreGaps() bool { return len(d.Gaps) < mostNotes }

// gap keeps what is missing.
func (d *Dump) gap(what string, why kd.Why, next string, decides bool) {
	if d.moreGaps() {
		d.Gaps = append(d.Gaps, kd.Gap{What: what, Why: why, Next: next, Decides: decides})
	}
}

// openMemory finds the physical pages, and the page tables.
func (d *Dump) openMemory() bool {
	h := d.Header
	frames, err := findFrames(d.r, d.size, h)
	switch {
	case frames == nil:
		d.gap(fmt.Sprintf("the memory of the machine (%v)", err), kd.NotInDump, "", true)
		return false
	case err != nil:
		d.note("pages: %v", err)
	}
	var t *tables
	switch {
	case h.Machine == I386 && h.Bits == 32 && h.PAE:
		t = tablesPAE
	case h.Machine == I386 && h.Bits == 32:
		t = tables32
	case h.Machine == ARM64 && h.Bits == 64:
		t = tablesARM64
	case h.Machine == AMD64 && h.Bits == 64:
		t = tables64
	default:
		d.gap(fmt.Sprintf("the memory of a machine of %s in a dump of %d bits", h.Machine, h.Bits), kd.Unreadable, "", true)
		return false
	}
	d.mem = &memory{paging{physical: &physical{r: d.r, frames: frames}, root: h.Directory, tables: t}}
	return true
}

// otherMachine reads what is read of machines that are not x64: the modules.
func (d *Dump) otherMachine() {
	d.gap(fmt.Sprintf("locks, threads and stacks of %s: only those of x64 are read", d.Header.Machine), kd.Unreadable, "!locks", true)
	if d.Header.Bits == 32 {
		d.readModules32(d.Header.Modules)
		return
	}
	d.readModules(d.Header.Modules)
}

// findKernel finds the block for debuggers, the modules and the layout.
func (d *Dump) findKernel() {
	h := d.Header
	list := h.Modules
	k, err := readKDBG(d.mem, h.Debugger, nil)
	if err == nil {
		d.kdbg, list = k, k.modules
	}
	d.readModules(list)
	if d.kdbg == nil {
		d.kdbg = d.otherKDBG(err)
	}
	d.chooseLayout()
}

// otherKDBG decodes the block with the symbols of the kernel, or looks for a plain copy
// in the image of the kernel.
func (d *Dump) otherKDBG(err error) *kdbg {
	if d.nt == nil {
		d.gap(fmt.Sprintf("where the lists of the kernel begin (%v)", err), why(err), "", true)
		return d.kdbgOfHeader()
	}
	if k := d.decodedKDBG(); k != nil {
		return k
	}
	if k := d.searchKDBG(); k != nil {
		d.note("KDDEBUGGER_DATA64 was found by a search of the kernel's image at 0x%x: %v", k.at, err)
		return k
	}
	if k := d.kdbgOfSymbols(); k != nil {
		return k
	}
	d.gap(fmt.Sprintf("where the lists of the kernel begin (%v; the symbols of the kernel tell it, --symbols: %s)", err, d.wanted(d.nt)), why(err), "", true)
	return d.kdbgOfHeader()
}

// kdbgOfHeader makes of the block what the header has of it: not where the list of resources
// begins.
func (d *Dump) kdbgOfHeader() *kdbg {
	if !kernelAddress(d.Header.Processes) {
		return nil
	}
	k := &kdbg{modules: d.Header.Modules, processes: d.Header.Processes}
	if d.nt != nil {
		k.kernel = d.nt.Base
	}
	return k
}

// decodedKDBG decodes the block with the three numbers that the symbols lead to.
func (d *Dump) decodedKDBG() *kdbg {
	t := d.symbols(d.nt)
	if t == nil {
		return nil
	}
	read := func(name string) (uint64, bool) {
		rva, ok := t.RVA(name)
		if !ok {
			return 0, false
		}
		v, err := d.mem.u64(d.nt.Base + uint64(rva))
		return v, err == nil
	}
	never, ok1 := read("KiWaitNever")
	always, ok2 := read("KiWaitAlways")
	encoded, ok3 := t.RVA("KdpDataBlockEncoded")
	if !ok1 || !ok2 || !ok3 {
		return nil
	}
	k, err := readKDBG(d.mem, d.Header.Debugger, decoder(never, always, d.nt.Base+uint64(encoded)))
	if err != nil || k.kernel != d.nt.Base {
		return nil
	}
	return k
}

// kdbgOfSymbols makes the block up from symbols.
func (d *Dump) kdbgOfSymbols() *kdbg {
	t := d.symbols(d.nt)
	if t == nil {
		return nil
	}
	at := func(name string) uint64 {
		if rva, ok := t.RVA(name); ok {
			return d.nt.Base + uint64(rva)
		}
		return 0
	}
	k := &kdbg{
		kernel: d.nt.Base, modules: d.Header.Modules, processes: d.Header.Processes, resources: at("ExpSystemResourcesList"),
		timeIncrement: at("KeMaximumIncrement"), processorBlock: at("KiProcessorBlock"), unloaded: at("MmUnloadedDrivers"),
	}
	if k.resources == 0 {
		return nil
	}
	d.note("KDDEBUGGER_DATA64 cannot be read; the lists were found by the symbols of the kernel")
	return k
}

// searchKDBG looks for the block in the sections of the kernel's image that hold data.
func (d *Dump) searchKDBG() *kdbg {
	im := d.nt.image
	if im == nil {
		return nil
	}
	left := mostSearched
	for _, s := range im.Sections {
		if s.Executable {
			continue
		}
		if k := d.searchSection(s, &left); k != nil {
			return k
		}
	}
	return nil
}

// mostSearched bounds the pages that are searched for the block.
const mostSearched = 1 << 14

func (d *Dump) searchSection(s image.Section, left *int) *kdbg {
	var page [pageSize]byte
	end := min(uint64(s.RVA)+uint64(s.Size), uint64(d.nt.Size))
	for off := uint64(s.RVA) &^ (pageSize - 1); off < end && *left > 0; off += pageSize {
		*left--
		if d.mem.ReadVirtual(page[:], d.nt.Base+off) != nil {
			continue
		}
		for i := 0; i+kdbgTagAt+8 <= pageSize; i += 8 {
			size := le.Uint32(page[i+kdbgTagAt+4:])
			if le.Uint32(page[i+kdbgTagAt:]) != kdbgTag || size < 0x200 || size >= 0x400 {
				continue
			}
			if k, err := readKDBG(d.mem, d.nt.Base+off+uint64(i), nil); err == nil && k.kernel == d.nt.Base {
				return k
			}
		}
	}
	return nil
}

// errNoLayout says that nothing is known of a kernel's structures.
var errNoLayout = errors.New("the layout of the kernel's structures is not known")
