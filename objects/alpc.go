package objects

import (
	"strconv"
	"strings"

	"kdlocks/kd"
)

// Message is an ALPC message as !alpc /m prints it, or an LPC message as !lpc
// does: who waits for the reply, and who has to give it.
type Message struct {
	// Addr is 0 for an LPC message unless it was printed: those are known by
	// their ID, of which LPC prints all 32 bits.
	Addr kd.Addr
	ID   Number
	LPC  bool
	Type string // "LPC_REQUEST"

	Client Printed // the thread that waits; zero: none
	// From is the CID of the thread that sent it, "" if it was not printed:
	// messages in the queue of an LPC port have that instead of an address.
	From   string
	FromAt kd.Ref
	// Port is where the message is queued, PortType the debugger's word for it,
	// Queue that for the queue: ALPC_MSGQUEUE_PENDING is one that a server
	// thread has taken.
	Port, Owner         Printed
	PortType, OwnerType string
	Queue               string
	// Server is the process that owns the port, ServerThread the one of its
	// threads that works on the message; zero: none does.
	Server       Printed
	ServerImage  string
	ServerThread Printed
	Canceled     Flag

	At      kd.Ref
	EndLine int32
	// Conflict says on what two prints of the message disagree, "" if they do not.
	Conflict string
}

// Number is a number and where it was printed.
type Number struct {
	N  uint64
	At kd.Ref
}

// Known reports whether the number was printed.
func (n Number) Known() bool { return n.At.Known() }

func (m *Message) mapAddrs(f func(kd.Addr) kd.Addr) {
	m.Addr = f(m.Addr)
	mapAll(f, &m.Client, &m.Port, &m.Owner, &m.Server, &m.ServerThread)
}

// Port is an ALPC or LPC port.
type Port struct {
	Addr kd.Addr
	LPC  bool
	Kind string // "ALPC_CONNECTION_PORT", "Server connection port"
	Name string // "SmApiPort", of its connection port
	// Owner is the process that owns it: the server, or the client if it is the
	// client's end of a connection.
	Owner      Printed
	OwnerImage string
	// Connection is the connection port that it belongs to, Client and Service are
	// the two ends of a connection.
	Connection, Client, Service Printed
	// Threads are those that serve the port. Waiting is set where they wait on
	// it, else they wait on the completion port that its messages arrive at.
	// Announced is their number as printed.
	Threads   []Worker
	Waiting   bool
	Announced Number
	// Open is set when something else came, or the input ended, before the list of
	// threads is known to be complete.
	Open bool
	// Queues are those that the debugger says something of: true is empty.
	Queues map[string]bool

	At      kd.Ref
	EndLine int32
	// Conflict says on what two prints of the port disagree, "" if they do not.
	Conflict string
}

func (p *Port) mapAddrs(f func(kd.Addr) kd.Addr) {
	p.Addr = f(p.Addr)
	mapAll(f, &p.Owner, &p.Connection, &p.Client, &p.Service)
	mapWorkers(p.Threads, f)
}

func mapWorkers(ws []Worker, f func(kd.Addr) kd.Addr) {
	for i := range ws {
		ws[i].Thread = f(ws[i].Thread)
	}
}

// alpcHead reads the first line of !alpc /m and /p; Windows Vista prints the @:
//
//	Message @ fffff8800f4cc950
//	Port ffffc48d8895de20
func (r *Reader) alpcHead(l kd.Line) bool {
	c := kd.Cursor{Text: l.Text}
	word, _ := c.Word()
	if word != "Message" && word != "Port" {
		return false
	}
	c.Take("@")
	w, at := c.Word()
	addr, ok := printed(w, at, l)
	if next := c.Peek(); !ok || next != "" && !strings.HasPrefix(next, "<") && !strings.HasPrefix(next, "//") {
		return false
	}
	if word == "Message" {
		r.begin(messageBlock, "!alpc")
		r.message = &Message{Addr: addr.Addr, At: addr.At, EndLine: l.Last()}
		r.out.Messages = append(r.out.Messages, r.message)
		return true
	}
	r.begin(portBlock, "!alpc")
	r.port = &Port{Addr: addr.Addr, At: addr.At, EndLine: l.Last(), Queues: map[string]bool{}}
	r.out.Ports = append(r.out.Ports, r.port)
	return true
}

// field cuts "OwnerPort   : fffffa8018a95e60 [ALPC_CLIENT_COMMUNICATION_PORT]"
// into its name and a cursor at the value.
func field(l kd.Line) (name string, c kd.Cursor, ok bool) {
	at := strings.IndexByte(l.Text, ':')
	if at <= 0 {
		return "", c, false
	}
	name, _ = kd.TrimBlanks(l.Text[:at])
	return name, kd.Cursor{Text: l.Text, Pos: at + 1}, !strings.ContainsAny(name, " \t")
}

// address reads an address and the word in brackets or parentheses behind it.
func address(c *kd.Cursor, l kd.Line) (p Printed, word string) {
	w, at := c.Word()
	p, ok := printed(w, at, l)
	if !ok {
		return Printed{}, ""
	}
	rest, _ := c.Rest()
	if rest != "" && (rest[0] == '[' || rest[0] == '(') {
		word, _, _ = strings.Cut(rest[1:], map[byte]string{'[': "]", '(': ")"}[rest[0]])
	}
	return p, word
}

// messageOther are the fields of a message that are not kept.
var messageOther = map[string]bool{
	"CallbackID": true, "SequenceNumber": true, "DataLength": true, "TotalLength": true, "Release": true,
	"ReplyWaitReply": true, "Continuation": true, "QuotaCharged": true, "CancelQueuePort": true,
	"CancelSequencePort": true, "CancelSequenceNumber": true, "ClientContext": true, "ServerContext": true,
	"PortContext": true, "CancelPortContext": true, "SecurityData": true, "View": true,
}

// messageLine reads the fields of an ALPC message (D. Vostokov, "Advanced Local
// Procedure Call WinDbg extension", dumpanalysis.org 2009-03-20, of Windows
// Vista; R. Chen, "Why is an LPC server not responding?", The Old New Thing
// 2013-02-15, of Windows 8 on x86):
//
//	MessageID             : 0x0274 (628)
//	WaitingThread         : 834553c0
//	QueuePortOwnerProcess : 846209c0 (explorer.exe)
//	ServerThread          : 00000000
func (r *Reader) messageLine(l kd.Line) bool {
	m := r.message
	name, c, ok := field(l)
	if !ok {
		return false
	}
	switch name {
	case "MessageID":
		m.ID = hexNumber(&c, l)
	case "Type":
		m.Type, _ = c.Word()
	case "Canceled":
		w, _ := c.Word()
		m.Canceled = flag(w)
	case "OwnerPort":
		m.Owner, m.OwnerType = address(&c, l)
	case "WaitingThread":
		m.Client, _ = address(&c, l)
	case "QueueType":
		m.Queue, _ = c.Word()
	case "QueuePort":
		m.Port, m.PortType = address(&c, l)
	case "QueuePortOwnerProcess":
		m.Server, m.ServerImage = address(&c, l)
	case "ServerThread":
		m.ServerThread, _ = address(&c, l)
	default:
		if !messageOther[name] {
			return false
		}
	}
	m.EndLine, r.command = max(m.EndLine, l.Last()), "!alpc"
	return true
}

// hexNumber reads "0x0274".
func hexNumber(c *kd.Cursor, l kd.Line) Number {
	w, at := c.Word()
	n, err := strconv.ParseUint(strings.TrimPrefix(w, "0x"), 16, 64)
	if err != nil {
		return Number{}
	}
	return Number{n, l.Ref(at, len(w))}
}

// portOther are the fields of a port that are not kept.
var portOther = map[string]bool{
	"CommunicationInfo": true, "SequenceNo": true, "CompletionPort": true, "CompletionList": true,
	"MessageZone": true, "ConnectionPending": true, "ConnectionRefused": true, "Disconnected": true, "Closed": true,
	"FlushOnClose": true, "ReturnExtendedInfo": true, "Waitable": true, "Security": true, "Wow64CompletionList": true,
}

// portLine reads the fields of an ALPC port and its lists (Windows Internals,
// 7th edition, part 2, chapter 8, "Dumping a connection port"):
//
//	OwnerProcess              : ffffc48d86b00640 (smss.exe)
//	1 thread(s) are registered with port IO completion object:
//	Main queue is empty.
func (r *Reader) portLine(l kd.Line) bool {
	p := r.port
	if r.worker(l); strings.HasPrefix(l.Text, "THREAD ") {
		return false
	}
	if !r.portField(l) && !r.portThreads(l) && !r.portQueue(l.Text) {
		return false
	}
	p.EndLine, r.command = max(p.EndLine, l.Last()), "!alpc"
	return true
}

func (r *Reader) portField(l kd.Line) bool {
	p := r.port
	name, c, ok := field(l)
	if !ok {
		return false
	}
	switch name {
	case "Type":
		p.Kind, _ = c.Word()
	case "ConnectionPort":
		p.Connection, p.Name = address(&c, l)
	case "ClientCommunicationPort":
		p.Client, _ = address(&c, l)
	case "ServerCommunicationPort":
		p.Service, _ = address(&c, l)
	case "OwnerProcess":
		p.Owner, p.OwnerImage = address(&c, l)
	default:
		return portOther[name]
	}
	return true
}

// portThreads reads the head of the list of threads.
func (r *Reader) portThreads(l kd.Line) bool {
	c := kd.Cursor{Text: l.Text}
	w, at := c.Word()
	n, err := strconv.ParseUint(w, 10, 31)
	if err != nil || !c.Take("thread(s) are") {
		return false
	}
	switch {
	case c.Take("waiting on the port:"):
		r.port.Waiting = true
	case c.Take("registered with port IO completion object:"):
	default:
		return false
	}
	r.port.Announced = Number{n, l.Ref(at, len(w))}
	r.list(&r.port.Threads, int(n), r.port.Announced.At)
	return true
}

// portQueue reads "Direct message queue is empty.". In what layout the messages
// of a queue are listed no source shows.
func (r *Reader) portQueue(text string) bool {
	name, ok := strings.CutSuffix(text, " queue is empty.")
	if !ok || strings.Contains(name, ":") {
		return false
	}
	r.port.Queues[name] = true
	r.workers.open = false
	return true
}
