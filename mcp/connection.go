package mcp

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"sync"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// Bounds of what clients may send.
const (
	mostLine    = mostText + mostText/2 // bytes of one message: text as JSON is longer than the text
	mostPending = mostLine              // bytes of all calls that are not answered
	mostCalls   = 32                    // calls that are not answered
)

// streams is the transport of the protocol over two streams, one message a line.
// That of the SDK ends the session for a line that is no message, or too long, and
// answers no call once its input has ended; this one answers all of them.
type streams struct {
	in  io.Reader
	out io.Writer
}

// Connect begins to read.
func (s streams) Connect(context.Context) (sdk.Connection, error) {
	c := &connection{out: s.out, lines: make(chan line), closed: make(chan struct{}), idle: make(chan struct{}, 1), pending: make(map[jsonrpc.ID]int)}
	go c.read(bufio.NewReaderSize(s.in, 1<<16))
	return c, nil
}

// line is one line of the input, or why there is none.
type line struct {
	data []byte
	// long is set for one of more than mostLine bytes: data is its beginning, tail
	// its end.
	long bool
	tail []byte
	err  error
}

// connection is a running session.
type connection struct {
	lines  chan line
	closed chan struct{}
	once   sync.Once
	idle   chan struct{} // told when the last pending call is answered

	writing sync.Mutex // of out
	out     io.Writer

	mu      sync.Mutex         // of what follows
	pending map[jsonrpc.ID]int // bytes of the calls that are not answered
	bytes   int                // of all of them
}

// read hands lines on until the input ends or the connection is closed. Where the
// input blocks it is left behind.
func (c *connection) read(in *bufio.Reader) {
	for {
		l := readLine(in)
		select {
		case c.lines <- l:
		case <-c.closed:
			return
		}
		if l.err != nil {
			return
		}
	}
}

// ends is how much is kept of the ends of a line that is too long.
const ends = 4 << 10

func readLine(in *bufio.Reader) line {
	var l line
	for {
		piece, err := in.ReadSlice('\n')
		switch {
		case l.long:
			l.tail = append(l.tail, piece...)
			l.tail = append(l.tail[:0], l.tail[max(0, len(l.tail)-ends):]...)
		case len(l.data)+len(piece) > mostLine:
			both := append(l.data, piece...)
			l = line{long: true, data: bytes.Clone(both[:ends]), tail: bytes.Clone(both[len(both)-ends:])}
		default:
			l.data = append(l.data, piece...)
		}
		switch {
		case err == bufio.ErrBufferFull:
		case err == io.EOF && len(l.data) > 0: // the next read tells of the end
			return l
		default:
			l.err = err
			return l
		}
	}
}

// Read returns the next message. What is none is answered here.
func (c *connection) Read(ctx context.Context) (jsonrpc.Message, error) {
	for {
		var l line
		select {
		case l = <-c.lines:
		case <-c.closed:
			return nil, io.EOF
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if l.err != nil {
			c.drain(ctx)
			return nil, l.err
		}
		msg, err := c.message(l)
		if msg != nil || err != nil {
			return msg, err
		}
	}
}

// drain waits until all calls are answered, which the time limit of tools bounds.
func (c *connection) drain(ctx context.Context) {
	for {
		c.mu.Lock()
		n := len(c.pending)
		c.mu.Unlock()
		if n == 0 {
			return
		}
		select {
		case <-c.idle:
		case <-c.closed:
			return
		case <-ctx.Done():
			return
		}
	}
}

// message returns the message of a line, nil if it was answered. Its error is that
// of writing.
func (c *connection) message(l line) (jsonrpc.Message, error) {
	if l.long {
		return nil, c.refuseLong(l)
	}
	data := bytes.TrimSpace(l.data)
	if len(data) == 0 {
		return nil, nil
	}
	msg, err := jsonrpc.DecodeMessage(data)
	switch {
	case err != nil && !json.Valid(data):
		return nil, c.fail(jsonrpc.ID{}, jsonrpc.CodeParseError, "the line is no JSON")
	case err != nil && data[0] == '[':
		return nil, c.fail(jsonrpc.ID{}, jsonrpc.CodeInvalidRequest, "batches are not taken: send one message a line")
	case err != nil:
		return nil, c.fail(idOf(line{data: data}), jsonrpc.CodeInvalidRequest, "the line is no JSON-RPC 2.0 message: "+err.Error())
	}
	req, ok := msg.(*jsonrpc.Request)
	switch {
	case !ok, !req.ID.IsValid(), req.Method == "subscriptions/listen": // which is answered when it is cancelled
		return msg, nil
	case req.Method == "ping": // also when all calls are taken: it asks whether anybody is there
		return nil, c.pong(req.ID)
	}
	switch why := c.admit(req.ID, len(data)); {
	case why == "":
		return msg, nil
	case req.Method == "tools/call":
		return nil, c.refuse(req.ID, why)
	default:
		return nil, c.fail(req.ID, codeBusy, why)
	}
}

// codeBusy is of those that JSON-RPC leaves to servers.
const codeBusy = -32000

// admit counts a call, or says why it is not taken.
func (c *connection) admit(id jsonrpc.ID, size int) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch _, twice := c.pending[id]; {
	case twice:
		return "a call with this id is not answered yet"
	case len(c.pending) >= mostCalls:
		return fmt.Sprintf("busy: %d calls are not answered yet; wait for one of them, then call again", mostCalls)
	case c.bytes > 0 && c.bytes+size > mostPending:
		return fmt.Sprintf("busy: calls of %d MiB are not answered yet; wait for one of them, then call again", c.bytes>>20)
	}
	c.pending[id] = size
	c.bytes += size
	return ""
}

// answered forgets a call.
func (c *connection) answered(id jsonrpc.ID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	size, ok := c.pending[id]
	if !ok {
		return
	}
	delete(c.pending, id)
	c.bytes -= size
	if len(c.pending) == 0 {
		select {
		case c.idle <- struct{}{}:
		default:
		}
	}
}

// Write sends a message.
func (c *connection) Write(_ context.Context, msg jsonrpc.Message) error {
	data, err := jsonrpc.EncodeMessage(msg)
	if err != nil {
		return err
	}
	if res, ok := msg.(*jsonrpc.Response); ok {
		c.answered(res.ID) // before the client can know, which may call again at once
	}
	return c.send(data)
}

func (c *connection) send(data []byte) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	_, err := c.out.Write(append(data, '\n'))
	return err
}

// pong answers a ping.
func (c *connection) pong(id jsonrpc.ID) error {
	data, err := jsonrpc.EncodeMessage(&jsonrpc.Response{ID: id, Result: json.RawMessage("{}")})
	if err != nil {
		return err
	}
	return c.send(data)
}

// refuse answers a call as a tool does that failed, so that the assistant reads why.
func (c *connection) refuse(id jsonrpc.ID, why string) error {
	result, err := json.Marshal(failed(errors.New(why)))
	if err != nil {
		return err
	}
	data, err := jsonrpc.EncodeMessage(&jsonrpc.Response{ID: id, Result: result})
	if err != nil {
		return err
	}
	return c.send(data)
}

// refuseLong answers a line that is too long, as a tool if its id can be read.
func (c *connection) refuseLong(l line) error {
	why := fmt.Sprintf("the message has more than %d MiB and was not read: pass less text at once, or have kdlocks mcp started with --files DIR and pass paths", mostLine>>20)
	if id := idOf(l); id.IsValid() {
		return c.refuse(id, why)
	}
	return c.fail(jsonrpc.ID{}, jsonrpc.CodeInvalidRequest, why)
}

// fail answers with an error of the protocol; an id that is not known is null.
func (c *connection) fail(id jsonrpc.ID, code int, why string) error {
	data, err := json.Marshal(struct {
		Version string        `json:"jsonrpc"`
		ID      any           `json:"id"`
		Error   jsonrpc.Error `json:"error"`
	}{"2.0", id.Raw(), jsonrpc.Error{Code: int64(code), Message: why}})
	if err != nil {
		return err
	}
	return c.send(data)
}

// lastID finds the id where clients write it last, behind the parameters. A quote in
// a string has a backslash before it, so it is none of a text that is passed on. All commands would
// wait for it at their start.
var lastID = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`[,{]\s*"id"\s*:\s*(-?[0-9]{1,18}|"[^"\\]{0,200}")\s*(?:,\s*"jsonrpc"\s*:\s*"2\.0"\s*)?\}\s*$`)
})

// idOf reads the id of a request that was not decoded, from the beginning or the end
// of its line.
func idOf(l line) jsonrpc.ID {
	var v any
	if raw := firstID(l.data); raw != nil && json.Unmarshal(raw, &v) == nil {
		if id, err := jsonrpc.MakeID(v); err == nil {
			return id
		}
	}
	if m := lastID().FindSubmatch(l.tail); m != nil && json.Unmarshal(m[1], &v) == nil {
		if id, err := jsonrpc.MakeID(v); err == nil {
			return id
		}
	}
	return jsonrpc.ID{}
}

// firstID returns the value of the key id of an object that may be cut off, nil if
// it does not come before the cut.
func firstID(object []byte) json.RawMessage {
	d := json.NewDecoder(bytes.NewReader(object))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil
		}
		var v json.RawMessage
		if d.Decode(&v) != nil {
			return nil
		}
		if key == "id" {
			return v
		}
	}
	return nil
}

// Close ends the session.
func (c *connection) Close() error {
	c.once.Do(func() { close(c.closed) })
	return nil
}

// SessionID is that of transports with several sessions.
func (*connection) SessionID() string { return "" }
