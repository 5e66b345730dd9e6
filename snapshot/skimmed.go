package snapshot

import (
	"cmp"
	"iter"
	"slices"

	"kdlocks/kd"
	"kdlocks/locks"
	"kdlocks/objects"
	"kdlocks/threads"
)

// A very large listing is skimmed: of most threads only a Brief is kept. What
// follows decides which of them can matter to a verdict. Those are read whole
// and stand in Threads like any other; the rest can be asked for one by one.

// recall reads the skimmed threads whole that can matter and returns all whole
// ones in the order of the input.
func (s *Snapshot) recall(ll locks.Listing, tl threads.Listing, ol *objects.Listing) []*threads.Thread {
	if len(tl.Skimmed) == 0 {
		return tl.Threads
	}
	s.queued = s.waitersOf(func(r *Resource) bool { return r.Reading != locks.Irreconcilable })
	c := chooser{rows: tl.Skimmed, taken: make([]bool, len(tl.Skimmed)), listed: s.queued}
	c.index()
	c.named(ll, tl)
	for _, a := range objectThreads(ol) {
		c.find(a)
	}
	if ol != nil && len(ol.Mutexes) > 0 {
		c.forMutexes()
	}
	if ol != nil && len(ol.Sections) > 0 {
		c.forSections()
	}
	c.onStacks(pointers(ll, tl, ol))
	c.unlisted(ll.Resources)
	c.waiting(!ll.Seen(), tl.Indirect <= mostIndirect)
	loaded := s.load(&c, tl.Load)
	for again := c.owners(loaded); again; {
		more := s.load(&c, tl.Load)
		again = c.owners(more)
		loaded = append(loaded, more...)
	}
	s.rest, s.loadRest, s.restFunctions = c.left(), tl.Load, tl.Functions
	s.restIndex = indexRows(c.byAddr, s.rest)
	return inOrder(tl.Threads, loaded)
}

// chooser picks skimmed threads.
type chooser struct {
	rows   []threads.Brief
	taken  []bool
	todo   []int
	byAddr rowIndex
	listed map[kd.Addr]bool // waiters in lists that can be believed
}

// rowIndex finds rows by address: open addressing, row number + 1.
type rowIndex []int32

func (c *chooser) take(i int) {
	if !c.taken[i] {
		c.taken[i] = true
		c.todo = append(c.todo, i)
	}
}

// index makes rows findable by address, and takes all rows of an address that
// was printed more than once.
func (c *chooser) index() {
	c.byAddr = indexRows(nil, c.rows)
	for i := range c.rows {
		if first := c.byAddr.find(c.rows, c.rows[i].Addr); first != i {
			c.take(first)
			c.take(i)
		}
	}
}

// indexRows makes an index, in the room of another that is not needed any more
// if it is large enough.
func indexRows(x rowIndex, rows []threads.Brief) rowIndex {
	size := 1024
	for size < 2*len(rows) {
		size *= 2
	}
	if clear(x); len(x) < size {
		x = make(rowIndex, size)
	}
	for i := range rows {
		if at := x.slot(rows, rows[i].Addr); x[at] == 0 {
			x[at] = int32(i) + 1
		}
	}
	return x
}

// slot returns the place of an address in the index.
func (x rowIndex) slot(rows []threads.Brief, a kd.Addr) int {
	mask := len(x) - 1
	at := int(uint64(a)*0x9e3779b97f4a7c15>>20) & mask
	for x[at] != 0 && rows[x[at]-1].Addr != a {
		at = (at + 1) & mask
	}
	return at
}

// find returns the first row of an address, -1 if there is none.
func (x rowIndex) find(rows []threads.Brief, a kd.Addr) int {
	if len(rows) == 0 {
		return -1
	}
	return int(x[x.slot(rows, a)]) - 1
}

// find takes the first row of an address.
func (c *chooser) find(a kd.Addr) {
	if i := c.byAddr.find(c.rows, a); i >= 0 {
		c.take(i)
	}
}

// waiter takes the row of a listed waiter, unless its list tells all.
func (c *chooser) waiter(a kd.Addr) {
	if i := c.byAddr.find(c.rows, a); i >= 0 && !c.rows[i].WaitsPlainly() {
		c.take(i)
	}
}

// named takes the threads that other output names.
func (c *chooser) named(ll locks.Listing, tl threads.Listing) {
	for _, r := range ll.Resources {
		for _, list := range [][]locks.Waiter{r.SharedWaiters, r.ExclusiveWaiters} {
			for _, w := range list {
				c.waiter(w.Thread)
			}
		}
	}
	for _, t := range ll.Triage {
		c.find(t.Thread)
	}
	for _, p := range tl.Interpretations {
		c.find(p.Thread)
	}
	for _, p := range tl.Processors {
		c.find(p.Current)
		c.find(p.Next)
	}
	for _, t := range tl.Threads {
		c.find(t.Addr)
	}
	c.owners(tl.Threads)
}

// owners takes the threads that others wait for, and reports whether any of
// them was not taken before.
func (c *chooser) owners(ts []*threads.Thread) bool {
	for _, t := range ts {
		for _, w := range t.WaitObjects {
			c.find(w.Owner)
			if w.Kind == "Thread" {
				c.find(w.Addr)
			}
		}
		if w := t.Stack.Awaited; w != nil {
			c.find(w.Owner)
		}
	}
	return len(c.todo) > 0
}

// forMutexes takes the first threads that can wait for a mutex that dt showed.
func (c *chooser) forMutexes() {
	n := 0
	for i := range c.rows {
		b := &c.rows[i]
		reason := b.WaitReason()
		if n < mostIndirect && b.State == threads.Waiting && (reason == "WrFastMutex" || reason == "WrGuardedMutex" || b.Has(threads.LockWait)) {
			n++
			c.take(i)
		}
	}
}

// forSections takes the first threads that wait for a critical section, and those of
// their processes: an owner is known by the ID of its thread alone, which is not kept.
func (c *chooser) forSections() {
	waits := []threads.Calls{threads.CallOf("ntdll", "RtlpWaitOnCriticalSection"), threads.CallOf("ntdll", "RtlpWaitForCriticalSection")}
	processes := make(map[[2]int32]bool) // input and process
	n := 0
	for i := range c.rows {
		b := &c.rows[i]
		if n < mostIndirect && b.State == threads.Waiting && (b.Calls.Has(waits[0]) || b.Calls.Has(waits[1])) {
			n++
			c.take(i)
			processes[[2]int32{int32(b.Input), b.Process}] = b.Process >= 0
		}
	}
	n = 0
	for i := range c.rows {
		if b := &c.rows[i]; n < mostIndirect && processes[[2]int32{int32(b.Input), b.Process}] {
			n++
			c.take(i)
		}
	}
}

// pointers returns the addresses that some stack may hold, sorted: owner
// pointers, values that the debugger interpreted, frames without a thread, the
// waiters that dt shows of a resource.
func pointers(ll locks.Listing, tl threads.Listing, ol *objects.Listing) []kd.Addr {
	var out []kd.Addr
	for _, r := range ll.Resources {
		for _, e := range r.Entries {
			if e.Raw.Tagged() || e.Remark != "" {
				out = append(out, e.Raw.Untagged())
			}
		}
	}
	for _, p := range tl.Interpretations {
		out = append(out, p.Value.Untagged())
	}
	for _, t := range tl.Threads {
		for _, f := range t.Stack.Frames {
			if t.Addr == 0 && f.ChildSP != 0 {
				out = append(out, f.ChildSP)
				break
			}
		}
	}
	if ol != nil {
		for _, r := range ol.Resources {
			out = append(out, r.Shared.Addr, r.Exclusive.Addr)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// onStacks takes the threads whose stack holds one of the addresses. A block
// shows the bounds of the current stack alone, so what no such stack holds may
// lie on an earlier one of any thread that has more.
func (c *chooser) onStacks(ps []kd.Addr) {
	if len(ps) == 0 {
		return
	}
	found := make([]bool, len(ps))
	for i := range c.rows {
		at, _ := slices.BinarySearch(ps, c.rows[i].Limit)
		for ; at < len(ps) && ps[at] < c.rows[i].Base(); at++ {
			found[at] = true
			c.take(i)
		}
	}
	for i := range c.rows {
		if c.rows[i].Has(threads.Expanded) && slices.Contains(found, false) {
			c.take(i)
		}
	}
}

// unlisted takes the threads that can be waiters which a count announces and
// no list names.
func (c *chooser) unlisted(rs []*locks.Resource) {
	if !slices.ContainsFunc(rs, func(r *locks.Resource) bool { a, b := r.Unlisted(); return a+b > 0 }) {
		return
	}
	for i := range c.rows {
		if c.rows[i].Has(threads.WaitsOnStack) {
			c.take(i)
		}
	}
}

// mostIndirect bounds the threads that are read whole because they wait for
// others without a list of waiters. Where there are more, those are read that
// somebody waits for.
const mostIndirect = 2000

// waiting takes the threads that wait for a mutant, those with indirect waits,
// the first of those that wait for a resource, and, where there are no lock
// lists, the first that wait for I/O.
func (c *chooser) waiting(noLocks, indirect bool) {
	const most = 8
	resources, others := 0, 0
	for i := range c.rows {
		b := &c.rows[i]
		switch {
		case b.State == threads.Waiting && b.Has(threads.HasOwner) || indirect && b.WaitsIndirectly():
			c.take(i)
		case waitsForResource(b) && !c.listed[b.Addr]:
			if resources++; resources <= most || c.taken[i] {
				c.take(i)
			}
		case noLocks && others < most && b.State == threads.Waiting && (b.WaitsIndirectly() || b.Has(threads.HasIRP) && !b.Has(threads.UserWait)):
			others++
			c.take(i)
		}
	}
}

func waitsForResource(b *threads.Brief) bool {
	return b.State == threads.Waiting && (b.WaitReason() == "WrResource" || b.Has(threads.WaitsOnStack))
}

// left returns the rows that were not taken.
func (c *chooser) left() []threads.Brief {
	out := c.rows[:0]
	for i := range c.rows {
		if !c.taken[i] {
			out = append(out, c.rows[i])
		}
	}
	return out
}

// load reads the rows whole that were taken since the last time.
func (s *Snapshot) load(c *chooser, load func(threads.Brief) *threads.Thread) []*threads.Thread {
	kd.SortStable(c.todo, cmp.Compare[int])
	out := make([]*threads.Thread, 0, len(c.todo))
	for _, i := range c.todo {
		if t := load(c.rows[i]); t != nil {
			out = append(out, t)
		} else {
			s.note("", c.rows[i].At(), "the input changed while it was read: thread "+s.bare(c.rows[i].Addr)+" is left out")
		}
	}
	c.todo = c.todo[:0]
	return out
}

// inOrder joins two lists of threads in the order of the input. The first list
// keeps its own order where that differs.
func inOrder(whole, loaded []*threads.Thread) []*threads.Thread {
	slices.SortStableFunc(loaded, func(a, b *threads.Thread) int {
		if a.At.Before(b.At) {
			return -1
		}
		return 1
	})
	out := make([]*threads.Thread, 0, len(whole)+len(loaded))
	for _, t := range whole {
		for len(loaded) > 0 && loaded[0].At.Before(t.At) {
			out, loaded = append(out, loaded[0]), loaded[1:]
		}
		out = append(out, t)
	}
	return append(out, loaded...)
}

// Skimmed returns the Briefs of the threads that are not in Threads.
func (s *Snapshot) Skimmed() []threads.Brief { return s.rest }

// ThreadCount returns the number of threads, those that were skimmed included.
func (s *Snapshot) ThreadCount() int { return len(s.Threads) + len(s.rest) }

// WaitingUnlisted counts the skimmed threads that wait for a resource and that
// no list names that can be believed.
func (s *Snapshot) WaitingUnlisted() int {
	n := 0
	for i := range s.rest {
		if waitsForResource(&s.rest[i]) && !s.queued[s.rest[i].Addr] {
			n++
		}
	}
	return n
}

// Brief returns what is kept of a thread that was skimmed and not asked for
// yet, nil for any other.
func (s *Snapshot) Brief(a kd.Addr) *threads.Brief {
	if i := s.restIndex.find(s.rest, a); i >= 0 && s.byAddr[a] == nil {
		return &s.rest[i]
	}
	return nil
}

// Thread returns the thread at an address, nil if it was not printed. One that
// was skimmed is read whole.
func (s *Snapshot) Thread(a kd.Addr) *threads.Thread {
	if t := s.byAddr[a]; t != nil {
		return t
	}
	i := s.restIndex.find(s.rest, a)
	if i < 0 {
		return nil
	}
	t := s.loadRest(s.rest[i])
	if t != nil {
		s.finish(t)
		s.byAddr[a] = t
		s.Named = append(s.Named, t)
	}
	return t
}

// AllThreads returns every thread in the order of the input. Those that were
// skimmed are read whole one by one and not kept.
func (s *Snapshot) AllThreads() iter.Seq[*threads.Thread] {
	return s.walk(func(*threads.Brief) bool { return true }, func(*threads.Thread) bool { return true })
}

// UserMode reports whether a user-mode debugger printed all threads, or, where none has a
// header, critical sections and nothing of a kernel.
func (s *Snapshot) UserMode() bool {
	if s.ThreadCount() == 0 {
		return len(s.Objects.Sections) > 0 && s.OnlyContext() && !s.Target.KernelPrompt()
	}
	user := false
	for t := range s.AllThreads() {
		if !t.User && t.Addr != 0 {
			return false
		}
		user = user || t.User
	}
	return user || len(s.Objects.Sections) > 0 && len(s.Resources) == 0 && !s.Target.KernelPrompt()
}

// walk returns the threads in the order of the input: the skimmed ones whose
// Brief may pass, and the whole ones that pass.
func (s *Snapshot) walk(may func(*threads.Brief) bool, pass func(*threads.Thread) bool) iter.Seq[*threads.Thread] {
	return func(yield func(*threads.Thread) bool) {
		rest := s.rest
		until := func(stop func(*threads.Brief) bool) bool {
			for ; len(rest) > 0 && !stop(&rest[0]); rest = rest[1:] {
				if !may(&rest[0]) {
					continue
				}
				t := s.loadRest(rest[0])
				if t == nil {
					continue
				}
				s.finish(t)
				if !yield(t) {
					return false
				}
			}
			return true
		}
		for _, t := range s.Threads {
			at, twice := s.first[t]
			if !twice {
				at = t.At
			}
			if !until(func(b *threads.Brief) bool { return !b.At().Before(at) }) || pass(t) && !yield(t) {
				return
			}
		}
		until(func(*threads.Brief) bool { return false })
	}
}

// restSpans returns the stacks of skimmed threads that hold an address.
func (s *Snapshot) restSpans(a kd.Addr) []span {
	var out []span
	for _, b := range s.rest {
		if b.Limit <= a && a < b.Base() || b.Has(threads.Expanded) {
			if t := s.loadRest(b); t != nil {
				s.finish(t)
				for i, g := range t.Stack.Segments {
					if g.Contains(a) {
						out = append(out, span{g.Limit, g.Base, t, i})
					}
				}
			}
		}
	}
	return out
}
