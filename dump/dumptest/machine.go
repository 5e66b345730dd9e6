package dumptest

import (
	"errors"
	"fmt"
)

// Options say what a machine is made of. The zero value of each is a small
// plain machine.
type Options struct {
	Build      string // one of [Builds]; "10.0.19041.1052" if empty
	Processors int    // 1 if 0, at most 64

	// PhysicalMemory is the size of the physical memory in bytes: 64 MiB if 0.
	// At least 16 MiB, at most 1 TiB.
	PhysicalMemory uint64
	// FirstPage is the page frame where allocation begins.
	FirstPage uint64
	// PoolPage and ImagePage are the page sizes of the nonpaged pool and of the
	// images: Page4K if 0, Page2M, or for the pool Page1G.
	PoolPage, ImagePage uint64

	// EncodeKDBG leaves KDDEBUGGER_DATA64 encoded, as it is in the memory of a
	// running system without a debugger.
	EncodeKDBG bool

	Bugcheck   Bugcheck
	SystemTime uint64 // FILETIME; 2024-01-02 03:04:05 UTC if 0
	Uptime     uint64 // 100 ns; an hour if 0
	Comment    string // at most 127 bytes

	// KernelFunctions and KernelData are added to what the kernel's image has
	// anyway ([Module.Function] knows both).
	KernelFunctions []Function
	KernelData      []Data
	// KernelImage is ntoskrnl.exe without Name, Functions and Data: what else
	// to say of it.
	KernelImage ModuleSpec
}

// Bugcheck is the bug check of the header: live dump 0x161 if all is zero.
type Bugcheck struct {
	Code       uint32
	Parameters [4]uint64
	// ExceptionCode and ExceptionAddress fill the header's exception record.
	ExceptionCode    uint32
	ExceptionAddress uint64
}

// Machine is the memory and the declared state of one machine.
type Machine struct {
	options Options
	layout  *layout
	phys    *physical
	kernel  *space
	err     error

	pool, stacks, images region

	// PatchHeader, if not nil, may damage the dump's header before it is
	// written: the first 0x2000 bytes of the file.
	PatchHeader func(header []byte)

	modules    []*Module
	unloaded   []UnloadedDriver
	nt         *Module
	processors []*processor
	idle       *Process
	system     *Process
	processes  []*Process
	crash      *Thread
	resources  []*Resource
	objects    []*Object
	control    uint64 // kernel stack control size, rounded to 16
}

// region is a range of kernel addresses that is given out from its start and
// mapped as it is given out.
type region struct {
	next, mapped uint64
	page         uint64
}

// Addresses of the kernel's regions, by release, of the kind that each release
// has: they differ so that nothing is taken for a constant.
var bases = map[int][3]uint64{ // images, pool, stacks
	7601: {0xFFFF_F800_02A0_0000, 0xFFFF_FA80_0000_0000, 0xFFFF_F880_0200_0000},
	9600: {0xFFFF_F803_7460_0000, 0xFFFF_E000_C000_0000, 0xFFFF_D000_2000_0000},
	0:    {0xFFFF_F802_1560_0000, 0xFFFF_C48A_4000_0000, 0xFFFF_A681_0D60_0000},
}

const tickLength = 156250 // KeTimeIncrement, 100 ns

// New makes a machine with the kernel's image, the Idle and System processes
// and an idle thread on each processor.
func New(o Options) (*Machine, error) {
	o = o.withDefaults()
	l, err := layoutOf(o.Build)
	if err != nil {
		return nil, err
	}
	if o.Processors < 0 || o.Processors > 64 {
		return nil, fmt.Errorf("dumptest: %d processors", o.Processors)
	}
	if o.PhysicalMemory < 16<<20 || o.PhysicalMemory > 1<<40 {
		return nil, fmt.Errorf("dumptest: %d bytes of physical memory", o.PhysicalMemory)
	}
	m := &Machine{options: o, layout: l, phys: newPhysical(defaultRuns(o.PhysicalMemory))}
	m.phys.next = o.FirstPage
	m.kernel = m.newSpace()
	at, ok := bases[l.release()]
	if !ok {
		at = bases[0]
	}
	m.images = region{at[0], at[0], o.ImagePage}
	m.pool = region{at[1], at[1], o.PoolPage}
	m.stacks = region{at[2], at[2], Page4K}
	m.boot()
	return m, m.Err()
}

func (o Options) withDefaults() Options {
	if o.Build == "" {
		o.Build = "10.0.19041.1052"
	}
	if o.Processors == 0 {
		o.Processors = 1
	}
	if o.PhysicalMemory == 0 {
		o.PhysicalMemory = 64 << 20
	}
	if o.PoolPage == 0 {
		o.PoolPage = Page4K
	}
	if o.ImagePage == 0 {
		o.ImagePage = Page4K
	}
	if o.SystemTime == 0 {
		o.SystemTime = 133_486_382_450_000_000
	}
	if o.Uptime == 0 {
		o.Uptime = 3600 * 10_000_000
	}
	if o.Bugcheck.Code == 0 {
		o.Bugcheck.Code = 0x161
	}
	return o
}

func (m *Machine) boot() {
	m.sharedData()
	m.nt = m.AddModule(m.kernelImage())
	for _, list := range []string{"PsLoadedModuleList", "PsActiveProcessHead", "ExpSystemResourcesList"} {
		m.initList(m.nt.Symbol(list))
	}
	m.linkModule(m.nt)
	m.control = (m.controlSize() + 15) &^ 15
	m.idle = m.newProcess(ProcessSpec{Name: "Idle"}, m.kernel)
	m.system = m.newProcess(ProcessSpec{ID: 4, Name: "System"}, m.kernel)
	m.processes = append(m.processes, m.system)
	m.listAppend(m.nt.Symbol("PsActiveProcessHead"), m.system.VA+m.off("EPROCESS.ActiveProcessLinks"))
	m.Poke64(m.nt.Symbol("PsInitialSystemProcess"), m.system.VA)
	m.Poke64(m.nt.Symbol("PsIdleProcess"), m.idle.VA)
	for n := range m.options.Processors {
		m.addProcessor(n)
	}
	m.writeKDBG()
}

// Err is the first mistake in what was declared.
func (m *Machine) Err() error {
	if m.err == nil && m.phys.exhausted {
		return errors.New("dumptest: no physical memory left")
	}
	return m.err
}

func (m *Machine) fail(format string, args ...any) {
	if m.err == nil {
		m.err = fmt.Errorf("dumptest: "+format, args...)
	}
}

// take gives out size bytes of a region, aligned, and maps them.
func (m *Machine) take(r *region, size, align uint64) uint64 {
	va := (r.next + align - 1) / align * align
	r.next = va + size
	for r.mapped < r.next {
		m.kernel.mapPage(r.mapped, r.page)
		r.mapped += r.page
		if m.phys.exhausted {
			break
		}
	}
	return va
}

// Alloc gives out size bytes of nonpaged pool, zeroed.
func (m *Machine) Alloc(size uint64) uint64 { return m.allocAligned(size, 16) }

func (m *Machine) allocAligned(size, align uint64) uint64 {
	const poolHeader = 16
	if align < pageSize {
		// Room for the pool header that a block has before it.
		m.pool.next += poolHeader
	}
	return m.take(&m.pool, size, align)
}

// MapKernel maps [va, va+size) of kernel addresses with 4 KiB pages, so that
// something can be put there.
func (m *Machine) MapKernel(va, size uint64) { m.kernel.mapRange(va, size) }

// DirectoryTableBase is the physical address of the kernel's PML4.
func (m *Machine) DirectoryTableBase() uint64 { return m.kernel.root << 12 }

// sharedDataVA is KUSER_SHARED_DATA of every x64 kernel.
const sharedDataVA = 0xFFFF_F780_0000_0000

// Ticks is the tick count of the machine.
func (m *Machine) Ticks() uint64 { return m.options.Uptime / tickLength }

func (m *Machine) sharedData() {
	m.kernel.mapPage(sharedDataVA, pageSize)
	at := func(f string) uint64 { return sharedDataVA + m.off("KUSER_SHARED_DATA."+f) }
	// A KSYSTEM_TIME is the low half, the high half, and the high half again.
	systemTime := func(va, v uint64) {
		m.Poke64(va, v)
		m.Poke32(va+8, uint32(v>>32))
	}
	major, minor := m.layout.version()
	systemTime(at("TickCount"), m.Ticks())
	systemTime(at("InterruptTime"), m.options.Uptime)
	systemTime(at("SystemTime"), m.options.SystemTime)
	m.Poke32(at("TickCountMultiplier"), 0x0FA0_0000)
	m.Poke32(at("NtMajorVersion"), major)
	m.Poke32(at("NtMinorVersion"), minor)
	if m.layout.has("KUSER_SHARED_DATA.NtBuildNumber") {
		m.Poke32(at("NtBuildNumber"), uint32(m.layout.release()))
	}
}
