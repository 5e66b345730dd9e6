package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"kdlocks/inspect"
	"kdlocks/open"
	"kdlocks/redact"
	"kdlocks/report"
	"kdlocks/rules"
)

// Options say how to answer. The zero value is good.
type Options struct {
	// MaxSize bounds the bytes that are unpacked; 0 is 1 GiB. Memory of them are kept in
	// memory, 0 for all, and the others in a temporary file in TempDir.
	MaxSize, Memory int64
	TempDir         string
	// Today is the date as 2026-11-21, which ends suppressions of rules; "" ends none.
	Today string
	// Version is that of the program.
	Version string
	// Rules are where the rules come from that are asked beside the user's own; nil,
	// not empty, for those that kdlocks ships with. Loaded is what they hold, nil to
	// load them when needed.
	Rules  []rules.Source
	Loaded *rules.Set
	// Progress, when not nil, is called while inputs are read: what is done, bytes so
	// far and in all; all is 0 while something is unpacked.
	Progress func(stage string, done, total int64)
}

const defaultMaxSize = 1 << 30

// Engine holds one case.
type Engine struct {
	opt    Options
	files  *open.Set
	report *report.Report
	lists  []report.Table
	tables map[string]*rows
	set    *rules.Set
	own    string // the rules that set was loaded with

	redactor *redact.Redactor
	original *open.Set // what the redactor learned from
	// redacting is what the redactor tells of its progress.
	redacting *parts
}

// New returns an engine without a case.
func New(opt Options) *Engine {
	if opt.MaxSize == 0 {
		opt.MaxSize = defaultMaxSize
	}
	if opt.Memory == 0 {
		opt.Memory = opt.MaxSize
	}
	if opt.Rules == nil {
		opt.Rules = []rules.Source{rules.Builtin()}
	}
	return &Engine{opt: opt}
}

// calls are what can be asked for. Those of which fresh is set need no case.
var calls = map[string]struct {
	fresh  bool
	answer func(*Engine, context.Context, json.RawMessage, []inspect.Input, io.Writer) error
}{
	"analyze":  {true, call((*Engine).analyze)},
	"compare":  {true, call((*Engine).compare)},
	"lint":     {true, call((*Engine).lint)},
	"rules":    {true, call((*Engine).rules)},
	"explain":  {true, call((*Engine).explain)},
	"skeleton": {true, call((*Engine).skeleton)},
	"redact":   {true, call((*Engine).redact)},
	"redacted": {true, call((*Engine).redacted)},
	"lines":    {false, call((*Engine).lines)},
	"line":     {false, call((*Engine).line)},
	"find":     {false, call((*Engine).find)},
	"rows":     {false, call((*Engine).rows)},
	"thread":   {false, call((*Engine).thread)},
	"resolve":  {false, call((*Engine).resolve)},
	"write":    {false, call((*Engine).write)},
}

// call makes an entry of calls of a method with arguments of its own type.
func call[A any](f func(*Engine, context.Context, A, []inspect.Input, io.Writer) error) func(*Engine, context.Context, json.RawMessage, []inspect.Input, io.Writer) error {
	return func(e *Engine, ctx context.Context, raw json.RawMessage, given []inspect.Input, w io.Writer) error {
		var args A
		if len(raw) > 0 {
			if err := json.Unmarshal(raw, &args); err != nil {
				return fmt.Errorf("%w: %w", ErrArgs, err)
			}
		}
		return f(e, ctx, args, given, w)
	}
}

// ErrCall is wrapped by the error of a call that there is none of, ErrArgs by that of
// arguments that do not fit, ErrNoCase by that of a call before anything was analysed.
var (
	ErrCall   = errors.New("no such call")
	ErrArgs   = errors.New("arguments do not fit")
	ErrNoCase = errors.New("nothing was analysed yet")
)

// Calls returns the names of what can be asked for, sorted.
func Calls() []string { return slices.Sorted(maps.Keys(calls)) }

// Fresh returns those that need no case.
func Fresh() []string { return slices.DeleteFunc(Calls(), NeedsCase) }

// Call answers one call: arguments are JSON, the answer is JSON but for documents.
// Given are the inputs of calls that need some.
func (e *Engine) Call(ctx context.Context, name string, args json.RawMessage, given []inspect.Input, w io.Writer) error {
	c, known := calls[name]
	switch {
	case !known:
		return fmt.Errorf("%w: %q", ErrCall, name)
	case !c.fresh && e.report == nil:
		return ErrNoCase
	}
	return c.answer(e, ctx, args, given, w)
}

// NeedsCase reports whether a call is about what was analysed before.
func NeedsCase(name string) bool { c, known := calls[name]; return known && !c.fresh }

// Close lets the case go.
func (e *Engine) Close() error {
	e.forgetRedacted()
	e.report, e.lists, e.tables = nil, nil, nil
	if e.files == nil {
		return nil
	}
	files := e.files
	e.files = nil
	return files.Close()
}

func (e *Engine) progress(stage string) func(done, total int64) {
	if e.opt.Progress == nil {
		return nil
	}
	return func(done, total int64) { e.opt.Progress(stage, done, total) }
}

// open unpacks what is packed.
func (e *Engine) open(ctx context.Context, given []inspect.Input) (*open.Set, error) {
	return open.Given(ctx, given, e.unpacking())
}

// unpacking bounds what is unpacked, and tells of it.
func (e *Engine) unpacking() open.Options {
	opt := open.Options{MaxSize: e.opt.MaxSize, Memory: e.opt.Memory, TempDir: e.opt.TempDir}
	if e.opt.Progress != nil {
		opt.Progress = func(_ string, done int64) { e.opt.Progress("unpacking", done, 0) }
	}
	return opt
}

// answer writes a value as JSON.
func answer(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// Once answers one call by itself: for a call about a case the inputs are analysed
// first, with arguments of their own.
func Once(ctx context.Context, opt Options, name string, args, analyze json.RawMessage, given []inspect.Input, w io.Writer) error {
	e := New(opt)
	defer e.Close()
	if NeedsCase(name) {
		if err := e.Call(ctx, "analyze", analyze, given, io.Discard); err != nil {
			return err
		}
		given = nil
	}
	return e.Call(ctx, name, args, given, w)
}
