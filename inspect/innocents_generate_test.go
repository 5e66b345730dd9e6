package inspect_test

// innocents are near misses: none of them is a deadlock. Whatever says so in
// a THREAD block must be printed before the lists when a test cuts the text.
var innocents = []plant{
	{"star", false, plantStar},
	{"diamond", false, plantDiamond},
	{"long chain", false, plantChain},
	{"recursion", false, plantRecursion},
	{"exclusive owner printed as its own waiter", false, plantOwnWaiter},
	{"convoy", false, plantConvoy},
	{"idle machine", false, func(w *world) { w.quiet = true }},
	{"owner pointer just above the stack", false, func(w *world) { w.outside(true) }},
	{"owner pointer just below the stack", false, func(w *world) { w.outside(false) }},
	{"stale owner pointer", false, plantStale},
	{"owner pointer, thread waits for another resource", false, plantOtherWait},
	{"shared owner pointer, shared wait, no exclusive waiter", false, plantSharedShared},
	{"timed mutant wait", false, func(w *world) { w.weakMutant("NotificationTimer") }},
	{"mutant or event", false, func(w *world) { w.weakMutant("SynchronizationEvent") }},
	{"marks that fit the counts", false, plantFittingMarks},
	{"marks that fit nothing", false, plantBadMarks},
	{"listed waiter that runs", false, plantRunningWaiter},
	{"shared owner asks shared again", false, plantSharedAgain},
}

// plantStar is one running owner with many waiters.
func plantStar(w *world) {
	t := w.thread()
	w.runs(t)
	w.hang(w.owned(w.chance(50), t), 5+w.rng.IntN(40))
}

// plantDiamond lets two ways lead to the same running thread.
func plantDiamond(w *world) {
	ts := w.threadsN(4)
	w.runs(ts[3])
	bottom := w.owned(false, ts[3])
	w.wantsExclusive(bottom, ts[1])
	w.wantsShared(bottom, ts[2])
	w.wantsExclusive(w.owned(true, ts[1], ts[2]), ts[0])
	w.hang(w.owned(false, ts[0]), 2)
}

// plantChain is a chain of waits that ends at a running thread.
func plantChain(w *world) {
	ts := w.threadsN(10 + w.rng.IntN(30))
	for i, t := range ts[1:] {
		r := w.owned(w.chance(30), ts[i])
		w.wantsExclusive(r, t)
		w.hang(r, w.rng.IntN(3))
	}
	w.runs(ts[0])
}

// plantRecursion is an owner that has acquired twice and is not waiting.
func plantRecursion(w *world) {
	t := w.thread()
	r := w.owned(w.chance(50), t)
	r.owners[0].count = 2 + w.rng.IntN(20)
	w.runs(t)
	w.hang(r, 4)
}

// plantOwnWaiter prints the exclusive owner among the waiters: the kernel
// grants it the resource again.
func plantOwnWaiter(w *world) {
	t := w.thread()
	r := w.owned(false, t)
	if w.chance(50) {
		w.wantsShared(r, t)
	} else {
		w.wantsExclusive(r, t)
	}
	w.hang(r, 3)
}

// plantSharedAgain prints a shared owner among the shared waiters while
// nobody waits for exclusive access.
func plantSharedAgain(w *world) {
	t := w.thread()
	w.wantsShared(w.owned(true, t, w.thread()), t)
}

// plantConvoy is a hot lock that moves.
func plantConvoy(w *world) {
	t := w.thread()
	w.runs(t)
	r := w.owned(false, t)
	r.contention = 31_000_000
	w.hang(r, 60)
}

// outside puts an owner pointer next to the stack of a thread that waits.
func (w *world) outside(above bool) {
	t, r := w.thread(), w.lock(false)
	w.wantsExclusive(r, t)
	p := t.limit - 4
	if above {
		p = t.base
	}
	r.owners = append(r.owners, owner{raw: p | 3, count: 1, remark: "*** Unknown owner, possibly FileSystem", how: "unresolved", frame: -1, pointer: true})
	w.hang(r, 5)
}

// plantStale lets the pointer lie below the stack pointer: its frame is gone.
func plantStale(w *world) {
	t, r := w.thread(), w.lock(false)
	w.wantsShared(r, t)
	w.pointerOwner(r, t, slot{t.current - 0x20, -1, ""})
	r.owners[0].live = -1
	w.hang(r, 5)
}

// plantOtherWait lets the thread with the owner pointer wait elsewhere.
func plantOtherWait(w *world) {
	t, holder, r := w.thread(), w.thread(), w.lock(false)
	w.runs(holder)
	w.wantsExclusive(w.owned(false, holder), t)
	w.pointerOwner(r, t, w.slotOn(t, false))
	w.hang(r, 6)
}

// plantSharedShared has nobody that a shared wait would queue behind.
func plantSharedShared(w *world) {
	t, r := w.thread(), w.lock(true)
	w.wantsShared(r, t)
	w.pointerOwner(r, t, w.slotOn(t, false))
}

// weakMutant closes a cycle by a wait that something else can end.
func (w *world) weakMutant(kind string) {
	a, b := w.thread(), w.thread()
	r := w.owned(false, a)
	o := object{addr: w.addr(regionObject), kind: kind}
	if kind == "NotificationTimer" {
		o.addr = a.addr + 0xf8
	}
	w.wantsMutant(a, b, o)
	w.wantsExclusive(r, b)
	w.hang(r, 3)
}

// plantFittingMarks marks shared waiters as owners are marked; read naively,
// owners and waiters form cycles.
func plantFittingMarks(w *world) {
	ts := w.threadsN(3)
	w.runs(ts[0])
	r := w.owned(false, ts[0])
	q := w.owned(false, ts[1])
	r.markAll = true
	w.wantsShared(r, ts[1])
	w.wantsShared(r, ts[2])
	w.hang(q, 1)
	w.hang(r, 2)
}

// plantBadMarks closes a cycle by a list that contradicts its counts.
func plantBadMarks(w *world) {
	ts := w.threadsN(4)
	r, q := w.owned(false, ts[0]), w.owned(false, ts[1])
	r.markAll, r.announced = true, -1
	w.wantsShared(r, ts[1])
	w.wantsShared(r, ts[2])
	w.wantsShared(r, ts[3])
	w.wantsExclusive(q, ts[0])
}

// plantRunningWaiter is AB-BA in the lists, but one waiter runs.
func plantRunningWaiter(w *world) {
	a, b := w.thread(), w.thread()
	r, q := w.owned(false, a), w.owned(false, b)
	w.wantsExclusive(r, b)
	w.wantsExclusive(q, a)
	w.runs(b)
	b.where = alone
}

// half is one half of a cycle: alone it is a wait for an idle owner.
func half(seed uint64, d dialect, first bool) *world {
	w := newWorld(seed, d)
	a, b := w.thread(), w.thread()
	r, q := w.owned(false, a), w.owned(false, b)
	if first {
		w.wantsExclusive(r, b)
		w.locks = []*resource{r}
	} else {
		w.wantsExclusive(q, a)
		w.locks = []*resource{q}
	}
	return w
}

// banners are what a debugger prints when it starts on another dump.
var banners = []string{
	"\nMicrosoft (R) Windows Debugger Version 10.0.19041.1 AMD64\nCopyright (c) Microsoft Corporation. All rights reserved.\n\n\nLoading Dump File [C:\\dumps\\second.dmp]\nKernel Summary Dump File: Kernel address space is available, User address space may not be available.\n\n",
	"\nMicrosoft (R) Windows Debugger Version 6.12.0002.633 X86\nCopyright (c) Microsoft Corporation. All rights reserved.\n\n",
	"\nLoading Dump File [D:\\MEMORY.DMP]\nKernel Complete Dump File: Full address space is available\n\n",
}
