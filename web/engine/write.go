package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"kdlocks/inspect"
	"kdlocks/report"
)

// writers are the documents that the page lets people take along.
var writers = map[string]report.Writer{
	"json": report.WriteJSON, "markdown": report.WriteMarkdown, "html": report.WriteHTML, "svg": report.WriteSVG,
	"sarif": report.WriteSARIF, "dot": report.WriteDOT,
}

type writeArgs struct {
	Format  string `json:"format"`
	Trouble string `json:"trouble"` // what of the input could not be read
}

// write writes the whole report as a document.
func (e *Engine) write(_ context.Context, args writeArgs, _ []inspect.Input, w io.Writer) error {
	write := writers[args.Format]
	if write == nil {
		return fmt.Errorf("%w: format %q is not one of %s", ErrArgs, args.Format, strings.Join(slices.Sorted(maps.Keys(writers)), ", "))
	}
	return write(w, e.report, report.Style{Version: e.opt.Version, Trouble: args.Trouble})
}

type compareArgs struct {
	RuleArgs
	// Captures are the names of the captures and how many of the inputs, in their
	// order, are of each.
	Captures []struct {
		Name   string `json:"name"`
		Inputs int    `json:"inputs"`
	} `json:"captures"`
	Format string `json:"format"` // json, the default, or markdown
}

// Compared is the answer to compare. Without a comparison nothing was recognised.
type Compared struct {
	Comparison json.RawMessage `json:"comparison,omitempty"`
	Trouble    string          `json:"trouble,omitempty"`
	Left       []string        `json:"left_out,omitempty"`
	Mistakes   json.RawMessage `json:"rule_mistakes,omitempty"`
}

// compare holds captures against each other. It does not touch the case.
func (e *Engine) compare(ctx context.Context, args compareArgs, given []inspect.Input, w io.Writer) error {
	var out Compared
	set, mistakes, err := e.rulesOrBuiltin(args.RuleArgs)
	if err != nil {
		return err
	}
	out.Mistakes = mistakes
	var cases []inspect.Case
	var errs []string
	for _, c := range args.Captures {
		if c.Inputs < 0 || c.Inputs > len(given) {
			return fmt.Errorf("%w: fewer inputs than the captures have", ErrArgs)
		}
		files, err := e.open(ctx, given[:c.Inputs])
		given = given[c.Inputs:]
		defer files.Close()
		if err != nil {
			errs = append(errs, err.Error())
		}
		out.Left = append(out.Left, files.Notes...)
		if len(files.Inputs) > 0 {
			cases = append(cases, inspect.Case{Name: c.Name, Inputs: files.Inputs})
		}
	}
	cmp, err := inspect.Compare(ctx, cases, inspect.Options{Progress: e.progress("reading"), Rules: inspect.These(set)})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		errs = append(errs, err.Error())
	}
	if cmp != nil && args.Format == "markdown" {
		return report.WriteComparisonMarkdown(w, cmp, report.Style{})
	}
	if cmp != nil {
		var b bytes.Buffer
		if err := report.WriteComparisonJSON(&b, cmp, report.Style{}); err != nil {
			return err
		}
		out.Comparison = b.Bytes()
		if len(cmp.Captures) < 2 {
			errs = append(errs, inspect.ErrNoPair.Error())
		}
	}
	out.Trouble = report.Plain(strings.Join(errs, "\n"))
	return answer(w, out)
}
