package dump

// paging turns virtual addresses into physical ones.
type paging struct {
	physical *physical
	root     uint64 // physical address of the table of the highest level
	walk     func(t *paging, va uint64) (pfn uint64, fault *Fault)
	known    [knownPages]translated
}

// knownPages is how many translations are kept.
const knownPages = 1 << 12

// translated is a virtual page and where it is. The page number of zero is never kept.
type translated struct{ vpn, pfn uint64 }

// Bits of an entry: the first two are the processor's, the others Windows' own where the
// entry is not present.
const (
	entryPresent    = 1 << 0
	entryLarge      = 1 << 7
	entryPrototype  = 1 << 10
	entryTransition = 1 << 11
	entryFrame      = 0x000f_ffff_ffff_f000
)

var levels = [4]struct {
	name  string
	shift uint
}{{"PML4E", 39}, {"PDPTE", 30}, {"PDE", 21}, {"PTE", 12}}

// canonical reports whether an address repeats bit 47 in all bits above.
func canonical(va uint64) bool { return va>>47 == 0 || va>>47 == 1<<17-1 }

// frame returns the physical page of a virtual address.
func (t *paging) frame(va uint64) (uint64, *Fault) {
	vpn := va >> pageShift
	k := &t.known[(vpn^vpn>>12)%knownPages]
	if k.vpn == vpn && vpn != 0 {
		return k.pfn, nil
	}
	pfn, fault := t.walk(t, va)
	if fault == nil {
		*k = translated{vpn, pfn}
	}
	return pfn, fault
}

// walk64 follows the tables of x64 (Intel SDM volume 3, 4-level paging), and entries that
// are not present as Windows uses them.
func walk64(t *paging, va uint64) (uint64, *Fault) {
	if !canonical(va) {
		return 0, &Fault{VA: va, Why: NotCanonical}
	}
	table := t.root
	for i, l := range levels {
		pa := table + va>>l.shift&0x1ff*8
		e, ok := t.physical.entry(pa)
		if !ok {
			return 0, &Fault{VA: va, Level: l.name, Why: NotInDump, PA: pa}
		}
		if e&entryPresent == 0 {
			if i < 3 || e&(entryTransition|entryPrototype) != entryTransition {
				return 0, &Fault{VA: va, Level: l.name, Why: absent(e)}
			}
		}
		if i > 0 && i < 3 && e&entryLarge != 0 {
			in := uint64(1)<<l.shift - 1
			return (e&entryFrame&^in | va&in) >> pageShift, nil
		}
		table = e & entryFrame
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
