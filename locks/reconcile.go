package locks

import (
	"fmt"

	"kdlocks/kd"
)

// reconcile gives each entry of the "Threads:" list its role. The debugger
// prints owners and shared waiters in one list and marks owners with <*>, but
// some versions mark shared waiters too (testdata/corpus/030-*) and old ones
// mark nobody (NT 4, locks_test.go). So the head line and the counts decide, and
// a list that fits neither gets no roles that an edge could be drawn from.
func (r *Resource) reconcile() {
	if r.Extension != "" {
		r.reconcileExtension()
		return
	}
	r.dropCutEntry()
	if r.slots.set {
		r.reconcileSlots()
		return
	}
	switch r.Mode {
	case Exclusive:
		r.reconcileExclusive()
	case Shared:
		r.reconcileShared()
	default:
		r.reconcileUnknown()
	}
	r.checkExclusiveList()
	if r.Doubted != "" {
		r.doubt(r.Doubted)
	}
	r.checkDamage()
}

// damage records that an item is missing behind those that were read.
func (r *Resource) damage() {
	if !r.damaged {
		r.damaged, r.damagedAt = true, len(r.Entries)
	}
}

// checkDamage weakens a list in which an item could not be read. Where the
// debugger marks waiters, too, owners are told by their place and number, so a
// mark tells an owner only if nothing is missing before it and no more are
// marked than can own.
func (r *Resource) checkDamage() {
	owners := 1
	if r.Mode == Shared {
		owners = max(1, r.SharedOwners.N)
	}
	switch marked := r.marked(); {
	case !r.damaged:
	case marked == 0:
		r.refuse("an entry could not be read, and no other is marked <*>")
	case marked > owners:
		r.refuse(fmt.Sprintf("an entry could not be read, and %d others are marked <*>", marked))
	case r.damagedAt <= r.lastMarked():
		r.refuse("an entry could not be read, and one behind it is marked <*>")
	default:
		r.doubt("an entry could not be read")
	}
}

// dropCutEntry forgets an unmarked last entry that the end of the input
// touches, unless the counts have room for it: its mark may be cut off.
func (r *Resource) dropCutEntry() {
	k := len(r.Entries)
	if k < 2 || !r.Entries[k-1].AtBreak || r.Entries[k-1].Marked {
		return
	}
	owners := 1
	if r.Mode == Shared {
		owners = max(1, r.SharedOwners.N)
	}
	if k > owners+r.SharedWaiterCount.N {
		r.Entries = r.Entries[:k-1]
	}
}

func (r *Resource) marked() int {
	n := 0
	for _, e := range r.Entries {
		if e.Marked {
			n++
		}
	}
	return n
}

// lastMarked returns the index of the last marked entry, -1 if there is none.
func (r *Resource) lastMarked() int {
	for i := len(r.Entries) - 1; i >= 0; i-- {
		if r.Entries[i].Marked {
			return i
		}
	}
	return -1
}

func (r *Resource) reconcileExclusive() {
	k := len(r.Entries)
	s := r.announcedShared(k - 1)
	if k == 0 {
		return
	}
	r.splitAt(r.firstOwner())
	switch marked := r.marked(); {
	case marked > 1 && k == 1+s && !r.Open:
		r.doubt(fmt.Sprintf("exclusively owned, but %d entries are marked <*>; with %s only the first can be the owner", marked, r.SharedWaiterCount.of("shared waiter")))
	case marked > 1:
		r.refuse(fmt.Sprintf("exclusively owned, but %d of %d entries are marked <*>; announced: %s", marked, k, r.SharedWaiterCount.of("shared waiter")))
	case marked == 0 && k > 1 && k != 1+s:
		r.refuse(fmt.Sprintf("no entry is marked <*>, %d are listed; announced: %s", k, r.SharedWaiterCount.of("shared waiter")))
	case k > 1 && !r.SharedWaiterCount.Known():
		r.doubt(fmt.Sprintf("%s beside the owner, but %s", kd.Plural(k-1, "entry"), r.SharedWaiterCount.absent("shared waiters")))
	case k > 1+s:
		r.refuse(fmt.Sprintf("%s beside the owner, but announced: %s", kd.Plural(k-1, "entry"), r.SharedWaiterCount.of("shared waiter")))
	}
}

// announcedShared returns the count of shared waiters as it is to be compared
// with the number that is listed. Markers among those may be counted or not.
func (r *Resource) announcedShared(listed int) int {
	s := r.SharedWaiterCount.N
	for _, e := range r.Entries {
		if s < listed && !e.Marked && e.waiter().Marker() {
			s++
		}
	}
	return s
}

// firstOwner returns the index of the first marked entry, else 0.
func (r *Resource) firstOwner() int {
	for i, e := range r.Entries {
		if e.Marked {
			return i
		}
	}
	return 0
}

// splitAt makes entry i the owner and all others shared waiters.
func (r *Resource) splitAt(i int) {
	for j, e := range r.Entries {
		if j == i {
			r.Owners = append(r.Owners, e)
		} else {
			r.SharedWaiters = append(r.SharedWaiters, e.waiter())
		}
	}
}

func (e Entry) waiter() Waiter {
	return Waiter{Thread: e.Raw, At: e.At, AtBreak: e.AtBreak && !e.Marked}
}

func (r *Resource) reconcileShared() {
	k, n := len(r.Entries), r.SharedOwners.N
	s := r.announcedShared(k - n)
	marked := r.marked()
	switch {
	case marked > n || marked == 0:
		r.splitAfter(min(n, k))
	default:
		r.splitByMark()
	}
	switch {
	case marked > n && k == n+s && !r.Open:
		r.doubt(fmt.Sprintf("%s, but %d entries are marked <*>; with %s only the first %d can own", kd.Plural(n, "owning thread"), marked, r.SharedWaiterCount.of("shared waiter"), n))
	case marked > n:
		r.refuse(fmt.Sprintf("%s, but %d of %d entries are marked <*>; announced: %s", kd.Plural(n, "owning thread"), marked, k, r.SharedWaiterCount.of("shared waiter")))
	case marked > 0 && marked < n && k > marked:
		r.refuse(fmt.Sprintf("%s, but only %d of %d entries are marked <*>", kd.Plural(n, "owning thread"), marked, k))
	case marked == 0 && k > 0 && k != n+s:
		r.refuse(fmt.Sprintf("no entry is marked <*>, %d are listed; announced: %s, %s", k, kd.Plural(n, "owning thread"), r.SharedWaiterCount.of("shared waiter")))
	case len(r.SharedWaiters) > s && !r.SharedWaiterCount.Known():
		r.doubt(fmt.Sprintf("%s not marked as owner, but %s", kd.Plural(len(r.SharedWaiters), "entry"), r.SharedWaiterCount.absent("shared waiters")))
	case len(r.SharedWaiters) > s:
		r.refuse(fmt.Sprintf("%s not marked as owner, but announced: %s", kd.Plural(len(r.SharedWaiters), "entry"), r.SharedWaiterCount.of("shared waiter")))
	}
}

// splitAfter makes the first n entries owners.
func (r *Resource) splitAfter(n int) {
	for i, e := range r.Entries {
		if i < n {
			r.Owners = append(r.Owners, e)
		} else {
			r.SharedWaiters = append(r.SharedWaiters, e.waiter())
		}
	}
}

func (r *Resource) splitByMark() {
	for _, e := range r.Entries {
		if e.Marked {
			r.Owners = append(r.Owners, e)
		} else {
			r.SharedWaiters = append(r.SharedWaiters, e.waiter())
		}
	}
}

// reconcileUnknown serves a head line whose mode is missing or "Available":
// marked entries are kept as owners for the record, but nothing is drawn.
func (r *Resource) reconcileUnknown() {
	r.splitByMark()
	if len(r.Entries)+len(r.ExclusiveWaiters) == 0 {
		return
	}
	if r.Mode == Unowned {
		r.refuse("the head line says Available, but threads are listed")
		return
	}
	r.refuse("the head line does not say how the resource is held")
}

// checkExclusiveList compares the exclusive waiters with their count. A list
// that is shorter than its count is a known habit of newer debuggers.
func (r *Resource) checkExclusiveList() {
	n := Threads(r.ExclusiveWaiters) // markers may be counted or not
	switch {
	case n > 0 && !r.ExclusiveWaiterCount.Known():
		r.doubt(fmt.Sprintf("%s listed, but %s", kd.Plural(n, "exclusive waiter"), r.ExclusiveWaiterCount.absent("them")))
	case n > r.ExclusiveWaiterCount.N && n > 0:
		r.refuse(fmt.Sprintf("%s listed, but announced: %d", kd.Plural(n, "exclusive waiter"), r.ExclusiveWaiterCount.N))
	}
}

func (r *Resource) doubt(why string) {
	if r.Reading == Sound {
		r.Reading, r.Why = Doubtful, why
	}
}

func (r *Resource) refuse(why string) {
	if r.Reading != Irreconcilable {
		r.Reading, r.Why = Irreconcilable, why
	}
}
