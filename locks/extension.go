package locks

import (
	"fmt"
	"strconv"
	"strings"

	"kdlocks/kd"
)

// The extensions that print ERESOURCEs in their own words.
const (
	Mex   = "mex"
	WinDE = "WinDE"
)

// extensionHead opens the block of a resource that an extension prints.
func (r *Reader) extensionHead(l kd.Line) bool {
	var res *Resource
	switch l.Text[0] {
	case 'n':
		res = mexHead(l)
	case 'B':
		res = windeHead(l)
	}
	if res == nil {
		return false
	}
	r.Break()
	r.out.Rounds = append(r.out.Rounds, Round{At: l.All(), Index: len(r.out.Rounds), Complete: true})
	res.Round = len(r.out.Rounds) - 1
	r.cur, r.noHdr, r.list = res, false, noList
	return true
}

// extensionLine reads a line of the block of an extension.
func (r *Reader) extensionLine(l kd.Line) bool {
	if r.cur.Extension == Mex {
		return r.mexLine(l)
	}
	return r.windeLine(l)
}

// section opens the list of owners or waiters that a line announces with the
// words "Exclusive owner:", "Shared Waiters:", "Shared Owner :" and their kin.
func (r *Reader) section(c *kd.Cursor) bool {
	exclusive := c.Take("Exclusive")
	if !exclusive && !c.Take("Shared") {
		return false
	}
	w, _ := c.Word()
	w, closed := strings.CutSuffix(w, ":")
	if !closed && !c.Take(":") {
		return false
	}
	switch strings.ToLower(w) {
	case "owner", "owners":
		r.list = extensionOwners
		r.cur.Mode = Shared
		if exclusive {
			r.cur.Mode = Exclusive
		}
	case "waiter", "waiters":
		r.list = extensionShared
		if exclusive {
			r.list = extensionExclusive
		}
	default:
		return false
	}
	return true
}

// item gives the thread of a row its role in the list that is open.
func (r *Reader) item(thread kd.Addr, at kd.Ref) bool {
	switch r.list {
	case extensionOwners:
		r.cur.Entries = append(r.cur.Entries, Entry{Raw: thread, Marked: true, At: at})
	case extensionShared:
		r.cur.SharedWaiters = append(r.cur.SharedWaiters, Waiter{Thread: thread, At: at})
	case extensionExclusive:
		r.cur.ExclusiveWaiters = append(r.cur.ExclusiveWaiters, Waiter{Thread: thread, At: at})
	default:
		return false
	}
	return true
}

// listCount keeps the number of waiters or shared owners. A zero is not kept: mex prints one
// for a resource that has a waiter (capture 025 in testdata/corpus).
func (r *Reader) listCount(w string, at kd.Ref) {
	n, err := strconv.ParseUint(w, 10, 31)
	if err != nil || n == 0 {
		return
	}
	p := Printed{N: int(n), At: at}
	switch r.list {
	case extensionOwners:
		if r.cur.Mode == Shared {
			r.cur.SharedOwners = p
		}
	case extensionShared:
		r.cur.SharedWaiterCount = p
	case extensionExclusive:
		r.cur.ExclusiveWaiterCount = p
	}
}

// reconcileExtension takes the roles as printed, for what they are worth: mex
// reads them from the object, and is right about owners in all captures but
// wrong about waiters; WinDE has named a waiter as the owner.
func (r *Resource) reconcileExtension() {
	r.Owners = append(r.Owners, r.Entries...)
	r.Reading, r.Why = Doubtful, "printed by "+r.Extension+" and not by !locks, which is more to be trusted"
	if r.Extension == WinDE {
		r.Reading = Hearsay
	}
	switch n, said := len(r.Owners), r.SharedOwners; {
	case r.Mode == Exclusive && n > 1:
		r.refuse(fmt.Sprintf("%s is said to be owned exclusively by %d threads", r.Extension+"'s resource", n))
	case said.Known() && n > said.N: // waiters among them, in a public capture of WinDE
		r.refuse(fmt.Sprintf("%s lists %d owning threads, but announced: %d", r.Extension, n, said.N))
	case said.Known() && n < said.N:
		r.Why += fmt.Sprintf("; announced: %s, listed: %d", kd.Plural(said.N, "owning thread"), n)
	}
}
