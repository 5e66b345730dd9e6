package inspect_test

// call is a function on a planted stack.
type call struct {
	module, function string
	offset           int64 // -1: printed without one
	inline           bool
	jump             bool // it stands on the earlier stack, as all further out
}

// frame is one line of a planted stack.
type frame struct {
	call
	sp, ret uint64
	args    [4]uint64
	source  string
	trap    uint64
	symbol  string // in the place of module!function
}

func nt(function string, offset int64) call {
	return call{module: "nt", function: function, offset: offset}
}

func inlined(function string, offset int64) call {
	return call{module: "nt", function: function, offset: offset, inline: true}
}

var (
	oldX86 = []call{nt("KiSwapContext", 0x26), nt("KiSwapThread", 0x44f), nt("KeWaitForSingleObject", 0x492), nt("ExpWaitForResource", 0xd5)}
	oldX64 = []call{nt("KiSwapContext", 0x7a), nt("KiCommitThreadWait", 0x1d2), nt("KeWaitForSingleObject", 0x19f), nt("ExpWaitForResource", 0xae)}
	newX64 = []call{nt("KiSwapContext", 0x76), nt("KiSwapThread", 0xab5), nt("KiCommitThreadWait", 0x134), nt("KeWaitForSingleObject", 0x256), nt("ExpWaitForResource", 0x6b)}
)

// driverCalls are what may stand between a lock request and the bottom.
var driverCalls = []call{
	{module: "acmefs", function: "AcmeSetCookie", offset: 0xe2}, {module: "acmefs", function: "AcmeFlushFcb", offset: 0x99},
	{module: "acmefs", function: "AcmeDispatch", offset: 0x47}, {module: "Ntfs", function: "NtfsDeleteScb", offset: 0x108},
	{module: "Ntfs", function: "NtfsCommonClose", offset: 0x353}, {module: "FLTMGR", function: "FltpDispatch", offset: 0xb6},
	{module: "quota_flt", function: "PreCleanup<1>", offset: 0x1c}, {module: "nt", function: "FsRtlTeardownPerStreamContexts", offset: 0xe2},
	{module: "acmefs", function: "operator new", offset: 0x12}, {module: "nt", function: "MmFlushSection", offset: 0x9e},
}

// tails are the outermost frames of a kernel thread.
func (w *world) tail() []call {
	switch {
	case w.d.x86:
		return []call{nt("ExpWorkerThread", 0xfd), nt("PspSystemThreadStartup", 0x9d), nt("KiThreadStartup", 0x16)}
	case w.d.wideRet:
		return []call{nt("ExpWorkerThread", 0x105), nt("PspSystemThreadStartup", 0x55), nt("KiStartSystemThread", 0x28)}
	}
	return []call{nt("ExpWorkerThread", 0x111), nt("PspSystemThreadStartup", 0x5a), nt("KxStartSystemThread", 0x16)}
}

// acquireStack gives a thread the stack of a wait for a resource. An expanded
// one has at least four frames on each of its two stacks.
func (w *world) acquireStack(t *thread, r *resource, shared, expanded bool) {
	calls := append([]call{}, w.d.routines...)
	what := "Exclusive"
	if shared {
		what = "Shared"
	}
	numbered := t.where == split && !w.d.x86
	if numbered {
		calls = append(calls, inlined("ExpCommitWaitForResource"+what, 0x19))
	}
	calls = append(calls, nt("ExAcquireResource"+what+"Lite", 0x183))
	calls = append(calls, w.someDrivers(3+w.rng.IntN(5))...)
	if numbered {
		calls = append(calls, inlined("IopfCallDriver", 0x4))
	}
	if expanded {
		callout := []call{nt("KxSwitchKernelStackCallout", 0x27), nt("KiSwitchKernelStackContinue", -1), nt("KeExpandKernelStackAndCalloutEx", 0x29a)}
		callout[1].jump = true
		calls = append(calls, callout...)
		calls = append(calls, w.someDrivers(4+w.rng.IntN(4))...)
	}
	calls = append(calls, w.tail()...)
	w.layOut(t, calls, expanded)
	w.x86Argument(t, r)
}

// x86Argument prints the resource as the first argument of the wait: on x86
// the column is what was pushed.
func (w *world) x86Argument(t *thread, r *resource) {
	for i := range t.frames {
		if w.d.x86 && t.frames[i].function == "ExpWaitForResource" {
			t.frames[i].args[0] = r.addr
		}
	}
}

func (w *world) someDrivers(n int) []call {
	var out []call
	for range n {
		out = append(out, pick(w, driverCalls))
	}
	return out
}

// plainStack is the stack of any other wait.
func (w *world) plainStack(t *thread, routine string) {
	calls := append([]call{}, w.d.routines[:len(w.d.routines)-2]...)
	calls = append(calls, nt(routine, 0x217))
	calls = append(calls, w.someDrivers(1+w.rng.IntN(4))...)
	w.layOut(t, append(calls, w.tail()...), false)
}

// runningStack is the stack of a thread that runs: its frames have nothing to
// do with the stack pointer of its last switch.
func (w *world) runningStack(t *thread) {
	w.layOut(t, append(w.someDrivers(2+w.rng.IntN(5)), w.tail()...), false)
	t.current -= 0x100
}

// layOut places the calls on one stack, or on two if expanded.
func (w *world) layOut(t *thread, calls []call, expanded bool) {
	t.frames = make([]frame, len(calls))
	t.earlier = 0
	for i, c := range calls {
		t.frames[i].call = c
		if c.jump {
			t.earlier = i
		}
	}
	size := pick(w, []uint64{0x6000, 0x6000, 0x7000, 0x8000})
	if w.d.x86 {
		size = pick(w, []uint64{0x3000, 0x3000, 0x4000})
	}
	t.limit = w.addr(regionStack)
	t.base = t.limit + size
	t.init = t.base
	if !w.d.x86 {
		t.init -= 0x10 * (3 + w.rng.Uint64N(0x30))
	}
	last := len(calls)
	if expanded {
		base := w.addr(regionStack) + size
		w.place(t.frames[t.earlier:], base-0x10*(3+w.rng.Uint64N(0x30)))
		last = t.earlier
	}
	w.place(t.frames[:last], t.init)
	t.current = t.frames[0].sp - 0x40
	if w.d.x86 {
		t.current = t.frames[0].sp - 0x18
	}
	w.fill(t)
}

// place gives frames their stack addresses, the outermost just below top.
func (w *world) place(frames []frame, top uint64) {
	sp := top - 0x30
	for i := len(frames) - 1; i >= 0; i-- {
		if frames[i].inline {
			continue
		}
		frames[i].sp = sp
		sp -= w.frameSize()
	}
}

// frameSize is the distance of two frames: at least so large that parameters
// and locals both have room.
func (w *world) frameSize() uint64 {
	if w.d.x86 {
		return 4 * (9 + w.rng.Uint64N(24))
	}
	return 0x10 * (4 + w.rng.Uint64N(14))
}

// fill adds return addresses, arguments, source lines and the bottom.
func (w *world) fill(t *thread) {
	private := w.chance(10)
	for i := range t.frames {
		f := &t.frames[i]
		for j := range f.args {
			f.args[j] = w.junk()
		}
		if private || f.inline {
			f.source = pick(w, []string{`minkernel\ntos\ex\resource.c @ 1163`, `C:\src\acme fs\fcb.c @ 42`})
		}
		if i+1 < len(t.frames) && !f.inline {
			f.ret = w.code()
		}
	}
	if w.d.x86 {
		t.frames[len(t.frames)-1].sp = 0
		return
	}
	if t.earlier > 0 && w.chance(50) {
		t.frames[t.earlier-1].trap = t.frames[t.earlier-1].sp - 0x140
	}
}

// junk is a value from nowhere in the columns of arguments.
func (w *world) junk() uint64 {
	if w.d.x86 {
		return uint64(w.rng.Uint32()) >> w.rng.IntN(20)
	}
	return 0xffffd00000000000 | w.rng.Uint64N(1<<32)
}

// code is an address in some module.
func (w *world) code() uint64 {
	if w.d.x86 {
		return 0x81800000 + w.rng.Uint64N(0x400000)
	}
	return 0xfffff80002200000 + w.rng.Uint64N(0x4000000)
}

// idle gives a thread a wait that has nothing to do with locks.
func (w *world) idle(t *thread) {
	t.state, t.alertable = "waiting", w.chance(30)
	t.objects = []object{{addr: w.addr(regionObject), kind: pick(w, []string{"SynchronizationEvent", "NotificationEvent", "QueueObject", "ProcessObject", "Thread"})}}
	switch w.rng.IntN(4) {
	case 0:
		t.reason, t.mode = "WrQueue", "KernelMode"
		t.objects[0].kind = "QueueObject"
		w.plainStack(t, "KeRemoveQueueEx")
	case 1:
		t.reason, t.mode = "UserRequest", "UserMode"
		t.objects = append(t.objects, object{addr: t.addr + 0xf8, kind: "NotificationTimer"})
		w.userStack(t)
	case 2:
		t.reason, t.mode = "WrLpcReceive", "UserMode"
		t.objects[0].kind, t.objects[0].detail = "Semaphore", "Limit 0x1"
		w.userStack(t)
	default:
		t.reason, t.mode = "Executive", "KernelMode"
		t.irps = []uint64{w.addr(regionIRP)}
		w.plainStack(t, "KeWaitForSingleObject")
	}
}

// userStack is a wait that came in by a system service.
func (w *world) userStack(t *thread) {
	calls := append([]call{}, w.d.routines[:len(w.d.routines)-1]...)
	calls = append(calls, nt("NtWaitForSingleObject", 0xf8))
	if w.d.x86 {
		calls = append(calls, nt("KiFastCallEntry", 0xfc), call{module: "ntdll", function: "KiFastSystemCallRet", offset: -1})
	} else {
		calls = append(calls, nt("KiSystemServiceCopyEnd", 0x13), call{offset: -1})
	}
	w.layOut(t, calls, false)
	last := &t.frames[len(t.frames)-1]
	if w.d.x86 {
		last.sp = 0x0006fde4
		return
	}
	last.sp, last.symbol = 0x6d1ec88, "0x00007ffa`a9094f14"
	t.frames[len(t.frames)-2].ret = 0x00007ffaa9094f14
}

// slot is a place on a stack that an owner pointer may name.
type slot struct {
	at    uint64
	frame int // -1: not judged
	setBy string
}

// slotOn chooses a place on a thread's stack, outward of the lock request; on
// the earlier stack if earlier is set.
func (w *world) slotOn(t *thread, earlier bool) slot {
	from, to := len(w.d.routines)+2, len(t.frames)-3
	switch {
	case earlier:
		from = t.earlier + 2
	case t.earlier > 0:
		to = t.earlier - 1
	}
	i := from + w.rng.IntN(to-from)
	for t.frames[i].inline {
		i++
	}
	f := t.frames[i]
	if w.d.x86 {
		if w.chance(50) {
			return slot{f.sp + 8 + 4*w.rng.Uint64N(3), i, f.name()}
		}
		return slot{t.frames[i+1].sp - 4 - 4*w.rng.Uint64N(2), -1, t.frames[i+1].name()}
	}
	if w.chance(50) {
		return slot{f.sp + 0x20 + 8*w.rng.Uint64N(4), i, f.name()}
	}
	inner := i - 1
	for t.frames[inner].inline {
		inner--
	}
	return slot{f.sp + 8*w.rng.Uint64N(4), i, t.frames[inner].name()}
}

func (c call) name() string { return c.module + "!" + c.function }

// pointerOwner makes an owner pointer the owner of a resource.
func (w *world) pointerOwner(r *resource, t *thread, s slot) {
	o := owner{raw: s.at | 3, count: 1 + w.rng.IntN(2), how: "stack", thread: t, live: 1, frame: s.frame, setBy: s.setBy, pointer: true}
	if w.chance(70) {
		o.remark = "*** Unknown owner, possibly FileSystem"
	}
	if s.at < t.limit || s.at >= t.base {
		o.how = "stack-segment"
	}
	if t.where == nowhere || t.where == inProcess && w.chance(40) {
		t.where, t.value = byValue, o.raw
	}
	if t.where == byValue && t.value == o.raw {
		o.how = "debugger"
	}
	r.owners = append(r.owners, o)
}
