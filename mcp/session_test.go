package mcp_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"kdlocks/mcp"
	"kdlocks/open"
)

// raw is a session whose lines the test writes and reads itself.
type raw struct {
	t     testing.TB
	to    io.WriteCloser
	from  *bufio.Reader
	ended chan error
	stop  context.CancelFunc
}

func rawSession(t testing.TB, opt mcp.Options) *raw {
	t.Helper()
	toServer, fromTest := io.Pipe()
	toTest, fromServer := io.Pipe()
	ctx, stop := context.WithCancel(t.Context())
	r := &raw{t: t, to: fromTest, from: bufio.NewReader(toTest), ended: make(chan error, 1), stop: stop}
	go func() {
		err := mcp.Run(ctx, toServer, fromServer, opt)
		fromServer.Close()
		r.ended <- err
	}()
	t.Cleanup(func() { stop(); toTest.Close() })
	r.send(`{"jsonrpc":"2.0","id":"start","method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"test","version":"1"}}}`)
	if m := r.receive(); m.ID != "start" || m.Error != nil {
		t.Fatalf("initialize: %+v", m)
	}
	r.send(`{"jsonrpc":"2.0","method":"notifications/initialized"}`)
	return r
}

func (r *raw) send(line string) {
	r.t.Helper()
	_, err := io.WriteString(r.to, line+"\n")
	must(r.t, err)
}

// message is what comes back.
type message struct {
	ID     any
	Result *struct {
		Content []struct{ Text string }
		IsError bool
	}
	Error *struct {
		Code    int
		Message string
	}
}

func (r *raw) receive() message {
	r.t.Helper()
	m, err := r.next()
	must(r.t, err)
	return m
}

func (r *raw) next() (message, error) {
	line, err := r.from.ReadBytes('\n')
	var m message
	if err != nil {
		return m, err
	}
	return m, json.Unmarshal(line, &m)
}

// toolCall is the line of a call.
func toolCall(t testing.TB, id any, tool string, args any) string {
	t.Helper()
	data, err := json.Marshal(object{"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": object{"name": tool, "arguments": args}})
	must(t, err)
	return string(data)
}

func TestLinesThatAreNoMessages(t *testing.T) {
	r := rawSession(t, options(t))
	for _, c := range []struct {
		line string
		id   any
		code int
	}{
		{"garbage", nil, -32700},
		{`{"jsonrpc":"2.0","id":1,"method":"ping"`, nil, -32700},
		{"\x00\x01", nil, -32700},
		{`{"jsonrpc":"1.0","id":7,"method":"ping"}`, 7.0, -32600},
		{`{"method":"ping","id":"x"}`, "x", -32600},
		{`{}`, nil, -32600},
		{`[]`, nil, -32600},
		{`[{"jsonrpc":"2.0","id":1,"method":"ping"}]`, nil, -32600},
		{`5`, nil, -32600},
		{strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000), nil, -32700},
		{`{"jsonrpc":"2.0","id":8,"method":"no/such"}`, 8.0, -32601},
		{`{"jsonrpc":"2.0","id":9,"method":"tools/call","params":{"name":"no-such-tool"}}`, 9.0, -32602},
		{`{"jsonrpc":"2.0","id":10,"method":"tools/call","params":[]}`, 10.0, -32602},
		{`{"jsonrpc":"2.0","id":11,"method":"tools/call"}`, 11.0, -32600},
	} {
		r.send(c.line)
		m := r.receive()
		if m.ID != c.id || m.Error == nil || m.Error.Code != c.code {
			t.Errorf("%.80s: id %v, error %+v; want id %v, code %d", c.line, m.ID, m.Error, c.id, c.code)
		}
	}
	r.send("\r\n")                                                        // a blank line is none
	r.send(`{"jsonrpc":"2.0","id":99,"result":{}}`)                       // an answer that nobody waits for
	r.send(toolCall(t, 12, "explain", object{"id": "contention"}) + "\r") // ends of lines as Windows has them
	if m := r.receive(); m.ID != 12.0 || m.Result == nil || m.Result.IsError {
		t.Errorf("after all that: %+v", m)
	}
}

// TestOversized sends messages above the bound, with the id before and behind the text.
func TestOversized(t *testing.T) {
	r := rawSession(t, options(t))
	big := strings.Repeat("a", 100<<20)
	for _, c := range []struct{ id, line string }{
		{"first", `{"jsonrpc":"2.0","id":"first","method":"tools/call","params":{"name":"analyze","arguments":{"text":"` + big + `"}}}`},
		{"last", `{"method":"tools/call","params":{"name":"analyze","arguments":{"text":"` + big + `"}},"jsonrpc":"2.0","id":"last"}`},
		{"middle", `{"method":"tools/call","params":{"name":"analyze","arguments":{"text":"` + big + `"}},"id":"middle","jsonrpc":"2.0"}`},
	} {
		go r.send(c.line)
		m := r.receive()
		if m.ID != c.id || m.Result == nil || !m.Result.IsError || !strings.Contains(m.Result.Content[0].Text, "more than 96 MiB") {
			t.Errorf("%s: %+v", c.id, m)
		}
	}
	inside := `{"method":"tools/call","params":{"name":"analyze","arguments":{"text":"` + big + `","id":5}}}`
	go r.send(inside) // the id of something else
	if m := r.receive(); m.ID != nil || m.Error == nil || m.Error.Code != -32600 {
		t.Errorf("an id of the arguments: %+v", m)
	}
	go r.send(`{"jsonrpc":"2.0","id":6,"method":"tools/call","params":{"name":"analyze","arguments":{"text":"` + big[:65<<20] + `"}}}`)
	if m := r.receive(); m.ID != 6.0 || m.Result == nil || !m.Result.IsError || !strings.Contains(m.Result.Content[0].Text, "65 MiB of text: at most 64 MiB are taken") {
		t.Errorf("text above the bound: %+v", m)
	}
	r.send(toolCall(t, 7, "explain", object{"id": "contention"}))
	if m := r.receive(); m.ID != 7.0 || m.Result == nil || m.Result.IsError {
		t.Errorf("after all that: %+v", m)
	}
}

// blocking returns options whose Open waits until its call ends, and what tells of it.
func blocking(t testing.TB) (opt mcp.Options, started, ended chan string) {
	opt = options(t)
	started, ended = make(chan string, 100), make(chan string, 100)
	opt.Open = func(ctx context.Context, paths []string) (*open.Set, error) {
		started <- paths[0]
		<-ctx.Done()
		ended <- paths[0]
		return open.Inputs(ctx, nil, open.Options{})
	}
	return opt, started, ended
}

func TestCancelEndsTheAnalysis(t *testing.T) {
	opt, started, ended := blocking(t)
	s := client(t, opt)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := s.CallTool(ctx, &sdk.CallToolParams{Name: "analyze", Arguments: object{"paths": []string{"a"}}})
		done <- err
	}()
	<-started
	// While it runs, others are answered.
	if got := value[mcp.Summary](t, call(t, s, "analyze", object{"text": read(t, golden)})); got.Verdict.Kind != "deadlock" {
		t.Errorf("beside a call that runs: %+v", got.Verdict)
	}
	cancel()
	if err := <-done; err == nil {
		t.Error("a cancelled call was answered")
	}
	<-ended
	if res := call(t, s, "explain", object{"id": "contention"}); res.IsError {
		t.Errorf("after a cancelled call: %s", text(t, res))
	}
}

// TestProgress asks how far a call is.
func TestProgress(t *testing.T) {
	var mu sync.Mutex
	var told []float64
	s := clientWith(t, options(t), &sdk.ClientOptions{ProgressNotificationHandler: func(_ context.Context, req *sdk.ProgressNotificationClientRequest) {
		mu.Lock()
		defer mu.Unlock()
		if req.Params.ProgressToken != "token" || req.Params.Total != 8<<20 {
			t.Errorf("%+v", req.Params)
		}
		told = append(told, req.Params.Progress)
	}})
	log := read(t, golden)
	filler := strings.Repeat(strings.Repeat(" ", 127)+"\n", 8<<13)
	log += filler[:8<<20-len(log)]
	params := &sdk.CallToolParams{Name: "analyze", Arguments: object{"text": log}}
	params.SetProgressToken("token")
	res, err := s.CallTool(t.Context(), params)
	must(t, err)
	if got := value[mcp.Summary](t, res); got.Verdict.Kind != "deadlock" {
		t.Errorf("%+v", got.Verdict)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(told) < 3 || len(told) > 100 || !slices.IsSorted(told) || told[len(told)-1] > 8<<20 {
		t.Errorf("told %v", told)
	}
}

func TestTimeLimit(t *testing.T) {
	opt, _, ended := blocking(t)
	opt.TimeLimit = 20 * time.Millisecond
	s := client(t, opt)
	refused(t, call(t, s, "analyze", object{"paths": []string{"a"}}), "not finished within the time limit of 20ms")
	<-ended
}

func TestTooManyCallsAreRefused(t *testing.T) {
	opt, started, _ := blocking(t)
	r := rawSession(t, opt)
	for i := range 32 {
		r.send(toolCall(t, i, "analyze", object{"paths": []string{"a"}}))
	}
	<-started
	r.send(toolCall(t, "one more", "explain", nil))
	if m := r.receive(); m.ID != "one more" || m.Result == nil || !m.Result.IsError || !strings.Contains(m.Result.Content[0].Text, "busy: 32 calls are not answered yet") {
		t.Errorf("the call beyond: %+v", m)
	}
	r.send(`{"jsonrpc":"2.0","id":"list","method":"tools/list"}`)
	if m := r.receive(); m.ID != "list" || m.Error == nil || m.Error.Code != -32000 {
		t.Errorf("another request beyond: %+v", m)
	}
	r.send(`{"jsonrpc":"2.0","id":"there?","method":"ping"}`)
	if m := r.receive(); m.ID != "there?" || m.Error != nil || m.Result == nil {
		t.Errorf("a ping beyond: %+v", m)
	}
	r.send(toolCall(t, 3, "explain", nil))
	if m := r.receive(); m.ID != 3.0 || m.Result == nil || m.Result.Content[0].Text != "a call with this id is not answered yet" {
		t.Errorf("an id twice: %+v", m)
	}
	for i := range 32 {
		r.send(fmt.Sprintf(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":%d}}`, i))
	}
	seen := make(map[any]bool)
	for range 32 {
		seen[r.receive().ID] = true
	}
	if len(seen) != 32 {
		t.Errorf("%d of 32 cancelled calls were answered", len(seen))
	}
	r.send(toolCall(t, "again", "explain", nil))
	if m := r.receive(); m.ID != "again" || m.Result == nil || m.Result.IsError {
		t.Errorf("after all were cancelled: %+v", m)
	}
}

// TestCallsSideBySide asks about many logs at once: each answer is that of its own.
func TestCallsSideBySide(t *testing.T) {
	s := client(t, options(t))
	want := make(map[string]string)
	all := logs(t)
	names := make(chan string, len(all))
	for name := range maps.Keys(all) {
		if len(want) < 40 {
			want[name] = text(t, call(t, s, "analyze", object{"text": all[name], "name": name}))
			names <- name
		}
	}
	close(names)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for name := range names {
				res, err := s.CallTool(t.Context(), &sdk.CallToolParams{Name: "analyze", Arguments: object{"text": all[name], "name": name}})
				if err != nil || res.Content[0].(*sdk.TextContent).Text != want[name] {
					t.Errorf("%s: another answer beside others: %v", name, err)
				}
			}
		})
	}
	wg.Wait()
}

// TestEndOfInputAnswersAll writes calls and ends the input at once.
func TestEndOfInputAnswersAll(t *testing.T) {
	r := rawSession(t, options(t))
	log := read(t, golden)
	go func() {
		for i := range 10 {
			io.WriteString(r.to, toolCall(t, i, "analyze", object{"text": log})+"\n")
		}
		io.WriteString(r.to, `{"jsonrpc":"2.0","id":"list","method":"tools/list"}`+"\n")
		io.WriteString(r.to, toolCall(t, 10, "analyze", object{"text": log})) // its line does not end
		r.to.Close()
	}()
	seen := make(map[any]bool)
	for {
		m, err := r.next()
		if err == io.EOF {
			break
		}
		must(t, err)
		seen[m.ID] = true
		if m.ID == "list" {
			continue
		}
		if m.Result == nil || m.Result.IsError || !strings.Contains(m.Result.Content[0].Text, "deadlocked on itself") {
			t.Errorf("answer %+v", m)
		}
	}
	if len(seen) != 12 {
		t.Errorf("%d of 12 calls were answered", len(seen))
	}
	if err := <-r.ended; err != nil {
		t.Errorf("the server ended with %v", err)
	}
}

// TestEndOfServer ends the server while a call runs.
func TestEndOfServer(t *testing.T) {
	opt, started, ended := blocking(t)
	r := rawSession(t, opt)
	r.send(toolCall(t, 1, "analyze", object{"paths": []string{"a"}}))
	<-started
	go io.Copy(io.Discard, r.from)
	r.stop()
	<-ended
	if err := <-r.ended; err != context.Canceled {
		t.Errorf("the server ended with %v", err)
	}
}

// TestPanicIsAnError lets a call go wrong inside: the others go on, and nothing of its
// arguments is logged.
func TestPanicIsAnError(t *testing.T) {
	var log bytes.Buffer
	opt := options(t)
	opt.Log = &log
	opt.Open = func(_ context.Context, paths []string) (*open.Set, error) { panic("confidential " + paths[0]) }
	s := client(t, opt)
	refused(t, call(t, s, "analyze", object{"paths": []string{"secret"}}), "internal error: this call cannot be answered")
	if !strings.Contains(log.String(), "analyze: internal error") || strings.Contains(log.String(), "secret") || strings.Contains(log.String(), "confidential") {
		t.Errorf("log: %s", log.String())
	}
	if res := call(t, s, "explain", nil); res.IsError {
		t.Errorf("after a panic: %s", text(t, res))
	}
}

// TestNothingIsLogged holds that the server says nothing of what it reads.
func TestNothingIsLogged(t *testing.T) {
	var log bytes.Buffer
	opt := options(t)
	opt.Log = &log
	s := client(t, opt)
	call(t, s, "analyze", object{"text": read(t, golden)})
	call(t, s, "analyze", object{"text": "nothing"})
	call(t, s, "rules", object{"action": "lint", "yaml": "{"})
	if log.Len() > 0 {
		t.Errorf("logged: %s", log.String())
	}
}

// FuzzSession sends any lines: the server goes on to the end, and what it writes is
// the protocol.
func FuzzSession(f *testing.F) {
	opt := options(f)
	opt.TimeLimit = 2 * time.Second
	start := `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"test","version":"1"}}}` + "\n" +
		`{"jsonrpc":"2.0","method":"notifications/initialized"}` + "\n"
	for _, seed := range []string{
		`{"jsonrpc":"2.0","id":2,"method":"tools/list"}`,
		toolCall(f, 3, "analyze", object{"text": "0: kd> !locks\nResource @ 0xfffffa8011ef1de8    Exclusively owned\n     Threads: fffff88007fab633-01<*>\n", "max_chars": 10000}),
		toolCall(f, "a", "resolve", object{"text": "0: kd> !locks\n", "addresses": []string{"1"}}),
		toolCall(f, 4, "rules", object{"action": "lint", "yaml": "format: kdlocks.rules/v1\nrules: []\n"}),
		`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":3}}`,
		`{"jsonrpc":"2.0","id":5,"method":"server/discover","params":{"_meta":{}}}`,
		`[]`, `{}`, "\x00", `{"id":{}}`, `{"jsonrpc":"2.0","id":1.5,"method":"ping"}`,
	} {
		f.Add([]byte(seed))
		f.Add([]byte(seed + "\n" + seed))
	}
	f.Fuzz(func(t *testing.T, lines []byte) {
		var out bytes.Buffer
		ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
		defer stop()
		if err := mcp.Run(ctx, io.MultiReader(strings.NewReader(start), bytes.NewReader(lines)), &out, opt); err != nil {
			t.Fatalf("the server ended with %v", err)
		}
		for line := range bytes.Lines(out.Bytes()) {
			if !json.Valid(line) || line[len(line)-1] != '\n' {
				t.Errorf("written: %q", line)
			}
		}
	})
}
