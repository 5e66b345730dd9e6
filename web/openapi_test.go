package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"kdlocks/docs"
)

type apiDoc struct {
	OpenAPI string
	Paths   map[string]map[string]struct {
		Parameters []struct{ Name, In string }
		Security   []map[string][]string
		Responses  map[string]struct {
			Ref     string `json:"$ref"`
			Content map[string]any
		}
	}
	Components struct {
		Responses map[string]struct{ Content map[string]any }
		Schemas   struct {
			Problem struct {
				Properties struct{ Code struct{ Enum []string } }
			}
		}
	}
}

func documentOf(t *testing.T) apiDoc {
	t.Helper()
	var d apiDoc
	if err := json.Unmarshal(openAPI, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// TestOpenAPINamesTheRoutes: routes, methods, parameters and who needs the token.
func TestOpenAPINamesTheRoutes(t *testing.T) {
	d := documentOf(t)
	var have, want []string
	for path, methods := range d.Paths {
		for method, op := range methods {
			var query []string
			for _, p := range op.Parameters {
				if p.In == "query" {
					query = append(query, p.Name)
				}
				if p.In == "path" && !strings.Contains(path, "{"+p.Name+"}") {
					t.Errorf("%s has no %s", path, p.Name)
				}
			}
			slices.Sort(query)
			open := len(op.Security) == 1 && len(op.Security[0]) == 0
			have = append(have, fmt.Sprint(strings.ToUpper(method), path, query, open))
		}
	}
	for _, r := range routes {
		query := slices.Sorted(slices.Values(r.query))
		want = append(want, fmt.Sprint(r.method, r.path, query, r.open))
	}
	slices.Sort(have)
	slices.Sort(want)
	if !slices.Equal(have, want) {
		t.Errorf("openapi.json has\n%s\nthe server\n%s", strings.Join(have, "\n"), strings.Join(want, "\n"))
	}
}

// TestOpenAPINamesTheCodes: each code of a problem in the sources is described.
func TestOpenAPINamesTheCodes(t *testing.T) {
	known := documentOf(t).Components.Schemas.Problem.Properties.Code.Enum
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	used, code := make(map[string]bool), regexp.MustCompile(`(?:trouble\(http\.Status\w+, |busy\()"([a-z-]+)"`)
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		text, err := os.ReadFile(e.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range code.FindAllStringSubmatch(string(text), -1) {
			used[m[1]] = true
		}
	}
	if got := slices.Sorted(maps.Keys(used)); !slices.Equal(got, slices.Sorted(slices.Values(known))) {
		t.Errorf("used are\n%v\ndescribed\n%v", got, known)
	}
}

// asked is one request to an operation, which must be answered with a status.
type asked struct {
	op     string // "POST /api/v1/analyze"
	status int
	target string
	body   io.Reader
	header []string
	server *Server
}

// TestAnswersAreAsDescribed asks each operation for each of its answers, and validates
// these against the schemas.
func TestAnswersAreAsDescribed(t *testing.T) {
	d := documentOf(t)
	compiler := jsonschema.NewCompiler()
	const base = "http://localhost/api/v1/"
	for name, text := range map[string][]byte{"openapi.json": openAPI, "report.schema.json": schemaText(t, "report"), "compare.schema.json": schemaText(t, "compare")} {
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := compiler.AddResource(base+name, doc); err != nil {
			t.Fatal(err)
		}
	}
	seen := make(map[string]bool)
	for _, a := range everyAnswer(t) {
		method, path, _ := strings.Cut(a.op, " ")
		r := ask(a.server, method, a.target, a.body, a.header...)
		got := text(t, r)
		if r.StatusCode != a.status {
			t.Errorf("%s: %d, want %d: %.200s", a.op, r.StatusCode, a.status, got)
			continue
		}
		kind := r.Header.Get("Content-Type")
		op := d.Paths[path][strings.ToLower(method)]
		answer, ok := op.Responses[strconv.Itoa(a.status)]
		pointer := "/paths/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(path) + "/" + strings.ToLower(method) + "/responses/" + strconv.Itoa(a.status)
		content := answer.Content
		if answer.Ref != "" {
			pointer = strings.TrimPrefix(answer.Ref, "#")
			content = d.Components.Responses[answer.Ref[strings.LastIndexByte(answer.Ref, '/')+1:]].Content
		}
		if !ok || content[kind] == nil {
			t.Errorf("%s: %d %s is not described", a.op, a.status, kind)
			continue
		}
		seen[a.op+" "+strconv.Itoa(a.status)] = true
		seen[a.op+" "+strconv.Itoa(a.status)+" "+kind] = true
		pointer += "/content/" + strings.ReplaceAll(kind, "/", "~1") + "/schema"
		schema, err := compiler.Compile(base + "openapi.json#" + (&url.URL{Path: pointer}).EscapedPath())
		if err != nil {
			t.Fatalf("%s: %v", a.op, err)
		}
		var value any = got
		if strings.Contains(kind, "json") {
			if value, err = jsonschema.UnmarshalJSON(strings.NewReader(got)); err != nil {
				t.Errorf("%s: %v", a.op, err)
				continue
			}
		}
		if err := schema.Validate(value); err != nil {
			t.Errorf("%s %d: %v", a.op, a.status, err)
		}
	}
	for path, methods := range d.Paths {
		for method, op := range methods {
			for status, answer := range op.Responses {
				name := strings.ToUpper(method) + " " + path + " " + status
				if !seen[name] {
					t.Errorf("%s is described, and was not seen", name)
				}
				for kind := range answer.Content {
					if !seen[name+" "+kind] {
						t.Errorf("%s %s is described, and was not seen", name, kind)
					}
				}
			}
		}
	}
}

func schemaText(t *testing.T, name string) []byte {
	t.Helper()
	b, err := docs.Schemas.ReadFile(name + ".schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// stalled is a body that comes too slowly.
type stalled struct{}

func (stalled) Read([]byte) (int, error) { return 0, os.ErrDeadlineExceeded }

// everyAnswer makes a request for each answer that there is.
func everyAnswer(t *testing.T) []asked {
	plain := server(t, Options{})
	secret := server(t, Options{Token: "a secret of some length"})
	tiny := server(t, Options{Limits: Limits{Body: 10}})
	full := server(t, Options{Limits: Limits{Jobs: 1, Wait: time.Millisecond}})
	for _, q := range []*lane{full.small, full.large} {
		q.places <- struct{}{}
	}
	broken := server(t, Options{Errors: io.Discard})
	broken.mux = http.NewServeMux()
	broken.mux.HandleFunc("/", func(http.ResponseWriter, *http.Request) { panic("broken") })
	log := sample(t)
	form := func(ps ...part) (io.Reader, []string) {
		body, kind := formOf(ps...)
		return body, []string{kind}
	}
	var out []asked
	add := func(op string, status int, s *Server, target string, body io.Reader, header ...string) {
		out = append(out, asked{op, status, target, body, header, s})
	}
	for _, r := range routes {
		op := r.method + " " + r.path
		target := strings.NewReplacer("{id}", "ms-kb2608658-sis-owner-pointer", "{call}", "analyze").Replace(r.path)
		good := func() (io.Reader, []string) {
			switch r.path {
			case "/api/v1/compare":
				return form(part{"a", "a", log}, part{"b", "b", log})
			case "/api/v1/page/{call}":
				return form(part{"file", "a", log})
			case "/api/v1/rules/lint":
				return form(part{"rules", "a.yaml", "rules:\n  - id: X\n"})
			}
			return strings.NewReader(log), nil
		}
		do := func(status int, s *Server, target string, header ...string) {
			body, kind := good()
			if r.method == "GET" {
				body, kind = nil, nil
			}
			add(op, status, s, target, body, append(kind, header...)...)
		}
		do(200, plain, target)
		do(400, plain, target+"?bogus=1")
		do(421, plain, target, "Host: evil.example")
		do(500, broken, target)
		if !r.open {
			do(401, secret, target)
		}
		if r.method == "POST" {
			do(403, plain, target, "Origin: http://evil.example")
			do(413, tiny, target)
			do(415, plain, target, "Content-Encoding: br")
			do(503, full, target)
			_, kind := form()
			add(op, 408, plain, target, stalled{}, kind...)
		}
		if slices.Contains(r.query, "output") {
			do(406, plain, target, "Accept: image/png")
			outputs := []string{"markdown", "table"}
			if r.path == "/api/v1/analyze" {
				outputs = append(outputs, "html", "svg", "dot", "sarif")
			}
			for _, o := range outputs {
				do(200, plain, target+"?output="+o)
			}
		}
	}
	body, kind := form(part{"a", "a", "x"})
	add("POST /api/v1/analyze", 422, plain, "/api/v1/analyze", strings.NewReader("x"))
	add("POST /api/v1/compare", 422, plain, "/api/v1/compare", body, kind...)
	add("GET /api/v1/rules/{id}", 404, plain, "/api/v1/rules/none", nil)
	body, kind = form()
	add("POST /api/v1/page/{call}", 404, plain, "/api/v1/page/none", body, kind...)
	body, kind = form(part{"args", "", `{"id":"none"}`})
	add("POST /api/v1/page/{call}", 422, plain, "/api/v1/page/rules", body, kind...)
	body, kind = form(part{"args", "", `{}`}, part{"file", "a", "hello"})
	add("POST /api/v1/page/{call}", 409, plain, "/api/v1/page/write", body, kind...)
	body, kind = form(part{"args", "", `{"format":"markdown"}`}, part{"file", "a", log})
	add("POST /api/v1/page/{call}", 200, plain, "/api/v1/page/write", body, kind...)
	return out
}
