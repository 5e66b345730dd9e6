package locks

import "kdlocks/kd"

// Mode is how an ERESOURCE is held.
type Mode uint8

// The modes of a head line. Unowned is "Available".
const (
	ModeUnknown Mode = iota
	Exclusive
	Shared
	Unowned
)

// String returns the word used in reports.
func (m Mode) String() string {
	switch m {
	case Exclusive:
		return "exclusive"
	case Shared:
		return "shared"
	case Unowned:
		return "unowned"
	}
	return "unknown"
}

// Printed is a count as the debugger printed it. !locks leaves a line out when
// its count is zero; Known tells the two apart.
type Printed struct {
	N  int
	At kd.Ref
	// Unread is set when a number was printed and could not be read, or when a
	// flag says that it is not zero and no number was printed. N is then 0 and
	// means nothing.
	Unread bool
}

// Known reports whether the count was printed and could be read.
func (p Printed) Known() bool { return p.At.Known() && !p.Unread }

// of says the count in words.
func (p Printed) of(noun string) string {
	if p.Unread {
		return "a number of " + noun + "s that could not be read"
	}
	return kd.Plural(p.N, noun)
}

// absent says why a count is not known.
func (p Printed) absent(things string) string {
	if p.Unread {
		return "the count of " + things + " could not be read"
	}
	return "no count of " + things + " was printed"
}

// Entry is one item of a "Threads:" list: an owner or a shared waiter, until
// reconciling says which.
type Entry struct {
	Raw     kd.Addr // with its low bits
	Count   int     // the hexadecimal -NN behind the address: recursion of an owner; 0 from extensions
	Marked  bool    // followed by <*>
	Remark  string  // "*** ..." as printed, without the asterisks
	Actual  kd.Addr // X of "*** Actual Thread X", else 0
	At      kd.Ref  // the entry with its remark
	AtBreak bool    // the input ends right behind it: its mark may be missing
}

// OwnerEntry is an Entry that owns the resource. Raw is a thread address, a
// thread address with low bits set, or an owner pointer.
type OwnerEntry = Entry

// Waiter is a thread in a waiter list.
type Waiter struct {
	Thread kd.Addr
	At     kd.Ref
	// AtBreak is set when the input ends right behind it: a mark that would
	// make it an owner may be cut off.
	AtBreak bool
}

// Marker reports whether the waiter is no thread: lists of Windows 10 hold the
// value 60001, which !thread calls invalid (testdata/corpus, captures 022 and
// 025).
func (w Waiter) Marker() bool { return !w.Thread.IsKernel(kd.ArchUnknown) }

// Threads counts the waiters of a list that are threads.
func Threads(ws []Waiter) int {
	n := 0
	for _, w := range ws {
		if !w.Marker() {
			n++
		}
	}
	return n
}

// Reading says how far the lists of a resource can be trusted.
type Reading uint8

// The readings of a list.
const (
	// Sound: marks, head line and counts agree, or what is missing is only
	// announced and not listed.
	Sound Reading = iota
	// Doubtful: the roles follow from the counts although the marks say
	// otherwise, or from what mex reads of the object. Edges drawn from it have
	// grade C.
	Doubtful
	// Irreconcilable: marks, head line and counts contradict each other. No
	// edge is drawn from it.
	Irreconcilable
	// Hearsay: the summary of an extension that has been seen to name wrong
	// owners. Edges drawn from it have grade D.
	Hearsay
)

// Resource is one ERESOURCE as printed, with the roles that reconciling gave
// to the entries of its lists.
type Resource struct {
	Addr   kd.Addr
	Symbol string // "nt!PiEngineLock" if the head line names it
	Mode   Mode
	// SharedOwners is N of "Shared N owning threads".
	SharedOwners Printed
	Contention   Printed // "Contention Count": since boot
	// Doubted says what the reader of a dump found to disagree with the owners or waiters,
	// "" elsewhere.
	Doubted string
	// SharedWaiterCount and ExclusiveWaiterCount are "NumberOf...Waiters".
	SharedWaiterCount    Printed
	ExclusiveWaiterCount Printed

	Entries          []Entry // the "Threads:" list in its order
	Owners           []OwnerEntry
	SharedWaiters    []Waiter
	ExclusiveWaiters []Waiter

	// Extension names the extension that printed the block, "" for !locks. Its
	// missing counts are unknown, and owners have none.
	Extension string

	Reading Reading
	Why     string // for a Reading that is not Sound: what contradicts what
	// HeadUntrusted is set when the debugger said that it has no ERESOURCE
	// type: the head line's mode is then not trustworthy.
	HeadUntrusted bool
	// Open is set when the input ends inside the block.
	Open bool
	// Swallowed are the lines that a remark may hide and that were not read
	// elsewhere: what they say is unknown.
	Swallowed Lines
	// Conflict says how other output contradicts the block, "" if none does:
	// it may be of another moment.
	Conflict string

	At      kd.Ref // the head line
	EndLine int32
	Round   int // Round.Index of the output it is part of

	// damaged is set when an item of the "Threads:" list could not be read, or
	// an author left some out; the first stood before Entries[damagedAt].
	damaged   bool
	damagedAt int
	slots     slotForm
}

// Unlisted returns how many shared and exclusive waiters are announced by a
// count but missing from the lists. The count has been seen to count markers.
func (r *Resource) Unlisted() (shared, exclusive int) {
	shared = max(0, r.SharedWaiterCount.N-len(r.SharedWaiters))
	exclusive = max(0, r.ExclusiveWaiterCount.N-len(r.ExclusiveWaiters))
	return shared, exclusive
}

// UnlistedOwners returns how many owning threads of a shared resource are
// announced but missing from the list. Whether the number counts threads or how
// often they took the resource is not documented: either may explain it.
func (r *Resource) UnlistedOwners() int {
	if r.Mode != Shared || r.Reading == Irreconcilable || !r.SharedOwners.Known() || len(r.Owners) == 0 {
		return 0
	}
	taken := 0
	for _, o := range r.Owners {
		taken += max(o.Count, 1)
	}
	if r.SharedOwners.N <= taken {
		return 0
	}
	return max(0, r.SharedOwners.N-len(r.Owners))
}

// Waiting returns the number of threads that wait, by list or by count,
// whichever is larger. Markers are none.
func (r *Resource) Waiting() int {
	s, e := r.Unlisted()
	return Threads(r.SharedWaiters) + Threads(r.ExclusiveWaiters) + s + e
}

// Contended returns the contention count, false if it is unknown.
func (r *Resource) Contended() (int, bool) {
	return r.count(r.Contention, r.Swallowed&ContentionLine != 0)
}

// SharedWaiting returns how many waiters for shared access the block announces,
// false if that is unknown.
func (r *Resource) SharedWaiting() (int, bool) {
	return r.count(r.SharedWaiterCount, len(r.SharedWaiters) > 0 || r.Swallowed&SharedWaitersLine != 0)
}

// ExclusiveWaiting is SharedWaiting for exclusive access.
func (r *Resource) ExclusiveWaiting() (int, bool) {
	return r.count(r.ExclusiveWaiterCount, len(r.ExclusiveWaiters) > 0 || r.Swallowed&ExclusiveWaitersLine != 0)
}

// count returns a printed count. !locks leaves a line out when its count is
// zero, so in a whole block without contradiction a missing line is a known
// zero.
func (r *Resource) count(p Printed, contradicted bool) (int, bool) {
	switch {
	case p.Known():
		return p.N, true
	case p.Unread || contradicted || r.Extension != "" || r.HeadUntrusted || r.Mode == ModeUnknown || r.Open && len(r.Entries) == 0:
		return 0, false
	}
	return 0, true
}

// MapAddrs replaces every address of the resource by f of it.
func (r *Resource) MapAddrs(f func(kd.Addr) kd.Addr) {
	r.Addr = f(r.Addr)
	for _, list := range [][]Entry{r.Entries, r.Owners} {
		for i := range list {
			list[i].Raw, list[i].Actual = f(list[i].Raw), f(list[i].Actual)
		}
	}
	for _, list := range [][]Waiter{r.SharedWaiters, r.ExclusiveWaiters} {
		for i := range list {
			list[i].Thread = f(list[i].Thread)
		}
	}
}

// Listing is what one transcript says about resources, before the moments it
// shows are told apart.
type Listing struct {
	Resources []*Resource
	Timeouts  []Timeout
	// Rounds are the commands whose output was read, in the order of the input.
	Rounds      []Round
	Triage      []Triage
	QueuedLocks []QueuedLock
	PushLocks   []PushLock
	Notes       []kd.Note
}

// Seen reports whether any output of !locks was read.
func (l Listing) Seen() bool {
	for _, r := range l.Rounds {
		if r.Seen {
			return true
		}
	}
	return false
}

// Totals returns the figures of the last closing line that was read. Some
// debuggers leave the held count out, which says nothing about it.
func (l Listing) Totals() (total, held Printed) {
	for _, r := range l.Rounds {
		if r.Complete && r.Total.At.Known() {
			total, held = r.Total, r.Held
		}
	}
	return total, held
}
