package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"

	"kdlocks/inspect"
	"kdlocks/kd"
	"kdlocks/open"
	"kdlocks/report"
	"kdlocks/rules"
)

// problem is what went wrong with a request, as RFC 9457 has it. Code is for programs,
// Detail what the command line says.
type problem struct {
	Title    string          `json:"title"`
	Status   int             `json:"status"`
	Code     string          `json:"code"`
	Detail   string          `json:"detail"`
	Commands []string        `json:"commands,omitempty"` // to type in the debugger
	Mistakes json.RawMessage `json:"mistakes,omitempty"` // in rule files, as lint has them

	header http.Header
}

func (p *problem) Error() string { return p.Detail }

func trouble(status int, code, format string, args ...any) *problem {
	return &problem{Title: http.StatusText(status), Status: status, Code: code, Detail: fmt.Sprintf(format, args...)}
}

// with adds a header to the answer.
func (p *problem) with(key, value string) *problem {
	if p.header == nil {
		p.header = http.Header{}
	}
	p.header.Set(key, value)
	return p
}

// busy turns a client away for a while.
func busy(code, format string, args ...any) *problem {
	return trouble(http.StatusServiceUnavailable, code, format, args...).with("Retry-After", strconv.Itoa(retryAfter))
}

// Why the work for a request was ended, beside errMemory.
var (
	errTime = errors.New("too much time")
	errStop = errors.New("the server stops")
)

// problemOf says what an error means to a client; nil where nobody is there to hear it.
func (s *Server) problemOf(ctx context.Context, err error) *problem {
	l := &s.limits
	var p *problem
	var big *http.MaxBytesError
	cause := context.Cause(ctx)
	switch {
	case errors.As(err, &p):
		return p
	case errors.Is(err, errMemory) || errors.Is(cause, errMemory):
		return trouble(http.StatusRequestEntityTooLarge, "memory", "the analysis needs more memory than this server may take (--max-memory %s); run kdlocks on the file itself", size(l.Memory))
	case errors.Is(err, errTime) || errors.Is(cause, errTime):
		return trouble(http.StatusServiceUnavailable, "time", "the analysis took more than %s (--timeout)", l.Time)
	case errors.Is(err, errStop) || errors.Is(cause, errStop):
		return busy("stopping", "the server is stopping")
	case errors.Is(err, os.ErrDeadlineExceeded):
		return trouble(http.StatusRequestTimeout, "stalled", "the request came too slowly: at least %s each %s are expected", size(LeastBytes), l.Stall).with("Connection", "close")
	case ctx.Err() != nil:
		return nil
	case errors.As(err, &big):
		return trouble(http.StatusRequestEntityTooLarge, "body-too-large", "the request has more than %s (--max-body); kdlocks FILE reads larger ones on the machine itself", size(big.Limit)).with("Connection", "close")
	case errors.Is(err, errTooBig):
		return trouble(http.StatusRequestEntityTooLarge, "answer-too-large", "the answer has more than %s; another output, such as markdown, is shorter", size(l.Answer))
	case errors.Is(err, open.ErrLimit):
		return trouble(http.StatusRequestEntityTooLarge, "unpacked-too-large", "%s", plain(err))
	case errors.Is(err, errNoRoom):
		return busy("no-room", "there is no room for more requests just now")
	case errors.Is(err, errBusy):
		return busy("busy", "%d analyses run and others wait; try again later", l.Jobs)
	case errors.Is(err, inspect.ErrNothing):
		p = trouble(http.StatusUnprocessableEntity, "nothing-recognised", "%s", plain(err))
		p.Commands = inspect.Advice(err).Commands
		return p
	case errors.Is(err, inspect.ErrNotText):
		p = trouble(http.StatusUnprocessableEntity, "not-text", "%s", plain(err))
		p.Commands = inspect.Advice(err).Commands
		return p
	case rules.ProblemsOf(err) != nil:
		p = trouble(http.StatusUnprocessableEntity, "rule-mistakes", "%s", plain(err))
		p.Mistakes = mistakes(rules.ProblemsOf(err))
		return p
	}
	return nil
}

// plain is an error as the command line prints it.
func plain(err error) string { return kd.PlainLines(err.Error()) }

func mistakes(ps rules.Problems) json.RawMessage {
	var b strings.Builder
	_ = report.WriteProblems(&b, ps) // a Builder takes all
	return json.RawMessage(b.String())
}

// write sends the problem.
func (p *problem) write(w http.ResponseWriter) {
	body, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		panic(err) // its fields have a form in JSON
	}
	for key := range p.header {
		w.Header().Set(key, p.header.Get(key))
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)+1))
	w.WriteHeader(p.Status)
	w.Write(append(body, '\n')) // who has gone does not read it
}
