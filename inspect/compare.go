package inspect

import (
	"context"
	"errors"
	"fmt"

	"kdlocks/compare"
	"kdlocks/heuristics"
	"kdlocks/report"
	"kdlocks/rules"
)

// Case is one or more logs that are read as one, and the name to call them by.
type Case struct {
	Name   string
	Inputs []Input
}

// ErrNoPair says of a comparison with fewer than two captures why it compares nothing.
var ErrNoPair = errors.New("no two captures of one boot and different moments: nothing was compared")

// Compare holds the captures of some cases against each other: a case has one
// for each session and moment that it shows. The comparison is nil when nothing
// was recognised in any case; it and an error come together when some could be
// read and others not. It returns ctx's error when that is done first.
func Compare(ctx context.Context, cases []Case, opt Options) (*report.Comparison, error) {
	var captures []*compare.Capture
	var errs []error
	given := make([][]report.Source, len(cases))
	progress := progressOf(cases, opt)
	for i, c := range cases {
		one := opt
		one.Progress = progress(i)
		t, err := read(ctx, c.Inputs, &one)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			errs = append(errs, err)
		}
		given[i] = t.sources()
		for n, s := range t.Snapshots {
			name := c.Name
			if len(t.Snapshots) > 1 {
				name = fmt.Sprintf("%s #%d", c.Name, n+1)
			}
			captures = append(captures, &compare.Capture{Name: name, Given: i, Judgement: heuristics.Judge(s)})
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
		}
	}
	if len(captures) == 0 {
		return nil, errors.Join(errs...)
	}
	c, err := compare.Run(ctx, captures)
	if err != nil {
		return nil, err
	}
	set, err := opt.rules()
	if err != nil {
		return nil, err
	}
	found := make(map[*compare.Capture][]rules.Result)
	for _, k := range c.Captures {
		if set == nil {
			break
		}
		found[k] = set.Judge(&k.Judgement)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	return report.BuildComparison(given, c, found), errors.Join(errs...)
}

// progressOf returns what tells the progress of each case as a part of all.
func progressOf(cases []Case, opt Options) func(int) func(done, total int64) {
	before, all := make([]int64, len(cases)), int64(0)
	for i, c := range cases {
		before[i] = all
		for _, in := range c.Inputs {
			all += in.Size
		}
	}
	return func(i int) func(done, total int64) {
		if opt.Progress == nil {
			return nil
		}
		return func(done, _ int64) { opt.Progress(before[i]+done, all) }
	}
}
