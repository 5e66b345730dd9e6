package dump

import (
	"fmt"
	"slices"

	"kdlocks/kd"
)

// Resource is an ERESOURCE.
type Resource struct {
	VA         uint64
	Active     int16  // ActiveCount
	Flags      uint8  // ReservedLowFlags
	Contention uint32 // ContentionCount
	Owners     []Owner
	// Shared and Exclusive are the threads that wait, as the lists of the resource and
	// the threads tell; the counts are what the resource says of itself.
	Shared, Exclusive           []uint64
	SharedCount, ExclusiveCount uint32
	// Doubt says what disagrees with the owners or waiters, "" if nothing does.
	Doubt string
	// Fast is set for a fast resource, whose owners are kept in another way.
	Fast bool

	sharedAt, exclusiveAt uint64 // SharedWaiters, ExclusiveWaiters
	table                 uint64 // OwnerTable
}

// Owner is an OWNER_ENTRY that is in use.
type Owner struct {
	Thread uint64 // or an owner pointer, with its low bits
	Count  uint32
}

// Flags of an ERESOURCE (ntddk.h).
const (
	ownedExclusive = 0x80
	fastFlag       = 0x01 // by analysis of others; checked against what it holds
)

// ExclusivelyOwned reports whether it is owned so, by its flags.
func (r *Resource) ExclusivelyOwned() bool { return r.Flags&ownedExclusive != 0 }

// free reports whether nobody owns or waits for it.
func (r *Resource) free() bool {
	return r.Active == 0 && len(r.Owners) == 0 && r.SharedCount|r.ExclusiveCount == 0 && len(r.Shared)+len(r.Exclusive) == 0
}

// mostResources bounds the list, of which large servers have a million, and mostHeld those
// of it that somebody owns or waits for.
const (
	mostResources = 1 << 21
	mostHeld      = 1 << 16
)

// readResources walks ExpSystemResourcesList.
func (d *Dump) readResources(f *Facts) {
	if d.kdbg.resources == 0 {
		d.gap("the list of ERESOURCEs: where it begins is not known", kd.NotInDump, "!locks", true)
		return
	}
	met := newTaken(resourceCell, mostResources)
	buf := make([]byte, d.layout.at(eresourceSize))
	err := d.mem.walkList(d.kdbg.resources, func(entry uint64) error {
		va := entry - d.layout.at(eresourceSystemResourcesList)
		if err := met.take(va); err != nil {
			return err
		}
		r, err := d.readResource(buf, va)
		switch {
		case err != nil:
			if d.moreGaps() {
				d.gap(fmt.Sprintf("the ERESOURCE at 0x%x: %v", va, err), why(err), fmt.Sprintf("!locks -v %x", va), true)
			}
		case r.free() && !r.Fast:
			f.Free = append(f.Free, Free{va, r.Contention})
		case len(f.Resources) == mostHeld:
			return fmt.Errorf("of those that are owned %w", errLimit(mostHeld))
		default:
			f.Resources = append(f.Resources, r)
		}
		return nil
	})
	f.Listed = err == nil
	if err != nil {
		d.gap(fmt.Sprintf("a part of the list of ERESOURCEs (ExpSystemResourcesList, 0x%x), of which %d were read: %v", d.kdbg.resources, len(met.by), err), why(err), "!locks", true)
	}
}

// readResource reads an ERESOURCE and its owners.
func (d *Dump) readResource(buf []byte, va uint64) (*Resource, error) {
	b, err := d.readRecord(buf, va)
	if err != nil {
		return nil, err
	}
	r := &Resource{
		VA: va, Active: int16(b.u16(eresourceActiveCount)), Flags: b.u8(eresourceFlag), Contention: b.u32(eresourceContentionCount),
		SharedCount: b.u32(eresourceNumberOfSharedWaiters), ExclusiveCount: b.u32(eresourceNumberOfExclusiveWaiters),
		sharedAt: b.u64(eresourceSharedWaiters), exclusiveAt: b.u64(eresourceExclusiveWaiters), table: b.u64(eresourceOwnerTable),
	}
	if d.isFast(b, r) {
		r.Fast = true
		return r, nil
	}
	d.addOwner(r, record{d.layout, va + d.layout.at(eresourceOwnerEntry), b.at(eresourceOwnerEntry, 0, 16)})
	if err := d.readOwnerTable(r); err != nil && d.moreGaps() {
		d.gap(fmt.Sprintf("owners of the ERESOURCE at 0x%x: its OwnerTable: %v", va, err), why(err), fmt.Sprintf("!locks -v %x", va), true)
	}
	d.checkOwners(r)
	return r, nil
}

func (d *Dump) addOwner(r *Resource, e record) {
	if t := e.u64(ownerOwnerThread); t != 0 {
		d.owners++
		r.Owners = append(r.Owners, Owner{Thread: t, Count: e.u32(ownerOwnerCount)})
	}
}

// checkOwners takes owners out that are left over: those that count nothing, where the
// resource counts no more owners than the others. What else it contradicts is doubted.
func (d *Dump) checkOwners(r *Resource) {
	unused := func(o Owner) bool { return o.Count == 0 }
	i := slices.IndexFunc(r.Owners, unused)
	if i < 0 {
		if r.Active == 0 && len(r.Owners) > 0 {
			d.doubt(r, "ERESOURCE 0x%x has the ActiveCount 0, and an owner entry names 0x%x", r.VA, r.Owners[0].Thread)
		}
		return
	}
	left := r.Owners[i].Thread
	used := slices.DeleteFunc(slices.Clone(r.Owners), unused)
	if int(r.Active) <= len(used) {
		r.Owners = used
		d.note("an owner entry of ERESOURCE 0x%x names 0x%x and counts 0: it is taken for one that is left over", r.VA, left)
		return
	}
	d.doubt(r, "an owner entry of ERESOURCE 0x%x names 0x%x and counts 0", r.VA, left)
}

// counts reports whether ActiveCount says how many own a resource: in some it must.
func (f *Facts) counts() bool {
	return slices.ContainsFunc(f.Resources, func(r *Resource) bool { return r.Active > 0 && len(r.Owners) > 0 })
}

// doubt notes a disagreement, for which the lists of a resource are believed less.
func (d *Dump) doubt(r *Resource, format string, args ...any) {
	d.note(format, args...)
	if r.Doubt == "" {
		r.Doubt = fmt.Sprintf(format, args...)
	}
}

// mostOwners bounds a table of owners, mostAllOwners those of all resources.
const (
	mostOwners    = 1 << 16
	mostAllOwners = 1 << 17
)

// readOwnerTable reads the owners behind the first: slot 0 holds the size of the
// table alone.
func (d *Dump) readOwnerTable(r *Resource) error {
	if r.table == 0 {
		return nil
	}
	const size = 16
	n, err := d.mem.u32(r.table + d.layout.at(ownerTableSize))
	if err != nil {
		return err
	}
	if n > mostOwners {
		return fmt.Errorf("0x%x is said to have %d entries", r.table, n)
	}
	var b [size]byte
	for i := uint64(1); i < uint64(n); i++ {
		if d.owners >= mostAllOwners {
			return fmt.Errorf("of all owners %w", errLimit(mostAllOwners))
		}
		e, err := d.readRecord(b[:], r.table+i*size)
		if err != nil {
			return err
		}
		d.addOwner(r, e)
	}
	return nil
}

// isFast reports whether a resource is a fast one: where others have their first owner, it
// has the head of a list.
func (d *Dump) isFast(b record, r *Resource) bool {
	if !d.layout.has(fastSize) {
		return false
	}
	head := b.va + d.layout.at(eresourceOwnerEntry)
	flink, blink := le.Uint64(b.at(eresourceOwnerEntry, 0, 8)), le.Uint64(b.at(eresourceOwnerEntry, 8, 8))
	listed := kernelAddress(flink) && kernelAddress(blink) && flink&7 == 0 && blink&7 == 0
	if listed && flink != head {
		back, err := d.mem.u64(flink + 8)
		listed = err == nil && back == head
	}
	if !listed && r.Flags&fastFlag != 0 {
		d.note("the ERESOURCE at 0x%x has the flag of a fast resource, and no list of owners: it is read as an ordinary one", r.VA)
	}
	return listed
}

// kernelAddress reports whether an address is in the half of the kernel.
func kernelAddress(va uint64) bool { return va>>47 == 1<<17-1 }
