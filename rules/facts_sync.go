package rules

import (
	"iter"

	"kdlocks/kd"
	"kdlocks/locks"
	"kdlocks/objects"
)

func init() {
	registerKind(&kind{
		name: "spin_lock", doc: "a queued spin lock of !qlocks",
		ask:  "!qlocks",
		seen: func(w *world) bool { return len(w.snap.QueuedLocks) > 0 },
		all:  func(w *world) iter.Seq[fact] { return eachOf(w.snap.QueuedLocks) },
		at:   placed(func(l *locks.QueuedLock) kd.Ref { return l.At }),
		fields: []*field{
			{name: "name", typ: Name, doc: "its name: KE - Dispatcher", get: getter(func(_ *world, l *locks.QueuedLock) Values { return text(Name, l.Name, l.At) })},
			{name: "owner", typ: Number, doc: "the processor that owns it", get: getter(func(_ *world, l *locks.QueuedLock) Values {
				if l.Owner < 0 {
					return none
				}
				return number(Number, float64(l.Owner), l.At)
			})},
			{name: "waiting", typ: Number, common: true, doc: "how many processors wait for it", get: getter(func(_ *world, l *locks.QueuedLock) Values { return number(Number, float64(len(l.Waiters)), l.At) })},
			{name: "corrupt", typ: Bool, doc: "whether the debugger calls it corrupt", get: getter(func(_ *world, l *locks.QueuedLock) Values { return boolean(l.Corrupt, l.At) })},
		},
	})
	registerKind(&kind{
		name: "pushlock", doc: "a pushlock of !pushlock",
		ask:  "!pushlock",
		seen: func(w *world) bool { return len(w.snap.PushLocks) > 0 },
		all:  func(w *world) iter.Seq[fact] { return eachOf(w.snap.PushLocks) },
		at:   placed(func(l *locks.PushLock) kd.Ref { return l.At }),
		addr: addressed(func(l *locks.PushLock) kd.Addr { return l.Addr }),
		fields: []*field{
			{name: "address", typ: Address, doc: "where it lies", get: getter(func(_ *world, l *locks.PushLock) Values { return address(l.Addr, l.At) })},
			pushLockBit("locked", "whether it is held", "Locked"),
			pushLockBit("waiting", "whether threads wait for it", "Waiting"),
			pushLockBit("multiple_shared", "whether several threads share it", "MultipleShared"),
		},
	})
	registerKind(&kind{
		name: "port", doc: "an ALPC or LPC port of !alpc /p or !lpc port",
		one: "!alpc /p %s", key: "address",
		seen:   func(w *world) bool { return len(w.snap.Objects.Ports) > 0 },
		listed: func(*world, *clause) bool { return false },
		all:    func(w *world) iter.Seq[fact] { return each(w.snap.Objects.Ports) },
		find: func(w *world, v Value) fact {
			if p := w.snap.Port(v.A); p != nil {
				return p
			}
			return nil
		},
		at:   placed(func(p *objects.Port) kd.Ref { return p.At }),
		addr: addressed(func(p *objects.Port) kd.Addr { return p.Addr }),
		fields: []*field{
			{name: "address", typ: Address, doc: "where it lies", get: getter(func(_ *world, p *objects.Port) Values { return address(p.Addr, p.At) })},
			{name: "name", typ: Name, doc: "the name of its connection port: SmApiPort", get: getter(func(_ *world, p *objects.Port) Values { return text(Name, p.Name, p.At) })},
			{name: "owner", typ: Address, doc: "the process that owns it", get: getter(func(_ *world, p *objects.Port) Values { return printed(p.Owner) })},
			{name: "owner_image", typ: Name, doc: "the program of that process", get: getter(func(_ *world, p *objects.Port) Values { return imageName(p.OwnerImage, p.At) })},
			{name: "threads", typ: Address, list: true, doc: "the threads that serve it", get: getter(func(_ *world, p *objects.Port) Values { return workers(p.Threads, !p.Open) })},
		},
	})
}

func pushLockBit(name, doc, bit string) *field {
	return &field{name: name, typ: Bool, doc: doc, get: getter(func(_ *world, l *locks.PushLock) Values {
		set, ok := l.Bits[bit]
		if !ok {
			return unknown
		}
		return boolean(set, l.At)
	})}
}
