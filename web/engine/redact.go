package engine

import (
	"context"
	"fmt"
	"io"
	"slices"

	"kdlocks/inspect"
	"kdlocks/redact"
)

// Redacted is the answer to redact: the inputs under names that tell nothing. Their
// texts are asked for one by one.
type Redacted struct {
	Inputs  []string       `json:"inputs"`
	Summary redact.Summary `json:"summary"`
}

// redactArgs are the arguments of redact.
type redactArgs struct {
	// Keep are words that stay, as redact --keep has them: what rules of one's own look for,
	// say, which are replaced like all others.
	Keep []string `json:"keep"`
}

// redactedArgs are the arguments of redacted. Keep is that of redact: with other words,
// the inputs are learned anew.
type redactedArgs struct {
	redactArgs
	Input int `json:"input"`
}

// redact learns the names and addresses of inputs and finds pseudonyms for them. It
// does not touch the case.
func (e *Engine) redact(ctx context.Context, args redactArgs, given []inspect.Input, w io.Writer) error {
	e.forgetRedacted()
	files, err := e.open(ctx, given)
	if err != nil {
		files.Close()
		return err // what is missing would lack its names in the others
	}
	if files.Inputs, err = inspect.Texts(ctx, files.Inputs, inspect.Options{}); err != nil {
		files.Close()
		return err
	}
	told := &parts{tell: e.progress("redacting")}
	for _, in := range files.Inputs {
		told.total += in.Size
	}
	r := redact.New(redact.Options{Keep: args.Keep, Progress: told.progress})
	told.next(told.total / 4 * 3) // it reads three times, and each input is then written once
	if err := r.Learn(ctx, files.Inputs); err != nil {
		files.Close()
		return err
	}
	out := Redacted{Inputs: []string{}}
	for _, in := range files.Inputs {
		told.next(in.Size / 4)
		if err := r.Write(ctx, io.Discard, in); err != nil { // which counts
			files.Close()
			return err
		}
		out.Inputs = append(out.Inputs, r.Text(in.Name))
	}
	e.redactor, e.original, e.redacting = r, files, told
	out.Summary = r.Summary()
	return answer(w, out)
}

// redacted writes one of the inputs with pseudonyms.
func (e *Engine) redacted(ctx context.Context, args redactedArgs, given []inspect.Input, w io.Writer) error {
	if e.redactor == nil || !slices.Equal(e.redactor.Kept(), args.Keep) {
		if err := e.redact(ctx, args.redactArgs, given, io.Discard); err != nil {
			return err
		}
	}
	if args.Input < 0 || args.Input >= len(e.original.Inputs) {
		return fmt.Errorf("%w: there is no input %d", ErrArgs, args.Input)
	}
	in := e.original.Inputs[args.Input]
	*e.redacting = parts{tell: e.redacting.tell, total: in.Size, part: in.Size}
	return e.redactor.Write(ctx, w, in)
}

// parts make one progress of those of several steps.
type parts struct {
	tell                func(done, total int64) // nil to tell nobody
	total, before, part int64
}

// next begins the next step, which is worth so many bytes of the total.
func (p *parts) next(part int64) { p.before, p.part = p.before+p.part, part }

func (p *parts) progress(done, total int64) {
	if p.tell != nil && total > 0 {
		p.tell(p.before+int64(float64(p.part)*float64(done)/float64(total)), p.total)
	}
}

func (e *Engine) forgetRedacted() {
	if e.original != nil {
		e.original.Close()
	}
	e.redactor, e.original, e.redacting = nil, nil, nil
}
