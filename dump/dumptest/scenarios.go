package dumptest

import "fmt"

// Scenario is a machine with a story.
type Scenario struct {
	Name      string
	Machine   *Machine
	Driver    *Module // wklock.sys, whose code takes the resources
	Process   *Process
	Threads   []*Thread
	Resources []*Resource
	// Cycle is the threads of the deadlock, each waiting for what the next
	// holds; none if there is no deadlock.
	Cycle []*Thread
	// Root is the thread at the end of the chain of waits that is no cycle, if
	// it is known.
	Root *Thread
}

// Scenarios lists the scenarios by name.
func Scenarios() map[string]func(Options) (*Scenario, error) {
	return map[string]func(Options) (*Scenario, error){
		"self deadlock on the stack":          SelfDeadlockOnStack,
		"self deadlock on an earlier segment": SelfDeadlockOnEarlierSegment,
		"two threads":                         func(o Options) (*Scenario, error) { return Cycle(o, 2) },
		"five threads":                        func(o Options) (*Scenario, error) { return Cycle(o, 5) },
		"upgrade":                             Upgrade,
		"orphan":                              Orphan,
		"stale owner pointer":                 StaleOwnerPointer,
		"owner pointer into pool":             PoolOwnerPointer,
		"behind a running thread":             BehindRunning,
		"contention":                          Contention,
		"recursion":                           Recursion,
	}
}

func newScenario(o Options, name string) (*Scenario, error) {
	m, err := New(o)
	if err != nil {
		return nil, err
	}
	s := &Scenario{Name: name, Machine: m}
	s.Driver = m.AddModule(ModuleSpec{
		Name: "wklock.sys",
		Functions: []Function{
			{Name: "DriverEntry", Size: 0x40, Prolog: pushes(1, 0x20)},
			{Name: "WkWorker", Size: 0x180, Prolog: pushes(3, 0x60)},
			{Name: "WkCallout", Size: 0x200, Prolog: []Op{Push(RBP), Push(RSI), Push(RDI), Alloc(0x70), SetFrame(RBP, 0x40)}},
			{Name: "WkHelper", Size: 0x20, Leaf: true},
			{Name: "WkSpin", Size: 0x60, Prolog: []Op{Alloc(0x28)}},
		},
		Data: []Data{{Name: "WkResource", Size: 0x68}, {Name: "WkContext", Size: 0x20, Exported: true}},
	})
	s.Process = m.AddProcess(ProcessSpec{ID: 0x7A4, Parent: 4, Name: "wkhost.exe"})
	return s, nil
}

// done gives the scenario, or the mistake in it.
func (s *Scenario) done() (*Scenario, error) {
	if err := s.Machine.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", s.Name, err)
	}
	return s, nil
}

func worker(frames ...Frame) []Frame {
	return append([]Frame{
		{Function: "KiStartSystemThread", Offset: 0x28},
		{Function: "PspSystemThreadStartup", Offset: 0x55},
	}, frames...)
}

// waiting is the frames of a wait for one object.
func waiting() []Frame {
	return []Frame{
		{Function: "KeWaitForSingleObject", Offset: 0x233},
		{Function: "KiCommitThreadWait", Offset: 0x14F},
		{Function: "KiSwapThread", Offset: 0x500},
	}
}

// acquiring is the frames of a wait for a resource.
func acquiring(shared bool) []Frame {
	take := "ExAcquireResourceExclusiveLite"
	if shared {
		take = "ExAcquireResourceSharedLite"
	}
	return append([]Frame{
		{Function: take, Offset: 0x1C2},
		{Function: "ExpWaitForResource", Offset: 0xFE},
	}, waiting()...)
}

// waiter adds a system thread that waits for a resource below the driver's
// frames; the resource still has to name it.
func (s *Scenario) waiter(shared bool, frames ...Frame) *Thread {
	return s.thread(ThreadSpec{
		State: Waiting, WaitReason: WrResource, WaitTicks: 1000,
		Stack: worker(append(frames, acquiring(shared)...)...),
	})
}

func (s *Scenario) thread(spec ThreadSpec) *Thread {
	spec.ID = 0x100 + 4*uint64(len(s.Threads))
	spec.System = true
	spec.Priority, spec.BasePriority, spec.ContextSwitches = 9, 8, 17
	spec.StartAddress = s.Driver.Symbol("WkWorker")
	t := s.Machine.System().AddThread(spec)
	s.Threads = append(s.Threads, t)
	return t
}

func (s *Scenario) frame(name string) Frame { return Frame{Module: s.Driver, Function: name} }

func (s *Scenario) resource(spec ResourceSpec) *Resource {
	r := s.Machine.AddResource(spec)
	s.Resources = append(s.Resources, r)
	return r
}

// ownerSlot is where WkWorker has the variable whose address is an owner
// pointer, from its SP.
const ownerSlot = 0x40

// SelfDeadlockOnStack: a thread waits for a resource that it owns itself, by
// an owner pointer to a variable on its stack.
func SelfDeadlockOnStack(o Options) (*Scenario, error) {
	s, err := newScenario(o, "self deadlock on the stack")
	if err != nil {
		return nil, err
	}
	t := s.waiter(false, s.frame("WkWorker"))
	s.resource(ResourceSpec{
		At: s.Driver.Symbol("WkResource"), Contention: 1, ExclusiveWaiters: []*Thread{t},
		Exclusive: &Owner{Pointer: OwnerPointer(t.SP("WkWorker") + ownerSlot)},
	})
	s.Cycle = []*Thread{t}
	return s.done()
}

// SelfDeadlockOnEarlierSegment: the same, but the variable lies on the stack
// that the thread had before it expanded it.
func SelfDeadlockOnEarlierSegment(o Options) (*Scenario, error) {
	s, err := newScenario(o, "self deadlock on an earlier segment")
	if err != nil {
		return nil, err
	}
	t := s.waiter(false, s.frame("WkWorker"),
		Frame{Function: "KeExpandKernelStackAndCalloutEx", Offset: 0x1D},
		Frame{Function: "KeExpandKernelStackAndCalloutInternal", Offset: 0x33},
		Frame{Function: "KxSwitchKernelStackCallout", Offset: 0x2E, NewSegment: true},
		s.frame("WkCallout"))
	s.resource(ResourceSpec{
		Contention: 1, ExclusiveWaiters: []*Thread{t},
		Exclusive: &Owner{Pointer: OwnerPointer(t.SP("WkWorker") + ownerSlot)},
	})
	s.Cycle = []*Thread{t}
	return s.done()
}

// Cycle: n threads, each of which holds a resource and waits for the next one's.
func Cycle(o Options, n int) (*Scenario, error) {
	s, err := newScenario(o, fmt.Sprintf("a cycle of %d", n))
	if err != nil {
		return nil, err
	}
	for range n {
		s.waiter(false, s.frame("WkWorker"))
	}
	for i, t := range s.Threads {
		s.resource(ResourceSpec{Exclusive: &Owner{Thread: t}, ExclusiveWaiters: []*Thread{s.Threads[(i+n-1)%n]}, Contention: 3})
	}
	s.Cycle = s.Threads
	return s.done()
}

// Upgrade: a thread holds a resource shared, with another, and waits to have it
// exclusively.
func Upgrade(o Options) (*Scenario, error) {
	s, err := newScenario(o, "upgrade")
	if err != nil {
		return nil, err
	}
	t := s.waiter(false, s.frame("WkWorker"))
	other := s.idleThread()
	s.resource(ResourceSpec{Shared: []Owner{{Thread: other}, {Thread: t, Count: 2}}, ExclusiveWaiters: []*Thread{t}})
	s.Cycle = []*Thread{t}
	return s.done()
}

// idleThread waits for an event that nobody has set.
func (s *Scenario) idleThread() *Thread {
	t := s.thread(ThreadSpec{
		State: Waiting, WaitReason: Executive, WaitTicks: 50,
		Stack: worker(append([]Frame{s.frame("WkWorker")}, waiting()...)...),
	})
	e := s.Machine.AddObject(ObjectSpec{Type: EventNotification})
	t.Wait(WaitSpec{Objects: []*Object{e}})
	return t
}

// Orphan: the owner of a resource has terminated.
func Orphan(o Options) (*Scenario, error) {
	s, err := newScenario(o, "orphan")
	if err != nil {
		return nil, err
	}
	dead := s.thread(ThreadSpec{State: Terminated})
	t := s.waiter(true, s.frame("WkWorker"))
	s.resource(ResourceSpec{Exclusive: &Owner{Thread: dead}, SharedWaiters: []*Thread{t}})
	s.Root = dead
	return s.done()
}

// StaleOwnerPointer: the owner pointer is an address on the stack of a thread
// that has long returned from the frame that had the variable.
func StaleOwnerPointer(o Options) (*Scenario, error) {
	s, err := newScenario(o, "stale owner pointer")
	if err != nil {
		return nil, err
	}
	gone := s.idleThread()
	t := s.waiter(false, s.frame("WkWorker"))
	s.resource(ResourceSpec{
		Exclusive:        &Owner{Pointer: OwnerPointer(gone.Segments[0].Kernel - 0x200)},
		ExclusiveWaiters: []*Thread{t},
	})
	return s.done()
}

// PoolOwnerPointer: the owner pointer is an address in pool, which leads to no
// thread.
func PoolOwnerPointer(o Options) (*Scenario, error) {
	s, err := newScenario(o, "owner pointer into pool")
	if err != nil {
		return nil, err
	}
	t := s.waiter(true, s.frame("WkWorker"))
	s.resource(ResourceSpec{
		Exclusive:     &Owner{Pointer: OwnerPointer(s.Machine.Alloc(0x40))},
		SharedWaiters: []*Thread{t},
	})
	return s.done()
}

// BehindRunning: a chain of waits ends at a thread that runs.
func BehindRunning(o Options) (*Scenario, error) {
	s, err := newScenario(o, "behind a running thread")
	if err != nil {
		return nil, err
	}
	a := s.waiter(false, s.frame("WkWorker"))
	b := s.waiter(true, s.frame("WkWorker"))
	c := s.thread(ThreadSpec{
		State: Running, Processor: s.Machine.options.Processors - 1,
		Stack: worker(s.frame("WkWorker"), s.frame("WkSpin"), s.frame("WkHelper")),
	})
	s.resource(ResourceSpec{Exclusive: &Owner{Thread: b}, ExclusiveWaiters: []*Thread{a}})
	s.resource(ResourceSpec{Exclusive: &Owner{Thread: c}, SharedWaiters: []*Thread{b}})
	s.Root = c
	return s.done()
}

// Contention is no deadlock: many wait for a resource whose shared owners wait
// for an event with a time-out.
func Contention(o Options) (*Scenario, error) {
	s, err := newScenario(o, "contention")
	if err != nil {
		return nil, err
	}
	var owners []Owner
	for range 3 {
		owners = append(owners, Owner{Thread: s.timed()})
	}
	var waiters []*Thread
	for range 4 {
		waiters = append(waiters, s.waiter(false, s.frame("WkWorker")))
	}
	late := s.waiter(true, s.frame("WkWorker"))
	s.resource(ResourceSpec{
		Shared: owners, Holes: 2, Contention: 77,
		ExclusiveWaiters: waiters, SharedWaiters: []*Thread{late},
	})
	return s.done()
}

// timed waits for an event, for a while.
func (s *Scenario) timed() *Thread {
	t := s.thread(ThreadSpec{
		State: Waiting, WaitReason: Executive, WaitTicks: 5, Alertable: true,
		Stack: worker(append([]Frame{s.frame("WkWorker")}, waiting()...)...),
	})
	e := s.Machine.AddObject(ObjectSpec{Type: EventSynchronization})
	t.Wait(WaitSpec{Objects: []*Object{e}, Timeout: true, DueTime: s.Machine.options.Uptime + 10_000_000})
	return t
}

// Recursion is no deadlock: the owners of resources have taken them several
// times, and nobody waits.
func Recursion(o Options) (*Scenario, error) {
	s, err := newScenario(o, "recursion")
	if err != nil {
		return nil, err
	}
	a, b := s.idleThread(), s.idleThread()
	s.resource(ResourceSpec{Exclusive: &Owner{Thread: a, Count: 5}, Contention: 2})
	s.resource(ResourceSpec{Shared: []Owner{{Thread: a, Count: 2}, {Thread: b, Count: 3}}, SharedInTable: true, Holes: 1})
	return s.done()
}

// Big is a machine with many threads and resources, of which thread n owns
// resource n: the first two threads wait for each other, and further ones in
// chains of up to ten, whose last waits for an event.
func Big(o Options, threads, resources int) (*Scenario, error) {
	s, err := newScenario(o, "big")
	if err != nil {
		return nil, err
	}
	owned := min(threads, resources)
	waiter := make([]*Thread, resources) // by resource
	for i := range threads {
		next := i + 1
		if i == 1 {
			next = 0
		}
		if next >= owned || i%10 == 9 {
			s.idleThread()
			continue
		}
		waiter[next] = s.waiter(false, s.frame("WkWorker"))
	}
	for i := range resources {
		spec := ResourceSpec{Contention: uint32(i)}
		if i < threads {
			spec.Exclusive = &Owner{Thread: s.Threads[i]}
		}
		if waiter[i] != nil {
			spec.ExclusiveWaiters = []*Thread{waiter[i]}
		}
		s.resource(spec)
	}
	if owned > 1 {
		s.Cycle = s.Threads[:2]
	}
	return s.done()
}
