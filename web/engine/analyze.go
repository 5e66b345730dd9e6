package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"

	"kdlocks/inspect"
	"kdlocks/kd"
	"kdlocks/picture"
	"kdlocks/report"
)

// RuleFile is a rule file of the user.
type RuleFile struct {
	Name string `json:"name"`
	Text string `json:"text"`
	// Parsed is the form of its YAML for an engine that reads none: see package tree.
	Parsed []byte `json:"parsed,omitempty"`
}

// RuleArgs say which rules are asked.
type RuleArgs struct {
	Own       []RuleFile `json:"rules"`
	NoBuiltin bool       `json:"no_builtin"`
}

// Analysis is the answer to analyze: the report in brief, and what the page shows
// beside it. Without a report nothing was recognised.
type Analysis struct {
	Report *report.Report `json:"report,omitempty"`
	// Trouble says what could not be read, Left what was left out on purpose, Mistakes
	// what is wrong in the user's rules; then the others are asked alone.
	Trouble  string          `json:"trouble,omitempty"`
	Left     []string        `json:"left_out,omitempty"`
	Mistakes json.RawMessage `json:"rule_mistakes,omitempty"`
	Advice   []report.Advice `json:"advice"`
	Inputs   []InputSize     `json:"inputs"`
	Tables   []report.Table  `json:"tables,omitempty"`
	Pictures []Panel         `json:"pictures,omitempty"`
	// More says what was not drawn, Legend is the SVG of the legend.
	More   string `json:"pictures_more,omitempty"`
	Legend string `json:"legend,omitempty"`
	// Charts are counters over time.
	Charts []Panel `json:"charts,omitempty"`
	// Ask are the commands that supply what is missing or come next, the most
	// telling first, each once.
	Ask []string `json:"next_commands"`
}

// InputSize is an input as the page lists it.
type InputSize struct {
	Name  string `json:"name"`
	Bytes int64  `json:"bytes"`
	Lines int    `json:"lines"`
}

// Panel is the picture of one knot or chain: SVG and the same in words.
type Panel struct {
	SVG   string `json:"svg"`
	Words string `json:"words"`
}

func (e *Engine) analyze(ctx context.Context, args RuleArgs, given []inspect.Input, w io.Writer) error {
	if err := e.Close(); err != nil {
		return err
	}
	out := Analysis{Advice: []report.Advice{}, Inputs: []InputSize{}, Ask: []string{}}
	set, mistakes, err := e.rulesOrOthers(args)
	if err != nil {
		return err
	}
	out.Mistakes = mistakes
	files, err := e.open(ctx, given)
	e.files, out.Left = files, files.Notes
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if len(files.Inputs) > 0 {
		r, runErr := inspect.Run(ctx, files.Inputs, inspect.Options{Progress: e.progress("reading"), Rules: inspect.These(set)})
		if ctx.Err() != nil {
			return ctx.Err()
		}
		e.report, err = r, errors.Join(err, runErr)
	}
	if err != nil {
		out.Trouble = kd.PlainLines(err.Error())
	}
	if e.report == nil {
		out.Advice = append(out.Advice, inspect.Advice(err))
		for _, in := range files.Inputs {
			out.Inputs = append(out.Inputs, InputSize{Name: in.Name, Bytes: in.Size})
		}
		return answer(w, out)
	}
	if err := out.show(e.report); err != nil {
		return err
	}
	e.lists = out.Tables
	out.Report = e.report.Brief()
	return answer(w, out)
}

// show puts what is beside a report into the answer.
func (a *Analysis) show(r *report.Report) error {
	for _, in := range r.Inputs {
		a.Inputs = append(a.Inputs, InputSize{Name: in.Name, Bytes: in.Bytes, Lines: in.Lines})
	}
	if advice := r.Advice(); advice != nil {
		a.Advice = advice
	}
	a.Tables, a.Ask = r.Tables(), r.NextCommands()
	pic := r.Picture()
	a.More = pic.More
	for i := range pic.Panels {
		p := &pic.Panels[i]
		var svg bytes.Buffer
		if err := picture.WritePanel(&svg, p); err != nil {
			return err
		}
		a.Pictures = append(a.Pictures, Panel{SVG: svg.String(), Words: picture.Text(&picture.Picture{Panels: pic.Panels[i : i+1]})})
	}
	for _, c := range r.Charts() {
		var svg bytes.Buffer
		if err := picture.WriteChart(&svg, &c); err != nil {
			return err
		}
		a.Charts = append(a.Charts, Panel{SVG: svg.String(), Words: c.Words})
	}
	if len(pic.Panels) == 0 {
		return nil
	}
	var legend bytes.Buffer
	err := picture.WriteLegend(&legend, pic)
	a.Legend = legend.String()
	return err
}
