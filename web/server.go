package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net/http"
	"net/url"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"kdlocks/kd"
	"kdlocks/rules"
)

// Options say what to serve, and to whom. The zero value serves the API to this machine.
type Options struct {
	// Page has the page and its files, nil for none. A file may stand there packed, too,
	// as NAME.br and NAME.gz, or as NAME.gz alone.
	Page fs.FS
	// Rules are where the rules come from; nil, not empty, for those that kdlocks ships with. Today
	// returns the date as 2026-11-21, which ends suppressions; nil ends none.
	Rules []rules.Source
	Today func() string
	// Version is that of the program.
	Version string
	// Hosts are the names that the server is called by, beside the names of this
	// machine for itself and the addresses that it listens on.
	Hosts []string
	// Token, when not "", is what clients of the API must send.
	Token  string
	Limits Limits
	// TempDir is where temporary files go; "" is that of the system.
	TempDir string
	// Errors is told of panics and of trouble with connections, Access of each request:
	// method, route, code and time. Nil tells nobody.
	Errors, Access io.Writer
}

// Server answers requests. It is an http.Handler; Serve also bounds connections and
// watches over the memory.
type Server struct {
	opt    Options
	limits Limits

	mux      *http.ServeMux
	origins  *http.CrossOriginProtection
	hosts    hosts
	pages    *pages
	rules    *ruleBook
	store    *store
	large    *lane
	small    *lane
	guard    *guard
	metrics  counters
	buffers  sync.Pool
	stopping context.Context // done when running work must end
	stop     context.CancelFunc
}

// New returns a server. The error is that of rules with mistakes.
func New(opt Options) (*Server, error) {
	s := &Server{opt: opt, limits: opt.Limits, origins: http.NewCrossOriginProtection(), mux: http.NewServeMux()}
	s.limits.fill()
	for _, w := range []*io.Writer{&s.opt.Errors, &s.opt.Access} {
		if *w == nil {
			*w = io.Discard
		}
	}
	if opt.Rules == nil {
		s.opt.Rules = []rules.Source{rules.Builtin()}
	}
	s.rules = &ruleBook{sources: s.opt.Rules, today: opt.Today}
	if _, err := s.rules.set(); err != nil {
		return nil, err
	}
	s.pages = pagesOf(opt.Page)
	s.hosts = hostsOf(opt.Hosts)
	s.store = newStore(opt.TempDir, &s.limits)
	s.large, s.small = newLane(&s.limits), newLane(&s.limits)
	s.guard = newGuard(s.limits.Memory)
	s.buffers.New = func() any { b := make([]byte, 32<<10); return &b }
	s.stopping, s.stop = context.WithCancel(context.Background())
	s.handle()
	return s, nil
}

// Limits returns the limits that are in force.
func (s *Server) Limits() Limits { return s.limits }

// handle registers the routes.
func (s *Server) handle() {
	paths := make(map[string][]*route)
	for i := range routes {
		paths[routes[i].path] = append(paths[routes[i].path], &routes[i])
	}
	for path, rs := range paths {
		s.mux.Handle(path, s.path(rs))
	}
	s.mux.Handle("/api/", s.missing())
	s.mux.Handle("/", s.path([]*route{{method: http.MethodGet, path: "/", open: true, page: true, serve: (*Server).page}}))
}

// path serves the routes of one path.
func (s *Server) path(rs []*route) http.Handler {
	var allow []string
	for _, r := range rs {
		allow = append(allow, r.method)
		if r.method == http.MethodGet {
			allow = append(allow, http.MethodHead)
		}
	}
	slices.Sort(allow)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		visit(r).route = rs[0]
		for _, one := range rs {
			if one.method == r.Method || one.method == http.MethodGet && r.Method == http.MethodHead {
				visit(r).route = one
				s.serve(w, r, one)
				return
			}
		}
		trouble(http.StatusMethodNotAllowed, "method", "%s takes %s", rs[0].path, strings.Join(allow, ", ")).with("Allow", strings.Join(allow, ", ")).write(w)
	})
}

func (s *Server) missing() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		visit(r).route = &route{method: "any", path: "/api/"}
		trouble(http.StatusNotFound, "no-such-path", "there is nothing here; /api/v1/openapi.json tells what there is").write(w)
	})
}

// serve calls the handler of a route and tells what went wrong with it.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, to *route) {
	err := s.admit(r, to)
	if err == nil {
		err = to.serve(s, w, r)
	}
	if err == nil {
		return
	}
	p := s.problemOf(r.Context(), err)
	switch {
	case w.(*taker).code != 0:
		panic(http.ErrAbortHandler) // the answer has begun
	case p != nil:
		s.metrics.refuse(p.Code)
		p.write(w)
	case r.Context().Err() != nil:
		panic(http.ErrAbortHandler) // nobody is there
	default:
		panic(err)
	}
}

// admit checks the token and the names of parameters.
func (s *Server) admit(r *http.Request, to *route) error {
	if !to.open && !s.hasToken(r) {
		return trouble(http.StatusUnauthorized, "token", "this server asks for its token: Authorization: Bearer TOKEN").with("WWW-Authenticate", `Bearer realm="kdlocks"`)
	}
	if to.page {
		return nil
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return trouble(http.StatusBadRequest, "bad-parameter", "the parameters are not written as a query has them: %s", plain(err))
	}
	for key, values := range query {
		if !slices.Contains(to.query, key) || len(values) > 1 {
			known := "there are: " + strings.Join(to.query, ", ")
			if len(to.query) == 0 {
				known = "there are none"
			}
			return trouble(http.StatusBadRequest, "bad-parameter", "parameter %q is not known here, or comes twice; %s", clip(key), known)
		}
	}
	return nil
}

// visited is what the server keeps of a request while it lasts.
type visited struct{ route *route }

type visitKey struct{}

func visit(r *http.Request) *visited { return r.Context().Value(visitKey{}).(*visited) }

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	begin := time.Now()
	ctl := http.NewResponseController(rw)
	w := &taker{ResponseWriter: rw, ctl: ctl, stall: s.limits.Stall}
	v := &visited{}
	r = r.WithContext(context.WithValue(r.Context(), visitKey{}, v))
	_ = ctl.SetWriteDeadline(time.Time{}) // of the request before on this connection
	if r.Body != nil && r.Body != http.NoBody {
		body := &steady{body: http.MaxBytesReader(rw, r.Body, s.limits.Body), ctl: ctl, stall: s.limits.Stall, read: s.metrics.took}
		body.deadline(begin.Add(s.limits.Stall)) // also where nobody reads it
		r.Body = body
	}
	s.metrics.inFlight.Add(1)
	defer func() {
		again := s.recovered(recover(), w, v)
		s.metrics.inFlight.Add(-1)
		s.metrics.count(v.route, r.Method, w.code, time.Since(begin))
		s.access(v.route, r.Method, w.code, time.Since(begin))
		if again != nil {
			panic(again)
		}
	}()
	protect(w.Header())
	if p := s.foreign(r); p != nil {
		s.metrics.refuse(p.Code)
		p.write(w)
		return
	}
	if r.Method == http.MethodConnect {
		trouble(http.StatusMethodNotAllowed, "method", "this is no proxy").with("Allow", "GET, HEAD, POST").write(w)
		return
	}
	s.mux.ServeHTTP(w, r)
}

// foreign tells what comes from pages of others.
func (s *Server) foreign(r *http.Request) *problem {
	if !s.hosts.has(r.Host) {
		return trouble(http.StatusMisdirectedRequest, "host", "this server is not called %q; if it is, start it with --host NAME", clip(r.Host))
	}
	if s.origins.Check(r) != nil {
		return trouble(http.StatusForbidden, "cross-origin", "pages of other sites may not use this server")
	}
	return nil
}

// recovered makes an answer of a panic. It returns what must go on to the HTTP server,
// which then cuts the connection.
func (s *Server) recovered(p any, w *taker, v *visited) any {
	if p == nil || p == http.ErrAbortHandler {
		return p
	}
	where := "a request"
	if v.route != nil {
		where = v.route.method + " " + v.route.path
	}
	s.tell("panic in %s: %s", where, describe(p))
	if w.code != 0 {
		return http.ErrAbortHandler
	}
	trouble(http.StatusInternalServerError, "internal", "kdlocks has a mistake there: please report it, with what its standard error says").write(w)
	return nil
}

// describe says what a panic was, and where, without a word of the input.
func describe(p any) string {
	stack := debug.Stack()
	var elsewhere *kd.Panicked
	if err, ok := p.(error); ok && errors.As(err, &elsewhere) {
		p, stack = elsewhere.Value, elsewhere.Stack
	}
	what := fmt.Sprintf("%T", p)
	if err, ok := p.(runtime.Error); ok {
		what = err.Error()
	}
	return what + "\n" + string(stack)
}

func (s *Server) tell(format string, args ...any) {
	log.New(s.opt.Errors, "kdlocks: ", 0).Printf(format, args...)
}

func (s *Server) access(to *route, method string, code int, took time.Duration) {
	if s.opt.Access == io.Discard {
		return
	}
	path := "-"
	if to != nil {
		path = to.path
	}
	log.New(s.opt.Access, "", 0).Printf("%s %s %d %d ms", methodOf(method), path, code, took.Milliseconds())
}
