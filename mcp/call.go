package mcp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"kdlocks/kd"
)

// answer is what a tool says: value goes out as structured content, text for
// clients that show only that.
type answer struct {
	value any
	text  string // "" stands for value as JSON
}

// tool is a tool of arguments In and results Out.
type tool[In, Out any] struct {
	name, title, description string
	// schema completes the schema that is read off In.
	schema func(*jsonschema.Schema)
	run    func(ctx context.Context, in *In) (*answer, error)
}

// addTool offers a tool. All of them read only.
func addTool[In, Out any](s *server, to *sdk.Server, t tool[In, Out]) {
	in, out := schemaOf[In](), schemaOf[Out]()
	withoutNull(in)
	if t.schema != nil {
		t.schema(in)
	}
	no := false
	to.AddTool(&sdk.Tool{
		Name: t.name, Title: t.title, Description: t.description, InputSchema: in, OutputSchema: out,
		Annotations: &sdk.ToolAnnotations{Title: t.title, ReadOnlyHint: true, IdempotentHint: true, DestructiveHint: &no, OpenWorldHint: &no},
	}, func(ctx context.Context, req *sdk.CallToolRequest) (res *sdk.CallToolResult, _ error) {
		defer func() {
			if p := recover(); p != nil {
				fmt.Fprintf(s.Log, "kdlocks: %s: internal error\n%s", t.name, debug.Stack())
				res = failed(errors.New("internal error: this call cannot be answered"))
			}
		}()
		ctx, done := s.limited(ctx)
		defer done()
		var args In
		if err := decode(req.Params.Arguments, &args); err != nil {
			return failed(fmt.Errorf("arguments of %s: %w", t.name, err)), nil
		}
		a, err := t.run(withProgress(ctx, req), &args)
		if ctx.Err() != nil {
			err = s.ended(ctx)
		}
		if err != nil {
			return failed(err), nil
		}
		return a.result()
	})
}

// limited returns the context of one call, which the end of the server ends, too.
func (s *server) limited(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(s.ctx, cancel)
	limited, cancelLimit := context.WithTimeout(ctx, s.TimeLimit)
	return limited, func() { cancelLimit(); stop(); cancel() }
}

// turn waits until one of the few analyses that run at once may begin; done ends it.
func (s *server) turn(ctx context.Context) (done func(), err error) {
	select {
	case s.slots <- struct{}{}:
		return func() { <-s.slots }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// ended says why a call was ended.
func (s *server) ended(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("not finished within the time limit of %s: pass less, or have kdlocks mcp started with a longer --time-limit", s.TimeLimit)
	}
	return errors.New("cancelled")
}

// decode reads arguments. A key that the tool does not know is an error: it would
// be ignored, and the assistant believe that it was heeded.
func decode(raw json.RawMessage, into any) error {
	if len(raw) == 0 || string(raw) == "null" {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	var wrong *json.UnmarshalTypeError
	switch {
	case errors.As(err, &wrong) && wrong.Field == "":
		return fmt.Errorf("an object is wanted, not %s", wrong.Value)
	case errors.As(err, &wrong):
		field := strings.TrimPrefix(strings.TrimPrefix(wrong.Field, "Input."), "Output.") // which are in the arguments themselves
		return fmt.Errorf("%s does not take %s", field, wrong.Value)
	case err != nil:
		return errors.New(strings.TrimPrefix(err.Error(), "json: "))
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("more than one object")
	}
	return nil
}

// result makes the result of an answer.
func (a *answer) result() (*sdk.CallToolResult, error) {
	value, err := marshal(a.value)
	if err != nil {
		return nil, err
	}
	text := a.text
	if text == "" {
		text = string(value)
	}
	return &sdk.CallToolResult{Content: []sdk.Content{&sdk.TextContent{Text: text}}, StructuredContent: json.RawMessage(value)}, nil
}

// failed makes the result of a call that failed: the assistant reads why. Names
// from an input are made harmless.
func failed(err error) *sdk.CallToolResult {
	return &sdk.CallToolResult{IsError: true, Content: []sdk.Content{&sdk.TextContent{Text: clip(kd.PlainLines(err.Error()), mostError)}}}
}

// mostError bounds the text of an error in characters.
const mostError = 20_000

// marshal writes JSON in which no control character stands for itself.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return escapeControls(bytes.TrimSuffix(b.Bytes(), []byte("\n"))), nil
}
