package dumptest

// ObjectType is the type of a dispatcher object: DISPATCHER_HEADER.Type
// (KOBJECTS of the public symbols).
type ObjectType uint8

const (
	EventNotification    ObjectType = 0
	EventSynchronization ObjectType = 1
	MutantObject         ObjectType = 2
	ProcessObject        ObjectType = 3
	QueueObject          ObjectType = 4
	SemaphoreObject      ObjectType = 5
	ThreadObject         ObjectType = 6
	TimerNotification    ObjectType = 8
	TimerSynchronization ObjectType = 9
)

// ObjectSpec declares a dispatcher object.
type ObjectSpec struct {
	Type ObjectType
	At   uint64 // where it lies; in pool if 0
	// Signal is SignalState: of a semaphore its count, of an event 1 if set. A
	// mutant's follows from Owner and Recursion.
	Signal uint32
	Limit  uint32 // of a semaphore or queue
	// Owner holds a mutant, Recursion times (1 if 0).
	Owner     *Thread
	Recursion uint32
	Abandoned bool
	DueTime   uint64 // of a timer
}

// Object is a dispatcher object.
type Object struct {
	Spec    ObjectSpec
	VA      uint64
	Type    ObjectType
	Waiters []*Thread
	m       *Machine
}

// objectTypes are the structures of the types.
var objectTypes = map[ObjectType]string{
	EventNotification: "KEVENT", EventSynchronization: "KEVENT", MutantObject: "KMUTANT",
	QueueObject: "KQUEUE", SemaphoreObject: "KSEMAPHORE", TimerNotification: "KTIMER",
	TimerSynchronization: "KTIMER",
}

// dispatcherHeader fills a DISPATCHER_HEADER whose structure has the type's
// size.
func (m *Machine) dispatcherHeader(va uint64, typ ObjectType, signal uint32) {
	name := objectTypes[typ]
	switch typ {
	case ProcessObject:
		name = "KPROCESS"
	case ThreadObject:
		name = "KTHREAD"
	}
	at := func(f string) uint64 { return va + m.off("DISPATCHER_HEADER."+f) }
	m.poke8(at("Type"), uint8(typ))
	if typ != ThreadObject {
		m.poke8(at("Size"), uint8(m.sizeOf(name)/4))
	}
	m.Poke32(at("SignalState"), signal)
	m.initList(at("WaitListHead"))
}

// AddObject makes a dispatcher object.
func (m *Machine) AddObject(spec ObjectSpec) *Object {
	name, ok := objectTypes[spec.Type]
	if !ok {
		m.fail("an object of type %d is not made by AddObject", spec.Type)
		return &Object{m: m}
	}
	o := &Object{Spec: spec, VA: spec.At, Type: spec.Type, m: m}
	if o.VA == 0 {
		o.VA = m.object(m.sizeOf(name))
	}
	m.objects = append(m.objects, o)
	m.dispatcherHeader(o.VA, spec.Type, spec.Signal)
	switch name {
	case "KSEMAPHORE":
		m.Poke32(o.VA+m.off("KSEMAPHORE.Limit"), spec.Limit)
	case "KMUTANT":
		o.fillMutant()
	case "KTIMER":
		m.Poke64(o.VA+m.off("KTIMER.DueTime"), spec.DueTime)
	case "KQUEUE":
		m.initList(o.VA + m.off("KQUEUE.EntryListHead"))
		m.initList(o.VA + m.off("KQUEUE.ThreadListHead"))
		m.Poke32(o.VA+m.off("KQUEUE.MaximumCount"), spec.Limit)
	}
	return o
}

// fillMutant: a free mutant has SignalState 1, an owned one 1 minus the number
// of times it was taken.
func (o *Object) fillMutant() {
	m, s := o.m, &o.Spec
	m.initList(o.VA + m.off("KMUTANT.MutantListEntry"))
	m.pokeAbandoned(o)
	if s.Owner == nil {
		m.Poke32(o.VA+m.off("DISPATCHER_HEADER.SignalState"), 1)
		return
	}
	m.Poke32(o.VA+m.off("DISPATCHER_HEADER.SignalState"), 1-max(s.Recursion, 1))
	m.Poke64(o.VA+m.off("KMUTANT.OwnerThread"), s.Owner.VA)
	m.listAppend(s.Owner.VA+m.off("KTHREAD.MutantListHead"), o.VA+m.off("KMUTANT.MutantListEntry"))
}

// pokeAbandoned: Abandoned is a byte in 6.1 and the first bit of one later.
func (m *Machine) pokeAbandoned(o *Object) {
	m.poke8(o.VA+m.off("KMUTANT.Abandoned"), bit(o.Spec.Abandoned))
}

// WaitSpec declares what a thread waits for.
type WaitSpec struct {
	Objects []*Object
	All     bool
	Timeout bool
	DueTime uint64 // of the timeout, interrupt time in 100 ns
}

// Indexes and keys of wait blocks: the last of KTHREAD's four is that of the
// thread's own timer; the key of a timeout is STATUS_TIMEOUT.
const (
	timerBlock    = 3
	timeoutKey    = 0x102
	waitAll       = 0
	waitAny       = 1
	blockActive   = 2 // KWAIT_BLOCK_STATE
	threadObjects = 3
)

// Wait fills the thread's wait blocks and links them into the objects'
// WaitListHead. More than three objects need an array of blocks outside the
// thread.
func (t *Thread) Wait(w WaitSpec) {
	m := t.m
	size := m.sizeOf("KWAIT_BLOCK")
	inThread := t.VA + m.off("KTHREAD.WaitBlock")
	blocks := inThread
	if len(w.Objects) > threadObjects {
		blocks = m.Alloc(size * uint64(len(w.Objects)))
	}
	typ := uint8(waitAny)
	if w.All {
		typ = waitAll
	}
	var chain []uint64
	for i, o := range w.Objects {
		block := blocks + size*uint64(i)
		t.fillBlock(block, o.VA, typ, uint16(i))
		o.Waiters = append(o.Waiters, t)
		chain = append(chain, block)
	}
	if w.Timeout {
		timer := t.VA + m.off("KTHREAD.Timer")
		block := inThread + size*timerBlock
		m.Poke64(timer+m.off("KTIMER.DueTime"), w.DueTime)
		m.pokeBits(t.VA, "KTHREAD.TimerActive", 1)
		t.fillBlock(block, timer, waitAny, timeoutKey)
		chain = append(chain, block)
	}
	m.Poke64(t.VA+m.off("KTHREAD.WaitBlockList"), blocks)
	if len(w.Objects) == 0 && w.Timeout {
		m.Poke64(t.VA+m.off("KTHREAD.WaitBlockList"), chain[0])
	}
	t.linkBlocks(chain, len(w.Objects))
	t.waits, t.waitAll, t.timeout = w.Objects, w.All, w.Timeout
}

// fillBlock writes only the fields of a wait block: the gaps of those in the
// thread hold other fields of KTHREAD.
func (t *Thread) fillBlock(block, object uint64, typ uint8, key uint16) {
	m := t.m
	at := func(f string) uint64 { return block + m.off("KWAIT_BLOCK."+f) }
	m.poke8(at("WaitType"), typ)
	m.poke8(at("BlockState"), blockActive)
	m.poke16(at("WaitKey"), key)
	m.Poke64(at("Thread"), t.VA)
	if key != timeoutKey || m.layout.has("KWAIT_BLOCK.NextWaitBlock") {
		// From 6.3 on, another field of KTHREAD lies over the timer's Object.
		m.Poke64(at("Object"), object)
	}
	m.listAppend(object+m.off("DISPATCHER_HEADER.WaitListHead"), at("WaitListEntry"))
}

// linkBlocks: 6.1 links a thread's wait blocks in a ring, later kernels count
// them.
func (t *Thread) linkBlocks(chain []uint64, objects int) {
	m := t.m
	if m.layout.has("KTHREAD.WaitBlockCount") {
		m.poke8(t.VA+m.off("KTHREAD.WaitBlockCount"), uint8(max(objects, min(1, len(chain)))))
		return
	}
	for i, block := range chain {
		m.Poke64(block+m.off("KWAIT_BLOCK.NextWaitBlock"), chain[(i+1)%len(chain)])
	}
}
