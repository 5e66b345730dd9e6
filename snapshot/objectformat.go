package snapshot

import (
	"fmt"
	"strings"

	"kdlocks/kd"
	"kdlocks/objects"
)

// formatObjects writes single objects.
func (s *Snapshot) formatObjects(b *strings.Builder) {
	for _, i := range s.Objects.IRPs {
		s.formatIRP(b, i)
	}
	for _, m := range s.Objects.Messages {
		fmt.Fprintf(b, "%s :%d", strings.ToLower(s.messageName(m)), m.At.Line)
		s.formatFacts(b, fact{"client", m.Client}, fact{"port", m.Port}, fact{"server", m.Server}, fact{"server-thread", m.ServerThread})
		formatWords(b, "type", m.Type, "queue", m.Queue, "image", m.ServerImage, "from", m.From)
		b.WriteString("\n")
	}
	for _, p := range s.Objects.Ports {
		fmt.Fprintf(b, "port %s :%d", s.bare(p.Addr), p.At.Line)
		s.formatFacts(b, fact{"owner", p.Owner}, fact{"connection", p.Connection}, fact{"client", p.Client}, fact{"service", p.Service})
		formatWords(b, "kind", p.Kind, "name", p.Name, "image", p.OwnerImage)
		b.WriteString("\n")
		s.formatWorkers(b, p.Threads)
	}
	for _, q := range s.Objects.Queues {
		fmt.Fprintf(b, "work-queue %s :%d running %d/%d threads %d/%d open %v\n", orUnknown(q.Name), q.At.Line, q.Running, q.Most, q.Threads, q.MostThreads, q.Open)
		s.formatWorkers(b, q.Workers)
		for _, i := range q.Pending {
			fmt.Fprintf(b, "  pending %s :%d", i.Kind, i.At.Line)
			s.formatFacts(b, fact{"item", i.Item}, fact{"parameter", i.Parameter})
			formatWords(b, "routine", i.Routine)
			b.WriteString("\n")
		}
	}
	for _, c := range s.Objects.Sections {
		fmt.Fprintf(b, "critical-section %s :%d", c.Addr, c.At.Line)
		s.formatFacts(b, fact{"process", c.Process})
		formatWords(b, "symbol", c.Symbol, "locked", flagName(c.Locked))
		for _, n := range []struct {
			name string
			objects.Number
		}{{"owner-id", c.Owner}, {"lock", c.Lock}, {"recursion", c.Recursion}} {
			if n.Known() {
				fmt.Fprintf(b, " %s %x", n.name, n.N)
			}
		}
		b.WriteString("\n")
	}
	for _, m := range s.Objects.Mutexes {
		fmt.Fprintf(b, "mutex %s :%d", s.bare(m.Addr), m.At.Line)
		s.formatFacts(b, fact{"owner", m.Owner})
		formatWords(b, "free", flagName(m.Free))
		b.WriteString("\n")
	}
	for _, r := range s.Objects.Resources {
		fmt.Fprintf(b, "resource-fields %s :%d", s.bare(r.Addr), r.At.Line)
		s.formatFacts(b, fact{"shared-waiters", r.Shared}, fact{"exclusive-waiters", r.Exclusive})
		b.WriteString("\n")
	}
}

func (s *Snapshot) formatIRP(b *strings.Builder, i *objects.IRP) {
	word := "irp"
	if i.Row {
		word = "irp-row"
	}
	fmt.Fprintf(b, "%s %s :%d", word, s.bare(i.Addr), i.At.Line)
	if i.Current >= 0 {
		fmt.Fprintf(b, " current %d of %d", i.Current, i.Stacks)
	}
	if i.Complete {
		b.WriteString(" complete")
	}
	s.formatFacts(b, fact{"thread", i.Thread}, fact{"mdl", i.Mdl}, fact{"mdl-process", i.MdlProcess})
	formatWords(b, "cancelled", flagName(i.Cancelled))
	b.WriteString("\n")
	now := i.CurrentLocation()
	for n := range i.Locations {
		l := &i.Locations[n]
		if l.Unused() {
			continue
		}
		fmt.Fprintf(b, "  location %d :%d %s(%x) %s(%x)", n+1, l.At.Line, l.MajorName, l.Major, l.MinorName, l.Minor)
		s.formatFacts(b, fact{"device", l.Device}, fact{"file", l.File})
		formatWords(b, "driver", l.Driver, "routine", l.Routine)
		for _, f := range []struct {
			name string
			set  bool
		}{{"pending", l.Pending == objects.Yes}, {"current", l == now}} {
			if f.set {
				b.WriteString(" " + f.name)
			}
		}
		b.WriteString("\n")
	}
}

type fact struct {
	name string
	objects.Printed
}

func (s *Snapshot) formatFacts(b *strings.Builder, facts ...fact) {
	for _, f := range facts {
		if f.Known() {
			fmt.Fprintf(b, " %s %s", f.name, s.bare(f.Addr))
		}
	}
}

// formatWords writes pairs of a name and a value that is not empty.
func formatWords(b *strings.Builder, pairs ...string) {
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			fmt.Fprintf(b, " %s %s", pairs[i], pairs[i+1])
		}
	}
}

func (s *Snapshot) formatWorkers(b *strings.Builder, ws []objects.Worker) {
	for _, w := range ws {
		fmt.Fprintf(b, "  worker %s :%d\n", s.bare(w.Thread), w.At.Line)
	}
}

func flagName(f objects.Flag) string { return [...]string{"", "no", "yes"}[f] }

// objectPlaces is Places for single objects.
func (s *Snapshot) objectPlaces(f func(at kd.Ref, a kd.Addr)) {
	one := func(ps ...objects.Printed) {
		for _, p := range ps {
			if p.Known() && p.Addr != 0 {
				f(p.At, p.Addr)
			}
		}
	}
	for _, i := range s.Objects.IRPs {
		one(objects.Printed{Addr: i.Addr, At: i.AddrAt}, i.Location, i.Mdl, i.Buffer, i.Thread, i.CancelRoutine, i.Status, i.MdlProcess)
		for n := range i.Locations {
			one(i.Locations[n].Device, i.Locations[n].File)
		}
	}
	for _, m := range s.Objects.Messages {
		if !m.LPC {
			f(m.At, m.Addr)
		}
		one(m.Client, m.Port, m.Owner, m.Server, m.ServerThread)
	}
	for _, p := range s.Objects.Ports {
		f(p.At, p.Addr)
		one(p.Owner, p.Connection, p.Client, p.Service)
		for _, w := range p.Threads {
			f(w.At, w.Thread)
		}
	}
	for _, q := range s.Objects.Queues {
		for _, w := range q.Workers {
			f(w.At, w.Thread)
		}
		for _, i := range q.Pending {
			one(i.Item, i.Parameter)
		}
	}
	for _, c := range s.Objects.Sections {
		f(c.At, c.Addr)
		one(c.DebugInfo)
	}
	for _, m := range s.Objects.Mutexes {
		f(m.At, m.Addr)
		one(m.Owner)
	}
	for _, r := range s.Objects.Resources {
		f(r.At, r.Addr)
		one(r.Shared, r.Exclusive)
	}
}
