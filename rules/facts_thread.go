package rules

import (
	"iter"
	"strings"

	"kdlocks/kd"
	"kdlocks/threads"
)

type threadFact = *threads.Thread

var threadStates = []string{"waiting", "running", "ready", "standby", "deferred-ready", "terminated", "initialized", "transition"}

func init() {
	registerKind(&kind{
		name: "thread", doc: "a thread of !thread, !process, !stacks, ~*k or !locks -v, or a stack without a thread header",
		ask: "!process 0 1f", one: "!thread %s 1f", key: "address",
		seen:   func(w *world) bool { return w.snap.ThreadCount() > 0 },
		listed: func(w *world, _ *clause) bool { return w.snap.ListsAllThreads(0) },
		all: func(w *world) iter.Seq[fact] {
			return func(yield func(fact) bool) {
				for t := range w.snap.AllThreads() {
					if !yield(t) {
						return
					}
				}
			}
		},
		find: func(w *world, v Value) fact {
			if t := w.snap.Thread(v.A); t != nil && t.Printed() {
				return t
			}
			return nil
		},
		at:   placed(func(t threadFact) kd.Ref { return t.At }),
		addr: addressed(func(t threadFact) kd.Addr { return t.Addr }),
		fields: []*field{
			{name: "address", typ: Address, doc: "its ETHREAD, and its TEB in a debugger of user mode, which shows no other; unknown for a stack without a thread header", get: getter(func(_ *world, t threadFact) Values { return address(t.Addr, t.At) })},
			{name: "cid", typ: Text, doc: "process.thread in lower-case hex of at least four digits each: 0004.0638", get: getter(func(_ *world, t threadFact) Values { return text(Text, t.CID.String(), t.At) })},
			{name: "pid", typ: Number, common: true, doc: "the number of its process, hexadecimal behind 0x", get: getter(threadID(func(c threads.CID) uint32 { return c.Process }))},
			{name: "tid", typ: Number, doc: "its own number, hexadecimal behind 0x: what critical_section.owner names", get: getter(threadID(func(c threads.CID) uint32 { return c.Thread }))},
			{name: "image", typ: Name, common: true, doc: "the program of its process: System, svchost.exe", get: getter(func(_ *world, t threadFact) Values { return imageName(t.Process.Image, placeOf(t.Process.At, t.At)) })},
			{name: "process", typ: Address, doc: "its process", get: getter(func(_ *world, t threadFact) Values { return address(t.Process.Addr, placeOf(t.Process.At, t.At)) })},
			{name: "state", typ: Enum, common: true, words: threadStates, doc: "the scheduler's state", get: getter(threadState)},
			{name: "wait_reason", typ: Name, common: true, doc: "as the THREAD line has it: WrResource, Executive, WrQueue", get: getter(func(_ *world, t threadFact) Values { return waitWord(t, t.WaitReason) })},
			{name: "wait_mode", typ: Name, common: true, doc: "KernelMode or UserMode", get: getter(func(_ *world, t threadFact) Values { return waitWord(t, t.WaitMode) })},
			{name: "alertable", typ: Bool, common: true, doc: "whether the wait is alertable", get: getter(alertable)},
			{name: "timed", typ: Bool, common: true, doc: "whether the wait ends by itself: a timer is among its wait objects", get: getter(timed)},
			{name: "wait", typ: Duration, common: true, doc: "how long it has waited, or run. A wait for an ERESOURCE is begun anew every few seconds", get: getter(waitTime)},
			{name: "ticks", typ: Number, common: true, doc: "the same in clock ticks, which rows of !stacks have alone; most are 1/64 s", get: getter(func(_ *world, t threadFact) Values { return atLeastZero(Number, t.Ticks, placeOf(t.WaitAt, t.At)) })},
			{name: "processor", typ: Number, common: true, doc: "the processor that it runs on", get: getter(onProcessor)},
			{name: "wait_object", typ: Address, list: true, doc: "the dispatcher objects that it waits for", get: getter(waitObjects(func(o threads.WaitObject) Value { return Value{Type: Address, A: o.Addr, At: o.At} }))},
			{name: "wait_object_kind", typ: Name, common: true, list: true, doc: "their kinds in the debugger's words: Semaphore, Mutant, SynchronizationEvent, Thread", get: getter(waitObjects(func(o threads.WaitObject) Value { return Value{Type: Name, S: o.Kind, At: o.At} }))},
			{name: "wait_object_owner", typ: Address, list: true, doc: "the threads that own the mutants among them", get: getter(waitOwners)},
			{name: "reply_message", typ: Address, doc: "the ALPC message, or the ID of the LPC message, whose reply it waits for", get: getter(replyOf(func(r *threads.Reply) kd.Addr { return r.Message }))},
			{name: "reply_server", typ: Address, doc: "the process that must reply", get: getter(replyOf(func(r *threads.Reply) kd.Addr { return r.Server }))},
			{name: "owns", typ: Address, list: true, doc: "the ERESOURCEs that it owns, by its address or an owner pointer", get: getter(func(w *world, t threadFact) Values { return w.locksOf(t, true) })},
			{name: "waits_for", typ: Address, list: true, doc: "the ERESOURCEs in whose waiter lists it stands", get: getter(func(w *world, t threadFact) Values { return w.locksOf(t, false) })},
			{name: "critical_section", typ: Address, doc: "the critical section that it waits for, by the first argument of the routine in which it stands, which stacks with arguments show; on x64 those may be stale", command: askSection, get: getter(sectionOf)},
			{name: "irp", typ: Address, list: true, doc: "the IRPs of its IRP List", get: getter(threadIRPs)},
			{name: "priority", typ: Number, common: true, doc: "its current priority", get: getter(func(_ *world, t threadFact) Values { return atLeastZero(Number, int64(t.Priority), t.At) })},
			{name: "context_switches", typ: Number, common: true, doc: "its context switch count", get: getter(func(_ *world, t threadFact) Values { return atLeastZero(Number, t.ContextSwitches, t.At) })},
			{name: "suspend_count", typ: Number, common: true, doc: "how often it is suspended", get: getter(func(_ *world, t threadFact) Values {
				if (!t.Block || t.Elided) && t.Suspended == 0 {
					return unknown
				}
				return number(Number, float64(t.Suspended), t.At)
			})},
			{name: "start", typ: Name, doc: "its start address as printed: nt!ExpWorkerThread", get: getter(threadStart)},
			{name: "stack_resident", typ: Bool, common: true, doc: "false where the debugger said that the stack is paged out", get: getter(residence)},
			{name: "stack_range", typ: Range, doc: "the addresses of its kernel stacks, earlier ones included", get: getter(stackRange)},
			{name: "stack", typ: Stack, doc: "its frames, innermost first", get: getter(stackOf)},
			{name: "frame", typ: Name, list: true, doc: "module!function of each frame, without offsets", get: getter(frameNames)},
			{name: "module", typ: Name, list: true, doc: "the modules of its frames", get: getter(frameModules)},
			{name: "third_party", typ: Name, doc: "the innermost module of its frames that is none of Windows", get: getter(thirdPartyOf)},
			{name: "frames", typ: Number, common: true, doc: "how many frames were printed", get: getter(func(_ *world, t threadFact) Values {
				if len(t.Stack.Frames) == 0 {
					return unknown
				}
				return number(Number, float64(len(t.Stack.Frames)), t.At)
			})},
		},
	})
}

func threadID(of func(threads.CID) uint32) func(*world, threadFact) Values {
	return func(_ *world, t threadFact) Values {
		if !t.CID.Known {
			return unknown
		}
		return inHex(number(Number, float64(of(t.CID)), t.At))
	}
}

// placeOf is the first place that is known.
func placeOf(at, otherwise kd.Ref) kd.Ref {
	if at.Known() {
		return at
	}
	return otherwise
}

func atLeastZero(typ Type, n int64, at kd.Ref) Values {
	if n < 0 {
		return unknown
	}
	return number(typ, float64(n), at)
}

// startSymbol takes the offset and the brackets off a start address:
// "nt!ExpWorkerThread (0xfffff80001234560)".
func startSymbol(s string) string {
	s, _, _ = strings.Cut(strings.TrimSpace(s), " ")
	if i := strings.Index(s, "+0x"); i > 0 {
		s = s[:i]
	}
	return s
}

// threadStart takes the module that a bare address lies in where that is known. One
// of user mode is that of a program.
func threadStart(_ *world, t threadFact) Values {
	if t.StartsIn != "" {
		return symbol(t.StartsIn, t.At)
	}
	if a, ok := kd.ParseAddr(startSymbol(t.StartAddress)); ok && !a.IsKernel(kd.ArchUnknown) {
		return none
	}
	return symbol(t.StartAddress, t.At)
}

func threadState(_ *world, t threadFact) Values {
	if t.State == threads.StateUnknown {
		return unknown
	}
	return text(Enum, t.State.String(), t.At)
}

// waitTime is that of the debugger in milliseconds.
func waitTime(_ *world, t threadFact) Values {
	if t.WaitMS < 0 {
		return unknown
	}
	return number(Duration, float64(t.WaitMS), placeOf(t.WaitAt, t.At))
}

// waitWord is a word of the THREAD line about the wait: a thread that does not wait
// has none.
func waitWord(t threadFact, word string) Values {
	if word == "" && t.NoWait() {
		return none
	}
	return text(Name, word, t.At)
}

func alertable(_ *world, t threadFact) Values {
	if t.Alertable == threads.Unknown && t.NoWait() {
		return none
	}
	return tri(t.Alertable, t.At)
}

// onProcessor is none for a thread that waits: it runs on no processor.
func onProcessor(_ *world, t threadFact) Values {
	if t.Processor < 0 && t.State == threads.Waiting {
		return none
	}
	return atLeastZero(Number, int64(t.Processor), t.At)
}

// timed is false only where the wait objects were all printed.
func timed(_ *world, t threadFact) Values {
	if !t.Timed() && !t.WaitsKnown() {
		return unknown
	}
	return boolean(t.Timed(), t.At)
}

func waitObjects(value func(threads.WaitObject) Value) func(*world, threadFact) Values {
	return func(_ *world, t threadFact) Values {
		out := Values{All: t.WaitsKnown()}
		for _, o := range t.WaitObjects {
			out.List = append(out.List, value(o))
		}
		return out
	}
}

// waitOwners is not known to be all where a mutant was printed without its owner.
func waitOwners(_ *world, t threadFact) Values {
	out := Values{All: t.WaitsKnown()}
	for _, o := range t.WaitObjects {
		switch {
		case o.Owner != 0:
			out.List = append(out.List, Value{Type: Address, A: o.Owner, At: o.At})
		case o.Kind == "Mutant":
			out.All = false
		}
	}
	return out
}

// replyOf is known to be none where the whole THREAD block names no reply.
func replyOf(of func(*threads.Reply) kd.Addr) func(*world, threadFact) Values {
	return func(_ *world, t threadFact) Values {
		switch {
		case t.Reply != nil:
			return address(of(t.Reply), t.Reply.At)
		case t.Block && !t.Elided, t.NoWait():
			return none
		}
		return unknown
	}
}

// locksOf is unknown for a thread without address, and not known to be all
// where locks were left out.
func (w *world) locksOf(t threadFact, owned bool) Values {
	if t.Addr == 0 {
		return unknown
	}
	w.lockThreads()
	list := w.waited[t.Addr]
	if owned {
		list = w.owned[t.Addr]
	}
	return Values{List: list, All: w.snap.Whole}
}

func threadIRPs(_ *world, t threadFact) Values {
	out := Values{All: t.Block && !t.Elided}
	for _, i := range t.IRPs {
		out.List = append(out.List, Value{Type: Address, A: i.Addr, At: i.At})
	}
	return out
}

func residence(_ *world, t threadFact) Values {
	if !t.NotResident && len(t.Stack.Frames) == 0 {
		return unknown
	}
	return boolean(!t.NotResident, t.At)
}

// stackRange is not all there is where the thread may have stacks that were not
// printed: then an address outside is unknown.
func stackRange(_ *world, t threadFact) Values {
	if len(t.Stack.Segments) == 0 {
		return unknown
	}
	v := Value{Type: Range, At: placeOf(t.Stack.RangeAt, t.At)}
	for _, g := range t.Stack.Segments {
		v.Spans = append(v.Spans, Span{g.Limit, g.Base})
	}
	return Values{List: []Value{v}, All: t.Stack.Base != 0 && len(t.Stack.Frames) > 0 && !lacksFrames(t)}
}

func stackOf(_ *world, t threadFact) Values {
	if len(t.Stack.Frames) == 0 {
		return unknown
	}
	return one(Value{Type: Stack, Frames: t.Stack.Frames, At: t.Stack.Frames[0].At, cut: lacksFrames(t)})
}

func frameNames(_ *world, t threadFact) Values {
	out := Values{All: len(t.Stack.Frames) > 0 && !lacksFrames(t)}
	for _, f := range t.Stack.Frames {
		if f.Function == "" {
			out.All = false
			continue
		}
		out.List = append(out.List, Value{Type: Name, S: f.Name(), At: f.At})
	}
	return out
}

func frameModules(_ *world, t threadFact) Values {
	out := Values{All: len(t.Stack.Frames) > 0 && !lacksFrames(t)}
	for _, f := range t.Stack.Frames {
		if f.Module == "" {
			out.All = false
			continue
		}
		out.List = append(out.List, Value{Type: Name, S: f.Module, At: f.At})
	}
	return out
}

// thirdPartyOf is unknown where code that no module is known for stands further in,
// and none only where the whole stack is of Windows.
func thirdPartyOf(_ *world, t threadFact) Values {
	frames := t.Stack.Frames
	for i := range frames {
		name := frames[i].Module
		if gone, ok := strings.CutPrefix(name, "<Unloaded_"); ok {
			name = strings.TrimSuffix(gone, ">")
		}
		switch {
		case name == "":
			return unknown
		case isThirdParty(name):
			return text(Name, name, frames[i].At)
		}
	}
	if len(frames) == 0 || lacksFrames(t) {
		return unknown
	}
	return none
}
