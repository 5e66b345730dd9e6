package snapshot

import (
	"kdlocks/collect"
	"kdlocks/kd"
	"kdlocks/locks"
	"kdlocks/memory"
	"kdlocks/modules"
	"kdlocks/objects"
	"kdlocks/threads"
)

// Target says what machine a session looked at.
type Target struct {
	Arch     kd.Arch
	Build    string // "19041": of the version line, else of what else tells it
	Version  string // the version line as printed
	Uptime   string // as printed
	Bugcheck *Bugcheck
	// As vertarget and !analyze print them; "" and 0 if they do not.
	Processors    int
	BuiltBy       string // "19041.1.amd64fre.vb_release.191206-1406"
	KernelBase    kd.Addr
	SessionTime   string // "Debug session time"
	Process       string // PROCESS_NAME
	FailureBucket string // FAILURE_BUCKET_ID
	Machine       string // "Machine Name", mostly empty
	// Moment counts from 1 where one session shows several moments, which all
	// carry the times that its header printed; 0 if it shows one.
	Moment int
	// ArchAt is where the architecture was printed; unknown when it follows
	// from the width of addresses.
	ArchAt kd.Ref
	// BuildAt is where Build was read, unknown where that is the version line.
	BuildAt kd.Ref
	// OSName is OSNAME of !analyze: "Windows 8", "Windows 10" also of later ones.
	OSName   string
	OSNameAt kd.Ref
	// LiveAt is the first prompt of a debugger that looks at the machine it runs
	// on, unknown if there is none: the machine goes on from line to line.
	LiveAt kd.Ref
	// WrongSymbols is the first line in which an extension refuses to work because
	// the symbols of the kernel are not its own.
	WrongSymbols kd.Ref
	// StoppedAt is the first prompt of a debugger whose target stands still while
	// it is looked at, unknown if there is none.
	StoppedAt kd.Ref
	// Attached numbers the targets of the input, counted from 1: sessions of one
	// number are of one machine that ran on in between. LetGoAt is where it was
	// last let go, or broken into, before this session; unknown for the first.
	Attached int
	LetGoAt  kd.Ref
	// Repeated is set when the same time and uptime were printed above several
	// parts of the input: all of them are of that moment.
	Repeated bool
}

// Known reports whether anything was read that a kernel debugger alone tells of
// a target: its stop code, version or kernel base.
func (t *Target) Known() bool {
	return t.Bugcheck != nil || t.KernelBase != 0 || t.Build != "" && t.ArchAt.Known()
}

// KernelPrompt reports whether a kernel debugger's prompt was read.
func (t *Target) KernelPrompt() bool { return t.LiveAt.Known() || t.StoppedAt.Known() }

// Bugcheck is the stop code of a crash dump and its arguments as printed.
type Bugcheck struct {
	Code uint32
	Name string // "SYSTEM_SERVICE_EXCEPTION"
	Args []kd.Addr
	At   kd.Ref
	// argsAt is where each of Args was read, nil if there are none.
	argsAt *[stopArgs]kd.Ref
}

// stopArgs is how many arguments a stop code has.
const stopArgs = 4

// SetArg keeps argument i, counted from 0, as printed. Nothing happens without a
// stop code or for a word that is no number.
func (b *Bugcheck) SetArg(i int, word string, at kd.Ref) {
	a, ok := kd.ParseAddr(word)
	if b == nil || !ok || i < 0 || i >= stopArgs {
		return
	}
	for len(b.Args) <= i {
		b.Args = append(b.Args, 0)
	}
	if b.argsAt == nil {
		b.argsAt = new([stopArgs]kd.Ref)
	}
	b.Args[i], b.argsAt[i] = a, at
}

// SetArgs keeps all arguments, which stand in one place.
func (b *Bugcheck) SetArgs(args []kd.Addr, at kd.Ref) {
	b.Args, b.argsAt = args, nil
	if len(args) == 0 {
		return
	}
	b.argsAt = new([stopArgs]kd.Ref)
	for i := range b.argsAt {
		b.argsAt[i] = at
	}
}

// Arg returns argument i, counted from 0, and where it was read; false if it was
// not.
func (b *Bugcheck) Arg(i int) (a kd.Addr, at kd.Ref, ok bool) {
	if b == nil || b.argsAt == nil || i < 0 || i >= min(len(b.Args), stopArgs) || !b.argsAt[i].Known() {
		return 0, kd.Ref{}, false
	}
	return b.Args[i], b.argsAt[i], true
}

// Resource is an ERESOURCE with its owner entries resolved: Resolved[i]
// belongs to Owners[i].
type Resource struct {
	*locks.Resource
	Resolved []Owner
}

// Snapshot is what is known of one session of one machine.
type Snapshot struct {
	Target    Target
	Resources []*Resource       // in the order of the input
	Threads   []*threads.Thread // in the order of the input, one for each address
	// Named are the skimmed threads that were asked for and read whole. They
	// are not in Threads.
	Named     []*threads.Thread
	Processes []threads.Process
	Timeouts  []locks.Timeout
	// Processors are the rows of !running, Matches the blocks of !findstack, and
	// VerifierDeadlocks what !deadlock said.
	Processors        []threads.Processor
	Matches           []threads.StackMatch
	VerifierDeadlocks []*threads.VerifierDeadlock
	allThreads        []threads.AllOf
	allProcesses      []threads.AllOf
	// Collected are the runs of the script of kdlocks collect that it was read
	// from.
	Collected []*collect.Run
	// Triage, QueuedLocks and PushLocks are as printed.
	Triage      []locks.Triage
	QueuedLocks []locks.QueuedLock
	PushLocks   []locks.PushLock
	// Objects are IRPs, messages, ports, work queues and critical sections, one of
	// each address.
	Objects objects.Listing
	// Modules are the loaded and unloaded modules, in the order of the input, one of
	// each range and name; ModuleLists are the lists that they stood in.
	Modules     []*modules.Module
	ModuleLists []modules.List
	// Memory is what was printed of memory, pool and heaps, in the order of the input:
	// several listings of pool may show growth.
	Memory memory.Listing
	// Heaps is what became of the heaps of a process between two logs of them.
	Heaps []*HeapGrowth
	// EarlierPools are listings of pool that earlier sessions of the input show of the
	// same machine, before it ran on; PoolHistory is what they, those of this session and
	// those of later ones show.
	EarlierPools []*memory.Pool
	PoolHistory  *memory.History
	// Trends are what the counters of Memory.Counters do that can leak.
	Trends []*CounterTrend
	// HasLocks is true when !locks output was read at all; Total and Held are
	// the figures of its last line.
	HasLocks    bool
	Total, Held locks.Printed
	// Whole is true when a list of all held locks was read with as many of them
	// as its last line counts: a lock that it lacks is free.
	Whole bool
	Notes []kd.Note
	// Gaps are what the source of the facts knows to be missing.
	Gaps []kd.Gap

	heldUnlisted, heldCounted int
	unread                    locks.Printed

	// rest are the threads that were skimmed and cannot matter to a verdict.
	rest      []threads.Brief
	restIndex rowIndex
	loadRest  func(threads.Brief) *threads.Thread
	// restFunctions has the functions on their stacks.
	restFunctions *threads.FunctionNames
	// functions has those on all stacks, nil until somebody asks.
	functions *threads.FunctionNames

	objects         objectIndex
	moduleIndex     *moduleIndex // nil if there are no modules
	interpretations []threads.Interpretation
	byAddr          map[kd.Addr]*threads.Thread
	byResource      map[kd.Addr]*Resource
	stacks          stackIndex
	waiters         map[kd.Addr]bool // every thread in a waiter list
	// queued is the same for lists that can be believed.
	queued map[kd.Addr]bool
	// first is where threads were printed first that were printed again.
	first map[*threads.Thread]kd.Ref
	said  map[kd.Addr]threads.Interpretation
	// compared counts for each self-check what was compared; these three are nil
	// while there is nothing in them.
	compared map[kd.SelfCheck]int
	twoRoles []TwoRoles
	// contradicted are the resources that tools disagree about.
	contradicted map[kd.Addr]bool
	// pointedAt are the threads whose stacks hold owner pointers.
	pointedAt map[kd.Addr]bool
}

// Build makes a Snapshot of what the readers found in one session. ol and
// ml may be nil.
func Build(target Target, ll locks.Listing, tl threads.Listing, ol *objects.Listing, ml *modules.Listing) *Snapshot {
	s := &Snapshot{
		Target: target, Timeouts: ll.Timeouts,
		Triage: ll.Triage, QueuedLocks: ll.QueuedLocks, PushLocks: ll.PushLocks,
		HasLocks:        ll.Seen(),
		Processes:       tl.Processes,
		Matches:         tl.Matches,
		interpretations: tl.Interpretations,

		VerifierDeadlocks: tl.VerifierDeadlocks,
		allThreads:        tl.All,
		allProcesses:      tl.AllProcesses,
	}
	s.compare(kd.CountsFit, len(tl.Tallied))
	s.Processors = onceEach(tl.Processors)
	s.Total, s.Held = ll.Totals()
	s.Notes = append(append(s.Notes, ll.Notes...), tl.Notes...)
	if s.Target.Arch == kd.ArchUnknown {
		s.Target.Arch = guessArch(ll, tl)
	}
	if s.Target.Arch == kd.ArchUnknown {
		s.Target.Arch = objectArch(ol)
	}
	if s.Target.Arch == kd.ArchUnknown && ml != nil && len(ml.Modules) > 0 {
		s.Target.Arch = moduleArch(ml)
	}
	if s.Target.Arch == kd.X86 {
		if ol != nil {
			ol.MapAddrs(kd.Addr.Fold)
		}
		s.fold(ll.Resources, tl.Threads)
	}
	s.mergeModules(ml)
	s.buildOfKernel()
	s.mergeProcesses()
	s.mergeResources(ll.Rounds, ll.Resources)
	s.countUnread(ll)
	s.mergeObjects(ol)
	s.mergeThreads(s.recall(ll, tl, ol))
	s.addAwaited()
	s.checkTriage()
	for _, t := range s.Threads {
		s.finish(t)
	}
	s.adoptStacks()
	s.stacks = s.indexStacks()
	s.resolveOwners()
	s.findRoles()
	s.check()
	s.checkObjects()
	return s
}

// Empty reports whether nothing of use was read.
func (s *Snapshot) Empty() bool {
	return s.OnlyContext() && len(s.Modules) == 0 && s.Memory.Empty()
}

// OnlyContext reports whether nothing was read that can be judged: modules and
// counters of memory alone tell nothing of locks.
func (s *Snapshot) OnlyContext() bool {
	return !s.HasLocks && s.ThreadCount() == 0 && len(s.Processes) == 0 && len(s.Timeouts) == 0 && len(s.Resources) == 0 && len(s.interpretations) == 0 &&
		s.Objects.Empty() && len(s.Matches) == 0 && len(s.VerifierDeadlocks) == 0 && len(s.QueuedLocks) == 0 && len(s.PushLocks) == 0
}

// SetMemory adds what was read of memory, which nothing else here depends on; l
// may be nil.
func (s *Snapshot) SetMemory(l *memory.Listing) {
	if l == nil {
		return
	}
	s.Memory = *l
	if w := l.Memory; w != nil && s.Target.Arch == kd.ArchUnknown && len(w.Symbols) > 0 {
		s.Target.Arch = archOf(w.Symbols[0].Addr)
	}
	if s.Target.Arch == kd.X86 {
		l.Memory.MapAddrs(kd.Addr.Fold)
	}
	s.growHeaps()
	s.Notes = append(s.Notes, l.Notes...)
}

// NotThreads returns the values of which the debugger said that they are no
// thread, and found none that they could belong to, as typed.
func (s *Snapshot) NotThreads() []kd.Addr {
	var out []kd.Addr
	for _, p := range s.interpretations {
		if p.Thread == 0 {
			out = append(out, p.Value)
		}
	}
	return out
}

// Resource returns the resource at an address, nil if it was not printed.
func (s *Snapshot) Resource(a kd.Addr) *Resource { return s.byResource[a] }

// bare prints an address as the debugger of the target does.
func (s *Snapshot) bare(a kd.Addr) string { return a.Bare(s.Target.Arch) }

// compare counts what was compared for a self-check.
func (s *Snapshot) compare(id kd.SelfCheck, n int) {
	if n == 0 {
		return
	}
	if s.compared == nil {
		s.compared = make(map[kd.SelfCheck]int)
	}
	s.compared[id] += n
}

// contradict keeps that tools disagree about a resource.
func (s *Snapshot) contradict(resource kd.Addr) {
	if s.contradicted == nil {
		s.contradicted = make(map[kd.Addr]bool)
	}
	s.contradicted[resource] = true
}

func (s *Snapshot) note(self kd.SelfCheck, at kd.Ref, text string) {
	s.Notes = append(s.Notes, kd.Note{At: at, Text: text, Self: self})
}

// guessArch goes by the width of the addresses in head lines and stacks.
func guessArch(ll locks.Listing, tl threads.Listing) kd.Arch {
	for _, r := range ll.Resources {
		return archOf(r.Addr)
	}
	for _, t := range tl.Threads {
		if t.Addr != 0 {
			return archOf(t.Addr)
		}
		for _, f := range t.Stack.Frames {
			if f.ChildSP != 0 {
				return archOf(f.ChildSP)
			}
		}
	}
	if len(tl.Skimmed) > 0 {
		return kd.X64
	}
	for _, p := range tl.Processes {
		return archOf(p.Addr)
	}
	return kd.ArchUnknown
}

func archOf(a kd.Addr) kd.Arch {
	if a <= 0xffffffff || a.SignExtended() {
		return kd.X86
	}
	return kd.X64
}

// fold turns the sign-extended addresses that a 64-bit debugger prints for an
// x86 target into the 32-bit ones.
func (s *Snapshot) fold(rs []*locks.Resource, ts []*threads.Thread) {
	for _, r := range rs {
		r.MapAddrs(kd.Addr.Fold)
	}
	for _, t := range ts {
		t.MapAddrs(kd.Addr.Fold)
	}
	for i := range s.interpretations {
		p := &s.interpretations[i]
		p.Value, p.Thread = p.Value.Fold(), p.Thread.Fold()
	}
	for i := range s.Processes {
		s.Processes[i].Addr = s.Processes[i].Addr.Fold()
	}
	for i := range s.Processors {
		s.Processors[i].MapAddrs(kd.Addr.Fold)
	}
	for i := range s.Matches {
		s.Matches[i].MapAddrs(kd.Addr.Fold)
	}
	for _, v := range s.VerifierDeadlocks {
		v.MapAddrs(kd.Addr.Fold)
	}
}
