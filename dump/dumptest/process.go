package dumptest

// ProcessSpec declares a process.
type ProcessSpec struct {
	ID, Parent uint64
	Name       string // ImageFileName, at most 14 bytes are kept
	Peb        uint64 // a user address; one is made if 0, but for system processes
	Terminated bool   // has an exit time
}

// Process is a process of the machine.
type Process struct {
	Spec    ProcessSpec
	VA      uint64 // EPROCESS
	m       *Machine
	space   *space
	threads []*Thread
}

// kernelOnly is the ID up to which a process has no user memory: Idle and
// System.
const kernelOnly = 4

// AddProcess makes a process with an address space of its own and links it into
// PsActiveProcessHead.
func (m *Machine) AddProcess(spec ProcessSpec) *Process {
	p := m.newProcess(spec, m.newSpace())
	m.processes = append(m.processes, p)
	m.listAppend(m.nt.Symbol("PsActiveProcessHead"), p.VA+m.off("EPROCESS.ActiveProcessLinks"))
	return p
}

func (m *Machine) newProcess(spec ProcessSpec, s *space) *Process {
	if spec.Peb == 0 && spec.ID > kernelOnly {
		spec.Peb = 0x20_0000 + spec.ID<<12
	}
	p := &Process{Spec: spec, m: m, space: s, VA: m.object(m.sizeOf("EPROCESS"))}
	at := func(f string) uint64 { return p.VA + m.off(f) }
	m.dispatcherHeader(p.VA, ProcessObject, 0)
	m.Poke64(at("KPROCESS.DirectoryTableBase"), s.cr3())
	m.initList(at("KPROCESS.ThreadListHead"))
	m.initList(at("EPROCESS.ThreadListHead"))
	m.initList(at("EPROCESS.ActiveProcessLinks"))
	m.Poke64(at("EPROCESS.UniqueProcessId"), spec.ID)
	m.Poke64(at("EPROCESS.InheritedFromUniqueProcessId"), spec.Parent)
	m.Poke64(at("EPROCESS.Peb"), spec.Peb)
	m.Poke64(at("EPROCESS.CreateTime"), m.options.SystemTime-m.options.Uptime)
	if spec.Terminated {
		m.Poke64(at("EPROCESS.ExitTime"), m.options.SystemTime)
	}
	m.Poke(at("EPROCESS.ImageFileName"), []byte(spec.Name[:min(14, len(spec.Name))]))
	if s != m.kernel && spec.Peb != 0 {
		s.mapRange(spec.Peb, pageSize)
	}
	return p
}

// object gives out room for an executive object and the header before it.
func (m *Machine) object(size uint64) uint64 {
	const objectHeader = 0x50
	return m.Alloc(objectHeader+size) + objectHeader
}

// PokeUser maps and writes user memory of the process.
func (p *Process) PokeUser(va uint64, b []byte) {
	p.space.mapRange(va, uint64(len(b)))
	p.space.write(va, b)
}

// DirectoryTableBase is the physical address of the process's PML4.
func (p *Process) DirectoryTableBase() uint64 { return p.space.root << 12 }

// System is the System process, ID 4.
func (m *Machine) System() *Process { return m.system }

// Kernel is the kernel's module.
func (m *Machine) Kernel() *Module { return m.nt }

// shareKernel copies the kernel's half of the PML4 into every process.
func (m *Machine) shareKernel() {
	for _, p := range m.processes {
		if p.space == m.kernel || p.space.root == 0 {
			continue
		}
		for i := uint64(256); i < 512; i++ {
			if i != selfMap {
				p.space.setEntry(p.space.root, i, m.kernel.entry(m.kernel.root, i))
			}
		}
	}
}
