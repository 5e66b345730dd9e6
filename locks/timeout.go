package locks

import (
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
