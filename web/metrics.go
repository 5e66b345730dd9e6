package web

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// counters count what happens, and know nothing of what is in it.
type counters struct {
	inFlight atomic.Int64
	running  atomic.Int64
	bytes    atomic.Int64 // of bodies

	mu      sync.Mutex
	answers map[answered]*timing
	refused map[string]int64 // by the code of the problem
}

type answered struct {
	method, route string
	code          int
}

type timing struct {
	count   int64
	seconds float64
}

func (m *counters) took(n int) { m.bytes.Add(int64(n)) }

// count counts a request that was answered; code 0 is one that nobody waited for.
func (m *counters) count(to *route, method string, code int, took time.Duration) {
	k := answered{method: methodOf(method), route: "none", code: code}
	if to != nil {
		k.route = to.path
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.answers == nil {
		m.answers = make(map[answered]*timing)
	}
	t := m.answers[k]
	if t == nil {
		t = &timing{}
		m.answers[k] = t
	}
	t.count++
	t.seconds += took.Seconds()
}

// methodOf keeps clients from making names up.
func methodOf(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost:
		return method
	}
	return "other"
}

func (m *counters) refuse(code string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.refused == nil {
		m.refused = make(map[string]int64)
	}
	m.refused[code]++
}

// showMetrics writes the counters in the text format of Prometheus.
func (s *Server) showMetrics(w http.ResponseWriter, _ *http.Request) error {
	var b strings.Builder
	family := func(name, kind, help string) { fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind) }
	gauge := func(name, help string, value int64) {
		family(name, "gauge", help)
		fmt.Fprintf(&b, "%s %d\n", name, value)
	}
	m := &s.metrics
	m.mu.Lock()
	keys := slices.SortedFunc(maps.Keys(m.answers), func(a, b answered) int {
		return cmp.Or(cmp.Compare(a.route, b.route), cmp.Compare(a.method, b.method), cmp.Compare(a.code, b.code))
	})
	family("kdlocks_requests_total", "counter", "Requests by route and code; code 0 had nobody who waited for the answer.")
	for _, k := range keys {
		fmt.Fprintf(&b, "kdlocks_requests_total{route=%q,method=%q,code=\"%d\"} %d\n", k.route, k.method, k.code, m.answers[k].count)
	}
	family("kdlocks_request_seconds_total", "counter", "Time of requests from header to answer, by route and code.")
	for _, k := range keys {
		fmt.Fprintf(&b, "kdlocks_request_seconds_total{route=%q,method=%q,code=\"%d\"} %.6f\n", k.route, k.method, k.code, m.answers[k].seconds)
	}
	family("kdlocks_refused_total", "counter", "Requests that were not served, by the code of the problem.")
	for _, code := range slices.Sorted(maps.Keys(m.refused)) {
		fmt.Fprintf(&b, "kdlocks_refused_total{code=%q} %d\n", code, m.refused[code])
	}
	m.mu.Unlock()
	family("kdlocks_body_bytes_total", "counter", "Bytes of bodies that were read.")
	fmt.Fprintf(&b, "kdlocks_body_bytes_total %d\n", m.bytes.Load())
	gauge("kdlocks_requests_in_flight", "Requests that are being answered.", m.inFlight.Load())
	gauge("kdlocks_analyses_running", "Analyses that run.", m.running.Load())
	gauge("kdlocks_analyses_queued", "Requests that wait for their turn.", s.large.waiting.Load()+s.small.waiting.Load())
	gauge("kdlocks_memory_bytes", "What the process has of the system.", s.guard.used())
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, err := w.Write([]byte(b.String()))
	return err
}
