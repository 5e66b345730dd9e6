package dumptest

// Truth is everything that a perfect reader of the dump reports. Damage that was
// done by [Machine.Poke] is not in it.
type Truth struct {
	Build              string
	DirectoryTableBase uint64 // physical address, without the PCID that the dump has
	Processors         int
	Bugcheck           Bugcheck
	SystemTime, Uptime uint64 // FILETIME, 100 ns
	Ticks              uint64
	CrashThread        uint64 // ETHREAD of the header's context
	Context            Context
	Modules            []TruthModule // in load order
	Unloaded           []UnloadedDriver
	Processes          []TruthProcess // in the order of PsActiveProcessHead, Idle not among them
	Idle               TruthProcess
	Resources          []TruthResource // in the order of ExpSystemResourcesList
	Objects            []TruthObject   // those of AddObject
}

// TruthModule is a loaded module.
type TruthModule struct {
	Name, Path          string
	Base                uint64
	Size                uint32
	Timestamp, Checksum uint32
	PDB, PDBID          string            // GUID and age, as a symbol server has them
	Symbols             map[string]uint32 // RVAs, exported or not
	Exports             []string
}

// TruthProcess is a process.
type TruthProcess struct {
	VA, ID, Parent     uint64
	Name               string
	Peb                uint64
	DirectoryTableBase uint64
	Terminated         bool
	Threads            []TruthThread
}

// TruthThread is a thread.
type TruthThread struct {
	VA, ProcessID, ID uint64
	Spec              ThreadSpec
	Teb               uint64
	AttachedTo        uint64 // EPROCESS of ApcState
	WaitTime          uint32 // tick
	Segments          []Segment
	// Frames are the stack, innermost first; none if it is not resident.
	Frames    []TruthFrame
	TrapFrame uint64
	IRPs      []uint64
	Waits     []TruthObject
	WaitAll   bool
	Timeout   bool
}

// TruthFrame is a frame of a kernel stack.
type TruthFrame struct {
	Module, Function string
	Offset           uint32 // of IP in the function
	RVA              uint32 // of IP in the module
	IP               uint64
	// SP is Child-SP as WinDbg shows it: RSP when IP is the next instruction.
	SP     uint64
	Return uint64 // instruction that the frame returns to; 0 for the outermost
	// Segment is the index of the thread's segment that holds SP.
	Segment int
	// UserReturn: the frame returns to user mode. Interrupt: it was entered by
	// an interrupt, and Return is the interrupted instruction.
	UserReturn, Interrupt bool
}

// TruthResource is an ERESOURCE.
type TruthResource struct {
	VA               uint64
	Fast             bool
	Unlinked         bool
	Exclusive        []TruthOwner // none or one
	Shared           []TruthOwner
	SharedWaiters    []uint64 // ETHREADs, in order
	ExclusiveWaiters []uint64
	Contention       uint32
	Flags            uint16
}

// TruthOwner is an owner of a resource.
type TruthOwner struct {
	Value uint64
	// Thread is the ETHREAD that the value leads to: itself, or the one whose
	// stack holds the owner pointer. 0 if it leads to none.
	Thread uint64
	Count  uint32
	// Segment is the index of the segment that holds the owner pointer, -1 if
	// the value is not an address on a stack. Stale is one below the stack
	// pointer where the thread left that segment.
	Segment int
	Stale   bool
}

// TruthObject is a dispatcher object.
type TruthObject struct {
	VA      uint64
	Type    ObjectType
	Signal  int32
	Limit   uint32
	Owner   uint64 // of a mutant
	Waiters []uint64
}

// Truth says what was declared.
func (m *Machine) Truth() Truth {
	crash := m.crashed()
	truth := Truth{
		Build: m.layout.build, DirectoryTableBase: m.DirectoryTableBase(), Processors: len(m.processors),
		Bugcheck: m.options.Bugcheck, SystemTime: m.options.SystemTime, Uptime: m.options.Uptime,
		Ticks: m.Ticks(), CrashThread: crash.VA, Context: crash.context,
		Unloaded: m.unloaded, Idle: m.idle.truth(),
	}
	for _, mod := range m.modules {
		truth.Modules = append(truth.Modules, mod.truth())
	}
	for _, p := range m.processes {
		truth.Processes = append(truth.Processes, p.truth())
	}
	stacks := m.stackMap()
	for _, r := range m.resources {
		truth.Resources = append(truth.Resources, r.truth(stacks))
	}
	for _, o := range m.objects {
		truth.Objects = append(truth.Objects, o.truth())
	}
	return truth
}

func (mod *Module) truth() TruthModule {
	s := &mod.Spec
	t := TruthModule{
		Name: s.Name, Path: s.Path, Base: mod.Base, Size: mod.Size, Timestamp: s.Timestamp,
		Checksum: s.Checksum, PDB: s.PDB, PDBID: s.PDBID, Symbols: mod.symbols,
	}
	for _, f := range s.Functions {
		if f.Exported {
			t.Exports = append(t.Exports, f.Name)
		}
	}
	for _, d := range s.Data {
		if d.Exported {
			t.Exports = append(t.Exports, d.Name)
		}
	}
	return t
}

func (p *Process) truth() TruthProcess {
	t := TruthProcess{
		VA: p.VA, ID: p.Spec.ID, Parent: p.Spec.Parent, Name: p.Spec.Name[:min(14, len(p.Spec.Name))],
		Peb: p.Spec.Peb, DirectoryTableBase: p.DirectoryTableBase(), Terminated: p.Spec.Terminated,
	}
	for _, th := range p.threads {
		t.Threads = append(t.Threads, th.truth())
	}
	return t
}

func (t *Thread) truth() TruthThread {
	th := TruthThread{
		VA: t.VA, ProcessID: t.Process.Spec.ID, ID: t.Spec.ID, Spec: t.Spec, Teb: t.Spec.Teb,
		AttachedTo: t.Process.VA, WaitTime: uint32(t.m.Ticks()) - t.Spec.WaitTicks,
		Segments: t.Segments, Frames: t.Frames, TrapFrame: t.trapFrame, IRPs: t.IRPs,
		WaitAll: t.waitAll, Timeout: t.timeout,
	}
	if t.Spec.AttachedTo != nil {
		th.AttachedTo = t.Spec.AttachedTo.VA
	}
	if t.Spec.NotResident {
		th.Frames = nil
	}
	for _, o := range t.waits {
		th.Waits = append(th.Waits, o.truth())
	}
	return th
}

func (o *Object) truth() TruthObject {
	t := TruthObject{
		VA: o.VA, Type: o.Type, Limit: o.Spec.Limit,
		Signal: int32(o.m.peek32(o.VA + o.m.off("DISPATCHER_HEADER.SignalState"))),
	}
	if o.Spec.Owner != nil {
		t.Owner = o.Spec.Owner.VA
	}
	for _, th := range o.Waiters {
		t.Waiters = append(t.Waiters, th.VA)
	}
	return t
}

// place is a segment of a thread's stack.
type place struct {
	thread  *Thread
	segment int
}

// stackMap finds stacks by the number of the page.
func (m *Machine) stackMap() map[uint64]place {
	places := make(map[uint64]place)
	for _, p := range append(m.processes, m.idle) {
		for _, t := range p.threads {
			for i, s := range t.Segments {
				for va := s.Limit; va < s.Base; va += pageSize {
					places[va/pageSize] = place{t, i}
				}
			}
		}
	}
	return places
}

func (r *Resource) truth(stacks map[uint64]place) TruthResource {
	t := TruthResource{
		VA: r.VA, Fast: r.Fast, Unlinked: r.Spec.Unlinked, Contention: r.Spec.Contention, Flags: r.Spec.Flags,
	}
	if r.Fast {
		t.Flags |= ResourceFast
	}
	if r.Spec.Exclusive != nil {
		t.Exclusive = []TruthOwner{r.Spec.Exclusive.truth(stacks)}
		t.Flags |= ResourceOwnedExclusively
	}
	for _, o := range r.Spec.Shared {
		t.Shared = append(t.Shared, o.truth(stacks))
	}
	for _, th := range r.Spec.SharedWaiters {
		t.SharedWaiters = append(t.SharedWaiters, th.VA)
	}
	for _, th := range r.Spec.ExclusiveWaiters {
		t.ExclusiveWaiters = append(t.ExclusiveWaiters, th.VA)
	}
	return t
}

func (o Owner) truth(stacks map[uint64]place) TruthOwner {
	t := TruthOwner{Value: o.value(), Count: max(o.Count, 1), Segment: -1}
	if o.Thread != nil {
		t.Thread = o.Thread.VA
		return t
	}
	if p, ok := stacks[t.Value/pageSize]; ok && t.Value&3 == 3 {
		t.Thread, t.Segment = p.thread.VA, p.segment
		t.Stale = t.Value&^3 < p.thread.Segments[p.segment].Kernel
	}
	return t
}
