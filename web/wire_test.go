package web

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// wire is a client that sends what no HTTP library would.
type wire struct {
	net.Conn
	t testing.TB
	r *bufio.Reader
}

func dial(t testing.TB, addr string) *wire {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(30 * time.Second))
	return &wire{c, t, bufio.NewReader(c)}
}

func (w *wire) say(format string, args ...any) {
	w.t.Helper()
	if _, err := fmt.Fprintf(w, format, args...); err != nil {
		w.t.Fatal(err)
	}
}

// answer reads one answer: its status, the whole of it, and whether the connection
// stays open.
func (w *wire) answer() (status int, body string) {
	w.t.Helper()
	r, err := http.ReadResponse(w.r, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	b, err := io.ReadAll(r.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return r.StatusCode, string(b)
}

// closed waits until the server has closed the connection.
func (w *wire) closed(within time.Duration) bool {
	w.SetReadDeadline(time.Now().Add(within))
	_, err := io.Copy(io.Discard, w.r)
	var timeout net.Error
	return err == nil || !(asNet(err, &timeout) && timeout.Timeout())
}

func asNet(err error, to *net.Error) bool {
	n, ok := err.(net.Error)
	*to = n
	return ok
}

const analyzeHead = "POST /api/v1/analyze HTTP/1.1\r\nHost: localhost\r\n"

func quick(t *testing.T) (*Server, string, func()) {
	s := server(t, Options{Limits: Limits{Stall: 300 * time.Millisecond, Wait: 300 * time.Millisecond, Body: 4 << 20}})
	addr, stop := listening(t, s)
	return s, addr, stop
}

// TestSlowBodies: one that stands still ends, one that flows does not, however long it takes.
func TestSlowBodies(t *testing.T) {
	_, addr, _ := quick(t)
	log := sample(t)

	still := dial(t, addr)
	still.say(analyzeHead + "Content-Length: 1000\r\n\r\nhalf of it")
	drip := dial(t, addr)
	drip.say(analyzeHead + "Content-Length: 1000\r\n\r\n")
	stop := make(chan bool)
	go func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
				drip.Write([]byte("x"))
			}
		}
	}()
	for name, w := range map[string]*wire{"still": still, "dripping": drip} {
		begin := time.Now()
		status, body := w.answer()
		if status != 408 || !strings.Contains(body, `"stalled"`) || time.Since(begin) > 5*time.Second {
			t.Errorf("%s: %d %s after %s", name, status, body, time.Since(begin))
		}
		if !w.closed(2 * time.Second) {
			t.Errorf("%s: the connection stays open", name)
		}
	}
	close(stop)

	flow := dial(t, addr)
	filler := strings.Repeat("prose\n", 2*LeastBytes/6)
	const times = 8
	flow.say(analyzeHead+"Content-Length: %d\r\n\r\n", times*len(filler)+len(log))
	begin := time.Now()
	for range times {
		flow.say("%s", filler)
		time.Sleep(100 * time.Millisecond)
	}
	flow.say("%s", log)
	if status, body := flow.answer(); status != 200 || time.Since(begin) < 600*time.Millisecond {
		t.Errorf("flowing: %d %.200s", status, body)
	}
	// The deadline of the body is gone: the connection lives on.
	time.Sleep(500 * time.Millisecond)
	flow.say("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
	if status, _ := flow.answer(); status != 200 {
		t.Errorf("afterwards: %d", status)
	}
}

// TestHalfOpenBodies: clients that go away, or send bodies to where nobody wants
// them, hold nothing.
func TestHalfOpenBodies(t *testing.T) {
	s, addr, _ := quick(t)
	gone := dial(t, addr)
	gone.say(analyzeHead + "Content-Length: 1000\r\n\r\nhalf of it")
	gone.Conn.(*net.TCPConn).CloseWrite()
	if status, body := gone.answer(); status != 400 || !strings.Contains(body, `"cut"`) {
		t.Errorf("gone: %d %s", status, body)
	}
	for _, head := range []string{
		"POST /api/v1/nowhere HTTP/1.1\r\nHost: localhost\r\n",
		"POST / HTTP/1.1\r\nHost: localhost\r\n",
		"GET /healthz HTTP/1.1\r\nHost: localhost\r\n",
		"POST /api/v1/analyze HTTP/1.1\r\nHost: evil.example\r\n",
		"POST /api/v1/analyze?output=none HTTP/1.1\r\nHost: localhost\r\n",
	} {
		w := dial(t, addr)
		w.say("%sContent-Length: 1000\r\n\r\nhalf of it", head)
		w.answer()
		if !w.closed(3 * time.Second) {
			t.Errorf("%q holds its connection", head)
		}
	}
	abrupt := dial(t, addr)
	abrupt.say("%sContent-Length: 3000000\r\n\r\n%s", analyzeHead, strings.Repeat("x", 1<<20))
	abrupt.Conn.(*net.TCPConn).SetLinger(0)
	abrupt.Close()
	waitFor(t, "room to come back", func() bool {
		s.store.mu.Lock()
		defer s.store.mu.Unlock()
		return s.store.memory == allInMemory && s.store.disk == s.limits.Temp && s.metrics.inFlight.Load() == 0
	})
}

func waitFor(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for range 500 {
		if ok() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("waited in vain for %s", what)
}

// TestSlowReaders: who does not take the answer is let go, and holds no place meanwhile.
func TestSlowReaders(t *testing.T) {
	s := server(t, Options{Limits: Limits{Stall: 300 * time.Millisecond, Jobs: 1, Queue: 1, Wait: time.Second}})
	addr, _ := listening(t, s)
	var log strings.Builder
	log.WriteString("0: kd> !locks\n")
	for i := range 15_000 {
		fmt.Fprintf(&log, "Resource @ 0x%016x    Exclusively owned\n     Threads: %016x-01<*>\n", 0xfffffa8011000000+uint64(i)*128, 0xfffffa8016900000+uint64(i)*4096)
	}
	slow := dial(t, addr)
	slow.Conn.(*net.TCPConn).SetReadBuffer(4096)
	slow.say(analyzeHead+"Content-Length: %d\r\n\r\n%s", log.Len(), log.String())
	waitFor(t, "the analysis", func() bool { return s.metrics.running.Load() == 1 })
	waitFor(t, "its end", func() bool { return s.metrics.running.Load() == 0 })
	if s.metrics.inFlight.Load() != 1 {
		t.Error("the answer was small: the test tells nothing")
	}
	other := dial(t, addr)
	other.say(analyzeHead+"Content-Length: %d\r\nConnection: close\r\n\r\n%s", log.Len(), log.String())
	if status, body := other.answer(); status != 200 || len(body) < 1<<20 {
		t.Errorf("another client: %d, %d bytes", status, len(body))
	}
	waitFor(t, "the slow one to be let go", func() bool { return s.metrics.inFlight.Load() == 0 })
}

// TestOddRequests: whatever is wrong with a request, the answer is short and clear, and
// no body is taken for the next request.
func TestOddRequests(t *testing.T) {
	_, addr, _ := quick(t)
	log := sample(t)
	for _, tc := range []struct {
		name, request string
		status        int
	}{
		{"long header", "GET / HTTP/1.1\r\nHost: localhost\r\nX: " + strings.Repeat("x", 2*mostHeader) + "\r\n\r\n", 431},
		{"no host", "GET / HTTP/1.1\r\n\r\n", 400},
		{"two hosts", "GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", 400},
		{"no HTTP", "hello\r\n\r\n", 400},
		{"two lengths", analyzeHead + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", 400},
		{"negative length", analyzeHead + "Content-Length: -1\r\n\r\nhello", 400},
		{"length and chunks", analyzeHead + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 422},
		{"another coding", analyzeHead + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501},
		{"hidden coding", analyzeHead + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501},
		{"bad chunk", analyzeHead + "Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n", 400},
		{"huge chunk", analyzeHead + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff0\r\nhello\r\n0\r\n\r\n", 400},
		{"chunks", analyzeHead + fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(log), log), 200},
		{"chunks with a trailer", analyzeHead + fmt.Sprintf("Transfer-Encoding: chunked\r\nTrailer: X-Filename\r\n\r\n%x\r\n%s\r\n0\r\nX-Filename: y\r\n\r\n", len(log), log), 200},
		{"too large, told before", analyzeHead + "Content-Length: 999999999999\r\n\r\n", 413},
		{"too large, in chunks", analyzeHead + "Transfer-Encoding: chunked\r\n\r\n" + fmt.Sprintf("%x\r\n%s\r\n", 5<<20, strings.Repeat("x\n", 5<<19)), 413},
		{"HTTP/1.0", "GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n", 200},
		{"HTTP/1.0 without a host", "GET /healthz HTTP/1.0\r\n\r\n", 421},
		{"a whole URL of another", "GET http://evil.example/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", 421},
		{"connect", "CONNECT localhost:1 HTTP/1.1\r\nHost: localhost:1\r\n\r\n", 405},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := dial(t, addr)
			go io.WriteString(w, tc.request)
			status, body := w.answer()
			if status != tc.status {
				t.Errorf("%d, want %d: %.200s", status, tc.status, body)
			}
		})
	}
}

// TestExpectContinue: the body is asked for only when it is wanted.
func TestExpectContinue(t *testing.T) {
	_, addr, _ := quick(t)
	log := sample(t)
	good := dial(t, addr)
	good.say(analyzeHead+"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n", len(log))
	if line, _ := good.r.ReadString('\n'); !strings.HasPrefix(line, "HTTP/1.1 100 ") {
		t.Fatalf("%q", line)
	}
	good.r.ReadString('\n')
	good.say("%s", log)
	if status, _ := good.answer(); status != 200 {
		t.Errorf("%d", status)
	}
	for head, want := range map[string]int{
		analyzeHead + "Content-Length: 999999999\r\n":                                                       413,
		"POST /api/v1/analyze HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 5\r\n":                      421,
		"POST /api/v1/analyze?a=b HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n":                     400,
		analyzeHead + "Origin: http://evil.example\r\nContent-Length: 5\r\n":                                403,
		"POST /api/v1/analyze HTTP/1.1\r\nHost: localhost\r\nContent-Encoding: br\r\nContent-Length: 5\r\n": 415,
	} {
		w := dial(t, addr)
		w.say("%sExpect: 100-continue\r\n\r\n", head)
		if status, _ := w.answer(); status != want {
			t.Errorf("%q: %d, want %d", head, status, want)
		}
	}
}

// TestConnections: beyond the bound they wait, and are served when others end.
func TestConnections(t *testing.T) {
	s := server(t, Options{Limits: Limits{Connections: 3}})
	addr, _ := listening(t, s)
	var idle []*wire
	for range 3 {
		w := dial(t, addr)
		w.say("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
		w.answer()
		idle = append(idle, w)
	}
	w := dial(t, addr)
	w.say("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
	w.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	if _, err := w.r.Peek(1); err == nil {
		t.Fatal("a fourth connection is served")
	}
	idle[1].Close()
	w.SetReadDeadline(time.Now().Add(10 * time.Second))
	if status, _ := w.answer(); status != 200 {
		t.Error(status)
	}
}

// TestShutdown: what runs comes to its end, what does not end is ended, and no goroutine
// stays.
func TestShutdown(t *testing.T) {
	before := runtime.NumGoroutine()
	s, addr, stop := quick(t)
	log := sample(t)
	w := dial(t, addr)
	w.say(analyzeHead+"Content-Length: %d\r\n\r\n%s", len(log), log[:100])
	waitFor(t, "the request", func() bool { return s.metrics.inFlight.Load() == 1 })
	idle := dial(t, addr)
	idle.say("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
	idle.answer()
	done := make(chan bool)
	go func() { stop(); close(done) }()
	time.Sleep(50 * time.Millisecond)
	if c, err := net.DialTimeout("tcp", addr, time.Second); err == nil {
		c.Close()
		t.Error("it still takes connections")
	}
	w.say("%s", log[100:])
	if status, _ := w.answer(); status != 200 {
		t.Errorf("what ran: %d", status)
	}
	<-done
	w.Close()
	idle.Close()
	waitFor(t, "goroutines to end", func() bool { return runtime.NumGoroutine() <= before })
}

// TestWorkIsEndedWhenTheServerStops, and when its client has gone.
func TestWorkIsEnded(t *testing.T) {
	s := server(t, Options{})
	begun := make(chan bool)
	run := work{format: formats[0], run: func(ctx context.Context, _ *job, _ io.Writer) (told, error) {
		begun <- true
		<-ctx.Done()
		return told{}, ctx.Err()
	}}
	ended := make(chan error)
	go func() { _, err := s.work(context.Background(), run, s.store.answer(1)); ended <- err }()
	<-begun
	s.stop()
	if err := <-ended; err != errStop {
		t.Errorf("stopped: %v", err)
	}
	s = server(t, Options{})
	ctx, gone := context.WithCancel(context.Background())
	go func() { _, err := s.work(ctx, run, s.store.answer(1)); ended <- err }()
	<-begun
	gone()
	if err := <-ended; err != context.Canceled {
		t.Errorf("gone: %v", err)
	}
	if len(s.small.places) != 0 || len(s.guard.jobs) != 0 {
		t.Error("a place is lost")
	}
}

// TestManyAtOnce: requests of all kinds side by side, some of which are cut off, disturb
// nothing.
func TestManyAtOnce(t *testing.T) {
	s := server(t, Options{Limits: Limits{Jobs: 2, Wait: 10 * time.Minute}})
	addr, stop := listening(t, s)
	log := sample(t)
	var want [3]string
	posts := []func() *http.Request{
		func() *http.Request {
			r, _ := http.NewRequest("POST", "http://"+addr+"/api/v1/analyze", strings.NewReader(log))
			return r
		},
		func() *http.Request {
			body, kind := formOf(part{"a", "a", log}, part{"b", "b", strings.Repeat("prose\n", 180_000) + log})
			r, _ := http.NewRequest("POST", "http://"+addr+"/api/v1/compare", body)
			r.Header.Set("Content-Type", strings.TrimPrefix(kind, "Content-Type: "))
			return r
		},
		func() *http.Request {
			body, kind := formOf(part{"file", "a", log})
			r, _ := http.NewRequest("POST", "http://"+addr+"/api/v1/page/analyze", body)
			r.Header.Set("Content-Type", strings.TrimPrefix(kind, "Content-Type: "))
			return r
		},
	}
	send := func(i int) (string, error) {
		answer, err := http.DefaultClient.Do(posts[i]())
		if err != nil {
			return "", err
		}
		defer answer.Body.Close()
		b, err := io.ReadAll(answer.Body)
		return fmt.Sprint(answer.StatusCode, string(b)), err
	}
	for i := range want {
		var err error
		if want[i], err = send(i); err != nil || !strings.HasPrefix(want[i], "200") {
			t.Fatalf("%v %.200s", err, want[i])
		}
	}
	var done sync.WaitGroup
	for n := range 12 {
		done.Go(func() {
			for k := range 2 {
				i := (n + k) % 4
				if i == 3 { // one who goes away
					c, err := net.Dial("tcp", addr)
					if err == nil {
						fmt.Fprintf(c, "%sContent-Length: %d\r\n\r\n%s", analyzeHead, len(log), log[:len(log)/(k+1)])
						c.Close()
					}
					continue
				}
				if got, err := send(i); err != nil || got != want[i] {
					t.Errorf("request %d: %v %.100s", i, err, got)
				}
			}
		})
	}
	done.Wait()
	http.DefaultClient.CloseIdleConnections()
	stop()
	if s.store.memory != allInMemory || s.store.disk != s.limits.Temp || len(s.guard.jobs) != 0 {
		t.Errorf("left: %d, %d, %d", s.store.memory, s.store.disk, len(s.guard.jobs))
	}
}
