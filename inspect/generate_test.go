package inspect_test

import (
	"math/rand/v2"
	"slices"
)

// The generator plants a truth (threads, resources, waits, stacks) and prints
// it as a debugger would. It shares no layout with the readers: what both got
// wrong in the same way would never show.

// dialect is how one generation of Windows and debugger prints.
type dialect struct {
	name    string
	x86     bool
	args    bool // "Args to Child" in !thread
	wideRet bool // five blanks behind RetAddr
	// reasons are the words for a wait on a resource.
	reasons  []string
	priority string // with two %d
	call     string // behind "Call "
	routines []call // from the scheduler out to ExpWaitForResource
}

var dialects = []dialect{
	{name: "x86 XP", x86: true, args: true, reasons: []string{"Executive", "Unknown", "WrResource"}, priority: "Priority %d BasePriority %d PriorityDecrement 0", call: "0", routines: oldX86},
	{name: "x86 2003 k", x86: true, reasons: []string{"Unknown", "WrResource"}, priority: "Priority %d BasePriority %d PriorityDecrement 5", call: "0", routines: oldX86},
	{name: "x64 Vista", reasons: []string{"WrResource"}, priority: "Priority %d BasePriority %d PriorityDecrement 0 IoPriority 2 PagePriority 5", call: "0", routines: oldX64},
	{name: "x64 7 kv", args: true, reasons: []string{"WrResource"}, priority: "Priority %d BasePriority %d UnusualBoost 0 ForegroundBoost 0 IoPriority 2 PagePriority 5", call: "0", routines: oldX64},
	{name: "x64 8", args: true, reasons: []string{"WrResource"}, priority: "Priority %d BasePriority %d UnusualBoost 3 ForegroundBoost 2 IoPriority 2 PagePriority 5", call: "0000000000000000", routines: newX64},
	{name: "x64 10", wideRet: true, reasons: []string{"WrResource"}, priority: "Priority %d BasePriority %d PriorityDecrement 0 IoPriority 2 PagePriority 5", call: "0000000000000000", routines: newX64},
	{name: "x64 24H2", args: true, wideRet: true, reasons: []string{"WrResource"}, priority: "Priority %d  BasePriority %d  Decay Boost 1  IoPriority 2  PagePriority 5", call: "0000000000000000", routines: newX64},
}

// printed says where the facts about a thread stand.
type printed int

const (
	inProcess printed = iota // a THREAD block below !process
	alone                    // !thread ADDR
	split                    // !thread without a stack, then .thread and k
	byValue                  // !thread of an owner pointer
	nowhere                  // in lock lists only
)

// object is one dispatcher object that a thread waits for.
type object struct {
	addr   uint64
	kind   string // first word
	detail string // what follows the kind
	owner  uint64
}

// thread is the truth about one thread.
type thread struct {
	addr, proc     uint64
	image          string
	pid, tid       uint32
	state          string
	processor      int
	reason, mode   string
	alertable      bool
	objects        []object
	irps           []uint64
	start, ticks   int64
	switches       int64
	prio, basePrio int

	init, current, base, limit uint64
	frames                     []frame
	earlier                    int // index of the first frame on the earlier stack, 0 if none

	where printed
	value uint64 // what was typed behind !thread, for byValue
}

// owner is the truth about one owner entry.
type owner struct {
	raw     uint64
	count   int
	remark  string
	how     string
	thread  *thread // nil if unresolved
	live    int     // 1 yes, -1 no, 0 not said
	frame   int     // -1 none or not judged
	setBy   string  // module!function, "" not judged
	pointer bool
}

// resource is the truth about one ERESOURCE.
type resource struct {
	addr       uint64
	symbol     string
	shared     bool
	contention int
	owners     []owner
	sharedWait []*thread
	exclWait   []*thread

	markAll   bool // every entry carries <*>
	ownerLast bool // the owner stands behind the shared waiters
	announced int  // printed NumberOfSharedWaiters is off by so many
}

// planted is one finding that must come out.
type planted struct {
	id, kind string
	grade    string // of the weakest edge
	threads  []*thread
	blocked  int
}

// world is one machine at one moment.
type world struct {
	rng     *rand.Rand
	d       dialect
	threads []*thread
	locks   []*resource
	want    []planted
	used    map[region]uint64
	pids    map[uint64]uint32
	procs   []process
	quiet   bool // nobody owns anything
}

type process struct {
	addr  uint64
	pid   uint32
	image string
}

// region is a part of the address space that a kind of object lives in.
type region int

const (
	regionThread region = iota
	regionLock
	regionObject
	regionProcess
	regionIRP
	regionStack
)

var regions64 = [...]struct{ base, stride uint64 }{
	{0xffffbc8100000000, 0x580}, {0xffffbc8a10000000, 0x110}, {0xffffbc8b20000000, 0x60},
	{0xffffbc8c30000000, 0x940}, {0xffffbc8d40000000, 0x220}, {0xfffff88005000000, 0x9000},
}

var regions32 = [...]struct{ base, stride uint64 }{
	{0x84000000, 0x2f8}, {0x88000000, 0x78}, {0x8a000000, 0x28},
	{0x8c000000, 0x2a0}, {0x8d000000, 0x120}, {0xa0000000, 0x5000},
}

func newWorld(seed uint64, d dialect) *world {
	w := &world{rng: rand.New(rand.NewPCG(seed, 0x6b646c6f636b73)), d: d, used: map[region]uint64{}, pids: map[uint64]uint32{}}
	w.procs = append(w.procs, process{w.addr(regionProcess), 4, "System"})
	for i, image := range []string{"explorer.exe", "backup_agent.exe", "svchost.exe", "MsMpEng.exe"} {
		w.procs = append(w.procs, process{w.addr(regionProcess), uint32(0x1a4 + 0x3fd8*i), image})
	}
	return w
}

// addr returns a new address of a region. Stacks never touch each other.
func (w *world) addr(r region) uint64 {
	w.used[r] += 1 + w.rng.Uint64N(2)
	if w.d.x86 {
		return regions32[r].base + w.used[r]*regions32[r].stride
	}
	return regions64[r].base + w.used[r]*regions64[r].stride
}

func (w *world) chance(percent int) bool { return w.rng.IntN(100) < percent }

func pick[T any](w *world, list []T) T { return list[w.rng.IntN(len(list))] }

// thread adds a thread that waits for nothing that matters.
func (w *world) thread() *thread {
	p := pick(w, w.procs)
	t := &thread{
		addr: w.addr(regionThread), proc: p.addr, pid: p.pid, image: p.image, tid: uint32(8 + 4*len(w.threads)),
		start: 1000 + w.rng.Int64N(1<<30), ticks: w.rng.Int64N(300), switches: 1 + w.rng.Int64N(1<<20),
		prio: 8 + w.rng.IntN(8), where: pick(w, []printed{inProcess, inProcess, inProcess, alone, split}),
	}
	if w.chance(10) {
		t.ticks = w.rng.Int64N(20_000_000)
	}
	t.basePrio = t.prio - w.rng.IntN(3)
	w.threads = append(w.threads, t)
	w.idle(t)
	return t
}

// threadsN adds n threads.
func (w *world) threadsN(n int) []*thread {
	out := make([]*thread, n)
	for i := range out {
		out[i] = w.thread()
	}
	return out
}

// lock adds a resource.
func (w *world) lock(shared bool) *resource {
	r := &resource{addr: w.addr(regionLock), shared: shared, contention: w.rng.IntN(3) * w.rng.IntN(40_000_000)}
	if w.chance(5) {
		r.symbol = pick(w, []string{"nt!PiEngineLock", "nt!PpRegistryDeviceResource", "acmefs!GlobalResource"})
	}
	r.ownerLast = !shared && w.chance(15)
	w.locks = append(w.locks, r)
	return r
}

// own makes threads owners under their own addresses.
func (w *world) own(r *resource, ts ...*thread) {
	for _, t := range ts {
		r.owners = append(r.owners, owner{raw: t.addr, count: 1, how: "thread", thread: t, frame: -1})
	}
}

// owned adds a resource that the threads own.
func (w *world) owned(shared bool, ts ...*thread) *resource {
	r := w.lock(shared)
	w.own(r, ts...)
	return r
}

// wantsShared and wantsExclusive make a thread wait for a resource.
func (w *world) wantsShared(r *resource, t *thread) {
	r.sharedWait = append(r.sharedWait, t)
	w.waitsFor(r, t, true, false)
}

func (w *world) wantsExclusive(r *resource, t *thread) {
	r.exclWait = append(r.exclWait, t)
	w.waitsFor(r, t, false, false)
}

// waitsFor sets state and stack of a thread that waits for a resource.
func (w *world) waitsFor(r *resource, t *thread, shared, expanded bool) {
	o := object{addr: w.addr(regionObject), kind: "SynchronizationEvent"}
	if shared {
		o.kind, o.detail = "Semaphore", pick(w, []string{"Limit 0x7fffffff", "Limit 0x7fffffff", "Limit 0x3e8"})
	}
	t.state, t.reason, t.mode, t.alertable = "waiting", pick(w, w.d.reasons), "KernelMode", false
	t.objects = []object{o}
	w.acquireStack(t, r, shared, expanded)
}

// wantsMutant makes a thread wait for a mutant that another owns.
func (w *world) wantsMutant(t, holder *thread, more ...object) uint64 {
	m := object{addr: w.addr(regionObject), kind: "Mutant", detail: "- owning thread", owner: holder.addr}
	t.state, t.reason, t.mode, t.alertable = "waiting", "Executive", "KernelMode", false
	t.objects = append([]object{m}, more...)
	w.plainStack(t, "KeWaitForMutexObject")
	if t.where == nowhere {
		t.where = alone
	}
	return m.addr
}

// hang lets n new threads wait for a resource, some with waiters of their
// own, and returns how many threads that are.
func (w *world) hang(r *resource, n int) int {
	total := n
	for range n {
		t := w.thread()
		if (r.shared && len(r.exclWait) == 0) || w.chance(50) {
			w.wantsExclusive(r, t)
		} else {
			w.wantsShared(r, t)
		}
		if w.chance(20) {
			t.where = nowhere
		}
		if w.chance(15) {
			more := w.rng.IntN(3)
			if more > 0 {
				total += w.hang(w.owned(false, t), more)
			}
		}
	}
	return total
}

// runs makes a thread run on a processor.
func (w *world) runs(t *thread) {
	t.state, t.processor, t.reason, t.mode, t.objects, t.irps = "running", w.rng.IntN(16), "", "", nil, nil
	t.ticks = w.rng.Int64N(2)
	w.runningStack(t)
}

// noise adds bystanders and resources that nobody waits for, until the world
// has size threads.
func (w *world) noise(size int) {
	for len(w.threads) < size {
		t := w.thread()
		switch n := w.rng.IntN(40); {
		case w.quiet:
		case n == 0:
			w.owned(false, t)
		case n == 1:
			w.owned(true, append(w.threadsN(w.rng.IntN(6)), t)...)
		case n == 2:
			w.taggedOwner(t)
		case n == 3:
			w.runs(t)
		case n == 4:
			t.state, t.reason, t.mode, t.objects = pick(w, []string{"ready", "standby"}), "", "", nil
		case n == 5 && len(w.threads)+4 < size:
			w.runs(t)
			w.hang(w.owned(false, t), 1+w.rng.IntN(3))
		}
	}
	w.rng.Shuffle(len(w.locks), func(i, j int) { w.locks[i], w.locks[j] = w.locks[j], w.locks[i] })
	w.rng.Shuffle(len(w.threads), func(i, j int) { w.threads[i], w.threads[j] = w.threads[j], w.threads[i] })
}

// taggedOwner lets a thread own a resource under its address with low bits.
func (w *world) taggedOwner(t *thread) {
	r := w.lock(w.chance(50))
	r.owners = []owner{{raw: t.addr | 3, count: 1, remark: "*** Actual Thread", how: "tagged-thread", thread: t, frame: -1}}
}

// expect adds a finding that must come out.
func (w *world) expect(id, kind, grade string, blocked int, ts ...*thread) {
	w.want = append(w.want, planted{id: id, kind: kind, grade: grade, threads: slices.Clone(ts), blocked: blocked})
}

// pointerGrade is the grade of the owner pointers of some resources: A where
// the debugger itself named the thread, B where only the ranges tell.
func pointerGrade(rs ...*resource) string {
	for _, r := range rs {
		if r.owners[0].how != "debugger" {
			return "B"
		}
	}
	return "A"
}
