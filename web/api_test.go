package web

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"kdlocks/inspect"
	"kdlocks/kd"
	"kdlocks/report"
	"kdlocks/rules"
)

// reportOn is the report that the command line prints on inputs.
func reportOn(t testing.TB, s *Server, ins ...inspect.Input) string {
	t.Helper()
	set, err := s.rules.set()
	if err != nil {
		t.Fatal(err)
	}
	r, _ := inspect.Run(context.Background(), ins, inspect.Options{Rules: inspect.These(set)})
	var b strings.Builder
	if err := report.WriteJSON(&b, r, report.Style{}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestAnalyzeTakesBodiesAndForms(t *testing.T) {
	s := server(t, Options{})
	log := sample(t)
	var archive bytes.Buffer
	z := zip.NewWriter(&archive)
	for _, name := range []string{"a.log", "picture.png"} {
		w, _ := z.Create(name)
		io.WriteString(w, map[string]string{"a.log": log, "picture.png": "\x89PNG\r\n\x1a\n\x00\x00"}[name])
	}
	z.Close()
	utf16 := "\xff\xfe"
	for _, c := range log {
		utf16 += string([]byte{byte(c), 0})
	}
	for _, tc := range []struct {
		name    string
		body    string
		headers []string
		parts   []part
		want    []inspect.Input
	}{
		{name: "plain", body: log, want: []inspect.Input{inspect.Bytes("input", []byte(log))}},
		{name: "named", body: log, headers: []string{"X-Filename: hang 1.log"}, want: []inspect.Input{inspect.Bytes("hang 1.log", []byte(log))}},
		{name: "named by disposition", body: log, headers: []string{"Content-Disposition: attachment; filename*=UTF-8''h%C3%A4nger.log"}, want: []inspect.Input{inspect.Bytes("hänger.log", []byte(log))}},
		{name: "as curl -d says", body: log, headers: []string{"Content-Type: application/x-www-form-urlencoded"}, want: []inspect.Input{inspect.Bytes("input", []byte(log))}},
		{name: "gzip", body: string(packed(log)), headers: []string{"X-Filename: a.log", "Content-Encoding: gzip"}, want: []inspect.Input{inspect.Bytes("a.log", []byte(log))}},
		{name: "zip", body: archive.String(), headers: []string{"X-Filename: a.zip"}, want: []inspect.Input{inspect.Bytes("a.zip!a.log", []byte(log))}},
		{name: "UTF-16", body: utf16, want: []inspect.Input{inspect.Bytes("input", []byte(utf16))}},
		{name: "form", parts: []part{{"file", "b.log", log}}, want: []inspect.Input{inspect.Bytes("b.log", []byte(log))}},
		{name: "a path is a name", parts: []part{{"file", "x/../b.log", log}}, want: []inspect.Input{inspect.Bytes("x/../b.log", []byte(log))}},
		{name: "two files are one case", parts: []part{{"file", "1", log[:1500]}, {"file", "2", log[1500:]}}, want: []inspect.Input{inspect.Bytes("1", []byte(log[:1500])), inspect.Bytes("2", []byte(log[1500:]))}},
		{name: "large enough for a file", body: strings.Repeat("some prose\n", 100_000) + log, want: []inspect.Input{inspect.Bytes("input", []byte(strings.Repeat("some prose\n", 100_000)+log))}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			body, headers := io.Reader(strings.NewReader(tc.body)), tc.headers
			if tc.parts != nil {
				var kind string
				body, kind = formOf(tc.parts...)
				headers = append(headers, kind)
			}
			r := ask(s, "POST", "/api/v1/analyze", body, headers...)
			got := text(t, r)
			if want := reportOn(t, s, tc.want...); r.StatusCode != 200 || got != want {
				t.Errorf("%d, %d bytes, want %d: %.300s", r.StatusCode, len(got), len(want), got)
			}
			if r.Header.Get("Content-Type") != "application/json" || r.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("headers %v", r.Header)
			}
		})
	}
}

func TestOutputs(t *testing.T) {
	s := server(t, Options{})
	for _, tc := range []struct {
		query   string
		headers []string
		parts   []part
		kind    string
		begins  string
	}{
		{"", nil, nil, "application/json", "{\n"},
		{"", []string{"Accept: */*"}, nil, "application/json", "{\n"},
		{"?output=markdown", []string{"Accept: application/json"}, nil, "text/markdown; charset=utf-8", "## kdlocks: deadlock"},
		{"?output=table", nil, nil, "text/plain; charset=utf-8", "DEADLOCK (certain)"},
		{"?output=html", nil, nil, "text/html; charset=utf-8", "<!DOCTYPE html>"},
		{"?output=svg", nil, nil, "image/svg+xml", "<svg"},
		{"?output=dot", nil, nil, "text/vnd.graphviz; charset=utf-8", "digraph"},
		{"?output=sarif", nil, nil, "application/sarif+json", "{"},
		{"", []string{"Accept: text/markdown;q=0.9, text/plain;q=0.5, */*;q=0.1"}, nil, "text/markdown; charset=utf-8", "## kdlocks: deadlock"},
		{"", []string{"Accept: application/json;q=0, */*"}, nil, "text/markdown; charset=utf-8", "## kdlocks: deadlock"},
		{"", []string{"Accept: image/*"}, nil, "image/svg+xml", "<svg"},
		{"", nil, []part{{"output", "", "table"}}, "text/plain; charset=utf-8", "DEADLOCK"},
		{"?output=json", nil, []part{{"output", "", "table"}}, "application/json", "{\n"},
	} {
		body, kind := formOf(append(tc.parts, part{"file", "a.log", sample(t)})...)
		r := ask(s, "POST", "/api/v1/analyze"+tc.query, body, append(tc.headers, kind)...)
		got := text(t, r)
		if r.StatusCode != 200 || r.Header.Get("Content-Type") != tc.kind || !strings.HasPrefix(got, tc.begins) && !strings.HasPrefix(strings.ToLower(got), strings.ToLower(tc.begins)) {
			t.Errorf("%s %v: %d %s %.80q, want %s %q", tc.query, tc.headers, r.StatusCode, r.Header.Get("Content-Type"), got, tc.kind, tc.begins)
		}
		attached := strings.HasPrefix(r.Header.Get("Content-Disposition"), "attachment")
		if markup := strings.Contains(tc.kind, "html") || strings.Contains(tc.kind, "svg"); markup && !attached {
			t.Errorf("%s is shown in place of being saved", tc.kind)
		}
		if csp := r.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "sandbox") || !strings.Contains(csp, "default-src 'none'") {
			t.Errorf("%s: policy %q", tc.kind, csp)
		}
	}
}

func TestTroubleIsToldBesideTheReport(t *testing.T) {
	s := server(t, Options{})
	cut := packed(sample(t))
	body, kind := formOf(part{"file", "a.log", sample(t)}, part{"file", "c\u00fct\U0001f512\r\nX-Evil: 1.gz", string(cut[:len(cut)-20])}, part{"file", "all.zip", "PK\x05\x06" + strings.Repeat("\x00", 18)})
	r := ask(s, "POST", "/api/v1/analyze", body, kind)
	var lines []string
	if err := json.Unmarshal([]byte(r.Header.Get("Kdlocks-Trouble")), &lines); err != nil || r.StatusCode != 200 {
		t.Fatalf("%d, %v: %q", r.StatusCode, err, r.Header.Get("Kdlocks-Trouble"))
	}
	if len(lines) != 2 || !strings.Contains(lines[0], "cut short or damaged") || !strings.HasPrefix(lines[1], "all.zip: no text in it") {
		t.Errorf("trouble %q", lines)
	}
	if r.Header.Get("X-Evil") != "" || strings.ContainsFunc(r.Header.Get("Kdlocks-Trouble"), func(c rune) bool { return c > 126 || c < 32 }) {
		t.Errorf("header %q", r.Header)
	}
}

func TestProblems(t *testing.T) {
	s := server(t, Options{Limits: Limits{Body: 1 << 20, Unpacked: 1 << 20, Parts: 3}})
	log := sample(t)
	head := func(ps ...part) (string, []string) {
		body, kind := formOf(ps...)
		b, _ := io.ReadAll(body)
		return string(b), []string{kind}
	}
	form := func(ps ...part) func() (string, []string) { return func() (string, []string) { return head(ps...) } }
	raw := func(body string, headers ...string) func() (string, []string) {
		return func() (string, []string) { return body, headers }
	}
	for _, tc := range []struct {
		name, target string
		body         func() (string, []string)
		status       int
		code         string
		detail       string
	}{
		{"nothing in it", "analyze", raw("hello"), 422, "nothing-recognised", "input: nothing recognised: none of its 1 lines"},
		{"empty", "analyze", raw(""), 422, "nothing-recognised", "input: nothing recognised: it is empty"},
		{"empty file", "analyze", form(part{"file", "e", ""}), 422, "nothing-recognised", "e: nothing recognised: it is empty"},
		{"no text", "analyze", raw("\x00\x01\x02\x03\x04\x00\x00\x00"), 422, "not-text", "not debugger text"},
		{"a gigabyte of zeros", "analyze", raw(string(packed(strings.Repeat("\x00", 32<<20)))), 422, "not-text", "binary data"},
		{"a gigabyte of text", "analyze", raw(string(packed(strings.Repeat("0: kd> !locks\n", 1<<20)))), 413, "unpacked-too-large", "over the limit of 1 MiB"},
		{"an archive without text", "analyze", raw("PK\x05\x06" + strings.Repeat("\x00", 18)), 422, "unreadable", "no text in it"},
		{"large", "analyze", raw(strings.Repeat("x", 1<<20+1)), 413, "body-too-large", "more than 1 MiB"},
		{"large part", "analyze", form(part{"file", "a", strings.Repeat("x\n", 1<<20)}), 413, "body-too-large", "more than 1 MiB"},
		{"many parts", "analyze", form(part{"file", "1", ""}, part{"file", "2", ""}, part{"file", "3", ""}, part{"file", "4", ""}), 413, "too-many-parts", "more than 3 parts"},
		{"no file", "analyze", form(part{"output", "", "json"}), 400, "no-file", "no part named file"},
		{"part of another name", "analyze", form(part{"upload", "a", log}), 400, "unknown-part", `"upload" is not one of file, rules`},
		{"field twice", "analyze", form(part{"output", "", "json"}, part{"output", "", "json"}), 400, "bad-form", "comes twice"},
		{"long field", "analyze", form(part{"output", "", strings.Repeat("x", 5000)}), 413, "part-too-large", "more than 1 KiB"},
		{"long name", "analyze", raw(log, "X-Filename: "+strings.Repeat("x", 1025)), 400, "bad-name", "more than 1 KiB"},
		{"output", "analyze?output=pdf", raw(log), 400, "bad-parameter", `output "pdf" is not one of dot, html, json`},
		{"output twice", "analyze?output=json&output=html", raw(log), 400, "bad-parameter", "comes twice"},
		{"parameter", "analyze?outptu=json", raw(log), 400, "bad-parameter", `"outptu"`},
		{"no query", "analyze?output=markdown;x=1", raw(log), 400, "bad-parameter", "not written as a query has them"},
		{"no escape", "analyze?output=markdown%", raw(log), 400, "bad-parameter", "not written as a query has them"},
		{"flag", "analyze?coverage=perhaps", raw(log), 400, "bad-parameter", "true or false"},
		{"Accept", "analyze", raw(log, "Accept: image/png"), 406, "not-acceptable", "dot, html, json"},
		{"encoding", "analyze", raw(log, "Content-Encoding: br"), 415, "content-encoding", "gzip, zstd"},
		{"gzip that is none", "analyze", raw(log, "Content-Encoding: gzip"), 400, "bad-encoding", "the body is no gzip"},
		{"zstd that is gzip", "analyze", raw(string(packed(log)), "Content-Encoding: zstd"), 400, "bad-encoding", "the body is no zstd"},
		{"gzip that is empty", "analyze", raw("", "Content-Encoding: GZIP"), 400, "bad-encoding", "the body is no gzip"},
		{"gzip twice", "analyze", raw(string(packed(log)), "Content-Encoding: gzip, gzip"), 415, "content-encoding", "gzip, zstd"},
		{"form in gzip", "analyze", func() (string, []string) {
			body, headers := head(part{"file", "a", log})
			return string(packed(body)), append(headers, "Content-Encoding: gzip")
		}, 415, "content-encoding", "its files may be packed"},
		{"rules in gzip", "rules/lint", raw(string(packed("rules:\n")), "Content-Encoding: gzip"), 415, "content-encoding", "identity"},
		{"multipart of another kind", "analyze", raw(log, "Content-Type: multipart/mixed; boundary=x"), 415, "content-type", "multipart/form-data"},
		{"no boundary", "analyze", raw(log, "Content-Type: multipart/form-data"), 400, "bad-form", "boundary"},
		{"not a form", "analyze", raw(log, "Content-Type: multipart/form-data; boundary=x"), 400, "bad-form", "cannot be read"},
		{"cut form", "analyze", raw("--x\r\nContent-Disposition: form-data; name=file; filename=a\r\n\r\nabc", "Content-Type: multipart/form-data; boundary=x"), 400, "cut", "before it is complete"},
		{"part without a name", "analyze", raw("--x\r\n\r\nabc\r\n--x--\r\n", "Content-Type: multipart/form-data; boundary=x"), 400, "bad-form", "Content-Disposition"},
		{"part with a huge header", "analyze", raw("--x\r\nA: "+strings.Repeat("b", 100_000)+"\r\n\r\nabc\r\n--x--\r\n", "Content-Type: multipart/form-data; boundary=x"), 400, "bad-form", "more than 16 KiB"},
		{"rules with mistakes", "analyze", form(part{"file", "a", log}, part{"rules", "mine.yaml", "rules:\n  - id: X\n"}), 422, "rule-mistakes", "mine.yaml:1:1: the file says no format"},
		{"compare one body", "compare", raw(log), 415, "content-type", "multipart/form-data"},
		{"compare nothing", "compare", form(part{"output", "", "json"}), 400, "no-file", "captures are parts named a, b"},
		{"compare what is none", "compare", form(part{"a", "a", "x"}, part{"b", "b", "y"}), 422, "nothing-recognised", "a: nothing recognised"},
		{"compare as a page", "compare?output=html", form(part{"a", "a", log}), 400, "bad-parameter", "json, markdown, table"},
		{"rules without a file", "rules/lint", form(), 400, "no-file", "rules"},
		{"no such call", "page/dance", form(), 404, "no-such-call", "dance"},
		{"bad arguments", "page/analyze", form(part{"args", "", "{"}), 400, "bad-arguments", "no JSON"},
		{"arguments of another kind", "page/analyze", form(part{"args", "", "[1]"}), 400, "bad-arguments", "do not fit"},
		{"no such rule in a call", "page/rules", form(part{"args", "", `{"id":"none"}`}), 422, "call-failed", "is no rule"},
		{"nowhere", "nowhere", raw(""), 404, "no-such-path", "openapi.json"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			body, headers := tc.body()
			r := ask(s, "POST", "/api/v1/"+tc.target, strings.NewReader(body), headers...)
			p := problemIn(t, r)
			if p.Status != tc.status || p.Code != tc.code || !strings.Contains(p.Detail, tc.detail) {
				t.Errorf("%d %s %q, want %d %s %q", p.Status, p.Code, p.Detail, tc.status, tc.code, tc.detail)
			}
			if tc.code == "nothing-recognised" && !slices.Contains(p.Commands, "!locks -v") {
				t.Errorf("no commands: %q", p.Commands)
			}
			if tc.code == "rule-mistakes" && !strings.Contains(string(p.Mistakes), `"mine.yaml"`) {
				t.Errorf("mistakes %s", p.Mistakes)
			}
		})
	}
	if s.store.memory != allInMemory || s.store.disk != s.limits.Temp {
		t.Errorf("room is lost: %d of %d, %d of %d", s.store.memory, allInMemory, s.store.disk, s.limits.Temp)
	}
}

func TestMethods(t *testing.T) {
	s := server(t, Options{})
	for _, tc := range []struct {
		method, path string
		status       int
		allow        string
	}{
		{"GET", "/api/v1/analyze", 405, "POST"},
		{"OPTIONS", "/api/v1/analyze", 405, "POST"},
		{"POST", "/api/v1/rules", 405, "GET, HEAD"},
		{"DELETE", "/", 405, "GET, HEAD"},
		{"PUT", "/healthz", 405, "GET, HEAD"},
		{"HEAD", "/healthz", 200, ""},
		{"HEAD", "/", 200, ""},
		{"GET", "/api/v2/rules", 404, ""},
		{"GET", "/api/", 404, ""},
	} {
		r := ask(s, tc.method, tc.path, nil)
		if r.StatusCode != tc.status || r.Header.Get("Allow") != tc.allow || r.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s %s: %d, Allow %q; want %d, %q", tc.method, tc.path, r.StatusCode, r.Header.Get("Allow"), tc.status, tc.allow)
		}
	}
}

func TestToken(t *testing.T) {
	s := server(t, Options{Token: "a secret of some length"})
	for _, tc := range []struct {
		method, path, auth string
		status             int
	}{
		{"GET", "/api/v1/rules", "", 401},
		{"GET", "/api/v1/rules", "Bearer a secret of some lengt", 401},
		{"GET", "/api/v1/rules", "Bearer a secret of some length and more", 401},
		{"GET", "/api/v1/rules", "Basic a secret of some length", 401},
		{"GET", "/api/v1/rules", "Bearer a secret of some length", 200},
		{"GET", "/api/v1/rules", "bearer a secret of some length", 200},
		{"GET", "/metrics", "", 401},
		{"POST", "/api/v1/analyze", "", 401},
		{"POST", "/api/v1/compare", "", 401},
		{"POST", "/api/v1/rules/lint", "", 401},
		{"POST", "/api/v1/page/analyze", "", 401},
		{"GET", "/", "", 200},
		{"GET", "/app.js", "", 200},
		{"GET", "/healthz", "", 200},
		{"GET", "/api/v1/openapi.json", "", 200},
	} {
		var headers []string
		if tc.auth != "" {
			headers = append(headers, "Authorization: "+tc.auth)
		}
		r := ask(s, tc.method, tc.path, nil, headers...)
		if r.StatusCode != tc.status || (tc.status == 401) != (r.Header.Get("WWW-Authenticate") != "") {
			t.Errorf("%s %s with %q: %d, want %d", tc.method, tc.path, tc.auth, r.StatusCode, tc.status)
		}
	}
}

func TestCompare(t *testing.T) {
	s := server(t, Options{})
	log := sample(t)
	body, kind := formOf(part{"a", "one.log", log}, part{"b", "two.log", log[:1500]}, part{"b", "three.log", log[1500:]})
	r := ask(s, "POST", "/api/v1/compare", body, kind)
	set, _ := s.rules.set()
	c, err := inspect.Compare(context.Background(), []inspect.Case{
		{Name: "one.log", Inputs: []inspect.Input{inspect.Bytes("one.log", []byte(log))}},
		{Name: "b", Inputs: []inspect.Input{inspect.Bytes("two.log", []byte(log[:1500])), inspect.Bytes("three.log", []byte(log[1500:]))}},
	}, inspect.Options{Rules: inspect.These(set)})
	if err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	if err := report.WriteComparisonJSON(&want, c, report.Style{}); err != nil {
		t.Fatal(err)
	}
	if got := text(t, r); r.StatusCode != 200 || got != want.String() {
		t.Errorf("%d %.300s", r.StatusCode, got)
	}
	body, kind = formOf(part{"a", "one.log", log})
	r = ask(s, "POST", "/api/v1/compare?output=table", body, kind)
	if r.StatusCode != 200 || !strings.Contains(r.Header.Get("Kdlocks-Trouble"), "nothing was compared") {
		t.Errorf("one capture: %d, trouble %q", r.StatusCode, r.Header.Get("Kdlocks-Trouble"))
	}
}

func TestCompareTellsWhatItDidNotTake(t *testing.T) {
	s := server(t, Options{Limits: Limits{Unpacked: 10 << 10}})
	log := sample(t)
	body, kind := formOf(part{"a", "log.txt", log}, part{"b", "log.txt", log}, part{"rules", "my.yaml", "rules: 7"})
	if r := ask(s, "POST", "/api/v1/compare", body, kind); r.StatusCode != 422 || !strings.Contains(text(t, r), "my.yaml") {
		t.Errorf("rules with mistakes: %d", r.StatusCode)
	}
	var archive bytes.Buffer
	z := zip.NewWriter(&archive)
	for name, data := range map[string]string{"a.log": log, "picture.png": "\x89PNG\r\n\x1a\n\x00\x00"} {
		w, _ := z.Create(name) // a Buffer takes all
		io.WriteString(w, data)
	}
	z.Close()
	body, kind = formOf(part{"a", "a.zip", archive.String()}, part{"b", "a.zip", archive.String()})
	r := ask(s, "POST", "/api/v1/compare", body, kind)
	if got := text(t, r); r.StatusCode != 200 || !strings.Contains(r.Header.Get("Kdlocks-Notes"), "picture.png") || !strings.Contains(got, `"a.zip!a.log (2)"`) {
		t.Errorf("%d, notes %q, two archives of one name: %.300s", r.StatusCode, r.Header.Get("Kdlocks-Notes"), got)
	}
	body, kind = formOf(part{"a", "1", string(packed(strings.Repeat(log, 2)))}, part{"b", "2", string(packed(strings.Repeat(log, 2)))})
	if r := ask(s, "POST", "/api/v1/compare", body, kind); r.StatusCode != 413 {
		t.Errorf("more than may be unpacked: %d", r.StatusCode)
	}
}

func TestRules(t *testing.T) {
	s := server(t, Options{})
	var list []struct{ ID, Pack string }
	if err := json.Unmarshal([]byte(text(t, ask(s, "GET", "/api/v1/rules", nil))), &list); err != nil || len(list) < 50 {
		t.Fatalf("%d rules, %v", len(list), err)
	}
	var few []struct{ ID, Pack string }
	if err := json.Unmarshal([]byte(text(t, ask(s, "GET", "/api/v1/rules?pack="+list[0].Pack, nil))), &few); err != nil || len(few) == 0 || len(few) >= len(list) {
		t.Errorf("%d of %d rules, %v", len(few), len(list), err)
	}
	if r := ask(s, "GET", "/api/v1/rules/"+list[0].ID+"?output=table", nil); r.StatusCode != 200 || !strings.Contains(text(t, r), list[0].ID) {
		t.Errorf("%s: %d", list[0].ID, r.StatusCode)
	}
	none := server(t, Options{Rules: []rules.Source{}})
	if got := text(t, ask(none, "GET", "/api/v1/rules", nil)); strings.TrimSpace(got) != "[]" {
		t.Errorf("without rules: %.100s", got)
	}
	if p := problemIn(t, ask(s, "GET", "/api/v1/rules/"+list[0].ID+"x", nil)); p.Status != 404 || !strings.Contains(p.Detail, "did you mean") {
		t.Errorf("%+v", p)
	}
}

func TestLint(t *testing.T) {
	s := server(t, Options{})
	for _, tc := range []struct{ name, body, want string }{
		{"with a mistake", "rules:\n  - id: X\n", `"file": "mine.yaml"`},
		{"no YAML", "a: [", `"line": 1`},
	} {
		r := ask(s, "POST", "/api/v1/rules/lint", strings.NewReader(tc.body), "X-Filename: mine.yaml")
		if got := text(t, r); r.StatusCode != 200 || !strings.Contains(got, tc.want) {
			t.Errorf("%s: %d %s", tc.name, r.StatusCode, got)
		}
	}
}

func TestPageCalls(t *testing.T) {
	s := server(t, Options{})
	const plain, asJSON = "text/plain; charset=utf-8", "application/json"
	for _, tc := range []struct {
		call  string
		parts []part
		kind  string
		want  string
	}{
		{"analyze", nil, asJSON, `"schema":"kdlocks.report/v1"`},
		{"analyze", []part{{"args", "", `{"rules":[{"name":"mine.yaml","text":"rules: x"}]}`}}, asJSON, `"rule_mistakes":[{"file":"mine.yaml"`},
		{"lines", []part{{"args", "", `{"input":0,"from":1,"count":3}`}}, asJSON, "Resource @ 0xfffffa8011efede8"},
		{"write", []part{{"args", "", `{"format":"markdown"}`}}, plain, "## kdlocks: deadlock (certain)"},
		{"write", []part{{"args", "", `{"format":"html"}`}, {"analyze", "", `{"no_builtin":true}`}}, plain, "<!doctype html>"},
		{"rules", []part{{"args", "", `{}`}}, asJSON, "ms-kb2608658-sis-owner-pointer"},
		{"rules", []part{{"args", "", `{"id":"ms-kb2608658-sis-owner-pointer","source":true}`}}, plain, "id: ms-kb2608658-sis-owner-pointer"},
		{"redacted", nil, plain, "Resource @ 0x"},
	} {
		body, kind := formOf(append(tc.parts, part{"file", "a.log", sample(t)})...)
		r := ask(s, "POST", "/api/v1/page/"+tc.call, body, kind)
		got := text(t, r)
		if r.StatusCode != 200 || r.Header.Get("Content-Type") != tc.kind || !strings.Contains(strings.ToLower(strings.ReplaceAll(got, ": \"", ":\"")), strings.ToLower(strings.ReplaceAll(tc.want, ": \"", ":\""))) {
			t.Errorf("%s %v: %d %s, without %q: %.300s", tc.call, tc.parts, r.StatusCode, r.Header.Get("Content-Type"), tc.want, got)
		}
	}
}

// TestOwnRulesStandBesideThoseOfTheServer: also in the calls of the page.
func TestOwnRulesStandBesideThoseOfTheServer(t *testing.T) {
	s := server(t, Options{Rules: []rules.Source{rules.Builtin(), rules.TextSource("server.yaml", rules.Skeleton("server-rule"))}})
	own, err := json.Marshal([]map[string]string{{"name": "own.yaml", "text": rules.Skeleton("own-rule")}})
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		args          string
		builtin, mine bool
	}{
		{`{}`, true, false},
		{`{"rules":` + string(own) + `}`, true, true},
		{`{"rules":` + string(own) + `,"no_builtin":true}`, false, true},
		{`{"no_builtin":true}`, false, false},
	} {
		body, kind := formOf(part{"args", "", tc.args})
		got := text(t, ask(s, "POST", "/api/v1/page/rules", body, kind))
		for id, want := range map[string]bool{"server-rule": true, "own-rule": tc.mine, "ms-kb2608658-sis-owner-pointer": tc.builtin} {
			if strings.Contains(got, `"`+id+`"`) != want {
				t.Errorf("%.60s: %s is asked: %t, want %t", tc.args, id, !want, want)
			}
		}
	}
	body, kind := formOf(part{"args", "", `{"rules":[{"name":"own.yaml","text":"rules: 7"}]}`}, part{"file", "a", sample(t)})
	if got := text(t, ask(s, "POST", "/api/v1/page/analyze", body, kind)); !strings.Contains(got, "rule_mistakes") || !strings.Contains(got, "ms-kb2608658") {
		t.Errorf("own rules with mistakes: %.300s", got)
	}
	body, kind = formOf(part{"args", "", `{"rules":` + string(own) + `}`})
	var lint struct{ Rules int }
	if err := json.Unmarshal([]byte(text(t, ask(s, "POST", "/api/v1/page/lint", body, kind))), &lint); err != nil || lint.Rules != 1 {
		t.Errorf("%d rules are linted (%v)", lint.Rules, err)
	}
}

// TestFullQueue: whom the queue has no place for is answered at once.
func TestFullQueue(t *testing.T) {
	s := server(t, Options{Limits: Limits{Jobs: 1, Queue: 1, Wait: time.Hour}})
	leave, err := s.small.enter(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer leave()
	s.small.waiting.Add(1)
	if p := problemIn(t, ask(s, "POST", "/api/v1/analyze", strings.NewReader(sample(t)))); p.Code != "busy" {
		t.Error(p.Code)
	}
}

func TestBusy(t *testing.T) {
	s := server(t, Options{Limits: Limits{Jobs: 1, Queue: 1, Wait: 50 * time.Millisecond}})
	leave, err := s.small.enter(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	r := ask(s, "POST", "/api/v1/analyze", strings.NewReader(sample(t)))
	if p := problemIn(t, r); p.Status != 503 || p.Code != "busy" || r.Header.Get("Retry-After") == "" {
		t.Errorf("%+v", p)
	}
	if r := ask(s, "POST", "/api/v1/analyze", strings.NewReader(strings.Repeat("x\n", 1<<20)+sample(t))); r.StatusCode != 200 {
		t.Errorf("a large one has a lane of its own: %d", r.StatusCode)
	}
	leave()
	if r := ask(s, "POST", "/api/v1/analyze", strings.NewReader(sample(t))); r.StatusCode != 200 {
		t.Errorf("then: %d", r.StatusCode)
	}
}

func TestTime(t *testing.T) {
	s := server(t, Options{Limits: Limits{Time: time.Millisecond}})
	r := ask(s, "POST", "/api/v1/analyze", strings.NewReader(strings.Repeat("0: kd> !locks\nsome prose\n", 300_000)))
	if p := problemIn(t, r); p.Status != 503 || p.Code != "time" {
		t.Errorf("%+v", p)
	}
}

// TestPanics: a panic is an answer, ends nothing else, and tells no word of the input.
func TestPanics(t *testing.T) {
	var errs bytes.Buffer
	s := server(t, Options{Errors: &errs})
	for _, p := range []any{"secret words", errors.New("secret words"), []int{}, &kd.Panicked{Value: "secret words", Stack: []byte("where it was")}, runtimeError()} {
		errs.Reset()
		s.mux = http.NewServeMux()
		s.mux.HandleFunc("/", func(http.ResponseWriter, *http.Request) { panic(p) })
		got := problemIn(t, ask(s, "GET", "/", nil))
		if got.Status != 500 || got.Code != "internal" || errs.Len() == 0 || strings.Contains(errs.String(), "secret") {
			t.Errorf("%v: %+v, told %.200s", p, got, errs.String())
		}
	}
	if !strings.Contains(errs.String(), "index out of range") {
		t.Errorf("told %.200s", errs.String())
	}
	s.mux.HandleFunc("/late", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "half of "); panic("late") })
	func() {
		defer func() {
			if recover() != http.ErrAbortHandler {
				t.Error("the connection is not cut")
			}
		}()
		ask(s, "GET", "/late", nil)
	}()
}

func runtimeError() (err any) {
	defer func() { err = recover() }()
	var none []int
	return none[len(none)]
}

// TestNothingIsKept: no file stays, no log tells what was sent.
func TestNothingIsKept(t *testing.T) {
	var errs, access bytes.Buffer
	s := server(t, Options{Errors: &errs, Access: &access})
	body, kind := formOf(part{"file", "confidential.log", strings.Repeat(strings.Repeat("x", 127)+"\n", 1<<14) + sample(t)})
	if r := ask(s, "POST", "/api/v1/analyze?output=table", body, kind); r.StatusCode != 200 {
		t.Fatal(r.StatusCode)
	}
	if got := access.String(); !strings.HasPrefix(got, "POST /api/v1/analyze 200 ") || strings.Contains(got, "table") || errs.Len() > 0 {
		t.Errorf("logs %q, %q", got, errs.String())
	}
	if got := text(t, ask(s, "GET", "/metrics", nil)); strings.Contains(got, "confidential") || !strings.Contains(got, `kdlocks_requests_total{route="/api/v1/analyze",method="POST",code="200"} 1`) {
		t.Error(got)
	}
}
