package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"kdlocks/heuristics"
	"kdlocks/inspect"
	"kdlocks/report"
)

func (a *app) compareCommand() *cobra.Command {
	var failOn string
	cmd := &cobra.Command{
		Use:   "compare A B [C...]",
		Short: "Compare captures of one machine: what is frozen, what moves",
		Long: `Compare holds captures of one machine, minutes apart, against each other: which
locks and waits are frozen, which move, what was freed. Each argument is one
capture: a file, an archive or folder of its logs. A log that holds several
captures is compared with itself.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.compare(cmd.Context(), failOn, args)
		},
	}
	cmd.Flags().StringVarP(&a.output, "output", "o", "table", "output format: "+strings.Join(report.ComparisonFormats(), ", "))
	cmd.Flags().StringVar(&failOn, "fail-on", "deadlock", "what makes the exit code 1: deadlock, suspected or never")
	return cmd
}

func (a *app) compare(ctx context.Context, failOn string, names []string) error {
	write := report.ComparisonWriterFor(a.output)
	switch {
	case write == nil:
		return fmt.Errorf("--output %q: compare prints one of %s", a.output, strings.Join(report.ComparisonFormats(), ", "))
	case !slices.Contains([]string{"deadlock", "suspected", "never"}, failOn):
		return fmt.Errorf("--fail-on %q: not one of deadlock, suspected, never", failOn)
	}
	if err := a.startRules(); err != nil {
		return err
	}
	var cases []inspect.Case
	var grown []func() []string
	var err error
	for _, name := range names {
		set, openErr := a.open(ctx, []string{name})
		err = errors.Join(err, openErr)
		if len(set.Inputs) > 0 {
			cases, grown = append(cases, inspect.Case{Name: name, Inputs: set.Inputs}), append(grown, set.Grown)
		}
	}
	if len(cases) == 0 {
		return err
	}
	c, runErr := a.runCompare(ctx, cases)
	err = errors.Join(err, runErr)
	if c != nil {
		if !a.quiet {
			if werr := write(a.stdout, c, a.style()); werr != nil {
				return werr
			}
		}
		a.code = compareCode(c, failOn)
		if len(c.Captures) < 2 {
			err = errors.Join(err, inspect.ErrNoPair)
		}
	}
	for _, g := range grown {
		a.note(g())
	}
	return err
}

// runCompare compares behind a progress bar.
func (a *app) runCompare(ctx context.Context, cases []inspect.Case) (*report.Comparison, error) {
	defer a.bar.end()
	return inspect.Compare(ctx, cases, a.options(a.ruleSet))
}

// compareCode is the promise of the exit codes, read off a comparison: a deadlock
// or an orphaned lock counts if it stands at the end.
func compareCode(c *report.Comparison, failOn string) int {
	for i := range c.Findings {
		f := &c.Findings[i]
		if !f.Stands {
			continue
		}
		switch heuristics.Kind(f.Kind) {
		case heuristics.Deadlock, heuristics.OrphanedLock:
			if failOn != "never" {
				return exitFound
			}
		case heuristics.SuspectedDeadlock:
			if failOn == "suspected" {
				return exitFound
			}
		}
	}
	if c.Undecided {
		return exitUndecided
	}
	return exitFine
}
