package web

import (
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// format is a form of an answer.
type format struct {
	name, kind string
	attach     string // the file name that a browser should save it under, "" to show it
}

// formats are the outputs in the order in which Accept is held against them.
var formats = []format{
	{"json", "application/json", ""},
	{"markdown", "text/markdown; charset=utf-8", ""},
	{"table", "text/plain; charset=utf-8", ""},
	{"html", "text/html; charset=utf-8", "kdlocks.html"},
	{"svg", "image/svg+xml", "kdlocks.svg"},
	{"dot", "text/vnd.graphviz; charset=utf-8", "kdlocks.dot"},
	{"sarif", "application/sarif+json", "kdlocks.sarif"},
}

// formatOf chooses the output: what the parameter says, else a part of the form,
// else Accept.
func formatOf(r *http.Request, part string, allowed []string) (format, error) {
	name := r.URL.Query().Get("output")
	if name == "" {
		name = part
	}
	for _, f := range formats {
		if f.name == name && slices.Contains(allowed, name) {
			return f, nil
		}
	}
	if name != "" {
		return format{}, trouble(http.StatusBadRequest, "bad-parameter", "output %q is not one of %s", clip(name), strings.Join(allowed, ", "))
	}
	return accepted(r.Header.Values("Accept"), allowed)
}

// accepted chooses the output that a client likes best, of equal ones the first.
func accepted(accept, allowed []string) (format, error) {
	if len(accept) == 0 {
		return formats[0], nil
	}
	var best format
	bestQ := 0.0
	for _, f := range formats {
		if q := quality(accept, f.kind); slices.Contains(allowed, f.name) && q > bestQ {
			best, bestQ = f, q
		}
	}
	if bestQ == 0 {
		return best, trouble(http.StatusNotAcceptable, "not-acceptable", "Accept names none of the outputs: %s", strings.Join(allowed, ", "))
	}
	return best, nil
}

// quality is how much a client likes a type: the most exact range that it names counts.
func quality(accept []string, kind string) float64 {
	kind, _, _ = strings.Cut(kind, ";")
	major, _, _ := strings.Cut(kind, "/")
	q, exact := 0.0, -1
	for item := range strings.SplitSeq(strings.Join(accept, ","), ",") {
		name, params, err := mime.ParseMediaType(item)
		if err != nil {
			continue
		}
		how := slices.Index([]string{"*/*", major + "/*", kind}, name)
		if how <= exact {
			continue
		}
		exact, q = how, 1
		if v, err := strconv.ParseFloat(params["q"], 64); err == nil {
			q = v
		}
	}
	return q
}
