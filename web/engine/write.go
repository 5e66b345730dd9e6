package engine

import (
	"context"
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
	"sarif": report.WriteSARIF,
}

type writeArgs struct {
	Format  string `json:"format"`
	Trouble string `json:"trouble"` // what of the input could not be read
}

// write writes the whole report as a document.
func (e *Engine) write(_ context.Context, args writeArgs, _ []inspect.Input, w io.Writer) error {
	write := writers[args.Format]
	if write == nil {
		return noFormat(args.Format, writers)
	}
	return write(w, e.report, report.Style{Version: e.opt.Version, Trouble: args.Trouble})
}

// noFormat tells of a format that none of some writers has.
func noFormat[W any](format string, writers map[string]W) error {
	return fmt.Errorf("%w: format %q is not one of %s", ErrArgs, format, strings.Join(slices.Sorted(maps.Keys(writers)), ", "))
}
