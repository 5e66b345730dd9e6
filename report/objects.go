package report

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"kdlocks/heuristics"
	"kdlocks/objects"
	"kdlocks/snapshot"
)

// IRP is an I/O request packet. An address of 0x0 was printed as none.
type IRP struct {
	Address         string        `json:"address,omitempty"` // absent if !irp was not typed with it
	Session         int           `json:"session,omitempty"`
	PrintedBy       string        `json:"printed_by"` // !irp or !irpfind
	Thread          string        `json:"thread,omitempty"`
	Driver          string        `json:"driver,omitempty"`  // that has it
	Pending         *bool         `json:"pending,omitempty"` // in that driver
	Stacks          *int          `json:"stacks,omitempty"`
	Current         *int          `json:"current,omitempty"` // counted from 1
	Complete        bool          `json:"complete,omitempty"`
	PendingReturned bool          `json:"pending_returned,omitempty"`
	Cancelled       *bool         `json:"cancelled,omitempty"`
	CancelRoutine   string        `json:"cancel_routine,omitempty"`
	Status          string        `json:"status,omitempty"`
	Mdl             string        `json:"mdl,omitempty"`
	MdlProcess      string        `json:"mdl_process,omitempty"`
	Locations       []IRPLocation `json:"locations,omitempty"` // those that were used
	Conflict        string        `json:"conflict,omitempty"`
	At              At            `json:"at"`
}

// IRPLocation is a stack location of an IRP: what one driver was asked.
type IRPLocation struct {
	Index   *int     `json:"index,omitempty"` // counted from 1; absent unless all locations were listed
	Major   string   `json:"major,omitempty"` // IRP_MJ_READ, or its code
	Minor   string   `json:"minor,omitempty"`
	Device  string   `json:"device,omitempty"`
	File    string   `json:"file,omitempty"`
	Driver  string   `json:"driver,omitempty"`
	Routine string   `json:"completion_routine,omitempty"`
	Current bool     `json:"current,omitempty"`
	Pending *bool    `json:"pending,omitempty"`
	Args    []string `json:"args,omitempty"`
	At      At       `json:"at"`
}

// Message is an ALPC or LPC message.
type Message struct {
	Kind         string `json:"kind"` // alpc or lpc
	Address      string `json:"address,omitempty"`
	Session      int    `json:"session,omitempty"`
	ID           string `json:"id,omitempty"`
	Type         string `json:"type,omitempty"`
	Client       string `json:"client_thread,omitempty"`
	ClientCID    string `json:"client_cid,omitempty"` // if that was printed instead
	Port         string `json:"port,omitempty"`
	Queue        string `json:"queue,omitempty"`
	Server       string `json:"server_process,omitempty"`
	ServerImage  string `json:"server_image,omitempty"`
	ServerThread string `json:"server_thread,omitempty"` // 0x0: none works on it
	Canceled     *bool  `json:"canceled,omitempty"`
	Conflict     string `json:"conflict,omitempty"`
	At           At     `json:"at"`
}

// Port is an ALPC or LPC port and the threads that serve it.
type Port struct {
	Kind       string   `json:"kind,omitempty"`
	Address    string   `json:"address"`
	Session    int      `json:"session,omitempty"`
	Name       string   `json:"name,omitempty"`
	Owner      string   `json:"owner_process,omitempty"` // the server, or the client if it is its end
	OwnerImage string   `json:"owner_image,omitempty"`
	Connection string   `json:"connection_port,omitempty"`
	Threads    []string `json:"threads,omitempty"`
	Waiting    *bool    `json:"threads_wait_on_port,omitempty"` // else on its completion port
	Incomplete bool     `json:"threads_incomplete,omitempty"`
	At         At       `json:"at"`
}

// WorkQueue is a queue of the executive's worker threads.
type WorkQueue struct {
	Name        string     `json:"name,omitempty"`
	Session     int        `json:"session,omitempty"`
	Node        *int       `json:"node,omitempty"`
	Priority    *int       `json:"priority,omitempty"`
	Running     *int       `json:"running,omitempty"`
	MostRunning *int       `json:"most_running,omitempty"`
	Threads     *int       `json:"threads,omitempty"`
	MostThreads *int       `json:"most_threads,omitempty"`
	Workers     []string   `json:"workers"`
	Incomplete  bool       `json:"workers_incomplete,omitempty"`
	Pending     []WorkItem `json:"pending"`
	At          At         `json:"at"`
}

// WorkItem is an item that no worker has taken yet.
type WorkItem struct {
	Kind      string `json:"kind,omitempty"`
	Address   string `json:"address,omitempty"`
	Routine   string `json:"routine,omitempty"`
	Parameter string `json:"parameter,omitempty"`
	At        At     `json:"at"`
}

// CriticalSection is a critical section of a process. Its owner is the ID of a
// thread, in hexadecimal as in a CID.
type CriticalSection struct {
	Address    string  `json:"address"`
	Session    int     `json:"session,omitempty"`
	Symbol     string  `json:"symbol,omitempty"`
	Locked     *bool   `json:"locked,omitempty"`
	Owner      string  `json:"owner_thread_id,omitempty"`
	LockCount  *uint64 `json:"lock_count,omitempty"`
	Recursion  *uint64 `json:"recursion_count,omitempty"`
	Contention *uint64 `json:"contention_count,omitempty"`
	Conflict   string  `json:"conflict,omitempty"`
	At         At      `json:"at"`
}

// Mutex is a fast or guarded mutex that dt showed.
type Mutex struct {
	Kind     string `json:"kind"`
	Address  string `json:"address"`
	Session  int    `json:"session,omitempty"`
	Owner    string `json:"owner,omitempty"` // 0x0: nobody
	Conflict string `json:"conflict,omitempty"`
	At       At     `json:"at"`
}

// objectLists adds what was read of single objects, but for IRPs.
func (b *builder) objectLists(r *Report, s *snapshot.Snapshot) {
	for _, m := range s.Objects.Messages {
		r.Messages = append(r.Messages, b.message(m))
	}
	for _, p := range s.Objects.Ports {
		out := Port{
			Kind: p.Kind, Address: p.Addr.String(), Session: b.session, Name: p.Name, Owner: known0(p.Owner), OwnerImage: p.OwnerImage,
			Connection: known0(p.Connection), Threads: threadsIn(p.Threads), Incomplete: p.Open, At: b.at(p.At, p.EndLine),
		}
		if p.Announced.Known() {
			out.Waiting = ptr(p.Waiting)
		}
		r.Ports = append(r.Ports, out)
	}
	for _, q := range s.Objects.Queues {
		out := WorkQueue{
			Name: q.Name, Session: b.session, Node: known(q.Node), Priority: known(q.Priority), Running: known(q.Running), MostRunning: known(q.Most),
			Threads: known(q.Threads), MostThreads: known(q.MostThreads), Workers: threadsIn(q.Workers), Incomplete: q.Open, Pending: []WorkItem{}, At: b.at(q.At, q.EndLine),
		}
		for _, i := range q.Pending {
			out.Pending = append(out.Pending, WorkItem{Kind: i.Kind, Address: known0(i.Item), Routine: i.Routine, Parameter: known0(i.Parameter), At: b.at(i.At, 0)})
		}
		r.WorkQueues = append(r.WorkQueues, out)
	}
	for _, c := range s.Objects.Sections {
		out := CriticalSection{
			Address: c.Addr.String(), Session: b.session, Symbol: c.Symbol, Locked: yes(c.Locked), LockCount: counted(c.Lock),
			Recursion: counted(c.Recursion), Contention: counted(c.Contention), Conflict: c.Conflict, At: b.at(c.At, c.EndLine),
		}
		if c.Owner.Known() {
			out.Owner = fmt.Sprintf("%04x", c.Owner.N)
		}
		r.CriticalSections = append(r.CriticalSections, out)
	}
	for _, m := range s.Objects.Mutexes {
		out := Mutex{Kind: "fast", Address: m.Addr.String(), Session: b.session, Owner: known0(m.Owner), Conflict: m.Conflict, At: b.at(m.At, 0)}
		if m.Guarded {
			out.Kind = "guarded"
		}
		r.Mutexes = append(r.Mutexes, out)
	}
}

func (b *builder) message(m *objects.Message) Message {
	out := Message{
		Kind: "alpc", Address: hex(m.Addr), Session: b.session, Type: m.Type, Client: known0(m.Client), ClientCID: m.From, Port: known0(m.Port), Queue: m.Queue,
		Server: known0(m.Server), ServerImage: m.ServerImage, ServerThread: known0(m.ServerThread), Canceled: yes(m.Canceled), Conflict: m.Conflict, At: b.at(m.At, m.EndLine),
	}
	if m.LPC {
		out.Kind = "lpc"
	}
	if m.ID.Known() {
		out.ID = fmt.Sprintf("0x%x", m.ID.N)
	}
	return out
}

// irpsOf lists the IRPs, one by one: !irpfind may have printed very many.
func irpsOf(sources []Source, judged []heuristics.Judgement) List[IRP] {
	return List[IRP]{func(yield func(IRP) bool) {
		eachSession(sources, judged, func(b *builder, s *snapshot.Snapshot) bool {
			for _, i := range s.Objects.IRPs {
				if !yield(b.irp(i)) {
					return false
				}
			}
			return true
		})
	}}
}

func (b *builder) irp(i *objects.IRP) IRP {
	out := IRP{
		Address: hex(i.Addr), Session: b.session, PrintedBy: "!irp", Thread: known0(i.Thread), Stacks: known(i.Stacks), Current: known(i.Current),
		Complete: i.Complete, PendingReturned: i.PendingReturned, Cancelled: yes(i.Cancelled), CancelRoutine: known0(i.CancelRoutine),
		Status: known0(i.Status), Mdl: known0(i.Mdl), MdlProcess: known0(i.MdlProcess), Conflict: i.Conflict, At: b.at(i.At, i.EndLine),
	}
	now := i.CurrentLocation()
	if i.Row {
		out.PrintedBy = "!irpfind"
	}
	if now != nil {
		out.Driver, out.Pending = now.Driver, yes(now.Pending)
	}
	for n := range i.Locations {
		l := &i.Locations[n]
		if l.Unused() {
			continue
		}
		loc := IRPLocation{
			Major: function(l.MajorName, l.Major), Minor: function(l.MinorName, l.Minor), Device: known0(l.Device), File: known0(l.File),
			Driver: l.Driver, Routine: l.Routine, Current: l == now, Args: numbers(l.Args), At: b.at(l.At, 0),
		}
		loc.Pending = yes(l.Pending)
		if len(i.Locations) == i.Stacks {
			loc.Index = ptr(n + 1)
		}
		out.Locations = append(out.Locations, loc)
	}
	return out
}

// function returns the name of a function code, else the code, "" if neither was
// printed.
func function(name string, code int) string {
	switch {
	case name != "":
		return name
	case code < 0:
		return ""
	}
	return fmt.Sprintf("0x%x", code)
}

// known0 returns a printed address, also zero; "" if it was not printed.
func known0(p objects.Printed) string {
	if !p.Known() {
		return ""
	}
	return p.Addr.String()
}

func yes(f objects.Flag) *bool {
	if f == objects.Unknown {
		return nil
	}
	return ptr(f == objects.Yes)
}

func counted(n objects.Number) *uint64 {
	if !n.Known() {
		return nil
	}
	return ptr(n.N)
}

func threadsIn(ws []objects.Worker) []string {
	out := make([]string, len(ws))
	for i, w := range ws {
		out[i] = w.Thread.String()
	}
	return out
}

// titled is a table with its title.
type titled struct {
	title string
	*table
}

// objectTables returns a table of each kind of single object that was read, of
// at most that many rows; 0 is without limit. Rows of !irpfind, which are all
// IRPs of a machine, are in it only without limit.
func (r *Report) objectTables(most int) []titled {
	var out []titled
	for _, t := range []titled{
		{"IRPs", r.irpTable(most)}, {"ALPC and LPC messages", r.messageTable()}, {"ALPC and LPC ports", r.portTable()},
		{"Work queues", r.queueTable()}, {"Critical sections", r.sectionTable()},
		{"Fast and guarded mutexes", r.mutexTable()},
	} {
		if len(t.rows) == 0 {
			continue
		}
		if most > 0 && len(t.rows) > most {
			t.rows, t.more = t.rows[:most], true
		}
		out = append(out, t)
	}
	return out
}

func (r *Report) irpTable(most int) *table {
	t := &table{columns: []column{{head: "IRP"}, {head: "Thread"}, {head: "Function", prose: true}, {head: "Driver", prose: true}, {head: "State"}, {head: "Device", spare: true}, {head: "Line", spare: true}}}
	for i := range r.IRPs.All() {
		if most > 0 && i.PrintedBy == "!irpfind" {
			continue
		}
		if t.full() {
			break
		}
		var now IRPLocation
		for _, l := range i.Locations {
			if l.Current {
				now = l
			}
		}
		t.add(orDash(r.bare(i.Address)), orNone(r.bare(i.Thread)), now.Major, i.Driver, i.state(), r.bare(now.Device), strconv.Itoa(i.At.Line))
	}
	return t
}

// state says in words what became of an IRP.
func (i *IRP) state() string {
	var words []string
	switch {
	case i.Conflict != "":
		words = append(words, "contradictory")
	case i.Complete:
		words = append(words, "complete")
	case i.Pending != nil && *i.Pending:
		words = append(words, "pending")
	case i.Pending != nil:
		words = append(words, "not marked pending")
	}
	if i.Cancelled != nil && *i.Cancelled {
		words = append(words, "cancelled")
	}
	return strings.Join(words, ", ")
}

// orNone shows a zero that was printed as none.
func orNone(a string) string {
	if a != "" && strings.Trim(a, "0") == "" {
		return "none"
	}
	return a
}

func (r *Report) messageTable() *table {
	t := &table{columns: []column{{head: "Message"}, {head: "ID"}, {head: "Client"}, {head: "Server", prose: true}, {head: "Server thread"}, {head: "Queue", prose: true, spare: true}, {head: "Line", spare: true}}}
	for _, m := range r.Messages {
		server := strings.TrimSpace(r.bare(m.Server) + " " + m.ServerImage)
		client := orNone(r.bare(m.Client))
		if m.Client == "" {
			client = m.ClientCID
		}
		t.add(orDash(r.bare(m.Address)), m.ID, client, server, orNone(r.bare(m.ServerThread)), m.Queue, strconv.Itoa(m.At.Line))
	}
	return t
}

func (r *Report) portTable() *table {
	t := &table{columns: []column{{head: "Port"}, {head: "Kind", prose: true}, {head: "Name", prose: true}, {head: "Owner", prose: true}, {head: "Threads"}, {head: "Line", spare: true}}}
	for _, p := range r.Ports {
		threads := ""
		if p.Waiting != nil || len(p.Threads) > 0 {
			threads = strconv.Itoa(len(p.Threads))
		}
		t.add(r.bare(p.Address), p.Kind, p.Name, strings.TrimSpace(r.bare(p.Owner)+" "+p.OwnerImage), threads, strconv.Itoa(p.At.Line))
	}
	return t
}

func (r *Report) queueTable() *table {
	t := &table{columns: []column{{head: "Queue", prose: true}, {head: "Node", spare: true}, {head: "Running"}, {head: "Workers"}, {head: "Pending"}, {head: "Line", spare: true}}}
	for _, q := range r.WorkQueues {
		t.add(q.Name, number(q.Node), ofMost(q.Running, q.MostRunning), waiting(q.Threads, len(q.Workers)), strconv.Itoa(len(q.Pending)), strconv.Itoa(q.At.Line))
	}
	return t
}

// ofMost shows a number and the one that it may reach.
func ofMost(n, most *int) string {
	if n == nil || most == nil {
		return number(n)
	}
	return fmt.Sprintf("%d of at most %d", *n, *most)
}

func (r *Report) sectionTable() *table {
	t := &table{columns: []column{{head: "Critical section"}, {head: "Locked"}, {head: "Owner (thread ID)"}, {head: "LockCount", spare: true}, {head: "Symbol", prose: true}, {head: "Line", spare: true}}}
	for _, c := range r.CriticalSections {
		locked, lock := "", ""
		if c.Locked != nil {
			locked = map[bool]string{true: "yes", false: "no"}[*c.Locked]
		}
		if c.LockCount != nil {
			lock = strconv.FormatUint(*c.LockCount, 10)
		}
		t.add(kdBare(c.Address), locked, c.Owner, lock, c.Symbol, strconv.Itoa(c.At.Line))
	}
	return t
}

func (r *Report) mutexTable() *table {
	t := &table{columns: []column{{head: "Mutex"}, {head: "Kind"}, {head: "Owner"}, {head: "Line", spare: true}}}
	for _, m := range r.Mutexes {
		t.add(r.bare(m.Address), m.Kind, orNone(r.bare(m.Owner)), strconv.Itoa(m.At.Line))
	}
	return t
}

// kdBare shows an address of user mode without the zeros in front.
func kdBare(a string) string { return strings.TrimPrefix(a, "0x") }

// lockLists is what WriteAllLocks prints as JSON, under the names that the report
// has.
type lockLists struct {
	Resources        List[Resource]    `json:"resources"`
	IRPs             List[IRP]         `json:"irps,omitzero"`
	Messages         []Message         `json:"alpc_messages,omitempty"`
	Ports            []Port            `json:"alpc_ports,omitempty"`
	WorkQueues       []WorkQueue       `json:"work_queues,omitempty"`
	CriticalSections []CriticalSection `json:"critical_sections,omitempty"`
	Mutexes          []Mutex           `json:"mutexes,omitempty"`
}

// WriteAllLocks prints the resources, and each kind of single object that was read:
// as tables, or as one JSON object of their lists.
func WriteAllLocks(w io.Writer, r *Report, format string, s Style) error {
	if format == "json" {
		return writeStruct(w, &lockLists{r.Resources, r.IRPs, r.Messages, r.Ports, r.WorkQueues, r.CriticalSections, r.Mutexes})
	}
	if err := WriteLocks(w, r, r.Locks(LockFilter{}), format, s); err != nil {
		return err
	}
	for _, t := range r.objectTables(0) {
		if _, err := fmt.Fprintf(w, "\n%s\n\n", t.title); err != nil {
			return err
		}
		if err := writeTable(w, t.table, nil, format, s); err != nil {
			return err
		}
	}
	return nil
}

// mostObjects bounds the rows of each table of single objects in the text form.
const mostObjects = 16

func (p *page) objects() error {
	for _, t := range append(p.r.objectTables(mostObjects), p.r.heapTables(mostObjects)...) {
		fmt.Fprintf(p, "\n%s\n", p.bold(t.title))
		if err := t.write(p, p.s.Width); err != nil {
			return err
		}
	}
	return nil
}

func (m *markdown) objects() error {
	for _, t := range append(m.r.objectTables(mostObjects), m.r.heapTables(mostObjects)...) {
		fmt.Fprintf(m, "\n### %s\n\n", t.title)
		if err := t.markdown(m); err != nil {
			return err
		}
	}
	return nil
}
