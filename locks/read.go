package locks

import (
	"fmt"
	"strconv"
	"strings"

	"kdlocks/kd"
)

// Read reads the output of !locks. Lines that are not part of it are passed
// over; Reader tells which.
func Read(lines []kd.Line) Listing {
	var r Reader
	for _, l := range lines {
		r.Line(l)
	}
	return r.Done()
}

// Reader reads the output of !locks line by line, with or without an address,
// plain, -v or -d, also when other output stands in between.
type Reader struct {
	out   Listing
	cur   *Resource
	list  listState
	wide  bool // the head line's address has 16 digits
	noHdr bool // "Cannot get _ERESOURCE type" came before the next head line
	half  half
	// swallowedAt is the last remark that may hide lines of the block.
	swallowedAt kd.Ref
	// elided is set when an elision came behind an owner list, which may go on.
	elided bool
	slots  *Timeout // the report of a resource time-out that is open, nil if none
	table  bool     // the column heads of a list of mex have been read
	// triage is set below "PNP_TRIAGE_DATA:".
	triage bool
	// qlocks is set below the key of !qlocks; processors are the columns of
	// its table, as bytes of the line.
	qlocks     bool
	pushLock   bool // the fields of a push lock follow
	processors []int
}

// listState is the list that a continuation line would belong to.
type listState uint8

const (
	noList        listState = iota
	ownerList               // after "Threads:"
	exclusiveList           // after "Threads Waiting On Exclusive Access:"
	slotList                // after "ActiveCount = ...", the NT 4 form

	extensionOwners // the lists of mex and WinDE
	extensionShared
	extensionExclusive
)

// Line takes the next line and reports whether it is part of !locks output.
func (r *Reader) Line(l kd.Line) bool {
	if l.Text == "" {
		r.foreign()
		return false
	}
	ok := r.headLine(l) || r.extensionHead(l) || r.analyzeLine(l) || r.qlocksLine(l) || r.pushLockLine(l) || r.frameLine(l)
	switch {
	case ok || r.cur == nil:
	case r.cur.Extension != "":
		ok = r.extensionLine(l)
	default:
		ok = r.bodyLine(l)
	}
	if ok && r.cur != nil {
		r.cur.EndLine = l.Last()
		r.cur.Open = true
	}
	if !ok {
		r.foreign()
	}
	return ok
}

// InWaiters reports whether the line before was part of an exclusive waiter
// list, so that the next may go on with it.
func (r *Reader) InWaiters() bool { return r.list == exclusiveList && r.cur.Open }

// foreign records that a line came which belongs to no list: the list before
// it was not cut off by the end of the input.
func (r *Reader) foreign() {
	if r.cur != nil {
		r.cur.Open = false
	}
}

// Break tells the reader that other output follows: a prompt, or the end of a
// paste. The block that was being read is complete as far as it was printed.
func (r *Reader) Break() {
	r.foreign()
	r.close()
	r.triage, r.qlocks, r.pushLock = false, false, false
}

// Done returns what was read.
func (r *Reader) Done() Listing {
	r.close()
	return r.out
}

func (r *Reader) close() {
	if r.cur == nil {
		return
	}
	if r.half.at.Known() {
		r.giveUp(r.half)
		r.half = half{}
	}
	r.report()
	r.checkSwallowed()
	r.cur.reconcile()
	r.out.Resources = append(r.out.Resources, r.cur)
	r.markers("shared", r.cur.SharedWaiters)
	r.markers("exclusive", r.cur.ExclusiveWaiters)
	if r.cur.HeadUntrusted {
		r.doubted(r.cur.At, "resource %x: the debugger had no ERESOURCE type, so its state is not trustworthy", uint64(r.cur.Addr))
	}
	if r.cur.Reading != Sound && (r.cur.Extension == "" || r.cur.Reading == Irreconcilable) {
		r.doubted(r.cur.At, "resource %x: %s", uint64(r.cur.Addr), r.cur.Why)
	}
	r.cur, r.list, r.table, r.elided = nil, noList, false, false
}

// markers notes the waiters that are no threads.
func (r *Reader) markers(kind string, ws []Waiter) {
	for _, w := range ws {
		if w.Marker() {
			r.note(w.At, "%s waiter %x is no thread: newer kernels keep a marker in the wait list", kind, uint64(w.Thread))
		}
	}
}

func (r *Reader) note(at kd.Ref, format string, args ...any) {
	r.out.Notes = append(r.out.Notes, kd.Note{At: at, Text: fmt.Sprintf(format, args...)})
}

// doubted notes that the block just read cannot be taken as it stands.
func (r *Reader) doubted(at kd.Ref, format string, args ...any) {
	self := kd.MarksFit
	if r.cur.Extension != "" {
		self = "" // that is in its nature
	}
	r.out.Notes = append(r.out.Notes, kd.Note{At: at, Text: fmt.Sprintf(format, args...), Self: self})
}

// headLine reads
//
//	Resource @ 0x896d2a68    Shared 1 owning threads
//	Resource @ nt!PiEngineLock (0xfffff8019cd8a380)    Exclusively owned
//	Resource @ 0x9655d4a8    Available
//	Resource @ 801e99c0
func (r *Reader) headLine(l kd.Line) bool {
	if l.Text[0] != 'R' && l.Text[0] != 'r' {
		return false
	}
	c := kd.Cursor{Text: l.Text}
	if !c.Take("Resource @") {
		return false
	}
	res := &Resource{At: l.All(), HeadUntrusted: r.noHdr}
	word, _ := c.Word()
	text, ok := word, false
	if res.Addr, ok = kd.ParseFullAddr(word); !ok {
		text = parenthesised(&c)
		res.Symbol = word
		if res.Addr, ok = kd.ParseFullAddr(text); !ok {
			r.note(l.All(), "resource head line without a whole address")
			r.Break()
			return true
		}
	}
	r.Break()
	r.round(l)
	res.Round = len(r.out.Rounds) - 1
	r.cur, r.noHdr = res, false
	r.wide = isWide(text)
	r.readMode(&c, l)
	return true
}

// parenthesised reads "(0xADDR)" and returns what is inside. Where a cut paste
// lacks the closing parenthesis digits may be missing, too: 8 of them are then
// an address only if they cannot begin one of 16.
func parenthesised(c *kd.Cursor) string {
	w, _ := c.Word()
	in, ok := strings.CutPrefix(w, "(")
	if !ok {
		return ""
	}
	in, closed := strings.CutSuffix(in, ")")
	if a, _ := kd.ParseFullAddr(in); !closed && !isWide(in) && a>>16 == 0xffff {
		return ""
	}
	return in
}

func isWide(addr string) bool { return kd.AddrDigits(addr) == 16 }

func (r *Reader) readMode(c *kd.Cursor, l kd.Line) {
	rest, at := c.Rest()
	switch {
	case c.Take("Exclusively owned"):
		r.cur.Mode = Exclusive
	case c.Take("Available"):
		r.cur.Mode = Unowned
	case c.Take("Shared"):
		w, wat := c.Word()
		n, err := strconv.Atoi(w)
		if err != nil || n < 0 {
			r.note(l.Ref(at, len(rest)), "resource head line: no count of owning threads")
			r.cur.SharedOwners = Printed{At: l.Ref(at, len(rest)), Unread: true}
			return
		}
		r.cur.Mode = Shared
		r.cur.SharedOwners = Printed{N: n, At: l.Ref(wat, len(w))}
		c.Take("owning threads")
	}
	r.restIsRemark(c, l)
}

// restIsRemark accepts what an author wrote behind the debugger's own words
// and notes anything else.
func (r *Reader) restIsRemark(c *kd.Cursor, l kd.Line) {
	rest, at := c.Rest()
	if rest == "" {
		return
	}
	r.swallowed(rest, l.Ref(at, len(rest)))
	if strings.HasPrefix(rest, "//") || strings.HasPrefix(rest, "<<") {
		return
	}
	r.note(l.Ref(at, len(rest)), "not understood behind a !locks line: %q", kd.Clip(rest))
}

// frameLine reads the lines around the resources.
func (r *Reader) frameLine(l kd.Line) bool {
	c := kd.Cursor{Text: l.Text}
	switch {
	case c.Take("**** DUMP OF ALL RESOURCE OBJECTS ****"):
		r.banner(l)
	case strings.HasPrefix(l.Text, "KD: Scanning for held locks"):
		r.Break()
		r.round(l)
	case c.Take("Cannot get _ERESOURCE type"):
		r.Break()
		r.noHdr = true
	case c.Take("Possible deadlock. Use !locks"):
		return r.timeout(&c, l)
	default:
		return r.totals(l)
	}
	return true
}

// totals reads
//
//	16088 total locks, 2 locks currently held
//	1 total locks
func (r *Reader) totals(l kd.Line) bool {
	c := kd.Cursor{Text: l.Text}
	total, at := c.Word()
	if !c.Take("total locks,") && !c.Take("total locks") {
		return false
	}
	held, heldAt := c.Word()
	whole := c.Take("locks currently") && strings.HasPrefix(c.Peek(), "held")
	if n, err := strconv.Atoi(total); (err != nil || n < 0) && !whole {
		return false
	}
	r.Break()
	round := r.round(l)
	round.Total = r.closing(total, l.Ref(at, len(total)))
	if whole {
		round.Held = r.closing(held, l.Ref(heldAt, len(held)))
	}
	if strings.HasPrefix(c.Peek(), "heldPNP_TRIAGE") { // a lost line break
		r.beginTriage(l)
	}
	// An answer about one address counts one lock.
	round.Full = round.Full || round.Total.N != 1
	round.Complete = true
	return true
}

// closing reads a count of the closing line.
func (r *Reader) closing(w string, at kd.Ref) Printed {
	n, err := strconv.Atoi(w)
	if err != nil || n < 0 {
		r.note(at, "count %q is not a number", kd.Clip(w))
		return Printed{At: at, Unread: true}
	}
	return Printed{N: n, At: at}
}

func (r *Reader) bodyLine(l kd.Line) bool {
	c := kd.Cursor{Text: l.Text}
	switch {
	case c.Take("Threads Waiting On Exclusive Access:"):
		r.list = exclusiveList
		r.addresses(&c, l)
	case c.Take("Threads:"):
		r.list = ownerList
		r.entries(&c, l)
	case c.Take("Contention Count ="):
		r.count(&c, l, &r.cur.Contention, 10)
	case takeCount(&c, "NumberOfSharedWaiters"):
		r.count(&c, l, &r.cur.SharedWaiterCount, 10)
	case takeCount(&c, "NumberOfExclusiveWaiters"):
		base := 10
		if r.list == slotList {
			base = 16
		}
		r.count(&c, l, &r.cur.ExclusiveWaiterCount, base)
	case c.Take("ActiveCount ="):
		return r.activeCount(&c, l)
	case c.Take("WARNING: Lists disagree:"):
		r.cur.Doubted, _ = c.Rest()
	case r.list == slotList && c.Take("Thread ="):
		r.slot(&c, l)
	default:
		return r.continuation(&c, l)
	}
	return true
}

// takeCount moves over the name of a count and the sign behind it, with or
// without blanks.
func takeCount(c *kd.Cursor, name string) bool {
	if !kd.HasPrefixFold(c.Text, name) {
		return false
	}
	c.Pos = len(name)
	if rest, at := c.Rest(); strings.HasPrefix(rest, "=") {
		c.Pos = at + 1
	}
	return true
}

// count reads the number behind "Contention Count =" and its kin.
func (r *Reader) count(c *kd.Cursor, l kd.Line, into *Printed, base int) {
	w, at := c.Word()
	n, err := strconv.ParseInt(w, base, 33)
	if err != nil || n < 0 {
		r.note(l.Ref(at, len(w)), "count %q is not a number", kd.Clip(w))
		*into = Printed{At: l.Ref(at, len(w)), Unread: true}
		return
	}
	*into = Printed{N: int(min(n, 1<<31-1)), At: l.Ref(at, len(w))}
	r.restIsRemark(c, l)
}

// activeCount reads the second line of the NT 4 form:
//
//	ActiveCount = 0001  Flags = IsOwnedExclusive sharedWaiter
func (r *Reader) activeCount(c *kd.Cursor, l kd.Line) bool {
	w, _ := c.Word()
	n, err := strconv.ParseUint(w, 16, 31)
	if err != nil || !c.Take("Flags =") {
		return false
	}
	r.list = slotList
	words, at := c.Rest()
	r.slots = &Timeout{ActiveCount: Printed{N: int(n), At: l.All()}, Flags: flags(words)}
	r.cur.slots = slotForm{set: true, flags: r.slots.Flags, at: l.Ref(at, len(words))}
	switch {
	case strings.Contains(words, "IsOwnedExclusive"):
		r.cur.Mode = Exclusive
	case n > 0:
		r.cur.Mode = Shared
		r.cur.SharedOwners = Printed{N: int(n), At: l.Ref(at, len(words))}
	default:
		r.cur.Mode = Unowned
	}
	return true
}

// slot reads an owner slot of the NT 4 form; empty ones are zero:
//
//	Thread = 809cd2f0, Count = 01
func (r *Reader) slot(c *kd.Cursor, l kd.Line) {
	w, at := c.Word()
	addr, ok := kd.ParseFullAddr(strings.TrimSuffix(w, ","))
	n := ""
	if c.Take("Count =") {
		n, _ = c.Word()
	}
	count, err := strconv.ParseUint(n, 16, 31)
	if !ok || err != nil {
		r.note(l.All(), "owner slot %q: bad address or count", kd.Clip(l.Text))
		r.cur.damage()
		return
	}
	r.restIsRemark(c, l)
	if addr == 0 {
		return
	}
	first := len(r.cur.Entries) == 0
	r.cur.Entries = append(r.cur.Entries, Entry{Raw: addr, Count: int(count), Marked: first && r.cur.Mode == Exclusive, At: l.Ref(at, len(w)-1)})
}

// continuation reads a line that holds nothing but list items.
func (r *Reader) continuation(c *kd.Cursor, l kd.Line) bool {
	switch r.list {
	case ownerList:
		if w := c.Peek(); !looksLikeEntry(w) || w[0] == '-' && !r.half.at.Known() {
			r.missing(l)
			return false
		}
		r.entries(c, l)
		return true
	case exclusiveList:
		n := r.cur.ExclusiveWaiterCount
		if n.Known() && Threads(r.cur.ExclusiveWaiters) >= n.N {
			return false // all that are announced have been listed
		}
		if !r.isWaiterRow(*c) {
			return false
		}
		r.addresses(c, l)
		return true
	}
	return false
}
