package web

import (
	"strings"
	"testing"
)

func TestPageFiles(t *testing.T) {
	s := server(t, Options{})
	for _, tc := range []struct {
		path, accept string
		status       int
		kind, coding string
		body         string
	}{
		{"/", "", 200, "text/html; charset=utf-8", "", "<!doctype html>"},
		{"/index.html", "gzip, br", 200, "text/html; charset=utf-8", "", "<!doctype html>"},
		{"/app.js", "", 200, "text/javascript; charset=utf-8", "", "export {}"},
		{"/app.js", "gzip, deflate, br", 200, "text/javascript; charset=utf-8", "br", "as brotli"},
		{"/app.js", "gzip, br;q=0", 200, "text/javascript; charset=utf-8", "gzip", string(packed("export {}"))},
		{"/app.js", "identity", 200, "text/javascript; charset=utf-8", "", "export {}"},
		{"/app.js", "*", 200, "text/javascript; charset=utf-8", "br", "as brotli"},
		{"/app.js?v=1", "", 200, "text/javascript; charset=utf-8", "", "export {}"},
		{"/engine.wasm", "br", 200, "application/wasm", "", "\x00asm"},
		{"/long.css", "br, gzip", 200, "text/css; charset=utf-8", "gzip", "\x1f\x8b"},
		{"/long.css", "br", 200, "text/css; charset=utf-8", "", "body {}"},
		{"/long.wasm", "gzip", 200, "application/wasm", "", "\x00asm"},
		{"/only.css", "", 200, "text/css; charset=utf-8", "", "body {}"},
		{"/only.css", "gzip", 200, "text/css; charset=utf-8", "gzip", string(packed("body {}"))},
		{"/sub/page.html", "", 200, "text/html; charset=utf-8", "", "below"},
		{"/sub/", "", 404, "application/problem+json", "", "{"},
		{"/sub", "", 404, "application/problem+json", "", "{"},
		{"/app.js.gz", "gzip", 200, "application/gzip", "", string(packed("export {}"))},
		{"/broken.js", "", 404, "application/problem+json", "", "{"},
		{"/brotli.js", "br", 404, "application/problem+json", "", "{"},
		{"/none.js", "", 404, "application/problem+json", "", "{"},
		{"/%2e%2e/etc/passwd", "", 307, "", "", ""},
	} {
		r := ask(s, "GET", tc.path, nil, "Accept-Encoding: "+tc.accept, "Range: bytes=2-3")
		got := text(t, r)
		if tc.status == 307 {
			if r.StatusCode < 300 || r.StatusCode == 200 {
				t.Errorf("%s: %d", tc.path, r.StatusCode)
			}
			continue
		}
		if r.StatusCode != tc.status || r.Header.Get("Content-Type") != tc.kind || r.Header.Get("Content-Encoding") != tc.coding || !strings.HasPrefix(got, tc.body) {
			t.Errorf("%s (%s): %d %s %s %.40q, want %d %s %s", tc.path, tc.accept, r.StatusCode, r.Header.Get("Content-Type"), r.Header.Get("Content-Encoding"), got, tc.status, tc.kind, tc.coding)
		}
		if tc.status != 200 {
			continue
		}
		etag := r.Header.Get("ETag")
		if etag == "" || r.Header.Get("Cache-Control") != "no-cache" || (strings.Contains(tc.path, ".wasm") || strings.Contains(tc.path, ".gz") || strings.Contains(tc.path, ".html") || tc.path == "/") == (r.Header.Get("Vary") == "Accept-Encoding") {
			t.Errorf("%s: headers %v", tc.path, r.Header)
		}
		again := ask(s, "GET", tc.path, nil, "Accept-Encoding: "+tc.accept, "If-None-Match: "+etag)
		if again.StatusCode != 304 || text(t, again) != "" {
			t.Errorf("%s again: %d", tc.path, again.StatusCode)
		}
		head := ask(s, "HEAD", tc.path, nil, "Accept-Encoding: "+tc.accept)
		if head.StatusCode != 200 || text(t, head) != "" || head.ContentLength != int64(len(got)) || head.Header.Get("ETag") != etag {
			t.Errorf("HEAD %s: %d, %d bytes", tc.path, head.StatusCode, head.ContentLength)
		}
	}
	// Each form has a tag of its own.
	if a, b := ask(s, "GET", "/app.js", nil).Header.Get("ETag"), ask(s, "GET", "/app.js", nil, "Accept-Encoding: br").Header.Get("ETag"); a == b {
		t.Error("two forms have one tag")
	}
}

// TestHeaders: every answer tells the browser what it may not do.
func TestHeaders(t *testing.T) {
	s := server(t, Options{})
	for _, path := range []string{"/", "/engine.wasm", "/none", "/api/v1/rules", "/api/none", "/metrics", "/healthz"} {
		h := ask(s, "GET", path, nil).Header
		want := apiPolicy
		if path == "/" || path == "/engine.wasm" {
			want = pagePolicy
		}
		if h.Get("Content-Security-Policy") != want {
			t.Errorf("%s: policy %q", path, h.Get("Content-Security-Policy"))
		}
		for key, value := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cross-Origin-Opener-Policy": "same-origin",
			"Cross-Origin-Resource-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp",
		} {
			if h.Get(key) != value {
				t.Errorf("%s: %s is %q", path, key, h.Get(key))
			}
		}
		for key := range h {
			if strings.HasPrefix(key, "Access-Control-") || key == "Set-Cookie" || key == "Server" {
				t.Errorf("%s: %s", path, key)
			}
		}
	}
}

// TestNoPage: a server without one has the API all the same.
func TestNoPage(t *testing.T) {
	s, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	if r := ask(s, "GET", "/", nil); r.StatusCode != 404 {
		t.Errorf("no page: %d", r.StatusCode)
	}
}
