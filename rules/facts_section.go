package rules

import (
	"fmt"
	"iter"
	"slices"

	"kdlocks/kd"
	"kdlocks/objects"
	"kdlocks/stacks"
	"kdlocks/threads"
)

type sectionFact = *objects.CriticalSection

func init() {
	registerKind(&kind{
		name: "critical_section", doc: "a critical section of a process, of !cs or the user-mode !locks",
		ask: "!cs -l", one: "!cs %s", key: "address",
		seen:   func(w *world) bool { return len(w.snap.CriticalSections()) > 0 },
		listed: func(w *world, c *clause) bool { return isLocked(c) && w.snap.ListsSections(0) },
		// Of one process all that are locked may be known.
		listedFor: (*world).listsSectionsFor,
		all:       func(w *world) iter.Seq[fact] { return each(w.snap.CriticalSections()) },
		find: func(w *world, v Value) fact {
			if c := w.snap.CriticalSection(v.A, 0); c != nil {
				return c
			}
			return nil
		},
		at:   placed(func(c sectionFact) kd.Ref { return c.At }),
		addr: addressed(func(c sectionFact) kd.Addr { return c.Addr }),
		fields: []*field{
			{name: "address", typ: Address, doc: "where it lies, in user mode: several processes may have one there", get: getter(func(_ *world, c sectionFact) Values { return address(c.Addr, c.At) })},
			{name: "symbol", typ: Name, doc: "its name: ntdll!LdrpLoaderLock", get: getter(func(_ *world, c sectionFact) Values { return text(Name, startSymbol(c.Symbol), c.At) })},
			{name: "process", typ: Address, doc: "its process: the one that the debugger said it looks at (Implicit process is now ...), else that of the threads that wait for it, or of its owner", ask: ".process; !cs %s", get: getter(func(w *world, c sectionFact) Values { return w.sections().of(c).process })},
			{name: "locked", typ: Bool, common: true, doc: "whether it is held", get: getter(func(_ *world, c sectionFact) Values { return flag(c.Locked, c.At) })},
			{name: "owner", typ: Number, doc: "the ID of the thread that owns it, hexadecimal behind 0x", get: getter(func(_ *world, c sectionFact) Values { return inHex(numberOf(c.Owner)) })},
			{name: "owner_thread", typ: Address, doc: "the thread that owns it: the one with that ID in its process. Thread IDs are those of one thread of the machine at a time, so that it is found where the process is not known, too", command: askOwner, get: getter(func(w *world, c sectionFact) Values { return w.sections().of(c).owner })},
			{name: "waiters", typ: Address, list: true, doc: "threads that wait for it by the first argument of the routine in which they stand, which stacks with arguments show. There may always be others", command: askWaiters, get: getter(func(w *world, c sectionFact) Values { return w.sections().of(c).waiters })},
			{name: "lock_count", typ: Number, doc: "LockCount as printed: what it counts depends on the version of Windows", get: getter(func(_ *world, c sectionFact) Values { return numberOf(c.Lock) })},
			{name: "recursion", typ: Number, common: true, doc: "how often its owner has entered it", get: getter(func(_ *world, c sectionFact) Values { return numberOf(c.Recursion) })},
			{name: "contention", typ: Number, doc: "its contention count", get: getter(func(_ *world, c sectionFact) Values { return numberOf(c.Contention) })},
		},
	})
}

// inHex prints a number as the debugger does.
func inHex(v Values) Values {
	for i := range v.List {
		v.List[i].hex = true
	}
	return v
}

// sectionIndex joins critical sections with threads.
type sectionIndex struct {
	byID map[uint32][]member
	// waits are the waits for critical sections by their addresses.
	waits map[kd.Addr][]member
	known map[*objects.CriticalSection]joined
}

// member is a thread of a process, with the place that tells something of it.
type member struct {
	thread kd.Addr
	// process is what its process is known by: the EPROCESS, or its ID in a debugger
	// of user mode; 0 if it is not known.
	process kd.Addr
	user    bool
	at      kd.Ref
}

// joined is what is known of one critical section by the threads around it.
type joined struct{ process, owner, waiters Values }

// mostForSections bounds the skimmed threads that are read for critical sections.
const mostForSections = 20_000

// sections makes the index, when it is first asked for.
func (w *world) sections() *sectionIndex {
	if w.sectionIndex != nil {
		return w.sectionIndex
	}
	x := &sectionIndex{byID: make(map[uint32][]member), waits: make(map[kd.Addr][]member), known: make(map[*objects.CriticalSection]joined)}
	w.sectionIndex = x
	if w.snap.ThreadCount() <= mostForSections {
		for t := range w.snap.AllThreads() {
			x.add(t)
		}
	} else {
		for _, t := range w.snap.Threads {
			x.add(t)
		}
	}
	for _, c := range w.snap.CriticalSections() {
		x.known[c] = x.join(c)
	}
	return x
}

func (x *sectionIndex) of(c *objects.CriticalSection) joined { return x.known[c] }

func (x *sectionIndex) add(t *threads.Thread) {
	if t.Addr == 0 {
		return
	}
	m := member{t.Addr, t.Process.Addr, t.User, t.At}
	if t.User {
		m.process = kd.Addr(t.CID.Process)
	}
	if t.CID.Known {
		x.byID[t.CID.Thread] = append(x.byID[t.CID.Thread], m)
	}
	if f := t.SectionWait(); f != nil && len(f.Args) > 0 && f.Args[0] != 0 {
		m.at = f.At
		x.waits[f.Args[0]] = append(x.waits[f.Args[0]], m)
	}
}

// join finds the threads around a critical section. Where it is not known whose it
// is, and threads of several processes wait at its address, none are its waiters.
func (x *sectionIndex) join(c *objects.CriticalSection) joined {
	var out joined
	process := member{process: c.Process.Addr, at: c.Process.At}
	waits := x.waits[c.Addr]
	if process.process == 0 {
		process = oneProcess(waits)
		if process.process == 0 {
			waits = nil
		}
	}
	for _, m := range waits {
		if m.process == process.process {
			out.waiters.List = append(out.waiters.List, Value{Type: Address, A: m.thread, At: m.at})
		}
	}
	owner := x.owner(c, process.process)
	switch {
	case owner.thread != 0:
		out.owner = address(owner.thread, owner.at)
	case c.Owner.Known() && c.Owner.N == 0 && c.Conflict == "":
		out.owner = none
	}
	if process.process == 0 {
		process = owner
	}
	if !process.user {
		out.process = address(process.process, process.at)
	}
	return out
}

// owner finds the thread whose ID a critical section has.
func (x *sectionIndex) owner(c *objects.CriticalSection, process kd.Addr) member {
	if c.Conflict != "" || c.Owner.N == 0 || c.Owner.N > 0xffffffff {
		return member{}
	}
	var found member
	for _, m := range x.byID[uint32(c.Owner.N)] {
		switch {
		case process != 0 && m.process != process, m.thread == found.thread:
		case found.thread != 0:
			return member{} // two threads have had the ID
		default:
			found = m
		}
	}
	return found
}

// oneProcess is the process of all of some threads.
func oneProcess(ms []member) member {
	if len(ms) == 0 || slices.ContainsFunc(ms, func(m member) bool { return m.process != ms[0].process }) {
		return member{}
	}
	return ms[0]
}

// listsSectionsFor reports whether all locked critical sections were listed that a
// clause may hold for: those of the process that it names, or of the thread that
// it names as owner or waiter.
func (w *world) listsSectionsFor(c *clause, env bindings) bool {
	for _, m := range c.matchers {
		if len(m.ops) != 1 || !m.ops[0].namesKeys() || len(m.ops[0].operands) != 1 || !isLocked(c) {
			continue
		}
		o := &m.ops[0].operands[0]
		values := one(o.lit)
		if o.ref != nil {
			values = o.ref.values(w, env)
		}
		listed := values.All && len(values.List) > 0
		for _, v := range values.List {
			process := v.A
			switch m.field.name {
			case "process":
			case "owner_thread", "waiters":
				t := w.snap.Thread(v.A)
				if t == nil {
					return false
				}
				process = t.Process.Addr
			default:
				process = 0
			}
			listed = listed && process != 0 && w.snap.ListsSections(process)
		}
		if listed {
			return true
		}
	}
	return false
}

// isLocked reports whether a clause asks for critical sections that are held: of
// others no list is whole.
func isLocked(c *clause) bool {
	for _, m := range c.matchers {
		switch m.field.name {
		case "owner_thread", "waiters":
			return true
		case "locked", "owner":
			if !m.constant() || len(m.ops) != 1 || len(m.ops[0].operands) != 1 {
				continue
			}
			// locked: true, owner: 0xf3c, owner: {ne: 0}
			if op := &m.ops[0]; op.op == "eq" && op.operands[0].lit.N != 0 || m.field.name == "owner" && op.op == "ne" && op.operands[0].lit.N == 0 {
				return true
			}
		}
	}
	return false
}

// sectionOf is the critical section that a thread waits for: none where the stack
// shows that it waits for none.
func sectionOf(w *world, t threadFact) Values {
	f := t.SectionWait()
	switch {
	case t.NoWait():
		return none
	case f == nil && showsUserMode(t):
		return none
	case f == nil || len(f.Args) == 0 || f.Args[0] == 0:
		return unknown
	case w.snap.CriticalSection(f.Args[0], 0) != nil && w.snap.CriticalSection(f.Args[0], t.Process.Addr) == nil:
		return unknown // what was printed there is of another process
	}
	return address(f.Args[0], f.At)
}

// showsUserMode reports whether a stack was printed to where the thread began, with
// the names of what it called in ntdll.
func showsUserMode(t threadFact) bool {
	frames := t.Stack.Frames
	if len(frames) == 0 || lacksFrames(t) || !stacks.IsThreadStart(frames[len(frames)-1].Function) {
		return false
	}
	return !slices.ContainsFunc(callsOf(frames), func(c call) bool {
		return c.function == "" && (c.module == "" || c.module == "ntdll")
	})
}

// askOwner asks for the thread with the ID of the owner.
func askOwner(w *world, f fact) string {
	c := f.(sectionFact)
	switch {
	case c.Owner.N == 0:
		return "!cs " + bare(c.Addr)
	case w.ofUserMode():
		return fmt.Sprintf("~~[%x] kv", c.Owner.N)
	}
	return fmt.Sprintf("!thread -t %x 17", c.Owner.N)
}

// askWaiters asks for the stacks with arguments of the threads that may wait.
func askWaiters(w *world, f fact) string {
	process := w.sections().of(f.(sectionFact)).process
	switch {
	case w.ofUserMode():
		return "~*kv"
	case len(process.List) > 0:
		return "!process " + bare(process.List[0].A) + " 17"
	}
	return "!process 0 17"
}

// ofUserMode reports whether a debugger of user mode printed the threads, or all
// critical sections.
func (w *world) ofUserMode() bool {
	return w.snap.ListsSections(0) || slices.ContainsFunc(w.snap.Threads, func(t *threads.Thread) bool { return t.User })
}

// askSection asks for the stack with arguments.
func askSection(_ *world, f fact) string {
	switch t := f.(threadFact); {
	case t.User:
		return "~*kv"
	case t.Addr != 0:
		return "!thread " + bare(t.Addr) + " 17"
	}
	return ""
}
