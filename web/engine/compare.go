package engine

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"kdlocks/inspect"
	"kdlocks/kd"
	"kdlocks/open"
	"kdlocks/report"
	"kdlocks/rules"
)

type compareArgs struct {
	RuleArgs
	// Captures are the names of the captures and how many of the inputs, in their
	// order, are of each.
	Captures []struct {
		Name   string `json:"name"`
		Inputs int    `json:"inputs"`
	} `json:"captures"`
	// Format is "" for Compared; json and markdown are what the command line prints.
	Format string `json:"format"`
}

// Compared is the answer to compare. Without a comparison nothing was recognised.
type Compared struct {
	Comparison json.RawMessage `json:"comparison,omitempty"`
	Trouble    string          `json:"trouble,omitempty"`
	Left       []string        `json:"left_out,omitempty"`
	Mistakes   json.RawMessage `json:"rule_mistakes,omitempty"`
}

// compareWriters are the documents that the page lets people take along.
var compareWriters = map[string]report.ComparisonWriter{
	"json": report.WriteComparisonJSON, "markdown": report.WriteComparisonMarkdown,
}

// compare holds captures against each other. It does not touch the case.
func (e *Engine) compare(ctx context.Context, args compareArgs, given []inspect.Input, w io.Writer) error {
	write, known := compareWriters[args.Format]
	if !known && args.Format != "" {
		return noFormat(args.Format, compareWriters)
	}
	cases, err := args.cases(given)
	if err != nil {
		return err
	}
	var out Compared
	set, mistakes, err := e.rulesOrOthers(args.RuleArgs)
	if err != nil {
		return err
	}
	out.Mistakes = mistakes
	c, err := e.compared(ctx, set, cases, &out)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case c != nil && write != nil:
		return write(w, c, report.Style{Version: e.opt.Version})
	case write != nil:
		return err
	case err != nil:
		out.Trouble = kd.PlainLines(err.Error())
	}
	if c != nil {
		var b bytes.Buffer
		if err := report.WriteComparisonJSON(&b, c, report.Style{Version: e.opt.Version}); err != nil {
			return err
		}
		out.Comparison = b.Bytes()
	}
	return answer(w, out)
}

// cases shares inputs out to the captures.
func (a *compareArgs) cases(given []inspect.Input) ([]inspect.Case, error) {
	var out []inspect.Case
	for _, c := range a.Captures {
		if c.Inputs < 0 || c.Inputs > len(given) {
			return nil, fmt.Errorf("%w: fewer inputs than the captures have", ErrArgs)
		}
		out = append(out, inspect.Case{Name: c.Name, Inputs: given[:c.Inputs:c.Inputs]})
		given = given[c.Inputs:]
	}
	return out, nil
}

// compared opens and compares; it says in out what was left out.
func (e *Engine) compared(ctx context.Context, set *rules.Set, given []inspect.Case, out *Compared) (*report.Comparison, error) {
	cases, files, openErr := open.Cases(ctx, given, e.unpacking())
	defer files.Close()
	out.Left = files.Notes
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case len(cases) == 0:
		return nil, cmp.Or(openErr, inspect.ErrNothing)
	}
	c, err := inspect.Compare(ctx, cases, inspect.Options{Progress: e.progress("reading"), Rules: inspect.These(set)})
	if c != nil && len(c.Captures) < 2 {
		err = errors.Join(err, inspect.ErrNoPair)
	}
	return c, errors.Join(openErr, err)
}
