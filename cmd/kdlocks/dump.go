package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"kdlocks/inspect"
	"kdlocks/report"
)

// kdOutput prints a dump as a kernel debugger would.
const kdOutput = "kd"

// printDumps writes what is in dumps, one behind the other, in a debugger's words.
func (a *app) printDumps(ctx context.Context, names []string) error {
	set, err := a.open(ctx, names)
	for _, in := range set.Inputs {
		if a.quiet {
			break
		}
		if listErr := inspect.List(ctx, in, a.options(nil), a.stdout); listErr != nil {
			err = errors.Join(err, listErr)
		}
	}
	return err
}

func (a *app) dumpCommand() *cobra.Command {
	dump := &cobra.Command{
		Use:   "dump",
		Short: "Say what crash dumps are and what can be read of them (experimental)",
	}
	dump.AddCommand(&cobra.Command{
		Use:   "info FILE...",
		Short: "Say what a crash dump is, which symbols belong to it, and what it lacks",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.dumpInfo(cmd.Context(), args)
		},
	})
	return dump
}

func (a *app) dumpInfo(ctx context.Context, names []string) error {
	if err := a.checkOutput(report.TableFormats()); err != nil {
		return err
	}
	set, err := a.open(ctx, names)
	var infos []report.DumpInfo
	for _, in := range set.Inputs {
		info, infoErr := inspect.DumpInfo(in, a.options(nil))
		if infoErr != nil {
			err = errors.Join(err, infoErr)
			continue
		}
		infos = append(infos, *info)
	}
	if len(infos) > 0 && !a.quiet {
		if werr := report.WriteDumps(a.stdout, infos, a.output, a.style()); werr != nil {
			return werr
		}
	}
	return err
}
