package objects

import "kdlocks/kd"

// Listing is what was read, in the order of the input. An object that was
// printed twice is in it twice.
type Listing struct {
	IRPs     []*IRP
	Messages []*Message
	Ports    []*Port
	Queues   []*WorkQueue
	Sections []*CriticalSection
	// Mutexes and Resources are what dt showed.
	Mutexes   []*Mutex
	Resources []*ResourceFields
	// Lists are the commands that list all objects of a kind.
	Lists []List
	Notes []kd.Note
}

// Empty reports whether no object of the kernel was read. Critical sections are
// objects of user mode.
func (l *Listing) Empty() bool {
	return len(l.IRPs) == 0 && len(l.Messages) == 0 && len(l.Ports) == 0 && len(l.Queues) == 0 && len(l.Mutexes) == 0 && len(l.Resources) == 0
}

// MapAddrs replaces every address of the kernel by f of it.
func (l *Listing) MapAddrs(f func(kd.Addr) kd.Addr) {
	for _, i := range l.IRPs {
		i.mapAddrs(f)
	}
	for _, m := range l.Messages {
		m.mapAddrs(f)
	}
	for _, p := range l.Ports {
		p.mapAddrs(f)
	}
	for _, q := range l.Queues {
		q.mapAddrs(f)
	}
	for _, m := range l.Mutexes {
		m.mapAddrs(f)
	}
	for _, r := range l.Resources {
		r.mapAddrs(f)
	}
	for _, c := range l.Sections { // of user mode, as their addresses are
		mapAll(f, &c.Process)
	}
	for i := range l.Lists {
		l.Lists[i].Process = f(l.Lists[i].Process)
	}
}

// Printed is an address and where it was printed. One that is Known and 0 was
// printed as zero: there is no such object.
type Printed struct {
	Addr kd.Addr
	At   kd.Ref
}

// Known reports whether the address was printed.
func (p Printed) Known() bool { return p.At.Known() }

func mapAll(f func(kd.Addr) kd.Addr, ps ...*Printed) {
	for _, p := range ps {
		p.Addr = f(p.Addr)
	}
}

// Flag is a yes or no that may not have been printed.
type Flag uint8

// The values of a Flag.
const (
	Unknown Flag = iota
	No
	Yes
)

// flag reads "Yes" and "No".
func flag(w string) Flag {
	switch w {
	case "Yes":
		return Yes
	case "No":
		return No
	}
	return Unknown
}

// Worker is a thread that the debugger lists below a queue or a port.
type Worker struct {
	Thread kd.Addr
	At     kd.Ref
}
