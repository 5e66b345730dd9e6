package dump

// paging turns virtual addresses into physical ones.
type paging struct {
	physical *physical
	root     uint64 // physical address of the table of the highest level
	tables   *tables
	known    [knownPages]translated
}

// knownPages is how many translations are kept.
const knownPages = 1 << 12

// translated is a virtual page and where it is. The page number of zero is never kept.
type translated struct{ vpn, pfn uint64 }

// tables are the page tables of a processor: their levels from the root on, and its bits in an entry.
type tables struct {
	levels []level
	entry  uint64 // bytes of one
	align  uint64 // of the root, in bytes
	frame  uint64 // bits of the physical address
	// canonical is set where addresses must repeat bit 47 in all bits above, transition
	// where entries of pages that Windows is about to write out are followed, too.
	canonical, transition bool
}

// level is one level of page tables: which bits of an address index it, which bits an entry
// has that is present, and whether it maps memory itself, as its bits say.
type level struct {
	name    string
	shift   uint
	index   uint64 // mask
	present uint64
	large   func(entry uint64) bool
}

// Bits of an entry: of Intel's processors, and Windows' own where it is not present.
const (
	entryPresent    = 1 << 0
	entryLarge      = 1 << 7
	entryPrototype  = 1 << 10
	entryTransition = 1 << 11
)

// armTable are the bits of an entry of ARM64 that is present and is no block.
const armTable = 3

func never(uint64) bool      { return false }
func isLarge(e uint64) bool  { return e&entryLarge != 0 }
func armBlock(e uint64) bool { return e&armTable != armTable }

var (
	// tables64 are those of x64 (Intel SDM volume 3, 4-level paging).
	tables64 = &tables{
		levels: []level{{"PML4E", 39, 0x1ff, entryPresent, never}, {"PDPTE", 30, 0x1ff, entryPresent, isLarge}, {"PDE", 21, 0x1ff, entryPresent, isLarge}, {"PTE", 12, 0x1ff, entryPresent, never}},
		entry:  8, align: pageSize, frame: 0x000f_ffff_ffff_f000, canonical: true, transition: true,
	}
	// tables32 are those of 32-bit Windows (Intel SDM volume 3, 32-bit paging), tablesPAE
	// with physical addresses of more than 32 bits.
	tables32 = &tables{
		levels: []level{{"PDE", 22, 0x3ff, entryPresent, isLarge}, {"PTE", 12, 0x3ff, entryPresent, never}},
		entry:  4, align: pageSize, frame: 0xffff_f000,
	}
	tablesPAE = &tables{
		levels: []level{{"PDPTE", 30, 3, entryPresent, never}, {"PDE", 21, 0x1ff, entryPresent, isLarge}, {"PTE", 12, 0x1ff, entryPresent, never}},
		entry:  8, align: 0x20, frame: 0x000f_ffff_ffff_f000,
	}
	// tablesARM64 are those of ARM64 with pages of 4 KiB and four levels (Arm Architecture
	// Reference Manual, VMSAv8-64). That the header's table is that of the kernel's half is
	// not proven; where it is not, nothing is found.
	tablesARM64 = &tables{
		levels: []level{{"PML4E", 39, 0x1ff, armTable, never}, {"PDPTE", 30, 0x1ff, entryPresent, armBlock}, {"PDE", 21, 0x1ff, entryPresent, armBlock}, {"PTE", 12, 0x1ff, armTable, never}},
		entry:  8, align: 1, frame: 0x0000_ffff_ffff_f000,
	}
)

// canonical reports whether an address repeats bit 47 in all bits above.
func canonical(va uint64) bool { return va>>47 == 0 || va>>47 == 1<<17-1 }

// frame returns the physical page of a virtual address.
func (t *paging) frame(va uint64) (uint64, *Fault) {
	vpn := va >> pageShift
	k := &t.known[(vpn^vpn>>12)%knownPages]
	if k.vpn == vpn && vpn != 0 {
		return k.pfn, nil
	}
	pfn, fault := t.walk(va)
	if fault == nil {
		*k = translated{vpn, pfn}
	}
	return pfn, fault
}

// walk follows the tables.
func (t *paging) walk(va uint64) (uint64, *Fault) {
	if t.tables.canonical && !canonical(va) {
		return 0, &Fault{VA: va, Why: NotCanonical}
	}
	table := t.root &^ (t.tables.align - 1)
	last := len(t.tables.levels) - 1
	for i := range t.tables.levels {
		l := &t.tables.levels[i]
		pa := table + va>>l.shift&l.index*t.tables.entry
		e, ok := t.physical.entry(pa, t.tables.entry)
		if !ok {
			return 0, &Fault{VA: va, Level: l.name, Why: NotInDump, PA: pa}
		}
		inTransition := t.tables.transition && i == last && e&(entryTransition|entryPrototype) == entryTransition
		if e&l.present != l.present && !inTransition {
			return 0, &Fault{VA: va, Level: l.name, Why: absent(e)}
		}
		if l.large(e) {
			in := uint64(1)<<l.shift - 1
			return (e&t.tables.frame&^in | va&in) >> pageShift, nil
		}
		table = e & t.tables.frame
	}
	return table >> pageShift, nil
}

// absent says what an entry tells that is not present.
func absent(e uint64) FaultKind {
	switch {
	case e == 0:
		return NotPresent
	case e&entryPrototype != 0:
		return Prototype
	}
	return PagedOut
}
