package dumptest

import "encoding/binary"

const pageSize = 0x1000

// Page sizes of x64 paging in bytes.
const (
	Page4K = 1 << 12
	Page2M = 1 << 21
	Page1G = 1 << 30
)

// Bits of a page table entry. Present to Large are the processor's (Intel SDM,
// volume 3, 4-level paging); the software bits hold when Present is clear
// (MMPTE_PROTOTYPE, MMPTE_TRANSITION of the public symbols).
const (
	ptePresent    = 1 << 0
	pteWrite      = 1 << 1
	pteUser       = 1 << 2
	pteAccessed   = 1 << 5
	pteDirty      = 1 << 6
	pteLarge      = 1 << 7
	pteGlobal     = 1 << 8
	ptePrototype  = 1 << 10
	pteTransition = 1 << 11
	pteNoExecute  = 1 << 63

	pteKernel = ptePresent | pteWrite | pteAccessed | pteDirty
	pfnMask   = 0x000F_FFFF_FFFF_F000
)

// selfMap is the PML4 entry that maps the page tables themselves: the one of
// every Windows before 10.0.14393, which later ones choose at random.
const selfMap = 0x1ED

// pteBase is where selfMap puts the page tables.
const pteBase = 0xFFFF_F680_0000_0000

// PageState is what the page table entry of a page says.
type PageState int

const (
	Present     PageState = iota // valid
	Transition                   // not valid, but its page is still in memory
	Prototype                    // not valid, points to a prototype PTE
	PagedOut                     // not valid, in a page file
	DemandZero                   // no page yet: the entry has only a protection
	NotCaptured                  // valid, but its page is not in the dump
)

// run is a run of physical pages.
type run struct{ base, pages uint64 }

// physical is the machine's physical memory: pages that nobody wrote have no
// bytes.
type physical struct {
	runs      []run
	pages     map[uint64]*[pageSize]byte
	absent    map[uint64]bool // allocated, but in no dump
	next      uint64          // next page frame to give out
	given     []run           // page frames given out, ascending
	total     uint64
	exhausted bool
}

// defaultRuns are the runs of a machine with that much physical memory: without
// page 0, the legacy hole below 1 MiB and, for more than 3 GiB, the device hole
// below 4 GiB.
func defaultRuns(size uint64) []run {
	pages := size / pageSize
	const low, hole, high = 0xC0000, 0x100000, 0x100
	runs := []run{{1, 0x9E}}
	if pages <= low {
		return append(runs, run{high, pages - high})
	}
	return append(runs, run{high, low - high}, run{hole, pages - low})
}

func newPhysical(runs []run) *physical {
	p := &physical{runs: runs, pages: make(map[uint64]*[pageSize]byte), absent: make(map[uint64]bool)}
	for _, r := range runs {
		p.total += r.pages
	}
	return p
}

// alloc gives out n page frames in a row that begin at a multiple of align
// frames; 0 when there are none left.
func (p *physical) alloc(n, align uint64) uint64 {
	for _, r := range p.runs {
		first := max(r.base, p.next)
		first = (first + align - 1) / align * align
		if first < r.base || first+n > r.base+r.pages {
			continue
		}
		p.next = first + n
		if k := len(p.given) - 1; k >= 0 && p.given[k].base+p.given[k].pages == first {
			p.given[k].pages += n
		} else {
			p.given = append(p.given, run{first, n})
		}
		return first
	}
	p.exhausted = true
	return 0
}

// page is the bytes of a page frame to write to.
func (p *physical) page(pfn uint64) *[pageSize]byte {
	b := p.pages[pfn]
	if b == nil {
		b = new([pageSize]byte)
		p.pages[pfn] = b
	}
	return b
}

// space is an address space: the page frame of its PML4 and the pages it maps.
type space struct {
	m    *Machine
	root uint64
	pfns map[uint64]uint64 // page number of an address -> page frame
}

func (m *Machine) newSpace() *space {
	s := &space{m: m, root: m.phys.alloc(1, 1), pfns: make(map[uint64]uint64)}
	if s.root != 0 {
		s.setEntry(s.root, selfMap, s.root<<12|pteKernel)
	}
	return s
}

// cr3 is what CR3 holds, and the kernel keeps, for the space: from 17763 on
// with the process-context identifier 2 in the low bits, as real dumps have it.
func (s *space) cr3() uint64 {
	const firstPCID, pcid = 17763, 2
	if s.m.layout.release() < firstPCID {
		return s.root << 12
	}
	return s.root<<12 | pcid
}

func (s *space) entry(table, index uint64) uint64 {
	return binary.LittleEndian.Uint64(s.m.phys.page(table)[index*8:])
}

func (s *space) setEntry(table, index, value uint64) {
	binary.LittleEndian.PutUint64(s.m.phys.page(table)[index*8:], value)
}

// table walks from the PML4 to the table that holds the entry of va at a level
// (1 page table, 2 page directory, 3 directory pointers), making the tables in
// between.
func (s *space) table(va uint64, level uint) uint64 {
	table := s.root
	for l := uint(4); l > level; l-- {
		index := va >> (12 + 9*(l-1)) & 511
		e := s.entry(table, index)
		if e&ptePresent == 0 {
			pfn := s.m.phys.alloc(1, 1)
			if pfn == 0 {
				return 0
			}
			e = pfn<<12 | pteKernel
			if va>>63 == 0 {
				e |= pteUser
			}
			s.setEntry(table, index, e)
		}
		table = e & pfnMask >> 12
	}
	return table
}

// mapPage maps a page of the given size at va, to new page frames.
func (s *space) mapPage(va, size uint64) {
	level, bits := uint(1), uint64(pteKernel)
	switch size {
	case Page2M:
		level, bits = 2, pteKernel|pteLarge
	case Page1G:
		level, bits = 3, pteKernel|pteLarge
	}
	if va>>63 == 0 {
		bits |= pteUser
	} else {
		bits |= pteGlobal
	}
	table, frames := s.table(va, level), size/pageSize
	pfn := s.m.phys.alloc(frames, frames)
	if table == 0 || pfn == 0 {
		return
	}
	s.setEntry(table, va>>(12+9*(level-1))&511, pfn<<12|bits)
	if size == pageSize {
		s.pfns[va>>12] = pfn
		return
	}
	// Large pages are found by their entry: a map of 262144 pages is too much.
}

// mapRange maps what is not mapped yet of [va, va+size) with 4 KiB pages.
func (s *space) mapRange(va, size uint64) {
	for p := va &^ (pageSize - 1); p < va+size && !s.m.phys.exhausted; p += pageSize {
		if s.frame(p) == 0 {
			s.mapPage(p, pageSize)
		}
	}
}

// frame is the page frame behind va, 0 if there is none.
func (s *space) frame(va uint64) uint64 {
	if pfn, ok := s.pfns[va>>12]; ok {
		return pfn
	}
	table := s.root
	for l := uint(4); l > 0; l-- {
		shift := 12 + 9*(l-1)
		e := s.entry(table, va>>shift&511)
		if e&ptePresent == 0 {
			return 0
		}
		if l == 1 {
			return e & pfnMask >> 12
		}
		if e&pteLarge != 0 && l < 4 {
			return e&pfnMask>>12 + va>>12&(1<<(shift-12)-1)
		}
		table = e & pfnMask >> 12
	}
	return 0
}

// setState changes the entry of a page that is mapped with 4 KiB.
func (s *space) setState(va uint64, state PageState) bool {
	pfn := s.pfns[va>>12]
	if pfn == 0 {
		return false
	}
	table, index := s.table(va, 1), va>>12&511
	const protection = 4 << 5 // MM_READWRITE
	switch state {
	case Present:
		s.setEntry(table, index, pfn<<12|pteKernel|pteGlobal)
		delete(s.m.phys.absent, pfn)
	case Transition:
		s.setEntry(table, index, pfn<<12|pteTransition|protection)
	case Prototype:
		s.setEntry(table, index, 0xFFFF_8A00_1234_0000|ptePrototype)
	case PagedOut:
		s.setEntry(table, index, 0x1234<<32|protection)
	case DemandZero:
		s.setEntry(table, index, protection)
	case NotCaptured:
		s.m.phys.absent[pfn] = true
	}
	return true
}

// write copies b to va; a page that is not mapped is a failure of the machine.
func (s *space) write(va uint64, b []byte) {
	for len(b) > 0 {
		pfn := s.frame(va)
		if pfn == 0 {
			s.m.fail("write to %#x, which is not mapped", va)
			return
		}
		n := copy(s.m.phys.page(pfn)[va%pageSize:], b)
		va, b = va+uint64(n), b[n:]
	}
}

// read fills b from va; what is not mapped reads as zeros.
func (s *space) read(va uint64, b []byte) {
	for len(b) > 0 {
		n := min(uint64(len(b)), pageSize-va%pageSize)
		clear(b[:n])
		if page := s.m.phys.pages[s.frame(va)]; page != nil {
			copy(b[:n], page[va%pageSize:])
		}
		va, b = va+n, b[n:]
	}
}

// Poke writes bytes to kernel memory as they are: the hook for damage.
func (m *Machine) Poke(va uint64, b []byte) { m.kernel.write(va, b) }

// Poke64 writes a u64 to kernel memory.
func (m *Machine) Poke64(va, v uint64) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], v)
	m.Poke(va, b[:])
}

// Poke32 writes a u32 to kernel memory.
func (m *Machine) Poke32(va uint64, v uint32) {
	m.Poke(va, binary.LittleEndian.AppendUint32(nil, v))
}

func (m *Machine) poke16(va uint64, v uint16) {
	m.Poke(va, binary.LittleEndian.AppendUint16(nil, v))
}

func (m *Machine) poke8(va uint64, v uint8) { m.Poke(va, []byte{v}) }

// Peek reads n bytes of kernel memory; what is not mapped reads as zeros.
func (m *Machine) Peek(va uint64, n int) []byte {
	b := make([]byte, n)
	m.kernel.read(va, b)
	return b
}

// Peek64 reads a u64 of kernel memory.
func (m *Machine) Peek64(va uint64) uint64 {
	var b [8]byte
	m.kernel.read(va, b[:])
	return binary.LittleEndian.Uint64(b[:])
}

func (m *Machine) peek32(va uint64) uint32 { return uint32(m.Peek64(va)) }

// SetPages changes the page table entries of [va, va+size), which must be
// mapped with 4 KiB pages. What is poked there afterwards still goes to the page
// frames that were behind them.
func (m *Machine) SetPages(va, size uint64, state PageState) {
	for p := va &^ (pageSize - 1); p < va+size; p += pageSize {
		if !m.kernel.setState(p, state) {
			m.fail("page %#x has no 4 KiB mapping", p)
			return
		}
	}
}

// pokeBits sets a bit field of a structure.
func (m *Machine) pokeBits(base uint64, key string, v uint32) {
	f := m.layout.fields[key]
	mask := uint32(1)<<f.bits - 1
	if f.bits == 32 {
		mask = ^uint32(0)
	}
	va := base + m.off(key)
	m.Poke32(va, m.peek32(va)&^(mask<<f.bit)|v&mask<<f.bit)
}

// initList makes an empty LIST_ENTRY.
func (m *Machine) initList(head uint64) {
	m.Poke64(head, head)
	m.Poke64(head+8, head)
}

// listAppend links entry in before head: at the end of its list.
func (m *Machine) listAppend(head, entry uint64) {
	last := m.Peek64(head + 8)
	m.Poke64(entry, head)
	m.Poke64(entry+8, last)
	m.Poke64(last, entry)
	m.Poke64(head+8, entry)
}
