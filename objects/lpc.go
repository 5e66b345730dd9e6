package objects

import (
	"fmt"
	"strconv"
	"strings"

	"kdlocks/kd"
)

// lpcBlock is what is open of the output of !lpc.
type lpcBlock struct {
	message *Message // that was asked for
	queued  []*Message
	port    *Port
	// inQueue is set where the queued messages of the port come.
	inQueue bool
}

// lpcHead reads the lines of !lpc that begin an answer or a part of one. The
// layouts are those of Microsoft's documentation of the command, of Windows XP:
//
//	Searching message 222be in threads ...
//	Client thread 842a4db0 waiting a reply from 222be
//	Server connection port e14ae238  Name: ApiPort
func (r *Reader) lpcHead(l kd.Line) bool {
	c := kd.Cursor{Text: l.Text}
	switch {
	case c.Take("LPC is now emulated"):
		r.close()
		r.command = "!lpc"
		return true
	case c.Take("Searching message"):
		return r.lpcSearch(&c, l)
	case c.Take("Client thread"):
		return r.lpcClient(&c, l)
	case c.Take("Server thread"):
		return r.lpcServer(&c, l)
	case c.Take("Searching thread"):
		w, _ := c.Word()
		if _, ok := kd.ParseFullAddr(w); !ok || !strings.Contains(l.Text, "rundown queues") {
			return false
		}
		r.keepLPC()
		return true
	}
	for _, kind := range []string{"Server connection port", "Server communication port", "Client communication port"} {
		if c.Take(kind) {
			return r.lpcPort(kind, &c, l)
		}
	}
	return false
}

// keepLPC opens an answer of !lpc, or goes on with it.
func (r *Reader) keepLPC() {
	if r.open != lpcAnswer {
		r.begin(lpcAnswer, "!lpc")
	}
	r.command = "!lpc"
}

func (r *Reader) lpcSearch(c *kd.Cursor, l kd.Line) bool {
	id := hexNumber(c, l)
	if !id.Known() || !c.Take("in threads") {
		return false
	}
	r.begin(lpcAnswer, "!lpc")
	r.newMessage(id, l)
	return true
}

// newMessage makes the message that the lines to come are about.
func (r *Reader) newMessage(id Number, l kd.Line) *Message {
	m := &Message{LPC: true, ID: id, At: l.All(), EndLine: l.Last()}
	r.lpc.message = m
	r.out.Messages = append(r.out.Messages, m)
	return m
}

// about returns the message with an ID in the answer that is open, a new one if
// it is of another.
func (r *Reader) about(id Number, l kd.Line) *Message {
	r.keepLPC()
	if m := r.lpc.message; m != nil && m.ID.N == id.N {
		m.EndLine = max(m.EndLine, l.Last())
		return m
	}
	return r.newMessage(id, l)
}

func (r *Reader) lpcClient(c *kd.Cursor, l kd.Line) bool {
	w, at := c.Word()
	thread, ok := printed(w, at, l)
	if !ok || !c.Take("waiting a reply from") {
		return false
	}
	id := hexNumber(c, l)
	if !id.Known() {
		return false
	}
	m := r.about(id, l)
	if m.Client.Known() && m.Client.Addr != thread.Addr {
		r.note(l.All(), "LPC message %x: a second client thread", id.N)
		m.Conflict = "two threads wait for its reply"
	}
	m.Client = thread
	return true
}

// lpcServer reads the line that names the thread which has taken the message
// that was asked for; the message's ID ends it.
func (r *Reader) lpcServer(c *kd.Cursor, l kd.Line) bool {
	w, at := c.Word()
	thread, ok := printed(w, at, l)
	last := l.Text[strings.LastIndexAny(l.Text, " \t")+1:]
	n, err := strconv.ParseUint(last, 16, 64)
	if !ok || err != nil || c.Pos >= len(l.Text)-len(last) || r.open != lpcAnswer {
		return false
	}
	m := r.about(Number{n, l.Ref(len(l.Text)-len(last), len(last))}, l)
	m.ServerThread = thread
	return true
}

// lpcPort reads the line that begins a port.
func (r *Reader) lpcPort(kind string, c *kd.Cursor, l kd.Line) bool {
	w, at := c.Word()
	addr, ok := printed(w, at, l)
	if !ok {
		return false
	}
	r.keepLPC()
	p := &Port{Addr: addr.Addr, LPC: true, Kind: kind, At: addr.At, EndLine: l.Last(), Queues: map[string]bool{}}
	if c.Take("Name:") {
		p.Name, _ = c.Rest()
	}
	r.lpc.port, r.lpc.inQueue, r.lpc.queued = p, false, nil
	r.out.Ports = append(r.out.Ports, p)
	return true
}

// lpcLine reads the lines below a port.
//
//	Server process  : 84aa0140 (csrss.exe)
//	0000 e20d9b80 - Busy  Id=0002249c  From: 0584.0680  Context=00000021  [e14ae248 . e14ae248]
func (r *Reader) lpcLine(l kd.Line) bool {
	c := kd.Cursor{Text: l.Text}
	p := r.lpc.port
	switch {
	case l.Text == "Done.":
	case p == nil:
		return false
	case c.Take("Server process :"):
		p.Owner, p.OwnerImage = address(&c, l)
		r.lpcServes(p)
	case c.Take("Connected port:"):
		r.connected(&c, l)
	case c.Take("The message queue is empty"):
		p.Queues["message"] = true
	case c.Take("Messages in queue:"):
		r.lpc.inQueue = true
	case c.Take("The message queue contains"):
		p.Queues["message"], r.lpc.inQueue = false, false
	case c.Take("The LpcDataInfoChainHead queue is empty"), c.Take("Handles:"), c.Take("Queue semaphore :"), c.Take("Semaphore state"):
	case r.lpc.inQueue && kd.HasPrefixFold(l.Text, "Length="):
		r.queuedType(l)
	case r.lpc.inQueue && kd.HasPrefixFold(l.Text, "Data:"):
	default:
		return r.lpc.inQueue && r.queuedMessage(l)
	}
	r.command = "!lpc"
	if p != nil {
		p.EndLine = max(p.EndLine, l.Last())
	}
	return true
}

// lpcServes gives the process that owns a connection port to the messages of
// the answer: that which was asked for and those in the queue of the port.
func (r *Reader) lpcServes(p *Port) {
	if p.Kind != "Server connection port" {
		return
	}
	if m := r.lpc.message; m != nil && !m.Server.Known() {
		m.Server, m.ServerImage, m.Port, m.PortType = p.Owner, p.OwnerImage, Printed{p.Addr, p.At}, p.Kind
	}
}

// connected reads "0xe1e7b948      Server connection port: 0xe14ae238".
func (r *Reader) connected(c *kd.Cursor, l kd.Line) {
	p := r.lpc.port
	peer, _ := address(c, l)
	if p.Kind == "Client communication port" {
		p.Client, p.Service = Printed{p.Addr, p.At}, peer
	} else {
		p.Client, p.Service = peer, Printed{p.Addr, p.At}
	}
	if c.Take("Server connection port:") {
		p.Connection, _ = address(c, l)
	}
}

// queuedMessage reads a message that no thread of the server has taken yet.
func (r *Reader) queuedMessage(l kd.Line) bool {
	c := kd.Cursor{Text: l.Text}
	if w, _ := c.Word(); kd.AddrDigits(w) != 4 {
		return false
	}
	w, at := c.Word()
	addr, ok := printed(w, at, l)
	idAt := strings.Index(l.Text, "Id=")
	if !ok || idAt < 0 {
		return false
	}
	c.Pos = idAt + len("Id=")
	id := hexNumber(&c, l)
	if !id.Known() {
		return false
	}
	p := r.lpc.port
	m := &Message{
		Addr: addr.Addr, LPC: true, ID: id, Queue: "message queue", Port: Printed{p.Addr, p.At}, PortType: p.Kind,
		Server: p.Owner, ServerImage: p.OwnerImage, At: l.All(), EndLine: l.Last(),
	}
	if c.Take("From:") {
		w, at := c.Word()
		if m.From = cid(w); m.From != "" {
			m.FromAt = l.Ref(at, len(w))
		}
	}
	r.lpc.queued = append(r.lpc.queued, m)
	r.out.Messages = append(r.out.Messages, m)
	r.command = "!lpc"
	return true
}

// cid returns a CID as threads have it, process.thread of at least four digits
// each, "" if w is none.
func cid(w string) string {
	process, thread, _ := strings.Cut(w, ".")
	p, err := strconv.ParseUint(process, 16, 32)
	t, err2 := strconv.ParseUint(thread, 16, 32)
	if err != nil || err2 != nil {
		return ""
	}
	return fmt.Sprintf("%04x.%04x", p, t)
}

// queuedType reads "Length=0098007c  Type=00000001 (LPC_REQUEST)", of the message
// above.
func (r *Reader) queuedType(l kd.Line) {
	_, name, ok := strings.Cut(l.Text, "(")
	if n := len(r.lpc.queued); ok && n > 0 {
		m := r.lpc.queued[n-1]
		m.Type, _, _ = strings.Cut(name, ")")
		m.EndLine = max(m.EndLine, l.Last())
	}
}
