package locks

import (
	"fmt"
	"slices"
	"strings"

	"kdlocks/kd"
)

// Timeout is the kernel's own complaint about a resource, printed when a
// thread has waited for longer than the resource time-out. NT 4 tells more of
// the resource than newer kernels do.
type Timeout struct {
	Addr             kd.Addr
	ActiveCount      Printed
	Flags            []string // "IsOwnedExclusive", "sharedWaiter", ...
	ExclusiveWaiters Printed
	Threads          []Entry // slots that are not empty
	// BrokeAt is the place in code at which the thread that complains broke into
	// the debugger, "nt!ExpWaitForResource+0x20a846"; "" if that was not printed.
	BrokeAt string
	At      kd.Ref
}

// BrokeIn tells the reader where in code the break is that a debugger reports at
// a line; it belongs to a complaint directly above.
func (r *Reader) BrokeIn(place string, at kd.Ref) {
	n := len(r.out.Timeouts)
	if n == 0 {
		return
	}
	if t := &r.out.Timeouts[n-1]; t.At.Input == at.Input && t.At.EndLine() < at.Line && at.Line-t.At.EndLine() <= 2 {
		t.BrokeAt = place
	}
}

// slotForm is what the NT 4 form says of waiters: flags, and no count of shared
// ones.
type slotForm struct {
	set   bool
	flags []string
	at    kd.Ref
}

// has reports whether a flag is set. Both spellings, with a small and a capital
// first letter, stand in one line of the debugger.
func (s slotForm) has(flag string) bool {
	return slices.ContainsFunc(s.flags, func(f string) bool { return strings.EqualFold(f, flag) })
}

// reconcileSlots gives roles to the owner slots. An exclusive owner has the
// first; of a resource that is owned shared ActiveCount threads own. Slots
// beyond those are of shared waiters, if the flags say that there are any.
func (r *Resource) reconcileSlots() {
	owners := 0
	switch r.Mode {
	case Exclusive:
		owners = 1
	case Shared:
		owners = r.SharedOwners.N
	}
	k := len(r.Entries)
	r.splitAfter(min(owners, k))
	waits := r.slots.has("sharedWaiter")
	switch {
	case r.damaged && r.damagedAt < max(owners, 1):
		r.refuse("an owner slot could not be read")
	case r.damaged:
		r.doubt("a slot could not be read")
	case k > owners && r.Mode == Unowned:
		r.refuse("nobody owns it by its ActiveCount, but threads are listed")
	case k > owners && !waits:
		r.refuse(fmt.Sprintf("%d threads in owner slots, but by its ActiveCount and flags it has %s and no shared waiter", k, kd.Plural(owners, "owner")))
	case k > owners && r.Mode == Shared:
		r.doubt(fmt.Sprintf("%d threads in owner slots for %s and the shared waiters: the first are taken for owners", k, kd.Plural(owners, "owner")))
	}
	if waits && k <= owners {
		r.SharedWaiterCount = Printed{At: r.slots.at, Unread: true}
	}
	if r.slots.has("ExclusiveWaiter") && r.ExclusiveWaiterCount.N == 0 {
		r.ExclusiveWaiterCount = Printed{At: r.slots.at, Unread: true}
	}
}

// timeout reads the kernel's message before its resource time-out break:
//
//	Possible deadlock. Use !locks FFFFB42768DEB908 to determine the resource owner
func (r *Reader) timeout(c *kd.Cursor, l kd.Line) bool {
	w, at := c.Word()
	addr, ok := kd.ParseFullAddr(w)
	if !ok {
		return false
	}
	r.out.Timeouts = append(r.out.Timeouts, Timeout{Addr: addr, At: l.Ref(at, len(w))})
	return true
}

// report keeps the block in the NT 4 form as what it is, a report of a
// time-out.
func (r *Reader) report() {
	res := r.cur
	if r.slots == nil {
		return
	}
	t := *r.slots
	t.Addr, t.At, t.ExclusiveWaiters, t.Threads = res.Addr, res.At, res.ExclusiveWaiterCount, res.Entries
	r.out.Timeouts = append(r.out.Timeouts, t)
	r.slots = nil
}

// flags cuts "IsOwnedExclusive sharedWaiter".
func flags(s string) []string {
	s, _, _ = strings.Cut(s, "//")
	return strings.Fields(s)
}
