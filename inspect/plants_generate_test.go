package inspect_test

// plant puts one truth into a world.
type plant struct {
	name string
	on64 bool // for x64 only
	put  func(*world)
}

// deadlocks are the plants that must be found.
var deadlocks = []plant{
	{"AB-BA", false, func(w *world) { w.cycle(2, false) }},
	{"AB-BA with every entry marked", false, plantMarkedCycle},
	{"AB-BA through tagged owners", false, plantTaggedCycle},
	{"3-way cycle", false, func(w *world) { w.cycle(3, true) }},
	{"9-way cycle", false, func(w *world) { w.cycle(9, true) }},
	{"40-way cycle", false, func(w *world) { w.cycle(40, true) }},
	{"cycle with a mutant", false, plantMutantCycle},
	{"cycle of mutants", false, plantTwoMutants},
	{"owner pointer, exclusive owner, shared waiter", false, func(w *world) { w.pointerSelf(false, true, false) }},
	{"owner pointer, exclusive owner, exclusive waiter", false, func(w *world) { w.pointerSelf(false, false, false) }},
	{"owner pointer, shared owner, exclusive waiter", false, func(w *world) { w.pointerSelf(true, false, false) }},
	{"owner pointer, shared owner, shared waiter behind an exclusive one", false, func(w *world) { w.pointerSelf(true, true, false) }},
	{"owner pointer on the current of two stacks", true, func(w *world) { w.pointerSelf(false, true, true) }},
	{"owner pointer on an earlier stack", true, func(w *world) { w.pointerEarlier(false) }},
	{"owner pointer on an earlier stack, shared owner", true, func(w *world) { w.pointerEarlier(true) }},
	{"AB-BA through owner pointers", false, plantPointerCycle},
	{"upgrade by one of several owners", false, func(w *world) { w.upgrade(1, 3) }},
	{"upgrade by the only owner", false, func(w *world) { w.upgrade(1, 0) }},
	{"upgrade by two owners", false, func(w *world) { w.upgrade(2, 0) }},
	{"upgrade by five of seven owners", false, func(w *world) { w.upgrade(5, 2) }},
	{"terminated owner", false, plantTerminated},
}

// cycle plants n threads that own a resource each and wait for the next.
// mixed lets some of the resources be owned shared, by others too.
func (w *world) cycle(n int, mixed bool) {
	ts := w.threadsN(n)
	blocked := 0
	for i, t := range ts {
		prev := ts[(i+n-1)%n]
		shared := mixed && w.chance(40)
		r := w.owned(shared, t)
		if shared {
			w.own(r, w.threadsN(w.rng.IntN(3))...)
			w.wantsExclusive(r, prev)
		} else if w.chance(50) {
			w.wantsExclusive(r, prev)
		} else {
			w.wantsShared(r, prev)
		}
		if w.chance(60) {
			blocked += w.hang(r, w.rng.IntN(9))
		}
		if w.chance(20) {
			t.where = nowhere
		}
	}
	w.expect("deadlock-cycle", "deadlock", "A", blocked, ts...)
}

// plantMarkedCycle is AB-BA in lists whose shared waiters carry <*> too.
func plantMarkedCycle(w *world) {
	a, b := w.thread(), w.thread()
	blocked := 0
	for _, pair := range [][2]*thread{{a, b}, {b, a}} {
		r := w.owned(false, pair[0])
		r.markAll = true
		w.wantsShared(r, pair[1])
		blocked += w.hang(r, w.rng.IntN(6))
	}
	w.expect("deadlock-cycle", "deadlock", "C", blocked, a, b)
}

// plantTaggedCycle is AB-BA where one owner entry is "*** Actual Thread".
func plantTaggedCycle(w *world) {
	a, b := w.thread(), w.thread()
	w.taggedOwner(a)
	r := w.locks[len(w.locks)-1]
	w.wantsExclusive(r, b)
	blocked := w.hang(r, w.rng.IntN(4))
	w.wantsShared(w.owned(false, b), a)
	w.expect("deadlock-cycle", "deadlock", "A", blocked, a, b)
}

// plantMutantCycle is a cycle over two resources and a mutant.
func plantMutantCycle(w *world) {
	a, b, c := w.thread(), w.thread(), w.thread()
	r, q := w.owned(false, a), w.owned(true, c)
	w.wantsMutant(a, b)
	w.wantsExclusive(q, b)
	w.wantsShared(r, c)
	blocked := w.hang(r, w.rng.IntN(5)) + w.hang(q, w.rng.IntN(5))
	w.expect("deadlock-cycle", "deadlock", "A", blocked, a, b, c)
}

// plantTwoMutants is AB-BA over mutants; a third thread waits for one too.
func plantTwoMutants(w *world) {
	a, b, c := w.thread(), w.thread(), w.thread()
	w.wantsMutant(a, b)
	w.wantsMutant(b, a)
	w.wantsMutant(c, a)
	c.objects[0].addr = b.objects[0].addr
	blocked := 1 + w.hang(w.owned(false, c), w.rng.IntN(3))
	w.expect("deadlock-cycle", "deadlock", "A", blocked, a, b)
}

// pointerSelf plants a thread that waits for what it owns by owner pointer.
func (w *world) pointerSelf(sharedOwner, sharedWait, expanded bool) {
	t, r := w.thread(), w.lock(sharedOwner)
	blocked := w.pointerWait(r, t, sharedWait, expanded)
	w.pointerOwner(r, t, w.slotOn(t, false))
	blocked += w.hang(r, w.rng.IntN(20))
	w.expect("self-deadlock-owner-pointer", "deadlock", pointerGrade(r), blocked, t)
}

// pointerWait lets t wait for r, behind an exclusive waiter where only that
// makes it wait, and returns the number of threads that takes.
func (w *world) pointerWait(r *resource, t *thread, shared, expanded bool) int {
	w.waitsFor(r, t, shared, expanded)
	if !shared {
		r.exclWait = append(r.exclWait, t)
		return 0
	}
	r.sharedWait = append(r.sharedWait, t)
	if !r.shared {
		return 0
	}
	w.wantsExclusive(r, w.thread())
	return 1
}

// pointerEarlier is pointerSelf with the pointer on the stack from which
// KeExpandKernelStackAndCallout went to the current one.
func (w *world) pointerEarlier(sharedOwner bool) {
	t, r := w.thread(), w.lock(sharedOwner)
	blocked := w.pointerWait(r, t, !sharedOwner, true)
	w.pointerOwner(r, t, w.slotOn(t, true))
	blocked += w.hang(r, w.rng.IntN(20))
	w.expect("self-deadlock-owner-pointer", "deadlock", pointerGrade(r), blocked, t)
}

// plantPointerCycle is AB-BA with both owners hidden behind owner pointers.
func plantPointerCycle(w *world) {
	a, b := w.thread(), w.thread()
	r, q := w.lock(false), w.lock(false)
	w.wantsExclusive(q, a)
	w.wantsShared(r, b)
	w.pointerOwner(r, a, w.slotOn(a, false))
	w.pointerOwner(q, b, w.slotOn(b, false))
	blocked := w.hang(r, w.rng.IntN(4)) + w.hang(q, w.rng.IntN(4))
	w.expect("deadlock-cycle", "deadlock", pointerGrade(r, q), blocked, a, b)
}

// upgrade plants n shared owners that ask for exclusive access, among others
// that do not.
func (w *world) upgrade(n, others int) {
	ts := w.threadsN(n)
	r := w.owned(true, append(w.threadsN(others), ts...)...)
	for _, t := range ts {
		w.wantsExclusive(r, t)
	}
	blocked := w.hang(r, w.rng.IntN(10))
	id := "self-deadlock-upgrade"
	if n > 1 {
		id = "deadlock-shared-owners-upgrade"
	}
	w.expect(id, "deadlock", "A", blocked, ts...)
}

// plantTerminated is a lock whose owner has gone.
func plantTerminated(w *world) {
	t := w.thread()
	t.state, t.reason, t.mode, t.objects, t.irps, t.where = "terminated", "", "", nil, nil, alone
	t.frames, t.limit, t.base, t.init, t.current, t.earlier = nil, 0, 0, 0, 0, 0
	r := w.owned(w.chance(50), t)
	w.expect("owner-terminated", "orphaned-lock", "A", w.hang(r, 1+w.rng.IntN(12)), t)
}
