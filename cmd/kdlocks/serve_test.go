package main

import (
	"bytes"
	"context"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"kdlocks/inspect"
	"kdlocks/web"
)

// everyLog returns the paths of all logs in testdata, those of the cases as files of
// their own.
func everyLog(t *testing.T) []string {
	t.Helper()
	out, err := filepath.Glob("../../testdata/*/*.log")
	if err != nil {
		t.Fatal(err)
	}
	out = append(out, "../../testdata/sis-self-deadlock.log")
	cases, err := filepath.Glob("../../testdata/cases/*.txtar")
	if err != nil || len(cases) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	dir := t.TempDir()
	for _, c := range cases {
		a, err := txtar.ParseFile(c)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range a.Files {
			if f.Name == "input.txt" {
				path := filepath.Join(dir, strings.TrimSuffix(filepath.Base(c), ".txtar")+".log")
				if err := os.WriteFile(path, f.Data, 0o600); err != nil {
					t.Fatal(err)
				}
				out = append(out, path)
			}
		}
	}
	return out
}

// commandLine runs a command line with no rules but those that kdlocks ships with.
func commandLine(t *testing.T, args ...string) (stdout, stderr string) {
	t.Helper()
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	t.Setenv("AppData", t.TempDir())
	var out, errs bytes.Buffer
	run(context.Background(), args, strings.NewReader(""), &out, &errs)
	return out.String(), errs.String()
}

func post(t *testing.T, h http.Handler, path string, body io.Reader, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, path, body)
	r.Host = "localhost"
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// TestServeSaysWhatTheCommandLineSays: the same JSON, byte for byte, and the same words
// where there is none.
func TestServeSaysWhatTheCommandLineSays(t *testing.T) {
	srv, err := web.New(web.Options{Today: today, Version: inspect.Version()})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range everyLog(t) {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		want, trouble := commandLine(t, "-o", "json", path)
		got := post(t, srv, "/api/v1/analyze", bytes.NewReader(data), "X-Filename", path)
		switch {
		case want != "" && (got.Code != 200 || got.Body.String() != want):
			t.Errorf("%s: %d, other bytes than the command line", path, got.Code)
		case want == "" && got.Code != 422:
			t.Errorf("%s: %d; the command line says %s", path, got.Code, trouble)
		}
	}
}

// TestServeComparesAsTheCommandLine: also several captures, and the other outputs.
func TestServeComparesAsTheCommandLine(t *testing.T) {
	srv, err := web.New(web.Options{Today: today, Version: inspect.Version()})
	if err != nil {
		t.Fatal(err)
	}
	logs := everyLog(t)
	for i := 0; i+1 < len(logs); i += 40 {
		pair := []string{logs[i], logs[i+1]}
		var b bytes.Buffer
		m := multipart.NewWriter(&b)
		for k, path := range pair {
			w, _ := m.CreateFormFile(string(rune('a'+k)), path) // a Buffer takes all
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			w.Write(data)
		}
		m.Close()
		for _, output := range []string{"json", "table", "markdown"} {
			want, trouble := commandLine(t, append([]string{"compare", "-o", output}, pair...)...)
			got := post(t, srv, "/api/v1/compare?output="+output, bytes.NewReader(b.Bytes()), "Content-Type", m.FormDataContentType())
			if want != "" && (got.Code != 200 || got.Body.String() != want) || want == "" && got.Code != 422 {
				t.Errorf("%v as %s: %d, other bytes than the command line, which says %.200s%s", pair, output, got.Code, want, trouble)
			}
		}
	}
	for _, output := range []string{"markdown", "html", "svg", "dot", "sarif", "table"} {
		const path = "../../testdata/sis-self-deadlock.log"
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		want, _ := commandLine(t, "-o", output, path)
		got := post(t, srv, "/api/v1/analyze?output="+output, bytes.NewReader(data), "X-Filename", path)
		if got.Code != 200 || got.Body.String() != want {
			t.Errorf("%s: %d, other bytes than the command line", output, got.Code)
		}
	}
	for _, output := range []string{"json", "table"} {
		want, _ := commandLine(t, "rules", "list", "-o", output)
		r := httptest.NewRequest(http.MethodGet, "/api/v1/rules?output="+output, nil)
		r.Host = "localhost"
		got := httptest.NewRecorder()
		srv.ServeHTTP(got, r)
		if got.Body.String() != want {
			t.Errorf("rules as %s: other bytes than the command line", output)
		}
	}
}
