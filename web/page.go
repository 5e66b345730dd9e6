package web

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"kdlocks/inspect"
	"kdlocks/rules"
	"kdlocks/web/engine"
)

// call answers what the page asks where it has no engine in the browser. Each call
// brings its files: nothing is kept from one to the next.
func (s *Server) call(w http.ResponseWriter, r *http.Request) error {
	f, err := s.read(r, parts{files: []string{"file"}, args: []string{"args", "analyze"}})
	if err != nil {
		return err
	}
	defer f.close()
	set, err := s.rules.set()
	if err != nil {
		return err
	}
	given := f.inputs("file")
	var x work
	x.weigh(given)
	x.run = func(ctx context.Context, j *job, to io.Writer) (told, error) {
		return s.answerCall(ctx, j, r.PathValue("call"), f, given, set, to)
	}
	return s.do(w, r, x, f.close)
}

func (s *Server) answerCall(ctx context.Context, j *job, name string, f *form, given []inspect.Input, set *rules.Set, to io.Writer) (told, error) {
	args, err := f.arguments("args")
	if err != nil {
		return told{}, err
	}
	before, err := f.arguments("analyze")
	if err != nil {
		return told{}, err
	}
	opt := engine.Options{
		MaxSize: s.limits.Unpacked, Memory: unpackMemory, TempDir: s.opt.TempDir,
		Today: s.rules.date(), Version: s.opt.Version, Rules: s.opt.Rules, Loaded: set,
		Progress: func(_ string, done, total int64) { s.guard.weighs(j, max(done, total)) },
	}
	return told{kind: kindOfCall(name, args)}, callError(engine.Once(ctx, opt, name, args, before, given, to))
}

// arguments is a part of JSON, nil if there is none.
func (f *form) arguments(name string) (json.RawMessage, error) {
	p, ok := f.args[name]
	if !ok {
		return nil, nil
	}
	data, err := f.bytes(p, mostArguments)
	if err == nil && !json.Valid(data) {
		err = trouble(http.StatusBadRequest, "bad-arguments", "part %q is no JSON", name)
	}
	return data, err
}

// kindOfCall is the type of the answer: that of documents and texts is one that no
// browser would run.
func kindOfCall(name string, args json.RawMessage) string {
	var a struct {
		Format string
		Source bool
	}
	_ = json.Unmarshal(args, &a) // what does not fit is told by the engine
	isText := name == "redacted" || name == "rules" && a.Source || (name == "write" || name == "compare") && a.Format != "" && a.Format != "json"
	if isText {
		return "text/plain; charset=utf-8"
	}
	return "application/json"
}

// callError says what an error of the engine means.
func callError(err error) error {
	switch {
	case err == nil, isOurs(err):
		return err
	case errors.Is(err, engine.ErrCall):
		return trouble(http.StatusNotFound, "no-such-call", "%s", plain(err))
	case errors.Is(err, engine.ErrNoCase):
		return trouble(http.StatusConflict, "no-case", "nothing was recognised that could be asked about")
	case errors.Is(err, engine.ErrArgs):
		return trouble(http.StatusBadRequest, "bad-arguments", "%s", plain(err))
	}
	return trouble(http.StatusUnprocessableEntity, "call-failed", "%s", plain(err))
}
