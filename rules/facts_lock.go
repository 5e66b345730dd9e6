package rules

import (
	"iter"
	"slices"

	"kdlocks/kd"
	"kdlocks/locks"
	"kdlocks/snapshot"
)

type (
	lockFact  = *snapshot.Resource
	ownerFact struct {
		*snapshot.Owner
		lock *snapshot.Resource
	}
	waiterFact struct {
		*locks.Waiter
		lock      *snapshot.Resource
		exclusive bool
		// place counts from 1 in its list.
		place int
	}
)

var states = []string{"exclusive", "shared", "unowned"}

var ownerKinds = []string{"thread", "tagged-thread", "pointer"}

func seenLocks(w *world) bool { return w.snap.HasLocks || len(w.snap.Resources) > 0 }

// allLocks reports whether every held lock was listed.
func allLocks(w *world, _ *clause) bool { return w.snap.Whole }

// allOfLocks reports whether all owner entries and waiters of all held locks are known.
func allOfLocks(w *world, _ *clause) bool {
	return w.snap.Whole && !slices.ContainsFunc(w.snap.Resources, lacksEntries)
}

// allOfNamed reports whether all owner entries and waiters of the locks are known that
// a clause names.
func (w *world) allOfNamed(c *clause, env bindings) bool {
	for _, m := range c.matchers {
		for i := range m.ops {
			if m.field.name == "lock" && m.ops[i].namesKeys() {
				return !slices.ContainsFunc(m.ops[i].operands, func(o operand) bool { return !w.listsEntries(&o, env) })
			}
		}
	}
	return false
}

func (w *world) listsEntries(o *operand, env bindings) bool {
	values := one(o.lit)
	if o.ref != nil {
		values = o.ref.values(w, env)
	}
	return values.All && !slices.ContainsFunc(values.List, func(v Value) bool {
		r := w.snap.Resource(v.A)
		return r == nil || lacksEntries(r)
	})
}

// lacksEntries reports whether owner entries or waiters of a lock are not listed.
func lacksEntries(r *snapshot.Resource) bool {
	shared, exclusive := r.Unlisted()
	return shared+exclusive+r.UnlistedOwners() > 0 || r.Open
}

func init() {
	registerKind(&kind{
		name: "lock", doc: "an ERESOURCE of !locks, or one that mex or WinDE shows",
		ask: "!locks", one: "!locks -v %s", key: "address", seen: seenLocks, listed: allLocks,
		all:  func(w *world) iter.Seq[fact] { return each(w.snap.Resources) },
		find: findLock,
		at:   placed(func(r lockFact) kd.Ref { return r.At }),
		addr: addressed(func(r lockFact) kd.Addr { return r.Addr }),
		fields: []*field{
			{name: "address", typ: Address, doc: "where the ERESOURCE lies", get: getter(func(_ *world, r lockFact) Values { return address(r.Addr, r.At) })},
			{name: "symbol", typ: Name, doc: "its name, where the debugger knows one: nt!CmpRegistryLock", get: getter(lockSymbol)},
			{name: "state", typ: Enum, common: true, words: states, doc: "how it is held", get: getter(lockState)},
			{name: "owner", typ: Address, list: true, doc: "the owner entries as printed, with their low bits", get: getter(owners(func(o *snapshot.Owner) Values { return address(o.Raw, o.At) }))},
			{name: "owner_thread", typ: Address, list: true, doc: "the threads behind the owner entries", command: unresolvedOwner, get: getter(owners(func(o *snapshot.Owner) Values { return address(o.Thread, o.At) }))},
			{name: "owner_kind", typ: Enum, words: ownerKinds, list: true, doc: "what the owner entries are: a thread, a thread with low bits set, or an owner pointer", get: getter(owners(ownerKind))},
			{name: "owner_text", typ: Name, list: true, doc: "what the debugger remarks behind the owner entries: *Unknown owner*", get: getter(owners(func(o *snapshot.Owner) Values { return text(Name, o.Remark, o.At) }))},
			{name: "owners", typ: Number, common: true, doc: "how many owner entries are listed", get: getter(ownerCount)},
			{name: "waiters", typ: Address, list: true, doc: "the threads that wait for it, shared and exclusive", get: getter(func(_ *world, r lockFact) Values { return waitersOf(r, true, true) })},
			{name: "shared_waiters", typ: Number, common: true, doc: "how many threads wait for shared access", get: getter(func(_ *world, r lockFact) Values {
				n, ok := r.SharedWaiting()
				return counted(n, ok, len(r.SharedWaiters), r.Open, r.SharedWaiterCount.At, r.At)
			})},
			{name: "exclusive_waiters", typ: Number, common: true, doc: "how many threads wait for exclusive access", get: getter(func(_ *world, r lockFact) Values {
				n, ok := r.ExclusiveWaiting()
				return counted(n, ok, len(r.ExclusiveWaiters), r.Open, r.ExclusiveWaiterCount.At, r.At)
			})},
			{name: "waiting", typ: Number, common: true, doc: "how many threads wait for it in all", get: getter(waitingFor)},
			{name: "contention", typ: Number, common: true, doc: "its contention count since boot", get: getter(func(_ *world, r lockFact) Values {
				n, ok := r.Contended()
				return counted(n, ok, 0, false, r.Contention.At, r.At)
			})},
		},
	})
	registerKind(&kind{
		name: "owner", doc: "one owner entry of an ERESOURCE, resolved to its thread",
		ask: "!locks", one: "!thread %s 1f", seen: seenLocks, listed: allOfLocks, listedFor: (*world).allOfNamed, all: allOwners,
		at:   placed(func(o *ownerFact) kd.Ref { return o.At }),
		addr: addressed(func(o *ownerFact) kd.Addr { return o.Raw }),
		fields: []*field{
			{name: "lock", typ: Address, doc: "the ERESOURCE that it owns", get: getter(func(_ *world, o *ownerFact) Values { return address(o.lock.Addr, o.lock.At) })},
			{name: "raw", typ: Address, doc: "the entry as printed, with its low bits", get: getter(func(_ *world, o *ownerFact) Values { return address(o.Raw, o.At) })},
			{name: "thread", typ: Address, doc: "the thread behind it", command: ownerCommand, get: getter(func(_ *world, o *ownerFact) Values { return address(o.Thread, o.At) })},
			{name: "kind", typ: Enum, words: ownerKinds, doc: "a thread, a thread with low bits set, or an owner pointer", get: getter(func(_ *world, o *ownerFact) Values { return ownerKind(o.Owner) })},
			{name: "remark", typ: Name, doc: "what the debugger remarks behind it", get: getter(func(_ *world, o *ownerFact) Values { return text(Name, o.Remark, o.At) })},
			{name: "live", typ: Bool, doc: "whether the frame that an owner pointer points into still runs", command: ownerCommand, get: getter(func(_ *world, o *ownerFact) Values { return tri(o.Live, o.At) })},
			{name: "set_by", typ: Name, doc: "module!function whose parameter or local an owner pointer is", command: ownerCommand, get: getter(setBy)},
			{name: "count", typ: Number, common: true, doc: "how often it took the ERESOURCE", get: getter(func(_ *world, o *ownerFact) Values {
				if o.Count == 0 { // extensions print none
					return unknown
				}
				return number(Number, float64(o.Count), o.At)
			})},
		},
	})
	registerKind(&kind{
		name: "waiter", doc: "one thread in a waiter list of an ERESOURCE",
		ask: "!locks", one: "!locks -v %s", seen: seenLocks, listed: allOfLocks, listedFor: (*world).allOfNamed, all: allWaiters,
		at:   placed(func(q *waiterFact) kd.Ref { return q.At }),
		addr: addressed(func(q *waiterFact) kd.Addr { return q.Thread }),
		fields: []*field{
			{name: "lock", typ: Address, doc: "the ERESOURCE that it waits for", get: getter(func(_ *world, q *waiterFact) Values { return address(q.lock.Addr, q.lock.At) })},
			{name: "thread", typ: Address, doc: "the thread that waits", get: getter(func(_ *world, q *waiterFact) Values { return address(q.Thread, q.At) })},
			{name: "access", typ: Enum, common: true, words: []string{"shared", "exclusive"}, doc: "what it asks for", get: getter(func(_ *world, q *waiterFact) Values {
				if q.exclusive {
					return text(Enum, "exclusive", q.At)
				}
				return text(Enum, "shared", q.At)
			})},
			{name: "place", typ: Number, common: true, doc: "its place in its list, counted from 1", get: getter(func(_ *world, q *waiterFact) Values { return number(Number, float64(q.place), q.At) })},
		},
	})
}

// unresolvedOwner asks for the thread behind the first owner entry without one.
func unresolvedOwner(_ *world, f fact) string {
	r := f.(lockFact)
	for i := range r.Resolved {
		if o := &r.Resolved[i]; o.Thread == 0 {
			return "!thread " + bare(o.Raw) + " e"
		}
	}
	return "!locks -v " + bare(r.Addr)
}

// ownerCommand asks for the stack of an owner: by what its entry holds where that
// is no thread.
func ownerCommand(_ *world, f fact) string {
	o := f.(*ownerFact)
	if o.Pointer || o.Thread == 0 {
		return "!thread " + bare(o.Raw) + " e"
	}
	return "!thread " + bare(o.Thread) + " 1f"
}

func findLock(w *world, v Value) fact {
	if r := w.snap.Resource(v.A); r != nil {
		return r
	}
	return nil
}

// lockSymbol is known to be none where the debugger had symbols of the kernel and
// printed none for the lock.
func lockSymbol(w *world, r lockFact) Values {
	if r.Symbol == "" && w.symbols() {
		return none
	}
	return text(Name, r.Symbol, r.At)
}

// owners makes the values of a lock of those of its owner entries. Lists that
// contradict their counts are no evidence.
func owners(get func(*snapshot.Owner) Values) func(*world, lockFact) Values {
	return func(_ *world, r lockFact) Values {
		if r.Reading == locks.Irreconcilable {
			return unknown
		}
		out := Values{All: r.UnlistedOwners() == 0 && !r.Open}
		for i := range r.Resolved {
			v := get(&r.Resolved[i])
			out.List = append(out.List, v.List...)
			out.All = out.All && v.All
		}
		return out
	}
}

func ownerKind(o *snapshot.Owner) Values {
	switch {
	case o.Pointer:
		return text(Enum, "pointer", o.At)
	case o.How == snapshot.ByTaggedThread:
		return text(Enum, "tagged-thread", o.At)
	case o.How == snapshot.Unresolved:
		return unknown
	}
	return text(Enum, "thread", o.At)
}

// setBy is known to be nobody where the entry is a thread itself.
func setBy(w *world, o *ownerFact) Values {
	if !o.Pointer && o.How != snapshot.Unresolved {
		return none
	}
	if o.Slot.Setter < 0 || o.Slot.Frame < 0 {
		return unknown
	}
	t := w.snap.Thread(o.Thread)
	if t == nil || o.Slot.Setter >= len(t.Stack.Frames) {
		return unknown
	}
	f := t.Stack.Frames[o.Slot.Setter]
	return text(Name, f.Name(), f.At)
}

// waitersOf lists the waiters of a lock.
func waitersOf(r lockFact, shared, exclusive bool) Values {
	if r.Reading == locks.Irreconcilable {
		return unknown
	}
	s, e := r.Unlisted()
	out := Values{All: s+e == 0 && !r.Open}
	add := func(list []locks.Waiter) {
		for _, q := range list {
			if !q.Marker() {
				out.List = append(out.List, Value{Type: Address, A: q.Thread, At: q.At})
			}
		}
	}
	if shared {
		add(r.SharedWaiters)
	}
	if exclusive {
		add(r.ExclusiveWaiters)
	}
	return out
}

// lockState is unknown where the line that says it is damaged.
func lockState(_ *world, r lockFact) Values {
	if r.Mode == locks.ModeUnknown || r.HeadUntrusted {
		return unknown
	}
	return text(Enum, r.Mode.String(), r.At)
}

func ownerCount(_ *world, r lockFact) Values {
	if r.Reading == locks.Irreconcilable {
		return unknown
	}
	return atLeast(len(r.Owners), r.UnlistedOwners() == 0 && !r.Open, r.At)
}

// waitingFor is what both lists and both counts say together.
func waitingFor(_ *world, r lockFact) Values {
	_, shared := r.SharedWaiting()
	_, exclusive := r.ExclusiveWaiting()
	all := !r.Open && (shared || len(r.SharedWaiters) > 0) && (exclusive || len(r.ExclusiveWaiters) > 0)
	if !all && r.Waiting() == 0 {
		return unknown
	}
	return atLeast(r.Waiting(), all, r.At)
}

// counted makes a number of a count: where it was not printed, but so many are
// listed, that is the number, or more where the list may go on.
func counted(n int, ok bool, listed int, open bool, at, head kd.Ref) Values {
	if !at.Known() {
		at = head
	}
	switch {
	case ok:
		return number(Number, float64(max(n, listed)), at)
	case listed > 0:
		return atLeast(listed, !open, at)
	}
	return unknown
}

func allOwners(w *world) iter.Seq[fact] {
	return func(yield func(fact) bool) {
		for _, r := range w.snap.Resources {
			for i := range r.Resolved {
				if r.Reading != locks.Irreconcilable && !yield(&ownerFact{&r.Resolved[i], r}) {
					return
				}
			}
		}
	}
}

func allWaiters(w *world) iter.Seq[fact] {
	return func(yield func(fact) bool) {
		for _, r := range w.snap.Resources {
			if r.Reading == locks.Irreconcilable {
				continue
			}
			for l, list := range [][]locks.Waiter{r.SharedWaiters, r.ExclusiveWaiters} {
				for i := range list {
					if !list[i].Marker() && !yield(&waiterFact{&list[i], r, l == 1, i + 1}) {
						return
					}
				}
			}
		}
	}
}
