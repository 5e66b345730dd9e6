package engine

import (
	"context"
	"fmt"
	"io"

	"kdlocks/inspect"
	"kdlocks/redact"
)

// Redacted is the answer to redact: the inputs under names that tell nothing. Their
// texts are asked for one by one.
type Redacted struct {
	Inputs  []string       `json:"inputs"`
	Summary redact.Summary `json:"summary"`
}

// redact learns the names and addresses of inputs and finds pseudonyms for them. It
// does not touch the case.
func (e *Engine) redact(ctx context.Context, _ struct{}, given []inspect.Input, w io.Writer) error {
	e.forgetRedacted()
	files, err := e.open(ctx, given)
	if err != nil {
		files.Close()
		return err // what is missing would lack its names in the others
	}
	r := redact.New(redact.Options{})
	if err := r.Learn(ctx, files.Inputs); err != nil {
		files.Close()
		return err
	}
	e.redactor, e.original = r, files
	out := Redacted{Inputs: []string{}}
	for _, in := range files.Inputs {
		if err := r.Write(ctx, io.Discard, in); err != nil { // which counts
			return err
		}
		out.Inputs = append(out.Inputs, r.Text(in.Name))
	}
	out.Summary = r.Summary()
	return answer(w, out)
}

// redacted writes one of the inputs with pseudonyms.
func (e *Engine) redacted(ctx context.Context, args linesArgs, given []inspect.Input, w io.Writer) error {
	if e.redactor == nil {
		if err := e.redact(ctx, struct{}{}, given, io.Discard); err != nil {
			return err
		}
	}
	if args.Input < 0 || args.Input >= len(e.original.Inputs) {
		return fmt.Errorf("%w: there is no input %d", ErrArgs, args.Input)
	}
	return e.redactor.Write(ctx, w, e.original.Inputs[args.Input])
}

func (e *Engine) forgetRedacted() {
	if e.original != nil {
		e.original.Close()
	}
	e.redactor, e.original = nil, nil
}
