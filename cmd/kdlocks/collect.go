package main

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"kdlocks/collect"
)

func (a *app) collectCommand() *cobra.Command {
	var o collect.Options
	counters, interval := false, collect.UsualInterval*time.Second
	cmd := &cobra.Command{
		Use:   "collect",
		Short: "Print a debugger script that gathers all that is needed",
		Long: `collect prints a script for WinDbg or kd. What decides most comes first and what
is huge last, so that a log that ends too early is worth most; marks in the log
tell kdlocks what each part is, and what is missing. Save it and run it with

	$$><C:\path\script.txt

docs/collect.md tells more ways, also for a slow cable, LiveKD and .shell -ci.

With --counters it prints instead the commands that log performance counters on the
machine, for memory that runs short over hours or days; docs/counters.md tells more.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.Log == "" && cmd.Flags().Changed("log") {
				return errors.New("--log names no file")
			}
			if !counters && cmd.Flags().Changed("interval") {
				return errors.New("--interval is of --counters")
			}
			if interval%time.Second != 0 {
				return fmt.Errorf("an interval of %v: not of whole seconds", interval)
			}
			if counters {
				commands, err := collect.Counters(int(interval / time.Second))
				if err != nil {
					return err
				}
				_, err = io.WriteString(a.stdout, commands)
				return err
			}
			script, err := collect.Script(o)
			if err != nil {
				return err
			}
			_, err = io.WriteString(a.stdout, script)
			return err
		},
	}
	f := cmd.Flags()
	f.BoolVar(&o.Quick, "quick", false, "only what takes seconds")
	f.BoolVar(&o.Live, "live", false, "only what makes sense while the machine runs on: at an lkd> prompt")
	f.StringVar(&o.Log, "log", "", "have the debugger write this file; it adds date and time to the name")
	f.IntVar(&o.Twice, "twice", 0, "with --live: collect again after so many minutes")
	f.BoolVar(&counters, "counters", false, "print the commands that log performance counters")
	f.DurationVar(&interval, "interval", interval, "with --counters: the time between two samples")
	for _, other := range []string{"quick", "live", "log", "twice"} {
		cmd.MarkFlagsMutuallyExclusive("counters", other)
	}
	return cmd
}
