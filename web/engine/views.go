package engine

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"kdlocks/inspect"
	"kdlocks/kd"
	"kdlocks/report"
)

// Bounds of one answer.
const (
	mostLines   = 5000
	mostRows    = 5000
	longestLine = 4000 // bytes of a line that are shown
	// longestRead is how much of a line there is to show, but for a character that does
	// not end there.
	longestRead = 1 << 20
)

type linesArgs struct {
	Input int `json:"input"`
	First int `json:"first"` // counted from 1
	Count int `json:"count"`
}

// lines returns lines of an input as they stand there.
func (e *Engine) lines(_ context.Context, args linesArgs, _ []inspect.Input, w io.Writer) error {
	in, err := e.input(args.Input)
	if err != nil {
		return err
	}
	first := max(args.First, 1)
	last := min(first+min(args.Count, mostLines)-1, in.Lines)
	out := []string{}
	for n := first; n <= last; n++ {
		out = append(out, clip(e.report.LineText(args.Input, n)))
	}
	return answer(w, out)
}

func (e *Engine) input(i int) (*report.Input, error) {
	if i < 0 || i >= len(e.report.Inputs) {
		return nil, fmt.Errorf("%w: there is no input %d", ErrArgs, i)
	}
	return &e.report.Inputs[i], nil
}

// clip cuts a line that nobody reads to its end.
func clip(s string) string {
	if len(s) <= longestLine {
		return s
	}
	end := longestLine
	for end > longestLine-utf8.UTFMax && !utf8.RuneStart(s[end]) {
		end--
	}
	if len(s) > longestRead-utf8.UTFMax {
		return s[:end] + " … (1 MiB or more in all)"
	}
	return s[:end] + fmt.Sprintf(" … (%d bytes in all)", len(s))
}

// line says what was read from a line.
func (e *Engine) line(_ context.Context, args linesArgs, _ []inspect.Input, w io.Writer) error {
	in, err := e.input(args.Input)
	if err != nil {
		return err
	}
	if args.First < 1 || args.First > in.Lines {
		return fmt.Errorf("%w: there is no line %d", ErrArgs, args.First)
	}
	return answer(w, e.report.About(args.Input, args.First))
}

// rows are those of a table, made once.
type rows struct {
	heads   []string
	all     []report.Row
	numbers []bool // columns that hold numbers alone
}

type rowsArgs struct {
	Table  string `json:"table"`
	Filter string `json:"filter"`
	// Sort is a column counted from 1, 0 for the order of the input.
	Sort   int  `json:"sort"`
	Down   bool `json:"down"`
	Offset int  `json:"offset"`
	Count  int  `json:"count"`
}

// Rows is a piece of a table.
type Rows struct {
	Total int          `json:"total"`
	Shown int          `json:"shown"` // rows that pass the filter
	Rows  []report.Row `json:"rows"`
}

// rows returns a piece of a table, filtered and sorted.
func (e *Engine) rows(ctx context.Context, args rowsArgs, _ []inspect.Input, w io.Writer) error {
	t, err := e.table(ctx, args.Table)
	if err != nil {
		return err
	}
	out := Rows{Total: len(t.all), Rows: []report.Row{}}
	list := t.passing(args.Filter)
	out.Shown = len(list)
	if c := args.Sort - 1; c >= 0 && c < len(t.heads) {
		list = slices.Clone(list)
		slices.SortStableFunc(list, func(a, b report.Row) int {
			order := t.compare(c, a.Cells[c], b.Cells[c])
			if args.Down {
				return -order
			}
			return order
		})
	}
	first := min(max(args.Offset, 0), len(list))
	last := min(first+min(max(args.Count, 0), mostRows), len(list))
	out.Rows = append(out.Rows, list[first:last]...)
	return answer(w, out)
}

// table makes the rows of a table.
func (e *Engine) table(ctx context.Context, id string) (*rows, error) {
	if t := e.tables[id]; t != nil {
		return t, nil
	}
	for _, t := range e.lists {
		if t.ID != id {
			continue
		}
		out := &rows{heads: t.Heads, numbers: make([]bool, len(t.Heads))}
		for r := range t.Rows() {
			out.all = append(out.all, r)
			if len(out.all)%256 == 0 {
				if ctx.Err() != nil {
					return nil, ctx.Err()
				}
				if e.opt.Progress != nil {
					e.opt.Progress("listing", int64(len(out.all)), int64(max(t.Count, 0)))
				}
			}
		}
		for c := range out.numbers {
			out.numbers[c] = !slices.ContainsFunc(out.all, func(r report.Row) bool { _, ok := numberIn(r.Cells[c]); return !ok })
		}
		if e.tables == nil {
			e.tables = make(map[string]*rows)
		}
		e.tables[id] = out
		return out, nil
	}
	return nil, fmt.Errorf("%w: there is no table %q", ErrArgs, id)
}

// passing returns the rows in which each word of a filter stands, in either case.
func (t *rows) passing(filter string) []report.Row {
	words := strings.Fields(strings.ToLower(filter))
	if len(words) == 0 {
		return t.all
	}
	var out []report.Row
	for _, r := range t.all {
		text := strings.ToLower(strings.Join(r.Cells, "\n"))
		if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, strings.ReplaceAll(w, "`", "")) }) {
			out = append(out, r)
		}
	}
	return out
}

func (t *rows) compare(column int, a, b string) int {
	if !t.numbers[column] {
		return cmp.Compare(a, b)
	}
	x, _ := numberIn(a)
	y, _ := numberIn(b)
	return cmp.Compare(x, y)
}

// numberIn reads the number that a cell begins with; an empty cell is less than all.
func numberIn(cell string) (float64, bool) {
	if cell == "" {
		return math.Inf(-1), true
	}
	word, rest, _ := strings.Cut(cell, " ")
	if rest != "" && !strings.HasPrefix(rest, "of ") {
		return 0, false
	}
	f, err := strconv.ParseFloat(word, 64)
	return f, err == nil && !strings.ContainsAny(word, "xXnN")
}

type threadArgs struct {
	Session int    `json:"session"`
	Address string `json:"address"`
}

// thread returns one thread with its frames, null if it was not printed.
func (e *Engine) thread(_ context.Context, args threadArgs, _ []inspect.Input, w io.Writer) error {
	return answer(w, e.report.ThreadAt(args.Session, args.Address))
}

type resolveArgs struct {
	Addresses []string `json:"addresses"`
}

// resolve says what addresses are.
func (e *Engine) resolve(_ context.Context, args resolveArgs, _ []inspect.Input, w io.Writer) error {
	var addrs []kd.Addr
	for _, s := range args.Addresses[:min(len(args.Addresses), mostRows)] {
		a, ok := kd.ParseAddr(s)
		if !ok {
			return fmt.Errorf("%w: %q is no address", ErrArgs, s)
		}
		addrs = append(addrs, a)
	}
	return report.JSON(w, e.report.WhatIs(addrs))
}
