package rules

import (
	"iter"
	"strings"

	"kdlocks/kd"
	"kdlocks/objects"
	"kdlocks/stacks"
	"kdlocks/threads"
)

func init() {
	registerKind(&kind{
		name: "irp", doc: "an IRP of !irp or !irpfind",
		ask: "!irpfind", one: "!irp %s", key: "address",
		seen:   func(w *world) bool { return len(w.snap.Objects.IRPs) > 0 },
		listed: func(w *world, _ *clause) bool { return w.snap.ListsIRPs() },
		all:    func(w *world) iter.Seq[fact] { return each(w.snap.Objects.IRPs) },
		find: func(w *world, v Value) fact {
			if i := w.snap.IRP(v.A); i != nil {
				return i
			}
			return nil
		},
		at:   placed(func(i *objects.IRP) kd.Ref { return i.At }),
		addr: addressed(func(i *objects.IRP) kd.Addr { return i.Addr }),
		fields: []*field{
			{name: "address", typ: Address, doc: "where it lies", get: getter(func(_ *world, i *objects.IRP) Values { return address(i.Addr, placeOf(i.AddrAt, i.At)) })},
			{name: "thread", typ: Address, doc: "the thread that issued it", get: getter(func(_ *world, i *objects.IRP) Values { return printed(i.Thread) })},
			{name: "driver", typ: Name, doc: "the driver that has it, without its directory: disk", get: getter(irpDriver)},
			{name: "drivers", typ: Name, list: true, doc: "the drivers of all its stack locations", get: getter(irpDrivers)},
			{name: "major", typ: Name, doc: "what the driver that has it was asked: IRP_MJ_READ", get: getter(func(_ *world, i *objects.IRP) Values {
				return irpFunction(i, func(l *objects.Location) string { return l.MajorName })
			})},
			{name: "minor", typ: Name, doc: "its minor function: IRP_MN_QUERY_POWER", get: getter(func(_ *world, i *objects.IRP) Values {
				return irpFunction(i, func(l *objects.Location) string { return l.MinorName })
			})},
			{name: "major_code", typ: Number, doc: "its major function code, which rows of !irpfind have alone", get: getter(func(_ *world, i *objects.IRP) Values {
				return irpCode(i, func(l *objects.Location) int { return l.Major })
			})},
			{name: "minor_code", typ: Number, doc: "its minor function code", get: getter(func(_ *world, i *objects.IRP) Values {
				return irpCode(i, func(l *objects.Location) int { return l.Minor })
			})},
			{name: "third_party", typ: Bool, doc: "whether the driver that has it is none of Windows", get: getter(irpThirdParty)},
			{name: "pending", typ: Bool, common: true, doc: "whether that driver marked it pending", get: getter(func(_ *world, i *objects.IRP) Values {
				_, pending := i.Driver()
				return flag(pending, i.At)
			})},
			{name: "complete", typ: Bool, common: true, doc: "whether it is completed", get: getter(irpComplete)},
			{name: "cancelled", typ: Bool, common: true, doc: "whether it is cancelled", get: getter(func(_ *world, i *objects.IRP) Values { return flag(i.Cancelled, i.At) })},
		},
	})
	registerKind(&kind{
		name: "queue", doc: "a work queue of !exqueue",
		ask:  "!exqueue f",
		seen: func(w *world) bool { return len(w.snap.Queues()) > 0 },
		all:  func(w *world) iter.Seq[fact] { return each(w.snap.Queues()) },
		at:   placed(func(q *objects.WorkQueue) kd.Ref { return q.At }),
		fields: []*field{
			{name: "name", typ: Name, common: true, doc: "Critical, Delayed, HyperCritical", get: getter(func(_ *world, q *objects.WorkQueue) Values { return text(Name, q.Name, q.At) })},
			{name: "workers", typ: Address, list: true, doc: "the threads that serve it", get: getter(func(_ *world, q *objects.WorkQueue) Values { return workers(q.Workers, !q.Open) })},
			{name: "threads", typ: Number, common: true, doc: "how many threads serve it", get: getter(func(_ *world, q *objects.WorkQueue) Values {
				if q.Threads < 0 && (q.Open || len(q.Workers) == 0) {
					return unknown
				}
				return number(Number, float64(max(q.Threads, len(q.Workers))), q.At)
			})},
			{name: "running", typ: Number, common: true, doc: "how many of them run by the queue's own count", get: getter(func(_ *world, q *objects.WorkQueue) Values { return atLeastZero(Number, int64(q.Running), q.At) })},
			{name: "most", typ: Number, common: true, doc: "how many may run at once", get: getter(func(_ *world, q *objects.WorkQueue) Values { return atLeastZero(Number, int64(q.Most), q.At) })},
			{name: "pending", typ: Number, common: true, doc: "how many work items wait in it", get: getter(func(_ *world, q *objects.WorkQueue) Values {
				return atLeast(len(q.Pending), !q.Open && !q.Cut, q.At)
			})},
			{name: "routine", typ: Name, list: true, doc: "the routines of the work items that wait in it", get: getter(func(_ *world, q *objects.WorkQueue) Values {
				out := Values{All: !q.Open && !q.Cut}
				for _, p := range q.Pending {
					v := symbol(p.Routine, p.At)
					out.List, out.All = append(out.List, v.List...), out.All && v.All
				}
				return out
			})},
			{name: "routine_module", typ: Name, list: true, doc: "the modules of those routines", get: getter(routineModules)},
			{name: "idle_workers", typ: Number, common: true, doc: "how many of its threads wait for the next work item", ask: "!exqueue f", get: getter(idleWorkers)},
		},
	})
	registerKind(&kind{
		name: "mutex", doc: "a fast or guarded mutex of dt",
		one: "dt nt!_FAST_MUTEX %s", key: "address",
		seen:   func(w *world) bool { return len(w.snap.Objects.Mutexes) > 0 },
		listed: func(*world, *clause) bool { return false },
		all:    func(w *world) iter.Seq[fact] { return each(w.snap.Objects.Mutexes) },
		find: func(w *world, v Value) fact {
			if m := w.snap.Mutex(v.A); m != nil {
				return m
			}
			return nil
		},
		at:   placed(func(m *objects.Mutex) kd.Ref { return m.At }),
		addr: addressed(func(m *objects.Mutex) kd.Addr { return m.Addr }),
		fields: []*field{
			{name: "address", typ: Address, doc: "where it lies", get: getter(func(_ *world, m *objects.Mutex) Values { return address(m.Addr, m.At) })},
			{name: "owner", typ: Address, doc: "the thread that holds it", get: getter(func(_ *world, m *objects.Mutex) Values { return printed(m.Owner) })},
			{name: "guarded", typ: Bool, common: true, doc: "whether it is a guarded mutex", get: getter(func(_ *world, m *objects.Mutex) Values { return boolean(m.Guarded, m.At) })},
		},
	})
	registerKind(&kind{
		name: "message", doc: "an ALPC or LPC message",
		one: "!alpc /m %s", key: "address",
		seen:   func(w *world) bool { return len(w.snap.Objects.Messages) > 0 },
		listed: func(*world, *clause) bool { return false },
		all:    func(w *world) iter.Seq[fact] { return each(w.snap.Objects.Messages) },
		find: func(w *world, v Value) fact {
			if m := w.snap.Message(v.A); m != nil {
				return m
			}
			return nil
		},
		at:   placed(func(m *objects.Message) kd.Ref { return m.At }),
		addr: addressed(func(m *objects.Message) kd.Addr { return m.Addr }),
		fields: []*field{
			{name: "address", typ: Address, doc: "where it lies", get: getter(func(_ *world, m *objects.Message) Values { return address(m.Addr, m.At) })},
			{name: "client", typ: Address, doc: "the thread that waits for the reply", get: getter(func(_ *world, m *objects.Message) Values { return printed(m.Client) })},
			{name: "server", typ: Address, doc: "the process that owns the port", get: getter(func(_ *world, m *objects.Message) Values { return printed(m.Server) })},
			{name: "server_image", typ: Name, doc: "the program of that process", get: getter(func(_ *world, m *objects.Message) Values { return imageName(m.ServerImage, m.At) })},
			{name: "server_thread", typ: Address, doc: "the thread that works on it", get: getter(func(_ *world, m *objects.Message) Values { return printed(m.ServerThread) })},
		},
	})
	registerKind(&kind{
		name: "processor", doc: "a row of !running",
		ask:  "!running -it",
		seen: func(w *world) bool { return len(w.snap.Processors) > 0 },
		all:  func(w *world) iter.Seq[fact] { return eachOf(w.snap.Processors) },
		at:   placed(func(p *threads.Processor) kd.Ref { return p.At }),
		fields: []*field{
			{name: "number", typ: Number, common: true, doc: "its number", get: getter(func(_ *world, p *threads.Processor) Values { return atLeastZero(Number, int64(p.CPU), p.At) })},
			{name: "current", typ: Address, doc: "the thread that runs on it", get: getter(func(_ *world, p *threads.Processor) Values { return address(p.Current, p.At) })},
			{name: "next", typ: Address, doc: "the thread that was chosen to run after it", get: getter(func(_ *world, p *threads.Processor) Values { return address(p.Next, p.At) })},
			{name: "idle", typ: Bool, common: true, doc: "whether it is idle", get: getter(func(_ *world, p *threads.Processor) Values { return tri(p.IdleNow, p.At) })},
		},
	})
}

func routineModules(_ *world, q *objects.WorkQueue) Values {
	out := Values{All: !q.Open && !q.Cut}
	for _, p := range q.Pending {
		if module, _, ok := strings.Cut(p.Routine, "!"); ok {
			out.List = append(out.List, Value{Type: Name, S: module, At: p.At})
			continue
		}
		out.All = false
	}
	return out
}

// printed makes the value of an address that may have been printed as zero.
func printed(p objects.Printed) Values {
	switch {
	case !p.Known():
		return unknown
	case p.Addr == 0:
		return none
	}
	return address(p.Addr, p.At)
}

func numberOf(n objects.Number) Values {
	if !n.Known() {
		return unknown
	}
	return number(Number, float64(n.N), n.At)
}

func flag(f objects.Flag, at kd.Ref) Values {
	if f == objects.Unknown {
		return unknown
	}
	return boolean(f == objects.Yes, at)
}

func workers(list []objects.Worker, all bool) Values {
	out := Values{All: all}
	for _, t := range list {
		out.List = append(out.List, Value{Type: Address, A: t.Thread, At: t.At})
	}
	return out
}

func irpDriver(_ *world, i *objects.IRP) Values {
	name, _ := i.Driver()
	if l := i.CurrentLocation(); l != nil {
		return text(Name, driverName(name), l.At)
	}
	return unknown
}

// irpComplete is false only where a line says what an IRP that is not complete has.
func irpComplete(_ *world, i *objects.IRP) Values {
	if !i.Complete && !i.Row && i.Stacks < 0 && !i.Thread.Known() {
		return unknown
	}
	return boolean(i.Complete, i.At)
}

// irpDrivers are all where all stack locations were printed, those that are used
// with their drivers.
func irpDrivers(_ *world, i *objects.IRP) Values {
	out := Values{All: !i.Row && len(i.Locations) == i.Stacks}
	for n := range i.Locations {
		l := &i.Locations[n]
		switch {
		case l.Driver != "":
			out.List = append(out.List, Value{Type: Name, S: driverName(l.Driver), At: l.At})
		case !l.Unused():
			out.All = false
		}
	}
	return out
}

func irpFunction(i *objects.IRP, name func(*objects.Location) string) Values {
	if l := i.CurrentLocation(); l != nil {
		return text(Name, name(l), l.At)
	}
	return unknown
}

func irpCode(i *objects.IRP, code func(*objects.Location) int) Values {
	if l := i.CurrentLocation(); l != nil {
		return atLeastZero(Number, int64(code(l)), l.At)
	}
	return unknown
}

func irpThirdParty(w *world, i *objects.IRP) Values {
	v := irpDriver(w, i)
	if len(v.List) == 0 {
		return unknown
	}
	return boolean(!stacks.OfWindows(v.List[0].S), v.List[0].At)
}

// idleWorkers is unknown unless all workers are listed and the stack of each shows
// what it does.
func idleWorkers(w *world, q *objects.WorkQueue) Values {
	if q.Open || len(q.Workers) == 0 || q.Threads > len(q.Workers) {
		return unknown
	}
	n := 0
	for _, worker := range q.Workers {
		switch isIdle(w.snap.Thread(worker.Thread)) {
		case Unknown:
			return unknown
		case True:
			n++
		}
	}
	return number(Number, float64(n), q.At)
}

// isIdle reports whether a worker waits for the next work item.
func isIdle(t *threads.Thread) Truth {
	if t == nil || len(t.Stack.Frames) == 0 {
		return Unknown
	}
	if t.FindFrame("KeRemoveQueue", "KeRemovePriQueue") >= 0 && t.FindFrame("ExpWorkerThread") >= 0 {
		return True
	}
	if t.WaitReason == "WrQueue" || lacksFrames(t) {
		return Unknown
	}
	for i := range t.Stack.Frames {
		if c := callOf(&t.Stack.Frames[i]); c.module == "nt" && c.function == "" {
			return Unknown
		}
	}
	return False
}
