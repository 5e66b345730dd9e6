package web

import (
	"net/http"

	"kdlocks/docs"
)

// route is one thing that can be asked for. openapi.json describes them all.
type route struct {
	method, path string
	query        []string // the parameters
	open         bool     // no token is asked for
	page         bool     // it is the page, which takes any parameter
	serve        func(*Server, http.ResponseWriter, *http.Request) error
}

var routes = []route{
	{method: "POST", path: "/api/v1/analyze", query: []string{"output", "coverage", "no_builtin_rules"}, serve: (*Server).analyze},
	{method: "POST", path: "/api/v1/compare", query: []string{"output", "no_builtin_rules"}, serve: (*Server).compare},
	{method: "GET", path: "/api/v1/rules", query: []string{"output", "class", "pack", "status"}, serve: (*Server).listRules},
	{method: "GET", path: "/api/v1/rules/{id}", query: []string{"output"}, serve: (*Server).showRule},
	{method: "POST", path: "/api/v1/rules/lint", serve: (*Server).lint},
	{method: "POST", path: "/api/v1/page/{call}", serve: (*Server).call},
	{method: "GET", path: "/api/v1/openapi.json", open: true, serve: document("application/json", func() ([]byte, error) { return openAPI, nil })},
	{method: "GET", path: "/api/v1/report.schema.json", open: true, serve: schema("report.schema.json")},
	{method: "GET", path: "/api/v1/compare.schema.json", open: true, serve: schema("compare.schema.json")},
	{method: "GET", path: "/healthz", open: true, serve: document("text/plain; charset=utf-8", func() ([]byte, error) { return []byte("ok\n"), nil })},
	{method: "GET", path: "/metrics", serve: (*Server).showMetrics},
}

// document serves what is always the same.
func document(kind string, text func() ([]byte, error)) func(*Server, http.ResponseWriter, *http.Request) error {
	return func(_ *Server, w http.ResponseWriter, _ *http.Request) error {
		data, err := text()
		if err != nil {
			return err
		}
		w.Header().Set("Content-Type", kind)
		w.Header().Set("Cache-Control", "no-cache")
		_, err = w.Write(data)
		return err
	}
}

func schema(name string) func(*Server, http.ResponseWriter, *http.Request) error {
	return document("application/schema+json", func() ([]byte, error) { return docs.Schemas.ReadFile(name) })
}
