package web

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// pageFS is a page that is as good as any.
var pageFS = fstest.MapFS{
	"index.html":    {Data: []byte("<!doctype html><title>kdlocks</title>")},
	"app.js":        {Data: []byte("export {}")},
	"app.js.gz":     {Data: packed("export {}")},
	"app.js.br":     {Data: []byte("as brotli")},
	"engine.wasm":   {Data: []byte("\x00asm")},
	"only.css.gz":   {Data: packed("body {}")},
	"broken.js.gz":  {Data: []byte("no gzip")},
	"brotli.js.br":  {Data: []byte("as brotli")},
	"sub/page.html": {Data: []byte("below")},
	"long.css":      {Data: []byte(strings.Repeat("body {}\n", 1000))},
	"long.wasm":     {Data: []byte(strings.Repeat("\x00asm", 1000))},
}

func packed(text string) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	io.WriteString(z, text)
	z.Close()
	return b.Bytes()
}

func server(t testing.TB, opt Options) *Server {
	t.Helper()
	if opt.Page == nil {
		opt.Page = pageFS
	}
	if opt.Errors == nil {
		opt.Errors = testLog{t}
	}
	opt.TempDir = t.TempDir()
	s, err := New(opt)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// testLog shows what the server complains of.
type testLog struct{ t testing.TB }

func (l testLog) Write(p []byte) (int, error) {
	l.t.Logf("%s", p)
	return len(p), nil
}

// ask sends one request to the handler. Headers are "Key: value"; Host is one of them.
func ask(s *Server, method, target string, body io.Reader, headers ...string) *http.Response {
	r := httptest.NewRequest(method, target, body)
	r.Host = "localhost:8080"
	for _, h := range headers {
		key, value, _ := strings.Cut(h, ": ")
		if key == "Host" {
			r.Host = value
		} else {
			r.Header.Add(key, value)
		}
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Result()
}

func text(t testing.TB, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// problemIn reads the problem that an answer is.
func problemIn(t testing.TB, r *http.Response) problem {
	t.Helper()
	var p problem
	if kind := r.Header.Get("Content-Type"); kind != "application/problem+json" {
		t.Fatalf("%d %s: no problem", r.StatusCode, kind)
	}
	if err := json.Unmarshal([]byte(text(t, r)), &p); err != nil {
		t.Fatal(err)
	}
	if p.Status != r.StatusCode {
		t.Errorf("the problem says %d, the answer %d", p.Status, r.StatusCode)
	}
	return p
}

// part is a part of a form; a field has no file name.
type part struct{ field, file, data string }

func formOf(ps ...part) (body io.Reader, header string) {
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	for _, p := range ps {
		create := func() (io.Writer, error) { return m.CreateFormFile(p.field, p.file) }
		if p.file == "" {
			create = func() (io.Writer, error) { return m.CreateFormField(p.field) }
		}
		w, _ := create() // a Buffer takes all
		io.WriteString(w, p.data)
	}
	m.Close()
	return &b, "Content-Type: " + m.FormDataContentType()
}

func sample(t testing.TB) string {
	t.Helper()
	b, err := os.ReadFile("../testdata/sis-self-deadlock.log")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// listening serves on a port of this machine until the test ends, and returns the
// address and what stops it before.
func listening(t testing.TB, s *Server) (addr string, stop func()) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, ln) }()
	once := false
	stop = func() {
		if once {
			return
		}
		once = true
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("Serve: %v", err)
			}
		case <-time.After(20 * time.Second):
			t.Error("Serve does not end")
		}
	}
	t.Cleanup(stop)
	return ln.Addr().String(), stop
}
