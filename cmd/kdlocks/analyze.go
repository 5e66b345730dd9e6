package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"kdlocks/heuristics"
	"kdlocks/inspect"
	"kdlocks/report"
	"kdlocks/rules"
)

type analyzeOptions struct {
	failOn   string
	each     bool
	coverage bool
}

// bind adds the flags of analyze to a command.
func (o *analyzeOptions) bind(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.failOn, "fail-on", "deadlock", "what makes the exit code 1: deadlock, suspected or never")
	f.BoolVar(&o.each, "each", false, "analyse each file as a case of its own; with -o json, one document behind the other")
	f.BoolVar(&o.coverage, "coverage", false, "tell how many lines of each command were understood, and quote the first that were not")
}

func (a *app) analyzeCommand() *cobra.Command {
	opt := &analyzeOptions{}
	cmd := &cobra.Command{
		Use:   "analyze FILE...|-",
		Short: "Say who is deadlocked, verdict first (the default command)",
		Args:  cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.analyzeNamed(cmd, opt, args)
		},
	}
	opt.bind(cmd)
	return cmd
}

// analyzeNamed analyses what is named, standard input if nothing is.
func (a *app) analyzeNamed(cmd *cobra.Command, opt *analyzeOptions, names []string) error {
	if len(names) == 0 {
		if a.readsTerminal() {
			fmt.Fprint(a.stderr, cmd.UsageString())
			return errors.New("name a FILE, or pipe a log in")
		}
		names = []string{"-"}
	}
	return a.analyze(cmd.Context(), opt, names)
}

func (a *app) analyze(ctx context.Context, opt *analyzeOptions, names []string) error {
	if !slices.Contains([]string{"deadlock", "suspected", "never"}, opt.failOn) {
		return fmt.Errorf("--fail-on %q: not one of deadlock, suspected, never", opt.failOn)
	}
	if a.output == kdOutput {
		return a.printDumps(ctx, names)
	}
	if err := a.startRules(); err != nil {
		return err
	}
	set, err := a.open(ctx, names)
	if err != nil && len(set.Inputs) == 0 {
		return err
	}
	cases := [][]inspect.Input{set.Inputs}
	if opt.each && len(set.Inputs) > 1 && report.IsDocument(a.output) {
		return fmt.Errorf("--output %s is one document: name one file, or leave --each out", a.output)
	}
	if opt.each {
		cases = slices.Collect(slices.Chunk(set.Inputs, 1))
	}
	for i, in := range cases {
		r, runErr := a.run(ctx, in, a.ruleSet)
		err = errors.Join(err, runErr)
		if r == nil {
			continue
		}
		if werr := a.writeCase(r, opt, err, i, len(cases)); werr != nil {
			return werr
		}
		a.code = worseCode(a.code, exitCode(r, opt.failOn))
	}
	a.note(set.Grown())
	return err
}

// run analyses one case behind a progress bar, with rules or without.
func (a *app) run(ctx context.Context, in []inspect.Input, rules func() (*rules.Set, error)) (*report.Report, error) {
	defer a.bar.end()
	return inspect.Run(ctx, in, a.options(rules))
}

// writeCase prints one report, with a title when there are several. Trouble is
// what went wrong before.
func (a *app) writeCase(r *report.Report, opt *analyzeOptions, trouble error, i, n int) error {
	if a.quiet {
		return nil
	}
	style := a.style()
	style.Coverage = opt.coverage
	if trouble != nil {
		style.Trouble = trouble.Error()
	}
	if n > 1 && a.output != "json" {
		gap := ""
		if i > 0 {
			gap = "\n"
		}
		if _, err := fmt.Fprintf(a.stdout, "%s%s\n\n", gap, report.Plain(r.Inputs[0].Name)); err != nil {
			return err
		}
	}
	return report.WriterFor(a.output)(a.stdout, r, style)
}

// exitCode is the promise of the exit codes, read off the report.
func exitCode(r *report.Report, failOn string) int {
	for _, f := range r.Findings {
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
	if r.Undecided {
		return exitUndecided
	}
	return exitFine
}

// worseCode keeps the code of several cases that says most.
func worseCode(a, b int) int {
	order := []int{exitFine, exitUndecided, exitFound}
	if slices.Index(order, b) > slices.Index(order, a) {
		return b
	}
	return a
}

// withReport runs a command that shows parts of the model.
func (a *app) withReport(ctx context.Context, names []string, show func(io.Writer, *report.Report) error) error {
	if err := a.checkOutput(report.TableFormats()); err != nil {
		return err
	}
	if len(a.ruleFlags.paths) > 0 { // lists ask no rule, but a mistake in a named one is told
		if _, err := a.ruleSet(); err != nil {
			return err
		}
	}
	set, err := a.open(ctx, names)
	if err != nil && len(set.Inputs) == 0 {
		return err
	}
	r, runErr := a.run(ctx, set.Inputs, nil)
	if r != nil && !a.quiet {
		if werr := show(a.stdout, r); werr != nil {
			return werr
		}
	}
	a.note(set.Grown())
	return errors.Join(err, runErr)
}
