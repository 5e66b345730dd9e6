package dumptest

import "slices"

// Flags of ERESOURCE (ntddk.h), and the one that marks a fast resource: the
// last is what third parties found, no header has it.
const (
	ResourceFast             = 0x01
	ResourceNeverExclusive   = 0x10
	ResourceReleaseByOther   = 0x20
	ResourceOwnedExclusively = 0x80
)

// Owner is an owner of a resource: a thread, or an owner pointer.
type Owner struct {
	Thread *Thread
	// Pointer is the owner's value if Thread is nil: what
	// ExSetResourceOwnerPointer was given, its two low bits set.
	Pointer uint64
	Count   uint32 // recursion; 1 if 0
	// Referenced and Boosted are the flags beside the count.
	Referenced, Boosted bool
}

// OwnerPointer is the owner's value for an address: with the two low bits set.
func OwnerPointer(va uint64) uint64 { return va | 3 }

// ResourceSpec declares an ERESOURCE.
type ResourceSpec struct {
	At        uint64 // where it lies; in pool if 0
	Unlinked  bool   // not in ExpSystemResourcesList
	Exclusive *Owner
	Shared    []Owner // the first goes into OwnerEntry, unless SharedInTable
	// SharedInTable puts all shared owners into the table, Holes leaves that
	// many empty entries before each.
	SharedInTable bool
	Holes         int
	TableSize     uint32 // at least what the owners need
	Flags         uint16 // beside ResourceOwnedExclusively
	Contention    uint32
	// Waiters, in the order in which they wait. Those on stacks must have a
	// frame of ExpWaitForResource; the entries of others are put into pool.
	SharedWaiters, ExclusiveWaiters []*Thread
	// Circular closes a chain of waiters (14393 and later) instead of ending it
	// with a null pointer.
	Circular bool
	// Contradict replaces fields by other values, for counts that lie.
	Contradict Contradiction
}

// Contradiction are values that replace those that would be right.
type Contradiction struct {
	ActiveCount                                               *int16
	ActiveEntries, SharedWaiters, ExclusiveWaiters, TableSize *uint32
}

// Resource is an ERESOURCE.
type Resource struct {
	Spec ResourceSpec
	VA   uint64
	Fast bool
	m    *Machine
}

// AddResource makes an ERESOURCE and links it into ExpSystemResourcesList.
func (m *Machine) AddResource(spec ResourceSpec) *Resource {
	r := &Resource{Spec: spec, VA: spec.At, m: m}
	if r.VA == 0 {
		r.VA = m.Alloc(m.sizeOf("ERESOURCE"))
	}
	m.resources = append(m.resources, r)
	if spec.Exclusive != nil && len(spec.Shared) > 0 {
		m.fail("resource %#x is owned exclusively and shared", r.VA)
	}
	if !spec.Unlinked {
		m.listAppend(m.nt.Symbol("ExpSystemResourcesList"), r.VA+m.off("ERESOURCE.SystemResourcesList"))
	}
	r.fillOwners()
	r.fillWaiters()
	r.fillCounts()
	return r
}

func (r *Resource) at(f string) uint64 { return r.VA + r.m.off("ERESOURCE."+f) }

func (r *Resource) owners() []Owner {
	if r.Spec.Exclusive != nil {
		return []Owner{*r.Spec.Exclusive}
	}
	return r.Spec.Shared
}

// fillEntry fills an OWNER_ENTRY.
func (r *Resource) fillEntry(va uint64, o Owner) {
	m := r.m
	m.Poke64(va+m.off("OWNER_ENTRY.OwnerThread"), o.value())
	m.pokeBits(va, "OWNER_ENTRY.OwnerCount", max(o.Count, 1))
	m.pokeBits(va, "OWNER_ENTRY.OwnerReferenced", uint32(bit(o.Referenced)))
	m.pokeBits(va, "OWNER_ENTRY.IoPriorityBoosted", uint32(bit(o.Boosted)))
}

func (o Owner) value() uint64 {
	if o.Thread != nil {
		return o.Thread.VA
	}
	return o.Pointer
}

// fillOwners: an exclusive owner, and one shared owner, is OwnerEntry; further
// ones are in OwnerTable from its second entry on. The first entry has only the
// number of entries.
func (r *Resource) fillOwners() {
	m, table := r.m, r.Spec.Shared
	if r.Spec.Exclusive != nil {
		r.fillEntry(r.at("OwnerEntry"), *r.Spec.Exclusive)
	} else if len(table) > 0 && !r.Spec.SharedInTable {
		r.fillEntry(r.at("OwnerEntry"), table[0])
		table = table[1:]
	}
	size := max(uint32(1+len(table)*(1+r.Spec.Holes)), r.Spec.TableSize)
	if size == 1 {
		return
	}
	entry := m.sizeOf("OWNER_ENTRY")
	base := m.Alloc(entry * uint64(size))
	m.Poke64(r.at("OwnerTable"), base)
	if v := r.Spec.Contradict.TableSize; v != nil {
		size = *v
	}
	m.Poke32(base+m.off("OWNER_ENTRY.TableSize"), size)
	for i, o := range table {
		slot := 1 + i*(1+r.Spec.Holes) + r.Spec.Holes
		r.fillEntry(base+entry*uint64(slot), o)
	}
}

func (r *Resource) fillCounts() {
	m, c := r.m, r.Spec.Contradict
	owners := uint32(len(r.owners()))
	count, entries := int16(bit(owners > 0)), owners
	shared, exclusive := uint32(len(r.Spec.SharedWaiters)), uint32(len(r.Spec.ExclusiveWaiters))
	flags := r.Spec.Flags
	if r.Spec.Exclusive != nil {
		flags |= ResourceOwnedExclusively
	}
	replace(&count, c.ActiveCount)
	replace(&entries, c.ActiveEntries)
	replace(&shared, c.SharedWaiters)
	replace(&exclusive, c.ExclusiveWaiters)
	m.poke16(r.at("ActiveCount"), uint16(count))
	m.poke16(r.at("Flag"), flags)
	m.Poke32(r.at("ActiveEntries"), entries)
	m.Poke32(r.at("ContentionCount"), r.Spec.Contention)
	m.Poke32(r.at("NumberOfSharedWaiters"), shared)
	m.Poke32(r.at("NumberOfExclusiveWaiters"), exclusive)
}

func replace[T any](v *T, by *T) {
	if by != nil {
		*v = *by
	}
}

// fillWaiters links the waiters as the build does: 6.1 and 6.3 let them wait on
// a semaphore and an event of the resource, 14393 the shared ones and 17763 all
// on events of their own, whose entries form a chain.
func (r *Resource) fillWaiters() {
	m := r.m
	threaded := m.layout.has("KWAIT_CHAIN_ENTRY.Thread")
	switch {
	case !m.layout.has("KWAIT_CHAIN_ENTRY"):
		r.waitOn("SharedWaiters", SemaphoreObject, r.Spec.SharedWaiters)
		r.waitOn("ExclusiveWaiters", EventSynchronization, r.Spec.ExclusiveWaiters)
	case !threaded:
		r.chain("SharedWaiters", r.Spec.SharedWaiters)
		r.waitOn("ExclusiveWaiters", EventSynchronization, r.Spec.ExclusiveWaiters)
	default:
		r.chain("SharedWaiters", r.Spec.SharedWaiters)
		r.chain("ExclusiveWaiters", r.Spec.ExclusiveWaiters)
	}
}

// waitOn makes the object that the field points to, and its waiters.
func (r *Resource) waitOn(field string, typ ObjectType, threads []*Thread) {
	if len(threads) == 0 {
		return
	}
	o := &Object{VA: r.m.Alloc(r.m.sizeOf(objectTypes[typ])), Type: typ, m: r.m}
	r.m.dispatcherHeader(o.VA, typ, 0)
	if typ == SemaphoreObject {
		o.Spec.Limit = 0x7FFF_FFFF
		r.m.Poke32(o.VA+r.m.off("KSEMAPHORE.Limit"), o.Spec.Limit)
	}
	r.m.Poke64(r.at(field), o.VA)
	for _, t := range threads {
		t.Wait(WaitSpec{Objects: []*Object{o}})
	}
}

// chain makes the entries that the KWAIT_CHAIN in the field heads.
func (r *Resource) chain(field string, threads []*Thread) {
	m := r.m
	var entries []uint64
	for _, t := range threads {
		at := r.entryAt(t)
		o := &Object{VA: at + m.off("KWAIT_CHAIN_ENTRY.Event"), Type: EventSynchronization, m: m}
		m.dispatcherHeader(o.VA, o.Type, 0)
		if m.layout.has("KWAIT_CHAIN_ENTRY.Thread") {
			m.Poke64(at+m.off("KWAIT_CHAIN_ENTRY.Thread"), t.VA)
		}
		t.Wait(WaitSpec{Objects: []*Object{o}})
		entries = append(entries, at)
	}
	if len(entries) == 0 {
		return
	}
	m.Poke64(r.at(field), entries[0])
	n := len(entries)
	for i, at := range entries {
		next, previous := entries[(i+1)%n], entries[(i+n-1)%n]
		if !r.Spec.Circular && i == n-1 {
			next = 0
		}
		if !r.Spec.Circular && i == 0 {
			previous = 0
		}
		m.Poke64(at, next)
		if m.layout.has("KWAIT_CHAIN_ENTRY.Thread") {
			m.Poke64(at+8, previous)
		}
	}
}

// chainSlot is where ExpWaitForResource has its KWAIT_CHAIN_ENTRY, from its SP.
const chainSlot = 0x50

// entryAt is where a waiter's chain entry lies: on its stack if that has a frame
// for it.
func (r *Resource) entryAt(t *Thread) uint64 {
	i := slices.IndexFunc(t.Frames, func(f TruthFrame) bool { return f.Function == "ExpWaitForResource" })
	if i < 0 {
		return r.m.Alloc(r.m.sizeOf("KWAIT_CHAIN_ENTRY"))
	}
	return t.Frames[i].SP + chainSlot
}

// FastResourceSpec declares a fast resource (FAST_ERESOURCE of the public
// symbols, 17763 and later).
type FastResourceSpec struct {
	At        uint64
	Owners    []*Thread
	Exclusive bool
}

// AddFastResource makes a fast resource: owner entries in a list take the place
// of OwnerEntry.
func (m *Machine) AddFastResource(spec FastResourceSpec) *Resource {
	r := &Resource{VA: spec.At, Fast: true, m: m}
	if !m.HasFastResources() || spec.Exclusive && len(spec.Owners) != 1 {
		m.fail("build %s has no such fast resource: %d owners", m.layout.build, len(spec.Owners))
		return r
	}
	if r.VA == 0 {
		r.VA = m.Alloc(m.sizeOf("FAST_ERESOURCE_INTERNAL"))
	}
	m.resources = append(m.resources, r)
	at := func(f string) uint64 { return r.VA + m.off("FAST_ERESOURCE_INTERNAL."+f) }
	m.listAppend(m.nt.Symbol("ExpSystemResourcesList"), at("SystemResourcesList"))
	m.initList(at("OwnerEntryListHead"))
	flags := uint16(ResourceFast)
	if spec.Exclusive {
		flags |= ResourceOwnedExclusively
		r.Spec.Exclusive = &Owner{Thread: spec.Owners[0]}
	}
	for _, t := range spec.Owners {
		entry := m.Alloc(m.sizeOf("FAST_OWNER_ENTRY_INTERNAL"))
		m.Poke64(entry+m.off("FAST_OWNER_ENTRY_INTERNAL.LockAddress"), r.VA)
		m.Poke64(entry+m.off("FAST_OWNER_ENTRY_INTERNAL.ThreadAddress"), t.VA)
		m.listAppend(at("OwnerEntryListHead"), entry+m.off("FAST_OWNER_ENTRY_INTERNAL.ListEntry"))
		if !spec.Exclusive {
			r.Spec.Shared = append(r.Spec.Shared, Owner{Thread: t})
		}
	}
	m.poke16(at("Flag"), flags)
	m.poke16(at("ActiveCount"), uint16(bit(len(spec.Owners) > 0)))
	m.Poke32(at("ActiveEntries"), uint32(len(spec.Owners)))
	return r
}

// HasFastResources says whether the build has fast resources.
func (m *Machine) HasFastResources() bool { return m.layout.has("FAST_ERESOURCE_INTERNAL") }
