package snapshot

import (
	"fmt"
	"slices"

	"kdlocks/kd"
	"kdlocks/objects"
)

// objectIndex finds single objects by their address, LPC messages by their ID.
type objectIndex struct {
	irps     map[kd.Addr]*objects.IRP
	messages map[kd.Addr]*objects.Message
	lpc      map[uint64]*objects.Message
	ports    map[kd.Addr]*objects.Port
	sections map[kd.Addr][]*objects.CriticalSection // of several processes
	queues   map[queueKey]int                       // place in Snapshot.Objects.Queues
	mutexes  map[kd.Addr]*objects.Mutex
	fields   map[kd.Addr]*objects.ResourceFields
}

type queueKey struct {
	name           string
	node, priority int
}

// IRP returns the IRP at an address, nil if it was not printed. A row of
// !irpfind counts.
func (s *Snapshot) IRP(a kd.Addr) *objects.IRP { return s.objects.irps[a] }

// Message returns the ALPC message at an address, nil if it was not printed.
// Threads that wait for an LPC reply name the ID of the message instead, and so
// may a.
func (s *Snapshot) Message(a kd.Addr) *objects.Message {
	if m := s.objects.messages[a]; m != nil {
		return m
	}
	return s.objects.lpc[uint64(a)]
}

// Port returns the ALPC or LPC port at an address, nil if it was not printed.
func (s *Snapshot) Port(a kd.Addr) *objects.Port { return s.objects.ports[a] }

// Queues returns the queues of the executive's workers, in the order of the
// input.
func (s *Snapshot) Queues() []*objects.WorkQueue { return s.Objects.Queues }

// CriticalSection returns the critical section at an address of a process, nil if
// it was not printed. Where the debugger did not say whose user mode it looked at,
// it may be of any process; 0 stands for any, too.
func (s *Snapshot) CriticalSection(a, process kd.Addr) *objects.CriticalSection {
	var found *objects.CriticalSection
	for _, c := range s.objects.sections[a] {
		if process != 0 && c.Process.Addr != 0 && c.Process.Addr != process {
			continue
		}
		if found != nil {
			return nil // which is meant is not known
		}
		found = c
	}
	return found
}

// CriticalSections returns the critical sections of user mode, in the order of
// the input.
func (s *Snapshot) CriticalSections() []*objects.CriticalSection { return s.Objects.Sections }

// Mutex returns the fast or guarded mutex at an address, nil if dt did not show
// it.
func (s *Snapshot) Mutex(a kd.Addr) *objects.Mutex { return s.objects.mutexes[a] }

// ResourceFields returns what dt showed of the ERESOURCE at an address, nil if
// nothing.
func (s *Snapshot) ResourceFields(a kd.Addr) *objects.ResourceFields { return s.objects.fields[a] }

// mergeObjects keeps one object for each address. One that was printed twice is
// one fact seen twice: what one print lacks is taken from the other. Two that
// contradict each other are of two moments: the later one is kept, and that is
// said.
func (s *Snapshot) mergeObjects(l *objects.Listing) {
	if l == nil || l.Empty() && len(l.Sections) == 0 && len(l.Notes) == 0 {
		return
	}
	s.objects = objectIndex{
		irps: map[kd.Addr]*objects.IRP{}, messages: map[kd.Addr]*objects.Message{}, lpc: map[uint64]*objects.Message{},
		ports: map[kd.Addr]*objects.Port{}, sections: map[kd.Addr][]*objects.CriticalSection{}, queues: map[queueKey]int{},
		mutexes: map[kd.Addr]*objects.Mutex{}, fields: map[kd.Addr]*objects.ResourceFields{},
	}
	s.Notes = append(s.Notes, l.Notes...)
	for _, i := range l.IRPs {
		if have := s.objects.irps[i.Addr]; have != nil && i.Addr != 0 {
			s.mergeIRP(have, i)
			continue
		}
		s.Objects.IRPs = append(s.Objects.IRPs, i)
		if i.Addr != 0 {
			s.objects.irps[i.Addr] = i
		}
	}
	for _, m := range l.Messages {
		s.addMessage(m)
	}
	for _, p := range l.Ports {
		have := s.objects.ports[p.Addr]
		if have == nil {
			s.objects.ports[p.Addr] = p
			s.Objects.Ports = append(s.Objects.Ports, p)
			continue
		}
		s.mergePort(have, p)
	}
	for _, q := range l.Queues {
		s.addQueue(q)
	}
	for _, c := range l.Sections {
		s.addSection(c)
	}
	for _, m := range l.Mutexes {
		s.addMutex(m)
	}
	for _, r := range l.Resources {
		s.addFields(r)
	}
	s.Objects.Lists = l.Lists
}

// ListsIRPs reports whether all IRPs of the nonpaged pool were listed.
func (s *Snapshot) ListsIRPs() bool {
	return slices.ContainsFunc(s.Objects.Lists, func(l objects.List) bool { return l.Of == objects.AllIRPs })
}

// ListsSections reports whether all locked critical sections of a process were
// listed; in a debugger of user mode those of its process.
func (s *Snapshot) ListsSections(process kd.Addr) bool {
	return slices.ContainsFunc(s.Objects.Lists, func(l objects.List) bool {
		return l.Of == objects.LockedSections && (l.User || process != 0 && l.Process == process)
	})
}

func (s *Snapshot) again(at kd.Ref, what string, before kd.Ref, why string) {
	s.note(kd.OneMoment, at, fmt.Sprintf("%s was printed before (line %d) %s: this later state is used", what, before.Line, why))
}

// mergeIRP adds to have what later knows more.
func (s *Snapshot) mergeIRP(have, later *objects.IRP) {
	why := irpConflict(have, later)
	switch {
	case why != "" && later.Row && !have.Row:
		s.note(kd.OneMoment, later.At, fmt.Sprintf("IRP %s was printed before (line %d) %s: that is used, not this row", s.bare(later.Addr), have.At.Line, why))
		have.Conflict = "it was printed twice, " + why
		return
	case why != "":
		s.again(later.At, "IRP "+s.bare(later.Addr), have.At, why)
		*have = *later
		have.Conflict = "it was printed twice, " + why
		return
	}
	process := have.MdlProcess
	if later.MdlProcess.Known() {
		process = later.MdlProcess
	}
	if have.Row && !later.Row || have.Row == later.Row && len(later.Locations) > len(have.Locations) {
		*have = *later
	}
	have.MdlProcess = process
}

// irpConflict says what two prints of one IRP disagree on.
func irpConflict(a, b *objects.IRP) string {
	device := func(i *objects.IRP) kd.Addr {
		if l := i.CurrentLocation(); l != nil {
			return l.Device.Addr
		}
		return 0
	}
	switch {
	case a.Complete != b.Complete:
		return "as completed or not"
	case differ(a.Thread, b.Thread):
		return "with another thread"
	case a.Current >= 0 && b.Current >= 0 && a.Current != b.Current, device(a) != 0 && device(b) != 0 && device(a) != device(b):
		return "with another current stack location"
	}
	return ""
}

// differ reports whether two prints of one fact contradict each other.
func differ(a, b objects.Printed) bool { return a.Known() && b.Known() && a.Addr != b.Addr }

// supply takes a fact that is not known from the other print.
func supply(into *objects.Printed, from objects.Printed) {
	if !into.Known() {
		*into = from
	}
}

func (s *Snapshot) addMessage(m *objects.Message) {
	have := s.objects.messages[m.Addr]
	if m.Addr == 0 {
		have = nil
	}
	if m.LPC && have == nil {
		have = s.objects.lpc[m.ID.N]
	}
	if have == nil {
		have = m
		s.Objects.Messages = append(s.Objects.Messages, m)
	} else {
		s.mergeMessage(have, m)
	}
	if have.Addr != 0 {
		s.objects.messages[have.Addr] = have
	}
	if have.LPC {
		s.objects.lpc[have.ID.N] = have
	}
}

func (s *Snapshot) messageName(m *objects.Message) string {
	if m.LPC {
		return fmt.Sprintf("LPC message %x", m.ID.N)
	}
	return "ALPC message " + s.bare(m.Addr)
}

func (s *Snapshot) mergeMessage(have, later *objects.Message) {
	why := ""
	switch {
	case differ(have.Client, later.Client):
		why = "with another client thread"
	case differ(have.ServerThread, later.ServerThread):
		why = "with another server thread"
	case differ(have.Server, later.Server):
		why = "with another server process"
	case have.Queue != "" && later.Queue != "" && have.Queue != later.Queue:
		why = "in another queue"
	}
	if why != "" {
		s.again(later.At, s.messageName(later), have.At, why)
		*have = *later
		have.Conflict = "it was printed twice, " + why
		return
	}
	supply(&have.Client, later.Client)
	supply(&have.ServerThread, later.ServerThread)
	supply(&have.Owner, later.Owner)
	if !have.Server.Known() {
		have.Server, have.ServerImage = later.Server, later.ServerImage
	}
	if !have.Port.Known() {
		have.Port, have.PortType = later.Port, later.PortType
	}
	if have.Queue == "" {
		have.Queue = later.Queue
	}
	if have.Type == "" {
		have.Type = later.Type
	}
	if have.From == "" {
		have.From, have.FromAt = later.From, later.FromAt
	}
	if have.Addr == 0 {
		have.Addr = later.Addr
	}
}

func (s *Snapshot) mergePort(have, later *objects.Port) {
	if differ(have.Owner, later.Owner) {
		s.again(later.At, "port "+s.bare(later.Addr), have.At, "with another process")
		*have = *later
		have.Conflict = "it was printed twice, with another process"
		return
	}
	supply(&have.Connection, later.Connection)
	supply(&have.Client, later.Client)
	supply(&have.Service, later.Service)
	if !have.Owner.Known() {
		have.Owner, have.OwnerImage = later.Owner, later.OwnerImage
	}
	if len(later.Threads) > len(have.Threads) {
		have.Threads, have.Waiting, have.Announced, have.Open = later.Threads, later.Waiting, later.Announced, later.Open
	}
	if have.Name == "" {
		have.Name = later.Name
	}
	for name, empty := range later.Queues {
		have.Queues[name] = empty
	}
}

// addQueue keeps the later print of a queue if it differs.
func (s *Snapshot) addQueue(q *objects.WorkQueue) {
	key := queueKey{q.Name, q.Node, q.Priority}
	at, ok := s.objects.queues[key]
	if !ok {
		s.objects.queues[key] = len(s.Objects.Queues)
		s.Objects.Queues = append(s.Objects.Queues, q)
		return
	}
	have := s.Objects.Queues[at]
	thread := func(a, b objects.Worker) bool { return a.Thread == b.Thread }
	item := func(a, b objects.WorkItem) bool { return a.Item.Addr == b.Item.Addr && a.Routine == b.Routine }
	if slices.EqualFunc(have.Workers, q.Workers, thread) && slices.EqualFunc(have.Pending, q.Pending, item) {
		return
	}
	s.again(q.At, "the work queue "+q.Name, have.At, "with other threads or items")
	s.Objects.Queues[at] = q
}

func (s *Snapshot) addSection(c *objects.CriticalSection) {
	var have *objects.CriticalSection
	for _, h := range s.objects.sections[c.Addr] {
		if h.Process.Addr == c.Process.Addr || h.Process.Addr == 0 || c.Process.Addr == 0 {
			have = h
		}
	}
	if have == nil {
		s.objects.sections[c.Addr] = append(s.objects.sections[c.Addr], c)
		s.Objects.Sections = append(s.Objects.Sections, c)
		return
	}
	if have.Process.Addr == 0 {
		have.Process = c.Process
	}
	unlike := have.Owner.Known() && c.Owner.Known() && have.Owner.N != c.Owner.N || have.Locked != objects.Unknown && c.Locked != objects.Unknown && have.Locked != c.Locked
	if unlike {
		s.again(c.At, "critical section "+c.Addr.String(), have.At, "with another owner")
		*have = *c
		have.Conflict = "it was printed twice, with another owner"
		return
	}
	if !have.Owner.Known() && have.Locked != objects.No {
		have.Owner, have.Recursion, have.Lock = c.Owner, c.Recursion, c.Lock
	}
	if have.Locked == objects.Unknown {
		have.Locked = c.Locked
	}
	if have.Symbol == "" {
		have.Symbol = c.Symbol
	}
}

func (s *Snapshot) addMutex(m *objects.Mutex) {
	have := s.objects.mutexes[m.Addr]
	switch {
	case have == nil:
		s.objects.mutexes[m.Addr] = m
		s.Objects.Mutexes = append(s.Objects.Mutexes, m)
	case differ(have.Owner, m.Owner):
		s.again(m.At, "mutex "+s.bare(m.Addr), have.At, "with another owner")
		*have = *m
		have.Conflict = "it was printed twice, with another owner"
	default:
		supply(&have.Owner, m.Owner)
		have.Guarded = have.Guarded || m.Guarded
		if have.Free == objects.Unknown {
			have.Free = m.Free
		}
	}
}

func (s *Snapshot) addFields(r *objects.ResourceFields) {
	have := s.objects.fields[r.Addr]
	switch {
	case have == nil:
		s.objects.fields[r.Addr] = r
		s.Objects.Resources = append(s.Objects.Resources, r)
	case differ(have.Shared, r.Shared), differ(have.Exclusive, r.Exclusive):
		s.again(r.At, "the fields of resource "+s.bare(r.Addr), have.At, "with other waiters")
		*have = *r
		have.Conflict = "they were printed twice, with other waiters"
	default:
		supply(&have.Shared, r.Shared)
		supply(&have.Exclusive, r.Exclusive)
		have.Objects = have.Objects && r.Objects
	}
}

// checkObjects compares what THREAD blocks say of IRPs and messages with what was
// printed of those.
func (s *Snapshot) checkObjects() {
	if s.Objects.Empty() {
		return
	}
	for _, t := range s.Threads {
		if t.Addr == 0 {
			continue
		}
		for _, irp := range t.IRPs {
			if i := s.IRP(irp.Addr); i != nil && i.Thread.Addr != 0 && i.Thread.Addr != t.Addr && i.Conflict == "" {
				i.Conflict = "it is in the list of another thread"
				s.note(kd.OneMoment, i.At, fmt.Sprintf("IRP %s: !irp names thread %s, but it is in the list of thread %s (line %d): two moments", s.bare(i.Addr), s.bare(i.Thread.Addr), s.bare(t.Addr), irp.At.Line))
			}
		}
		if t.Reply == nil {
			continue
		}
		m := s.Message(t.Reply.Message)
		if m == nil || m.Conflict != "" || m.LPC == t.Reply.ALPC {
			continue
		}
		switch {
		case m.Client.Known() && m.Client.Addr != t.Addr:
			m.Conflict = "another thread waits for its reply"
			s.note(kd.OneMoment, m.At, fmt.Sprintf("%s: thread %s waits for its reply, but by this it is thread %s: two moments", s.messageName(m), s.bare(t.Addr), s.bare(m.Client.Addr)))
		case m.Server.Known() && t.Reply.Server != 0 && m.Server.Addr != t.Reply.Server:
			m.Conflict = "two processes own its port"
			s.note(kd.OneMoment, m.At, fmt.Sprintf("%s: thread %s waits for process %s, but by this it is queued at a port of process %s: two moments", s.messageName(m), s.bare(t.Addr), s.bare(t.Reply.Server), s.bare(m.Server.Addr)))
		}
	}
}

// objectThreads returns the threads that single objects name. Those in rows of
// !irpfind are as many as there are IRPs, and only name who asked.
func objectThreads(l *objects.Listing) []kd.Addr {
	if l == nil {
		return nil
	}
	var out []kd.Addr
	for _, i := range l.IRPs {
		if !i.Row {
			out = append(out, i.Thread.Addr)
		}
	}
	for _, m := range l.Messages {
		out = append(out, m.Client.Addr, m.ServerThread.Addr)
	}
	for _, p := range l.Ports {
		for _, w := range p.Threads {
			out = append(out, w.Thread)
		}
	}
	for _, q := range l.Queues {
		for _, w := range q.Workers {
			out = append(out, w.Thread)
		}
	}
	for _, m := range l.Mutexes {
		out = append(out, m.Owner.Addr)
	}
	return out
}

// objectArch goes by the width of addresses in single objects.
func objectArch(l *objects.Listing) kd.Arch {
	if l == nil {
		return kd.ArchUnknown
	}
	for _, i := range l.IRPs {
		for _, a := range []kd.Addr{i.Addr, i.Location.Addr, i.Thread.Addr} {
			if a != 0 {
				return archOf(a)
			}
		}
	}
	for _, m := range l.Messages {
		if a := max(m.Addr, m.Client.Addr); a != 0 {
			return archOf(a)
		}
	}
	for _, p := range l.Ports {
		return archOf(p.Addr)
	}
	for _, m := range l.Mutexes {
		return archOf(m.Addr)
	}
	for _, r := range l.Resources {
		return archOf(r.Addr)
	}
	return kd.ArchUnknown
}
